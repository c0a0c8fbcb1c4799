//! Texts that cannot be asked about.

use bytes::Bytes;
use sql::postgres::ParseError;

use crate::postgres::wire::write::{self, Words};

/// Why a text cannot be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgres) struct Unreadable {
    pub(in crate::postgres) code: &'static str,
    pub(in crate::postgres) message: String,
    /// Where in the text, in characters from 1, where that is certain.
    pub(in crate::postgres) position: Option<usize>,
}

impl Unreadable {
    pub(in crate::postgres) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            position: None,
        }
    }

    /// The ErrorResponse for it.
    pub(in crate::postgres) fn error(&self) -> Bytes {
        let position = self.position.map(|at| at.to_string()).unwrap_or_default();
        write::error(&Words {
            severity: "ERROR",
            code: self.code,
            message: &self.message,
            position: &position,
            ..Words::default()
        })
    }

    /// From what the grammar says of `text`.
    pub(in crate::postgres) fn of(error: &ParseError, text: &str) -> Self {
        let code = match error {
            ParseError::Syntax(_) => "42601",
            ParseError::Nul => "22021",
            ParseError::TooLong { .. }
            | ParseError::TooDeep { .. }
            | ParseError::TooMany { .. } => "54000",
            ParseError::Tree(_) => "0A000",
        };
        let message = error.to_string();
        Self {
            code,
            position: sql::postgres::place(&message, text),
            message,
        }
    }
}
