//! XML 1.0, as far as elements and text must be told apart.

use std::ops::Range;
use std::sync::Arc;

use mask::Findings;

use super::dates::{DATE_BYTES_MAX, epoch};
use super::json::inner;
use super::members::VALUE_BYTES_MAX;
use super::{Member, Members, Unreadable};
use crate::aws::objects::Step;

/// Elements in elements at most so deep.
const DEPTH_MAX: usize = 512;
/// A tag is at most so long.
const TAG_BYTES_MAX: usize = 64 * 1_024;
const CDATA: &[u8] = b"![CDATA[";
/// What may be a document itself (CDATA, escaped text, a comment) is at most so long,
const INNER_BYTES_MAX: usize = 1 << 20;
/// and is read so deep.
const INNER_DEPTH_MAX: usize = 3;
/// A reference that stands for a character is at most so long.
const REFERENCE_BYTES_MAX: usize = 12;

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// An answer that is always a document: one in another form is not read as this.
    Answer,
    /// An answer that is a document or something else.
    Any,
    /// An object of which elements and attributes are declared.
    Object,
    /// What stands within a text of such an object.
    Within,
}

#[derive(Debug)]
pub(super) struct Xml {
    members: Arc<Members>,
    of: Of,
    /// How deep documents are read within texts.
    inner_depth: usize,
    /// What may be a document itself, so that it is held, or an instruction.
    inner: Vec<u8>,
    at: At,
    depth: usize,
    /// Where places count: the names of the elements around, from the outermost.
    names: Vec<Vec<u8>>,
    /// The member below which everything is hidden, and how deep its element stands.
    below: Option<(Member, usize)>,
    /// The tag so far, without its brackets. It goes out when it is whole.
    tag: Vec<u8>,
    /// The text since the last tag where it is hidden, up to what is committed to; without references where it has a section of
    /// CDATA.
    text: Vec<u8>,
    literal: bool,
    /// The text that is hidden and may be a timestamp, of which nothing went out yet.
    held: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum At {
    Text,
    /// Within a tag, and in its quotes, if in any.
    Tag(Option<u8>),
    /// Within a CDATA section, of whose end so many bytes have come.
    Cdata(usize),
    /// Within a comment, of whose end so many bytes have come.
    Comment(usize),
    /// Within a processing instruction.
    Instruction,
}

impl Xml {
    pub(super) fn new(members: Members, of: Of) -> Self {
        let inner_depth = match of {
            Of::Object | Of::Within => INNER_DEPTH_MAX,
            Of::Answer | Of::Any => 0,
        };
        Self::within(Arc::new(members), of, inner_depth)
    }

    fn within(members: Arc<Members>, of: Of, inner_depth: usize) -> Self {
        Self {
            members,
            of,
            inner_depth,
            inner: Vec::new(),
            at: At::Text,
            depth: 0,
            names: Vec::new(),
            below: None,
            tag: Vec::new(),
            text: Vec::new(),
            literal: false,
            held: Vec::new(),
        }
    }

    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    pub(super) fn push(
        &mut self,
        piece: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), Unreadable> {
        out.reserve(piece.len());
        for &byte in piece {
            match self.at {
                At::Text if byte == b'<' => {
                    self.end_inner(&[], out, findings);
                    self.release(out);
                    self.tag.clear();
                    self.at = At::Tag(None);
                    out.push(byte);
                }
                At::Text if self.is_document() && self.depth == 0 && !is_around(byte) => {
                    return Err(Unreadable);
                }
                // An escaped bracket comes behind a reference, if at all.
                At::Text if self.reads_inner() && (byte == b'&' || !self.inner.is_empty()) => {
                    self.hold(byte)?;
                }
                At::Text => {
                    self.gather(byte);
                    self.show(byte, out);
                }
                At::Tag(quote) => self.tag(byte, quote, out, findings)?,
                At::Cdata(ending) if self.reads_inner() => {
                    self.at = ended(byte, ending, b']').map_or(At::Text, At::Cdata);
                    self.hold(byte)?;
                    if matches!(self.at, At::Text) {
                        self.end_inner(b"]]>", out, findings);
                    }
                }
                At::Cdata(ending) => {
                    self.at = ended(byte, ending, b']').map_or(At::Text, At::Cdata);
                    self.gather(byte);
                    if matches!(self.at, At::Text) {
                        // The section's end is none of it.
                        self.text.truncate(self.text.len().saturating_sub(3));
                    }
                    out.push(self.shown_but(byte, b"]>"));
                }
                At::Comment(ending) if self.reads_inner() => {
                    self.at = ended(byte, ending, b'-').map_or(At::Text, At::Comment);
                    self.hold(byte)?;
                    if matches!(self.at, At::Text) {
                        self.end_inner(b"-->", out, findings);
                    }
                }
                At::Instruction => {
                    self.hold(byte)?;
                    if self.inner.ends_with(b"?>") {
                        self.at = At::Text;
                        self.end_instruction(out, findings);
                    }
                }
                At::Comment(ending) => {
                    self.at = ended(byte, ending, b'-').map_or(At::Text, At::Comment);
                    out.push(self.shown_but(byte, b"->"));
                }
            }
        }
        Ok(())
    }

