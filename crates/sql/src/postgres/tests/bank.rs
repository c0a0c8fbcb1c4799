//! A small bank to resolve statements against, and what may be shown of their results.

use model::{DataClass, JsonPath};

use super::{on_big_stack, one};
use crate::Name;
use crate::postgres::{
    Body, Catalog, CatalogBuilder, Column, Declaration, FieldOrigin, Function, OutputRule,
    Protected, Relation, RelationKind, Resolved, Volatility, Withheld, resolve,
};

pub(super) const CUSTOMERS: u32 = 101;

fn relation(oid: u32, schema: &str, name: &str, kind: RelationKind, columns: &str) -> Relation {
    let column = |(index, name): (usize, &str)| Column {
        number: i16::try_from(index).unwrap() + 1,
        name: name.trim_end_matches('!').to_owned(),
        type_oid: 25,
        modifier: -1,
        generated: name.ends_with('!'),
    };
    let columns = columns.split_whitespace().enumerate().map(column).collect();
    Relation {
        oid,
        schema: schema.into(),
        name: name.into(),
        kind,
        columns,
        definition: None,
        toast: 0,
    }
}

const TABLES: &[(u32, &str, &str, RelationKind, &str)] = &[
    (
        CUSTOMERS,
        "public",
        "customers",
        RelationKind::Table,
        "id name ssn email upper_name!",
    ),
    (
        102,
        "public",
        "cards",
        RelationKind::Table,
        "id customer_id pan",
    ),
    (
        103,
        "public",
        "payments",
        RelationKind::Table,
        "id card_id amount",
    ),
    (104, "public", "tenants", RelationKind::Table, "id name"),
    (105, "other", "tenants", RelationKind::Table, "name id"),
    (106, "other", "cards", RelationKind::Table, "id x"),
    (
        107,
        "public",
        "customers_eu",
        RelationKind::Table,
        "ssn id name email",
    ),
    (
        108,
        "public",
        "receipts",
        RelationKind::Table,
        "id card_pan tail! number!",
    ),
    (
        109,
        "public",
        "events",
        RelationKind::Table,
        "id kind body raw",
    ),
    (
        150,
        "pg_toast",
        "pg_toast_101",
        RelationKind::Toast,
        "chunk_id chunk_seq chunk_data",
    ),
    (
        160,
        "pg_catalog",
        "pg_stats",
        RelationKind::View,
        "schemaname tablename most_common_vals correlation",
    ),
    (
        161,
        "pg_catalog",
        "pg_stat_activity",
        RelationKind::View,
        "pid query",
    ),
    (
        162,
        "monitoring",
        "pg_stat_statements",
        RelationKind::View,
        "userid query calls",
    ),
];

const VIEWS: &[(u32, &str, &str, &str)] = &[
    (
        110,
        "v_plain",
        "n s",
        " SELECT c.name, c.ssn FROM public.customers c;",
    ),
    (
        111,
        "v_derived",
        "id tail",
        "SELECT customers.id, \"right\"(customers.ssn, 4) AS tail FROM public.customers;",
    ),
    (
        112,
        "v_over",
        "n s",
        "SELECT v_plain.n, v_plain.s FROM public.v_plain;",
    ),
    (
        113,
        "v_stats",
        "v",
        "SELECT pg_stats.most_common_vals FROM pg_stats;",
    ),
    (114, "v_writes", "w", "SELECT public.writer(1) AS w;"),
    (
        115,
        "v_over_writes",
        "w",
        "SELECT v_writes.w FROM public.v_writes;",
    ),
    (116, "v_broken", "w", "SELECT FROM FROM"),
];

const BUILTINS: &str = "upper right count min max sum length row_to_json to_json lower array_agg generate_series now \
    query_to_xml row_number string_agg md5 unnest left replace ascii nullif lag lead first_value nth_value to_jsonb json_agg \
    jsonb_array_elements jsonb_array_elements_text jsonb_extract_path jsonb_extract_path_text json_extract_path jsonb_each \
    jsonb_agg json_build_object jsonb_build_object json_build_array coalesce set_config pg_notify lo_from_bytea \
    btrim ltrim rtrim pg_typeof num_nulls num_nonnulls";

