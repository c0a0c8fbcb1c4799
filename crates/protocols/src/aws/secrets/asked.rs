//! What of a request may not rest: members that its model calls sensitive, and those that the answers' table has.

use mask::{Findings, Masker};
use serde_json::Value;

use super::super::body;
use super::super::classify::Call;
use super::super::table::Tags;
use super::members::{Listed, Members};
use super::own::{ASKED, OWN, SHOWN_ASKED, TEXTS};
use super::xml;

/// What stands in for a value that may not rest.
pub(in super::super) const HIDDEN: &str = "[hidden]";

/// JSON within JSON is read so deep.
const TEXTS_MAX: usize = 3;

/// The members of a request that may not rest.
pub(in super::super) struct Asked {
    listed: Vec<Listed<'static>>,
    tags: Vec<Tags>,
    /// Whether texts that are JSON hold some too.
    in_texts: bool,
}

/// A name on the way to a value, or the number of a form's list.
type Path<'a> = Vec<&'a str>;

impl Asked {
    /// Those of a call.
    pub(in super::super) fn of(call: &Call) -> Self {
        let Some(service) = call.service else {
            return Self {
                listed: Vec::new(),
                tags: Vec::new(),
                in_texts: false,
            };
        };
        let of = |table: &'static [(&str, &[&str])]| {
            let found = table.iter().find(|(name, _)| *name == service.name);
            found.map_or(&[] as &[&str], |(_, members)| members)
        };
        let operation = call.operation.map(|it| it.name);
        let read = |&name: &&'static str| Listed::<'static>::read(name, operation);
        let own = of(&OWN).iter();
        let own = own.filter(|name| !SHOWN_ASKED.contains(&(service.name, **name)));
        let mut listed: Vec<_> = own.chain(of(&ASKED)).filter_map(&read).collect();
        // Of a member that the model calls sensitive, what gives access alone.
        let outers: Vec<_> = listed.iter().filter_map(|it| it.outer).collect();
        let is_outer = |it: &Listed<'_>| {
            let same = |outer: &&str| outer.eq_ignore_ascii_case(it.name);
            outers.iter().any(same)
        };
        let models = service.sensitive.iter().chain(&service.shown_sensitive);
        let models = models.filter_map(read);
        listed.extend(models.filter(|it| !is_outer(it)));
        Self {
            listed,
            tags: call.operation.map_or_else(Vec::new, |it| it.tags.clone()),
            in_texts: TEXTS.contains(&service.name),
        }
    }

    /// Whether what is called so may not rest, wherever it stands.
    pub(in super::super) fn names(&self, name: &str) -> bool {
        let is = |it: &Listed<'_>| it.outer.is_none() && it.name.eq_ignore_ascii_case(name);
        self.listed.iter().any(is)
    }

    /// Whether a value may not rest to which these names lead: the last of them, or one before, is of such a member.
    fn hides(&self, path: &[&str]) -> bool {
        (0..path.len()).any(|last| {
            let (around, name) = (path.get(..last), path.get(last));
            let (Some(around), Some(name)) = (around, name) else {
                return false;
            };
            let is = |listed: &Listed<'_>| {
                let outer = listed.outer;
                listed.name.eq_ignore_ascii_case(name)
                    && outer
                        .is_none_or(|it| around.iter().any(|name| it.eq_ignore_ascii_case(name)))
            };
            self.listed.iter().any(is) && !self.is_tag(around, name)
        })
    }

    /// Whether a name is that of a tag's value, which is called as other members are.
    fn is_tag(&self, around: &[&str], name: &str) -> bool {
        let is_number = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
        let number = |it: &&str| {
            if is_number(it) {
                "#".to_owned()
            } else {
                (*it).to_owned()
            }
        };
        let path = around.iter().map(number).collect::<Vec<_>>().join(".");
        let is = |tags: &Tags| {
            let (_, value) = tags.pair.unwrap_or_default();
            tags.path == path && value == name
        };
        self.tags.iter().any(is)
    }

    /// A form in lines.
    pub(in super::super) fn form(&self, pairs: &[(String, String)]) -> String {
        let pair = |(name, value): &(String, String)| {
            let path: Path<'_> = name.split('.').collect();
            let value = if self.hides(&path) { HIDDEN } else { value };
            format!("{name}={value}")
        };
        pairs.iter().map(pair).collect::<Vec<_>>().join("\n")
    }

    /// JSON, or what reads as such.
    pub(in super::super) fn tree(&self, mut tree: Value) -> Value {
        self.walk(&mut tree, &mut Vec::new(), 0);
        tree
    }

    fn walk<'a>(&self, tree: &'a mut Value, path: &mut Path<'a>, depth: usize) {
        match tree {
            Value::Object(map) => {
                for (name, value) in map {
                    path.push(name);
                    if self.hides(path) {
                        hide(value);
                    } else {
                        self.walk(value, path, depth);
                    }
                    path.pop();
                }
            }
            Value::Array(list) => {
                let mut option = false;
                for value in list {
                    let of_option = option && value.is_string();
                    option = value.as_str().is_some_and(is_option);
                    if of_option {
                        hide(value);
                    } else {
                        self.walk(value, path, depth);
                    }
                }
            }
            Value::String(text) if self.in_texts && depth < TEXTS_MAX => {
                if let Some(tree) = body::json(text.as_bytes()) {
                    let mut inner = tree.clone();
                    self.walk(&mut inner, &mut Vec::new(), depth + 1);
                    if inner != tree {
                        *text = inner.to_string();
                    }
                }
            }
            _ => {}
        }
    }

    /// A document in XML, with stars as long as what may not rest; `None` where it cannot be read.
    pub(in super::super) fn document(&self, bytes: &[u8], masker: &Masker) -> Option<String> {
        let mut members = Members::new(masker);
        for listed in self.listed.iter().filter(|it| it.outer.is_none()) {
            members.hide(listed.name);
        }
        let (mut shown, mut findings) = (Vec::with_capacity(bytes.len()), Findings::counting());
        let mut reader = xml::Xml::new(members, xml::Of::Any);
        reader.push(bytes, &mut shown, &mut findings).ok()?;
        reader.finish(&mut shown, &mut findings);
        String::from_utf8(shown).ok()
    }
}

