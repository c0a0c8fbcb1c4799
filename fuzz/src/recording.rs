//! Recordings: chunks and the frames in them.

use recording::{Chunk, HEAD_BYTES, Kek, RawChunk, SessionKey, WrappedKey, Writer};

/// The session that the seeds are of.
pub(crate) const SESSION: &str = "s-01";

/// The key that the seeds are sealed with.
pub(crate) fn key() -> SessionKey {
    SessionKey::new(SESSION, &[9; 32]).expect("a key")
}

/// A file as it lies on the disk: whatever opens is what was sealed.
pub(crate) fn chunks(data: &[u8]) {
    let key = key();
    sealed_beside(&key, data);
    let Ok(chunks) = recording::chunks(data) else {
        return;
    };
    let mut at = recording::MAGIC.len();
    for (expected, chunk) in chunks.enumerate() {
        let Ok(chunk) = chunk else {
            break;
        };
        assert_eq!(chunk.index, expected as u64);
        assert_eq!(data.get(at..at + chunk.bytes.len()), Some(chunk.bytes));
        let head: [u8; HEAD_BYTES] = chunk.bytes[..HEAD_BYTES].try_into().expect("a head");
        assert_eq!(RawChunk::length(head), chunk.bytes.len());
        at += chunk.bytes.len();
        let _ = recording::open(&key, &chunk);
    }
}

/// What lies beside a recording, and in entries.
fn sealed_beside(key: &SessionKey, data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = key.open_command(text);
    }
    if let Ok(wrapped) = serde_json::from_slice::<WrappedKey>(data) {
        let kek = Kek::new(&[3; 32]).expect("a key");
        let _ = kek.unwrap(SESSION, &wrapped);
    }
}

/// What opens a chunk is the gateway's own; still, what stands in one may be of another version, or broken.
pub(crate) fn frames(data: &[u8]) {
    let key = key();
    let opened = |frames: &[u8]| {
        let chunk = Chunk::seal(&key, 0, frames).expect("it seals");
        let raw = RawChunk::parse(&chunk.bytes, 0).expect("it was just made");
        recording::open(&key, &raw)
    };
    let Ok(notes) = opened(data) else {
        return;
    };
    let mut writer = Writer::default();
    for timed in &notes {
        writer.push(timed.at, &timed.note);
    }
    assert_eq!(
        opened(&writer.take()).as_ref(),
        Ok(&notes),
        "what is read can be written"
    );
    let mut transcript = protocols::postgres::transcript::Transcript::default();
    let mut events = Vec::new();
    for timed in &notes {
        transcript.note(&timed.note, &mut events);
    }
}
