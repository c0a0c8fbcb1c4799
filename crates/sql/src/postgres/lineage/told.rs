//! What a statement's answer tells of protected values without showing them: through which rows come, how many, in what
//! order, in what groups, and through errors.

use std::collections::BTreeMap;

use model::DataClass;

use super::super::base::{BaseColumn, BaseColumns, OfClass, TEXT_TYPES};
use super::super::builtin;
use super::super::shape::{Expr, Key, Same, Type, With};
use super::super::slot::{Slot, together};
use super::super::taint::{Kind, Taint};
use super::{Lineage, too_much};
use crate::Name;

/// How many values of a class one statement, or one text of several, may ask after before it counts as a search.
pub const GUESSES_MAX: usize = 16;

/// What a statement's predicates depend on, and how.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Told {
    matched: BaseColumns,
    /// With how many constants values of the class are compared; 0 where only with others of it.
    guesses: BTreeMap<DataClass, usize>,
    probed: BaseColumns,
    counted: BaseColumns,
    /// Which are compared with others of their class.
    joined: BaseColumns,
    /// Not all rows need come.
    cut: bool,
    /// Those of which something is asked that the session sets.
    pub(in super::super) asked: BaseColumns,
    /// Something decides of which it is not known what it depends on.
    unknown: bool,
}

/// The same, when all is known.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Predicates {
    pub(in super::super) matched: BaseColumns,
    pub(in super::super) probed: BaseColumns,
    pub(in super::super) counted: BaseColumns,
}

impl Told {
    /// What the predicates depend on, of all declared columns.
    pub(in super::super) fn predicates(self, all: &BaseColumns) -> Predicates {
        let mut probed = if self.unknown {
            all.clone()
        } else {
            self.probed
        };
        let guesses = self.guesses.into_iter();
        let many = guesses.filter(|(_, guesses)| *guesses > GUESSES_MAX);
        let many: Vec<DataClass> = many.map(|(class, _)| class).collect();
        probed.add(&self.matched.of(&many));
        // The server sorts both sides then where it can, and gives the rows with the least values.
        if self.cut {
            probed.add(&self.joined);
        }
        probed.add(&self.asked);
        let few = self.matched.iter().filter(|it| !many.contains(it.class()));
        Predicates {
            matched: few.cloned().collect(),
            probed,
            counted: self.counted,
        }
    }

    /// With how many constants values of each class are compared.
    pub(in super::super) fn guesses(&self) -> BTreeMap<DataClass, usize> {
        self.guesses.clone()
    }

    /// Takes over what the body of a function tells, which compares as often as it is called.
    pub(super) fn searched(&mut self, body: Self) {
        self.probed.add(&body.probed);
        self.probed.add(&body.matched);
        self.counted.add(&body.counted);
        self.asked.add(&body.asked);
        self.unknown |= body.unknown;
    }

    /// Notes whether not all rows need come.
    pub(super) fn cuts(&mut self, cut: bool) {
        self.cut |= cut;
    }

    /// Notes that values of columns are compared with one another.
    fn joins(&mut self, both: [&OfClass; 2]) {
        for of in both {
            self.matches(of, 0);
            self.joined.add(of.columns());
        }
    }

    pub(super) fn probe(&mut self, taint: &Taint) {
        self.unknown |= taint.is_unknown();
        self.probed.add(&taint.columns());
    }

