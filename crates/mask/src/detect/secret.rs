//! Secrets that carry a mark: tokens of providers, keys of AWS, private keys, JSON web tokens, passwords in URLs and
//! connection strings. One search for all the marks, then the form of each.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind, Span, packed};

use super::{Hint, Kind, LOOK_CHARS_MAX, Match, address, assigned, at, bic, birth, identity};

/// What a mark may be the beginning of.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// Letters and digits behind the mark, at least and at most so many; with `_` and `-` too where the flag says so.
    Token(usize, usize, bool),
    AwsId,
    AwsSecret,
    Pem,
    Jwt,
    Url,
    Password,
    /// A name of a key or token; of a password; what stands before a token in a header.
    Key,
    Pass,
    Bearer,
    Bic,
    Birth,
    Address,
    License,
}

/// The marks, as the providers publish them.
const MARKS: [(&str, Form); 63] = [
    ("ghp_", Form::Token(36, 255, false)),
    ("gho_", Form::Token(36, 255, false)),
    ("ghu_", Form::Token(36, 255, false)),
    ("ghs_", Form::Token(36, 255, false)),
    ("ghr_", Form::Token(36, 255, false)),
    ("github_pat_", Form::Token(22, 255, true)),
    ("glpat-", Form::Token(20, 255, true)),
    ("xoxb-", Form::Token(10, 255, true)),
    ("xoxp-", Form::Token(10, 255, true)),
    ("xoxa-", Form::Token(10, 255, true)),
    ("xoxr-", Form::Token(10, 255, true)),
    ("xoxs-", Form::Token(10, 255, true)),
    ("sk_live_", Form::Token(16, 255, false)),
    ("rk_live_", Form::Token(16, 255, false)),
    ("AIza", Form::Token(35, 35, true)),
    ("npm_", Form::Token(36, 36, false)),
    ("sk-ant-", Form::Token(32, 255, true)),
    ("sk-proj-", Form::Token(32, 255, true)),
    ("pypi-AgEI", Form::Token(50, 255, true)),
    ("dop_v1_", Form::Token(64, 64, false)),
    ("shpat_", Form::Token(32, 32, false)),
    ("hf_", Form::Token(34, 34, false)),
    ("dapi", Form::Token(32, 32, false)),
    ("hvs.", Form::Token(24, 255, true)),
    ("dckr_pat_", Form::Token(27, 27, true)),
    ("xapp-", Form::Token(10, 255, true)),
    ("AKIA", Form::AwsId),
    ("ASIA", Form::AwsId),
    ("ecret", Form::AwsSecret),
    ("ECRET", Form::AwsSecret),
    ("-----BEGIN ", Form::Pem),
    ("eyJ", Form::Jwt),
    ("://", Form::Url),
    ("password=", Form::Password),
    ("Password=", Form::Password),
    ("PASSWORD=", Form::Password),
    ("wd=", Form::Password),
    ("PWD=", Form::Password),
    ("WDL", Form::License),
    ("oken", Form::Key),
    ("OKEN", Form::Key),
    ("pi_", Form::Key),
    ("pi-", Form::Key),
    ("piKey", Form::Key),
    ("pikey", Form::Key),
    ("PI_", Form::Key),
    ("PI-", Form::Key),
    ("assword", Form::Pass),
    ("ASSWORD", Form::Pass),
    ("assphrase", Form::Pass),
    ("earer ", Form::Bearer),
    ("BIC", Form::Bic),
    ("bic", Form::Bic),
    ("SWIFT", Form::Bic),
    ("swift", Form::Bic),
    ("Swift", Form::Bic),
    ("born", Form::Birth),
    ("Born", Form::Birth),
    ("irth", Form::Birth),
    ("IRTH", Form::Birth),
    ("DOB", Form::Birth),
    ("dob", Form::Birth),
    ("ddress", Form::Address),
];

/// The shortest text that holds a secret: `pwd=` and four characters.
pub(crate) const BYTES_MIN: usize = 7;

/// The shortest text that holds a secret without any of the bytes that [`may_hold`] looks for: `hvs.` and 24 characters.
const UNMARKED_BYTES_MIN: usize = 28;

