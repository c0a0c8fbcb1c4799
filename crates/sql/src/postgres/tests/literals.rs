//! Which literals and parameters may be values of protected columns.

use std::collections::BTreeMap;

use model::DataClass;

use super::on_big_stack;
use crate::postgres::{
    Body, Catalog, Column, Concealed, Declaration, Function, Held, Protected, Relation,
    RelationKind, Statement, Volatility, all_literals, parse_with_literals,
};

const TABLES: &[(u32, &str, RelationKind, &str, Option<&str>)] = &[
    (1, "vault", RelationKind::Table, "id kind secret born", None),
    (2, "other", RelationKind::Table, "id name owner", None),
    (
        3,
        "shown",
        RelationKind::View,
        "id s tail",
        Some("SELECT vault.id, vault.secret AS s, right(vault.secret, 4) AS tail FROM vault"),
    ),
    (4, "named", RelationKind::Table, "id name", None),
];

const FUNCTIONS: &[&str] = &[
    "generate_series",
    "right",
    "left",
    "upper",
    "lower",
    "max",
    "count",
    "extract",
    "unnest",
    "query_to_xml",
    "jsonb_each_text",
    "jsonb_to_recordset",
    "jsonb_populate_recordset",
    "to_jsonb",
];

/// Functions of the database, with their bodies where these can be followed.
const BODIES: &[(&str, Option<&str>)] = &[
    ("peek", Some("SELECT secret FROM vault WHERE id = $1")),
    ("label", Some("SELECT name FROM other WHERE id = $1")),
    ("refund", None),
];

fn class(name: &str) -> DataClass {
    DataClass::try_from(name.to_owned()).unwrap()
}

fn known() -> (Catalog, Protected) {
    let mut builder = Catalog::builder();
    for (oid, name, kind, columns, definition) in TABLES {
        let column = |(index, name): (usize, &str)| Column {
            number: i16::try_from(index).unwrap() + 1,
            name: name.to_owned(),
            type_oid: 25,
            modifier: -1,
            generated: false,
        };
        builder.add(Relation {
            oid: *oid,
            schema: "public".into(),
            name: (*name).into(),
            kind: *kind,
            columns: columns.split(' ').enumerate().map(column).collect(),
            definition: definition.map(str::to_owned),
            toast: 0,
        });
    }
    for name in FUNCTIONS {
        builder.add_function(Function {
            schema: "pg_catalog".into(),
            name: (*name).into(),
            volatility: Volatility::Immutable,
            language: "internal".into(),
            builtin: true,
            takes_one: false,
            body: None,
        });
    }
    for (name, body) in BODIES {
        builder.add_function(Function {
            schema: "public".into(),
            name: (*name).into(),
            volatility: Volatility::Stable,
            language: "sql".into(),
            builtin: false,
            takes_one: true,
            body: body.map(|text| Body {
                text: text.into(),
                ..Body::default()
            }),
        });
    }
    let declared = [
        ("vault", "secret", "generic_secret"),
        ("vault", "born", "date_of_birth"),
        ("named", "name", "person"),
    ];
    let declared = declared.map(|(table, column, of)| Declaration {
        schema: "public".into(),
        table: table.into(),
        column: column.into(),
        class: class(of),
        path: None,
    });
    let catalog = builder.build();
    let protected = Protected::compile(&declared, &[], &catalog);
    (catalog, protected)
}

fn written(held: &Held) -> String {
    match held {
        Held::Of(class) => format!("<{class}>"),
        Held::Any => "<any>".to_owned(),
    }
}

