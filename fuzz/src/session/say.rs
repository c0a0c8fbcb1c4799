//! Messages of both peers, chosen by a number.

use bytes::{BufMut, Bytes, BytesMut};
use protocols::postgres::wire::{client, server, write};

/// A card number; no client may see it.
pub(crate) const CARD: &str = "4111111111111111";

/// Statements that lead to every kind of state.
pub(crate) const TEXTS: [&str; 44] = [
    "select words from t",
    "select ssn from customers",
    "select upper(ssn) from customers",
    "select 1/0",
    "begin",
    "commit",
    "rollback",
    "",
    "insert into t values (1, 'x')",
    "update t set words = 'x'",
    "copy t from stdin",
    "copy t to stdout",
    "copy customers to stdout (format csv)",
    "create table n (a int)",
    "create table copied as select ssn from customers",
    "drop table n",
    "prepare a as select words from t",
    "execute a",
    "deallocate a",
    "deallocate all",
    "declare c cursor for select words from t",
    "fetch 2 from c",
    "close c",
    "discard all",
    "set search_path = public",
    "listen news",
    "do $$ begin end $$",
    "explain analyze update t set n = 2",
    "begin; select words from t; commit",
    "create table n (a int); select words from t",
    "copy t from stdin; select words from t",
    "savepoint s",
    "rollback to s",
    "select $1",
    "with w as (delete from t returning words) select * from w",
    "selec 1",
    "select '4111111111111111'",
    "copy (select words from t) to stdout",
    "copy t to stdout; copy t from stdin",
    "set standard_conforming_strings = off",
    "set client_encoding = latin1",
    "declare c cursor with hold for select ssn from customers",
    "notify news, '4111111111111111'",
    "alter table t rename to u",
];

pub(crate) fn text(number: u8) -> &'static str {
    TEXTS[usize::from(number) % TEXTS.len()]
}

pub(crate) fn name(number: u8) -> &'static str {
    ["", "a", "b", "c"][usize::from(number) % 4]
}

pub(crate) fn bare(kind: u8) -> Bytes {
    write::bare(kind)
}

pub(crate) fn query(text: &str) -> Bytes {
    write::query(text.as_bytes())
}

pub(crate) fn parse(name: &str, text: &str) -> Bytes {
    write::one(client::PARSE, |out| {
        write::cstr(out, name.as_bytes());
        write::cstr(out, text.as_bytes());
        out.put_i16(0);
    })
}

pub(crate) fn bind(portal: &str, name: &str, values: u8) -> Bytes {
    write::one(client::BIND, |out| {
        write::cstr(out, portal.as_bytes());
        write::cstr(out, name.as_bytes());
        out.put_i16(0);
        let count = i16::from(values % 3);
        out.put_i16(count);
        for _ in 0..count {
            out.put_i32(CARD.len() as i32);
            out.put_slice(CARD.as_bytes());
        }
        out.put_i16(0);
    })
}

/// Describe or Close; every other number means the portal of the name.
pub(crate) fn named(kind: u8, number: u8) -> Bytes {
    write::one(kind, |out| {
        out.put_u8(if number & 1 == 0 { b'S' } else { b'P' });
        write::cstr(out, name(number >> 1).as_bytes());
    })
}

pub(crate) fn execute(number: u8) -> Bytes {
    write::one(client::EXECUTE, |out| {
        write::cstr(out, name(number).as_bytes());
        out.put_i32(i32::from(number >> 2) % 3);
    })
}

pub(crate) fn copy(number: u8) -> Bytes {
    match number % 4 {
        0 => write::one(client::COPY_DATA, |out| {
            out.put_slice(b"1\t4111111111111111\n")
        }),
        1 => write::one(client::COPY_DATA, |out| out.put_slice(b"2\tha")),
        2 => write::bare(client::COPY_DONE),
        _ => write::copy_fail("no more"),
    }
}

pub(crate) fn function_call() -> Bytes {
    write::one(client::FUNCTION_CALL, |out| {
        out.put_slice(&[0, 0, 0, 7, 0, 0, 0, 0, 0, 0])
    })
}

