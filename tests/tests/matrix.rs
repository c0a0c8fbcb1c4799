//! Every way out of the database, for every type, in every way of speaking the protocol: what becomes of a protected value.
//! What is found stands in `docs/masking-matrix.md`; `UPDATE_DOCS=1` writes it anew.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use tests::{Answer, Config, Database, Endpoint, Gateway, Postgres};

const SCHEMA: &str = include_str!("../matrix/schema.sql");
const MODES: [&str; 3] = ["simple", "text", "binary"];

/// A type, and how its value shows, wherever and however it is written as text.
struct Kind {
    name: &'static str,
    column: &'static str,
    shows: &'static [&'static str],
}

const fn kind(name: &'static str, column: &'static str, shows: &'static [&'static str]) -> Kind {
    Kind {
        name,
        column,
        shows,
    }
}

const KINDS: [(&str, &[Kind]); 4] = [
    (
        "Text",
        &[
            kind("text", "v_text", &["QWZXKV"]),
            kind("char", "v_char", &["VKZQXJ"]),
            kind("name", "v_name", &["ZKQXWV"]),
            kind("domain", "v_domain", &["GVXJQK"]),
            kind("enum", "v_enum", &["zqvxkw"]),
            kind("tsvector", "v_tsvector", &["xkzqjw"]),
        ],
    ),
    (
        "Numbers and times",
        &[
            kind("integer", "v_integer", &["1739184620"]),
            kind("bigint", "v_bigint", &["739184620517"]),
            kind("numeric", "v_numeric", &["8261739.45"]),
            kind(
                "double precision",
                "v_float8",
                &["5938274.625", "5.938274625e+06"],
            ),
            kind("date", "v_date", &["1913-07-29"]),
            kind("timestamp", "v_timestamp", &["1927-11-03"]),
            kind("timestamptz", "v_timestamptz", &["1938-02-17"]),
            kind("interval", "v_interval", &["37 years 5 mons"]),
        ],
    ),
    (
        "Bytes and addresses",
        &[
            kind("uuid", "v_uuid", &["c7d9f3b1-5e82"]),
            kind("bytea", "v_bytea", &["WVXQZP", "575658515a50", "V1ZYUVpQ"]),
            kind("inet", "v_inet", &["203.0.113.177"]),
            kind("bit varying", "v_bit", &["10110011100011110101"]),
        ],
    ),
    (
        "Values within values",
        &[
            kind("json", "v_json", &["ZVXQKJ"]),
            kind("jsonb", "v_jsonb", &["WQXZVK"]),
            kind("xml", "v_xml", &["QJZWXK"]),
            kind("text[]", "v_texts", &["KQJZXW"]),
            kind("bigint[]", "v_bigints", &["952846173309"]),
            kind("int8range", "v_range", &["416273958802"]),
            kind("composite", "v_pair", &["TDLBHP", "741069283517"]),
        ],
    ),
];

