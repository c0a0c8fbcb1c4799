//! What ends a command before its time, and with which exit code.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::output::Output;
use crate::render::escape;

/// The exit code of a command that could not do what it was asked.
const FAILED: u8 = 1;
/// The exit code where arguments, configuration or policies are at fault.
const USAGE: u8 = 2;

/// Any error, with the exit code that it leads to. What it says is one sentence and the next step.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: u8,
    error: Box<dyn Error>,
}

impl Failure {
    /// The user's arguments, configuration or policies are at fault.
    pub(crate) fn usage(error: impl Into<Box<dyn Error>>) -> Self {
        Self::with_code(USAGE, error)
    }

    /// With an exit code that has a meaning of its own.
    pub(crate) fn with_code(exit: u8, error: impl Into<Box<dyn Error>>) -> Self {
        Self {
            exit,
            error: error.into(),
        }
    }

    /// Says what is wrong on standard error, and gives the exit code.
    pub(crate) fn report(&self, output: &Output) -> ExitCode {
        // Whoever read our output has seen enough.
        let broken = self.error.downcast_ref::<io::Error>();
        if broken.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        let paint = output.stderr_paint();
        // Some of it was said by the gateway, which may quote what others wrote.
        let text = escape::visible(&self.to_string());
        eprintln!("{} {text}", paint.red("countersign:"));
        ExitCode::from(self.exit)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::with_code(FAILED, error)
    }
}
