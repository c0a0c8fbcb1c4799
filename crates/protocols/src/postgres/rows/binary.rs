//! Values in binary that hold others: arrays (`array_send`), rows (`record_send`), ranges (`range_send`).

use std::ops::Range;

use mask::{Findings, Outcome};

use super::cell::{Cells, Look, worse};
use crate::postgres::catalog::Form;

/// PostgreSQL's own limit (`MAXDIM`).
const DIMENSIONS_MAX: usize = 6;

struct Bytes<'a> {
    all: &'a [u8],
    at: usize,
}

impl Bytes<'_> {
    fn i32(&mut self) -> Option<i32> {
        let bytes = self.all.get(self.at..)?.first_chunk()?;
        self.at += 4;
        Some(i32::from_be_bytes(*bytes))
    }

    fn u32(&mut self) -> Option<u32> {
        self.i32().map(i32::cast_unsigned)
    }

    /// A length and where the value stands; an empty optional for NULL.
    fn value(&mut self) -> Option<Option<Range<usize>>> {
        let length = self.i32()?;
        if length == -1 {
            return Some(None);
        }
        let end = self.at.checked_add(usize::try_from(length).ok()?)?;
        let range = self.at..end;
        self.all.get(range.clone())?;
        self.at = end;
        Some(Some(range))
    }
}

/// A value that is being rewritten part by part.
struct Rewrite<'a> {
    all: &'a [u8],
    copied: usize,
    outcome: Outcome,
    part: Vec<u8>,
}

impl<'a> Rewrite<'a> {
    fn of(all: &'a [u8]) -> Self {
        Self {
            all,
            copied: 0,
            outcome: Outcome::Clean,
            part: Vec::new(),
        }
    }

    /// Looks at the part at `range`, before which its length stands.
    fn part(
        &mut self,
        cells: &Cells,
        form: Form,
        look: Look<'_>,
        range: Range<usize>,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        self.part.clear();
        let value = self.all.get(range.clone()).unwrap_or_default();
        let outcome = cells.binary(form, look.deeper(), value, &mut self.part, findings);
        let length = match outcome {
            Outcome::Clean => return outcome,
            Outcome::Masked => i32::try_from(self.part.len()).unwrap_or(-1),
            Outcome::Null => -1,
            Outcome::Withheld => {
                self.outcome = Outcome::Withheld;
                return outcome;
            }
        };
        let before = range.start.saturating_sub(4);
        out.extend_from_slice(self.all.get(self.copied..before).unwrap_or_default());
        out.extend_from_slice(&length.to_be_bytes());
        if length >= 0 {
            out.extend_from_slice(&self.part);
        }
        self.copied = range.end;
        self.outcome = worse(self.outcome, Outcome::Masked);
        outcome
    }

    fn finish(self, start: usize, out: &mut Vec<u8>) -> Outcome {
        if self.outcome == Outcome::Masked {
            out.extend_from_slice(self.all.get(self.copied..).unwrap_or_default());
        } else {
            out.truncate(start);
        }
        self.outcome
    }
}

/// Dimensions, whether there are NULLs, the element's type; length and lower bound of each dimension; the elements.
pub(super) fn array(
    cells: &Cells,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    try_array(cells, look, value, out, findings).unwrap_or(Outcome::Withheld)
}

fn try_array(
    cells: &Cells,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Option<Outcome> {
    let start = out.len();
    let mut bytes = Bytes { all: value, at: 0 };
    let dimensions = usize::try_from(bytes.i32()?).ok()?;
    let (_, element) = (bytes.i32()?, bytes.u32()?);
    if dimensions > DIMENSIONS_MAX {
        return None;
    }
    for _ in 0..dimensions {
        bytes.at += 8;
    }
    let form = cells.form(element);
    let mut rewrite = Rewrite::of(value);
    let mut nulls = false;
    while bytes.at < value.len() {
        if let Some(range) = bytes.value()? {
            let outcome = rewrite.part(cells, form, look, range, out, findings);
            nulls |= outcome == Outcome::Null;
        }
    }
    let outcome = rewrite.finish(start, out);
    if nulls
        && outcome == Outcome::Masked
        && let Some(flags) = out.get_mut(start + 4..start + 8)
    {
        flags.copy_from_slice(&1_i32.to_be_bytes());
    }
    Some(outcome)
}

/// How many fields; type, length and value of each.
pub(super) fn record(
    cells: &Cells,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    try_record(cells, look, value, out, findings).unwrap_or(Outcome::Withheld)
}

fn try_record(
    cells: &Cells,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Option<Outcome> {
    let start = out.len();
    let mut bytes = Bytes { all: value, at: 0 };
    let count = usize::try_from(bytes.u32()?).ok()?;
    let look = look.fields(count)?;
    let mut rewrite = Rewrite::of(value);
    for index in 0..count {
        let form = cells.form(bytes.u32()?);
        if let Some(range) = bytes.value()? {
            let _ = rewrite.part(cells, form, look(index), range, out, findings);
        }
    }
    (bytes.at == value.len()).then(|| rewrite.finish(start, out))
}

/// Flags, and the bounds that there are. A range with a bound to hide is hidden whole.
pub(super) fn range(
    cells: &Cells,
    element: u32,
    look: Look<'_>,
    value: &[u8],
    findings: &mut Findings,
) -> Outcome {
    within(cells, cells.form(element), look, value, 1, findings)
}

/// How many ranges, and each.
pub(super) fn multirange(
    cells: &Cells,
    element: u32,
    look: Look<'_>,
    value: &[u8],
    findings: &mut Findings,
) -> Outcome {
    within(cells, Form::Range(element), look, value, 4, findings)
}

/// Looks at the values of a form that follow, each with its length, after `skip` bytes.
fn within(
    cells: &Cells,
    form: Form,
    look: Look<'_>,
    value: &[u8],
    skip: usize,
    findings: &mut Findings,
) -> Outcome {
    let mut bytes = Bytes {
        all: value,
        at: skip,
    };
    let mut all = Outcome::Clean;
    while bytes.at < value.len() {
        let Some(Some(range)) = bytes.value() else {
            return Outcome::Withheld;
        };
        let part = value.get(range).unwrap_or_default();
        let outcome = cells.binary(form, look.deeper(), part, &mut Vec::new(), findings);
        all = worse(all, outcome);
    }
    if all == Outcome::Masked {
        Outcome::Null
    } else {
        all
    }
}
