//! Nothing of a protected value gets out, whatever is tried: not whole, not turned round, not written otherwise, not in
//! pieces, not summed, not by an answer that depends on it.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::BTreeSet;
use tests::{Answer, Config, Database, Gateway, Postgres, lines};

const TRICKS: &str = include_str!("../leak/tricks.sql");
const GUESSES: &str = include_str!("../leak/guesses.sql");
const VAULT: &str = include_str!("../leak/vault.sql");
const COLUMNS: [&str; 8] = [
    "secret", "code", "paid", "born", "uid", "blob", "tags", "doc",
];

/// Every way in which the protocol can be spoken.
const MODES: &str = "simple,text,binary";
/// Other values in the same rows, which sort the other way round.
const OTHERWISE: &str = "
    UPDATE vault SET
        secret = translate(secret, 'BCDFGHJKLMNPQRSTVWXYZ', 'ZYXWVTSRQPNMLKJHGFDCB'),
        code = 999999999999 - code, paid = 19999999.99 - paid,
        born = date '1950-01-01' - (born - date '1900-01-01'),
        uid = translate(uid::text, '0123456789abcdef', 'fedcba9876543210')::uuid,
        blob = translate(convert_from(blob, 'UTF8'), 'BCDFGHJKLMNPQRSTVWXYZ', 'ZYXWVTSRQPNMLKJHGFDCB')::bytea,
        tags = translate(tags::text, 'BCDFGHJKLMNPQRSTVWXYZ', 'ZYXWVTSRQPNMLKJHGFDCB')::text[],
        doc = translate(doc::text, 'BCDFGHJKLMNPQRSTVWXYZ', 'ZYXWVTSRQPNMLKJHGFDCB')::jsonb;
    REFRESH MATERIALIZED VIEW vault_kept;
    ANALYZE vault";

/// Letters of a value that may not follow each other in what comes back. The values have no vowels, so words do not hold four.
const PIECE: usize = 4;
/// The same for what is left of an answer without its marks and spaces, where the ends of words meet.
const SQUEEZED_PIECE: usize = 5;
/// The same for digits, of which any answer has many.
const DIGITS_PIECE: usize = 6;
/// The same for what a value is written as in hexadecimal or base64, or hashed to.
const CODED_PIECE: usize = 10;

/// Gives words to find whole, and of which pieces of what length count.
const WORDS: &str = "
    WITH words(w) AS (
        SELECT secret FROM vault UNION SELECT convert_from(blob, 'UTF8') FROM vault
        UNION SELECT unnest(tags) FROM vault UNION SELECT doc ->> 'pin' FROM vault)
    SELECT 'letters', w FROM words UNION ALL SELECT 'letters', reverse(w) FROM words
    UNION ALL SELECT 'coded', encode(w::bytea, 'hex') FROM words
    UNION ALL SELECT 'coded', encode(reverse(w)::bytea, 'hex') FROM words
    UNION ALL SELECT 'coded', rtrim(encode(w::bytea, 'base64'), '=') FROM words
    UNION ALL SELECT 'coded', md5(w) FROM words
    UNION ALL SELECT 'coded', encode(sha256(w::bytea), 'hex') FROM words
    UNION ALL SELECT 'coded', encode(sha512(w::bytea), 'hex') FROM words
    UNION ALL SELECT 'coded', replace(uid::text, '-', '') FROM vault
    UNION ALL SELECT 'digits', code::text FROM vault UNION ALL SELECT 'digits', reverse(code::text) FROM vault
    UNION ALL SELECT 'whole', to_hex(code) FROM vault
    UNION ALL SELECT 'whole', (code / 2)::text FROM vault
    UNION ALL SELECT 'digits', sum(code)::text FROM vault UNION ALL SELECT 'digits', trunc(avg(code))::text FROM vault
    UNION ALL SELECT 'whole', paid::text FROM vault UNION ALL SELECT 'whole', round(paid)::text FROM vault
    UNION ALL SELECT 'whole', sum(paid)::text FROM vault
    UNION ALL SELECT 'whole', born::text FROM vault
    UNION ALL SELECT 'whole', (born - date '2000-01-01')::text FROM vault
    UNION ALL SELECT 'whole', 'LEAKYES' UNION ALL SELECT 'whole', 'LEAKNO'";

