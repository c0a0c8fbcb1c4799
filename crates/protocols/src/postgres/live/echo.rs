//! What the upstream says back of what the client wrote rests as that does.

use std::sync::Arc;

use bytes::Bytes;

use super::Live;
use crate::postgres::command::{Echo, Piece, Quoting, Understood};

/// Commands of which is kept what was hidden of them, for definitions and plans that are read later.
const ECHOES_MAX: usize = 64;

/// A message for the client.
pub(super) struct Said {
    pub(super) shown: Bytes,
    /// How it rests, where it does not as it is shown.
    pub(super) resting: Option<Bytes>,
}

impl Live {
    /// Keeps what is hidden of a command that may be read back: it defines something, or is kept itself.
    pub(super) fn remember(&mut self, understood: &Understood, prepared: bool) {
        let Some(echo) = &understood.echo else { return };
        let mut pieces = understood.pieces.iter();
        if !prepared && !pieces.any(|piece| piece.unsettles() || piece.is_kept()) {
            return;
        }
        if self.echoes.iter().any(|kept| kept == echo) {
            return;
        }
        if self.echoes.len() >= ECHOES_MAX {
            self.echoes.pop_front();
        }
        self.echoes.push_back(Arc::clone(echo));
    }

    /// How the rows of a statement quote what the session wrote, if anything is hidden of that.
    pub(super) fn quoting(&self, piece: &Piece, echo: Option<&Arc<Echo>>) -> Option<Quoting> {
        let nothing = self.echoes.is_empty() && echo.is_none();
        if nothing || !(piece.is_plan() || piece.quotes_statements()) {
            return None;
        }
        let echoes = self.echoes.iter().chain(echo);
        let all = Echo::together(echoes.map(|echo| &**echo));
        let plan = piece.is_plan() && (echo.is_some() || piece.plans_other());
        Some(Quoting::new(all, plan))
    }

    pub(super) fn say(&mut self, said: Said) {
        match said.resting {
            Some(resting) => self.out.append_resting(&said.shown, resting),
            None => self.out.append(&said.shown),
        }
    }

    /// Shows rows of a command.
    pub(super) fn show_rows(&mut self, seq: u64, shown: &Bytes) {
        let running = self.running.get_mut(&seq);
        match running.and_then(|running| running.quoting.as_mut()) {
            Some(quoting) => {
                let resting = quoting.rows(shown);
                self.out.append_resting(shown, resting);
            }
            None => self.out.put(shown),
        }
    }
}
