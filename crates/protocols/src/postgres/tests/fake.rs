//! A server that behaves as PostgreSQL does, as far as order goes: it buffers until Sync or Flush, skips to Sync after an
//! error, and keeps a transaction status.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};

use super::say;
use crate::postgres::wire::{
    Bind, Frame, Framer, Parse, Reader, Target, client, server, target, write,
};

/// A server, and what it has said.
pub(super) struct Fake {
    framer: Framer,
    statements: HashMap<Bytes, String>,
    portals: HashMap<Bytes, (String, usize)>,
    status: u8,
    skipping: bool,
    buffer: BytesMut,
    out: BytesMut,
    /// Every text that it was given.
    pub(super) texts: Vec<String>,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self {
            framer: Framer::messages(1 << 30),
            statements: HashMap::new(),
            portals: HashMap::new(),
            status: b'I',
            skipping: false,
            buffer: BytesMut::new(),
            out: BytesMut::new(),
            texts: Vec::new(),
        }
    }

    /// Takes what was sent; gives what is sent back now.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Bytes {
        self.framer.push(Bytes::copy_from_slice(bytes));
        while let Some(frame) = self.framer.next().unwrap() {
            self.take(&frame);
        }
        self.out.split().freeze()
    }

    fn take(&mut self, frame: &Frame) {
        if self.skipping && !matches!(frame.kind, client::SYNC | client::TERMINATE) {
            return;
        }
        match frame.kind {
            client::QUERY => {
                let text = Reader::new(&frame.body).cstr().unwrap();
                self.simple(std::str::from_utf8(&text).unwrap());
            }
            client::PARSE => self.parse(Parse::read(frame).unwrap()),
            client::BIND => self.bind(frame),
            client::DESCRIBE => self.describe(target(frame).unwrap()),
            client::EXECUTE => self.execute(frame),
            client::CLOSE => {
                match target(frame).unwrap() {
                    Target::Statement(name) => drop(self.statements.remove(&kept(&name))),
                    Target::Portal(name) => drop(self.portals.remove(&kept(&name))),
                }
                self.say(&write::bare(server::CLOSE_COMPLETE));
            }
            client::FLUSH => self.flush(),
            client::SYNC => self.ready(),
            _ => {}
        }
    }

    fn say(&mut self, message: &Bytes) {
        self.buffer.extend_from_slice(message);
    }

    fn flush(&mut self) {
        let said = self.buffer.split();
        self.out.extend_from_slice(&said);
    }

    fn fail(&mut self, code: &str) {
        self.say(&say::error(code));
        self.flush();
        self.skipping = true;
        if self.status == b'T' {
            self.status = b'E';
        }
    }

    fn ready(&mut self) {
        self.skipping = false;
        if self.status == b'I' {
            self.portals.clear();
        }
        let status = write::ready(self.status);
        self.say(&status);
        self.flush();
    }

    fn simple(&mut self, text: &str) {
        self.texts.push(text.to_owned());
        self.statements.remove(&b""[..]);
        self.portals.remove(&b""[..]);
        match self.start(text) {
            Ok(rows) => {
                if !rows.is_empty() {
                    self.say(&say::columns(&[("a", 0, 0, 25)]));
                }
                rows.iter().for_each(|row| self.say(&say::row(&[row])));
                self.finish(text, rows.len());
            }
            Err(code) => self.fail(code),
        }
        self.ready();
    }

    fn parse(&mut self, parse: Parse) {
        let text = String::from_utf8(parse.text.to_vec()).unwrap();
        self.texts.push(text.clone());
        let name = kept(&parse.statement);
        if name.is_empty() {
            self.statements.remove(&name);
        }
        if self.statements.contains_key(&name) {
            return self.fail("42P05");
        }
        if self.status == b'E' && !ends(&text) {
            return self.fail("25P02");
        }
        self.statements.insert(name, text);
        self.say(&write::bare(server::PARSE_COMPLETE));
    }

    fn bind(&mut self, frame: &Frame) {
        let Ok(bind) = Bind::read(frame) else {
            return self.fail("26000");
        };
        let Some(text) = self.statements.get(&kept(&bind.statement)).cloned() else {
            return self.fail("26000");
        };
        if self.status == b'E' && !ends(&text) {
            return self.fail("25P02");
        }
        let name = kept(&bind.portal);
        if !name.is_empty() && self.portals.contains_key(&name) {
            return self.fail("42P03");
        }
        self.portals.insert(name, (text, 0));
        self.say(&write::bare(server::BIND_COMPLETE));
    }

    fn describe(&mut self, what: Target) {
        let (text, is_statement) = match &what {
            Target::Statement(name) => (self.statements.get(&kept(name)).cloned(), true),
            Target::Portal(name) => (
                self.portals.get(&kept(name)).map(|(text, _)| text.clone()),
                false,
            ),
        };
        let Some(text) = text else {
            return self.fail(if is_statement { "26000" } else { "34000" });
        };
        if is_statement {
            self.say(&write::one(server::PARAMETER_DESCRIPTION, |out| {
                out.extend_from_slice(&[0, 0])
            }));
        }
        if text.starts_with("select") {
            self.say(&say::columns(&[("a", 0, 0, 25)]));
        } else {
            self.say(&write::bare(server::NO_DATA));
        }
    }

    fn execute(&mut self, frame: &Frame) {
        let mut body = Reader::new(&frame.body);
        let (name, limit) = (kept(&body.cstr().unwrap()), body.i32().unwrap());
        let Some((text, done)) = self.portals.get(&name).cloned() else {
            return self.fail("34000");
        };
        if self.status == b'E' && !ends(&text) {
            return self.fail("25P02");
        }
        if done > 0 && !text.starts_with("select") && !text.is_empty() {
            // A portal that was run to its end, and has no rows.
            return self.fail("55000");
        }
        let rows = match self.start(&text) {
            Ok(rows) => rows,
            Err(code) => return self.fail(code),
        };
        let left = rows.get(done.min(rows.len())..).unwrap_or_default();
        let take = if limit > 0 {
            left.len().min(usize::try_from(limit).unwrap())
        } else {
            left.len()
        };
        left[..take]
            .iter()
            .for_each(|row| self.say(&say::row(&[row])));
        if let Some(portal) = self.portals.get_mut(&name) {
            portal.1 = done + take.max(usize::from(!text.starts_with("select")));
        }
        if limit > 0 && take == usize::try_from(limit).unwrap() {
            self.say(&write::bare(server::PORTAL_SUSPENDED));
        } else {
            self.finish(&text, take);
        }
    }

    fn start(&mut self, text: &str) -> Result<Vec<&'static str>, &'static str> {
        if self.status == b'E' && !ends(text) {
            return Err("25P02");
        }
        match text {
            "select 1/0" => Err("22012"),
            "select 'one'" => Ok(vec!["one"]),
            "select 'three'" => Ok(vec!["1", "2", "3"]),
            _ => Ok(Vec::new()),
        }
    }

    fn finish(&mut self, text: &str, rows: usize) {
        let word = text.split(' ').next().unwrap_or_default().to_uppercase();
        match &*word {
            "" => return self.say(&write::bare(server::EMPTY_QUERY)),
            "BEGIN" => self.status = b'T',
            // As the gateway ends its own look at the catalog within a transaction.
            "ROLLBACK" if text.starts_with("ROLLBACK TO") => {}
            "COMMIT" | "ROLLBACK" => {
                self.status = b'I';
                self.portals.clear();
            }
            _ => {}
        }
        let tag = if word == "SELECT" {
            format!("SELECT {rows}")
        } else {
            word
        };
        self.say(&say::complete(&tag));
    }
}

/// A name as PostgreSQL's tables keep it.
fn kept(name: &Bytes) -> Bytes {
    name.slice(..name.len().min(63))
}

fn ends(text: &str) -> bool {
    matches!(text, "commit" | "rollback" | "ROLLBACK")
}
