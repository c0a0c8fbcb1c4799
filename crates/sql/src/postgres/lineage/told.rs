//! What a statement's answer tells of protected values without showing them: through which rows come, how many, in what
//! order, in what groups, and through errors.

use std::collections::{BTreeMap, BTreeSet};

use model::DataClass;

use super::super::builtin;
use super::super::shape::{Expr, Key, Same, With};
use super::super::taint::{Slot, Taint, together};
use super::{Lineage, too_much};
use crate::Name;

/// How many values of a class one statement, or one text of several, may ask after before it counts as a search.
pub const GUESSES_MAX: usize = 16;
/// `text`, `bpchar` and `varchar` (`pg_type.dat`).
pub(super) const TEXT_TYPES: [u32; 3] = [25, 1042, 1043];

/// The classes that a statement's predicates depend on, and how.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Told {
    /// With how many constants values of the class are compared; 0 where only with others of it.
    matched: BTreeMap<DataClass, usize>,
    probed: BTreeSet<DataClass>,
    /// Something decides of which it is not known what it depends on.
    unknown: bool,
}

impl Told {
    /// The classes that are matched, and those that are probed, of these that there are.
    pub(in super::super) fn classes(
        self,
        all: &BTreeSet<DataClass>,
    ) -> (BTreeSet<DataClass>, BTreeSet<DataClass>) {
        let mut probed = if self.unknown {
            all.clone()
        } else {
            self.probed
        };
        let (few, many): (Vec<_>, Vec<_>) = self
            .matched
            .into_iter()
            .partition(|(_, guesses)| *guesses <= GUESSES_MAX);
        probed.extend(many.into_iter().map(|(class, _)| class));
        (few.into_iter().map(|(class, _)| class).collect(), probed)
    }

    /// With how many constants values of each class are compared.
    pub(in super::super) fn guesses(&self) -> BTreeMap<DataClass, usize> {
        self.matched.clone()
    }

    /// Takes over what the body of a function tells, which compares as often as it is called.
    pub(super) fn searched(&mut self, body: Self) {
        self.probed.extend(body.probed);
        self.probed.extend(body.matched.into_keys());
        self.unknown |= body.unknown;
    }

    fn probe(&mut self, taint: &Taint) {
        self.unknown |= matches!(taint, Taint::Unknown(_));
        self.probed.extend(taint.classes());
    }

    fn matches(&mut self, class: &DataClass, guesses: usize) {
        let count = self.matched.entry(class.clone()).or_default();
        *count = count.saturating_add(guesses);
    }
}

