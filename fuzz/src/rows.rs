//! What a client is shown of an answer: rows, COPY data, errors and notices.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use bytes::{BufMut, Bytes, BytesMut};
use mask::Findings;
use protocols::postgres::catalog::{Loaded, Types};
use protocols::postgres::known::Known;
use protocols::postgres::rows::{
    CopyPlan, Reports, RowError, RowPlan, Shown, mask_notification, mask_parameter_status,
};
use protocols::postgres::settings::{Masks, Settings};
use protocols::postgres::wire::{CopyBegin, Field, Format, Frame, Framer, Reader, server, write};
use sql::postgres::{Resolved, Statement, parse, resolve};

use crate::mask::has_overlong_mail;
use crate::on_big_stack;
use crate::pieces::{headed, pieces};
use crate::sql::{CUSTOMERS, catalog, declared};

/// The most columns of an input.
const COLUMNS_MAX: usize = 8;

static KNOWN: LazyLock<Arc<Known>> = LazyLock::new(|| {
    on_big_stack(|| {
        let loaded = Loaded {
            catalog: Arc::new(catalog()),
            types: Types::built_in(),
            digest: 0,
            own_temporary: None,
        };
        Arc::new(Known::new(loaded, &declared(), &[]))
    })
});

static MASKS: LazyLock<Masks> = LazyLock::new(|| {
    let settings = Settings {
        declared: declared(),
        ..Settings::new("bank", "bank")
    };
    settings.masks(&BTreeSet::new())
});

fn resolved(text: &str) -> (Statement, Resolved) {
    on_big_stack(|| {
        let analysis = parse(text).expect("our own statement");
        let statement = analysis.statements[0].clone();
        let resolved = resolve(&statement, &KNOWN.catalog, &KNOWN.protected);
        (statement, resolved)
    })
}

/// A column by its letter: name in `customers`, attribute, type. In capitals its values come in binary.
fn column(letter: u8) -> Option<(&'static str, i16, u32)> {
    Some(match letter.to_ascii_lowercase() {
        b's' => ("ssn", 3, 25),
        b'm' => ("mails", 5, 1009),
        b'd' => ("born", 4, 1082),
        plain => {
            let kind = match plain {
                b't' => 25,
                b'i' => 20,
                b'k' => 23,
                b'j' => 114,
                b'b' => 3802,
                b'a' => 1009,
                b'o' => 1016,
                b'r' => 2249,
                b'y' => 17,
                b'n' => 1700,
                b'f' => 701,
                b'g' => 3926,
                b'u' => 2950,
                b'x' => 99_999,
                _ => return None,
            };
            ("name", 0, kind)
        }
    })
}

struct Answer {
    fields: Vec<Field>,
    resolved: Resolved,
    /// No column is declared to hold anything.
    scanned: bool,
}

fn answer(letters: &[u8]) -> Option<Answer> {
    if letters.is_empty() || letters.len() > COLUMNS_MAX {
        return None;
    }
    let columns: Vec<_> = letters
        .iter()
        .map(|letter| column(*letter))
        .collect::<Option<_>>()?;
    let names: Vec<_> = columns.iter().map(|(name, ..)| *name).collect();
    let field = |(letter, (name, attribute, kind)): (&u8, &(&str, i16, u32))| Field {
        name: Bytes::copy_from_slice(name.as_bytes()),
        relation: if *attribute == 0 { 0 } else { CUSTOMERS },
        attribute: *attribute,
        kind: *kind,
        format: if letter.is_ascii_uppercase() {
            Format::Binary
        } else {
            Format::Text
        },
    };
    let (_, resolved) = resolved(&format!(
        "SELECT {} FROM public.customers",
        names.join(", ")
    ));
    Some(Answer {
        fields: letters.iter().zip(&columns).map(field).collect(),
        scanned: columns.iter().all(|(_, attribute, _)| *attribute == 0),
        resolved,
    })
}

impl Answer {
    fn plan(&self) -> Option<(RowPlan, Findings)> {
        let mut findings = Findings::counting();
        let plan = RowPlan::new(
            &self.fields,
            &self.resolved,
            &KNOWN,
            &MASKS,
            None,
            &mut findings,
        );
        plan.ok().map(|plan| (plan, findings))
    }
}

