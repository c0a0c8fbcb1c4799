//! Statements other than queries: what they are called and what they do.

use std::sync::Arc;

use pg_query::{Node, NodeEnum, NodeRef, protobuf};
use protobuf::{TransactionStmtKind as Kind, VariableSetKind};

use super::statement::{
    Copy, CopyDirection, CopyPeer, Handle, Output, Statement, Transaction, of_node,
};
use super::walk::{Walk, name_of};
use super::{definition, setting, shape};
use crate::{Action, Effect, Name};

/// The bit of a cursor's options that `WITH HOLD` sets (PostgreSQL 14 and later, `nodes/parsenodes.h`).
const CURSOR_OPT_HOLD: i32 = 0x0020;

/// The lock that every `SELECT` takes (`AccessShareLock`, `storage/lockdefs.h`).
const ACCESS_SHARE: i32 = 1;

/// Analyzes a statement that is not a query.
#[expect(clippy::too_many_lines, reason = "one arm per kind of node")]
pub(super) fn analyze<'a>(node: NodeRef<'a>, statement: &mut Statement, walk: &mut Walk<'a>) {
    match node {
        NodeRef::TransactionStmt(s) => transaction(s, statement, walk),
        NodeRef::VariableSetStmt(s) => set(s, statement, walk),
        NodeRef::VariableShowStmt(s) => {
            statement.tag = "SHOW";
            statement.output = Output::Server;
            walk.push(Effect::on(
                Action::Show,
                "",
                Some(Name::bare(s.name.to_ascii_lowercase())),
            ));
        }
        NodeRef::ExplainStmt(s) => explain(s, statement, walk),
        NodeRef::CopyStmt(s) => copy(s, statement, walk),
        NodeRef::PrepareStmt(s) => {
            statement.tag = "PREPARE";
            statement.handle = Some(Handle::Prepare(s.name.clone()));
            statement.inner = inner(s.query.as_deref(), statement);
            walk.push(Effect::on(Action::Prepare, "", Some(Name::bare(&s.name))));
        }
        NodeRef::ExecuteStmt(s) => {
            statement.tag = "EXECUTE";
            execute(s, statement, walk);
        }
        NodeRef::DeallocateStmt(s) => {
            statement.tag = if s.isall {
                "DEALLOCATE ALL"
            } else {
                "DEALLOCATE"
            };
            statement.handle = Some(Handle::Deallocate((!s.isall).then(|| s.name.clone())));
            walk.push(Effect::on(
                Action::Deallocate,
                "",
                (!s.isall).then(|| Name::bare(&s.name)),
            ));
        }
        NodeRef::DeclareCursorStmt(s) => {
            statement.tag = "DECLARE CURSOR";
            statement.handle = Some(Handle::Declare(s.portalname.clone()));
            statement.holds = s.options & CURSOR_OPT_HOLD != 0;
            walk.push(Effect::on(
                Action::Cursor,
                "",
                Some(Name::bare(&s.portalname)),
            ));
            run_inside(s.query.as_deref(), statement, walk);
            // The first rows of a cursor come soon, as those of a LIMIT do.
            if let Some(inner) = &mut statement.inner
                && let Output::Query(shape) = &mut Arc::make_mut(inner).output
            {
                Arc::make_mut(shape).cut = true;
            }
        }
        NodeRef::FetchStmt(s) => {
            statement.tag = if s.ismove { "MOVE" } else { "FETCH" };
            let name = s.portalname.clone();
            statement.output = if s.ismove {
                Output::Nothing
            } else {
                Output::Handle
            };
            statement.handle = Some(if s.ismove {
                Handle::Move(name)
            } else {
                Handle::Fetch(name)
            });
            walk.push(Effect::on(
                Action::Cursor,
                "",
                Some(Name::bare(&s.portalname)),
            ));
        }
        NodeRef::ClosePortalStmt(s) => {
            let name = (!s.portalname.is_empty()).then(|| s.portalname.clone());
            statement.tag = if name.is_some() {
                "CLOSE CURSOR"
            } else {
                "CLOSE CURSOR ALL"
            };
            walk.push(Effect::on(Action::Cursor, "", name.clone().map(Name::bare)));
            statement.handle = Some(Handle::Close(name));
        }
        NodeRef::CreateTableAsStmt(s) => create_as(s, statement, walk),
        NodeRef::CallStmt(s) => {
            statement.tag = "CALL";
            statement.output = Output::Unknown;
            let name = s
                .funccall
                .as_ref()
                .and_then(|call| Name::from_parts(super::walk::texts(&call.funcname)));
            walk.push(Effect::on(Action::Call, "PROCEDURE", name));
            walk.push(Effect::because(
                Action::Opaque,
                "a procedure runs what its body says",
            ));
            walk.below(node, None);
        }
        NodeRef::DoStmt(_) => {
            statement.tag = "DO";
            walk.push(Effect::because(Action::Opaque, "DO runs code"));
        }
        other => session(other, statement, walk),
    }
}

