//! Random statements, mostly valid, over the tables of `people.sql`.

/// What an expression gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
    List,
    Doc,
    Row,
}

use Kind::{Doc, Flag, List, Number, Row, Text};

const KINDS: [Kind; 7] = [Text, Text, Text, Number, List, Doc, Row];
/// Names that columns get, often several the same.
const NAMES: [&str; 8] = ["id", "name", "token", "mark", "x", "y", "memo", "case"];

/// A column in scope.
#[derive(Clone)]
struct Column {
    of: String,
    name: String,
    kind: Kind,
}

/// What a place in a statement can see.
#[derive(Clone, Default)]
struct Scope {
    columns: Vec<Column>,
    rows: Vec<String>,
}

impl Scope {
    fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.columns.extend(other.columns.iter().cloned());
        both.rows.extend(other.rows.iter().cloned());
        both
    }
}

/// Common table expressions that may be named.
type Tables = Vec<(String, Vec<(String, Kind)>)>;

pub(crate) struct Writer {
    state: u64,
    aliases: usize,
    tables: Tables,
}

macro_rules! sql {
    ($($part:tt)*) => { format!($($part)*) };
}

impl Writer {
    /// The statement of a seed.
    pub(crate) fn statement(seed: u64) -> String {
        let mut writer = Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D,
            aliases: 0,
            tables: Vec::new(),
        };
        writer.top()
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from((self.state >> 11) % (limit as u64)).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        if self.one_in(8) {
            return self.pick(&["people", "orders", "token"]).to_owned();
        }
        format!("t{}", self.aliases)
    }

    fn top(&mut self) -> String {
        let kinds: Vec<Kind> = (0..=self.below(3)).map(|_| self.kind()).collect();
        let outside = Scope::default();
        match self.below(12) {
            0 => self.change(&kinds),
            1 => {
                let (from, scope) = self.from(2, &outside);
                let star = match self.below(4) {
                    3 => sql!("1, ({}).*", self.expr(Row, 2, &scope)),
                    0 if !scope.rows.is_empty() => sql!("{}.*", self.pick(&scope.rows)),
                    1 => sql!("*, {}", self.expr(Text, 1, &scope)),
                    _ => "*".to_owned(),
                };
                let limits = self.limits(&scope, 0);
                sql!("SELECT {star} FROM {from}{limits}")
            }
            _ => self.query(&kinds, 3, &outside),
        }
    }

    fn kind(&mut self) -> Kind {
        self.pick(&KINDS)
    }

    fn change(&mut self, kinds: &[Kind]) -> String {
        let (table, scope) = self.table();
        let (from, more) = self.from(1, &Scope::default());
        let both = scope.and(&more);
        let condition = self.expr(Flag, 2, &both);
        let returning: Vec<String> = kinds
            .iter()
            .map(|kind| self.expr(*kind, 2, &both))
            .collect();
        let returning = returning.join(", ");
        match self.below(3) {
            0 => sql!(
                "UPDATE {table} SET id = id FROM {from} WHERE {condition} RETURNING {returning}"
            ),
            1 => sql!("DELETE FROM {table} USING {from} WHERE {condition} RETURNING {returning}"),
            _ => {
                let value = self.expr(Text, 2, &more);
                sql!(
                    "INSERT INTO orders (id, memo) SELECT 50 + row_number() OVER (), {value} FROM {from} RETURNING memo, mark, id"
                )
            }
        }
    }

    /// A query with columns of these kinds.
    fn query(&mut self, kinds: &[Kind], depth: usize, outside: &Scope) -> String {
        let known = self.tables.len();
        let with = if depth > 0 && self.one_in(4) {
            self.with(depth - 1, outside)
        } else {
            String::new()
        };
        let body = match self.below(10) {
            0 if depth > 0 => {
                let operator =
                    self.pick(&["UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
                let left = self.select(kinds, depth - 1, outside);
                let right = self.select(kinds, depth - 1, outside);
                let order = if self.one_in(3) { " ORDER BY 1" } else { "" };
                sql!("({left}) {operator} ({right}){order}")
            }
            1 => {
                let rows: Vec<String> = (0..=self.below(2))
                    .map(|_| sql!("({})", self.list(kinds, depth, outside)))
                    .collect();
                sql!("VALUES {}", rows.join(", "))
            }
            _ => self.select(kinds, depth, outside),
        };
        self.tables.truncate(known);
        sql!("{with}{body}")
    }

    fn with(&mut self, depth: usize, outside: &Scope) -> String {
        let name = match self.below(4) {
            0 => self.pick(&["people", "orders"]).to_owned(),
            _ => self.alias(),
        };
        let columns = self.columns();
        let kinds: Vec<Kind> = columns.iter().map(|(_, kind)| *kind).collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| &**name).collect();
        let names = names.join("\", \"");
        let sql = if self.one_in(5) {
            let first = self.list(&kinds, depth, outside);
            self.tables.push((name.clone(), columns.clone()));
            let next = self.select(&kinds, depth, outside);
            self.tables.pop();
            sql!(
                "WITH RECURSIVE {name}(\"{names}\") AS (SELECT {first} UNION ALL (SELECT * FROM ({next}) r LIMIT 3)) "
            )
        } else {
            let query = self.query(&kinds, depth, outside);
            sql!("WITH {name}(\"{names}\") AS ({query}) ")
        };
        self.tables.push((name, columns));
        sql
    }

    fn columns(&mut self) -> Vec<(String, Kind)> {
        (0..=self.below(3))
            .map(|at| {
                let name = self.pick(&NAMES);
                (
                    sql!(
                        "{name}{}",
                        if self.one_in(2) {
                            at.to_string()
                        } else {
                            String::new()
                        }
                    ),
                    self.kind(),
                )
            })
            .collect()
    }

    fn list(&mut self, kinds: &[Kind], depth: usize, scope: &Scope) -> String {
        let parts: Vec<String> = kinds
            .iter()
            .map(|kind| self.expr(*kind, depth, scope))
            .collect();
        parts.join(", ")
    }

    fn select(&mut self, kinds: &[Kind], depth: usize, outside: &Scope) -> String {
        let (from, inside) = self.from(depth, outside);
        let scope = inside.and(outside);
        let condition = if self.one_in(2) {
            sql!(" WHERE {}", self.expr(Flag, depth.min(2), &scope))
        } else {
            String::new()
        };
        if self.one_in(6) {
            let outputs: Vec<String> = kinds
                .iter()
                .map(|kind| self.aggregate(*kind, depth, &scope))
                .collect();
            let group = if self.one_in(2) {
                sql!(" GROUP BY {}", self.expr(Number, 1, &inside))
            } else {
                String::new()
            };
            return sql!(
                "SELECT {} FROM {from}{condition}{group}",
                outputs.join(", ")
            );
        }
        let mut outputs = Vec::new();
        for kind in kinds {
            let value = if self.one_in(12) {
                self.window(*kind, depth, &scope)
            } else {
                self.expr(*kind, depth, &scope)
            };
            let name = if self.one_in(3) {
                sql!(" AS \"{}\"", self.pick(&NAMES))
            } else {
                String::new()
            };
            outputs.push(value + &name);
        }
        let distinct = if self.one_in(12) { "DISTINCT " } else { "" };
        let limits = self.limits(&scope, kinds.len());
        sql!(
            "SELECT {distinct}{} FROM {from}{condition}{limits}",
            outputs.join(", ")
        )
    }

    fn limits(&mut self, scope: &Scope, outputs: usize) -> String {
        let order = match self.below(6) {
            0 if outputs > 0 => sql!(" ORDER BY {}", 1 + self.below(outputs)),
            1 => sql!(" ORDER BY {}", self.expr(Text, 1, scope)),
            2 if self.one_in(4) => sql!(" ORDER BY \"{}\"", self.pick(&NAMES)),
            _ => String::new(),
        };
        let limit = if self.one_in(5) {
            sql!(" LIMIT {}", 1 + self.below(3))
        } else {
            String::new()
        };
        order + &limit
    }

    fn table(&mut self) -> (String, Scope) {
        const PEOPLE: &[(&str, Kind)] = &[
            ("id", Number),
            ("name", Text),
            ("token", Text),
            ("number", Number),
            ("doc", Doc),
            ("tags", List),
        ];
        const ORDERS: &[(&str, Kind)] = &[
            ("id", Number),
            ("person", Number),
            ("memo", Text),
            ("mark", Text),
        ];
        const SEEN: &[(&str, Kind)] = &[
            ("shown", Text),
            ("id", Number),
            ("name", Text),
            ("tail", Text),
        ];
        let (name, columns) = self.pick(&[
            ("people", PEOPLE),
            ("public.people", PEOPLE),
            ("orders", ORDERS),
            ("seen", SEEN),
        ]);
        let columns = columns
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), *kind));
        self.aliased(name.to_owned(), columns.collect(), false)
    }

    /// A source with an alias, and perhaps other names for its first columns.
    fn aliased(
        &mut self,
        source: String,
        mut columns: Vec<(String, Kind)>,
        named: bool,
    ) -> (String, Scope) {
        let alias = self.alias();
        let renamed = if named {
            columns.len()
        } else if self.one_in(6) {
            self.below(columns.len()) + 1
        } else {
            0
        };
        let mut names = Vec::new();
        for column in columns.iter_mut().take(renamed) {
            if !named {
                column.0 = self.pick(&NAMES).to_owned();
            }
            names.push(sql!("\"{}\"", column.0));
        }
        let names = if names.is_empty() {
            String::new()
        } else {
            sql!("({})", names.join(", "))
        };
        let columns = columns.into_iter().map(|(name, kind)| Column {
            of: alias.clone(),
            name,
            kind,
        });
        let scope = Scope {
            columns: columns.collect(),
            rows: vec![alias.clone()],
        };
        (sql!("{source} AS {alias}{names}"), scope)
    }

    fn from(&mut self, depth: usize, outside: &Scope) -> (String, Scope) {
        let (mut sql, mut scope) = self.source(depth, outside);
        while self.one_in(3) {
            let before = scope.and(outside);
            let (next, more) = self.source(depth.saturating_sub(1), &before);
            let both = scope.and(&more);
            sql = match self.below(9) {
                0 | 6 | 7 => sql!("{sql}, {next}"),
                1 | 8 => sql!("{sql} CROSS JOIN {next}"),
                2 => sql!("{sql} JOIN {next} USING (id)"),
                3 => sql!("{sql} NATURAL JOIN {next}"),
                4 => sql!("{sql} LEFT JOIN {next} ON {}", self.expr(Flag, 1, &both)),
                _ => sql!("{sql} JOIN {next} ON {}", self.expr(Flag, 1, &both)),
            };
            scope = both;
        }
        (sql, scope)
    }

    fn source(&mut self, depth: usize, before: &Scope) -> (String, Scope) {
        if !self.tables.is_empty() && self.one_in(2) {
            let tables = self.tables.clone();
            let (name, columns) = self.pick(&tables);
            return self.aliased(name, columns, false);
        }
        match self.below(9) {
            0 | 1 if depth > 0 => {
                let columns = self.columns();
                let kinds: Vec<Kind> = columns.iter().map(|(_, kind)| *kind).collect();
                let (lateral, scope) = if self.one_in(2) {
                    ("LATERAL ", before.clone())
                } else {
                    ("", Scope::default())
                };
                let query = self.query(&kinds, depth - 1, &scope);
                self.aliased(sql!("{lateral}({query})"), columns, true)
            }
            2 => {
                let (call, columns) = self.function(before);
                let columns = columns
                    .iter()
                    .map(|(name, kind)| ((*name).to_owned(), *kind));
                let named = self.one_in(2);
                self.aliased(call, columns.collect(), named)
            }
            _ => self.table(),
        }
    }

    fn function(&mut self, before: &Scope) -> (String, &'static [(&'static str, Kind)]) {
        match self.below(9) {
            0 => ("generate_series(1, 3)".to_owned(), &[("n", Number)]),
            6 => (
                sql!("pairs_of({})", self.expr(Number, 1, before)),
                &[("n", Number), ("word", Text), ("mine", Text)],
            ),
            7 => (
                sql!("after({})", self.expr(Text, 1, before)),
                &[("n", Number)],
            ),
            8 => (
                "all_people()".to_owned(),
                &[
                    ("id", Number),
                    ("name", Text),
                    ("token", Text),
                    ("number", Number),
                    ("doc", Doc),
                    ("tags", List),
                ],
            ),
            1 => (
                sql!("unnest({})", self.expr(List, 1, before)),
                &[("u", Text)],
            ),
            2 => (
                sql!("jsonb_each_text({})", self.expr(Doc, 1, before)),
                &[("key", Text), ("value", Text)],
            ),
            3 => (
                sql!("string_to_table({}, NULL)", self.expr(Text, 1, before)),
                &[("c", Text)],
            ),
            4 => (
                sql!("unnest({}) WITH ORDINALITY", self.expr(List, 1, before)),
                &[("u", Text), ("o", Number)],
            ),
            _ => (
                sql!(
                    "ROWS FROM (unnest({}), generate_series(1, 2))",
                    self.expr(List, 1, before)
                ),
                &[("u", Text), ("n", Number)],
            ),
        }
    }

    fn scalar(&mut self, kind: Kind, depth: usize, scope: &Scope) -> String {
        let query = self.query(&[kind], depth.saturating_sub(1), scope);
        sql!("(SELECT q.* FROM ({query}) q LIMIT 1)")
    }

    fn leaf(&mut self, kind: Kind, scope: &Scope) -> String {
        let of: Vec<&Column> = scope
            .columns
            .iter()
            .filter(|column| column.kind == kind)
            .collect();
        if !of.is_empty() && !self.one_in(8) {
            let column = of[self.below(of.len())];
            return match self.below(12) {
                0 => sql!("\"{}\"", column.name),
                1 | 2 => sql!("({}).\"{}\"", column.of, column.name),
                _ => sql!("{}.\"{}\"", column.of, column.name),
            };
        }
        match kind {
            Text => self.pick(&["'aeiou'", "'u'", "'QW'", "upper('o')"]),
            Number => self.pick(&["1", "2", "500000000000"]),
            Flag => self.pick(&["true", "false"]),
            List => "ARRAY['a', 'u']",
            Doc => "'{\"pin\": \"aei\"}'::jsonb",
            Row if !scope.rows.is_empty() => return self.pick(&scope.rows),
            Row => "ROW('aei', 5)",
        }
        .to_owned()
    }

    fn expr(&mut self, kind: Kind, depth: usize, scope: &Scope) -> String {
        if depth == 0 || self.one_in(3) {
            return self.leaf(kind, scope);
        }
        super::grow::expr(self, kind, depth - 1, &mut |writer, kind, depth| {
            writer.expr(kind, depth, scope)
        })
        .unwrap_or_else(|| match (kind, self.below(4)) {
            (Text, 0) if !scope.rows.is_empty() => {
                let row = self.pick(&scope.rows);
                let form = self.pick(&["::text", ".*::text"]);
                sql!("({row}{form})")
            }
            (Doc, 0 | 1) if !scope.rows.is_empty() => {
                let row = self.pick(&scope.rows);
                let form = self.pick(&[
                    "to_jsonb({})",
                    "jsonb_build_object('all', {}, 'pin', 1)",
                    "jsonb_build_array({}, 7)",
                ]);
                form.replace("{}", &row)
            }
            (Flag, 0 | 1) => sql!("EXISTS ({})", self.query(&[Text], depth - 1, scope)),
            (Flag, 2) => {
                let value = self.expr(Text, depth - 1, scope);
                sql!("{value} IN ({})", self.query(&[Text], depth - 1, scope))
            }
            (List, _) => sql!("ARRAY({})", self.query(&[Text], depth - 1, scope)),
            (Flag, _) => sql!(
                "({} > {})",
                self.expr(Number, depth - 1, scope),
                self.expr(Number, depth - 1, scope)
            ),
            _ => self.scalar(kind, depth, scope),
        })
    }

    fn aggregate(&mut self, kind: Kind, depth: usize, scope: &Scope) -> String {
        let depth = depth.min(1);
        let text = self.expr(Text, depth, scope);
        let number = self.expr(Number, depth, scope);
        let filter = if self.one_in(6) {
            sql!(" FILTER (WHERE {})", self.expr(Flag, 1, scope))
        } else {
            String::new()
        };
        match (kind, self.below(3)) {
            (Text, 0) => sql!("max({text}){filter}"),
            (Text, 1) => sql!("string_agg({text}, ',' ORDER BY {number}){filter}"),
            (Text, _) => sql!("min({text} COLLATE \"C\")"),
            (Number, 0) => sql!("count({text}){filter}"),
            (Number, 1) => sql!("count(DISTINCT {text})"),
            (Number, _) => sql!("sum({number}){filter}::bigint"),
            (Flag, _) => sql!("bool_or({text} > 'M'){filter}"),
            (List, _) => sql!("array_agg({text}){filter}"),
            (Doc, 0) => sql!("jsonb_agg({text}){filter}"),
            (Doc, 1) if !scope.rows.is_empty() => {
                let row = self.pick(&scope.rows);
                sql!("coalesce(jsonb_agg({row} ORDER BY {number}){filter}, '[]')")
            }
            (Doc, _) => sql!("jsonb_object_agg(coalesce({text}, ''), {number})"),
            (Row, _) => {
                let row = self.expr(Row, depth, scope);
                sql!("array_agg({row} ORDER BY {number}){filter}")
            }
        }
    }

    fn window(&mut self, kind: Kind, depth: usize, scope: &Scope) -> String {
        let value = self.expr(kind, depth.min(1), scope);
        let by = self.expr(Text, 1, scope);
        let over = self.pick(&["ORDER BY", "PARTITION BY"]);
        match (kind, self.below(4)) {
            (Number, 0 | 1) => sql!("row_number() OVER ({over} {by})"),
            (_, 2) => sql!("first_value({value}) OVER ({over} {by})"),
            _ => sql!("lag({value}) OVER (ORDER BY {by})"),
        }
    }

    /// A number below a limit, for the forms of expressions.
    pub(crate) fn dice(&mut self, limit: usize) -> usize {
        self.below(limit)
    }
}