/// DataRow messages: for `#` the rest as they stand, otherwise a row for each line, its values between bars.
fn messages(columns: usize, rest: &[u8]) -> BytesMut {
    if let Some(raw) = rest.strip_prefix(b"#") {
        return BytesMut::from(raw);
    }
    let mut out = BytesMut::new();
    for line in rest.split(|byte| *byte == b'\n') {
        write::message(&mut out, server::DATA_ROW, |out| {
            out.put_i16(columns as i16);
            let mut values = line.split(|byte| *byte == b'|');
            for _ in 0..columns {
                match values.next() {
                    None => out.put_i32(-1),
                    Some(value) => {
                        out.put_i32(value.len() as i32);
                        out.put_slice(value);
                    }
                }
            }
        });
    }
    out
}

/// One row after the other.
fn each(answer: &Answer, run: &Bytes) -> Option<(Result<(), RowError>, Vec<u8>)> {
    let (mut plan, mut findings) = answer.plan()?;
    let (mut framer, mut out) = (Framer::messages(usize::MAX), Vec::new());
    framer.push(run.clone());
    while let Ok(Some(frame)) = framer.next() {
        let before = out.len();
        match plan.row(&frame, &mut out, &mut findings) {
            Ok(Shown::Untouched) => out.extend_from_slice(&frame.whole),
            Ok(Shown::Rewritten) => {}
            Err(error) => return Some((Err(error), out)),
        }
        let shown =
            Frame::of(Bytes::copy_from_slice(&out[before..])).expect("one message is shown");
        // A plan that masks nothing passes rows unread.
        if !plan.is_clear() {
            well_formed(&shown, answer.fields.len());
        }
    }
    Some((Ok(()), out))
}

fn well_formed(row: &Frame, columns: usize) {
    let mut reader = Reader::new(&row.body);
    assert_eq!((row.kind, reader.count()), (server::DATA_ROW, Ok(columns)));
    for _ in 0..columns {
        assert!(reader.value().is_ok());
    }
    assert_eq!(reader.end(), Ok(()));
}

/// Input: a line of letters for the columns, then rows. See [`column`] and [`messages`].
pub(crate) fn rows(data: &[u8]) {
    let end = memchr::memchr(b'\n', data).unwrap_or(data.len());
    let (letters, rest) = data.split_at(end);
    let Some(answer) = answer(letters) else {
        return;
    };
    let messages = messages(answer.fields.len(), rest.get(1..).unwrap_or_default()).freeze();
    let mut framer = Framer::messages(1 << 20);
    framer.push(messages);
    let Ok(Some(run)) = framer.next_run(server::DATA_ROW) else {
        return;
    };
    let Some((mut plan, mut findings)) = answer.plan() else {
        return;
    };
    let mut out = Vec::new();
    let together = plan.run(&run.whole, &mut out, &mut findings);
    if together == Ok(Shown::Untouched) {
        out = run.whole.to_vec();
    }
    let Some((one_by_one, shown)) = each(&answer, &run.whole) else {
        panic!("the plan was made a moment ago");
    };
    assert_eq!(together.clone().map(|_| ()), one_by_one);
    assert!(out == shown, "together and one by one differ");
    if together.is_ok() && answer.scanned && !has_overlong_mail(&run.whole) {
        let (again, twice) = each(&answer, &Bytes::from(out.clone())).expect("as before");
        assert_eq!(again, Ok(()));
        assert!(
            twice == out,
            "{:?} holds more to find",
            String::from_utf8_lossy(&out)
        );
    }
}

const COPIES: [&str; 6] = [
    "COPY public.customers TO STDOUT",
    "COPY public.customers TO STDOUT (FORMAT csv, HEADER)",
    "COPY public.customers TO STDOUT (FORMAT binary)",
    "COPY public.customers (id, ssn) TO STDOUT (DELIMITER '|', NULL 'x')",
    "COPY (SELECT name, mails FROM public.v) TO STDOUT (FORMAT csv, QUOTE '''')",
    "COPY (SELECT 1, 'x') TO STDOUT (FORMAT binary)",
];
const COPY_COLUMNS: [usize; 6] = [6, 6, 6, 2, 2, 2];

static COPY: LazyLock<Vec<(Statement, Resolved)>> =
    LazyLock::new(|| COPIES.iter().map(|text| resolved(text)).collect());

