//! Literals and parameters that may be values of protected columns: those that stand in one expression with such a column, or
//! in the place of one that is written.
//!
//! [`gather`] looks at the text alone: what is compared with, computed with or put in the place of something goes into one group
//! with it. It follows no scopes: a name means the same throughout a statement, so that rather too much is hidden than too
//! little. [`Literals::conceal`] adds what the catalog knows.

mod ctes;
mod expr;
mod finish;
mod from;
mod gather;
mod groups;
mod moved;
mod open;
mod scan;
mod write;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use model::DataClass;

pub(super) use gather::gather;
pub use scan::{Hidden, Tokens, all_literals};

use super::catalog::{Catalog, Function, Relation, Volatility};
use super::lineage::Lineage;
use super::protected::Protected;
use super::taint::{Kind, Taint};
use crate::Name;
use open::Open;

/// What a literal or parameter may be a value of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// A column of this class.
    Of(DataClass),
    /// Something protected: of several classes, of one that is not known, or computed.
    Any,
}

/// Parameters by their number, from 1, with what each may be a value of.
pub type Parameters = BTreeMap<u32, Held>;

/// What stands with what in a statement.
#[derive(Debug, Clone, Default)]
pub struct Literals {
    /// Where each literal begins in the text, and its group.
    literals: Vec<(u32, u32)>,
    /// Literals that hold statements themselves.
    code: Vec<u32>,
    /// Where all literals do.
    body: Option<Range<u32>>,
    /// Whether all literals are hidden, wherever they stand.
    whole: Whole,
    /// Parameters by number, and their groups.
    parameters: Vec<(u32, u32)>,
    /// The groups of what `EXECUTE` gives, in order.
    executed: Vec<u32>,
    /// Functions that are called.
    calls: Vec<Call>,
    /// Columns by the names that they are used by.
    names: HashMap<String, u32>,
    /// Those of the names that the statement itself gives to something, or that every table has.
    given: HashSet<String>,
    /// Columns by their relation.
    columns: Vec<(Column, u32)>,
    relations: Vec<Source>,
    /// Groups in which something is computed.
    computed: HashSet<u32>,
    /// Columns whose names the text does not tell.
    open: Vec<Open>,
    /// Words that may be names of columns, or values that somebody forgot to quote, and where they stand.
    words: HashMap<String, Vec<u32>>,
}

/// Whether all literals of a statement are hidden.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Whole {
    #[default]
    No,
    /// Where anything is protected: nobody knows what they are for.
    Always,
    /// Where this group is.
    With(u32),
}

/// Columns of a relation, which is one of [`Literals::relations`].
#[derive(Debug, Clone)]
struct Column {
    relation: usize,
    which: Which,
}

#[derive(Debug, Clone)]
enum Which {
    Named(String),
    /// From 0.
    At(usize),
    Any,
}

#[derive(Debug, Clone)]
struct Call {
    name: Name,
    /// Of what it gives.
    group: u32,
    /// Of what it is given.
    given: u32,
    /// Nothing is asked of what it gives, unless by the name that this is given.
    alone: bool,
}

/// What a statement reads or writes.
#[derive(Debug, Clone)]
enum Source {
    Relation(Name),
    Function(Name),
    /// A type, which may be that of a relation's rows.
    Type(Name),
}

/// What of a statement is to be hidden where it rests.
#[derive(Debug, Clone, Default)]
pub struct Concealed {
    /// Where literals begin, in order, and what they may be.
    literals: Vec<(u32, Held)>,
    /// Where words begin that stand in the place of such literals, in order.
    strays: Vec<u32>,
    /// Where literals begin that hold statements.
    code: Vec<u32>,
    /// Where all literals do.
    bodies: Vec<Range<u32>>,
    /// Where all literals are hidden.
    wholly: Vec<Range<u32>>,
    /// All literals of the statement are.
    whole: bool,
    /// By which of its words a statement in a literal has to do with what is protected, in small letters.
    words: HashSet<String>,
    /// Parameters that may be values of protected columns.
    pub parameters: Parameters,
}

impl Literals {
    /// All that there is, where nobody knows what the names mean. The statement stands in the text at `range`.
    pub(super) fn conceal_all(&self, range: &Range<usize>) -> Concealed {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let parameters = self.parameters.iter();
        Concealed {
            wholly: std::iter::once(place(range.start)..place(range.end)).collect(),
            parameters: parameters.map(|(number, _)| (*number, Held::Any)).collect(),
            ..Concealed::default()
        }
    }

