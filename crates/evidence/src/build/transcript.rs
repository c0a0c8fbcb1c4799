//! From what a recording holds to something to read.

use std::io::{self, Write};

use model::Note;
use recording::Timed;

/// Makes transcripts. What protocols put on the wire is read by them, not here.
pub trait Transcripts {
    /// A transcript of one session of this protocol.
    fn begin(&self, protocol: &str) -> Box<dyn Transcriber>;
}

/// One transcript under way.
pub trait Transcriber {
    /// The extension of its file: `txt` or `jsonl`.
    fn extension(&self) -> &'static str;

    /// Writes what these notes add, in order.
    ///
    /// # Errors
    /// Those of `out`.
    fn notes(&mut self, notes: &[Timed], out: &mut dyn Write) -> io::Result<()>;

    /// Writes the end.
    ///
    /// # Errors
    /// Those of `out`.
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let _ = out;
        Ok(())
    }
}

/// Transcripts that show what was asked and decided, and of what was shown only how much.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainTranscripts;

impl Transcripts for PlainTranscripts {
    fn begin(&self, _protocol: &str) -> Box<dyn Transcriber> {
        Box::new(Self)
    }
}

impl Transcriber for PlainTranscripts {
    fn extension(&self) -> &'static str {
        "txt"
    }

    fn notes(&mut self, notes: &[Timed], out: &mut dyn Write) -> io::Result<()> {
        for Timed { at, note } in notes {
            write!(out, "{} ", at.wall)?;
            match note {
                Note::Asked {
                    seq,
                    tag,
                    text,
                    parameters,
                } => {
                    write!(
                        out,
                        "[{seq}] asked ({tag}): {}",
                        String::from_utf8_lossy(text)
                    )?;
                    for (number, value) in (1..).zip(parameters) {
                        write!(out, " ${number}={}", value.as_deref().unwrap_or("NULL"))?;
                    }
                    writeln!(out)?;
                }
                Note::Shown(bytes) => writeln!(out, "shown {} bytes", bytes.len())?,
                Note::Put(bytes) => writeln!(out, "put in {} bytes", bytes.len())?,
                Note::Held { seq, held } => writeln!(out, "[{seq}] held: {}", held.message)?,
                Note::Allowed { seq, intent } => writeln!(out, "[{seq}] allowed: leaf {intent}")?,
                Note::Refused { seq, denial } => writeln!(out, "[{seq}] refused: {denial}")?,
                Note::Ended { seq, outcome } => {
                    writeln!(
                        out,
                        "[{seq}] ended: {:?}, {} rows, {} bytes",
                        outcome.status, outcome.rows, outcome.bytes
                    )?;
                }
            }
        }
        Ok(())
    }
}
