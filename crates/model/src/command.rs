//! What is asked: the exact bytes, and what policy needs to know of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::hmac;
use bytes::Bytes;

use crate::{DataClass, Digest};

/// One command as a protocol understood it, before anybody decided about it.
#[derive(Debug, Clone)]
pub struct Command {
    /// The protocol's name, such as `postgres`.
    pub protocol: &'static str,
    /// What kind of command, in the protocol's own word: `SELECT`, `UPDATE`, `PREPARE`.
    pub tag: Arc<str>,
    /// The exact text that would go upstream.
    pub text: Bytes,
    /// The exact parameters that would go with it, in order.
    pub parameters: Vec<Parameter>,
    /// The text as it may rest: what is protected in it is masked.
    pub shown: Bytes,
    /// The parameters as they may rest, in order; `None` is NULL.
    pub shown_parameters: Vec<Option<String>>,
    /// What policy is asked: every one must be allowed.
    pub asks: Arc<Asks>,
}

/// One parameter of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The protocol's type and format of the value, as numbers; both stand in the digest.
    pub kind: (u32, u16),
    /// The value as it came; `None` is NULL.
    pub value: Option<Bytes>,
}

impl Command {
    /// The bytes that approvals and digests bind to: protocol, text and parameters, each with its length before it.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let values: usize = self
            .parameters
            .iter()
            .map(|p| 15 + p.value.as_ref().map_or(0, Bytes::len))
            .sum();
        let mut out = Vec::with_capacity(32 + self.text.len() + values);
        let mut put = |bytes: &[u8]| {
            out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            out.extend_from_slice(bytes);
        };
        put(self.protocol.as_bytes());
        put(&self.text);
        for parameter in &self.parameters {
            out.extend_from_slice(&parameter.kind.0.to_be_bytes());
            out.extend_from_slice(&parameter.kind.1.to_be_bytes());
            match &parameter.value {
                None => out.push(0),
                Some(value) => {
                    out.push(1);
                    out.extend_from_slice(&(value.len() as u64).to_be_bytes());
                    out.extend_from_slice(value);
                }
            }
        }
        out
    }
}

/// The digest of a command, and the salt that opens it.
///
/// A plain hash of a short statement could be reversed by guessing the card number in it. The salt is
/// `HMAC-SHA-256(key, canonical)` under a key of the gateway, so equal commands have equal digests, nobody
/// without the salt can test a guess, and whoever is shown one command with its salt can check that one digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandDigest {
    /// `SHA-256("countersign/command/v1" ‖ 0x00 ‖ salt ‖ canonical)`.
    pub digest: Digest,
    /// What opens it. Never in the clear in the log.
    pub salt: Digest,
}

impl CommandDigest {
    const DOMAIN: &'static [u8] = b"countersign/command/v1\0";

    /// The digest of a command's canonical bytes under the gateway's key.
    #[must_use]
    pub fn new(key: &hmac::Key, canonical: &[u8]) -> Self {
        let salt = Digest::keyed(key, &[canonical]);
        Self {
            digest: Self::open(&salt, canonical),
            salt,
        }
    }

    /// The digest that `salt` and `canonical` give: what an approver or an examiner recomputes.
    #[must_use]
    pub fn open(salt: &Digest, canonical: &[u8]) -> Digest {
        Digest::of(&[Self::DOMAIN, &salt.0, canonical])
    }
}

/// The questions that a command puts to policy, with a key by which equal questions are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    list: Vec<Ask>,
    key: Digest,
    guesses: BTreeMap<DataClass, u64>,
    searching: Option<Arc<Asks>>,
}

impl Asks {
    /// Takes the questions and computes their key.
    #[must_use]
    pub fn new(list: Vec<Ask>) -> Self {
        let mut bytes = Vec::with_capacity(64 * list.len());
        list.iter().for_each(|ask| ask.put(&mut bytes));
        Self {
            key: Digest::of(&[&bytes]),
            list,
            guesses: BTreeMap::new(),
            searching: None,
        }
    }

    /// The same of a command that asks after so many values of each of these classes. `searching` is what it asks where so
    /// many are too many.
    #[must_use]
    pub fn guessing(self, guesses: BTreeMap<DataClass, u64>, searching: Self) -> Self {
        Self {
            guesses,
            searching: Some(Arc::new(searching)),
            ..self
        }
    }

    /// The questions, in the command's order.
    #[must_use]
    pub fn list(&self) -> &[Ask] {
        &self.list
    }

    /// After how many values of each class the command asks.
    #[must_use]
    pub fn guesses(&self) -> &BTreeMap<DataClass, u64> {
        &self.guesses
    }

    /// What it asks if whoever asks has asked after too many; none where it asks after none.
    #[must_use]
    pub fn searching(&self) -> Option<&Self> {
        self.searching.as_deref()
    }

    /// Equal for equal questions, and only then.
    #[must_use]
    pub fn key(&self) -> Digest {
        self.key
    }
}

/// One question: may this action be done to this resource, in this context?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The action, as the protocol's Cedar schema names it: `select`, `update`, `opaque`.
    pub action: &'static str,
    /// What it is done to.
    pub resource: Resource,
    /// What else policy may look at; the protocol's Cedar schema gives names and types.
    pub context: BTreeMap<&'static str, Value>,
}

/// A resource, as the protocol's Cedar schema types it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its entity type without the namespace, such as `Table`.
    pub kind: &'static str,
    /// Its name within the target, such as `public.customers`.
    pub name: String,
    /// What it belongs to besides its target, nearest first, as (kind, name): `("Schema", "public")`.
    pub parents: Vec<(&'static str, String)>,
    /// Its attributes.
    pub attributes: BTreeMap<&'static str, Value>,
}

/// A value that policy can look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Cedar `Bool`.
    Bool(bool),
    /// Cedar `Long`.
    Long(i64),
    /// Cedar `String`.
    Text(String),
    /// Cedar `Set<String>`.
    Texts(Vec<String>),
}

impl Ask {
    fn put(&self, out: &mut Vec<u8>) {
        let text = |out: &mut Vec<u8>, text: &str| {
            out.extend_from_slice(&(text.len() as u64).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        };
        text(out, self.action);
        text(out, self.resource.kind);
        text(out, &self.resource.name);
        out.extend_from_slice(&(self.resource.parents.len() as u64).to_be_bytes());
        for (kind, name) in &self.resource.parents {
            text(out, kind);
            text(out, name);
        }
        for map in [&self.resource.attributes, &self.context] {
            out.extend_from_slice(&(map.len() as u64).to_be_bytes());
            for (name, value) in map {
                text(out, name);
                match value {
                    Value::Bool(flag) => out.extend_from_slice(&[0, u8::from(*flag)]),
                    Value::Long(number) => {
                        out.push(1);
                        out.extend_from_slice(&number.to_be_bytes());
                    }
                    Value::Text(value) => {
                        out.push(2);
                        text(out, value);
                    }
                    Value::Texts(values) => {
                        out.push(3);
                        out.extend_from_slice(&(values.len() as u64).to_be_bytes());
                        values.iter().for_each(|value| text(out, value));
                    }
                }
            }
        }
    }
}