/// How far behind the word *secret* a key of AWS may begin.
const SECRET_AHEAD: usize = 40;

/// The secret keys of AWS: 40 characters of base64.
pub(super) const AWS_SECRET_CHARS: usize = 40;

static TEDDY: LazyLock<Option<packed::Searcher>> =
    LazyLock::new(|| packed::Searcher::new(MARKS.iter().map(|(mark, _)| mark)));

/// For processors without the instructions that the other search needs.
static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(MARKS.iter().map(|(mark, _)| mark))
        .ok()
});

/// Whether a short text may hold a mark. Cheaper than a search; may say so too often.
pub(crate) fn may_hold(text: &[u8]) -> bool {
    if text.len() < BYTES_MIN {
        return false;
    }
    let marks = text.iter().fold(0_u8, |all, &byte| {
        let mark = byte == b'_' || byte == b'-' || byte == b'=' || byte == b':';
        let letter = byte == b'J' || byte == b'I';
        // The first bytes of the dashes that are folded.
        let dash = byte == 0xE2 || byte == 0xE3 || byte == 0xD6;
        all | u8::from(mark | letter | dash)
    });
    // Every mark has such a byte or needs one behind it, but for those that a long value follows.
    marks != 0 || text.len() >= UNMARKED_BYTES_MIN
}

/// Finds the secrets that start in `part`.
pub(super) fn find(text: &[u8], part: Range<usize>, found: &mut Vec<Match>) {
    if part.len() < BYTES_MIN {
        return;
    }
    // A value begins behind its mark.
    let base = part.start.saturating_sub(LOOK_CHARS_MAX);
    let part = text.get(base..part.end).unwrap_or_default();
    let mut mark = |start: usize, end: usize, index: usize| {
        if let Some((_, form)) = MARKS.get(index) {
            found.extend(judge(text, base + start, base + end, *form));
        }
    };
    let mut pos = 0;
    // Not past the hit but one byte on: where the search began must not matter to what is found.
    while let Some(hit) = next(part, pos) {
        mark(hit.start(), hit.end(), hit.pattern().as_usize());
        pos = hit.start() + 1;
    }
}

fn next(text: &[u8], from: usize) -> Option<aho_corasick::Match> {
    let rest = Span {
        start: from,
        end: text.len(),
    };
    match TEDDY.as_ref() {
        Some(teddy) => teddy.find_in(text, rest),
        None => AUTOMATON.as_ref()?.find(Input::new(text).span(rest)),
    }
}

/// Whether a value begins with a mark of its own, which tells more than a name before it.
pub(super) fn is_marked(value: &[u8]) -> bool {
    let own = |form: &Form| matches!(form, Form::Token(..) | Form::AwsId | Form::Jwt);
    let mut marks = MARKS.iter();
    marks.any(|(mark, form)| own(form) && value.starts_with(mark.as_bytes()))
}

fn judge(text: &[u8], start: usize, end: usize, form: Form) -> Option<Match> {
    // What is hidden already counts as what it was.
    let is_glue = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'*';
    let glued = is_glue(at(text, start.wrapping_sub(1)));
    let found = |kind, start, end| Match {
        kind,
        start,
        end,
        shown: end,
    };
    match form {
        Form::Url => url(text, end).map(|(start, end)| found(Kind::Password, start, end)),
        // Of `cwd=` it is a folder.
        Form::Password
            if end - start == 3
                && !matches!(at(text, start.wrapping_sub(1)), b's' | b'p' | b'P') =>
        {
            None
        }
        Form::Password => password(text, end).map(|(start, end)| found(Kind::Password, start, end)),
        Form::AwsSecret => {
            let key = || aws_secret(text, end);
            let key = || key().map(|(start, end)| found(Kind::AwsSecret, start, end));
            assigned::key(text, start, end).or_else(key)
        }
        Form::Key => assigned::key(text, start, end),
        Form::Pass => assigned::password(text, end),
        Form::Bearer => assigned::bearer(text, end),
        Form::Bic => bic::behind(text, start, end),
        Form::Birth => birth::behind(text, end),
        Form::Address => address::behind(text, end),
        Form::Pem => pem(text, start, end).map(|end| found(Kind::PrivateKey, start, end)),
        _ if glued => None,
        Form::License => identity::washington(text, start, Hint::NONE),
        Form::Jwt => jwt(text, start).map(|end| found(Kind::Jwt, start, end)),
        Form::AwsId => {
            let len = run(text, end, 17, |byte| {
                byte.is_ascii_uppercase() || byte.is_ascii_digit()
            });
            let ends = !is_glue(at(text, end + len));
            (len == 16 && ends).then(|| found(Kind::AwsId, start, end + len))
        }
        Form::Token(least, most, wide) => {
            let len = run(text, end, most + 1, |byte| {
                byte.is_ascii_alphanumeric() || wide && matches!(byte, b'_' | b'-')
            });
            let cut = most != 255 && (len > most || at(text, end + len) == b'*');
            let fits = len >= least && !cut;
            fits.then(|| Match {
                kind: Kind::Token,
                start,
                end: end + len.min(most),
                shown: end,
            })
        }
    }
}

