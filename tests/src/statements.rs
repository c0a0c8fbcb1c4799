//! Many statements, and all that comes back from them.

use crate::endpoint::Endpoint;
use serde_json::Value;

/// What came back from the statements of a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// How the protocol was spoken: `simple`, `text` or `binary`.
    pub mode: String,
    /// The statements.
    pub line: String,
    /// None of them failed.
    pub answered: bool,
    /// Values as they came, a row in one text, names and types of columns, errors with every field, notices, notifications, tags.
    pub out: Vec<String>,
}

impl Endpoint {
    /// Runs the statements on these lines, in each of these ways of speaking the protocol; `tests/clients/statements.py` tells
    /// how a line is written.
    #[must_use]
    pub fn statements<'a>(
        &self,
        modes: &str,
        lines: impl IntoIterator<Item = &'a str>,
    ) -> Vec<Answer> {
        let lines: Vec<&str> = lines.into_iter().collect();
        let output = self
            .python_with("statements.py", &[modes], &lines.join("\n"))
            .success();
        let answers: Vec<Answer> = output.json_lines().iter().map(answer_of).collect();
        assert_eq!(answers.len(), lines.len() * modes.split(',').count());
        answers
    }
}

/// The lines of a file of statements: neither empty nor a comment.
pub fn lines(file: &str) -> impl Iterator<Item = &str> {
    file.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("--"))
}

fn answer_of(answer: &Value) -> Answer {
    let text = |key: &str| answer[key].as_str().unwrap().to_owned();
    let out = answer["out"].as_array().unwrap();
    Answer {
        mode: text("mode"),
        line: text("line"),
        answered: answer["answered"].as_bool().unwrap(),
        out: out
            .iter()
            .map(|line| line.as_str().unwrap().to_owned())
            .collect(),
    }
}
