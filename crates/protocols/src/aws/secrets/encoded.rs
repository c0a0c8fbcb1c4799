//! Base64 of JSON in answers, read and written anew at its length, and header fields that are Base64.

use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mask::{Findings, Masker};

use super::super::classify::Call;
use super::super::packed::Packed;
use super::{json, search};

/// Base64 without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Header fields of answers that are Base64, of Lambda and Lex.
const FIELDS: [&str; 10] = [
    "x-amz-lex-active-contexts",
    "x-amz-lex-alternative-intents",
    "x-amz-lex-input-transcript",
    "x-amz-lex-interpretations",
    "x-amz-lex-messages",
    "x-amz-lex-nlu-intent-confidence",
    "x-amz-lex-request-attributes",
    "x-amz-lex-session-attributes",
    "x-amz-lex-session-state",
    "x-amz-log-result",
];

/// Whether a header field of answers is Base64, so that what is shown of it must be.
#[must_use]
pub fn is_encoded(field: &str) -> bool {
    FIELDS.contains(&field)
}

/// What is shown of such a field.
#[must_use]
pub fn searched_field(
    call: &Call,
    masker: &Arc<Masker>,
    value: &[u8],
    findings: &mut Findings,
) -> Vec<u8> {
    let mut shown = Vec::with_capacity(value.len());
    let mut stream = search(call, masker);
    stream.push(value, &mut shown, findings);
    stream.finish(&mut shown, findings);
    let (mut packed, mut read) = (Packed::default(), Vec::with_capacity(value.len()));
    packed.push(&shown, &mut read);
    packed.finish(&mut read);
    read
}

/// Whether a byte may stand in Base64, or in what JSON writes for one that does.
pub(super) fn is_of_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_=\\".contains(&byte)
}

/// Whether Base64 of which this is the beginning may be JSON. What is short or escaped may.
pub(super) fn may_begin(text: &[u8]) -> bool {
    let plain: Vec<u8> = text.iter().map(|byte| plain(*byte)).collect();
    BASE64.decode(plain).map_or(true, |begin| {
        let first = json::unmarked(&begin).first();
        first.is_none_or(|it| matches!(it, b'{' | b'['))
    })
}

/// As the alphabet without URLs' exceptions has it.
fn plain(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => byte,
    }
}

/// A text, and what it is Base64 of.
pub(super) struct Encoded<'a> {
    text: &'a [u8],
    pub(super) content: Vec<u8>,
}

impl<'a> Encoded<'a> {
    /// `None` where it is none.
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        let padding = text.iter().rev().take_while(|it| **it == b'=').count();
        let digits = text.iter().take(text.len() - padding);
        let plain: Vec<u8> = digits.map(|byte| plain(*byte)).collect();
        let content = BASE64.decode(plain).ok()?;
        Some(Self { text, content })
    }

    /// Base64 of what is shown, which is as long as the content.
    pub(super) fn written(&self, shown: &[u8]) -> Vec<u8> {
        let of_urls = self.text.iter().any(|byte| b"-_".contains(byte));
        let mut written = BASE64.encode(shown).into_bytes();
        for byte in &mut written {
            match byte {
                b'+' if of_urls => *byte = b'-',
                b'/' if of_urls => *byte = b'_',
                _ => {}
            }
        }
        written.resize(self.text.len(), b'=');
        written
    }
}
