//! What the client sends, as it may rest: in the recording, in the ledger, before approvers. Nothing is revealed there, and
//! the masker is always [`crate::postgres::settings::Masks::at_rest`].

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use mask::{Findings, Hint, Masker, Outcome};
use sql::postgres::{Concealed, Held, Hidden, MAX_TEXT_BYTES, Parameters, all_literals};

use super::Piece;
use super::echo::Echo;
use crate::postgres::known::Known;
use crate::postgres::settings::Settings;

/// Text of which nothing else is known: what is found in it is masked.
pub(in crate::postgres) fn at_rest(masker: &Masker, text: &Bytes) -> Bytes {
    let mut out = Vec::new();
    match masker.mask_text(Hint::NONE, text, &mut out, &mut Findings::counting()) {
        Outcome::Clean => text.clone(),
        Outcome::Masked => out.into(),
        Outcome::Null | Outcome::Withheld => told_by_length(text),
    }
}

/// A value of a protected column: it is masked whatever it looks like.
pub(in crate::postgres) fn held_at_rest(masker: &Masker, held: &Held, value: &[u8]) -> Bytes {
    let mut out = Vec::new();
    let outcome = match held {
        Held::Of(class) => masker.mask_declared(class, value, &mut out, &mut Findings::counting()),
        Held::Any => Outcome::Withheld,
    };
    if outcome == Outcome::Masked {
        return out.into();
    }
    let chars = String::from_utf8_lossy(value).chars().count();
    "*".repeat(chars).into()
}

/// What may rest of a text.
#[derive(Debug, Clone)]
pub(super) struct Resting {
    /// The text.
    pub(super) shown: Bytes,
    /// Its parameters that may be values of protected columns.
    pub(super) held: Parameters,
    /// What is hidden of it.
    pub(super) echo: Option<Arc<Echo>>,
}

impl Resting {
    /// Of a text of which this is to be hidden.
    pub(super) fn of(text: &Bytes, concealed: &Concealed, settings: &Settings) -> Self {
        let masker = settings.masks(&BTreeSet::new()).at_rest;
        let (shown, echo) = statement_at_rest(&masker, text, concealed);
        Self {
            shown,
            held: concealed.parameters.clone(),
            echo: echo.map(Arc::new),
        }
    }
}

/// What is to be hidden of a text where it rests. Where the names are not `known`, because
/// something before may have changed what they mean, any of its values may be.
pub(super) fn concealed(pieces: &[Piece], known: Option<&Known>) -> Concealed {
    let mut concealed = Concealed::default();
    let mut known = known;
    for piece in pieces {
        let statement = &piece.statement;
        concealed.append(match known {
            Some(known) => statement.conceal(&known.catalog, &known.protected),
            None => statement.conceal_all(),
        });
        known = known.filter(|known| known.protected.is_empty() || !piece.recasts());
    }
    concealed
}

/// Literals that may be values of protected columns are masked in their quotes, then what else is found.
fn statement_at_rest(
    masker: &Masker,
    text: &Bytes,
    concealed: &Concealed,
) -> (Bytes, Option<Echo>) {
    if concealed.is_empty() {
        return (at_rest(masker, text), None);
    }
    let hidden = std::str::from_utf8(text)
        .ok()
        .and_then(|utf8| concealed.hidden(utf8));
    let Some(hidden) = hidden else {
        let whole = std::iter::once(&**text);
        return (told_by_length(text), Echo::of(whole));
    };
    hidden_at_rest(masker, text, &hidden)
}

/// The same where it is known what is hidden.
pub(super) fn hidden_at_rest(
    masker: &Masker,
    text: &Bytes,
    hidden: &[Hidden],
) -> (Bytes, Option<Echo>) {
    if hidden.is_empty() {
        return (at_rest(masker, text), None);
    }
    let values = hidden.iter();
    let values = values.filter_map(|one| text.get(one.range.clone()));
    let shown = at_rest(masker, &without(masker, text, hidden));
    (shown, Echo::of(values))
}

/// A text that could not be read as statements, where columns are declared: any literal may be a value of one.
pub(in crate::postgres) fn unreadable_at_rest(masker: &Masker, text: &Bytes) -> Bytes {
    let utf8 = std::str::from_utf8(text).ok();
    let utf8 = utf8.filter(|utf8| utf8.len() <= MAX_TEXT_BYTES);
    match utf8.and_then(all_literals) {
        Some(hidden) => at_rest(masker, &without(masker, text, &hidden)),
        None => told_by_length(text),
    }
}

fn without(masker: &Masker, text: &Bytes, hidden: &[Hidden]) -> Bytes {
    let mut out = Vec::with_capacity(text.len());
    let mut done = 0;
    for Hidden { range, held } in hidden {
        let value = text.get(range.clone()).unwrap_or_default();
        out.extend_from_slice(text.get(done..range.start).unwrap_or_default());
        out.extend_from_slice(&held_at_rest(masker, held, value));
        done = range.end;
    }
    out.extend_from_slice(text.get(done..).unwrap_or_default());
    out.into()
}

/// What cannot be masked in place.
fn told_by_length(data: &[u8]) -> Bytes {
    format!("<{} bytes>", data.len()).into()
}