impl Lineage<'_> {
    /// Notes that something is computed of protected values: whether it fails, and how long it takes, can be seen.
    pub(super) fn probe(&mut self, taint: &Taint) {
        self.told.probe(taint);
    }

    /// Notes that rows come, or are sorted or grouped, by this.
    pub(super) fn decide_by(&mut self, taint: Taint) {
        self.told.probe(&taint);
        self.decide(taint);
    }

    /// Notes that something decides that may depend on anything.
    pub(super) fn told_anything(&mut self) {
        self.told.unknown = true;
    }

    fn decide(&mut self, taint: Taint) {
        if taint == Taint::Clear {
            return;
        }
        self.told.unknown |= matches!(taint, Taint::Unknown(_));
        self.decided = std::mem::replace(&mut self.decided, Taint::Clear).with(taint);
    }

    /// Looks at what decides: anything in it of which it is not known what it depends on counts.
    pub(super) fn deciding<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.decides, true);
        let result = run(self);
        self.decides = before;
        result
    }

    /// A condition that rows must meet.
    pub(super) fn filter(&mut self, condition: &Expr) {
        if let Expr::Conditions(parts) = condition {
            parts.iter().for_each(|part| self.filter(part));
        } else {
            let taint = self.deciding(|this| this.test(condition));
            self.decide(taint);
        }
    }

    /// An expression that decides by its value.
    pub(super) fn decide_on(&mut self, expr: &Expr) {
        let taint = self.deciding(|this| this.expr(expr));
        self.decide_by(taint);
    }

    /// A condition, wherever it stands. Gives what it depends on.
    pub(super) fn test(&mut self, condition: &Expr) -> Taint {
        if !self.step(1) {
            return too_much();
        }
        match condition {
            Expr::Conditions(parts) => parts
                .iter()
                .fold(Taint::Clear, |taint, part| taint.with(self.test(part))),
            Expr::Same(same) => self.same(same),
            // Whether there is a value says nothing of it, and what is shown in its place shows that too.
            Expr::IsNull(path) => match self.column(path).taint {
                Taint::Direct(_) | Taint::Document(_) => Taint::Clear,
                taint => {
                    self.probe(&taint);
                    taint
                }
            },
            other => {
                let taint = self.expr(other);
                self.probe(&taint);
                taint
            }
        }
    }

    fn same(&mut self, same: &Same) -> Taint {
        let column = self.column(&same.column);
        let other = match &same.with {
            With::Column(path) => {
                let other = self.column(path);
                match (&column.taint, &other.taint) {
                    (Taint::Direct(a), Taint::Direct(b)) if a == b && column.pure && other.pure => {
                        self.told.matches(a, 0);
                    }
                    (a, b) => {
                        self.told.probe(a);
                        self.told.probe(b);
                    }
                }
                other.taint
            }
            With::Constants { count, functions } => {
                match self.guessed(&column, same) {
                    Some(class) => self.told.matches(&class, *count),
                    None => self.told.probe(&column.taint),
                }
                let other = functions.iter().fold(Taint::Clear, |taint, name| {
                    taint.with(self.trusted(name, Taint::Clear))
                });
                same.by.iter().fold(other, |taint, name| {
                    taint.with(self.trusted(name, column.taint.clone()))
                })
            }
        };
        column.taint.with(other)
    }

    /// The class of a column that is compared for equality with constants, so that it tells of these values alone.
    fn guessed(&self, column: &Slot, same: &Same) -> Option<DataClass> {
        let (With::Constants { functions, .. }, Taint::Direct(class)) = (&same.with, &column.taint)
        else {
            return None;
        };
        let mut functions = functions.iter().chain(&same.by);
        let fixed = functions.all(|name| self.is_fixed(name));
        let folds = same.by.is_empty() || self.is_text(column);
        (column.pure && fixed && folds).then(|| class.clone())
    }

    /// Whether a column is of a text type, of which `lower` and its like give the same in another form: of a range they give a part.
    fn is_text(&self, column: &Slot) -> bool {
        let kind = column.origin.and_then(|(relation, number)| {
            let columns = &self.catalog.relation_by_oid(relation)?.columns;
            let column = columns.iter().find(|column| column.number == number)?;
            Some(column.type_oid)
        });
        kind.is_some_and(|kind| TEXT_TYPES.contains(&kind))
    }

    /// `NULLIF` of a column and a constant: the value itself, and a guess.
    pub(super) fn null_if(&mut self, same: &Same) -> Taint {
        let column = self.column(&same.column);
        let guessed = self.guessed(&column, same);
        let tested = self.same(same);
        guessed.map_or(tested, Taint::Direct)
    }

    /// Columns of both sides that a join makes one.
    pub(super) fn join_by(&mut self, left: Slot, right: Slot) {
        match (&left.taint, &right.taint) {
            (Taint::Direct(a), Taint::Direct(b)) if a == b && left.pure && right.pure => {
                self.told.matches(a, 0);
                self.decide(left.taint.computed());
            }
            _ => self.decide_by(left.taint.with(right.taint)),
        }
    }

    pub(super) fn is_fixed(&self, name: &Name) -> bool {
        builtin::is_fixed(&name.name)
            && self
                .catalog
                .functions(name)
                .all(|function| function.builtin)
    }

    /// What rows are sorted or grouped by, with the output columns that it can name.
    pub(super) fn keys(&mut self, keys: &[Key], outputs: &[Slot]) {
        for key in keys {
            match key {
                Key::Number(number) => self.decide_by(numbered(*number, outputs)),
                Key::Expr(Expr::Column(path)) if path.len() == 1 => {
                    self.step(outputs.len());
                    let may_mean =
                        |slot: &&Slot| slot.name.is_none() || slot.name.as_ref() == path.first();
                    let named: Vec<&Slot> = outputs.iter().filter(may_mean).collect();
                    let taint = named
                        .iter()
                        .fold(Taint::Clear, |taint, slot| taint.with(slot.taint.clone()));
                    self.decide_by(taint);
                    // An alias need not be a column as well.
                    if named.iter().all(|slot| slot.name.is_none()) || self.found(path).is_some() {
                        self.decide_on(&Expr::Column(path.clone()));
                    }
                }
                Key::Expr(expr) => self.decide_on(expr),
            }
        }
    }

    /// A value that goes to a column with protected ones: a unique, foreign or exclusion key tells whether it was there.
    pub(super) fn write(&mut self, value: &Slot, place: &Taint, constants: Option<usize>) {
        match (place, constants) {
            (Taint::Clear, _) => {}
            (Taint::Direct(class), Some(count)) => self.told.matches(class, count),
            (Taint::Document(document), Some(count)) => {
                let classes = document.classes();
                classes
                    .iter()
                    .for_each(|class| self.told.matches(class, count));
            }
            (Taint::Direct(_) | Taint::Document(_), None)
                if value.pure && value.taint == *place => {}
            (place, _) => self.told.probe(place),
        }
    }
}

/// What the output column of this number, from 1, depends on.
fn numbered(number: usize, outputs: &[Slot]) -> Taint {
    if outputs.iter().take(number).any(|slot| slot.many) {
        return together(outputs);
    }
    let slot = number.checked_sub(1).and_then(|index| outputs.get(index));
    slot.map_or(Taint::Clear, |slot| slot.taint.clone())
}
