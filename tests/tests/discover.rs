//! Which columns hold protected data is found out on a real database.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use aho_corasick::AhoCorasick;
use std::fs;
use tests::{Config, Postgres};

/// What protects each value: queries, one value a line.
const PROTECTED: &str = "SELECT pan FROM cards; SELECT ssn FROM customers WHERE ssn IS NOT NULL;
    SELECT email FROM customers; SELECT iban FROM accounts WHERE iban IS NOT NULL;
    SELECT routing_number FROM accounts WHERE routing_number IS NOT NULL;";

/// What a target holds is found out without showing any of it.
#[test]
fn columns_to_declare_are_discovered_and_no_value_is_shown() {
    let database = Postgres::shared().database();
    database.superuser().psql("ANALYZE").success();
    let values = database.endpoint().psql(PROTECTED).success().stdout;
    let values = AhoCorasick::new(values.lines()).unwrap();
    let config = Config::bank(&database)
        .all_permitted()
        .unset(&["targets", "bank", "mask"]);
    let written = config.directory().join("masks.toml");
    let file = written.to_string_lossy().into_owned();
    let output = config.countersign(&["discover", "bank", "--write", &file]);
    let output = output.success();
    assert!(!values.is_match(&output.stdout) && !values.is_match(&output.stderr));
    let found = config
        .countersign(&["discover", "bank"])
        .success()
        .json_lines();
    let of = |column: &str| -> Vec<String> {
        let those = found.iter().filter(|it| it["column"] == column);
        those
            .map(|it| format!("{} {}", it["class"], it["confidence"]).replace('"', ""))
            .collect()
    };
    for (column, class) in [
        ("public.customers.ssn", "us_ssn"),
        ("public.customers.email", "email"),
        ("public.cards.pan", "pan"),
        ("public.accounts.iban", "iban"),
        ("public.accounts.routing_number", "us_aba"),
    ] {
        let first = of(column).into_iter().next();
        assert_eq!(
            first,
            Some(format!("{class} high")),
            "{column} in {found:?}"
        );
    }
    assert!(of("public.payments.status").is_empty());
    let section = fs::read_to_string(&written).unwrap();
    assert!(!values.is_match(&section));
    let again = config.countersign(&["discover", "bank", "--write", &file]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("there already"), "{again:?}");
    fs::write(&written, "x".repeat(100_000)).unwrap();
    let over = config.countersign(&["discover", "bank", "--write", &file, "--force"]);
    over.success();
    assert_eq!(fs::read_to_string(&written).unwrap(), section);
    let section: toml::Table = section.parse().unwrap();
    let mask = section["targets"]["bank"]["mask"].clone();
    assert_eq!(mask["public.cards.pan"].as_str(), Some("pan"));
    let declared = config.set(&["targets", "bank", "mask"], mask);
    declared.countersign(&["check"]).success();
    let stranger = declared.countersign(&["discover", "nowhere"]);
    assert!(stranger.stderr.contains("there are bank"), "{stranger:?}");
}
