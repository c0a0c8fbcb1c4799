//! What requests to DynamoDB do with attributes that are declared to hold a class: conditions and filters that ask after their
//! values, and updates that copy them to where nothing hides them.
//!
//! A name is taken for a declared one wherever it stands in a path, and case aside. What cannot be read touches every class.

use std::collections::BTreeSet;

use model::DataClass;
use serde_json::{Map, Value};

use super::answers::Answers;
use super::body;
use super::classify::{Call, Wire};
use super::objects::{Name, Step};

/// The attribute of policies' context with the classes that values are compared with for equality.
pub const MATCHED: &str = "matched";
/// The one with those that conditions ask after in another way.
pub const PROBED: &str = "probed";

/// A body is read up to this length; DynamoDB takes items of 400 KiB.
const BODY_BYTES_MAX: usize = 512 * 1_024;
/// Objects in objects at most so deep.
const DEPTH_MAX: usize = 64;

/// Operations with expressions, or with what was before them.
const OPERATIONS: [&str; 9] = [
    "BatchExecuteStatement",
    "DeleteItem",
    "ExecuteStatement",
    "ExecuteTransaction",
    "PutItem",
    "Query",
    "Scan",
    "TransactWriteItems",
    "UpdateItem",
];

/// What stands in paths of answers and is no attribute's name: the types of values.
const TYPES: [&str; 10] = ["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"];

/// The classes of declared attributes that a request touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Compared for equality with values that the request has.
    pub matched: BTreeSet<DataClass>,
    /// Asked after in another way: a part of it, its size, its order, whether it is there.
    pub probed: BTreeSet<DataClass>,
    /// Copied to another name.
    pub copied: BTreeSet<DataClass>,
}

/// Looks at the expressions of a call, of whose answers this is declared. `body` is all of its body.
pub fn look(call: &mut Call, body: &[u8], declared: &[Answers]) {
    let is_dynamo = call.service.is_some_and(|it| it.name == "dynamodb");
    let touches = call
        .operation
        .is_none_or(|it| OPERATIONS.contains(&it.name));
    if !is_dynamo || !touches {
        return;
    }
    let mut look = Look::default();
    for answers in declared.iter().filter(|it| it.fits_resource(call)) {
        for (member, class) in &answers.members {
            look.protect(&member.name, class);
        }
    }
    if look.protected.is_empty() {
        return;
    }
    let tree = match call.wire {
        Wire::Json(_) if body.len() <= BODY_BYTES_MAX => body::json(body),
        _ => None,
    };
    let read = tree.and_then(|tree| look.value(&tree, 0));
    if read.is_none() {
        look.everything();
    }
    call.touched = look.touched;
}

#[derive(Default)]
struct Look {
    protected: Vec<(String, DataClass)>,
    touched: Touched,
}

/// A part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A name in a path, or a word.
    Name(String),
    /// A value, whatever it is.
    Value,
    /// An operator or a mark.
    Mark(char),
}

use Token::{Mark, Name as Word};

impl Look {
    fn protect(&mut self, name: &Name, class: &DataClass) {
        let mut add = |name: &str| self.protected.push((name.to_owned(), class.clone()));
        match name {
            Name::Anywhere(name) => add(name),
            Name::At(steps) => {
                for step in steps {
                    match step {
                        Step::To(name) if !TYPES.contains(&name.as_str()) => add(name),
                        _ => {}
                    }
                }
            }
            Name::Column(_) => {}
        }
    }

    /// The classes that are declared of a name.
    fn classes(&self, name: &str) -> Vec<DataClass> {
        let of_name = self.protected.iter();
        let of_name = of_name.filter(|(it, _)| it.eq_ignore_ascii_case(name));
        of_name.map(|(_, class)| class.clone()).collect()
    }

    fn everything(&mut self) {
        let classes: BTreeSet<DataClass> = self.protected.iter().map(|it| it.1.clone()).collect();
        self.touched = Touched {
            matched: classes.clone(),
            probed: classes.clone(),
            copied: classes,
        };
    }

    /// What stands in a body; `None` where it cannot be read.
    fn value(&mut self, value: &Value, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match value {
            Value::Object(map) => {
                self.members(map)?;
                // Items and values hold what is no expression.
                let inner = map.iter().filter(|(name, _)| {
                    !matches!(
                        name.as_str(),
                        "Item" | "Key" | "ExpressionAttributeValues" | "ExclusiveStartKey"
                    )
                });
                inner
                    .map(|(_, inner)| self.value(inner, depth + 1))
                    .collect()
            }
            Value::Array(items) => items
                .iter()
                .map(|inner| self.value(inner, depth + 1))
                .collect(),
            _ => Some(()),
        }
    }

