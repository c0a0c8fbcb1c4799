//! What was found: counts by place, class and rule, and keyed commitments. Never a value.

use std::fmt;
use std::hash::Hasher;
use std::ops::Range;
use std::sync::Arc;

use aws_lc_rs::hmac;
use model::{DataClass, MaskFact};

/// Commitments kept for one command. After that, findings are only counted.
pub const COMMITMENTS_MAX: usize = 256;

/// Commitments kept for one fact, so that a column of addresses does not crowd out one of cards.
pub const COMMITMENTS_PER_FACT_MAX: usize = 64;

/// Places told apart in one command; what is found beyond is counted under `elsewhere`.
pub const PLACES_MAX: usize = 128;

/// Facts told apart in one command; what is found beyond is counted under `elsewhere`.
pub const FACTS_MAX: usize = 256;

/// The key of the commitments in one record. Who has it can ask of a known value whether it was there; nobody else can.
#[derive(Clone)]
pub struct CommitmentKey {
    key: Arc<hmac::Key>,
    /// Makes the fingerprints by which repeated values are recognised useless without the key.
    salt: [u8; 16],
}

impl CommitmentKey {
    /// Takes a key, which should be 32 random bytes.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let salt = truncated(&hmac::sign(&key, b"countersign repeated values"));
        Self {
            key: Arc::new(key),
            salt,
        }
    }

    /// The commitment to a value of `class` as it stands in text: it is normalised first (the digits of a card, SSN or
    /// routing number, the capital letters and digits of an IBAN, an address in small letters, other values trimmed).
    #[must_use]
    pub fn commit(&self, class: &DataClass, value: &[u8]) -> Commitment {
        let mut normal = Vec::new();
        crate::shape::normalise(class, value, &mut normal);
        self.commit_normal(class, &normal)
    }

    fn commit_normal(&self, class: &DataClass, normal: &[u8]) -> Commitment {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(class.name().as_bytes());
        context.update(&[0]);
        context.update(normal);
        Commitment(truncated(&context.sign()))
    }

    /// A short-lived fingerprint by which a value is known again within one command.
    fn fingerprint(&self, fact: usize, normal: &[u8]) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        hasher.write(&self.salt);
        hasher.write_usize(fact);
        hasher.write(normal);
        hasher.finish()
    }
}

impl fmt::Debug for CommitmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommitmentKey(…)")
    }
}

fn truncated(tag: &hmac::Tag) -> [u8; 16] {
    tag.as_ref().first_chunk().copied().unwrap_or_default()
}

/// HMAC-SHA-256 of class, a zero byte and the normalised value, cut to 16 bytes. `Display` gives hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Commitment([u8; 16]);

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A place within a command's answer: a column, `error`, `notice`. Made by [`Findings::place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(usize);

/// What was found in the answer to one command.
#[derive(Debug)]
pub struct Findings {
    key: Option<CommitmentKey>,
    places: Vec<Where>,
    place: usize,
    facts: Vec<Fact>,
    /// The fact that was meant last by each rule: where findings are dense, it is most often meant again.
    last: [usize; LAST_COUNT],
    fingerprints: Vec<u64>,
    commitments: usize,
    uncommitted: u64,
    scratch: Vec<u8>,
    sightings: Option<Vec<Sighting>>,
    /// Nothing counts that stands elsewhere in the text, where only a part of it is shown.
    part: Option<Range<u64>>,
    /// Nothing counts that is declared.
    before: bool,
}

/// A place, and the declared columns of which values are there.
#[derive(Debug, PartialEq, Eq)]
struct Where {
    name: String,
    columns: Vec<(DataClass, String)>,
}

/// Those of the columns that hold this class.
#[must_use]
pub fn of_class(columns: &[(DataClass, String)], class: &DataClass) -> Vec<String> {
    let of = columns.iter().filter(|(holds, _)| holds == class);
    of.map(|(_, name)| name.clone()).collect()
}

/// One value that was found in free text: where, and not what. Made by [`Findings::tracing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Where it begins, in bytes from the beginning of the text.
    pub start: u64,
    /// What it is.
    pub class: DataClass,
    /// What found it.
    pub rule: &'static str,
    /// How it is hidden, or `reveal`.
    pub strategy: &'static str,
}

#[derive(Debug)]
struct Fact {
    place: usize,
    class: DataClass,
    rule: &'static str,
    strategy: &'static str,
    /// Its values were hidden as they were not read, so nothing is committed to.
    unread: bool,
    count: u64,
    commitments: Vec<Commitment>,
}

