//! Results of queries in JSON: rows of values without names, and beside them what their columns are called. An answer is held
//! whole, since the names may come last.

use std::ops::Range;

use mask::Findings;
use serde_json::Value;

use super::errors;
use super::json::Json;
use super::{Kind, Member, Members, Unreadable};

/// An answer is at most so long.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Where results stand in the answers to an operation.
#[derive(Debug)]
pub(super) struct Layout {
    service: &'static str,
    operation: &'static str,
    /// To the list of the columns.
    columns: &'static [&'static str],
    /// What their names are called there.
    names: &'static [&'static str],
    /// To the values: `*` is an item of a list, `#` the item whose number is the column's.
    values: &'static [&'static str],
    /// Members that hold values without telling of which columns they are.
    pub(super) texts: &'static [&'static str],
    /// Members that say what went wrong, in the database's words.
    errors: &'static [&'static str],
}

/// What an answer that is an error says of itself.
const MESSAGES: [&str; 2] = ["message", "Message"];

/// The last of a service's are those of all its other answers.
const LAYOUTS: [Layout; 7] = [
    Layout {
        service: "athena",
        operation: "GetQueryResults",
        columns: &["ResultSet", "ResultSetMetadata", "ColumnInfo"],
        names: &["Name", "Label"],
        values: &["ResultSet", "Rows", "*", "Data", "#"],
        texts: &[],
        errors: &[],
    },
    Layout {
        service: "athena",
        operation: "",
        columns: &[],
        names: &[],
        values: &[],
        texts: &[],
        errors: &["ErrorMessage", "StateChangeReason"],
    },
    Layout {
        service: "rds-data",
        operation: "ExecuteStatement",
        columns: &["columnMetadata"],
        names: &["name", "label"],
        values: &["records", "*", "#"],
        texts: &["formattedRecords", "generatedFields"],
        errors: &[],
    },
    Layout {
        service: "rds-data",
        operation: "",
        columns: &[],
        names: &[],
        values: &[],
        texts: &["generatedFields"],
        errors: &[],
    },
    Layout {
        service: "redshift-data",
        operation: "GetStatementResult",
        columns: &["ColumnMetadata"],
        names: &["name", "label"],
        values: &["Records", "*", "#"],
        texts: &[],
        errors: &[],
    },
    Layout {
        service: "redshift-data",
        operation: "GetStatementResultV2",
        columns: &["ColumnMetadata"],
        names: &["name", "label"],
        values: &["Records", "*", "#"],
        texts: &["CSVRecords"],
        errors: &[],
    },
    Layout {
        service: "redshift-data",
        operation: "",
        columns: &[],
        names: &[],
        values: &[],
        texts: &[],
        errors: &["Error"],
    },
];

/// Operations that give no rows, or only their number.
const OTHERS: [&str; 1] = ["ExecuteSql"];

impl Layout {
    /// That of the answers to an operation; `Err` where they hold rows in a form that is not known here.
    pub(super) fn of(service: &str, operation: &str) -> Result<Option<&'static Self>, Unreadable> {
        let of = |it: &&Self| it.service == service && [operation, ""].contains(&it.operation);
        match LAYOUTS.iter().find(of) {
            None if operation.is_empty() || OTHERS.contains(&operation) => Err(Unreadable),
            found => Ok(found),
        }
    }
}

/// Statements that give rows only where they say `RETURNING`.
const ROWLESS: [&str; 19] = [
    "alter",
    "begin",
    "comment",
    "commit",
    "create",
    "delete",
    "drop",
    "grant",
    "insert",
    "merge",
    "replace",
    "revoke",
    "rollback",
    "savepoint",
    "set",
    "start",
    "truncate",
    "update",
    "use",
];

