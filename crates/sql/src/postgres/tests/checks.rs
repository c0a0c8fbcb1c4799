//! What the server asks by itself of rows: through constraints, and through views and policies that go by settings.

use model::DataClass;

use super::{on_big_stack, one};
use crate::postgres::{
    BaseColumns, Catalog, Column, Declaration, Function, Protected, Relation, RelationKind,
    Volatility, resolve,
};

const VAULT: &str = "id kind amount paid note secret total!";

const VIEWS: &[(&str, &str, &str)] = &[
    (
        "plain",
        "id amount",
        "SELECT vault.id, vault.amount FROM public.vault;",
    ),
    (
        "checked",
        "id note",
        "SELECT vault.id, vault.note FROM public.vault WHERE (vault.note < vault.secret);",
    ),
    (
        "mine",
        "id kind",
        "SELECT vault.id, vault.kind FROM public.vault WHERE (vault.secret ~~ current_setting('app.q'::text, true));",
    ),
    ("over", "id", "SELECT mine.id FROM public.mine;"),
    (
        "joined",
        "id",
        "SELECT v.id FROM public.vault v, ( SELECT current_setting('app.q'::text) AS q) s WHERE (v.secret ~~ s.q);",
    ),
    (
        "setting",
        "q",
        "SELECT current_setting('app.q'::text) AS q;",
    ),
    (
        "by_setting",
        "id",
        "SELECT v.id FROM public.vault v JOIN public.setting s ON ((v.secret = s.q));",
    ),
    (
        "there",
        "id",
        "SELECT n.id FROM public.notes n WHERE (EXISTS ( SELECT 1 FROM public.vault v WHERE ((v.id = n.id) AND (v.secret ~~ (SELECT current_setting('app.q'::text))))));",
    ),
    (
        "mail",
        "id",
        "SELECT vault.id FROM public.vault WHERE (vault.secret = public.who());",
    ),
    // Whose setting asks of nothing that is protected.
    (
        "tenant",
        "id secret",
        "SELECT vault.id, vault.secret FROM public.vault WHERE ((vault.kind = current_setting('app.tenant'::text)) AND (vault.secret <> ''::text));",
    ),
    (
        "role",
        "id secret",
        "SELECT vault.id, CASE WHEN (current_setting('app.role'::text) = 'a'::text) THEN vault.secret ELSE NULL::text END AS secret FROM public.vault;",
    ),
    (
        "author",
        "id",
        "SELECT vault.id FROM public.vault WHERE (vault.secret ~~ 'Q%'::text);",
    ),
];

fn relation(oid: u32, name: &str, kind: RelationKind, columns: &str) -> Relation {
    let column = |(index, name): (usize, &str)| Column {
        number: i16::try_from(index).unwrap() + 1,
        name: name.trim_end_matches('!').to_owned(),
        type_oid: 25,
        modifier: -1,
        generated: name.ends_with('!'),
    };
    Relation {
        oid,
        schema: "public".into(),
        name: name.into(),
        kind,
        columns: columns.split_whitespace().enumerate().map(column).collect(),
        definition: None,
        toast: 0,
    }
}

fn function(name: &str, builtin: bool) -> Function {
    Function {
        schema: if builtin { "pg_catalog" } else { "public" }.into(),
        name: name.into(),
        volatility: Volatility::Stable,
        language: if builtin { "internal" } else { "plpgsql" }.into(),
        builtin,
        takes_one: false,
        body: None,
    }
}

/// A vault with a secret and what was paid, which are declared, checks over them, views and a table with policies.
fn vault() -> (Catalog, Protected) {
    let mut builder = Catalog::builder();
    builder.add(relation(1, "vault", RelationKind::Table, VAULT));
    builder.add(relation(2, "notes", RelationKind::Table, "id text"));
    let part = "secret id amount";
    builder.add(relation(3, "vault_eu", RelationKind::Table, part));
    builder.add(relation(4, "ruled", RelationKind::Table, "id ssn owner"));
    for (oid, (name, columns, definition)) in (10..).zip(VIEWS) {
        builder.add(Relation {
            definition: Some((*definition).to_owned()),
            ..relation(oid, name, RelationKind::View, columns)
        });
    }
    for name in ["current_setting", "upper", "num_nonnulls"] {
        builder.add_function(function(name, true));
    }
    builder.add_function(function("who", false));
    let rows: &[(usize, &[&str])] = &[
        (3, &["3", "1"]),
        (4, &["11", "1", "0"]),
        (4, &["13", "12", "0"]),
        (6, &["1", "7", "2"]),
        (6, &["1", "7", "4"]),
        // CHECK (amount <= paid), UNIQUE (note, secret), CHECK (num_nonnulls(id, secret) > 0), and of a part an EXCLUDE.
        (8, &["100", "1", "3", "t"]),
        (8, &["100", "1", "4", "t"]),
        (8, &["101", "1", "5", "f"]),
        (8, &["101", "1", "6", "f"]),
        (8, &["102", "1", "1", "t"]),
        (8, &["102", "1", "6", "t"]),
        (8, &["103", "3", "1", "t"]),
        (8, &["103", "3", "2", "t"]),
        (8, &["104", "1", "6", "t"]),
        (8, &["11", "11", "0", "t"]),
    ];
    for (query, row) in rows {
        let row: Vec<_> = row.iter().map(|it| Some(it.as_bytes())).collect();
        builder.row(*query, &row).unwrap();
    }
    for (relation, by, condition) in [
        ("1", Some("100"), "(amount <= paid)"),
        (
            "1",
            Some("102"),
            "((id IS NOT NULL) OR (secret IS NOT NULL))",
        ),
        ("4", None, "(ssn ~~ current_setting('app.q'::text))"),
        ("2", None, "(id = current_setting('app.q'::text))"),
    ] {
        let row = [Some(relation), by, Some(condition)];
        builder
            .row(9, &row.map(|it| it.map(str::as_bytes)))
            .unwrap();
    }
    let catalog = builder.build();
    let declared = [("vault", "secret"), ("vault", "paid"), ("ruled", "ssn")];
    let declared = declared.map(|(table, column)| Declaration {
        schema: "public".into(),
        table: table.into(),
        column: column.into(),
        class: DataClass::US_SSN,
        path: None,
    });
    let protected = Protected::compile(&declared, &[], &catalog);
    (catalog, protected)
}

