//! One statement of a text: what it is, what it does, and what it returns.

use std::ops::Range;
use std::sync::Arc;

use pg_query::{Node, NodeEnum, NodeRef, protobuf};

use super::catalog::Catalog;
use super::literal::{self, Concealed, Literals};
use super::outline::Moves;
use super::protected::Protected;
use super::shape::{self, Shape};
use super::utility;
use super::walk::Walk;
use crate::{Action, Effect, Name};

/// What the text alone tells of one statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Where it stands in the text, in bytes, without the `;` and the white space around it.
    pub text: Range<usize>,
    /// What the server will call it, as in CommandComplete: `SELECT`, `CREATE TABLE`.
    pub tag: &'static str,
    /// What it does; never empty.
    pub effects: Vec<Effect>,
    /// Functions and procedures it calls by name.
    pub functions: Vec<Name>,
    /// Fields that it takes of rows, each of which may be a function that is called.
    pub fields: Vec<String>,
    /// What it does to the transaction.
    pub transaction: Option<Transaction>,
    /// The savepoint that it makes, releases or goes back to, as the server folds its name.
    pub savepoint: Option<String>,
    /// It declares a cursor that outlives its transaction (`WITH HOLD`).
    pub holds: bool,
    /// The setting it changes, in lower case; `all` for `RESET ALL`.
    pub sets: Option<String>,
    /// The value it gives to that setting, when it is a plain constant or word.
    pub sets_to: Option<String>,
    /// Settings that it changes by `set_config`, in lower case, and the value of each, where it is a constant.
    pub configures: Vec<(String, Option<String>)>,
    /// For `COPY`.
    pub copy: Option<Copy>,
    /// The prepared statement or cursor it makes, uses or forgets.
    pub handle: Option<Handle>,
    /// The statement inside `PREPARE`, `DECLARE`, `EXPLAIN`, `CREATE TABLE AS` or `COPY (…)`.
    pub inner: Option<Arc<Statement>>,
    /// Values it is given beside its rows, and conditions on what it takes in: of `EXECUTE`, of `COPY … FROM … WHERE`.
    pub given: Option<Arc<Shape>>,
    /// What comes back.
    pub output: Output,
    /// What it creates is the session's own (`TEMPORARY`).
    pub temporary: bool,
    /// The name that it gives to what had another.
    pub renames_to: Option<String>,
    /// Relations whose rows or columns it makes part of another relation, or has the server compute with from now on.
    pub takes: Vec<Name>,
    /// It drops more than it names (`CASCADE`, `OWNED BY`).
    pub cascades: bool,
    /// A comment in the text may tell the planner how to find rows (`/*+ … */`, pg_hint_plan).
    pub hinted: bool,
    /// What stands with what in it, where that was asked for.
    pub literals: Option<Arc<Literals>>,
}

impl Statement {
    /// This statement, the one inside it, the one inside that, and so on.
    pub fn nested(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |it| it.inner.as_deref())
    }
}

/// A transaction statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// `BEGIN`, `START TRANSACTION`
    Begin,
    /// `COMMIT`, `END`
    Commit,
    /// `ROLLBACK`, `ABORT`
    Rollback,
    /// `SAVEPOINT`
    Savepoint,
    /// `RELEASE`
    Release,
    /// `ROLLBACK TO`
    RollbackTo,
    /// `PREPARE TRANSACTION`
    Prepare,
    /// `COMMIT PREPARED`
    CommitPrepared,
    /// `ROLLBACK PREPARED`
    RollbackPrepared,
}

/// A `COPY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Into or out of the database.
    pub direction: CopyDirection,
    /// `text`, `csv` or `binary`.
    pub format: String,
    /// Where the data comes from or goes to.
    pub peer: CopyPeer,
    /// `DELIMITER`, where it is given; so for all of these.
    pub delimiter: Option<String>,
    /// `NULL`
    pub null: Option<String>,
    /// `QUOTE`
    pub quote: Option<String>,
    /// `ESCAPE`
    pub escape: Option<String>,
    /// `ENCODING`
    pub encoding: Option<String>,
    /// `HEADER`, in whatever way, but for a plain no.
    pub header: bool,
}

/// Which way a `COPY` goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyDirection {
    /// `COPY … FROM`
    In,
    /// `COPY … TO`
    Out,
}

/// The other end of a `COPY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyPeer {
    /// `STDIN` or `STDOUT`: the client.
    Client,
    /// A file of the server.
    File,
    /// A program on the server.
    Program,
}

