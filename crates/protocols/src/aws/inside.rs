//! What a request says in its body, for policy to look at: every member of what is short, as `Path=value`, and its tags.
//!
//! Policy may see what may not rest: nothing of this is recorded. What is not short is not seen, and [`Call::unseen`] says so.

use serde_json::{Map, Number, Value};

use super::classify::{Call, Wire, opaque};
use super::command::is_signature;
use super::table::Tags;
use super::{body, cbor, document};
use crate::http::{Head, escape};

/// The attribute of policies' context with the members.
pub const PARAMETERS: &str = "parameters";
/// The one with the tags.
pub const TAGS: &str = "tags";
/// The one with the roles.
pub const ROLES: &str = "roles";
/// The one that says that not all of it was seen.
pub const UNSEEN: &str = "unseen";

/// A longer body is not looked at.
const BODY_BYTES_MAX: usize = 64 * 1_024;
/// A request says at most so much,
const MEMBERS_MAX: usize = 512;
/// so many bytes of it,
const BYTES_MAX: usize = 32 * 1_024;
/// so deep, and times the things that it names at most so much: each is asked about with all of it.
const DEPTH_MAX: usize = 24;
const ASKED_MAX: usize = 64 * 1_024;

/// Operations of S3 whose body is content, or names what the path does.
const CONTENT: [&str; 6] = [
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "PutObject",
    "UploadPart",
    "UploadPartCopy",
];

/// A call as policies are asked about it that `mention` attributes. Where they look at what it says and not at what is [`UNSEEN`], a
/// call of which not all was seen is opaque: what a policy forbids is not passed by making a request long.
#[must_use]
pub fn looked(
    mut call: Call,
    head: &Head,
    body: Option<&[u8]>,
    mention: impl Fn(&str) -> bool,
) -> Call {
    let looks = [PARAMETERS, TAGS, ROLES].into_iter().any(&mention);
    let tell = mention(UNSEEN);
    if looks || tell {
        look(&mut call, head, body);
    }
    if call.unseen && looks && !tell {
        return opaque(call);
    }
    call
}

/// Looks at the body of a call, and puts what it says to its parameters and tags. `body` is `None` where it was not read.
pub fn look(call: &mut Call, head: &Head, body: Option<&[u8]>) {
    let Some(operation) = call.operation else {
        return;
    };
    if call.wire == Wire::S3 {
        for value in head.fields.all("x-amz-tagging") {
            match escape::pairs(value) {
                Ok(pairs) => call.tags.extend(pairs),
                Err(_) => call.unseen = true,
            }
        }
        if CONTENT.contains(&operation.name) || matches!(&*head.method, "GET" | "HEAD" | "DELETE") {
            return;
        }
    }
    let mut seen = Seen {
        known: &operation.tags,
        is_form: matches!(call.wire, Wire::Query | Wire::Ec2),
        ..Seen::default()
    };
    let body = body.or_else(|| is_empty(head).then_some(&[]));
    let read = body
        .filter(|body| body.len() <= BODY_BYTES_MAX)
        .and_then(|body| tree(call.wire, head, body))
        .and_then(|tree| seen.value(&mut Vec::new(), &tree));

    let asked = seen.members.len().saturating_mul(call.things.len());
    // What path or query say, the body must not say otherwise: one of the two does not count.
    let restful = matches!(call.wire, Wire::RestJson | Wire::RestXml | Wire::S3);
    let known = &call.parameters;
    let other =
        |(name, value): &(String, String)| known.iter().any(|it| it.0 == *name && it.1 != *value);
    if read.is_none() || asked > ASKED_MAX || restful && seen.members.iter().any(other) {
        call.unseen = true;
        return;
    }
    call.parameters.append(&mut seen.members);
    call.tags.append(&mut seen.tags);
}

/// The roles that a call names, as far as it was [looked](look) at: what runs with one can do what it can.
pub(super) fn roles(call: &Call) -> impl Iterator<Item = &str> {
    let named = call.parameters.iter().filter(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let ends = ["role", "rolearn", "rolename", "instanceprofile.name"];
        ends.iter().any(|end| name.ends_with(end)) || is_role(value)
    });
    named.map(|(_, value)| value.as_str())
}

