//! What the database knows: relations, columns, views, functions. Loaded by the gateway, searched here.

mod beside;
mod body;
mod temporary;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub(super) use beside::{AskedOfRows, Constrained};

use super::statement::{Output, Statement};
use super::{Shape, parse};
use crate::Name;
use temporary::Temporary;

/// One snapshot of a database's catalog, without a search path: a bare name means every relation of that name.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    relations: HashMap<u32, Relation>,
    by_name: HashMap<String, Vec<u32>>,
    functions: HashMap<String, Vec<Function>>,
    /// The queries of views, by the view; those that could not be read are missing.
    views: HashMap<u32, Statement>,
    /// Child and parent, of inheritance and partitioning.
    pub(super) inherits: Vec<(u32, u32)>,
    /// A relation with rules, a relation they use, and its column (0 for the whole).
    pub(super) depends: Vec<(u32, u32, i16)>,
    /// A relation, its column that the server computes, and the column that it is computed of.
    pub(super) computed: Vec<(u32, i16, i16)>,
    /// A foreign key: relation and column, and the relation and column whose values it holds.
    pub(super) references: Vec<((u32, i16), (u32, i16))>,
    /// The temporary schemas in which there is something.
    temporary: BTreeSet<String>,
    /// The account may have other sessions' temporary schemas in its search path, as superusers may.
    reaches_others: bool,
    /// Whose temporary schemas are looked at where no schema is named.
    sees: Temporary,
    /// Columns that one expression or key of the server's stands over.
    pub(super) constrained: Vec<Constrained>,
    /// Partitioned tables and the columns of their keys; 0 for an expression.
    pub(super) partitioned: Vec<(u32, i16)>,
    /// Types that did not come with PostgreSQL, by their names: schema and object identifier.
    types: HashMap<String, Vec<(String, u32)>>,
    /// What policies of row-level security and check constraints ask of each row.
    pub(super) asked: Vec<AskedOfRows>,
}

/// A relation of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its object identifier, as RowDescription reports it.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// Its columns by attribute number, dropped ones left out.
    pub columns: Vec<Column>,
    /// The text of a view's query.
    pub definition: Option<String>,
    /// The TOAST table that holds its long values; 0 for none.
    pub toast: u32,
}

/// A column of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its attribute number, as RowDescription reports it.
    pub number: i16,
    /// Its name.
    pub name: String,
    /// The object identifier of its type.
    pub type_oid: u32,
    /// What its type was declared with, such as a length (`pg_attribute.atttypmod`); negative for nothing.
    pub modifier: i32,
    /// It is computed from other columns, so `COPY` leaves it out.
    pub generated: bool,
}

/// Kinds of relation, `pg_class.relkind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// `r`
    Table,
    /// `p`
    PartitionedTable,
    /// `v`
    View,
    /// `m`
    MaterializedView,
    /// `f`
    ForeignTable,
    /// `S`
    Sequence,
    /// `t`
    Toast,
    /// Anything else.
    Other,
}

/// A function or procedure; those that overload a name stand beside each other.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// How its result may change.
    pub volatility: Volatility,
    /// Its language, as `sql`, `c`, `internal`.
    pub language: String,
    /// It came with PostgreSQL, not with an extension or a user.
    pub builtin: bool,
    /// It can be given one value and nothing else, so that `value.name` calls it where there is no such field.
    pub takes_one: bool,
    /// What it runs, where that is SQL and depends on nothing but the text and the arguments given.
    pub body: Option<Body>,
}

/// The text of a function in SQL.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// Its statements; where they are in standard SQL (`RETURN`, `BEGIN ATOMIC`), the command that defines it.
    pub text: String,
    /// The names that its arguments go by in it.
    pub arguments: Vec<String>,
    /// The columns of its result in `FROM`, where they have names of their own.
    pub columns: Vec<String>,
    /// The relation whose rows it returns; 0 for none.
    pub rows_of: u32,
    /// The query, once the catalog is built; `None` for anything but one query.
    pub(super) query: Option<Arc<Shape>>,
}

/// `pg_proc.provolatile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    /// `i`
    Immutable,
    /// `s`
    Stable,
    /// `v`
    Volatile,
}

/// A row of a catalog query that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("catalog query {query}: row {row} has no usable column {column}")]
pub struct CatalogError {
    /// Index into [`Catalog::QUERIES`].
    pub query: usize,
    /// Which row, from 0.
    pub row: usize,
    /// Which column, from 0.
    pub column: usize,
}

