//! Signatures that were used: a request that changes something counts once, however often it is sent.
//!
//! Every SDK signs anew when it tries again, so the same signature twice is a request that somebody caught, or a presigned URL
//! that somebody gave away. What only looks may be asked again for as long as the signature is good, as people do with links.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use model::Timestamp;
use protocols::aws::deny::{Kind, Refusal};

/// Signatures are remembered up to this many, at about forty bytes each; beyond, nothing that changes something may run.
const SIGNATURES_MAX: usize = 4 << 20;

/// The signatures that were used and are still good.
#[derive(Default)]
pub(super) struct Used {
    seen: Mutex<Seen>,
}

/// A signature is a MAC, so its first bits tell it from all others.
#[derive(Default)]
struct Seen {
    signatures: HashSet<u64>,
    /// When they end, in seconds.
    ends: BTreeMap<i64, Vec<u64>>,
}

/// A signature in use. Unless it is kept it may be used again: nothing came of it.
pub(super) struct Claim {
    used: Arc<Used>,
    signature: u64,
    kept: bool,
}

impl Used {
    /// Uses a signature, 64 hexadecimal digits, that is good until `end`.
    ///
    /// # Errors
    /// The refusal where it was used before.
    pub(super) fn claim(
        self: &Arc<Self>,
        signature: &str,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, Refusal> {
        let digits = signature.get(..16).unwrap_or(signature);
        let bits = u64::from_str_radix(digits, 16).unwrap_or_default();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget(now);
        if seen.signatures.len() >= SIGNATURES_MAX {
            let say = "more signatures are in use than the gateway remembers: try again later";
            return Err(Refusal::new(Kind::Unavailable, say));
        }
        if !seen.signatures.insert(bits) {
            let say = "this signature was used already, and a request that changes something counts once: sign it anew";
            return Err(Refusal::new(Kind::Replayed, say));
        }
        seen.ends.entry(end.secs()).or_default().push(bits);
        Ok(Claim {
            used: self.clone(),
            signature: bits,
            kept: false,
        })
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
        if !self.kept {
            let mut seen = self
                .used
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
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
        let first = used.claim(&one, at(900), at(0)).unwrap();
        assert_eq!(
            used.claim(&one, at(900), at(0)).err().map(|it| it.kind),
            Some(Kind::Replayed)
        );
        used.claim(&other, at(900), at(0)).unwrap().keep();
        // Nothing came of it, so it may be tried again.
        drop(first);
        used.claim(&one, at(900), at(1)).unwrap().keep();
        assert!(used.claim(&one, at(900), at(900)).is_err());
        assert!(used.claim(&other, at(900), at(900)).is_err());
        assert!(used.claim(&one, at(1_900), at(901)).is_ok());
        assert_eq!(used.seen.lock().unwrap().signatures.len(), 0);
    }
}
