//! The masker: text in, masked text out.

use std::sync::Arc;

use model::DataClass;

use crate::config::{MaskerConfig, Strategy, Treatment};
use crate::detect::{Hint, Kind, secret};
use crate::findings::Findings;
use crate::fold::Folded;
use crate::prefilter::{Profile, TEXT_BYTES_MIN};
use crate::render::{self, Span};
use crate::shape::{self, Hidden};
use crate::stream::{self, Effect, Pass, STREAM_HOLD_BYTES, STREAM_PIECE_BYTES, Stream, Window};

/// Up to this length a look at the whole value decides first whether to search at all.
const SHORT_BYTES_MAX: usize = 128;

/// The rule under which declared values are counted.
pub(crate) const DECLARED: &str = "declared";

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Nothing to hide: show the value as it is. Nothing was appended.
    Clean,
    /// The masked value was appended.
    Masked,
    /// Show NULL, or what stands for it. Nothing was appended.
    Null,
    /// Show nothing, and say that it was withheld. Nothing was appended.
    Withheld,
}

/// Hides values of the classes that policy does not reveal. Compiled once for a target and a reveal set, then shared.
#[derive(Debug, Clone)]
pub struct Masker {
    config: MaskerConfig,
    built_in: [(DataClass, Treatment); Kind::ALL.len()],
    sought: [bool; Kind::ALL.len()],
}

impl Masker {
    /// Compiles a masker.
    #[must_use]
    pub fn new(config: MaskerConfig) -> Self {
        let built_in = Kind::ALL.map(|kind| (kind.class(), config.treatment(&kind.class())));
        let sought = Kind::ALL.map(|kind| {
            let asked = config.find.get(&kind.class()).copied();
            asked.unwrap_or(kind.is_usual())
        });
        Self {
            config,
            built_in,
            sought,
        }
    }

    /// Whether values of `class` are hidden; a class that policy reveals is not.
    #[must_use]
    pub fn masks(&self, class: &DataClass) -> bool {
        self.config.treatment(class) != Treatment::Reveal
    }

    /// Whether nothing that can be found in a text is hidden: policy reveals every class that is looked for.
    #[must_use]
    pub fn hides_nothing(&self) -> bool {
        self.built_in
            .iter()
            .zip(self.sought)
            .all(|((_, treatment), sought)| !sought || *treatment == Treatment::Reveal)
    }

    /// How values of `class` are hidden; `None` if policy reveals them. A protocol asks for typed values that
    /// cannot hold `*`.
    #[must_use]
    pub fn strategy(&self, class: &DataClass) -> Option<Strategy> {
        match self.config.treatment(class) {
            Treatment::Mask(strategy) => Some(strategy),
            Treatment::Reveal => None,
        }
    }

    /// Finds and hides every protected value in free text, and says what became of it.
    ///
    /// `hint` is what the column's name says. With [`Outcome::Masked`] the text is appended to `out`, as long in
    /// characters as it was. Classes that policy reveals are counted in `findings` too, as `reveal`.
    #[inline]
    pub fn mask_text(
        &self,
        hint: Hint,
        text: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        if text.len() < TEXT_BYTES_MIN {
            return Outcome::Clean;
        }
        if text.len() <= SHORT_BYTES_MAX && !self.finds(Kind::Ip) {
            let profile = Profile::of_short(text);
            let clean = profile.is_clean(text.len(), hint != Hint::NONE) && !secret::may_hold(text);
            if clean && (profile.high == 0 || !text.contains(&0xEF)) {
                return Outcome::Clean;
            }
        }
        self.mask_searched(hint, None, text, out, findings)
    }

