//! What a target's configuration tells its sessions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use mask::own::OwnClasses;
use mask::{CommitmentKey, MaskKey, Masker, MaskerConfig, Strategy};
use model::DataClass;
use sql::Name;
use sql::postgres::Declaration;

/// So many maskers are kept; there is one for each set of revealed classes.
const MASKERS_MAX: usize = 64;

/// What the gateway answers to a server's authentication request. SCRAM always; these only where configuration says so,
/// because a server in the way could ask for them to learn the password (the gateway sets them where TLS is verified,
/// the address is loopback, or the target's `auth` names them).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuthMethods {
    /// An MD5 digest of the password.
    pub md5: bool,
    /// The password in clear.
    pub password: bool,
}

/// How much a session with the target may hold or learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of the catalog queries, all together.
    pub catalog_rows_max: u64,
    /// Bytes of the catalog queries' answers, all together.
    pub catalog_bytes_max: u64,
    /// Bytes of statements that a session's prepared statements, portals and cursors hold, all together. What is known of a
    /// statement takes up to forty times its text in memory.
    pub statement_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            catalog_rows_max: 1_000_000,
            catalog_bytes_max: 256 << 20,
            statement_bytes_max: 16 << 20,
        }
    }
}

/// A target's settings, shared by its sessions.
#[derive(Debug)]
pub struct Settings {
    /// The target's name.
    pub target: String,
    /// The database upstream.
    pub database: String,
    /// What is answered to authentication requests besides SCRAM.
    pub auth: AuthMethods,
    /// The minor version of the protocol spoken upstream: 0, or 2 for long cancel keys.
    pub minor: u16,
    /// Whether replication connections are offered.
    pub replication: bool,
    /// Columns declared to hold a class of data.
    pub declared: Vec<Declaration>,
    /// Functions, with their schemas, that give nothing but what is computed of their arguments, and keep those nowhere.
    pub trusted: Vec<Name>,
    /// How values are hidden, by class, where not by [`Strategy::DEFAULT`].
    pub strategies: BTreeMap<DataClass, Strategy>,
    /// Which classes are looked for in any text, where not as usual.
    pub find: BTreeMap<DataClass, bool>,
    /// Classes that configuration defines.
    pub own: OwnClasses,
    /// The key of strategies that put something else in a value's place; without one they redact.
    pub mask_key: Option<MaskKey>,
    /// How much a session may hold or learn.
    pub limits: Limits,
    /// Maskers that were compiled, by what they reveal.
    pub maskers: Maskers,
}

impl Settings {
    /// A target of this name with this database: nothing declared, nothing offered, SCRAM alone.
    #[must_use]
    pub fn new(target: impl Into<String>, database: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            database: database.into(),
            auth: AuthMethods::default(),
            minor: 0,
            replication: false,
            declared: Vec::new(),
            trusted: Vec::new(),
            strategies: BTreeMap::new(),
            find: BTreeMap::new(),
            own: OwnClasses::default(),
            mask_key: None,
            limits: Limits::default(),
            maskers: Maskers::default(),
        }
    }

    /// The masker for free text of a command that may show these classes.
    #[must_use]
    pub fn masker(&self, reveal: &BTreeSet<DataClass>) -> Arc<Masker> {
        self.masks(reveal).text
    }

    /// The maskers for a command that may show these classes.
    #[must_use]
    pub fn masks(&self, reveal: &BTreeSet<DataClass>) -> Masks {
        let kept = self.maskers.0.lock();
        let mut kept = kept.unwrap_or_else(PoisonError::into_inner);
        if let Some(masks) = kept.get(reveal) {
            return masks.clone();
        }
        if kept.len() >= MASKERS_MAX {
            kept.clear();
        }
        let masks = self.compile(reveal);
        kept.insert(reveal.clone(), masks.clone());
        masks
    }

    fn compile(&self, reveal: &BTreeSet<DataClass>) -> Masks {
        let chosen = unreplaced(&self.strategies).map(|strategies| {
            let masks = self.compile_with(reveal, &strategies);
            Arc::new(masks)
        });
        Masks {
            chosen,
            ..self.compile_with(reveal, &self.strategies)
        }
    }

    fn compile_with(
        &self,
        reveal: &BTreeSet<DataClass>,
        strategies: &BTreeMap<DataClass, Strategy>,
    ) -> Masks {
        let revealing = |reveal: &BTreeSet<DataClass>, strategies| {
            let reveal = reveal.clone();
            let find = self.find.clone();
            let own = self.own.clone();
            Arc::new(Masker::new(MaskerConfig {
                reveal,
                strategies,
                find,
                own,
                key: self.mask_key.clone(),
            }))
        };
        let masker = |strategies| revealing(reveal, strategies);
        let declared = self.declared.iter().map(|declared| declared.class.clone());
        let own = self.own.iter().map(|own| own.class.clone());
        let nulls = DataClass::FOUND.into_iter().chain(own).chain(declared);
        let mut typed: BTreeMap<_, _> = nulls.map(|class| (class, Strategy::Null)).collect();
        let mut number = typed.clone();
        for (class, &strategy) in strategies {
            let withhold = strategy == Strategy::Withhold;
            let instead = if withhold { strategy } else { Strategy::Null };
            let keeps = strategy == Strategy::Format;
            typed.insert(class.clone(), instead);
            number.insert(class.clone(), if keeps { strategy } else { instead });
        }
        let text: Arc<Masker> = masker(strategies.clone());
        let classes = self.declared.iter().map(|declared| &declared.class);
        let open = text.hides_nothing() && !classes.into_iter().any(|class| text.masks(class));
        Masks {
            text,
            typed: masker(typed),
            number: masker(number),
            at_rest: revealing(&BTreeSet::new(), resting(strategies)),
            open,
            chosen: None,
        }
    }
}

