//! What is declared of a database: columns, and places in the JSON that they hold.

use std::fmt;

use model::{BadJsonPath, JsonPath};

/// A column that is declared to hold a class, or a place in the JSON that it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declared {
    /// The column's schema.
    pub schema: String,
    /// Its table.
    pub table: String,
    /// Its name.
    pub column: String,
    /// Where in its JSON; `None` for all of it.
    pub path: Option<JsonPath>,
}

/// A text that names no column, and no place in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadDeclared {
    /// It is no column.
    #[error(
        "is not a column: write \"schema.table.column\" = \"class\", or \"schema.table.column$.path\" for a place in its JSON, \
         the key in quotes"
    )]
    Column,
    /// What stands behind the column is no path.
    #[error(transparent)]
    Path(#[from] BadJsonPath),
}

impl Declared {
    /// `schema.table.column`.
    #[must_use]
    pub fn column(&self) -> String {
        format!("{}.{}.{}", self.schema, self.table, self.column)
    }
}

impl TryFrom<&str> for Declared {
    type Error = BadDeclared;

    fn try_from(text: &str) -> Result<Self, BadDeclared> {
        let path = text.find("$.").into_iter().chain(text.find("$[")).min();
        let (column, path) = text.split_at(path.unwrap_or(text.len()));
        let parts: Vec<&str> = column.split('.').collect();
        let (&[schema, table, column], true) =
            (parts.as_slice(), parts.iter().all(|part| !part.is_empty()))
        else {
            return Err(BadDeclared::Column);
        };
        let path = (!path.is_empty()).then(|| JsonPath::try_from(path));
        Ok(Self {
            schema: schema.to_owned(),
            table: table.to_owned(),
            column: column.to_owned(),
            path: path.transpose()?,
        })
    }
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.schema, self.table, self.column)?;
        self.path.iter().try_for_each(|path| path.fmt(f))
    }
}
