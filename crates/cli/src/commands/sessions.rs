//! `countersign sessions`.

use clap::{Args, ValueEnum};
use gateway::store::SessionRow;
use model::Timestamp;

use super::block_on;
use crate::cli::Globals;
use crate::client::query;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::render::table;
use crate::when;

/// So much of a client's name shows on a terminal.
const CLIENT_CHARS_MAX: usize = 30;

/// List sessions, the newest first.
///
/// On a terminal only the first word of what a client calls itself shows; `countersign show` has all of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign sessions --agent claude-code --from 24h
  countersign sessions --target bank --decision refused
  countersign sessions --human alice --from 2026-01-01 --to 2026-02-01 --output json")]
pub(crate) struct Sessions {
    /// Of this agent.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,

    /// Of this human.
    #[arg(long, value_name = "NAME")]
    human: Option<String>,

    /// With this target.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,

    /// Open at or after this time: 2026-01-31T09:30:00Z, 2026-01-31, or 24h for a day ago.
    #[arg(long, value_name = "TIME", value_parser = when::point)]
    from: Option<Timestamp>,

    /// Begun before this time.
    #[arg(long, value_name = "TIME", value_parser = when::point)]
    to: Option<Timestamp>,

    /// In which this happened.
    #[arg(long, value_enum, value_name = "WHAT")]
    decision: Option<Decision>,

    /// At most so many, up to 1000.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// What happened in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Decision {
    /// A command was refused.
    Refused,
    /// A command ran because people approved it.
    Approved,
    /// Something was masked.
    Masked,
}

impl Sessions {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let client = Place::new(globals).client_or_operator()?;
        let path = self.path();
        let rows: Vec<SessionRow> = block_on(async { Ok(client.get(&path).await?) })?;
        if output.is_json() {
            for row in &rows {
                output.json(row)?;
            }
            return Ok(());
        }
        if rows.is_empty() {
            return Ok(output.line("No session.")?);
        }
        Ok(output.line(&list(&rows, when::now(), output.is_terminal()))?)
    }

    fn path(&self) -> String {
        let decision = self
            .decision
            .and_then(|decision| Some(decision.to_possible_value()?.get_name().to_owned()));
        let pairs = [
            ("agent", self.agent.clone()),
            ("human", self.human.clone()),
            ("target", self.target.clone()),
            ("from", self.from.map(|at| at.to_string())),
            ("to", self.to.map(|at| at.to_string())),
            ("decision", decision),
            ("limit", Some(self.limit.to_string())),
        ];
        query(
            "/v1/sessions",
            pairs
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        )
    }
}

/// On a terminal a row should fit; what AWS's clients call themselves does not.
fn first_word(client: &str) -> String {
    let word = client.split_whitespace().next().unwrap_or_default();
    let cut = word.chars().count() > CLIENT_CHARS_MAX || word.len() < client.trim().len();
    let shown = word.chars().take(CLIENT_CHARS_MAX).collect::<String>();
    if cut { format!("{shown}…") } else { shown }
}

fn list(rows: &[SessionRow], now: Timestamp, is_terminal: bool) -> String {
    let headings = [
        "SESSION",
        "BEGAN (UTC)",
        "LASTED",
        "AGENT",
        "HUMAN",
        "TARGET",
        "CLIENT",
        "RAN",
        "REFUSED",
        "APPROVED",
        "MASKED",
    ];
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let lasted = match row.closed {
                Some(closed) => when::between(row.opened, closed),
                None => format!("{}…", when::between(row.opened, now)),
            };
            vec![
                row.session.clone(),
                when::short(row.opened),
                lasted,
                row.agent.clone().unwrap_or_else(|| "-".to_owned()),
                row.human.clone(),
                row.target.clone(),
                if is_terminal {
                    first_word(&row.client)
                } else {
                    row.client.clone()
                },
                row.permitted.to_string(),
                row.refused.to_string(),
                row.approvals.to_string(),
                row.masked.to_string(),
            ]
        })
        .collect();
    table::list(&headings, &rows)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn on_a_terminal_a_client_is_one_word() {
        let client = "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 md/arch#x86_64";
        let row: SessionRow = serde_json::from_value(serde_json::json!({
            "session": "s-1", "opened": "2026-01-31T09:30:00.000000Z", "closed": null, "reason": null, "human": "alice",
            "agent": null, "target": "lake", "protocol": "aws", "source": "127.0.0.1:1", "client": client, "permitted": 1,
            "refused": 0, "approvals": 0, "masked": 0, "chunks": 1,
        }))
        .unwrap();
        let now = row.opened;
        let short = list(std::slice::from_ref(&row), now, true);
        assert!(
            short.contains("  aws-cli/2.31.0…  ") && !short.contains("os/linux"),
            "{short}"
        );
        assert!(list(&[row], now, false).contains(client));
        assert_eq!(first_word("psql"), "psql");
        assert_eq!(first_word(""), "");
        assert_eq!(first_word(&"x".repeat(31)), format!("{}…", "x".repeat(30)));
    }

    fn path(arguments: &[&str]) -> String {
        let cli = Cli::try_parse_from(["countersign", "sessions"].iter().chain(arguments)).unwrap();
        match cli.command {
            Command::Sessions(sessions) => sessions.path(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn filters_reach_the_api() {
        assert_eq!(path(&[]), "/v1/sessions?limit=100");
        let all = [
            "--agent=a b",
            "--human=h",
            "--target=t",
            "--from=2026-01-31",
            "--decision=masked",
            "--limit=5",
        ];
        assert_eq!(
            path(&all),
            "/v1/sessions?agent=a%20b&human=h&target=t&from=2026-01-31T00%3A00%3A00.000000Z&decision=masked&limit=5"
        );
        let wrong = |argument| Cli::try_parse_from(["countersign", "sessions", argument]).is_err();
        assert!(
            wrong("--limit=0")
                && wrong("--limit=1001")
                && wrong("--decision=maybe")
                && wrong("--from=soon")
        );
    }
}
