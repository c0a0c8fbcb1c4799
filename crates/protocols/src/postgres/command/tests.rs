//! What is understood by the form of another text is what is understood of the text itself.

use std::sync::Arc;

use bytes::Bytes;
use model::DataClass;
use sql::postgres::{
    Catalog, Column, Concealed, Declaration, Handle, Outline, Relation, RelationKind, STACK_BYTES,
};

use super::{Analyses, Behind, Handles, Known, Understood};
use crate::postgres::catalog::{Loaded, Types};
use crate::postgres::settings::Settings;

const TRICKS: &str = include_str!("../../../../../tests/leak/tricks.sql");
const GUESSES: &str = include_str!("../../../../../tests/leak/guesses.sql");

/// More, of which the values decide something, or look as if they did.
const MORE: &[&str] = &[
    "SELECT secret FROM vault WHERE id = 4711",
    "SELECT id, secret FROM vault WHERE secret = 'QWZX' AND id = 7 LIMIT 10",
    "SELECT id FROM vault WHERE secret IN ('a', 'b', 'c') AND kind = 'a'",
    "SELECT id FROM vault WHERE secret IN ('1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17')",
    "SELECT 'QWZX' AS a, id FROM vault WHERE secret = 'QWZX'",
    "SELECT id FROM vault WHERE secret = 'vault' AND word = \"QWZX\"",
    "INSERT INTO vault (id, secret, kind) VALUES (1, 'QWZX', 'a'), (2, 'VWXY', 'b')",
    "INSERT INTO plain VALUES (1, 'QWZX', 5) RETURNING *",
    "INSERT INTO vault VALUES (1, 'a', 'QWZX') ON CONFLICT (id) DO UPDATE SET secret = 'VWXY'",
    "UPDATE vault SET secret = 'QWZX', code = code + -5 WHERE id = 7 RETURNING secret",
    "UPDATE plain SET word = 'QWZX' FROM vault WHERE vault.id = 7 AND plain.id = -7",
    "UPDATE pg_settings SET setting = 'off' WHERE name = 'row_security'",
    "DELETE FROM vault WHERE secret < 'M' AND paid BETWEEN 1.5 AND 7000000000",
    "WITH x AS (SELECT secret FROM vault WHERE id = 1) SELECT * FROM x WHERE secret = 'a' ORDER BY 1",
    "SELECT doc ->> 'pin', doc -> 1, doc - 'pin' FROM vault WHERE id = 1",
    "SELECT json_build_object('a', secret) FROM vault WHERE id = 1",
    "SELECT set_config('standard_conforming_strings', 'on', false) FROM plain WHERE id = 1",
    "SELECT query_to_xml('SELECT secret FROM vault', true, true, '') FROM plain WHERE word = 'vault'",
    "SELECT a FROM (SELECT secret FROM vault WHERE id = 1 LIMIT 5) x(a) WHERE a = '1'::text OR a = date '2026-01-01'",
    "SELECT secret FROM vault WHERE id = 1 GROUP BY 1 HAVING count(*) > 5",
    "SELECT secret FROM vault WHERE id = 1 ORDER BY 2, 1",
    "SELECT secret FROM vault WHERE kind = ANY ('{a,b,c}') AND id = 1",
    "SELECT secret FROM vault WHERE (id, kind) = (1, 'a') AND code = 5",
    "SELECT secret FROM vault WHERE secret = 'a' COLLATE \"C\" AND id = 1 ;",
    "  SELECT nothing FROM nowhere WHERE secret = 'QWZX' AND id = 12 ; ",
    "SELECT 1 WHERE id = ; 'x'",
    "BEGIN; UPDATE vault SET secret = 'QWZX' WHERE id = 1; COMMIT",
    "PREPARE p AS SELECT secret FROM vault WHERE id = 1",
    "EXECUTE p(1)",
    "COPY (SELECT secret FROM vault WHERE id = 1) TO STDOUT",
];

const STRINGS: &[&str] = &[
    "",
    "x",
    "yy",
    "QWZX",
    "VWXY",
    "vault",
    "secret",
    "O''Brien",
    "''",
    "123-45-6789",
    "4111111111111111",
    "someone@example.com",
    "é",
    "--",
    "/* x",
    "$$",
    "off",
    "role",
    "{1,2}",
    "{a,b,c,d}",
    "1",
    "a\\b",
    "a\nb",
    "SELECT secret FROM vault WHERE secret = ''QWZX''",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "7",
    "22",
    "4711",
    "2147483647",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "1.5",
    "4111111111111111",
    "1e400",
    "0x1F",
    "007",
];