    /// What may be protected. For `EXECUTE` that needs `prepared`, which are the parameters of the statement that it runs; where
    /// they are not known, all that it gives is.
    #[must_use]
    pub fn conceal(
        &self,
        catalog: &Catalog,
        protected: &Protected,
        prepared: Option<&Parameters>,
    ) -> Concealed {
        if protected.is_empty() {
            return Concealed::default();
        }
        let known = Known { catalog, protected };
        let mut held = Groups::default();
        let columns = self.columns_known(&known);
        self.follow_open(&columns, &mut held);
        let strange = self.follow_calls(&known, &mut held);
        let computed = self.computed.iter();
        held.computed = computed.map(|group| held.root(*group)).collect();
        for group in strange {
            held.add(group, Some(Held::Any));
        }
        for (index, group) in (1..).zip(&self.executed) {
            match prepared {
                Some(prepared) => held.add(*group, prepared.get(&index).cloned()),
                None => held.add(*group, Some(Held::Any)),
            }
        }
        self.hold_names(&known, &mut held);
        for (column, group) in &self.columns {
            if let Some(source) = self.relations.get(column.relation) {
                held.add(*group, known.column(source, &column.which));
            }
        }
        let mut literals: Vec<(u32, Held)> = Vec::new();
        for (place, group) in &self.literals {
            literals.extend(held.of(*group).map(|of| (*place, of)));
        }
        let strays = self.strays(&known, &columns, &mut held);
        literals.sort_by_key(|(place, _)| *place);
        // One that stands in two groups may be of either.
        literals.dedup_by(|(place, of), (before, merged)| {
            let same = place == before;
            if same && of != merged {
                *merged = Held::Any;
            }
            same
        });
        let mut parameters = Parameters::new();
        for (number, group) in &self.parameters {
            if let Some(of) = held.of(*group) {
                let merged = merge(parameters.remove(number), of);
                parameters.insert(*number, merged);
            }
        }
        let whole = match self.whole {
            Whole::No => false,
            Whole::Always => true,
            Whole::With(group) => held.of(group).is_some(),
        };
        let bodies: Vec<_> = self.body.clone().into_iter().collect();
        let words = if self.code.is_empty() && bodies.is_empty() {
            HashSet::new()
        } else {
            protected.words(catalog)
        };
        let mut code = self.code.clone();
        code.sort_unstable();
        Concealed {
            literals,
            strays,
            code,
            bodies,
            words,
            parameters,
            wholly: Vec::new(),
            whole,
        }
    }

    /// Columns by the names that protected ones have in the relations of the statement.
    fn hold_names(&self, known: &Known<'_>, held: &mut Groups) {
        if self.names.is_empty() {
            return;
        }
        self.hold_mistaken(known, held);
        for source in &self.relations {
            let relations = known.relations(source);
            if relations.is_empty() {
                if known.is_strange(source) {
                    let every = known.protected.every_column(known.catalog);
                    every.for_each(|(name, taint)| self.hold_name(name, taint, held));
                }
                continue;
            }
            for relation in relations {
                for column in &relation.columns {
                    let taint = known.protected.column(relation.oid, column.number);
                    self.hold_name(&column.name, &taint, held);
                }
            }
        }
    }

    /// A name that no column of the statement's relations has may be a mistaken one: where any of these is protected, it counts as
    /// that.
    fn hold_mistaken(&self, known: &Known<'_>, held: &mut Groups) {
        let relations = || self.relations.iter().flat_map(|it| known.relations(it));
        if !relations().any(|it| known.protected.touches(it.oid)) {
            return;
        }
        let has = |name: &String| {
            let mut columns = relations().flat_map(|it| &it.columns);
            columns.any(|column| column.name == *name)
        };
        for (name, group) in &self.names {
            if !self.given.contains(name) && !has(name) {
                held.add(*group, Some(Held::Any));
            }
        }
    }

    /// What a function computes of what it is given is of one group with that. Gives the groups of what functions of the
    /// database give that may be protected, whatever they are given, and so may fields of rows, which can be such functions.
    fn follow_calls(&self, known: &Known<'_>, groups: &mut Groups) -> Vec<u32> {
        let mut strange = Vec::new();
        let mut alone = Vec::new();
        let mut may_give: HashMap<&Name, bool> = HashMap::new();
        for call in &self.calls {
            let gives = may_give.entry(&call.name);
            if !*gives.or_insert_with(|| known.may_give(&call.name)) {
                groups.unite(call.group, call.given);
            } else if call.alone {
                alone.push(call.group);
            } else {
                strange.push(call.group);
            }
        }
        if !alone.is_empty() {
            let named = self.names.values();
            let named: HashSet<u32> = named.map(|group| groups.root(*group)).collect();
            alone.retain(|group| named.contains(&groups.root(*group)));
            strange.append(&mut alone);
        }
        for (name, group) in &self.names {
            let name = Name::bare(name);
            let mut functions = known.catalog.functions(&name);
            if functions.any(|function| function.takes_one) && known.may_give(&name) {
                strange.push(*group);
            }
        }
        strange
    }

