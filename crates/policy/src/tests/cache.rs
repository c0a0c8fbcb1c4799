//! What is kept of decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Decision, Denial, DenialCode, Digest};

use crate::NO_LABELS;
use crate::cache::{Cache, DECISIONS_MAX, Kept, Key, Shard};

fn key(number: u64, approved: &BTreeSet<String>) -> Key<'_> {
    Key {
        identity: Digest::of(&[&number.to_be_bytes()]),
        asks: Digest::of(&[b"asks"]),
        target: "bank",
        protocol: "postgres",
        labels: &NO_LABELS,
        approved,
    }
}

fn made(number: u64) -> Decision {
    Decision::Deny(Denial::new(DenialCode::Forbidden, number.to_string()))
}

#[test]
fn the_cache_is_bounded_and_never_gives_another_keys_decision() {
    let cache = Cache::new();
    let none = BTreeSet::new();
    let many = 3 * DECISIONS_MAX as u64;
    for number in 0..many {
        let decision = cache.get(key(number, &none), || made(number));
        assert_eq!(*decision, made(number));
    }
    assert!(cache.len() <= DECISIONS_MAX, "{}", cache.len());
    assert!(cache.len() > DECISIONS_MAX / 4, "{}", cache.len());
    for number in 0..many {
        assert_eq!(
            *cache.get(key(number, &none), || made(number)),
            made(number)
        );
    }
}

#[test]
fn what_is_used_stays() {
    let cache = Cache::new();
    let none = BTreeSet::new();
    let first = cache.get(key(0, &none), || made(0));
    for number in 1..2 * DECISIONS_MAX as u64 {
        let _ = cache.get(key(number, &none), || made(number));
        let again = cache.get(key(0, &none), || panic!("forgotten after {number}"));
        assert!(Arc::ptr_eq(&first, &again));
    }
}

#[test]
fn threads_share_one_cache() {
    let cache = Cache::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let none = BTreeSet::new();
                for number in 0..2_000 {
                    let decision = cache.get(key(number % 50, &none), || made(number % 50));
                    assert_eq!(*decision, made(number % 50));
                }
            });
        }
    });
    assert_eq!(cache.len(), 50);
}

/// Even where two keys have one hash, neither gets the other's decision.
#[test]
fn equal_hashes_are_not_equal_keys() {
    let (none, some) = (BTreeSet::new(), BTreeSet::from(["g".to_owned()]));
    let labels = BTreeMap::from([("l".to_owned(), "x".to_owned())]);
    let own = key(0, &none);
    let mut shard = Shard::default();
    let mut look = |key: Key<'_>| {
        shard.put(7, Kept::new(&own, Arc::new(made(0))));
        shard.find(7, &key).is_some()
    };
    assert!(look(own));
    let digest = Digest::of(&[b"other"]);
    let others = [
        Key {
            identity: digest,
            ..own
        },
        Key {
            asks: digest,
            ..own
        },
        Key {
            target: "shop",
            ..own
        },
        Key {
            protocol: "mysql",
            ..own
        },
        Key {
            labels: &labels,
            ..own
        },
        Key {
            approved: &some,
            ..own
        },
    ];
    for other in others {
        assert!(!look(other), "{other:?}");
    }
}
