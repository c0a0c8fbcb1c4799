//! Business identifier codes (ISO 9362): four letters of the bank, the country, two characters of the place, perhaps three
//! of the branch; behind a word, for many words in capitals look like one.

use super::{Kind, Match, at as byte};

/// Characters behind the word within which the code begins.
const AHEAD_CHARS: usize = 24;

/// The countries (ISO 3166-1 alpha-2), and Kosovo.
const COUNTRIES: &[u8] = b"AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH \
    KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ \
    NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ \
    SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF \
    WS XK YE YT ZA ZM ZW ";

/// The code that a word leads up to, which is `start..end`.
pub(super) fn behind(text: &[u8], start: usize, end: usize) -> Option<Match> {
    let before = byte(text, start.wrapping_sub(1));
    let inside = before.is_ascii_alphabetic()
        && before.is_ascii_lowercase() == byte(text, start).is_ascii_lowercase();
    if inside || byte(text, end).is_ascii_alphabetic() && byte(text, end).is_ascii_lowercase() {
        return None;
    }
    let from = (end..end + AHEAD_CHARS).find(|&pos| {
        byte(text, pos).is_ascii_uppercase()
            && !byte(text, pos.wrapping_sub(1)).is_ascii_alphanumeric()
            && length(text, pos).is_some()
    })?;
    // In small letters the word means other things too, so something must say that a value follows.
    let is_mark = |byte: &u8| matches!(byte, b':' | b'=' | b'_' | b'-');
    let capitals = text.get(start..end)?.iter().all(u8::is_ascii_uppercase);
    if !capitals && !text.get(end..from)?.iter().any(is_mark) {
        return None;
    }
    Some(found(from, from + length(text, from)?))
}

/// The code that a value is of which the column's name says so.
pub(super) fn named(text: &[u8]) -> Option<Match> {
    let len = length(text, 0)?;
    Some(found(0, len))
}

fn found(start: usize, end: usize) -> Match {
    Match {
        kind: Kind::Bic,
        start,
        end,
        shown: end,
    }
}

/// How long the code is that begins at `pos`.
fn length(text: &[u8], pos: usize) -> Option<usize> {
    let is_part = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let rest = text.get(pos..)?;
    let len = rest.iter().take(12).take_while(is_part).count();
    let after = byte(text, pos + len);
    let country = rest.get(4..6)?;
    let fits = matches!(len, 8 | 11)
        && !after.is_ascii_alphanumeric()
        && after != b'*'
        && rest.iter().take(6).all(u8::is_ascii_uppercase)
        && COUNTRIES.chunks(3).any(|code| code.starts_with(country));
    fits.then_some(len)
}