/// Channels, locks, upkeep; the rest defines objects.
#[expect(clippy::too_many_lines, reason = "one arm per kind of node")]
fn session<'a>(node: NodeRef<'a>, statement: &mut Statement, walk: &mut Walk<'a>) {
    let (tag, effect) = match node {
        NodeRef::ListenStmt(s) => ("LISTEN", named(Action::Listen, &s.conditionname)),
        NodeRef::UnlistenStmt(s) => ("UNLISTEN", named(Action::Listen, &s.conditionname)),
        NodeRef::NotifyStmt(s) => ("NOTIFY", named(Action::Notify, &s.conditionname)),
        NodeRef::DiscardStmt(s) => (
            match protobuf::DiscardMode::try_from(s.target) {
                Ok(protobuf::DiscardMode::DiscardPlans) => "DISCARD PLANS",
                Ok(protobuf::DiscardMode::DiscardSequences) => "DISCARD SEQUENCES",
                Ok(protobuf::DiscardMode::DiscardTemp) => "DISCARD TEMP",
                _ => "DISCARD ALL",
            },
            Effect::new(Action::Discard),
        ),
        NodeRef::ConstraintsSetStmt(_) => ("SET CONSTRAINTS", named(Action::Set, "constraints")),
        NodeRef::LoadStmt(s) => (
            "LOAD",
            Effect::because(Action::Program, format!("LOAD {}", s.filename)),
        ),
        NodeRef::CheckPointStmt(_) => ("CHECKPOINT", Effect::new(Action::Maintenance)),
        NodeRef::LockStmt(s) => {
            let action = if s.mode == ACCESS_SHARE {
                Action::Select
            } else {
                Action::Lock
            };
            each_relation(&s.relations, action, walk);
            statement.tag = "LOCK TABLE";
            return;
        }
        NodeRef::TruncateStmt(s) => {
            each_relation(&s.relations, Action::Truncate, walk);
            statement.tag = "TRUNCATE TABLE";
            return;
        }
        NodeRef::VacuumStmt(s) => {
            statement.tag = if s.is_vacuumcmd { "VACUUM" } else { "ANALYZE" };
            return vacuum(s, walk);
        }
        NodeRef::ClusterStmt(s) => (
            "CLUSTER",
            Effect::on(
                Action::Maintenance,
                "TABLE",
                s.relation.as_ref().map(name_of),
            ),
        ),
        NodeRef::ReindexStmt(s) => {
            let name = s
                .relation
                .as_ref()
                .map(name_of)
                .or_else(|| (!s.name.is_empty()).then(|| Name::bare(&s.name)));
            ("REINDEX", Effect::on(Action::Maintenance, "INDEX", name))
        }
        NodeRef::RefreshMatViewStmt(s) => (
            "REFRESH MATERIALIZED VIEW",
            Effect::on(
                Action::Maintenance,
                "MATERIALIZED VIEW",
                s.relation.as_ref().map(name_of),
            ),
        ),
        NodeRef::AlterSystemStmt(s) => {
            let name = s
                .setstmt
                .as_ref()
                .map(|set| Name::bare(set.name.to_ascii_lowercase()));
            (
                "ALTER SYSTEM",
                Effect::on(Action::Administer, "SYSTEM", name),
            )
        }
        other => return definition::analyze(other, statement, walk),
    };
    statement.tag = tag;
    walk.push(effect);
}