    fn members(&mut self, map: &Map<String, Value>) -> Option<()> {
        let names = map.get("ExpressionAttributeNames");
        for (name, value) in map {
            match (name.as_str(), value) {
                (
                    "FilterExpression" | "ConditionExpression" | "KeyConditionExpression",
                    Value::String(text),
                ) => self.condition(&tokens(text, names)?),
                ("UpdateExpression", Value::String(text)) => self.update(&tokens(text, names)?),
                ("Statement", Value::String(text)) => self.statement(&tokens(text, None)?),
                (
                    "ScanFilter" | "QueryFilter" | "KeyConditions" | "Expected",
                    Value::Object(attributes),
                ) => {
                    for (attribute, how) in attributes {
                        let how = how.get("ComparisonOperator").and_then(Value::as_str);
                        let equal = how.is_none_or(|it| matches!(it, "EQ" | "IN"));
                        self.asked(attribute, equal);
                    }
                }
                _ => {}
            }
        }
        Some(())
    }

    fn asked(&mut self, name: &str, equal: bool) {
        let classes = self.classes(name);
        if equal {
            self.touched.matched.extend(classes);
        } else {
            self.touched.probed.extend(classes);
        }
    }

    /// `a = :v`, `:v = a` and `a IN (…)` compare for equality; all else asks for more.
    fn condition(&mut self, tokens: &[Token]) {
        for (place, token) in tokens.iter().enumerate() {
            let Word(name) = token else {
                continue;
            };
            if self.classes(name).is_empty() {
                continue;
            }
            // The path that it stands in, from its first step to its last.
            let step = |token: Option<&Token>| matches!(token, Some(Mark('.' | '[' | ']')));
            let (mut first, mut last) = (place, place);
            while first > 0 && (step(tokens.get(first - 1)) || step(tokens.get(first))) {
                first -= 1;
            }
            while step(tokens.get(last + 1)) || step(tokens.get(last)) && last < tokens.len() {
                if matches!(tokens.get(last), Some(Mark(']'))) && !step(tokens.get(last + 1)) {
                    break;
                }
                last += 1;
            }
            let at = |place: Option<usize>| place.and_then(|place| tokens.get(place));
            let value = |place: Option<usize>| matches!(at(place), Some(Token::Value));
            let equals = |place: Option<usize>| matches!(at(place), Some(Mark('=')));
            // A value that is part of something that is computed has another mark beside it.
            let before = equals(first.checked_sub(1)) && value(first.checked_sub(2));
            let after = equals(Some(last + 1)) && value(Some(last + 2));
            let among = is_word(at(Some(last + 1)), "IN");
            self.asked(name, before || after || among);
        }
    }

    /// `SET a = b, c = d REMOVE e ADD f :v DELETE g :v`.
    fn update(&mut self, tokens: &[Token]) {
        let mut depth = 0;
        let mut setting = false;
        let (mut to, mut from): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        let mut behind = false;
        for (place, token) in tokens.iter().enumerate() {
            match token {
                Mark('(' | '[') => depth += 1,
                Mark(')' | ']') => depth -= 1,
                Mark(',') if depth == 0 => {
                    self.set(&to, &from);
                    (to, from, behind) = (Vec::new(), Vec::new(), false);
                }
                Mark('=') if depth == 0 => behind = true,
                Word(word) if depth == 0 && is_clause(word, tokens, place) => {
                    self.set(&to, &from);
                    (to, from, behind) = (Vec::new(), Vec::new(), false);
                    setting = word.eq_ignore_ascii_case("SET");
                }
                Word(word) if setting && behind => from.push(word),
                Word(word) if setting => to.push(word),
                _ => {}
            }
        }
        self.set(&to, &from);
    }

    /// What is written to a path is hidden where a declared name stands in it too; what is below a name that has the same class.
    fn set(&mut self, to: &[&str], from: &[&str]) {
        let hidden: Vec<DataClass> = to.iter().flat_map(|name| self.classes(name)).collect();
        let classes = from.iter().flat_map(|name| self.classes(name));
        let copied: Vec<DataClass> = classes.filter(|it| !hidden.contains(it)).collect();
        self.touched.copied.extend(copied);
    }