/// Hides all that is in a value; what its members are called says nothing.
fn hide(value: &mut Value) {
    match value {
        Value::Null => {}
        Value::Object(map) => map.values_mut().for_each(hide),
        Value::Array(list) => list.iter_mut().for_each(hide),
        _ => *value = HIDDEN.into(),
    }
}

/// Whether a word of a command line is an option whose value, the next word, gives access.
fn is_option(word: &str) -> bool {
    const ENDS: [&str; 11] = [
        "accesskey",
        "apikey",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "privatekey",
        "secret",
        "secretkey",
        "token",
    ];
    let Some(name) = word.strip_prefix('-') else {
        return false;
    };
    let name = name.replace(['-', '_', '.'], "").to_ascii_lowercase();
    ENDS.iter().any(|end| name.ends_with(end))
}

/// Words in the names of header fields that no model has and whose values give access.
const WORDS: [&str; 8] = [
    "api-key",
    "apikey",
    "auth",
    "credential",
    "passw",
    "secret",
    "session",
    "token",
];
/// Fields that are addresses, which may hold such in their query.
const ADDRESSES: [&str; 5] = ["content-location", "link", "location", "origin", "referer"];

/// A header field's value as it may rest; `is_known` where AWS has such a field.
pub(in super::super) fn field(name: &str, value: &str, is_known: bool) -> String {
    if ADDRESSES.contains(&name) {
        let end = value.find(['?', '#']);
        let (place, rest) = value
            .split_at_checked(end.unwrap_or(value.len()))
            .unwrap_or_default();
        let user = place.split_once("://").and_then(|(scheme, rest)| {
            let (host, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
            let (_, host) = host.rsplit_once('@')?;
            Some(format!("{scheme}://{host}{path}"))
        });
        let rest = match rest.chars().next() {
            Some(mark) => format!("{mark}{HIDDEN}"),
            None => String::new(),
        };
        return user.unwrap_or_else(|| place.to_owned()) + &rest;
    }
    if !is_known && WORDS.iter().any(|word| name.contains(word)) {
        return HIDDEN.to_owned();
    }
    value.to_owned()
}
