//! The clients' programs and psql's own tricks: they pass directly against PostgreSQL, and print the same through the gateway.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

use tests::{Config, Endpoint, Gateway, Output, Postgres, Tls};

/// How many cases a program has; every one prints one line of JSON.
const CASES: [(&str, usize); 4] = [
    ("psycopg", 37),
    ("asyncpg", 24),
    ("node-postgres", 18),
    ("JDBC", 59),
];

/// What the cases print of protected columns is errors that quote rows.
const REVEAL: &str = r#"permit (principal, action == Action::"reveal", resource);"#;

#[test]
fn psql_prints_the_same_with_and_without_tls() {
    prints_the_same_with_and_without_tls("psql");
}

#[test]
fn psycopg_prints_the_same_with_and_without_tls() {
    prints_the_same_with_and_without_tls("psycopg");
}

#[test]
fn psql_prints_the_same_through_the_gateway() {
    prints_the_same_through_the_gateway("psql");
}

#[test]
fn psycopg_prints_the_same_through_the_gateway() {
    prints_the_same_through_the_gateway("psycopg");
}

#[test]
fn asyncpg_prints_the_same_through_the_gateway() {
    prints_the_same_through_the_gateway("asyncpg");
}

#[test]
fn node_postgres_prints_the_same_through_the_gateway() {
    prints_the_same_through_the_gateway("node-postgres");
}

#[test]
fn jdbc_prints_the_same_through_the_gateway() {
    prints_the_same_through_the_gateway("JDBC");
}

/// Under the policies that are there to be copied.
#[test]
fn pg_dump_writes_the_same_schema_and_the_same_data_of_tables_without_declared_columns() {
    const RATES: &str = "CREATE TABLE rates (day date PRIMARY KEY, rate numeric(8, 4) NOT NULL, source text);
        INSERT INTO rates SELECT date '2024-01-01' + n, n / 7.0, 'desk ' || n % 3 FROM generate_series(1, 500) n;";
    let database = Postgres::shared().database();
    database.endpoint().psql(RATES).success();
    let gateway = Gateway::start(Config::bank(&database).bank_policies());
    for options in [
        &["--schema-only"][..],
        &["--table=rates"],
        &["--schema=public", "-s", "-x"],
    ] {
        let direct = dump(&database.endpoint(), options);
        assert!(direct.contains("CREATE TABLE public.rates"), "{direct}");
        assert_eq!(direct, dump(&gateway.bank(), options), "{options:?}");
    }
}

/// What pg_dump writes, without the words that it makes at random.
fn dump(endpoint: &Endpoint, options: &[&str]) -> String {
    let output = endpoint.command("pg_dump").args(options).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let random = |line: &&str| line.contains("restrict ");
    let lines: Vec<&str> = text.lines().filter(|line| !random(line)).collect();
    lines.join("\n")
}

fn prints_the_same_with_and_without_tls(client: &str) {
    let (one, other) = (Postgres::shared().database(), Postgres::shared().database());
    let protected = one.endpoint().client(client).success();
    let bare = other.endpoint().tls(Tls::Off).client(client).success();
    assert_same_lines(client, &protected, &bare);
}

fn prints_the_same_through_the_gateway(client: &str) {
    let (one, other) = (Postgres::shared().database(), Postgres::shared().database());
    let direct = one.endpoint().client(client).success();
    assert_cases(client, &direct);
    let config = Config::bank(&other).all_permitted();
    let gateway = Gateway::start(config.policy("20-reveal.cedar", REVEAL));
    assert_same_lines(client, &direct, &gateway.bank().client(client).success());
}

fn assert_cases(client: &str, output: &Output) {
    if let Some((_, count)) = CASES.iter().find(|(name, _)| *name == client) {
        let cases = output.json_lines();
        let unexpected: Vec<_> = cases
            .iter()
            .filter(|case| case["result"] == "no error")
            .collect();
        assert!(unexpected.is_empty(), "{client}: {unexpected:?}");
        assert_eq!(cases.len(), *count, "{client}");
    }
}

fn assert_same_lines(client: &str, one: &Output, other: &Output) {
    // \watch heads each result with the time.
    let lines = |output: &Output| -> Vec<String> {
        let lines = output.stdout.lines().map(str::to_owned);
        lines
            .filter(|line| !line.ends_with("(every 0.01s)"))
            .collect()
    };
    let (one_lines, other_lines) = (lines(one), lines(other));
    for (left, right) in one_lines.iter().zip(&other_lines) {
        assert_eq!(left, right, "{client}");
    }
    assert_eq!(one_lines.len(), other_lines.len(), "{client}");
    // psql's errors are part of its answers; the others warn on standard error when they see fit.
    if client == "psql" {
        assert_eq!(one.stderr, other.stderr);
    }
}

/// The endpoint directly, and the same database through a gateway that permits everything and reveals nothing.
fn both(test: impl Fn(&Endpoint) -> Output) -> (Output, Output) {
    let (one, other) = (Postgres::shared().database(), Postgres::shared().database());
    let gateway = Gateway::start(Config::bank(&other).all_permitted());
    (test(&one.endpoint()), test(&gateway.bank()))
}

