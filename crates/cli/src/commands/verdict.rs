//! `countersign approve` and `countersign deny`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use gateway::api::{VerdictBody, WhoView};
use model::{ApprovalStatement, Identity, Verdict};

use super::block_on;
use crate::approval::{Approval, Standing, show};
use crate::cli::Globals;
use crate::client::{Client, encoded};
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::sign::Key;
use crate::when;

/// Approve a command: see exactly what would run, and sign that it may.
///
/// The command's digest is computed anew from its bytes, here; where it is not the one that would be signed, nothing is
/// signed. You sign with your own SSH key, as the person of your token (COUNTERSIGN_TOKEN).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign approve cs-7f3a19c0
  countersign approve cs-7f3a19c0 --reason 'change 4711' --key ~/.ssh/id_ed25519
  countersign approve cs-7f3a19c0 --yes                  where there is no terminal to ask on")]
pub(crate) struct Approve {
    #[command(flatten)]
    given: Given,
}

/// Deny a command, and sign that you do.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign deny cs-7f3a19c0 --reason 'no change window'
  countersign deny cs-7f3a19c0 --yes --key ~/.ssh/id_ed25519")]
pub(crate) struct Deny {
    #[command(flatten)]
    given: Given,
}

#[derive(Debug, Args)]
struct Given {
    /// The approval, as `countersign approvals` lists it.
    #[arg(value_name = "ID")]
    id: String,

    /// Why, for the record; whoever asked reads it too.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,

    /// Your SSH key: a private key, or a public one whose private half your agent holds. Default: the first key of your
    /// agent, else of ~/.ssh, that the gateway knows as yours.
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_SSH_KEY")]
    key: Option<PathBuf>,

    /// Do not ask before signing.
    #[arg(long)]
    yes: bool,
}

impl Approve {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        self.given.give(Verdict::Approve, globals, output)
    }
}

impl Deny {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        self.given.give(Verdict::Deny, globals, output)
    }
}

impl Given {
    fn give(self, verdict: Verdict, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let client = Place::new(globals).personal()?;
        let path = format!("/v1/approvals/{}", encoded(&self.id));
        let (
            WhoView {
                identity: who,
                keys,
            },
            approval,
        ) = block_on(fetch(&client, &path))?;
        // What was asked for, and not another that the gateway may have sent.
        if approval.request.id != self.id {
            return Err(format!(
                "the gateway answered with approval {} instead of {}",
                approval.request.id, self.id
            )
            .into());
        }
        let verified = approval.verify()?;

        // People read it on standard error, so that a pipe gets the result alone.
        let shown = show(&approval, &verified, when::now(), output.stderr_paint());
        writeln!(io::stderr(), "{shown}\n")?;
        let key = Key::find(self.key.as_deref(), &keys)?;
        if !self.yes {
            confirm(verdict, &who)?;
        }
        let statement =
            ApprovalStatement::new(&approval.request, verdict, &who.human, &self.reason).bytes();
        let signature = key.sign(&statement)?;
        let body = VerdictBody {
            statement: String::from_utf8(statement)?,
            signature,
        };
        let standing: Standing =
            block_on(async { Ok(client.post(&format!("{path}/verdicts"), &body).await?) })?;
        report(&standing, output)
    }
}

async fn fetch(client: &Client, path: &str) -> Result<(WhoView, Approval), Failure> {
    let who: WhoView = client.get("/v1/whoami").await?;
    Ok((who, client.get(path).await?))
}

fn confirm(verdict: Verdict, who: &Identity) -> Result<(), Failure> {
    let what = match verdict {
        Verdict::Approve => "Approve",
        Verdict::Deny => "Deny",
    };
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "there is no terminal to ask on, so nothing was signed: read the above, and add --yes",
        ));
    }
    write!(
        io::stderr(),
        "{what} this as {}? yes or no: ",
        crate::render::escape::exact(&who.human)
    )?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim() {
        "yes" | "y" => Ok(()),
        _ => Err("nothing was signed".into()),
    }
}

fn report(standing: &Standing, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json(standing)?);
    }
    let paint = output.paint();
    let missing: Vec<_> = standing
        .missing
        .iter()
        .map(|(group, count)| format!("{count} more of {group}"))
        .collect();
    let text = match standing.status.as_str() {
        "granted" => paint.green(&format!(
            "{} is granted: the command runs, once.",
            standing.id
        )),
        "denied" => paint.red(&format!("{} is denied.", standing.id)),
        _ => paint.yellow(&format!(
            "{} still needs {}.",
            standing.id,
            missing.join(" and ")
        )),
    };
    Ok(output.line(&text)?)
}
