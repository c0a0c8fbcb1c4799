//! What the database asks and defines beside relations: constraints, policies, keys of partitions, types.

use std::sync::Arc;

use super::{CatalogBuilder, Relation};
use crate::postgres::statement::Output;
use crate::postgres::{Shape, parse};

/// Columns that constraints, indexes and policies stand over, and views that check what is written through them.
pub(super) const CHECKS: &str = "SELECT c.oid, c.conrelid, k.number, c.contype IN ('c', 'x') FROM pg_catalog.pg_constraint c, \
     unnest(c.conkey) k(number) WHERE c.conrelid >= 16384 AND c.contype IN ('c', 'x', 'u', 'p', 'f') \
     UNION ALL SELECT i.indexrelid, i.indrelid, d.refobjsubid, i.indexprs IS NOT NULL OR i.indpred IS NOT NULL \
     FROM pg_catalog.pg_index i \
     JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid \
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = i.indrelid AND d.refobjsubid > 0 \
     WHERE i.indrelid >= 16384 AND (i.indexprs IS NOT NULL OR i.indisunique) \
     UNION ALL SELECT p.oid, p.polrelid, d.refobjsubid, true FROM pg_catalog.pg_policy p \
     JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND d.objid = p.oid \
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = p.polrelid AND d.refobjsubid > 0 \
     UNION ALL SELECT c.oid, c.oid, 0, true FROM pg_catalog.pg_class c WHERE c.relkind = 'v' \
     AND EXISTS (SELECT FROM unnest(c.reloptions) o WHERE o LIKE 'check_option=%')";

/// What policies and check constraints ask of each row.
pub(super) const CONDITIONS: &str = "SELECT p.polrelid, NULL, pg_catalog.pg_get_expr(p.polqual, p.polrelid) FROM pg_catalog.pg_policy p \
     JOIN pg_catalog.pg_class c ON c.oid = p.polrelid WHERE c.relrowsecurity AND p.polqual IS NOT NULL \
     UNION ALL SELECT c.conrelid, c.oid, pg_catalog.pg_get_expr(c.conbin, c.conrelid) FROM pg_catalog.pg_constraint c \
     WHERE c.contype = 'c' AND c.conrelid >= 16384";

/// The keys of partitioned tables.
pub(super) const PARTITION_KEYS: &str = "SELECT p.partrelid, k.number FROM pg_catalog.pg_partitioned_table p, unnest(p.partattrs) k(number)";

/// Types that did not come with PostgreSQL.
pub(super) const TYPES: &str = "SELECT t.oid, n.nspname, t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
     WHERE t.oid >= 16384 AND t.typtype IN ('b', 'd', 'e') AND t.typcategory <> 'A'";

/// A column of a constraint, an index or a policy; or a view that checks what is written through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Constrained {
    /// The constraint, index or policy.
    pub(in super::super) by: u32,
    pub(in super::super) relation: u32,
    /// 0 for all.
    pub(in super::super) number: i16,
    /// It computes with what stands there, and does not only ask whether another row has the same.
    pub(in super::super) computes: bool,
}

/// What a policy or a constraint asks of each row of a table.
#[derive(Debug, Clone)]
pub(in super::super) struct AskedOfRows {
    pub(in super::super) relation: u32,
    /// The constraint; `None` for a policy.
    pub(in super::super) by: Option<u32>,
    /// As a query; `None` where it could not be read.
    pub(in super::super) query: Option<Arc<Shape>>,
}

impl CatalogBuilder {
    /// What is asked of each row of a table, as a query.
    pub(super) fn asked_of_rows(&self, relation: u32, condition: &str) -> Option<Arc<Shape>> {
        let Relation { schema, name, .. } = self.catalog.relations.get(&relation)?;
        let quoted = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
        let table = format!("{}.{}", quoted(schema), quoted(name));
        let query = format!("SELECT FROM {table} WHERE ({condition})");
        match &parse(&query).ok()?.statements.first()?.output {
            Output::Query(shape) => Some(Arc::clone(shape)),
            _ => None,
        }
    }
}
