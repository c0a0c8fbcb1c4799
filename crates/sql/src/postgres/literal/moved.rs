//! The same of another text, which differs in values of literals.

use std::ops::Range;

use super::scan::Tokens;
use super::{Concealed, Literals};
use crate::postgres::outline::Moves;

impl Literals {
    pub(in super::super) fn moved(&self, moves: &Moves) -> Self {
        let mut moved = self.clone();
        let literals = moved.literals.iter_mut().map(|(place, _)| place);
        let words = moved.words.values_mut().flatten();
        literals
            .chain(&mut moved.code)
            .chain(words)
            .for_each(|place| *place = moves.place32(*place));
        moved.body = moved.body.map(|range| range_of(&range, moves));
        moved
    }
}

impl Concealed {
    /// What is to be hidden of another text of the same outline.
    #[must_use]
    pub fn moved(&self, moves: &Moves) -> Self {
        let mut moved = self.clone();
        let literals = moved.literals.iter_mut().map(|(place, _)| place);
        literals
            .chain(&mut moved.strays)
            .chain(&mut moved.code)
            .for_each(|place| *place = moves.place32(*place));
        for range in moved.bodies.iter_mut().chain(&mut moved.wholly) {
            *range = range_of(range, moves);
        }
        moved
    }
}

impl Tokens {
    /// The tokens of another text of the same outline.
    #[must_use]
    pub fn moved(&self, moves: &Moves) -> Self {
        let mut moved = self.clone();
        for token in &mut moved.0 {
            for place in [&mut token.start, &mut token.end] {
                let at = u32::try_from(*place).map(|at| moves.place32(at));
                *place = at.map_or(i32::MAX, |at| i32::try_from(at).unwrap_or(i32::MAX));
            }
        }
        moved
    }
}

fn range_of(range: &Range<u32>, moves: &Moves) -> Range<u32> {
    moves.place32(range.start)..moves.place32(range.end)
}