/// What is looked for in answers.
struct Needles {
    plain: AhoCorasick,
    squeezed: AhoCorasick,
}

impl Needles {
    fn of(database: &Database<'_>) -> Self {
        let (mut plain, mut squeezed) = (BTreeSet::new(), BTreeSet::new());
        let words = database.endpoint().psql(WORDS).success().stdout;
        assert!(words.lines().count() > 80, "{words}");
        for line in words.lines() {
            let (kind, word) = line.split_once('|').unwrap();
            let word = word.to_ascii_lowercase();
            let (piece, squeezed_piece) = match kind {
                "letters" => (PIECE, SQUEEZED_PIECE),
                "digits" => (DIGITS_PIECE, DIGITS_PIECE + 2),
                "coded" => (CODED_PIECE, CODED_PIECE),
                _ => (word.len(), usize::MAX),
            };
            plain.extend(windows(&word, piece));
            squeezed.extend(windows(&word, squeezed_piece));
        }
        let build = |words| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostFirst)
                .build(words)
                .unwrap()
        };
        Self {
            plain: build(plain),
            squeezed: build(squeezed),
        }
    }

    /// What of a value is in these answers.
    fn within(&self, answers: &[String]) -> Option<String> {
        let text = answers.join("\n").to_ascii_lowercase();
        if let Some(found) = self.plain.find(&text) {
            return Some(text[found.range()].to_owned());
        }
        let squeezed: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        let spelled = spelled(&text);
        [squeezed, spelled].iter().find_map(|text| {
            let found = self.squeezed.find(text)?;
            Some(format!("{} in pieces", &text[found.range()]))
        })
    }
}

fn windows(word: &str, length: usize) -> impl Iterator<Item = String> {
    let word = word.as_bytes();
    let all = word.windows(length.min(word.len() + 1));
    all.map(|piece| String::from_utf8(piece.to_vec()).unwrap())
}

/// The letters that the numbers of a text stand for.
fn spelled(text: &str) -> String {
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    numbers
        .filter_map(|number| number.parse::<u8>().ok())
        .map(|code| char::from(code).to_ascii_lowercase())
        .filter(char::is_ascii_alphanumeric)
        .collect()
}

fn database() -> Database<'static> {
    let database = Postgres::shared().database();
    database.endpoint().psql(VAULT).success();
    database
}

/// Without a gateway most tricks work, so that their failing behind one means something.
#[test]
fn without_a_gateway_the_tricks_work() {
    let database = database();
    let needles = Needles::of(&database);
    let all = lines(TRICKS).map(|line| line.trim_start_matches('*'));
    let answers = database.endpoint().statements("simple", all);
    let leaks = answers
        .iter()
        .filter(|answer| needles.within(&answer.out).is_some());
    let leaks = leaks.count();
    assert!(
        leaks * 4 > answers.len() * 3,
        "only {leaks} of {} tricks work",
        answers.len()
    );
}

/// What nobody is given who may not see the data, whatever else is.
const NOTHING_REDEFINED: &str = r#"
@id("nothing-redefined")
forbid (
    principal,
    action in [Postgres::Action::"redefine", Postgres::Action::"opaque"],
    resource
);
"#;

fn protected(config: Config) -> Config {
    COLUMNS.iter().fold(config, |config, column| {
        let column = format!("public.vault.{column}");
        config.set(&["targets", "bank", "mask", &column], "vault")
    })
}

