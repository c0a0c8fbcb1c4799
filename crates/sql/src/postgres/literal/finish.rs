//! What is kept of what was gathered.

use std::collections::{HashMap, HashSet};

use super::gather::Gather;
use super::{Literals, Whole};

/// Columns that every table has.
const SYSTEM: [&str; 7] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"];

impl Gather<'_> {
    /// Words but for those that are names which the statement gives, or that every table has.
    fn words(&mut self) -> HashMap<String, Vec<u32>> {
        let mut words = std::mem::take(&mut self.words);
        for (name, _) in &self.given {
            words.remove(&**name);
        }
        let rows = self.rows.iter().map(|(name, _)| *name);
        for name in rows.chain(SYSTEM.iter().copied()) {
            words.remove(name);
        }
        let words = words.into_iter();
        words.map(|(name, at)| (name.to_owned(), at)).collect()
    }

    /// Joins names with what they were given to, and keeps what has to do with a column.
    pub(super) fn finish(mut self) -> Literals {
        self.found.words = self.words();
        self.found.given = SYSTEM.iter().map(|name| (*name).to_owned()).collect();
        for (name, group) in std::mem::take(&mut self.given) {
            if self.natural {
                self.names.entry(name.clone()).or_insert(group);
            }
            if let Some(used) = self.names.get(&name) {
                self.groups.unite(*used, group);
                self.found.given.insert(name.into_owned());
            }
        }
        for (name, outs) in std::mem::take(&mut self.rows) {
            if let Some(used) = self.names.get(name).copied() {
                self.found.given.insert(name.to_owned());
                self.groups.compute(used);
                self.link_all(used, &outs);
            }
        }
        for (qualifier, group) in std::mem::take(&mut self.qualifiers) {
            for (item, of) in &self.open_items {
                if *item == qualifier {
                    self.groups.unite(group, *of);
                }
            }
        }
        let Self {
            mut groups,
            mut found,
            names,
            ..
        } = self;
        let names = names.into_iter();
        let names = names.map(|(name, group)| (name.into_owned(), groups.root(group)));
        found.names = names.collect();
        let columns = found.columns.iter_mut().map(|(_, group)| group);
        let calls = found.calls.iter_mut();
        let calls = calls.flat_map(|call| [&mut call.group, &mut call.given]);
        columns
            .chain(calls)
            .chain(&mut found.executed)
            .chain(found.open.iter_mut().map(|open| &mut open.group))
            .for_each(|group| *group = groups.root(*group));
        if let Whole::With(group) = &mut found.whole {
            *group = groups.root(*group);
        }
        let columns = found.columns.iter().map(|(_, group)| *group);
        let live: HashSet<u32> = columns
            .chain(found.names.values().copied())
            .chain(found.executed.iter().copied())
            .chain(found.calls.iter().flat_map(|it| [it.group, it.given]))
            .chain(found.open.iter().map(|open| open.group))
            .collect();
        found.literals.retain_mut(|(_, group)| {
            *group = groups.root(*group);
            live.contains(group)
        });
        let parameters = found.parameters.iter_mut();
        parameters.for_each(|(_, group)| *group = groups.root(*group));
        found.computed = groups.computed();
        found.computed.retain(|group| live.contains(group));
        found
    }
}
