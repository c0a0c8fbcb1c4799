//! A protocol of lines, with a line for everything that a session can want.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use model::{Ask, Asks, Command, Outcome, Permit, Resource, Secret, Status, Value};
use protocols::session::{Answer, Credential, Effect, Effects, Peer, Question, Session, Violation};

/// What sessions saw, for tests to look at.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) from_upstream: AtomicUsize,
    pub(super) knowledge: Mutex<Option<String>>,
    denial: Mutex<String>,
}

impl Seen {
    pub(super) fn last_denial(&self) -> String {
        self.denial.lock().unwrap().clone()
    }
}

pub(super) struct Toy {
    seen: Arc<Seen>,
    buffer: BytesMut,
    /// Commands asked about, and whether to keep them running.
    asked: VecDeque<(String, bool)>,
    running: Vec<Permit>,
    live: bool,
    awaits_tls: bool,
    holding: bool,
}

impl Toy {
    pub(super) fn new(seen: Arc<Seen>) -> Self {
        Self {
            seen,
            buffer: BytesMut::new(),
            asked: VecDeque::new(),
            running: Vec::new(),
            live: false,
            awaits_tls: false,
            holding: false,
        }
    }

    fn line(&mut self, line: &str, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.to_owned();
        match word {
            "login" => {
                let (target, token) = rest.split_once(' ').unwrap();
                fx.push(Effect::Ask(Question::Who(Credential {
                    token: Secret::from(token.to_owned()),
                    target: target.to_owned(),
                    user: "claude".to_owned(),
                    client: "toy".to_owned(),
                })));
            }
            "tls" => {
                say(fx, "S");
                fx.push(Effect::StartTls(Peer::Client));
            }
            "utls" => {
                self.awaits_tls = true;
                fx.push(Effect::Send(Peer::Upstream, Bytes::from_static(b"tls\n")));
            }
            "up" => fx.push(Effect::Send(Peer::Upstream, rest.into())),
            "select" | "update" | "delete" | "keep" => self.ask(word, rest, fx),
            "key" => fx.push(Effect::Cancelable(rest.into())),
            "cancel" => {
                fx.push(Effect::Ask(Question::Cancel(rest.into())));
                fx.push(Effect::Close);
            }
            "aside" => fx.push(Effect::Aside {
                preamble: Bytes::new(),
                payload: rest.into(),
            }),
            "learn" => fx.push(Effect::Learned(Arc::new(rest))),
            "hold" => {
                self.holding = true;
                say(fx, "holding");
            }
            "go" => self.holding = false,
            "quit" => fx.push(Effect::Close),
            "bad" => {
                say(fx, "you broke it");
                return Err(Violation {
                    peer: Peer::Client,
                    protocol: "toy",
                    what: "it said bad".to_owned(),
                });
            }
            other => panic!("the toy protocol has no line {other:?}"),
        }
        Ok(())
    }

    fn ask(&mut self, word: &str, name: String, fx: &mut Effects<Bytes>) {
        let action = match word {
            "update" => "update",
            "delete" => "delete",
            _ => "select",
        };
        let text = Bytes::from(format!("{word} {name}"));
        self.asked.push_back((name, word == "keep"));
        fx.push(Effect::Ask(Question::May(Box::new(command(action, text)))));
    }

    fn refused(&mut self, denial: &model::Denial, fx: &mut Effects<Bytes>) {
        *self.seen.denial.lock().unwrap() = format!("{:?}", denial);
        match self.asked.pop_front() {
            Some((name, _)) => say(fx, &format!("refused {name} {:?}", denial.code)),
            None => {
                say(fx, &format!("refused {:?}", denial.code));
                fx.push(Effect::Close);
            }
        }
    }
}

