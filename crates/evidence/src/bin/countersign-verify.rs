//! `countersign-verify`: whether an evidence bundle holds, offline.
//!
//! Exit codes: 0 good, 1 the evidence is bad, 2 usage, or it cannot be read.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Write};
use std::process::ExitCode;

use evidence::verify::{Check, Options, Report, Verdict, verify};
use ledger::Verifier;

const USAGE: &str = "\
Verifies an evidence bundle, offline.

usage: countersign-verify BUNDLE.zip [options]

  --key VKEY              the log's public key as its operator published it, or a file with it
  --allowed-signers FILE  the approvers' public keys, in OpenSSH's allowed_signers format
  -q, --quiet             only what fails, and the verdict
  --json                  the report as JSON
  --color WHEN            always, never, or auto (default): on a terminal without NO_COLOR
  -h, --help              this text
  -V, --version           the version

Without --key and --allowed-signers the bundle's own keys are taken: then a good verdict says that
the bundle agrees with itself, and not whose it is.

examples:
  countersign-verify bundle.zip --key ledger.pub --allowed-signers approvers
  countersign-verify bundle.zip --key 'bank.example/log+5c1fd0a8+AV3M…' --quiet
  countersign-verify bundle.zip --json | jq '.checks[] | select(.ok | not)'

exit code:
  0  good: everything that was checked holds
  1  bad: something does not hold; what and where is said
  2  usage, or the bundle cannot be read
";

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Asked::Verify(arguments)) => arguments,
        Ok(Asked::Text(text)) => {
            // Whoever closed the pipe does not want to read it.
            drop(io::stdout().write_all(text.as_bytes()));
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            return fail(&format!(
                "{why}\ncountersign-verify --help tells how it is called\n"
            ));
        }
    };
    let file = match File::open(&arguments.bundle) {
        Ok(file) => file,
        Err(error) => return fail(&format!("{}: {error}\n", arguments.bundle)),
    };
    let report = verify(BufReader::new(file), &arguments.options);
    let stdout = io::stdout();
    let colour = arguments.color.unwrap_or_else(|| {
        stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    });
    let screen = Screen {
        colour,
        quiet: arguments.quiet,
        own_key: arguments.options.key.is_none(),
    };
    let mut out = stdout.lock();
    let written = if arguments.json {
        serde_json::to_writer_pretty(&mut out, &report)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
    } else {
        screen.show(&report, &mut out)
    };
    // The exit code says it all, whoever reads on.
    drop(written);
    match report.verdict {
        Verdict::Good => ExitCode::SUCCESS,
        Verdict::Bad => ExitCode::from(1),
        Verdict::Unreadable => ExitCode::from(2),
    }
}

fn fail(why: &str) -> ExitCode {
    drop(io::stderr().write_all(format!("countersign-verify: {why}").as_bytes()));
    ExitCode::from(2)
}

struct Arguments {
    bundle: String,
    options: Options,
    json: bool,
    quiet: bool,
    /// `None`: as the output is.
    color: Option<bool>,
}

enum Asked {
    Verify(Arguments),
    Text(String),
}

impl Arguments {
    fn parse(mut given: impl Iterator<Item = String>) -> Result<Asked, String> {
        let mut all = Self {
            bundle: String::new(),
            options: Options::default(),
            json: false,
            quiet: false,
            color: None,
        };
        while let Some(argument) = given.next() {
            let (name, mut value) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => {
                    (name.to_owned(), Some(value.to_owned()))
                }
                _ => (argument, None),
            };
            let option = name.clone();
            let mut wanted = || {
                let value = value.take().or_else(|| given.next());
                value.ok_or(format!("{option} wants a value"))
            };
            match name.as_str() {
                "-h" | "--help" => return Ok(Asked::Text(USAGE.to_owned())),
                "-V" | "--version" => {
                    let version = env!("CARGO_PKG_VERSION");
                    return Ok(Asked::Text(format!("countersign-verify {version}\n")));
                }
                "--json" => all.json = true,
                "-q" | "--quiet" => all.quiet = true,
                "--color" => all.color = color(&wanted()?)?,
                "--key" => all.options.key = Some(key(&wanted()?)?),
                "--allowed-signers" => all.options.allowed_signers = Some(signers(&wanted()?)?),
                name if name.starts_with('-') => return Err(format!("{name} is not an option")),
                _ if all.bundle.is_empty() => all.bundle = name,
                _ => return Err("one bundle at a time".to_owned()),
            }
            if value.is_some() {
                return Err(format!("{option} takes no value"));
            }
        }
        if all.bundle.is_empty() {
            return Err("which bundle?".to_owned());
        }
        Ok(Asked::Verify(all))
    }
}