impl Catalog {
    /// What loads a catalog, from PostgreSQL 12 on. Run them in order, in one transaction, results in text, and feed
    /// every row with [`CatalogBuilder::row`]. The first one clears the transaction's `search_path` so that view
    /// definitions come fully qualified; end the transaction with `ROLLBACK`.
    pub const QUERIES: &[&str] = &[
        "SELECT pg_catalog.set_config('search_path', '', true), (SELECT n.nspname FROM pg_catalog.pg_namespace n \
         WHERE n.oid = pg_catalog.pg_my_temp_schema()), EXISTS (SELECT FROM pg_catalog.pg_namespace n \
         WHERE n.nspname ~ '^pg_temp_' AND pg_catalog.pg_has_role(session_user, n.nspowner, 'MEMBER'))",
        "SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltoastrelid, \
         CASE WHEN c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
         THEN pg_catalog.pg_get_viewdef(c.oid) END \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't')",
        "SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.attgenerated, a.atttypmod \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
         WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't') \
         ORDER BY a.attrelid, a.attnum",
        "SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits",
        "SELECT DISTINCT r.ev_class, d.refobjid, d.refobjsubid \
         FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid \
         WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass \
         AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.ev_class",
        "SELECT DISTINCT n.nspname, p.proname, p.provolatile, \
         CASE WHEN p.prokind = 'a' AND g.is_extensions THEN 'c' ELSE l.lanname END, p.oid < 16384, \
         CASE WHEN b.is_followed AND p.prosrc <> '' THEN p.prosrc \
         WHEN b.is_followed THEN pg_catalog.pg_get_functiondef(p.oid) END, \
         CASE WHEN b.is_followed THEN pg_catalog.array_to_string(p.proargnames, pg_catalog.chr(31)) END, \
         CASE WHEN b.is_followed THEN p.proargmodes::pg_catalog.text END, CASE WHEN b.is_followed THEN t.typrelid END, \
         p.pronargs > 0 AND p.pronargs - p.pronargdefaults <= 1 \
         FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
         JOIN pg_catalog.pg_language l ON l.oid = p.prolang JOIN pg_catalog.pg_type t ON t.oid = p.prorettype \
         CROSS JOIN LATERAL (SELECT p.oid >= 16384 AND l.lanname = 'sql' AND p.prokind = 'f' AND p.pronargdefaults = 0 \
         AS is_followed) b \
         CROSS JOIN LATERAL (SELECT p.oid >= 16384 AND p.prokind = 'a' AND EXISTS (SELECT FROM pg_catalog.pg_depend d \
         WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e') \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_aggregate a, pg_catalog.unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, \
         a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]) u(oid) \
         JOIN pg_catalog.pg_proc f ON f.oid = u.oid JOIN pg_catalog.pg_language fl ON fl.oid = f.prolang \
         WHERE a.aggfnoid = p.oid AND f.oid >= 16384 AND NOT (fl.lanname = 'c' AND f.provolatile = 'i')) AS is_extensions) g",
        "SELECT a.attrelid, a.attnum, d.refobjsubid FROM pg_catalog.pg_attribute a \
         JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum \
         JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass \
         AND d.refobjid = a.attrelid AND d.refobjsubid > 0 AND d.refobjsubid <> a.attnum \
         AND (d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = e.oid \
         OR d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum) \
         WHERE a.attgenerated <> ''",
        "SELECT c.conrelid, k.own, c.confrelid, k.other FROM pg_catalog.pg_constraint c, \
         unnest(c.conkey, c.confkey) k(own, other) WHERE c.contype = 'f'",
        beside::CHECKS,
        beside::CONDITIONS,
        beside::PARTITION_KEYS,
        beside::TYPES,
    ];

    /// An empty catalog to feed.
    #[must_use]
    pub fn builder() -> CatalogBuilder {
        CatalogBuilder::default()
    }

    /// The relation with this object identifier.
    #[must_use]
    pub fn relation_by_oid(&self, oid: u32) -> Option<&Relation> {
        self.relations.get(&oid)
    }

    /// Every relation a name can mean: with a schema at most one, without every relation of the name.
    pub fn candidates(&self, name: &Name) -> impl Iterator<Item = &Relation> {
        let oids = self.by_name.get(&name.name).map_or(&[][..], Vec::as_slice);
        let schema = name.schema.clone();
        oids.iter()
            .filter_map(|oid| self.relations.get(oid))
            .filter(move |relation| self.sees.means(schema.as_deref(), &relation.schema))
    }

    /// Every function a name can mean.
    pub fn functions(&self, name: &Name) -> impl Iterator<Item = &Function> {
        let functions = self
            .functions
            .get(&name.name)
            .map_or(&[][..], Vec::as_slice);
        let schema = name.schema.clone();
        functions
            .iter()
            .filter(move |function| self.sees.means(schema.as_deref(), &function.schema))
    }

    /// The only type that did not come with PostgreSQL and that a name can mean.
    pub(super) fn type_named(&self, name: &Name) -> Option<u32> {
        // A relation gives its name to a type, too.
        let types = self.types.get(&name.name)?.iter();
        let types = types.filter(|_| !self.by_name.contains_key(&name.name));
        let mut meant = types.filter(|(schema, _)| self.sees.means(name.schema.as_deref(), schema));
        let (_, oid) = meant.next()?;
        meant.next().is_none().then_some(*oid)
    }

    /// Whether a type of that name, in whatever schema, is one of these.
    pub(super) fn is_type_of(&self, name: &str, mut kinds: impl Iterator<Item = u32>) -> bool {
        let types = self.types.get(name).map_or(&[][..], Vec::as_slice);
        !types.is_empty() && kinds.any(|kind| types.iter().any(|(_, oid)| *oid == kind))
    }

    /// The query of a view, when it could be read.
    pub(super) fn view(&self, oid: u32) -> Option<&Arc<Shape>> {
        match &self.views.get(&oid)?.output {
            Output::Query(shape) => Some(shape),
            _ => None,
        }
    }

    /// The functions that a relation calls when it is read: those of its view query, and of the views below it.
    pub(super) fn functions_of(&self, oid: u32) -> HashSet<&Name> {
        let mut found = HashSet::new();
        let mut seen = HashSet::from([oid]);
        let mut open = vec![oid];
        while let Some(oid) = open.pop() {
            let Some(view) = self.views.get(&oid) else {
                continue;
            };
            found.extend(&view.functions);
            for name in view
                .effects
                .iter()
                .filter_map(|effect| effect.relation.as_ref())
            {
                open.extend(
                    self.candidates(name)
                        .map(|relation| relation.oid)
                        .filter(|oid| seen.insert(*oid)),
                );
            }
        }
        found
    }

    /// All relations, in no order.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.values()
    }
}

