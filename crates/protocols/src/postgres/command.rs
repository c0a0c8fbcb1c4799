//! A statement's text to what policy is asked about it.

mod analyses;
mod asks;
mod echo;
mod form;
mod generations;
mod parameters;
mod rest;
mod unreadable;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use model::{Asks, DataClass};
use sql::postgres::{
    CopyDirection, CopyPeer, Handle, Missing, Output, Parameters, RelationKind, Resolved,
    ResolvedEffect, Rows, Statement, Transaction,
};
use sql::{Action, Name};

/// Said of a name that is not followed.
pub(super) const NAME_TOO_LONG: &str = "a name of a statement, portal or cursor with characters beyond ASCII may have at most 42 bytes";

pub use analyses::Analyses;
pub(super) use echo::{Echo, Quoting};
pub(super) use parameters::{canonical, echo_of, shown};
pub(super) use rest::{at_rest, unreadable_at_rest};
pub(super) use unreadable::Unreadable;

use super::known::Known;
use super::settings::Settings;

/// A text that was parsed and resolved: everything a session needs to ask and to mask.
#[derive(Debug)]
pub(super) struct Understood {
    /// The exact text.
    pub(super) text: Bytes,
    /// The text as it may rest.
    pub(super) shown: Bytes,
    /// Parameters that may be values of protected columns.
    pub(super) held: Parameters,
    /// What is hidden of it where it rests.
    pub(super) echo: Option<Arc<Echo>>,
    /// What it is, in the protocol's own word.
    pub(super) tag: Arc<str>,
    /// Its statements.
    pub(super) pieces: Vec<Piece>,
    /// What policy is asked before it runs.
    pub(super) asks: Arc<Asks>,
    /// What policy is asked before it is prepared.
    pub(super) prepare: Arc<Asks>,
    /// Its statements as they were parsed.
    parsed: Arc<[Arc<Statement>]>,
    /// What it was resolved by. Weak, so that what is kept keeps no old catalog.
    known: Weak<Known>,
    /// A name of the session's own was looked up, so that it is for nobody else, and only for now.
    own: bool,
    /// What [`Self::distrusted`] gives.
    distrusted: OnceLock<Arc<Understood>>,
}

impl Understood {
    /// Whether any of it computes with protected values, or does what nobody knows.
    pub(super) fn computes(&self) -> bool {
        self.pieces.iter().any(Piece::computes)
    }

    /// What to do where policy refuses it for what functions of the database do.
    pub(super) fn advice(&self) -> Option<String> {
        let searches = |piece: &&Piece| !piece.resolved.probed.is_empty();
        let mut pieces = self.pieces.iter().filter(searches);
        let called = pieces.find_map(|piece| piece.resolved.calls.first())?;
        Some(format!(
            "It calls {}: what a function of the database asks of declared columns, or does with them, counts as a search. \
             Ask the tables themselves for it.",
            called.name
        ))
    }

    /// Whether only the database does, by constraints, indexes and the like: the text asks for nothing that is computed of them.
    pub(super) fn computes_beside(&self) -> bool {
        let asks = |piece: &Piece| !piece.resolved.probed.is_empty() || piece.has(Action::Opaque);
        !self.pieces.iter().any(asks)
    }

    /// A name in it that means nothing, where what it means is for the catalog to say.
    pub(super) fn missing(&self) -> Option<&Missing> {
        for piece in &self.pieces {
            if piece.stale {
                return None;
            }
            if let Some(missing) = &piece.resolved.missing {
                return Some(missing);
            }
            if piece.unsettles() || piece.recasts() {
                return None;
            }
        }
        None
    }

    /// The same after a command that recasts names.
    pub(super) fn distrusted(&self, settings: &Settings, known: &Known) -> Arc<Self> {
        let distrusted = self.distrusted.get_or_init(|| {
            let mut pieces = self.pieces.clone();
            pieces.iter_mut().for_each(|piece| piece.distrust(known));
            let mut distrusted = self.with(pieces, &settings.target, known);
            if !known.protected.is_empty() {
                let concealed = rest::concealed(&self.pieces, None);
                let resting = rest::Resting::of(&self.text, &concealed, settings);
                distrusted.shown = resting.shown;
                distrusted.held = resting.held;
                distrusted.echo = resting.echo;
            }
            Arc::new(distrusted)
        });
        Arc::clone(distrusted)
    }

