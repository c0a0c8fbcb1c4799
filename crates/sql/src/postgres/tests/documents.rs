//! JSON of which some places are declared.

use model::{DataClass, JsonPath};

use super::bank::{assert_rules, bank};
use super::{on_big_stack, one};
use crate::postgres::{BaseColumn, BaseColumns, Declaration, Document, PLACES_MAX, Place, resolve};

/// Statements and the rule of each output column, with no origin reported.
const RULES: &[(&str, &str)] = &[
    ("SELECT id, kind, body, raw FROM events", "..dd"),
    ("SELECT * FROM (SELECT e.body AS b FROM events e) x", "d"),
    (
        "WITH x AS (SELECT body FROM events) SELECT x.body FROM x",
        "d",
    ),
    (
        "SELECT coalesce(body, '{}'), CASE WHEN id > 1 THEN body END, array_agg(body) FROM events GROUP BY 1, 2",
        "ddd",
    ),
    (
        "SELECT body::text, body::jsonb, body::json::text, raw::jsonb, body - 'kind', body -> 0 FROM events",
        "dddddd",
    ),
    // A member: what is declared of it, or nothing.
    (
        "SELECT body -> 'kind', body ->> 'kind', body -> 'customer', body ->> 'customer', body -> 'customer' ->> 'ssn', \
         body -> 'customer' -> 'name' FROM events",
        "..dds.",
    ),
    (
        "SELECT body -> 'cards' -> 0 -> 'credit' ->> 'pan', body -> 'cards' -> 'x' ->> 'iban', raw::jsonb ->> 'ssn' FROM events",
        "p.s",
    ),
    // What nobody follows.
    (
        "SELECT body ->> kind, body #>> kind::text[], jsonb_path_query(body, '$.*'), jsonb_pretty(body), body || '{}', \
         upper(body::text), body::varchar(9), body['customer'], length(raw), body #>> '{}', body #> '{\"a\"}', \
         jsonb_extract_path(body, kind), jsonb_extract_path(body), jsonb_extract_path(body, VARIADIC '{a}') FROM events",
        "DDDDDDDDDDDDDD",
    ),
    // A path that is written out is a chain of names; a number in it is a name, or counts elements.
    (
        "SELECT body #> '{kind}', body #>> '{customer,ssn}', body #> '{customer}', body #>> ARRAY['customer', 'name'], \
         body #>> '{cards,0,credit,pan}', body #> '{cards,-1}', raw::jsonb #>> '{ssn}', raw::jsonb #>> '{0}' FROM events",
        ".sd.pdsd",
    ),
    (
        "SELECT jsonb_extract_path_text(body, 'customer', 'ssn'), jsonb_extract_path(body, 'kind'), \
         json_extract_path(body, 'customer') FROM events",
        "s.d",
    ),
    // Elements go by the names of the array, whatever the item is called; of a declared value they are made.
    (
        "SELECT v FROM events, jsonb_array_elements(body -> 'cards') v",
        "d",
    ),
    (
        "SELECT v.value, value, v, v ->> 'x', v #>> '{credit,pan}', v.* FROM events, jsonb_array_elements(body #> '{cards}') v",
        "ddddpd",
    ),
    (
        "SELECT x, v FROM events e, LATERAL jsonb_array_elements_text(e.body -> 'cards') v(x)",
        "dd",
    ),
    (
        "SELECT jsonb_array_elements(body -> 'cards') FROM events",
        "d",
    ),
    (
        "SELECT id, v FROM events, jsonb_array_elements(body -> 'kind') v",
        "..",
    ),
    (
        "SELECT v FROM events, jsonb_array_elements(body -> 'customer' -> 'ssn') v",
        "D",
    ),
    (
        "SELECT v FROM events, jsonb_array_elements(body -> 'cards') WITH ORDINALITY v",
        "D",
    ),
    ("SELECT v FROM events, jsonb_each(body) v", "D"),
    (
        "SELECT (SELECT max(v ->> 'pan') FROM jsonb_array_elements(body -> 'cards') v) FROM events",
        "d",
    ),
    (
        "SELECT body FROM events UNION ALL SELECT raw FROM events",
        "D",
    ),
    (
        "SELECT row_to_json(e), to_json(e), json_agg(e), json_build_object('body', body) FROM events e",
        "mmmm",
    ),
    (
        "SELECT to_jsonb(e) -> 'body', to_jsonb(e) -> 'body' -> 'kind', to_jsonb(e) ->> 'kind' FROM events e",
        "d..",
    ),
    (
        "SELECT row_to_json(x) FROM (SELECT id, raw FROM events) x",
        "m",
    ),
    ("SELECT e FROM events e", "r"),
    (
        "SELECT count(body), body IS NULL, pg_typeof(body) FROM events GROUP BY 2, 3",
        "...",
    ),
    ("SELECT id FROM events WHERE body -> 'kind' = '1'", "."),
    (
        "INSERT INTO events (body) VALUES ('{}') RETURNING body, body ->> 'kind'",
        "d.",
    ),
    ("COPY events TO STDOUT", "..dd"),
];

#[test]
fn places_are_followed_through_statements() {
    assert_rules(RULES);
}

