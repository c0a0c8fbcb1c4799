//! A recording as a replay: JSON Lines, a chunk at a time, so that memory does not grow with the session.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::PathBuf;

use bytes::Bytes;
use model::{Denial, Digest, Held, Note, Outcome, Timestamp};
use protocols::aws::cli;
use protocols::aws::transcript::Part;
use protocols::postgres::transcript::{Event, Transcript, Words};
use recording::{HEAD_BYTES, MAGIC, RawChunk, SessionKey, Timed};
use serde::{Deserialize, Serialize};

use super::{RecordError, Recordings, io_error};

/// A chunk on the disk may be so large; a longer one is damage.
const CHUNK_BYTES_MAX: usize = 512 << 20;

/// One line of a replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When, by the wall clock.
    pub at: Timestamp,
    /// Microseconds since the session began, by the monotonic clock.
    pub us: u64,
    /// What.
    #[serde(flatten)]
    pub scene: Scene,
}

/// What a line shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Scene {
    /// The client asked this; what is protected in it is masked.
    Asked {
        /// Which command of the session, from 1.
        seq: u64,
        /// `SELECT`.
        tag: String,
        /// Its text.
        text: String,
        /// Its parameters; `None` is NULL.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parameters: Vec<Option<String>>,
        /// The command of the AWS CLI that would ask it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<String>,
    },
    /// People were asked about it.
    Held {
        /// Which command.
        seq: u64,
        /// The approval, and what the client was told.
        #[serde(flatten)]
        held: Held,
    },
    /// It was allowed.
    Allowed {
        /// Which command.
        seq: u64,
        /// The leaf of its intent.
        intent: u64,
    },
    /// It was refused.
    Refused {
        /// Which command.
        seq: u64,
        /// Why.
        denial: Denial,
    },
    /// It ended.
    Ended {
        /// Which command.
        seq: u64,
        /// How, and what was masked.
        outcome: Outcome,
    },
    /// The client put in data (COPY, an object), masked.
    Put {
        /// Which request it belongs to, where requests run side by side.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        /// The data; what is no UTF-8 is replaced.
        data: String,
    },
    /// The client was shown this.
    Shown {
        /// What, as its protocol says it.
        #[serde(flatten)]
        shown: Shown,
    },
}

/// The last line of a replay that cannot go on: the recording is not what the ledger says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// What is wrong.
    pub broken: String,
}

/// What the ledger says of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// SHA-256 of each chunk, in order.
    pub chunks: Vec<Digest>,
    /// The session has ended, so there are no others.
    pub closed: bool,
}

/// What the client was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Shown {
    /// The columns of the rows that follow.
    Columns {
        /// Their names.
        names: Vec<String>,
    },
    /// A row; `None` is NULL.
    Row {
        /// Its values.
        values: Vec<Option<String>>,
    },
    /// A command ended well.
    Complete {
        /// Its tag, such as `UPDATE 3`; empty for an empty statement.
        tag: String,
    },
    /// A portal was suspended at its row limit.
    Suspended,
    /// A notice or a warning.
    Notice(Message),
    /// An error.
    Error(Message),
    /// Data of a COPY; hexadecimal where they are binary.
    Copy {
        /// The data.
        data: String,
    },
    /// A notification.
    Notification {
        /// The channel.
        channel: String,
        /// The payload.
        payload: String,
    },
    /// The head of an HTTP answer.
    Answer {
        /// To which request.
        seq: u64,
        /// The status.
        status: u16,
        /// The header fields.
        fields: Vec<(String, String)>,
    },
    /// Text of an HTTP answer.
    Body {
        /// To which request.
        seq: u64,
        /// The text.
        data: String,
    },
    /// The rest of a body is not in the recording; its digest is in the ledger.
    Cut {
        /// Of which request.
        seq: u64,
        /// Why.
        why: String,
    },
    /// What follows of this session cannot be read.
    Unreadable {
        /// What is wrong.
        why: String,
    },
}

/// An error or a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `ERROR`, `NOTICE`.
    pub severity: String,
    /// The SQLSTATE.
    pub code: String,
    /// What happened.
    pub message: String,
    /// More of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// Where in code of the database it arose.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub context: String,
}