    /// The same where what comes after any such statement cannot be judged.
    pub(super) fn distrusted_after(
        &self,
        such: impl Fn(&Piece) -> bool,
        target: &str,
        known: &Known,
    ) -> Self {
        let mut pieces = self.pieces.clone();
        let after = pieces
            .iter()
            .position(such)
            .map_or(pieces.len(), |at| at + 1);
        for piece in pieces.iter_mut().skip(after) {
            piece.distrust(known);
            piece.stale = true;
        }
        self.with(pieces, target, known)
    }

    fn with(&self, pieces: Vec<Piece>, target: &str, known: &Known) -> Self {
        let (asks, prepare) = asks::of(&pieces, target, known);
        Self {
            text: self.text.clone(),
            shown: self.shown.clone(),
            held: self.held.clone(),
            echo: self.echo.clone(),
            tag: Arc::clone(&self.tag),
            pieces,
            asks,
            prepare,
            parsed: Arc::clone(&self.parsed),
            known: Weak::clone(&self.known),
            own: self.own,
            distrusted: OnceLock::new(),
        }
    }
}

/// One statement of a text.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) statement: Arc<Statement>,
    pub(super) resolved: Arc<Resolved>,
    /// Classes that would be stored where they are not declared; all must be revealed.
    pub(super) copies: BTreeSet<DataClass>,
    /// A statement before it may have changed what its names mean, so its rows cannot be judged.
    pub(super) stale: bool,
    /// The server computes with protected values for it beyond what the text asks for: for a view, a constraint, an index, a trigger.
    evaluates: bool,
}

impl Piece {
    /// Whether it computes with protected values, or does what nobody knows.
    pub(super) fn computes(&self) -> bool {
        self.evaluates || !self.resolved.probed.is_empty() || self.has(Action::Opaque)
    }

    /// Whether it may change the catalog, so that it must be read again.
    pub(super) fn unsettles(&self) -> bool {
        self.resolved.effects.iter().any(|effect| {
            matches!(
                effect.effect.action,
                Action::Create
                    | Action::Alter
                    | Action::Drop
                    | Action::Call
                    | Action::Opaque
                    | Action::Program
                    | Action::Discard
            )
        }) || matches!(self.statement.tag, "CREATE TABLE AS" | "SELECT INTO")
            || self.commits_prepared()
    }

    /// Whether it makes true what some session prepared, whatever that is.
    fn commits_prepared(&self) -> bool {
        self.statement.transaction == Some(Transaction::CommitPrepared)
    }

    /// Whether it changes what other sessions may read by.
    pub(super) fn defines(&self) -> bool {
        let mut effects = self.resolved.effects.iter();
        let changes = |action| matches!(action, Action::Create | Action::Alter | Action::Drop);
        !self.statement.temporary && effects.any(|effect| changes(effect.effect.action))
            || self.commits_prepared()
    }

    /// Whether what was defined before it is there for others afterwards.
    pub(super) fn commits(&self) -> bool {
        self.statement.transaction == Some(Transaction::Commit)
    }

    /// Whether names may mean something else afterwards, as far as protected data goes.
    pub(super) fn recasts(&self) -> bool {
        self.resolved.effects.iter().any(|effect| {
            let effect = &effect.effect;
            let defines = matches!(effect.action, Action::Create | Action::Alter);
            effect.action == Action::Redefine
                || defines && matches!(effect.object, "VIEW" | "MATERIALIZED VIEW")
        })
    }

    /// A statement before it recasts names: what it reads may be anything that is protected.
    fn distrust(&mut self, known: &Known) {
        let classes = known.protected.classes();
        let reads = self.has(Action::Select) || !self.statement.functions.is_empty();
        if !reads || classes.is_empty() {
            return;
        }
        let stores = self.resolved.effects.iter().any(|effect| {
            let effect = &effect.effect;
            match effect.action {
                Action::Create => matches!(effect.object, "TABLE" | "MATERIALIZED VIEW"),
                Action::Insert
                | Action::Update
                | Action::Set
                | Action::Notify
                | Action::LargeObject
                | Action::WriteFile
                | Action::Sequence
                | Action::Lock => true,
                _ => false,
            }
        });
        let resolved = Arc::make_mut(&mut self.resolved);
        resolved.probed.clone_from(known.protected.declared());
        resolved.shown.clone_from(known.protected.declared());
        if stores {
            resolved.copies_protected = true;
            self.copies.clone_from(classes);
        }
    }

