//! Messages of the frontend/backend protocol, and transcripts of them.

use bytes::{Bytes, BytesMut};
use protocols::postgres::login::Wishes;
use protocols::postgres::transcript::{Event, Transcript};
use protocols::postgres::wire::{
    self, Bind, CopyBegin, Frame, Framer, Malformed, Parse, Reader, Report, StartupRequest, server,
    write,
};

use crate::pieces::{headed, owned};

/// A limit that an input can pass.
const BYTES_MAX: usize = 300;

fn cut(mut framer: Framer, pieces: &[Bytes], run: Option<u8>) -> (Vec<Bytes>, Option<Malformed>) {
    let mut all = Vec::new();
    for piece in pieces {
        framer.push(piece.clone());
        loop {
            if let Some(kind) = run {
                match framer.next_run(kind) {
                    Ok(Some(run)) => {
                        all.extend(stretch(run.whole, run.count));
                        continue;
                    }
                    Ok(None) => {}
                    Err(malformed) => return (all, Some(malformed)),
                }
            }
            match framer.next() {
                Ok(Some(frame)) => {
                    assert!(frame.whole.ends_with(&frame.body));
                    all.push(frame.whole);
                }
                Ok(None) => break,
                Err(malformed) => return (all, Some(malformed)),
            }
        }
        assert!(
            framer.held() <= BYTES_MAX,
            "only the start of one message is held"
        );
    }
    (all, None)
}

fn stretch(whole: Bytes, count: u64) -> Vec<Bytes> {
    let (all, malformed) = cut(Framer::messages(BYTES_MAX), &[whole], None);
    assert_eq!((all.len() as u64, malformed), (count, None));
    all
}

/// Whatever the pieces, the same messages, and the same complaint.
pub(crate) fn framer(data: &[u8]) {
    let (seed, data) = headed(data);
    let framer = || {
        if seed & 0x40 == 0 {
            Framer::messages(BYTES_MAX)
        } else {
            Framer::startup()
        }
    };
    if seed & 0x40 != 0 && data.len() > BYTES_MAX {
        return;
    }
    let whole = cut(framer(), &[Bytes::copy_from_slice(data)], None);
    assert_eq!(cut(framer(), &owned(seed, data), None), whole);
    if seed & 0x40 == 0 {
        assert_eq!(
            cut(framer(), &owned(seed, data), Some(server::DATA_ROW)),
            whole
        );
    }
}

/// The body of one message, read as every kind there is.
pub(crate) fn messages(data: &[u8]) {
    let (kind, body) = headed(data);
    let whole = write::one(kind, |out| out.extend_from_slice(body));
    let frame = Frame::of(whole).expect("it is one message");
    assert_eq!((frame.kind, &frame.body[..]), (kind, body));
    let _ = (
        Parse::read(&frame),
        Bind::read(&frame),
        wire::target(&frame),
    );
    let _ = (
        wire::row_fields(&frame),
        wire::described_types(&frame),
        CopyBegin::read(&frame),
    );
    let _ = (wire::error_field(&frame, b'M'), wire::ready_status(&frame));
    if let Ok(report) = Report::read(&frame) {
        assert!(report.fields.iter().all(|(code, _)| *code != 0));
    }
    if let Ok((name, value)) = wire::parameter_status(&frame) {
        let mut again = BytesMut::new();
        write::parameter_status(&mut again, &name, &value);
        assert_eq!(again[5..], frame.body[..]);
    }
    if let Ok((process, key)) = wire::key_data(&frame) {
        let mut again = BytesMut::new();
        write::key_data(&mut again, process, &key);
        assert_eq!(again[5..], frame.body[..]);
    }
    let mut reader = Reader::new(&frame.body);
    while let Ok(value) = reader.value() {
        assert!(value.is_none_or(|value| value.len() <= body.len()));
    }
    let _ = reader.end();
}

/// The first packet of a client.
pub(crate) fn startup(data: &[u8]) {
    let mut framer = Framer::startup();
    framer.push(Bytes::copy_from_slice(data));
    let Ok(Some(frame)) = framer.next() else {
        return;
    };
    if let Ok(StartupRequest::Session(startup)) = StartupRequest::read(&frame) {
        for replication in [false, true] {
            let _ = Wishes::read(&startup.parameters, replication);
        }
        let pairs = startup
            .parameters
            .iter()
            .map(|(name, value)| (&name[..], &value[..]));
        assert_eq!(write::startup(startup.minor, pairs), frame.whole);
    }
}

/// What a client was shown reads the same however it was cut into notes.
pub(crate) fn transcript(data: &[u8]) {
    let (seed, data) = headed(data);
    let read = |pieces: &[Bytes]| {
        let (mut transcript, mut events) = (Transcript::default(), Vec::new());
        for piece in pieces {
            transcript.shown(piece.clone(), &mut events);
        }
        events
    };
    let events = read(&[Bytes::copy_from_slice(data)]);
    assert_eq!(read(&owned(seed, data)), events);
    let broken = events
        .iter()
        .position(|event| matches!(event, Event::Unreadable(_)));
    assert!(
        broken.is_none_or(|at| at + 1 == events.len()),
        "after what cannot be read nothing is"
    );
}
