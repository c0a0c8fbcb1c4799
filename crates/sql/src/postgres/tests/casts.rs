//! Casts to a column's own type, and what the catalog shows of partitions.

use model::DataClass;

use super::{on_big_stack, one};
use crate::Action;
use crate::postgres::tests::bank::letters;
use crate::postgres::{
    Catalog, Column, Declaration, FieldOrigin, Function, Protected, Relation, RelationKind,
    Resolved, Volatility, resolve,
};

const DOMAIN: u32 = 20_000;

/// A table: its number, schema and name, and its columns with their types.
type Table = (
    u32,
    &'static str,
    &'static str,
    &'static [(&'static str, u32)],
);

const TABLES: &[Table] = &[
    (
        1,
        "public",
        "vault",
        &[
            ("id", 23),
            ("born", 1_082),
            ("uid", 2_950),
            ("tags", 1_009),
            ("doc", 3_802),
            ("word", DOMAIN),
            ("twice", 20_001),
        ],
    ),
    (2, "public", "plain", &[("born", 1_114)]),
    (3, "public", "byp", &[("pin", 25), ("id", 23)]),
    (
        4,
        "pg_catalog",
        "pg_class",
        &[("oid", 26), ("relname", 19), ("relpartbound", 194)],
    ),
];

fn known(partitioned: &[&str]) -> (Catalog, Protected) {
    let mut builder = Catalog::builder();
    for (oid, schema, name, columns) in TABLES {
        let column = |(number, (name, kind)): (i16, &(&str, u32))| Column {
            number,
            name: (*name).to_owned(),
            type_oid: *kind,
            modifier: -1,
            generated: false,
        };
        builder.add(Relation {
            oid: *oid,
            schema: (*schema).to_owned(),
            name: (*name).to_owned(),
            kind: RelationKind::Table,
            columns: (1..).zip(*columns).map(column).collect(),
            definition: None,
            toast: 0,
        });
    }
    for name in ["pg_get_expr", "pg_get_partition_constraintdef", "lower"] {
        builder.add_function(Function {
            schema: "pg_catalog".to_owned(),
            name: name.to_owned(),
            volatility: Volatility::Stable,
            language: "internal".to_owned(),
            builtin: true,
            takes_one: false,
            body: None,
        });
    }
    for (oid, schema, name) in [
        ("20000", "public", "word_t"),
        ("20001", "public", "twice_t"),
        ("20002", "other", "twice_t"),
    ] {
        let row = [oid, schema, name].map(|it| Some(it.as_bytes()));
        builder.row(11, &row).unwrap();
    }
    for number in partitioned {
        let row = ["3", number].map(|it| Some(it.as_bytes()));
        builder.row(10, &row).unwrap();
    }
    let catalog = builder.build();
    let vault = TABLES[0].3.iter().skip(1).map(|(name, _)| ("vault", *name));
    let declared = vault
        .chain([("byp", "pin")])
        .map(|(table, column)| Declaration {
            schema: "public".to_owned(),
            table: table.to_owned(),
            column: column.to_owned(),
            class: DataClass::US_SSN,
            path: None,
        });
    let declared: Vec<Declaration> = declared.collect();
    let protected = Protected::compile(&declared, &[], &catalog);
    (catalog, protected)
}

fn told(resolved: &Resolved) -> (usize, usize) {
    let count = |of: &crate::postgres::BaseColumns| of.iter().count();
    (count(&resolved.matched), count(&resolved.probed))
}

