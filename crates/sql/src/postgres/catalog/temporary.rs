//! Temporary schemas, of which each session has its own.

use super::Catalog;

/// What temporary schemas of sessions are called at their beginning.
const PREFIX: &str = "pg_temp_";
/// How a session calls its own.
const OWN: &str = "pg_temp";

/// Whose temporary schemas are looked at where a name does not say which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Temporary {
    /// All sessions'.
    #[default]
    All,
    /// This one, or none.
    Own(Option<String>),
}

impl Temporary {
    /// Whether a schema as a name has it, if it has one, is that of a relation or function.
    pub(super) fn means(&self, named: Option<&str>, schema: &str) -> bool {
        let sees = || match self {
            Self::All => true,
            Self::Own(own) => own.as_deref() == Some(schema),
        };
        match named {
            None => !schema.starts_with(PREFIX) || sees(),
            Some(OWN) => schema == OWN || schema.starts_with(PREFIX) && sees(),
            Some(named) => named == schema,
        }
    }
}

impl Catalog {
    pub(super) fn has_temporary(&mut self, schema: &str) {
        if schema.starts_with(PREFIX) && !self.temporary.contains(schema) {
            self.temporary.insert(schema.to_owned());
        }
    }

    /// The same as the session sees it whose temporary schema this is, if it has one: what others made in theirs goes by no
    /// name that does not say so. `None` where there is no such thing, or the account may search them.
    #[must_use]
    pub fn seen_by(&self, own: Option<&str>) -> Option<Self> {
        let mut others = self.temporary.iter().filter(|it| Some(it.as_str()) != own);
        others.next().filter(|_| !self.reaches_others)?;
        Some(Self {
            sees: Temporary::Own(own.map(str::to_owned)),
            ..self.clone()
        })
    }
}