    /// What is left of a tag that does not end is no text that could be shown.
    pub(super) fn finish(mut self, out: &mut Vec<u8>, findings: &mut Findings) {
        self.end_inner(&[], out, findings);
        self.release(out);
        self.end_text(findings);
        match self.at {
            // A bracket in a text that is no document.
            At::Tag(_) if self.of == Of::Within && !self.says(&self.tag) => {
                out.append(&mut self.tag);
            }
            At::Tag(_) => out.resize(out.len() + self.tag.len(), b'*'),
            _ => {}
        }
    }

    /// Whether nothing but an element may stand there.
    fn is_document(&self) -> bool {
        matches!(self.of, Of::Answer | Of::Object)
    }

    /// Whether what is declared is looked for in texts here.
    fn reads_inner(&self) -> bool {
        self.inner_depth > 0 && self.below.is_none()
    }

    fn hold(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.inner.len() >= INNER_BYTES_MAX {
            return Err(Unreadable);
        }
        self.inner.push(byte);
        Ok(())
    }

    /// What was held has ended, with this behind it; text has nothing behind it, and references in it.
    fn end_inner(&mut self, end: &[u8], out: &mut Vec<u8>, findings: &mut Findings) {
        let held = std::mem::take(&mut self.inner);
        if self.below.is_some() {
            // Of an instruction that does not end.
            return out.resize(out.len() + held.len(), b'*');
        }
        let literal = !matches!(self.at, At::Text) || !end.is_empty();
        if literal {
            let text = held.strip_suffix(end).unwrap_or(&held);
            out.extend(self.inside(text, findings));
            out.extend(held.iter().skip(text.len()));
            return;
        }
        let Some(written) = references(&held) else {
            return out.extend(held);
        };
        let plain: String = written.iter().map(|(it, _)| *it).collect();
        let shown = self.inside(plain.as_bytes(), findings);
        inner::escaped_as(&held, &written, &shown, out);
    }

    /// An instruction has ended. Where it is hidden it must still be called something.
    fn end_instruction(&mut self, out: &mut Vec<u8>, findings: &mut Findings) {
        self.end_text(findings);
        let held = std::mem::take(&mut self.inner);
        let text = held.strip_suffix(b"?>").unwrap_or(&held);
        if self.below.is_some() {
            let blank = |at| if at == 0 { b'x' } else { b' ' };
            out.extend((0..text.len()).map(blank));
        } else if self.inner_depth > 0 {
            out.extend(self.inside(text, findings));
        } else {
            out.extend_from_slice(text);
        }
        out.extend_from_slice(b"?>");
    }

    /// A text in which what is declared is hidden where it is a document itself, at its length.
    fn inside(&self, text: &[u8], findings: &mut Findings) -> Vec<u8> {
        if self.inner_depth == 0 || !text.contains(&b'<') {
            return text.to_vec();
        }
        let members = Arc::clone(&self.members);
        let mut within = Self::within(members, Of::Within, self.inner_depth - 1);
        let mut shown = Vec::with_capacity(text.len());
        let read = within.push(text, &mut shown, findings);
        within.finish(&mut shown, findings);
        // What is no document from somewhere on has no elements there, if it has nothing that is called so.
        let rest = text.get(shown.len()..).unwrap_or_default();
        if read.is_err() && self.says(rest) {
            shown.resize(text.len(), b'*');
        } else {
            shown.extend_from_slice(rest);
        }
        shown
    }

    /// Whether something in a text is called as what is declared.
    fn says(&self, text: &[u8]) -> bool {
        let has = |name: &str| {
            let name = name.trim_start_matches('@').as_bytes();
            memchr::memmem::find(text, name).is_some()
        };
        let last = |steps: &[Step]| match steps.last() {
            Some(Step::To(name)) => has(name),
            _ => true,
        };
        let named = self.members.by_name.keys().any(|name| has(name));
        named || self.members.by_path.iter().any(|(steps, _)| last(steps))
    }

