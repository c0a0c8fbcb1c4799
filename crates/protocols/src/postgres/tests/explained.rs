//! `EXPLAIN` of an `EXECUTE`.

use super::gateway::Gateway;
use super::learned::ran;
use super::say::query;

/// What policy is asked about a text.
fn actions(gateway: &mut Gateway, text: &str) -> Vec<&'static str> {
    gateway.client(&query(text)).unwrap();
    let asks = gateway.permit().asks;
    let actions = asks.list().iter().map(|ask| ask.action);
    actions.collect()
}

#[test]
fn an_execute_that_is_explained_is_what_it_runs() {
    for (text, runs, unknown) in [
        ("explain analyze execute q", true, false),
        ("explain execute q", false, false),
        ("explain analyze execute nosuch", false, true),
    ] {
        let mut gateway = Gateway::live();
        ran(&mut gateway, "prepare q as delete from t", "PREPARE", b'I');
        let actions = actions(&mut gateway, text);
        assert!(actions.contains(&"explain"), "{text}: {actions:?}");
        assert_eq!(actions.contains(&"delete"), runs, "{text}: {actions:?}");
        assert_eq!(actions.contains(&"opaque"), unknown, "{text}: {actions:?}");
    }
}
