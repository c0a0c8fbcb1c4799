//! What the upstream says of statements that compute with protected values without being asked to.

use super::gateway::Gateway;
use super::learned::ran;
use super::say::{self, query};
use crate::postgres::wire::{server, write};

/// Whether the client is told the upstream's own words where it fails.
fn told(gateway: &mut Gateway, text: &str) -> bool {
    gateway.take_client();
    gateway.client(&query(text)).unwrap();
    gateway.permit_all();
    let answer = [say::error("22008"), write::ready(b'I')];
    gateway.upstream(&say::join(&answer)).unwrap();
    let bytes = gateway.to_client.split();
    let frames = say::frames(&bytes);
    let error = frames.iter().find(|it| it.kind == server::ERROR).unwrap();
    error
        .body
        .windows(15)
        .any(|words| words == b"of the upstream")
}

#[test]
fn what_writes_to_a_protected_table_evaluates_its_expressions() {
    for (text, tells) in [
        ("insert into customers values (1)", false),
        ("update customers set id = 1", false),
        ("delete from customers", false),
        ("analyze customers", false),
        ("vacuum customers", false),
        ("alter table customers add check (true)", false),
        ("create index on customers (id)", false),
        ("select * from tails", false),
        ("select n from t, tails_over", false),
        ("select ssn from customers", true),
        ("select * from plain", true),
        ("insert into t values (1)", true),
        ("analyze t", true),
    ] {
        assert_eq!(told(&mut Gateway::live(), text), tells, "{text}");
    }
}

#[test]
fn what_a_transaction_put_off_is_computed_when_it_ends() {
    for (text, tag, tells) in [
        (
            "declare c cursor with hold for select id from customers where ssn > 'x'",
            "DECLARE CURSOR",
            false,
        ),
        ("insert into customers values (1)", "INSERT 0 1", false),
        (
            "declare c cursor with hold for select id from customers",
            "DECLARE CURSOR",
            true,
        ),
    ] {
        for end in ["commit", "end", "prepare transaction 'x'"] {
            let mut gateway = Gateway::live();
            ran(&mut gateway, "begin", "BEGIN", b'T');
            ran(&mut gateway, text, tag, b'T');
            assert_eq!(told(&mut gateway, end), tells, "{text}; {end}");
            // It has ended.
            assert!(told(&mut gateway, "commit"));
        }
    }
}
