//! Names that mean nothing, of which the server will say so.

use std::fmt;

use super::super::slot::column_of;
use super::{Lineage, SYSTEM_COLUMNS};
use crate::Name;

/// A name that means nothing by the catalog, in the server's words (`parse_relation.c`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// No relation is called so.
    Relation(Name),
    /// Nothing in scope has a column called so.
    Column(Vec<String>),
    /// Nothing in scope goes by the name that stands before a column.
    Item(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relation(Name { schema, name, .. }) => match schema {
                Some(schema) => write!(f, "relation \"{schema}.{name}\" does not exist"),
                None => write!(f, "relation \"{name}\" does not exist"),
            },
            Self::Column(path) => match path.as_slice() {
                [name] => write!(f, "column \"{name}\" does not exist"),
                path => write!(f, "column {} does not exist", path.join(".")),
            },
            Self::Item(name) => write!(f, "missing FROM-clause entry for table \"{name}\""),
        }
    }
}

impl Lineage<'_> {
    /// Notes it, where it stands in the statement itself and not in a body that this calls.
    pub(super) fn misses(&mut self, missing: Missing) {
        if self.depth == 0 && self.missing.is_none() {
            self.missing = Some(missing);
        }
    }

    /// Notes a column that is not there. Whether a function of the name was looked for is for the caller to know.
    pub(super) fn misses_column(&mut self, path: &[String]) {
        let missing = match path {
            [] => return,
            [_] if self.found(path).is_some() => return,
            [_] => Missing::Column(path.to_vec()),
            [qualifier @ .., name] => match self.bounds_of(qualifier).next() {
                None => Missing::Item(qualifier.join(".")),
                Some((false, _)) => return,
                Some((true, bound)) if column_of(&bound.slots, name).is_some() => return,
                Some(_) if SYSTEM_COLUMNS.contains(&name.as_str()) => return,
                Some(_) => Missing::Column(path.to_vec()),
            },
        };
        self.misses(missing);
    }
}
