//! JSON (RFC 8259), as far as names and values must be told apart.

pub(super) mod inner;
mod texts;

use std::sync::Arc;

use mask::Findings;

use super::{Kind, Member, Members, Unreadable};
pub(super) use texts::{inside, unmarked};

/// Values in values at most so deep.
const DEPTH_MAX: usize = 512;
/// A name is looked at up to this length; longer ones hide nothing.
const NAME_BYTES_MAX: usize = 512;
/// JSON within JSON is read so deep.
pub(super) const INNER_DEPTH_MAX: usize = 3;
/// The mark of the encoding, which may stand before all else.
const MARK: &[u8] = b"\xEF\xBB\xBF";
/// What values of DynamoDB stand below.
const TYPES: [&[u8]; 10] = [
    b"B", b"BOOL", b"BS", b"L", b"M", b"N", b"NS", b"NULL", b"S", b"SS",
];
/// A number or word is at most so long.
const BARE_BYTES_MAX: usize = 4_096;

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// An answer.
    Answer,
    /// An object of which members are declared. What else could be shown of it is only what is JSON by its grammar, or one
    /// value after the other (JSON Lines), each an object or array.
    Object,
}

/// What may come next by the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// The first item of an array, or its end.
    Item,
    /// The first name of an object, or its end.
    Name,
    /// A name after a comma.
    Further,
    Colon,
    /// A comma, or the end of the value around.
    Comma,
}

#[derive(Debug)]
pub(super) struct Json {
    members: Arc<Members>,
    of: Of,
    expected: Next,
    /// So much of the mark of the encoding has come, where nothing else has.
    marked: Option<usize>,
    /// The values around, from the outermost: whether each is an object.
    around: Vec<bool>,
    at: At,
    /// The next string is a name.
    name_next: bool,
    /// The member whose value comes next.
    next: Option<Member>,
    /// Where places count: the names of the values around, from the outermost, and of the one that comes next. What stands in
    /// an array has none.
    names: Vec<Option<Vec<u8>>>,
    named: Option<Vec<u8>>,
    /// The member below which everything is hidden, and how deep its value stands.
    below: Option<(Member, usize)>,
    /// What the name read last says of the texts behind it, where values stand below the name of their type.
    kind: Option<Kind>,
    name: Vec<u8>,
    /// How long a name is of which nothing has been shown.
    held: usize,
    bare: Vec<u8>,
    /// A text that is hidden, up to what is committed to, or one that is held because it may be JSON itself.
    text: Vec<u8>,
    inner: Inner,
    /// So deep JSON within this is read. What is declared may stand there too.
    inner_depth: usize,
}

/// Whether a text is JSON itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inner {
    No,
    /// Only blanks of it have come.
    Unknown,
    /// It may be, so it is held.
    Held,
    /// It may be Base64 of it, so it is held.
    Encoded,
}

#[derive(Debug, Clone, Copy)]
enum At {
    Between,
    Name {
        escaped: bool,
    },
    Text {
        escaped: bool,
        hidden: Option<Member>,
    },
    Bare,
}

impl Json {
    pub(super) fn new(members: Members, of: Of) -> Self {
        let inner_depth = if members.in_texts { INNER_DEPTH_MAX } else { 0 };
        Self::within(Arc::new(members), of, inner_depth)
    }

    fn within(members: Arc<Members>, of: Of, inner_depth: usize) -> Self {
        Self {
            members,
            of,
            expected: Next::Value,
            marked: Some(0),
            around: Vec::new(),
            at: At::Between,
            name_next: false,
            next: None,
            names: Vec::new(),
            named: None,
            below: None,
            kind: None,
            name: Vec::new(),
            held: 0,
            bare: Vec::new(),
            text: Vec::new(),
            inner: Inner::No,
            inner_depth,
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
            self.byte(byte, out, findings)?;
        }
        Ok(())
    }

    /// Gives back what it looked for.
    pub(super) fn finish(mut self, out: &mut Vec<u8>, findings: &mut Findings) -> Arc<Members> {
        if self.of == Of::Object && !is_word(&self.bare) {
            self.bare.fill(b'*');
        }
        self.end_bare(out, findings);
        match self.at {
            At::Text { hidden, .. } => self.end_text(hidden, out, findings),
            At::Name { .. } => self.end_name(out, findings),
            At::Between | At::Bare => {}
        }
        self.members
    }

