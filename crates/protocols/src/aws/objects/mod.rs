//! What is declared of objects: columns of CSV, members of JSON and elements of XML that hold a class, whatever they look
//! like; and of which objects that is.
//!
//! An object's bucket and key stand in the request. Its content type and tags do not, so a declaration that asks for them
//! fits an object of which they are not known: nothing is shown because it could not be found out.

mod names;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::DataClass;

use super::classify::{Call, Thing};
use super::subresource;
use crate::http::{Head, escape};

pub use names::{BadName, Name, Step};
pub use tags::{TAGS_BYTES_MAX, read as read_tags, request as tags_request};

/// Operations of which the body is an object's content, or a part of it.
pub(super) const OF_CONTENT: [&str; 4] = ["GetObject", "HeadObject", "PutObject", "UploadPart"];

/// What is declared of some objects of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The bucket.
    pub bucket: String,
    /// What their keys begin with; all of them where it is empty.
    pub prefix: String,
    /// Their content type; any where there is none.
    pub content_type: Option<MediaType>,
    /// Tags that they have, all of them.
    pub tags: BTreeMap<String, String>,
    /// How they are written.
    pub form: Form,
    /// What in them holds which class.
    pub names: Vec<(Name, DataClass)>,
}

/// How an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CSV.
    Csv {
        /// What stands between its fields.
        separator: u8,
        /// Whether the first row names the columns; else they are numbered, from 1.
        header: bool,
    },
    /// JSON or JSON Lines.
    Json,
    /// XML.
    Xml,
}

/// A content type without parameters: `text/csv`, or `text/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType(String);

/// What is known of an object beside its name. `None` is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its content type, as a header field has it.
    pub content_type: Option<String>,
    /// Its tags.
    pub tags: Option<BTreeMap<String, String>>,
}

impl MediaType {
    /// Reads one; `None` where it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (kind, sub) = text.split_once('/')?;
        let token = |text: &str| {
            let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
            !text.is_empty() && text.bytes().all(token)
        };
        (token(kind) && (sub == "*" || token(sub))).then(|| Self(text.to_ascii_lowercase()))
    }

    /// Whether an object of this content type is meant.
    fn fits(&self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        match self.0.strip_suffix('*') {
            Some(kind) => essence.starts_with(kind),
            None => essence == self.0,
        }
    }
}

impl Facts {
    /// What is known of the object that a request uploads: what it says of it.
    #[must_use]
    pub fn of_upload(head: &Head) -> Self {
        let tags = match head.fields.one("x-amz-tagging") {
            Some(tags) => escape::pairs(tags).ok().map(|it| it.into_iter().collect()),
            None if head.fields.has("x-amz-tagging") => None,
            None => Some(BTreeMap::new()),
        };
        let content_type = head.fields.one("content-type").map(str::to_owned);
        Self { content_type, tags }
    }

    /// The same with the content type that an answer to `call` tells. A request can ask for another to be told.
    #[must_use]
    pub fn told(&self, content_type: Option<&str>, call: &Call) -> Self {
        let asked = |(name, _): &(String, String)| name == "response-content-type";
        let content_type = content_type.filter(|_| !call.parameters.iter().any(asked));
        Self {
            content_type: content_type.map(str::to_owned),
            tags: self.tags.clone(),
        }
    }
}

impl Declared {
    fn fits(&self, facts: &Facts) -> bool {
        let typed = match (&self.content_type, &facts.content_type) {
            (Some(wanted), Some(told)) => wanted.fits(told),
            _ => true,
        };
        let tagged = match &facts.tags {
            Some(tags) => self
                .tags
                .iter()
                .all(|(key, value)| tags.get(key) == Some(value)),
            None => true,
        };
        typed && tagged
    }
}

/// What is declared of the object whose content a call reads or writes: the first declaration that fits, or may.
#[must_use]
pub fn declared<'a>(all: &'a [Declared], call: &'a Call, facts: &Facts) -> Option<&'a Declared> {
    named(all, call).find(|it| it.fits(facts))
}

/// Whether the tags of the object that a call reads say what is declared of it.
#[must_use]
pub fn asks_tags(all: &[Declared], call: &Call) -> bool {
    let reads = |name: &str| matches!(name, "GetObject" | "HeadObject");
    call.operation.is_some_and(|it| reads(it.name))
        && named(all, call).any(|it| !it.tags.is_empty())
}

/// The declarations that may be of an object that a call names, as what it is done to or as a source.
pub(super) fn touched<'a>(
    all: &'a [Declared],
    call: &'a Call,
) -> impl Iterator<Item = &'a Declared> {
    let fits = |declared: &Declared| {
        call.things.iter().any(|thing| match thing {
            Thing::Object { bucket, key } | Thing::Source { bucket, key } => {
                declared.bucket == *bucket && key.starts_with(&declared.prefix)
            }
            _ => false,
        })
    };
    all.iter().filter(move |it| fits(it))
}

/// The declarations whose bucket and prefix are those of the object, whichever way a server may read its key.
fn named<'a>(all: &'a [Declared], call: &'a Call) -> impl Iterator<Item = &'a Declared> {
    let of_content = |name: &str| OF_CONTENT.contains(&name);
    let is_content =
        call.operation.is_some_and(|it| of_content(it.name)) || subresource::may_be_content(call);
    let fits = |declared: &Declared| {
        call.things.iter().any(|thing| match thing {
            Thing::Object { bucket, key } => {
                declared.bucket == *bucket && key.starts_with(&declared.prefix)
            }
            _ => false,
        })
    };
    all.iter().filter(move |it| is_content && fits(it))
}
