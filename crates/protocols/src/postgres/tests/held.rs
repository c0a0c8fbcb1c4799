//! What a session holds of its statements.

use std::sync::Arc;

use bytes::Bytes;

use super::gateway::Gateway;
use super::say::{self, bind, close, complete, parse, query, sync};
use crate::postgres::settings::Limits;
use crate::postgres::wire::{server, write};

/// A statement with so many bytes in a comment.
fn long(bytes: usize) -> String {
    format!("select words from t -- {}", "x".repeat(bytes))
}

fn parsed() -> Vec<Bytes> {
    vec![write::bare(server::PARSE_COMPLETE), write::ready(b'I')]
}

#[test]
fn binds_share_what_is_known_of_a_long_statement() {
    let mut gateway = Gateway::live();
    gateway
        .client(&say::join(&[parse("s", &long(100 << 10)), sync()]))
        .unwrap();
    gateway.permit_all();
    gateway.upstream(&say::join(&parsed())).unwrap();
    let mut asked = Vec::new();
    for portal in ["a", "b"] {
        gateway.client(&bind(portal, "s")).unwrap();
        asked.push(gateway.permit());
    }
    assert!(Arc::ptr_eq(&asked[0].asks, &asked[1].asks));
    assert_eq!(asked[0].text.as_ptr(), asked[1].text.as_ptr());
}

#[test]
fn a_session_holds_so_much_text_of_statements() {
    let limit = usize::try_from(Limits::default().statement_bytes_max).unwrap();
    let each = 1 << 20;
    let mut gateway = Gateway::live();
    let mut made = 0;
    while made <= limit / each {
        let message = [parse(&format!("s{made}"), &long(each)), sync()];
        gateway.client(&say::join(&message)).unwrap();
        gateway.permit_all();
        if !gateway
            .take_upstream()
            .iter()
            .any(|sent| sent.starts_with('P'))
        {
            break;
        }
        gateway.upstream(&say::join(&parsed())).unwrap();
        gateway.take_client();
        made += 1;
    }
    assert_eq!(made, limit / each - 1, "the last one would be over");
    assert_eq!(gateway.take_client()[0], "E 54000");
    gateway.upstream(&write::ready(b'I')).unwrap();
    // SQL keeps in the same place.
    let prepare = format!("prepare q as {}", long(each));
    gateway.client(&query(&prepare)).unwrap();
    assert!(gateway.open.is_empty());
    // Closing one makes room.
    gateway
        .client(&say::join(&[close('S', "s0"), sync()]))
        .unwrap();
    let closed = [write::bare(server::CLOSE_COMPLETE), write::ready(b'I')];
    gateway.upstream(&say::join(&closed)).unwrap();
    gateway.client(&query(&prepare)).unwrap();
    gateway.permit();
    let done = [complete("PREPARE"), write::ready(b'I')];
    gateway.upstream(&say::join(&done)).unwrap();
    gateway.client(&query(&prepare)).unwrap();
    assert!(gateway.open.is_empty());
}
