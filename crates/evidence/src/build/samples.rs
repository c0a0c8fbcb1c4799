//! The samples: each drawn session whole.

use std::collections::HashSet;
use std::io::{self, Read, Seek, Write};

use ledger::tree;
use model::{Entry, Event, SealedCommand};
use recording::{HEAD_BYTES, MAGIC, RawChunk, SessionKey};

use super::spool::Spooled;
use super::{Build, BuildError, Progress, Transcriber, decode};
use crate::bundle::csv::Row;
use crate::bundle::sample::{self, OPEN, PRESENT, Placed, Sample};
use crate::bundle::writer::Writer;
use crate::bundle::{json, layout};
use crate::fold::sampling::{Draw, Drawn};

/// A chunk is read into memory to be opened, up to so many bytes.
const CHUNK_BYTES_MAX: usize = 512 << 20;

impl Build<'_, '_> {
    pub(super) fn samples<W: Write + Seek>(
        &mut self,
        writer: &mut Writer<W>,
        draw: &Draw,
        drawn: &[Drawn],
    ) -> Result<(), BuildError> {
        writer.add(
            layout::METHOD,
            sample::method(&self.period, draw).as_bytes(),
        )?;
        for (number, one) in (1..).zip(drawn) {
            self.sample(writer, &layout::sample(number), one)?;
            (self.progress)(Progress::Sampling(number as u64, drawn.len() as u64));
        }
        Ok(())
    }

    fn sample<W: Write + Seek>(
        &mut self,
        writer: &mut Writer<W>,
        folder: &str,
        drawn: &Drawn,
    ) -> Result<(), BuildError> {
        let path = |name: &str| format!("{folder}{name}");
        let key = self
            .sources
            .recordings
            .key(&drawn.session)
            .map_err(|source| BuildError::Read {
                place: path("commands.csv"),
                source,
            })?;
        let mut commands = self.spool.create("commands")?;
        let mut masks = self.spool.create("masks")?;
        let sizes = self.walk(drawn, key.as_ref(), &mut commands, &mut masks)?;
        commands.copy_to(&path("commands.csv"), writer)?;
        masks.copy_to(&path("masking.json"), writer)?;
        let opened = self.leaf(drawn.first_leaf)?;
        if let Event::SessionOpened(opened) = decode(drawn.first_leaf, &opened)?.event {
            writer.add(&path("identity.json"), json(&opened.identity).as_bytes())?;
        }
        self.approvals(writer, folder, &drawn.approvals)?;
        writer.add(&path("event.json"), &self.leaf(drawn.event)?)?;
        writer.add(
            &path("event.tlog-proof"),
            self.log.tlog_proof(drawn.event)?.as_bytes(),
        )?;
        let recording = self.recording(writer, &path("recording.rec"), drawn, &sizes)?;
        let content = match (&key, recording.as_str()) {
            (None, _) => "the session's key was destroyed".to_owned(),
            (Some(key), PRESENT) => self.transcript(writer, folder, drawn, key, &sizes)?,
            (Some(_), _) => "open, without a transcript".to_owned(),
        };
        let sample = Sample {
            session: drawn.session.clone(),
            stratum: drawn.stratum,
            rank: drawn.rank,
            event_leaf: drawn.event,
            first_leaf: drawn.first_leaf,
            last_leaf: drawn.last_leaf,
            recording,
            chunks: sizes.len() as u64,
            content,
        };
        writer.add(&path("sample.json"), json(&sample).as_bytes())
    }

    /// Reads the session's leaves: its commands and masks. Gives the sizes of its chunks.
    fn walk(
        &self,
        drawn: &Drawn,
        key: Option<&SessionKey>,
        commands: &mut Spooled,
        masks: &mut Spooled,
    ) -> Result<Vec<u64>, BuildError> {
        commands.write(sample::COMMANDS_HEADER.as_bytes())?;
        let mut sizes = Vec::new();
        let mut first = true;
        for item in self.log.entries(drawn.first_leaf..drawn.last_leaf + 1) {
            let (leaf, bytes) = item?;
            let Entry { at, event } = decode(leaf, &bytes)?;
            let row = |decision: &str, seq: u64, command: &model::CommandRecord| {
                let sealed = key.and_then(|key| key.open_command(&command.sealed).ok());
                command_row(leaf, &at.to_string(), seq, decision, command, sealed)
            };
            match event {
                Event::Intent(intent) if intent.session == drawn.session => {
                    commands.write(row("permitted", intent.seq, &intent.command).as_bytes())?;
                }
                Event::Refused {
                    session,
                    seq,
                    command,
                    ..
                } if session == drawn.session => {
                    commands.write(row("refused", seq, &command).as_bytes())?;
                }
                Event::Outcome {
                    session,
                    intent,
                    outcome,
                } if session == drawn.session && !outcome.masks.is_empty() => {
                    masks.write(
                        sample::mask_line(&mut first, leaf, intent, &outcome.masks).as_bytes(),
                    )?;
                }
                Event::Recorded { session, bytes, .. } if session == drawn.session => {
                    sizes.push(bytes)
                }
                _ => {}
            }
        }
        masks.write(sample::masks_end(first).as_bytes())?;
        Ok(sizes)
    }