/// Statements, the rule of each column, and how many columns are matched and probed.
const CASTS: &[(&str, &str, (usize, usize))] = &[
    (
        "SELECT born::date, uid::uuid, tags::text[], doc::jsonb, word::word_t, CAST(word AS public.word_t) FROM vault",
        "ssssss",
        (0, 0),
    ),
    ("SELECT (born::date)::date FROM vault", "s", (0, 0)),
    ("SELECT id FROM vault WHERE uid::uuid = $1", ".", (1, 0)),
    (
        "SELECT id FROM vault WHERE word::word_t IN ('a', 'b')",
        ".",
        (1, 0),
    ),
    (
        "SELECT id FROM vault WHERE born::date = '2020-01-01'::date",
        ".",
        (1, 0),
    ),
    // Another type, another length, another type of that name, or nobody knows which.
    (
        "SELECT born::timestamp, word::other.word_t, twice::twice_t, uid::date, tags::varchar(3)[], (id::date) FROM vault",
        "DDDDD.",
        (0, 5),
    ),
    (
        "SELECT id FROM vault WHERE born::timestamp = $1",
        ".",
        (0, 1),
    ),
    (
        "SELECT id FROM vault WHERE lower(word::word_t) = $1",
        ".",
        (0, 1),
    ),
    (
        "SELECT id FROM vault WHERE lower(word)::word_t = $1",
        ".",
        (0, 1),
    ),
    ("SELECT id FROM vault WHERE born::date > $1", ".", (0, 1)),
    ("SELECT (doc -> 'a')::jsonb FROM vault", "D", (0, 1)),
];

fn assert_told(known: &(Catalog, Protected), cases: &[(&str, &str, (usize, usize))]) {
    let (catalog, protected) = known;
    for (text, rules, tells) in cases {
        let resolved = resolve(&one(text), catalog, protected);
        let none = FieldOrigin {
            table_oid: 0,
            column: 0,
        };
        let found = resolved.rules(&vec![none; rules.len()], catalog, protected);
        assert_eq!(letters(&found), *rules, "{text}: {found:?}");
        assert_eq!(told(&resolved), *tells, "{text}");
    }
}

#[test]
fn a_cast_to_the_own_type_changes_nothing() {
    on_big_stack(|| assert_told(&known(&[]), CASTS));
}

#[test]
fn who_takes_a_types_name_redefines() {
    on_big_stack(|| {
        let (catalog, protected) = known(&[]);
        for (name, redefines) in [
            ("pg_temp.word_t", true),
            ("other.twice_t", true),
            ("public.date", true),
            ("other.thing_t", false),
        ] {
            let text = format!("CREATE DOMAIN {name} AS text");
            let resolved = resolve(&one(&text), &catalog, &protected);
            let mut effects = resolved.effects.iter();
            let found = effects.any(|it| it.effect.action == Action::Redefine);
            assert_eq!(found, redefines, "{text}");
        }
    });
}

/// As psql asks of a partition, and of what is partitioned.
const DESCRIBED: [&str; 3] = [
    "SELECT relname, pg_catalog.pg_get_expr(c.relpartbound, c.oid), pg_catalog.pg_get_partition_constraintdef(c.oid) FROM pg_catalog.pg_class c",
    "SELECT relname FROM pg_catalog.pg_class c ORDER BY pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'",
    "SELECT relname, relpartbound FROM pg_class",
];

#[test]
fn bounds_of_partitions_are_values_of_the_key() {
    on_big_stack(|| {
        let [described, sorted, plain] = DESCRIBED;
        let none = (0, 0);
        for key in [&["1"][..], &["0"], &["2", "1"]] {
            let cases = [
                (described, ".nn", none),
                (sorted, ".", (1, 0)),
                (plain, ".n", none),
            ];
            assert_told(&known(key), &cases);
            let guesses = [
                (
                    "SELECT 1 FROM pg_class c WHERE pg_get_expr(relpartbound, 1) = 'x'",
                    ".",
                    (0, 1),
                ),
                (
                    "SELECT 1 FROM pg_class c WHERE pg_get_expr(relpartbound, c.oid) LIKE '%Q%'",
                    ".",
                    (0, 1),
                ),
            ];
            assert_told(&known(key), &guesses);
        }
        for key in [&[][..], &["2"]] {
            let cases = [
                (described, "...", none),
                (sorted, ".", none),
                (plain, "..", none),
            ];
            assert_told(&known(key), &cases);
        }
    });
}
