//! Masking costs nobody their work: what is not protected comes back through the gateway as it comes from the server.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

use tests::{Answer, Config, Database, Gateway, Postgres, lines};

const QUERIES: &str = include_str!("../utility/queries.sql");
const MODES: &str = "simple,text,binary";

fn direct<'a>(database: &Database<'_>, queries: impl Iterator<Item = &'a str>) -> Vec<Answer> {
    database.endpoint().statements(MODES, queries)
}

fn through<'a>(config: Config, queries: impl Iterator<Item = &'a str>) -> Vec<Answer> {
    Gateway::start(config).bank().statements(MODES, queries)
}

fn assert_same(direct: &[Answer], through: &[Answer]) {
    assert!(!direct.is_empty());
    assert_eq!(direct.len(), through.len());
    let differ: Vec<String> = direct
        .iter()
        .zip(through)
        .filter(|(direct, through)| direct != through)
        .map(|(direct, through)| {
            let Answer { mode, line, .. } = direct;
            let (direct, through) = first_difference(&direct.out, &through.out);
            format!("{line} ({mode}):\n  {direct:?}\n  {through:?}")
        })
        .collect();
    assert!(
        differ.is_empty(),
        "{} of {} differ:\n{}",
        differ.len(),
        direct.len(),
        differ.join("\n")
    );
}

fn first_difference<'a>(direct: &'a [String], through: &'a [String]) -> (&'a str, &'a str) {
    let at = (0..)
        .find(|at| direct.get(*at) != through.get(*at))
        .unwrap();
    let text = |out: &'a [String]| out.get(at).map_or("(nothing)", String::as_str);
    (text(direct), text(through))
}

/// Under policies that permit all and reveal nothing.
#[test]
fn ordinary_work_gives_the_same_results() {
    let database = Postgres::shared().database();
    let direct = direct(&database, lines(QUERIES));
    let through = through(Config::bank(&database).all_permitted(), lines(QUERIES));
    assert_same(&direct, &through);
}

/// Under the policies that are there to be copied, as far as it only reads.
#[test]
fn the_shipped_policies_let_ordinary_reading_through() {
    let database = Postgres::shared().database();
    let queries = || lines(QUERIES).filter(|line| !line.starts_with('!'));
    let direct = direct(&database, queries());
    let through = through(Config::bank(&database).bank_policies(), queries());
    assert_same(&direct, &through);
}