    /// The approvals as they stand in the log, and each signed statement beside its signature, as `ssh-keygen` takes them.
    fn approvals<W: Write + Seek>(
        &self,
        writer: &mut Writer<W>,
        folder: &str,
        leaves: &[u64],
    ) -> Result<(), BuildError> {
        let mut placed = Vec::new();
        let mut seen = HashSet::new();
        for leaf in leaves.iter().copied().filter(|leaf| seen.insert(*leaf)) {
            let bytes = self.leaf(leaf)?;
            if let Event::ApprovalGiven {
                statement,
                signature,
                ..
            } = decode(leaf, &bytes)?.event
            {
                writer.add(
                    &format!("{folder}approval_{leaf}.statement"),
                    statement.as_bytes(),
                )?;
                writer.add(
                    &format!("{folder}approval_{leaf}.sshsig"),
                    signature.as_bytes(),
                )?;
            }
            placed.push(Placed {
                leaf,
                leaf_hash: tree::leaf_hash(&bytes).to_base64(),
                entry: serde_json::from_slice(&bytes).map_err(|error| BuildError::Entry {
                    leaf,
                    why: error.to_string(),
                })?,
            });
        }
        writer.add(&format!("{folder}approval.json"), json(&placed).as_bytes())
    }

    /// The recording, as far as the log has its digests. It is not judged here: the verifier does.
    fn recording<W: Write + Seek>(
        &self,
        writer: &mut Writer<W>,
        path: &str,
        drawn: &Drawn,
        sizes: &[u64],
    ) -> Result<String, BuildError> {
        let failed = |source| BuildError::Read {
            place: path.to_owned(),
            source,
        };
        match self
            .sources
            .recordings
            .sealed(&drawn.session)
            .map_err(failed)?
        {
            None => Ok("there is none any more".to_owned()),
            Some(sealed) => {
                let length = MAGIC.len() as u64 + sizes.iter().sum::<u64>();
                writer.copy(path, length, &mut sealed.take(length))?;
                Ok(PRESENT.to_owned())
            }
        }
    }

    fn transcript<W: Write + Seek>(
        &self,
        writer: &mut Writer<W>,
        folder: &str,
        drawn: &Drawn,
        key: &SessionKey,
        sizes: &[u64],
    ) -> Result<String, BuildError> {
        let mut out = self.spool.create("transcript")?;
        let mut transcriber = self.sources.transcripts.begin(&drawn.protocol);
        let sealed = self.sources.recordings.sealed(&drawn.session);
        let written = match sealed {
            Ok(Some(sealed)) => transcribe(sealed, key, sizes, &mut *transcriber, &mut out),
            Ok(None) => Err(Untold::Recording("there is none any more".to_owned())),
            Err(error) => Err(Untold::Recording(error.to_string())),
        };
        let content = match written {
            Ok(()) => OPEN.to_owned(),
            Err(Untold::Spool(error)) => return Err(BuildError::Spool(error)),
            Err(Untold::Recording(why)) => format!("the recording cannot be read on: {why}"),
        };
        out.copy_to(
            &format!("{folder}transcript.{}", transcriber.extension()),
            writer,
        )?;
        Ok(content)
    }
}

/// Why a transcript ends early.
enum Untold {
    Spool(io::Error),
    Recording(String),
}

fn transcribe(
    mut sealed: Box<dyn Read>,
    key: &SessionKey,
    sizes: &[u64],
    transcriber: &mut dyn Transcriber,
    out: &mut Spooled,
) -> Result<(), Untold> {
    let cannot = |error: &dyn std::fmt::Display| Untold::Recording(error.to_string());
    let mut magic = [0; MAGIC.len()];
    sealed
        .read_exact(&mut magic)
        .map_err(|error| cannot(&error))?;
    for index in 0..sizes.len() as u64 {
        let mut head = [0; HEAD_BYTES];
        sealed
            .read_exact(&mut head)
            .map_err(|error| cannot(&error))?;
        let length = RawChunk::length(head);
        if length > CHUNK_BYTES_MAX {
            return Err(Untold::Recording(format!(
                "chunk {index} is longer than {CHUNK_BYTES_MAX} bytes"
            )));
        }
        let mut chunk = head.to_vec();
        let rest = (length - HEAD_BYTES) as u64;
        (&mut sealed)
            .take(rest)
            .read_to_end(&mut chunk)
            .map_err(|error| cannot(&error))?;
        let chunk = RawChunk::parse(&chunk, index).map_err(|error| cannot(&error))?;
        let notes = recording::open(key, &chunk).map_err(|error| cannot(&error))?;
        transcriber.notes(&notes, out).map_err(Untold::Spool)?;
    }
    transcriber.end(out).map_err(Untold::Spool)
}

fn command_row(
    leaf: u64,
    at: &str,
    seq: u64,
    decision: &str,
    command: &model::CommandRecord,
    sealed: Option<SealedCommand>,
) -> String {
    let (text, parameters, masked, cut, salt) = match sealed {
        None => (
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ),
        Some(command) => {
            // With the salt of a command that was masked, what was masked could be guessed.
            let salt = if command.masked || command.cut {
                String::new()
            } else {
                command.salt.to_string()
            };
            let parameters = if command.parameters.is_empty() {
                String::new()
            } else {
                serde_json::to_string(&command.parameters).unwrap_or_default()
            };
            (
                command.text,
                parameters,
                command.masked.to_string(),
                command.cut.to_string(),
                salt,
            )
        }
    };
    Row::of(&[
        &leaf,
        &at,
        &seq,
        &decision,
        &command.tag,
        &text,
        &parameters,
        &masked,
        &cut,
        &command.digest,
        &salt,
    ])
}