impl Session<Bytes> for Toy {
    fn receive(
        &mut self,
        from: Peer,
        frame: Bytes,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), Violation> {
        if from == Peer::Upstream {
            self.seen
                .from_upstream
                .fetch_add(frame.len(), Ordering::Relaxed);
            if std::mem::take(&mut self.awaits_tls) {
                fx.push(Effect::StartTls(Peer::Upstream));
            } else {
                fx.push(Effect::Send(Peer::Client, frame));
            }
            return Ok(());
        }
        self.buffer.extend_from_slice(&frame);
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line = self.buffer.split_to(end + 1);
            let line = String::from_utf8(line[..end].to_vec()).unwrap();
            self.line(&line, fx)?;
        }
        Ok(())
    }

    fn answer(&mut self, answer: Answer, fx: &mut Effects<Bytes>) -> Result<(), Violation> {
        match answer {
            Answer::Known(_) => fx.push(Effect::Ask(Question::Reach)),
            Answer::Reached(upstream) => {
                self.live = true;
                *self.seen.knowledge.lock().unwrap() = upstream
                    .knowledge
                    .and_then(|known| known.downcast_ref::<String>().cloned());
                say(fx, "ready");
            }
            Answer::Secured(Peer::Client, _) => say(fx, "secured"),
            Answer::Secured(Peer::Upstream, secured) => {
                say(
                    fx,
                    &format!("utls {}", hex::encode(secured.server_end_point.unwrap())),
                );
            }
            Answer::Held(held) => {
                let (name, _) = self.asked.front().unwrap();
                say(fx, &format!("held {name} {}", held.approval));
            }
            Answer::Permitted(permit) => {
                let (name, keep) = self.asked.pop_front().unwrap();
                say(fx, &format!("permitted {name}"));
                if keep {
                    self.running.push(permit);
                } else {
                    fx.push(Effect::Settle(permit, Outcome::bare(Status::Completed)));
                }
            }
            Answer::Refused(denial) => self.refused(&denial, fx),
            Answer::Cancelled => {
                say(fx, "cancelled");
                fx.push(Effect::Withdraw);
            }
            Answer::Delivered => say(fx, "delivered"),
            Answer::Aged => say(fx, "aged"),
            Answer::Learned(knowledge) => {
                let knowledge = knowledge.map(|known| known.downcast::<String>().unwrap());
                say(fx, &format!("learned {knowledge:?}"));
            }
        }
        Ok(())
    }

    fn ended(&mut self, peer: Peer, fx: &mut Effects<Bytes>) {
        if peer == Peer::Upstream && self.live {
            say(fx, "ended Upstream");
        }
        fx.push(Effect::Close);
    }

    fn wants(&self, from: Peer) -> bool {
        from == Peer::Client || !self.holding
    }
}

fn say(fx: &mut Effects<Bytes>, line: &str) {
    fx.push(Effect::Send(Peer::Client, Bytes::from(format!("{line}\n"))));
}

fn command(action: &'static str, text: Bytes) -> Command {
    let text_of = |text: &str| Value::Text(text.to_owned());
    Command {
        protocol: "postgres",
        tag: "TOY".into(),
        parameters: Vec::new(),
        shown: text.clone(),
        text,
        shown_parameters: Vec::new(),
        asks: Arc::new(Asks::new(vec![Ask {
            action,
            resource: Resource {
                kind: "Table",
                name: "public.toys".to_owned(),
                parents: vec![("Schema", "public".to_owned())],
                attributes: BTreeMap::from([
                    ("schema", text_of("public")),
                    ("name", text_of("toys")),
                ]),
            },
            context: BTreeMap::from([
                ("tag", text_of("TOY")),
                ("object", text_of("")),
                ("has_where", Value::Bool(true)),
                ("known", Value::Bool(true)),
                ("protected", Value::Texts(Vec::new())),
                ("matched", Value::Texts(Vec::new())),
                ("probed", Value::Texts(Vec::new())),
                ("matched_columns", Value::Texts(Vec::new())),
                ("probed_columns", Value::Texts(Vec::new())),
                ("counted_columns", Value::Texts(Vec::new())),
                ("shown_columns", Value::Texts(Vec::new())),
            ]),
        }])),
    }
}
