//! What is protected stays so, however it is asked for, in whatever form it comes, and wherever it rests.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test ends where something is missing, and tells a story in one piece"
)]

use aho_corasick::AhoCorasick;
use std::fs;
use std::path::Path;
use tests::{Config, Database, Endpoint, Gateway, Output, Postgres};

/// What protects each value: queries, one value a line.
const PROTECTED: &str = "SELECT pan FROM cards; SELECT ssn FROM customers WHERE ssn IS NOT NULL;
    SELECT email FROM customers; SELECT iban FROM accounts WHERE iban IS NOT NULL;
    SELECT routing_number FROM accounts WHERE routing_number IS NOT NULL;";

/// Those who watch replays.
const AUDIT: &str = "audit";

/// The protected values of a bank, to be found in anything.
struct Values(AhoCorasick);

impl Values {
    fn of(database: &Database<'_>) -> Self {
        let values = database.endpoint().psql(PROTECTED).success().stdout;
        let values: Vec<&str> = values.lines().collect();
        assert!(values.len() > 6_000);
        Self(AhoCorasick::new(values).unwrap())
    }

    fn within(&self, bytes: &[u8]) -> Option<String> {
        let found = self.0.find(bytes)?;
        Some(String::from_utf8_lossy(&bytes[found.range()]).into_owned())
    }

    /// Nothing of the output is protected, whether it is rows or an error.
    fn assert_none(&self, what: &str, output: &Output) {
        let text = [output.stdout.as_bytes(), output.stderr.as_bytes()].concat();
        assert_eq!(self.within(&text), None, "{what}: {output:?}");
    }
}

fn config(database: &Database<'_>) -> Config {
    let auditors = toml::Value::Array(vec![AUDIT.into()]);
    Config::bank(database)
        .all_permitted()
        .set(&["roles", "auditors"], auditors)
}

#[test]
fn declared_columns_show_what_is_customary() {
    let database = Postgres::shared().database();
    let gateway = Gateway::start(config(&database));
    let query = "SELECT pan, ssn, email, iban, routing_number FROM cards
        JOIN accounts a ON a.id = account_id JOIN customers c ON c.id = customer_id
        WHERE ssn IS NOT NULL AND iban IS NOT NULL OR routing_number IS NOT NULL ORDER BY cards.id LIMIT 50";
    let clear = database.endpoint().psql(query).success().stdout;
    let masked = gateway.bank().psql(query).success().stdout;
    assert_eq!(clear.lines().count(), masked.lines().count());
    for (clear, masked) in clear.lines().zip(masked.lines()) {
        let pairs = clear.split('|').zip(masked.split('|'));
        for ((clear, masked), shown) in pairs.zip([4, 4, 0, 4, 0]) {
            if clear.is_empty() {
                assert_eq!(masked, "");
                continue;
            }
            assert_ne!(clear, masked);
            assert_eq!(
                clear.chars().count(),
                masked.chars().count(),
                "{clear}: {masked}"
            );
            let end = clear.len() - shown;
            assert_eq!(clear[end..], masked[end..], "{clear}: {masked}");
        }
    }
}

