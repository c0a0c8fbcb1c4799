//! `countersign evidence was-released`.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use clap::Args;
use gateway::api::{ReleasedBody, ReleasedFact, ReleasedView};

use super::block_on;
use crate::cli::Globals;
use crate::client::encoded;
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::place::Place;
use crate::render::escape;
use crate::when;

/// A value has at most so many bytes.
const VALUE_BYTES_MAX: u64 = 32 * 1_024;

/// Ask whether a session was shown a value, or whether it was hidden there.
///
/// The ledger holds no value, but a commitment to each that was found, under the session's key: the gateway compares. The value is not
/// kept; that you asked, and why, stands in the ledger. What no column declares and no detector finds has no commitment.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign evidence was-released --session s-0199a2b3c4d-0badcafe --reason 'ticket 4711' < value.txt
  countersign evidence was-released --session s-0199a2b3c4d-0badcafe --reason 'ticket 4711' --value 078-05-1120 | jq .released")]
pub(crate) struct WasReleased {
    /// The session, as `countersign sessions` lists it.
    #[arg(long, value_name = "SESSION")]
    session: String,

    /// The value. `-` is standard input, which leaves it out of the shell's history and the list of processes.
    #[arg(long, value_name = "VALUE", default_value = "-")]
    value: String,

    /// Why you ask, for the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl WasReleased {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let client = Place::new(globals).client_or_operator()?;
        let value = match self.value.as_str() {
            "-" => typed()?,
            _ => self.value,
        };
        let path = format!("/v1/sessions/{}/released", encoded(&self.session));
        let body = ReleasedBody {
            value,
            reason: self.reason,
        };
        let view: ReleasedView = block_on(async { Ok(client.post(&path, &body).await?) })?;
        if output.is_json() {
            return Ok(output.json(&view)?);
        }
        Ok(output.line(&said(&view, output.paint()))?)
    }
}

/// The value from standard input, without the line's end.
fn typed() -> Result<String, Failure> {
    let mut value = String::new();
    if io::stdin().is_terminal() {
        write!(io::stderr(), "Value: ")?;
        io::stdin().read_line(&mut value)?;
    } else {
        let unreadable = |error| Failure::usage(format!("standard input holds no text: {error}"));
        let mut input = io::stdin().lock().take(VALUE_BYTES_MAX + 1);
        input.read_to_string(&mut value).map_err(unreadable)?;
    }
    if value.len() as u64 > VALUE_BYTES_MAX {
        let say = format!("the value is longer than {VALUE_BYTES_MAX} bytes: give one value");
        return Err(Failure::usage(say));
    }
    Ok(value.trim_end_matches(['\r', '\n']).to_owned())
}

fn said(view: &ReleasedView, paint: Paint) -> String {
    let answer = match (view.released, view.found.len()) {
        (true, _) => paint.red("Yes: it was shown as it is."),
        (false, 0) => paint.green("No: it is not among the values that were found."),
        (false, _) => paint.green("No: it was found, and hidden each time."),
    };
    let mut lines = vec![answer];
    lines.extend(view.found.iter().map(found));
    if view.uncertain > 0 {
        lines.push(paint.yellow(&format!(
            "Answers to {} of the commands may have held more values than are committed to: of those this proves nothing.",
            view.uncertain
        )));
    }
    lines.join("\n")
}

/// `  #2 2026-02-01 10:00 UTC, leaf 31: us_ssn in public.customers.ssn (redact, declared)`.
fn found(fact: &ReleasedFact) -> String {
    let at = when::short(fact.at);
    let line = format!(
        "#{} {at} UTC, leaf {}: {} in {} ({}, {})",
        fact.seq, fact.leaf, fact.class, fact.place, fact.strategy, fact.rule
    );
    format!("  {}", escape::line(&line, 300))
}
