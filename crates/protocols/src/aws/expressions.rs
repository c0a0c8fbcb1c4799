//! What requests to DynamoDB do with attributes that are declared to hold a class: conditions and filters that ask after their
//! values, and updates that copy them to where nothing hides them.
//!
//! A name is taken for a declared one wherever it stands in a path, and case aside; a value that has a member of such a name asks
//! after that member, whatever it is compared with. What cannot be read touches every class.

mod compared;
mod tokens;

use std::collections::BTreeSet;

use model::DataClass;
use serde_json::{Map, Value};

use super::answers::Answers;
use super::body;
use super::classify::{Call, Wire};
use super::objects::{Name, Step};
use compared::{compares_paths, is_path_matched, is_value_matched};
use tokens::Token::{self, Mark, Name as Word};
use tokens::{Given, TYPES, inner_names, is_word, tokens, whole};

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

    fn all(&self) -> BTreeSet<DataClass> {
        self.protected.iter().map(|it| it.1.clone()).collect()
    }

    fn everything(&mut self) {
        let classes = self.all();
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
        let given = Given {
            names: map.get("ExpressionAttributeNames"),
            values: map.get("ExpressionAttributeValues"),
            parameters: map.get("Parameters"),
        };
        for (name, value) in map {
            match (name.as_str(), value) {
                (
                    "FilterExpression" | "ConditionExpression" | "KeyConditionExpression",
                    Value::String(text),
                ) => self.condition(&tokens(text, given)?)?,
                ("UpdateExpression", Value::String(text)) => self.update(&tokens(text, given)?),
                ("Statement", Value::String(text)) => self.statement(&tokens(text, given)?)?,
                (
                    "ScanFilter" | "QueryFilter" | "KeyConditions" | "Expected",
                    Value::Object(attributes),
                ) => {
                    for (attribute, how) in attributes {
                        let operator = how.get("ComparisonOperator").and_then(Value::as_str);
                        let equal = operator.is_none_or(|it| matches!(it, "EQ" | "IN"));
                        self.asked(attribute, equal);
                        let values = ["AttributeValueList", "Value"].map(|it| how.get(it));
                        for name in values.into_iter().flatten().flat_map(inner_names) {
                            self.asked(&name, equal);
                        }
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

    /// `a = :v`, `:v = a` and `a IN (…)` compare for equality; all else asks for more. `None` where it cannot be read.
    fn condition(&mut self, tokens: &[Token]) -> Option<()> {
        let tokens = &whole(tokens)?;
        for (place, token) in tokens.iter().enumerate() {
            match token {
                Word(name) if !self.classes(name).is_empty() => {
                    let equal = is_path_matched(tokens, place);
                    self.asked(name, equal);
                }
                Token::Value(names) => {
                    let equal = is_value_matched(tokens, place);
                    for name in names {
                        self.asked(name, equal);
                    }
                }
                _ => {}
            }
        }
        // Either may be a map with anything in it, and the other what somebody put there to guess it.
        if compares_paths(tokens) {
            self.touched.probed.extend(self.all());
        }
        Some(())
    }

    /// `SET a = b, c = d REMOVE e ADD f :v DELETE g :v`.
    fn update(&mut self, tokens: &[Token]) {
        let mut depth = 0;
        let mut setting = false;
        let (mut to, mut from): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        let mut behind = false;
        for (place, token) in tokens.iter().enumerate() {
            match token {
                Mark('(' | '[' | '{') => depth += 1,
                Mark(')' | ']' | '}') => depth -= 1,
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

    /// A statement of PartiQL; `None` where it cannot be read.
    fn statement(&mut self, tokens: &[Token]) -> Option<()> {
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
            self.condition(part(at + 1, end))?;
            if word(end, "ORDER") {
                for token in part(end, tokens.len()) {
                    if let Word(name) = token {
                        self.asked(name, false);
                    }
                }
            }
            at = find(end, &["WHERE"]);
        }
        Some(())
    }
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

#[cfg(test)]
mod tests;
