//! Signatures that were used: a request that changes something counts once, however often it is sent.
//!
//! The same signature twice is a request that somebody caught, or a presigned URL that somebody gave away. What only looks may be
//! asked again for as long as the signature is good, as people do with links.
//!
//! But signatures tell time in seconds, and botocore signs nothing else that differs: two equal messages that a queue is to have
//! are one signature where they are sent in one second. So it counts again for a moment on the connection that it came by:
//! whoever caught a request cannot send it there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use model::Timestamp;
use protocols::aws::deny::{Kind, Refusal};

/// So many seconds after its first use a signature counts again on its connection: it was made in one, and may have been on its way.
const MOMENT_SECS: i64 = 2;
/// Signatures are remembered up to this many, at about sixty bytes each; beyond, nothing that changes something may run.
const SIGNATURES_MAX: usize = 4 << 20;

/// The signatures that were used and are still good.
#[derive(Default)]
pub(super) struct Used {
    seen: Mutex<Seen>,
}

/// A signature is a MAC, so its first bits tell it from all others.
#[derive(Default)]
struct Seen {
    signatures: HashMap<u64, Use>,
    /// When they end, in seconds.
    ends: BTreeMap<i64, Vec<u64>>,
}

/// How a signature was used.
struct Use {
    connection: u64,
    first: i64,
    /// Requests with it that are under way.
    claims: u32,
    kept: bool,
}

/// A signature in use. Unless it is kept it may be used again: nothing came of it.
pub(super) struct Claim {
    used: Arc<Used>,
    signature: u64,
    kept: bool,
}

impl Used {
    /// Uses a signature, 64 hexadecimal digits, that is good until `end` and came by this connection.
    ///
    /// # Errors
    /// The refusal where it was used before.
    pub(super) fn claim(
        self: &Arc<Self>,
        signature: &str,
        end: Timestamp,
        now: Timestamp,
        connection: u64,
    ) -> Result<Claim, Refusal> {
        let digits = signature.get(..16).unwrap_or(signature);
        let bits = u64::from_str_radix(digits, 16).unwrap_or_default();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget(now);
        if seen.signatures.len() >= SIGNATURES_MAX {
            let say = "more signatures are in use than the gateway remembers: try again later";
            return Err(Refusal::new(Kind::Unavailable, say));
        }
        if let Some(used) = seen.signatures.get_mut(&bits) {
            if used.connection == connection
                && (0..MOMENT_SECS).contains(&(now.secs() - used.first))
            {
                used.claims += 1;
                return Ok(self.claimed(bits));
            }
            let say = "this signature was used already, and a request that changes something counts once: sign it anew";
            return Err(Refusal::new(Kind::Replayed, say));
        }
        let used = Use {
            connection,
            first: now.secs(),
            claims: 1,
            kept: false,
        };
        seen.signatures.insert(bits, used);
        seen.ends.entry(end.secs()).or_default().push(bits);
        Ok(self.claimed(bits))
    }

    fn claimed(self: &Arc<Self>, signature: u64) -> Claim {
        Claim {
            used: self.clone(),
            signature,
            kept: false,
        }
    }
}

impl Seen {
    fn forget(&mut self, now: Timestamp) {
        while let Some(first) = self.ends.first_entry()
            && *first.key() < now.secs()
        {
            for signature in first.remove() {
                self.signatures.remove(&signature);
            }
        }
    }
}

impl Claim {
    /// It was used for good.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let seen = self.used.seen.lock();
        let mut seen = seen.unwrap_or_else(PoisonError::into_inner);
        let Some(used) = seen.signatures.get_mut(&self.signature) else {
            return;
        };
        used.claims = used.claims.saturating_sub(1);
        used.kept |= self.kept;
        if used.claims == 0 && !used.kept {
            // Where it ends it stands still, and does no harm there.
            seen.signatures.remove(&self.signature);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_counts_once_until_it_ends() {
        let used = Arc::new(Used::default());
        let at = Timestamp::from_secs;
        let (one, other) = ("0f".repeat(32), "f0".repeat(32));
        let first = used.claim(&one, at(900), at(0), 1).unwrap();
        assert_eq!(
            used.claim(&one, at(900), at(0), 2).err().map(|it| it.kind),
            Some(Kind::Replayed)
        );
        used.claim(&other, at(900), at(0), 1).unwrap().keep();
        // Nothing came of it, so it may be tried again.
        drop(first);
        used.claim(&one, at(900), at(1), 1).unwrap().keep();
        assert!(used.claim(&one, at(900), at(900), 1).is_err());
        assert!(used.claim(&other, at(900), at(900), 1).is_err());
        assert!(used.claim(&one, at(1_900), at(901), 1).is_ok());
        assert_eq!(used.seen.lock().unwrap().signatures.len(), 0);
    }

    #[test]
    fn it_counts_again_for_a_moment_where_it_came_from() {
        let used = Arc::new(Used::default());
        let at = Timestamp::from_secs;
        let one = "0f".repeat(32);
        let claim = |secs, connection| used.claim(&one, at(900), at(secs), connection);
        claim(10, 1).unwrap().keep();
        // Two equal messages in one second.
        claim(10, 1).unwrap().keep();
        claim(11, 1).unwrap().keep();
        // Somebody else, even at once, and whoever is late.
        assert!(claim(10, 2).is_err());
        assert!(claim(12, 1).is_err());
        assert!(claim(9, 1).is_err());
    }

    #[test]
    fn one_that_failed_takes_nothing_back_of_one_that_did_not() {
        let used = Arc::new(Used::default());
        let at = Timestamp::from_secs;
        let one = "0f".repeat(32);
        let claim = |secs, connection| used.claim(&one, at(900), at(secs), connection);
        let (first, second) = (claim(10, 1).unwrap(), claim(10, 1).unwrap());
        drop(first);
        assert!(claim(10, 2).is_err());
        second.keep();
        assert!(claim(10, 2).is_err());
        let third = claim(10, 1).unwrap();
        drop(third);
        assert!(claim(10, 2).is_err());
    }
}
