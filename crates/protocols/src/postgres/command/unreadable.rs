//! Texts that cannot be asked about.

use bytes::Bytes;
use sql::postgres::ParseError;

use crate::postgres::wire::write::{self, Words};

/// What is longer than this is no operator that anybody writes.
const OPERATOR_BYTES_MAX: usize = 4;

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

    /// The same, where what is quoted of the text may be a literal, and that a value of a protected column: the answer to the
    /// client is recorded as it is.
    pub(in crate::postgres) fn without_literals(mut self) -> Self {
        let (first, last) = (self.message.find('"'), self.message.rfind('"'));
        let Some((first, last)) = first.zip(last).filter(|(first, last)| first < last) else {
            return self;
        };
        let quoted = first + 1..last;
        let is_word = |c: char| c.is_alphabetic() || matches!(c, '_' | ' ' | ',' | ';' | '(' | ')');
        let inside = self.message.get(quoted.clone()).unwrap_or_default();
        // An operator, and nothing that quotes enclose.
        let is_sign = |c: char| c.is_ascii_punctuation() && !matches!(c, '\'' | '"' | '$');
        let is_operator = inside.len() <= OPERATOR_BYTES_MAX && inside.chars().all(is_sign);
        if !is_operator && !inside.chars().all(is_word) {
            let stars = "*".repeat(inside.chars().count());
            self.message.replace_range(quoted, &stars);
        }
        self
    }
}
