use super::*;
use crate::postgres::wire::{Report, server};

fn report(kind: u8, fields: &[(u8, &str)]) -> Frame {
    let bytes = write::one(kind, |out| {
        for (code, text) in fields {
            out.put_u8(*code);
            write::cstr(out, text.as_bytes());
        }
        out.put_u8(0);
    });
    Frame::of(bytes).unwrap()
}

/// What is shown of a report, field by field.
fn shown(statement: &str, fields: &[(u8, &str)]) -> Vec<(u8, String)> {
    shown_where(&known(), statement, fields)
}

fn shown_where(known: &Arc<Known>, statement: &str, fields: &[(u8, &str)]) -> Vec<(u8, String)> {
    shown_of(known, statement, false, fields)
}

fn shown_of(
    known: &Arc<Known>,
    statement: &str,
    computes: bool,
    fields: &[(u8, &str)],
) -> Vec<(u8, String)> {
    let masks = settings().masks(&BTreeSet::new());
    let reports = Reports {
        masks: &masks,
        known,
        statement: statement.as_bytes(),
        computes,
    };
    let frame = report(server::ERROR, fields);
    let masked = reports.mask(&frame, &mut Findings::counting()).unwrap();
    let shown = Frame::of(masked.unwrap_or(frame.whole)).unwrap();
    let fields = Report::read(&shown).unwrap().fields.into_iter();
    fields
        .map(|(code, text)| (code, String::from_utf8(text.to_vec()).unwrap()))
        .collect()
}

fn same(fields: &[(u8, &str)]) -> Vec<(u8, String)> {
    fields
        .iter()
        .map(|(code, text)| (*code, (*text).to_owned()))
        .collect()
}

/// What is shown of a report about a statement that computes.
fn said(fields: &[(u8, &str)]) -> String {
    let statement = "SELECT id FROM customers WHERE f(ssn)::regclass = 7::oid -- abcd";
    let all = shown_of(&known(), statement, true, fields);
    let told = all.into_iter().filter(|(code, _)| b"MDHW".contains(code));
    told.map(|(_, text)| text).collect::<Vec<_>>().join("|")
}

/// Of what is computed any word may be a value, and any number.
#[test]
fn what_is_said_of_computed_values_is_withheld() {
    for (state, message) in [
        ("22P02", "invalid input syntax for type integer: \"abcd\""),
        ("22008", "date field value out of range: 81-87-90"),
        ("2202E", "index 81 out of valid range, 0..0"),
        (
            "22023",
            "TIMESTAMP(81) precision reduced to maximum allowed, 6",
        ),
        (
            "01000",
            "TIMESTAMP(81) precision reduced to maximum allowed, 6",
        ),
        (
            "22021",
            "invalid byte sequence for encoding \"UTF8\": 0xf0 0x57",
        ),
        ("XX000", "unsupported object class 81"),
        (
            "42601",
            "improper relation name (too many dotted names): a.b.c.d",
        ),
        ("42P01", "relation \"id\" does not exist"),
    ] {
        let text = said(&[(b'C', state), (b'M', message), (b'D', "81"), (b'H', "x")]);
        assert!(text.starts_with("(withheld: "), "{text}");
        assert!(text.ends_with(")|(withheld)|(withheld)"), "{text}");
    }
    for (state, message, expected) in [
        (
            "53400",
            "too much of it: a.b.c.qwzx",
            "too much of it: (withheld)",
        ),
        ("55P03", "lock 81 is held", "lock ** is held"),
        (
            "57014",
            "canceling statement due to user request",
            "canceling statement due to user request",
        ),
    ] {
        assert_eq!(said(&[(b'C', state), (b'M', message)]), expected);
    }
}

#[test]
fn names_and_words_in_what_is_said_of_computed_values() {
    // A statement may hold every word that a value could be: the same in a comment proves nothing.
    for state in ["34000", "26000"] {
        let text = said(&[(b'C', state), (b'M', "cursor \"abcd\" does not exist")]);
        assert_eq!(text, "cursor \"****\" does not exist");
    }
    for state in ["3F000", "3D000"] {
        let text = said(&[(b'C', state), (b'M', "schema \"abcd\" does not exist")]);
        assert!(text.starts_with("(withheld: "), "{text}");
    }
    // Digits in names of objects are none of values.
    for (index, shows) in [("customers_length_idx1", true), ("other1", false)] {
        let message = format!("could not create unique index \"{index}\"");
        let fields = [
            (b'C', "23505"),
            (b'M', &*message),
            (b'n', "customers_length_idx1"),
        ];
        assert_eq!(said(&fields) == message, shows);
    }
    // Words at the end are looked for up to a number.
    for (words, shows) in [(100, true), (101, false)] {
        let message = format!("too much of it: {}", "abcd ".repeat(words));
        let text = said(&[(b'C', "53400"), (b'M', &message)]);
        assert_eq!(text == message, shows, "{text}");
    }
    // What has a place in the statement was said of the statement.
    for (state, message) in [
        ("42703", "column \"id\" does not exist"),
        ("42883", "operator does not exist: oid = regclass"),
    ] {
        assert_eq!(
            said(&[(b'C', state), (b'M', message), (b'P', "8")]),
            message
        );
    }
    // The server's own work is shown to nobody.
    let log = [
        (b'V', "LOG"),
        (b'C', "00000"),
        (b'D', "constvalue 4 [ 88 0 0 0 ]"),
    ];
    let all = super::report::shown_where(&known(), "SELECT 1", &log);
    assert_eq!(all.last().unwrap().1, "(withheld)");
}