/// Rules are told apart by the length of their names, which is enough for nearly all.
const LAST_COUNT: usize = 32;

/// The index of the place that stands for all places too many.
const ELSEWHERE: usize = 0;

impl Findings {
    /// Nothing found yet; commitments will be made under `key`.
    #[must_use]
    pub fn new(key: &CommitmentKey) -> Self {
        Self {
            key: Some(key.clone()),
            ..Self::counting()
        }
    }

    /// Nothing found yet; findings are only counted.
    #[must_use]
    pub fn counting() -> Self {
        Self {
            key: None,
            places: vec![Where {
                name: "elsewhere".to_owned(),
                columns: Vec::new(),
            }],
            place: ELSEWHERE,
            facts: Vec::new(),
            last: [0; LAST_COUNT],
            fingerprints: Vec::new(),
            commitments: 0,
            uncommitted: 0,
            scratch: Vec::new(),
            sightings: None,
            part: None,
            before: false,
        }
    }

    /// The same of a text of which only this part is shown: what is found in free text counts where it stands in it.
    #[must_use]
    pub fn within(mut self, part: Range<u64>) -> Self {
        self.part = Some(part);
        self
    }

    /// Tells up to where the text was read in which values are declared: those that end before the part that is shown do not count.
    pub fn reach(&mut self, end: u64) {
        let begun = |part: &Range<u64>| end > part.start;
        self.before = !self.part.as_ref().is_none_or(begun);
    }

    /// Whether what is declared here ends before the part that is shown.
    pub(crate) fn is_before(&self) -> bool {
        self.before
    }

    /// Whether a value that stands there counts.
    pub(crate) fn concerns(&self, value: Range<u64>) -> bool {
        let overlaps = |part: &Range<u64>| value.start < part.end && part.start < value.end;
        self.part.as_ref().is_none_or(overlaps)
    }

    /// Nothing found yet; findings are counted, and what is found in free text is told one by one.
    #[must_use]
    pub fn tracing() -> Self {
        Self {
            sightings: Some(Vec::new()),
            ..Self::counting()
        }
    }

    /// What was found since the last call, in the order of the text.
    pub fn sightings(&mut self) -> Vec<Sighting> {
        let mut sightings = self
            .sightings
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        sightings.sort_by_key(|sighting| sighting.start);
        sightings
    }

    /// Tells where the next value that is recorded begins.
    pub(crate) fn sight(
        &mut self,
        start: u64,
        class: &DataClass,
        rule: &'static str,
        strategy: &'static str,
    ) {
        if let Some(sightings) = &mut self.sightings {
            let class = class.clone();
            sightings.push(Sighting {
                start,
                class,
                rule,
                strategy,
            });
        }
    }

    /// Makes a place known: `schema.table.column`, an output name, `error`, `notice`, `copy`. The same name gives the
    /// same place; beyond [`PLACES_MAX`] it is `elsewhere`.
    pub fn place(&mut self, name: &str) -> Place {
        match self.places.iter().position(|place| place.name == name) {
            Some(known) => Place(known),
            None => self.column(name, Vec::new()),
        }
    }

    /// The same for a column of a result that has values of these declared columns, or what is computed of them.
    pub fn column(&mut self, name: &str, columns: Vec<(DataClass, String)>) -> Place {
        let same = |place: &Where| place.name == name && place.columns == columns;
        if let Some(known) = self.places.iter().position(same) {
            return Place(known);
        }
        if self.places.len() > PLACES_MAX {
            return Place(ELSEWHERE);
        }
        self.places.push(Where {
            name: name.to_owned(),
            columns,
        });
        Place(self.places.len() - 1)
    }

    /// What is found from now on, is found there. Costs nothing.
    pub fn enter(&mut self, place: Place) {
        self.place = place.0;
    }

    /// A place within the one where things are found now, such as a member of JSON; that one itself once half of the room for places
    /// is used up, so that columns keep their own.
    pub fn inside(&mut self, path: &str) -> Place {
        if self.places.len() > PLACES_MAX / 2 {
            return self.here();
        }
        let Some(outer) = self.places.get(self.place) else {
            return self.here();
        };
        let (name, columns) = (format!("{}{path}", outer.name), outer.columns.clone());
        self.column(&name, columns)
    }

    /// Where things are found now.
    #[must_use]
    pub fn here(&self) -> Place {
        Place(self.place)
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// How many values were found, of all classes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.facts.iter().map(|fact| fact.count).sum()
    }