struct NoHandles;

impl Handles for NoHandles {
    fn find(&self, _: &Handle) -> Option<Behind> {
        None
    }
}

fn settings(declared: &[(&str, &str, DataClass)]) -> Settings {
    let mut settings = Settings::new("bank", "bank");
    for (table, column, class) in declared {
        settings.declared.push(Declaration {
            schema: "public".into(),
            table: (*table).into(),
            column: (*column).into(),
            class: class.clone(),
            path: None,
        });
    }
    settings
}

fn known(settings: &Settings) -> Arc<Known> {
    let mut catalog = Catalog::builder();
    for (oid, name, columns) in [
        (
            1,
            "vault",
            "id kind secret code paid born uid blob tags doc",
        ),
        (2, "plain", "id word number doc"),
        (3, "sure", "id word number day"),
        (4, "events", "message"),
    ] {
        let column = |(index, name): (usize, &str)| Column {
            number: i16::try_from(index + 1).unwrap(),
            name: name.into(),
            type_oid: 25,
            modifier: -1,
            generated: false,
        };
        catalog.add(Relation {
            oid,
            schema: "public".into(),
            name: name.into(),
            kind: RelationKind::Table,
            columns: columns.split(' ').enumerate().map(column).collect(),
            definition: None,
            toast: 0,
        });
    }
    let loaded = Loaded {
        catalog: Arc::new(catalog.build()),
        types: Types::built_in(),
        digest: 0,
        own_temporary: None,
    };
    Arc::new(Known::new(loaded, &settings.declared, &settings.trusted))
}

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn of<'a>(&mut self, values: &[&'a str]) -> &'a str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        values[usize::try_from(self.0 % values.len() as u64).unwrap()]
    }
}

/// The text with other values in place of some of what looks like literals.
fn varied(text: &str, dice: &mut Dice) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '\'' || c.is_ascii_digit()) {
        let (before, literal) = rest.split_at(at);
        out.push_str(before);
        let is_string = literal.starts_with('\'');
        let end = if is_string {
            literal[1..].find('\'').map_or(literal.len(), |end| end + 2)
        } else {
            let other = literal.find(|c: char| !c.is_ascii_digit());
            other.unwrap_or(literal.len())
        };
        let keep = dice.of(&["keep", "vary", "vary"]) == "keep";
        match (is_string, keep) {
            (_, true) => out.push_str(&literal[..end]),
            (true, _) => out.push_str(&format!("'{}'", dice.of(STRINGS))),
            (false, _) => out.push_str(dice.of(NUMBERS)),
        }
        rest = &literal[end..];
    }
    out + rest
}

/// All that an analysis holds; of what is to be hidden what comes of it, since what it is made of is in no order.
fn told(understood: &Understood, settings: &Settings, known: &Known, other: &Known) -> String {
    let text = std::str::from_utf8(&understood.text).unwrap();
    let hidden = |concealed: &Concealed| (concealed.hidden(text), concealed.parameters.clone());
    let statements: Vec<_> = understood.pieces.iter().map(|it| &it.statement).collect();
    let parsed: Vec<_> = understood.parsed.iter().collect();
    let statement = |statement: &&Arc<sql::postgres::Statement>| {
        let concealed = [
            hidden(&statement.conceal(&known.catalog, &known.protected)),
            hidden(&statement.conceal(&other.catalog, &other.protected)),
            hidden(&statement.conceal_all()),
        ];
        let mut bare = sql::postgres::Statement::clone(statement);
        bare.literals = None;
        bare.inner = None;
        format!("{bare:?} {concealed:?}")
    };
    let pieces: Vec<_> = understood
        .pieces
        .iter()
        .map(|it| (&it.resolved, &it.copies, it.stale, it.evaluates))
        .collect();
    let distrusted = understood.distrusted(settings, known);
    let distrusted = (
        &distrusted.shown,
        &distrusted.held,
        &distrusted.echo,
        &distrusted.asks,
    );
    format!(
        "{:?} {:?} {:?} {:?} {:?} {pieces:?} {:?} {:?} {:?} {:?} {:?} {distrusted:?}",
        understood.text,
        understood.shown,
        understood.held,
        understood.echo,
        understood.tag,
        understood.asks,
        understood.prepare,
        understood.own,
        statements.iter().map(statement).collect::<Vec<_>>(),
        parsed.iter().map(statement).collect::<Vec<_>>(),
    )
}

