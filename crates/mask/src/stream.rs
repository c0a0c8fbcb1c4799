//! Text piece by piece, with bounded memory; the result does not depend on the pieces.

use std::sync::Arc;

use crate::config::{Strategy, Treatment};
use crate::detect::{self, Hint, Kind, LOOK_CHARS_MAX, Match};
use crate::findings::Findings;
use crate::fold::{BYTES_PER_FOLDED_MAX, Folded};
use crate::masker::Masker;
use crate::render::{self, Span};
use crate::shape;

/// Bytes of context kept before, and held back after, the part that is being masked.
pub const STREAM_HOLD_BYTES: usize = 8 * 1024;

/// Bytes masked at a time. A stream holds at most this, context on both sides, and what one push brought.
pub const STREAM_PIECE_BYTES: usize = 64 * 1024;

const _: () = assert!(LOOK_CHARS_MAX * BYTES_PER_FOLDED_MAX <= STREAM_HOLD_BYTES);

/// What became of a piece of text; the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Effect {
    #[default]
    Nothing,
    Hidden,
    Null,
    Withheld,
}

/// A part `from..to` of `text` to mask, with the context around it; `base` is where `text` stands in the whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) base: u64,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl<'a> Window<'a> {
    /// The part itself.
    pub(crate) fn part(&self) -> &'a [u8] {
        self.text.get(self.from..self.to).unwrap_or_default()
    }
}

/// What one window must tell the next.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    /// Spans that are not behind us yet, sorted by start.
    pub(crate) spans: Vec<Span>,
    found: Vec<Match>,
    /// Up to where values of each kind were counted, so that overlapping matches count once; by [`Kind::index`].
    counted: Vec<u64>,
    /// A kind that was counted already, for the whole value.
    told: Option<Kind>,
    /// Whether every byte must keep its place.
    in_place: bool,
    /// Up to where long values were hidden that may go on, by kind.
    open: [Option<(Kind, u64)>; 2],
}

impl Pass {
    pub(crate) fn new(told: Option<Kind>) -> Self {
        Self {
            told,
            ..Self::default()
        }
    }

    /// Finds what starts in the window's part. Afterwards `spans` says what to hide.
    pub(crate) fn find(
        &mut self,
        masker: &Masker,
        window: Window<'_>,
        hint: Hint,
        findings: &mut Findings,
    ) -> Effect {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let mut effect = Effect::Nothing;
        for slot in 0..self.open.len() {
            self.follow(slot, window);
        }
        if window.text.is_ascii() {
            masker.search(window.text, window.from..window.to, hint, &mut found);
            for one in &found {
                effect =
                    effect.max(self.take(masker, window, window.text, *one, |pos| pos, findings));
            }
        } else {
            let folded = Folded::of(window.text);
            masker.search(folded.text(), 0..folded.text().len(), hint, &mut found);
            for one in &found {
                let original = |pos| folded.original(pos);
                effect =
                    effect.max(self.take(masker, window, folded.text(), *one, original, findings));
            }
        }
        self.found = found;
        self.spans.sort_by_key(|span| span.start);
        effect
    }

    /// Forgets the spans that end before `pos`.
    pub(crate) fn passed(&mut self, pos: u64) {
        self.spans.retain(|span| span.end > pos);
    }

    /// Hides what a long value goes on with.
    fn follow(&mut self, slot: usize, window: Window<'_>) {
        let Some((kind, until)) = self.open.get(slot).copied().flatten() else {
            return;
        };
        let at = until
            .checked_sub(window.base)
            .and_then(|at| usize::try_from(at).ok());
        let rest = at.and_then(|at| window.text.get(at..)).unwrap_or_default();
        let run = rest
            .iter()
            .take_while(|byte| detect::secret::goes_on(kind, **byte))
            .count();
        let left = rest.get(run..).unwrap_or_default();
        let line = detect::secret::last_line_of(kind, left);
        let end = until + (run + line) as u64;
        self.spans.push(Span::stars(until, end));
        if let Some(slot) = self.open.get_mut(slot) {
            // What may be the beginning of a last line is looked at again with more text behind it.
            let goes_on = line == 0 && left.len() < detect::secret::LAST_LINE_BYTES_MAX;
            *slot = goes_on.then_some((kind, end));
        }
    }

    /// Up to where values of a kind were counted.
    fn counted(&self, kind: Kind) -> u64 {
        let counted = self.counted.get(kind.index());
        counted.copied().unwrap_or_default()
    }

    fn count(&mut self, kind: Kind, end: u64) {
        let index = kind.index();
        if self.counted.len() <= index {
            self.counted.resize(index + 1, 0);
        }
        if let Some(counted) = self.counted.get_mut(index) {
            *counted = (*counted).max(end);
        }
    }