/// Strategies for values that whoever reads them may have chosen: what would be put in place of each one tells which others are the
/// same. `None` where nothing is put in a value's place.
fn unreplaced(strategies: &BTreeMap<DataClass, Strategy>) -> Option<BTreeMap<DataClass, Strategy>> {
    let replaces = |strategy: &Strategy| matches!(strategy, Strategy::Hash | Strategy::Format);
    let instead = |(class, strategy): (&DataClass, &Strategy)| {
        let strategy = if replaces(strategy) {
            Strategy::Redact
        } else {
            *strategy
        };
        (class.clone(), strategy)
    };
    let any = strategies.values().any(replaces);
    any.then(|| strategies.iter().map(instead).collect())
}

/// Strategies for what rests: one value must not take the whole text with it that it stands in.
fn resting(strategies: &BTreeMap<DataClass, Strategy>) -> BTreeMap<DataClass, Strategy> {
    let instead = |(class, &strategy): (&DataClass, &Strategy)| {
        let whole = matches!(strategy, Strategy::Null | Strategy::Withhold);
        let strategy = if whole { Strategy::Redact } else { strategy };
        (class.clone(), strategy)
    };
    strategies.iter().map(instead).collect()
}

/// What hides the values of one command.
#[derive(Debug, Clone)]
pub struct Masks {
    /// For values that are text, by the target's strategies.
    pub text: Arc<Masker>,
    /// For values of a type that has no place for `*`, such as dates: NULL, or withheld where a strategy says so.
    pub typed: Arc<Masker>,
    /// For numbers: other ones with [`Strategy::Format`], otherwise as `typed`.
    pub number: Arc<Masker>,
    /// For what the client sends, as it is recorded and shown to approvers: nothing is revealed, and nothing blanked as a whole.
    pub at_rest: Arc<Masker>,
    /// Policy reveals every class that a detector finds or a column is declared to hold. Values are still looked at and
    /// counted, but there is nothing to withhold for.
    pub open: bool,
    /// Those for values that the client may have chosen, where they are others.
    chosen: Option<Arc<Masks>>,
}

impl Masks {
    /// The masks for what the client may have chosen itself (constants, what it sent), in which no value is put in another's place:
    /// whoever could have any value replaced could look for the one that becomes what stands in a row.
    #[must_use]
    pub fn for_chosen(&self) -> &Self {
        self.chosen.as_deref().unwrap_or(self)
    }
}

/// Maskers by the classes that they reveal, at most 64.
#[derive(Debug, Default)]
pub struct Maskers(Mutex<HashMap<BTreeSet<DataClass>, Masks>>);

/// The key of a session's commitments ([`model::MaskFact::commitments`]), from [`crate::session::Upstream::random`]: its
/// second half, which nothing else uses. Whoever keeps those bytes beside the recording can test a commitment later.
#[must_use]
pub fn commitment_key(random: &[u8; 64]) -> CommitmentKey {
    let (_, second) = random.split_at(32);
    CommitmentKey::new(second)
}
