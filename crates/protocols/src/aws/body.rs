//! Parameters in bodies: forms and trees of values. What could be read in two ways is not read.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::classify::Thing;

/// Things that one request may name; of more, none is told.
const THINGS_MAX: usize = 1_024;
/// A parameter's value that policy may look at is at most so long, in bytes.
const VALUE_BYTES_MAX: usize = 1_024;

/// The parameters of a request.
pub(super) enum Parameters {
    /// Names and values, each name once.
    Form(Vec<(String, String)>),
    /// JSON or CBOR.
    Tree(Value),
}

impl Parameters {
    /// A form's. `None` where a name stands twice.
    pub(super) fn form(mut pairs: Vec<(String, String)>) -> Option<Self> {
        pairs.sort();
        let twice = pairs.windows(2).any(|pair| match pair {
            [(one, _), (other, _)] => one == other,
            _ => false,
        });
        (!twice).then_some(Self::Form(pairs))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self {
            Self::Form(pairs) => pairs
                .iter()
                .find(|(it, _)| it == name)
                .map(|(_, value)| value.as_str()),
            Self::Tree(value) => value.get(name)?.as_str(),
        }
    }

    /// The values under a key, as the table writes keys: `X`, `X.*` for the keys of a map, `*.X` for every X however deep.
    fn values(&self, key: &str) -> Vec<&str> {
        match self {
            Self::Form(pairs) => pairs
                .iter()
                .filter(|(name, _)| {
                    name.strip_prefix(key)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                })
                .map(|(_, value)| value.as_str())
                .collect(),
            Self::Tree(tree) => {
                let mut found = Vec::new();
                if let Some(key) = key.strip_prefix("*.") {
                    deep(tree, key, &mut found);
                } else if let Some(key) = key.strip_suffix(".*") {
                    let keys = tree.get(key).and_then(Value::as_object);
                    found.extend(keys.into_iter().flat_map(Map::keys).map(String::as_str));
                } else if let Some(value) = tree.get(key) {
                    texts(value, &mut found);
                }
                found
            }
        }
    }

    /// What the keys name: their values joined, one thing for each value of a list.
    pub(super) fn things(&self, keys: &[&str]) -> Vec<Thing> {
        let mut names = vec![(String::new(), String::new())];
        for key in keys {
            let values = self.values(key);
            if values.is_empty() {
                continue;
            }
            if names.len().saturating_mul(values.len()) > THINGS_MAX {
                return Vec::new();
            }
            let join = |before: &str, value: &str| match before {
                "" => value.to_owned(),
                before => format!("{before}/{value}"),
            };
            names = names
                .iter()
                .flat_map(|(name, given)| {
                    values
                        .iter()
                        .map(move |value| (join(name, short(value)), join(given, value)))
                })
                .collect();
        }
        names
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, given)| Thing::Named { name, given })
            .collect()
    }

    /// The keys with their values, for policy to look at.
    pub(super) fn shown(&self, keys: &[&str]) -> Vec<(String, String)> {
        let mut shown = Vec::new();
        for key in keys {
            for value in self.values(key) {
                if value.len() <= VALUE_BYTES_MAX && shown.len() < THINGS_MAX {
                    shown.push(((*key).to_owned(), value.to_owned()));
                }
            }
        }
        shown
    }
}

fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(list) => list.iter().for_each(|value| texts(value, found)),
        _ => {}
    }
}

fn deep<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if name == key {
                    texts(value, found);
                }
                deep(value, key, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| deep(value, key, found)),
        _ => {}
    }
}

/// The name in an ARN or in a queue's URL; anything else is a name already.
pub(super) fn short(value: &str) -> &str {
    if let Some(rest) = value.strip_prefix("arn:") {
        let resource = rest.splitn(5, ':').nth(4).unwrap_or(value);
        let after = |sign| resource.split_once(sign).map(|(_, name)| name);
        return after('/').or_else(|| after(':')).unwrap_or(resource);
    }
    if value.starts_with("https://") || value.starts_with("http://") {
        return value.rsplit('/').next().unwrap_or(value);
    }
    value
}

/// JSON in which no member stands twice; `None` for anything else.
pub(super) fn json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Strict>(bytes)
        .ok()
        .map(|strict| strict.0)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON in which no member stands twice")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if map.insert(name, value).is_some() {
                return Err(de::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}