    /// Takes a byte of text that is hidden.
    fn gather(&mut self, byte: u8) {
        if self.below.is_some() && self.text.len() <= VALUE_BYTES_MAX {
            self.text.push(byte);
        }
    }

    /// Shows a byte of text. What is hidden and short may be a timestamp.
    fn show(&mut self, byte: u8, out: &mut Vec<u8>) {
        let begins = self.text.len() <= DATE_BYTES_MAX && !self.literal;
        if self.below.is_none() || !self.members.dated || !begins {
            self.release(out);
            out.push(self.shown(byte));
        } else {
            self.held.push(byte);
        }
    }

    /// Shows what was held.
    fn release(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        match self.below {
            Some((member, _)) if held.len() == self.text.len() && epoch(&held).is_some() => {
                out.extend(member.stand_in(&held));
            }
            _ => out.extend(held.iter().map(|byte| self.shown(*byte))),
        }
    }

    /// A text has ended. White space is layout.
    fn end_text(&mut self, findings: &mut Findings) {
        let text = std::mem::take(&mut self.text);
        let literal = std::mem::take(&mut self.literal);
        if let Some((member, _)) = self.below
            && !text.trim_ascii().is_empty()
        {
            let whole = text.len() <= VALUE_BYTES_MAX;
            let said = if literal { Some(text) } else { said(&text) };
            let said = said.filter(|_| whole);
            self.members.count(member, said.as_deref(), findings);
        }
    }

    /// A byte of text. White space stays: it may be layout.
    fn shown(&self, byte: u8) -> u8 {
        match self.below {
            Some((member, _)) if !byte.is_ascii_whitespace() => member.hidden(byte),
            _ => byte,
        }
    }

    /// The same where these bytes may be the end of it, so they stay.
    fn shown_but(&self, byte: u8, ends: &[u8]) -> u8 {
        if ends.contains(&byte) {
            byte
        } else {
            self.shown(byte)
        }
    }

    fn tag(
        &mut self,
        byte: u8,
        quote: Option<u8>,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), Unreadable> {
        match (quote, byte) {
            (Some(open), byte) if byte == open => self.at = At::Tag(None),
            (None, b'"' | b'\'') => self.at = At::Tag(Some(byte)),
            (None, b'>') => {
                self.at = At::Text;
                self.ended_tag(findings)?;
                out.append(&mut self.tag);
                out.push(byte);
                return Ok(());
            }
            (None, b'<') => return Err(Unreadable),
            _ => {}
        }
        if self.tag.len() >= TAG_BYTES_MAX {
            return Err(Unreadable);
        }
        self.tag.push(byte);
        if self.tag == CDATA {
            self.at = At::Cdata(0);
            self.literal = true;
        } else if self.tag == b"!--" {
            self.at = At::Comment(0);
        } else if self.tag == b"?" {
            self.at = At::Instruction;
        } else {
            return Ok(());
        }
        out.append(&mut self.tag);
        Ok(())
    }

    fn ended_tag(&mut self, findings: &mut Findings) -> Result<(), Unreadable> {
        self.end_text(findings);
        match self.tag.as_slice() {
            [b'/', ..] => {
                self.depth = self.depth.checked_sub(1).ok_or(Unreadable)?;
                self.names.truncate(self.depth);
                if self.below.is_some_and(|(_, depth)| depth == self.depth) {
                    self.below = None;
                }
            }
            // A document type could declare entities that hold text.
            [b'!', ..] => return Err(Unreadable),
            [.., b'/'] => self.opened(true, findings)?,
            _ => self.opened(false, findings)?,
        }
        Ok(())
    }

    /// An element begins, and ends at once where it is empty.
    fn opened(&mut self, empty: bool, findings: &mut Findings) -> Result<(), Unreadable> {
        if !empty && self.depth >= DEPTH_MAX {
            return Err(Unreadable);
        }
        let name = name(&self.tag).to_vec();
        let around = self.names.iter().map(Vec::as_slice);
        let found = self.members.find_at(around, &name);
        let member = self.below.map(|(member, _)| member).or(found);
        if matches!(self.of, Of::Object | Of::Within) {
            self.hide_attributes(member, &name, findings)?;
        }
        if empty {
            return Ok(());
        }
        if let (None, Some(found)) = (self.below, found) {
            self.below = Some((found, self.depth));
        }
        self.depth += 1;
        if self.members.has_paths() {
            self.names.push(name);
        }
        Ok(())
    }