fn named(action: Action, name: &str) -> Effect {
    Effect::on(action, "", (!name.is_empty()).then(|| Name::bare(name)))
}

fn each_relation(nodes: &[Node], action: Action, walk: &mut Walk<'_>) {
    for node in nodes {
        if let Some(NodeEnum::RangeVar(relation)) = &node.node {
            walk.push(Effect::on(action, "TABLE", Some(name_of(relation))));
        }
    }
}

fn vacuum(s: &protobuf::VacuumStmt, walk: &mut Walk<'_>) {
    for node in &s.rels {
        if let Some(NodeEnum::VacuumRelation(vacuumed)) = &node.node {
            walk.push(Effect::on(
                Action::Maintenance,
                "TABLE",
                vacuumed.relation.as_ref().map(name_of),
            ));
        }
    }
    if s.rels.is_empty() {
        walk.push(Effect::new(Action::Maintenance));
    }
}

fn transaction(s: &protobuf::TransactionStmt, statement: &mut Statement, walk: &mut Walk<'_>) {
    let (tag, what) = match Kind::try_from(s.kind) {
        Ok(Kind::TransStmtBegin) => ("BEGIN", Transaction::Begin),
        Ok(Kind::TransStmtStart) => ("START TRANSACTION", Transaction::Begin),
        Ok(Kind::TransStmtCommit) => ("COMMIT", Transaction::Commit),
        Ok(Kind::TransStmtRollback) => ("ROLLBACK", Transaction::Rollback),
        Ok(Kind::TransStmtSavepoint) => ("SAVEPOINT", Transaction::Savepoint),
        Ok(Kind::TransStmtRelease) => ("RELEASE", Transaction::Release),
        Ok(Kind::TransStmtRollbackTo) => ("ROLLBACK", Transaction::RollbackTo),
        Ok(Kind::TransStmtPrepare) => ("PREPARE TRANSACTION", Transaction::Prepare),
        Ok(Kind::TransStmtCommitPrepared) => ("COMMIT PREPARED", Transaction::CommitPrepared),
        Ok(Kind::TransStmtRollbackPrepared) => ("ROLLBACK PREPARED", Transaction::RollbackPrepared),
        Ok(Kind::Undefined) | Err(_) => {
            walk.push(Effect::because(
                Action::Opaque,
                "unknown transaction statement",
            ));
            return;
        }
    };
    statement.tag = tag;
    statement.transaction = Some(what);
    statement.savepoint = (!s.savepoint_name.is_empty()).then(|| s.savepoint_name.clone());
    walk.push(Effect::new(Action::Transaction));
}

fn set(s: &protobuf::VariableSetStmt, statement: &mut Statement, walk: &mut Walk<'_>) {
    let reset = matches!(
        VariableSetKind::try_from(s.kind),
        Ok(VariableSetKind::VarReset | VariableSetKind::VarResetAll)
    );
    statement.tag = if reset { "RESET" } else { "SET" };
    let name = match VariableSetKind::try_from(s.kind) {
        Ok(VariableSetKind::VarResetAll) => "all".to_owned(),
        _ => s.name.to_ascii_lowercase(),
    };
    // Back to who the session was at first is what RESET ALL and DISCARD ALL do too.
    let first = name == "role" && sets_to_none(s);
    let action = match setting::action(&name) {
        Action::SetRole if reset || first => Action::Set,
        action => action,
    };
    walk.push(named(action, &name));
    if let [
        Node {
            node: Some(NodeEnum::AConst(value)),
        },
    ] = s.args.as_slice()
    {
        statement.sets_to = constant(value);
    }
    statement.sets = Some(name);
}

