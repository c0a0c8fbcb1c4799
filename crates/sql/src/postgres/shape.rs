//! The shape of a query: where its rows come from and what each output column is computed of.
//!
//! A small owned copy of what lineage needs of the parse tree, so that an analysis can be kept and shared. What is not
//! known here becomes [`Expr::Computed`] of everything below it, which errs towards depending on more.

use crate::Name;

pub(super) use super::shape_build::{of, of_copied_in, of_copy, of_values};

/// A query, with its common table expressions.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    pub(super) recursive: bool,
    pub(super) ctes: Vec<Cte>,
    pub(super) body: Body,
    /// `ORDER BY`
    pub(super) order: Vec<Key>,
    /// `LIMIT` and `OFFSET`
    pub(super) limits: Vec<Expr>,
    /// Not all rows need come: there is a `LIMIT` or `OFFSET`, or a cursor. The server then prefers plans that give the first rows soon.
    pub(super) cut: bool,
    /// The rows are stored in a new table (`SELECT … INTO`).
    pub(super) stored: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Cte {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) shape: Shape,
    /// Columns that `SEARCH` and `CYCLE` add.
    pub(super) added: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub(super) enum Body {
    Select(Box<Select>),
    SetOperation {
        left: Box<Shape>,
        right: Box<Shape>,
        /// `UNION ALL`, which compares no rows.
        all: bool,
    },
    Values {
        /// One expression per column, which stands for that column of every row.
        columns: Vec<Expr>,
        rows: usize,
    },
    Change(Box<Change>),
    #[default]
    Unknown,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Select {
    pub(super) from: Vec<Source>,
    pub(super) outputs: Vec<Target>,
    /// `WHERE` and `HAVING`
    pub(super) conditions: Vec<Expr>,
    /// `GROUP BY` and `DISTINCT ON`
    pub(super) groups: Vec<Key>,
    /// What the windows of the `WINDOW` clause are made of.
    pub(super) windows: Vec<Expr>,
    /// `DISTINCT`
    pub(super) distinct: bool,
}

/// What rows are sorted or grouped by.
#[derive(Debug, Clone)]
pub(super) enum Key {
    /// The output column of this number, from 1.
    Number(usize),
    /// An expression, or the name of an output column.
    Expr(Expr),
}

/// An output column, or several when the expression is a star.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// `None` when it is not plain what the server calls it.
    pub(super) name: Option<String>,
    pub(super) expr: Expr,
}

/// An item of a `FROM` list.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) kind: SourceKind,
    pub(super) alias: Option<String>,
    pub(super) columns: Vec<String>,
    /// It sees the items before it.
    pub(super) lateral: bool,
}

#[derive(Debug, Clone)]
pub(super) enum SourceKind {
    Relation(Name),
    Query(Shape),
    /// One function, with nothing beside its rows.
    Call(Expr),
    /// Functions and other table expressions: any columns, computed of these.
    Computed(Vec<Expr>),
    /// `TABLESAMPLE` with these arguments.
    Sample(Box<Source>, Vec<Expr>),
    Join {
        left: Box<Source>,
        right: Box<Source>,
        using: Using,
        on: Option<Expr>,
    },
}

#[derive(Debug, Clone)]
pub(super) enum Using {
    Nothing,
    Natural,
    /// With the name that they go by as well.
    Columns(Vec<String>, Option<String>),
}

/// An `INSERT`, `UPDATE`, `DELETE` or `MERGE`.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) target: Source,
    pub(super) from: Vec<Source>,
    /// Columns that `rows` go to; empty for all in order.
    pub(super) columns: Vec<String>,
    pub(super) rows: Option<Shape>,
    pub(super) assigned: Vec<(String, Expr)>,
    /// Columns of which a part is assigned, an element or a field, and the rest stays.
    pub(super) parts: Vec<String>,
    /// What decides which rows are changed, and how.
    pub(super) conditions: Vec<Expr>,
    pub(super) returning: Vec<Target>,
    /// Names for the row before and after, and for the row proposed.
    pub(super) also: Vec<String>,
    /// A star in `RETURNING` has columns in an order not known here.
    pub(super) unordered: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Expr {
    /// A constant or parameter.
    Free,
    /// A column reference as written, outermost part first.
    Column(Vec<String>),
    /// `*` or `t.*`.
    Star(Vec<String>),
    /// One of the results, or an array of them, the choice depending on the conditions.
    Choice {
        /// The function that chooses (`min`, `lag`, `array_agg`).
        by: Option<Name>,
        conditions: Vec<Expr>,
        results: Vec<Expr>,
    },
    /// A value as text.
    Text(Box<Expr>),
    /// A value cast to a type, which changes nothing if it is its own.
    Cast(Box<Expr>, Type),
    /// A row of these values; those of a star each.
    Row(Vec<Expr>),
    /// A field of a row; or what a function of that name gives for it.
    Field(Box<Expr>, String),
    /// All fields of a row: as a target each a column.
    Fields(Box<Expr>),
    /// JSON that this function makes of values, each under the name given with it or in a list.
    Json {
        by: Name,
        of: Vec<(Option<String>, Expr)>,
        /// What decides which values come, and in what order.
        conditions: Vec<Expr>,
    },
    /// What this function tells of plain columns without telling values: how many rows there are, or values (`count`,
    /// `num_nulls`), or of what type they are (`pg_typeof`).
    Count {
        by: Name,
        of: Vec<Expr>,
        distinct: bool,
        /// What decides which rows count.
        conditions: Vec<Expr>,
    },
    /// A subquery's single value.
    Query(Box<Shape>),
    /// Whether a subquery has a row.
    Exists(Box<Shape>),
    /// All or any of these conditions.
    Conditions(Vec<Expr>),
    /// A column is the same as something else.
    Same(Box<Same>),
    /// `NULLIF`: a column, or NULL where it is the same as something else.
    NullIf(Box<Same>),
    /// A member of JSON, where it is given by a constant; as text, or as JSON.
    Member {
        of: Box<Expr>,
        name: String,
        as_text: bool,
        /// In an array it is the number of an element.
        counts: bool,
    },
    /// The elements of a JSON array, each a row, that this function gives.
    Elements { by: Name, of: Box<Expr> },
    /// JSON without some of its members, or an element of it; anything that an operator makes of something else.
    Part(Box<Expr>),
    /// A column is null, or is not.
    IsNull(Vec<String>),
    /// What the windows of the query's `WINDOW` clause are made of.
    Window,
    /// Anything computed of these, by this function.
    Computed {
        function: Option<Name>,
        of: Vec<Expr>,
    },
}

/// `column = …`, `column IN (…)` and the like: nothing else than whether they are the same.
#[derive(Debug, Clone)]
pub(super) struct Same {
    pub(super) column: Vec<String>,
    /// These functions are applied to the column first, which give its value in another case or without blanks.
    pub(super) by: Vec<Name>,
    /// Or it is cast to these types.
    pub(super) casts: Vec<Type>,
    pub(super) with: With,
}

/// A type by its name, without a length or the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// One of PostgreSQL's own, by its object identifier.
    Own(u32),
    Named(Name),
}

impl Type {
    /// Whether it is one of JSON.
    pub(super) fn is_json(&self) -> bool {
        matches!(self, Self::Own(114 | 3802))
    }
}

/// What a column is compared with.
#[derive(Debug, Clone)]
pub(super) enum With {
    Column(Vec<String>),
    /// So many constants, made with these functions.
    Constants {
        count: usize,
        functions: Vec<Name>,
    },
}