/// Tries these tricks in every way that the protocol can be spoken. Gives how many were answered.
fn assert_tight<'a>(
    database: &Database<'_>,
    config: Config,
    tricks: impl Iterator<Item = &'a str>,
) -> usize {
    let needles = Needles::of(database);
    let gateway = Gateway::start(protected(config));
    let answers = gateway.bank().statements(MODES, tricks);
    assert!(!answers.is_empty());
    let mut leaks = Vec::new();
    for answer in &answers {
        if let Some(found) = needles.within(&answer.out) {
            let Answer {
                line, mode, out, ..
            } = answer;
            leaks.push(format!("{line} ({mode}): {found} in {out:?}"));
        }
    }
    assert!(
        leaks.is_empty(),
        "{} leaks:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
    answers.iter().filter(|answer| answer.answered).count()
}

/// Even where every action is permitted, and nothing revealed.
#[test]
fn behind_a_gateway_tricks_do_not_work() {
    let database = database();
    let config = Config::bank(&database).all_permitted();
    let answered = assert_tight(
        &database,
        config,
        lines(TRICKS).filter(|line| !line.starts_with('*')),
    );
    assert!(answered > 200, "only {answered} were answered at all");
}

/// Those that work where anybody may redefine what the database does, or run `DO`, do not where nobody may, whatever other DDL
/// is permitted.
#[test]
fn where_nothing_is_redefined_none_works() {
    let database = database();
    let config = Config::bank(&database)
        .all_permitted()
        .policy("40-nothing-redefined.cedar", NOTHING_REDEFINED);
    let starred = || lines(TRICKS).filter_map(|line| line.strip_prefix('*'));
    let _: usize = assert_tight(&database, config, starred());
}

/// Without the action of their own these tricks work, so that the test above means something.
#[test]
fn where_all_is_permitted_they_work() {
    let database = database();
    let needles = Needles::of(&database);
    let gateway = Gateway::start(protected(Config::bank(&database).all_permitted()));
    let starred = lines(TRICKS).filter_map(|line| line.strip_prefix('*'));
    let answers = gateway.bank().statements("simple", starred);
    let tight: Vec<&str> = answers
        .iter()
        .filter(|answer| needles.within(&answer.out).is_none())
        .map(|answer| &*answer.line)
        .collect();
    assert!(tight.is_empty(), "these need no mark: {tight:#?}");
}

/// What examples/policies/bank/25-no-guessing.cedar says, for everybody.
const NO_GUESSING: &str = r#"
@id("no-guessing")
forbid (
    principal,
    action in [
        Postgres::Action::"read", Postgres::Action::"write", Postgres::Action::"ddl", Postgres::Action::"session",
        Postgres::Action::"server"
    ],
    resource
)
when { !context.probed.isEmpty() };
"#;

/// What a text recasts, it cannot guess through, though nothing of the view is known when the text is judged.
#[test]
fn what_a_text_recasts_is_not_guessed_through() {
    const TEXT: &str = "CREATE TEMP VIEW v AS SELECT id, word FROM plain ;; \
        CREATE OR REPLACE TEMP VIEW v AS SELECT id, secret AS word FROM vault; SELECT id FROM v WHERE word > 'M'";
    let database = database();
    let config = Config::bank(&database)
        .all_permitted()
        .policy("25-no-guessing.cedar", NO_GUESSING);
    let gateway = Gateway::start(protected(config));
    let answers = gateway.bank().statements("simple", [TEXT]);
    let [answer] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    assert!(!answer.answered, "{answer:?}");
    assert!(
        answer.out.iter().any(|line| line.contains("no-guessing")),
        "{answer:?}"
    );
}

fn guesses() -> impl Iterator<Item = &'static str> {
    lines(GUESSES).filter(|line| !line.starts_with('*'))
}

