//! Outlines against the grammar's own scanner and parser, and which literals are loose.

use proptest::prelude::*;

use crate::postgres::literal::Tokens;
use crate::postgres::{Outline, parse};

/// The literals of a text that are loose; `None` where it has no outline.
fn loose(sql: &str) -> Option<Vec<&str>> {
    let outline = Outline::of(sql)?;
    let analysis = parse(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let loose = outline.loose(sql, &analysis).unwrap_or_default();
    let literals = outline.literals().zip(loose);
    let literals = literals.filter(|(_, loose)| *loose);
    Some(literals.map(|(range, _)| &sql[range.clone()]).collect())
}

#[test]
fn loose_literals_are_what_plain_columns_stand_with() {
    for (sql, expected) in [
        ("SELECT a FROM t WHERE id = 4711", &["4711"][..]),
        ("SELECT a FROM t WHERE 4711 = t.id", &["4711"]),
        (
            "SELECT a FROM t WHERE id=-4711 AND b <> - 5",
            &["4711", "5"],
        ),
        (
            "SELECT a FROM t WHERE s IN ('a', 'b''c')",
            &["'a'", "'b''c'"],
        ),
        ("SELECT a FROM t WHERE n BETWEEN 1 AND 2.5", &["1", "2.5"]),
        (
            "SELECT a FROM t WHERE NOT (n >= 1 OR \"n\"\"m\" < '2')",
            &["1", "'2'"],
        ),
        (
            "SELECT a FROM t ORDER BY 1 LIMIT 10 OFFSET 20",
            &["10", "20"],
        ),
        ("SELECT a FROM t FETCH FIRST (5) ROWS ONLY", &["5"]),
        (
            "INSERT INTO t (a, b) VALUES (1, 'x'), (-2, NULL)",
            &["1", "'x'", "2"],
        ),
        (
            "UPDATE t SET a = 'x', n = n + -5 WHERE id = 7",
            &["'x'", "5", "7"],
        ),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 'y', b[1] = 2",
            &["1", "'y'"],
        ),
        ("SELECT (SELECT 1 FROM u WHERE u.b = 'x') FROM t", &["'x'"]),
    ] {
        assert_eq!(loose(sql), Some(expected.to_vec()), "{sql}");
    }
}

/// Values that decide what a text means, or may: they stay where they are.
#[test]
fn what_may_matter_is_not_loose() {
    for sql in [
        "SELECT 1, 'x'",
        "VALUES (1)",
        "SELECT a FROM t WHERE 1 = 1",
        "SELECT a FROM t WHERE s = 'x' COLLATE \"C\"",
        "SELECT a FROM t WHERE s = '1'::int",
        "SELECT a FROM t WHERE s = CAST('vault' AS regclass)",
        "SELECT a FROM t WHERE s = date '2026-01-01'",
        "SELECT a FROM t WHERE s < now() - interval '1 day'",
        "SELECT a FROM t WHERE s = interval(3) '1 day'",
        "SELECT a FROM t WHERE s = ANY ('{a,b}')",
        "SELECT a FROM t WHERE (a, b) = (1, 'x')",
        "SELECT a FROM t WHERE (a, b) IN ((1, 'x'))",
        "SELECT a FROM t WHERE doc -> 'a' = doc ->> 1",
        "SELECT a FROM t WHERE doc - 'a' IS NULL",
        "SELECT a FROM t WHERE s LIKE 'x%'",
        "SELECT a FROM t WHERE lower(s) = 'x'",
        "SELECT a FROM t WHERE s OPERATOR(pg_catalog.=) 'x'",
        "SELECT a FROM t WHERE t.* = 'x'",
        "SELECT a FROM t WHERE s = +5",
        "SELECT a FROM t WHERE s = -(5)",
        "SELECT a FROM t WHERE s === 5",
        "SELECT a FROM t WHERE s = upper('x')",
        "SELECT set_config('role', 'x', false)",
        "SELECT query_to_xml('SELECT 1', true, true, '')",
        "SELECT a FROM t GROUP BY 1 ORDER BY 2",
        "SELECT a FROM t TABLESAMPLE bernoulli (5)",
        "SELECT a[1] FROM t",
        "SELECT a FROM t LIMIT 5 + 5",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t VALUES ('x'::regclass, f('y'))",
        "UPDATE t SET (a, b) = (1, 2)",
        "UPDATE t SET a[1] = 5",
        "PREPARE p AS SELECT a FROM t WHERE id = 1",
        "EXECUTE p(1)",
        "DECLARE c CURSOR FOR SELECT a FROM t WHERE id = 1",
        "EXPLAIN SELECT a FROM t WHERE id = 1",
        "CREATE TABLE x AS SELECT a FROM t WHERE id = 1",
        "COPY (SELECT a FROM t WHERE id = 1) TO STDOUT",
        "COPY t FROM STDIN WHERE id = 1",
        "MERGE INTO t USING u ON t.id = 1 WHEN MATCHED THEN DO NOTHING",
        "SET x = 'y'",
        "CREATE VIEW v AS SELECT a FROM t WHERE id = 1",
        "SELECT a FROM t WHERE id = 1; SELECT a FROM t WHERE id = 2",
    ] {
        assert!(loose(sql).is_none_or(|it| it.is_empty()), "{sql}");
    }
}