    /// Whether it may change how the server reads later texts of the same batch.
    pub(super) fn may_change_reading(&self) -> bool {
        self.resolved.effects.iter().any(|effect| {
            matches!(
                effect.effect.action,
                Action::Set | Action::Call | Action::Opaque | Action::SetRole | Action::Discard
            )
        }) || matches!(
            self.statement.transaction,
            Some(Transaction::Rollback | Transaction::RollbackTo)
        )
    }

    /// Whether it changes what the session's names mean.
    pub(super) fn renames(&self) -> bool {
        let by_handle = self.statement.handle.as_ref().is_some_and(|handle| {
            matches!(
                handle,
                Handle::Prepare(_) | Handle::Deallocate(_) | Handle::Declare(_) | Handle::Close(_)
            )
        });
        by_handle || self.has(Action::Discard)
    }

    /// Whether it may end a transaction, and portals with it.
    pub(super) fn ends_transaction(&self) -> bool {
        let harmless = matches!(
            self.statement.transaction,
            None | Some(Transaction::Begin | Transaction::Savepoint)
        );
        !harmless || self.has(Action::Call) || self.has(Action::Opaque)
    }

    /// Whether the session keeps a statement of it.
    pub(super) fn is_kept(&self) -> bool {
        let handle = self.statement.handle.as_ref();
        handle.is_some_and(|it| matches!(it, Handle::Prepare(_) | Handle::Declare(_)))
    }

    /// Whether it may undo what the transaction did.
    pub(super) fn undoes(&self) -> bool {
        matches!(
            self.statement.transaction,
            Some(Transaction::Rollback | Transaction::RollbackTo | Transaction::Commit)
        )
    }

    /// Whether it runs code of the database, which may do anything with what it reads.
    pub(super) fn runs_code(&self) -> bool {
        self.has(Action::Call) || self.has(Action::Opaque)
    }

    /// Whether its rows are a plan.
    pub(super) fn is_plan(&self) -> bool {
        self.statement.tag == "EXPLAIN"
    }

    /// Whether what it plans was written in another statement.
    pub(super) fn plans_other(&self) -> bool {
        let naming = self.statement.naming();
        self.is_plan() && matches!(naming.handle, Some(Handle::Execute(_)))
    }

    /// Whether its rows may quote statements: definitions, and what sessions ran.
    pub(super) fn quotes_statements(&self) -> bool {
        let own = |name: &Name| name.name.starts_with("pg_");
        let catalog =
            |name: &Name| own(name) || name.schema.as_deref() == Some("information_schema");
        self.statement.nested().any(|statement| {
            let mut relations = statement
                .effects
                .iter()
                .filter_map(|it| it.relation.as_ref());
            statement.functions.iter().any(own) || relations.any(catalog)
        })
    }

    fn has(&self, action: Action) -> bool {
        self.resolved
            .effects
            .iter()
            .any(|effect| effect.effect.action == action)
    }

    /// Whether the client will be asked for COPY data.
    pub(super) fn copies_in(&self) -> bool {
        let copy = self.statement.copy.as_ref();
        copy.is_some_and(|copy| {
            copy.direction == CopyDirection::In && copy.peer == CopyPeer::Client
        })
    }

    /// Whether it is known to return no rows, so that no description of them is needed.
    pub(super) fn returns_nothing(&self) -> bool {
        matches!(self.statement.output, Output::Nothing)
    }

    /// Whether what describes its rows once describes them always.
    pub(super) fn has_fixed_rows(&self) -> bool {
        matches!(self.statement.output, Output::Query(_)) && self.statement.handle.is_none()
    }

    /// Whether the server looks up its names when it is executed, and not when it is bound: all but plain queries.
    pub(super) fn resolves_late(&self) -> bool {
        let planned = is_planned(&self.statement) && !self.has(Action::Create);
        let nameless = self.statement.transaction.is_some() || self.statement.sets.is_some();
        !planned && !nameless
    }

