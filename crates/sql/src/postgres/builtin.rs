//! Built-in functions, and those of common extensions, that do more than compute from their arguments.
//!
//! By name alone: a function of that name in another schema is treated alike.

use crate::Action;

/// What calling `name` does beyond computing; `None` when nothing is known of it here.
pub(super) fn effect_of(name: &str) -> Option<Action> {
    TABLE
        .iter()
        .find(|(_, names)| names.contains(&name))
        .map(|(action, _)| *action)
        .or_else(|| by_prefix(name))
}

/// Functions of extensions in C that give random or given values, whatever their volatility says.
pub(super) fn makes_values(name: &str) -> bool {
    MAKES_VALUES.contains(&name)
}

const MAKES_VALUES: &[&str] = &[
    "gen_random_bytes",
    "gen_random_uuid",
    "gen_salt",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
];

/// Whether what it returns may be rows or values that its arguments do not show.
pub(super) fn returns_anything(name: &str) -> bool {
    RETURNS_STORED.contains(&name)
        || matches!(
            effect_of(name),
            Some(
                Action::Opaque
                    | Action::ReadFile
                    | Action::Connect
                    | Action::LargeObject
                    | Action::Program
            )
        )
}

/// Whether it carries its arguments to where others, or the session itself, can read them: a sequence's value, a lock's
/// number, a setting, a channel, a file.
pub(super) fn carries(name: &str) -> bool {
    let releases = name.starts_with("pg_advisory_unlock");
    releases
        || effect_of(name).is_some_and(|action| {
            matches!(action, Action::Sequence | Action::Lock) || carries_anything(action)
        })
}

/// Whether a function with this effect carries any values, wherever in the statement they come from.
pub(super) fn carries_anything(action: Action) -> bool {
    matches!(
        action,
        Action::Set
            | Action::SetRole
            | Action::Notify
            | Action::LargeObject
            | Action::WriteFile
            | Action::Connect
            | Action::Opaque
            | Action::Administer
    )
}

/// Whether, given constants, it gives the same for every row. Aggregates do not: how many rows there are shows in them.
pub(super) fn is_fixed(name: &str) -> bool {
    FIXED.contains(&name)
}

/// Whether it compares the values that it chooses from.
pub(super) fn compares(name: &str) -> bool {
    matches!(name, "min" | "max")
}

const FIXED: &[&str] = &[
    "btrim",
    "concat",
    "convert_to",
    "date",
    "decode",
    "encode",
    "left",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "md5",
    "now",
    "replace",
    "right",
    "rpad",
    "rtrim",
    "sha256",
    "sha512",
    "substr",
    "substring",
    "to_date",
    "to_timestamp",
    "translate",
    "upper",
];

fn by_prefix(name: &str) -> Option<Action> {
    PREFIXES
        .iter()
        .find(|(prefix, _)| name.starts_with(prefix))
        .map(|(_, action)| *action)
}

const PREFIXES: &[(&str, Action)] = &[
    ("dblink", Action::Connect),
    ("postgres_fdw_", Action::Connect),
    ("pg_advisory_", Action::Lock),
    ("pg_try_advisory_", Action::Lock),
    ("pg_ls_", Action::ReadFile),
    ("pg_read_", Action::ReadFile),
    ("pg_stat_reset", Action::Administer),
    ("pg_stat_file", Action::ReadFile),
    ("pg_replication_", Action::Administer),
    ("pg_create_", Action::Administer),
    ("pg_drop_", Action::Administer),
    ("pg_copy_", Action::Administer),
    ("pg_logical_", Action::Administer),
    ("pg_sync_", Action::Administer),
    ("pg_wal_replay_", Action::Administer),
    ("pg_backup_", Action::Administer),
    ("binary_upgrade_", Action::Administer),
    ("pg_restore_", Action::Administer),
    ("pg_clear_", Action::Administer),
    ("pg_file_", Action::WriteFile),
    ("brin_", Action::Maintenance),
    ("gin_clean_", Action::Maintenance),
    ("http_", Action::Connect),
    ("crosstab", Action::Opaque),
];