/// Ways in which somebody might try, and some that people mean well.
const ATTEMPTS: &[&str] = &[
    "SELECT * FROM cards",
    "SELECT pan AS harmless FROM cards",
    "SELECT pan::varchar(19), pan::text FROM cards",
    "SELECT 'x' || pan FROM cards",
    "SELECT concat(pan, ssn) FROM cards, customers LIMIT 100",
    "SELECT reverse(reverse(pan)) FROM cards",
    "SELECT substr(pan, 1, 16) FROM cards",
    "SELECT upper(email) FROM customers",
    "SELECT string_agg(pan, ',') FROM cards",
    "SELECT array_agg(ssn) FROM customers",
    "SELECT ARRAY[pan] FROM cards",
    "SELECT c FROM cards c",
    "SELECT c::text FROM cards c",
    "SELECT row(c.*) FROM customers c",
    "SELECT to_json(c) FROM cards c",
    "SELECT json_agg(c) FROM customers c",
    "SELECT jsonb_build_object('a', ssn) FROM customers",
    "SELECT row_to_json(x) FROM (SELECT pan FROM cards) x",
    "SELECT xmlelement(name x, pan) FROM cards",
    "SELECT query_to_xml('SELECT pan FROM cards LIMIT 3', true, false, '')",
    "SELECT table_to_xml('cards', true, false, '')",
    "SELECT max(pan), min(pan) FROM cards",
    "SELECT coalesce(NULL, pan) FROM cards",
    "SELECT CASE WHEN true THEN pan END FROM cards",
    "SELECT (SELECT pan FROM cards ORDER BY id LIMIT 1)",
    "WITH x AS (SELECT pan AS p FROM cards) SELECT p FROM x",
    "SELECT p FROM (SELECT pan p FROM cards UNION ALL SELECT ssn FROM customers) x",
    "VALUES ((SELECT ssn FROM customers WHERE ssn IS NOT NULL LIMIT 1))",
    "TABLE cards",
    "SELECT * FROM customer_directory",
    "SELECT pan FROM cards FOR SHARE",
    "SELECT a.iban, lag(a.iban) OVER (ORDER BY id) FROM accounts a",
    "SELECT pan FROM cards GROUP BY pan HAVING count(*) = 1",
    "SELECT DISTINCT ON (pan) pan FROM cards",
    "SELECT format('%s', pan) FROM cards",
    "SELECT regexp_replace(pan, 'x', 'y') FROM cards",
    "SELECT unnest(string_to_array(email, '@x')) FROM customers",
    "SELECT pan::numeric FROM cards",
    "SELECT pan::bigint FROM cards",
    "SELECT routing_number::int FROM accounts WHERE routing_number IS NOT NULL",
    "UPDATE cards SET pan = pan WHERE id = 1 RETURNING pan",
    "DELETE FROM cards WHERE false RETURNING *",
    "CREATE TEMP TABLE stolen AS SELECT pan AS n FROM cards; SELECT n FROM stolen",
    "SELECT pan AS n INTO TEMP looted FROM cards; SELECT n FROM looted",
    "CREATE TEMP VIEW seen AS SELECT pan AS n FROM cards; SELECT n FROM seen",
    "CREATE TEMP TABLE taken (n text); INSERT INTO taken SELECT ssn FROM customers; SELECT n FROM taken",
    "PREPARE get AS SELECT pan FROM cards; EXECUTE get",
    "BEGIN; DECLARE c CURSOR FOR SELECT ssn FROM customers; FETCH 100 FROM c; COMMIT",
    "COPY cards TO STDOUT",
    "COPY cards (id, pan) TO STDOUT (FORMAT csv, HEADER)",
    "COPY (SELECT ssn, email FROM customers) TO STDOUT",
    "COPY (SELECT reverse(reverse(pan)) FROM cards) TO STDOUT",
    "COPY customers TO STDOUT (FORMAT csv, DELIMITER '|', QUOTE '''', FORCE_QUOTE *)",
    "COPY accounts TO STDOUT (FORMAT binary)",
    "SELECT memo FROM payments",
    "SELECT details FROM payments",
    "SELECT details -> 'payer' FROM payments",
    "SELECT body FROM support_notes",
    "SELECT profile FROM customers",
    "SELECT profile #>> '{kyc,number}' FROM customers",
    "SELECT jsonb_pretty(profile) FROM customers",
    "SELECT ssn::int FROM customers WHERE ssn IS NOT NULL",
    "SELECT ('x' || pan)::int FROM cards",
    "SELECT email::inet FROM customers",
    "SELECT body::date FROM support_notes",
    "INSERT INTO cards SELECT * FROM cards LIMIT 1",
    "UPDATE customers SET ssn = NULL, name = NULL WHERE id = 1",
    "UPDATE cards SET brand = 'nothing' WHERE id = 1",
    "SELECT pg_typeof(pan), length(pan) FROM cards LIMIT 1",
    "DO $$ DECLARE p text; BEGIN SELECT pan INTO p FROM cards LIMIT 1; RAISE NOTICE 'it is %', p; END $$",
    "DO $$ DECLARE p text; BEGIN SELECT ssn INTO p FROM customers WHERE ssn IS NOT NULL LIMIT 1; RAISE EXCEPTION '%', p; END $$",
    "EXPLAIN ANALYZE SELECT * FROM cards WHERE pan > '4'",
    "SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE tablename = 'cards'",
    "SELECT stavalues1 FROM pg_statistic",
    "LISTEN c; SELECT pg_notify('c', pan) FROM cards LIMIT 1; SELECT 1",
    "SELECT set_config('x.y', pan, false) FROM cards LIMIT 1; SHOW x.y",
    "SELECT current_setting('x.y', true)",
];

#[test]
fn no_attempt_shows_a_protected_value_nor_leaves_one_at_rest() {
    let database = Postgres::shared().database();
    database.superuser().psql("ANALYZE").success();
    let values = Values::of(&database);
    let gateway = Gateway::start(config(&database));
    let bank = gateway.bank();
    let mut answered = 0;
    for attempt in ATTEMPTS {
        let output = bank.psql_with(&["-At", "-v", "VERBOSITY=verbose"], &format!("{attempt};"));
        values.assert_none(attempt, &output);
        answered += u32::from(output.stderr.is_empty());
    }
    // Masking is not refusing: what can be shown masked is.
    assert!(answered >= 30, "only {answered} were answered");
    assert_at_rest(gateway, &values);
}

/// Neither the files nor what auditors are shown of them hold a protected value.
fn assert_at_rest(gateway: Gateway, values: &Values) {
    let log = gateway.log();
    assert_eq!(values.within(log.as_bytes()), None, "{log}");
    let (_, config) = gateway.stop();
    assert_files(&config.directory().join("data"), values);
    let entries = format!("{:?}", config.ledger().entries());
    assert_eq!(values.within(entries.as_bytes()), None);

    let gateway = Gateway::start(config);
    let token = gateway.token_in(None, "carol", &[AUDIT]);
    let sessions = gateway.countersign_as(&token, &["sessions", "--limit", "1000"]);
    let sessions = sessions.success().json_lines();
    assert!(!sessions.is_empty());
    for session in sessions {
        let session = session["session"].as_str().unwrap();
        let replay = ["replay", session, "--no-wait", "--reason", "test"];
        let replay = gateway.countersign_as(&token, &replay).success();
        values.assert_none(session, &replay);
    }
}

fn assert_files(folder: &Path, values: &Values) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_files(&path, values);
        } else {
            let found = values.within(&fs::read(&path).unwrap());
            assert_eq!(found, None, "{}", path.display());
        }
    }
}

/// The same tables by drivers that ask for binary results, with parameters, pipelines and COPY.
const DRIVERS: &str = r#"
import asyncio, asyncpg, psycopg

def tell(what, get):
    try:
        print(what, get())
    except psycopg.Error as e:
        print(what, e)

def pipeline(c):
    with c.pipeline():
        return [c.execute("SELECT pan FROM cards WHERE id = %s", (n,)) for n in range(50)][-1].fetchall()

TABLES = ["cards", "customers", "accounts", "payments", "support_notes"]
for binary in (False, True):
    with psycopg.connect(autocommit=True) as c:
        for table in TABLES:
            tell(table, lambda: c.execute(f"SELECT * FROM {table}", binary=binary).fetchall())
            tell(table, lambda: c.execute(f"SELECT t FROM {table} t", binary=binary).fetchall())
            tell(table, lambda: c.execute(f"SELECT to_jsonb(t) FROM {table} t WHERE id > %s", (1,), binary=binary).fetchall())
            def copy():
                form = "(FORMAT binary)" if binary else ""
                with c.cursor().copy(f"COPY {table} TO STDOUT {form}") as copy:
                    return b"".join(bytes(part) for part in copy).decode("latin1")
            tell(table, copy)
        tell("pipeline", lambda: pipeline(c))
        def cursor():
            with c.transaction(), c.cursor("named", binary=binary) as cursor:
                cursor.execute("SELECT ssn, profile FROM customers")
                return cursor.fetchmany(500)
        tell("cursor", cursor)