    /// A statement of PartiQL.
    fn statement(&mut self, tokens: &[Token]) {
        let word = |place: usize, word: &str| is_word(tokens.get(place), word);
        let find = |from: usize, words: &[&str]| {
            let found = (from..tokens.len()).find(|at| words.iter().any(|it| word(*at, it)));
            found.unwrap_or(tokens.len())
        };
        let part = |from: usize, to: usize| tokens.get(from..to.max(from)).unwrap_or_default();
        // Names that stand for others would stand for declared ones.
        if word(0, "UPDATE") {
            let set = find(0, &["SET", "REMOVE"]);
            let end = find(set, &["WHERE", "RETURNING"]);
            self.update(part(set, end));
        }
        // Of what is below a declared name the answer tells the last step alone.
        for (place, token) in tokens.iter().enumerate() {
            let Word(name) = token else {
                continue;
            };
            let deeper = matches!(tokens.get(place + 1), Some(Mark('.' | '[')));
            let renamed = is_word(tokens.get(place + 1), "AS");
            if deeper || renamed {
                let classes = self.classes(name);
                self.touched.copied.extend(classes);
            }
        }
        let mut at = find(0, &["WHERE"]);
        while at < tokens.len() {
            let end = find(at + 1, &["WHERE", "ORDER", "RETURNING"]);
            self.condition(part(at + 1, end));
            if word(end, "ORDER") {
                for token in part(end, tokens.len()) {
                    if let Word(name) = token {
                        self.asked(name, false);
                    }
                }
            }
            at = find(end, &["WHERE"]);
        }
    }
}

fn is_word(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Word(it)) if it.eq_ignore_ascii_case(word))
}

/// Whether a word begins a clause, and is no name: in an expression what stands before a clause is no operator.
fn is_clause(word: &str, tokens: &[Token], place: usize) -> bool {
    let clauses = ["SET", "REMOVE", "ADD", "DELETE"];
    let named = matches!(
        place.checked_sub(1).and_then(|before| tokens.get(before)),
        Some(Mark('.' | ',' | '=' | '+' | '-'))
    );
    !named && clauses.iter().any(|it| it.eq_ignore_ascii_case(word))
}

/// An expression or a statement in its parts, names that stand for others (`#n`) by what they stand for; `None` where it cannot be read.
fn tokens(text: &str, names: Option<&Value>) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let of_word = |c: char| c.is_alphanumeric() || c == '_';
        let (token, after) = match first {
            '#' => {
                let end = end_of(rest, 1, of_word);
                let (alias, after) = rest.split_at_checked(end)?;
                let name = names.and_then(|names| names.get(alias))?.as_str()?;
                (Word(name.to_owned()), after)
            }
            ':' => (Token::Value, rest.get(end_of(rest, 1, of_word)..)?),
            '?' => (Token::Value, rest.get(1..)?),
            '"' | '\'' => {
                let (quoted, after) = quoted(rest, first)?;
                let is_step = matches!(tokens.last(), Some(Mark('[')));
                let token = if first == '"' || is_step {
                    Word(quoted)
                } else {
                    Token::Value
                };
                (token, after)
            }
            '0'..='9' => (Token::Value, rest.get(end_of(rest, 1, of_word)..)?),
            c if of_word(c) => {
                let (word, after) = rest.split_at_checked(end_of(rest, 0, of_word))?;
                (Word(word.to_owned()), after)
            }
            '`' | '\\' => return None,
            c => (Mark(c), rest.get(c.len_utf8()..)?),
        };
        // Comments of statements hide what stands in them from one reader and not from another.
        let comment = matches!(
            (tokens.last(), &token),
            (Some(Mark('-')), Mark('-')) | (Some(Mark('/')), Mark('*'))
        );
        if comment && rest.starts_with(['-', '*']) {
            return None;
        }
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

/// Where what begins at `from` ends.
fn end_of(text: &str, from: usize, is: impl Fn(char) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.find(|c: char| !is(c)).unwrap_or(rest.len())
}

/// What stands in quotes, in which two are one, and what follows them.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text.get(1..)?;
    loop {
        let (before, after) = rest.split_once(quote)?;
        out.push_str(before);
        match after.strip_prefix(quote) {
            Some(after) => {
                out.push(quote);
                rest = after;
            }
            None => return Some((out, after)),
        }
    }
}

#[cfg(test)]
mod tests;