/// `SET ROLE NONE`
fn sets_to_none(s: &protobuf::VariableSetStmt) -> bool {
    let value = s.args.first().and_then(|value| value.node.as_ref());
    matches!(value, Some(NodeEnum::AConst(value)) if constant(value).as_deref() == Some("none"))
}

fn constant(value: &protobuf::AConst) -> Option<String> {
    use protobuf::a_const::Val;
    match value.val.as_ref()? {
        Val::Sval(s) => Some(s.sval.clone()),
        Val::Ival(i) => Some(i.ival.to_string()),
        Val::Fval(f) => Some(f.fval.clone()),
        Val::Boolval(b) => Some(b.boolval.to_string()),
        Val::Bsval(_) => None,
    }
}

pub(super) fn inner(query: Option<&Node>, statement: &Statement) -> Option<Arc<Statement>> {
    let node = query?.node.as_ref()?;
    Some(Arc::new(of_node(node, statement.text.clone())))
}

/// Takes over the effects of a statement that runs as part of this one.
fn run_inside(query: Option<&Node>, statement: &mut Statement, walk: &mut Walk<'_>) {
    statement.inner = inner(query, statement);
    if let Some(inner) = &statement.inner {
        inner
            .effects
            .iter()
            .for_each(|effect| walk.push(effect.clone()));
        walk.functions.extend(inner.functions.iter().cloned());
        walk.fields.extend(inner.fields.iter().cloned());
    }
}

fn execute<'a>(s: &'a protobuf::ExecuteStmt, statement: &mut Statement, walk: &mut Walk<'a>) {
    statement.handle = Some(Handle::Execute(s.name.clone()));
    statement.output = Output::Handle;
    walk.push(Effect::on(Action::Execute, "", Some(Name::bare(&s.name))));
    give(s, statement, walk);
    walk.push(Effect::because(
        Action::Opaque,
        format!("prepared statement {} is not known here", s.name),
    ));
}

fn explain<'a>(s: &'a protobuf::ExplainStmt, statement: &mut Statement, walk: &mut Walk<'a>) {
    statement.tag = "EXPLAIN";
    walk.push(Effect::new(Action::Explain));
    // The last mention of an option wins in PostgreSQL; any mention that turns it on counts here.
    let runs = options(&s.options).any(|option| option.defname == "analyze" && is_on(option));
    if runs {
        run_inside(s.query.as_deref(), statement, walk);
    } else {
        statement.inner = inner(s.query.as_deref(), statement);
        // To plan it the server works out what it is given.
        if let Some(executed) = executed(s.query.as_deref()) {
            give(executed, statement, walk);
        }
    }
    statement.output = Output::Server;
}

/// The `EXECUTE` that a statement is, or whose rows it stores.
fn executed(node: Option<&Node>) -> Option<&protobuf::ExecuteStmt> {
    match node?.node.as_ref()? {
        NodeEnum::ExecuteStmt(executed) => Some(executed),
        NodeEnum::CreateTableAsStmt(stores) => executed(stores.query.as_deref()),
        _ => None,
    }
}

/// Takes in what an `EXECUTE` is given.
fn give<'a>(s: &'a protobuf::ExecuteStmt, statement: &mut Statement, walk: &mut Walk<'a>) {
    if !s.params.is_empty() {
        statement.given = Some(Arc::new(shape::of_values(&s.params)));
        walk.walk_all(&s.params);
    }
}

pub(super) fn options(nodes: &[Node]) -> impl Iterator<Item = &protobuf::DefElem> {
    nodes.iter().filter_map(|node| match node.node.as_ref()? {
        NodeEnum::DefElem(option) => Some(&**option),
        _ => None,
    })
}

