//! JSON: what was masked stays JSON, or becomes NULL.

use std::borrow::Cow;
use std::collections::HashMap;

use mask::{Findings, Outcome};
use model::DataClass;
use serde::de::IgnoredAny;
use sql::postgres::{Member, Members};

use super::cell::{Cells, Look, Rule, mask};
use super::document::{Walk, document};
use super::json_path::Path;

/// A value of type json or jsonb, in text.
///
/// One that is searched is searched as it stands, so that a member's name can say what its value is. In one that is
/// declared to hold a class every string is masked as a declared value, and every number and truth value becomes `null`. The
/// same is done to the members that are, where only some are; a member that is not known there is not shown.
pub(super) fn json(
    cells: &Cells,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let before = out.len();
    let outcome = match look.rule {
        Rule::Declared(class) | Rule::Measured(class) if is_json(value) => {
            declared(cells, class, look, value, out, findings)
        }
        Rule::Declared(_) | Rule::Measured(_) => cells.typed(look, value, findings),
        Rule::Members(known) if is_json(value) => members(cells, known, look, value, out, findings),
        Rule::Document(places) => document(cells, places, look, value, out, findings),
        Rule::Members(_) | Rule::Fields(_) | Rule::Computed(_) => Outcome::Withheld,
        Rule::Shown(classes) => {
            for (token, after) in Tokens(value) {
                shown(cells, classes, token, after, findings);
            }
            let rule = &Rule::Scan;
            searched(cells, Look { rule, ..look }, value, out, findings)
        }
        Rule::Pass | Rule::Scan => searched(cells, look, value, out, findings),
    };
    match outcome {
        Outcome::Masked => tell_apart(out, before),
        _ => out.truncate(before),
    }
    outcome
}

/// Names of one object that are the same for being masked are made different: clients keep one of each.
fn tell_apart(out: &mut Vec<u8>, before: usize) {
    let masked = out.get(before..).unwrap_or_default().to_vec();
    if memchr::memmem::find(&masked, b"*\"").is_none() {
        return;
    }
    out.truncate(before);
    let mut around: Vec<HashMap<Vec<u8>, usize>> = Vec::new();
    for (token, after) in Tokens(&masked) {
        match token.first() {
            Some(b'{' | b'[') => around.push(HashMap::new()),
            Some(b'}' | b']') => drop(around.pop()),
            _ => {}
        }
        let mut token = token.to_vec();
        if let Some(names) = around.last_mut().filter(|_| is_name(&token, after)) {
            let times = names.entry(token.clone()).or_default();
            *times += 1;
            if *times > 1 && token.ends_with(b"*\"") {
                token.truncate(token.len() - 1);
                token.extend(format!("{times}\"").into_bytes());
            }
        }
        out.append(&mut token);
    }
}

/// Counts a value in JSON that is made of revealed classes.
fn shown(
    cells: &Cells,
    classes: &[DataClass],
    token: &[u8],
    after: &[u8],
    findings: &mut Findings,
) {
    let text = match token.first() {
        Some(b'"') if is_name(token, after) => return,
        Some(b'"') => serde_json::from_slice::<String>(token).map(String::into_bytes),
        Some(b'-' | b'0'..=b'9' | b't' | b'f') => Ok(token.to_vec()),
        _ => return,
    };
    for class in classes {
        let text = text.as_deref().unwrap_or(token);
        cells.masks().text.count_revealed(class, text, findings);
    }
}

pub(super) fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

pub(super) fn searched(
    cells: &Cells,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let before = out.len();
    let mut masked = Vec::new();
    match mask(
        &cells.masks().text,
        look,
        &plain(value),
        &mut masked,
        findings,
    ) {
        Outcome::Masked => {
            starred_to_null(&masked, out);
            if is_json(out.get(before..).unwrap_or_default()) {
                Outcome::Masked
            } else {
                Outcome::Null
            }
        }
        outcome => outcome,
    }
}

/// Appends JSON in which a number that was masked is `null`.
fn starred_to_null(masked: &[u8], out: &mut Vec<u8>) {
    for (token, _) in Tokens(masked) {
        if token.first() != Some(&b'"') && token.contains(&b'*') {
            out.extend_from_slice(b"null");
        } else {
            out.extend_from_slice(token);
        }
    }
}

