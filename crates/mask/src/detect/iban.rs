//! International bank account numbers (ISO 13616): the length that the country's registry entry gives, and mod 97.

use super::card::{in_hexadecimal, in_uuid};
use super::{Kind, Match, at as byte, last_four};
use crate::prefilter;

/// The country and the check digits.
const HEAD_CHARS: usize = 4;

/// The IBAN whose first digit run begins at `digits`, with two letters before it.
#[inline(never)]
pub(super) fn at(text: &[u8], digits: usize) -> Option<Match> {
    let start = digits.checked_sub(2)?;
    let before = byte(text, start.wrapping_sub(1));
    if before.is_ascii_alphabetic() {
        return None;
    }
    let len = country_length(byte(text, start), byte(text, start + 1))?;
    let end = end_of_valid(text, start, len)?;
    let (last, after) = (byte(text, end.wrapping_sub(1)), byte(text, end));
    let goes_on = last.is_ascii_digit() && after.is_ascii_digit()
        || last.is_ascii_alphabetic() && after.is_ascii_alphabetic();
    if goes_on {
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

/// Where so many letters and digits from `start` on end, over single separators of one kind, if they are valid: the country's
/// letters and two check digits come first, enough of the rest are digits that it is no sentence, and the remainder is 1.
fn end_of_valid(text: &[u8], start: usize, len: usize) -> Option<usize> {
    let (head, account) = text.get(start..)?.split_at_checked(HEAD_CHARS)?;
    let mut digits = head.iter().filter(|byte| byte.is_ascii_digit()).count();
    let mut rest = account.iter();
    let mut left = len.checked_sub(HEAD_CHARS)?;
    let mut sum = 0;
    let mut separator = None;
    let mut separated = false;
    while left > 0 {
        let here = *rest.next()?;
        if here.is_ascii_digit() {
            digits += 1;
        } else if !here.is_ascii_alphabetic() {
            let fits = matches!(here, b' ' | b'-' | b'.' | b'_') && !separated;
            if !fits || *separator.get_or_insert(here) != here {
                return None;
            }
            separated = true;
            continue;
        }
        separated = false;
        left -= 1;
        sum = with_char(sum, here);
    }
    // Divided with its beginning behind it.
    let sum = head.iter().fold(sum, |sum, char| with_char(sum, *char));
    let fits = digits >= prefilter::DIGITS_MIN as usize && sum % 97 == 1;
    fits.then_some(text.len() - rest.len())
}

/// What letters and digits leave when divided by 97, a letter counting as a number of two digits (ISO/IEC 7064, MOD 97-10).
pub(crate) fn remainder<'a>(chars: impl Iterator<Item = &'a u8>) -> u32 {
    let sum = chars.fold(0, |sum, char| with_char(sum, *char));
    u32::try_from(sum % 97).unwrap_or_default()
}

/// A number that leaves the same when divided by 97 as one before it with a letter or digit appended.
#[inline]
fn with_char(sum: u64, char: u8) -> u64 {
    // Divided as seldom as the number's room allows.
    let sum = if sum < u64::MAX / 1000 { sum } else { sum % 97 };
    match char {
        b'0'..=b'9' => sum * 10 + u64::from(char - b'0'),
        // Of a letter of either case the last five bits say which.
        _ => sum * 100 + u64::from(char & 0x1F) + 9,
    }
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