    fn mask_searched(
        &self,
        hint: Hint,
        told: Option<Kind>,
        text: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        let before = out.len();
        let mut pass = Pass::new(told);
        let mut effect = Effect::Nothing;
        let mut from = 0;
        while from < text.len() {
            let window = window(text, from);
            let now = pass.find(self, window, hint, findings);
            if effect == Effect::Nothing && now != Effect::Nothing {
                out.extend_from_slice(text.get(..from).unwrap_or_default());
            }
            effect = effect.max(now);
            let base = window.base + window.from as u64;
            let len = window.part().len();
            if effect != Effect::Nothing {
                render::render(window.part(), base, &pass.spans, out);
                pass.passed(base + len as u64);
            }
            from += len.max(1);
        }
        match effect {
            Effect::Nothing => Outcome::Clean,
            Effect::Hidden => Outcome::Masked,
            Effect::Null | Effect::Withheld => {
                out.truncate(before);
                if effect == Effect::Null {
                    Outcome::Null
                } else {
                    Outcome::Withheld
                }
            }
        }
    }

    /// Hides a value that is declared to be of `class`, whatever it looks like.
    ///
    /// A value that lacks the form of its class is hidden entirely. A class that policy reveals is counted, and the
    /// text is searched for values of the other classes. An empty value is clean.
    pub fn mask_declared(
        &self,
        class: &DataClass,
        text: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        if text.is_empty() {
            return Outcome::Clean;
        }
        let treatment = self.config.treatment(class);
        findings.record(class, DECLARED, treatment.name(), |normal| {
            shape::normalise(class, text, normal)
        });
        match treatment {
            Treatment::Reveal => {
                let hint = Hint::column(class.name());
                self.mask_searched(hint, Kind::of(class), text, out, findings)
            }
            Treatment::Mask(Strategy::Null) => Outcome::Null,
            Treatment::Mask(Strategy::Withhold) => Outcome::Withheld,
            Treatment::Mask(Strategy::Redact) => redact(text, out),
            Treatment::Mask(Strategy::Partial) => {
                let Some(span) = partial(class, text) else {
                    return redact(text, out);
                };
                render::render(text, 0, &[span], out);
                Outcome::Masked
            }
        }
    }

    /// Text that comes in pieces: COPY data without structure, documents, terminal output.
    #[must_use]
    pub fn stream(self: &Arc<Self>, hint: Hint) -> Stream {
        Stream::new(Arc::clone(self), hint)
    }

    pub(crate) fn treatment(&self, kind: Kind) -> Treatment {
        // Every kind has its place; were one missing, its values would be hidden.
        self.built_in
            .get(kind as usize)
            .map_or(Treatment::Mask(Strategy::Redact), |(_, treatment)| {
                *treatment
            })
    }

    /// Whether values of the kind are looked for in any text.
    pub(crate) fn finds(&self, kind: Kind) -> bool {
        self.sought.get(kind as usize).copied().unwrap_or(true)
    }

    pub(crate) fn class(&self, kind: Kind) -> &DataClass {
        self.built_in
            .get(kind as usize)
            .map_or(&DataClass::PAN, |(class, _)| class)
    }
}

/// The next part of a text to mask, with its context.
fn window(text: &[u8], from: usize) -> Window<'_> {
    let rest = text.len() - from;
    let to = if rest <= 2 * STREAM_PIECE_BYTES {
        text.len()
    } else {
        stream::char_start(text, from + STREAM_PIECE_BYTES)
    };
    let start = from.saturating_sub(STREAM_HOLD_BYTES);
    let end = text.len().min(to + STREAM_HOLD_BYTES);
    let text = text.get(start..end).unwrap_or_default();
    Window {
        text,
        base: start as u64,
        from: from - start,
        to: to - start,
    }
}

pub(crate) fn redact(text: &[u8], out: &mut Vec<u8>) -> Outcome {
    render::render(
        text,
        0,
        &[Span {
            start: 0,
            end: text.len() as u64,
            all: true,
        }],
        out,
    );
    Outcome::Masked
}

fn partial(class: &DataClass, text: &[u8]) -> Option<Span> {
    let span = |hidden: Hidden, original: &dyn Fn(usize) -> usize| Span {
        start: original(hidden.start) as u64,
        end: original(hidden.end) as u64,
        all: hidden.all,
    };
    if text.is_ascii() {
        return Some(span(shape::partial(class, text)?, &|pos| pos));
    }
    let folded = Folded::of(text);
    Some(span(shape::partial(class, folded.text())?, &|pos| {
        folded.original(pos)
    }))
}
