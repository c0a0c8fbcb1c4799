//! Finding and taking values in a window of text: which count, what is hidden of them, and where long ones go on.

use std::ops::Range;

use model::DataClass;

use crate::config::{Strategy, Treatment};
use crate::detect::{self, Hint, Kind, LOOK_CHARS_MAX, Match};
use crate::encoded::{self, Carrier, Hit, Row};
use crate::findings::Findings;
use crate::fold::Folded;
use crate::masker::Masker;
use crate::render::{Fill, Span};
use crate::shape;
use crate::work;

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
    hits: Vec<Hit>,
    rows: Vec<Row>,
    /// Up to where values of each kind were counted, so that overlapping matches count once; by [`Kind::index`].
    counted: Vec<u64>,
    /// A kind that was counted already, for the whole value.
    told: Option<Kind>,
    /// Whether every byte must keep its place.
    pub(crate) in_place: bool,
    /// Whether base64 stays base64.
    pub(crate) decodable: bool,
    /// A kind that is not looked for.
    pub(crate) spared: Option<Kind>,
    /// Up to where long values were hidden that may go on, one of each sort.
    open: Vec<(Long, u64)>,
    /// From and up to where they were hidden in this window, one of each sort: what begins within goes on to the same end.
    followed: Vec<(Long, Range<u64>)>,
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
        let mut hits = std::mem::take(&mut self.hits);
        found.clear();
        hits.clear();
        self.followed.clear();
        for (long, until) in std::mem::take(&mut self.open) {
            self.follow(long, until, window);
        }
        let mut rows = std::mem::take(&mut self.rows);
        encoded::find(masker, window, hint, &mut rows, &mut hits);
        let mut of = Taking {
            pass: self,
            masker,
            window,
            findings,
            effect: Effect::Nothing,
        };
        if window.text.is_ascii() {
            let part = window.from..window.to;
            masker.search(window.text, part, hint, Some(&rows), &mut found);
            of.all(window.text, |pos| pos, &found, &hits);
        } else {
            let folded = Folded::of(window.text);
            let text = folded.text();
            masker.search(text, 0..text.len(), hint, None, &mut found);
            of.all(text, |pos| folded.original(pos), &found, &hits);
        }
        let effect = of.effect;
        self.found = found;
        self.hits = hits;
        self.rows = rows;
        self.spans.sort_by_key(|span| span.start);
        effect
    }

    /// Forgets the spans that end before `pos`.
    pub(crate) fn passed(&mut self, pos: u64) {
        self.spans.retain(|span| span.end > pos);
    }

    /// Hides what a long value goes on with that is hidden up to `until`.
    fn follow(&mut self, long: Long, until: u64, window: Window<'_>) {
        let mut followed = self.followed.iter();
        if followed.any(|(other, hidden)| *other == long && hidden.contains(&until)) {
            return;
        }
        let at = until
            .checked_sub(window.base)
            .and_then(|at| usize::try_from(at).ok());
        let rest = at.and_then(|at| window.text.get(at..)).unwrap_or_default();
        let goes_on = |byte: &&u8| match long {
            Long::Value(kind) => detect::secret::goes_on(kind, **byte),
            Long::Encoded(carrier) => carrier.goes_on(**byte),
        };
        let run = rest.iter().take_while(goes_on).count();
        work::done(run);
        let left = rest.get(run..).unwrap_or_default();
        let line = match long {
            Long::Value(kind) => detect::pem::last_line_of(kind, left),
            Long::Encoded(_) => 0,
        };
        let end = until + (run + line) as u64;
        let fill = self.fill(long == Long::Encoded(Carrier::Run));
        let stars = Span::stars(until, end);
        self.spans.push(Span { fill, ..stars });
        self.followed.retain(|(other, _)| *other != long);
        self.followed.push((long, until..end));
        // What may be the beginning of a last line is looked at again with more text behind it.
        if line == 0 && left.len() < detect::pem::LAST_LINE_BYTES_MAX {
            self.open.retain(|(other, _)| *other != long);
            self.open.push((long, end));
        }
    }

    fn fill(&self, of_run: bool) -> Fill {
        if self.decodable && of_run {
            Fill::Letters
        } else {
            Fill::Stars
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
}

/// A value that is hidden further than it was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Long {
    Value(Kind),
    /// Within encoded text, with all that its carrier goes on with.
    Encoded(Carrier),
}

/// Takes what was found in a window.
struct Taking<'a> {
    pass: &'a mut Pass,
    masker: &'a Masker,
    window: Window<'a>,
    findings: &'a mut Findings,
    /// The worst so far.
    effect: Effect,
}

