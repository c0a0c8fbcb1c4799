//! Settings, and what `set_config` makes of them: with a constant name and value it is the same as `SET`.

use pg_query::{Node, NodeEnum, protobuf};

use crate::Action;

/// Settings that decide who the session acts as.
const IDENTITY: &[&str] = &["role", "session_authorization"];

/// What a planner's setting is called at its beginning or end: with them a statement can have rows come in the order of an index,
/// which is that of values it does not show.
const PLANNER: (&[&str], &[&str]) = (
    &[
        "enable_",
        "geqo",
        "min_parallel_",
        "max_parallel_",
        "parallel_",
        "pg_hint_plan.",
    ],
    &[
        "_cost",
        "_collapse_limit",
        "cursor_tuple_fraction",
        "effective_cache_size",
        "constraint_exclusion",
        "debug_parallel_query",
        "force_parallel_mode",
        "recursive_worktable_factor",
        "plan_cache_mode",
    ],
);

/// Settings of memory, by which the planner sorts or hashes.
const MEMORY: &[&str] = &["hash_mem_multiplier", "work_mem"];

/// Whether it is one that tells the planner how to find rows.
pub(super) fn is_planners(name: &str) -> bool {
    let (beginnings, ends) = PLANNER;
    MEMORY.contains(&name)
        || beginnings.iter().any(|it| name.starts_with(it))
        || ends.iter().any(|it| name.ends_with(it))
}

/// What pg_dump gives to the setting `restrict_nonsystem_relation_kind`, whose name it takes from `pg_settings`, so that
/// nothing happens on servers without it (CVE-2024-7348). Whatever setting it is, no role is called so.
pub(super) const RELATION_KINDS: &str = "view, foreign-table";

/// What changing a setting is.
pub(super) fn action(name: &str) -> Action {
    if IDENTITY.contains(&name) {
        Action::SetRole
    } else {
        Action::Set
    }
}

/// The setting that a `set_config` names, in lower case; any where it is not a constant.
pub(super) fn name(call: &protobuf::FuncCall) -> Option<String> {
    Some(text(call.args.first()?)?.to_ascii_lowercase())
}

/// The value that a `set_config` gives, where it is a constant.
pub(super) fn value(call: &protobuf::FuncCall) -> Option<String> {
    Some(text(call.args.get(1)?)?.to_owned())
}

fn text(node: &Node) -> Option<&str> {
    match node.node.as_ref()? {
        NodeEnum::AConst(value) => match value.val.as_ref()? {
            protobuf::a_const::Val::Sval(text) => Some(&text.sval),
            _ => None,
        },
        _ => None,
    }
}
