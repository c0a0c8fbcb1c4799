//! Secrets that carry a mark: secret keys of AWS, private keys, JSON web tokens, passwords in URLs and connection strings. One search for all the marks, then the form of each.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind, Span, packed};

use super::{
    Hint, Kind, LOOK_CHARS_MAX, Match, address, assigned, at, bic, birth, identity, password, pem,
    provider,
};
use crate::bits::{BLOCK_BYTES, with_block};
use crate::prefilter::{PROFILE_BYTES_MAX, SECRET_BYTES_MIN, tells};
use crate::work;

/// What a mark may be the beginning of.
#[derive(Debug, Clone, Copy)]
enum Form {
    AwsSecret,
    Entra,
    Pem,
    Putty,
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

/// The marks. The search takes 64 at most, and is the quicker the fewer there are; tokens have [`super::provider`].
const MARKS: [(&str, Form); 35] = [
    ("ecret", Form::AwsSecret),
    ("ECRET", Form::AwsSecret),
    ("7Q~", Form::Entra),
    ("8Q~", Form::Entra),
    ("-----BEGIN ", Form::Pem),
    ("Private-Lines:", Form::Putty),
    ("eyJ", Form::Jwt),
    ("://", Form::Url),
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

/// Finds the secrets that start in `part`.
pub(super) fn find(text: &[u8], part: Range<usize>, found: &mut Vec<Match>) {
    if part.len() < SECRET_BYTES_MIN || is_short_number(text) {
        return;
    }
    // A value begins behind its mark.
    let base = part.start.saturating_sub(LOOK_CHARS_MAX);
    let ahead = text.len().min(part.end + BEHIND_CHARS);
    let mut region = base..base;
    for pos in (base..ahead).step_by(BLOCK_BYTES) {
        if !with_block(text, pos, tells) {
            continue;
        }
        let start = pos.saturating_sub(BEHIND_CHARS).max(region.end);
        if start > region.end {
            marks(text, base..part.end, region, found);
            region = start..start;
        }
        region.end = part.end.min(pos + BLOCK_BYTES).max(region.end);
    }
    marks(text, base..part.end, region, found);
}

/// So far behind its mark begins what tells that a value may follow: of a sentence the last character.
const BEHIND_CHARS: usize = 3 * BLOCK_BYTES;

const _: () = assert!(
    assigned::SPOKEN_REACH + 16 < BEHIND_CHARS && SECRET_AHEAD + AWS_SECRET_CHARS < BEHIND_CHARS
);

/// Judges the marks of a part that begin in a region of it.
fn marks(text: &[u8], part: Range<usize>, region: Range<usize>, found: &mut Vec<Match>) {
    if region.is_empty() {
        return;
    }
    let end = part.end.min(region.end + MARK_CHARS_MAX);
    let stretch = text.get(part.start..end).unwrap_or_default();
    let mut pos = region.start - part.start;
    // Not past the hit but one byte on: where the search began must not matter to what is found.
    while let Some(hit) = next(stretch, pos) {
        let (start, end) = (part.start + hit.start(), part.start + hit.end());
        if start >= region.end {
            return;
        }
        if let Some((_, form)) = MARKS.get(hit.pattern().as_usize()) {
            found.extend(judge(text, start, end, *form));
        }
        pos = hit.start() + 1;
    }
}

/// No mark is longer.
const MARK_CHARS_MAX: usize = 16;

/// Whether a short text is a number, a time, a digest or an identifier: all marks but `://`, which needs an `@`, have letters
/// that hexadecimal has not.
fn is_short_number(text: &[u8]) -> bool {
    let is_other = |byte: u8| (byte | 0x20).wrapping_sub(b'g') <= b'z' - b'g' || byte == b'@';
    text.len() <= PROFILE_BYTES_MAX && !text.iter().fold(false, |seen, byte| seen | is_other(*byte))
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

/// Whether a token with a form of its own begins at a place, which tells more than a name before it.
pub(super) fn is_marked(text: &[u8], start: usize) -> bool {
    let web_token = text.get(start..).is_some_and(|it| it.starts_with(b"eyJ"));
    web_token && jwt(text, start).is_some() || provider::token(text, start).is_some()
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
        Form::Url => {
            password::in_url(text, end).map(|(start, end)| found(Kind::Password, start, end))
        }
        // Of `cwd=` it is a folder.
        Form::Password
            if end - start == 3
                && !matches!(at(text, start.wrapping_sub(1)), b's' | b'p' | b'P') =>
        {
            None
        }
        Form::Password => {
            password::assigned(text, end).map(|(start, end)| found(Kind::Password, start, end))
        }
        Form::AwsSecret => {
            let key = || aws_secret(text, end);
            let key = || key().map(|(start, end)| found(Kind::AwsSecret, start, end));
            assigned::key(text, start, end).or_else(key)
        }
        Form::Key => assigned::key(text, start, end),
        // `password=` of a connection string.
        Form::Pass if at(text, end) == b'=' && at(text, end - 1) | 0x20 == b'd' => {
            let before = at(text, start.wrapping_sub(1)) | 0x20;
            let value = || password::assigned(text, end + 1).filter(|_| before == b'p');
            value().map(|(start, end)| found(Kind::Password, start, end))
        }
        Form::Pass => assigned::password(text, end).or_else(|| assigned::spoken(text, end)),
        Form::Bearer => assigned::bearer(text, end),
        Form::Bic => bic::behind(text, start, end),
        Form::Birth => birth::behind(text, end),
        Form::Address => address::behind(text, end),
        Form::Pem => pem::key(text, start, end).map(|end| found(Kind::PrivateKey, start, end)),
        Form::Putty => {
            pem::putty(text, end).map(|(start, end)| found(Kind::PrivateKey, start, end))
        }
        Form::Entra => entra(text, start, end).map(|(start, end)| Match {
            shown: start,
            ..found(Kind::Token, start, end)
        }),
        _ if glued => None,
        Form::License => identity::washington(text, start, Hint::NONE),
        Form::Jwt => jwt(text, start).map(|end| found(Kind::Jwt, start, end)),
    }
}

/// How many bytes from `pos` on are of a sort, `most` at most.
pub(super) fn run(text: &[u8], pos: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(pos..).unwrap_or_default();
    let count = rest.iter().take(most).take_while(|byte| is(**byte)).count();
    work::done(count);
    count
}

fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

pub(super) fn is_base64(byte: u8) -> bool {
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

/// A client secret of Microsoft Entra: three characters and the digit before its mark, and 31 to 34 characters behind it.
fn entra(text: &[u8], mark: usize, end: usize) -> Option<(usize, usize)> {
    let is_part =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'~' | b'.' | b'-');
    let start = mark.checked_sub(3)?;
    let begins = text.get(start..mark)?.iter().all(|byte| is_part(*byte));
    let glued = is_part(at(text, start.wrapping_sub(1)));
    let len = run(text, end, 35, is_part);
    (begins && !glued && (31..=34).contains(&len)).then_some((start, end + len))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_short() {
        assert!(MARKS.iter().all(|(mark, _)| mark.len() <= MARK_CHARS_MAX));
    }
}
