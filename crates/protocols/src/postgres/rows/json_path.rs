//! Where in a JSON value something stands, as its fact says it: `.address.lines[]`.

use mask::{Findings, Place};

/// Members and elements within one another that a path tells.
const DEPTH_MAX: usize = 8;
/// The longest name that a path tells, in bytes.
const NAME_BYTES_MAX: usize = 40;
/// In place of a name that might say something.
const ANY: &str = "*";

/// The path of the token that is read.
#[derive(Debug, Default)]
pub(super) struct Path {
    /// For each value that is not over: the name of the member that is read, or `None` for an array.
    steps: Vec<Option<String>>,
}

impl Path {
    /// Reads a token: a name with its quotes, which is told where it may be `shown`, or something else.
    pub(super) fn read(&mut self, token: &[u8], is_name: bool, shown: bool) {
        match token.first() {
            Some(b'{') => self.steps.push(Some(ANY.to_owned())),
            Some(b'[') => self.steps.push(None),
            Some(b'}' | b']') => drop(self.steps.pop()),
            Some(b'"') if is_name => {
                if let Some(Some(name)) = self.steps.last_mut() {
                    name.clear();
                    name.push_str(safe(token).filter(|_| shown).unwrap_or(ANY));
                }
            }
            _ => {}
        }
    }

    /// Enters the place of what is read; gives the one to go back to.
    pub(super) fn enter(&self, findings: &mut Findings) -> Place {
        let outer = findings.here();
        if self.steps.is_empty() {
            return outer;
        }
        let mut path = String::new();
        for step in self.steps.iter().take(DEPTH_MAX) {
            match step {
                Some(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                None => path.push_str("[]"),
            }
        }
        if self.steps.len() > DEPTH_MAX {
            path.push('…');
        }
        let place = findings.inside(&path);
        findings.enter(place);
        outer
    }
}

/// A name that says nothing of anybody: small letters and `_`.
fn safe(token: &[u8]) -> Option<&str> {
    let name = token.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let letter = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let is_safe = name.len() <= NAME_BYTES_MAX && name.iter().all(letter);
    std::str::from_utf8(name).ok().filter(|_| is_safe)
}
