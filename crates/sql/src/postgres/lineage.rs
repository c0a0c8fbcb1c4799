//! What each output column of a query depends on, as far as protected columns go.

mod call;
mod change;
mod checked;
mod from;
mod missing;
mod session;
mod told;
mod value;

use std::collections::HashMap;
use std::rc::Rc;

use super::catalog::Catalog;
use super::protected::Protected;
use super::shape::{Body, Expr, Select, Shape, Target};
use super::slot::{Slot, merge, rename, together};
use super::taint::{Kind, Taint};
pub use missing::Missing;
pub use told::GUESSES_MAX;
pub(super) use told::{Predicates, Told};

/// How many expressions, sources and columns in scope one statement may have looked at, recursion included.
const STEPS_MAX: usize = 20_000_000;
/// What a column held in memory costs, in steps.
const HELD_COST: usize = 40;
/// Columns that every table has.
const SYSTEM_COLUMNS: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// By what else than its name an item may be referred to.
#[derive(Clone)]
enum Qualifier {
    /// A relation without an alias, of this schema.
    Schema(String),
    /// A relation without an alias, of the first schema in the search path that has one of the name.
    Searched,
    /// Nothing: it has an alias, or is no relation.
    Nothing,
}

/// A named item in scope.
#[derive(Clone)]
struct Bound {
    names: Vec<String>,
    qualifier: Qualifier,
    slots: Rc<[Slot]>,
    /// Its columns go by its name only.
    qualified: bool,
    /// Its columns have other names than its rows' fields.
    renamed: bool,
}

impl Bound {
    /// What one of its rows shows, as one value.
    fn row(&self) -> Taint {
        Taint::of_row(&self.slots, !self.renamed)
    }
}

/// What a `FROM` makes visible, and what `*` means there.
#[derive(Clone, Default)]
struct Scope {
    bounds: Vec<Bound>,
    star: Vec<Slot>,
    /// What its `WINDOW` clause depends on.
    windows: Option<Taint>,
}

/// Follows the columns of one statement.
pub(super) struct Lineage<'a> {
    catalog: &'a Catalog,
    protected: &'a Protected,
    ctes: HashMap<String, Vec<Rc<[Slot]>>>,
    scopes: Vec<Scope>,
    steps: usize,
    /// A protected value, or one that may be, was stored where it is not declared.
    pub(super) stores: Taint,
    /// A function was called that may return anything.
    pub(super) called: bool,
    /// What its predicates tell.
    pub(super) told: Told,
    /// The first name in it that certainly means nothing.
    pub(super) missing: Option<Missing>,
    /// What decided the rows of the queries that the value being looked at comes from.
    decided: Taint,
    /// What is being looked at decides which rows come.
    decides: bool,
    /// How many functions deep it is within their bodies.
    depth: usize,
    /// What it follows was defined by somebody else, so that what the session sets is asked after.
    defined: bool,
}

impl<'a> Lineage<'a> {
    pub(super) fn new(catalog: &'a Catalog, protected: &'a Protected) -> Self {
        Self {
            catalog,
            protected,
            ctes: HashMap::new(),
            scopes: Vec::new(),
            steps: 0,
            stores: Taint::CLEAR,
            called: false,
            told: Told::default(),
            missing: None,
            decided: Taint::CLEAR,
            decides: false,
            depth: 0,
            defined: false,
        }
    }

    /// The same for what a view or policy asks.
    pub(super) fn of_definition(catalog: &'a Catalog, protected: &'a Protected) -> Self {
        Self {
            defined: true,
            ..Self::new(catalog, protected)
        }
    }

    fn step(&mut self, cost: usize) -> bool {
        self.steps = self.steps.saturating_add(cost);
        self.steps <= STEPS_MAX
    }

    /// How much there is to look through for a name.
    fn width(&self) -> usize {
        self.scopes
            .iter()
            .map(|scope| scope.star.len() + scope.bounds.len() + 1)
            .sum()
    }

    fn store(&mut self, taint: Taint) {
        self.stores = self.stores.take().with(taint);
    }