impl Taking<'_> {
    /// Takes values as they stand and encoded ones, each in order, together in order.
    fn all(
        &mut self,
        folded: &[u8],
        original: impl Fn(usize) -> usize,
        found: &[Match],
        hits: &[Hit],
    ) {
        let mut hits = hits.iter().peekable();
        for one in found {
            let start = original(one.start);
            while let Some(hit) = hits.next_if(|hit| hit.start < start) {
                self.hit(hit);
            }
            self.plain(*one, folded, &original);
        }
        hits.for_each(|hit| self.hit(hit));
    }

    fn at(&self, pos: usize) -> u64 {
        self.window.base + pos as u64
    }

    /// Takes a value as it stands.
    fn plain(&mut self, found: Match, folded: &[u8], original: impl Fn(usize) -> usize) {
        let start = original(found.start);
        let part = self.window.from..self.window.to;
        let sought = self.masker.sought(found.kind);
        let spared = self.pass.spared == Some(found.kind);
        if !part.contains(&start) || !sought.sought || spared {
            return;
        }
        let end = original(found.end);
        let Some(is_new) = self.is_new(found.kind, start, end) else {
            return;
        };
        let is_open = found.kind.is_long() && found.end - found.start == LOOK_CHARS_MAX;
        let class = &sought.class;
        let text = self.window.text.get(start..end).unwrap_or_default();
        let folded = folded.get(found.start..found.end).unwrap_or_default();
        let normal = |out: &mut Vec<u8>| shape::normalise_folded(class, folded, text, out);
        let mut treatment = sought.treatment;
        let mut put = None;
        if let Treatment::Mask(strategy) = treatment
            && strategy.replaces()
        {
            let (from, to, _) = hidden(found, strategy);
            let part = original(from) - start..original(to) - start;
            let keeps = !self.pass.in_place || strategy == Strategy::Format && text.is_ascii();
            put = self
                .masker
                .put(strategy, class, normal, text, part)
                .filter(|_| keeps && !is_open);
            if put.is_none() {
                treatment = Treatment::Mask(Strategy::Redact);
            }
        }
        if is_new {
            self.record(class, found.kind.rule(), start..end, treatment, normal);
        }
        let Treatment::Mask(strategy) = treatment else {
            return;
        };
        let (from, to, all) = hidden(found, strategy);
        let span = Span {
            start: self.at(original(from)),
            end: self.at(original(to)),
            all,
            put,
            fill: Fill::Stars,
        };
        let open = is_open.then_some(Long::Value(found.kind));
        self.hide(strategy, span, end, open);
    }

    /// Takes a value that stands in encoded text.
    fn hit(&mut self, hit: &Hit) {
        let Some(is_new) = self.is_new(hit.kind, hit.start, hit.end) else {
            return;
        };
        let sought = self.masker.sought(hit.kind);
        let treatment = match sought.treatment {
            Treatment::Mask(Strategy::Partial | Strategy::Hash | Strategy::Format) => {
                Treatment::Mask(hit.strategy)
            }
            other => other,
        };
        if is_new {
            let class = &sought.class;
            let normal = |out: &mut Vec<u8>| shape::normalise(class, &hit.value, out);
            let place = hit.start..hit.end;
            self.record(class, hit.kind.rule(), place, treatment, normal);
        }
        let Treatment::Mask(strategy) = treatment else {
            return;
        };
        let span = Span {
            start: self.at(hit.from),
            end: self.at(hit.to),
            all: hit.all,
            put: None,
            fill: self.pass.fill(hit.carrier == Carrier::Run),
        };
        self.hide(strategy, span, hit.end, hit.open.map(Long::Encoded));
    }

    /// Whether a value is counted, or was with another that it overlaps; `None` if it is none.
    fn is_new(&mut self, kind: Kind, start: usize, end: usize) -> Option<bool> {
        let (start, end) = (self.at(start), self.at(end));
        // The digits of an account number are sometimes a card's; they are the account's.
        if kind == Kind::Card && end <= self.pass.counted(Kind::Iban) {
            return None;
        }
        let is_new = start >= self.pass.counted(kind) && self.pass.told != Some(kind);
        self.pass.count(kind, end);
        Some(is_new)
    }

    fn record(
        &mut self,
        class: &DataClass,
        rule: &'static str,
        place: Range<usize>,
        treatment: Treatment,
        normal: impl FnOnce(&mut Vec<u8>),
    ) {
        let (start, end) = (self.at(place.start), self.at(place.end));
        if !self.findings.concerns(start..end) {
            return;
        }
        self.findings.sight(start, class, rule, treatment.name());
        self.findings.record(class, rule, treatment.name(), normal);
    }

    /// Hides a span of a value that ends at `end`, or goes on as `open` says.
    fn hide(&mut self, strategy: Strategy, span: Span, end: usize, open: Option<Long>) {
        self.pass.spans.push(span);
        if let Some(long) = open {
            self.pass.follow(long, self.at(end), self.window);
        }
        self.effect = self.effect.max(match strategy {
            Strategy::Redact | Strategy::Partial | Strategy::Hash | Strategy::Format => {
                Effect::Hidden
            }
            Strategy::Null => Effect::Null,
            Strategy::Withhold => Effect::Withheld,
        });
    }
}

/// What a strategy hides of a match, and whether separators go too.
pub(crate) fn hidden(found: Match, strategy: Strategy) -> (usize, usize, bool) {
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
