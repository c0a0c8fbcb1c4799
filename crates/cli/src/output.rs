//! How results are shown: tables and colour for people, JSON Lines for programs.

use std::io::{self, IsTerminal as _, Write as _};

use clap::ValueEnum;
use serde::Serialize;

use crate::render::escape;

/// When colour is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// At any rate.
    Always,
    /// Not at all.
    Never,
}

/// The form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Tables on a terminal, JSON Lines elsewhere.
    Auto,
    /// Tables and text.
    Table,
    /// JSON, one value a line.
    Json,
}

/// Where results go, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    form: Form,
    terminal: bool,
    stdout: Paint,
    stderr: Paint,
}

impl Output {
    /// The output of this process.
    pub(crate) fn new(form: Form, color: Color) -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            form,
            terminal,
            stdout: Paint::new(color, terminal),
            stderr: Paint::new(color, io::stderr().is_terminal()),
        }
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(&self) -> bool {
        match self.form {
            Form::Auto => !self.terminal,
            Form::Table => false,
            Form::Json => true,
        }
    }

    /// Whether JSON was asked for by name.
    pub(crate) fn wants_json(&self) -> bool {
        self.form == Form::Json
    }

    /// Whether a person looks at standard output.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Colours for standard output.
    pub(crate) fn paint(&self) -> Paint {
        self.stdout
    }

    /// Colours for standard error.
    pub(crate) fn stderr_paint(&self) -> Paint {
        self.stderr
    }

    /// Writes one value as a line of JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        self.line(&text)
    }

    /// Writes text as it is, and a line end.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.is_json() && self.terminal {
            out.write_all(escape::json(text).as_bytes())?;
        } else {
            out.write_all(text.as_bytes())?;
        }
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// Colours, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// No colours.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self { on: false };

    fn new(color: Color, terminal: bool) -> Self {
        let wanted = || {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            terminal && !plain && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        };
        let on = match color {
            Color::Auto => wanted(),
            Color::Always => true,
            Color::Never => false,
        };
        Self { on }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.with("36", text)
    }

    /// `text` must hold no control characters: it was escaped before.
    fn with(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