/// The ways out: `{c}` is the column. Each is a line of statements, run with what `prepare` made.
const WAYS: &[(&str, &str)] = &[
    ("column", "SELECT {c} FROM m WHERE id = 1"),
    (
        "column of a subquery",
        "SELECT x.y FROM (SELECT {c} AS y FROM m WHERE id = 1) x",
    ),
    ("column of a view", "SELECT y FROM m_{c}_view WHERE id = 1"),
    (
        "column of a materialized view",
        "SELECT y FROM m_{c}_kept WHERE id = 1",
    ),
    (
        "common table expression",
        "WITH x AS MATERIALIZED (SELECT {c} AS y FROM m WHERE id = 1) SELECT y FROM x",
    ),
    (
        "UNION ALL",
        "SELECT {c} FROM m WHERE id = 1 UNION ALL SELECT {c} FROM m WHERE id = 2",
    ),
    ("scalar subquery", "SELECT (SELECT {c} FROM m WHERE id = 1)"),
    ("whole row", "SELECT w FROM m_{c}_view w WHERE id = 1"),
    ("whole row of the table", "SELECT m FROM m WHERE id = 1"),
    ("ROW(…)", "SELECT ROW({c}, 1) FROM m WHERE id = 1"),
    ("ARRAY[…]", "SELECT ARRAY[{c}] FROM m WHERE id = 1"),
    ("array_agg", "SELECT array_agg({c}) FROM m"),
    ("cast to text", "SELECT {c}::text FROM m WHERE id = 1"),
    ("expression", "SELECT {c}::text || '!' FROM m WHERE id = 1"),
    ("aggregate", "SELECT max({c}::text) FROM m"),
    (
        "window function",
        "SELECT first_value({c}) OVER (ORDER BY id) FROM m",
    ),
    ("to_json", "SELECT to_json({c}) FROM m WHERE id = 1"),
    (
        "row_to_json",
        "SELECT row_to_json(w) FROM m_{c}_view w WHERE id = 1",
    ),
    (
        "xmlelement",
        "SELECT xmlelement(name x, {c}::text) FROM m WHERE id = 1",
    ),
    (
        "CASE",
        "SELECT CASE WHEN id = 1 THEN {c} END FROM m WHERE id = 1",
    ),
    ("function in SQL", "SELECT m_{c}_get(1)"),
    ("function in PL/pgSQL", "SELECT m_{c}_pl(1)"),
    (
        "EXPLAIN of a constant",
        "EXPLAIN (VERBOSE, COSTS OFF) SELECT m_{c}_constant()",
    ),
    (
        "INSERT … RETURNING",
        "!INSERT INTO m (id, {c}) SELECT 99, {c} FROM m WHERE id = 1 RETURNING {c}",
    ),
    (
        "UPDATE … RETURNING",
        "!UPDATE m SET id = id WHERE id = 1 RETURNING {c}",
    ),
    (
        "DELETE … RETURNING",
        "!DELETE FROM m WHERE id = 12 RETURNING {c}",
    ),
    (
        "cursor",
        "!DECLARE w CURSOR FOR SELECT {c} FROM m WHERE id = 1 ;; FETCH ALL FROM w",
    ),
    (
        "EXECUTE",
        "PREPARE w AS SELECT {c} FROM m WHERE id = 1 ;; EXECUTE w",
    ),
    (
        "temporary table",
        "!CREATE TEMP TABLE w AS SELECT {c} AS y FROM m WHERE id = 1 ;; SELECT y FROM w",
    ),
    (
        "temporary view",
        "!CREATE TEMP VIEW w AS SELECT {c} AS y FROM m WHERE id = 1 ;; SELECT y FROM w",
    ),
    ("COPY, text", "COPY m (id, {c}) TO STDOUT"),
    (
        "COPY, CSV",
        "COPY m (id, {c}) TO STDOUT (FORMAT csv, HEADER)",
    ),
    ("COPY, binary", "COPY m (id, {c}) TO STDOUT (FORMAT binary)"),
    (
        "COPY of a query",
        "COPY (SELECT {c} FROM m WHERE id = 1) TO STDOUT",
    ),
    (
        "error: invalid input",
        "SELECT ('!' || {c}::text)::integer FROM m WHERE id = 1",
    ),
    (
        "error: failing row",
        "INSERT INTO m_sink SELECT {c}::text FROM m WHERE id = 1",
    ),
    ("notice", "SELECT m_say({c}::text) FROM m WHERE id = 1"),
    (
        "notification",
        "LISTEN w ;; SELECT pg_notify('w', {c}::text) FROM m WHERE id = 1",
    ),
    (
        "setting",
        "SELECT set_config('w.y', {c}::text, false) FROM m WHERE id = 1 ;; SHOW w.y",
    ),
    (
        "large object",
        "!SELECT lo_from_bytea(770077, convert_to({c}::text, 'UTF8')) FROM m WHERE id = 1 ;; SELECT convert_from(lo_get(770077), 'UTF8')",
    ),
    (
        "statistics",
        "SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE tablename = 'm' AND attname = '{c}'",
    ),
    ("number of values", "SELECT count({c}) FROM m"),
];

/// What the ways need for each column.
const PREPARE: &str = "
    CREATE VIEW m_{c}_view AS SELECT id, {c} AS y FROM m;
    CREATE MATERIALIZED VIEW m_{c}_kept AS SELECT id, {c} AS y FROM m;
    CREATE FUNCTION m_{c}_get(integer) RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT {c}::text FROM m WHERE id = $1';
    CREATE FUNCTION m_{c}_pl(integer) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT {c} FROM m WHERE id = $1); END';
    CREATE FUNCTION m_{c}_constant() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT {c} FROM m WHERE id = 1); END';
";

fn kinds() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().flat_map(|(_, kinds)| *kinds)
}

fn database() -> Database<'static> {
    let database = Postgres::shared().database();
    let prepare: String = kinds()
        .map(|kind| PREPARE.replace("{c}", kind.column))
        .collect();
    database
        .endpoint()
        .psql(&format!("{SCHEMA}{prepare}"))
        .success();
    database
}

