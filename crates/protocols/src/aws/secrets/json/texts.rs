//! Texts of JSON: what is hidden in them, and what they hold where they are JSON themselves, or Base64 of it.

use std::sync::Arc;

use mask::Findings;

use super::super::dates::DATE_BYTES_MAX;
use super::super::encoded::{self, Encoded};
use super::super::members::VALUE_BYTES_MAX;
use super::super::{Member, Members, Unreadable};
use super::{Inner, Json, MARK, Of, inner};

/// A text that may be JSON itself is at most so long,
const INNER_BYTES_MAX: usize = 1 << 20;
/// and one that may be Base64 of JSON.
const ENCODED_BYTES_MAX: usize = 16 << 20;

impl Json {
    /// Takes a byte of a text that is hidden. A short one may be a timestamp.
    pub(super) fn hide(&mut self, byte: u8, member: Member, out: &mut Vec<u8>) {
        if self.text.len() <= VALUE_BYTES_MAX {
            self.text.push(byte);
        }
        if !self.members.dated || self.text.len() > DATE_BYTES_MAX + 1 {
            out.push(member.hidden(byte));
        } else if self.text.len() == DATE_BYTES_MAX + 1 {
            out.extend(self.text.iter().map(|byte| member.hidden(*byte)));
        }
    }

    /// Whether a byte of a text is held; what was, and is no more, goes out.
    pub(super) fn holds(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<bool, Unreadable> {
        self.inner = match (self.inner, byte) {
            (Inner::Unknown, b' ' | b'\t' | b'\r' | b'\n') => Inner::Unknown,
            // What is escaped may be a bracket or a blank.
            (Inner::Unknown, b'{' | b'[' | b'\\') => Inner::Held,
            (Inner::Unknown, byte) if MARK.first() == Some(&byte) => Inner::Held,
            // A bracket, a blank or the mark begins so in Base64.
            (Inner::Unknown, b'e' | b'W' | b'I' | b'C' | b'D' | b'7') => Inner::Encoded,
            (Inner::Unknown, _) => Inner::No,
            (Inner::Encoded, byte) if !encoded::is_of_text(byte) => Inner::No,
            (Inner::Encoded, _) if self.text.len() == 8 && !encoded::may_begin(&self.text) => {
                Inner::No
            }
            (known, _) => known,
        };
        let most = match self.inner {
            Inner::No | Inner::Unknown => {
                out.append(&mut self.text);
                return Ok(false);
            }
            Inner::Held => INNER_BYTES_MAX,
            Inner::Encoded => ENCODED_BYTES_MAX,
        };
        if self.text.len() >= most {
            return Err(Unreadable);
        }
        self.text.push(byte);
        Ok(true)
    }

    /// A text has ended.
    pub(super) fn end_text(
        &mut self,
        hidden: Option<Member>,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) {
        let text = std::mem::take(&mut self.text);
        let inner = std::mem::replace(&mut self.inner, Inner::No);
        if let Some(member) = hidden {
            self.members.count_text(member, &text, findings);
            if self.members.dated && text.len() <= DATE_BYTES_MAX {
                out.extend(member.stand_in(&text));
            }
            return;
        }
        match inner {
            Inner::No | Inner::Unknown => {}
            Inner::Held => self.within_text(&text, out, findings),
            Inner::Encoded => self.within_base64(&text, out, findings),
        }
    }

    /// Hides in a text what is declared, where it is JSON itself; each character keeps the length that it is written with.
    fn within_text(&self, text: &[u8], out: &mut Vec<u8>, findings: &mut Findings) {
        let Some(written) = inner::unescaped(text) else {
            return out.extend_from_slice(text);
        };
        let plain: String = written.iter().map(|(it, _)| *it).collect();
        let depth = self.inner_depth - 1;
        match inside(&self.members, Of::Answer, depth, plain.as_bytes(), findings) {
            Some((shown, _)) => inner::escaped_as(text, &written, &shown, out),
            None => out.extend_from_slice(text),
        }
    }

    /// The same where it is Base64 of JSON.
    fn within_base64(&self, text: &[u8], out: &mut Vec<u8>, findings: &mut Findings) {
        // Of characters some write the slash alone with a backslash, and it needs the room.
        let escaped = text.contains(&b'\\');
        let plain = if escaped {
            let written = inner::unescaped(text);
            written.map(|it| it.iter().map(|(it, _)| *it).collect::<String>())
        } else {
            String::from_utf8(text.to_vec()).ok()
        };
        let encoded = plain.as_ref().and_then(|it| Encoded::read(it.as_bytes()));
        let shown = encoded.as_ref().and_then(|encoded| {
            let (content, depth) = (&encoded.content, self.inner_depth - 1);
            // Zeros stand for what was hidden before, and maybe for a quote beside it.
            let zeros = content.contains(&0);
            let of = if zeros { Of::Object } else { Of::Answer };
            let (mut shown, whole) = inside(&self.members, of, depth, content, findings)?;
            if zeros && !whole {
                shown.fill(0);
            }
            (shown != *content).then(|| encoded.written(&shown))
        });
        match shown {
            None => out.extend_from_slice(text),
            Some(shown) if !escaped => out.extend(shown),
            Some(_) => {
                let mut kept = 0;
                out.extend(text.iter().enumerate().map(|(at, byte)| match byte {
                    b'\\' => {
                        kept = at + 2;
                        *byte
                    }
                    _ if at < kept || *byte == b'=' => *byte,
                    _ => b'A',
                }));
            }
        }
    }
}

/// What is shown of a text within another that is JSON, as long as that, and whether all of it could be read; `None` where it is
/// none. What is no JSON from somewhere on has no members there.
pub(in super::super) fn inside(
    members: &Arc<Members>,
    of: Of,
    depth: usize,
    text: &[u8],
    findings: &mut Findings,
) -> Option<(Vec<u8>, bool)> {
    if !matches!(unmarked(text), [b'{' | b'[', ..]) {
        return None;
    }
    let mut within = Json::within(Arc::clone(members), of, depth);
    let mut shown = Vec::with_capacity(text.len());
    let read = within.push(text, &mut shown, findings);
    let whole = read.is_ok() && within.around.is_empty();
    within.finish(&mut shown, findings);
    let rest = text.get(shown.len()..).unwrap_or_default();
    shown.extend_from_slice(rest);
    Some((shown, whole))
}

/// A text without the mark of its encoding and the blanks before it.
pub(in super::super) fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(MARK).unwrap_or(text).trim_ascii_start()
}
