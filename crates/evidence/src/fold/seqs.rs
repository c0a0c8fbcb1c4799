//! The numbers a session's commands carry, kept as ranges: they come nearly in order.

use std::collections::BTreeMap;

/// A set of numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seqs {
    /// First to last.
    ranges: BTreeMap<u64, u64>,
}

impl Seqs {
    /// Adds a number; `false` if it is there already.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        let before = self
            .ranges
            .range(..=number)
            .next_back()
            .map(|(&first, &last)| (first, last));
        let mut first = number;
        if let Some((start, last)) = before {
            if number <= last {
                return false;
            }
            if last + 1 == number {
                first = start;
            }
        }
        let last = number
            .checked_add(1)
            .and_then(|next| self.ranges.remove(&next))
            .unwrap_or(number);
        self.ranges.insert(first, last);
        true
    }

    /// How many numbers from 1 to the largest are not there.
    pub(crate) fn missing(&self) -> u64 {
        let held: u64 = self
            .ranges
            .iter()
            .map(|(first, last)| last - first + 1)
            .sum();
        let largest = self.ranges.values().next_back().copied().unwrap_or(0);
        largest.saturating_sub(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_once_in_any_order() {
        let mut seqs = Seqs::default();
        for number in [1, 2, 5, 4, 9, 3] {
            assert!(seqs.insert(number), "{number}");
        }
        for number in [1, 2, 3, 4, 5, 9] {
            assert!(!seqs.insert(number), "{number}");
        }
        assert_eq!(seqs.ranges, BTreeMap::from([(1, 5), (9, 9)]));
        assert_eq!(seqs.missing(), 3);
        assert!(seqs.insert(u64::MAX));
    }
}