    /// Looks at values that a statement is given. Where they come out again nobody knows.
    pub(super) fn take(&mut self, given: &Shape) {
        let given = self.columns(given);
        let taint = together(&given).computed();
        self.decide_by(taint.clone());
        self.store(taint);
    }

    /// The output columns of a query.
    pub(super) fn columns(&mut self, shape: &Shape) -> Vec<Slot> {
        if !self.step(1) {
            return vec![Slot::many(too_much())];
        }
        let entered = self.enter_ctes(shape);
        let columns = match &shape.body {
            Body::Select(select) => self.select(select, shape),
            Body::SetOperation { left, right, all } => {
                let left = self.columns(left);
                let right = self.columns(right);
                if !all {
                    for column in left.iter().chain(&right) {
                        self.decide_by(column.taint.clone());
                    }
                }
                self.sorted(merge(left, right), shape)
            }
            Body::Values { columns, .. } => {
                let named = |index: usize| Some(format!("column{}", index + 1));
                let columns = columns.iter().enumerate();
                let columns = columns
                    .map(|(i, value)| Slot::one(named(i), self.value(|this| this.expr(value))))
                    .collect();
                self.sorted(columns, shape)
            }
            Body::Change(change) => self.change(change),
            Body::Unknown => vec![Slot::unknown("a query of a kind not known here")],
        };
        shape.limits.iter().for_each(|limit| self.decide_on(limit));
        self.told.cuts(shape.cut);
        for name in entered {
            self.ctes.get_mut(&name).map(Vec::pop);
        }
        if shape.stored {
            columns
                .iter()
                .for_each(|column| self.store(column.taint.clone()));
        }
        columns
    }

    fn select(&mut self, select: &Select, shape: &Shape) -> Vec<Slot> {
        let scope = self.from(&select.from);
        self.scopes.push(scope);
        let windows = self.value(|this| this.all(&select.windows));
        self.decide_by(windows.clone());
        if let Some(scope) = self.scopes.last_mut() {
            scope.windows = Some(windows);
        }
        let columns = self.targets(&select.outputs);
        select
            .conditions
            .iter()
            .for_each(|condition| self.filter(condition));
        self.groups(&select.groups, &columns);
        self.sorts(&shape.order, &columns);
        if select.distinct {
            for column in &columns {
                self.decide_by(column.taint.clone());
            }
        }
        self.scopes.pop();
        columns
    }

    /// The columns of a query that can be sorted by nothing else.
    fn sorted(&mut self, columns: Vec<Slot>, shape: &Shape) -> Vec<Slot> {
        if !shape.order.is_empty() {
            self.scopes.push(Scope {
                star: columns.clone(),
                ..Scope::default()
            });
            self.sorts(&shape.order, &columns);
            self.scopes.pop();
        }
        columns
    }

    /// What a value depends on, with what decided the rows that it comes from.
    fn value(&mut self, run: impl FnOnce(&mut Self) -> Taint) -> Taint {
        let before = self.decided.take();
        let taint = run(self);
        let decided = std::mem::replace(&mut self.decided, before.clone());
        if decided == Taint::CLEAR {
            return taint;
        }
        self.decided = before.with(decided.clone());
        taint.chosen_by(decided)
    }

    fn enter_ctes(&mut self, shape: &Shape) -> Vec<String> {
        let mut entered = Vec::with_capacity(shape.ctes.len());
        if shape.recursive {
            for cte in &shape.ctes {
                let unknown = Slot::unknown(&format!("{} is used before it is defined", cte.name));
                self.ctes
                    .entry(cte.name.clone())
                    .or_default()
                    .push(Rc::from([unknown]));
                entered.push(cte.name.clone());
            }
        }
        for cte in &shape.ctes {
            let columns = if shape.recursive {
                self.recursive(cte)
            } else {
                self.cte(cte)
            };
            if shape.recursive {
                self.ctes.get_mut(&cte.name).map(Vec::pop);
            } else {
                entered.push(cte.name.clone());
            }
            self.ctes
                .entry(cte.name.clone())
                .or_default()
                .push(columns.into());
        }
        entered
    }