    fn byte(
        &mut self,
        byte: u8,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), Unreadable> {
        match self.at {
            At::Name { escaped } => {
                if byte == b'"' && !escaped {
                    self.end_name(out, findings);
                    out.push(byte);
                    self.at = At::Between;
                    self.next = self.member();
                    return Ok(());
                }
                if self.hides_names().is_some() {
                    self.held += 1;
                } else {
                    out.push(byte);
                }
                if self.name.len() <= NAME_BYTES_MAX {
                    self.name.push(byte);
                }
                self.at = At::Name {
                    escaped: byte == b'\\' && !escaped,
                };
            }
            At::Text { escaped, hidden } => {
                if byte == b'"' && !escaped {
                    self.end_text(hidden, out, findings);
                    out.push(byte);
                    self.at = At::Between;
                    return Ok(());
                }
                let now = byte == b'\\' && !escaped;
                self.at = At::Text {
                    escaped: now,
                    hidden,
                };
                match hidden {
                    Some(member) => self.hide(byte, member, out),
                    None if self.holds(byte, out)? => {}
                    // Something was hidden before in what must stay a number or Base64.
                    None => out.push(match (self.kind, byte) {
                        (Some(Kind::Number), b'*') => b'0',
                        (Some(Kind::Blob), b'*') => b'A',
                        _ => byte,
                    }),
                }
            }
            At::Bare if !matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n') => {
                if self.bare.len() >= BARE_BYTES_MAX || !is_bare(byte) {
                    return Err(Unreadable);
                }
                self.bare.push(byte);
            }
            At::Bare => {
                if self.of == Of::Object && !is_word(&self.bare) {
                    return Err(Unreadable);
                }
                self.end_bare(out, findings);
                self.at = At::Between;
                return self.between(byte, out);
            }
            At::Between => return self.between(byte, out),
        }
        Ok(())
    }

    fn between(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        if self.is_mark(byte)? {
            out.push(byte);
            return Ok(());
        }
        self.step(byte)?;
        match byte {
            b'{' | b'[' => {
                if self.around.len() >= DEPTH_MAX {
                    return Err(Unreadable);
                }
                if let (None, Some(member)) = (self.below, self.next.take()) {
                    self.below = Some((member, self.around.len()));
                }
                self.around.push(byte == b'{');
                self.name_next = byte == b'{';
                if self.members.has_paths() {
                    self.names.push(self.named.take());
                }
            }
            b'}' | b']' => {
                if self.around.pop() != Some(byte == b'}') {
                    return Err(Unreadable);
                }
                if self
                    .below
                    .is_some_and(|(_, depth)| depth == self.around.len())
                {
                    self.below = None;
                }
                self.names.pop();
                self.forget();
                self.name_next = false;
            }
            b',' => {
                self.forget();
                self.name_next = self.around.last().copied().unwrap_or(false);
            }
            b':' => self.name_next = false,
            b'"' if self.name_next => {
                self.name.clear();
                self.at = At::Name { escaped: false };
            }
            b'"' => {
                let hidden = self.hiding();
                self.inner = match hidden {
                    None if self.inner_depth > 0 => Inner::Unknown,
                    _ => Inner::No,
                };
                self.at = At::Text {
                    escaped: false,
                    hidden,
                };
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ if !is_bare(byte) => return Err(Unreadable),
            _ => {
                self.bare.push(byte);
                self.at = At::Bare;
                return Ok(());
            }
        }
        out.push(byte);
        Ok(())
    }

    /// Whether a byte is of the mark of the encoding before all else.
    fn is_mark(&mut self, byte: u8) -> Result<bool, Unreadable> {
        let Some(come) = self.marked else {
            return Ok(false);
        };
        let is_mark = MARK.get(come) == Some(&byte);
        self.marked = is_mark.then_some(come + 1);
        if !is_mark && !matches!(come, 0 | 3) {
            return Err(Unreadable);
        }
        Ok(is_mark)
    }

    /// Takes the beginning of a token by the grammar (RFC 8259 section 2), where that counts.
    fn step(&mut self, byte: u8) -> Result<(), Unreadable> {
        use Next::{Colon, Comma, Further, Item, Name, Value};
        if self.of == Of::Answer || matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            return Ok(());
        }
        let outermost = self.around.is_empty();
        self.expected = match (self.expected, byte) {
            (Value | Item, b'{') => Name,
            (Value | Item, b'[') => Item,
            (Name, b'}') | (Item, b']') if self.around.len() > 1 => Comma,
            (Comma, b'}' | b']') if self.around.len() > 1 => Comma,
            (Name | Comma, b'}') | (Item | Comma, b']') => Value,
            (Name | Further, b'"') => Colon,
            (Colon, b':') => Value,
            (Comma, b',') if self.around.last() == Some(&true) => Further,
            (Comma, b',') if !outermost => Value,
            (Value | Item, b'"') if !outermost => Comma,
            (Value | Item, byte) if !outermost && is_bare(byte) => Comma,
            _ => return Err(Unreadable),
        };
        Ok(())
    }

    /// The member by which the value that begins here is hidden.
    fn hiding(&mut self) -> Option<Member> {
        let next = self.next.take();
        let member = self.below.map(|(member, _)| member).or(next);
        let kind = self.kind;
        member.map(|member| kind.map_or(member, |kind| Member { kind, ..member }))
    }

    /// What comes next has no name yet.
    fn forget(&mut self) {
        self.next = None;
        self.named = None;
    }

    /// The member that the name just read names.
    fn member(&mut self) -> Option<Member> {
        let mut name = std::mem::take(&mut self.name);
        if name.contains(&b'\\') {
            let quoted = [b"\"", name.as_slice(), b"\""].concat();
            // What is no text is no name that anybody declared.
            name = serde_json::from_slice::<String>(&quoted).map_or(name, String::into_bytes);
        }
        if self.members.typed {
            self.kind = match name.as_slice() {
                b"N" | b"NS" => Some(Kind::Number),
                b"B" | b"BS" => Some(Kind::Blob),
                _ => None,
            };
        }
        let around = self.names.iter().flatten().map(Vec::as_slice);
        let found = self.members.find_at(around, &name);
        if self.members.has_paths() {
            self.named = Some(name);
        } else {
            self.name = name;
        }
        found
    }

    /// What hides the names that stand here.
    fn hides_names(&self) -> Option<Member> {
        let below = self.below.map(|(member, _)| member);
        below.filter(|member| member.names)
    }

    /// A name has ended. In DynamoDB's values some are types, without which SDKs could read nothing.
    fn end_name(&mut self, out: &mut Vec<u8>, findings: &mut Findings) {
        let held = std::mem::take(&mut self.held);
        let Some(member) = self.hides_names() else {
            return;
        };
        if self.members.typed && TYPES.contains(&self.name.as_slice()) {
            out.extend_from_slice(&self.name);
            return;
        }
        out.resize(out.len() + held, b'*');
        let member = Member {
            kind: Kind::Text,
            ..member
        };
        if self.name.len() == held {
            self.members.count_text(member, &self.name, findings);
        } else {
            self.members.count(member, None, findings);
        }
    }

    /// A number or word has ended. One in which something was hidden before is no number any more.
    fn end_bare(&mut self, out: &mut Vec<u8>, findings: &mut Findings) {
        if self.bare.is_empty() {
            return;
        }
        let hidden = self.hiding().filter(|_| self.bare != b"null");
        if let Some(member) = hidden {
            self.members.count(member, Some(&self.bare), findings);
        }
        if hidden.is_some() || self.bare.contains(&b'*') {
            let stand_in: &[u8] = match self.bare.as_slice() {
                b"true" | b"false" => b"null",
                _ => b"0",
            };
            out.extend_from_slice(stand_in);
            out.resize(out.len() + self.bare.len() - stand_in.len(), b' ');
        } else {
            out.extend_from_slice(&self.bare);
        }
        self.bare.clear();
    }
}

/// Whether it is a number or one of JSON's three words. Of a number in which something was hidden only the characters are
/// left to tell.
fn is_word(bare: &[u8]) -> bool {
    let of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE*".contains(byte);
    match bare {
        b"true" | b"false" | b"null" => true,
        _ if bare.contains(&b'*') => bare.iter().all(of_number),
        _ => is_number(bare).is_some(),
    }
}

/// RFC 8259 section 6.
fn is_number(bare: &[u8]) -> Option<()> {
    let digits = |rest: &[u8]| rest.iter().take_while(|it| it.is_ascii_digit()).count();
    let some = |rest: &[u8]| Some(digits(rest)).filter(|count| *count > 0);
    let mut rest = bare.strip_prefix(b"-").unwrap_or(bare);
    rest = rest.get(some(rest)?..)?;
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = fraction.get(some(fraction)?..)?;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        rest = exponent.get(some(exponent)?..)?;
    }
    rest.is_empty().then_some(())
}

/// Whether a byte may stand in a number or word, or in one in which something was hidden before. What has others is no JSON:
/// a service that answers in another form is not read as this one.
fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'*')
}
