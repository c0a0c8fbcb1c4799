//! `countersign evidence`.

use std::fs::File;
use std::io::{BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use evidence::verify::{self, Options, Report, Verdict};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::Timestamp;
use serde_json::json;
use tempfile::NamedTempFile;

use super::block_on;
use super::released::WasReleased;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::render::escape;
use crate::when;

/// Build evidence bundles and verify them, and ask whether a value was released.
#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    Build(Build),
    Verify(Verify),
    WasReleased(WasReleased),
}

/// Build a bundle of a period: for an examiner, who can verify it without this gateway, and without us.
///
/// It is verified once it is here. Building one stands in the ledger.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign evidence build --from 2026-01-01 --to 2026-04-01 -o q1.zip
  countersign evidence build --from 24h --target bank --samples 25 --seed 'drawn by J. Doe, 2026-02-01' -o bank.zip")]
pub(crate) struct Build {
    /// The period begins: 2026-01-31T09:30:00Z, 2026-01-31 (midnight UTC), or 24h for a day ago.
    #[arg(long, value_name = "TIME", value_parser = when::point)]
    from: Timestamp,

    /// The period ends before this time. Default: now.
    #[arg(long, value_name = "TIME", value_parser = when::point)]
    to: Option<Timestamp>,

    /// Only what concerns this target; everything else is there as hashes.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,

    /// The seed that sessions are drawn by as samples; best of the examiner's choice. Default: the gateway's.
    #[arg(long, value_name = "TEXT")]
    seed: Option<String>,

    /// How many sessions to draw. Default: the gateway's.
    #[arg(long, value_name = "COUNT")]
    samples: Option<usize>,

    /// Where to write it; what is there is replaced once the new one is whole.
    #[arg(short = 'o', value_name = "FILE")]
    bundle: PathBuf,
}

/// Verify a bundle, offline: as countersign-verify does.
///
/// Exits with 0 where everything holds, with 1 where something does not, and with 2 where it is no bundle.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign evidence verify q1.zip
  countersign evidence verify q1.zip --key ledger.pub --allowed-signers approvers.txt")]
pub(crate) struct Verify {
    /// The bundle.
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,

    /// A file that holds the log's public key, from elsewhere than the bundle (the gateway has it in keys/ledger.pub).
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Who may sign approvals, from elsewhere than the bundle: an OpenSSH allowed_signers file.
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
}

impl Evidence {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Build(build) => build.run(globals, output),
            Self::Verify(verify) => verify.run(output),
            Self::WasReleased(asked) => asked.run(globals, output),
        }
    }
}

impl Build {
    fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let client = Place::new(globals).client_or_operator()?;
        let folder = match self.bundle.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let unwritten =
            |error: std::io::Error| Failure::from(format!("{}: {error}", self.bundle.display()));
        let mut file = NamedTempFile::new_in(folder).map_err(unwritten)?;
        let built = block_on(async {
            tokio::select! {
                built = self.fetch(&client, &mut file) => built,
                interrupted = tokio::signal::ctrl_c() => {
                    interrupted?;
                    Err("interrupted: nothing was written".into())
                }
            }
        })?;
        file.as_file().sync_all().map_err(unwritten)?;
        let report = verify::verify(
            BufReader::new(file.reopen().map_err(unwritten)?),
            &Options::default(),
        );
        if report.verdict != Verdict::Good {
            tell(&report, output)?;
            return Err("the bundle that came does not verify, so it was not kept: tell the gateway's operator".into());
        }
        file.persist(&self.bundle)
            .map_err(|error| unwritten(error.error))?;
        if output.is_json() {
            return Ok(output.json(&json!({
                "bundle": self.bundle,
                "bytes": built.bytes,
                "manifest": built.manifest,
                "about": about(&report),
            }))?);
        }
        output.line(&format!(
            "{} ({} bytes), verified",
            self.bundle.display(),
            built.bytes
        ))?;
        for (name, value) in &report.about {
            output.line(&format!("  {name:<9} {}", escape::line(value, 200)))?;
        }
        if let Some(manifest) = &built.manifest {
            output.line(&format!(
                "  {:<9} {}",
                "manifest",
                escape::line(manifest, 80)
            ))?;
        }
        Ok(())
    }

    async fn fetch(&self, client: &Client, file: &mut NamedTempFile) -> Result<Fetched, Failure> {
        let progress = progress();
        progress.set_message("the gateway gathers what belongs to the period");
        let mut body = json!({ "from": self.from, "to": self.to.unwrap_or_else(when::now) });
        if let Some(body) = body.as_object_mut() {
            body.extend(
                self.target
                    .iter()
                    .map(|target| ("target".to_owned(), json!(target))),
            );
            body.extend(
                self.seed
                    .iter()
                    .map(|seed| ("seed".to_owned(), json!(seed))),
            );
            body.extend(
                self.samples
                    .iter()
                    .map(|samples| ("samples".to_owned(), json!(samples))),
            );
        }
        let mut stream = client.post_stream("/v1/evidence", &body).await?;
        let manifest = stream.header("countersign-manifest").map(str::to_owned);
        progress.set_message("receiving");
        let mut bytes = 0;
        while let Some(piece) = stream.next().await? {
            file.write_all(&piece)?;
            bytes += piece.len() as u64;
            progress.set_position(bytes);
        }
        progress.finish_and_clear();
        Ok(Fetched { bytes, manifest })
    }
}

