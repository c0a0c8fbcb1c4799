//! Analyses kept by exact text, and by what is left of it without values that no analysis looks at, so that a repeated statement
//! costs a look-up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use model::DataClass;
use sql::postgres::{Analysis, Concealed, GUESSES_MAX, Handle, Outline, Output, Statement};

use super::form::Form;
use super::generations::Generations;
use super::rest::{Resting, concealed};
use super::{
    Behind, Handles, Known, NAME_TOO_LONG, Piece, Understood, Unreadable, asks, forbidden_setting,
    is_planned, resolve,
};
use crate::postgres::names::Key;
use crate::postgres::settings::Settings;

/// A kept analysis counts as so many bytes for each byte of its text, and [`ENTRY_BYTES`] more.
const BYTES_PER_TEXT_BYTE: usize = 40;
/// What a kept analysis costs at least, in bytes.
const ENTRY_BYTES: usize = 4 << 10;
/// What it costs to keep which literals of an outline are loose, beside their number and the outline's length.
const LOOSE_BYTES: usize = 256;
/// Texts longer than this are not kept: they are bulk, and do not come again.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Analyses of one target's statements, shared by its sessions and bounded in bytes.
#[derive(Debug)]
pub struct Analyses(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    /// By exact text.
    texts: Generations<Arc<Understood>>,
    /// Which literals are loose, by outline.
    loose: Generations<Arc<[bool]>>,
    /// By outline and the literals that are not loose.
    forms: Generations<Arc<Form>>,
}

impl Analyses {
    /// Keeps at most about `bytes_max` bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        let half = bytes_max / 2;
        Self(Mutex::new(Kept {
            texts: Generations::new(half),
            loose: Generations::new(half / 8),
            forms: Generations::new(half - half / 8),
        }))
    }

    /// Parses and resolves a text, or finds that it was done before.
    pub(in crate::postgres) fn understand(
        &self,
        text: &Bytes,
        settings: &Settings,
        known: &Arc<Known>,
        handles: &dyn Handles,
    ) -> Result<Arc<Understood>, Unreadable> {
        if let Some(found) = self.find(text, known) {
            return Ok(found);
        }
        let outlined = std::str::from_utf8(text).ok();
        let outlined = outlined.and_then(|text| Some((text, Outline::of(text)?)));
        if let Some((text, outline)) = &outlined
            && let Some(form) = self.form(text, outline, known)
        {
            return Ok(Arc::new(form.filled(text, outline, settings)));
        }
        let (parsed, analysis) = Parsed::of(text, settings)?;
        let (understood, concealed) = self.resolved(&parsed, settings, known, handles)?;
        if let Some((text, outline)) = &outlined
            && !known.is_private()
            && let Some(form) = Form::of(outline, &analysis, &understood, concealed)
        {
            self.lock().keep_form(text, outline, Arc::new(form));
        }
        Ok(understood)
    }

    /// What texts of this outline, with its fixed literals, are understood by.
    pub(super) fn form(
        &self,
        text: &str,
        outline: &Outline,
        known: &Arc<Known>,
    ) -> Option<Arc<Form>> {
        let mut kept = self.lock();
        let loose = kept.loose.find(outline.key(), |_| true)?;
        let key = outline.key_of(text, &loose);
        let is_it = |form: &Arc<Form>| form.loose == loose && form.understood.is_of(known);
        kept.forms.find(&key, is_it)
    }

    /// Resolves what was parsed before, unless that was done by the same catalog.
    pub(in crate::postgres) fn again(
        &self,
        before: &Arc<Understood>,
        settings: &Settings,
        known: &Arc<Known>,
        handles: &dyn Handles,
    ) -> Result<Arc<Understood>, Unreadable> {
        if !before.own {
            if before.is_of(known) {
                return Ok(Arc::clone(before));
            }
            if let Some(found) = self.find(&before.text, known) {
                return Ok(found);
            }
        }
        let parsed = Parsed {
            text: before.text.clone(),
            statements: Arc::clone(&before.parsed),
        };
        let (understood, _) = self.resolved(&parsed, settings, known, handles)?;
        Ok(understood)
    }

    fn resolved(
        &self,
        parsed: &Parsed,
        settings: &Settings,
        known: &Arc<Known>,
        handles: &dyn Handles,
    ) -> Result<(Arc<Understood>, Concealed), Unreadable> {
        let (understood, concealed) = understand(parsed, settings, known, handles)?;
        let understood = Arc::new(understood);
        // What depends on the session's own names is not for others.
        let private = understood.own || known.is_private();
        if !private && understood.text.len() <= TEXT_BYTES_MAX {
            self.lock().keep(&understood);
        }
        Ok((understood, concealed))
    }

    /// How many texts and forms are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let kept = self.lock();
        kept.texts.len() + kept.loose.len() + kept.forms.len()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, text: &Bytes, known: &Arc<Known>) -> Option<Arc<Understood>> {
        self.lock().texts.find(text, |found| found.is_of(known))
    }
}