fn declared(
    cells: &Cells,
    class: &DataClass,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let mut all = Outcome::Clean;
    let mut path = Path::default();
    for (token, after) in Tokens(value) {
        let is_name = is_name(token, after);
        path.read(token, is_name, says_nothing(class, token));
        match hide(cells, class, look, token, is_name, &path, out, findings) {
            Outcome::Withheld => return Outcome::Withheld,
            Outcome::Clean => {}
            _ => all = Outcome::Masked,
        }
    }
    all
}

/// Appends a token as it may be shown where everything is declared.
#[expect(clippy::too_many_arguments, reason = "it is one step of several loops")]
pub(super) fn hide(
    cells: &Cells,
    class: &DataClass,
    look: Look<'_>,
    token: &[u8],
    is_name: bool,
    path: &Path,
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    if !matches!(token.first(), Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f')) {
        out.extend_from_slice(token);
        return Outcome::Clean;
    }
    let outer = path.enter(findings);
    let outcome = hide_value(cells, class, look, token, is_name, out, findings);
    findings.enter(outer);
    outcome
}

fn hide_value(
    cells: &Cells,
    class: &DataClass,
    look: Look<'_>,
    token: &[u8],
    is_name: bool,
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    if let Some(b'-' | b'0'..=b'9') = token.first()
        && let Ok(number) = std::str::from_utf8(token)
        && let Some(other) =
            (cells.masks().text).mask_typed(class, token, findings, |it| it.number(number))
    {
        out.extend(other.into_bytes());
        return Outcome::Masked;
    }
    let outcome = match token.first() {
        Some(b'"') if is_name && says_nothing(class, token) => Outcome::Clean,
        Some(b'"') => string(cells, look, token, out, findings),
        Some(b'-' | b'0'..=b'9' | b't' | b'f') => cells.typed(look, token, findings),
        _ => Outcome::Clean,
    };
    match outcome {
        Outcome::Clean => out.extend_from_slice(token),
        // A name cannot be null.
        Outcome::Null if is_name => out.extend_from_slice(b"\"*\""),
        Outcome::Null => out.extend_from_slice(b"null"),
        Outcome::Masked | Outcome::Withheld => {}
    }
    outcome
}

pub(super) fn is_name(token: &[u8], after: &[u8]) -> bool {
    token.first() == Some(&b'"') && after.trim_ascii_start().first() == Some(&b':')
}

/// JSON whose members go by these names. What is not declared is searched, as other JSON is.
fn members(
    cells: &Cells,
    known: &Members,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let mut text = Vec::with_capacity(value.len());
    let mut all = Outcome::Clean;
    let mut depth = 0_usize;
    let mut path = Path::default();
    let mut within: Option<Within<'_>> = None;
    for (token, after) in Tokens(value) {
        let is_name = is_name(token, after);
        let class = within.as_ref().and_then(Within::class);
        let shown = class.is_none_or(|class| says_nothing(class, token));
        path.read(token, is_name, shown);
        if is_name && within.is_none() {
            let name = serde_json::from_slice::<Cow<'_, str>>(token);
            match name.ok().and_then(|name| known.get(&*name)) {
                Some(Member::Members) => {}
                Some(member) => within = Some(Within::new(member, depth)),
                // The table has other columns than is known of it.
                None if hides(cells, known) => return Outcome::Withheld,
                None => {}
            }
            text.extend_from_slice(token);
            continue;
        }
        match token.first() {
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let Some(walk) = within.as_mut().and_then(|it| it.walk.as_mut()) {
            walk.enter(cells, token, is_name);
        }
        if let Some(class) = within.as_ref().and_then(Within::class) {
            let rule = match within.as_ref().map(|it| it.member) {
                Some(Member::Held(of)) => cells.declared(of),
                _ => Rule::Declared(class.clone()),
            };
            let look = Look {
                rule: &rule,
                ..look
            };
            match hide(
                cells, class, look, token, is_name, &path, &mut text, findings,
            ) {
                Outcome::Withheld => return Outcome::Withheld,
                Outcome::Clean => {}
                _ => all = Outcome::Masked,
            }
        } else {
            text.extend_from_slice(token);
        }
        within = within.and_then(|it| it.after(token, depth));
    }
    let rule = &Rule::Scan;
    match searched(cells, Look { rule, ..look }, &text, out, findings) {
        Outcome::Clean if all == Outcome::Masked => {
            out.extend_from_slice(&text);
            all
        }
        outcome => outcome,
    }
}

/// A member that is read.
struct Within<'a> {
    member: &'a Member,
    /// How deep it stands.
    outside: usize,
    /// Where one is in it, if only some places in it are declared.
    walk: Option<Walk<'a>>,
}

