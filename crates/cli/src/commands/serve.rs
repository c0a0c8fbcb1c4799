//! `countersign serve`.

use std::cell::Cell;
use std::io::{self, IsTerminal as _, Write as _};

use clap::{Args, ValueEnum};
use gateway::config::Config;
use gateway::{Addresses, ServeError};
use tracing_subscriber::EnvFilter;

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Running;

/// Run the gateway until SIGTERM or SIGINT.
///
/// When it serves, one line on standard output says where: `ready api=127.0.0.1:8480 postgres=127.0.0.1:15432`. Its log goes
/// to standard error. SIGHUP loads the policies again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign serve
  countersign serve --config /etc/countersign/countersign.toml --log-format json
  COUNTERSIGN_LOG=debug countersign serve")]
pub(crate) struct Serve {
    /// The form of the log.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,

    /// What is logged: a level (error, warn, info, debug, trace), or filters such as gateway=debug,warn.
    #[arg(
        long,
        value_name = "FILTER",
        env = "COUNTERSIGN_LOG",
        default_value = "info"
    )]
    log: String,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    /// Lines for people.
    Text,
    /// JSON Lines.
    Json,
}

impl Serve {
    pub(crate) fn run(self, globals: &Globals, _: &Output) -> Result<(), Failure> {
        self.log()?;
        let config = Config::load(&globals.config).map_err(Failure::usage)?;
        if rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .is_err()
        {
            tracing::debug!("a crypto provider was set before");
        }
        let (here, served) = (config.clone(), Cell::new(false));
        let ran = gateway::run(config, |addresses| {
            ready(&here, &addresses);
            served.set(true);
        });
        // Where another gateway runs with the same data, this one did not serve.
        if served.get() {
            Running::remove(&here);
        }
        ran.map_err(|error| match error {
            ServeError::Policy(..)
            | ServeError::Secret(..)
            | ServeError::Target(..)
            | ServeError::Tls(_) => Failure::usage(error),
            other => other.into(),
        })
    }

    fn log(&self) -> Result<(), Failure> {
        let filter = EnvFilter::try_new(&self.log).map_err(|error| {
            Failure::usage(format!(
                "the log filter {:?} does not read: {error}",
                self.log
            ))
        })?;
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr);
        match self.log_format {
            LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
            LogFormat::Json => log.json().init(),
        }
        Ok(())
    }
}

fn ready(config: &Config, addresses: &Addresses) {
    let running = Running::new(config, addresses);
    if let Err(error) = running.write(config) {
        tracing::warn!(%error, "other commands will not find this gateway: {} cannot be written", config.data.display());
    }
    let mut out = io::stdout().lock();
    let told = writeln!(
        out,
        "ready api={} postgres={}{}",
        addresses.api,
        addresses.postgres,
        addresses
            .aws
            .map_or_else(String::new, |at| format!(" aws={at}"))
    )
    .and_then(|()| out.flush());
    if let Err(error) = told {
        tracing::warn!(%error, "nobody reads that the gateway is ready");
    }
}
