use serde_json::json;

use super::*;

fn lines(scenes: &[Value]) -> Vec<Line> {
    let line = |(index, scene): (usize, &Value)| {
        let mut line = scene.clone();
        line["at"] = json!("2026-01-31T09:30:00.000000Z");
        line["us"] = json!(index as u64 * 1_500_000);
        serde_json::from_value(line).unwrap()
    };
    scenes.iter().enumerate().map(line).collect()
}

fn played(scenes: &[Value], rows_max: usize, search: Option<&str>) -> String {
    let mut stage = Stage::new(Paint::NONE, rows_max, search.map(Search::new));
    let mut out: Vec<String> = lines(scenes).iter().map(|line| stage.line(line)).collect();
    out.push(stage.end());
    out.retain(|text| !text.is_empty());
    out.join("\n")
}

fn session() -> Vec<Value> {
    vec![
        json!({"kind": "asked", "seq": 1, "tag": "SELECT", "text": "SELECT id, ssn FROM customers WHERE id < $1", "parameters": ["3"]}),
        json!({"kind": "allowed", "seq": 1, "intent": 17}),
        json!({"kind": "shown", "event": "columns", "names": ["id", "ssn"]}),
        json!({"kind": "shown", "event": "row", "values": ["1", "***-**-6789"]}),
        json!({"kind": "shown", "event": "row", "values": ["2", null]}),
        json!({"kind": "shown", "event": "complete", "tag": "SELECT 2"}),
        json!({"kind": "ended", "seq": 1, "outcome": {"status": "completed", "rows": 2, "bytes": 80, "tag": "SELECT 2", "masks":
            [{"class": "us_ssn", "rule": "declared", "place": "public.customers.ssn", "strategy": "partial", "count": 1}]}}),
        json!({"kind": "asked", "seq": 2, "tag": "UPDATE", "text": "UPDATE accounts\nSET balance = 0"}),
        json!({"kind": "held", "seq": 2, "approval": "cs-1", "message": "approval cs-1 is pending (oncall)"}),
        json!({"kind": "shown", "event": "notice", "severity": "NOTICE", "code": "00000", "message": "approval cs-1 is pending"}),
        json!({"kind": "refused", "seq": 2, "denial": {"code": "approval_denied", "message": "approval cs-1 was denied by bob"}}),
        json!({"kind": "shown", "event": "error", "severity": "ERROR", "code": "42501", "message": "denied", "hint": "ask"}),
    ]
}

#[test]
fn a_session_reads_as_it_was() {
    assert_eq!(
        played(&session(), 10, None),
        "
  0:00.000 #1 SELECT
    SELECT id, ssn FROM customers WHERE id < $1
    $1 = '3'
  0:01.500 #1 allowed, leaf 17
| id | ssn         |
|----|-------------|
| 1  | ***-**-6789 |
| 2  | ∅           |
  0:09.000 #1 SELECT 2   us_ssn ×1 in public.customers.ssn (partial, declared)

  0:10.500 #2 UPDATE
    UPDATE accounts
    SET balance = 0
  0:12.000 #2 held: approval cs-1 is pending (oncall)
    NOTICE: approval cs-1 is pending (00000)
  0:15.000 #2 refused: approval cs-1 was denied by bob
    ERROR: denied (42501)
    HINT: ask"
    );
}

#[test]
fn long_results_are_counted() {
    let shown = played(&session(), 1, None);
    assert!(
        shown.contains("| 1  | ***-**-6789 |\n    … and 1 more rows\n"),
        "{shown}"
    );
}

#[test]
fn a_search_shows_whole_commands_and_only_those() {
    let first = played(&session(), 10, Some("6789"));
    assert!(
        first.contains("#1 SELECT 2") && !first.contains("#2"),
        "{first}"
    );
    let second = played(&session(), 10, Some("BOB"));
    assert!(
        second.contains("SET balance") && second.contains("HINT: ask") && !second.contains("#1"),
        "{second}"
    );
    assert_eq!(played(&session(), 10, Some("nowhere")), "");
    // Names of members and kinds are not what was said.
    assert_eq!(played(&session(), 10, Some("columns")), "");
    // A row that is beyond what is shown, but looked for, is shown.
    let beyond = played(&session(), 0, Some("6789"));
    assert!(
        beyond.contains("***-**-6789") && beyond.contains("1 more rows"),
        "{beyond}"
    );
}

#[test]
fn lines_of_json_are_searched_by_their_values() {
    let search = Search::new("A\"b");
    assert!(search.finds(r#"{"kind":"asked","text":"x a\"B y"}"#));
    assert!(!Search::new("asked").finds(r#"{"kind":"asked","text":"x"}"#));
    assert!(!search.finds("no json"));
}

#[test]
fn what_was_shown_then_cannot_steer_the_terminal_now() {
    let shown = played(
        &[
            json!({"kind": "asked", "seq": 1, "tag": "SELECT\u{1b}c", "text": "SELECT '\u{1b}[2J'", "parameters": ["\u{202e}"]}),
            json!({"kind": "shown", "event": "columns", "names": ["\u{9b}c"]}),
            json!({"kind": "shown", "event": "row", "values": ["a\u{1b}]0;x\u{7}"]}),
            json!({"kind": "shown", "event": "copy", "data": "\u{1b}c\n"}),
            json!({"kind": "shown", "event": "notification", "channel": "\u{1b}c", "payload": "\u{8}"}),
            json!({"kind": "put", "data": "\u{1b}c"}),
            json!({"kind": "shown", "event": "error", "severity": "\u{1b}", "code": "\u{1b}", "message": "\u{1b}"}),
        ],
        10,
        None,
    );
    assert!(
        !shown.chars().any(|c| c.is_control() && c != '\n'),
        "{shown:?}"
    );
    assert!(shown.contains("⟦U+202E⟧"), "{shown}");
}

#[test]
fn time_is_since_the_session_began() {
    assert_eq!(elapsed(0), "  0:00.000");
    assert_eq!(elapsed(61_234_567), "  1:01.234");
    assert_eq!(elapsed(6_000_000_000), "100:00.000");
}
