//! Whatever a client sends, in whatever pieces, is answered as the upstream would answer it, in the same order.

use bytes::Bytes;
use proptest::prelude::*;

use super::fake::Fake;
use super::gateway::Gateway;
use super::say::{self, bind, close, describe, execute, flush, parse, query, sync};

/// Carries bytes between a client, the gateway and the server until nothing moves. `decide` says what becomes of each
/// command.
fn carry(
    gateway: &mut Gateway,
    server: &mut Fake,
    decide: &mut dyn FnMut(&model::Command) -> bool,
) {
    loop {
        if let Some(command) = gateway.open.front() {
            if decide(command) {
                gateway.permit();
            } else {
                gateway.refuse();
            }
            continue;
        }
        if gateway.to_upstream.is_empty() {
            return;
        }
        let sent = gateway.to_upstream.split();
        let said = server.receive(&sent);
        if !said.is_empty() {
            gateway.upstream(&said).unwrap();
        }
    }
}

fn through(
    pieces: &[Bytes],
    decide: &mut dyn FnMut(&model::Command) -> bool,
) -> (Vec<String>, Fake) {
    let (mut gateway, mut server) = (Gateway::plain(), Fake::new());
    for piece in pieces {
        gateway.client(piece).unwrap();
        carry(&mut gateway, &mut server, decide);
    }
    (gateway.take_client(), server)
}

fn directly(pieces: &[Bytes]) -> Vec<String> {
    let mut server = Fake::new();
    let said: Vec<Bytes> = pieces.iter().map(|piece| server.receive(piece)).collect();
    say::told(&said.concat())
}

const TEXTS: [&str; 10] = [
    "select 'one'",
    "select 'three'",
    "select 1/0",
    "insert into t values (1)",
    "begin",
    "commit",
    "rollback",
    "create table x ()",
    "do $$ begin end $$",
    "",
];

/// The server keeps 63 bytes of a name, so that the last two are one.
const NAMES: [&str; 6] = [
    "",
    "",
    "a",
    "b",
    "long_name_long_name_long_name_long_name_long_name_long_name_xxx1",
    "long_name_long_name_long_name_long_name_long_name_long_name_xxx2",
];

fn message() -> impl Strategy<Value = Bytes> {
    let text = || proptest::sample::select(&TEXTS[..]);
    let name = || proptest::sample::select(&NAMES[..]);
    prop_oneof![
        2 => text().prop_map(query),
        5 => (name(), text()).prop_map(|(name, text)| parse(name, text)),
        6 => (name(), name()).prop_map(|(portal, statement)| bind(portal, statement)),
        6 => (name(), 0..3_i32).prop_map(|(portal, rows)| execute(portal, rows)),
        2 => (proptest::sample::select(&['S', 'P'][..]), name()).prop_map(|(kind, name)| describe(kind, name)),
        2 => (proptest::sample::select(&['S', 'P'][..]), name()).prop_map(|(kind, name)| close(kind, name)),
        1 => Just(flush()),
        6 => Just(sync()),
    ]
}

/// A conversation that ends with Sync, so that everything is answered.
fn conversation() -> impl Strategy<Value = Vec<Bytes>> {
    proptest::collection::vec(message(), 1..40).prop_map(|mut messages| {
        messages.push(sync());
        messages
    })
}

/// Both, up to where the gateway alone wants a portal bound again.
fn up_to_refusal<'a>(told: &'a [String], direct: &'a [String]) -> (&'a [String], &'a [String]) {
    let mut both = told.iter().zip(direct);
    match both.position(|(told, direct)| told != direct) {
        Some(at) if told[at] == "E 55000" => (&told[..at], &direct[..at]),
        _ => (told, direct),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn allowed_sessions_are_answered_as_without_the_gateway(messages in conversation()) {
        let (told, _) = through(&messages, &mut |_| true);
        let direct = directly(&messages);
        let (told, direct) = up_to_refusal(&told, &direct);
        prop_assert_eq!(told, direct);
    }

    #[test]
    fn pipelining_makes_no_difference(messages in conversation()) {
        let (told, _) = through(&[say::join(&messages)], &mut |_| true);
        let direct = directly(&messages);
        let (told, direct) = up_to_refusal(&told, &direct);
        prop_assert_eq!(told, direct);
    }

    #[test]
    fn refused_texts_never_reach_the_server(messages in conversation(), refused in proptest::sample::subsequence(&TEXTS[..], 1..4)) {
        let pieces = [say::join(&messages)];
        let is_refused = |text: &str| refused.contains(&text);
        let (told, server) = through(&pieces, &mut |command| !is_refused(std::str::from_utf8(&command.text).unwrap()));
        prop_assert!(server.texts.iter().all(|text| !is_refused(text)), "{:?}", server.texts);
        // One ReadyForQuery for each Sync and Query that was not skipped, and an end.
        let ready = |told: &[String]| told.iter().filter(|words| words.starts_with('Z')).count();
        prop_assert!(ready(&told) >= 1);
        prop_assert!(told.last().unwrap().starts_with('Z'));
    }
}

#[test]
fn every_split_of_a_conversation_gives_the_same_output() {
    let messages = [
        query("select 'three'"),
        parse("a", "select 'one'"),
        bind("", "a"),
        execute("", 0),
        sync(),
        parse("", "select 1/0"),
        bind("", ""),
        execute("", 0),
        bind("", "a"),
        sync(),
        query("begin"),
        bind("p", "a"),
        execute("p", 1),
        execute("p", 1),
        sync(),
        query("commit"),
    ];
    let whole = say::join(&messages);
    let expected = directly(&messages);
    assert!(expected.len() > 20);
    for at in 0..whole.len() {
        let (told, _) = through(&[whole.slice(..at), whole.slice(at..)], &mut |_| true);
        assert_eq!(told, expected, "split at {at}");
    }
    let bytes: Vec<Bytes> = whole
        .iter()
        .map(|byte| Bytes::copy_from_slice(&[*byte]))
        .collect();
    assert_eq!(through(&bytes, &mut |_| true).0, expected);
}