/// Functions in SQL: name, arguments, columns, the relation whose rows come, and text.
const BODIES: &[(&str, &str, &str, u32, &str)] = &[
    (
        "peek",
        "cid",
        "",
        0,
        "SELECT ssn FROM customers WHERE id = cid",
    ),
    (
        "ids_of",
        "",
        "",
        0,
        "SELECT id FROM public.customers WHERE ssn = $1",
    ),
    ("pairs", "", "a b", 0, "SELECT id, ssn FROM customers;"),
    ("people", "", "", CUSTOMERS, "SELECT * FROM customers"),
    ("person", "", "", CUSTOMERS, "SELECT c FROM customers c"),
    ("loud", "", "", 0, "SELECT upper($1)"),
    ("twice", "", "", 0, "SELECT 1; SELECT ssn FROM customers"),
    ("around", "", "", 0, "SELECT around($1)"),
    ("own", "ssn", "", 0, "SELECT ssn"),
    ("through", "", "", 0, "SELECT peek($1)"),
    (
        "keeps",
        "",
        "",
        0,
        "INSERT INTO payments (amount) SELECT ssn FROM customers RETURNING id",
    ),
    ("several", "", "", 0, "SELECT name FROM customers"),
    // As `pg_get_functiondef` gives functions in standard SQL.
    (
        "atomic",
        "cid",
        "",
        0,
        "CREATE OR REPLACE FUNCTION public.atomic(cid integer)\n RETURNS text\n LANGUAGE sql\n STABLE\n\
         BEGIN ATOMIC\n SELECT customers.ssn\n    FROM public.customers\n   WHERE (customers.id = atomic.cid);\nEND\n",
    ),
    (
        "atomics",
        "",
        "",
        0,
        "CREATE OR REPLACE FUNCTION public.atomics()\n RETURNS text\n LANGUAGE sql\nBEGIN ATOMIC\n SELECT 1 AS \"?column?\";\n \
         SELECT customers.ssn FROM public.customers;\nEND\n",
    ),
    (
        "upped",
        "",
        "",
        0,
        "CREATE OR REPLACE FUNCTION public.upped(text)\n RETURNS text\n LANGUAGE sql\n IMMUTABLE\nRETURN upper($1)\n",
    ),
    (
        "first",
        "",
        "",
        0,
        "CREATE OR REPLACE FUNCTION public.first()\n RETURNS text\n LANGUAGE sql\nRETURN (SELECT customers.ssn FROM public.customers LIMIT 1)\n",
    ),
    ("several", "", "", 0, "SELECT ssn FROM customers"),
    ("elsewhere", "", "", 0, "SELECT x FROM nosuch"),
    ("outside", "", "", 0, "SELECT name"),
    (
        "tenant",
        "",
        "",
        0,
        "SELECT set_config('app.tenant', $1, false)",
    ),
];

/// A bank: customers with a social security number, cards with a number, views over them, functions.
pub(super) fn bank() -> (Catalog, Protected) {
    let mut builder = Catalog::builder();
    for (oid, schema, name, kind, columns) in TABLES {
        let toast = if *oid == CUSTOMERS { 150 } else { 0 };
        builder.add(Relation {
            toast,
            ..relation(*oid, schema, name, *kind, columns)
        });
    }
    for (oid, name, columns, definition) in VIEWS {
        let view = relation(*oid, "public", name, RelationKind::View, columns);
        builder.add(Relation {
            definition: Some((*definition).to_owned()),
            ..view
        });
    }
    add_functions(&mut builder);
    builder.row(3, &[Some(b"107"), Some(b"101")]).unwrap();
    // computed of another column; a key that refers to one.
    for (query, row) in [
        (6, [&b"101"[..], b"5", b"2", b""]),
        (6, [b"108", b"3", b"2", b""]),
        (6, [b"108", b"4", b"1", b""]),
        (7, [b"108", b"2", b"102", b"3"]),
        (7, [b"103", b"2", b"102", b"1"]),
    ] {
        builder.row(query, &row.map(Some)).unwrap();
    }
    let catalog = builder.build();
    let protected = protected(&catalog, &[]);
    (catalog, protected)
}