/// A bundle that was received.
struct Fetched {
    bytes: u64,
    manifest: Option<String>,
}

/// On a terminal alone.
fn progress() -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {bytes} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl Verify {
    fn run(self, output: &Output) -> Result<(), Failure> {
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
        };
        let key = match &self.key {
            None => None,
            Some(path) => {
                let key = ledger::Verifier::parse(read(path)?.trim());
                Some(key.map_err(|error| {
                    Failure::usage(format!(
                        "{} is no log's public key: {error}",
                        path.display()
                    ))
                })?)
            }
        };
        let allowed_signers = self.allowed_signers.as_deref().map(read).transpose()?;
        let bundle = File::open(&self.bundle).map_err(|error| {
            Failure::usage(format!("{} cannot be read: {error}", self.bundle.display()))
        })?;
        let report = verify::verify(
            BufReader::new(bundle),
            &Options {
                key,
                allowed_signers,
            },
        );
        if output.is_json() {
            output.json(&report)?;
        } else {
            tell(&report, output)?;
        }
        let failed = report.failed().next();
        let why = failed.map(|check| {
            escape::line(
                &format!("{}: {} {}", check.name, check.place, check.detail),
                500,
            )
        });
        let why = why.unwrap_or_default();
        match report.verdict {
            Verdict::Good => Ok(()),
            Verdict::Bad => Err(format!("{} does not hold: {why}", self.bundle.display()).into()),
            Verdict::Unreadable => Err(Failure::usage(format!(
                "{} is no bundle that can be read: {why}",
                self.bundle.display()
            ))),
        }
    }
}

fn about(report: &Report) -> serde_json::Map<String, serde_json::Value> {
    report
        .about
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect()
}

/// The report for people.
fn tell(report: &Report, output: &Output) -> Result<(), Failure> {
    let paint = output.paint();
    for (name, value) in &report.about {
        output.line(&format!(
            "{} {}",
            paint.dim(&format!("{name:<16}")),
            escape::line(value, 200)
        ))?;
    }
    for check in &report.checks {
        let mark = if check.ok {
            paint.green("ok ")
        } else {
            paint.red("BAD")
        };
        let place = if check.place.is_empty() {
            String::new()
        } else {
            format!(" [{}]", check.place)
        };
        let text = escape::line(&format!("{:<16} {}{place}", check.name, check.detail), 500);
        output.line(&format!("{mark} {text}"))?;
    }
    for note in &report.notes {
        output.line(&paint.yellow(&format!("note: {}", escape::line(note, 500))))?;
    }
    match report.verdict {
        Verdict::Good => Ok(output.line(&paint.green("Everything that was checked holds."))?),
        _ => Ok(output.line(&paint.red("The evidence does not hold."))?),
    }
}
