//! The masker: text in, masked text out.

use std::ops::Range;
use std::sync::Arc;

use model::DataClass;

use crate::config::{MaskerConfig, Strategy, Treatment};
use crate::detect::{self, Hint, Kind, Match};
use crate::encoded;
use crate::findings::Findings;
use crate::fold::Folded;
use crate::pass::{Effect, Pass, Window};
use crate::prefilter::{self, PROFILE_BYTES_MAX, Profile, TEXT_BYTES_MIN};
use crate::quick;
use crate::render::{self, Span};
use crate::shape::{self, Hidden};
use crate::stream::{self, STREAM_HOLD_BYTES, STREAM_PIECE_BYTES, Stream};

/// The rule under which declared values are counted.
pub(crate) const DECLARED: &str = "declared";

/// The rule under which are counted values that are made of declared ones.
const LINEAGE: &str = "lineage";

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
    /// By [`Kind::index`].
    kinds: Vec<Sought>,
}

/// What is done about values of a kind.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    pub(crate) class: DataClass,
    pub(crate) treatment: Treatment,
    /// Whether they are looked for in any text.
    pub(crate) sought: bool,
}

/// What is done about a kind that is missing, which none is: its values are hidden.
const HIDDEN: &Sought = &Sought {
    class: DataClass::PAN,
    treatment: Treatment::Mask(Strategy::Redact),
    sought: true,
};

impl Masker {
    /// Compiles a masker.
    #[must_use]
    pub fn new(config: MaskerConfig) -> Self {
        let sought = |class: &DataClass, usual: bool| Sought {
            class: class.clone(),
            treatment: config.treatment(class),
            sought: config.find.get(class).copied().unwrap_or(usual),
        };
        let built_in = Kind::CLASSES.iter().zip(Kind::ALL);
        let built_in = built_in.map(|(class, kind)| sought(class, kind.is_usual()));
        let own = config.own.iter().map(|own| sought(&own.class, true));
        let kinds = built_in.chain(own).collect();
        Self { config, kinds }
    }

    /// Whether values of `class` are hidden; a class that policy reveals is not.
    #[must_use]
    pub fn masks(&self, class: &DataClass) -> bool {
        self.config.treatment(class) != Treatment::Reveal
    }