async def main():
    c = await asyncpg.connect()
    for table in TABLES:
        for query in (f"SELECT * FROM {table}", f"SELECT t FROM {table} t", f"SELECT array_agg(t::text) FROM {table} t"):
            try:
                print(table, [tuple(row.values()) for row in await c.fetch(query)])
            except asyncpg.PostgresError as e:
                print(table, e, e.detail)
    await c.close()
asyncio.run(main())
"#;

#[test]
fn binary_results_are_masked_or_withheld() {
    let database = Postgres::shared().database();
    let values = Values::of(&database);
    let gateway = Gateway::start(config(&database));
    let output = gateway.bank().python_script(DRIVERS).success();
    values.assert_none("drivers", &output);
    let shown = output.stdout.matches("****").count();
    assert!(shown > 10_000, "only {shown} masked values are shown");
    assert_at_rest(gateway, &values);
}

/// What a client sends is recorded too.
#[test]
fn values_that_a_client_sends_rest_masked() {
    let database = Postgres::shared().database();
    let values = Values::of(&database);
    let direct = database.endpoint();
    let one = |query: &str| direct.psql(query).success().stdout.trim().to_owned();
    let pan = one("SELECT pan FROM cards ORDER BY id LIMIT 1");
    let ssn = one("SELECT ssn FROM customers WHERE ssn IS NOT NULL ORDER BY id LIMIT 1");
    let gateway = Gateway::start(config(&database));
    let bank: Endpoint = gateway.bank();
    let script = format!(
        r#"
import psycopg
with psycopg.connect(autocommit=True) as c:
    print(c.execute("SELECT id FROM cards WHERE pan = %s", ("{pan}",)).fetchall())
    print(c.execute("SELECT id FROM customers WHERE ssn = '{ssn}'").fetchall())
    c.execute("CREATE TEMP TABLE sent (a text, b text)")
    with c.cursor().copy("COPY sent FROM STDIN") as copy:
        copy.write_row(("{pan}", "card {pan}, ssn {ssn}"))
    c.execute("SELECT '{ssn}' AS a, %s AS b", ("{pan}",))
"#
    );
    let found = bank.python_script(&script).success().stdout;
    assert!(!found.contains("[]"), "{found}");
    assert_at_rest(gateway, &values);
}

/// A view of an owner who thought of reports, and not of masks: some of its columns are computed.
const REPORT: &str = "CREATE VIEW report AS SELECT id, name, upper(email) AS mail, ssn,
    CASE WHEN ssn > '5' THEN '' ELSE 'x' END AS half, length(email) AS length FROM customers;";

#[test]
fn what_a_view_computes_is_null_and_the_rest_of_it_is_shown() {
    let database = Postgres::shared().database();
    database.endpoint().psql(REPORT).success();
    let gateway = Gateway::start(config(&database));
    let bank = gateway.bank();
    let plain = "SELECT id, name FROM report ORDER BY id LIMIT 50";
    let clear = database.endpoint().psql(plain).success().stdout;
    let null = ["-At", "-P", "null=~"];
    let whole = |query: &str| bank.psql_with(&null, query).success().stdout;
    for query in [
        "SELECT * FROM report ORDER BY id LIMIT 50",
        "SELECT q.* FROM (SELECT * FROM report) q ORDER BY id LIMIT 50",
        "BEGIN; DECLARE c CURSOR FOR SELECT * FROM report ORDER BY id LIMIT 50; FETCH ALL FROM c; COMMIT",
    ] {
        let shown = whole(query);
        let rows = shown.lines().filter(|line| line.contains('|'));
        let rows: Vec<Vec<&str>> = rows.map(|line| line.split('|').collect()).collect();
        assert_eq!(rows.len(), 50, "{query}: {shown}");
        for (row, clear) in rows.iter().zip(clear.lines()) {
            assert_eq!(row[..2].join("|"), clear);
            assert_eq!(
                [row[2], row[4], row[5]],
                ["~", "~", "~"],
                "{query}: {row:?}"
            );
            assert!(row[3] == "~" || row[3].starts_with("***-**-"), "{row:?}");
        }
    }
    // Where nothing else is asked for, or more is computed of it, the reason is told.
    for query in [
        "SELECT mail FROM report",
        "SELECT half, length FROM report",
        "SELECT id, mail || '' FROM report",
        "COPY (SELECT id, mail FROM report) TO STDOUT",
    ] {
        let output = bank.psql(query);
        assert!(
            output.stderr.contains("is computed from protected data"),
            "{query}: {output:?}"
        );
    }
}