    pub(super) fn matches(&mut self, of: &OfClass, guesses: usize) {
        self.matched.add(of.columns());
        match self.guesses.get_mut(of.class()) {
            Some(count) => *count = count.saturating_add(guesses),
            None => {
                self.guesses.insert(of.class().clone(), guesses);
            }
        }
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
        if taint == Taint::CLEAR {
            return;
        }
        self.told.unknown |= taint.is_unknown();
        self.decided = self.decided.take().with(taint);
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
            self.note_session(condition, &taint);
            self.decide(taint);
        }
    }

    /// An expression that decides by its value.
    pub(super) fn decide_on(&mut self, expr: &Expr) {
        let taint = self.deciding(|this| this.expr(expr));
        self.note_session(expr, &taint);
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
                .fold(Taint::CLEAR, |taint, part| taint.with(self.test(part))),
            Expr::Same(same) => self.same(same),
            // Whether there is a value says nothing of it, and what is shown in its place shows that too.
            Expr::IsNull(path) => {
                let taint = self.column(path).taint;
                if matches!(taint.kind, Kind::Direct(_) | Kind::Document(_)) {
                    return self.counts(&taint);
                }
                self.probe(&taint);
                taint
            }
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
                match (&column.taint.kind, &other.taint.kind) {
                    (Kind::Direct(a), Kind::Direct(b))
                        if a.is_like(b) && column.pure && other.pure =>
                    {
                        self.told.joins([a, b]);
                    }
                    _ => {
                        self.told.probe(&column.taint);
                        self.told.probe(&other.taint);
                    }
                }
                other.taint
            }
            With::Constants { count, functions } => {
                match self.guessed(&column, same) {
                    Some(of) => self.told.matches(&of, *count),
                    None => self.told.probe(&column.taint),
                }
                let other = functions.iter().fold(Taint::CLEAR, |taint, name| {
                    taint.with(self.trusted(name, Taint::CLEAR))
                });
                same.by.iter().fold(other, |taint, name| {
                    taint.with(self.trusted(name, column.taint.clone()))
                })
            }
        };
        column.taint.with(other)
    }

    /// What a column is of that is compared for equality with constants, so that it tells of these values alone.
    fn guessed(&self, column: &Slot, same: &Same) -> Option<OfClass> {
        let (With::Constants { functions, .. }, Kind::Direct(of)) =
            (&same.with, &column.taint.kind)
        else {
            return None;
        };
        if of.columns().iter().any(is_figure) {
            return None;
        }
        // What the server says of partitions is asked by those who describe tables.
        let is_catalog = of.columns().iter().all(BaseColumn::is_of_catalog);
        let by = same.by.iter().filter(|_| !is_catalog);
        let fixed = functions.iter().chain(by).all(|name| self.is_fixed(name));
        let folds = same.by.is_empty() || is_catalog || self.is_text(column);
        let casts = same.casts.is_empty() || same.by.is_empty();
        let own = same.casts.iter().all(|kind| self.is_own_type(column, kind));
        (column.pure && fixed && folds && casts && own).then(|| of.clone())
    }

    /// Whether a column is of a text type, of which `lower` and its like give the same in another form: of a range they give a part.
    fn is_text(&self, column: &Slot) -> bool {
        let kind = self.type_of(column);
        kind.is_some_and(|kind| TEXT_TYPES.contains(&kind))
    }

    /// The type of a column of a relation.
    fn type_of(&self, column: &Slot) -> Option<u32> {
        let (relation, number) = column.origin?;
        let columns = &self.catalog.relation_by_oid(relation)?.columns;
        let column = columns.iter().find(|column| column.number == number)?;
        Some(column.type_oid)
    }

    /// Whether a column is of a type, so that a cast to that changes nothing.
    pub(super) fn is_own_type(&self, column: &Slot, kind: &Type) -> bool {
        let meant = match kind {
            Type::Own(own) => Some(*own),
            Type::Named(name) => self.catalog.type_named(name),
        };
        meant.is_some() && self.type_of(column) == meant
    }

    /// `NULLIF` of a column and a constant: the value itself, and a guess.
    pub(super) fn null_if(&mut self, same: &Same) -> Taint {
        let column = self.column(&same.column);
        let guessed = self.guessed(&column, same);
        let tested = self.same(same);
        let counted = tested.counted();
        guessed.map_or(tested, |of| {
            Taint::from(Kind::Direct(of)).and_counts(&counted)
        })
    }

    /// Columns of both sides that a join makes one.
    pub(super) fn join_by(&mut self, left: Slot, right: Slot) {
        match (&left.taint.kind, &right.taint.kind) {
            (Kind::Direct(a), Kind::Direct(b)) if a.is_like(b) && left.pure && right.pure => {
                self.told.joins([a, b]);
                self.decide(left.taint.with(right.taint));
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

    /// What rows are sorted by, where an output column's name means that column and no other (SQL-92).
    pub(super) fn sorts(&mut self, keys: &[Key], outputs: &[Slot]) {
        self.keys(keys, outputs, true);
    }

    /// What rows are grouped by, or are distinct in, with the output columns that it can name.
    pub(super) fn groups(&mut self, keys: &[Key], outputs: &[Slot]) {
        self.keys(keys, outputs, false);
    }

    fn keys(&mut self, keys: &[Key], outputs: &[Slot], sorts: bool) {
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
                        .fold(Taint::CLEAR, |taint, slot| taint.with(slot.taint.clone()));
                    self.decide_by(taint);
                    // An alias need not be a column as well.
                    let none = named.iter().all(|slot| slot.name.is_none());
                    if none || !sorts && self.found(path).is_some() {
                        self.decide_on(&Expr::Column(path.clone()));
                    }
                }
                Key::Expr(same @ Expr::Same(_)) => {
                    let taint = self.deciding(|this| this.test(same));
                    self.note_session(same, &taint);
                    let columns = taint.columns();
                    // Tables are described in such an order.
                    match columns.iter().all(BaseColumn::is_of_catalog) {
                        true => self.decide(taint),
                        false => self.decide_by(taint),
                    }
                }
                Key::Expr(expr) => self.decide_on(expr),
            }
        }
    }

    /// A value that goes to a column with protected ones: a unique, foreign or exclusion key tells whether it was there.
    pub(super) fn write(&mut self, value: &Slot, place: &Taint, constants: Option<usize>) {
        match (&place.kind, constants) {
            (Kind::Clear, _) => {}
            (Kind::Direct(of), Some(count)) => self.told.matches(of, count),
            (Kind::Document(document), Some(count)) => {
                let columns = document.columns().iter();
                columns.for_each(|it| self.told.matches(&OfClass::one(it.clone()), count));
            }
            (Kind::Document(_), None) if value.pure && value.taint.is_like(place) => {}
            (Kind::Direct(of), None) if value.pure && value.taint.is_like(place) => {
                // Whether a value of the one is there in the other.
                if let Kind::Direct(from) = &value.taint.kind
                    && from != of
                {
                    self.told.matches(from, 0);
                    self.told.matches(of, 0);
                }
            }
            _ => self.told.probe(place),
        }
    }

    /// What only tells how many values a plain column has, or whether there is one.
    pub(super) fn counts(&mut self, column: &Taint) -> Taint {
        let mut counted = column.columns();
        counted.add(&column.counted());
        self.told.counted.add(&counted);
        Taint::counting(counted)
    }
}

/// Whether a column holds figures of geometry, of which `=` compares sizes, or takes what is near.
fn is_figure(column: &BaseColumn) -> bool {
    column
        .kind()
        .is_some_and(|kind| FIGURES.contains(&kind.oid))
}

/// `point`, `lseg`, `path`, `box`, `polygon`, `line`, `circle`.
const FIGURES: [u32; 7] = [600, 601, 602, 603, 604, 628, 718];

/// What the output column of this number, from 1, depends on.
fn numbered(number: usize, outputs: &[Slot]) -> Taint {
    if outputs.iter().take(number).any(|slot| slot.many) {
        return together(outputs);
    }
    let slot = number.checked_sub(1).and_then(|index| outputs.get(index));
    slot.map_or(Taint::CLEAR, |slot| slot.taint.clone())
}
