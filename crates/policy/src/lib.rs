//! Cedar policies to decisions: permits, gates, reveal, limits.
//!
//! `(identity, target, asks) → model::Decision`, by Cedar over a set of files. [`PolicySet`] is one version of the files:
//! checked when it is loaded, immutable after, and shared by all sessions. Nothing here reads a clock.
//!
//! - Every ask of a command must be allowed; `forbid` wins over every `permit`.
//! - A *gate* is a forbid that an approval opens. Where only gates stand in the way the decision is [`Decision::Ask`].
//! - An error in any evaluation denies. Cedar by itself would leave the policy out that erred, a forbid too.
//! - What nothing reveals is masked.
//!
//! How to write policies: `docs/policy.md`.

mod cache;
mod decide;
mod denial;
mod entity;
mod error;
mod files;
mod load;
mod rule;
mod schema;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use cedar_policy::Effect;
use model::{Asks, DataClass, Decision, Denial, DenialCode, FileDigest, Identity, PolicyVersion};

pub use cache::DECISIONS_MAX;
pub use decide::ASKS_MAX;
pub use denial::unknown_target;
pub use entity::NO_LABELS;
pub use error::{LoadError, PROBLEMS_SHOWN_MAX, Place, Problem};
pub use files::{FILE_BYTES_MAX, FILES_MAX};
pub use load::POLICIES_MAX;
pub use rule::{ANNOTATION_BYTES_MAX, QUORUM_MAX};
pub use schema::{CORE_SCHEMA, SchemaFragment};

use cache::{Cache, Key};
use decide::Decider;
use load::Loaded;

/// One version of the policies: checked, immutable, and cheap to ask.
pub struct PolicySet {
    version: PolicyVersion,
    files: Vec<FileDigest>,
    sources: Vec<(String, String)>,
    loaded: Loaded,
    classes: BTreeSet<DataClass>,
    cache: Cache,
}

/// A target, as policy sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetRef<'a> {
    /// Its name.
    pub name: &'a str,
    /// The protocol it speaks, such as `postgres`.
    pub protocol: &'a str,
    /// The labels the configuration gives it, such as `environment = production`: its tags in Cedar. [`NO_LABELS`] for none.
    pub labels: &'a BTreeMap<String, String>,
}

impl PolicySet {
    /// Loads the `*.cedar` files of a folder, sorted by name. Folders within it and names that begin with a dot are not read.
    ///
    /// # Errors
    /// [`LoadError`]: everything that is wrong with them, each with its place. A folder without a policy is an error.
    pub fn load(folder: &Path, fragments: &[SchemaFragment]) -> Result<Self, LoadError> {
        let sources = files::read(folder)?;
        if sources.is_empty() {
            let reason = "holds no .cedar file, so everything would be denied: write one, or start from examples/policies";
            return Err(LoadError::whole(folder.display().to_string(), reason));
        }
        Self::parse(&sources, fragments)
    }

    /// The same from (name, text) pairs, in any order.
    ///
    /// # Errors
    /// As [`PolicySet::load`].
    pub fn parse(
        files: &[(String, String)],
        fragments: &[SchemaFragment],
    ) -> Result<Self, LoadError> {
        let mut sources = files.to_vec();
        sources.sort();
        if sources.len() > FILES_MAX {
            let reason = format!("more than {FILES_MAX} policy files: put several into one");
            return Err(LoadError::whole("policies", reason));
        }
        let loaded = load::check(&sources, fragments)?;
        let (digests, version) = files::digests(&sources);
        let classes = loaded
            .classes
            .iter()
            .cloned()
            .chain(DataClass::FOUND)
            .collect();
        Ok(Self {
            version,
            files: digests,
            sources,
            loaded,
            classes,
            cache: Cache::new(),
        })
    }

    /// The same policies, deciding also about these classes, which mask files declare. Without it only the built-in
    /// classes and those that a policy names can be revealed.
    #[must_use]
    pub fn with_classes(mut self, classes: impl IntoIterator<Item = DataClass>) -> Self {
        self.classes.extend(classes);
        self.cache = Cache::new();
        self
    }

    /// The version: SHA-256 over one line for each file, sorted by name, of its SHA-256 in lower-case hexadecimal, two
    /// spaces, its name and a line feed. `LC_ALL=C sha256sum *.cedar | sha256sum` in the folder gives the same.
    #[must_use]
    pub fn version(&self) -> PolicyVersion {
        self.version
    }

    /// Each file's name and SHA-256, sorted by name.
    #[must_use]
    pub fn files(&self) -> &[FileDigest] {
        &self.files
    }

    /// Each file's name and text, sorted by name.
    #[must_use]
    pub fn sources(&self) -> &[(String, String)] {
        &self.sources
    }

    /// What is legal and looks like a mistake, such as a policy that can never apply: for whoever writes policies.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.loaded.warnings
    }

    /// Whether a policy looks at an attribute of this name, of whatever. No policy can look at the context whole.
    #[must_use]
    pub fn mentions(&self, attribute: &str) -> bool {
        self.loaded.attributes.contains(attribute)
    }

    /// Whether a denial stands whatever an attribute of the context holds, of which nothing was known when policy was asked.
    #[must_use]
    pub fn stands(&self, denial: &Denial, attribute: &str) -> bool {
        let looks = |id: &str| {
            let of_policy = self.loaded.looks.get(id);
            of_policy.is_none_or(|attributes| attributes.contains(attribute))
        };
        let rules = self.loaded.rules.iter();
        let mut permits = rules.filter(|rule| rule.effect == Effect::Permit);
        match denial.policies.as_slice() {
            _ if denial.code != DenialCode::Forbidden => false,
            [] => !permits.any(|rule| looks(&rule.id)),
            forbids => forbids.iter().any(|id| !looks(id)),
        }
    }

    /// Whether this identity may use this target at all: `Allow` or `Deny`, never `Ask`.
    ///
    /// A denial has the code `UnknownTarget` and the words of [`unknown_target`], so that it tells nobody which targets there are.
    #[must_use]
    pub fn connect(&self, identity: &Identity, target: &TargetRef<'_>) -> Decision {
        Decider::new(&self.loaded, &self.classes, identity, target)
            .connect()
            .unwrap_or_else(Decision::Deny)
    }

    /// Whether a command may run. `approved` holds the groups *all* of whose gates in the way of this very command are
    /// open; with all groups of an `Ask` added to it the same question gives `Allow` with the obligations of that `Ask`.
    ///
    /// Decisions are kept, at most [`DECISIONS_MAX`] of them.
    #[must_use]
    pub fn decide(
        &self,
        identity: &Identity,
        target: &TargetRef<'_>,
        asks: &Asks,
        approved: &BTreeSet<String>,
    ) -> Arc<Decision> {
        let key = Key {
            identity: identity.key(),
            asks: asks.key(),
            target: target.name,
            protocol: target.protocol,
            labels: target.labels,
            approved,
        };
        self.cache.get(key, || {
            Decider::new(&self.loaded, &self.classes, identity, target)
                .decide(asks, approved)
                .unwrap_or_else(Decision::Deny)
        })
    }
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySet")
            .field("version", &self.version)
            .field("files", &self.files.len())
            .field("policies", &self.loaded.rules.len())
            .finish_non_exhaustive()
    }
}
