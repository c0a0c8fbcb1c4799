//! Text in Base64 that detectors cannot read, in the answers of APIs: what is compressed, in UTF-16, or in Base64 three times. It is
//! hidden as it passes, and what stands in its place is Base64 too.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::texts;

/// So much of a run is looked at before any of it is shown.
const LOOK_BYTES: usize = 64;
/// In a shorter run nothing is looked for.
const RUN_BYTES_MIN: usize = 24;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Hides it, piece by piece: as many bytes come out in all as go in.
#[derive(Debug, Default)]
pub struct Packed {
    /// The beginning of a run at which nobody has looked yet.
    held: Vec<u8>,
    at: At,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Between runs, or in the beginning of one.
    #[default]
    Begin,
    /// In a run that is shown.
    Shown,
    /// In one that is hidden; whether a backslash came, by which some write a slash or break lines.
    Hidden(bool),
}

impl Packed {
    /// Takes the next piece and appends to `out` what is ready.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for &byte in piece {
            match self.at {
                At::Begin if is_of_run(byte) => {
                    self.held.push(byte);
                    if self.held.len() == LOOK_BYTES {
                        self.look(out);
                    }
                }
                At::Begin => {
                    self.look(out);
                    self.at = match self.at {
                        At::Hidden(_) => At::Hidden(byte == b'\\'),
                        _ => At::Begin,
                    };
                    self.ended(byte);
                    out.push(byte);
                }
                At::Shown if is_of_run(byte) => out.push(byte),
                At::Shown => {
                    self.at = At::Begin;
                    out.push(byte);
                }
                At::Hidden(true) => {
                    // What follows a backslash must stay what it is.
                    self.at = if matches!(byte, b'/' | b'n' | b'r') {
                        At::Hidden(false)
                    } else {
                        At::Begin
                    };
                    out.push(byte);
                }
                At::Hidden(false) if is_of_run(byte) => out.push(b'A'),
                At::Hidden(false) => {
                    self.at = At::Hidden(byte == b'\\');
                    self.ended(byte);
                    out.push(byte);
                }
            }
        }
    }

    /// There is no more.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.look(out);
        self.at = At::Begin;
    }

    /// A run ends where its text does; what is in lines goes on.
    fn ended(&mut self, byte: u8) {
        if !matches!(byte, b'\\' | b'\n' | b'\r' | b'=') {
            self.at = At::Begin;
        }
    }

    fn look(&mut self, out: &mut Vec<u8>) {
        let hides = self.held.len() >= RUN_BYTES_MIN && is_unread(&self.held);
        self.at = match (self.held.len(), hides) {
            (_, true) => At::Hidden(false),
            (LOOK_BYTES, false) => At::Shown,
            _ => At::Begin,
        };
        if hides {
            self.held.fill(b'A');
        }
        out.append(&mut self.held);
    }
}

fn is_of_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

/// Whether the beginning of a run says that no detector reads what is in it.
fn is_unread(run: &[u8]) -> bool {
    texts::is_packed(run) || decoded(run).is_some_and(|text| is_wide(&text) || is_thrice(&text))
}

/// What whole groups of a run stand for, as URLs write it too.
fn decoded(run: &[u8]) -> Option<Vec<u8>> {
    let plain = run.iter().map(|byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => *byte,
    });
    let whole = run.len() - run.len() % 4;
    let plain: Vec<u8> = plain.take(whole).collect();
    BASE64.decode(plain).ok()
}

/// Whether every other byte is zero, as in UTF-16 of text; the first two may be its mark.
fn is_wide(text: &[u8]) -> bool {
    let text = match text {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return true,
        text => text,
    };
    let places = |from: usize| text.iter().skip(from).step_by(2);
    let printable = |byte: &u8| matches!(byte, 9 | 10 | 13 | 32..=126);
    let wide = |zero: usize, text: usize| {
        places(zero).all(|byte| *byte == 0) && places(text).all(printable)
    };
    text.len() >= 8 && (wide(1, 0) || wide(0, 1))
}

/// Whether it is Base64 of Base64 of text.
fn is_thrice(text: &[u8]) -> bool {
    let all = |text: &[u8]| text.len() >= 16 && text.iter().copied().all(is_of_run);
    let inner = |text: &[u8]| all(text).then(|| decoded(text)).flatten();
    let innermost = inner(text).and_then(|text| inner(&text));
    let printable = |byte: &u8| matches!(byte, 9 | 10 | 13 | 32..=126);
    innermost.is_some_and(|text| text.len() >= 12 && text.iter().all(printable))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD as ENCODE;

    fn hidden(text: &str) -> String {
        let whole = |size: usize| {
            let (mut packed, mut out) = (Packed::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                packed.push(piece, &mut out);
            }
            packed.finish(&mut out);
            String::from_utf8(out).unwrap()
        };
        let out = whole(text.len());
        for size in [1, 3, 7] {
            assert_eq!(whole(size), out);
        }
        assert_eq!(out.len(), text.len());
        out
    }

    #[test]
    fn what_is_compressed_wide_or_thrice_encoded_is_hidden() {
        let note = "pays by 4111111111111111, always by that one and no other";
        let wide: Vec<u8> = note.bytes().flat_map(|byte| [byte, 0]).collect();
        let thrice = ENCODE.encode(ENCODE.encode(ENCODE.encode(note)));
        let gzip = format!("H4sIAAAAAAAA/{}", "x9Kd".repeat(30));
        let lines = format!("{}\\n{}", &gzip[..76], &gzip[76..]);
        for text in [ENCODE.encode(&wide), thrice, gzip, lines] {
            let answer = format!(r#"{{"Data":"{text}","Next":"token"}}"#);
            let out = hidden(&answer);
            assert!(
                out.ends_with(r#"","Next":"token"}"#) && out.starts_with(r#"{"Data":"AAAA"#),
                "{out}"
            );
            let value = out.split('"').nth(3).unwrap();
            let left = value
                .trim_end_matches('=')
                .replace("\\n", "")
                .replace("\\/", "");
            assert!(left.bytes().all(|byte| byte == b'A'), "{value}");
        }
    }

    #[test]
    fn what_detectors_read_is_not() {
        let note = "pays by 4111111111111111, always by that one and no other";
        let twice = ENCODE.encode(ENCODE.encode(note));
        let image =
            ENCODE.encode(b"\x89PNG\r\n\x1a\n0123456789012345678901234567890123456789012345678");
        let name = "AVeryLongNameOfSomethingThatIsNotEncodedAtAllAndGoesOnAndOnAndOnAndOnForEver";
        for text in [
            ENCODE.encode(note),
            twice,
            image,
            name.to_owned(),
            "H4sI".to_owned(),
            note.to_owned(),
        ] {
            let answer = format!(r#"{{"Data":"{text}"}}"#);
            assert_eq!(hidden(&answer), answer);
        }
    }
}