#[test]
fn psql_describes_everything_alike() {
    // Everything of \? that looks at a database, with details and patterns, except what names owners of other databases.
    let script = r"
\d
\d+
\d customers
\d+ payments
\d *.support_notes
\dS pg_class
\d customer_directory
\d+ card_activity
\da
\dA+
\dAc
\db
\dc
\dC text
\dd
\dD
\ddp
\dE
\des
\deu
\dew
\df+ transfer
\dfS lower
\dF
\dFd
\dFp
\dFt
\dg
\di+
\dL+
\dm
\dn+
\do +
\dO
\dp
\dP
\drds
\dRp
\dRs
\ds+
\dt+ c*
\dT+
\du
\dv+
\dx+
\dX
\sf+ expire_cards
\sv+ customer_directory
\z accounts
\l template*
";
    let (direct, gateway) = both(|endpoint| endpoint.psql_with(&["-E"], script));
    assert_same_lines("psql", &direct, &gateway);
    assert!(direct.stdout.lines().count() > 500);
}

#[test]
fn psql_sends_and_reads_in_every_way_alike() {
    let script = r"
SELECT 1 AS one, 'x' AS two \gdesc
SELECT id, amount FROM payments ORDER BY id LIMIT 1 \gdesc
SELECT format('SELECT %s AS n', n) FROM generate_series(1, 5) n \gexec
SELECT count(*) AS payments FROM payments \gset was_
\echo :was_payments
CREATE TABLE copied (id int, city text);
\copy (SELECT id, city FROM customers ORDER BY id LIMIT 5) TO PROGRAM 'cat >&2'
\copy (SELECT id, city FROM customers ORDER BY id LIMIT 5) TO STDOUT (FORMAT csv, HEADER)
\copy copied FROM STDIN (FORMAT csv)
7,'Leeds'
8,Delft
\.
COPY copied FROM STDIN;
9	Bristol
\.
COPY copied TO STDOUT;
COPY copied (city) TO STDOUT (FORMAT binary);
COPY copied FROM STDIN;
wrong	x	y
\.
SELECT * FROM copied ORDER BY id;
SELECT 1 \; SELECT 2 \; SELECT 1/0 \; SELECT 3;
\set FETCH_COUNT 3
SELECT id FROM customers ORDER BY id LIMIT 10;
\unset FETCH_COUNT
BEGIN; SELECT 1/0;
SELECT 1;
ROLLBACK;
CREATE TEMP SEQUENCE watched;
SELECT 10 / (3 - nextval('watched')) AS left \watch 0.01
";
    let (mut direct, gateway) = both(|endpoint| endpoint.psql_with(&["-a"], script));
    // The line of COPY data that an error quotes is masked.
    direct.stderr = direct.stderr.replace("\"wrong\tx\ty\"", "\"*********\"");
    assert_same_lines("psql", &direct, &gateway);
}

#[test]
fn several_statements_in_one_argument_are_one_transaction_alike() {
    let command = "CREATE TABLE one (n int); INSERT INTO one VALUES (1), (2); SELECT n FROM one; SELECT 1/0; SELECT 3";
    let (direct, gateway) = both(|endpoint| {
        let failed = endpoint.psql_with(&["-At", "-c", command], "");
        assert_eq!(failed.code, Some(1));
        let gone = endpoint.psql("SELECT to_regclass('one') IS NULL").success();
        assert_eq!(gone.stdout, "t\n");
        endpoint.psql_with(
            &[
                "-At",
                "-c",
                "SELECT 1; SELECT 2; BEGIN; SELECT 3; COMMIT; SELECT 4",
            ],
            "",
        )
    });
    assert_eq!(direct, gateway);
    assert_eq!(direct.stdout, "1\n2\nBEGIN\n3\nCOMMIT\n4\n");
}

#[test]
fn a_hundred_parameters_and_a_large_row_come_back_alike() {
    let script = r#"
import hashlib, psycopg
with psycopg.connect() as c:
    row = c.execute("SELECT " + ",".join(["%s::text"] * 1000), [str(n) for n in range(1000)]).fetchone()
    print(hashlib.sha256(repr(row).encode()).hexdigest())
    big = c.execute("SELECT repeat('grüße ', 2000000) AS a, repeat('x', 5000000)").fetchone()
    print(len(big[0]), hashlib.sha256(repr(big).encode()).hexdigest())
    rows = c.execute("SELECT i, repeat('z', 100) FROM generate_series(1, 100000) i").fetchall()
    print(len(rows), rows[-1][0])
"#;
    let (direct, gateway) = both(|endpoint| endpoint.python_script(script).success());
    assert_eq!(direct, gateway);
}

#[test]
fn pgbench_runs_in_every_mode() {
    let database = Postgres::shared().empty_database();
    let gateway = Gateway::start(Config::bank(&database).all_permitted());
    let bank = gateway.bank();
    bank.pgbench(&["-i", "-q", "-s", "1"]).success();
    for mode in ["simple", "extended", "prepared"] {
        let run = bank.pgbench(&["-n", "-M", mode, "-c", "4", "-j", "2", "-t", "50"]);
        let run = run.success();
        let report = &run.stdout;
        assert!(report.contains(": 200/200\n"), "{mode}: {run:?}");
        assert!(
            report.contains("number of failed transactions: 0 (0.000%)"),
            "{mode}: {run:?}"
        );
        assert!(!run.stderr.contains("ERROR"), "{mode}: {run:?}");
    }
    let balances = "SELECT (SELECT count(*) FROM pgbench_history),
        (SELECT sum(delta) FROM pgbench_history) = (SELECT sum(abalance) FROM pgbench_accounts)";
    let direct = database.endpoint().psql(balances).success();
    assert_eq!(direct.stdout, "600|t\n");
}
