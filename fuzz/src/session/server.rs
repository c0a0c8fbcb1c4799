//! A server that mostly behaves as PostgreSQL does: order, skipping to Sync, transaction status, COPY.

use std::collections::{HashMap, VecDeque};

use bytes::{Bytes, BytesMut};
use protocols::postgres::wire::{
    Bind, Frame, Parse, Reader, Target, client, server, target, write,
};

use super::say::{self, CARD};

/// How a server answers.
#[derive(Clone, Copy)]
pub(super) enum Mood {
    /// As it should.
    Good,
    /// The first command fails.
    Failing,
    /// With columns that nobody asked for.
    Odd,
    /// Only one message is answered.
    Slow,
}

impl Mood {
    pub(super) fn of(number: u8) -> Self {
        [Self::Good, Self::Failing, Self::Odd, Self::Slow][usize::from(number) % 4]
    }
}

#[derive(Default)]
pub(super) struct Server {
    /// What was sent and is not answered.
    pub(super) asked: VecDeque<Frame>,
    statements: HashMap<Bytes, String>,
    portals: HashMap<Bytes, String>,
    status: Option<u8>,
    skipping: bool,
    /// COPY data are awaited; whether of a Query.
    copying: Option<bool>,
    fails: bool,
    odd: bool,
    out: BytesMut,
}

impl Server {
    /// Answers what was sent.
    pub(super) fn answer(&mut self, mood: Mood) -> Bytes {
        self.fails = matches!(mood, Mood::Failing);
        self.odd = matches!(mood, Mood::Odd);
        let count = if matches!(mood, Mood::Slow) {
            1
        } else {
            usize::MAX
        };
        for _ in 0..count {
            let Some(frame) = self.asked.pop_front() else {
                break;
            };
            self.take(&frame);
        }
        self.out.split().freeze()
    }

    fn say(&mut self, message: impl AsRef<[u8]>) {
        self.out.extend_from_slice(message.as_ref());
    }

    fn take(&mut self, frame: &Frame) {
        if self.copying.is_some() {
            return self.copy(frame.kind);
        }
        if self.skipping && frame.kind != client::SYNC {
            return;
        }
        match frame.kind {
            client::QUERY => self.query(&frame.body),
            client::PARSE => {
                let parse = Parse::read(frame).expect("what is sent can be read");
                let text = String::from_utf8_lossy(&parse.text).into_owned();
                self.statements.insert(parse.statement, text);
                self.say(write::bare(server::PARSE_COMPLETE));
            }
            client::BIND => self.bind(frame),
            client::DESCRIBE => self.describe(frame),
            client::EXECUTE => {
                let name = Reader::new(&frame.body).cstr().expect("a name");
                match self.portals.get(&name).cloned() {
                    Some(text) => {
                        self.run(&text, false);
                    }
                    None => self.fail(),
                }
            }
            client::CLOSE => self.say(write::bare(server::CLOSE_COMPLETE)),
            client::SYNC => self.ready(),
            _ => {}
        }
    }

    fn fail(&mut self) {
        self.fails = false;
        self.skipping = true;
        if self.status == Some(b'T') {
            self.status = Some(b'E');
        }
        self.say(say::error());
    }

    fn ready(&mut self) {
        self.skipping = false;
        let status = self.status.unwrap_or(b'I');
        self.say(write::ready(status));
    }

    fn query(&mut self, body: &Bytes) {
        let text = Reader::new(body).cstr().expect("a text");
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut pieces = text.split("; ");
        let all_ran = pieces.all(|piece| self.run(piece, true));
        if all_ran || self.copying.is_none() {
            self.ready();
        }
    }

    fn bind(&mut self, frame: &Frame) {
        // The gateway's certain failure cannot be read, or names nothing.
        let bind = Bind::read(frame).ok();
        let text = bind
            .as_ref()
            .and_then(|bind| self.statements.get(&bind.statement).cloned());
        match (bind, text) {
            (Some(bind), Some(text)) => {
                self.portals.insert(bind.portal, text);
                self.say(write::bare(server::BIND_COMPLETE));
            }
            _ => self.fail(),
        }
    }

    fn describe(&mut self, frame: &Frame) {
        let text = match target(frame).expect("what is sent can be read") {
            Target::Statement(name) => {
                let text = self.statements.get(&name).cloned();
                if text.is_some() {
                    self.say(write::one(server::PARAMETER_DESCRIPTION, |out| {
                        out.extend_from_slice(&[0, 0]);
                    }));
                }
                text
            }
            Target::Portal(name) => self.portals.get(&name).cloned(),
        };
        match text {
            None => self.fail(),
            Some(text) if returns_rows(&text) => self.say(self.described()),
            Some(_) => self.say(write::bare(server::NO_DATA)),
        }
    }

    fn described(&self) -> Bytes {
        if self.odd {
            say::columns(&[("n", 501, 2), ("ssn", 500, 2)])
        } else {
            say::columns(&[("words", 501, 2)])
        }
    }

    /// Runs a statement; says whether the next may run.
    fn run(&mut self, text: &str, simple: bool) -> bool {
        let text = &*text.to_lowercase();
        let word = text.split(' ').next().unwrap_or_default();
        let ends = matches!(word, "commit" | "rollback");
        if self.fails || text.contains("1/0") || (self.status == Some(b'E') && !ends) {
            self.fail();
            return false;
        }
        if text.contains("pg_catalog") {
            self.say(say::complete("SELECT 0"));
            return true;
        }
        match word {
            _ if text.starts_with("rollback to") => self.say(say::complete("ROLLBACK")),
            "" => self.say(write::bare(server::EMPTY_QUERY)),
            "begin" => self.ended(b'T', "BEGIN"),
            "commit" => self.ended(b'I', "COMMIT"),
            "rollback" => self.ended(b'I', "ROLLBACK"),
            "copy" if text.contains("stdin") => {
                self.say(say::copy_begin(server::COPY_IN, 2));
                self.copying = Some(simple);
                return false;
            }
            "copy" => {
                self.say(say::copy_begin(
                    server::COPY_OUT,
                    2 - u8::from(text.contains('(')),
                ));
                let data = if text.contains('(') {
                    format!("{CARD}\n")
                } else {
                    format!("1\t{CARD}\n")
                };
                self.say(write::one(server::COPY_DATA, |out| {
                    out.extend_from_slice(data.as_bytes())
                }));
                self.say(write::bare(server::COPY_DONE));
                self.say(say::complete("COPY 1"));
            }
            _ if returns_rows(text) => self.rows(simple),
            word => self.say(say::complete(&word.to_uppercase())),
        }
        true
    }

    fn ended(&mut self, status: u8, tag: &str) {
        self.status = Some(status);
        self.say(say::complete(tag));
    }

    fn rows(&mut self, simple: bool) {
        if simple {
            self.say(self.described());
        }
        let values: &[&str] = if self.odd { &[CARD, CARD] } else { &[CARD] };
        self.say(say::row(values));
        self.say(say::complete("SELECT 1"));
    }

    fn copy(&mut self, kind: u8) {
        let simple = self.copying == Some(true);
        match kind {
            client::COPY_DONE => {
                self.copying = None;
                self.say(say::complete("COPY 1"));
            }
            client::COPY_FAIL => {
                self.copying = None;
                self.fail();
            }
            _ => return,
        }
        if simple {
            self.ready();
        }
    }
}

fn returns_rows(text: &str) -> bool {
    ["select", "execute", "fetch", "with", "explain"]
        .iter()
        .any(|word| text.starts_with(word))
}