/// What says no more than its SQLSTATE does, and words of the client's own statement.
#[test]
fn words_that_hold_nothing_are_shown() {
    let range = [(b'C', "22003"), (b'M', "bigint out of range"), (b'D', "81")];
    assert_eq!(said(&range), "bigint out of range|(withheld)");
    let option = [
        (b'C', "42601"),
        (b'M', "unrecognized EXPLAIN option \"generic_plan\""),
    ];
    assert_eq!(
        shown("EXPLAIN (GENERIC_PLAN) SELECT 1", &option),
        same(&option)
    );
    let other = shown("EXPLAIN (GENERIC) SELECT 1", &option);
    assert_eq!(other[1].1, "unrecognized EXPLAIN option \"************\"");
    let advice = [
        (b'C', "22008"),
        (b'H', "Perhaps you need a different \"datestyle\" setting."),
    ];
    assert_eq!(shown("SELECT 1", &advice), same(&advice));
    let debug = [(b'V', "DEBUG1"), (b'C', "00000"), (b'M', "parse tree:")];
    let all = shown("SHOW x", &debug);
    assert!(all[2].1.contains("of its own work"), "{all:?}");
    assert!(!all[2].1.contains("computes"), "{all:?}");
}

#[test]
fn names_are_shown() {
    for (statement, fields) in [
        (
            "SELECT * FROM nowhere",
            &[
                (b'S', "ERROR"),
                (b'C', "42P01"),
                (b'M', "relation \"nowhere\" does not exist"),
                (b'P', "15"),
            ][..],
        ),
        ("x", &[(b'M', "permission denied for table customers")]),
        (
            "SELECT id, count(*) FROM customers k",
            &[
                (
                    b'M',
                    "column \"customers.id\" must appear in the GROUP BY clause",
                ),
                (
                    b'H',
                    "Perhaps you meant to reference the column \"k.name\".",
                ),
            ],
        ),
        (
            "x",
            &[
                (
                    b'M',
                    "null value in column \"name\" of relation \"customers\" violates not-null constraint",
                ),
                (b's', "public"),
                (b't', "customers"),
                (b'c', "name"),
            ],
        ),
        (
            "x",
            &[
                (b'M', "function \"public.customers\" is odd"),
                (b'n', "customers_ssn_key"),
            ],
        ),
    ] {
        assert_eq!(shown(statement, fields), same(fields), "{fields:?}");
    }
    // Of another's statement, or a column that nothing has, nobody knows that it is one.
    for text in ["column \"z.name\" is odd", "column \"customers.x\" is odd"] {
        assert!(shown("SELECT 1 FROM customers k", &[(b'M', text)]) != same(&[(b'M', text)]));
    }
}

#[test]
fn the_objects_that_an_error_names_are_shown_in_its_message() {
    let message = "duplicate key value violates unique constraint \"customers_ssn_key\"";
    let fields = [
        (b'M', message),
        (b't', "customers"),
        (b'n', "customers_ssn_key"),
    ];
    assert_eq!(shown("INSERT \u{2026}", &fields), same(&fields));
}

#[test]
fn values_of_keys_and_rows_are_hidden() {
    let detail = |text| {
        shown("INSERT …", &[(b'C', "23505"), (b'D', text)])[1]
            .1
            .clone()
    };
    let key = detail("Key (ssn)=(abc def) already exists.");
    assert!(!key.contains("abc") && key.contains("Key (ssn)"), "{key}");
    let row = detail("Failing row contains (1, Ann Example, hello).");
    assert!(!row.contains("Ann") && !row.contains("hello"), "{row}");
    let card = detail(&format!("Key (pan)=({PAN}) already exists."));
    assert!(!card.contains(PAN), "{card}");
}

#[test]
fn values_in_quotes_are_hidden() {
    let message = shown(
        "SELECT x::int",
        &[(
            b'M',
            "invalid input syntax for type integer: \"secret-word\"",
        )],
    );
    assert!(!message[0].1.contains("secret"), "{message:?}");
    let context = shown(
        "COPY …",
        &[(b'W', "COPY customers, line 3, column ssn: \"hello\"")],
    );
    assert!(!context[0].1.contains("hello"), "{context:?}");
}

#[test]
fn a_statement_that_the_server_ran_by_itself_is_withheld() {
    let query = "SELECT 1 WHERE ssn = 'hello'";
    let fields = [(b'M', "oops"), (b'p', "3"), (b'q', query), (b'L', "7")];
    assert_eq!(
        shown("SELECT f()", &fields),
        same(&[(b'M', "oops"), (b'L', "7")])
    );
    assert_eq!(shown(&format!("EXPLAIN {query}"), &fields), same(&fields));
}

