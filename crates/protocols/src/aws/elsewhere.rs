//! Buckets of S3 that calls name though they are done to something else: a table is exported there, a function's code comes from
//! there. The service goes there for whoever asks, so policy is asked about the bucket as if S3 were.
//!
//! Which members name buckets stands in `elsewhere.txt`, made by `scripts/aws-elsewhere` from the service models. What stands in
//! programs (SQL, templates, scripts and their arguments) is not seen.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::body::THINGS_MAX;
use super::classify::{Call, Thing, Wire};
use super::command::is_signature;
use super::s3::is_bucket;
use super::table::Level;
use super::{cbor, document};
use crate::http::{Head, escape};

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

/// What a member names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bucket,
    Key,
    /// Something of S3, where it is a URL or an ARN of it.
    Value,
}

#[derive(Debug, Clone, Copy)]
struct Named {
    kind: Kind,
    name: &'static str,
}

/// A member that was found.
struct Found {
    /// The structure that it stands in.
    within: String,
    /// The names that lead to it, its own last.
    path: String,
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
        for thing in things(it, &found)? {
            for level in levels(operation.level, &it.path, operation.name) {
                let one = (level, thing.clone());
                if !call.elsewhere.contains(&one) {
                    call.elsewhere.push(one);
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

/// The buckets or objects that a member names, with the keys beside it; `None` where they have another name too.
fn things(found: &Found, all: &[Found]) -> Option<Vec<Thing>> {
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
    let mut keys: Vec<String> = beside
        .map(|it| {
            let of = it.value.strip_prefix('/').unwrap_or(&it.value);
            match key.as_str() {
                "" => of.to_owned(),
                around => format!("{}/{of}", around.trim_end_matches('/')),
            }
        })
        .collect();
    if keys.is_empty() {
        keys.push(key);
    }
    let thing = |key: String| match key.as_str() {
        "" => Thing::Bucket(bucket.clone()),
        _ => Thing::Object {
            bucket: bucket.clone(),
            key,
        },
    };
    Some(keys.into_iter().map(thing).collect())
}

/// Bucket and key in a value: a name, a path, an ARN or a URL. A bucket that has no name of its own there is an empty one.
fn place(kind: Kind, value: &str) -> Option<(String, String)> {
    let split = |path: &str| {
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        (bucket.to_owned(), key.to_owned())
    };
    let lower = value.to_ascii_lowercase();
    if lower.starts_with("arn:") {
        let mut parts = value.splitn(6, ':').skip(2);
        let service = parts.next()?;
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        return match service {
            // Access points have a region and an account.
            "s3" if region.is_empty() && account.is_empty() => Some(split(resource)),
            "s3" | "s3-object-lambda" => Some(Default::default()),
            _ => None,
        };
    }
    if let Some((scheme, rest)) = value.split_once("://") {
        if lower.starts_with("s3") {
            return Some(split(rest));
        }
        return scheme
            .to_ascii_lowercase()
            .starts_with("http")
            .then(|| of_host(rest))?;
    }
    if kind != Kind::Bucket || value.is_empty() {
        return None;
    }
    of_host(value).or_else(|| Some(split(value)))
}

/// Bucket and key in `bucket.s3.region.amazonaws.com/key` and `s3.region.amazonaws.com/bucket/key`.
fn of_host(rest: &str) -> Option<(String, String)> {
    let path = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = path.split_once('/').unwrap_or((path, ""));
    let host = host.to_ascii_lowercase();
    let host = host.split(':').next().unwrap_or(&host);
    if !host.contains(".amazonaws.com") {
        return None;
    }
    let path = escape::decode(path).ok()?;
    if host.starts_with("s3.") || host.starts_with("s3-") {
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        return Some((bucket.to_owned(), key.to_owned()));
    }
    let at = host.rfind(".s3.").or_else(|| host.rfind(".s3-"))?;
    Some((host.get(..at)?.to_owned(), path))
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
    kind: Option<Kind>,
}

impl Walk<'_> {
    fn kind(&self, name: &str) -> Option<Kind> {
        let named = self.names.iter().find(|it| it.name == name)?;
        Some(named.kind)
    }

    /// Keeps a value that stands there; `None` where there are too many.
    fn keep(&mut self, at: At, value: &str) -> Option<()> {
        let Some(kind) = at.kind else { return Some(()) };
        let At { within, path, .. } = at;
        let value = value.to_owned();
        self.found.push(Found {
            within,
            path,
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
        let kind = self.kind(parts.pop()?);
        if kind.is_none() {
            return Some(());
        }
        let (within, path) = (parts.join("."), name.to_owned());
        self.keep(At { within, path, kind }, value)
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
            let at = At {
                within: within.clone(),
                path,
                kind: self.walk.kind(&name),
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
            _ => Kind::Value,
        };
        Some(Named { kind, name })
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
