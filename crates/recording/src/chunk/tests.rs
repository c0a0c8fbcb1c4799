use std::sync::Arc;

use model::{
    DataClass, Denial, DenialCode, Held, MaskFact, Outcome, SealedCommand, Status, Timestamp,
};
use proptest::prelude::*;

use super::*;
use crate::{CommandSealer, Kek, KeyError};

fn key(session: &str) -> SessionKey {
    SessionKey::new(session, &[7; 32]).unwrap()
}

fn recording(key: &SessionKey, chunks: &[Vec<Note>]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for (index, notes) in chunks.iter().enumerate() {
        let mut writer = Writer::default();
        notes
            .iter()
            .for_each(|note| writer.push(Moment::default(), note));
        out.extend(
            Chunk::seal(key, index as u64, &writer.take())
                .unwrap()
                .bytes,
        );
    }
    out
}

fn read(key: &SessionKey, bytes: &[u8]) -> Result<Vec<Note>, ChunkError> {
    let mut notes = Vec::new();
    for chunk in chunks(bytes)? {
        notes.extend(open(key, &chunk?)?.into_iter().map(|timed| timed.note));
    }
    Ok(notes)
}

fn one_of_each() -> Vec<Note> {
    let fact = MaskFact {
        class: DataClass::PAN,
        rule: "luhn".into(),
        place: "cards.pan".into(),
        columns: Vec::new(),
        strategy: "partial".into(),
        count: 3,
        commitments: vec!["00ff".into()],
    };
    let outcome = Outcome {
        rows: 3,
        bytes: 99,
        tag: "SELECT 3".into(),
        masks: vec![fact],
        ..Outcome::bare(Status::Completed)
    };
    let denial = Denial::new(DenialCode::Forbidden, "no");
    let held = Held {
        approval: "cs-1".into(),
        message: "wait".into(),
    };
    vec![
        Note::Asked {
            seq: 1,
            tag: "SELECT".into(),
            text: Bytes::from_static(b"select $1, $2"),
            parameters: vec![None, Some("x".into())],
        },
        Note::Held { seq: 1, held },
        Note::Allowed {
            seq: 1,
            intent: 300,
        },
        Note::Shown(Bytes::from_static(b"T\0\0\0\x06\0\0")),
        Note::Put(Bytes::new()),
        Note::Ended { seq: 1, outcome },
        Note::Refused { seq: 2, denial },
    ]
}

#[test]
fn every_kind_of_note_comes_back() {
    let key = key("s-1");
    let notes = one_of_each();
    let bytes = recording(&key, &[notes.clone(), notes.clone()]);
    assert_eq!(read(&key, &bytes).unwrap(), [notes.clone(), notes].concat());
}

#[test]
fn both_clocks_come_back() {
    let key = key("s-1");
    let at = Moment {
        wall: Timestamp::from_micros(1_700_000_000_123_456),
        mono_us: u64::MAX,
    };
    let mut writer = Writer::default();
    writer.push(at, &Note::Shown(Bytes::new()));
    let chunk = Chunk::seal(&key, 0, &writer.take()).unwrap();
    let bytes = [&MAGIC[..], &chunk.bytes].concat();
    let raw = chunks(&bytes).unwrap().next().unwrap().unwrap();
    assert_eq!(raw.sha256(), chunk.sha256);
    assert_eq!(
        open(&key, &raw).unwrap(),
        [Timed {
            at,
            note: Note::Shown(Bytes::new())
        }]
    );
}

#[test]
fn a_changed_byte_anywhere_is_found() {
    let key = key("s-1");
    let bytes = recording(&key, &[one_of_each(), one_of_each()]);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(
            read(&key, &changed).is_err(),
            "byte {at} of {} was changed unseen",
            bytes.len()
        );
    }
}

#[test]
fn a_cut_recording_ends_in_an_error_or_lacks_whole_chunks() {
    let key = key("s-1");
    let bytes = recording(&key, &[one_of_each(), one_of_each()]);
    let first = chunks(&bytes).unwrap().next().unwrap().unwrap().bytes.len() + MAGIC.len();
    for cut in 0..bytes.len() {
        let whole = cut == MAGIC.len() || cut == first;
        assert_eq!(read(&key, &bytes[..cut]).is_ok(), whole, "cut at {cut}");
    }
}

#[test]
fn swapped_chunks_and_other_sessions_do_not_open() {
    let (one, two) = (key("s-1"), key("s-2"));
    let bytes = recording(&one, &[one_of_each(), vec![]]);
    let parts: Vec<_> = chunks(&bytes)
        .unwrap()
        .map(|c| c.unwrap().bytes.to_vec())
        .collect();
    let swapped = [&MAGIC[..], &parts[1], &parts[0]].concat();
    assert_eq!(
        read(&one, &swapped),
        Err(ChunkError::Order {
            expected: 0,
            found: 1
        })
    );
    assert_eq!(
        read(&two, &bytes),
        Err(ChunkError::Forged(0)),
        "same key bytes, other session"
    );
}

#[test]
fn wrapped_keys_open_only_as_what_they_are() {
    let (kek, other) = (Kek::new(&[1; 32]).unwrap(), Kek::new(&[2; 32]).unwrap());
    let wrapped = kek.wrap("s-1", &key("s-1"), [9; 12]).unwrap();
    let json = serde_json::to_string(&wrapped).unwrap();
    let wrapped: crate::WrappedKey = serde_json::from_str(&json).unwrap();
    let bytes = recording(&key("s-1"), &[one_of_each()]);
    assert_eq!(
        read(&kek.unwrap("s-1", &wrapped).unwrap(), &bytes).unwrap(),
        one_of_each()
    );
    assert_eq!(kek.unwrap("s-2", &wrapped).unwrap_err(), KeyError::Forged);
    assert!(matches!(
        other.unwrap("s-1", &wrapped),
        Err(KeyError::OtherKek { .. })
    ));
    assert!(
        !format!("{:?} {:?}", kek, key("s-1")).contains('7'),
        "a key printed itself"
    );
}

#[test]
fn sealed_commands_open_under_their_session_alone() {
    let key = Arc::new(key("s-1"));
    let sealer = CommandSealer::new(key.clone());
    let salt = Digest::of(&[b"salt"]);
    let command = SealedCommand {
        text: "select 1".into(),
        parameters: vec![None],
        salt,
        masked: false,
        cut: true,
    };
    let (one, two) = (
        sealer.seal(&command).unwrap(),
        sealer.seal(&command).unwrap(),
    );
    assert_ne!(one, two, "a nonce was used twice");
    assert_eq!(key.open_command(&one).unwrap(), command);
    assert_eq!(key.open_command(&two).unwrap(), command);
    let other = SessionKey::new("s-2", &[7; 32]).unwrap();
    assert_eq!(other.open_command(&one).unwrap_err(), KeyError::Forged);
    assert_eq!(key.open_command("@").unwrap_err(), KeyError::Malformed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_are_refused_not_believed(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let with_magic = [&MAGIC[..], &bytes].concat();
        if let Ok(notes) = read(&key("s-1"), &with_magic) {
            prop_assert!(notes.is_empty() && bytes.is_empty());
        }
    }

    #[test]
    fn notes_survive_whatever_their_bytes(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20)) {
        let notes: Vec<_> = parts.into_iter().map(|part| Note::Shown(part.into())).collect();
        let key = key("s-1");
        prop_assert_eq!(read(&key, &recording(&key, std::slice::from_ref(&notes))).unwrap(), notes);
    }
}
