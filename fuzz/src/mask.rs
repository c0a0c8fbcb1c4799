//! Free text, streams of it, and COPY data.

use std::sync::Arc;

use ::model::DataClass;
use mask::{
    ColumnPlan, CopyError, CopyFormat, CopyMasker, CopyPlan, CsvFormat, Findings, Hint, Masker,
    MaskerConfig, Outcome, Strategy, TextFormat,
};

use crate::pieces::{headed, pieces};

fn masker(redact: bool) -> Arc<Masker> {
    let strategy = if redact {
        Strategy::Redact
    } else {
        Strategy::Partial
    };
    let classes = DataClass::FOUND;
    let strategies = classes.map(|class| (class, strategy)).into();
    Arc::new(Masker::new(MaskerConfig {
        strategies,
        ..MaskerConfig::default()
    }))
}

/// Of a local part longer than any can be, only the end is hidden; what is left is judged anew.
pub(crate) fn has_overlong_mail(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.split(' ')
        .any(|word| word.contains('@') && word.chars().count() > 64)
}

fn shown(masker: &Masker, hint: Hint, text: &[u8], findings: &mut Findings) -> Vec<u8> {
    let mut out = Vec::new();
    match masker.mask_text(hint, text, &mut out, findings) {
        Outcome::Clean => text.to_vec(),
        Outcome::Masked => out,
        other => panic!("no strategy here gives {other:?}"),
    }
}

/// The result does not depend on how the text comes, keeps its length, and holds nothing more to find.
pub(crate) fn text(data: &[u8]) {
    let (seed, text) = headed(data);
    let masker = masker(seed & 0x40 != 0);
    let mut findings = Findings::counting();
    let once = shown(&masker, Hint::NONE, text, &mut findings);

    let mut stream = masker.stream(Hint::NONE);
    let (mut streamed, mut counted) = (Vec::new(), Findings::counting());
    for piece in pieces(seed, text) {
        stream.push(piece, &mut streamed, &mut counted);
    }
    stream.finish(&mut streamed, &mut counted);
    assert!(streamed == once, "a stream shows something else");
    assert_eq!(
        counted.facts(),
        findings.facts(),
        "a stream counts something else"
    );

    if let (Ok(before), Ok(after)) = (std::str::from_utf8(text), std::str::from_utf8(&once)) {
        assert_eq!(before.chars().count(), after.chars().count());
    }
    for class in [DataClass::US_SSN, DataClass::PAN, DataClass::EMAIL] {
        let _ = masker.mask_declared(&class, text, &mut Vec::new(), &mut findings);
    }
    let _ = shown(
        &masker,
        Hint::column("card_number ssn routing"),
        text,
        &mut findings,
    );
    if !has_overlong_mail(text) {
        let mut left = Findings::counting();
        let twice = shown(&masker, Hint::NONE, &once, &mut left);
        assert!(
            twice == once,
            "{:?} holds more: {:?}",
            String::from_utf8_lossy(&once),
            left.facts()
        );
    }
}

type Masked = (Result<(), CopyError>, Vec<u8>, Findings);

fn copied(plan: &CopyPlan, pieces: &[&[u8]]) -> Masked {
    let mut findings = Findings::counting();
    let mut copy = CopyMasker::new(masker(false), plan.clone(), &mut findings);
    let mut out = Vec::new();
    for piece in pieces {
        if let Err(error) = copy.push(piece, &mut out, &mut findings) {
            return (Err(error), out, findings);
        }
    }
    (copy.finish(), out, findings)
}

fn copy_plan(shape: u8) -> CopyPlan {
    const CSV: u8 = 0x20;
    let column = |index: u8| {
        let plan = match (shape >> (2 * index)) & 3 {
            0 | 1 => ColumnPlan::Scan(Hint::NONE),
            2 => ColumnPlan::Withhold,
            _ => ColumnPlan::Clear,
        };
        (format!("c{index}"), plan)
    };
    let odd = shape & 0x80 != 0;
    let format = if shape & CSV == 0 {
        CopyFormat::Text(TextFormat {
            delimiter: if odd { b'|' } else { b'\t' },
            ..TextFormat::default()
        })
    } else {
        CopyFormat::Csv(CsvFormat {
            escape: if odd { b'\\' } else { b'"' },
            ..CsvFormat::default()
        })
    };
    CopyPlan {
        format,
        header: shape & 0x40 != 0,
        columns: (0..=shape % 2).map(column).collect(),
    }
}

pub(crate) fn copy(data: &[u8]) {
    let (seed, data) = headed(data);
    let (shape, data) = headed(data);
    let plan = copy_plan(shape);
    let (whole, out, findings) = copied(&plan, &[data]);
    let (cut, cut_out, cut_findings) = copied(&plan, &pieces(seed, data));
    assert_eq!(whole, cut, "another verdict for another split");
    if whole.is_err() {
        return;
    }
    assert!(out == cut_out, "another result for another split");
    assert_eq!(findings.facts(), cut_findings.facts());
    if !has_overlong_mail(data) && scans_alone(&plan) {
        let (again, twice, _) = copied(&plan, &[&out]);
        assert!(again.is_ok(), "what is shown is COPY data still");
        assert!(
            twice == out,
            "{:?} holds more to find",
            String::from_utf8_lossy(&out)
        );
    }
}

fn scans_alone(plan: &CopyPlan) -> bool {
    let mut columns = plan.columns.iter();
    columns.all(|(_, plan)| *plan == ColumnPlan::Scan(Hint::NONE))
}
