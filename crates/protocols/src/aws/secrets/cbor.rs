//! CBOR (RFC 8949): an answer is held whole, and every text in it is searched and every member hidden at its own length.

use std::ops::Range;
use std::sync::Arc;

use mask::{Findings, Hint, Masker};

use super::super::packed::Packed;
use super::json::{INNER_DEPTH_MAX, Of, inside};
use super::{Kind, Member, Members, Unreadable};

/// An answer is at most so long.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Values in values at most so deep.
const DEPTH_MAX: usize = 64;
/// The end of something whose length was not told.
const BREAK: u8 = 0xFF;
const NULL: u8 = 0xF6;

#[derive(Debug)]
pub(super) struct Cbor {
    members: Arc<Members>,
    answer: Vec<u8>,
}

impl Cbor {
    pub(super) fn new(members: Members) -> Self {
        Self {
            members: Arc::new(members),
            answer: Vec::new(),
        }
    }

    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Unreadable> {
        if self.answer.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(Unreadable);
        }
        self.answer.extend_from_slice(piece);
        Ok(())
    }

    pub(super) fn finish(
        self,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), Unreadable> {
        if self.answer.is_empty() {
            return Ok(());
        }
        let mut walk = Walk {
            bytes: self.answer,
            at: 0,
            masker: Arc::new(self.members.masker.clone()),
            members: &self.members,
            names: Vec::new(),
            findings,
        };
        walk.value(0, None).ok_or(Unreadable)?;
        if walk.at != walk.bytes.len() {
            return Err(Unreadable);
        }
        out.extend_from_slice(&walk.bytes);
        Ok(())
    }
}

/// On the way through an answer.
struct Walk<'a> {
    bytes: Vec<u8>,
    at: usize,
    masker: Arc<Masker>,
    members: &'a Arc<Members>,
    /// Those of the values around, from the outermost. What stands in a list has none.
    names: Vec<Vec<u8>>,
    findings: &'a mut Findings,
}

