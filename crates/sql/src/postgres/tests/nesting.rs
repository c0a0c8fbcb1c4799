//! Deep statements: accepted below the limit without overflowing the documented stack, refused above it.

use super::bank::bank;
use super::{on_big_stack, parse};
use crate::postgres::{MAX_NESTING, ParseError, resolve};

/// Builds a statement that nests `n` deep in one way.
type Shape = (&'static str, fn(usize) -> String);

fn around(open: &str, core: &str, close: &str, n: usize) -> String {
    format!("SELECT {}{core}{}", open.repeat(n), close.repeat(n))
}

const SHAPES: &[Shape] = &[
    ("plus", |n| format!("SELECT 1{}", "+1".repeat(n))),
    ("concat", |n| format!("SELECT a{}", "||a".repeat(n))),
    ("power of column", |n| {
        format!("SELECT a{}", " ^ a".repeat(n))
    }),
    ("parentheses", |n| around("(", "1", ")", n)),
    ("calls", |n| around("f(", "1", ")", n)),
    ("subqueries", |n| around("(SELECT ", "1", ")", n)),
    ("from", |n| {
        format!("SELECT 1{}{}", " FROM (SELECT 1".repeat(n), ") s".repeat(n))
    }),
    ("exists", |n| {
        format!(
            "SELECT 1{}{}",
            " WHERE EXISTS (SELECT 1".repeat(n),
            ")".repeat(n)
        )
    }),
    ("with", |n| {
        format!(
            "{}SELECT 1{}",
            "WITH x AS (".repeat(n),
            ") SELECT 1".repeat(n)
        )
    }),
    ("union", |n| {
        format!("SELECT 1{}", " UNION SELECT 1".repeat(n))
    }),
    ("union of lists", |n| {
        format!("SELECT 1, 2{}", " UNION SELECT 1, 2".repeat(n))
    }),
    ("except in brackets", |n| {
        format!("{}SELECT 1{}", "(".repeat(n), " EXCEPT SELECT 1)".repeat(n))
    }),
    ("join", |n| {
        format!("SELECT 1 FROM a{}", " JOIN b ON x AND y".repeat(n))
    }),
    ("right joins", |n| {
        format!(
            "SELECT 1 FROM a{}{}",
            " JOIN b".repeat(n),
            " ON true".repeat(n)
        )
    }),
    ("case", |n| {
        around("CASE WHEN true AND true THEN ", "1", " END", n)
    }),
    ("case condition", |n| {
        around("CASE WHEN ", "true", " THEN true END", n)
    }),
    ("case label", |n| {
        around("CASE WHEN a.end AND a.and THEN ", "1", " END", n)
    }),
    ("not", |n| around("NOT ", "true", "", n)),
    ("minus", |n| around("- ", "a", "", n)),
    ("cast", |n| around("", "a", "::int", n)),
    ("cast function", |n| around("CAST(", "a", " AS int)", n)),
    ("is null", |n| around("", "a", " IS NULL", n / 2)),
    ("isnull", |n| around("", "a", " ISNULL", n)),
    ("collate", |n| around("", "a", " COLLATE \"C\"", n)),
    ("time zone", |n| around("", "a", " AT TIME ZONE 'x'", n / 3)),
    ("between", |n| {
        around("a BETWEEN 1 AND NOT ", "a", "", n / 3)
    }),
    ("arrays", |n| around("ARRAY[", "1", "]", n)),
    ("bare arrays", |n| {
        format!("SELECT ARRAY{}1{}", "[".repeat(n), "]".repeat(n))
    }),
    ("subscript in subscript", |n| around("a[", "1", "]", n)),
    ("subscript of bracket", |n| around("(", "a", ")[1]", n)),
    ("rows", |n| around("ROW(", "1", ")", n)),
    ("in list", |n| around("1 IN (", "1", ")", n)),
    ("comparison", |n| around("(", "1", " = 1)", n)),
    ("coalesce", |n| around("coalesce(1, ", "1", ")", n)),
    ("and in brackets", |n| around("(true AND ", "true", ")", n)),
    ("or of and in brackets", |n| {
        around("(true AND true OR ", "true", ")", n)
    }),
    ("custom operator", |n| {
        format!("SELECT a{}", " OPERATOR(s.+) a".repeat(n))
    }),
    ("prefix operator", |n| around("@ ", "a", "", n)),
    ("like", |n| {
        format!("SELECT a{}", " || a LIKE a".repeat(n / 2))
    }),
    ("window", |n| {
        around("sum(1) OVER (ORDER BY ", "1", ")", n / 3)
    }),
    ("atomic bodies", |n| {
        format!(
            "{}SELECT 1;{}",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC ".repeat(n),
            " END;".repeat(n)
        )
    }),
    ("json", |n| around("JSON_ARRAY(", "1", ")", n)),
    ("comment before label", |n| {
        format!("SELECT a{}", "./**/and + a".repeat(n))
    }),
];

#[test]
fn at_the_limit_nothing_overflows() {
    on_big_stack(|| {
        let (catalog, protected) = bank();
        let mut accepted = 0;
        for (name, build) in SHAPES {
            // Most shapes cost one or two per level: the deepest that is accepted is found by halving.
            let (mut low, mut high) = (0, MAX_NESTING + 1);
            while high - low > 1 {
                let middle = usize::midpoint(low, high);
                match parse(&build(middle)) {
                    Err(ParseError::TooDeep { .. }) => high = middle,
                    _ => low = middle,
                }
            }
            // Short statements are bound by their length alone.
            if let Ok(analysis) = parse(&build(low)) {
                accepted += 1;
                analysis
                    .statements
                    .iter()
                    .for_each(|statement| drop(resolve(statement, &catalog, &protected)));
            }
            assert!(
                low >= MAX_NESTING / 10,
                "{name}: only {low} levels are accepted"
            );
        }
        assert!(
            accepted >= SHAPES.len() - 5,
            "only {accepted} of {} shapes are SQL",
            SHAPES.len()
        );
    });
}

#[test]
fn beyond_the_limit_there_is_an_error() {
    on_big_stack(|| {
        for (name, build) in SHAPES {
            for n in [MAX_NESTING * 4, 20_000] {
                let result = parse(&build(n));
                assert!(
                    matches!(
                        result,
                        Err(ParseError::TooDeep { .. } | ParseError::Syntax(_))
                    ),
                    "{name} at {n}: {result:?}"
                );
            }
        }
    });
}

#[test]
fn long_flat_statements_pass() {
    on_big_stack(|| {
        let rows = "(1, 'Ann O''Neil', 12.5, NULL, now()), ".repeat(26_000);
        let insert =
            format!("INSERT INTO t (a, b, c, d, e) VALUES {rows}(2, 'x', -1, DEFAULT, 'y'::text)");
        assert!(insert.len() > 1_000_000);
        assert_eq!(parse(&insert).unwrap().statements.len(), 1);
        let ors = format!(
            "SELECT 1 FROM t WHERE a = 1{}",
            " OR a = 1 AND b IS NULL".repeat(5_000)
        );
        assert_eq!(parse(&ors).unwrap().statements.len(), 1);
        let list = format!("SELECT 1 FROM t WHERE a IN (1{})", ", 1".repeat(100_000));
        assert_eq!(parse(&list).unwrap().statements.len(), 1);
        let whens = format!("SELECT CASE a{} END", " WHEN 1 THEN 2".repeat(3_000));
        assert_eq!(parse(&whens).unwrap().statements.len(), 1);
        let statements = "INSERT INTO t VALUES (1);".repeat(5_000);
        assert_eq!(parse(&statements).unwrap().statements.len(), 5_000);
    });
}

#[test]
fn other_limits_are_errors() {
    let long = format!("SELECT '{}'", "x".repeat(super::super::MAX_TEXT_BYTES));
    assert!(matches!(parse(&long), Err(ParseError::TooLong { .. })));
    assert!(matches!(parse("SELECT '\0'"), Err(ParseError::Nul)));
    assert!(matches!(parse("SELEC 1"), Err(ParseError::Syntax(_))));
    let many = "SELECT 1;".repeat(super::super::MAX_STATEMENTS + 1);
    assert!(matches!(
        on_big_stack(move || parse(&many)),
        Err(ParseError::TooMany { .. })
    ));
}

#[test]
fn costly_statements_stay_small() {
    on_big_stack(|| {
        let (catalog, protected) = bank();
        let locks = format!(
            "{}SELECT 1 FROM {}t{}",
            "SELECT 1 FROM (".repeat(300),
            "a,".repeat(50_000),
            " FOR UPDATE) s".repeat(300)
        );
        let effects = &parse(&locks).unwrap().statements[0].effects;
        assert!(effects.len() <= 10_001);
        let references = format!(
            "SELECT {}1 FROM {}customers c0",
            "ssn,".repeat(50_000),
            "customers,".repeat(20_000)
        );
        let analysis = parse(&references).unwrap();
        let resolved = resolve(&analysis.statements[0], &catalog, &protected);
        assert!(
            resolved
                .copied(50_001)
                .iter()
                .all(|column| column.rule != crate::postgres::OutputRule::Clear)
        );
    });
}
