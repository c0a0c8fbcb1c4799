//! What statements are understood to do, told without a session.

use std::sync::Arc;

use bytes::Bytes;
use model::Asks;
use sql::postgres::Handle;
pub use sql::postgres::{BaseColumn, BaseColumns, OutputColumn, Resolved, STACK_BYTES};

use super::command::{Analyses, Behind, Handles, Piece};
use super::known::Known;
use super::settings::Settings;

/// What a text asks of policy, and what its statements do.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What policy is asked before it runs.
    pub asks: Arc<Asks>,
    /// Its statements: the command tag of each, and what it does and returns.
    pub statements: Vec<(String, Arc<Resolved>)>,
    /// Declared columns that are not in the database.
    pub missing: Vec<String>,
}

/// Reads a text as a session would that has prepared nothing and declared no cursor. Needs a stack of
/// [`sql::postgres::STACK_BYTES`].
///
/// # Errors
/// Why the text would be refused as it stands.
pub fn explain(text: &str, settings: &Settings, known: &Arc<Known>) -> Result<Explained, String> {
    let text = Bytes::copy_from_slice(text.as_bytes());
    let understood = Analyses::new(0).understand(&text, settings, known, &NoHandles);
    let understood = understood.map_err(|unreadable| unreadable.message)?;
    let statement = |piece: &Piece| {
        let tag = piece.statement.tag.to_owned();
        (tag, Arc::clone(&piece.resolved))
    };
    Ok(Explained {
        asks: Arc::clone(&understood.asks),
        statements: understood.pieces.iter().map(statement).collect(),
        missing: known.protected.missing_names(),
    })
}

/// Names of a session that has none.
struct NoHandles;

impl Handles for NoHandles {
    fn find(&self, _: &Handle) -> Option<Behind> {
        None
    }
}
