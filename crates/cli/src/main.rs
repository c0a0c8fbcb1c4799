//! The `countersign` command: runs the gateway, and is how people and agents speak to one.

mod approval;
mod capture;
mod cli;
mod client;
mod commands;
mod failure;
mod output;
mod place;
mod reach;
mod render;
mod sign;
mod when;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::output::Output;

/// Sessions allocate and free many small buffers on several threads, which this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.globals.output, cli.globals.color);
    let command = cli.command;
    match command.run(&cli.globals, &output) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.report(&output),
    }
}
