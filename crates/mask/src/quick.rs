//! Values of the commonest types in which nothing is found: numbers and UUIDs.

use crate::detect::is_issued;

/// The longest number that is looked at: digits of hexadecimal that are text are more.
const NUMBER_BYTES_MAX: usize = 21;

/// Whether a text is a number or a UUID in which no detector finds anything, unless the column's name says what it is.
#[inline]
pub(crate) fn is_clean(text: &[u8]) -> bool {
    match text.first() {
        Some(b'0'..=b'9' | b'-') => is_number(text) || is_uuid(text),
        Some(b'a'..=b'f' | b'A'..=b'F') => is_uuid(text),
        _ => false,
    }
}

/// Digits, perhaps with a minus before and decimals behind them, that are no card's.
fn is_number(text: &[u8]) -> bool {
    if text.len() > NUMBER_BYTES_MAX {
        return false;
    }
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some((whole, decimals)) = text.split_at_checked(whole) else {
        return false;
    };
    let decimal = match decimals {
        [] => true,
        [b'.', decimals @ ..] => decimals.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    !whole.is_empty() && decimal && !is_issued(whole)
}

/// RFC 9562, section 4.
fn is_uuid(text: &[u8]) -> bool {
    let Ok(text) = <&[u8; 36]>::try_from(text) else {
        return false;
    };
    let is_dash = |place| matches!(place, 8 | 13 | 18 | 23);
    let places = text.iter().enumerate();
    places.fold(true, |all, (place, byte)| {
        let hex = byte.wrapping_sub(b'0') < 10 || (byte | 0x20).wrapping_sub(b'a') < 6;
        all & if is_dash(place) { *byte == b'-' } else { hex }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Findings, Hint, Masker, MaskerConfig};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn nothing_is_found_in_what_is_clean(
            text in prop_oneof![
                "-?[0-9]{1,20}",
                "-?[2-6][0-9]{11,18}",
                "-?[0-9]{0,12}\\.[0-9]{0,19}",
                "[0-9]{8}-[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{12}",
                "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
                "(AB|DE|BE|AE|3|4)[0-9A-F]{6,7}-[0-9]{4}-[0-9A-F]{4}-[0-9]{4}-[0-9]{12}",
            ],
        ) {
            let masker = Masker::new(MaskerConfig::default());
            let mut findings = Findings::counting();
            let _ = masker.mask_searched(Hint::NONE, None, text.as_bytes(), &mut Vec::new(), &mut findings);
            prop_assert!(!is_clean(text.as_bytes()) || findings.is_empty(), "{} {:?}", text, findings.facts());
        }
    }
}