impl From<Words> for Message {
    fn from(words: Words) -> Self {
        let Words {
            severity,
            code,
            message,
            detail,
            hint,
            context,
        } = words;
        Self {
            severity,
            code,
            message,
            detail,
            hint,
            context,
        }
    }
}

impl Shown {
    /// What is shown of a part of an HTTP exchange.
    fn part(bytes: &Bytes) -> Self {
        match Part::decode(bytes) {
            Some(Part::Answer {
                seq,
                status,
                fields,
            }) => Self::Answer {
                seq,
                status,
                fields,
            },
            Some(Part::Text { seq, text }) => Self::Body {
                seq,
                data: String::from_utf8_lossy(&text).into_owned(),
            },
            Some(Part::Cut { seq, why }) => Self::Cut {
                seq,
                why: why.words().to_owned(),
            },
            None => Self::Unreadable {
                why: "it is no part of an HTTP exchange".to_owned(),
            },
        }
    }

    /// What is shown here of an event; what the client itself sent stands in lines of its own.
    fn of(event: Event) -> Option<Self> {
        Some(match event {
            Event::Statement { .. } | Event::CopyIn(_) => return None,
            Event::Columns(names) => Self::Columns { names },
            Event::Row(values) => Self::Row { values },
            Event::Complete(tag) => Self::Complete { tag },
            Event::Suspended => Self::Suspended,
            Event::Notice(words) => Self::Notice(words.into()),
            Event::Error(words) => Self::Error(words.into()),
            Event::CopyOut(data) => Self::Copy { data },
            Event::Notification(channel, payload) => Self::Notification { channel, payload },
            Event::Unreadable(why) => Self::Unreadable {
                why: why.to_owned(),
            },
        })
    }
}

/// A recording that is being read: each item is the lines of one chunk.
pub struct Replay {
    session: String,
    path: PathBuf,
    file: BufReader<File>,
    key: SessionKey,
    reader: Reader,
    expected: Expected,
    next: u64,
    failed: bool,
}

impl Recordings {
    /// Opens the recording of `session` to be replayed, as far as it is what the ledger says. Blocks for the disk.
    ///
    /// # Errors
    /// [`RecordError`] where there is none, or its key does not open.
    pub fn replay(
        &self,
        session: &str,
        protocol: &str,
        expected: Expected,
    ) -> Result<Replay, RecordError> {
        let key = self.session_key(session)?;
        let path = self.path(session, "rec");
        let content = |why: String| RecordError::Content {
            session: session.to_owned(),
            why,
        };
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => content("its file is gone".to_owned()),
            io::ErrorKind::UnexpectedEof => content("its file is cut off".to_owned()),
            _ => io_error(&path, error),
        };
        let mut file = File::open(&path).map(BufReader::new).map_err(failed)?;
        let mut magic = MAGIC;
        file.read_exact(&mut magic).map_err(failed)?;
        if magic != MAGIC {
            return Err(content(recording::ChunkError::Magic.to_string()));
        }
        let session = session.to_owned();
        Ok(Replay {
            session,
            path,
            file,
            key,
            reader: Reader::of(protocol),
            expected,
            next: 0,
            failed: false,
        })
    }
}

impl Iterator for Replay {
    type Item = Result<Bytes, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let lines = self.chunk().transpose()?;
        self.failed = lines.is_err();
        Some(lines)
    }
}

