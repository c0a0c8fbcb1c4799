//! Buckets of S3 that calls name though they are done to something else: a table is exported there, a function's code comes from
//! there. The service goes there for whoever asks, so policy is asked about the bucket as if S3 were.
//!
//! Which members name buckets stands in `elsewhere.txt`, made by `scripts/aws-elsewhere` from the service models. What stands in
//! programs (SQL, templates, scripts and their arguments) is not seen.

mod place;

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::body::THINGS_MAX;
use super::classify::{Call, Thing, Wire};
use super::command::is_signature;
use super::s3::{self, is_bucket};
use super::table::Level;
use super::{cbor, document};
use crate::http::{Head, escape};
use place::place;

static MEMBERS: LazyLock<HashMap<(&str, &str), Vec<Named>>> =
    LazyLock::new(|| read(include_str!("elsewhere.txt")));

/// A longer document or CBOR is not read for it.
const TREE_BYTES_MAX: usize = 64 * 1_024;
/// A path is told up to about so much.
const PATH_BYTES_MAX: usize = 256;

/// What is written to, by the names on the path to it or else the operation's.
const TO: [&str; 11] = [
    "output", "dest", "target", "result", "export", "deliver", "log", "report", "archive", "trail",
    "redacted",
];
/// What is read.
const FROM: [&str; 14] = [
    "input", "source", "import", "from", "code", "template", "script", "document", "image",
    "media", "manifest", "content", "layer", "file",
];

/// Members that are called so name one object, and not what the keys of some begin with.
const ONE: [&str; 8] = [
    "code",
    "file",
    "key",
    "manifest",
    "script",
    "template",
    "truststore",
    "url",
];

/// What a member names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bucket,
    Key,
    /// Something of S3, where it is a URL or an ARN of it.
    Value,
    /// The same, which is one object that is read.
    Read,
}

#[derive(Debug, Clone, Copy)]
struct Named {
    kind: Kind,
    /// What it stands in, where that counts.
    outer: Option<&'static str>,
    name: &'static str,
}

/// A member that was found.
struct Found {
    /// The structure that it stands in.
    within: String,
    /// The names that lead to it, its own last.
    path: String,
    name: &'static str,
    kind: Kind,
    value: String,
}

/// The call with what it does elsewhere; `None` where that cannot be told for certain.
pub(super) fn told(mut call: Call, head: &Head, body: &[u8]) -> Option<Call> {
    let (service, operation) = (call.service?, call.operation?);
    call.elsewhere.extend(secrets(&call));
    let Some(names) = MEMBERS.get(&(service.name, operation.name)) else {
        return Some(call);
    };
    let found = found(call.wire, head, body, names)?;
    for it in found.iter().filter(|it| it.kind != Kind::Key) {
        let levels = match it.kind {
            Kind::Read => vec![Level::Read],
            _ => levels(operation.level, &it.path, operation.name),
        };
        for (thing, begins) in things(it, &found)? {
            for level in &levels {
                for thing in readings(&thing, begins.unwrap_or_else(|| may_begin(it, *level)))? {
                    let one = (*level, thing);
                    if !call.elsewhere.contains(&one) {
                        call.elsewhere.push(one);
                    }
                }
                if call.elsewhere.len() > THINGS_MAX {
                    return None;
                }
            }
        }
    }
    Some(call)
}

/// Secrets of Secrets Manager that parameters of Systems Manager stand for (Systems Manager user guide, "Referencing AWS Secrets
/// Manager secrets from Parameter Store parameters").
fn secrets(call: &Call) -> Vec<(Level, Thing)> {
    if call.prefix != "ssm" {
        return Vec::new();
    }
    let secret = |thing: &Thing| match thing {
        Thing::Named { name, .. } => {
            let name = name.strip_prefix('/').unwrap_or(name);
            let name = name.strip_prefix("aws/reference/secretsmanager/")?;
            let other = Thing::Other {
                prefix: "secretsmanager",
                name: name.to_owned(),
            };
            Some((Level::Read, other))
        }
        _ => None,
    };
    call.things.iter().filter_map(secret).collect()
}

