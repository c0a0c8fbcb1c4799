//! `countersign approvals`.

use clap::Args;

use super::block_on;
use crate::approval::{Approval, row};
use crate::cli::Globals;
use crate::client::{Client, query};
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::render::table;
use crate::when;

/// A change is seen at once; one between two questions within this.
const WAIT_SECS: u64 = 3;

/// List what waits for people: what you may decide or asked for.
///
/// An auditor, and the operator of the gateway on this machine, see all of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign approvals
  countersign approvals --watch
  countersign approvals | jq -r .id")]
pub(crate) struct Approvals {
    /// Follow the list as it changes, until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

impl Approvals {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let client = Place::new(globals).client_or_operator()?;
        if !self.watch {
            let list: Vec<Approval> = block_on(async { Ok(client.get("/v1/approvals").await?) })?;
            return print(&list, output);
        }
        // A token of this machine's operator does not outlast a minute.
        drop(client);
        block_on(async {
            tokio::select! {
                watched = watch(globals, output) => watched,
                interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
            }
        })
    }
}

async fn watch(globals: &Globals, output: &Output) -> Result<(), Failure> {
    let place = Place::new(globals);
    let mut shown: Option<String> = None;
    loop {
        let client: Client = place.client_or_operator()?;
        let wait = if shown.is_some() { WAIT_SECS } else { 0 };
        let list: Vec<Approval> = client
            .get(&query("/v1/approvals", [("wait_secs", wait.to_string())]))
            .await?;
        let now = serde_json::to_string(&list)?;
        if shown.as_ref() != Some(&now) {
            if output.is_terminal() && !output.is_json() {
                // Clear the screen, and begin at its top.
                output.line("\x1b[2J\x1b[H")?;
            }
            print(&list, output)?;
            shown = Some(now);
        }
    }
}

fn print(list: &[Approval], output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        for approval in list {
            output.json(approval)?;
        }
        return Ok(());
    }
    if list.is_empty() {
        return Ok(output.line("Nothing waits for a decision.")?);
    }
    let now = when::now();
    let rows: Vec<_> = list.iter().map(|approval| row(approval, now)).collect();
    let headings = [
        "ID",
        "STATUS",
        "ASKED BY",
        "TARGET",
        "COMMAND",
        "WHO DECIDES",
        "EXPIRES IN",
    ];
    output.line(&table::list(&headings, &rows))?;
    let hint = "countersign approve <id> shows one of them exactly, and asks before it signs.";
    Ok(output.line(&output.paint().dim(hint))?)
}
