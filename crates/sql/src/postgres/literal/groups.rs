//! Groups of what stands together, found by uniting.

use std::collections::HashSet;

/// Groups by number; those that were united have one root.
#[derive(Default)]
pub(super) struct Groups {
    above: Vec<u32>,
    computed: HashSet<u32>,
}

impl Groups {
    pub(super) fn fresh(&mut self) -> u32 {
        let group = u32::try_from(self.above.len()).unwrap_or(u32::MAX);
        self.above.push(group);
        group
    }

    pub(super) fn root(&mut self, mut group: u32) -> u32 {
        while let Some(&above) = self.above.get(group as usize)
            && above != group
        {
            let over = self.above.get(above as usize).copied().unwrap_or(above);
            if let Some(slot) = self.above.get_mut(group as usize) {
                *slot = over;
            }
            group = over;
        }
        group
    }

    pub(super) fn unite(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(slot) = self.above.get_mut(other as usize) {
            *slot = one;
        }
    }

    /// Something in the group is computed.
    pub(super) fn compute(&mut self, group: u32) {
        self.computed.insert(group);
    }

    /// The roots of groups in which something is computed.
    pub(super) fn computed(&mut self) -> HashSet<u32> {
        let computed = std::mem::take(&mut self.computed);
        computed.into_iter().map(|it| self.root(it)).collect()
    }
}
