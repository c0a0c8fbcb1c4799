//! The characters of base64 and hexadecimal, and what text looks like once it is decoded.

use crate::bits::{BLOCK_BYTES, bits, bits_at, first, with_block};

/// Stands for no character of an alphabet.
const NONE: u8 = 0xFF;

/// What each character stands for in base64; both alphabets at once.
const BASE64: [u8; 256] = values(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
#[expect(clippy::cast_possible_truncation, reason = "there are 64")]
const fn values(alphabet: &[u8]) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < alphabet.len() {
        values[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    values[b'+' as usize] = 62;
    values[b'-' as usize] = 62;
    values[b'/' as usize] = 63;
    values[b'_' as usize] = 63;
    values
}

#[inline]
fn value(byte: u8) -> u8 {
    BASE64.get(usize::from(byte)).copied().unwrap_or(NONE)
}

/// Whether a byte is of base64, and so of a run.
#[inline]
pub(super) fn is_part(byte: u8) -> bool {
    value(byte) != NONE
}

/// The three bytes of a group of base64.
#[inline]
pub(super) fn three(chars: [u8; 4]) -> [u8; 3] {
    let [first, second, third, fourth] = chars.map(value);
    [
        first << 2 | second >> 4,
        second << 4 | third >> 2,
        third << 6 | fourth,
    ]
}

/// The byte of two digits of hexadecimal.
#[inline]
pub(super) fn byte(digits: [u8; 2]) -> u8 {
    let [high, low] = digits.map(|digit| match digit {
        b'0'..=b'9' => digit & 0x0F,
        letter => (letter & 0x0F) + 9,
    });
    high << 4 | low
}

/// Whether a byte is printable ASCII, tab or line end.
#[inline]
pub(super) fn is_plain(byte: u8) -> bool {
    (byte.wrapping_sub(b' ') <= b'~' - b' ') | (byte == b'\t') | (byte == b'\n') | (byte == b'\r')
}

/// Without a look at one deciding about the next: most often it could not be foretold.
#[inline]
pub(super) fn all_plain<const COUNT: usize>(bytes: [u8; COUNT]) -> bool {
    bytes.iter().fold(true, |all, byte| all & is_plain(*byte))
}

#[inline(always)]
fn is_letter(byte: u8) -> bool {
    (byte | 0x20).wrapping_sub(b'a') < 26
}

#[inline(always)]
fn is_digit(byte: u8) -> bool {
    byte.wrapping_sub(b'0') < 10
}

#[inline(always)]
fn is_hex(byte: u8) -> bool {
    is_digit(byte) | ((byte | 0x20).wrapping_sub(b'a') < 6)
}

/// Which characters of a block are of base64.
#[inline]
pub(super) fn parts(text: &[u8], place: usize) -> u64 {
    bits_at(text, place, |byte| {
        // + - / and _
        let sign = (byte == b'+') | (byte & 0xFD == b'-') | (byte == b'_');
        is_letter(byte) | is_digit(byte) | sign
    })
}

/// The same, with signs that are told from them only with more effort.
#[inline]
pub(super) fn likely(text: &[u8], place: usize) -> u64 {
    bits_at(text, place, |byte| {
        let letter = (byte | 0x20).cast_signed() > 0x60;
        letter | (byte.wrapping_sub(b'+') <= b'9' - b'+')
    })
}

/// Which are of hexadecimal, or the dash that stands between digits in identifiers.
#[inline]
pub(super) fn identifiers(text: &[u8], place: usize) -> u64 {
    bits_at(text, place, |byte| is_hex(byte) | (byte == b'-'))
}

/// Which are digits of hexadecimal.
#[inline]
pub(super) fn digits(text: &[u8], place: usize) -> u64 {
    bits_at(text, place, is_hex)
}

/// Which digits of hexadecimal may be the first of a plain byte.
#[inline]
pub(super) fn high_digits(text: &[u8], place: usize) -> u64 {
    bits_at(text, place, |byte| {
        (byte.wrapping_sub(b'2') < 6) | (byte == b'0')
    })
}

/// Whether three groups of base64 in a row may be plain among so many characters, no more than a block, as the first of each tells.
#[inline]
pub(super) fn may_be_text(text: &[u8], place: usize, len: usize) -> bool {
    let firsts = plain_firsts(text, place) & first(len);
    firsts & firsts >> 4 & firsts >> 8 != 0
}

/// Which characters of base64 may be the first of a group whose bytes are plain.
#[inline]
fn plain_firsts(text: &[u8], place: usize) -> u64 {
    bits_at(text, place, |byte| {
        (byte.wrapping_sub(b'A') < 26) | (byte.wrapping_sub(b'a') < 6)
    })
}

/// Which characters of base64 may be the first, the second and the third of a group whose bytes are plain: those of which
/// the bit that becomes the highest of a byte is not set.
#[inline]
pub(super) fn plain_places(text: &[u8], place: usize) -> [u64; 3] {
    with_block(text, place, |bytes| {
        let mut flags = [0; BLOCK_BYTES];
        for (flag, byte) in flags.iter_mut().zip(bytes) {
            *flag = plain_flags(*byte);
        }
        [1, 2, 4].map(|place| bits(&flags, |flag| flag & place != 0))
    })
}

#[inline(always)]
fn plain_flags(byte: u8) -> u8 {
    let of = |is: bool, value: u8| value & 0_u8.wrapping_sub(u8::from(is));
    let value = of(byte.wrapping_sub(b'A') < 26, byte.wrapping_sub(b'A'))
        | of(
            byte.wrapping_sub(b'a') < 26,
            byte.wrapping_sub(b'a').wrapping_add(26),
        )
        | of(is_digit(byte), byte.wrapping_sub(b'0').wrapping_add(52))
        | of((byte == b'+') | (byte == b'-'), 62)
        | of((byte == b'/') | (byte == b'_'), 63);
    let first = u8::from(value & 0x20 == 0);
    let second = u8::from(value & 0x08 == 0);
    let third = u8::from(value & 0x02 == 0);
    first | second << 1 | third << 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_say_what_the_tables_say() {
        for byte in 0..=u8::MAX {
            let text = [byte];
            assert_eq!(parts(&text, 0) == 1, is_part(byte), "{byte}");
            assert!(!is_part(byte) || likely(&text, 0) == 1, "{byte}");
            assert_eq!(digits(&text, 0) == 1, byte.is_ascii_hexdigit(), "{byte}");
            let is_identifier = byte.is_ascii_hexdigit() || byte == b'-';
            assert_eq!(identifiers(&text, 0) == 1, is_identifier, "{byte}");
            let high = byte.is_ascii_hexdigit()
                && (0..16_u8).any(|low| {
                    is_plain(super::byte([byte, b"0123456789abcdef"[usize::from(low)]]))
                });
            assert!(!high || high_digits(&text, 0) == 1, "{byte}");
        }
    }

    #[test]
    fn a_group_of_plain_bytes_is_met() {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for number in 0..1 << 24 {
            let char = |shift: u32| alphabet[number >> shift & 63];
            let group = [char(18), char(12), char(6), char(0)];
            if all_plain(three(group)) {
                let bit = |of: usize| u8::from(value(group[of]) & [0x20, 0x08, 0x02][of] == 0);
                assert_eq!(bit(0) & bit(1) & bit(2), 1);
            }
        }
        let [first, second, third] = plain_places(alphabet, 0);
        assert_eq!(plain_firsts(alphabet, 0), first);
        for place in 0..64_u8 {
            assert_eq!(first >> place & 1 == 0, place & 0x20 != 0);
            assert_eq!(second >> place & 1 == 0, place & 0x08 != 0);
            assert_eq!(third >> place & 1 == 0, place & 0x02 != 0);
        }
    }
}