/// A text with what is hidden in it, and its parameters.
fn concealed(sql: &str) -> (String, BTreeMap<u32, String>) {
    let sql = sql.to_owned();
    on_big_stack(move || {
        let (catalog, protected) = known();
        let analysis = parse_with_literals(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let mut all = Concealed::default();
        let mut parameters = BTreeMap::new();
        let mut prepared: Option<&Statement> = None;
        for statement in analysis.statements.iter() {
            let one = match prepared {
                Some(before) if statement.tag == "EXECUTE" => statement
                    .running(before.inner.as_ref().unwrap())
                    .conceal(&catalog, &protected),
                _ => statement.conceal(&catalog, &protected),
            };
            if statement.tag == "PREPARE" {
                prepared = Some(statement);
            }
            let named = one.parameters.iter();
            parameters.extend(named.map(|(number, held)| (*number, written(held))));
            all.append(one);
        }
        let mut text = sql.clone();
        for hidden in all.hidden(&sql).unwrap().into_iter().rev() {
            text.replace_range(hidden.range, &written(&hidden.held));
        }
        (text, parameters)
    })
}

fn check(cases: &[(&str, &str)]) {
    for (sql, expected) in cases {
        assert_eq!(concealed(sql).0, *expected, "{sql}");
    }
}

#[test]
fn a_mistaken_name_counts_as_that_of_a_protected_column() {
    check(&[
        (
            "SELECT id FROM vault WHERE secrte = 'Q' AND kind = 'b'",
            "SELECT id FROM vault WHERE <any> = '<any>' AND kind = 'b'",
        ),
        (
            "UPDATE vault SET secrt = 'Q', kind = 'b' WHERE id = 1",
            "UPDATE vault SET secrt = '<any>', kind = 'b' WHERE id = 1",
        ),
        (
            "INSERT INTO vault (id, sekret) VALUES (3, 'Q')",
            "INSERT INTO vault (id, sekret) VALUES (3, '<any>')",
        ),
        (
            "SELECT x FROM (SELECT kind AS x FROM vault) y WHERE x = 'b' AND y.x <> 'c' AND y IS NOT NULL",
            "SELECT x FROM (SELECT kind AS x FROM vault) y WHERE x = 'b' AND y.x <> 'c' AND y IS NOT NULL",
        ),
    ]);
}

#[test]
fn what_is_compared_with_a_column_may_be_a_value_of_it() {
    check(&[
        (
            "SELECT id FROM vault WHERE secret = 'Q' AND kind = 'b' LIMIT 10",
            "SELECT id FROM vault WHERE secret = '<generic_secret>' AND kind = 'b' LIMIT 10",
        ),
        (
            "SELECT 1 FROM vault WHERE 'Q' < secret OR id IN (1, 2)",
            "SELECT 1 FROM vault WHERE '<generic_secret>' < secret OR id IN (1, 2)",
        ),
        (
            "SELECT 1 FROM vault v WHERE v.secret IN ('Q', E'R\\'', $$S$$, $t$T$t$)",
            "SELECT 1 FROM vault v WHERE v.secret IN ('<generic_secret>', E'<any>', $$<generic_secret>$$, $t$<generic_secret>$t$)",
        ),
        (
            "SELECT 1 FROM vault WHERE secret LIKE 'Q%' AND born BETWEEN '1980-01-01' AND DATE '1981-01-01'",
            "SELECT 1 FROM vault WHERE secret LIKE '<generic_secret>' AND born BETWEEN '<date_of_birth>' AND DATE '<date_of_birth>'",
        ),
        (
            "SELECT 1 FROM vault WHERE upper(secret) = 'Q' OR left(secret, 4) = lower('Q')",
            "SELECT 1 FROM vault WHERE upper(secret) = '<any>' OR left(secret, <any>) = lower('<any>')",
        ),
        (
            "SELECT 1 FROM vault WHERE extract(year FROM born) = 1980 AND secret::int = -4711",
            "SELECT 1 FROM vault WHERE extract(year FROM born) = <any> AND secret::int = -<generic_secret>",
        ),
        (
            "SELECT 1 FROM vault WHERE secret::int IN (-(4711), - /* a */ 4712, - -4713)",
            "SELECT 1 FROM vault WHERE secret::int IN (-(<generic_secret>), - /* a */ <generic_secret>, - -<generic_secret>)",
        ),
        (
            "SELECT 'QWZX', 'QW' FROM vault WHERE secret = 'QWZX' AND kind IN ('QWZX', 'QWZXK')",
            "SELECT '<any>', 'QW' FROM vault WHERE secret = '<generic_secret>' AND kind IN ('<any>', 'QWZXK')",
        ),
        (
            "SELECT 1 FROM vault WHERE (id, secret) = (1, 'Q') OR (kind, secret) IN (('a', 'Q'), ('b', 'R'))",
            "SELECT 1 FROM vault WHERE (id, secret) = (1, '<generic_secret>') OR (kind, secret) IN (('a', '<generic_secret>'), ('b', '<generic_secret>'))",
        ),
        (
            "SELECT CASE WHEN secret = 'Q' THEN 'yes' ELSE 'no' END, CASE secret WHEN 'Q' THEN 1 END FROM vault",
            "SELECT CASE WHEN secret = '<generic_secret>' THEN 'yes' ELSE 'no' END, CASE secret WHEN '<generic_secret>' THEN 1 END FROM vault",
        ),
    ]);
}

#[test]
fn clauses_and_rows_are_compared_too() {
    check(&[
        (
            "SELECT kind, count(*) FROM vault GROUP BY kind HAVING max(secret) > 'Q' AND count(secret) > 5 ORDER BY 1",
            "SELECT kind, count(*) FROM vault GROUP BY kind HAVING max(secret) > '<any>' AND count(secret) > 5 ORDER BY 1",
        ),
        (
            "SELECT 1 FROM other o JOIN vault v ON o.id = v.id AND v.secret = 'Q' WHERE o.name = 'bob'",
            "SELECT 1 FROM other o JOIN vault v ON o.id = v.id AND v.secret = '<generic_secret>' WHERE o.name = 'bob'",
        ),
        (
            "SELECT 1 FROM other o JOIN vault v ON o.name = v.secret WHERE o.name = 'Q' AND o.id = 5",
            "SELECT 1 FROM other o JOIN vault v ON o.name = v.secret WHERE o.name = '<generic_secret>' AND o.id = 5",
        ),
        (
            "SELECT 1 FROM vault v WHERE v::text LIKE '%Q%' OR v.*::text ~ 'Q' OR v = ROW(1, 'k', 'Q', NULL)",
            "SELECT 1 FROM vault v WHERE v::text LIKE '<any>' OR v.*::text ~ '<any>' OR v = ROW(<any>, '<any>', '<any>', NULL)",
        ),
        (
            "SELECT 1 FROM vault WHERE secret IN (SELECT 'Q' UNION ALL VALUES ('R')) AND EXISTS (SELECT 'x' FROM other WHERE id = 7)",
            "SELECT 1 FROM vault WHERE secret IN (SELECT '<generic_secret>' UNION ALL VALUES ('<generic_secret>')) AND EXISTS (SELECT 'x' FROM other WHERE id = 7)",
        ),
        (
            "SELECT 1 FROM vault ORDER BY secret = 'Q'; DELETE FROM vault WHERE secret = 'R' RETURNING 'x'",
            "SELECT 1 FROM vault ORDER BY secret = '<generic_secret>'; DELETE FROM vault WHERE secret = '<generic_secret>' RETURNING 'x'",
        ),
        (
            "/* é */ SELECT 'é' FROM vault WHERE secret = 'Qé' AND kind = 'k'",
            "/* é */ SELECT 'é' FROM vault WHERE secret = '<generic_secret>' AND kind = 'k'",
        ),
        (
            "SELECT 1 FROM other WHERE name = 'bob'",
            "SELECT 1 FROM other WHERE name = 'bob'",
        ),
        (
            "SELECT 1 FROM named WHERE name = 'bob'",
            "SELECT 1 FROM named WHERE name = '<person>'",
        ),
        (
            "SELECT 1 FROM nowhere WHERE secret = 'Q' AND x = 'y'",
            "SELECT 1 FROM nowhere WHERE secret = '<generic_secret>' AND x = 'y'",
        ),
    ]);
}

#[test]
fn names_are_followed() {
    check(&[
        (
            "SELECT x.a FROM (SELECT secret AS a, kind AS b FROM vault) x WHERE x.a = 'Q' AND b = 'k'",
            "SELECT x.a FROM (SELECT secret AS a, kind AS b FROM vault) x WHERE x.a = '<generic_secret>' AND b = 'k'",
        ),
        (
            "WITH x(k, a) AS (SELECT kind, secret FROM vault), y AS (SELECT a AS c, k FROM x) SELECT 1 FROM y WHERE c = 'Q' AND k = 'k'",
            "WITH x(k, a) AS (SELECT kind, secret FROM vault), y AS (SELECT a AS c, k FROM x) SELECT 1 FROM y WHERE c = '<generic_secret>' AND k = 'k'",
        ),
        (
            "SELECT 1 FROM vault AS v(a, b, c, d) WHERE c = 'Q' AND b = 'k'",
            "SELECT 1 FROM vault AS v(a, b, c, d) WHERE c = '<generic_secret>' AND b = 'k'",
        ),
        (
            "SELECT 1 FROM (SELECT * FROM vault) AS v(a, b, c, d) WHERE c = 'Q' AND b = 'k'",
            "SELECT 1 FROM (SELECT * FROM vault) AS v(a, b, c, d) WHERE c = '<generic_secret>' AND b = 'k'",
        ),
        (
            "SELECT 1 FROM shown WHERE s = 'Q' AND tail = 'R' AND id = 3",
            "SELECT 1 FROM shown WHERE s = '<generic_secret>' AND tail = '<any>' AND id = 3",
        ),
        (
            "SELECT 1 FROM vault JOIN (VALUES ('Q', 'k')) w(a, b) ON secret = a AND kind = b",
            "SELECT 1 FROM vault JOIN (VALUES ('<generic_secret>', 'k')) w(a, b) ON secret = a AND kind = b",
        ),
        (
            "SELECT 1 FROM vault, (VALUES (1, 'Q')) w WHERE secret = column2",
            "SELECT 1 FROM vault, (VALUES (1, '<generic_secret>')) w WHERE secret = column2",
        ),
        (
            "SELECT 1 FROM vault, unnest(ARRAY['Q', 'R']) AS s WHERE secret = s",
            "SELECT 1 FROM vault, unnest(ARRAY['<any>', '<any>']) AS s WHERE secret = s",
        ),
        (
            "SELECT 1 FROM (SELECT upper(secret) FROM vault) x WHERE x.upper = 'Q'",
            "SELECT 1 FROM (SELECT upper(secret) FROM vault) x WHERE x.upper = '<any>'",
        ),
        (
            "SELECT 1 FROM (SELECT id, secret FROM vault) x WHERE x::text LIKE '%Q'",
            "SELECT 1 FROM (SELECT id, secret FROM vault) x WHERE x::text LIKE '<any>'",
        ),
        (
            "SELECT 1 FROM vault NATURAL JOIN (SELECT 'Q' AS secret, 5 AS n) x",
            "SELECT 1 FROM vault NATURAL JOIN (SELECT '<generic_secret>' AS secret, 5 AS n) x",
        ),
        (
            "SELECT 1 FROM vault JOIN (SELECT 'Q' AS secret, 5 AS n) x USING (secret)",
            "SELECT 1 FROM vault JOIN (SELECT '<generic_secret>' AS secret, 5 AS n) x USING (secret)",
        ),
        (
            "WITH RECURSIVE t(a, n) AS (SELECT secret, 1 FROM vault UNION ALL SELECT a, n + 1 FROM t WHERE n < 9) SELECT 1 FROM t WHERE a = 'Q'",
            "WITH RECURSIVE t(a, n) AS (SELECT secret, 1 FROM vault UNION ALL SELECT a, n + 1 FROM t WHERE n < 9) SELECT 1 FROM t WHERE a = '<generic_secret>'",
        ),
    ]);
}

#[test]
fn functions_of_the_database_may_give_what_is_protected() {
    check(&[
        (
            "SELECT 1 FROM other WHERE peek(id) = 'Q' AND label(id) = 'x' AND refund(4711) = 'done'",
            "SELECT 1 FROM other WHERE peek(id) = '<any>' AND label(id) = 'x' AND refund(4711) = '<any>'",
        ),
        (
            "SELECT refund(4711), peek(7)",
            "SELECT refund(4711), peek(7)",
        ),
        ("CALL refund(4711)", "CALL refund(4711)"),
        (
            "SELECT * FROM refund(4711) AS r",
            "SELECT * FROM refund(4711) AS r",
        ),
        (
            "SELECT 1 FROM refund(4711) AS r WHERE r = 'Q'",
            "SELECT 1 FROM refund(4711) AS r WHERE r = '<any>'",
        ),
        (
            "SELECT 1 FROM (SELECT peek(7) AS p) x WHERE p = 'Q'",
            "SELECT 1 FROM (SELECT peek(7) AS p) x WHERE p = '<any>'",
        ),
        (
            "SELECT 1 FROM other o WHERE o.peek = 'Q' AND o.label = 'x'",
            "SELECT 1 FROM other o WHERE o.peek = '<any>' AND o.label = 'x'",
        ),
    ]);
}

#[test]
fn columns_that_functions_and_rows_give_are_followed() {
    check(&[
        (
            "SELECT 1 FROM vault v, jsonb_each_text(to_jsonb(v)) j WHERE j.value = 'Q' AND key = 'R' AND kind = 'k'",
            "SELECT 1 FROM vault v, jsonb_each_text(to_jsonb(v)) j WHERE j.value = '<any>' AND key = '<any>' AND kind = 'k'",
        ),
        (
            "SELECT 1 FROM other v, jsonb_each_text(to_jsonb(v)) WHERE value = 'Q'",
            "SELECT 1 FROM other v, jsonb_each_text(to_jsonb(v)) WHERE value = 'Q'",
        ),
        (
            "SELECT 1 FROM vault v, jsonb_to_recordset(to_jsonb(v)) AS t(a text, b text) WHERE a = 'Q' AND kind = 'k'",
            "SELECT 1 FROM vault v, jsonb_to_recordset(to_jsonb(v)) AS t(a text, b text) WHERE a = '<any>' AND kind = 'k'",
        ),
        (
            "SELECT 1 FROM refund(4711) AS r WHERE r.state = 'Q' OR reason = 'R'",
            "SELECT 1 FROM refund(4711) AS r WHERE r.state = '<any>' OR reason = '<any>'",
        ),
        (
            "SELECT 1 FROM other o, refund(o.id) r WHERE r.name = 'Q' AND o.id = 7",
            "SELECT 1 FROM other o, refund(o.id) r WHERE r.name = '<any>' AND o.id = 7",
        ),
        (
            "SELECT 1 FROM other o, label(o.id) r WHERE state = 'x'",
            "SELECT 1 FROM other o, label(o.id) r WHERE state = 'x'",
        ),
        (
            "SELECT 1 FROM vault, unnest(ARRAY['Q'], ARRAY['R']) AS s(x, y) WHERE secret = x",
            "SELECT 1 FROM vault, unnest(ARRAY['<any>'], ARRAY['<any>']) AS s(x, y) WHERE secret = x",
        ),
        (
            "SELECT 1 FROM (SELECT (refund(7)).*) x WHERE x.state = 'Q'",
            "SELECT 1 FROM (SELECT (refund(7)).*) x WHERE x.state = '<any>'",
        ),
        (
            "SELECT 1 FROM (SELECT (v).* FROM vault v) x(a, b, c, d) WHERE c = 'Q'",
            "SELECT 1 FROM (SELECT (v).* FROM vault v) x(a, b, c, d) WHERE c = '<any>'",
        ),
        (
            "SELECT ('(1,a,Q,)'::vault).secret, 'x'::text",
            "SELECT ('<any>'::vault).secret, 'x'::text",
        ),
        (
            "SELECT 1 FROM jsonb_populate_recordset(NULL::vault, '[]') WHERE secret = 'Q'",
            "SELECT 1 FROM jsonb_populate_recordset(NULL::vault, '<any>') WHERE secret = '<generic_secret>'",
        ),
    ]);
}

#[test]
fn stars_and_references_whose_places_are_not_known_are_followed() {
    check(&[
        (
            "SELECT 1 FROM (other JOIN vault USING (id)) AS j(a, b, c, d, e, f) WHERE d = 'Q' AND e = 'R' AND other.name = 'n'",
            "SELECT 1 FROM (other JOIN vault USING (id)) AS j(a, b, c, d, e, f) WHERE d = '<any>' AND e = '<any>' AND other.name = 'n'",
        ),
        (
            "SELECT 1 FROM (SELECT * FROM other NATURAL JOIN vault) AS j(a, b, c, d, e, f) WHERE f = 'Q'",
            "SELECT 1 FROM (SELECT * FROM other NATURAL JOIN vault) AS j(a, b, c, d, e, f) WHERE f = '<any>'",
        ),
        (
            "SELECT 1 FROM (SELECT * FROM other JOIN vault USING (id)) AS j WHERE secret = 'Q' AND kind = 'k'",
            "SELECT 1 FROM (SELECT * FROM other JOIN vault USING (id)) AS j WHERE secret = '<generic_secret>' AND kind = 'k'",
        ),
        (
            "SELECT 1 FROM vault v WHERE ROW(v.*, 1) = ROW('a', 'Q') OR (v.*, 2) IN ((1, 'Q'))",
            "SELECT 1 FROM vault v WHERE ROW(v.*, <any>) = ROW('<any>', '<any>') OR (v.*, <any>) IN ((<any>, '<any>'))",
        ),
        (
            "WITH RECURSIVE t(a) AS (SELECT secret FROM vault UNION ALL SELECT b FROM t AS u(b) WHERE b = 'Q') SELECT 1 FROM t",
            "WITH RECURSIVE t(a) AS (SELECT secret FROM vault UNION ALL SELECT b FROM t AS u(b) WHERE b = '<generic_secret>') SELECT 1 FROM t",
        ),
        (
            "WITH RECURSIVE x(c) AS (SELECT * FROM other), other(o) AS (SELECT secret FROM vault) SELECT 1 FROM x WHERE c = 'Q'",
            "WITH RECURSIVE x(c) AS (SELECT * FROM other), other(o) AS (SELECT secret FROM vault) SELECT 1 FROM x WHERE c = '<generic_secret>'",
        ),
    ]);
}

#[test]
fn bounds_of_partitions_and_words_in_the_place_of_values_are_hidden() {
    check(&[
        (
            "CREATE TABLE p PARTITION OF vault FOR VALUES FROM ('Q') TO ('R'); CREATE TABLE p PARTITION OF other FOR VALUES IN ('x')",
            "CREATE TABLE p PARTITION OF vault FOR VALUES FROM ('<any>') TO ('<any>'); CREATE TABLE p PARTITION OF other FOR VALUES IN ('x')",
        ),
        (
            "ALTER TABLE vault ATTACH PARTITION p FOR VALUES IN ('Q', 'R')",
            "ALTER TABLE vault ATTACH PARTITION p FOR VALUES IN ('<any>', '<any>')",
        ),
        (
            "SELECT id FROM vault WHERE secret = \"Q R\" AND kind = \"k\" OR secret = qwzx",
            "SELECT id FROM vault WHERE secret = \"<any>\" AND kind = \"<any>\" OR secret = <any>",
        ),
        (
            "SELECT 1 FROM vault v JOIN other o ON v.secret = o.\"name\" WHERE secret = kind",
            "SELECT 1 FROM vault v JOIN other o ON v.secret = o.\"name\" WHERE secret = kind",
        ),
        (
            "INSERT INTO vault (secret) VALUES (\"Q\"); SELECT ctid FROM vault WHERE secret = ctid::text",
            "INSERT INTO vault (secret) VALUES (\"<any>\"); SELECT ctid FROM vault WHERE secret = ctid::text",
        ),
        (
            "WITH x AS (SELECT kind AS k FROM vault) SELECT x.k FROM x JOIN vault ON secret = k",
            "WITH x AS (SELECT kind AS k FROM vault) SELECT x.k FROM x JOIN vault ON secret = k",
        ),
    ]);
}

#[test]
fn what_is_written_into_a_column_is_a_value_of_it() {
    check(&[
        (
            "INSERT INTO vault (kind, secret) VALUES ('a', 'Q'), ('b', 'R')",
            "INSERT INTO vault (kind, secret) VALUES ('a', '<generic_secret>'), ('b', '<generic_secret>')",
        ),
        (
            "INSERT INTO vault VALUES (1, 'a', 'Q', '1980-01-01')",
            "INSERT INTO vault VALUES (1, 'a', '<generic_secret>', '<date_of_birth>')",
        ),
        (
            "INSERT INTO vault (secret, kind) SELECT 'Q', name FROM other WHERE name = 'bob'",
            "INSERT INTO vault (secret, kind) SELECT '<generic_secret>', name FROM other WHERE name = 'bob'",
        ),
        (
            "WITH w(a) AS (VALUES ('Q')) INSERT INTO vault (secret) SELECT a FROM w",
            "WITH w(a) AS (VALUES ('<generic_secret>')) INSERT INTO vault (secret) SELECT a FROM w",
        ),
        (
            "WITH w AS (VALUES ('Q', 1)) INSERT INTO vault (secret, id) SELECT * FROM w",
            "WITH w AS (VALUES ('<generic_secret>', 1)) INSERT INTO vault (secret, id) SELECT * FROM w",
        ),
        (
            "INSERT INTO vault SELECT o.*, 'Q' FROM other o",
            "INSERT INTO vault SELECT o.*, '<any>' FROM other o",
        ),
        (
            "UPDATE vault SET secret = 'Q' || kind, kind = 'k' WHERE id = 5",
            "UPDATE vault SET secret = '<any>' || kind, kind = 'k' WHERE id = 5",
        ),
        (
            "UPDATE vault SET (kind, secret) = ('k', 'Q'), (id, born) = (SELECT 5, '1980-01-01')",
            "UPDATE vault SET (kind, secret) = ('k', '<generic_secret>'), (id, born) = (SELECT 5, '<date_of_birth>')",
        ),
        (
            "INSERT INTO vault (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET secret = 'Q', kind = 'k' WHERE excluded.secret <> 'R'",
            "INSERT INTO vault (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET secret = '<generic_secret>', kind = 'k' WHERE excluded.secret <> '<generic_secret>'",
        ),
        (
            "MERGE INTO vault v USING other o ON v.id = o.id AND v.secret = 'P' WHEN MATCHED AND o.name = 'n' THEN UPDATE SET secret = 'Q' \
             WHEN NOT MATCHED THEN INSERT (kind, secret) VALUES ('k', 'R')",
            "MERGE INTO vault v USING other o ON v.id = o.id AND v.secret = '<generic_secret>' WHEN MATCHED AND o.name = 'n' THEN UPDATE SET secret = '<generic_secret>' \
             WHEN NOT MATCHED THEN INSERT (kind, secret) VALUES ('k', '<generic_secret>')",
        ),
        (
            "INSERT INTO other (name) VALUES ('bob'); INSERT INTO named (name) VALUES ('bob')",
            "INSERT INTO other (name) VALUES ('bob'); INSERT INTO named (name) VALUES ('<person>')",
        ),
        (
            "ALTER TABLE vault ALTER secret SET DEFAULT 'Q', ADD CHECK (born > '1900-01-01'), ALTER kind SET DEFAULT 'k'",
            "ALTER TABLE vault ALTER secret SET DEFAULT '<generic_secret>', ADD CHECK (born > '<date_of_birth>'), ALTER kind SET DEFAULT 'k'",
        ),
    ]);
}

#[test]
fn statements_within_statements_count() {
    check(&[
        (
            "EXPLAIN SELECT 1 FROM vault WHERE secret = 'Q'; DECLARE c CURSOR FOR SELECT 1 FROM vault WHERE secret = 'Q'",
            "EXPLAIN SELECT 1 FROM vault WHERE secret = '<generic_secret>'; DECLARE c CURSOR FOR SELECT 1 FROM vault WHERE secret = '<generic_secret>'",
        ),
        (
            "PREPARE p(text, int) AS SELECT 1 FROM vault WHERE secret = $1 AND id = $2; EXECUTE p('Q', 7)",
            "PREPARE p(text, int) AS SELECT 1 FROM vault WHERE secret = $1 AND id = $2; EXECUTE p('<generic_secret>', 7)",
        ),
        ("EXECUTE q('Q')", "EXECUTE q('<any>')"),
        (
            "CREATE TABLE t AS SELECT id FROM vault WHERE secret = 'Q'; COPY (SELECT id FROM vault WHERE secret = 'Q') TO STDOUT",
            "CREATE TABLE t AS SELECT id FROM vault WHERE secret = '<generic_secret>'; COPY (SELECT id FROM vault WHERE secret = '<generic_secret>') TO STDOUT",
        ),
        (
            "DO $$ BEGIN PERFORM 1 FROM vault WHERE secret = 'Q' AND id = 7; END $$; DO 'BEGIN RAISE NOTICE ''hello''; END'",
            "DO $$ BEGIN PERFORM <any> FROM vault WHERE secret = '<any>' AND id = <any>; END $$; DO 'BEGIN RAISE NOTICE ''hello''; END'",
        ),
        (
            "SELECT query_to_xml('SELECT 1 FROM vault WHERE secret = ''Q''', true, false, '')",
            "SELECT query_to_xml('SELECT <any> FROM vault WHERE secret = ''<any>''', true, false, '')",
        ),
    ]);
}

/// What stands for NULL is compared with every value; what is said of a column may be one.
#[test]
fn texts_that_no_expression_holds_count() {
    check(&[
        (
            "COPY (SELECT id, secret FROM vault WHERE kind = 'k') TO STDOUT (FORMAT csv, NULL 'Q')",
            "COPY (SELECT id, secret FROM vault WHERE kind = '<any>') TO STDOUT (FORMAT csv, NULL '<any>')",
        ),
        (
            "COPY vault (id, secret) FROM STDIN (NULL 'Q'); COPY vault TO STDOUT (NULL 'Q')",
            "COPY vault (id, secret) FROM STDIN (NULL '<any>'); COPY vault TO STDOUT (NULL '<any>')",
        ),
        (
            "COPY vault (id, kind) FROM STDIN (NULL 'b'); COPY other TO STDOUT (NULL 'b')",
            "COPY vault (id, kind) FROM STDIN (NULL 'b'); COPY other TO STDOUT (NULL 'b')",
        ),
        (
            "COPY (SELECT * FROM vault) TO STDOUT (NULL 'Q'); COPY (SELECT id FROM vault) TO STDOUT (NULL 'b')",
            "COPY (SELECT * FROM vault) TO STDOUT (NULL '<any>'); COPY (SELECT id FROM vault) TO STDOUT (NULL 'b')",
        ),
        (
            "COMMENT ON COLUMN vault.secret IS 'Q'; COMMENT ON COLUMN public.vault.kind IS 'b'; COMMENT ON TABLE other IS 'b'",
            "COMMENT ON COLUMN vault.secret IS '<any>'; COMMENT ON COLUMN public.vault.kind IS 'b'; COMMENT ON TABLE other IS 'b'",
        ),
        (
            "SET app.q = 'Q'; SET LOCAL app.q TO 'Q'; SET timezone = 'UTC'; NOTIFY ch, 'Q'",
            "SET app.q = '<any>'; SET LOCAL app.q TO '<any>'; SET timezone = 'UTC'; NOTIFY ch, '<any>'",
        ),
    ]);
}

#[test]
fn parameters_are_told_by_their_columns() {
    let parameters = |sql: &str| {
        let (_, parameters) = concealed(sql);
        let parameters = parameters.into_iter();
        parameters
            .map(|(number, held)| format!("{number}{held}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        parameters("SELECT 1 FROM vault WHERE secret = $2 AND id = $1 AND born > $3 LIMIT $4"),
        "2<generic_secret> 3<date_of_birth>"
    );
    assert_eq!(
        parameters("INSERT INTO vault (id, secret, born) VALUES ($1, $2, $3), ($4, $5, $3)"),
        "2<generic_secret> 3<date_of_birth> 5<generic_secret>"
    );
    assert_eq!(
        parameters("SELECT 1 FROM vault WHERE secret = ANY ($1::text[])"),
        "1<generic_secret>"
    );
    assert_eq!(
        parameters("SELECT 1 FROM vault WHERE secret = $1 OR born = $1"),
        "1<any>"
    );
    assert_eq!(parameters("SELECT 1 FROM other WHERE name = $1"), "");
}

#[test]
fn all_literals_of_a_text_that_is_no_statement_can_be_told() {
    let found = |text: &str| {
        let found = all_literals(text)?;
        let ranges = found
            .into_iter()
            .map(|hidden| text[hidden.range].to_owned());
        Some(ranges.collect::<Vec<_>>())
    };
    assert_eq!(
        found("selekt 'Q', E'\\'R' 47 from $$x$$ where a1 = $1").unwrap(),
        ["Q", "\\'R", "47", "x"]
    );
    assert_eq!(found("select 'Q"), None);
}