impl Kept {
    fn keep(&mut self, understood: &Arc<Understood>) {
        // The key is a copy: a slice would keep alive the whole piece that the text came in.
        let key = Bytes::copy_from_slice(&understood.text);
        let bytes = bytes_of(key.len());
        self.texts.insert(key, Arc::clone(understood), bytes);
    }

    fn keep_form(&mut self, text: &str, outline: &Outline, form: Arc<Form>) {
        let loose = Arc::clone(&form.loose);
        let key = Bytes::copy_from_slice(outline.key());
        let bytes = key.len() + loose.len() + LOOSE_BYTES;
        let whole = Bytes::from(outline.key_of(text, &loose));
        self.loose.insert(key, loose, bytes);
        self.forms.insert(whole, form, bytes_of(text.len()));
    }
}

/// As what an analysis of so long a text counts.
fn bytes_of(text_bytes: usize) -> usize {
    ENTRY_BYTES + text_bytes * BYTES_PER_TEXT_BYTE
}

impl Understood {
    /// Whether it was resolved by this.
    fn is_of(&self, known: &Arc<Known>) -> bool {
        std::ptr::eq(self.known.as_ptr(), Arc::as_ptr(known))
    }
}

/// A text as the grammar reads it.
struct Parsed {
    text: Bytes,
    statements: Arc<[Arc<Statement>]>,
}

impl Parsed {
    fn of(text: &Bytes, settings: &Settings) -> Result<(Self, Analysis), Unreadable> {
        // A copy, for the same reason as the key above.
        let text = Bytes::copy_from_slice(text);
        let utf8 = std::str::from_utf8(&text).map_err(|_| {
            let words = "the statement is not valid UTF-8; client_encoding is UTF8 in this session";
            Unreadable::new("22021", words)
        })?;
        // Where no column is declared, no literal can be a value of one.
        let analysis = if settings.declared.is_empty() {
            sql::postgres::parse(utf8).map_err(|error| Unreadable::of(&error, utf8))?
        } else {
            sql::postgres::parse_with_literals(utf8)
                .map_err(|error| Unreadable::of(&error, utf8).without_literals())?
        };
        let statements = analysis.statements.iter();
        let statements = statements.map(|it| Arc::new(it.clone())).collect();
        Ok((Self { text, statements }, analysis))
    }
}

fn understand(
    parsed: &Parsed,
    settings: &Settings,
    known: &Arc<Known>,
    handles: &dyn Handles,
) -> Result<(Understood, Concealed), Unreadable> {
    let mut pieces: Vec<Piece> = Vec::with_capacity(parsed.statements.len());
    let (mut own, mut stale, mut recast) = (false, false, false);
    for statement in parsed.statements.iter() {
        if let Some(message) = forbidden_setting(statement) {
            return Err(Unreadable::new("0A000", message));
        }
        let behind = behind(statement, &pieces, handles);
        own |= uses_handle(statement);
        check_names(statement, behind.as_ref())?;
        let mut piece = running(statement, behind, known);
        let declares = matches!(piece.statement.handle, Some(Handle::Declare(_)));
        piece.stale |= stale && (declares || piece.rows_need_catalog());
        if recast {
            piece.distrust(known);
        }
        stale |= piece.unsettles();
        recast |= piece.recasts();
        pieces.push(piece);
    }
    search(&mut pieces);
    let (asks, prepare) = asks::of(&pieces, &settings.target, known);
    let concealed = concealed(&pieces, Some(known));
    let Resting { shown, held, echo } = Resting::of(&parsed.text, &concealed, settings);
    let understood = Understood {
        text: parsed.text.clone(),
        shown,
        held,
        echo,
        tag: tag(&pieces),
        asks,
        prepare,
        pieces,
        parsed: Arc::clone(&parsed.statements),
        known: Arc::downgrade(known),
        own,
        distrusted: OnceLock::new(),
    };
    Ok((understood, concealed))
}

