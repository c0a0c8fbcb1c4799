//! What a replay looks like: from its lines to text. Nothing here waits or prints.

use gateway::record::{Line, Message, Scene, Shown};
use serde_json::Value;

use super::super::show::{ended, indented};
use crate::output::Paint;
use crate::render::{escape, table};

/// A stretch of data of a COPY shows so many characters of a line.
const COPY_CHARS_MAX: usize = 200;

/// A text that is looked for, in whatever case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search(String);

impl Search {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    /// Whether it stands in a value of this line of JSON.
    pub(super) fn finds(&self, line: &str) -> bool {
        serde_json::from_str(line).is_ok_and(|value| self.is_in(&value))
    }

    fn is_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => text.to_lowercase().contains(&self.0),
            Value::Array(values) => values.iter().any(|value| self.is_in(value)),
            Value::Object(members) => {
                let said = |name: &str| !matches!(name, "at" | "kind" | "event");
                members
                    .iter()
                    .any(|(name, value)| said(name) && self.is_in(value))
            }
            _ => false,
        }
    }
}

/// Rows or data that were shown and whose end is still to come.
#[derive(Debug, Default)]
struct Result {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    copied: Vec<String>,
    more: u64,
}

/// Turns lines into text.
pub(super) struct Stage {
    paint: Paint,
    rows_max: usize,
    search: Option<Search>,
    result: Result,
    /// What is held back until it is known whether the text that is looked for occurs in it.
    held: String,
    found: bool,
}

impl Stage {
    pub(super) fn new(paint: Paint, rows_max: usize, search: Option<Search>) -> Self {
        Self {
            paint,
            rows_max,
            search,
            result: Result::default(),
            held: String::new(),
            found: false,
        }
    }

    /// What the next line adds; may be empty.
    pub(super) fn line(&mut self, line: &Line) -> String {
        let finds = match &self.search {
            None => false,
            Some(search) => serde_json::to_value(line).is_ok_and(|value| search.is_in(&value)),
        };
        // What belongs to a command goes from its text to the next.
        let before = if matches!(line.scene, Scene::Asked { .. }) {
            self.cut()
        } else {
            String::new()
        };
        self.found |= finds;
        let now = self.scene(line, finds);
        match &self.search {
            None => joined([before, now]),
            Some(_) => {
                self.held = joined([std::mem::take(&mut self.held), now]);
                before
            }
        }
    }

    /// What is left when there are no more lines.
    pub(super) fn end(&mut self) -> String {
        self.cut()
    }

    fn cut(&mut self) -> String {
        let rest = self.settle();
        let held = joined([std::mem::take(&mut self.held), rest]);
        let shown = self.search.is_none() || std::mem::take(&mut self.found);
        if shown { held } else { String::new() }
    }

    fn scene(&mut self, line: &Line, finds: bool) -> String {
        let paint = self.paint;
        let at = paint.dim(&elapsed(line.us));
        let decided = |text: String| format!("{at} {text}");
        match &line.scene {
            Scene::Asked {
                seq,
                tag,
                text,
                parameters,
                command,
            } => {
                let head = paint.bold(&format!("#{seq} {}", escape::line(tag, 60)));
                let mut out = format!("\n{at} {head}\n{}", indented(text));
                if let Some(command) = command {
                    out.push('\n');
                    out.push_str(&paint.dim(&indented(&format!("$ {command}"))));
                }
                for (index, value) in parameters.iter().enumerate() {
                    let value = value
                        .as_ref()
                        .map_or("NULL".to_owned(), |value| format!("'{value}'"));
                    out.push('\n');
                    out.push_str(&indented(&format!("${} = {value}", index + 1)));
                }
                out
            }
            Scene::Held { seq, held } => {
                let said = escape::line(&held.message, 500);
                decided(paint.yellow(&format!("#{seq} held: {said}")))
            }
            Scene::Allowed { seq, intent } => {
                decided(paint.dim(&format!("#{seq} allowed, leaf {intent}")))
            }
            Scene::Refused { seq, denial } => {
                let said = escape::line(&denial.message, 500);
                joined([
                    self.settle(),
                    decided(paint.red(&format!("#{seq} refused: {said}"))),
                ])
            }
            Scene::Ended { seq, outcome } => joined([
                self.settle(),
                decided(format!("#{seq} {}", ended(outcome, paint))),
            ]),
            Scene::Put { seq: None, data } => {
                indented(&format!("COPY in: {}", escape::line(data, COPY_CHARS_MAX)))
            }
            Scene::Put {
                seq: Some(seq),
                data,
            } => decided(self.text(&format!("#{seq} uploads"), data)),
            Scene::Shown { shown } => self.shown(shown, finds),
        }
    }