#[test]
fn raise_cannot_put_values_where_names_stand() {
    let fields = [
        (b'M', "oops"),
        (b'c', "ann example"),
        (b't', "536221234"),
        (b'd', "ann@example.com"),
        (b'n', "a_1"),
    ];
    assert_eq!(
        shown("SELECT f()", &fields),
        same(&[(b'M', "oops"), (b'n', "a_1")])
    );
}

/// What code of the database says is withheld, whatever its language, unless the client wrote it.
#[test]
fn what_is_raised_is_withheld() {
    let context = "PL/pgSQL function f() line 3 at RAISE";
    for (routine, withheld) in [
        ("exec_stmt_raise", "MDH"),
        ("exec_stmt_assert", "MDH"),
        ("PLy_output", "MDHW"),
        ("plperl_util_elog", "MDHW"),
        ("throw_tcl_error", "MDHW"),
        ("ExecConstraints", ""),
    ] {
        let fields = [
            (b'M', "her name is Ann"),
            (b'D', "Ann it is"),
            (b'H', "ask Ann"),
            (b'W', context),
            (b'R', routine),
        ];
        let expected: Vec<_> = same(&fields)
            .into_iter()
            .map(|(code, text)| match withheld.contains(char::from(code)) {
                true => (code, "(withheld)".to_owned()),
                false => (code, text),
            })
            .collect();
        assert_eq!(shown("SELECT f()", &fields), expected, "{routine}");
    }
    let own = [(b'M', "hello there"), (b'R', "exec_stmt_raise")];
    let statement = "DO $$ BEGIN RAISE NOTICE 'hello there'; END $$";
    assert_eq!(shown(statement, &own), same(&own));
}

#[test]
fn without_declared_columns_only_detectors_look() {
    let known = Known::new(loaded(Arc::new(Catalog::default())), &[], &[]);
    let known = Arc::new(known);
    let fields = [
        (b'M', "invalid: \"word\""),
        (b'D', "Failing row contains (1, x)."),
        (b'q', "SELECT 1"),
    ];
    assert_eq!(shown_where(&known, "", &fields), same(&fields));
    let card = shown_where(&known, "", &[(b'D', PAN), (b'X', PAN), (b't', PAN)]);
    assert!(
        card.iter().all(|(_, text)| text == "************1111"),
        "{card:?}"
    );
}

#[test]
fn notifications_and_parameters_are_read() {
    let masks = settings().masks(&BTreeSet::new());
    let mut findings = Findings::counting();
    let notification = |payload: &str| {
        Frame::of(write::one(server::NOTIFICATION, |out| {
            out.put_u32(7);
            write::cstr(out, b"news");
            write::cstr(out, payload.as_bytes());
        }))
        .unwrap()
    };
    let nothing_declared = Arc::new(Known::new(loaded(Arc::clone(&known().catalog)), &[], &[]));
    let mut shown = |known: &Arc<Known>, own: Option<&[u8]>, payload: &str| {
        let frame = notification(payload);
        mask_notification(&frame, &masks, known, own, &mut findings).unwrap()
    };
    assert_eq!(shown(&nothing_declared, None, "hello"), None);
    let masked = shown(&nothing_declared, None, PAN);
    assert_eq!(masked, Some(notification("************1111").whole));
    // Where columns are declared, a trigger may have sent whatever it likes.
    let withheld = Some(notification("").whole);
    let own = Some(&b"NOTIFY news, 'hello'"[..]);
    assert_eq!(shown(&known(), None, "hello"), withheld);
    assert_eq!(shown(&known(), None, ""), None);
    assert_eq!(shown(&known(), own, "hello"), None);
    assert_eq!(shown(&known(), own, "other"), withheld);
    let row = |name: &str, ssn: &str, born: &str| {
        format!(
            r#"{{"id":1,"name":"{name}","ssn":{ssn},"born":{born},"mails":[],"photo":null,"area":null}}"#
        )
    };
    assert_eq!(
        shown(
            &known(),
            None,
            &row("Ann", r#""536-22-1234""#, r#""1985-03-03""#)
        ),
        Some(notification(&row("Ann", r#""***-**-1234""#, r#""**********""#)).whole)
    );
    for other in [
        r#"{"id":1,"amount":2}"#,
        r#"{"id":1}"#,
        r#"{"ssn":"see notes"}"#,
        "[1]",
        "536221234",
    ] {
        assert_eq!(shown(&known(), None, other), withheld, "{other}");
    }
    let parameter = |value: &str| {
        let mut out = bytes::BytesMut::new();
        write::parameter_status(&mut out, b"application_name", value.as_bytes());
        Frame::of(out.freeze()).unwrap()
    };
    assert_eq!(
        mask_parameter_status(&parameter("psql"), &masks, false, &mut findings).unwrap(),
        None
    );
    let masked = mask_parameter_status(&parameter(PAN), &masks, false, &mut findings).unwrap();
    assert_eq!(masked, Some(parameter("************1111").whole));
    let broken = Frame::of(write::bare(server::NOTIFICATION)).unwrap();
    assert!(mask_notification(&broken, &masks, &known(), None, &mut findings).is_err());
}
