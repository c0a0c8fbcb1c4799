//! Common table expressions.

use pg_query::{NodeRef, protobuf};

use super::gather::{Gather, Out, inner, refs};

/// A common table expression.
pub(super) struct Cte<'a> {
    name: &'a str,
    /// What it gives, once that is known.
    outs: Option<Vec<Out>>,
    /// It is being read.
    reading: bool,
    /// The groups of what asked for it by places before it was read.
    asked: Vec<u32>,
}

impl<'a> Cte<'a> {
    fn new(name: &'a str, outs: Option<Vec<Out>>) -> Self {
        Self {
            name,
            outs,
            reading: false,
            asked: Vec::new(),
        }
    }
}

impl<'a> Gather<'a> {
    /// What a common table expression of the name gives; of one that is still being read, by names or by `places`.
    pub(super) fn cte(&mut self, name: &str, by_places: bool) -> Option<Vec<Out>> {
        let group = self.groups.fresh();
        let mut ctes = self.ctes.iter_mut().rev();
        let cte = ctes.find(|cte| cte.name == name)?;
        if let Some(outs) = &cte.outs {
            return Some(outs.clone());
        }
        if by_places || !cte.reading {
            cte.asked.push(group);
        }
        Some(vec![Out::Rest(group)])
    }

    pub(super) fn with(&mut self, clause: Option<&'a protobuf::WithClause>) -> usize {
        let outside = self.ctes.len();
        let Some(clause) = clause else { return outside };
        let ctes = || {
            refs(&clause.ctes).filter_map(|cte| match cte {
                NodeRef::CommonTableExpr(cte) => Some(cte),
                _ => None,
            })
        };
        // Each of them may be read in any of them.
        if clause.recursive {
            self.ctes
                .extend(ctes().map(|cte| Cte::new(&cte.ctename, None)));
        }
        for (index, cte) in ctes().enumerate() {
            if let Some(read) = self.ctes.get_mut(outside + index) {
                read.reading = true;
            }
            let query = cte.ctequery.as_deref().and_then(inner);
            let outs = query.map_or_else(Vec::new, |query| self.statement(query));
            let outs = self.rename(outs, &cte.aliascolnames);
            if let Some(cycle) = cte.cycle_clause.as_deref() {
                self.maybe_alone(cycle.cycle_mark_value.as_deref());
                self.maybe_alone(cycle.cycle_mark_default.as_deref());
            }
            if !clause.recursive {
                self.ctes.push(Cte::new(&cte.ctename, Some(outs)));
                continue;
            }
            if let Some(read) = self.ctes.get_mut(outside + index) {
                read.outs = Some(outs.clone());
                for group in std::mem::take(&mut read.asked) {
                    self.link_all(group, &outs);
                }
            }
        }
        outside
    }
}