fn statements() -> Vec<&'static str> {
    let lines = TRICKS.lines().chain(GUESSES.lines());
    let lines = lines.filter(|line| !line.starts_with("--"));
    let lines = lines.map(|line| line.trim_start_matches(['!', '*', ' ']));
    let tricks = lines.flat_map(|line| line.split(";;").flat_map(|it| it.split("@@")));
    MORE.iter()
        .copied()
        .chain(tricks.filter(|it| !it.trim().is_empty()))
        .collect()
}

fn on_big_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_text_is_understood_by_another_as_by_itself() {
    on_big_stack(|| {
        let secret = ("vault", "secret", DataClass::GENERIC_SECRET);
        let more = [
            secret.clone(),
            ("vault", "id", DataClass::PAN),
            ("vault", "code", DataClass::PAN),
            ("plain", "word", DataClass::US_SSN),
        ];
        let mut dice = Dice(4711);
        let mut filled = 0;
        for declared in [&[][..], &[secret][..], &more] {
            let settings = settings(declared);
            let known = known(&settings);
            let other = self::known(&self::settings(&more));
            let cached = Analyses::new(64 << 20);
            for statement in statements() {
                for _ in 0..4 {
                    let text = Bytes::from(varied(statement, &mut dice));
                    let utf8 = std::str::from_utf8(&text).unwrap();
                    let outline = Outline::of(utf8);
                    let form = outline.and_then(|it| cached.form(utf8, &it, &known));
                    let itself = Analyses::new(0).understand(&text, &settings, &known, &NoHandles);
                    let by = cached.understand(&text, &settings, &known, &NoHandles);
                    match (itself, by) {
                        (Ok(itself), Ok(by)) => {
                            filled += usize::from(form.is_some());
                            let told = |it| told(it, &settings, &known, &other);
                            assert_eq!(told(&by), told(&itself), "{utf8}");
                        }
                        (itself, by) => {
                            assert_eq!(by.map(drop), itself.map(drop), "{utf8}");
                            assert!(form.is_none(), "{utf8}");
                        }
                    }
                }
            }
        }
        assert!(filled > 500, "{filled}");
    });
}

#[test]
fn what_is_kept_is_of_one_catalog() {
    on_big_stack(|| {
        let settings = settings(&[("vault", "secret", DataClass::GENERIC_SECRET)]);
        let (before, after) = (known(&settings), known(&settings));
        let cached = Analyses::new(1 << 20);
        let text = |id: u32| Bytes::from(format!("SELECT secret FROM vault WHERE id = {id}"));
        let understand = |id, known| {
            cached
                .understand(&text(id), &settings, known, &NoHandles)
                .unwrap()
        };
        let first = understand(1, &before);
        assert!(Arc::ptr_eq(&understand(22, &before).asks, &first.asks));
        let later = understand(333, &after);
        assert!(!Arc::ptr_eq(&later.asks, &first.asks));
        assert!(Arc::ptr_eq(&understand(4444, &after).asks, &later.asks));
        // The old catalog is not come back to.
        assert!(!Arc::ptr_eq(&understand(55555, &before).asks, &first.asks));
    });
}

#[test]
fn what_is_kept_has_an_end() {
    on_big_stack(|| {
        let settings = settings(&[]);
        let known = known(&settings);
        let cached = Analyses::new(1 << 20);
        for number in 0..2_000 {
            let text = Bytes::from(format!("SELECT word{number} FROM plain WHERE id = 1"));
            cached
                .understand(&text, &settings, &known, &NoHandles)
                .unwrap();
            assert!(cached.len() < 400, "{}", cached.len());
        }
    });
}

/// `cargo nextest run -p protocols --run-ignored all -E 'test(cost_of)' --no-capture`
#[test]
#[ignore = "measures time"]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "measures time"
)]
fn cost_of_a_new_text() {
    on_big_stack(|| {
        let settings = settings(&[("vault", "secret", DataClass::US_SSN)]);
        let known = known(&settings);
        for column in ["kind", "secret"] {
            for bytes in [0, 64 << 20] {
                let cached = Analyses::new(bytes);
                let start = std::time::Instant::now();
                for number in 0..20_000 {
                    let text = format!("SELECT {column} FROM vault WHERE id = {number};");
                    let cached = if bytes == 0 {
                        &Analyses::new(0)
                    } else {
                        &cached
                    };
                    cached
                        .understand(&text.into(), &settings, &known, &NoHandles)
                        .unwrap();
                }
                eprintln!(
                    "{column}, {bytes} bytes: {:?} each",
                    start.elapsed() / 20_000
                );
            }
        }
    });
}