fn color(when: &str) -> Result<Option<bool>, String> {
    match when {
        "always" => Ok(Some(true)),
        "never" => Ok(Some(false)),
        "auto" => Ok(None),
        _ => Err("--color is always, never or auto".to_owned()),
    }
}

fn signers(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

/// A key as given, or in the file that was named.
fn key(text: &str) -> Result<Verifier, String> {
    let parse = |text: &str| Verifier::parse(text.trim());
    match (parse(text), std::fs::read_to_string(text)) {
        (Ok(key), _) => Ok(key),
        (Err(_), Ok(file)) => parse(&file).map_err(|error| format!("{text}: {error}")),
        (Err(_), Err(error)) => Err(format!(
            "--key {text} is neither a verifier key (<name>+<8 hex digits>+<base64>) nor a file that can be read: {error}"
        )),
    }
}

/// How a report is shown to people.
struct Screen {
    colour: bool,
    quiet: bool,
    /// The key was taken from the bundle itself.
    own_key: bool,
}

impl Screen {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn show(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        if !self.quiet && !report.about.is_empty() {
            for (name, value) in &report.about {
                writeln!(out, "{name:<10} {}", printable(value))?;
            }
            writeln!(out)?;
        }
        self.checks(report, out)?;
        if !self.quiet && !report.notes.is_empty() {
            writeln!(out)?;
            for note in &report.notes {
                writeln!(out, "{} {}", self.paint("33", "note"), printable(note))?;
            }
        }
        if !self.quiet {
            writeln!(out)?;
        }
        writeln!(out, "{}", self.verdict(report))
    }

    fn checks(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let shown = |check: &&Check| !(self.quiet && check.ok);
        let names = report.checks.iter().filter(shown);
        let width = names.map(|check| check.name.len()).max().unwrap_or(0);
        for check in report.checks.iter().filter(shown) {
            let mark = if check.ok {
                self.paint("32", "ok  ")
            } else {
                self.paint("1;31", "FAIL")
            };
            let place = if check.place.is_empty() {
                String::new()
            } else {
                format!("{}: ", printable(&check.place))
            };
            let (name, detail) = (&check.name, printable(&check.detail));
            writeln!(out, "{mark} {name:<width$}  {place}{detail}")?;
        }
        Ok(())
    }

    fn verdict(&self, report: &Report) -> String {
        let (all, failed) = (report.checks.len(), report.failed().count());
        let fail = if failed == 1 { "fails" } else { "fail" };
        match report.verdict {
            Verdict::Good if self.own_key => format!(
                "{}: all {all} checks hold, with the key that the bundle brought itself",
                self.paint("1;32", "GOOD")
            ),
            Verdict::Good => format!("{}: all {all} checks hold", self.paint("1;32", "GOOD")),
            Verdict::Bad => {
                let bad = self.paint("1;31", "BAD");
                format!("{bad}: {failed} of {all} checks {fail}")
            }
            Verdict::Unreadable => {
                let unreadable = self.paint("1;31", "UNREADABLE");
                format!("{unreadable}: this is no bundle, or only a part of one")
            }
        }
    }
}

/// What a bundle says must not move the cursor, nor turn the text around.
fn printable(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if harmful(c) { '?' } else { c })
        .collect()
}
