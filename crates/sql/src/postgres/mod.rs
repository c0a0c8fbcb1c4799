//! PostgreSQL statements, read by PostgreSQL's own grammar (libpg_query, version 18).
//!
//! [`parse`] looks at the text alone, so its result can be kept by exact text. [`resolve`] adds what the catalog knows.
//!
//! The text must be what the server will read: UTF-8 (`client_encoding`), with `standard_conforming_strings = on`. With
//! other settings the server can see other string boundaries than this grammar does, so a gateway pins both.

mod base;
mod builtin;
mod catalog;
mod condition;
mod definition;
mod document;
mod lineage;
mod literal;
mod nesting;
mod outline;
mod place;
mod protected;
mod redefine;
mod resolve;
mod setting;
mod shape;
mod shape_build;
mod shown;
mod slot;
mod statement;
mod taint;
mod tree;
mod utility;
mod walk;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use base::{BaseColumn, BaseColumns, ColumnType, How, OfClass};
pub use catalog::{
    Body, Catalog, CatalogBuilder, CatalogError, Column, Function, Relation, RelationKind,
    Volatility,
};
pub use document::{Document, PLACES_MAX, Place};
pub use lineage::{GUESSES_MAX, Missing};
pub use literal::{Concealed, Held, Hidden, Literals, Parameters, Tokens, all_literals};
pub use outline::{Moves, Outline};
pub use place::place;
pub use protected::{Declaration, Meant, Protected};
pub use resolve::{Called, CalledKind, Resolved, ResolvedEffect, resolve};
pub use shape::Shape;
pub use shown::{CopiedColumn, FieldOrigin, OutputColumn, OutputRule, Rows, Withheld};
pub use statement::{Copy, CopyDirection, CopyPeer, Handle, Output, Statement, Transaction};
pub use taint::{Kind, Member, Members, Taint};

/// The longest text [`parse`] accepts, in bytes. Parsing takes up to 150 times the text in memory.
pub const MAX_TEXT_BYTES: usize = 2 << 20;
/// How deep a statement may nest, counted in brackets and chained operators.
pub const MAX_NESTING: usize = 2_000;
/// The most statements one text may hold.
pub const MAX_STATEMENTS: usize = 10_000;
/// The stack that [`parse`] and [`resolve`] need in the worst case that the limits allow, in bytes.
///
/// Give it to the threads that call them: a stack overflow aborts the process.
pub const STACK_BYTES: usize = 64 << 20;

/// What a text holds, statement by statement. Cheap to clone and share.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The statements in order; none for an empty text.
    pub statements: Arc<[Statement]>,
    /// Where literals begin whose values nothing here depends on, in order; of a single statement.
    loose: Vec<u32>,
}

/// Why a text was not analyzed. Such a text must not reach the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// PostgreSQL's grammar does not accept it.
    #[error("{0}")]
    Syntax(String),
    /// Longer than [`MAX_TEXT_BYTES`].
    #[error(
        "statement text of {bytes} bytes is over the limit of {MAX_TEXT_BYTES}: split it, or load the data with COPY"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Nested deeper than [`MAX_NESTING`].
    #[error(
        "statement nests up to {bound} deep, the limit is {MAX_NESTING}: use fewer brackets or shorter operator chains"
    )]
    TooDeep {
        /// The upper bound found.
        bound: usize,
    },
    /// More than [`MAX_STATEMENTS`].
    #[error(
        "{count} statements in one text are over the limit of {MAX_STATEMENTS}: send them in parts"
    )]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A NUL byte, which the protocol cannot carry either.
    #[error("statement text holds a NUL byte")]
    Nul,
    /// The parse tree could not be decoded.
    #[error("the parse tree could not be read: {0}")]
    Tree(String),
}

impl ParseError {
    fn from_scan(error: pg_query::Error) -> Self {
        match error {
            pg_query::Error::Conversion(_) => Self::Nul,
            pg_query::Error::Decode(error) => Self::Tree(error.to_string()),
            pg_query::Error::Parse(message) | pg_query::Error::Scan(message) => {
                Self::Syntax(message)
            }
            other => Self::Tree(other.to_string()),
        }
    }
}

/// Analyzes a text with any number of statements.
///
/// Needs a stack of [`STACK_BYTES`].
///
/// # Errors
/// The text is not SQL, or over a limit.
pub fn parse(text: &str) -> Result<Analysis, ParseError> {
    parse_as(text, false)
}

/// The same, and what stands with what ([`Statement::literals`]).
///
/// # Errors
/// As [`parse`].
pub fn parse_with_literals(text: &str) -> Result<Analysis, ParseError> {
    parse_as(text, true)
}

fn parse_as(text: &str, with_literals: bool) -> Result<Analysis, ParseError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(ParseError::TooLong { bytes: text.len() });
    }
    nesting::check(text)?;
    let parsed = pg_query::parse(text, 0).map_err(ParseError::from_scan)?;
    let raw = parsed.protobuf.stmts;
    if raw.len() > MAX_STATEMENTS {
        return Err(ParseError::TooMany { count: raw.len() });
    }
    let hinted = is_hinted(text);
    let analyzed = |raw| Statement {
        hinted,
        ..statement::analyze(text, raw, with_literals)
    };
    let statements = raw.iter().map(analyzed).collect();
    let single = match raw.as_slice() {
        [raw] => raw.stmt.as_ref().and_then(|stmt| stmt.node.as_ref()),
        _ => None,
    };
    let loose = single.map_or_else(Vec::new, |node| outline::loose(node.to_ref()));
    Ok(Analysis { statements, loose })
}

/// Whether pg_hint_plan may find hints in a text: by its settings it looks for them in the first comment or anywhere, in strings
/// too.
fn is_hinted(text: &str) -> bool {
    text.contains(HINT)
}

/// How a comment with hints begins.
const HINT: &str = "/*+";
