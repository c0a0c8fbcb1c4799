//! Names of relations and functions, as a statement spells them.

use std::fmt;

/// A name with as many qualifiers as the statement gave; parts are unquoted and folded as the database does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The database, when given. PostgreSQL accepts only the current one.
    pub catalog: Option<String>,
    /// The schema, when given.
    pub schema: Option<String>,
    /// The name itself.
    pub name: String,
}

impl Name {
    /// An unqualified name.
    pub fn bare(name: impl Into<String>) -> Self {
        Self {
            catalog: None,
            schema: None,
            name: name.into(),
        }
    }

    /// A name in a schema.
    pub fn qualified(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            catalog: None,
            schema: Some(schema.into()),
            name: name.into(),
        }
    }

    /// From parts, outermost first, as `catalog.schema.name`; `None` when there are none or more than three.
    #[must_use]
    pub fn from_parts(mut parts: Vec<String>) -> Option<Self> {
        let name = parts.pop()?;
        let schema = parts.pop();
        let catalog = parts.pop();
        parts.is_empty().then_some(Self {
            catalog,
            schema,
            name,
        })
    }

    /// Whether the name is unqualified, or in `pg_catalog`, so that it can mean a built-in.
    #[must_use]
    pub fn may_be_builtin(&self) -> bool {
        self.schema
            .as_deref()
            .is_none_or(|schema| schema == "pg_catalog")
    }
}

/// Dotted, without quotes: for people, not for SQL.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.catalog, &self.schema].into_iter().flatten() {
            write!(f, "{part}.")?;
        }
        f.write_str(&self.name)
    }
}

/// A part of a name: as it is where it is a plain lower-case identifier, else as SQL quotes it.
#[must_use]
pub fn quoted(part: &str) -> String {
    let mut chars = part.chars();
    let starts = chars
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    if starts && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '$')
    {
        part.to_owned()
    } else {
        format!("\"{}\"", part.replace('"', "\"\""))
    }
}
