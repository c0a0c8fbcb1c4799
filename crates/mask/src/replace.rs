//! Values in place of values: a keyed hash, or other letters and digits in the same places.
//!
//! Both are made of HMAC-SHA-256 under the gateway's key for masks, of purpose, class and the normalised value, so that a
//! value gets the same replacement wherever and however it is written, and nobody gets back from one to the other
//! without trying values under the key.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aws_lc_rs::hmac;
use model::DataClass;

use crate::config::Strategy;
use crate::detect::luhn;

/// The key under which equal values get equal replacements. Cheap to clone.
#[derive(Clone)]
pub struct MaskKey(Arc<hmac::Key>);

impl MaskKey {
    /// Takes a key, which should be 32 random bytes, kept: with another one all replacements change.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    pub(crate) fn digest(
        &self,
        purpose: &[u8],
        class: &DataClass,
        normal: &[u8],
        block: u64,
    ) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in [purpose, class.name().as_bytes()] {
            context.update(part);
            context.update(&[0]);
        }
        context.update(&block.to_be_bytes());
        context.update(normal);
        let tag = context.sign();
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// [`Strategy::Hash`]: `hash_` and 64 bits in sixteen letters, among which no detector finds anything.
    pub(crate) fn hash(&self, class: &DataClass, normal: &[u8]) -> Vec<u8> {
        let mut out = b"hash_".to_vec();
        for byte in self.digest(b"hash", class, normal, 0).iter().take(8) {
            out.extend([b'a' + (byte >> 4), b'a' + (byte & 15)]);
        }
        out
    }

    /// The same for a UUID: one of version 8 (RFC 9562, section 5.8), 122 bits of it from the value.
    pub(crate) fn uuid(&self, class: &DataClass, normal: &[u8]) -> [u8; 16] {
        let digest = self.digest(b"uuid", class, normal, 0);
        let mut uuid: [u8; 16] = digest.first_chunk().copied().unwrap_or_default();
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut uuid;
        *version = *version & 0x0F | 0x80;
        *variant = *variant & 0x3F | 0x80;
        uuid
    }

    /// [`Strategy::Format`]: what stands in place of `part` of `text`, each digit and letter replaced by one of its kind.
    /// It is never `part` itself, and in place of a card number never one whose Luhn digit is right. `None` where there
    /// is nothing to replace, or it is no UTF-8.
    pub(crate) fn format(
        &self,
        class: &DataClass,
        normal: &[u8],
        text: &[u8],
        part: Range<usize>,
    ) -> Option<Vec<u8>> {
        let hidden = std::str::from_utf8(text.get(part.clone())?).ok()?;
        let mut random = Random::new(self, class, normal);
        let mut out = Vec::with_capacity(hidden.len());
        // What is changed once more where need be: the last digit, for letters are not in a Luhn sum, or the last letter.
        let mut last = None;
        for char in hidden.chars() {
            let Some((first, count)) = alphabet(char) else {
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            };
            if char.is_numeric() || last.is_none_or(|(_, first, _)| first != b'0') {
                last = Some((out.len(), first, count));
            }
            out.push(first + random.below(count));
        }
        let (at, first, count) = last?;
        let fixed = |shown: Range<usize>| text.get(shown).unwrap_or_default();
        for _ in 0..count {
            let all = [fixed(0..part.start), &out, fixed(part.end..text.len())].concat();
            let digits = all.iter().filter(|byte| byte.is_ascii_digit());
            let card = *class == DataClass::PAN && luhn(digits.map(|digit| digit - b'0'));
            if all != text && !card {
                return Some(out);
            }
            let place = out.get_mut(at)?;
            *place = first + (*place - first + 1) % count;
        }
        None
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKey(…)")
    }
}

/// The first of the characters that may stand for this one, and how many there are; `None` for one that stays.
fn alphabet(char: char) -> Option<(u8, u8)> {
    match char {
        _ if char.is_numeric() => Some((b'0', 10)),
        _ if char.is_uppercase() => Some((b'A', 26)),
        _ if char.is_alphabetic() || !char.is_ascii() && !char.is_whitespace() => Some((b'a', 26)),
        _ => None,
    }
}

/// Numbers that come of a value.
struct Random<'a> {
    key: &'a MaskKey,
    class: &'a DataClass,
    normal: &'a [u8],
    blocks: u64,
    block: std::array::IntoIter<u8, 32>,
}

impl<'a> Random<'a> {
    fn new(key: &'a MaskKey, class: &'a DataClass, normal: &'a [u8]) -> Self {
        Self {
            key,
            class,
            normal,
            blocks: 1,
            block: key.digest(b"format", class, normal, 0).into_iter(),
        }
    }

    fn byte(&mut self) -> u8 {
        if let Some(byte) = self.block.next() {
            return byte;
        }
        let block = self
            .key
            .digest(b"format", self.class, self.normal, self.blocks);
        self.blocks += 1;
        self.block = block.into_iter();
        self.block.next().unwrap_or_default()
    }

    /// A number below `count`, all but equally likely.
    fn below(&mut self, count: u8) -> u8 {
        let number = u16::from_be_bytes([self.byte(), self.byte()]) % u16::from(count);
        u8::try_from(number).unwrap_or_default()
    }
}

impl Strategy {
    /// Whether something else is shown in place of the value.
    pub(crate) fn replaces(self) -> bool {
        matches!(self, Self::Hash | Self::Format)
    }
}
