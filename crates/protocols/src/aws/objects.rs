//! What is declared of objects: columns of CSV and members of JSON that hold a class, whatever they look like.

use std::collections::BTreeMap;

use model::DataClass;

use super::classify::{Call, Thing};

/// What is declared of the objects of a bucket whose keys begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The bucket.
    pub bucket: String,
    /// What their keys begin with; all of them where it is empty.
    pub prefix: String,
    /// How they are written, and what in them holds which class, by name.
    pub form: Form,
    /// The classes by name.
    pub names: BTreeMap<String, DataClass>,
}

/// How an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CSV with a header, and what stands between its fields: the names are columns.
    Csv(u8),
    /// JSON or JSON Lines: the names are members, wherever they stand.
    Json,
}

/// What is declared of the object whose content a call reads or writes: the first declaration that fits.
#[must_use]
pub fn declared<'a>(all: &'a [Declared], call: &Call) -> Option<&'a Declared> {
    let of_content = |name: &str| matches!(name, "GetObject" | "HeadObject" | "PutObject");
    if !call.operation.is_some_and(|it| of_content(it.name)) {
        return None;
    }
    let (bucket, key) = call.things.iter().find_map(|thing| match thing {
        Thing::Object { bucket, key } => Some((bucket, key)),
        _ => None,
    })?;
    all.iter()
        .find(|it| it.bucket == *bucket && key.starts_with(&it.prefix))
}
