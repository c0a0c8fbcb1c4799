//! From spans to masked text.

use crate::fold;

/// What replaces a character.
pub(crate) const MASK: u8 = b'*';

/// A stretch of text to hide. Positions are bytes, counted from wherever the caller counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Hide every character; otherwise separators stay as they are.
    pub(crate) all: bool,
    /// What is shown in its place; stars, if another span reaches beyond it.
    pub(crate) put: Option<Box<[u8]>>,
    /// What stands for its characters.
    pub(crate) fill: Fill,
}

/// What stands for a hidden character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    Stars,
    /// In base64 or hexadecimal what is both: who decodes it finds zeros, or no text.
    Letters,
}

impl Fill {
    fn of(self, byte: u8) -> u8 {
        match self {
            Self::Letters if byte == b'=' => byte,
            Self::Letters => b'A',
            Self::Stars => MASK,
        }
    }
}

impl Span {
    /// Everything from `start` to `end` becomes stars.
    pub(crate) fn stars(start: u64, end: u64) -> Self {
        Self {
            start,
            end,
            all: true,
            put: None,
            fill: Fill::Stars,
        }
    }
}

/// Appends `text`, whose first byte is at `base`, with what `spans` (sorted by start) cover hidden.
///
/// Spans may overlap and may reach beyond the text at either side.
pub(crate) fn render(text: &[u8], base: u64, spans: &mut [Span], out: &mut Vec<u8>) {
    rendered(text, base, spans, false, out);
}

/// The same, with as many stars as a hidden character has bytes, so that every byte keeps its place.
pub(crate) fn render_in_place(text: &[u8], base: u64, spans: &mut [Span], out: &mut Vec<u8>) {
    rendered(text, base, spans, true, out);
}

fn rendered(text: &[u8], base: u64, spans: &mut [Span], in_place: bool, out: &mut Vec<u8>) {
    if text.is_ascii() && spans.iter().all(|span| span.put.is_none()) {
        return in_ascii(text, base, spans, out);
    }
    out.reserve(text.len());
    let end = base + text.len() as u64;
    let mut pos = base;
    let mut spans = spans;
    while let Some(first) = spans.first().filter(|first| first.start < end) {
        if first.start < base && first.put.is_some() {
            // What is shown in its place was, with the part of the text where it begins.
            pos = first.end.clamp(pos, end);
            spans = spans.split_at_mut(1).1;
            continue;
        }
        let (start, (count, reach)) = (first.start, together(spans));
        let (now, later) = spans.split_at_mut(count);
        let from = start.clamp(pos, end);
        let to = reach.clamp(pos, end);
        out.extend_from_slice(part(text, base, pos, from));
        let whole = |span: &&Span| span.start == start && span.end == reach;
        match now
            .iter()
            .filter(whole)
            .find_map(|span| span.put.as_deref())
        {
            Some(put) => out.extend_from_slice(put),
            None => {
                now.iter_mut().for_each(|span| span.put = None);
                hide(part(text, base, from, to), from, now, in_place, out);
            }
        }
        pos = to;
        spans = later;
    }
    out.extend_from_slice(part(text, base, pos, end));
}

/// The usual case: each character is a byte, and so is each star.
fn in_ascii(text: &[u8], base: u64, spans: &[Span], out: &mut Vec<u8>) {
    let from = out.len();
    out.extend_from_slice(text);
    let written = out.get_mut(from..).unwrap_or_default();
    let place = |pos: u64| usize::try_from(pos.saturating_sub(base)).unwrap_or(usize::MAX);
    let end = written.len();
    // How far those that have begun reach, any of them and those that take all: what overlaps is written over once.
    let (mut any, mut all) = (0, 0);
    for span in spans {
        let done = if span.all { all } else { any };
        let (from, to) = (place(span.start).max(done), place(span.end).min(end));
        let hidden = written.get_mut(from..to).unwrap_or_default();
        any = any.max(to);
        if span.all {
            all = all.max(to);
            match span.fill {
                Fill::Stars => hidden.fill(MASK),
                fill @ Fill::Letters => hidden.iter_mut().for_each(|it| *it = fill.of(*it)),
            }
            continue;
        }
        for byte in hidden {
            *byte = HIDDEN.get(usize::from(*byte)).copied().unwrap_or(MASK);
        }
    }
}

/// What each byte becomes where separators stay.
const HIDDEN: [u8; 256] = hidden();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
#[expect(clippy::cast_possible_truncation, reason = "there are 256")]
const fn hidden() -> [u8; 256] {
    let mut hidden = [MASK; 256];
    let mut byte = 0;
    while byte < 256 {
        if !(byte as u8).is_ascii_alphanumeric() {
            hidden[byte] = byte as u8;
        }
        byte += 1;
    }
    hidden
}

/// How many of the first spans overlap one another, and how far they reach.
fn together(spans: &[Span]) -> (usize, u64) {
    let mut reach = 0;
    let mut count = 0;
    for span in spans {
        if count > 0 && span.start >= reach {
            break;
        }
        reach = reach.max(span.end);
        count += 1;
    }
    (count, reach)
}

fn hide(mut text: &[u8], mut pos: u64, spans: &[Span], in_place: bool, out: &mut Vec<u8>) {
    let mut spans = spans.iter().peekable();
    // How far those that have begun reach: any of them, and those that take all.
    let (mut any, mut all) = (0, 0);
    let mut fill = Fill::Stars;
    while !text.is_empty() {
        let (significant, seen, len) = fold::visible(text);
        let (char, rest) = text.split_at(len.min(text.len()));
        while let Some(span) = spans.next_if(|span| span.start <= pos) {
            any = any.max(span.end);
            all = if span.all { all.max(span.end) } else { all };
            fill = span.fill;
        }
        // A significant character goes if any span covers it, a separator only if a span takes all.
        if seen && pos < if significant { any } else { all } {
            let width = if in_place { char.len() } else { 1 };
            let byte = char.first().copied().unwrap_or(MASK);
            out.resize(out.len() + width, fill.of(byte));
        } else {
            out.extend_from_slice(char);
        }
        pos += len as u64;
        text = rest;
    }
}

fn part(text: &[u8], base: u64, from: u64, to: u64) -> &[u8] {
    let index = |pos: u64| usize::try_from(pos - base).unwrap_or(usize::MAX);
    text.get(index(from)..index(to)).unwrap_or_default()
}
