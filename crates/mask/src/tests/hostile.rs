//! Texts that are made to be slow: how much is read of them is counted.

use crate::{Findings, Hint, work};

use super::masker;

/// What is repeated. Each has looked for something again and again, or could.
const PIECES: [&str; 47] = [
    "1",
    "12345678901234567890 ",
    "1 ",
    "4 1 1 1-",
    "4111-1111-1111-111",
    "1-1-1970 ",
    "12-",
    "1.",
    "+1 ",
    "(415) ",
    "+(1",
    "a1",
    "DE89 ",
    "TX 12345 ",
    "1 Oak Elm Main TX 12345 ",
    "at 1 Oak Elm Main Hill ",
    "address: 1 Oak Elm ",
    "account number, passport, the number is ",
    "ssn ssn ssn 123456789 ",
    "born 3 March ",
    "@",
    "a@b.",
    "://a:b@",
    "https://aaaaaaaaaaaaaaaaaaaaaaaa:",
    "password=",
    "the password is ",
    "secret secret ",
    "token=",
    "eyJ.eyJ",
    "-----BEGIN RSA PRIVATE KEY-----AAAAAAAAAAAAAAAA",
    "QUFBQUFBQUFBQUFBQUFB\n",
    "4141414141414141414141",
    "%41&#65;\\u0041",
    "SWIFT BIC ",
    "eyJhbGciOiJI.",
    "xoxb-",
    "github_pat_",
    "PWD=",
    "xoxb-é",
    "Private-Lines: 99\nAAAAAAAAAAAAAAAA\n",
    "1//0",
    "8Q~aaaaaaaaaaaaaaa",
    "hooks.slack.com/services/",
    "glpat-ATATT3-",
    "12345678:AA+",
    "a+b/c-d_",
    "0123456789abcdef0123456789abcdef012_",
];

fn read(text: &str) -> usize {
    let masker = masker();
    let mut out = Vec::new();
    work::of(|| {
        let mut findings = Findings::counting();
        let _ = masker.mask_text(Hint::NONE, text.as_bytes(), &mut out, &mut findings);
    })
}

#[test]
fn no_text_is_read_over_and_over() {
    const BYTES: usize = 400_000;
    for piece in PIECES {
        let text = piece.repeat(BYTES / piece.len());
        let times = read(&text) / text.len();
        assert!(
            times < 250,
            "each character of {piece:?} is read {times} times"
        );
    }
}

#[test]
fn twice_the_text_is_twice_the_work() {
    for piece in PIECES {
        let text = piece.repeat(300_000 / piece.len());
        let once = read(&text);
        let twice = read(&format!("{text}{text}"));
        assert!(
            twice < 3 * once + text.len(),
            "{piece:?}: {once}, then {twice}"
        );
    }
}
