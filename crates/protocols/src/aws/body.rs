//! Parameters in bodies: forms, JSON and CBOR. What could be read in two ways is not read.

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::cbor;
use super::classify::Thing;
use super::home::Home;
use super::seek::{self, Names, Place, Seeker};
use crate::http::escape;

/// Things that one request may name; one that names more is opaque.
pub(super) const THINGS_MAX: usize = 1_024;
/// And their names are at most so long together, in bytes: joined, one long value would stand in each of many.
const NAMES_BYTES_MAX: usize = 4 << 20;
/// A parameter's value that policy may look at is at most so long, in bytes.
const VALUE_BYTES_MAX: usize = 1_024;

/// The key that stands for the service itself.
const SERVICE: &str = "!";

/// The parameters of a request that are looked for, with their values.
pub(super) struct Parameters {
    found: Vec<(&'static str, Vec<String>)>,
    /// Whether the request is about the service itself too, whatever it names.
    service: bool,
}

impl Parameters {
    /// Those in JSON or, where `is_cbor` says so, in CBOR. `None` where it cannot be read, or in two ways.
    pub(super) fn tree(body: &[u8], keys: &[&'static str], is_cbor: bool) -> Option<Self> {
        let (service, keys) = (keys.contains(&SERVICE), without_service(keys));
        let mut seeker = Seeker::new(&keys);
        let read = match body {
            [] => Some(()),
            body if is_cbor => cbor::walk(body, &mut seeker),
            body => walk(body, &mut seeker),
        };
        let found = read.and_then(|()| seeker.found())?;
        Some(Self { found, service })
    }

    /// Those in a form. `None` where something stands below a name of which the model has nothing there.
    pub(super) fn form(form: &Form<'_>, keys: &[&'static str]) -> Option<Self> {
        let (service, keys) = (keys.contains(&SERVICE), without_service(keys));
        let mut seeker = Seeker::new(&keys);
        form.each(|name, value| seeker.pair(name, value));
        let found = seeker.found()?;
        Some(Self { found, service })
    }

    /// What they name: their values joined, one thing for each value of a list, and one for each value that stands beside.
    /// `None` where that is too much to be told.
    pub(super) fn things(&self, home: &Home<'_>) -> Option<Vec<Thing>> {
        let mut names = vec![(String::new(), String::new())];
        let mut beside = Vec::new();
        let mut accounts = Vec::new();
        let mut service = self.service;
        for (key, values) in &self.found {
            let values: &[String] = values;
            match key.as_bytes().first() {
                Some(b'@') => accounts.extend(values),
                Some(b'!') => service |= !values.is_empty(),
                Some(b'+' | b'~') => {
                    beside.extend(values.iter().map(|it| (home.name(it), it.clone())));
                }
                _ if values.is_empty() => {}
                _ => names = joined(&names, values, home)?,
            }
        }
        names.extend(beside);
        names.retain(|(name, _)| !name.is_empty());
        accounts.retain(|it: &&String| !it.is_empty() && !home.owns(it));
        accounts.dedup();
        if let Some((account, others)) = accounts.split_first() {
            // What is no account would read as something that the things stand in.
            if !others.is_empty() || !is_account(account) {
                return None;
            }
            if names.is_empty() {
                names.push((String::new(), String::new()));
            }
            for (name, given) in &mut names {
                *name = format!("{account}/{name}");
                *given = format!("{account}/{given}");
            }
        }
        let length: usize = names.iter().map(|(_, given)| given.len()).sum();
        if names.len() > THINGS_MAX || length > NAMES_BYTES_MAX {
            return None;
        }
        let named = |(name, given)| Thing::Named { name, given };
        let mut things: Vec<Thing> = names.into_iter().map(named).collect();
        if service {
            things.push(Thing::Service);
        }
        Some(things)
    }