    fn hold_name(&self, name: &str, taint: &Taint, held: &mut Groups) {
        if let Some(group) = self.names.get(name) {
            held.add(*group, of_taint(taint));
        }
    }
}

/// What is known of relations.
struct Known<'a> {
    catalog: &'a Catalog,
    protected: &'a Protected,
}

impl<'a> Known<'a> {
    fn relations(&self, source: &Source) -> Vec<&'a Relation> {
        match source {
            Source::Relation(name) | Source::Type(name) => self.catalog.candidates(name).collect(),
            Source::Function(_) => Vec::new(),
        }
    }

    /// Whether nobody knows what its columns hold.
    fn is_strange(&self, source: &Source) -> bool {
        match source {
            Source::Relation(_) => true,
            Source::Type(_) => false,
            Source::Function(name) => !self.protected.trusts(name, self.catalog),
        }
    }

    /// Whether what a function gives may be protected though its arguments are not.
    fn may_give(&self, name: &Name) -> bool {
        if self.protected.trusts(name, self.catalog) {
            return false;
        }
        let mut lineage = Lineage::new(self.catalog, self.protected);
        if let Some(taint) = lineage.returned(name, &Taint::CLEAR) {
            return !taint.is_clear();
        }
        let mut functions = self.catalog.functions(name).peekable();
        let computes = |function: &Function| {
            function.builtin
                || self.protected.is_trusted(function)
                || function.language == "c" && function.volatility == Volatility::Immutable
        };
        functions.peek().is_none() || !functions.all(computes)
    }

    fn column(&self, source: &Source, which: &Which) -> Option<Held> {
        let relations = self.relations(source);
        if relations.is_empty() {
            return self.strange_column(source, which);
        }
        let mut held = None;
        for relation in relations {
            let columns = relation.columns.iter().enumerate();
            let meant = columns.filter(|(index, column)| match which {
                Which::Named(name) => column.name == *name,
                Which::At(at) => index == at,
                Which::Any => true,
            });
            let mut found = false;
            for (_, column) in meant {
                let of = of_taint(&self.protected.column(relation.oid, column.number));
                held = of.map(|of| merge(held.take(), of)).or(held);
                found = true;
            }
            // A name that it does not have may be a mistaken one.
            let named = matches!(which, Which::Named(_));
            if named && !found && self.protected.touches(relation.oid) {
                held = Some(Held::Any);
            }
        }
        held
    }

    fn strange_column(&self, source: &Source, which: &Which) -> Option<Held> {
        if !self.is_strange(source) {
            return None;
        }
        let Which::Named(named) = which else {
            return Some(Held::Any);
        };
        let every = self.protected.every_column(self.catalog);
        let same = every.filter(|(name, _)| name == named);
        same.fold(None, |held, (_, taint)| match of_taint(taint) {
            Some(of) => Some(merge(held, of)),
            None => held,
        })
    }
}

/// What the members of each group may be values of.
#[derive(Default)]
struct Groups {
    /// Groups that were united with others.
    above: HashMap<u32, u32>,
    held: HashMap<u32, Held>,
    /// The roots of those in which something is computed.
    computed: HashSet<u32>,
}

impl Groups {
    fn root(&mut self, mut group: u32) -> u32 {
        while let Some(&above) = self.above.get(&group) {
            let over = self.above.get(&above).copied().unwrap_or(above);
            self.above.insert(group, over);
            group = over;
        }
        group
    }

    /// Before anything is added.
    fn unite(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        if one != other {
            self.above.insert(other, one);
        }
    }

    fn add(&mut self, group: u32, held: Option<Held>) {
        if let Some(held) = held {
            let group = self.root(group);
            let merged = merge(self.held.remove(&group), held);
            self.held.insert(group, merged);
        }
    }

    fn of(&mut self, group: u32) -> Option<Held> {
        let group = self.root(group);
        let held = self.held.get(&group)?;
        // A part that it is customary to show shows something else of a value that was computed.
        let computed = self.computed.contains(&group);
        Some(if computed { Held::Any } else { held.clone() })
    }
}

fn merge(before: Option<Held>, held: Held) -> Held {
    match before {
        None => held,
        Some(before) if before == held => held,
        Some(_) => Held::Any,
    }
}

fn of_taint(taint: &Taint) -> Option<Held> {
    match &taint.kind {
        Kind::Clear => None,
        Kind::Direct(of) => Some(Held::Of(of.class().clone())),
        Kind::Members(_)
        | Kind::Document(_)
        | Kind::Row(_)
        | Kind::Derived(_)
        | Kind::Unknown(_) => Some(Held::Any),
    }
}
