//! Recordings for evidence: sealed as they lie, and as transcripts.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};

use evidence::Transcriber;
use recording::{SessionKey, Timed};

use super::replay::{Reader, lines};
use super::{RecordError, Recordings};

impl evidence::Recordings for Recordings {
    fn sealed(&self, session: &str) -> io::Result<Option<Box<dyn Read>>> {
        match File::open(self.path(session, "rec")) {
            Ok(file) => Ok(Some(Box::new(BufReader::new(file)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn key(&self, session: &str) -> io::Result<Option<SessionKey>> {
        match self.session_key(session) {
            Ok(key) => Ok(Some(key)),
            Err(RecordError::Unknown(_)) => Ok(None),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

/// Transcripts in JSON Lines: what [`Recordings::replay`] gives.
#[derive(Debug, Clone, Copy)]
pub struct Transcripts;

impl evidence::Transcripts for Transcripts {
    fn begin(&self, protocol: &str) -> Box<dyn Transcriber> {
        Box::new(Lines(Reader::of(protocol)))
    }
}

struct Lines(Reader);

impl Transcriber for Lines {
    fn extension(&self) -> &'static str {
        "jsonl"
    }

    fn notes(&mut self, notes: &[Timed], out: &mut dyn Write) -> io::Result<()> {
        for timed in notes {
            for line in lines(&mut self.0, timed.clone()) {
                serde_json::to_writer(&mut *out, &line)?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }
}
