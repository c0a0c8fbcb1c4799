use super::*;
use crate::postgres::wire::{CopyBegin, server};

fn begin(format: Format, columns: usize) -> CopyBegin {
    CopyBegin {
        format,
        columns: vec![format; columns],
    }
}

struct Copying {
    plan: CopyPlan,
    findings: Findings,
}

fn copying(text: &str, begin: &CopyBegin) -> Result<Copying, RowError> {
    let known = known();
    let (statement, resolved) = resolved(text, &known);
    let masks = settings().masks(&BTreeSet::new());
    let mut findings = Findings::counting();
    let plan = CopyPlan::new(begin, &statement, &resolved, &known, &masks, &mut findings)?;
    Ok(Copying { plan, findings })
}

fn refusal(text: &str, begin: &CopyBegin) -> String {
    match copying(text, begin) {
        Err(RowError::Refused(refusal)) => refusal.denial.message,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("{text} was accepted"),
    }
}

fn copy_data(payload: &[u8]) -> Frame {
    Frame::of(write::one(server::COPY_DATA, |out| out.put_slice(payload))).unwrap()
}

impl Copying {
    /// The payload that is shown of these, each the payload of a message.
    fn show(mut self, pieces: &[&[u8]]) -> Result<Vec<u8>, RowError> {
        let mut shown = Vec::new();
        for piece in pieces {
            let frame = copy_data(piece);
            let mut out = Vec::new();
            let message = match self.plan.data(&frame, &mut out, &mut self.findings)? {
                Shown::Untouched => frame.whole,
                Shown::Rewritten if out.is_empty() => continue,
                Shown::Rewritten => out.into(),
            };
            shown.extend_from_slice(&Frame::of(message).unwrap().body);
        }
        self.plan.finish()?;
        Ok(shown)
    }
}

#[track_caller]
fn check_splits(text: &str, begin: &CopyBegin, before: &[u8], after: &[u8]) {
    for at in 0..before.len() {
        let (head, tail) = before.split_at(at);
        let shown = copying(text, begin).unwrap().show(&[head, tail]).unwrap();
        assert_eq!(
            shown.escape_ascii().to_string(),
            after.escape_ascii().to_string(),
            "split at {at}"
        );
    }
}

#[test]
fn a_table_in_text() {
    check_splits(
        "COPY customers (id, name, ssn) TO STDOUT",
        &begin(Format::Text, 3),
        b"1\tAnn\t536-22-1234\n2\t\\N\t\\N\n3\tpan 4111111111111111\tx\n",
        b"1\tAnn\t***-**-1234\n2\t\\N\t\\N\n3\tpan ************1111\t*\n",
    );
}

#[test]
fn a_table_as_csv_with_options() {
    check_splits(
        "COPY customers (name, ssn) TO STDOUT (FORMAT csv, HEADER, DELIMITER ';', NULL '-', QUOTE '''')",
        &begin(Format::Text, 2),
        b"name;ssn\n'A;B';536-22-1234\n-;-\n",
        b"name;ssn\n'A;B';***-**-1234\n-;-\n",
    );
}

#[test]
fn values_keep_their_form_in_text_too() {
    let card = format!("1\t\\\\x{}\n", hex::encode(PAN));
    let masked = format!("1\t\\\\x{}\n", hex::encode("************1111"));
    check_splits(
        "COPY customers (id, photo) TO STDOUT",
        &begin(Format::Text, 2),
        format!("{card}4111111111111111\t\\N\n").as_bytes(),
        format!("{masked}\\N\t\\N\n").as_bytes(),
    );
    check_splits(
        "COPY customers (born, mails) TO STDOUT (FORMAT csv)",
        &begin(Format::Text, 2),
        b"1970-01-02,\"{ann@example.com,x}\"\n",
        b",\"{\"\"***@example.com\"\",\"\"*\"\"}\"\n",
    );
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let message = refusal(
        "COPY (SELECT upper(ssn) FROM customers) TO STDOUT",
        &begin(Format::Text, 1),
    );
    assert!(
        message.contains("computed from protected data (public.customers.ssn)"),
        "{message}"
    );
    let message = refusal(
        "COPY (SELECT id + 1 FROM customers) TO STDOUT (FORMAT binary)",
        &begin(Format::Binary, 1),
    );
    assert!(message.contains("text format"), "{message}");
    let message = refusal(
        "COPY customers TO STDOUT (ENCODING 'LATIN1')",
        &begin(Format::Text, 6),
    );
    assert!(message.contains("ENCODING"), "{message}");
}

