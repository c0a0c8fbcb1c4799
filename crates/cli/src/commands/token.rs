//! `countersign token`.

use std::time::Duration;

use clap::Args;
use gateway::api::{TokenBody, TokenView};

use super::block_on;
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::when;

/// Have the gateway on this machine make a token, with its built-in issuer.
///
/// For a trial: in production your own OIDC provider gives out tokens. Whoever can read the issuer's key in the data
/// directory may. The ledger records for whom. In a pipe it prints the token alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign token --agent claude-code --for alice            an agent that acts for Alice
  countersign token --for bob --group payments-oncall          a person who approves
  export COUNTERSIGN_TOKEN=$(countersign token --for bob --group payments-oncall)
  PGPASSWORD=$(countersign token --agent claude-code --for alice --ttl 15m) psql -h 127.0.0.1 -p 15432 -U claude-code bank")]
pub(crate) struct Token {
    /// The human: the person themselves, or the one an agent acts for.
    #[arg(long = "for", value_name = "HUMAN")]
    human: String,

    /// The agent; without it the token is a person's.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,

    /// A group that the human is in; may be given several times.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,

    /// How long it lasts, at most 24h.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = when::length)]
    ttl: Duration,

    /// Which model the agent is.
    #[arg(long, value_name = "MODEL", requires = "agent")]
    model: Option<String>,

    /// Which running instance of the agent it is.
    #[arg(long, value_name = "NAME", requires = "agent")]
    instance: Option<String>,
}

impl Token {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let place = Place::new(globals);
        let client = place.operator()?;
        let postgres = place.running()?.postgres;
        let body = TokenBody {
            human: self.human,
            agent: self.agent,
            instance: self.instance,
            model: self.model,
            groups: self.groups,
            lifetime_secs: Some(i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX)),
        };
        let made: TokenView = block_on(async { Ok(client.post("/v1/tokens", &body).await?) })?;
        if output.wants_json() {
            return Ok(output.json(&made)?);
        }
        output.line(&made.token)?;
        if output.is_terminal() {
            let paint = output.paint();
            let until = format!("It is good until {} UTC.", when::short(made.expires));
            let next = match &body.agent {
                Some(agent) => format!(
                    "The agent uses it as its password:\n  PGPASSWORD=… psql -h {} -p {} -U {agent} <target>\n\
                     or countersign env --target <target> with COUNTERSIGN_TOKEN set to it.",
                    postgres.ip(),
                    postgres.port(),
                ),
                None => "Set COUNTERSIGN_TOKEN to it, and run countersign approvals.".to_owned(),
            };
            output.line(&paint.dim(&format!("\n{until} {next}")))?;
        }
        Ok(())
    }
}
