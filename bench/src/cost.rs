//! What lineage and masking cost: the same work through a gateway that looks for nothing and one that masks, in one round.

use std::fs;

use model::DataClass;
use serde_json::{Value, json};
use tests::{Config, Database, Gateway};

use crate::bulk;
use crate::peers::{self, Peer, Peers};
use crate::statements;
use crate::{Effort, figure, median, table};

/// A name, the columns of a table of [`ROWS`] rows, made of `n`, and those that are declared, with their classes.
type Mix = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const MIXES: [Mix; 6] = [
    (
        "integers",
        "n AS a, n * 3 AS b, n % 7 AS c, n * 1000003::bigint AS d, -n AS e, (n % 100)::smallint AS f",
        &[],
    ),
    (
        "numerics and times",
        "(n / 7.0)::numeric(12, 2) AS a, n::float8 / 3 AS b, timestamptz '2026-01-01' + n * interval '1 minute' AS c, \
         date '2026-01-01' + n % 999 AS d",
        &[],
    ),
    (
        "uuids and booleans",
        "md5(n::text)::uuid AS a, md5('x' || n)::uuid AS b, n % 2 = 0 AS c",
        &[],
    ),
    (
        "text",
        "'customer ' || n AS a, md5(n::text) AS b, 'an ordinary note about nothing in particular, row ' || n AS c",
        &[],
    ),
    (
        "json",
        "jsonb_build_object('id', n, 'name', 'customer ' || n, 'tags', jsonb_build_array('a', 'b', n)) AS a",
        &[],
    ),
    (
        "text, two of three columns declared",
        "'customer.' || n || '@example.com' AS a, '4111111111111111' AS b, 'a note, row ' || n AS c",
        &[("a", "email"), ("b", "pan")],
    ),
];
const ROWS: u32 = 300_000;

/// Point queries by the primary key; the second shows a declared column.
const POINTS: [(&str, &str); 2] = [
    (
        "no declared column",
        "SELECT abalance FROM pgbench_accounts WHERE aid = :aid;",
    ),
    (
        "a declared column",
        "SELECT filler FROM pgbench_accounts WHERE aid = :aid;",
    ),
];

pub(crate) fn measure(peers: &Peers, effort: &Effort) -> Value {
    let database = peers.database();
    for (index, (_, columns, _)) in MIXES.iter().enumerate() {
        let sql = format!(
            "CREATE TABLE mix_{index} AS SELECT {columns} FROM generate_series(1, {ROWS}) n; VACUUM ANALYZE mix_{index}"
        );
        database.endpoint().psql(&sql).success();
    }
    let gateways = [plain(database), masking(database)];
    let [plain, masking] = &gateways;
    let [plain, masking] = [plain, masking].map(|gateway| Peer::of("", gateway));
    json!({ "point": points(&plain, &masking, effort), "bulk": mixes(&plain, &masking, effort) })
}

fn plain(database: &Database<'_>) -> Gateway {
    let classes = DataClass::FOUND.iter();
    let config = classes.fold(peers::config(database, "interval"), |config, class| {
        config.set(&["targets", "bank", "find", class.name()], false)
    });
    Gateway::start(config.unset(&["targets", "bank", "mask"]))
}

fn masking(database: &Database<'_>) -> Gateway {
    let mut config: Config = peers::config(database, "interval").set(
        &["targets", "bank", "mask", "public.pgbench_accounts.filler"],
        "us_ssn",
    );
    for (index, (_, _, declared)) in MIXES.iter().enumerate() {
        for (column, class) in *declared {
            let place = format!("public.mix_{index}.{column}");
            config = config.set(&["targets", "bank", "mask", &place], *class);
        }
    }
    Gateway::start(config)
}

/// The same measured of both in each round, and the median of what the second has of the first.
fn compared(
    plain: &Peer,
    masking: &Peer,
    effort: &Effort,
    measure: impl Fn(&Peer) -> f64,
) -> (f64, Vec<(f64, f64)>) {
    let rounds: Vec<(f64, f64)> = (0..effort.rounds)
        .map(|_| (measure(plain), measure(masking)))
        .collect();
    let ratios = rounds.iter().map(|(plain, masking)| masking / plain);
    (median(ratios.collect()), rounds)
}

fn points(plain: &Peer, masking: &Peer, effort: &Effort) -> Value {
    let (mut rows, mut results) = (Vec::new(), Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("point.sql");
    for (name, query) in POINTS {
        fs::write(&file, format!("\\set aid random(1, 100000)\n{query}\n")).unwrap();
        for mode in ["simple", "prepared"] {
            let script = ["-f", file.to_str().unwrap()];
            let tps = |peer: &Peer| statements::tps(peer, effort, &script, mode, 1);
            let (ratio, rounds) = compared(plain, masking, effort, tps);
            let added = median(
                rounds
                    .iter()
                    .map(|(plain, masking)| 1e6 / masking - 1e6 / plain)
                    .collect(),
            );
            rows.push(vec![
                format!("{name}, {mode}"),
                format!("{ratio:.2}"),
                format!("{added:+.0}"),
            ]);
            results.push(json!({
                "case": name, "mode": mode, "ratio": figure(ratio), "added_us": figure(added),
            }));
        }
    }
    table::print(
        "What masking costs a point query, 1 client",
        &["", "÷plain", "added µs"],
        &rows,
    );
    Value::Array(results)
}

fn mixes(plain: &Peer, masking: &Peer, effort: &Effort) -> Value {
    let (mut rows, mut results) = (Vec::new(), Vec::new());
    for (index, (name, _, _)) in MIXES.iter().enumerate() {
        for (way, query) in [
            ("SELECT", format!("SELECT * FROM mix_{index}")),
            ("COPY", format!("COPY mix_{index} TO STDOUT")),
        ] {
            let speed = |peer: &Peer| bulk::rows_per_second(&peer.endpoint, &query, ROWS);
            let (ratio, _) = compared(plain, masking, effort, speed);
            rows.push(vec![format!("{way} of {name}"), format!("{ratio:.2}")]);
            results.push(json!({ "case": name, "way": way, "ratio": figure(ratio) }));
        }
    }
    table::print(
        &format!("What masking costs {ROWS} rows"),
        &["", "÷plain"],
        &rows,
    );
    Value::Array(results)
}