    /// Whether what a portal that resolves late was bound with may mean something else afterwards.
    pub(super) fn changes_meanings(&self) -> bool {
        self.unsettles() || self.renames() || self.ends_transaction() || self.may_change_reading()
    }

    /// Whether its rows depend on what the catalog says.
    pub(super) fn rows_need_catalog(&self) -> bool {
        self.resolved.rows == Rows::ByColumn
    }
}

/// Whether it is a query, whose names the server looks up when it plans it.
fn is_planned(statement: &Statement) -> bool {
    matches!(
        statement.tag,
        "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "MERGE"
    )
}

/// A setting that a statement may not give any other value, because the gateway and the server would read the next text
/// differently. Says what is wrong.
///
/// RESET gives what the session began with, which is what it must be. What `set_config` gives that the text does not tell, the
/// server tells (ParameterStatus).
pub(super) fn forbidden_setting(statement: &Statement) -> Option<&'static str> {
    let set = statement
        .sets
        .as_deref()
        .filter(|_| statement.tag != "RESET");
    let set = set.map(|name| (name, statement.sets_to.as_deref().unwrap_or_default()));
    let configured = statement.nested().flat_map(|it| &it.configures);
    let configured = configured.filter_map(|(name, value)| Some((&**name, value.as_deref()?)));
    set.into_iter()
        .chain(configured)
        .find_map(|(name, value)| forbidden(name, value))
}

fn forbidden(setting: &str, value: &str) -> Option<&'static str> {
    let value = value.to_ascii_lowercase();
    match setting {
        "standard_conforming_strings" if !matches!(&*value, "on" | "true" | "yes" | "1") => {
            Some("standard_conforming_strings stays on in this session")
        }
        "client_encoding" | "names"
            if !matches!(&*value.replace(['-', '_'], ""), "utf8" | "unicode") =>
        {
            Some("client_encoding stays UTF8 in this session")
        }
        _ => None,
    }
}

/// What the session's own names mean.
pub(super) trait Handles {
    /// What stands behind the name, where it is known.
    fn find(&self, handle: &Handle) -> Option<Behind>;
}

/// What a name of the session's own runs.
#[derive(Debug)]
pub(super) struct Behind {
    /// The statement inside a `PREPARE` or `DECLARE`.
    pub(super) statement: Arc<Statement>,
    /// Of a cursor that was declared before.
    pub(super) declared: Option<Declared>,
}

/// What the query of a cursor meant when it was declared: the server goes on with that plan, whatever its names mean since.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) resolved: Arc<Resolved>,
    /// It could not be judged.
    pub(super) stale: bool,
    /// It computes with protected values.
    pub(super) computes: bool,
}

/// A statement by what is known. Needs a stack of [`sql::postgres::STACK_BYTES`].
pub(super) fn resolve(statement: &Arc<Statement>, known: &Known) -> Piece {
    let resolved = sql::postgres::resolve(statement, &known.catalog, &known.protected);
    let copies = if resolved.copies_protected {
        asks::touched(&resolved, known)
    } else {
        BTreeSet::new()
    };
    Piece {
        statement: Arc::clone(statement),
        evaluates: resolved.effects.iter().any(|it| evaluates(it, known)),
        resolved: Arc::new(resolved),
        copies,
        stale: false,
    }
}

/// Whether the server computes for an effect with values of protected relations: a view with its query, and what is written
/// with the expressions of constraints, indexes, statistics and triggers, which anybody may have defined.
fn evaluates(effect: &ResolvedEffect, known: &Known) -> bool {
    let writes = matches!(
        effect.effect.action,
        Action::Insert
            | Action::Update
            | Action::Delete
            | Action::Truncate
            | Action::CopyIn
            | Action::Create
            | Action::Alter
            | Action::Redefine
            | Action::Maintenance
    );
    if effect.protected && writes {
        return true;
    }
    let name = effect.effect.relation.iter();
    let mut relations = name.flat_map(|name| known.catalog.candidates(name));
    relations.any(|relation| {
        let runs = writes || relation.kind != RelationKind::MaterializedView;
        runs && known.protected.computes(relation.oid)
    })
}
