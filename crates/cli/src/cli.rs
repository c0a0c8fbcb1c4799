//! The command line: what all commands share, and the list of them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    approvals, check, completion, discover, env, evidence, explain, explain_statement, mask,
    replay, run, serve, sessions, show, token, verdict,
};
use crate::failure::Failure;
use crate::output::{Color, Form, Output};

/// A gateway between AI agents and databases: it knows who asks, asks people, masks, and records before it acts.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  countersign serve                                  run a gateway with ./countersign.toml
  countersign token --agent claude-code --for alice  a token for an agent that acts for Alice
  countersign run --target bank --token-file f -- claude   an agent with its clients set up
  countersign approvals                              what waits for a decision
  countersign replay s-0199a2b3c4d-0badcafe --reason 'ticket 4711'

A token is never an argument. It comes from COUNTERSIGN_TOKEN or --token-file; without one, whoever can read the data
directory of a gateway with a built-in issuer may look at what it holds, as its operator, but not approve.";

/// What all commands take.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Globals {
    /// The configuration of the gateway on this machine.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "COUNTERSIGN_CONFIG",
        default_value = "countersign.toml"
    )]
    pub(crate) config: PathBuf,

    /// The gateway's API, such as https://gateway.example.com:8480. Default: the gateway of the configuration.
    #[arg(long, global = true, value_name = "URL", env = "COUNTERSIGN_API")]
    pub(crate) api: Option<String>,

    /// PEM file of the authorities to trust for the API, instead of the system's.
    #[arg(long, global = true, value_name = "FILE", env = "COUNTERSIGN_CA")]
    pub(crate) ca: Option<PathBuf>,

    /// A file that holds your token, where COUNTERSIGN_TOKEN does not.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "COUNTERSIGN_TOKEN_FILE"
    )]
    pub(crate) token_file: Option<PathBuf>,

    /// When to use colour.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        hide_possible_values = false
    )]
    pub(crate) color: Color,

    /// The form of results: auto is tables on a terminal and JSON Lines in a pipe.
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        value_enum,
        default_value = "auto"
    )]
    pub(crate) output: Form,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Serve),
    Check(check::Check),
    Discover(discover::Discover),
    Explain(Box<explain_statement::Explain>),
    Token(token::Token),
    Env(env::Env),
    Run(run::Run),
    Approvals(approvals::Approvals),
    Approve(verdict::Approve),
    Deny(verdict::Deny),
    Sessions(sessions::Sessions),
    Show(show::Show),
    Replay(replay::Replay),
    #[command(subcommand)]
    Evidence(evidence::Evidence),
    #[command(subcommand)]
    Aws(explain::Aws),
    Mask(mask::Mask),
    Completion(completion::Completion),
}

impl Command {
    /// Does what was asked, and gives the exit code.
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<u8, Failure> {
        match self {
            Self::Serve(command) => command.run(globals, output),
            Self::Check(command) => command.run(globals, output),
            Self::Discover(command) => command.run(globals, output),
            Self::Explain(command) => command.run(globals, output),
            Self::Token(command) => command.run(globals, output),
            Self::Env(command) => command.run(globals, output),
            Self::Run(command) => return command.run(globals),
            Self::Mask(command) => return command.run(globals, output),
            Self::Approvals(command) => command.run(globals, output),
            Self::Approve(command) => command.run(globals, output),
            Self::Deny(command) => command.run(globals, output),
            Self::Sessions(command) => command.run(globals, output),
            Self::Show(command) => command.run(globals, output),
            Self::Replay(command) => command.run(globals, output),
            Self::Evidence(command) => command.run(globals, output),
            Self::Aws(command) => command.run(globals, output),
            Self::Completion(command) => command.run(),
        }?;
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does_with_an_example() {
        fn check(command: &clap::Command) {
            let name = command.get_name();
            assert!(
                command.get_about().is_some(),
                "{name} says nothing of itself"
            );
            if command.has_subcommands() {
                command.get_subcommands().for_each(check);
                return;
            }
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(help.contains("Example"), "{name} shows no example");
            for argument in command
                .get_arguments()
                .filter(|argument| argument.get_id() != "help")
            {
                assert!(
                    argument.get_help().is_some(),
                    "{name}: {} is not explained",
                    argument.get_id()
                );
            }
        }
        Cli::command().get_subcommands().for_each(check);
    }

    #[test]
    fn a_token_is_never_an_argument() {
        for arguments in [
            ["countersign", "sessions", "--token", "x"],
            ["countersign", "--token=x", "sessions", "--limit=1"],
        ] {
            assert!(Cli::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
    }
}