/// Input: how to cut, which COPY, its data.
pub(crate) fn copy(data: &[u8]) {
    let (seed, data) = headed(data);
    let (which, data) = headed(data);
    let which = usize::from(which) % COPIES.len();
    let binary = COPIES[which].contains("binary");
    let format = if binary { Format::Binary } else { Format::Text };
    let columns = vec![format; COPY_COLUMNS[which]];
    let begin = CopyBegin { format, columns };
    let whole = copied(which, &begin, &[data]);
    let cut = copied(which, &begin, &pieces(seed, data));
    if whole.is_some() || cut.is_some() {
        assert!(whole == cut, "another result for another split");
    }
    let together = copied_together(which, &begin, &pieces(seed, data));
    assert!(together == cut, "together and one by one differ");
}

fn copy_data(piece: &[u8]) -> Bytes {
    write::one(server::COPY_DATA, |out| out.put_slice(piece))
}

/// What messages of COPY data hold.
fn bodies(messages: Bytes) -> Vec<u8> {
    let mut framer = Framer::messages(usize::MAX);
    framer.push(messages);
    let mut all = Vec::new();
    while let Some(frame) = framer.next().expect("messages are shown") {
        assert_eq!(frame.kind, server::COPY_DATA);
        all.extend_from_slice(&frame.body);
    }
    assert!(framer.is_empty());
    all
}

/// What is shown of all messages as one stretch, where all may be.
fn copied_together(which: usize, begin: &CopyBegin, pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let (statement, resolved) = &COPY[which];
    let mut findings = Findings::counting();
    let plan = CopyPlan::new(begin, statement, resolved, &KNOWN, &MASKS, &mut findings);
    let mut plan = plan.ok()?;
    let run = Bytes::from(
        pieces
            .iter()
            .copied()
            .map(copy_data)
            .collect::<Vec<_>>()
            .concat(),
    );
    let mut out = Vec::new();
    let shown = match plan.run(&run, &mut out, &mut findings).ok()? {
        Shown::Untouched => run,
        Shown::Rewritten => Bytes::from(out),
    };
    plan.finish().ok().map(|()| bodies(shown))
}

/// What is shown, where all may be.
fn copied(which: usize, begin: &CopyBegin, pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let (statement, resolved) = &COPY[which];
    let mut findings = Findings::counting();
    let plan = CopyPlan::new(begin, statement, resolved, &KNOWN, &MASKS, &mut findings);
    let mut plan = plan.ok()?;
    let mut shown = Vec::new();
    for piece in pieces {
        let frame = Frame::of(copy_data(piece)).expect("one message");
        let mut out = Vec::new();
        let message = match plan.data(&frame, &mut out, &mut findings).ok()? {
            Shown::Untouched => frame.whole,
            Shown::Rewritten => Bytes::from(out),
        };
        shown.extend(bodies(message));
    }
    plan.finish().ok().map(|()| shown)
}

/// The body of an error, a notice, a notification, a setting.
pub(crate) fn report(data: &[u8]) {
    let (kind, body) = headed(data);
    let kind = if kind & 1 == 0 {
        server::ERROR
    } else {
        server::NOTICE
    };
    let frame = Frame::of(write::one(kind, |out| out.put_slice(body))).expect("one message");
    let reports = Reports {
        masks: &MASKS,
        known: &KNOWN,
        statement: b"SELECT name, ssn FROM public.customers WHERE name = 'Ann'",
        computes: headed(data).1.len().is_multiple_of(2),
    };
    let mut findings = Findings::counting();
    if let Ok(Some(shown)) = reports.mask(&frame, &mut findings) {
        let shown = Frame::of(shown).expect("one message is shown");
        assert_eq!(shown.kind, kind);
        let again = reports.mask(&shown, &mut findings).expect("it can be read");
        if !has_overlong_mail(body) {
            assert!(
                again.is_none_or(|again| again == shown.whole),
                "it holds more to hide"
            );
        }
    }
    let shown = [
        mask_notification(&frame, &MASKS, &KNOWN, None, &mut findings),
        mask_parameter_status(&frame, &MASKS, false, &mut findings),
    ];
    for shown in shown.into_iter().flatten().flatten() {
        assert!(Frame::of(shown).is_ok(), "one message is shown");
    }
}
