//! Text within text: what stands in base64, hexadecimal, percent-encoding, character references or escapes, and is text
//! once decoded, is searched too.
//!
//! Decoding is local as detection is: how a stretch reads depends on the few bytes around it, never on where a run of
//! base64 began, for all its alignments are tried. What decodes to no text (digests, identifiers, pictures) is nothing.

mod alphabet;
mod base64;
mod hex;
mod rows;
mod runs;
mod stretch;
mod units;
mod way;

use std::ops::Range;

use crate::bits::{BLOCK_BYTES, padded};
use crate::config::{Strategy, Treatment};
use crate::detect::{Hint, Kind, LOOK_CHARS_MAX, Match, provider};
use crate::fold::Folded;
use crate::masker::Masker;
use crate::pass::{Window, hidden};

pub(crate) use runs::{Row, rows as long_rows};
use way::Layer;

/// So deep encodings within one another are followed.
const DEPTH_MAX: usize = 2;

/// The shortest text worth a look once it is decoded: an SSN with its dashes.
const TEXT_BYTES_MIN: usize = 11;

/// What a value too long to be judged whole goes on with, as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// A run of base64 or hexadecimal.
    Run,
    /// Characters of which some are written as units.
    Units,
}

impl Carrier {
    /// Whether a long value goes on with this byte.
    pub(crate) fn goes_on(self, byte: u8) -> bool {
        match self {
            Self::Run => alphabet::is_part(byte) || matches!(byte, b'=' | b'\n' | b'\r' | b'\\'),
            Self::Units => {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'%' | b'+' | b'/' | b'=' | b'-' | b'_' | b'.' | b'\\')
            }
        }
    }
}

/// A value found in encoded text; positions are those of the window.
#[derive(Debug)]
pub(crate) struct Hit {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What is hidden of it, and whether separators go too.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) all: bool,
    /// How it is hidden where its class is.
    pub(crate) strategy: Strategy,
    /// The value, decoded.
    pub(crate) value: Vec<u8>,
    /// What carries it where it stands.
    pub(crate) carrier: Carrier,
    /// What carries it, if it goes on beyond its end.
    pub(crate) open: Option<Carrier>,
}

/// Whether a short text may hold anything encoded; `units` if something may be written as units. Cheaper than a search; may
/// say so too often.
pub(crate) fn may_hold(text: &[u8], units: bool) -> bool {
    runs::may_hold(text) || units && units::may_hold(text)
}

/// Finds the values that start in the window's part, in order. `rows` become the long rows that touch it, or begin close behind.
pub(crate) fn find(
    masker: &Masker,
    window: Window<'_>,
    hint: Hint,
    rows: &mut Vec<Row>,
    hits: &mut Vec<Hit>,
) {
    let to = window.to + provider::BEFORE_ROW;
    rows.clear();
    if window.text.len() >= runs::CHARS_MIN as usize {
        // A short text is copied once, not at each look.
        let short = (window.text.len() < BLOCK_BYTES).then(|| padded(window.text));
        let text = short
            .as_ref()
            .map_or(window.text, <[_; BLOCK_BYTES]>::as_slice);
        rows.extend(runs::near(text, window.from, to.min(text.len())));
    }
    let search = Search {
        masker,
        hint,
        part: window.from..window.to,
        layers: &[],
    };
    search.each(window.text, rows.iter().copied(), hits);
    hits.retain(|hit| (window.from..window.to).contains(&hit.start));
    hits.sort_by_key(|hit| (hit.start, hit.end));
}

/// A search in text that is decoded so far.
struct Search<'a> {
    masker: &'a Masker,
    hint: Hint,
    /// Where values must begin.
    part: Range<usize>,
    /// The outermost first.
    layers: &'a [&'a Layer],
}

impl Search<'_> {
    /// Looks for what is encoded in the text.
    fn each(&self, text: &[u8], rows: impl Iterator<Item = Row>, hits: &mut Vec<Hit>) {
        let Range {
            start: from,
            end: to,
        } = self.part;
        runs::each(text, from, to, rows, |layer| {
            self.within(text, &layer, hits);
        });
        units::each(text, from, to, |layer| self.within(text, &layer, hits));
    }

    /// Looks into text that was decoded from `around`, and for what is encoded in it in turn.
    fn within(&self, around: &[u8], layer: &Layer, hits: &mut Vec<Hit>) {
        let layers: Vec<&Layer> = self.layers.iter().copied().chain([layer]).collect();
        // The column's name speaks of the whole value.
        let is_whole = layer.covers(around.len());
        let hint = if self.hint.tells_all() && !is_whole {
            Hint::NONE
        } else {
            self.hint
        };
        let inner = Search {
            masker: self.masker,
            hint,
            part: layer.part(&self.part),
            layers: &layers,
        };
        if inner.part.is_empty() {
            return;
        }
        let end = layer.text.len().min(inner.part.end + provider::BEFORE_ROW);
        let rows: Vec<Row> = runs::near(&layer.text, inner.part.start, end).collect();
        inner.judge(layer, &rows, hits);
        if layers.len() < DEPTH_MAX {
            inner.each(&layer.text, rows.into_iter(), hits);
        }
    }

    /// Looks for values in the innermost layer.
    fn judge(&self, layer: &Layer, rows: &[Row], hits: &mut Vec<Hit>) {
        let mut found = Vec::new();
        let text = &layer.text;
        if text.is_ascii() {
            let part = self.part.clone();
            self.masker
                .search(text, part, self.hint, Some(rows), &mut found);
            hits.extend(
                found
                    .iter()
                    .filter_map(|one| self.hit(layer, *one, |pos| pos)),
            );
        } else {
            let folded = Folded::of(text);
            let all = 0..folded.text().len();
            self.masker
                .search(folded.text(), all, self.hint, None, &mut found);
            let original = |pos| folded.original(pos);
            hits.extend(
                found
                    .iter()
                    .filter_map(|one| self.hit(layer, *one, original)),
            );
        }
    }

    fn hit(&self, layer: &Layer, found: Match, original: impl Fn(usize) -> usize) -> Option<Hit> {
        let sought = self.masker.sought(found.kind);
        if !sought.sought {
            return None;
        }
        let is_run = |layer: &&&Layer| layer.carrier == Carrier::Run;
        let whole = self.layers.iter().any(|layer| is_run(&layer));
        let strategy = match sought.treatment {
            Treatment::Mask(strategy) if !whole && !strategy.replaces() => strategy,
            _ => Strategy::Redact,
        };
        let (from, to, all) = hidden(found, strategy);
        let value = original(found.start)..original(found.end);
        let mut range = value.clone();
        let mut part = original(from)..original(to);
        for layer in self.layers.iter().rev() {
            if !layer.concerns(range.start) {
                return None;
            }
            range = layer.way.range(range);
            part = layer.way.range(part);
        }
        let is_open = found.kind.is_long() && found.end - found.start == LOOK_CHARS_MAX;
        Some(Hit {
            kind: found.kind,
            start: range.start,
            end: range.end,
            from: part.start,
            to: part.end,
            all: all || range.len() != value.len(),
            strategy,
            value: layer.text.get(value)?.to_vec(),
            carrier: self.layers.first()?.carrier,
            open: self.layers.first().filter(|_| is_open).map(|it| it.carrier),
        })
    }
}

#[cfg(test)]
mod tests;