/// A prepared statement or cursor that a statement names. Names are as the server folds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handle {
    /// `PREPARE name`
    Prepare(String),
    /// `EXECUTE name`
    Execute(String),
    /// `DEALLOCATE name`; `None` for all.
    Deallocate(Option<String>),
    /// `DECLARE name CURSOR`
    Declare(String),
    /// `FETCH … name`
    Fetch(String),
    /// `MOVE … name`
    Move(String),
    /// `CLOSE name`; `None` for all.
    Close(Option<String>),
}

/// What a statement returns to the client.
#[derive(Debug, Clone)]
pub enum Output {
    /// No rows.
    Nothing,
    /// Rows that the server makes itself: `SHOW`, `EXPLAIN`.
    Server,
    /// Rows of a query.
    Query(Arc<Shape>),
    /// Rows of the prepared statement or cursor that [`Statement::handle`] names: see [`Statement::running`].
    Handle,
    /// Rows of unknown origin, or none: `CALL`.
    Unknown,
}

impl Statement {
    /// What names a prepared statement or cursor: this statement, or the `EXECUTE` that this `EXPLAIN` is of.
    #[must_use]
    pub fn naming(&self) -> &Self {
        let explained = self.inner.as_deref().filter(|inner| {
            self.tag == "EXPLAIN" && matches!(inner.handle, Some(Handle::Execute(_)))
        });
        explained.unwrap_or(self)
    }

    /// This `EXECUTE` or `FETCH`, or `EXPLAIN` of such, with what it runs filled in: the effects and rows of `prepared`, which is
    /// the [`inner`](Self::inner) statement of the `PREPARE` or `DECLARE` of that name.
    #[must_use]
    pub fn running(&self, prepared: &Arc<Statement>) -> Self {
        let mut filled = self.clone();
        let naming = self.naming();
        if !std::ptr::eq(naming, self) {
            let runs = naming.running(prepared);
            let analyzes = filled
                .effects
                .iter()
                .any(|effect| effect.action == Action::Opaque);
            if analyzes {
                filled.effects = vec![Effect::new(Action::Explain)];
                filled.effects.extend(runs.effects.iter().cloned());
                filled.functions.extend(runs.functions.iter().cloned());
                filled.fields.extend(runs.fields.iter().cloned());
            }
            filled.inner = Some(Arc::new(runs));
            return filled;
        }
        filled
            .effects
            .retain(|effect| effect.action != Action::Opaque);
        if matches!(self.handle, Some(Handle::Execute(_))) {
            filled.effects.extend(prepared.effects.iter().cloned());
            filled.functions.extend(prepared.functions.iter().cloned());
            filled.fields.extend(prepared.fields.iter().cloned());
        }
        filled.inner = Some(Arc::clone(prepared));
        if matches!(filled.output, Output::Handle) {
            filled.output = prepared.output.clone();
        }
        filled
    }

    /// Those of what `PREPARE` prepares are the same, since they know its parameters.
    fn keep_literals(&mut self, literals: &Arc<Literals>) {
        self.literals = Some(Arc::clone(literals));
        if let Some(inner) = &mut self.inner {
            Arc::make_mut(inner).keep_literals(literals);
        }
    }

    /// The same in another text of the same outline. What it holds of literals must not matter ([`super::Outline::loose`]).
    #[must_use]
    pub fn moved(&self, moves: &Moves) -> Self {
        let inner = self.inner.as_ref();
        let literals = self.literals.as_ref();
        Self {
            text: moves.range(&self.text),
            inner: inner.map(|inner| Arc::new(inner.moved(moves))),
            literals: literals.map(|literals| Arc::new(literals.moved(moves))),
            ..self.clone()
        }
    }

    /// What is to be hidden of it where it rests. Of `EXECUTE` that depends on what it runs ([`Self::running`]).
    #[must_use]
    pub fn conceal(&self, catalog: &Catalog, protected: &Protected) -> Concealed {
        let Some(literals) = &self.literals else {
            return Concealed::default();
        };
        let naming = self.naming();
        let runs = naming.inner.as_deref();
        let runs = runs.filter(|_| matches!(naming.handle, Some(Handle::Execute(_))));
        let prepared = runs.and_then(|runs| runs.literals.as_deref());
        let prepared = prepared.map(|it| it.conceal(catalog, protected, None).parameters);
        literals
            .conceal(catalog, protected, prepared.as_ref())
            .at(&self.text)
    }

