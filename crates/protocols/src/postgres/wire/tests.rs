use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;

use super::{write, *};

fn frames(framer: &mut Framer) -> Vec<Frame> {
    std::iter::from_fn(|| framer.next().unwrap()).collect()
}

#[test]
fn every_split_gives_the_same_frames() {
    let mut stream = BytesMut::new();
    stream.extend_from_slice(&write::query(b"select 1"));
    stream.extend_from_slice(&write::bare(client::SYNC));
    stream.extend_from_slice(&write::query(b""));
    let stream = stream.freeze();
    let mut whole = Framer::messages(100);
    whole.push(stream.clone());
    let expected = frames(&mut whole);
    assert_eq!(expected.len(), 3);
    for first in 0..=stream.len() {
        for second in first..=stream.len() {
            let mut framer = Framer::messages(100);
            let mut seen = Vec::new();
            for piece in [
                stream.slice(..first),
                stream.slice(first..second),
                stream.slice(second..),
            ] {
                framer.push(piece);
                seen.extend(frames(&mut framer));
            }
            assert_eq!(seen, expected, "{first} {second}");
            assert!(framer.is_empty());
        }
    }
}

#[test]
fn runs_stop_where_the_kind_changes() {
    let mut stream = BytesMut::new();
    for _ in 0..3 {
        write::message(&mut stream, server::DATA_ROW, |out| out.put_i16(0));
    }
    stream.extend_from_slice(&write::ready(b'I'));
    let stream = stream.freeze();
    let mut framer = Framer::messages(100);
    framer.push(stream.clone());
    assert_eq!(
        framer.next_run(server::DATA_ROW).unwrap(),
        Some(Run {
            whole: stream.slice(..21),
            count: 3
        })
    );
    assert_eq!(framer.next_run(server::DATA_ROW).unwrap(), None);
    assert_eq!(framer.next().unwrap().unwrap().kind, server::READY);
    // A message that is not whole ends the stretch.
    framer.push(stream.slice(..20));
    assert_eq!(framer.next_run(server::DATA_ROW).unwrap().unwrap().count, 2);
    assert_eq!(framer.next_run(server::DATA_ROW).unwrap(), None);
    assert_eq!(framer.next().unwrap(), None);
    framer.push(stream.slice(20..));
    assert_eq!(framer.next_run(server::DATA_ROW).unwrap(), None);
    assert_eq!(framer.next().unwrap().unwrap().whole, stream.slice(14..21));
}

#[test]
fn impossible_lengths_are_named() {
    let cases: [(&'static [u8], &str); 3] = [
        (b"Q\0\0\0\x03", "a message's length is under 4"),
        (
            b"Q\0\0\0\x65",
            "a message is longer than the gateway's limit",
        ),
        (
            b"Q\xff\xff\xff\xff",
            "a message is longer than the gateway's limit",
        ),
    ];
    for (bytes, what) in cases {
        let mut framer = Framer::messages(100);
        framer.push(Bytes::from_static(bytes));
        assert_eq!(framer.next(), Err(Malformed(what)));
        let mut framer = Framer::messages(100);
        for byte in bytes {
            framer.push(Bytes::from(vec![*byte]));
            if let Err(malformed) = framer.next() {
                assert_eq!(malformed, Malformed(what));
            }
        }
    }
    let mut framer = Framer::startup();
    framer.push(Bytes::from_static(b"\0\0\x27\x11"));
    assert!(framer.next().is_err());
}

#[test]
fn startup_packets() {
    let read = |bytes: Bytes| {
        let mut framer = Framer::startup();
        framer.push(bytes);
        StartupRequest::read(&framer.next().unwrap().unwrap())
    };
    assert_eq!(read(write::ssl_request()), Ok(StartupRequest::Tls));
    assert_eq!(
        read(Bytes::from_static(b"\0\0\0\x08\x04\xd2\x16\x30")),
        Ok(StartupRequest::Gss)
    );
    assert_eq!(
        read(write::cancel_request(7, b"abcd")),
        Ok(StartupRequest::Cancel(Bytes::from_static(
            b"\0\0\0\x07abcd"
        )))
    );
    assert!(read(write::cancel_request(7, b"abc")).is_err());
    let Ok(StartupRequest::Session(startup)) = read(write::startup(2, [(&b"user"[..], &b"a"[..])]))
    else {
        panic!()
    };
    assert_eq!(
        (startup.minor, startup.value("user")),
        (2, Some(&Bytes::from_static(b"a")))
    );
    assert!(read(Bytes::from_static(b"\0\0\0\x08\0\x02\0\0")).is_err());
}

#[test]
fn parse_and_bind() {
    let parse = write::one(client::PARSE, |out| {
        write::cstr(out, b"s");
        write::cstr(out, b"select $1");
        out.put_i16(1);
        out.put_u32(23);
    });
    let parse = Parse::read(&Frame::of(parse).unwrap()).unwrap();
    assert_eq!(
        (&parse.statement[..], &parse.text[..], &parse.types[..]),
        (&b"s"[..], &b"select $1"[..], &[23][..])
    );
    let bind = write::one(client::BIND, |out| {
        write::cstr(out, b"");
        write::cstr(out, b"s");
        out.put_slice(&[
            0, 1, 0, 1, 0, 2, 0, 0, 0, 1, b'x', 0xff, 0xff, 0xff, 0xff, 0, 0,
        ]);
    });
    let bind = Bind::read(&Frame::of(bind).unwrap()).unwrap();
    assert_eq!(bind.values, [Some(Bytes::from_static(b"x")), None]);
    assert_eq!(bind.formats, [Format::Binary]);
    assert!(bind.results.is_empty());
}

proptest! {
    #[test]
    fn readers_never_panic(kind in any::<u8>(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let whole = write::one(kind, |out| out.put_slice(&body));
        let frame = Frame::of(whole).unwrap();
        let _ = (Parse::read(&frame), Bind::read(&frame), target(&frame), row_fields(&frame), described_types(&frame));
        let _ = (CopyBegin::read(&frame), Report::read(&frame), parameter_status(&frame), key_data(&frame));
        let _ = (ready_status(&frame), StartupRequest::read(&frame), error_field(&frame, b'C'));
    }
}