    /// Hides the attributes that are named, and all of an element that is hidden itself.
    fn hide_attributes(
        &mut self,
        member: Option<Member>,
        element: &[u8],
        findings: &mut Findings,
    ) -> Result<(), Unreadable> {
        for (name, value) in attributes(&self.tag).ok_or(Unreadable)? {
            let local = [b"@", local(self.tag.get(name).unwrap_or_default())].concat();
            let around = self.names.iter().map(Vec::as_slice);
            let around = around.chain(std::iter::once(element));
            let Some(hidden) = member.or_else(|| self.members.find_at(around, &local)) else {
                continue;
            };
            if let Some(value) = self.tag.get_mut(value) {
                let said = said(value);
                self.members.count(hidden, said.as_deref(), findings);
                value.fill(b'*');
            }
        }
        Ok(())
    }
}

/// The name of the element that a tag begins, without its prefix.
fn name(tag: &[u8]) -> &[u8] {
    let end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'/';
    local(tag.split(end).next().unwrap_or(tag))
}

fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| *byte == b':').next().unwrap_or(name)
}

/// Where the names and values of a tag's attributes stand; `None` where something else stands there.
fn attributes(tag: &[u8]) -> Option<Vec<(Range<usize>, Range<usize>)>> {
    let mut found = Vec::new();
    let skip = |from: usize, is: fn(u8) -> bool| {
        let rest = tag.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| is(**byte)).count()
    };
    let blank: fn(u8) -> bool = |byte| byte.is_ascii_whitespace();
    let named: fn(u8) -> bool = |byte| !byte.is_ascii_whitespace() && !b"=/\"'".contains(&byte);
    let mut at = skip(0, named);
    loop {
        at = skip(at, blank);
        match tag.get(at) {
            None => return Some(found),
            Some(b'/') if at + 1 == tag.len() => return Some(found),
            Some(_) => {}
        }
        let name = at..skip(at, named);
        at = skip(name.end, blank);
        if name.is_empty() || tag.get(at) != Some(&b'=') {
            return None;
        }
        at = skip(at + 1, blank);
        let quote = tag.get(at).filter(|byte| b"\"'".contains(byte))?;
        let start = at + 1;
        let length = tag.get(start..)?.iter().position(|byte| byte == quote)?;
        found.push((name, start..start + length));
        at = start + length + 1;
    }
}

/// The characters of a text with its references, and where each is written; `None` where it is none.
fn references(text: &[u8]) -> Option<Vec<(char, Range<usize>)>> {
    let text = std::str::from_utf8(text).ok()?;
    let (mut written, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(first) = text.get(at..)?.chars().next() {
        // What is no reference says itself.
        let reference = |text: &str| {
            let end = text
                .bytes()
                .take(REFERENCE_BYTES_MAX)
                .position(|it| it == b';')?;
            let said = said(text.get(..=end)?.as_bytes())?;
            let one = std::str::from_utf8(&said).ok()?.parse::<char>().ok()?;
            Some((one, end + 1))
        };
        let one = text.get(at..).filter(|_| first == '&').and_then(reference);
        let (character, length) = one.unwrap_or((first, first.len_utf8()));
        written.push((character, at..at + length));
        at += length;
    }
    Some(written)
}

/// What a text says with its references (XML 1.0 section 4.1); `None` where one is not known.
fn said(text: &[u8]) -> Option<Vec<u8>> {
    let mut rest = std::str::from_utf8(text).ok()?;
    let mut said = String::with_capacity(rest.len());
    while let Some((before, reference)) = rest.split_once('&') {
        let (name, after) = reference.split_once(';')?;
        said.push_str(before);
        said.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#')?;
                let hexadecimal = number.strip_prefix('x');
                let number = hexadecimal.map_or_else(
                    || number.parse().ok(),
                    |digits| u32::from_str_radix(digits, 16).ok(),
                );
                char::from_u32(number?)?
            }
        });
        rest = after;
    }
    said.push_str(rest);
    Some(said.into_bytes())
}

/// Whether a byte may stand outside of a document's element: white space, and a mark of the encoding before it.
fn is_around(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0xEF | 0xBB | 0xBF)
}

/// How much of the end (`]]>` or `-->`) has come; `None` where all of it has.
fn ended(byte: u8, before: usize, mark: u8) -> Option<usize> {
    match (byte, before) {
        (b'>', 2..) => None,
        (byte, before) if byte == mark => Some(before + 1),
        _ => Some(0),
    }
}