    /// They with their values, for policy to look at.
    pub(super) fn shown(&self) -> Vec<(String, String)> {
        let mut shown = Vec::new();
        for (key, values) in &self.found {
            for value in values {
                if value.len() <= VALUE_BYTES_MAX && shown.len() < THINGS_MAX {
                    shown.push((seek::base(key).to_owned(), value.clone()));
                }
            }
        }
        shown
    }
}

/// The keys of an operation that name members; those behind `@` say of which account its things are.
fn without_service(keys: &[&'static str]) -> Vec<&'static str> {
    let keys = keys.iter().copied();
    keys.filter(|key| *key != SERVICE).collect()
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

type Named = (String, String);

/// Each name with each value behind it. `None` where that is too much to be told.
fn joined(names: &[Named], values: &[String], home: &Home<'_>) -> Option<Vec<Named>> {
    let length = |text: &String| text.len();
    let longest = names.iter().map(|(_, given)| length(given)).max();
    let longest = longest.unwrap_or_default() + values.iter().map(length).max()?;
    let count = names.len().saturating_mul(values.len());
    if count > THINGS_MAX || count.saturating_mul(longest) > NAMES_BYTES_MAX {
        return None;
    }
    let join = |before: &str, value: &str| match before {
        "" => value.to_owned(),
        before => format!("{before}/{value}"),
    };
    let all = names.iter().flat_map(|(name, given)| {
        values
            .iter()
            .map(move |value| (join(name, &home.name(value)), join(given, value)))
    });
    Some(all.collect())
}

/// Whether a form's parameter is called as models call them. What a server would trim, and other spellings of what says which
/// operation it is, could be read in two ways.
fn is_name(name: &str) -> bool {
    let says = ["Action", "Version"];
    let other = |it: &&str| name != *it && name.eq_ignore_ascii_case(it);
    name.bytes().all(|byte| byte.is_ascii_graphic()) && !says.iter().any(other)
}

/// A form whose names stand there once each: what is in the query, and what is in the body.
pub(super) struct Form<'a> {
    query: &'a [(String, String)],
    body: &'a str,
}

impl<'a> Form<'a> {
    /// `None` where it cannot be read, or in two ways.
    pub(super) fn new(query: &'a [(String, String)], body: &'a str) -> Option<Self> {
        let mut names = Names::default();
        let mut add = |name: &str| is_name(name) && names.add(name);
        let once = query.iter().all(|(name, _)| add(name));
        let once =
            once && escape::each_pair(body).all(|pair| pair.is_ok_and(|(name, _)| add(&name)));
        once.then_some(Self { query, body })
    }

    /// The value of the parameter of this name.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let mut found = None;
        self.each(|it, value| {
            if it == name {
                found = Some(value.to_owned());
            }
        });
        found
    }

    fn each(&self, mut see: impl FnMut(&str, &str)) {
        for (name, value) in self.query {
            see(name, value);
        }
        for (name, value) in escape::each_pair(self.body).flatten() {
            see(&name, &value);
        }
    }
}

/// Reads JSON in which no member stands twice, for what is looked for; `None` for anything else.
fn walk(bytes: &[u8], seeker: &mut Seeker<'_>) -> Option<()> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let walk = Walk {
        seeker,
        place: Place::default(),
    };
    walk.deserialize(&mut json).ok()?;
    json.end().ok()
}

/// A value that is walked.
struct Walk<'s, 'k> {
    seeker: &'s mut Seeker<'k>,
    place: Place,
}

impl Walk<'_, '_> {
    /// A whole number, which some servers take for the text that a model has there.
    fn number(self, value: &dyn fmt::Display) {
        if self.place.wants_text() {
            self.seeker.text(self.place, &value.to_string());
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON in which no member stands twice")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.seeker.other(self.place);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.number(&value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.number(&value);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.seeker.other(self.place);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.seeker.text(self.place, value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let place = self.place.element();
        loop {
            let seeker = &mut *self.seeker;
            if list.next_element_seed(Walk { seeker, place })?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = Names::default();
        loop {
            let name = Name {
                seeker: &mut *self.seeker,
                place: self.place,
                names: &mut names,
            };
            let Some(place) = members.next_key_seed(name)? else {
                return Ok(());
            };
            let seeker = &mut *self.seeker;
            members.next_value_seed(Walk { seeker, place })?;
        }
    }
}

/// The name of a member, which leads to its place.
struct Name<'s, 'k> {
    seeker: &'s mut Seeker<'k>,
    place: Place,
    names: &'s mut Names,
}

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Place;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Place, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Place, E> {
        if !self.names.add(name) {
            return Err(E::custom("a member stands twice"));
        }
        Ok(self.seeker.member(self.place, name))
    }
}

/// JSON in which no member stands twice, as a tree, so only for what is short; `None` for anything else.
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
