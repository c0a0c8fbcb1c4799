//! Noise at every state: no panic, and nothing after the end.

use bytes::Bytes;
use proptest::prelude::*;

use super::gateway::Gateway;
use super::say::{self, bind, close, copy_data, describe, execute, flush, parse, query, sync};
use crate::postgres::fuzzing;
use crate::postgres::wire::{client, server, write};

fn operation() -> impl Strategy<Value = Vec<u8>> {
    let from_client = prop_oneof![
        Just(query("select n from t")),
        Just(query("begin")),
        Just(query("copy t from stdin")),
        Just(query("create table x ()")),
        Just(parse("", "select $1")),
        Just(parse("a", "copy t to stdout")),
        Just(bind("", "")),
        Just(bind("p", "a")),
        Just(describe('S', "a")),
        Just(describe('P', "")),
        Just(execute("", 1)),
        Just(close('P', "p")),
        Just(flush()),
        Just(sync()),
        Just(copy_data("1\n")),
        Just(write::bare(client::COPY_DONE)),
        Just(write::bare(client::TERMINATE)),
    ];
    let from_upstream = prop_oneof![
        Just(write::ready(b'I')),
        Just(write::ready(b'T')),
        Just(write::ready(b'E')),
        Just(say::error("42601")),
        Just(say::columns(&[("n", 501, 1, 23)])),
        Just(say::row(&["1"])),
        Just(say::complete("SELECT 1")),
        Just(say::copy_begin(server::COPY_IN)),
        Just(say::copy_begin(server::COPY_OUT)),
        Just(copy_data("1\n")),
        Just(write::bare(server::COPY_DONE)),
        Just(write::bare(server::PARSE_COMPLETE)),
        Just(write::bare(server::BIND_COMPLETE)),
        Just(write::bare(server::CLOSE_COMPLETE)),
        Just(write::bare(server::NO_DATA)),
        Just(write::bare(server::EMPTY_QUERY)),
        Just(write::bare(server::PORTAL_SUSPENDED)),
    ];
    let piece = |operation: u8, bytes: Bytes| {
        [&[operation, u8::try_from(bytes.len()).unwrap()][..], &bytes].concat()
    };
    prop_oneof![
        8 => from_client.prop_map(move |bytes| piece(0, bytes)),
        8 => from_upstream.prop_map(move |bytes| piece(6, bytes)),
        8 => Just(vec![10]),
        1 => (11..16_u8).prop_map(|operation| vec![operation]),
        1 => proptest::collection::vec(any::<u8>(), 1..12),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn sound_messages_in_any_order_do_no_harm(operations in proptest::collection::vec(operation(), 1..60)) {
        let gateway = Gateway::live();
        fuzzing::run(&operations.concat(), true, &mut || gateway.permission());
    }

    #[test]
    fn noise_does_no_harm(data in proptest::collection::vec(any::<u8>(), 0..300), logged_in in any::<bool>()) {
        let gateway = Gateway::live();
        fuzzing::run(&data, logged_in, &mut || gateway.permission());
    }
}

/// A conversation in which the upstream answers what it should, up to a point; then one byte of it is wrong.
#[test]
fn a_wrong_byte_of_the_upstream_never_shows_more() {
    let answer = say::join(&[
        say::columns(&[("ssn", 500, 2, 25)]),
        say::row(&["536-90-4399"]),
        say::complete("SELECT 1"),
        write::ready(b'I'),
    ]);
    for at in 0..answer.len() {
        for flip in [1, 0x80] {
            let mut wrong = answer.to_vec();
            wrong[at] ^= flip;
            let mut gateway = Gateway::live();
            gateway.client(&query("select ssn from customers")).unwrap();
            gateway.permit();
            let _ = gateway.upstream(&wrong);
            let shown = gateway
                .to_client
                .windows(11)
                .any(|part| part == b"536-90-4399");
            assert!(!shown, "byte {at} wrong by {flip}");
        }
    }
}