/// How many bytes from `pos` on are of a sort, `most` at most.
fn run(text: &[u8], pos: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(pos..).unwrap_or_default();
    rest.iter().take(most).take_while(|byte| is(**byte)).count()
}

fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Whether a long value goes on with this byte, once its first [`LOOK_CHARS_MAX`] characters were judged.
pub(crate) fn goes_on(kind: Kind, byte: u8) -> bool {
    match kind {
        Kind::Jwt => is_url_safe(byte) || byte == b'.',
        _ => is_base64(byte) || byte.is_ascii_whitespace() || byte == b'\\',
    }
}

/// Two parts that begin as JSON objects do in base64, and the dot before the signature.
fn jwt(text: &[u8], start: usize) -> Option<usize> {
    let limit = start + LOOK_CHARS_MAX;
    let header = run(text, start, LOOK_CHARS_MAX / 2, is_url_safe);
    let payload = start + header + 1;
    let begins = text.get(payload - 1..)?.starts_with(b".eyJ");
    if header < 12 || !begins {
        return None;
    }
    let end = payload + run(text, payload, limit - payload, is_url_safe);
    if end < limit && at(text, end) != b'.' {
        return None;
    }
    Some(end + run(text, end, limit - end, |byte| goes_on(Kind::Jwt, byte)))
}

/// A private key of PEM whose mark ends at `mark`: from the first line to the last, or as far as can be judged.
fn pem(text: &[u8], start: usize, mark: usize) -> Option<usize> {
    let label = run(text, mark, 40, |byte| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' '
    });
    let name = text.get(mark..mark + label)?;
    let is_key = name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK");
    let body = mark + label + DASHES.len();
    if !is_key || !text.get(mark + label..)?.starts_with(DASHES) {
        return None;
    }
    let blank = run(text, body, 16, |byte| {
        byte.is_ascii_whitespace() || matches!(byte, b'\\' | b'n' | b'r' | b'"' | b'\'' | b'+')
    });
    let headed = matches!(
        text.get(body + blank..)?,
        [b'P', b'r', b'o', b'c', ..] | [b'V', b'e', b'r', b's', ..]
    );
    if !headed && run(text, body + blank, 16, is_base64) < 16 {
        return None;
    }
    let limit = start + LOOK_CHARS_MAX;
    let mut end = body + blank;
    while end < limit {
        let byte = at(text, end);
        if byte == b'-' && text.get(end..)?.starts_with(DASHES) {
            return Some(last_line(text, end).unwrap_or(end).min(limit));
        }
        let header = matches!(byte, b'-' | b':' | b',' | b'.' | b'(' | b')');
        if !header && !goes_on(Kind::PrivateKey, byte) {
            break;
        }
        end += 1;
    }
    Some(end)
}

const DASHES: &[u8] = b"-----";

/// No last line of a key is longer.
pub(crate) const LAST_LINE_BYTES_MAX: usize = 64;

/// How long the last line of a long value is that begins here; 0 where there is none.
pub(crate) fn last_line_of(kind: Kind, text: &[u8]) -> usize {
    let begins = kind == Kind::PrivateKey && text.starts_with(b"-----END ");
    if begins {
        last_line(text, 0).unwrap_or_default()
    } else {
        0
    }
}

