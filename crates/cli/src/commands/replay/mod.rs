//! `countersign replay`.

mod stage;

use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use clap::Args;
use gateway::record::{Broken, Line};
use tokio::time::Instant;

use super::block_on;
use crate::cli::Globals;
use crate::client::{Client, encoded, query};
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::render::escape;
use stage::{Search, Stage};

/// One line of a replay is at most so long: a row of the longest message there is, as JSON.
const LINE_BYTES_MAX: usize = 1 << 30;

/// Replay a session as its client saw it: statements, results, decisions, approvals and masks, in real time.
///
/// Watching is for those with a reason: it stands in the ledger that you watched, and why. In a pipe it prints JSON Lines,
/// as fast as they come. Ctrl-C ends it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign replay s-0199a2b3c4d-0badcafe --reason 'ticket 4711'
  countersign replay s-0199a2b3c4d-0badcafe --reason 'ticket 4711' --speed 10
  countersign replay s-0199a2b3c4d-0badcafe --reason 'ticket 4711' --no-wait --search customers
  countersign replay s-0199a2b3c4d-0badcafe --reason 'ticket 4711' | jq -r 'select(.kind == \"asked\").text'")]
pub(crate) struct Replay {
    /// The session, as `countersign sessions` lists it.
    #[arg(value_name = "SESSION")]
    session: String,

    /// Why you watch, for the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// So many times as fast as it was.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed)]
    speed: f64,

    /// Do not wait: show it as fast as it comes.
    #[arg(long)]
    no_wait: bool,

    /// Show only commands in which this text occurs, in whatever case; it does not wait. In a pipe: only such lines.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    /// Show at most so many rows of a result, and count the rest. In a pipe all are there.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    rows: usize,
}

fn speed(text: &str) -> Result<f64, String> {
    let factor: f64 = text
        .parse()
        .map_err(|_| format!("{text:?} is not a number"))?;
    if factor.is_finite() && factor >= 0.01 {
        Ok(factor)
    } else {
        Err("a speed is 0.01 or more: 2 is twice as fast, 0.5 half as fast".to_owned())
    }
}

impl Replay {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let client = Place::new(globals).client_or_operator()?;
        block_on(async {
            tokio::select! {
                played = self.play(&client, output) => played,
                interrupted = tokio::signal::ctrl_c() => {
                    // The line that was begun ends, and with it its colour.
                    output.line("")?;
                    Ok(interrupted?)
                }
            }
        })
    }

    async fn play(&self, client: &Client, output: &Output) -> Result<(), Failure> {
        let path = format!("/v1/sessions/{}/replay", encoded(&self.session));
        let mut stream = client
            .stream(&query(&path, [("reason", self.reason.clone())]))
            .await?;
        let search = self.search.as_deref().map(Search::new);
        let mut stage = Stage::new(output.paint(), self.rows, search.clone());
        let waits = !output.is_json() && !self.no_wait && search.is_none();
        let mut pace = Pace {
            speed: self.speed,
            began: Instant::now(),
            first: None,
        };
        let mut lines = Lines::default();
        while let Some(piece) = stream.next().await? {
            lines.push(&piece)?;
            while let Some(text) = lines.next() {
                // A replay that breaks off must not look like one that ends.
                if let Ok(Broken { broken }) = serde_json::from_slice(&text) {
                    show(&stage.end(), output)?;
                    return Err(broken.into());
                }
                if output.is_json() {
                    let text = String::from_utf8_lossy(&text);
                    if search.as_ref().is_none_or(|search| search.finds(&text)) {
                        output.line(&text)?;
                    }
                    continue;
                }
                match serde_json::from_slice::<Line>(&text) {
                    Ok(line) => {
                        if waits {
                            pace.wait_for(line.us).await;
                        }
                        show(&stage.line(&line), output)?;
                    }
                    Err(_) => show(&escape::line(&String::from_utf8_lossy(&text), 500), output)?,
                }
            }
        }
        show(&stage.end(), output)
    }
}

fn show(text: &str, output: &Output) -> Result<(), Failure> {
    if text.is_empty() {
        return Ok(());
    }
    Ok(output.line(text)?)
}

/// Keeps the time of the session, by its monotonic clock.
struct Pace {
    speed: f64,
    began: Instant,
    first: Option<u64>,
}

impl Pace {
    async fn wait_for(&mut self, us: u64) {
        let after = self.after(us);
        if let Some(until) = self.began.checked_add(after) {
            tokio::time::sleep_until(until).await;
        }
    }

    /// How long after the replay began a line of this time is due.
    fn after(&mut self, us: u64) -> Duration {
        let first = *self.first.get_or_insert(us);
        Duration::from_micros(us.saturating_sub(first)).div_f64(self.speed)
    }
}

/// Cuts what comes into lines.
#[derive(Default)]
struct Lines {
    gathered: BytesMut,
    looked: usize,
}

impl Lines {
    fn push(&mut self, piece: &Bytes) -> Result<(), Failure> {
        if self.gathered.len() + piece.len() > LINE_BYTES_MAX {
            return Err(format!(
                "a line of the replay is longer than {LINE_BYTES_MAX} bytes: it cannot be shown"
            )
            .into());
        }
        self.gathered.extend_from_slice(piece);
        Ok(())
    }

    fn next(&mut self) -> Option<BytesMut> {
        let fresh = self.gathered.get(self.looked..)?;
        let Some(at) = fresh.iter().position(|byte| *byte == b'\n') else {
            self.looked = self.gathered.len();
            return None;
        };
        let line = self.gathered.split_to(self.looked + at);
        self.gathered.advance(1);
        self.looked = 0;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn lines_do_not_depend_on_the_pieces(
            texts in prop::collection::vec("[a-z]{0,9}", 0..8),
            cuts in prop::collection::vec(0_usize..80, 0..6),
        ) {
            let whole: String = texts.iter().map(|text| format!("{text}\n")).collect();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(whole.len())).collect();
            cuts.extend([0, whole.len()]);
            cuts.sort_unstable();
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for pair in cuts.windows(2) {
                lines.push(&Bytes::copy_from_slice(&whole.as_bytes()[pair[0]..pair[1]])).unwrap();
                while let Some(line) = lines.next() {
                    found.push(String::from_utf8(line.to_vec()).unwrap());
                }
            }
            prop_assert_eq!(found, texts);
        }
    }

    #[test]
    fn speeds_are_positive() {
        assert_eq!(speed("2"), Ok(2.0));
        assert_eq!(speed("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "NaN", "inf", "fast", ""] {
            assert!(speed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_replay_keeps_the_sessions_time() {
        let mut pace = Pace {
            speed: 2.0,
            began: Instant::now(),
            first: None,
        };
        for (us, secs) in [(5_000_000, 0), (9_000_000, 4), (8_000_000, 3), (1, 0)] {
            assert_eq!(pace.after(us), Duration::from_millis(secs * 500), "{us}");
        }
    }
}