fn is_role(value: &str) -> bool {
    let mut parts = value.splitn(6, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (arn, _, service, _, _, resource) = (part(), part(), part(), part(), part(), part());
    let kinds = ["role/", "instance-profile/"];
    arn == "arn" && service == "iam" && kinds.iter().any(|kind| resource.starts_with(kind))
}

/// Whether a request says that it has no body.
pub(super) fn is_empty(head: &Head) -> bool {
    let length = head.fields.one("content-length");
    // In HTTP/2 neither needs to be there: a body in chunks tells the length of its content.
    let more = ["transfer-encoding", "x-amz-decoded-content-length"];
    length.is_none_or(|it| it == "0") && !more.iter().any(|name| head.fields.has(name))
}

/// A body as a tree, whatever it is written in.
fn tree(wire: Wire, head: &Head, bytes: &[u8]) -> Option<Value> {
    let is_form = matches!(wire, Wire::Query | Wire::Ec2);
    if bytes.is_empty() && !is_form {
        return Some(Value::Null);
    }
    match wire {
        Wire::Json(_) | Wire::RestJson => body::json(bytes),
        Wire::Cbor => cbor::read(bytes),
        Wire::Query | Wire::Ec2 => {
            let mut whole = Value::Object(Map::new());
            let query = escape::pairs(head.query.as_deref().unwrap_or_default()).ok()?;
            let query = query.into_iter().filter(|(name, _)| !is_signature(name));
            let body = escape::pairs(std::str::from_utf8(bytes).ok()?).ok()?;
            for (name, value) in query.chain(body) {
                put(&mut whole, &name, value)?;
            }
            Some(whole)
        }
        Wire::S3 | Wire::RestXml => document::tree(bytes),
    }
}

/// Puts a pair of a form where its name says.
fn put(whole: &mut Value, name: &str, value: String) -> Option<()> {
    let mut at = whole;
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() > DEPTH_MAX {
        return None;
    }
    for part in parts {
        // What has a value and members too could be read in two ways.
        at = at
            .as_object_mut()?
            .entry(part)
            .or_insert_with(|| Value::Object(Map::new()));
    }
    at.as_object().filter(|it| it.is_empty())?;
    *at = Value::String(value);
    Some(())
}

/// What was seen.
#[derive(Default)]
struct Seen {
    /// Where the operation has tags.
    known: &'static [Tags],
    members: Vec<(String, String)>,
    tags: Vec<(String, String)>,
    bytes: usize,
    /// Numbers count items there, and are no names.
    is_form: bool,
}

/// A step of a path: a member's name, or none for an item of a list.
type Step = Option<String>;

impl Seen {
    /// What stands at `path`; `None` where it is too much.
    fn value(&mut self, path: &mut Vec<Step>, value: &Value) -> Option<()> {
        if path.len() > DEPTH_MAX {
            return None;
        }
        match value {
            Value::Object(map) => {
                self.tag(path, map);
                for (name, inner) in map {
                    path.push(Some(name.clone()));
                    self.value(path, inner)?;
                    path.pop();
                }
            }
            Value::Array(items) => {
                for item in items {
                    path.push(None);
                    self.value(path, item)?;
                    path.pop();
                }
            }
            Value::Null => {}
            Value::String(text) => self.member(path, text)?,
            Value::Number(number) => self.member(path, &written(number))?,
            other => self.member(path, &other.to_string())?,
        }
        Some(())
    }

    fn member(&mut self, path: &[Step], value: &str) -> Option<()> {
        let name = joined(path, self.is_form);
        self.bytes += name.len() + value.len();
        if self.bytes > BYTES_MAX || self.members.len() == MEMBERS_MAX {
            return None;
        }
        self.members.push((name, value.to_owned()));
        Some(())
    }

    /// The tags of a map that stands where the operation has tags. What stands elsewhere sets none, whatever it is called.
    fn tag(&mut self, path: &[Step], map: &Map<String, Value>) {
        let here = if self.is_form {
            numbered(path)
        } else {
            joined(path, false)
        };
        for Tags { pair, .. } in self.known.iter().filter(|it| it.path == here) {
            let Some((key, value)) = pair else {
                let texts = map
                    .iter()
                    .filter_map(|(key, value)| Some((key, value.as_str()?)));
                let texts = texts.map(|(key, value)| (key.clone(), value.to_owned()));
                self.tags.extend(texts);
                continue;
            };
            let (keys, mut values) = (words(map.get(*key)), words(map.get(*value)));
            if values.is_empty() {
                values.push("");
            }
            for key in keys {
                let pairs = values.iter().map(|it| (key.to_owned(), (*it).to_owned()));
                self.tags.extend(pairs);
            }
        }
    }
}

/// A number as it is mostly written: `9e2` and `900.0` are 900.
fn written(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
            format!("{float:.0}")
        }
        _ => number.to_string(),
    }
}

/// A text, or in XML a list of some: of two, one counts.
fn words(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        value => value.and_then(Value::as_str).into_iter().collect(),
    }
}

/// A path of a form with `#` for each number.
fn numbered(path: &[Step]) -> String {
    let steps = path.iter().flatten();
    let steps = steps.map(|name| if is_number(name) { "#" } else { name.as_str() });
    steps.collect::<Vec<_>>().join(".")
}

/// A path without what counts the items of lists: `Tag.1.Key` and `Tags.member.1.Key` of forms are `Tag.Key` and `Tags.Key`. What
/// could be taken for the marks between names is escaped in them.
fn joined(path: &[Step], is_form: bool) -> String {
    let mut out: Vec<String> = Vec::new();
    for name in path.iter().flatten() {
        if is_form && is_number(name) && !out.is_empty() {
            let lists = ["member", "entry", "Item"];
            if out.len() > 1 && out.last().is_some_and(|it| lists.contains(&it.as_str())) {
                out.pop();
            }
        } else {
            out.push(name.replace('.', "%2E").replace('=', "%3D"));
        }
    }
    out.join(".")
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}