impl Replay {
    /// The lines of the next chunk; `None` at the end.
    fn chunk(&mut self) -> Result<Option<Bytes>, RecordError> {
        let content = |why: String| RecordError::Content {
            session: self.session.clone(),
            why,
        };
        let Some(bytes) =
            read_chunk(&mut self.file).map_err(|error| io_error(&self.path, error))?
        else {
            return match self.expected.chunks.len() {
                all if (self.next as usize) < all => Err(content(format!(
                    "it ends after {} of {all} chunks",
                    self.next
                ))),
                _ => Ok(None),
            };
        };
        let differs = match self.expected.chunks.get(self.next as usize) {
            Some(digest) => *digest != Digest::of(&[&bytes]),
            // The last ones of a session that goes on, or that a crash ended, may not stand in the ledger yet.
            None => self.expected.closed,
        };
        if differs {
            let why = format!("chunk {} is not the one that the ledger names", self.next);
            return Err(content(why));
        }
        let chunk =
            RawChunk::parse(&bytes, self.next).map_err(|error| content(error.to_string()))?;
        let notes =
            recording::open(&self.key, &chunk).map_err(|error| content(error.to_string()))?;
        self.next += 1;
        let mut out = Vec::with_capacity(64 * 1_024);
        for timed in notes {
            for line in lines(&mut self.reader, timed) {
                serde_json::to_writer(&mut out, &line)
                    .map_err(|error| content(error.to_string()))?;
                out.push(b'\n');
            }
        }
        Ok(Some(out.into()))
    }
}

/// The bytes of the next chunk; `None` where the file ends. One that is cut short ends where the file does.
fn read_chunk(file: &mut BufReader<File>) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.by_ref()
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    let Ok(known) = <[u8; HEAD_BYTES]>::try_from(head.as_slice()) else {
        return Ok((!head.is_empty()).then_some(head));
    };
    let length = RawChunk::length(known);
    if length > CHUNK_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a chunk of {length} bytes"),
        ));
    }
    let mut bytes = head;
    file.by_ref()
        .take((length - HEAD_BYTES) as u64)
        .read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Reads what a session's protocol showed.
pub(super) enum Reader {
    /// PostgreSQL's messages.
    Postgres(Box<Transcript>),
    /// Parts of HTTP exchanges.
    Aws,
}

impl Reader {
    pub(super) fn of(protocol: &str) -> Self {
        if protocol == protocols::aws::NAME {
            Self::Aws
        } else {
            Self::Postgres(Box::default())
        }
    }

    fn shown(&mut self, bytes: Bytes) -> Vec<Shown> {
        match self {
            Self::Postgres(transcript) => {
                let mut events = Vec::new();
                transcript.shown(bytes, &mut events);
                events.into_iter().filter_map(Shown::of).collect()
            }
            Self::Aws => vec![Shown::part(&bytes)],
        }
    }

    /// What a person would type to ask the same.
    fn command(&self, tag: &str, text: &str, parameters: &[Option<String>]) -> Option<String> {
        match self {
            Self::Postgres(_) => None,
            Self::Aws => cli::command(tag, text, parameters.first()?.as_deref()),
        }
    }

    fn put(&self, bytes: &Bytes) -> Scene {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match (self, Part::decode(bytes)) {
            (Self::Postgres(_), _) => Scene::Put {
                seq: None,
                data: text(bytes),
            },
            (Self::Aws, Some(Part::Text { seq, text: data })) => Scene::Put {
                seq: Some(seq),
                data: text(&data),
            },
            (Self::Aws, _) => Scene::Shown {
                shown: Shown::part(bytes),
            },
        }
    }
}

/// The lines of a note.
pub(super) fn lines(reader: &mut Reader, timed: Timed) -> Vec<Line> {
    let at = timed.at;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let scene = match timed.note {
        Note::Shown(bytes) => {
            let line = |shown| Line {
                at: at.wall,
                us: at.mono_us,
                scene: Scene::Shown { shown },
            };
            return reader.shown(bytes).into_iter().map(line).collect();
        }
        Note::Asked {
            seq,
            tag,
            text: of,
            parameters,
        } => Scene::Asked {
            seq,
            command: reader.command(&tag, &text(&of), &parameters),
            tag: tag.to_string(),
            text: text(&of),
            parameters,
        },
        Note::Put(bytes) => reader.put(&bytes),
        Note::Held { seq, held } => Scene::Held { seq, held },
        Note::Allowed { seq, intent } => Scene::Allowed { seq, intent },
        Note::Refused { seq, denial } => Scene::Refused { seq, denial },
        Note::Ended { seq, outcome } => Scene::Ended { seq, outcome },
    };
    vec![Line {
        at: at.wall,
        us: at.mono_us,
        scene,
    }]
}
