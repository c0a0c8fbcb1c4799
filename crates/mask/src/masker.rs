//! The masker: text in, masked text out.

mod declared;

use std::ops::Range;
use std::sync::Arc;

use model::DataClass;

use crate::config::{MaskerConfig, Strategy, Treatment};
use crate::detect::{self, Hint, Kind, Match};
use crate::encoded::{self, Row};
use crate::findings::Findings;
use crate::pass::{Effect, Pass, Window};
use crate::prefilter::{self, PROFILE_BYTES_MAX, Profile, TEXT_BYTES_MIN};
use crate::quick;
use crate::render;
use crate::stream::{self, STREAM_HOLD_BYTES, STREAM_PIECE_BYTES, Stream};

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

    /// Finds every match that starts in a part of folded text, in order. Some that start elsewhere may be found too. `rows` are the
    /// long rows near the part, where they are at hand.
    pub(crate) fn search(
        &self,
        text: &[u8],
        part: Range<usize>,
        hint: Hint,
        rows: Option<&[Row]>,
        found: &mut Vec<Match>,
    ) {
        detect::scan(text, part.clone(), hint, rows, found);
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
