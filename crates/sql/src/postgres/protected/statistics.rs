//! What of the catalog holds values of other tables.

use super::super::catalog::Catalog;
use super::Protected;
use crate::Name;

/// Statistics that hold values of the tables they describe, and large objects, of which nobody knows what they hold.
const STATISTICS: &[(&str, &[&str])] = &[
    ("pg_largeobject", &["data"]),
    (
        "pg_statistic",
        &[
            "stavalues1",
            "stavalues2",
            "stavalues3",
            "stavalues4",
            "stavalues5",
            "stanumbers1",
            "stanumbers2",
            "stanumbers3",
            "stanumbers4",
            "stanumbers5",
        ],
    ),
    (
        "pg_stats",
        &[
            "most_common_vals",
            "histogram_bounds",
            "most_common_elems",
            "range_bounds_histogram",
            "range_length_histogram",
            // Whether values rise with the rows compares them.
            "correlation",
        ],
    ),
    ("pg_statistic_ext_data", &["stxdmcv", "stxdexpr", "stxmcv"]),
    ("pg_stats_ext", &["most_common_vals"]),
    (
        "pg_stats_ext_exprs",
        &[
            "most_common_vals",
            "histogram_bounds",
            "most_common_elems",
            "range_bounds_histogram",
            "range_length_histogram",
            "correlation",
        ],
    ),
];

/// Views that show statements of other sessions, with the values that these name, in whatever schema an extension put them.
const STATEMENTS: &[(&str, &str)] = &[
    ("pg_stat_activity", "query"),
    ("pg_stat_statements", "query"),
    ("pg_stat_monitor", "query"),
];

impl Protected {
    pub(super) fn add_statistics(&mut self, catalog: &Catalog) {
        for relation in catalog.relations() {
            let shows = |column: &str| STATEMENTS.contains(&(&*relation.name, column));
            for column in relation.columns.iter().filter(|it| shows(&it.name)) {
                self.set(relation.oid, column.number, self.any());
            }
        }
        for (table, columns) in STATISTICS {
            let name = Name::qualified("pg_catalog", *table);
            for relation in catalog.candidates(&name) {
                for column in relation
                    .columns
                    .iter()
                    .filter(|column| columns.contains(&column.name.as_str()))
                {
                    self.set(relation.oid, column.number, self.any());
                }
            }
        }
    }

    pub(super) fn add_toast(&mut self, catalog: &Catalog) {
        let toasts: Vec<u32> = self
            .relations
            .iter()
            .filter_map(|oid| catalog.relation_by_oid(*oid))
            .map(|relation| relation.toast)
            .collect();
        for relation in toasts
            .iter()
            .filter_map(|oid| catalog.relation_by_oid(*oid))
        {
            for column in &relation.columns {
                self.set(relation.oid, column.number, self.any());
            }
        }
    }
}
