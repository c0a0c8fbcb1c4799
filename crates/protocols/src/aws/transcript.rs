//! What a recording keeps of a session's exchanges beside the requests' heads: answers as the client was shown them, and what it
//! uploaded. Requests run side by side, so each part names the request it belongs to.
//!
//! ```text
//! part  kind 1 ‖ request 8, big endian ‖ payload
//! ```

use bytes::Bytes;

/// A part of an exchange. `seq` is the request's number in its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The head of an answer.
    Answer {
        /// Which request.
        seq: u64,
        /// The HTTP status.
        status: u16,
        /// The header fields, masked.
        fields: Vec<(String, String)>,
    },
    /// Text of an answer or an upload, masked.
    Text {
        /// Which request.
        seq: u64,
        /// The text, in whole characters.
        text: Bytes,
    },
    /// The rest of the answer or upload is not kept.
    Cut {
        /// Which request.
        seq: u64,
        /// Why.
        why: Why,
    },
}

/// Why the rest of a body is not in the recording. Its digest is in the ledger all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is longer than is kept.
    Long,
    /// It is not plain text, so nothing in it could be masked.
    Binary,
    /// It is a part of an object, so what began before it could not be masked.
    Piece,
}

impl Why {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Long => "it is longer than what is kept",
            Self::Binary => "it is not plain text",
            Self::Piece => "it is a part of an object",
        }
    }
}

const ANSWER: u8 = 1;
const TEXT: u8 = 2;
const LONG: u8 = 3;
const BINARY: u8 = 4;
const PIECE: u8 = 5;

impl Part {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let (kind, seq) = match self {
            Self::Answer { seq, .. } => (ANSWER, seq),
            Self::Text { seq, .. } => (TEXT, seq),
            Self::Cut {
                seq,
                why: Why::Long,
            } => (LONG, seq),
            Self::Cut {
                seq,
                why: Why::Binary,
            } => (BINARY, seq),
            Self::Cut {
                seq,
                why: Why::Piece,
            } => (PIECE, seq),
        };
        let mut out = vec![kind];
        out.extend_from_slice(&seq.to_be_bytes());
        match self {
            Self::Answer { status, fields, .. } => {
                // Texts and numbers are always JSON.
                out.extend(serde_json::to_vec(&(status, fields)).unwrap_or_default());
            }
            Self::Text { text, .. } => out.extend_from_slice(text),
            Self::Cut { .. } => {}
        }
        out.into()
    }

    /// The part that these bytes are; `None` where they are none.
    #[must_use]
    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let (&kind, rest) = bytes.split_first()?;
        let (seq, payload) = rest.split_first_chunk()?;
        let seq = u64::from_be_bytes(*seq);
        Some(match kind {
            ANSWER => {
                let (status, fields) = serde_json::from_slice(payload).ok()?;
                Self::Answer {
                    seq,
                    status,
                    fields,
                }
            }
            TEXT => Self::Text {
                seq,
                text: bytes.slice_ref(payload),
            },
            LONG | BINARY | PIECE if !payload.is_empty() => return None,
            LONG => Self::Cut {
                seq,
                why: Why::Long,
            },
            BINARY => Self::Cut {
                seq,
                why: Why::Binary,
            },
            PIECE => Self::Cut {
                seq,
                why: Why::Piece,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_part() -> impl Strategy<Value = Part> {
        let fields = proptest::collection::vec((".{0,9}", ".{0,20}"), 0..4);
        prop_oneof![
            (any::<u64>(), any::<u16>(), fields).prop_map(|(seq, status, fields)| Part::Answer {
                seq,
                status,
                fields
            }),
            (any::<u64>(), ".{0,40}").prop_map(|(seq, text)| Part::Text {
                seq,
                text: text.into()
            }),
            (
                any::<u64>(),
                prop_oneof![Just(Why::Long), Just(Why::Binary), Just(Why::Piece)]
            )
                .prop_map(|(seq, why)| Part::Cut { seq, why }),
        ]
    }

    proptest! {
        #[test]
        fn parts_come_back(part in any_part()) {
            prop_assert_eq!(Part::decode(&part.encode()), Some(part));
        }

        #[test]
        fn what_is_read_is_written_so(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let bytes = Bytes::from(bytes);
            if let Some(part) = Part::decode(&bytes)
                && !matches!(part, Part::Answer { .. })
            {
                prop_assert_eq!(part.encode(), bytes);
            }
        }
    }

    #[test]
    fn what_is_no_part_is_not_read() {
        for bad in [
            &b""[..],
            b"\x02",
            b"\x02\0\0\0\0\0\0\0",
            b"\x09\0\0\0\0\0\0\0\0",
            b"\x03\0\0\0\0\0\0\0\0x",
            b"\x01\0\0\0\0\0\0\0\0{}",
        ] {
            assert_eq!(Part::decode(&Bytes::copy_from_slice(bad)), None, "{bad:?}");
        }
    }
}