/// The bank's declared columns, and functions that are trusted.
pub(super) fn protected(catalog: &Catalog, trusted: &[Name]) -> Protected {
    let declared = [
        ("customers", "ssn", DataClass::US_SSN, None),
        ("cards", "pan", DataClass::PAN, None),
        ("gone", "pan", DataClass::PAN, None),
        ("events", "body", DataClass::US_SSN, Some("$.customer.ssn")),
        ("events", "body", DataClass::PAN, Some("$.cards[*].*.pan")),
        ("events", "raw", DataClass::US_SSN, Some("$.ssn")),
    ];
    let declared = declared.map(|(table, column, class, path)| Declaration {
        schema: "public".into(),
        table: table.into(),
        column: column.into(),
        class,
        path: path.map(|path| JsonPath::try_from(path).unwrap()),
    });
    let protected = Protected::compile(&declared, trusted, catalog);
    assert_eq!(protected.missing, declared[2..3]);
    protected
}

fn add_functions(builder: &mut CatalogBuilder) {
    for name in BUILTINS.split_whitespace() {
        builder.add_function(function(
            "pg_catalog",
            name,
            Volatility::Immutable,
            "internal",
            true,
        ));
    }
    builder.add_function(function(
        "public",
        "reader",
        Volatility::Stable,
        "sql",
        false,
    ));
    builder.add_function(function(
        "public",
        "writer",
        Volatility::Volatile,
        "plpgsql",
        false,
    ));
    builder.add_function(function(
        "public",
        "similarity",
        Volatility::Immutable,
        "c",
        false,
    ));
    for &(name, arguments, columns, rows_of, text) in BODIES {
        let words = |words: &str| words.split_whitespace().map(str::to_owned).collect();
        builder.add_function(Function {
            body: Some(Body {
                text: text.to_owned(),
                arguments: words(arguments),
                columns: words(columns),
                rows_of,
                ..Body::default()
            }),
            ..function("public", name, Volatility::Stable, "sql", false)
        });
    }
}

fn function(
    schema: &str,
    name: &str,
    volatility: Volatility,
    language: &str,
    builtin: bool,
) -> Function {
    Function {
        schema: schema.into(),
        name: name.into(),
        volatility,
        language: language.into(),
        builtin,
        takes_one: !matches!(name, "reader"),
        body: None,
    }
}

pub(super) fn resolved(sql: &str) -> Resolved {
    let (catalog, protected) = bank();
    resolve(&one(sql), &catalog, &protected)
}

/// `.` clear, `s` and `p` masked as a class, `m` by members, `d` by places, `r` by fields, `n` computed and shown as NULL, `D` derived, `?` unknown.
pub(super) fn letters(rules: &[OutputRule]) -> String {
    let letter = |rule: &OutputRule| match rule {
        OutputRule::Clear => '.',
        OutputRule::Declared(of) if *of.class() == DataClass::US_SSN => 's',
        OutputRule::Declared(of) if *of.class() == DataClass::PAN => 'p',
        OutputRule::Declared(_) => '!',
        OutputRule::Members(_) => 'm',
        OutputRule::Document(_) => 'd',
        OutputRule::Fields(_) => 'r',
        OutputRule::Computed(_) => 'n',
        OutputRule::Withheld(Withheld::Derived(_)) => 'D',
        OutputRule::Withheld(_) => '?',
    };
    rules.iter().map(letter).collect()
}

/// Asserts of statements the rule of each output column, with no origin reported.
pub(super) fn assert_rules(all: &'static [(&str, &str)]) {
    on_big_stack(move || {
        let (catalog, protected) = bank();
        let mut wrong = Vec::new();
        for (sql, expected) in all {
            let resolved = resolve(&one(sql), &catalog, &protected);
            let none = FieldOrigin {
                table_oid: 0,
                column: 0,
            };
            let rules = resolved.rules(&vec![none; expected.len()], &catalog, &protected);
            let found = letters(&rules);
            if found != *expected {
                wrong.push(format!(
                    "{sql}\n  expected {expected}\n  found    {found}: {rules:?}"
                ));
            }
            if sql.starts_with("COPY") {
                let copied = resolved.copied(expected.len()).into_iter();
                let rules: Vec<OutputRule> = copied.map(|column| column.rule).collect();
                assert_eq!(letters(&rules), *expected, "{sql}");
            }
        }
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    });
}
