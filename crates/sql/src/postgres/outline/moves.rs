//! Places in one text to places in another that differs in its literals.

use std::ops::Range;

/// How places move from one text to another of the same outline. A place within a literal has none in the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    /// Where literals end in the one text, and in the other, in order; empty where all places are the same.
    ends: Vec<(usize, usize)>,
}

impl Moves {
    pub(super) fn new(from: &[Range<usize>], to: &[Range<usize>]) -> Self {
        let ends = from.iter().zip(to).map(|(from, to)| (from.end, to.end));
        let mut ends: Vec<(usize, usize)> = ends.collect();
        if ends.iter().all(|(from, to)| from == to) {
            ends.clear();
        }
        Self { ends }
    }

    /// Whether every place is the same in both.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.ends.is_empty()
    }

    pub(in super::super) fn place(&self, at: usize) -> usize {
        let before = self.ends.partition_point(|(from, _)| *from <= at);
        match before.checked_sub(1).and_then(|last| self.ends.get(last)) {
            Some((from, to)) => at - from + to,
            None => at,
        }
    }

    pub(in super::super) fn place32(&self, at: u32) -> u32 {
        let moved = usize::try_from(at).map(|at| self.place(at));
        moved.map_or(u32::MAX, |at| u32::try_from(at).unwrap_or(u32::MAX))
    }

    pub(in super::super) fn range(&self, range: &Range<usize>) -> Range<usize> {
        self.place(range.start)..self.place(range.end)
    }
}
