//! What is looked for in a body, while it is read once: nothing of it is kept but the values that name things.
//!
//! A tree of a whole body may take two hundred times its bytes (`{"":0}` is a map of its own), and whoever holds keys may send
//! one before policy is asked. So JSON and CBOR are walked, and forms are read pair by pair.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

/// Values of one key that are kept: one more than requests may name.
pub(super) const VALUES_MAX: usize = super::body::THINGS_MAX + 1;

/// The keys of an operation, as the table writes them, with the values that were found under them.
///
/// In trees `X` is a member of the body, `X.*` are the names in a map, and `*.X` is every X however deep. In forms it is X, and
/// `X.#` or `X.member.#` with a number for each item of a list, which in trees is X. What stands before X says what it is for; `~X`
/// is found as a star where X stands, whatever it holds.
pub(super) struct Seeker<'k> {
    keys: &'k [&'static str],
    found: Vec<Vec<String>>,
    /// A form has something below a key of which its model has nothing there, or a key is written in other letters: a server may
    /// take it for the key, or pass over it.
    odd: bool,
}

/// A key without what stands before it and, in forms, behind it.
pub(super) fn base(key: &str) -> &str {
    let key = key.trim_start_matches(['+', '@', '!', '~']);
    match key.strip_suffix('#') {
        Some(list) => list.split('.').next().unwrap_or(list),
        None => key,
    }
}

/// What may be anything.
pub(super) const ANYTHING: &str = "*";

fn is_wider(key: &str) -> bool {
    key.starts_with('~')
}

/// Where a reader stands in a tree: the keys, by their places as bits, whose values stand there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    below: bool,
    values: u64,
    names: u64,
}

impl Place {
    /// Whether a text here is one that is looked for.
    pub(super) fn wants_text(self) -> bool {
        self.values != 0
    }

    /// A member of a list that stands here.
    pub(super) fn element(self) -> Self {
        Self {
            below: true,
            values: self.values,
            names: 0,
        }
    }
}

impl<'k> Seeker<'k> {
    /// For at most 64 keys; the table has a dozen at most.
    pub(super) fn new(keys: &'k [&'static str]) -> Self {
        Self {
            keys,
            found: vec![Vec::new(); keys.len()],
            odd: false,
        }
    }

    /// The member of a map that stands at `place`.
    pub(super) fn member(&mut self, place: Place, name: &str) -> Place {
        let mut to = Place {
            below: true,
            ..Place::default()
        };
        self.keep(place.names, name);
        for (at, (key, found)) in self.keys.iter().zip(&mut self.found).enumerate() {
            let bit = 1_u64.checked_shl(at as u32).unwrap_or_default();
            let is_wider = is_wider(key);
            let key = base(key);
            if !place.below && key != name && key.eq_ignore_ascii_case(name) {
                self.odd = true;
            }
            if is_wider {
                if key == name && !place.below {
                    found.push(ANYTHING.to_owned());
                }
                continue;
            }
            if let Some(key) = key.strip_prefix("*.") {
                to.values |= if key == name { bit } else { 0 };
            } else if let Some(key) = key.strip_suffix(".*") {
                to.names |= if key == name && !place.below { bit } else { 0 };
            } else if key == name && !place.below {
                to.values |= bit;
            }
        }
        to
    }

    /// A value that is no text stands at `place`: a server may take it for one, in words of its own.
    pub(super) fn other(&mut self, place: Place) {
        self.odd |= place.wants_text();
    }

    /// A text that stands at `place`.
    pub(super) fn text(&mut self, place: Place, text: &str) {
        self.keep(place.values, text);
    }

    fn keep(&mut self, keys: u64, text: &str) {
        for (at, found) in self.found.iter_mut().enumerate() {
            if keys.checked_shr(at as u32).unwrap_or_default() & 1 == 1 && found.len() < VALUES_MAX
            {
                found.push(text.to_owned());
            }
        }
    }

    /// A pair of a form.
    pub(super) fn pair(&mut self, name: &str, value: &str) {
        for (key, found) in self.keys.iter().zip(&mut self.found) {
            let called = base(key);
            let first = name.split('.').next().unwrap_or(name);
            self.odd |= first != called && first.eq_ignore_ascii_case(called);
            let Some(below) = name.strip_prefix(called) else {
                continue;
            };
            if is_wider(key) {
                if found.is_empty() && (below.is_empty() || below.starts_with('.')) {
                    found.push(ANYTHING.to_owned());
                }
                continue;
            }
            let items = key.trim_start_matches(['+', '!']).strip_suffix('#');
            let number = items.and_then(|start| name.strip_prefix(start));
            let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
            let is_value = match items {
                Some(_) => number.is_some_and(is_number),
                None => below.is_empty(),
            };
            if is_value && found.len() < VALUES_MAX {
                found.push(value.to_owned());
            } else if !is_value {
                // A list without items is written as its name alone.
                let is_list = below.is_empty() && value.is_empty();
                let names = !key.starts_with('@') && !is_list;
                self.odd |= names && (below.is_empty() || below.starts_with('.'));
            }
        }
    }

    /// The keys with what was found under each; `None` where a form could be read in two ways.
    pub(super) fn found(self) -> Option<Vec<(&'static str, Vec<String>)>> {
        let found = self.keys.iter().copied().zip(self.found).collect();
        (!self.odd).then_some(found)
    }
}

/// The names in a map or a form, each of which may stand there once.
#[derive(Default)]
pub(super) struct Names {
    hashes: HashSet<u64>,
    // Of its own in each: names that fall together for one body do not for the next.
    hasher: RandomState,
}

impl Names {
    /// Whether the name is new here.
    pub(super) fn add(&mut self, name: &str) -> bool {
        self.hashes.insert(self.hasher.hash_one(name))
    }
}