/// Whether a statement to the RDS Data API may give rows, and asks for no names of their columns.
pub(super) fn are_unnamed(body: &[u8]) -> bool {
    let Some(asked) = super::super::body::json(body) else {
        return false;
    };
    let is = |name: &str, wanted: &Value| asked.get(name) == Some(wanted);
    if is("includeResultMetadata", &Value::Bool(true)) || is("formatRecordsAs", &"JSON".into()) {
        return false;
    }
    let sql = asked.get("sql").and_then(Value::as_str).unwrap_or_default();
    let sql = sql.to_ascii_lowercase();
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let mut words = sql.split(word).filter(|it| !it.is_empty());
    let rowless = words.next().is_some_and(|first| ROWLESS.contains(&first));
    !rowless || words.any(|it| it == "returning")
}

#[derive(Debug)]
pub(super) struct Rows {
    json: Json,
    layout: &'static Layout,
    answer: Vec<u8>,
}

impl Rows {
    pub(super) fn new(json: Json, layout: &'static Layout) -> Self {
        Self {
            json,
            layout,
            answer: Vec::new(),
        }
    }

    pub(super) fn members(&self) -> &Members {
        self.json.members()
    }

    pub(super) fn push(&mut self, piece: &[u8], findings: &mut Findings) -> Result<(), Unreadable> {
        if self.answer.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(Unreadable);
        }
        self.json.push(piece, &mut self.answer, findings)
    }

    pub(super) fn finish(
        self,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Result<(), Unreadable> {
        let Self {
            json,
            layout,
            mut answer,
        } = self;
        let members = json.finish(&mut answer, findings);
        if answer.is_empty() {
            return Ok(());
        }
        for (place, member) in layout.cells(&answer, &members).ok_or(Unreadable)? {
            let cell = answer.get_mut(place).ok_or(Unreadable)?;
            match member.kind {
                Kind::Bare => members.count(member, Some(cell), findings),
                _ => members.count_text(member, cell, findings),
            }
            hide(cell, member);
        }
        for place in layout.messages(&answer).ok_or(Unreadable)? {
            let message = answer.get_mut(place).ok_or(Unreadable)?;
            errors::hide(message, &members, findings);
        }
        out.extend_from_slice(&answer);
        Ok(())
    }
}

/// A value that is hidden, at its length: what stands between the quotes of a text, or all of a number or word.
fn hide(cell: &mut [u8], member: Member) {
    match member.kind {
        Kind::Bare => {
            let word: &[u8] = match cell.first() {
                Some(b't' | b'f' | b'n') => b"null",
                _ => b"0",
            };
            cell.fill(b' ');
            cell.iter_mut().zip(word).for_each(|(to, from)| *to = *from);
        }
        _ => cell
            .iter_mut()
            .for_each(|byte| *byte = member.hidden(*byte)),
    }
}

/// A step to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    Name(String),
    Item(usize),
}

/// A value that is no list and no object.
struct Leaf {
    path: Vec<At>,
    place: Range<usize>,
    is_text: bool,
}

impl Layout {
    /// Where the values of columns are that hold a class; `None` where that cannot be told.
    fn cells(&self, answer: &[u8], members: &Members) -> Option<Vec<(Range<usize>, Member)>> {
        let tree: Value = serde_json::from_slice(answer).ok()?;
        let leaves = leaves(answer)?;
        let columns = self.columns(&tree);
        let mut found = Vec::new();
        for leaf in leaves {
            let Some((row, column)) = self.within(&leaf.path) else {
                continue;
            };
            // Without their names no value may be shown.
            let names = columns.as_ref()?.get(column)?;
            let Some(member) = names.iter().find_map(|name| members.column(name)) else {
                continue;
            };
            let value = answer.get(leaf.place.clone())?;
            let is_header = row == 0 && names.iter().any(|name| name.as_bytes() == value);
            let named = |wanted: &str| matches!(leaf.path.last(), Some(At::Name(name)) if name.eq_ignore_ascii_case(wanted));
            if is_header && self.service == "athena" || named("isNull") || value == b"null" {
                continue;
            }
            let kind = match leaf.is_text {
                false => Kind::Bare,
                true if named("blobValue") => Kind::Blob,
                true => Kind::Text,
            };
            found.push((leaf.place, Member { kind, ..member }));
        }
        Some(found)
    }