    /// The same where what came before may have changed what its names mean: all that it says may be protected.
    #[must_use]
    pub fn conceal_all(&self) -> Concealed {
        let literals = self.literals.as_ref();
        literals.map_or_else(Concealed::default, |it| it.conceal_all(&self.text))
    }

    pub(super) fn new(text: Range<usize>) -> Self {
        Self {
            text,
            tag: "",
            effects: Vec::new(),
            functions: Vec::new(),
            fields: Vec::new(),
            transaction: None,
            savepoint: None,
            holds: false,
            sets: None,
            sets_to: None,
            configures: Vec::new(),
            copy: None,
            handle: None,
            inner: None,
            given: None,
            output: Output::Nothing,
            temporary: false,
            renames_to: None,
            takes: Vec::new(),
            cascades: false,
            hinted: false,
            literals: None,
        }
    }
}

/// Analyzes one statement of `source`.
pub(super) fn analyze(source: &str, raw: &protobuf::RawStmt, with_literals: bool) -> Statement {
    let range = range_of(source, raw);
    let Some(node) = raw.stmt.as_ref().and_then(|stmt| stmt.node.as_ref()) else {
        return opaque(range, "no statement");
    };
    let literals = with_literals.then(|| Arc::new(literal::gather(node, &range)));
    let mut statement = of_node(node, range);
    if let Some(literals) = literals {
        statement.keep_literals(&literals);
    }
    statement
}

/// Analyzes a statement that stands inside another.
pub(super) fn of_node(node: &NodeEnum, range: Range<usize>) -> Statement {
    let mut statement = Statement::new(range);
    let mut walk = Walk::default();
    match node.to_ref() {
        query @ (NodeRef::SelectStmt(_)
        | NodeRef::InsertStmt(_)
        | NodeRef::UpdateStmt(_)
        | NodeRef::DeleteStmt(_)
        | NodeRef::MergeStmt(_)) => of_query(query, &mut statement, &mut walk),
        other => utility::analyze(other, &mut statement, &mut walk),
    }
    statement.effects = walk.effects;
    statement.functions = walk.functions;
    statement.fields = walk.fields;
    statement.configures = walk.configures;
    if statement.effects.is_empty() {
        statement
            .effects
            .push(Effect::because(Action::Opaque, "no known effect"));
    }
    statement
}

fn of_query<'a>(query: NodeRef<'a>, statement: &mut Statement, walk: &mut Walk<'a>) {
    walk.walk(query);
    statement.tag = match query {
        NodeRef::InsertStmt(_) => "INSERT",
        NodeRef::UpdateStmt(_) => "UPDATE",
        NodeRef::DeleteStmt(_) => "DELETE",
        NodeRef::MergeStmt(_) => "MERGE",
        _ => "SELECT",
    };
    if let NodeRef::SelectStmt(s) = query {
        if !walk
            .effects
            .iter()
            .any(|effect| effect.action == Action::Select)
        {
            walk.push(Effect::new(Action::Select));
        }
        if limits(s.limit_count.as_deref()) {
            let selects = walk
                .effects
                .iter_mut()
                .filter(|effect| effect.action == Action::Select);
            selects.for_each(|effect| effect.has_limit = true);
        }
    }
    statement.output = Output::Query(Arc::new(shape::of(query)));
}

/// Whether a `LIMIT` is there and is not `ALL`.
pub(super) fn limits(count: Option<&Node>) -> bool {
    match count.and_then(|count| count.node.as_ref()) {
        Some(NodeEnum::AConst(value)) => !value.isnull,
        other => other.is_some(),
    }
}

fn opaque(range: Range<usize>, reason: &'static str) -> Statement {
    Statement {
        effects: vec![Effect::because(Action::Opaque, reason)],
        ..Statement::new(range)
    }
}

fn range_of(source: &str, raw: &protobuf::RawStmt) -> Range<usize> {
    let start = usize::try_from(raw.stmt_location)
        .unwrap_or(0)
        .min(source.len());
    let length = usize::try_from(raw.stmt_len).unwrap_or(0);
    let end = if length == 0 {
        source.len()
    } else {
        start.saturating_add(length).min(source.len())
    };
    let text = source.get(start..end).unwrap_or("");
    let from = start + (text.len() - text.trim_start().len());
    from..from + text.trim().len()
}