/// Takes the rows of [`Catalog::QUERIES`].
#[derive(Debug, Default)]
pub struct CatalogBuilder {
    catalog: Catalog,
    own_temporary: Option<String>,
    rows: usize,
    /// Conditions of policies and constraints, by their table.
    asked: Vec<(u32, Option<u32>, String)>,
}

/// One row being read.
struct Row<'a> {
    query: usize,
    row: usize,
    values: &'a [Option<&'a [u8]>],
}

impl Row<'_> {
    fn error(&self, column: usize) -> CatalogError {
        CatalogError {
            query: self.query,
            row: self.row,
            column,
        }
    }

    fn text(&self, column: usize) -> Result<&str, CatalogError> {
        let bytes = self
            .values
            .get(column)
            .copied()
            .flatten()
            .ok_or_else(|| self.error(column))?;
        std::str::from_utf8(bytes).map_err(|_| self.error(column))
    }

    fn number<T: std::str::FromStr>(&self, column: usize) -> Result<T, CatalogError> {
        self.text(column)?.parse().map_err(|_| self.error(column))
    }
}

impl CatalogBuilder {
    /// Feeds one row of `Catalog::QUERIES[query]`, each value in text format.
    ///
    /// # Errors
    /// A value is missing or malformed: the server is not one that the queries were written for.
    pub fn row(&mut self, query: usize, values: &[Option<&[u8]>]) -> Result<(), CatalogError> {
        let row = Row {
            query,
            row: self.rows,
            values,
        };
        self.rows += 1;
        match query {
            0 => {
                self.own_temporary = row.text(1).ok().map(str::to_owned);
                self.catalog.reaches_others = row.text(2).is_ok_and(|reaches| reaches == "t");
                Ok(())
            }
            1 => self.relation(&row),
            2 => self.column(&row),
            3 => {
                self.catalog.inherits.push((row.number(0)?, row.number(1)?));
                Ok(())
            }
            4 => {
                self.catalog
                    .depends
                    .push((row.number(0)?, row.number(1)?, row.number(2)?));
                Ok(())
            }
            5 => self.function(&row),
            6 => {
                let computed = (row.number(0)?, row.number(1)?, row.number(2)?);
                self.catalog.computed.push(computed);
                Ok(())
            }
            7 => {
                let own = (row.number(0)?, row.number(1)?);
                let other = (row.number(2)?, row.number(3)?);
                self.catalog.references.push((own, other));
                Ok(())
            }
            8 => {
                self.catalog.constrained.push(Constrained {
                    by: row.number(0)?,
                    relation: row.number(1)?,
                    number: row.number(2)?,
                    computes: row.text(3)? == "t",
                });
                Ok(())
            }
            9 => {
                // What was dropped meanwhile has none.
                if let Ok(condition) = row.text(2) {
                    let asked = (row.number(0)?, row.number(1).ok(), condition.to_owned());
                    self.asked.push(asked);
                }
                Ok(())
            }
            10 => {
                let key = (row.number(0)?, row.number(1)?);
                self.catalog.partitioned.push(key);
                Ok(())
            }
            11 => {
                let types = self.catalog.types.entry(row.text(2)?.to_owned());
                let schema = row.text(1)?.to_owned();
                types.or_default().push((schema, row.number(0)?));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn relation(&mut self, row: &Row<'_>) -> Result<(), CatalogError> {
        let kind = match row.text(3)? {
            "r" => RelationKind::Table,
            "p" => RelationKind::PartitionedTable,
            "v" => RelationKind::View,
            "m" => RelationKind::MaterializedView,
            "f" => RelationKind::ForeignTable,
            "S" => RelationKind::Sequence,
            "t" => RelationKind::Toast,
            _ => RelationKind::Other,
        };
        self.add(Relation {
            oid: row.number(0)?,
            schema: row.text(1)?.to_owned(),
            name: row.text(2)?.to_owned(),
            kind,
            columns: Vec::new(),
            definition: row.text(5).ok().map(str::to_owned),
            toast: row.number(4)?,
        });
        Ok(())
    }

    /// The temporary schema of the session that the rows came from, once it has one.
    #[must_use]
    pub fn own_temporary(&self) -> Option<&str> {
        self.own_temporary.as_deref()
    }

    /// Adds a relation.
    pub fn add(&mut self, relation: Relation) {
        self.catalog.has_temporary(&relation.schema);
        self.catalog
            .by_name
            .entry(relation.name.clone())
            .or_default()
            .push(relation.oid);
        self.catalog.relations.insert(relation.oid, relation);
    }

    fn column(&mut self, row: &Row<'_>) -> Result<(), CatalogError> {
        let column = Column {
            number: row.number(1)?,
            name: row.text(2)?.to_owned(),
            type_oid: row.number(3)?,
            generated: !row.text(4)?.is_empty(),
            modifier: row.number(5)?,
        };
        // A relation made between the two queries is picked up by the next load.
        if let Some(relation) = self.catalog.relations.get_mut(&row.number(0)?) {
            relation.columns.push(column);
        }
        Ok(())
    }

    fn function(&mut self, row: &Row<'_>) -> Result<(), CatalogError> {
        let volatility = match row.text(2)? {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            _ => Volatility::Volatile,
        };
        self.add_function(Function {
            schema: row.text(0)?.to_owned(),
            name: row.text(1)?.to_owned(),
            volatility,
            language: row.text(3)?.to_owned(),
            builtin: row.text(4)? == "t",
            takes_one: row.text(9).is_ok_and(|takes| takes == "t"),
            body: body::of_row(row),
        });
        Ok(())
    }

    /// Adds a function. Its body counts where it is one query.
    pub fn add_function(&mut self, function: Function) {
        self.catalog.has_temporary(&function.schema);
        self.catalog
            .functions
            .entry(function.name.clone())
            .or_default()
            .push(function);
    }

    /// The catalog. Needs a stack of [`super::STACK_BYTES`], since it parses view definitions.
    #[must_use]
    pub fn build(mut self) -> Catalog {
        for relation in self.catalog.relations.values() {
            let parsed = relation
                .definition
                .as_deref()
                .and_then(|definition| parse(definition).ok());
            if let Some(statement) =
                parsed.and_then(|analysis| analysis.statements.first().cloned())
            {
                self.catalog.views.insert(relation.oid, statement);
            }
        }
        for (relation, by, condition) in std::mem::take(&mut self.asked) {
            let query = self.asked_of_rows(relation, &condition);
            self.catalog.asked.push(AskedOfRows {
                relation,
                by,
                query,
            });
        }
        let functions = self.catalog.functions.values_mut().flatten();
        for body in functions.filter_map(|function| function.body.as_mut()) {
            body.read();
            if let Some(relation) = self.catalog.relations.get(&body.rows_of) {
                let columns = relation.columns.iter();
                body.columns = columns.map(|column| column.name.clone()).collect();
            }
        }
        self.catalog
    }
}