fn last_line(text: &[u8], pos: usize) -> Option<usize> {
    let label = pos + DASHES.len();
    let end = label
        + run(text, label, 40, |byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' '
        });
    text.get(end..)?
        .starts_with(DASHES)
        .then_some(end + DASHES.len())
}

/// Whether the `@` at `sign` ends the password of a URL, and so is none of an address.
pub(super) fn is_url_password(text: &[u8], sign: usize) -> bool {
    let before = text
        .get(sign.saturating_sub(URL_CHARS_MAX)..sign)
        .unwrap_or_default();
    let mark = memchr::memmem::rfind(before, b"://");
    mark.is_some_and(|mark| {
        let authority = sign - before.len() + mark + 3;
        url(text, authority).is_some_and(|(_, end)| end == sign)
    })
}

/// The longest user and password of a URL together, and what is between.
const URL_CHARS_MAX: usize = 128 + 1 + 200 + 3;

/// The password of `scheme://user:password@host`, where `authority` begins behind the slashes.
fn url(text: &[u8], authority: usize) -> Option<(usize, usize)> {
    let ends = |byte: u8| {
        byte.is_ascii_whitespace()
            || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>')
    };
    let user = run(text, authority, 128, |byte| {
        !ends(byte) && byte != b':' && byte != b'@'
    });
    let start = authority + user + 1;
    if at(text, start - 1) != b':' {
        return None;
    }
    let rest = run(text, start, 200, |byte| !ends(byte));
    let part = text.get(start..start + rest)?;
    let len = memchr::memrchr(b'@', part)?;
    is_secret(part.get(..len)?).then_some((start, start + len))
}

/// The value of `password=…` in a connection string or a query, quoted or not.
fn password(text: &[u8], value: usize) -> Option<(usize, usize)> {
    let quote = at(text, value);
    if matches!(quote, b'"' | b'\'') {
        let start = value + 1;
        let len = run(text, start, 128, |byte| byte != quote && byte != b'\n');
        return is_secret(text.get(start..start + len)?).then_some((start, start + len));
    }
    let len = run(text, value, 128, |byte| {
        !byte.is_ascii_whitespace() && !matches!(byte, b'&' | b';' | b'"' | b'\'' | b'<' | b'>')
    });
    let part = text.get(value..value + len)?;
    // Code that passes a password on, as in `connect(password=word)`, holds none.
    let code = part
        .iter()
        .any(|byte| matches!(byte, b'(' | b')' | b',' | b'[' | b'{'));
    (part.len() >= 4 && !code && is_secret(part)).then_some((value, value + len))
}

const PLACEHOLDERS: [&str; 6] = ["none", "null", "true", "false", "redacted", "changeme"];

/// Not empty, not a placeholder, not hidden already.
pub(super) fn is_secret(value: &[u8]) -> bool {
    let placeholder = PLACEHOLDERS
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
    // Where it is read from the environment.
    let environment = ["environ", "getenv", "process.env", "ENV["]
        .iter()
        .any(|word| memchr::memmem::find(value, word.as_bytes()).is_some());
    let stands_for = matches!(value.first(), None | Some(b'$' | b'{' | b'%' | b'<' | b'*'));
    !placeholder
        && !environment
        && !stands_for
        && !value
            .iter()
            .all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X'))
}

/// A key of AWS within a short distance behind the word *secret*: digits, small letters and capitals all occur.
fn aws_secret(text: &[u8], word: usize) -> Option<(usize, usize)> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut pos = word;
    while pos < word + SECRET_AHEAD {
        let len = run(text, pos, AWS_SECRET_CHARS + 1, is_part);
        if len == AWS_SECRET_CHARS {
            let key = text.get(pos..pos + len)?;
            let mixed = key.iter().any(u8::is_ascii_digit)
                && key.iter().any(u8::is_ascii_lowercase)
                && key.iter().any(u8::is_ascii_uppercase);
            let cut = at(text, pos.wrapping_sub(1)) == b'*' || at(text, pos + len) == b'*';
            return (mixed && !cut).then_some((pos, pos + len));
        }
        pos += len + 1;
    }
    None
}