/// What a statement does with places: copies of data, classes that are matched and probed.
const TOLD: &[(&str, bool, &str, &str)] = &[
    (
        "SELECT id FROM events WHERE body ->> 'kind' = 'x'",
        false,
        "",
        "",
    ),
    (
        "SELECT id FROM events WHERE body -> 'customer' ->> 'ssn' = 'x'",
        false,
        "",
        "us_ssn",
    ),
    (
        "SELECT id FROM events WHERE body @> '{}'",
        false,
        "",
        "pan us_ssn",
    ),
    (
        "SELECT id FROM events WHERE body IS NOT NULL",
        false,
        "",
        "",
    ),
    (
        "INSERT INTO events (raw) VALUES ('{}')",
        false,
        "us_ssn",
        "",
    ),
    (
        "SELECT id FROM events WHERE body #>> '{kind}' = 'x'",
        false,
        "",
        "",
    ),
    (
        "SELECT id FROM events WHERE body #>> '{customer,ssn}' = 'x'",
        false,
        "",
        "us_ssn",
    ),
    (
        "SELECT v FROM events, jsonb_array_elements(body -> 'cards') v",
        false,
        "",
        "",
    ),
    (
        "SELECT id FROM events, jsonb_array_elements(body -> 'cards') v WHERE v -> 'credit' ->> 'pan' > '5'",
        false,
        "",
        "pan",
    ),
    (
        "SELECT id FROM events, jsonb_array_elements(body -> 'customer' -> 'ssn') v",
        false,
        "",
        "us_ssn",
    ),
    (
        "UPDATE events SET body = body - 'kind'",
        false,
        "",
        "pan us_ssn",
    ),
    ("UPDATE events SET raw = body", true, "", "us_ssn"),
    (
        "UPDATE events SET body = body -> 'customer'",
        true,
        "",
        "pan us_ssn",
    ),
    (
        "UPDATE events SET body = jsonb_set(body, '{a}', body -> 'customer')",
        true,
        "",
        "pan us_ssn",
    ),
    ("CREATE TABLE x AS SELECT body FROM events", true, "", ""),
    (
        "CREATE TABLE x AS SELECT body ->> 'kind' FROM events",
        false,
        "",
        "",
    ),
];

#[test]
fn what_is_done_with_places_is_told() {
    on_big_stack(|| {
        let (catalog, protected) = bank();
        let names = |columns: &BaseColumns| {
            let classes = columns.classes();
            classes
                .iter()
                .map(DataClass::name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        for (sql, copies, matched, probed) in TOLD {
            let told = resolve(&one(sql), &catalog, &protected);
            assert_eq!(told.copies_protected, *copies, "{sql}");
            assert_eq!(names(&told.matched), *matched, "{sql}: matched");
            assert_eq!(names(&told.probed), *probed, "{sql}: probed");
        }
    });
}

fn path(text: &str) -> JsonPath {
    JsonPath::try_from(text).unwrap()
}

fn base(text: &str, class: DataClass) -> BaseColumn {
    let declaration = Declaration {
        schema: "public".into(),
        table: "events".into(),
        column: "body".into(),
        class,
        path: Some(path(text)),
    };
    BaseColumn::new(&declaration, None)
}

fn held(document: &Document, at: Place) -> Vec<&str> {
    document.held(at).map(DataClass::name).collect()
}

#[test]
fn a_place_is_reached_by_its_names() {
    let document = Document::new(&path("$.a.ssn"), base("$.a.ssn", DataClass::US_SSN));
    let document = document
        .with(&path("$.*.pan"), base("$.*.pan", DataClass::PAN))
        .unwrap();
    let document = document
        .with(
            &path("$.a.ssn.email"),
            base("$.a.ssn.email", DataClass::EMAIL),
        )
        .unwrap();
    let (root, a) = (document.root(), document.member(document.root(), "a"));
    assert!(held(&document, root).is_empty() && held(&document, a).is_empty());
    assert!(a.leads_somewhere());
    // With what is below it, so that revealing one class shows none of the others.
    assert_eq!(
        held(&document, document.member(a, "ssn")),
        ["us_ssn", "email"]
    );
    assert_eq!(held(&document, document.member(a, "pan")), ["pan"]);
    let other = document.member(root, "b");
    assert!(held(&document, document.member(other, "ssn")).is_empty());
    assert!(!document.member(other, "ssn").leads_somewhere());
}

#[test]
fn a_column_has_so_many_places() {
    let mut document = Document::new(&path("$.a0"), base("$.a0", DataClass::US_SSN));
    for number in 1..PLACES_MAX {
        document = document
            .with(
                &path(&format!("$.a{number}")),
                base(&format!("$.a{number}"), DataClass::US_SSN),
            )
            .unwrap();
    }
    assert!(
        document
            .with(&path("$.b"), base("$.b", DataClass::US_SSN))
            .is_none()
    );
    for number in [0, 1, PLACES_MAX - 1] {
        let at = document.member(document.root(), &format!("a{number}"));
        assert_eq!(held(&document, at), ["us_ssn"]);
    }
    let one = Document::new(&path("$.a"), base("$.a", DataClass::US_SSN));
    assert!(one.member(one.root(), "b") != one.member(one.root(), "a"));
}