/// What could be read in another way than it looks has no outline.
#[test]
fn what_is_out_of_the_ordinary_has_no_outline() {
    for sql in [
        "SELECT a FROM t",
        "SELECT E'a', 1",
        "SELECT e'\\'' , 1",
        "SELECT 'a\\', 1",
        "SELECT U&'a', 1",
        "SELECT u& 'a', U&\"a\"",
        "SELECT N'a', 1",
        "SELECT B'1', X'f', 1",
        "SELECT $1, 1",
        "SELECT $$a$$, 1",
        "SELECT $a$a$a$, 1",
        "SELECT a$b, 1",
        "SELECT 'a'\n'b'",
        "SELECT 'a' \t 'b'",
        "SELECT 'a' -- c\n 'b'",
        "SELECT 1 -- c",
        "SELECT 1 /* c /* d */ e */",
        "SELECT 1 +-- '\n 2",
        "SELECT 1e400",
        "SELECT 1.e5",
        "SELECT 1.",
        "SELECT .5, 1",
        "SELECT 1..2",
        "SELECT 0x1F",
        "SELECT 0b1, 1",
        "SELECT 1_000",
        "SELECT 1a",
        "SELECT 1é",
        "SELECT 1'a'",
        "SELECT 'a",
        "SELECT \"a, 1",
        "SELECT 'a\u{1}', 1",
        "SELECT 1\u{2}",
        "SELECT '\0'",
    ] {
        assert_eq!(Outline::of(sql), None, "{sql}");
    }
    let long = format!("SELECT a FROM t WHERE s = '{}'", "x".repeat(20_000));
    assert_eq!(Outline::of(&long), None);
}

#[test]
fn kinds_of_literals_are_told_apart() {
    let key = |value: &str| {
        Outline::of(&format!("SELECT {value}"))
            .unwrap()
            .key()
            .to_vec()
    };
    let one_kind = [
        &["0", "7", "2147483647", "0007"][..],
        &["2147483648", "9223372036854775807"],
        &["9223372036854775808", "99999999999999999999999999"],
        &["1.5", "0.0"],
        &["''", "'x'", "'O''Brien'", "'é'", "'--'", "'/*'", "'$1'"],
    ];
    for (index, kind) in one_kind.iter().enumerate() {
        for (other, others) in one_kind.iter().enumerate() {
            for (one, two) in kind.iter().zip(others.iter()) {
                assert_eq!(key(one) == key(two), index == other, "{one} {two}");
            }
        }
    }
}

#[test]
fn fixed_literals_stay_in_the_key() {
    let key = |sql: &str, loose: &[bool]| Outline::of(sql).unwrap().key_of(sql, loose);
    let (a, b) = ("SELECT f('a') WHERE b = 1", "SELECT f('c') WHERE b = 22");
    assert_ne!(key(a, &[false, true]), key(b, &[false, true]));
    assert_ne!(key(a, &[true, false]), key(b, &[true, false]));
    assert_eq!(key(a, &[true, true]), key(b, &[true, true]));
    let c = "SELECT f('a') WHERE b = 22";
    assert_eq!(key(a, &[false, true]), key(c, &[false, true]));
}

