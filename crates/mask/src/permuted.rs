//! Permutations of whole numbers under the key: each of a domain gets another one of it, and no two the same, so that what was
//! equal or different stays so.

use std::ops::RangeInclusive;

use model::DataClass;

use crate::replace::MaskKey;

/// Of a Feistel network, alternately over its two halves.
const ROUNDS: u64 = 8;

impl MaskKey {
    /// The next of `value` in a circle that only the key tells, of all in the domain that `fits` takes; another circle for each
    /// `among`.
    pub(crate) fn permuted(
        &self,
        class: &DataClass,
        among: &[u8],
        domain: RangeInclusive<u64>,
        value: u64,
        fits: impl Fn(u64) -> bool,
    ) -> u64 {
        let (first, last) = domain.into_inner();
        let count = last - first;
        let bits = (u64::BITS - count.leading_zeros()).max(2);
        let network = Network {
            key: self,
            class,
            domain: [&first.to_be_bytes()[..], &last.to_be_bytes(), among].concat(),
            left: bits / 2,
            right: bits - bits / 2,
        };
        let all = u64::MAX >> (u64::BITS - bits);
        let mut place = network.back(value - first);
        loop {
            place = place.wrapping_add(1) & all;
            let made = network.forth(place);
            if made <= count && fits(made + first) {
                return made + first;
            }
        }
    }
}

/// A permutation of the numbers of some bits.
struct Network<'a> {
    key: &'a MaskKey,
    class: &'a DataClass,
    domain: Vec<u8>,
    left: u32,
    right: u32,
}

impl Network<'_> {
    fn forth(&self, value: u64) -> u64 {
        (0..ROUNDS).fold(value, |value, round| self.round(value, round))
    }

    fn back(&self, value: u64) -> u64 {
        (0..ROUNDS)
            .rev()
            .fold(value, |value, round| self.round(value, round))
    }

    /// Its own inverse: one half decides what is added to the other.
    fn round(&self, value: u64, round: u64) -> u64 {
        let (left, right) = (value >> self.right, value & mask(self.right));
        let (left, right) = if round.is_multiple_of(2) {
            (left ^ self.noise(right, round) & mask(self.left), right)
        } else {
            (left, right ^ self.noise(left, round) & mask(self.right))
        };
        left << self.right | right
    }

    fn noise(&self, half: u64, round: u64) -> u64 {
        let text = [&self.domain[..], &half.to_be_bytes()].concat();
        let digest = self.key.digest(b"number", self.class, &text, round);
        digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }
}

fn mask(bits: u32) -> u64 {
    u64::MAX.checked_shr(u64::BITS - bits).unwrap_or(0)
}
