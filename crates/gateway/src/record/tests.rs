use bytes::Bytes;
use ledger::{Durability, Options, Reader, SigningKey};
use model::{Digest, Entry, Event};

use super::*;

fn log(folder: &Path) -> Log {
    let options = Options {
        origin: "example.com/log".into(),
        key: SigningKey::from_seed("example.com/log", &[1; 32]).unwrap(),
        durability: Durability::Sync,
        integrate_every: std::time::Duration::from_secs(1),
    };
    Log::open(&folder.join("log"), options).unwrap()
}

fn start(folder: &Path, log: &Log) -> Recordings {
    Recordings::start(
        &folder.join("rec"),
        Kek::new(&[1; 32]).unwrap(),
        log,
        Clock::system(),
    )
    .unwrap()
}

fn fresh(n: u8) -> Fresh {
    Fresh {
        key: [n; 32],
        nonce: [n; 12],
    }
}

fn shown(n: usize, size: usize) -> Note {
    Note::Shown(Bytes::from(vec![n as u8; size]))
}

#[tokio::test]
async fn what_was_noted_is_read_back_and_every_chunk_stands_in_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path());
    let recordings = start(folder.path(), &log);
    let recorder = recordings.open("s-1", fresh(1)).unwrap();
    let notes: Vec<Note> = (0..300).map(|n| shown(n, 20_000)).collect();
    for note in &notes {
        recorder.ready().await.unwrap();
        recorder.note(note).unwrap();
    }
    let count = recorder.close().await.unwrap();
    assert!(count >= 5, "6 MB in {count} chunks of 1 MiB");
    let (bytes, key) = recordings.read("s-1").unwrap();
    let (mut read, mut digests) = (Vec::new(), Vec::new());
    for chunk in chunks("s-1", &bytes).unwrap() {
        let chunk = chunk.unwrap();
        digests.push((chunk.index, chunk.bytes.len() as u64, chunk.sha256()));
        read.extend(
            recording::open(&key, &chunk)
                .unwrap()
                .into_iter()
                .map(|timed| timed.note),
        );
    }
    assert_eq!(read, notes);
    log.flush().unwrap();
    let reader = Reader::open(&folder.path().join("log"), None).unwrap();
    let entries = reader
        .entries(0..reader.checkpoint().size())
        .map(|e| Entry::decode(&e.unwrap().1).unwrap());
    let in_ledger: Vec<(u64, u64, Digest)> = entries
        .filter_map(|entry| match entry.event {
            Event::Recorded {
                chunk,
                bytes,
                sha256,
                ..
            } => Some((chunk, bytes, sha256)),
            _ => None,
        })
        .collect();
    assert_eq!(in_ledger, digests);
}

#[tokio::test]
async fn memory_is_bounded_by_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path());
    let recordings = start(folder.path(), &log);
    let recorder = recordings.open("s-1", fresh(1)).unwrap();
    for n in 0..64 {
        recorder.ready().await.unwrap();
        assert!(*recorder.inner.in_flight.borrow() < IN_FLIGHT_MAX);
        recorder.note(&shown(n, CHUNK_BYTES)).unwrap();
    }
    assert_eq!(recorder.close().await.unwrap(), 64);
}

#[tokio::test]
async fn a_recording_that_cannot_be_written_says_so_and_stays_failed() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path());
    let recordings = start(folder.path(), &log);
    let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
    let key = SessionKey::new("s-1", &[1; 32]).unwrap();
    let recorder = recordings
        .begin("s-1", key, "/dev/full".into(), full)
        .unwrap();
    recorder.note(&shown(0, CHUNK_BYTES)).unwrap();
    recorder.inner.in_flight_below(1).await;
    assert!(matches!(
        recorder.ready().await,
        Err(RecordError::Failed(_))
    ));
    assert!(matches!(
        recorder.note(&shown(0, 1)),
        Err(RecordError::Failed(_))
    ));
    assert!(recorder.close().await.is_err());
}

#[test]
fn a_session_has_one_recording_and_its_name_stays_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path());
    let recordings = start(folder.path(), &log);
    recordings.open("s-1", fresh(1)).unwrap();
    assert!(matches!(
        recordings.open("s-1", fresh(2)),
        Err(RecordError::Io { .. })
    ));
    assert!(matches!(
        recordings.read("s-2"),
        Err(RecordError::Unknown(_))
    ));
    assert!(matches!(
        recordings.read("../log/checkpoint"),
        Err(RecordError::Unknown(_))
    ));
    let key = std::fs::read_to_string(folder.path().join("rec/s-1.key")).unwrap();
    assert!(
        !key.contains(&hex::encode([1; 32])),
        "the session's key lies there in the clear"
    );
    std::fs::remove_file(folder.path().join("rec/s-1.key")).unwrap();
    assert!(
        matches!(recordings.read("s-1"), Err(RecordError::Unknown(_))),
        "disposed of"
    );
}
