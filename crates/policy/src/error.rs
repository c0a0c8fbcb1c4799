//! What is wrong with a set of policies: every problem at once, each with its place.

use std::fmt;

/// At most so many problems are told of one load; the rest are counted.
pub const PROBLEMS_SHOWN_MAX: usize = 50;

/// A set of policies that was refused. Nothing of it came into force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name, or the folder where no one file is to blame.
    pub file: String,
    /// Where in the file, where there is a place.
    pub place: Option<Place>,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line itself.
    pub source: String,
}

impl LoadError {
    /// Takes the problems, in the order they are to be told.
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// One problem of a file or folder as a whole.
    pub(crate) fn whole(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(vec![Problem::whole(file, reason)])
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Problem {
    pub(crate) fn whole(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            place: None,
            reason: reason.into(),
        }
    }

    pub(crate) fn at(file: &str, text: &str, offset: usize, reason: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: Some(Place::of(text, offset)),
            reason: reason.into(),
        }
    }
}

impl Place {
    /// The place of a byte of `text`; past the end means the end.
    fn of(text: &str, offset: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let (before, after) = text.split_at(offset);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let head = before.get(start..).unwrap_or_default();
        let tail = after.split(['\n', '\r']).next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: head.chars().count() + 1,
            source: format!("{head}{tail}"),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().take(PROBLEMS_SHOWN_MAX).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        match self.problems.len().saturating_sub(PROBLEMS_SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = &self.place else {
            return write!(f, "{}: {}", self.file, self.reason);
        };
        let (line, column) = (place.line, place.column);
        writeln!(f, "{}:{line}:{column}: {}", self.file, self.reason)?;
        let number = line.to_string();
        // The caret stands under its character, tabs included.
        let pad: String = place
            .source
            .chars()
            .take(column - 1)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        writeln!(f, "  {number} | {}", place.source)?;
        write!(f, "  {:1$} | {pad}^", "", number.len())
    }
}