    /// Whether nothing that can be found in a text is hidden: policy reveals every class that is looked for.
    #[must_use]
    pub fn hides_nothing(&self) -> bool {
        self.kinds
            .iter()
            .all(|kind| !kind.sought || kind.treatment == Treatment::Reveal)
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
    /// characters as it was unless a strategy puts something else there. Classes that policy reveals are counted in `findings` too, as `reveal`.
    #[inline]
    pub fn mask_text(
        &self,
        hint: Hint,
        text: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        if text.len() < TEXT_BYTES_MIN && !self.has_own() && !hint.tells_all() {
            return Outcome::Clean;
        }
        let seen = |text: &[u8]| {
            !self.finds(Kind::Ip)
                && !hint.tells_all()
                && (!self.has_own() || text.is_ascii() && !self.config.own.may_hold(text))
        };
        // A look at the whole of a short value decides first whether to search at all.
        if text.len() <= PROFILE_BYTES_MAX && seen(text) {
            if hint == Hint::NONE && quick::is_clean(text) {
                return Outcome::Clean;
            }
            let profile = Profile::of(text);
            let clean = profile.is_clean(text.len(), hint != Hint::NONE);
            if clean
                && !prefilter::may_announce(text)
                && !encoded::may_hold(text, profile.may_have_units())
            {
                return Outcome::Clean;
            }
        }
        self.mask_searched(hint, None, text, out, findings)
    }

    pub(crate) fn mask_searched(
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
                render::render(window.part(), base, &mut pass.spans, out);
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

    /// What [`Strategy::Hash`] and [`Strategy::Format`] make of a number that is declared to be of `class`, in text as PostgreSQL
    /// writes it: another one with as many digits. It is counted as with [`Masker::mask_declared`]. `None`, and nothing
    /// counted, with other strategies, where the class has a customary part to show, and for what has no digits only.
    #[must_use]
    pub fn mask_number(
        &self,
        class: &DataClass,
        text: &[u8],
        findings: &mut Findings,
    ) -> Option<String> {
        let strategy = self.replaces(class, text)?;
        let key = self.config.key.as_ref()?;
        let number = key.number(class, std::str::from_utf8(text).ok()?)?;
        findings.record(class, DECLARED, strategy.name(), |normal| {
            shape::normalise(class, text, normal);
        });
        Some(number)
    }

    /// The same for a day or a moment, in microseconds since 2000-01-01 00:00; `text` is it in text. `None` outside of the years 1900
    /// to 2099, too.
    #[must_use]
    pub fn mask_moment(
        &self,
        class: &DataClass,
        text: &[u8],
        micros: i64,
        findings: &mut Findings,
    ) -> Option<i64> {
        let strategy = self.replaces(class, text)?;
        let moment = self.config.key.as_ref()?.moment(class, micros)?;
        findings.record(class, DECLARED, strategy.name(), |normal| {
            shape::normalise(class, text, normal);
        });
        Some(moment)
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

    /// What is shown in place of a value's `part` with a strategy that replaces it, if it can be.
    pub(crate) fn put(
        &self,
        strategy: Strategy,
        class: &DataClass,
        normal: impl FnOnce(&mut Vec<u8>),
        text: &[u8],
        part: Range<usize>,
    ) -> Option<Box<[u8]>> {
        let key = self.config.key.as_ref()?;
        let mut value = Vec::new();
        normal(&mut value);
        let put = match strategy {
            Strategy::Hash => Some(key.hash(class, &value)),
            Strategy::Format => key.format(class, &value, text, part),
            _ => None,
        };
        put.map(Vec::into_boxed_slice)
    }

    /// Text that comes in pieces: COPY data without structure, documents, terminal output.
    #[must_use]
    pub fn stream(self: &Arc<Self>, hint: Hint) -> Stream {
        Stream::new(Arc::clone(self), hint)
    }

    #[cfg(test)]
    pub(crate) fn config(&self) -> &MaskerConfig {
        &self.config
    }

    /// What the name of a column or key says about the values under it.
    #[must_use]
    pub fn hint(&self, name: &str) -> Hint {
        self.config.own.hint(name)
    }

    /// Whether there are classes that configuration defines, whose values may look like anything.
    #[must_use]
    pub fn has_own(&self) -> bool {
        self.kinds.len() > Kind::ALL.len()
    }

    /// Finds every match that starts in a part of folded text, in order. Some that start elsewhere may be found too.
    pub(crate) fn search(
        &self,
        text: &[u8],
        part: Range<usize>,
        hint: Hint,
        found: &mut Vec<Match>,
    ) {
        detect::scan(text, part.clone(), hint, found);
        if self.finds(Kind::Ip) {
            detect::find_ip(text, part.start, found);
        }
        self.config.own.find(text, part.start, hint, found);
        found.sort_by_key(|found| (found.start, found.end));
    }

    /// What is done about values of the kind.
    #[inline]
    pub(crate) fn sought(&self, kind: Kind) -> &Sought {
        self.kinds.get(kind.index()).unwrap_or(HIDDEN)
    }

    /// Whether a date under such a name may be somebody's birthday, and is looked for.
    #[must_use]
    pub fn seeks_birthdays(&self, hint: Hint) -> bool {
        hint.birth() && self.finds(Kind::Birth)
    }

    /// Whether addresses of networks are looked for.
    #[must_use]
    pub fn seeks_addresses(&self) -> bool {
        self.finds(Kind::Ip)
    }

    /// Whether values of the kind are looked for in any text.
    pub(crate) fn finds(&self, kind: Kind) -> bool {
        self.sought(kind).sought
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
    render::render(text, 0, &mut [Span::stars(0, text.len() as u64)], out);
    Outcome::Masked
}
