//! Secrets that carry no mark of their own, but stand behind a name that says so: `api_key = …`, `"token": "…"`,
//! `password: …`, `Authorization: Bearer …`.

use super::password::is_secret;
use super::secret::{AWS_SECRET_CHARS, is_marked};
use super::{Hint, Kind, Match, at as byte};

/// The longest value that is read.
const VALUE_CHARS_MAX: usize = 200;

/// The shortest that is a key or token.
const KEY_CHARS_MIN: usize = 16;

/// Characters behind a word for a password within which a sentence comes to the value.
const SENTENCE_CHARS: usize = 60;

/// The shortest and the longest value that a sentence tells.
const SPOKEN_CHARS_MIN: usize = 5;
const SPOKEN_CHARS_MAX: usize = 64;

/// So far behind the word for a password a value ends at most.
pub(super) const SPOKEN_REACH: usize = SENTENCE_CHARS + 1 + SPOKEN_CHARS_MAX;

/// What stands in a sentence right before the value.
const VERBS: [&str; 5] = [" is now ", " is still ", " is: ", " is ", " was "];

/// What passwords are made into, or with.
const METHODS: [&str; 12] = [
    "sha", "md5", "base64", "bcrypt", "scrypt", "argon2", "pbkdf2", "aes", "utf", "rot13", "http",
    "oauth",
];

/// The shortest behind `Bearer`, where nothing else says that a value follows.
const BEARER_CHARS_MIN: usize = 24;

/// The fewest different characters of a key.
const KEY_VARIETY_MIN: u32 = 8;

/// The value behind a name of a key or token whose mark is `start..end`.
pub(super) fn key(text: &[u8], start: usize, end: usize) -> Option<Match> {
    // Where a page of results goes on is no secret.
    let before = text.get(start.saturating_sub(12)..start)?;
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let named = before.iter().rev().take_while(is_name).count();
    let before = before.get(before.len() - named..)?;
    let pages = |word: &[u8]| {
        let mut parts = before.windows(word.len());
        parts.any(|it| it.eq_ignore_ascii_case(word))
    };
    if pages(b"page") || pages(b"next") || pages(b"contin") {
        return None;
    }
    let name = [&b"_key"[..], b"key", b"-key", b"_value", b""];
    let rest = text.get(end..text.len().min(end + 6))?;
    let name = name.into_iter().find(|it| {
        rest.get(..it.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(it))
    })?;
    let value = assigned(text, end + name.len())?;
    random(text, value, KEY_CHARS_MIN)
}

/// The value behind a word for a password whose mark ends at `end`.
pub(super) fn password(text: &[u8], end: usize) -> Option<Match> {
    // `password=` is found with the passwords of connection strings.
    if byte(text, end) == b'=' {
        return None;
    }
    let start = assigned(text, end).or_else(|| in_sql(text, end))?;
    let quote = byte(text, start.wrapping_sub(1));
    let quoted = matches!(quote, b'"' | b'\'');
    let ends = |byte: u8| {
        if quoted {
            byte == quote || byte == b'\n'
        } else {
            byte.is_ascii_whitespace()
                || matches!(byte, b',' | b';' | b'}' | b')' | b'&' | b'"' | b'\'')
        }
    };
    let rest = text.get(start..text.len().min(start + VALUE_CHARS_MAX))?;
    let len = rest.iter().take_while(|byte| !ends(**byte)).count();
    // Where the quote that ends it is escaped, as in JSON within JSON, its backslash is not of the value.
    let escaped = len > 0 && byte(rest, len - 1) == b'\\' && byte(rest, len) == b'"';
    let len = len - usize::from(escaped);
    let value = rest.get(..len)?;
    // Outside of quotes it could be a name, a call or a sentence.
    let figures = value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic);
    let code = value
        .iter()
        .any(|byte| matches!(byte, b'(' | b'[' | b'{' | b'<' | b'.'));
    let fits = len >= 4 && is_secret(value) && (quoted || figures && len >= 6 && !code);
    fits.then_some(found(start, start + len))
}

/// Where the value begins in `PASSWORD 'value'`, as SQL writes it.
fn in_sql(text: &[u8], end: usize) -> Option<usize> {
    let spaces = text.get(end..)?.iter().take(3);
    let spaces = spaces.take_while(|byte| **byte == b' ').count();
    let start = end + spaces;
    (spaces > 0 && byte(text, start) == b'\'').then_some(start + 1)
}

/// The value in `The password for the demo is …`, where the word for a password ends at `end`.
pub(super) fn spoken(text: &[u8], end: usize) -> Option<Match> {
    let ahead = text.get(end..text.len().min(end + SENTENCE_CHARS))?;
    let breaks = |byte: &u8| matches!(byte, b'\n' | b'.' | b',' | b';' | b'?' | b'!' | b'*');
    let clause = ahead.iter().position(breaks).unwrap_or(ahead.len());
    let clause = ahead.get(..clause)?;
    if clause.first() != Some(&b' ') {
        return None;
    }
    let verb = VERBS.iter().find_map(|verb| {
        let place = memchr::memmem::find(clause, verb.as_bytes())?;
        Some(end + place + verb.len())
    });
    let start = verb?;
    let quote = byte(text, start);
    let quoted = matches!(quote, b'"' | b'\'' | b'`');
    let start = start + usize::from(quoted);
    let rest = text.get(start..text.len().min(start + SPOKEN_CHARS_MAX + 1))?;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || quoted && *byte == quote;
    let word = rest.get(..rest.iter().position(ends).unwrap_or(rest.len()))?;
    let marks = |byte: &&u8| matches!(byte, b'.' | b',' | b';' | b':' | b'?' | b')' | b'"' | b'\'');
    let value = word.get(..word.len() - word.iter().rev().take_while(marks).count())?;
    let fits = (SPOKEN_CHARS_MIN..=SPOKEN_CHARS_MAX).contains(&value.len());
    (fits && is_secret(value) && is_no_word(value)).then(|| found(start, start + value.len()))
}