impl<'a> Within<'a> {
    fn new(member: &'a Member, outside: usize) -> Self {
        let walk = match member {
            Member::Document(document) => Some(Walk::new(document)),
            _ => None,
        };
        Self {
            member,
            outside,
            walk,
        }
    }

    /// The class as which it is hidden here.
    fn class(&self) -> Option<&DataClass> {
        match self.member {
            Member::Held(of) => Some(of.class()),
            _ => self.walk.as_ref()?.class(),
        }
    }

    /// The same after a token, behind which so much is open; `None` where it is over.
    fn after(mut self, token: &[u8], depth: usize) -> Option<Self> {
        let ends = !matches!(token, [b'{' | b'[' | b':'] | [b' ' | b'\t' | b'\n' | b'\r']);
        if ends && depth <= self.outside {
            return None;
        }
        if let Some(walk) = &mut self.walk {
            walk.leave(token);
        }
        Some(self)
    }
}

fn hides(cells: &Cells, known: &Members) -> bool {
    let mut columns = known.values().filter_map(Member::columns).flatten();
    columns.any(|column| cells.masks().text.masks(column.class()))
}

/// Whether a member's name cannot be a value of the class: every built-in class has digits or signs in its values.
pub(super) fn says_nothing(class: &DataClass, name: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'"');
    DataClass::FOUND.contains(class) && name.iter().all(letter)
}

fn string(
    cells: &Cells,
    look: Look<'_>,
    token: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    let Ok(text) = serde_json::from_slice::<String>(token) else {
        // Half of a character, which json takes and nobody can mask.
        return cells.typed(look, token, findings);
    };
    if matches!(look.rule, Rule::Measured(_)) {
        return cells.typed(look, text.as_bytes(), findings);
    }
    let mut masked = Vec::new();
    let outcome = mask(
        &cells.masks().text,
        look,
        text.as_bytes(),
        &mut masked,
        findings,
    );
    if outcome == Outcome::Masked {
        out.extend(serde_json::to_vec(&String::from_utf8_lossy(&masked)).unwrap_or_default());
    }
    outcome
}

/// The same JSON without the escapes that need not be, behind which a value could hide.
fn plain(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        let (char, length) = match rest {
            [b'\\', b'/', ..] => (Some('/'), 2),
            [b'\\', b'u', ..] => escaped(rest),
            [b'\\', _, ..] => (None, 2),
            _ => {
                out.push(byte);
                rest = after;
                continue;
            }
        };
        let (escape, after) = rest.split_at(length.min(rest.len()));
        match char.filter(|char| !char.is_control() && !matches!(char, '"' | '\\')) {
            Some(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend_from_slice(escape),
        }
        rest = after;
    }
    Cow::Owned(out)
}

/// The character that `\uXXXX`, or a pair of them, stands for, and how long the escape is.
fn escaped(text: &[u8]) -> (Option<char>, usize) {
    let unit = |at: usize| {
        let digits = text.get(at..)?.strip_prefix(b"\\u")?.get(..4)?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let units = [unit(0), unit(6)];
    let mut chars = char::decode_utf16(units.into_iter().flatten());
    match chars.next() {
        Some(Ok(char)) => (Some(char), 6 * char.len_utf16()),
        _ => (None, 6),
    }
}

/// The tokens of JSON, and what comes after each: strings, numbers, and single bytes of everything else.
pub(super) struct Tokens<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Tokens<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0;
        let end = match rest.first()? {
            b'"' => string_end(rest),
            b'-' | b'*' | b'0'..=b'9' => run(rest, |byte| {
                matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E' | b'*')
            }),
            b'a'..=b'z' => run(rest, |byte| byte.is_ascii_lowercase()),
            _ => 1,
        };
        let (token, after) = rest.split_at(end.min(rest.len()));
        self.0 = after;
        Some((token, after))
    }
}

fn run(text: &[u8], goes_on: impl Fn(&u8) -> bool) -> usize {
    let end = text.iter().position(|byte| !goes_on(byte));
    end.unwrap_or(text.len())
}

/// Where the string that begins `text` ends.
pub(super) fn string_end(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(ahead) = text
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += ahead + 1;
        if text.get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    text.len()
}