/// What a client says before it is logged in.
pub(crate) fn startup(number: u8) -> Bytes {
    let session = |minor, database: &'static [u8]| {
        write::startup(
            minor,
            [(&b"user"[..], &b"agent"[..]), (b"database", database)],
        )
    };
    match number % 7 {
        0 => session(0, b"bank"),
        1 => session(2, b"bank"),
        2 => session(0, b"other"),
        3 => write::ssl_request(),
        4 => write::cancel_request(7, b"keys"),
        5 => write::one(client::PASSWORD, |out| write::cstr(out, b"token")),
        _ => {
            let pairs = [
                (&b"user"[..], &b"agent"[..]),
                (b"database", b"bank"),
                (b"options", b"-c jit=off"),
            ];
            write::startup(0, pairs)
        }
    }
}

/// What a server says to a login that it trusts.
pub(crate) fn welcome() -> Bytes {
    let mut out = BytesMut::new();
    out.extend_from_slice(&write::authentication_ok());
    write::parameter_status(&mut out, b"server_version", b"15.0");
    write::key_data(&mut out, 77, b"upky");
    out.extend_from_slice(&write::ready(b'I'));
    out.freeze()
}

/// A RowDescription of text columns, each from a relation's attribute.
pub(crate) fn columns(columns: &[(&str, u32, i16)]) -> Bytes {
    write::one(server::ROW_DESCRIPTION, |out| {
        out.put_u16(columns.len() as u16);
        for (name, relation, attribute) in columns {
            write::cstr(out, name.as_bytes());
            out.put_u32(*relation);
            out.put_i16(*attribute);
            out.put_u32(25);
            out.put_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]);
        }
    })
}

pub(crate) fn row(values: &[&str]) -> Bytes {
    write::one(server::DATA_ROW, |out| {
        out.put_u16(values.len() as u16);
        for value in values {
            out.put_u32(value.len() as u32);
            out.put_slice(value.as_bytes());
        }
    })
}

pub(crate) fn complete(tag: &str) -> Bytes {
    write::one(server::COMMAND_COMPLETE, |out| {
        write::cstr(out, tag.as_bytes())
    })
}

fn words<'a>(code: &'a str, message: &'a str) -> write::Words<'a> {
    write::Words {
        severity: "ERROR",
        code,
        message,
        ..Default::default()
    }
}

pub(crate) fn error() -> Bytes {
    write::error(&words("22012", "invalid input: \"4111111111111111\""))
}

pub(crate) fn copy_begin(kind: u8, columns: u8) -> Bytes {
    write::one(kind, |out| {
        out.put_slice(&[0, 0, columns]);
        out.put_slice(&vec![0; usize::from(columns) * 2]);
    })
}

/// Messages of a server, asked or not.
pub(crate) fn of_server(number: u8) -> Bytes {
    let mut out = BytesMut::new();
    match number % 22 {
        0 => return write::ready(b'I'),
        1 => return write::ready(b'T'),
        2 => return write::ready(b'E'),
        3 => return error(),
        4 => return write::notice(&words("00000", "it is 4111111111111111")),
        5 => return complete("SELECT 1"),
        6 => return columns(&[("words", 501, 2)]),
        7 => return row(&[CARD]),
        8 => return write::bare(server::PARSE_COMPLETE),
        9 => return write::bare(server::BIND_COMPLETE),
        10 => return write::bare(server::CLOSE_COMPLETE),
        11 => return write::bare(server::NO_DATA),
        12 => return write::bare(server::PORTAL_SUSPENDED),
        13 => return write::bare(server::EMPTY_QUERY),
        14 => return copy_begin(server::COPY_IN, 2),
        15 => return copy_begin(server::COPY_OUT, 2),
        16 => return write::bare(server::COPY_DONE),
        17 => {
            return write::one(server::COPY_DATA, |out| {
                out.put_slice(b"1\t4111111111111111\n")
            });
        }
        18 => return copy_begin(server::COPY_BOTH, 0),
        19 => write::parameter_status(&mut out, b"TimeZone", b"UTC"),
        20 => out.put_slice(&welcome()),
        _ => {
            return write::one(server::NOTIFICATION, |out| {
                out.put_u32(7);
                write::cstr(out, b"news");
                write::cstr(out, CARD.as_bytes());
            });
        }
    }
    out.freeze()
}
