//! Messages of the frontend/backend protocol.

use bytes::{BufMut, Bytes, BytesMut};
use protocols::postgres::wire::{client, server, write};

use super::{TEXTS, headed, owned};
use crate::session::say;

fn joined(messages: &[Bytes]) -> Vec<u8> {
    messages.concat()
}

/// An answer with rows, an error, a COPY.
fn answers() -> Vec<Vec<u8>> {
    let rows = joined(&[
        say::columns(&[("words", 501, 2)]),
        say::row(&["one", "4111111111111111"]),
        say::complete("SELECT 1"),
        write::ready(b'I'),
    ]);
    let failed = joined(&[say::error(), write::ready(b'E')]);
    let copied = joined(&[
        say::copy_begin(server::COPY_OUT, 2),
        say::of_server(17),
        say::of_server(16),
        say::complete("COPY 1"),
        write::ready(b'T'),
    ]);
    vec![rows, failed, copied]
}

pub(crate) fn postgres_framer() -> Vec<Vec<u8>> {
    let mut seeds = headed(&[3, 0x3f], &answers());
    seeds.extend(headed(&[0x45], &owned([&say::startup(6)])));
    seeds
}

/// A kind and a body, without the length between them.
pub(crate) fn postgres_messages() -> Vec<Vec<u8>> {
    let mut all = vec![
        say::parse("a", "select $1"),
        say::bind("", "a", 2),
        say::named(client::DESCRIBE, 3),
        say::execute(4),
        say::columns(&[("words", 501, 2), ("n", 501, 1)]),
        say::row(&["x", ""]),
    ];
    all.extend((0..22).map(say::of_server));
    all.iter()
        .filter(|message| message.len() >= 5)
        .map(|message| [&message[..1], &message[5..]].concat())
        .collect()
}

pub(crate) fn postgres_startup() -> Vec<Vec<u8>> {
    let first = [0, 1, 2, 3, 4, 6].map(|number| say::startup(number).to_vec());
    first.into()
}

pub(crate) fn postgres_transcript() -> Vec<Vec<u8>> {
    headed(&[2, 0x3f], &answers())
}

pub(crate) fn postgres_login() -> Vec<Vec<u8>> {
    let request = |kind: u32, rest: &[u8]| {
        write::one(server::AUTHENTICATION, |out| {
            out.put_u32(kind);
            out.put_slice(rest);
        })
    };
    let scram = [
        request(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"),
        request(
            11,
            b"r=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=64",
        ),
        request(12, b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
    ];
    let seeds = vec![
        say::welcome().to_vec(),
        joined(&scram),
        joined(&[request(5, b"salt"), say::welcome()]),
        joined(&[request(3, b""), say::of_server(4), say::welcome()]),
        joined(&[write::negotiate(0, &[]), say::welcome()]),
        say::error().to_vec(),
    ];
    let mut all = headed(&[0x3f, 0x41], &seeds);
    all.push([b"\xbfS", &say::welcome()[..]].concat());
    all
}

/// The exchange of RFC 7677, section 3.
pub(crate) fn postgres_scram() -> Vec<Vec<u8>> {
    owned([
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096\n\
          v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1\ne=other-error",
    ])
}

/// What the catalog's queries are answered with, in their order.
pub(crate) fn postgres_catalog() -> Vec<Vec<u8>> {
    let answers: [&[&[&str]]; 9] = [
        &[],
        &[&[""]],
        &[
            &["16400", "public", "customers", "r", "0", ""],
            &[
                "16420",
                "public",
                "v",
                "v",
                "0",
                " SELECT ssn FROM public.customers;",
            ],
        ],
        &[
            &["16400", "2", "ssn", "25", ""],
            &["16420", "1", "ssn", "25", ""],
        ],
        &[&["16430", "16400"]],
        &[&["16420", "16400", "2"]],
        &[&["pg_catalog", "lower", "i", "internal", "t"]],
        &[
            &["16500", "e", "0", "0", "enum_send", "0"],
            &["16501", "b", "16500", "0", "array_send", "0"],
        ],
        &[],
    ];
    let mut whole = BytesMut::new();
    for rows in answers {
        rows.iter()
            .for_each(|row| whole.extend_from_slice(&say::row(row)));
        whole.extend_from_slice(&write::ready(b'T'));
    }
    let refused = joined(&[
        write::ready(b'T'),
        say::error(),
        write::ready(b'E'),
        write::ready(b'I'),
    ]);
    vec![whole.to_vec(), refused]
}

pub(crate) fn postgres_rows() -> Vec<Vec<u8>> {
    let mut seeds = owned([
        b"tik\nann@example.com|4111111111111111|7\nx\n||\n",
        b"sm\n078-05-1120|{ann@example.com,\"a,b\"}\n",
        b"jba\n{\"card\": [4111111111111111, null]}|{\"a\": {\"b\": \"078-05-1120\"}}|{4111111111111111,NULL}\n",
        b"dryo\n2001-02-03|(1,\"4111111111111111\")|\\x34313131|{1,2}\n",
        b"TIKNFU\n\0\0\0\0\0\0\0\x01|12345678\n",
        b"t\n#D\0\0\0\x0d\0\x01\0\0\0\x03abc",
        b"guxn\n[1,4111111111111111)|0e37df36-f698-11e6-8dd4-cb9ced3df976|x|4111111111111111\n",
    ]);
    seeds.extend(TEXTS.map(|text| [b"tt\n", text, b"|x"].concat()));
    seeds
}

pub(crate) fn postgres_copy() -> Vec<Vec<u8>> {
    let binary = |columns: &[&[u8]]| {
        let mut out = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        out.put_i16(columns.len() as i16);
        for column in columns {
            out.put_i32(column.len() as i32);
            out.put_slice(column);
        }
        out.put_i16(-1);
        out
    };
    let of = |which: u8, data: &[u8]| [&[5, which], data].concat();
    vec![
        of(0, b"1\tann\t078-05-1120\t2001-02-03\t{a@example.com}\t\\\\x00\n\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n"),
        of(1, b"id,name,ssn,born,mails,photo\n1,\"4111111111111111\",078-05-1120,,,\n"),
        of(2, &binary(&[b"12345678", b"ann", b"078-05-1120", b"1234", b"", b"x"])),
        of(3, b"1|078-05-1120\nx|x\n"),
        of(4, b"'ann ''x''',{a@example.com}\n"),
        of(5, &binary(&[b"1234", b"4111111111111111"])),
    ]
}

pub(crate) fn postgres_report() -> Vec<Vec<u8>> {
    let body = |message: &Bytes| message[5..].to_vec();
    let key = b"SERROR\0VERROR\0C23505\0Mduplicate key value violates unique constraint \"customers_ssn_key\"\0\
                DKey (ssn)=(078-05-1120) already exists.\0spublic\0tcustomers\0nssn\0\0";
    let seeds = vec![
        body(&say::error()),
        body(&say::of_server(4)),
        body(&say::of_server(21)),
        key.to_vec(),
    ];
    headed(&[0, 1], &seeds)
}