/// The buckets or objects that a member names, with the keys beside it, and where these tell it whether keys only begin so; `None`
/// where they have another name too.
fn things(found: &Found, all: &[Found]) -> Option<Vec<(Thing, Option<bool>)>> {
    let Some((bucket, key)) = place(found.kind, &found.value) else {
        return Some(Vec::new());
    };
    if !is_bucket(&bucket) {
        return None;
    }
    let beside = all.iter().filter(|it| {
        let with = found.kind == Kind::Bucket && it.kind == Kind::Key;
        with && it.within == found.within && !it.value.is_empty()
    });
    let mut keys: Vec<(String, Option<bool>)> = beside
        .map(|it| {
            let of = it.value.strip_prefix('/').unwrap_or(&it.value);
            let key = match key.as_str() {
                "" => of.to_owned(),
                around => format!("{}/{of}", around.trim_end_matches('/')),
            };
            let name = it.name.to_ascii_lowercase();
            (key, Some(!name.ends_with("key") && name != "name"))
        })
        .collect();
    if keys.is_empty() {
        keys.push((key, None));
    }
    let thing = |key: String| match key.as_str() {
        "" => Thing::Bucket(bucket.clone()),
        _ => Thing::Object {
            bucket: bucket.clone(),
            key,
        },
    };
    let things = keys.into_iter().map(|(key, begins)| (thing(key), begins));
    Some(things.collect())
}

/// Whether what a value names may be what keys begin with. What is written mostly is.
fn may_begin(found: &Found, level: Level) -> bool {
    let name = found.name.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let one = says(&ONE) && !says(&["prefix", "folder", "dir"]);
    found.kind != Kind::Read && (level != Level::Read || !one)
}

/// A thing in every way that it may be read: dots are part of a key or are not, and what keys begin with may be a folder of theirs.
/// `None` where one of these lies outside of the bucket.
fn readings(thing: &Thing, begins: bool) -> Option<Vec<Thing>> {
    let mut all = vec![thing.clone()];
    all.extend(s3::readings(thing)?);
    let folder = |thing: &Thing| match thing {
        Thing::Object { bucket, key } if begins && !key.ends_with('/') => Some(Thing::Object {
            bucket: bucket.clone(),
            key: format!("{key}/"),
        }),
        _ => None,
    };
    let folders: Vec<Thing> = all.iter().filter_map(folder).collect();
    all.extend(folders);
    Some(all)
}

/// What is done there.
fn levels(level: Level, path: &str, operation: &str) -> Vec<Level> {
    let looks = matches!(level, Level::List | Level::Read);
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        (has(&FROM), has(&TO))
    };
    let said = match says(path) {
        (false, false) => says(operation),
        said => said,
    };
    match said {
        (true, false) => vec![Level::Read],
        (false, true) => vec![Level::Write],
        _ if looks => vec![Level::Read],
        _ => vec![Level::Read, Level::Write],
    }
}

/// The members of these names in a body; `None` where it cannot be read.
fn found(wire: Wire, head: &Head, body: &[u8], names: &[Named]) -> Option<Vec<Found>> {
    let mut walk = Walk {
        names,
        found: Vec::new(),
        structures: 0,
    };
    let at = At::default();
    match wire {
        Wire::Query | Wire::Ec2 => {
            let query = escape::pairs(head.query.as_deref().unwrap_or_default()).ok()?;
            let query = query.into_iter().filter(|(name, _)| !is_signature(name));
            for (name, value) in query {
                walk.pair(&name, &value)?;
            }
            for pair in escape::each_pair(std::str::from_utf8(body).ok()?) {
                let (name, value) = pair.ok()?;
                walk.pair(&name, &value)?;
            }
        }
        _ if body.is_empty() => {}
        Wire::Json(_) | Wire::RestJson => {
            let mut json = serde_json::Deserializer::from_slice(body);
            Step {
                walk: &mut walk,
                at,
            }
            .deserialize(&mut json)
            .ok()?;
            json.end().ok()?;
        }
        Wire::Cbor | Wire::S3 | Wire::RestXml => {
            if body.len() > TREE_BYTES_MAX {
                return cannot(body, names).then(Vec::new);
            }
            let tree = match wire {
                Wire::Cbor => cbor::read(body)?,
                _ => document::tree(body)?,
            };
            Step {
                walk: &mut walk,
                at,
            }
            .deserialize(tree)
            .ok()?;
        }
    }
    Some(walk.found)
}

