//! Messages to write and to read in tests.

use bytes::{BufMut, Bytes, BytesMut};

use crate::postgres::wire::{Frame, Framer, Reader, client, error_field, server, write};

/// A text and its end.
fn put(out: &mut BytesMut, text: &str) {
    write::cstr(out, text.as_bytes());
}

pub(super) fn query(text: &str) -> Bytes {
    write::query(text.as_bytes())
}

pub(super) fn parse(name: &str, text: &str) -> Bytes {
    write::one(client::PARSE, |out| {
        put(out, name);
        put(out, text);
        out.put_i16(0);
    })
}

pub(super) fn bind(portal: &str, name: &str) -> Bytes {
    bind_with(portal, name, &[])
}

pub(super) fn bind_with(portal: &str, name: &str, values: &[&str]) -> Bytes {
    write::one(client::BIND, |out| {
        put(out, portal);
        put(out, name);
        out.put_i16(0);
        out.put_u16(u16::try_from(values.len()).unwrap());
        for value in values {
            out.put_u32(u32::try_from(value.len()).unwrap());
            out.put_slice(value.as_bytes());
        }
        out.put_i16(0);
    })
}

pub(super) fn describe(kind: char, name: &str) -> Bytes {
    named(client::DESCRIBE, kind, name)
}

pub(super) fn close(kind: char, name: &str) -> Bytes {
    named(client::CLOSE, kind, name)
}

fn named(message: u8, kind: char, name: &str) -> Bytes {
    write::one(message, |out| {
        out.put_u8(u8::try_from(kind).unwrap());
        put(out, name);
    })
}

pub(super) fn execute(portal: &str, rows: i32) -> Bytes {
    write::one(client::EXECUTE, |out| {
        put(out, portal);
        out.put_i32(rows);
    })
}

pub(super) fn sync() -> Bytes {
    write::bare(client::SYNC)
}

pub(super) fn flush() -> Bytes {
    write::bare(client::FLUSH)
}

pub(super) fn password(token: &str) -> Bytes {
    write::one(client::PASSWORD, |out| put(out, token))
}

pub(super) fn complete(tag: &str) -> Bytes {
    write::one(server::COMMAND_COMPLETE, |out| put(out, tag))
}

/// A RowDescription of columns by name, relation, attribute and type.
pub(super) fn columns(columns: &[(&str, u32, i16, u32)]) -> Bytes {
    write::one(server::ROW_DESCRIPTION, |out| {
        out.put_u16(u16::try_from(columns.len()).unwrap());
        for (name, relation, attribute, kind) in columns {
            put(out, name);
            out.put_u32(*relation);
            out.put_i16(*attribute);
            out.put_u32(*kind);
            out.put_slice(&[0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0]);
        }
    })
}

pub(super) fn row(values: &[&str]) -> Bytes {
    write::one(server::DATA_ROW, |out| {
        out.put_u16(u16::try_from(values.len()).unwrap());
        for value in values {
            out.put_u32(u32::try_from(value.len()).unwrap());
            out.put_slice(value.as_bytes());
        }
    })
}

pub(super) fn error(code: &str) -> Bytes {
    write::error(&write::Words {
        severity: "ERROR",
        code,
        message: "of the upstream",
        ..write::Words::default()
    })
}

pub(super) fn copy_data(data: &str) -> Bytes {
    write::one(server::COPY_DATA, |out| out.put_slice(data.as_bytes()))
}

pub(super) fn copy_begin(kind: u8) -> Bytes {
    copy_begin_of(kind, 1)
}

/// The same for so many columns.
pub(super) fn copy_begin_of(kind: u8, columns: u8) -> Bytes {
    write::one(kind, |out| {
        out.put_slice(&[0, 0, columns]);
        (0..columns).for_each(|_| out.put_i16(0));
    })
}

pub(super) fn join(messages: &[Bytes]) -> Bytes {
    messages.concat().into()
}

/// The messages of a stream.
pub(super) fn frames(bytes: &[u8]) -> Vec<Frame> {
    let mut framer = Framer::messages(1 << 30);
    framer.push(Bytes::copy_from_slice(bytes));
    let frames = std::iter::from_fn(|| framer.next().unwrap()).collect();
    assert!(framer.is_empty(), "a message is not whole");
    frames
}

/// What a server's messages say, one word or two for each.
pub(super) fn told(bytes: &[u8]) -> Vec<String> {
    frames(bytes).iter().map(tell).collect()
}

fn tell(frame: &Frame) -> String {
    let text = || {
        let text = Reader::new(&frame.body).cstr().unwrap();
        String::from_utf8(text.to_vec()).unwrap()
    };
    match frame.kind {
        server::ERROR => format!("E {}", error_field(frame, b'C')),
        server::NOTICE => format!("N {}", error_field(frame, b'M')),
        server::COMMAND_COMPLETE => format!("C {}", text()),
        server::READY => format!("Z {}", char::from(frame.body[0])),
        server::DATA_ROW => format!("D {}", values(frame)),
        server::COPY_DATA => format!("d {}", String::from_utf8_lossy(&frame.body)),
        kind => char::from(kind).to_string(),
    }
}

fn values(frame: &Frame) -> String {
    let mut body = Reader::new(&frame.body);
    let count = body.count().unwrap();
    let value = |_| {
        body.value()
            .unwrap()
            .map_or("NULL".into(), |v| String::from_utf8(v.to_vec()).unwrap())
    };
    (0..count).map(value).collect::<Vec<String>>().join(",")
}

/// What a client's messages say.
pub(super) fn asked(bytes: &[u8]) -> Vec<String> {
    let tell = |frame: &Frame| {
        let mut words = String::from(char::from(frame.kind));
        for part in frame
            .body
            .split(|byte| !(0x20..0x7f).contains(byte))
            .filter(|part| part.len() > 1)
        {
            words.push(' ');
            words.push_str(std::str::from_utf8(part).unwrap());
        }
        words
    };
    frames(bytes).iter().map(tell).collect()
}