impl Walk<'_> {
    fn take(&mut self, count: u64) -> Option<Range<usize>> {
        let end = self.at.checked_add(usize::try_from(count).ok()?)?;
        let range = self.at..end;
        self.bytes.get(range.clone())?;
        self.at = end;
        Some(range)
    }

    fn ends(&mut self) -> bool {
        let ends = self.bytes.get(self.at) == Some(&BREAK);
        self.at += usize::from(ends);
        ends
    }

    /// Major type, the low bits, and the argument; `None` inside where the length is not told.
    fn head(&mut self) -> Option<(u8, u8, Option<u64>)> {
        let first = self.take(1)?;
        let first = *self.bytes.get(first.start)?;
        let (major, low) = (first >> 5, first & 0x1F);
        let argument = match low {
            0..=23 => Some(u64::from(low)),
            24..=27 => {
                let wide = self.take(1 << (low - 24))?;
                let wide = self.bytes.get(wide)?;
                Some(wide.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            }
            31 => None,
            _ => return None,
        };
        Some((major, low, argument))
    }

    /// One value; with `hidden` all of it is.
    fn value(&mut self, depth: usize, hidden: Option<Member>) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        let start = self.at;
        let (major, low, argument) = self.head()?;
        match major {
            0 | 1 => self.number(start, major, argument?, hidden),
            2 | 3 => {
                let spans = self.spans(major, argument)?;
                self.text(&spans, major == 2, hidden)?;
            }
            4 => {
                let mut count = 0;
                while !self.over(argument, &mut count) {
                    self.value(depth + 1, hidden)?;
                }
            }
            5 => {
                let mut count = 0;
                while !self.over(argument, &mut count) {
                    let (name, named) = self.name(hidden)?;
                    self.names.push(name);
                    self.value(depth + 1, hidden.or(named))?;
                    self.names.pop();
                }
            }
            6 => self.value(depth + 1, hidden)?,
            _ => self.simple(start, low, hidden)?,
        }
        Some(())
    }

    /// Whether a list or map has no more, of which so many were counted.
    fn over(&mut self, length: Option<u64>, count: &mut u64) -> bool {
        *count += 1;
        match length {
            Some(length) => *count > length,
            None => self.ends(),
        }
    }

    /// A member's name, searched too, and what hides its value. Below what is declared it is hidden itself.
    fn name(&mut self, hidden: Option<Member>) -> Option<(Vec<u8>, Option<Member>)> {
        let (major, _, argument) = self.head()?;
        if major != 3 {
            return None;
        }
        let spans = self.spans(3, argument)?;
        let name = self.gathered(&spans)?;
        let around = self.names.iter().map(Vec::as_slice);
        let member = self.members.find_at(around, &name);
        self.text(&spans, false, hidden.filter(|it| it.names))?;
        Some((name, member))
    }

    /// Where the bytes of a string are.
    fn spans(&mut self, major: u8, length: Option<u64>) -> Option<Vec<Range<usize>>> {
        if let Some(length) = length {
            return Some(vec![self.take(length)?]);
        }
        let mut spans = Vec::new();
        while !self.ends() {
            let (kind, _, length) = self.head()?;
            if kind != major {
                return None;
            }
            spans.push(self.take(length?)?);
        }
        Some(spans)
    }

    fn gathered(&self, spans: &[Range<usize>]) -> Option<Vec<u8>> {
        let mut whole = Vec::new();
        for span in spans {
            whole.extend_from_slice(self.bytes.get(span.clone())?);
        }
        Some(whole)
    }

    fn text(&mut self, spans: &[Range<usize>], bytes: bool, hidden: Option<Member>) -> Option<()> {
        let whole = self.gathered(spans)?;
        let text = match hidden {
            Some(member) => {
                // Bytes are no Base64 here.
                let plain = Member {
                    kind: Kind::Text,
                    ..member
                };
                self.members.count(plain, Some(&whole), self.findings);
                vec![if bytes { 0 } else { b'*' }; whole.len()]
            }
            // Bytes that are no text cannot be searched.
            None => {
                std::str::from_utf8(&whole).ok()?;
                let controls = |byte: &u8| matches!(byte, 0..=8 | 11 | 14..=31 | 127);
                if bytes && whole.iter().any(controls) {
                    return None;
                }
                let text = self.searched(&whole);
                if self.members.in_texts {
                    self.inside(&text)
                } else {
                    text
                }
            }
        };
        let mut rest = text.as_slice();
        for span in spans {
            let (part, left) = rest.split_at_checked(span.len())?;
            self.bytes.get_mut(span.clone())?.copy_from_slice(part);
            rest = left;
        }
        Some(())
    }

    fn searched(&mut self, text: &[u8]) -> Vec<u8> {
        let place = self.findings.place("answer");
        self.findings.enter(place);
        let mut out = Vec::with_capacity(text.len());
        let mut stream = self.masker.stream(Hint::NONE).in_place();
        stream.push(text, &mut out, self.findings);
        stream.finish(&mut out, self.findings);
        let (mut packed, mut read) = (Packed::default(), Vec::with_capacity(out.len()));
        packed.push(&out, &mut read);
        packed.finish(&mut read);
        read
    }

    /// What is declared stands in JSON within texts and bytes too.
    fn inside(&mut self, text: &[u8]) -> Vec<u8> {
        let of = Of::Answer;
        let shown = inside(self.members, of, INNER_DEPTH_MAX, text, self.findings);
        shown.map_or_else(|| text.to_vec(), |(shown, _)| shown)
    }

    /// A number that is hidden, or that reads as something to hide, becomes zero of the same length.
    fn number(&mut self, start: usize, major: u8, argument: u64, hidden: Option<Member>) {
        let number = match major {
            0 => argument.to_string(),
            _ => format!("-{}", u128::from(argument) + 1),
        };
        match hidden {
            Some(member) => {
                let number = Some(number.as_bytes());
                self.members.count(member, number, self.findings);
            }
            None if self.searched(number.as_bytes()) == number.as_bytes() => return,
            None => {}
        }
        let end = self.at;
        let head = self.bytes.get_mut(start..end).unwrap_or_default();
        if let Some((first, rest)) = head.split_first_mut() {
            *first = if rest.is_empty() { 0 } else { *first & 0x1F };
            rest.fill(0);
        }
    }

    fn simple(&mut self, start: usize, low: u8, hidden: Option<Member>) -> Option<()> {
        if !matches!(low, 20..=23 | 25..=27) {
            return None;
        }
        let Some(member) = hidden.filter(|_| !matches!(low, 22 | 23)) else {
            return Some(());
        };
        let word: Option<&[u8]> = match low {
            20 => Some(b"false"),
            21 => Some(b"true"),
            _ => None,
        };
        self.members.count(member, word, self.findings);
        let end = self.at;
        let (first, rest) = self.bytes.get_mut(start..end)?.split_first_mut()?;
        if rest.is_empty() {
            *first = NULL;
        }
        rest.fill(0);
        Some(())
    }
}

#[cfg(test)]
mod tests;