const TABLE: &[(Action, &[&str])] = &[
    // Give back what the session holds, as DISCARD does. Pools of connections do it between two users.
    (
        Action::Discard,
        &[
            "pg_advisory_unlock",
            "pg_advisory_unlock_shared",
            "pg_advisory_unlock_all",
        ],
    ),
    // Run SQL given as text or read relations given by name.
    (
        Action::Opaque,
        &[
            "query_to_xml",
            "query_to_xmlschema",
            "query_to_xml_and_xmlschema",
            "table_to_xml",
            "table_to_xml_and_xmlschema",
            "schema_to_xml",
            "schema_to_xml_and_xmlschema",
            "database_to_xml",
            "database_to_xml_and_xmlschema",
            "cursor_to_xml",
            "cursor_to_xmlschema",
            "ts_stat",
            "ts_rewrite",
            "connectby",
            "xpath_table",
            "plpgsql_check_function",
            "lo_manage",
            "get_raw_page",
            "heap_page_items",
            "heap_page_item_attrs",
            "tuple_data_split",
            "bt_page_items",
            "pg_logical_slot_get_changes",
            "pg_logical_slot_peek_changes",
            "pg_logical_slot_get_binary_changes",
            "pg_logical_slot_peek_binary_changes",
        ],
    ),
    (
        Action::ReadFile,
        &[
            "pg_current_logfile",
            "pg_hba_file_rules",
            "pg_ident_file_mappings",
            "pg_config",
            "pg_show_all_file_settings",
        ],
    ),
    (Action::WriteFile, &["lo_export"]),
    (Action::Program, &["load_file", "pg_execute_server_program"]),
    (
        Action::LargeObject,
        &[
            "lo_import",
            "lo_create",
            "lo_creat",
            "lo_open",
            "lo_close",
            "lo_get",
            "lo_put",
            "lo_from_bytea",
            "lo_unlink",
            "lo_lseek",
            "lo_lseek64",
            "lo_tell",
            "lo_tell64",
            "lo_truncate",
            "lo_truncate64",
            "loread",
            "lowrite",
        ],
    ),
    (Action::Sequence, &["nextval", "setval"]),
    (Action::Set, &["set_config", "setseed"]),
    (Action::Notify, &["pg_notify"]),
    (
        Action::Wait,
        &["pg_sleep", "pg_sleep_for", "pg_sleep_until"],
    ),
    (
        Action::Administer,
        &[
            "pg_cancel_backend",
            "pg_terminate_backend",
            "pg_reload_conf",
            "pg_rotate_logfile",
            "pg_rotate_logfile_old",
            "pg_log_backend_memory_contexts",
            "pg_log_standby_snapshot",
            "pg_switch_wal",
            "pg_promote",
            "pg_export_snapshot",
            "pg_start_backup",
            "pg_stop_backup",
            "pg_stat_statements_reset",
            "pg_stat_clear_snapshot",
            "pg_stat_force_next_flush",
            "pg_extension_config_dump",
            "pg_import_system_collations",
            "pg_set_attribute_stats",
            "pg_set_relation_stats",
            "pg_prewarm",
            "pg_nextoid",
            "pg_stop_making_pinned_objects",
            "pg_event_trigger_dropped_objects",
            "pg_extension_update_paths",
            "pg_get_wal_records_info",
            "pg_get_wal_block_info",
            "pg_walinspect",
        ],
    ),
    (
        Action::Maintenance,
        &[
            "pg_truncate_visibility_map",
            "heap_force_kill",
            "heap_force_freeze",
            "bt_index_check",
            "bt_index_parent_check",
        ],
    ),
];

/// Return what is stored elsewhere: settings, statistics, other sessions' text, the log of changes.
const RETURNS_STORED: &[&str] = &[
    "pg_stat_get_activity",
    "pg_stat_get_backend_activity",
    "pg_stat_get_backend_client_addr",
    "pg_stat_statements",
    "pg_get_wal_records_info",
    "pg_get_wal_record_info",
    "pg_get_wal_block_info",
    "pg_logical_slot_get_changes",
    "pg_logical_slot_peek_changes",
    "pg_logical_slot_get_binary_changes",
    "pg_logical_slot_peek_binary_changes",
    "pg_mcv_list_items",
    "pg_stats_ext_mcvlist_items",
    "pg_prepared_statement",
    "pg_cursor",
    "pg_get_backend_memory_contexts",
];
