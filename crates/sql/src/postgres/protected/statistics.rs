//! What of the catalog holds values of other tables.

use std::collections::BTreeSet;

use model::DataClass;

use super::super::base::{BaseColumn, BaseColumns, OfClass};
use super::super::catalog::Catalog;
use super::super::taint::Kind;
use super::{Declaration, Protected};
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

/// Where bounds of partitions stand, which are values of the key.
const BOUNDS: [&str; 3] = ["pg_catalog", "pg_class", "relpartbound"];

impl Protected {
    /// What bounds of partitions hold, where the keys of some are protected.
    #[must_use]
    pub(in super::super) fn bounds(&self) -> &BaseColumns {
        &self.bounds
    }

    /// Where a table is partitioned by a protected column, the bounds of all partitions count as such.
    pub(super) fn add_bounds(&mut self, catalog: &Catalog) {
        let [schema, table, column] = BOUNDS;
        let key = |(relation, number): &(u32, i16)| match number {
            0 if self.touches(*relation) => self.declared.clone(),
            0 => BaseColumns::NONE,
            number => self.column(*relation, *number).columns(),
        };
        let keys = catalog.partitioned.iter().map(key);
        let classes: BTreeSet<DataClass> = keys.flat_map(|key| key.classes()).collect();
        let of = classes.into_iter().map(|class| {
            let declaration = Declaration {
                schema: schema.to_owned(),
                table: table.to_owned(),
                column: column.to_owned(),
                class,
                path: None,
            };
            BaseColumn::new(&declaration, None)
        });
        self.bounds = of.collect();
        let mut bounds = self.bounds.iter();
        let kind = match (bounds.next(), bounds.next()) {
            (None, _) => return,
            (Some(one), None) => Kind::Direct(OfClass::one(one.clone())),
            _ => Kind::Derived(self.bounds.clone()),
        };
        let name = Name::qualified(schema, table);
        for relation in catalog.candidates(&name) {
            let bounds = relation.columns.iter().filter(|it| it.name == column);
            for column in bounds {
                self.set(relation.oid, column.number, kind.clone().into());
            }
        }
    }

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
