//! Where smoke tests begin: for each target, inputs that get far into it. A target that checks signatures has seeds that were
//! signed with the key it knows.

mod ledger;
mod model;
mod postgres;

pub(crate) use ledger::*;
pub(crate) use model::*;
pub(crate) use postgres::*;

use protocols::http::coding::{Encoder, Format};

use crate::{evidence, session};

const TEXT: &[u8] = b"a line of text, 4111 1111 1111 1111\n";

/// Owned copies.
fn owned<const N: usize>(seeds: [&[u8]; N]) -> Vec<Vec<u8>> {
    seeds.map(<[u8]>::to_vec).into()
}

/// Each seed behind a byte that chooses how it is cut.
fn headed(heads: &[u8], seeds: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let one = |head: u8, seed: &Vec<u8>| [&[head][..], seed].concat();
    let all = heads
        .iter()
        .flat_map(|head| seeds.iter().map(move |seed| one(*head, seed)));
    all.collect()
}

pub(crate) fn coding() -> Vec<Vec<u8>> {
    let packed = |format| {
        let mut encoder = Encoder::new(format).unwrap();
        let mut out = Vec::new();
        encoder.push(&TEXT.repeat(40), &mut out).unwrap();
        encoder.finish(&mut out).unwrap();
        vec![out.clone(), out.repeat(2)]
    };
    let gzip = headed(&[0, 14, 254], &packed(Format::Gzip));
    [gzip, headed(&[1, 15, 255], &packed(Format::Zstd))].concat()
}

pub(crate) fn config() -> Vec<Vec<u8>> {
    owned([
        include_bytes!("../../examples/countersign.toml"),
        b"[ledger]\ndurability = { interval = \"10ms\" }\n[ledger.nothing]\n",
    ])
}

pub(crate) fn evidence_sshsig() -> Vec<Vec<u8>> {
    let chosen = format!("{}\n{}", evidence::KEY.trim(), evidence::SIGNATURE);
    owned([evidence::SIGNATURE.as_bytes(), chosen.as_bytes()])
}

/// Text with something to find, with something that only looks like it, and with neither.
const TEXTS: [&[u8]; 6] = [
    b"card 4111 1111 1111 1111, ssn 078-05-1120, mail ann.lee@example.com.",
    b"IBAN GB82 WEST 1234 5698 7654 32 routing 021000021 or 4111111111111112",
    b"nothing at all",
    b"5500005555555559,4111-1111-1111-1111;DE89370400440532013000",
    "Grüße an ännä@exämple.com und 4111111111111111€".as_bytes(),
    b"4111111111111111411111111111111141111111111111114111111111111111",
];

pub(crate) fn mask_text() -> Vec<Vec<u8>> {
    headed(&[0x3f, 1, 0x41], &owned(TEXTS))
}

pub(crate) fn mask_copy() -> Vec<Vec<u8>> {
    let shaped = |shape: u8, data: &[u8]| [&[7, shape], data].concat();
    vec![
        // The end mark, which cuts may part.
        shaped(0x61, b"c0,c1\n1,2\n\\.\n"),
        shaped(0x03, b"1\t2\n\\.\n"),
        shaped(0x05, b"1\t2\n\\.\n"),
        shaped(
            0x01,
            b"4111111111111111\t\\N\nann\\t@example.com\t078-05-1120\n\\.\n",
        ),
        shaped(0x81, b"4111111111111111|x\ny\\|z|078-05-1120\n"),
        shaped(
            0x61,
            b"c0,c1\n\"4111,111\",\"a\"\"b\"\n4111111111111111,\"ann@example.com\"\n",
        ),
        shaped(0xa1, b"\"4111 1111\\\" 1111 1111\",\n,078-05-1120\r\n"),
    ]
}

/// A script is readable: a letter for what happens, a digit for how (`session/script.rs`).
pub(crate) fn postgres_session() -> Vec<Vec<u8>> {
    let text = |wanted: &str| {
        let place = session::TEXTS.iter().position(|text| *text == wanted);
        place.map_or('0', |place| char::from(b'0' + place as u8))
    };
    let (select, ssn) = (
        text("select words from t"),
        text("select ssn from customers"),
    );
    let (begin, fails) = (text("begin"), text("select 1/0"));
    let (take, give) = (text("copy t from stdin"), text("copy t to stdout"));
    [
        format!("1q{select}P0a0q{ssn}P0a0q{fails}P0a0q{select}Ra0"),
        format!("1k3q{begin}P0a0q{take}P0a0g0g1g2a0q{give}P0a0x0"),
        format!("1p0{select}b000d1e0sP0a0p1{ssn}d2b110e1s0P0P0P0a0"),
        format!("1p0{select}b000e0p0{fails}b000e0p0{select}b000e0sP0P0P0a0"),
        format!("1q{select}HP0a0q{select}HKq{ssn}P1a0q{select}P2a0q{select}P4a0"),
        format!("1jp1{select}b110e4e4sjP0P0a0c2sP0a0q{begin}P0a2U"),
        format!("0z0z5P0P0o4q{select}P0a0C"),
        "0z3z1z5P0P1".to_owned(),
    ]
    .map(String::into_bytes)
    .into()
}

pub(crate) fn sql_parse() -> Vec<Vec<u8>> {
    let more: [&[u8]; 8] = [
        b"SELECT c.*, row_to_json(c) FROM public.customers c WHERE ssn LIKE '078%' ORDER BY born",
        b"WITH w AS (DELETE FROM t RETURNING *) INSERT INTO public.customers SELECT * FROM w ON CONFLICT DO NOTHING",
        b"SELECT upper(ssn) || name, (SELECT max(mails[1]) FROM public.v) FROM public.w JOIN t USING (id)",
        b"MERGE INTO t USING public.customers c ON t.id = c.id WHEN MATCHED THEN UPDATE SET name = c.ssn",
        b"COPY (SELECT ssn FROM public.customers) TO STDOUT (FORMAT csv); EXPLAIN ANALYZE UPDATE t SET id = 1",
        b"SELECT * FROM (VALUES (1, 'x')) v (a, b) UNION ALL SELECT id, ssn FROM customers -- '\n/* /* */ */",
        b"CREATE VIEW x AS SELECT ssn FROM public.customers; DO $x$ BEGIN END $x$; CALL p(1)",
        b"SELECT ((((((((((1 + 2))))))))))::text COLLATE \"C\", E'\\x41', U&'\\0041', $$a$$, $1",
    ];
    let all = more.map(<[u8]>::to_vec).into_iter();
    all.chain(session::TEXTS.iter().map(|text| text.as_bytes().to_vec()))
        .collect()
}

#[cfg(test)]
mod tests;
