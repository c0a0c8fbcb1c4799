//! Other values in place of values: the same in text and in binary, and valid ones.

use mask::Strategy;

use super::forms::declared_with;
use super::written::{facts_of, written_alike};
use super::*;

fn hashed(kind: u32, format: Format, value: &[u8]) -> Option<Vec<u8>> {
    declared_with(
        Some(Strategy::Hash),
        &DataClass::US_SSN,
        kind,
        format,
        value,
    )
}

fn text(kind: u32, value: &str) -> Option<String> {
    let text = hashed(kind, Format::Text, value.as_bytes())?;
    Some(String::from_utf8(text).unwrap())
}

#[test]
fn text_and_binary_agree() {
    let mut kinds = BTreeSet::new();
    let rule = cell::Rule::Declared(DataClass::US_SSN);
    for (kind, value, binary, _) in written_alike() {
        let Some(shown) = hashed(kind, Format::Text, value.as_bytes()) else {
            continue;
        };
        assert_ne!(shown, value.as_bytes());
        let binary = hashed(kind, Format::Binary, &binary).unwrap();
        let of_text = facts_of(rule.clone(), kind, Format::Text, &shown);
        let of_binary = facts_of(rule.clone(), kind, Format::Binary, &binary);
        assert_eq!(
            of_text,
            of_binary,
            "{kind} {value} {:?}",
            String::from_utf8_lossy(&shown)
        );
        kinds.insert(kind);
    }
    for kind in [
        21, 700, 790, 1082, 1083, 1266, 1114, 1184, 869, 650, 829, 1560, 3912,
    ] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    for kind in [16, 26, 1186, 3220, 27, 600, 718] {
        assert!(!kinds.contains(&kind), "{kind}");
    }
}

#[test]
fn amounts_keep_the_way_in_which_they_are_written() {
    let shown = text(790, "-$1,234.50").unwrap();
    let signs: String = shown
        .chars()
        .filter(|char| !char.is_ascii_digit())
        .collect();
    assert_eq!(signs, "-$,.");
    let small = text(790, "$0.05").unwrap();
    assert!(small.starts_with("$0.0") && small != "$0.05", "{small}");
    let german = text(790, "1.234,50 €").unwrap();
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    assert_eq!(digits(&german), digits(&shown));
}

#[test]
fn ranges_keep_their_order() {
    const INT8RANGE: u32 = 3926;
    const NUMRANGE: u32 = 3906;
    const INT8MULTIRANGE: u32 = 16_504;
    for low in 0..200_i64 {
        let shown = text(INT8RANGE, &format!("[{},{})", low - 100, low * 7)).unwrap();
        let (lower, upper) = shown[1..shown.len() - 1].split_once(',').unwrap();
        assert!(
            lower.parse::<i64>().unwrap() < upper.parse::<i64>().unwrap(),
            "{shown}"
        );
        let shown = text(
            INT8MULTIRANGE,
            &format!("{{(,{low}),[{},{}),[900,)}}", low + 5, low + 17),
        );
        let shown = shown.unwrap().replace(['{', '}', '[', '(', ')'], "");
        let bounds = shown.split(',').filter(|it| !it.is_empty());
        let bounds: Vec<i64> = bounds.map(|it| it.parse().unwrap()).collect();
        assert!(bounds.len() == 4 && bounds.is_sorted(), "{shown}");
    }
    let one = text(NUMRANGE, "[1.50,1.50]").unwrap();
    let (lower, upper) = one[1..one.len() - 1].split_once(',').unwrap();
    assert_eq!(lower, upper);
    assert_ne!(lower, "1.50");
    let days = text(3912, "[1931-05-22,1985-03-04)").unwrap();
    assert!(days[1..11] < days[12..22], "{days}");
    assert!(text(3912, "[1931-05-22,)").unwrap().ends_with(",)"));
    for none in ["empty", "(,)"] {
        assert_eq!(text(INT8RANGE, none), None);
    }
    // As another style writes it, and what has no end.
    assert_eq!(text(3912, "[22.05.1931,04.03.1985)"), None);
    assert_eq!(text(3912, "[1931-05-22,infinity)"), None);
}

#[test]
fn what_tells_too_much_becomes_null() {
    for (kind, value) in [
        (16, "t"),
        (1560, "1"),
        (1562, "101"),
        (701, "NaN"),
        (650, "0.0.0.0/0"),
    ] {
        assert_eq!(text(kind, value), None, "{value}");
    }
}