    fn shown(&mut self, shown: &Shown, finds: bool) -> String {
        let paint = self.paint;
        match shown {
            Shown::Columns { names } => {
                let before = self.settle();
                self.result.columns = names.clone();
                before
            }
            Shown::Row { values } => {
                if self.result.rows.len() < self.rows_max || finds {
                    self.result.rows.push(values.clone());
                } else {
                    self.result.more += 1;
                }
                String::new()
            }
            Shown::Copy { data } => {
                if self.result.copied.len() < self.rows_max || finds {
                    self.result
                        .copied
                        .push(format!("    {}", escape::line(data, COPY_CHARS_MAX)));
                } else {
                    self.result.more += 1;
                }
                String::new()
            }
            Shown::Complete { .. } => self.settle(),
            Shown::Suspended => joined([
                self.settle(),
                paint.dim("    (more rows were not asked for)"),
            ]),
            Shown::Notice(message) => paint.yellow(&said(message)),
            Shown::Error(message) => joined([self.settle(), paint.red(&said(message))]),
            Shown::Notification { channel, payload } => paint.cyan(&indented(&escape::line(
                &format!("NOTIFY {channel}: {payload}"),
                500,
            ))),
            Shown::Answer {
                seq,
                status,
                fields,
            } => {
                let head = format!("#{seq} answer: HTTP {status}");
                let head = match status {
                    0..400 => paint.green(&head),
                    _ => paint.red(&head),
                };
                let field = |(name, value): &(String, String)| {
                    paint.dim(&indented(&escape::line(&format!("{name}: {value}"), 300)))
                };
                let fields: Vec<_> = fields.iter().map(field).collect();
                joined([head, fields.join("\n")])
            }
            Shown::Body { seq, data } => self.text(&format!("#{seq} is shown"), data),
            Shown::Cut { seq, why } => paint.dim(&format!(
                "#{seq} the rest is not in the recording: {}",
                escape::line(why, 200)
            )),
            Shown::Unreadable { why } => paint.red(&indented(&format!(
                "what follows cannot be read: {}",
                escape::line(why, 200)
            ))),
        }
    }

    /// Text of a body: at most so many lines as rows.
    fn text(&self, head: &str, data: &str) -> String {
        let lines: Vec<_> = data.split('\n').collect();
        let shown = lines.get(..self.rows_max).unwrap_or(&lines);
        let more = match lines.len() - shown.len() {
            0 => String::new(),
            more => self.paint.dim(&format!("    … and {more} more lines")),
        };
        let head = self.paint.dim(&format!("{head}:"));
        joined([head, indented(&shown.join("\n")), more])
    }

    /// The rows that were gathered, as a table.
    fn settle(&mut self) -> String {
        let result = std::mem::take(&mut self.result);
        let mut out = result.copied.join("\n");
        if !result.columns.is_empty() || !result.rows.is_empty() {
            out = joined([out, table::result(&result.columns, &result.rows)]);
        }
        if result.more > 0 {
            out = joined([
                out,
                self.paint
                    .dim(&format!("    … and {} more rows", result.more)),
            ]);
        }
        out
    }
}

/// Minutes, seconds and thousandths since the session began.
fn elapsed(us: u64) -> String {
    let ms = us / 1_000;
    format!(
        "{:>3}:{:02}.{:03}",
        ms / 60_000,
        ms / 1_000 % 60,
        ms % 1_000
    )
}

/// An error or notice as psql shows it.
fn said(message: &Message) -> String {
    let mut text = format!(
        "{}: {} ({})",
        message.severity, message.message, message.code
    );
    for (name, more) in [
        ("DETAIL", &message.detail),
        ("HINT", &message.hint),
        ("CONTEXT", &message.context),
    ] {
        if !more.is_empty() {
            text.push_str(&format!("\n{name}: {more}"));
        }
    }
    indented(&text)
}

/// The parts that hold something, each on lines of its own.
fn joined<const N: usize>(parts: [String; N]) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

#[cfg(test)]
mod tests;
