use std::sync::Arc;

use mask::{Findings, Masker, MaskerConfig};
use model::DataClass;
use proptest::prelude::*;

use super::super::super::objects::{Declared, Form, Name};
use super::super::{Hider, Unreadable};

fn declared(separator: u8) -> Declared {
    let header = true;
    of(
        Form::Csv { separator, header },
        &[("ssn", DataClass::US_SSN)],
    )
}

fn of(form: Form, names: &[(&str, DataClass)]) -> Declared {
    let name = |(name, class): &(&str, DataClass)| (Name::read(name, form).unwrap(), class.clone());
    Declared {
        bucket: "b".to_owned(),
        prefix: String::new(),
        content_type: None,
        tags: [].into(),
        form,
        names: names.iter().map(name).collect(),
    }
}

fn hidden(separator: u8, pieces: &[&[u8]]) -> (String, u64) {
    hidden_in(&declared(separator), pieces)
}

fn hidden_in(declared: &Declared, pieces: &[&[u8]]) -> (String, u64) {
    read(declared, pieces).unwrap()
}

fn read(declared: &Declared, pieces: &[&[u8]]) -> Result<(String, u64), Unreadable> {
    let masker = Arc::new(Masker::new(MaskerConfig::default()));
    let mut hider = Hider::of_object(declared, &masker).unwrap();
    let (mut out, mut findings) = (Vec::new(), Findings::counting());
    for piece in pieces {
        hider.push(piece, &mut out, &mut findings)?;
    }
    hider.finish(&mut out, &mut findings)?;
    let count = findings.facts().iter().map(|fact| fact.count).sum();
    Ok((String::from_utf8(out).unwrap(), count))
}

#[track_caller]
fn check(text: &str, expect: &str, count: u64) {
    let whole = hidden(b',', &[text.as_bytes()]);
    assert_eq!(whole, (expect.to_owned(), count));
    for cut in 0..text.len() {
        let (one, other) = text.as_bytes().split_at(cut);
        assert_eq!(hidden(b',', &[one, other]), whole, "cut at {cut}");
    }
}

#[test]
fn columns_are_hidden_by_their_name() {
    check(
        "id,ssn,city\n1,ab,x\n2,\"c,d\",y\n3,,z",
        "id,ssn,city\n1,**,x\n2,\"***\",y\n3,,z",
        2,
    );
    check(
        "\u{feff}\"ssn\" , id\r\nab,1\r\nü,2\r\n\r\n",
        "\u{feff}\"ssn\" , id\r\n**,1\r\n**,2\r\n\r\n",
        2,
    );
    check("id, SSN\n1,ab\n", "id, SSN\n1,**\n", 1);
    check("", "", 0);
    let form = Form::Csv {
        separator: b',',
        header: true,
    };
    let quoted = of(form, &[("Full, \"Name\"", DataClass::EMAIL)]);
    assert_eq!(
        hidden_in(
            &quoted,
            &[b"id,\"Full, \"\"Name\"\"\"\n1,\"A\nB \"\"C\"\"\"\n"]
        ),
        ("id,\"Full, \"\"Name\"\"\"\n1,\"*********\"\n".to_owned(), 1)
    );
}

/// What is declared is somewhere in it all the same, and nobody knows where.
#[test]
fn what_is_not_as_declared_is_not_shown() {
    let form = Form::Csv {
        separator: b',',
        header: true,
    };
    let both = of(
        form,
        &[("ssn", DataClass::US_SSN), ("code", DataClass::EMAIL)],
    );
    let rows = "id,ssn,code\n1,x,XK-11\n";
    assert!(read(&both, &[rows.as_bytes()]).is_ok());
    for odd in [
        format!("Report 2026\n{rows}"),
        format!("sep=,\n{rows}"),
        format!("# made by x\n{rows}"),
        rows.replace(',', ";"),
        rows.replace(',', "\t"),
        rows.replace('\n', "\r"),
        rows.replace("code\n", "kode\n"),
        "id,ssn\n1,x\n".to_owned(),
        "1,x,XK-11\n".to_owned(),
        "{\"id\":1,\"code\":\"XK-11\"}\n".to_owned(),
        "id,5\" size,ssn,code\n1,2,x,XK-11\n".to_owned(),
        "id,\"s\"x,ssn,code\n1,2,x,XK-11\n".to_owned(),
        format!("{},{rows}", "x".repeat(70_000)),
    ] {
        assert_eq!(read(&both, &[odd.as_bytes()]), Err(Unreadable), "{odd:.40}");
    }
}

