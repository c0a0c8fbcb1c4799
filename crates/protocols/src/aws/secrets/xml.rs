//! XML 1.0, as far as elements and text must be told apart.

use mask::Findings;

use super::{Member, Members, Unreadable};

/// Elements in elements at most so deep.
const DEPTH_MAX: usize = 512;
/// A tag is at most so long.
const TAG_BYTES_MAX: usize = 64 * 1_024;
const CDATA: &[u8] = b"![CDATA[";

#[derive(Debug)]
pub(super) struct Xml {
    members: Members,
    /// Nothing may stand around the document.
    strict: bool,
    at: At,
    depth: usize,
    /// The member below which everything is hidden, and how deep its element stands.
    below: Option<(Member, usize)>,
    /// The tag so far, without its brackets.
    tag: Vec<u8>,
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
}

impl Xml {
    /// `strict` where every answer is a document: a service that answers in another form is then not read as this one.
    pub(super) fn new(members: Members, strict: bool) -> Self {
        Self {
            members,
            strict,
            at: At::Text,
            depth: 0,
            below: None,
            tag: Vec::new(),
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
                    self.tag.clear();
                    self.at = At::Tag(None);
                    out.push(byte);
                }
                At::Text if self.strict && self.depth == 0 && !is_around(byte) => {
                    return Err(Unreadable);
                }
                At::Text => out.push(self.shown(byte)),
                At::Tag(quote) => {
                    out.push(byte);
                    self.tag(byte, quote, findings)?;
                }
                At::Cdata(ending) => {
                    let ending = ended(byte, ending, b']');
                    // Brackets may be the end, so they stay.
                    out.push(if matches!(byte, b']' | b'>') {
                        byte
                    } else {
                        self.shown(byte)
                    });
                    self.at = ending.map_or(At::Text, At::Cdata);
                }
                At::Comment(ending) => {
                    out.push(byte);
                    self.at = ended(byte, ending, b'-').map_or(At::Text, At::Comment);
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, _: &mut Vec<u8>) {}

    /// A byte of text. White space stays: it may be layout.
    fn shown(&self, byte: u8) -> u8 {
        match self.below {
            Some((member, _)) if !byte.is_ascii_whitespace() => member.hidden(byte),
            _ => byte,
        }
    }

    fn tag(
        &mut self,
        byte: u8,
        quote: Option<u8>,
        findings: &mut Findings,
    ) -> Result<(), Unreadable> {
        match (quote, byte) {
            (Some(open), byte) if byte == open => self.at = At::Tag(None),
            (None, b'"' | b'\'') => self.at = At::Tag(Some(byte)),
            (None, b'>') => {
                self.at = At::Text;
                return self.ended_tag(findings);
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
        } else if self.tag == b"!--" {
            self.at = At::Comment(0);
        }
        Ok(())
    }

    fn ended_tag(&mut self, findings: &mut Findings) -> Result<(), Unreadable> {
        match self.tag.as_slice() {
            [b'/', ..] => {
                self.depth = self.depth.checked_sub(1).ok_or(Unreadable)?;
                if self.below.is_some_and(|(_, depth)| depth == self.depth) {
                    self.below = None;
                }
            }
            // A document type could declare entities that hold text.
            [b'!', ..] => return Err(Unreadable),
            [b'?', ..] | [.., b'/'] => {}
            tag => {
                if self.depth >= DEPTH_MAX {
                    return Err(Unreadable);
                }
                let name = tag.split(u8::is_ascii_whitespace).next().unwrap_or(tag);
                let name = name.rsplit(|byte| *byte == b':').next().unwrap_or(name);
                if let (None, Some(member)) = (self.below, self.members.find(name)) {
                    self.members.count(member, findings);
                    self.below = Some((member, self.depth));
                }
                self.depth += 1;
            }
        }
        Ok(())
    }
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
