//! Items of `FROM`.

use pg_query::{Node, NodeRef, protobuf};

use super::Source;
use super::gather::{Gather, Item, Out, inner, refs};
use crate::Name;
use crate::postgres::walk::{text, texts};

/// Functions of PostgreSQL that give columns whose names are known: one that the function, or its alias, names, or these.
const COLUMNS: &[(&str, &[&str])] = &[
    ("generate_series", &[]),
    ("generate_subscripts", &[]),
    ("json_array_elements", &["value"]),
    ("json_array_elements_text", &["value"]),
    ("json_each", &["key", "value"]),
    ("json_each_text", &["key", "value"]),
    ("json_object_keys", &[]),
    ("jsonb_array_elements", &["value"]),
    ("jsonb_array_elements_text", &["value"]),
    ("jsonb_each", &["key", "value"]),
    ("jsonb_each_text", &["key", "value"]),
    ("jsonb_object_keys", &[]),
    ("jsonb_path_query", &[]),
    ("regexp_matches", &[]),
    ("regexp_split_to_table", &[]),
    ("string_to_table", &[]),
];

fn columns_of(function: &str) -> Option<&'static [&'static str]> {
    let known = COLUMNS.iter().find(|(name, _)| *name == function);
    known.map(|(_, columns)| *columns)
}

impl<'a> Gather<'a> {
    /// Reads the items; joins give theirs one by one.
    pub(super) fn from(&mut self, nodes: &'a [Node]) -> Vec<Item<'a>> {
        let mut items = Vec::with_capacity(nodes.len());
        for node in refs(nodes) {
            self.item(node, &mut items);
        }
        items
    }

    pub(super) fn item(&mut self, node: NodeRef<'a>, items: &mut Vec<Item<'a>>) {
        match node {
            NodeRef::RangeVar(relation) => {
                let cte = Some(&*relation.relname).filter(|_| relation.schemaname.is_empty());
                let alias = relation.alias.as_ref();
                let by_places = alias.is_some_and(|alias| !alias.colnames.is_empty());
                let outs = cte.and_then(|name| self.cte(name, by_places));
                let outs = outs.unwrap_or_else(|| vec![Out::Table(self.relation(relation))]);
                self.named(alias, &relation.relname, outs, items);
            }
            NodeRef::RangeSubselect(sub) => {
                let query = sub.subquery.as_deref().and_then(inner);
                let outs = query.map_or_else(Vec::new, |query| self.statement(query));
                self.named(sub.alias.as_ref(), "", outs, items);
            }
            NodeRef::JoinExpr(join) => {
                let from = items.len();
                for side in [&join.larg, &join.rarg] {
                    if let Some(side) = side.as_deref().and_then(inner) {
                        self.item(side, items);
                    }
                }
                for column in join.using_clause.iter().filter_map(text) {
                    let group = self.groups.fresh();
                    self.name(column, group);
                }
                self.natural |= join.is_natural;
                let merges = join.is_natural || !join.using_clause.is_empty();
                for item in items.iter_mut().skip(from) {
                    item.merges |= merges;
                }
                if let Some(quals) = join.quals.as_deref().and_then(inner) {
                    self.alone(quals);
                }
                if let Some(alias) = &join.alias {
                    let sides = items.drain(from..).flat_map(|item| item.outs);
                    let sides: Vec<Out> = sides.collect();
                    let outs = if merges {
                        vec![Out::Merged(sides)]
                    } else {
                        sides
                    };
                    self.named(Some(alias), "", outs, items);
                }
            }
            NodeRef::RangeFunction(call) => self.function(call, items),
            NodeRef::RangeTableSample(sample) => {
                if let Some(relation) = sample.relation.as_deref().and_then(inner) {
                    self.item(relation, items);
                }
                self.each_alone(&sample.args);
            }
            NodeRef::RangeTableFunc(table) => self.table(node, table.alias.as_ref(), items),
            NodeRef::JsonTable(table) => self.table(node, table.alias.as_ref(), items),
            other => {
                self.alone(other);
            }
        }
    }

    fn named(
        &mut self,
        alias: Option<&'a protobuf::Alias>,
        name: &'a str,
        outs: Vec<Out>,
        items: &mut Vec<Item<'a>>,
    ) {
        let columns = alias.map_or(&[][..], |alias| &alias.colnames);
        let alias = alias.map_or(name, |alias| &alias.aliasname);
        let outs = self.rename(outs, columns);
        self.row(alias, &outs);
        items.push(Item {
            alias,
            outs,
            merges: false,
        });
    }

    /// What a function gives may be made of all that it is given.
    fn function(&mut self, call: &'a protobuf::RangeFunction, items: &mut Vec<Item<'a>>) {
        let group = self.groups.fresh();
        let mut name = "";
        let mut names = Some(&[][..]);
        let mut functions = 0;
        for function in refs(&call.functions) {
            let NodeRef::List(list) = function else {
                continue;
            };
            for part in refs(&list.items) {
                let before = self.found.calls.len();
                self.expr(part, group);
                // What it gives is asked for by its names.
                if let Some(call) = self.found.calls.get_mut(before) {
                    call.alone = true;
                }
                if let NodeRef::FuncCall(call) = part
                    && let Some(called) = Name::from_parts(texts(&call.funcname))
                {
                    names = columns_of(&called.name);
                    self.source(Source::Function(called));
                }
                functions += 1;
                if let Some(last) = self.imply(part, group) {
                    name = last;
                }
            }
        }
        let alias = call.alias.as_ref();
        let item = alias.map_or(name, |alias| &alias.aliasname);
        self.open_items.push((item, group));
        let named = !call.coldeflist.is_empty();
        // An alias list may leave out the last of them.
        if functions != 1 || !named && names != Some(&[]) {
            self.open(group, names.filter(|_| functions == 1));
        }
        self.define(&call.coldeflist, group);
        self.one_group(call.alias.as_ref(), name, group, items);
    }

    /// `XMLTABLE`, `JSON_TABLE`.
    fn table(
        &mut self,
        node: NodeRef<'a>,
        alias: Option<&'a protobuf::Alias>,
        items: &mut Vec<Item<'a>>,
    ) {
        let group = self.groups.fresh();
        crate::postgres::tree::children(node, &mut |child| self.expr(child, group));
        self.groups.compute(group);
        self.one_group(alias, "", group, items);
    }

    fn one_group(
        &mut self,
        alias: Option<&'a protobuf::Alias>,
        name: &'a str,
        group: u32,
        items: &mut Vec<Item<'a>>,
    ) {
        // A function of one value goes by its alias as a column too.
        let called = alias.map_or(name, |alias| &alias.aliasname);
        self.give(called, group);
        self.named(alias, name, vec![Out::Rest(group)], items);
    }

    fn define(&mut self, columns: &'a [Node], group: u32) {
        for column in refs(columns) {
            if let NodeRef::ColumnDef(column) = column {
                self.give(&*column.colname, group);
            }
        }
    }
}
