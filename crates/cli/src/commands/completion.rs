//! `countersign completion`.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::Failure;

/// Print a script with which a shell completes this command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign completion bash > /etc/bash_completion.d/countersign
  countersign completion zsh > \"${fpath[1]}/_countersign\"
  countersign completion fish > ~/.config/fish/completions/countersign.fish")]
pub(crate) struct Completion {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "countersign", &mut script);
        Ok(std::io::stdout().lock().write_all(&script)?)
    }
}
