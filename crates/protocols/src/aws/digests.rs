//! Digests that clients put beside an object: whoever has that of a short text finds the text by trying.

/// How long digests are in hexadecimal: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
const HEX: [usize; 6] = [32, 40, 56, 64, 96, 128];
/// How long they are in Base64, and so many of it are `=`.
const BASE64: [(usize, usize); 6] = [(24, 2), (28, 1), (40, 2), (44, 1), (64, 0), (88, 2)];

/// Whether a text is a digest or holds one (`md5:` before it, and other things around), in hexadecimal or Base64.
#[must_use]
pub fn holds_digest(text: &str) -> bool {
    let hex = |run: &str| HEX.contains(&run.len());
    if text.split(|c: char| !c.is_ascii_hexdigit()).any(hex) {
        return true;
    }
    let of_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    let base64 = |run: &str| {
        let padding = run.len() - run.trim_end_matches('=').len();
        // What stands before another one is a name.
        let digits = run.trim_end_matches('=').rsplit('=').next();
        let digits = digits.unwrap_or_default();
        // What has no digit or capital is words.
        let mixed = |is: fn(&u8) -> bool| digits.as_bytes().iter().any(is);
        BASE64.contains(&(digits.len() + padding, padding))
            && (padding > 0 || mixed(u8::is_ascii_digit) && mixed(u8::is_ascii_uppercase))
    };
    text.split(|c| !of_base64(c)).any(base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_known_by_their_length() {
        for text in [
            "c383170eef7bdd6b8aa35a6e4b4dcee4",
            "atime:1764000000/md5:C383170EEF7BDD6B8AA35A6E4B4DCEE4/mode:33188",
            "w4MXDu973WuKo1puS03O5A==",
            "md5=w4MXDu973WuKo1puS03O5A==, of the file",
            "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
            "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert!(holds_digest(text), "{text}");
        }
        for text in [
            "",
            "report 7",
            "1764000000.123456",
            "a-name-that-is-as-long-as-that-is-and-on",
            "/home/alice/reports/of/the/last/quarter/in/2026/all-of-them.csv",
            "7f2f5f0e-0000-4000-8000-000000000000",
            "mtime:1764000000/uid:1000/gname:alice",
        ] {
            assert!(!holds_digest(text), "{text}");
        }
    }
}