    fn take(
        &mut self,
        masker: &Masker,
        window: Window<'_>,
        folded: &[u8],
        found: Match,
        original: impl Fn(usize) -> usize,
        findings: &mut Findings,
    ) -> Effect {
        let start = original(found.start);
        if start < window.from || start >= window.to || !masker.finds(found.kind) {
            return Effect::Nothing;
        }
        let end = original(found.end);
        let at = |pos: usize| window.base + pos as u64;
        // The digits of an account number are sometimes a card's; they are the account's.
        if found.kind == Kind::Card && at(end) <= self.counted(Kind::Iban) {
            return Effect::Nothing;
        }
        let is_new = at(start) >= self.counted(found.kind);
        self.count(found.kind, at(end));
        let is_open = found.kind.is_long() && found.end - found.start == LOOK_CHARS_MAX;
        let class = masker.class(found.kind);
        let text = window.text.get(start..end).unwrap_or_default();
        let folded = folded.get(found.start..found.end).unwrap_or_default();
        let normal = |out: &mut Vec<u8>| shape::normalise_folded(class, folded, text, out);
        let mut treatment = masker.treatment(found.kind);
        let mut put = None;
        if let Treatment::Mask(strategy) = treatment
            && strategy.replaces()
        {
            let (from, to, _) = hidden(found, strategy);
            let part = original(from) - start..original(to) - start;
            let keeps = !self.in_place || strategy == Strategy::Format && text.is_ascii();
            put = masker
                .put(strategy, class, normal, text, part)
                .filter(|_| keeps && !is_open);
            if put.is_none() {
                treatment = Treatment::Mask(Strategy::Redact);
            }
        }
        if is_new && self.told != Some(found.kind) {
            let rule = found.kind.rule();
            findings.sight(at(start), class, rule, treatment.name());
            findings.record(class, rule, treatment.name(), normal);
        }
        let Treatment::Mask(strategy) = treatment else {
            return Effect::Nothing;
        };
        let (from, to, all) = hidden(found, strategy);
        self.spans.push(Span {
            start: at(original(from)),
            end: at(original(to)),
            all,
            put,
        });
        if is_open {
            let slot = usize::from(found.kind == Kind::Jwt);
            if let Some(open) = self.open.get_mut(slot) {
                *open = Some((found.kind, at(end)));
            }
            self.follow(slot, window);
        }
        match strategy {
            Strategy::Redact | Strategy::Partial | Strategy::Hash | Strategy::Format => {
                Effect::Hidden
            }
            Strategy::Null => Effect::Null,
            Strategy::Withhold => Effect::Withheld,
        }
    }
}

/// What a strategy hides of a match, and whether separators go too.
fn hidden(found: Match, strategy: Strategy) -> (usize, usize, bool) {
    if !matches!(strategy, Strategy::Partial | Strategy::Format) {
        return (found.start, found.end, true);
    }
    match found.kind {
        Kind::Card | Kind::Ssn | Kind::Itin | Kind::Account => (found.start, found.shown, false),
        Kind::Own(_) if found.shown < found.end => (found.start, found.shown, false),
        Kind::Token => (found.shown, found.end, true),
        Kind::Iban => (found.start + 2, found.shown, false),
        Kind::Email => (found.start, found.shown, true),
        Kind::Routing | Kind::Ein | Kind::Phone | Kind::Birth => (found.start, found.end, false),
        _ => (found.start, found.end, true),
    }
}

/// `pos` or, if it lies within a character of UTF-8, where that character begins.
pub(crate) fn char_start(text: &[u8], pos: usize) -> usize {
    let is_start = |pos: &usize| text.get(*pos).is_none_or(|byte| byte & 0xC0 != 0x80);
    (pos.saturating_sub(3)..=pos)
        .rev()
        .find(is_start)
        .unwrap_or(pos)
}

/// Text masked piece by piece. Made by [`Masker::stream`].
///
/// [`Stream::finish`] must be called: the last [`STREAM_HOLD_BYTES`] come only then. A stream has no NULL and cannot
/// take back what it gave, so [`Strategy::Null`] and [`Strategy::Withhold`] redact the value that was found.
#[derive(Debug)]
pub struct Stream {
    masker: Arc<Masker>,
    hint: Hint,
    pass: Pass,
    /// Context, then what is not masked yet.
    text: Vec<u8>,
    /// Where the unmasked part begins in `text`.
    from: usize,
    /// Where `text` stands in the whole.
    base: u64,
}

impl Stream {
    pub(crate) fn new(masker: Arc<Masker>, hint: Hint) -> Self {
        Self {
            masker,
            hint,
            pass: Pass::default(),
            text: Vec::new(),
            from: 0,
            base: 0,
        }
    }

    /// The same stream, in which every byte keeps its place: what hides a character is as many bytes long.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.pass.in_place = true;
        self
    }

    /// Takes the next piece and appends to `out` what is ready.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>, findings: &mut Findings) {
        for piece in piece.chunks(STREAM_PIECE_BYTES) {
            self.text.extend_from_slice(piece);
            while self.text.len() - self.from >= STREAM_PIECE_BYTES + STREAM_HOLD_BYTES {
                self.mask_to(
                    char_start(&self.text, self.from + STREAM_PIECE_BYTES),
                    out,
                    findings,
                );
            }
        }
    }

    /// The text is complete: appends the rest to `out`.
    pub fn finish(mut self, out: &mut Vec<u8>, findings: &mut Findings) {
        self.mask_to(self.text.len(), out, findings);
    }

    fn mask_to(&mut self, to: usize, out: &mut Vec<u8>, findings: &mut Findings) {
        let end = self.text.len().min(to + STREAM_HOLD_BYTES);
        let text = self.text.get(..end).unwrap_or_default();
        let window = Window {
            text,
            base: self.base,
            from: self.from,
            to,
        };
        self.pass.find(&self.masker, window, self.hint, findings);
        let render = if self.pass.in_place {
            render::render_in_place
        } else {
            render::render
        };
        render(
            window.part(),
            self.base + self.from as u64,
            &mut self.pass.spans,
            out,
        );
        self.pass.passed(self.base + to as u64);
        let done = to.saturating_sub(STREAM_HOLD_BYTES);
        self.text.drain(..done);
        self.base += done as u64;
        self.from = to - done;
    }
}