/// Statements, and what they match and probe.
const TOLD: &[(&str, &str)] = &[
    // The check says whether what is written is above what is there.
    ("UPDATE vault SET amount = 5 WHERE id = 1", "/ paid"),
    ("UPDATE plain SET amount = 5", "/ paid"),
    ("UPDATE vault SET amount = paid", "/ paid"),
    ("UPDATE vault SET amount = 5, paid = 6", "paid /"),
    ("UPDATE vault SET amount = 5, paid = DEFAULT", "paid /"),
    ("UPDATE vault SET amount = 5, paid = paid", "/ paid"),
    ("UPDATE vault SET paid = 6", "paid /"),
    ("UPDATE vault SET note = 'x'", "secret /"),
    // Of what is computed of both.
    ("UPDATE vault SET kind = 'x'", "/ paid"),
    // There a row is only asked whether something is NULL.
    ("UPDATE vault SET id = 7", "/ secret"),
    ("UPDATE ONLY vault SET id = 7, secret = '1'", "secret /"),
    ("UPDATE notes SET text = 'x'", "/"),
    // A row of one's own.
    ("INSERT INTO vault (amount, paid) VALUES (5, 6)", "paid /"),
    ("INSERT INTO vault (amount) VALUES (5)", "/"),
    (
        "INSERT INTO vault (amount, paid) SELECT 5, paid FROM vault",
        "/ paid",
    ),
    (
        "INSERT INTO vault (id, amount) VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET amount = excluded.amount",
        "/ paid",
    ),
    (
        "INSERT INTO vault (id, amount, paid) VALUES (1, 5, 6) ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, paid = excluded.paid",
        "paid /",
    ),
    (
        "MERGE INTO vault USING notes n ON vault.id = n.id WHEN MATCHED THEN UPDATE SET amount = 5 WHEN NOT MATCHED THEN INSERT (amount, paid) VALUES (5, 6)",
        "paid / paid",
    ),
    // A view that checks what is written through it.
    ("UPDATE checked SET note = 'M'", "secret / secret"),
    ("INSERT INTO checked (note) VALUES ('M')", "/ secret"),
    ("SELECT * FROM checked", "/"),
    // What the session sets asks.
    ("SELECT * FROM mine", "/ secret"),
    ("SELECT count(*) FROM over", "/ secret"),
    ("DELETE FROM mine", "/ secret"),
    ("SELECT id FROM joined", "/ secret"),
    ("SELECT id FROM by_setting", "/ secret"),
    ("SELECT id FROM there", "/ secret"),
    ("SELECT id FROM mail", "/ secret"),
    ("SELECT * FROM ruled", "/ ssn"),
    ("SELECT id, secret FROM tenant", "/"),
    ("SELECT id FROM role", "/"),
    ("SELECT id FROM author", "/"),
    ("SELECT * FROM notes", "/"),
    (
        "WITH mine AS (SELECT id FROM notes) SELECT * FROM mine",
        "/",
    ),
];

fn names(columns: &BaseColumns) -> String {
    let names = columns.iter().map(|it| it.name().rsplit('.').next());
    names.flatten().collect::<Vec<_>>().join("+")
}

#[test]
fn what_the_server_asks_by_itself_is_told() {
    on_big_stack(|| {
        let (catalog, protected) = vault();
        for (text, expected) in TOLD {
            let resolved = resolve(&one(text), &catalog, &protected);
            let told = format!("{} / {}", names(&resolved.matched), names(&resolved.probed));
            assert_eq!(told.trim(), *expected, "{text}");
        }
    });
}