/// Only a quote at the start of a field opens one (RFC 4180 section 2).
#[test]
fn rows_with_quotes_where_none_may_stand_are_hidden_whole() {
    check(
        "id,note,ssn\n1,5\" pipe,XK-11\n2,6\" pipe,XK-22\n3,\"5\"\" pipe\",XK\n",
        "id,note,ssn\n*,*******,*****\n*,*******,*****\n3,\"5\"\" pipe\",**\n",
        7,
    );
    check("id,ssn\n\"1\"x,2\n3,4\n", "id,ssn\n****,*\n3,*\n", 3);
    // After a blank line the columns may be others.
    check(
        "id,ssn\n1,2\n\nssn,id\n3,4\n",
        "id,ssn\n1,*\n\n***,**\n*,*\n",
        5,
    );
}

#[test]
fn a_header_may_stand_below_blank_lines() {
    check("\r\n\nid,ssn\n1,ab\n", "\r\n\nid,ssn\n1,**\n", 1);
}

#[test]
fn without_a_header_columns_are_hidden_by_their_number() {
    let form = Form::Csv {
        separator: b',',
        header: false,
    };
    let declared = of(form, &[("2", DataClass::US_SSN), ("4", DataClass::EMAIL)]);
    let check = |text: &str, expect: &str, count| {
        for cut in 0..text.len() {
            let (one, other) = text.as_bytes().split_at(cut);
            let hidden = hidden_in(&declared, &[one, other]);
            assert_eq!(hidden, (expect.to_owned(), count), "cut at {cut}");
        }
    };
    check(
        "1,ab,c,\"d,e\"\n\n2,,f,g\n",
        "1,**,c,\"***\"\n\n2,,f,*\n",
        3,
    );
    // A row that is too short, or unlike the first, could hold them anywhere; so could all after a first one that is.
    check(
        "1,2,3,4\n1,2,3\n5,6,7,8,9\n",
        "1,*,3,*\n*,*,*\n*,*,*,*,*\n",
        10,
    );
    check("1,2\n1,2,3,4\n", "*,*\n*,*,*,*\n", 6);
}

/// An odd number of fields could have moved the column anywhere.
#[test]
fn rows_that_do_not_fit_the_header_are_hidden_whole() {
    check("id,ssn\n1,2,3\n4\n5,6\n", "id,ssn\n*,*,*\n*\n5,*\n", 5);
    // A quote that never ends makes one row of the rest.
    check("id,ssn\n1,\"2\n3,4\n", "id,ssn\n1,******\n", 1);
}

#[test]
fn other_separators_do() {
    assert_eq!(hidden(b';', &[b"id;ssn\n1;a,b\n"]).0, "id;ssn\n1;***\n");
    assert_eq!(
        hidden(b'\t', &[b"ssn\tid\na b\t1\n"]).0,
        "ssn\tid\n***\t1\n"
    );
}

#[test]
fn a_row_without_end_is_not_shown() {
    let masker = Arc::new(Masker::new(MaskerConfig::default()));
    let mut hider = Hider::of_object(&declared(b','), &masker).unwrap();
    let (mut out, mut findings) = (Vec::new(), Findings::counting());
    hider.push(b"ssn\n", &mut out, &mut findings).unwrap();
    let piece = vec![b'x'; 1 << 20];
    hider.push(&piece, &mut out, &mut findings).unwrap();
    assert!(hider.push(b"x", &mut out, &mut findings).is_err());
    assert_eq!(out, b"ssn\n");
}

proptest! {
    /// Whatever stands in the column, nothing of it is left; and the length stays.
    #[test]
    fn nothing_of_a_column_is_left(values in proptest::collection::vec("[a-z\",\n ü]{0,8}", 0..6), cut in 0_usize..80) {
        let field = |value: &String| format!("\"{}\"", value.replace('"', "\"\""));
        let rows: String = values.iter().map(|value| format!("{},7\n", field(value))).collect();
        let text = format!("ssn,n\n{rows}");
        let (one, other) = text.as_bytes().split_at(cut.min(text.len()));
        let (out, _) = hidden(b',', &[one, other]);
        prop_assert_eq!(out.len(), text.len());
        let body = out.strip_prefix("ssn,n\n").unwrap();
        prop_assert!(body.chars().all(|c| "\"*,7\n".contains(c)), "{}", out);
        prop_assert_eq!(body.matches(",7\n").count(), values.len());
    }
}
