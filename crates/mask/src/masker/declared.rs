//! Values that are declared to be of a class, whatever they look like.

use std::ops::Range;

use model::DataClass;

use super::{Masker, Outcome};
use crate::config::{Strategy, Treatment};
use crate::detect::Kind;
use crate::findings::Findings;
use crate::fold::Folded;
use crate::others::Others;
use crate::render::{self, Span};
use crate::shape::{self, Hidden};

/// The rule under which declared values are counted.
const DECLARED: &str = "declared";

/// The rule under which are counted values that are made of declared ones.
const LINEAGE: &str = "lineage";

impl Masker {
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
        let normal = |out: &mut Vec<u8>| shape::normalise(class, text, out);
        let mut treatment = self.config.treatment(class);
        let mut put = None;
        if let Treatment::Mask(strategy) = treatment
            && strategy.replaces()
        {
            let shown = self
                .partial(class, text)
                .filter(|_| strategy == Strategy::Format);
            let part = shown.map_or(0..text.len(), |(part, _)| part);
            let made = self.put(strategy, class, normal, text, part.clone());
            put = made.map(|made| (part, made));
            if put.is_none() {
                treatment = Treatment::Mask(Strategy::Redact);
            }
        }
        findings.record(class, DECLARED, treatment.name(), normal);
        if let Some((part, made)) = put {
            out.extend_from_slice(text.get(..part.start).unwrap_or_default());
            out.extend_from_slice(&made);
            out.extend_from_slice(text.get(part.end..).unwrap_or_default());
            return Outcome::Masked;
        }
        match treatment {
            Treatment::Reveal => {
                let hint = self.hint(class.name());
                self.mask_searched(hint, self.kind(class), text, out, findings)
            }
            Treatment::Mask(Strategy::Null) => Outcome::Null,
            Treatment::Mask(Strategy::Withhold) => Outcome::Withheld,
            Treatment::Mask(Strategy::Partial) => {
                let Some((part, all)) = self.partial(class, text) else {
                    return redact(text, out);
                };
                let span = Span {
                    start: part.start as u64,
                    end: part.end as u64,
                    all,
                    put: None,
                    fill: render::Fill::Stars,
                };
                render::render(text, 0, &mut [span], out);
                Outcome::Masked
            }
            Treatment::Mask(_) => redact(text, out),
        }
    }

    /// Counts a value that is declared to be of `class` as [`Masker::mask_declared`] does, where it is hidden elsewhere; without a
    /// value one that nobody read as it was.
    pub fn count_declared(&self, class: &DataClass, value: Option<&[u8]>, findings: &mut Findings) {
        if findings.is_before() {
            return;
        }
        let strategy = self.config.treatment(class).name();
        match value {
            Some(value) => findings.record(class, DECLARED, strategy, |out| {
                shape::normalise(class, value, out);
            }),
            None => findings.record_unread(class, DECLARED, strategy),
        }
    }

    /// What [`Strategy::Hash`] and [`Strategy::Format`] make of a UUID that is declared to be of `class`, which is
    /// written in lower case: another one. It is counted as with [`Masker::mask_declared`]. `None`, and nothing counted,
    /// with other strategies.
    #[must_use]
    pub fn mask_uuid(
        &self,
        class: &DataClass,
        text: &[u8],
        findings: &mut Findings,
    ) -> Option<[u8; 16]> {
        let strategy = self.strategy(class).filter(|it| it.replaces())?;
        let key = self.config.key.as_ref()?;
        findings.record(class, DECLARED, strategy.name(), |normal| {
            shape::normalise(class, text, normal)
        });
        Some(key.uuid(class, text))
    }

    /// What [`Strategy::Hash`] and [`Strategy::Format`] make of a value of a type that is no text, which is declared to be of `class`:
    /// what `make` puts in its place. It is counted as with [`Masker::mask_declared`]; `text` is it in text. `None`, and nothing
    /// counted, with other strategies, where the class has a customary part to show, and where `make` gives nothing.
    #[must_use]
    pub fn mask_typed<T>(
        &self,
        class: &DataClass,
        text: &[u8],
        findings: &mut Findings,
        make: impl FnOnce(Others<'_>) -> Option<T>,
    ) -> Option<T> {
        let strategy = self.replaces(class, text)?;
        let key = self.config.key.as_ref()?;
        let made = make(Others { key, class })?;
        findings.record(class, DECLARED, strategy.name(), |normal| {
            shape::normalise(class, text, normal);
        });
        Some(made)
    }

    /// The strategy that puts another value in place of all of this one.
    fn replaces(&self, class: &DataClass, text: &[u8]) -> Option<Strategy> {
        let strategy = self.strategy(class).filter(|it| it.replaces())?;
        (strategy == Strategy::Hash || self.partial(class, text).is_none()).then_some(strategy)
    }

    /// Counts a value that is made of values of a class that policy reveals, and is shown for that: as `reveal`.
    pub fn count_revealed(&self, class: &DataClass, text: &[u8], findings: &mut Findings) {
        findings.record(class, LINEAGE, Treatment::Reveal.name(), |normal| {
            shape::normalise(class, text, normal);
        });
    }

    /// The kind of a class, if its values can be found.
    fn kind(&self, class: &DataClass) -> Option<Kind> {
        let own = || Some(Kind::Own(self.config.own.named(class)?.0));
        Kind::of(class).or_else(own)
    }

    /// What a partial mask hides of a value that is declared to be of `class`, and whether separators go too; `None` if it
    /// lacks the form.
    fn partial(&self, class: &DataClass, text: &[u8]) -> Option<(Range<usize>, bool)> {
        let folded = Folded::of(text);
        let hidden = match self.config.own.named(class) {
            Some((_, own)) => Hidden {
                start: 0,
                end: own.whole(folded.text())?,
                all: false,
            },
            None => shape::partial(class, folded.text())?,
        };
        let part = folded.original(hidden.start)..folded.original(hidden.end);
        Some((part, hidden.all))
    }
}

fn redact(text: &[u8], out: &mut Vec<u8>) -> Outcome {
    render::render(text, 0, &mut [Span::stars(0, text.len() as u64)], out);
    Outcome::Masked
}