    /// Where it says what went wrong; `None` where that cannot be told.
    fn messages(&self, answer: &[u8]) -> Option<Vec<Range<usize>>> {
        let is_message = |leaf: &Leaf| match leaf.path.as_slice() {
            [At::Name(name)] if MESSAGES.contains(&name.as_str()) => true,
            [.., At::Name(name)] => self.errors.contains(&name.as_str()),
            _ => false,
        };
        let leaves = leaves(answer)?.into_iter();
        let messages = leaves.filter(|leaf| leaf.is_text && is_message(leaf));
        Some(messages.map(|leaf| leaf.place).collect())
    }

    /// The names of each column.
    fn columns<'a>(&self, tree: &'a Value) -> Option<Vec<Vec<&'a str>>> {
        let list = self.columns.iter().try_fold(tree, |it, name| it.get(name));
        let names = |column: &'a Value| {
            let names = self.names.iter().filter_map(|name| column.get(name));
            let names: Vec<_> = names.filter_map(Value::as_str).collect();
            (!names.is_empty()).then_some(names)
        };
        list?.as_array()?.iter().map(names).collect()
    }

    /// The row and column that a value stands in, if it is one of the results'.
    fn within(&self, path: &[At]) -> Option<(usize, usize)> {
        let (mut row, mut column) = (0, None);
        for (wanted, at) in self.values.iter().zip(path) {
            match (*wanted, at) {
                ("*", At::Item(number)) => row = *number,
                ("#", At::Item(number)) => column = Some(*number),
                (wanted, At::Name(name)) if wanted == name => {}
                _ => return None,
            }
        }
        Some((row, column?))
    }
}

/// The values of JSON that was read before.
fn leaves(answer: &[u8]) -> Option<Vec<Leaf>> {
    let mut leaves = Vec::new();
    Walk {
        bytes: answer,
        at: 0,
        path: Vec::new(),
        leaves: &mut leaves,
    }
    .value()?;
    Some(leaves)
}

/// On the way through JSON that was read before.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    path: Vec<At>,
    leaves: &'a mut Vec<Leaf>,
}

impl Walk<'_> {
    fn next(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.at..)?;
        self.at += rest
            .iter()
            .take_while(|it| it.is_ascii_whitespace())
            .count();
        self.bytes.get(self.at).copied()
    }

    fn value(&mut self) -> Option<()> {
        match self.next()? {
            b'{' => self.items(b'}', true),
            b'[' => self.items(b']', false),
            b'"' => {
                let place = self.text()?;
                self.leaf(place, true)
            }
            _ => {
                let rest = self.bytes.get(self.at..)?;
                let ends = |it: &u8| it.is_ascii_whitespace() || b",]}".contains(it);
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                let place = self.at..self.at + length;
                self.at = place.end;
                self.leaf(place, false)
            }
        }
    }

    fn leaf(&mut self, place: Range<usize>, is_text: bool) -> Option<()> {
        let path = self.path.clone();
        self.leaves.push(Leaf {
            path,
            place,
            is_text,
        });
        Some(())
    }

    /// All up to `end`.
    fn items(&mut self, end: u8, named: bool) -> Option<()> {
        self.at += 1;
        let mut number = 0;
        while self.next()? != end {
            let step = if named {
                let quoted = self.text()?;
                let quoted = self.bytes.get(quoted.start - 1..quoted.end + 1)?;
                let name = serde_json::from_slice(quoted).ok()?;
                (self.next()? == b':').then_some(())?;
                self.at += 1;
                At::Name(name)
            } else {
                At::Item(number)
            };
            number += 1;
            self.path.push(step);
            self.value()?;
            self.path.pop();
            if self.next()? == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Some(())
    }

    /// What stands between the quotes that are next.
    fn text(&mut self) -> Option<Range<usize>> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.bytes.get(end)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        self.at = end + 1;
        Some(start..end)
    }
}
