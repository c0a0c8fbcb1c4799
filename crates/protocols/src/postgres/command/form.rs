//! Analyses for texts that differ in values which no analysis looks at.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use sql::postgres::{Analysis, Concealed, Outline, Tokens};

use super::rest::hidden_at_rest;
use super::{Understood, is_planned};
use crate::postgres::settings::Settings;

/// A text that was understood, of which the values of loose literals do not matter: other texts that differ in them alone are
/// understood by it.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) understood: Arc<Understood>,
    /// Which of the literals are loose.
    pub(super) loose: Arc<[bool]>,
    outline: Outline,
    concealed: Concealed,
    /// Where something of it is hidden.
    tokens: Option<Tokens>,
}

impl Form {
    /// Of a text that was understood; `None` where every literal matters, or the text is no plain statement.
    pub(super) fn of(
        outline: &Outline,
        analysis: &Analysis,
        understood: &Arc<Understood>,
        concealed: Concealed,
    ) -> Option<Self> {
        let ([piece], [parsed]) = (&*understood.pieces, &*understood.parsed) else {
            return None;
        };
        let statement = &piece.statement;
        let plain =
            is_planned(statement) && statement.inner.is_none() && statement.handle.is_none();
        if !plain || understood.own || piece.stale || !Arc::ptr_eq(statement, parsed) {
            return None;
        }
        let text = std::str::from_utf8(&understood.text).ok()?;
        let loose = outline.loose(text, analysis)?;
        let tokens = Tokens::of(text).filter(|tokens| outline.agrees(tokens))?;
        Some(Self {
            understood: Arc::clone(understood),
            loose: loose.into(),
            outline: outline.clone(),
            tokens: (!concealed.is_empty()).then_some(tokens),
            concealed,
        })
    }

    /// Another text of the same outline, with the same literals where these are not loose.
    pub(super) fn filled(&self, text: &str, outline: &Outline, settings: &Settings) -> Understood {
        let before = &*self.understood;
        let moves = self.outline.moves(outline);
        let (mut pieces, mut parsed) = (before.pieces.clone(), Arc::clone(&before.parsed));
        let mut concealed = Cow::Borrowed(&self.concealed);
        let mut tokens = self.tokens.as_ref().map(Cow::Borrowed);
        if !moves.is_nothing() {
            for piece in &mut pieces {
                piece.statement = Arc::new(piece.statement.moved(&moves));
            }
            parsed = pieces.iter().map(|it| Arc::clone(&it.statement)).collect();
            concealed = Cow::Owned(concealed.moved(&moves));
            tokens = tokens.map(|tokens| Cow::Owned(tokens.moved(&moves)));
        }
        let hidden = tokens.map(|tokens| concealed.hidden_of(text, &tokens));
        // A copy: a slice would keep alive the whole piece that the text came in.
        let text = Bytes::copy_from_slice(text.as_bytes());
        let masker = settings.masks(&BTreeSet::new()).at_rest;
        let (shown, echo) = hidden_at_rest(&masker, &text, &hidden.unwrap_or_default());
        Understood {
            text,
            shown,
            echo: echo.map(Arc::new),
            held: before.held.clone(),
            tag: Arc::clone(&before.tag),
            pieces,
            asks: Arc::clone(&before.asks),
            prepare: Arc::clone(&before.prepare),
            parsed,
            known: Weak::clone(&before.known),
            own: false,
            distrusted: OnceLock::new(),
        }
    }
}