#[test]
fn a_row_that_does_not_fit_is_refused() {
    let copying = copying(
        "COPY customers (id, ssn) TO STDOUT",
        &begin(Format::Text, 2),
    )
    .unwrap();
    assert!(matches!(
        copying.show(&[b"1\t2\t3\n"]),
        Err(RowError::Refused(_))
    ));
}

fn binary(rows: &[&[Option<&[u8]>]]) -> Vec<u8> {
    let mut out = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for row in rows {
        out.extend_from_slice(&data_row(row)[5..]);
    }
    out.extend_from_slice(&[0xff, 0xff]);
    out
}

#[test]
fn a_table_in_binary() {
    let pan: i64 = PAN.parse().unwrap();
    let (one, card) = (1_i64.to_be_bytes(), pan.to_be_bytes());
    check_splits(
        "COPY customers (id, ssn, photo) TO STDOUT (FORMAT binary)",
        &begin(Format::Binary, 3),
        &binary(&[
            &[Some(&one), Some(SSN.as_bytes()), None],
            &[Some(&card), None, Some(PAN.as_bytes())],
        ]),
        &binary(&[
            &[Some(&one), Some(b"***-**-1234"), None],
            &[None, None, Some(b"************1111")],
        ]),
    );
}

/// Columns that come as they are keep their names and types.
#[test]
fn a_query_in_binary() {
    let pan: i64 = PAN.parse().unwrap();
    let (one, card) = (1_i64.to_be_bytes(), pan.to_be_bytes());
    for query in [
        "SELECT id, ssn FROM customers WHERE name > 'A'",
        "SELECT x.a, x.b FROM (SELECT id AS a, ssn AS b FROM customers) x",
        "WITH c AS (TABLE customers) SELECT c.id, ssn FROM c ORDER BY id",
    ] {
        check_splits(
            &format!("COPY ({query}) TO STDOUT (FORMAT binary)"),
            &begin(Format::Binary, 2),
            &binary(&[
                &[Some(&one), Some(SSN.as_bytes())],
                &[Some(&card), Some(b"ab")],
            ]),
            &binary(&[&[Some(&one), Some(b"***-**-1234")], &[None, Some(b"**")]]),
        );
    }
}

#[test]
fn binary_data_that_are_none_are_refused() {
    let text = "COPY customers (id, ssn) TO STDOUT (FORMAT binary)";
    let good = binary(&[&[None, None]]);
    for bad in [
        &b"nonsense that is no header at all"[..],
        &good[..good.len() - 3],
        &[&good[..], b"x"].concat(),
        &binary(&[&[None]]),
    ] {
        let copying = copying(text, &begin(Format::Binary, 2)).unwrap();
        assert!(
            matches!(copying.show(&[bad]), Err(RowError::Malformed(_))),
            "{}",
            bad.escape_ascii()
        );
    }
}

#[test]
fn a_table_of_harmless_types_passes_unread() {
    let copying = copying("COPY customers (born) TO STDOUT", &begin(Format::Text, 1)).unwrap();
    assert!(!copying.plan.is_clear());
    let known = Arc::new(Known::new(loaded(Arc::clone(&known().catalog)), &[], &[]));
    let (statement, resolved) = resolved("COPY customers (born) TO STDOUT", &known);
    let begin = begin(Format::Text, 1);
    let is_clear = |settings: Settings| {
        let masks = settings.masks(&BTreeSet::new());
        let mut findings = Findings::counting();
        let plan = CopyPlan::new(&begin, &statement, &resolved, &known, &masks, &mut findings);
        plan.unwrap().is_clear()
    };
    // The column's name says that its dates are birthdays.
    assert!(!is_clear(settings()));
    assert!(is_clear(Settings {
        find: [(DataClass::DATE_OF_BIRTH, false)].into(),
        ..settings()
    }));
}
