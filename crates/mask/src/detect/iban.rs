//! International bank account numbers (ISO 13616): the length that the country's registry entry gives, and mod 97.

use super::card::{in_hexadecimal, in_uuid};
use super::{Kind, Match, at as byte, last_four};
use crate::prefilter;

/// The longest that the standard allows.
const CHARS_MAX: usize = 34;

/// The IBAN whose first digit run begins at `digits`, with two letters before it.
#[inline(never)]
pub(super) fn at(text: &[u8], digits: usize) -> Option<Match> {
    let start = digits.checked_sub(2)?;
    let before = byte(text, start.wrapping_sub(1));
    if before.is_ascii_alphabetic() {
        return None;
    }
    let len = country_length(byte(text, start), byte(text, start + 1))?;
    let mut chars = [0_u8; CHARS_MAX];
    let end = collect(text, start, chars.get_mut(..len)?)?;
    let chars = chars.get(..len)?;
    let (last, after) = (byte(text, end.wrapping_sub(1)), byte(text, end));
    let goes_on = last.is_ascii_digit() && after.is_ascii_digit()
        || last.is_ascii_alphabetic() && after.is_ascii_alphabetic();
    if goes_on || !is_valid(chars) {
        return None;
    }
    if in_hexadecimal(text, start, end) || in_uuid(text, start) {
        return None;
    }
    Some(Match {
        kind: Kind::Iban,
        start,
        end,
        shown: last_four(text, start, end),
    })
}

/// Fills `chars` with letters and digits from `start` on, over single separators of one kind. Gives the end.
fn collect(text: &[u8], start: usize, chars: &mut [u8]) -> Option<usize> {
    let mut pos = start;
    let mut separator = 0;
    for (index, slot) in chars.iter_mut().enumerate() {
        let here = byte(text, pos);
        if matches!(here, b' ' | b'-' | b'.' | b'_') && index >= 4 {
            if separator == 0 {
                separator = here;
            } else if separator != here {
                return None;
            }
            pos += 1;
        }
        *slot = byte(text, pos).to_ascii_uppercase();
        if !slot.is_ascii_alphanumeric() {
            return None;
        }
        pos += 1;
    }
    Some(pos)
}

/// Check digits are digits, enough of the rest too that it is no sentence, and the remainder is 1.
pub(crate) fn is_valid(chars: &[u8]) -> bool {
    let digits = chars.iter().filter(|byte| byte.is_ascii_digit()).count();
    let Some((head, account)) = chars.split_at_checked(4) else {
        return false;
    };
    let head_ok = matches!(head, [a, b, c, d]
        if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit());
    if !head_ok || digits < prefilter::DIGITS_MIN as usize {
        return false;
    }
    remainder(account.iter().chain(head)) == 1
}

/// What letters and digits leave when divided by 97, a letter counting as a number of two digits (ISO/IEC 7064, MOD 97-10).
pub(crate) fn remainder<'a>(chars: impl Iterator<Item = &'a u8>) -> u32 {
    // Divided as seldom as the number's room allows.
    let sum = chars.fold(0_u64, |rest, &char| {
        let rest = if rest < u64::MAX / 1000 {
            rest
        } else {
            rest % 97
        };
        match char {
            b'0'..=b'9' => rest * 10 + u64::from(char - b'0'),
            _ => rest * 100 + u64::from(char.to_ascii_uppercase().saturating_sub(b'A')) + 10,
        }
    });
    u32::try_from(sum % 97).unwrap_or_default()
}

/// The length of a country's IBAN: the SWIFT IBAN registry, release 100, and the partial codes in wide use.
pub(crate) fn country_length(first: u8, second: u8) -> Option<usize> {
    Some(
        match &[first.to_ascii_uppercase(), second.to_ascii_uppercase()] {
            b"NO" => 15,
            b"BE" => 16,
            b"DK" | b"FK" | b"FI" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
            b"MK" | b"SI" => 19,
            b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"XK" | b"MN" => 20,
            b"CH" | b"HR" | b"LI" | b"LV" => 21,
            b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
            b"AE" | b"GI" | b"IL" | b"IQ" | b"OM" | b"SO" | b"TL" => 23,
            b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN"
            | b"VG" => 24,
            b"LY" | b"PT" | b"ST" => 25,
            b"IS" | b"TR" => 26,
            b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
            b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HN" | b"HU" | b"LB" | b"NI"
            | b"PL" | b"SV" => 28,
            b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
            b"JO" | b"KW" | b"MU" | b"YE" => 30,
            b"MT" | b"SC" => 31,
            b"LC" => 32,
            b"RU" => 33,
            _ => return None,
        },
    )
}