/// Whether a boolean option is on; a value that is not plainly off is on.
fn is_on(option: &protobuf::DefElem) -> bool {
    !matches!(
        word(option).to_ascii_lowercase().as_str(),
        "false" | "off" | "0" | "no" | "f" | "n"
    )
}

/// The value of an option as text.
fn word(option: &protobuf::DefElem) -> String {
    match option.arg.as_ref().and_then(|arg| arg.node.as_ref()) {
        Some(NodeEnum::String(s)) => s.sval.clone(),
        Some(NodeEnum::Boolean(b)) => b.boolval.to_string(),
        Some(NodeEnum::Integer(i)) => i.ival.to_string(),
        Some(NodeEnum::TypeName(name)) => super::walk::texts(&name.names).join("."),
        _ => String::new(),
    }
}

fn copy<'a>(s: &'a protobuf::CopyStmt, statement: &mut Statement, walk: &mut Walk<'a>) {
    statement.tag = "COPY";
    let direction = if s.is_from {
        CopyDirection::In
    } else {
        CopyDirection::Out
    };
    let action = if s.is_from {
        Action::CopyIn
    } else {
        Action::CopyOut
    };
    let peer = match (s.is_program, s.filename.is_empty()) {
        (true, _) => CopyPeer::Program,
        (false, true) => CopyPeer::Client,
        (false, false) => CopyPeer::File,
    };
    let format = options(&s.options)
        .find(|o| o.defname == "format")
        .map_or_else(|| "text".to_owned(), word);
    let given = |name: &str| options(&s.options).find(|o| o.defname == name);
    statement.copy = Some(Copy {
        direction,
        format: format.to_ascii_lowercase(),
        peer,
        delimiter: given("delimiter").map(word),
        null: given("null").map(word),
        quote: given("quote").map(word),
        escape: given("escape").map(word),
        encoding: given("encoding").map(word),
        header: given("header").is_some_and(is_on),
    });
    let columns = (!s.attlist.is_empty()).then(|| super::walk::texts(&s.attlist));
    walk.push(Effect {
        columns,
        ..Effect::on(action, "", s.relation.as_ref().map(name_of))
    });
    match (peer, direction) {
        (CopyPeer::Program, _) => walk.push(Effect::because(Action::Program, s.filename.clone())),
        (CopyPeer::File, CopyDirection::In) => {
            walk.push(Effect::because(Action::ReadFile, s.filename.clone()))
        }
        (CopyPeer::File, CopyDirection::Out) => {
            walk.push(Effect::because(Action::WriteFile, s.filename.clone()))
        }
        (CopyPeer::Client, _) => {}
    }
    run_inside(s.query.as_deref(), statement, walk);
    walk.below(NodeRef::CopyStmt(s), s.relation.as_ref());
    if let (Some(relation), Some(condition)) = (&s.relation, &s.where_clause) {
        statement.given = Some(Arc::new(shape::of_copied_in(relation, condition)));
    }
    if !s.is_from {
        statement.output = match &statement.inner {
            Some(inner) => inner.output.clone(),
            None => s.relation.as_ref().map_or(Output::Unknown, |relation| {
                Output::Query(Arc::new(shape::of_copy(relation, &s.attlist)))
            }),
        };
    }
}

fn create_as<'a>(
    s: &'a protobuf::CreateTableAsStmt,
    statement: &mut Statement,
    walk: &mut Walk<'a>,
) {
    let view = s.objtype == protobuf::ObjectType::ObjectMatview as i32;
    let object = if view { "MATERIALIZED VIEW" } else { "TABLE" };
    statement.tag = if view {
        "CREATE MATERIALIZED VIEW"
    } else {
        "CREATE TABLE AS"
    };
    let relation = s.into.as_ref().and_then(|into| into.rel.as_ref());
    statement.temporary = relation.is_some_and(|it| it.relpersistence == "t");
    let name = relation.map(name_of);
    walk.push(Effect::on(Action::Create, object, name));
    run_inside(s.query.as_deref(), statement, walk);
}