/// Without a gateway the answer to every guess depends on what is protected, so that their failing behind one means
/// something.
#[test]
fn without_a_gateway_guesses_tell() {
    let (one, other) = (database(), database());
    other.endpoint().psql(OTHERWISE).success();
    let [one, other] =
        [&one, &other].map(|database| database.endpoint().statements("simple", guesses()));
    assert!(one.len() > 120);
    let silent: Vec<&str> = one
        .iter()
        .zip(&other)
        .filter(|(a, b)| a.answered == b.answered && (!a.answered || a.out == b.out))
        .map(|(a, _)| &*a.line)
        .collect();
    assert!(silent.is_empty(), "these tell nothing: {silent:#?}");
}

/// Where a policy forbids to guess, no guess is answered, whatever else is permitted; and what asks for values that one has is.
#[test]
fn guesses_are_refused() {
    let database = database();
    let config = Config::bank(&database)
        .all_permitted()
        .policy("25-no-guessing.cedar", NO_GUESSING);
    let gateway = Gateway::start(protected(config));
    let wrong = |answers: &[Answer], is_wrong: &dyn Fn(&Answer) -> bool| -> String {
        let wrong = answers.iter().filter(|answer| is_wrong(answer));
        wrong
            .map(|answer| format!("{} ({}): {:?}\n", answer.line, answer.mode, answer.out))
            .collect()
    };
    let tried = gateway.bank().statements(MODES, guesses());
    let answered = wrong(&tried, &|answer| {
        let refused = answer.out.iter().any(|line| line.contains("no-guessing"));
        answer.answered || !refused
    });
    assert!(answered.is_empty(), "not refused:\n{answered}");
    let ordinary = lines(GUESSES).filter_map(|line| line.strip_prefix('*'));
    let ordinary = gateway.bank().statements(MODES, ordinary);
    assert!(ordinary.len() > 80);
    let refused = wrong(&ordinary, &|answer| !answer.answered);
    assert!(refused.is_empty(), "not answered:\n{refused}");
}

/// A value at a time, each in a statement or session of its own: it makes no difference, and what was asked before may be asked
/// again.
#[test]
fn guesses_of_many_statements_and_sessions_count_together() {
    let database = database();
    let mut config = Config::bank(&database)
        .all_permitted()
        .policy("25-no-guessing.cedar", NO_GUESSING);
    config = config.set(&["targets", "bank", "guesses_per_day"], 5);
    let gateway = Gateway::start(protected(config));
    let one = |number: usize| format!("SELECT id FROM vault WHERE secret = 'GUESS{number}'");
    let answered = |mode: &str, texts: &[String]| -> Vec<bool> {
        let answers = gateway
            .bank()
            .statements(mode, texts.iter().map(String::as_str));
        answers.iter().map(|answer| answer.answered).collect()
    };
    let three = answered("simple", &[one(1), one(2), one(3)]);
    assert_eq!(three, [true; 3]);
    // In another session two more, and none beyond; but those that were asked already, and what is no guess.
    let more = [one(1), one(4), one(5), one(6), one(2)];
    assert_eq!(answered("binary", &more), [true, true, true, false, true]);
    let others = [
        "SELECT count(secret) FROM vault WHERE id = 1".to_owned(),
        "INSERT INTO vault (id, secret) VALUES (77, 'GUESS7')".to_owned(),
        "SELECT id FROM vault WHERE secret IN ('GUESS1', 'GUESS2')".to_owned(),
        "EXPLAIN SELECT id FROM vault WHERE secret = 'GUESS8'".to_owned(),
    ];
    assert_eq!(answered("simple", &others), [true, false, false, false]);
    // A prepared statement guesses anew with each parameter.
    let prepared = gateway
        .bank()
        .psql("PREPARE p AS SELECT id FROM vault WHERE secret = $1; EXECUTE p('GUESS9')");
    assert!(
        prepared.stderr.contains("guesses_per_day") && prepared.stderr.contains("no-guessing"),
        "{prepared:?}"
    );
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let told = |event: &&&serde_json::Value| {
        let message = event["denial"]["message"].as_str().unwrap();
        message.contains("more than 5 protected values")
    };
    let refused = ledger.events("refused");
    assert_eq!(refused.iter().filter(told).count(), 5, "{refused:?}");
}