/// Whether a body that is too long to be read can name no bucket.
fn cannot(body: &[u8], names: &[Named]) -> bool {
    let has = |text: &str| memchr::memmem::find(body, text.as_bytes()).is_some();
    let buckets = names.iter().filter(|it| it.kind == Kind::Bucket);
    let values = ["://", "arn:", "&#"];
    !buckets.map(|it| it.name).chain(values).any(has)
}

/// What is looked for, and was found.
struct Walk<'a> {
    names: &'a [Named],
    found: Vec<Found>,
    structures: usize,
}

/// Where a reader stands.
#[derive(Clone, Default)]
struct At {
    within: String,
    path: String,
    named: Option<Named>,
}

impl Walk<'_> {
    /// What is looked for of this name, in what is called so.
    fn named(&self, outer: &str, name: &str) -> Option<Named> {
        let fits = |it: &&Named| it.name == name && it.outer.is_none_or(|it| it == outer);
        let fitting = self.names.iter().filter(fits);
        fitting.max_by_key(|it| it.outer.is_some()).copied()
    }

    /// Keeps a value that stands there; `None` where there are too many.
    fn keep(&mut self, at: At, value: &str) -> Option<()> {
        let At { within, path, .. } = at;
        let Some(Named { kind, name, .. }) = at.named else {
            return Some(());
        };
        let value = value.to_owned();
        self.found.push(Found {
            within,
            path,
            name,
            kind,
            value,
        });
        (self.found.len() <= THINGS_MAX).then_some(())
    }

    /// A pair of a form.
    fn pair(&mut self, name: &str, value: &str) -> Option<()> {
        let counts = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let mut parts: Vec<&str> = name.split('.').collect();
        // Of a list of texts.
        while parts.len() > 1
            && parts
                .last()
                .is_some_and(|it| counts(it) || matches!(*it, "member" | "entry" | "Item"))
        {
            parts.pop();
        }
        let is_list = parts.len() < name.split('.').count();
        let mut named = self.ending(&parts);
        if named.is_none() && is_list {
            // Items have a name of their own.
            parts.pop();
            named = self.ending(&parts);
        }
        if named.is_none() {
            return Some(());
        }
        parts.pop();
        let (within, path) = (parts.join("."), name.to_owned());
        self.keep(
            At {
                within,
                path,
                named,
            },
            value,
        )
    }

    /// What is looked for at the end of a path of a form.
    fn ending(&self, parts: &[&str]) -> Option<Named> {
        let (name, around) = parts.split_last()?;
        let counts = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let mut around = around.iter().rev().filter(|part| !counts(part));
        self.named(around.next().copied().unwrap_or_default(), name)
    }
}

/// A value that is walked.
struct Step<'s, 'a> {
    walk: &'s mut Walk<'a>,
    at: At,
}

impl<'de> DeserializeSeed<'de> for Step<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Step<'_, '_> {
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

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        let kept = self.walk.keep(self.at, value);
        kept.ok_or_else(|| E::custom("it names too much"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let step = Step {
                walk: &mut *self.walk,
                at: self.at.clone(),
            };
            if list.next_element_seed(step)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.walk.structures += 1;
        let within = self.walk.structures.to_string();
        while let Some(name) = members.next_key::<String>()? {
            let mut path = self.at.path.clone();
            if path.len() < PATH_BYTES_MAX {
                path.push('.');
                path.extend(name.chars().take(PATH_BYTES_MAX));
            }
            let outer = self.at.path.rsplit('.').next().unwrap_or_default();
            let at = At {
                within: within.clone(),
                path,
                named: self.walk.named(outer, &name),
            };
            members.next_value_seed(Step {
                walk: &mut *self.walk,
                at,
            })?;
        }
        Ok(())
    }
}

fn read(text: &'static str) -> HashMap<(&'static str, &'static str), Vec<Named>> {
    let named = |text: &'static str| {
        let (kind, name) = text.split_once(':')?;
        let kind = match kind {
            "b" => Kind::Bucket,
            "k" => Kind::Key,
            "r" => Kind::Read,
            _ => Kind::Value,
        };
        let (outer, name) = match name.split_once('/') {
            Some((outer, name)) => (Some(outer), name),
            None => (None, name),
        };
        Some(Named { kind, outer, name })
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &'static str| {
        let mut fields = line.split('\t');
        let (service, operation) = (fields.next()?, fields.next()?);
        let names = fields.next()?.split(',').filter_map(named).collect();
        Some(((service, operation), names))
    };
    lines.filter_map(entry).collect()
}