    fn cte(&mut self, cte: &super::shape::Cte) -> Vec<Slot> {
        let mut columns = rename(self.columns(&cte.shape), &cte.columns);
        let all = together(&columns).computed();
        columns.extend(
            cte.added
                .iter()
                .map(|name| Slot::one(Some(name.clone()), all.clone())),
        );
        columns
    }

    /// Evaluates a term that may use itself until what it depends on does not grow.
    fn recursive(&mut self, cte: &super::shape::Cte) -> Vec<Slot> {
        let Body::SetOperation { left: first, .. } = &cte.shape.body else {
            return self.cte(cte);
        };
        // The first term may use the WITH list inside the recursive query, which only cte() enters.
        let mut columns = if cte.shape.ctes.is_empty() {
            rename(self.columns(first), &cte.columns)
        } else {
            return self.cte(cte);
        };
        let told = self.told.clone();
        let mut alike = false;
        for _ in 0..4 {
            // Each time the same comparisons.
            self.told = told.clone();
            self.ctes
                .entry(cte.name.clone())
                .or_default()
                .push(columns.clone().into());
            let next = self.cte(cte);
            self.ctes.get_mut(&cte.name).map(Vec::pop);
            let same = |is: fn(&Taint, &Taint) -> bool| {
                let mut both = next.iter().zip(&columns);
                next.len() == columns.len() && both.all(|(a, b)| is(&a.taint, &b.taint))
            };
            let stays = same(Taint::eq);
            alike = same(Taint::is_like);
            columns = next;
            if stays {
                return columns;
            }
        }
        if alike {
            // What is seen grows no more; by moving from one column to the next, each may get what any has.
            return spread(columns);
        }
        let all = together(&columns).computed();
        columns
            .iter_mut()
            .for_each(|column| column.taint = all.clone());
        columns
    }

    fn targets(&mut self, targets: &[Target]) -> Vec<Slot> {
        let mut columns = Vec::with_capacity(targets.len());
        for target in targets {
            match &target.expr {
                Expr::Star(_) if !self.step(self.width()) => columns.push(Slot::many(too_much())),
                Expr::Star(path) => {
                    let star = self.star(path);
                    columns.extend(self.room_for(star));
                }
                Expr::Fields(of) => {
                    let row = self.value(|this| this.expr(of));
                    let fields = fields(row);
                    columns.extend(self.room_for(fields));
                }
                expr => columns.push(match self.plain(expr) {
                    Some(column) => Slot {
                        name: target.name.clone(),
                        many: false,
                        generated: false,
                        ..column
                    },
                    None => {
                        let taint = self.value(|this| this.expr(expr));
                        Slot {
                            session: self.note_session(expr, &taint),
                            ..Slot::one(target.name.clone(), taint)
                        }
                    }
                }),
            }
        }
        columns
    }
}

/// The same columns, each of which may be of the declared ones of all, and tell of them what any does.
fn spread(columns: Vec<Slot>) -> Vec<Slot> {
    let all = together(&columns).computed();
    let (of, counted) = (all.columns(), all.counted());
    let spread = |slot: Slot| Slot {
        taint: slot.taint.widened(&of).and_counts(&counted),
        ..slot
    };
    columns.into_iter().map(spread).collect()
}

/// The columns that the fields of a row become.
fn fields(row: Taint) -> Vec<Slot> {
    match &row.kind {
        // Of others there may be another number.
        Kind::Row(fields) if fields.iter().all(|field| field.name.is_some()) => {
            let counted = row.counted();
            fields
                .iter()
                .map(|field| {
                    let taint = field.taint.clone().and_counts(&counted);
                    Slot::one(field.name.clone(), taint)
                })
                .collect()
        }
        Kind::Direct(_) => vec![Slot::many(row)],
        _ => vec![Slot::many(row.computed())],
    }
}

fn too_much() -> Taint {
    Kind::Unknown("the statement has too many parts to follow".to_owned()).into()
}
