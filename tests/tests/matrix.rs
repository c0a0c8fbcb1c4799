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

const KINDS: [(&str, &[Kind]); 5] = [
    (
        "Text",
        &[
            kind("text", "v_text", &["QWZXKV"]),
            kind("varchar", "v_varchar", &["XVJQZK"]),
            kind("char", "v_char", &["VKZQXJ"]),
            kind("name", "v_name", &["ZKQXWV"]),
            kind("domain", "v_domain", &["GVXJQK"]),
            kind("citext", "v_citext", &["KXJVZQ"]),
            kind("enum", "v_enum", &["zqvxkw"]),
            kind("tsvector", "v_tsvector", &["xkzqjw"]),
        ],
    ),
    (
        "Numbers",
        &[
            kind("smallint", "v_smallint", &["31847"]),
            kind("integer", "v_integer", &["1739184620"]),
            kind("bigint", "v_bigint", &["739184620517"]),
            kind("numeric", "v_numeric", &["8261739.45"]),
            kind("domain of bigint", "v_number", &["648205917364"]),
            kind("money", "v_money", &["7,391,846.25", "7391846.25"]),
            kind("real", "v_real", &["48271.5", "4.82715e+04"]),
            kind(
                "double precision",
                "v_float8",
                &["5938274.625", "5.938274625e+06"],
            ),
        ],
    ),
    (
        "Dates and times",
        &[
            kind("date", "v_date", &["1913-07-29"]),
            kind("time", "v_time", &["19:43:27.318264"]),
            kind("timetz", "v_timetz", &["17:52:36.429371"]),
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
            kind("cidr", "v_cidr", &["198.51.100.176"]),
            kind("macaddr", "v_macaddr", &["5e:c7:3a:91:d4:2f"]),
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
            kind("date[]", "v_dates", &["1921-09-13"]),
            kind("int8range", "v_range", &["416273958802"]),
            kind("daterange", "v_days", &["1931-05-22"]),
            kind("int8multirange", "v_ranges", &["527384160913"]),
            kind("composite", "v_pair", &["TDLBHP", "741069283517"]),
            kind("composite[]", "v_pairs", &["HPTDLB", "835174069217"]),
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
        "recursive common table expression",
        "WITH RECURSIVE x (y, n) AS (SELECT {c}, 1 FROM m WHERE id = 1 UNION ALL SELECT y, n + 1 FROM x WHERE n < 2) SELECT y FROM x",
    ),
    (
        "LATERAL",
        "SELECT x.y FROM m, LATERAL (SELECT m.{c} AS y) x WHERE id = 1",
    ),
    (
        "VALUES",
        "SELECT x.y FROM m, LATERAL (VALUES (m.{c})) x (y) WHERE id = 1",
    ),
    (
        "join with other names",
        "SELECT x.y FROM (m_{c}_view v JOIN generate_series(1, 2) g (id) USING (id)) x (i, y) WHERE i = 1",
    ),
    (
        "UNION ALL",
        "SELECT {c} FROM m WHERE id = 1 UNION ALL SELECT {c} FROM m WHERE id = 2",
    ),
    ("scalar subquery", "SELECT (SELECT {c} FROM m WHERE id = 1)"),
    ("whole row", "SELECT w FROM m_{c}_view w WHERE id = 1"),
    ("whole row of the table", "SELECT m FROM m WHERE id = 1"),
    (
        "field of a row",
        "SELECT (w).y FROM m_{c}_view w WHERE id = 1",
    ),
    (
        "functional notation",
        "SELECT y(w) FROM m_{c}_view w WHERE id = 1",
    ),
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
        "EXPLAIN ANALYZE",
        "EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT {c} FROM m",
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
        "binary cursor",
        "!DECLARE w BINARY CURSOR FOR SELECT {c} FROM m WHERE id = 1 ;; FETCH ALL FROM w",
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
        "table, read by another session",
        "CREATE TABLE w AS SELECT {c} AS y FROM m WHERE id = 1 @@ SELECT y FROM w @@ DROP TABLE IF EXISTS w",
    ),
    (
        "MERGE into another table",
        "!MERGE INTO m_kept USING m ON false WHEN NOT MATCHED THEN INSERT VALUES (m.{c}::text) ;; SELECT y FROM m_kept",
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
        "COPY of a query, CSV",
        "COPY (SELECT id, {c} FROM m WHERE id = 1) TO STDOUT (FORMAT csv, FORCE_QUOTE *)",
    ),
    (
        "COPY of a query, binary",
        "COPY (SELECT id, {c} FROM m WHERE id = 1) TO STDOUT (FORMAT binary)",
    ),
    (
        "error: invalid input",
        "SELECT ('!' || {c}::text)::integer FROM m WHERE id = 1",
    ),
    (
        "error: failing row",
        "INSERT INTO m_sink SELECT {c}::text FROM m WHERE id = 1",
    ),
    (
        "error: duplicate key",
        "!INSERT INTO m_once SELECT {c}::text FROM m",
    ),
    (
        "error: message",
        "SELECT m_raise({c}::text, '', '') FROM m WHERE id = 1",
    ),
    (
        "error: detail",
        "SELECT m_raise('', {c}::text, '') FROM m WHERE id = 1",
    ),
    (
        "error: hint",
        "SELECT m_raise('', '', {c}::text) FROM m WHERE id = 1",
    ),
    ("notice", "SELECT m_say({c}::text) FROM m WHERE id = 1"),
    (
        "notification",
        "LISTEN w ;; SELECT pg_notify('w', {c}::text) FROM m WHERE id = 1",
    ),
    (
        "notification of a trigger",
        "LISTEN m_{c} ;; UPDATE m SET id = id WHERE id = 1",
    ),
    (
        "setting",
        "SELECT set_config('w.y', {c}::text, false) FROM m WHERE id = 1 ;; SHOW w.y",
    ),
    (
        "reported setting",
        "SELECT set_config('application_name', {c}::text, false) FROM m WHERE id = 1 ;; SHOW application_name",
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
    CREATE FUNCTION m_{c}_tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_notify(''m_{c}'', NEW.{c}::text); RETURN NEW; END';
    CREATE TRIGGER m_{c}_told AFTER UPDATE ON m FOR EACH ROW EXECUTE FUNCTION m_{c}_tell();
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
    if direct.answered && !through.answered {
        return "withheld";
    }
    if through.answered && direct.out.len() != through.out.len() {
        return "CHANGED";
    }
    let changed = direct.out.iter().zip(&through.out);
    let changed = changed.filter(|(direct, through)| direct != through);
    let changed: Vec<_> = changed.map(|(_, through)| instead(through)).collect();
    match () {
        () if changed.contains(&Some("masked")) => "masked",
        () if changed.contains(&Some("withheld")) => "withheld",
        () if !through.answered => "withheld",
        () if changed.iter().all(Option::is_some) => "NULL",
        () => "CHANGED",
    }
}

/// What stands in a value's place: stars, also as bytes in hexadecimal or base64, NULL, as COPY, rows, arrays, composites
/// and JSON write it, or nothing, behind a notification's channel.
fn instead(line: &str) -> Option<&'static str> {
    const STARS: [&str; 3] = ["*", "2a2a", "Kioq"];
    const NULLS: [&str; 7] = ["\\N", "NULL", "null", "ÿÿÿÿ", "(,", ",)", ",\n"];
    if STARS.iter().any(|stars| line.contains(stars)) {
        Some("masked")
    } else if line.starts_with("m_v_") && line.ends_with('|') {
        Some("withheld")
    } else if NULLS.iter().any(|null| line.contains(null)) {
        Some("NULL")
    } else {
        None
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
                        let (direct, through) = (&direct[&at], &through[&at]);
                        let outcome = outcome(direct, through, &needles);
                        if matches!(outcome, "CLEAR" | "CHANGED") {
                            eprintln!("{at:?}\n{direct:?}\n{through:?}\n");
                        }
                        outcome
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
- **withheld**: the statement ends with an error that says why and what to do, or the server's own error comes without its words, or a notification without its payload.
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
        .filter(|line| line.starts_with('|'))
        .filter(|line| line.contains("CLEAR") || line.contains("CHANGED"))
        .collect();
    assert!(clear.is_empty(), "{}", clear.join("\n"));
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/masking-matrix.md is not what the gateway does: run this test with UPDATE_DOCS=1 and look at what changed"
    );
}
