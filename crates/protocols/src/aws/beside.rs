//! What a request does beside its operation, by what stands in its body: a policy that what it makes or changes comes to have, and
//! tags. AWS asks further permissions for these.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::classify::{Beside, Call, Wire};
use super::command::is_signature;
use super::inside::is_empty;
use super::table::Level;
use super::{cbor, document};
use crate::http::{Head, escape};

/// A longer document or CBOR is not read for it.
const TREE_BYTES_MAX: usize = 64 * 1_024;

/// A member that says so.
#[derive(Debug, Clone, Copy)]
struct Sought {
    level: Level,
    /// The names on the way there, joined by dots, and in forms `#` for each number.
    path: &'static str,
    /// What it must be; anything where there is none.
    value: Option<&'static str>,
}

impl Sought {
    fn is_here(&self, path: &str) -> bool {
        self.path == path
    }

    fn is_below(&self, path: &str) -> bool {
        let rest = self.path.strip_prefix(path);
        rest.is_some_and(|rest| path.is_empty() || rest.starts_with('.'))
    }
}

/// The call with what it does beside. What cannot be read may do all that its operation can.
pub(super) fn told(mut call: Call, head: &Head, body: Option<&[u8]>) -> Call {
    let Some(operation) = call.operation else {
        return call;
    };
    if !matches!(operation.level, Level::Write | Level::Permissions) {
        return call;
    }
    let tags = operation.tags.iter().map(|tags| Sought {
        level: Level::Tagging,
        path: tags.path,
        value: None,
    });
    let gives = operation.gives.iter().map(|text| {
        let (path, value) = match text.split_once('=') {
            Some((path, value)) => (path, Some(value)),
            None => (*text, None),
        };
        let level = Level::Permissions;
        Sought { level, path, value }
    });
    let sought: Vec<Sought> = gives.chain(tags).collect();
    if sought.is_empty() {
        return call;
    }
    let mut look = Look {
        sought: &sought,
        found: Vec::new(),
    };
    let body = body.or_else(|| is_empty(head).then_some(&[]));
    let read = body.and_then(|body| look.read(call.wire, head, body));
    let found = match read {
        Some(()) => look.found,
        None => sought.iter().map(|it| it.level).collect(),
    };
    for level in [Level::Permissions, Level::Tagging] {
        let known = level == operation.level || asks(&call, level);
        if found.contains(&level) && !known {
            call.beside.push(Beside::At(level));
        }
    }
    call
}

/// Whether a call is asked about at a level already.
fn asks(call: &Call, level: Level) -> bool {
    let mut beside = call.beside.iter();
    beside.any(|it| matches!(it, Beside::At(known) if *known == level))
}

/// What is looked for, and the levels of what was found.
struct Look<'a> {
    sought: &'a [Sought],
    found: Vec<Level>,
}

impl Look<'_> {
    /// `None` where a body cannot be read.
    fn read(&mut self, wire: Wire, head: &Head, body: &[u8]) -> Option<()> {
        match wire {
            Wire::Query | Wire::Ec2 => {
                let query = escape::pairs(head.query.as_deref().unwrap_or_default()).ok()?;
                let query = query.into_iter().filter(|(name, _)| !is_signature(name));
                for (name, value) in query {
                    self.pair(&name, &value);
                }
                for pair in escape::each_pair(std::str::from_utf8(body).ok()?) {
                    let (name, value) = pair.ok()?;
                    self.pair(&name, &value);
                }
                Some(())
            }
            _ if body.is_empty() => Some(()),
            Wire::Json(_) | Wire::RestJson => {
                let mut json = serde_json::Deserializer::from_slice(body);
                self.step().deserialize(&mut json).ok()?;
                json.end().ok()
            }
            Wire::Cbor | Wire::S3 | Wire::RestXml => {
                let short = Some(body).filter(|body| body.len() <= TREE_BYTES_MAX)?;
                let tree = match wire {
                    Wire::Cbor => cbor::read(short)?,
                    _ => document::tree(short)?,
                };
                self.step().deserialize(tree).ok()
            }
        }
    }

    /// A pair of a form.
    fn pair(&mut self, name: &str, value: &str) {
        let counts = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        let parts = name.split('.');
        let parts = parts.map(|part| if counts(part) { "#" } else { part });
        let name = parts.collect::<Vec<_>>().join(".");
        for it in self.sought {
            let below = name.strip_prefix(it.path);
            let there = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            if there && !value.is_empty() {
                self.found.push(it.level);
            }
        }
    }

    fn step(&mut self) -> Step<'_> {
        Step {
            sought: self.sought,
            found: &mut self.found,
            path: String::new(),
        }
    }
}

/// A value that is walked.
struct Step<'s> {
    sought: &'s [Sought],
    found: &'s mut Vec<Level>,
    path: String,
}

impl<'de> DeserializeSeed<'de> for Step<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Step<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let step = Step {
                sought: self.sought,
                found: &mut *self.found,
                path: self.path.clone(),
            };
            if list.next_element_seed(step)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            let path = match self.path.as_str() {
                "" => name,
                around => format!("{around}.{name}"),
            };
            if let Some(it) = self.sought.iter().find(|it| it.is_here(&path)) {
                if members.next_value_seed(Filled(it.value))? {
                    self.found.push(it.level);
                }
            } else if self.sought.iter().any(|it| it.is_below(&path)) {
                members.next_value_seed(Step {
                    sought: self.sought,
                    found: &mut *self.found,
                    path,
                })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Whether a value says something, or what it must.
struct Filled(Option<&'static str>);

impl<'de> DeserializeSeed<'de> for Filled {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Filled {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        Ok(match self.0 {
            Some(wanted) => value == wanted,
            None => !value.is_empty(),
        })
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let mut any = false;
        while list.next_element_seed(Filled(self.0))?.is_some_and(|it| {
            any |= it;
            true
        }) {}
        Ok(any)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        let mut any = false;
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            any = true;
        }
        Ok(any)
    }
}
