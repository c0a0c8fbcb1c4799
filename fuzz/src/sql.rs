//! PostgreSQL statements: the text, then against a catalog.

use std::sync::LazyLock;

use ::model::DataClass;
use sql::postgres::{
    Catalog, Column, Declaration, FieldOrigin, Function, Protected, Relation, RelationKind,
    Volatility, resolve,
};

use crate::on_big_stack;

/// `public.customers`.
pub(crate) const CUSTOMERS: u32 = 16_400;
/// Its columns and their types; `ssn`, `born` and `mails` are declared.
pub(crate) const COLUMNS: [(&str, u32); 6] = [
    ("id", 20),
    ("name", 25),
    ("ssn", 25),
    ("born", 1082),
    ("mails", 1009),
    ("photo", 17),
];

/// What is declared of it.
pub(crate) fn declared() -> Vec<Declaration> {
    let birth = DataClass::try_from("birth".to_owned()).expect("a class");
    [
        ("ssn", DataClass::US_SSN),
        ("born", birth),
        ("mails", DataClass::EMAIL),
    ]
    .map(|(column, class)| Declaration {
        schema: "public".to_owned(),
        table: "customers".to_owned(),
        column: column.to_owned(),
        class,
        path: None,
    })
    .into()
}

fn relation(oid: u32, name: &str, kind: RelationKind, definition: Option<&str>) -> Relation {
    let column = |(index, (name, kind)): (usize, &(&str, u32))| Column {
        number: index as i16 + 1,
        name: (*name).to_owned(),
        type_oid: *kind,
        modifier: -1,
        generated: false,
    };
    Relation {
        oid,
        schema: "public".to_owned(),
        name: name.to_owned(),
        kind,
        columns: COLUMNS.iter().enumerate().map(column).collect(),
        definition: definition.map(str::to_owned),
        toast: 0,
    }
}

/// A small catalog: a table, views over it, functions. Needs a big stack.
pub(crate) fn catalog() -> Catalog {
    let mut catalog = Catalog::builder();
    catalog.add(relation(CUSTOMERS, "customers", RelationKind::Table, None));
    catalog.add(relation(16_410, "t", RelationKind::Table, None));
    let view = "SELECT c.id, c.name, c.ssn, c.born, c.mails, c.photo FROM public.customers c";
    catalog.add(relation(16_420, "v", RelationKind::View, Some(view)));
    let over = "SELECT id, upper(ssn) AS name, 1 AS ssn, born, mails, photo FROM public.v, public.writer(1)";
    catalog.add(relation(16_430, "w", RelationKind::View, Some(over)));
    for (schema, name, volatility, language) in [
        ("pg_catalog", "upper", Volatility::Immutable, "internal"),
        ("pg_catalog", "count", Volatility::Immutable, "internal"),
        ("pg_catalog", "row_to_json", Volatility::Stable, "internal"),
        ("public", "writer", Volatility::Volatile, "plpgsql"),
    ] {
        catalog.add_function(Function {
            schema: schema.to_owned(),
            name: name.to_owned(),
            volatility,
            language: language.to_owned(),
            builtin: schema == "pg_catalog",
            takes_one: volatility == Volatility::Volatile,
            body: None,
        });
    }
    catalog.build()
}

static KNOWN: LazyLock<(Catalog, Protected)> = LazyLock::new(|| {
    on_big_stack(|| {
        let catalog = catalog();
        let protected = Protected::compile(&declared(), &[], &catalog);
        (catalog, protected)
    })
});

pub(crate) fn parse(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    on_big_stack(|| analyze(text));
}

fn analyze(text: &str) {
    let Ok(analysis) = sql::postgres::parse(text) else {
        return;
    };
    let (catalog, protected) = &*KNOWN;
    let mut end = 0;
    for statement in analysis.statements.iter() {
        assert!(statement.text.start >= end && text.get(statement.text.clone()).is_some());
        end = statement.text.end;
        let resolved = resolve(statement, catalog, protected);
        for count in 0..4_i16 {
            let fields: Vec<FieldOrigin> = (0..count)
                .map(|column| FieldOrigin {
                    table_oid: CUSTOMERS,
                    column,
                })
                .collect();
            assert_eq!(
                resolved.rules(&fields, catalog, protected).len(),
                fields.len()
            );
            assert_eq!(resolved.copied(fields.len()).len(), fields.len());
        }
    }
}