#[test]
fn places_move_with_the_literals_before_them() {
    let (from, to) = ("SELECT 'a', 1 ;", "SELECT 'abc', 12345 ;");
    let [one, two] = [from, to].map(|sql| Outline::of(sql).unwrap());
    let moves = one.moves(&two);
    for word in ["SELECT", "'a", ",", "1", ";"] {
        let at = from.find(word).unwrap();
        assert_eq!(moves.place(at), to.find(word).unwrap(), "{word}");
    }
    assert_eq!(moves.place(from.len()), to.len());
    assert!(one.moves(&one).is_nothing());
    let tokens = Tokens::of(from).unwrap();
    assert_eq!(Some(tokens.moved(&moves)), Tokens::of(to));
}

/// Pieces of texts; `@` is a value.
const PIECES: &[&str] = &[
    "@", "@", "@", "@", "@", "@", " ", " ", " ", " ", "\n", "\t", "SELECT", "a", "b", "FROM t",
    "WHERE", "=", "<>", "<", "-", "+", "/", "*", "&", "!", "#", ",", "(", ")", "[", "]", ".", ":",
    "::int", ";", "\"x\"", "é", "_", "COLLATE",
];

/// Those that are out of the ordinary, alone or beside others.
const ODD: &[&str] = &[
    "'", "''", "\"", "U&", "E", "N", "B", "--", "/*", "*/", "$", "$1", "$$", "\\", "e5", "1",
    "0x1", "\u{1}",
];

const VALUES: [&str; 26] = [
    "0",
    "1",
    "22",
    "4711",
    "2147483647",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "1.5",
    "0.25",
    "''",
    "'x'",
    "'yy'",
    "'O''Brien'",
    "''''",
    "'é'",
    "'--'",
    "'/*'",
    "'*/'",
    "'$$'",
    "'\"'",
    "'\n'",
    "'a,b'",
    "'1'",
    "'a\\'",
    "1e5",
];

fn texts() -> impl Strategy<Value = (String, String)> {
    let piece = prop_oneof![
        30 => prop::sample::select(PIECES),
        1 => prop::sample::select(ODD),
    ];
    let piece = (
        piece,
        prop::sample::select(&VALUES[..]),
        prop::sample::select(&VALUES[..]),
    );
    prop::collection::vec(piece, 1..24).prop_map(|pieces| {
        let of = |piece: &'static str, value| if piece == "@" { value } else { piece };
        let one = pieces.iter().map(|(piece, value, _)| of(piece, value));
        let other = pieces.iter().map(|(piece, _, value)| of(piece, value));
        (one.collect(), other.collect())
    })
}

/// What a token is, and what is written there where it is no literal.
fn read(text: &str) -> Option<Vec<(i32, &str)>> {
    use pg_query::protobuf::Token;
    let tokens = Tokens::of(text)?;
    let literals = [Token::Sconst, Token::Iconst, Token::Fconst].map(|kind| kind as i32);
    let token = |token: &pg_query::protobuf::ScanToken| {
        let (start, end) = (token.start as usize, token.end as usize);
        let is_literal = literals.contains(&token.token);
        (token.token, if is_literal { "" } else { &text[start..end] })
    };
    Some(tokens.iter().map(token).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn texts_of_one_outline_are_one_to_the_grammar((one, other) in texts()) {
        let (Some(a), Some(b)) = (Outline::of(&one), Outline::of(&other)) else {
            return Ok(());
        };
        for (text, outline) in [(&one, &a), (&other, &b)] {
            if let Some(tokens) = Tokens::of(text) {
                prop_assert!(outline.agrees(&tokens), "{text:?}");
            }
        }
        if a.key() == b.key() {
            prop_assert_eq!(read(&one), read(&other));
            let parsed = [&one, &other].map(|text| pg_query::parse(text, 0).is_ok());
            prop_assert_eq!(parsed[0], parsed[1], "{:?} {:?}", one, other);
            if let (Some(from), Some(to)) = (Tokens::of(&one), Tokens::of(&other)) {
                prop_assert_eq!(from.moved(&a.moves(&b)), to);
            }
        }
    }
}