#[test]
fn what_a_policy_reveals_is_shown_and_counted_and_nothing_else() {
    let database = Postgres::shared().database();
    let reveal = r#"
@id("fraud-sees-pan")
permit (principal in Group::"fraud-analysts", action == Action::"reveal", resource == DataClass::"pan");
"#;
    let gateway = Gateway::start(config(&database).policy("20-reveal.cedar", reveal));
    let query = "SELECT pan FROM cards ORDER BY id LIMIT 20";
    let clear = database.endpoint().psql(query).success().stdout;
    let token = gateway.token_in(Some("claude-code"), "frank", &["fraud-analysts"]);
    let frank = gateway.endpoint("bank", "claude-code", &token);
    assert_eq!(frank.psql(query).success().stdout, clear);
    assert_ne!(gateway.bank().psql(query).success().stdout, clear);
    let ssn = "SELECT ssn FROM customers WHERE ssn IS NOT NULL ORDER BY id LIMIT 1";
    let hidden = database.endpoint().psql(ssn).success().stdout;
    assert_ne!(frank.psql(ssn).success().stdout, hidden);
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let facts: Vec<_> = ledger
        .events("outcome")
        .iter()
        .flat_map(|event| {
            event["outcome"]["masks"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .collect();
    let count = |class: &str, strategy: &str| -> u64 {
        let facts = facts.iter().filter(|fact| fact["rule"] == "declared");
        let those = facts.filter(|fact| fact["class"] == class && fact["strategy"] == strategy);
        those.map(|fact| fact["count"].as_u64().unwrap()).sum()
    };
    assert_eq!((count("pan", "reveal"), count("pan", "partial")), (20, 20));
    assert_eq!(
        (count("us_ssn", "reveal"), count("us_ssn", "partial")),
        (0, 1)
    );
}

/// Classes that the gateway's configuration defines, in every way in which text leaves.
#[test]
fn classes_of_ones_own_are_found_wherever_the_built_in_ones_are() {
    let database = Postgres::shared().database();
    let reveal = r#"
@id("support-sees-customers")
permit (principal in Group::"support", action == Action::"reveal", resource == DataClass::"customer");
"#;
    let config = config(&database)
        .set(&["classes", "customer", "pattern"], r"\bKD-\d{8}\b")
        .set(&["classes", "customer", "show_last"], 4)
        .set(&["classes", "branch", "pattern"], r"\b\d{5}\b")
        .set(&["classes", "branch", "context"], vec!["branch"])
        .set(&["classes", "project", "words"], "projects.txt")
        .policy("20-reveal.cedar", reveal);
    fs::write(
        config.directory().join("projects.txt"),
        "Kestrel\nBlue Heron\n",
    )
    .unwrap();
    let gateway = Gateway::start(config);
    let bank = gateway.bank();
    let shows = |script: &str| {
        let output = bank.psql_with(&["-At"], script);
        format!("{}{}", output.stdout, output.stderr)
    };
    let text = "'KD-12345678 for kestrel, branch 12345'";
    let masked = "**-****5678 for *******, branch *****";
    assert_eq!(shows(&format!("SELECT {text}")), format!("{masked}\n"));
    assert_eq!(
        shows(&format!("COPY (SELECT {text}) TO STDOUT")),
        format!("{masked}\n")
    );
    assert_eq!(
        shows(&format!("SELECT to_jsonb({text}::text)")),
        format!("\"{masked}\"\n")
    );
    assert_eq!(
        shows("SELECT 12345 AS branch, 12345::text AS branch_no, 12345 AS other"),
        "|*****|12345\n"
    );
    let error = shows("SELECT 'KD-12345678'::int");
    // psql itself shows the statement that it sent.
    assert!(
        error.contains("invalid input syntax for type integer: \"**-****5678\""),
        "{error}"
    );
    let token = gateway.token_in(Some("claude-code"), "frank", &["support"]);
    let frank = gateway.endpoint("bank", "claude-code", &token);
    let seen = frank.psql(&format!("SELECT {text}")).success().stdout;
    assert!(
        seen.starts_with("KD-12345678 for *******, branch *****"),
        "{seen}"
    );
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let facts: Vec<_> = ledger
        .events("outcome")
        .iter()
        .filter_map(|event| event["outcome"]["masks"].as_array())
        .flatten()
        .map(|fact| format!("{} {}", fact["class"], fact["strategy"]).replace('"', ""))
        .collect();
    for fact in [
        "customer partial",
        "customer reveal",
        "branch partial",
        "project partial",
    ] {
        assert!(facts.iter().any(|it| it == fact), "{fact} in {facts:?}");
    }
    assert_eq!(
        ledger.entries().iter().find(|entry| {
            let text = entry.to_string();
            text.contains("KD-12345678") || text.contains("for kestrel")
        }),
        None
    );
}

/// A value of each type, in columns that are declared and in columns that are not.
const TYPED: &str = r#"
CREATE TYPE mood AS ENUM ('blue', 'red');
CREATE TYPE pair AS (a text, b bigint, m mood);
CREATE DOMAIN name_of AS text;
CREATE DOMAIN number_of AS numeric(20, 2) CHECK (VALUE > 0);
CREATE TABLE typed (
    n numeric(20, 2), i integer, l bigint, s smallint, f double precision, d date, at timestamptz, u uuid, b bytea, t text,
    v varchar(20), a text[], na bigint[], j json, jb jsonb, p pair, ps pair[], m mood, r int8range, dr daterange, ip inet,
    iv interval, dt name_of, dn number_of, bo boolean, bits varbit, x xml, ts tsvector);
INSERT INTO typed VALUES (
    4111111111111111.00, 536221234, 4111111111111111, 42, 4111111111111111, '1970-01-02', '1970-01-02 03:04+00',
    'c7d9f3b1-5e82-4a6c-9d17-f3b86e2a5c91', 'pan 4111111111111111', 'pan 4111111111111111', '4111111111111111',
    '{a,4111111111111111}', '{1,4111111111111111}', '{"\u0034111111111111111": [4111111111111111, "4111-1111-1111-1111", null]}',
    '{"card": 4111111111111111, "note": "pan 4111111111111111", "on": true}',
    ('it''s "4111111111111111"', 4111111111111111, 'blue'), ARRAY[('4111111111111111', 1, 'red')::pair, NULL],
    'blue', '[1,4111111111111111)', '[1970-01-01,1970-01-02)', '10.0.0.1', '1 day', 'pan 4111111111111111',
    4111111111111111, true, B'101', '<a>4111111111111111</a>', '4111111111111111'::tsvector);
INSERT INTO typed DEFAULT VALUES;
CREATE TABLE found (LIKE typed);
INSERT INTO found SELECT * FROM typed;
CREATE TABLE back (LIKE typed);
"#;

/// Reads each table in both formats, of which psycopg makes Python's own values.
const READ_TYPED: &str = r#"
import psycopg
from psycopg.types.composite import CompositeInfo, register_composite
with psycopg.connect(autocommit=True) as c:
    register_composite(CompositeInfo.fetch(c, "pair"), c)
    for table in ("typed", "found"):
        both = [c.execute(f"SELECT * FROM {table}", binary=binary).fetchall() for binary in (False, True)]
        names = [column.name for column in c.execute(f"SELECT * FROM {table} LIMIT 0").description]
        # The last, tsvector, is masked in place in text alone. Of words that it does not know, psycopg makes bytes in binary.
        for text, value in zip(both[0][0][:-1], both[1][0]):
            assert repr(text) == repr(value).replace("b'", "'") or type(value) is bytes, (text, value)
        full, empty = both[0]
        assert set(empty) == {None}, empty
        print(table, *(name for name, value in zip(names, full) if value is not None))
        row = dict(zip(names, full))
        print(row["a"], row["na"], row["jb"], tuple(row["p"]), row["j"], row["t"])
"#;

#[test]
fn what_was_masked_is_still_a_value_of_its_type() {
    let database = Postgres::shared().database();
    let direct = database.endpoint();
    direct.psql(TYPED).success();
    let columns =
        "SELECT attname FROM pg_attribute WHERE attrelid = 'typed'::regclass AND attnum > 0";
    let columns = direct.psql(columns).success().stdout;
    let declared = |config: Config, column: &str| {
        let column = format!("public.typed.{column}");
        config.set(&["targets", "bank", "mask", &column], "pan")
    };
    let config = columns.lines().fold(config(&database), declared);
    let gateway = Gateway::start(config);
    let bank = gateway.bank();
    let read = bank.python_script(READ_TYPED).success().stdout;
    let stars = "************1111";
    assert_eq!(
        read.lines().collect::<Vec<_>>(),
        [
            "typed b t v a na j jb p ps dt x".to_owned(),
            format!(
                "['*', '{stars}'] [None, None] {{'on': None, 'card': None, 'note': '{}'}} ('{}', None, None) \
                 {{'{stars}': [None, '****-****-****-1111', None]}} {}",
                "*".repeat(20),
                "*".repeat(23),
                "*".repeat(20)
            ),
            "found i s d at u b t v a na j jb p ps m dr ip iv dt bo bits x ts".to_owned(),
            format!(
                "['a', '{stars}'] [1, None] {{'on': True, 'card': None, 'note': 'pan {stars}'}} \
                 ('it\\'s \"{stars}\"', None, 'blue') {{'{stars}': [None, '****-****-****-1111', None]}} pan {stars}"
            ),
        ],
        "{read}"
    );
    // The server itself takes back what COPY gave.
    let file = gateway.config().directory().join("copied");
    for table in ["typed", "found"] {
        for format in ["text", "csv", "binary"] {
            let copy = |table: &str, way: &str| {
                format!(
                    "\\copy {table} {way} '{}' (format {format})\n",
                    file.display()
                )
            };
            bank.psql(&copy(table, "to")).success();
            direct.psql(&copy("back", "from")).success();
        }
    }
    let kept = direct.psql("SELECT DISTINCT t FROM back WHERE t IS NOT NULL");
    let kept = kept.success().stdout;
    assert_eq!(kept.lines().count(), 2, "{kept}");
    assert!(!kept.contains('4'), "{kept}");
}

/// The same values twice, in columns of several types.
const PAIRS: &str = "
CREATE TABLE seen (id integer, card text, ssn text, uid uuid, account bigint);
CREATE TABLE again (card text, ssn varchar(11), uid uuid, account bigint);
INSERT INTO seen SELECT n, '411111111111111' || n, '536-22-123' || n, md5(n::text)::uuid, 4111111111111110 + n FROM generate_series(0, 9) n;
INSERT INTO seen VALUES (10, '4111111111111111', '536-22-1234', NULL, NULL);
INSERT INTO again SELECT card, ssn, uid, account FROM seen;
";

#[test]
fn hashed_values_still_join_and_formatted_ones_keep_their_form() {
    let database = Postgres::shared().database();
    database.endpoint().psql(PAIRS).success();
    let mut config = config(&database);
    for table in ["seen", "again"] {
        for (column, class) in [
            ("card", "pan"),
            ("ssn", "us_ssn"),
            ("uid", "us_ssn"),
            ("account", "pan"),
        ] {
            let column = format!("public.{table}.{column}");
            config = config.set(&["targets", "bank", "mask", &column], class);
        }
    }
    let config = config
        .set(&["targets", "bank", "strategies", "us_ssn"], "hash")
        .set(&["targets", "bank", "strategies", "pan"], "format");
    let gateway = Gateway::start(config);
    let bank = gateway.bank();
    let rows = |table: &str| {
        let query = format!("SELECT ssn, uid, card, account FROM {table} ORDER BY ctid");
        bank.psql(&query).success().stdout
    };
    let seen = rows("seen");
    assert_eq!(seen, rows("again"));
    let clear = database.endpoint();
    let clear = clear.psql("SELECT ssn, uid, card, account FROM seen ORDER BY ctid");
    let clear = clear.success().stdout;
    let split = |text: &str| -> Vec<Vec<String>> {
        let lines = text.lines();
        lines
            .map(|line| line.split('|').map(str::to_owned).collect())
            .collect()
    };
    let (seen, clear) = (split(&seen), split(&clear));
    assert_eq!(seen.len(), 11);
    for (one, was) in seen.iter().zip(&clear) {
        for (other, same) in seen.iter().zip(&clear) {
            for column in [0, 1, 2] {
                assert_eq!(one[column] == other[column], was[column] == same[column]);
            }
        }
        assert!(one[0].starts_with("hash_") && one[0].len() == 21, "{one:?}");
        assert_eq!(one[2].len(), 16);
        assert_eq!(one[2][12..], was[2][12..]);
        assert_ne!(one[2], was[2]);
        assert!(
            one[3].is_empty() || one[3].parse::<u64>().unwrap() != was[3].parse::<u64>().unwrap()
        );
    }
    // Drivers read them, in binary too, and it is the same value there.
    let uids = r#"
import psycopg
with psycopg.connect() as c:
    for binary in (False, True):
        for row in c.execute("SELECT uid, account FROM seen WHERE id < 3 ORDER BY id", binary=binary):
            print(*row)
"#;
    let uids = bank.python_script(uids).success().stdout;
    let uids: Vec<&str> = uids.lines().collect();
    assert_eq!(uids[..3], uids[3..]);
    assert!(
        uids[0].starts_with(&seen[0][1]) && uids[0].ends_with(&seen[0][3]),
        "{uids:?}"
    );
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let outcomes = ledger.events("outcome");
    let masks = outcomes
        .iter()
        .flat_map(|event| event["outcome"]["masks"].as_array().cloned());
    let strategies: std::collections::BTreeSet<String> = masks
        .flatten()
        .map(|fact| {
            format!(
                "{} {}",
                fact["class"].as_str().unwrap(),
                fact["strategy"].as_str().unwrap()
            )
        })
        .collect();
    let strategies: Vec<&str> = strategies.iter().map(String::as_str).collect();
    assert_eq!(strategies, ["pan format", "us_ssn hash"]);
}

/// Two rows of every kind of value that its length tells, and one of text.
const LENGTHS: &str = "
CREATE TYPE mood AS ENUM ('sad', 'elated');
CREATE TABLE lengths (id integer, active boolean, feeling mood, amount integer, paid money, worth float8, took interval, spot point,
    marks integer[], kinds mood[], word text);
INSERT INTO lengths VALUES
    (1, true, 'sad', 7, 7, 7.5, '1 day', '(1,2)', '{1,2}', '{sad}', 'abcd'),
    (2, false, 'elated', 70000, 70000, 70000.125, '1 day 02:03:04', '(100,200)', '{100,200}', '{elated}', 'bcde');
";

/// What could be told by its length is shown neither as text nor in anything made of it.
#[test]
fn no_length_tells_a_value() {
    let database = Postgres::shared().database();
    database.endpoint().psql(LENGTHS).success();
    let columns = [
        "active", "feeling", "amount", "paid", "worth", "took", "spot", "marks", "kinds", "word",
    ];
    let config = columns.iter().fold(config(&database), |config, column| {
        let column = format!("public.lengths.{column}");
        config.set(&["targets", "bank", "mask", &column], "staff")
    });
    let gateway = Gateway::start(config);
    let bank = gateway.bank();
    let mut answered = 0;
    for column in columns {
        for made in [
            "SELECT COL FROM lengths WHERE id = ID",
            "SELECT COL, 1 FROM lengths WHERE id = ID",
            "SELECT COL::text, 1 FROM lengths WHERE id = ID",
            "SELECT ARRAY[COL], ARRAY[COL]::text FROM lengths WHERE id = ID",
            "SELECT ROW(COL, 1), ROW(COL::text), ROW(ARRAY[COL]) FROM lengths WHERE id = ID",
            "SELECT to_json(COL), to_jsonb(COL::text), json_agg(COL) OVER () FROM lengths WHERE id = ID",
            "SELECT json_build_object('a', COL), json_build_object('a', COL::text) FROM lengths WHERE id = ID",
            "SELECT q, to_json(q) FROM (SELECT COL AS x, COL::text AS y FROM lengths WHERE id = ID) q",
            "SELECT to_jsonb(l) - 'id' FROM lengths l WHERE id = ID",
            "SELECT l.COL, 1 FROM (SELECT (l).COL FROM lengths l WHERE id = ID) l",
            "COPY (SELECT COL FROM lengths WHERE id = ID) TO STDOUT",
            "COPY (SELECT COL::text, ARRAY[COL], ROW(COL) FROM lengths WHERE id = ID) TO STDOUT (FORMAT csv)",
            "COPY (SELECT CASE WHEN true THEN COL END, lag(COL, 0) OVER () FROM lengths WHERE id = ID) TO STDOUT",
            "COPY (SELECT to_json(COL), (SELECT COL) FROM lengths WHERE id = ID) TO STDOUT",
        ] {
            let query = made.replace("COL", column);
            let [one, two] = ["1", "2"].map(|id| {
                let ran = bank.psql(&query.replace("ID", id));
                (ran.stdout, ran.stderr)
            });
            assert_eq!(one, two, "{query}");
            answered += usize::from(!one.0.is_empty());
        }
    }
    assert!(answered > 100, "{answered}");
}

/// Who chooses what stands for NULL could ask which rows hold it.
#[test]
fn a_text_for_null_is_no_guess() {
    let database = Postgres::shared().database();
    database.endpoint().psql(LENGTHS).success();
    let declared = ["targets", "bank", "mask", "public.lengths.word"];
    let gateway = Gateway::start(config(&database).set(&declared, "staff"));
    let bank = gateway.bank();
    for form in ["text", "csv"] {
        let copy = |null: &str| {
            let query = format!(
                "COPY (SELECT id, word FROM lengths) TO STDOUT (FORMAT {form}, NULL '{null}')"
            );
            bank.psql(&query)
        };
        let guessed = copy("abcd");
        assert_eq!(guessed.stdout, "");
        assert!(
            guessed.stderr.contains("leave NULL out"),
            "{}",
            guessed.stderr
        );
        let between = if form == "csv" { ',' } else { '\t' };
        assert_eq!(
            copy("NULL").success().stdout,
            format!("1{between}****\n2{between}****\n")
        );
        let plain = format!("COPY (SELECT id FROM lengths) TO STDOUT (FORMAT {form}, NULL '1')");
        bank.psql(&plain).success();
    }
}

/// Whoever could have any value replaced would find out which one stands in a row by trying them all.
#[test]
fn nothing_that_a_statement_chose_is_put_in_place_of_a_value() {
    let database = Postgres::shared().database();
    database.endpoint().psql(PAIRS).success();
    let notes = "CREATE TABLE notes (id integer, note text);
        INSERT INTO notes VALUES (1, 'SSN 536-22-1234'), (2, 'SSN 536-22-1235')";
    database.endpoint().psql(notes).success();
    let config = config(&database)
        .set(&["targets", "bank", "mask", "public.seen.ssn"], "us_ssn")
        .set(&["targets", "bank", "mask", "public.again.ssn"], "us_ssn")
        .set(&["targets", "bank", "strategies", "us_ssn"], "hash");
    let gateway = Gateway::start(config);
    let bank = gateway.bank();
    let stored = [
        "SELECT ssn FROM seen WHERE id = 4",
        "SELECT max(ssn) FROM seen WHERE id = 4",
        "SELECT ssn FROM seen WHERE id = 4 UNION SELECT ssn FROM again WHERE ssn = '536-22-1234'",
        "COPY (SELECT ssn FROM seen WHERE id = 4) TO STDOUT",
        "SELECT substr(s, 1, 21) FROM (SELECT 1) x(i), LATERAL (SELECT '' s) y", // nothing is hashed of nothing
        "SELECT note FROM notes WHERE id = 1",
    ];
    let hashes: Vec<String> = stored
        .iter()
        .map(|query| bank.psql(query).success().stdout.trim().to_owned())
        .collect();
    let hash = &hashes[0];
    assert!(hash.starts_with("hash_") && hash.len() == 21, "{hash}");
    for (query, shown) in stored.iter().zip(&hashes) {
        match *query {
            query if query.contains("notes") => {
                assert_eq!(*shown, format!("SSN {hash}"), "{query}")
            }
            query if query.contains("substr") => assert_eq!(*shown, "", "{query}"),
            query => assert_eq!(shown, hash, "{query}"),
        }
    }
    let chosen = [
        "SELECT '536-22-1234'",
        "SELECT 'SSN 536-22-1234' UNION ALL SELECT note FROM notes",
        "SELECT ssn FROM seen WHERE id = 11 UNION ALL SELECT '536-22-1234'",
        "SELECT coalesce(ssn, '536-22-1234') FROM seen",
        "SELECT CASE WHEN id < 5 THEN ssn ELSE '536-22-1234' END FROM seen",
        "SELECT lag(ssn, 1, '536-22-1234') OVER (ORDER BY id) FROM seen",
        "SELECT array_agg(coalesce(ssn, '536-22-1234')) FROM seen",
        "SELECT s FROM (SELECT ssn FROM seen) a(s) FULL JOIN (VALUES ('536-22-1234')) b(s) USING (s)",
        "SELECT to_jsonb(x) FROM (SELECT ssn, '{\"ssn\":\"536-22-1234\"}'::jsonb AS more FROM seen) x",
        "SELECT ROW(ssn, 'SSN 536-22-1234') FROM seen",
        "COPY (SELECT ssn FROM seen UNION ALL SELECT '536-22-1234') TO STDOUT",
        "COPY (SELECT 'SSN 536-22-1234' FROM seen) TO STDOUT (FORMAT csv)",
        "SELECT '536-22-1234'::integer",
        "SELECT query FROM pg_stat_activity WHERE query LIKE '%536-22-1234%'",
        "SELECT set_config('app.x', 'SSN 536-22-1234', false)",
        "SET app.x = 'SSN 536-22-1234'; SELECT setting FROM pg_settings WHERE name = 'app.x'; SHOW app.x",
        "DO $$ BEGIN RAISE NOTICE 'SSN 536-22-1234'; END $$",
        "LISTEN news; NOTIFY news, 'SSN 536-22-1234'",
        "SELECT 1 AS \"536-22-1234\"",
    ];
    for query in chosen {
        let ran = bank.psql(query);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains("hash_"), "{query}: {said}");
        let before = said.replace(query, "");
        assert!(
            query.contains(" AS \"") || !before.contains("536-22-1234"),
            "{query}: {said}"
        );
    }
}

/// One column of each type that gets other values, twice as many rows as values.
const OTHERS: &str = "
CREATE TABLE typed AS SELECT n % 20 AS id,
    (n % 20 * 1234.56)::numeric::money AS v_money, (n % 20 - 5.5)::real AS v_real, (n % 20) / 7::float8 AS v_float8,
    ('10.1.' || n % 20 || '.0/24')::cidr AS v_cidr, ('10.1.2.' || n % 20 || '/24')::inet AS v_inet,
    ('2001:db8::' || n % 20)::inet AS v_six, ('08:00:2b:01:02:' || 10 + n % 20)::macaddr AS v_mac,
    (n % 20)::bit(12) AS v_bit, ((n % 20)::bit(70) || B'1')::varbit AS v_varbit,
    '10:00'::time + make_interval(mins => n % 20) AS v_time, ('11:00:00.' || 10 + n % 20 || '+02')::timetz AS v_timetz,
    int8range(n % 20, 7 * (n % 20) + 1) AS v_range, daterange(date '2001-02-03' + n % 20, NULL) AS v_days,
    int4multirange(int4range(n % 20, n % 20 + 2), int4range(90, 100 + n % 20)) AS v_ranges,
    numrange(n % 20 * 0.25, 900) AS v_numbers, tstzrange('2001-02-03', timestamptz '2001-02-04' + make_interval(secs => n % 20)) AS v_moments
    FROM generate_series(0, 39) n;
CREATE TABLE as_text (LIKE typed);
CREATE TABLE as_binary (LIKE typed);
";

/// COPY in both formats into files, or from them.
const COPIED: &str = "
import psycopg
with psycopg.connect() as c:
    for form in ('text', 'binary'):
        with open(f'FOLDER/{form}', 'MODE') as file, c.cursor().copy(f'COPY TABLE_ DIRECTION (FORMAT {form})') as copy:
            if 'DIRECTION' == 'FROM STDIN':
                copy.write(file.read())
            else:
                file.writelines(copy)
";

#[test]
fn values_of_types_become_others_that_join_in_text_and_in_binary() {
    let database = Postgres::shared().database();
    let clear = database.endpoint();
    clear.psql(OTHERS).success();
    let columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'typed'::regclass AND attname LIKE 'v_%'";
    let columns = clear.psql(columns).success().stdout;
    let mut config = config(&database).set(&["targets", "bank", "strategies", "us_ssn"], "hash");
    for column in columns.lines() {
        let column = format!("public.typed.{column}");
        config = config.set(&["targets", "bank", "mask", &column], "us_ssn");
    }
    let gateway = Gateway::start(config);
    let folder = tempfile::tempdir().unwrap();
    let copied = |table: &str, direction: &str, mode: &str| {
        let script = COPIED.replace("FOLDER", folder.path().to_str().unwrap());
        script
            .replace("TABLE_", table)
            .replace("DIRECTION", direction)
            .replace("MODE", mode)
    };
    let bank = gateway.bank();
    bank.python_script(&copied("typed", "TO STDOUT", "wb"))
        .success();
    // Of a database's own, which takes only what is a value of its types.
    let both = copied("as_{form}", "FROM STDIN", "rb");
    clear.python_script(&both).success();
    let number =
        |query: &str| -> u64 { clear.psql(query).success().stdout.trim().parse().unwrap() };
    assert_eq!(
        number("SELECT count(*) FROM (TABLE as_text EXCEPT TABLE as_binary) x"),
        0
    );
    for column in columns.lines() {
        let all = format!("SELECT count({column}) FROM as_text");
        assert_eq!(number(&all), 40, "{column}");
        let kinds = format!("SELECT count(DISTINCT {column}) FROM as_text");
        assert_eq!(number(&kinds), 20, "{column}");
        let joined = format!(
            "SELECT count(*) FROM as_text a JOIN as_binary b USING ({column}) WHERE a.id = b.id"
        );
        assert_eq!(number(&joined), 80, "{column}");
        let same = format!("SELECT count(*) FROM as_text a JOIN typed b USING (id, {column})");
        assert_eq!(number(&same), 0, "{column}");
    }
}

/// What one session does to the catalog, or its owner does, others know before their next statement.
#[test]
fn a_session_learns_what_others_change() {
    let database = Postgres::shared().database();
    let config = Config::bank(&database)
        .all_permitted()
        .set(&["limits", "catalog"], "1s");
    let gateway = Gateway::start(config);
    let (mut one, mut other) = (gateway.bank().psql_talk(), gateway.bank().psql_talk());
    one.say("CREATE VIEW seen_v AS SELECT id, name AS word FROM customers; SELECT 'made', 1;");
    one.hear("made|1");
    other.say("SELECT 'all', count(word) FROM seen_v;");
    other.hear("all|");
    other.say("SELECT 'first', 1, upper(word) FROM seen_v LIMIT 1;");
    let first = other.hear("first|1|");
    assert!(!first.contains("ERROR"), "{first}");
    one.say("CREATE OR REPLACE VIEW seen_v AS SELECT id, ssn AS word FROM customers; SELECT 'changed', 1;");
    one.hear("changed|1");
    other.say("SELECT 'second', id, upper(word) FROM seen_v LIMIT 1;");
    other.hear("computed from protected data");
    other.say("SELECT 'masked', word FROM seen_v WHERE word IS NOT NULL LIMIT 1;");
    other.hear("masked|***-**-");
    // Nobody tells of what goes round the gateway; after a while it is read anew.
    let owner = database.endpoint();
    owner
        .psql("CREATE VIEW owner_v AS SELECT id, ssn AS word FROM customers")
        .success();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    other.say("SELECT 'owned', word FROM owner_v WHERE word IS NOT NULL LIMIT 1;");
    other.hear("owned|***-**-");
    for psql in [one, other] {
        let _ = psql.finish();
    }
}

/// A trigger of the database's owner tells whoever listens what was written.
#[test]
fn a_trigger_that_notifies_shows_no_more_than_the_table_does() {
    let database = Postgres::shared().database();
    let made = "CREATE TABLE told (id int, code text, whole boolean);
        CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_notify('news', CASE WHEN NEW.whole THEN row_to_json(NEW)::text ELSE NEW.code END);
            RETURN NEW; END $$;
        CREATE TRIGGER tell AFTER INSERT OR UPDATE ON told FOR EACH ROW EXECUTE FUNCTION tell();
        INSERT INTO told VALUES (1, 'K-Kestrel', true), (2, 'K-Heron', false);
        GRANT ALL ON told TO PUBLIC";
    database.superuser().psql(made).success();
    let column = ["targets", "bank", "mask", "public.told.code"];
    let gateway = Gateway::start(config(&database).set(&column, "membership"));
    let bank = gateway.bank();
    let told = bank.psql("LISTEN news; UPDATE told SET id = id; SELECT 1");
    let told = told.success();
    let told = [told.stdout, told.stderr].concat();
    assert_eq!(
        told.matches("Asynchronous notification").count(),
        2,
        "{told}"
    );
    assert!(
        !told.contains("Kestrel") && !told.contains("Heron"),
        "{told}"
    );
    assert!(
        told.contains(r#"{"id":1,"code":"*********","whole":true}"#),
        "{told}"
    );
    // What a session says itself it hears.
    let own = bank.psql_with(
        &["-At", "-c", "LISTEN news", "-c", "NOTIFY news, 'hello'"],
        "",
    );
    assert!(own.success().stdout.contains("hello"));
}