/// Whether what a sentence says of a password is no word: letters with digits, signs or capitals among them.
fn is_no_word(value: &[u8]) -> bool {
    let code = |byte: &u8| matches!(byte, b'(' | b'[' | b'{' | b'<' | b'/' | b'*');
    let letters = value.iter().any(u8::is_ascii_alphabetic);
    let lower = value.to_ascii_lowercase();
    let named = METHODS.iter().any(|it| lower.starts_with(it.as_bytes()));
    // A measure, as in `12-character`.
    let mut parts = value.splitn(2, |byte| *byte == b'-');
    let measure = parts.next().is_some_and(|head| head.len() <= 4)
        && parts
            .next()
            .is_some_and(|tail| tail.len() >= 4 && tail.iter().all(u8::is_ascii_lowercase));
    if value.iter().any(code) || !letters || named || measure {
        return false;
    }
    let signs = |byte: &u8| {
        matches!(
            byte,
            b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'+' | b'=' | b'~'
        )
    };
    let capital = |pair: &[u8]| matches!(pair, [one, two] if one.is_ascii_lowercase() && two.is_ascii_uppercase());
    // By chance: in two parts, or as long as a key.
    let joined = value.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let long = value.len() >= KEY_CHARS_MIN && value.iter().all(u8::is_ascii_alphanumeric);
    value.iter().any(u8::is_ascii_digit)
        || value.iter().any(signs)
        || (joined || long) && value.windows(2).any(capital)
}

/// What follows `Bearer`.
pub(super) fn bearer(text: &[u8], end: usize) -> Option<Match> {
    random(text, end, BEARER_CHARS_MIN)
}

/// The secret that a value is of which the column's name says so.
pub(super) fn named(text: &[u8], hint: Hint) -> Option<Match> {
    if hint.key() {
        let key = random(text, 0, KEY_CHARS_MIN);
        let key = key.filter(|key| key.end == text.len())?;
        let kind = if hint.access() && text.len() == AWS_SECRET_CHARS {
            Kind::AwsSecret
        } else {
            Kind::Secret
        };
        return Some(Match { kind, ..key });
    }
    let one_word = !text.iter().any(u8::is_ascii_whitespace);
    let is_hash = text.first() == Some(&b'$') && text.len() >= KEY_CHARS_MIN;
    let fits = hint.password() && one_word && text.len() >= 4 && (is_secret(text) || is_hash);
    fits.then(|| found(0, text.len()))
}

fn found(start: usize, end: usize) -> Match {
    Match {
        kind: Kind::Secret,
        start,
        end,
        shown: end,
    }
}

/// Where the value begins that is assigned to a name which ends at `pos`: behind `:` or `=`, spaces and a quote.
fn assigned(text: &[u8], pos: usize) -> Option<usize> {
    let spaces = |pos: usize| (pos..pos + 3).find(|&pos| byte(text, pos) != b' ');
    let pos = pos + usize::from(byte(text, pos) == b'\\');
    let pos = pos + usize::from(matches!(byte(text, pos), b'"' | b'\'' | b']'));
    let pos = spaces(pos)?;
    if !matches!(byte(text, pos), b':' | b'=') || matches!(byte(text, pos + 1), b':' | b'=') {
        return None;
    }
    let pos = spaces(pos + 1 + usize::from(byte(text, pos + 1) == b'>'))?;
    let pos = pos + usize::from(byte(text, pos) == b'\\');
    Some(pos + usize::from(matches!(byte(text, pos), b'"' | b'\'')))
}

/// A value that is made of chance: letters and digits, many of them different, and the whole of a word.
fn random(text: &[u8], start: usize, least: usize) -> Option<Match> {
    let is_part = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'=' | b'~')
    };
    let rest = text.get(start..text.len().min(start + VALUE_CHARS_MAX))?;
    let len = rest.iter().take_while(|byte| is_part(byte)).count();
    let value = rest.get(..len)?;
    let goes_on = matches!(
        byte(text, start + len),
        b'.' | b'(' | b'[' | b'{' | b'*' | b':' | b'@' | b'%' | b'$'
    );
    let mixed = value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic);
    let different = value
        .iter()
        .fold(0_u128, |seen, &byte| seen | 1 << (byte & 127))
        .count_ones();
    // A path does not end with padding.
    let path = value.first() == Some(&b'/') && value.last() != Some(&b'=');
    let fits = len >= least
        && mixed
        && !is_marked(text, start)
        && !goes_on
        && !path
        && different >= KEY_VARIETY_MIN;
    fits.then_some(found(start, start + len))
}
