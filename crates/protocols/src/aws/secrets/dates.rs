//! Timestamps that are hidden: SDKs refuse a whole answer where one is none, so another stands there.

/// A timestamp is at most so long.
pub(super) const DATE_BYTES_MAX: usize = 40;

const DATE: &[u8] = b"1970-01-01T00:00:00";
const HTTP: &[u8] = b"Thu, 01 Jan 1970 00:00:00 GMT";

/// The beginning of 1970 in the form and length of a timestamp (RFC 3339, with or without its zone, or RFC 9110 section 5.6.7);
/// `None` where a text is none.
pub(super) fn epoch(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() == HTTP.len() {
        return is_like(text, HTTP).then(|| HTTP.to_vec());
    }
    let (date, rest) = text.split_at_checked(DATE.len())?;
    if text.len() > DATE_BYTES_MAX || !is_like(date, DATE) {
        return None;
    }
    let zone = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|it| it.is_ascii_digit()).count();
            fraction.get(digits..).filter(|_| digits > 0)?
        }
        None => rest,
    };
    let is_zone = match zone {
        b"" | b"Z" => true,
        [b'+' | b'-', offset @ ..] => is_like(offset, b"00:00") || is_like(offset, b"0000"),
        _ => false,
    };
    let zero = |byte: &u8| if byte.is_ascii_digit() { b'0' } else { *byte };
    is_zone.then(|| DATE.iter().copied().chain(rest.iter().map(zero)).collect())
}

/// Whether digits, and letters of HTTP's names, stand where they do in `form`, and all else is the same.
fn is_like(text: &[u8], form: &[u8]) -> bool {
    let is_letter =
        |wanted: &u8| form == HTTP && wanted.is_ascii_alphabetic() && !b"GM".contains(wanted);
    let is = |(byte, wanted): (&u8, &u8)| {
        if is_letter(wanted) {
            byte.is_ascii_alphabetic()
        } else {
            byte == wanted || byte.is_ascii_digit() && wanted.is_ascii_digit()
        }
    };
    text.len() == form.len() && text.iter().zip(form).all(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_stays_one_of_its_form() {
        for (text, shown) in [
            ("2026-11-28T17:08:22Z", "1970-01-01T00:00:00Z"),
            ("2026-11-28T17:08:22.123Z", "1970-01-01T00:00:00.000Z"),
            ("2026-11-28T17:08:22.1+02:30", "1970-01-01T00:00:00.0+00:00"),
            ("2026-11-28T17:08:22-0530", "1970-01-01T00:00:00-0000"),
            ("2026-11-28T17:08:22", "1970-01-01T00:00:00"),
            (
                "Sat, 28 Nov 2026 17:08:22 GMT",
                "Thu, 01 Jan 1970 00:00:00 GMT",
            ),
        ] {
            assert_eq!(
                epoch(text.as_bytes()).as_deref(),
                Some(shown.as_bytes()),
                "{text}"
            );
        }
        for text in [
            "",
            "2026-11-28",
            "2026-11-28T17:08:22.Z",
            "2026-11-28X17:08:22Z",
            "****-11-28T17:08:22Z",
            "my secret of 29 characters...",
        ] {
            assert_eq!(epoch(text.as_bytes()), None, "{text}");
        }
    }
}