/// What a value can be known by: as text, and as its bytes in the binary format.
fn needles(direct: &BTreeMap<Cell, Answer>, kind: &Kind) -> Vec<String> {
    let mut needles: Vec<String> = kind.shows.iter().map(|text| (*text).to_owned()).collect();
    let binary = &direct[&("column", kind.name, "binary")].out;
    // The tag, the row, the column's name and type.
    let [_, value, _] = &binary[..] else {
        panic!("{binary:?}")
    };
    if value.len() >= 4 {
        needles.push(value.clone());
    }
    needles
}

/// A way, a type, and how the protocol is spoken.
type Cell = (&'static str, &'static str, &'static str);

fn ask(endpoint: &Endpoint) -> BTreeMap<Cell, Answer> {
    let mut cells = Vec::new();
    let mut lines = Vec::new();
    for (way, line) in WAYS {
        for kind in kinds() {
            lines.push(line.replace("{c}", kind.column));
            cells.extend(MODES.map(|mode| (*way, kind.name, mode)));
        }
    }
    let answers = endpoint.statements(&MODES.join(","), lines.iter().map(String::as_str));
    cells.into_iter().zip(answers).collect()
}

/// What became of a value, by what the server itself answers and what the gateway does.
fn outcome(direct: &Answer, through: &Answer, needles: &[String]) -> &'static str {
    let shows = |answer: &Answer| {
        let text = answer.out.join("\n");
        needles.iter().any(|needle| text.contains(needle))
    };
    if shows(through) {
        return "CLEAR";
    }
    if direct.out == through.out {
        return if shows(direct) { "CLEAR" } else { "nothing" };
    }
    let stars = direct
        .out
        .iter()
        .zip(&through.out)
        .any(|(direct, through)| direct != through && through.contains('*'));
    match (direct.answered, through.answered) {
        (true, true) if !stars => "NULL",
        (_, true) | (false, false) => "masked",
        (true, false) => "withheld",
    }
}

/// The outcome in each mode, shortly.
fn cell(outcomes: [&'static str; 3]) -> String {
    let [simple, text, binary] = outcomes;
    if simple == text && text == binary {
        simple.to_owned()
    } else if simple == text {
        format!("{simple}; binary {binary}")
    } else {
        format!("{simple}; text {text}; binary {binary}")
    }
}

fn table(direct: &BTreeMap<Cell, Answer>, through: &BTreeMap<Cell, Answer>) -> String {
    let mut page = String::from(HEAD);
    for (title, kinds) in KINDS {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
        writeln!(page, "\n## {title}\n\n| Way out | {} |", names.join(" | ")).unwrap();
        writeln!(page, "|---|{}", "---|".repeat(names.len())).unwrap();
        for (way, _) in WAYS {
            let cells: Vec<String> = kinds
                .iter()
                .map(|kind| {
                    let needles = needles(direct, kind);
                    cell(MODES.map(|mode| {
                        let at = (*way, kind.name, mode);
                        outcome(&direct[&at], &through[&at], &needles)
                    }))
                })
                .collect();
            writeln!(page, "| {way} | {} |", cells.join(" | ")).unwrap();
        }
    }
    page
}

const HEAD: &str = "# The masking matrix

What becomes of a value in a declared column, by the way on which it leaves, the type of the column, and how the protocol is
spoken: simple queries, the extended protocol with results in text, and with results in binary. Made by a test that asks a real
server directly and through the gateway, under a policy that permits every action and reveals nothing; where nothing else is said, all
three give the same.

- **masked**: the answer comes, and holds the value's customary part or stars in its place.
- **NULL**: the answer comes, and holds NULL in its place, because no masked value is one of the type.
- **withheld**: the statement ends with an error that says why and what to do.
- **nothing**: the server itself shows nothing of the value on this way, or cannot do it for this type; the gateway gives what the server gives.
- **CLEAR**: the value is seen. There is none, and the test that makes this page fails if there is one.
";

#[test]
fn no_way_out_shows_a_declared_value() {
    let database = database();
    let direct = ask(&database.endpoint());
    let config = kinds().fold(Config::bank(&database).all_permitted(), |config, kind| {
        let column = format!("public.m.{}", kind.column);
        config.set(&["targets", "bank", "mask", &column], "vault")
    });
    let through = ask(&Gateway::start(config).bank());
    let page = table(&direct, &through);

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/masking-matrix.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let clear: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with('|') && line.contains("CLEAR"))
        .collect();
    assert!(clear.is_empty(), "{}", clear.join("\n"));
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/masking-matrix.md is not what the gateway does: run this test with UPDATE_DOCS=1 and look at what changed"
    );
}