/// Guesses of several statements count together: what would be a search in one is one in many.
fn search(pieces: &mut [Piece]) {
    let mut guesses: BTreeMap<DataClass, usize> = BTreeMap::new();
    for piece in pieces.iter() {
        for (class, count) in &piece.resolved.guesses {
            *guesses.entry(class.clone()).or_default() += count;
        }
    }
    guesses.retain(|_, count| *count > GUESSES_MAX);
    if guesses.is_empty() {
        return;
    }
    let classes: Vec<DataClass> = guesses.into_keys().collect();
    for piece in pieces {
        if !piece.resolved.matched.of(&classes).is_empty() {
            let resolved = Arc::make_mut(&mut piece.resolved);
            (resolved.matched, resolved.probed) = resolved.searching(&classes);
        }
    }
}

/// What a statement does with what stands behind its name.
fn running(statement: &Arc<Statement>, behind: Option<Behind>, known: &Known) -> Piece {
    let Some(Behind {
        statement: inner,
        declared,
    }) = behind
    else {
        return resolve(statement, known);
    };
    let mut piece = resolve(&Arc::new(statement.running(&inner)), known);
    if let Some(declared) = declared.filter(|_| !piece.returns_nothing()) {
        // All that is shown by is the cursor's; what policy is asked about is what the names mean now.
        let now = Arc::unwrap_or_clone(piece.resolved);
        let mut resolved = Arc::unwrap_or_clone(declared.resolved);
        resolved.effects = now.effects;
        resolved.protected = now.protected;
        resolved.calls = now.calls;
        resolved.copies_protected = now.copies_protected;
        resolved.matched = now.matched;
        resolved.guesses = now.guesses;
        resolved.probed = now.probed;
        resolved.counted = now.counted;
        resolved.shown.add(&now.shown);
        piece.resolved = Arc::new(resolved);
        piece.stale = declared.stale && piece.rows_need_catalog();
        piece.evaluates |= declared.computes;
    }
    piece
}

/// What the session does not follow is refused.
fn check_names(statement: &Statement, behind: Option<&Behind>) -> Result<(), Unreadable> {
    let handle = &statement.naming().handle;
    let name = match handle {
        Some(
            Handle::Prepare(name)
            | Handle::Execute(name)
            | Handle::Declare(name)
            | Handle::Fetch(name)
            | Handle::Move(name)
            | Handle::Deallocate(Some(name))
            | Handle::Close(Some(name)),
        ) => name,
        _ => return Ok(()),
    };
    if Key::of(name.as_bytes()).is_none() {
        return Err(Unreadable::new("42622", NAME_TOO_LONG));
    }
    let runs = behind.filter(|_| matches!(handle, Some(Handle::Execute(_))));
    if runs.is_some_and(|behind| !is_planned(&behind.statement)) {
        let words = "EXECUTE of a statement that is no query is not offered through the gateway: run the statement itself";
        return Err(Unreadable::new("0A000", words));
    }
    Ok(())
}

fn uses_handle(statement: &Statement) -> bool {
    matches!(
        statement.handle,
        Some(Handle::Execute(_) | Handle::Fetch(_) | Handle::Move(_))
    ) || statement
        .inner
        .as_deref()
        .is_some_and(|inner| matches!(inner.output, Output::Handle))
}

/// What an EXECUTE or FETCH runs: made by a statement before it in the same text, or in the session.
fn behind(statement: &Statement, before: &[Piece], handles: &dyn Handles) -> Option<Behind> {
    let handle = statement.naming().handle.as_ref()?;
    let made =
        before
            .iter()
            .rev()
            .find_map(|piece| match (handle, piece.statement.handle.as_ref()?) {
                (Handle::Execute(name), Handle::Prepare(made))
                | (Handle::Fetch(name) | Handle::Move(name), Handle::Declare(made))
                    if name == made =>
                {
                    Some(piece.statement.inner.clone().map(|statement| Behind {
                        statement,
                        declared: None,
                    }))
                }
                (Handle::Execute(name), Handle::Deallocate(gone))
                | (Handle::Fetch(name) | Handle::Move(name), Handle::Close(gone))
                    if gone.as_ref().is_none_or(|gone| gone == name) =>
                {
                    Some(None)
                }
                _ => None,
            });
    made.unwrap_or_else(|| handles.find(handle))
}

/// The tag of a text: its statement's, or those of all up to a length.
fn tag(pieces: &[Piece]) -> Arc<str> {
    const TAG_BYTES_MAX: usize = 120;
    let mut tag = String::new();
    for piece in pieces {
        if tag.len() > TAG_BYTES_MAX {
            tag.push_str("; …");
            break;
        }
        if !tag.is_empty() {
            tag.push_str("; ");
        }
        tag.push_str(piece.statement.tag);
    }
    tag.into()
}