    /// How many values of `class` were found.
    #[must_use]
    pub fn count(&self, class: &DataClass) -> u64 {
        self.facts
            .iter()
            .filter(|fact| fact.class == *class)
            .map(|fact| fact.count)
            .sum()
    }

    /// How many findings came after a limit of commitments was reached and were only counted.
    #[must_use]
    pub fn uncommitted(&self) -> u64 {
        self.uncommitted
    }

    /// The facts for the outcome entry, in the order in which they first occurred.
    #[must_use]
    pub fn facts(&self) -> Vec<MaskFact> {
        let fact = |fact: &Fact| {
            let place = self.places.get(fact.place);
            MaskFact {
                class: fact.class.clone(),
                rule: fact.rule.to_owned(),
                place: place.map(|it| it.name.clone()).unwrap_or_default(),
                columns: place
                    .map(|it| of_class(&it.columns, &fact.class))
                    .unwrap_or_default(),
                strategy: fact.strategy.to_owned(),
                count: fact.count,
                commitments: fact.commitments.iter().map(Commitment::to_string).collect(),
            }
        };
        self.facts.iter().map(fact).collect()
    }

    /// Counts something withheld whose value nobody read.
    pub fn record_withheld(&mut self, class: &DataClass, rule: &'static str) {
        self.record_unread(class, rule, "withhold");
    }

    /// Counts a value that nobody read, in a fact of its own, which has no commitments.
    pub(crate) fn record_unread(
        &mut self,
        class: &DataClass,
        rule: &'static str,
        strategy: &'static str,
    ) {
        let index = self.other_fact(class, rule, strategy, true);
        if let Some(fact) = self.facts.get_mut(index) {
            fact.count += 1;
        }
    }

    /// Counts a value, and commits to it while there is room. `normal` writes the normalised value.
    pub(crate) fn record(
        &mut self,
        class: &DataClass,
        rule: &'static str,
        strategy: &'static str,
        normal: impl FnOnce(&mut Vec<u8>),
    ) {
        let index = self.fact(class, rule, strategy);
        let Some(fact) = self.facts.get_mut(index) else {
            return;
        };
        fact.count += 1;
        let Some(key) = &self.key else { return };
        if self.commitments >= COMMITMENTS_MAX || fact.commitments.len() >= COMMITMENTS_PER_FACT_MAX
        {
            self.uncommitted += 1;
            return;
        }
        self.scratch.clear();
        normal(&mut self.scratch);
        let fingerprint = key.fingerprint(index, &self.scratch);
        if let Err(slot) = self.fingerprints.binary_search(&fingerprint) {
            self.fingerprints.insert(slot, fingerprint);
            fact.commitments
                .push(key.commit_normal(class, &self.scratch));
            self.commitments += 1;
        }
        self.scratch.fill(0);
    }

    /// The index of the fact, made if need be.
    #[inline]
    fn fact(&mut self, class: &DataClass, rule: &'static str, strategy: &'static str) -> usize {
        let slot = rule.len() % LAST_COUNT;
        let last = self.last.get(slot).copied().unwrap_or_default();
        let place = self.place;
        let same = |fact: &Fact| !fact.unread && fact.is(place, class, rule, strategy);
        if self.facts.get(last).is_some_and(same) {
            return last;
        }
        let index = self.other_fact(class, rule, strategy, false);
        if let Some(last) = self.last.get_mut(slot) {
            *last = index;
        }
        index
    }

    /// The same, where it was not meant last by its rule.
    #[inline(never)]
    fn other_fact(
        &mut self,
        class: &DataClass,
        rule: &'static str,
        strategy: &'static str,
        unread: bool,
    ) -> usize {
        let place_kept = if self.facts.len() < FACTS_MAX {
            self.place
        } else {
            ELSEWHERE
        };
        let known = |place: usize| {
            let mut facts = self.facts.iter();
            facts.position(|fact| fact.unread == unread && fact.is(place, class, rule, strategy))
        };
        let index = known(self.place).or_else(|| known(place_kept));
        index.unwrap_or_else(|| {
            self.facts.push(Fact {
                place: place_kept,
                class: class.clone(),
                rule,
                strategy,
                unread,
                count: 0,
                commitments: Vec::new(),
            });
            self.facts.len() - 1
        })
    }
}

impl Fact {
    #[inline]
    fn is(&self, place: usize, class: &DataClass, rule: &str, strategy: &str) -> bool {
        self.place == place
            && is_same(self.rule, rule)
            && is_same(self.strategy, strategy)
            && is_same(self.class.name(), class.name())
    }
}

/// Whether two names are equal; most often they are even one and the same.
#[inline]
fn is_same(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}
