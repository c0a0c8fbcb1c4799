mod asks;
mod assumed;
mod calls;
mod carries;
mod elsewhere;
mod fields;
mod hosts;
mod inside;
mod keys;
mod memory;
mod owners;
mod replies;
mod wider;

use std::collections::BTreeSet;

use model::{Identity, Proof, Timestamp};

use super::classify::{Call, Upstream, Wire, classify};
use super::table::TABLE;
use crate::http::Head;
use crate::http::sigv4::Scope;

/// A request: its first line, then header fields.
pub(super) fn head(text: &str) -> Head {
    let mut lines = text.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let fields = lines.map(|line| line.split_once(": ").unwrap());
    Head {
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        fields: fields.collect(),
    }
}

pub(super) fn scope(service: &str) -> Scope {
    Scope {
        day: "20260101".to_owned(),
        region: "eu-west-1".to_owned(),
        service: service.to_owned(),
    }
}

/// AWS, with the account that what is named by an ARN is of.
fn upstream() -> Upstream {
    Upstream {
        is_server: false,
        account: Some("111111111111".to_owned()),
    }
}

fn call(service: &str, text: &str, body: &[u8]) -> Call {
    classify(&head(text), &scope(service), Some(body), &upstream())
}

/// A call of an operation of which nothing else counts.
pub(super) fn call_of(service: &str, operation: &str, wire: Wire) -> Call {
    let mut services = TABLE.services().iter();
    let service = services.find(|it| it.name == service).unwrap();
    Call {
        wire,
        service: Some(service),
        operation: service.operation(operation),
        prefix: service.prefix.to_owned(),
        region: "us-east-1".to_owned(),
        things: Vec::new(),
        parameters: Vec::new(),
        tags: Vec::new(),
        unseen: false,
        beside: Vec::new(),
        touched: Default::default(),
        elsewhere: Vec::new(),
    }
}

/// A human by name.
pub(super) fn somebody(human: &str) -> Identity {
    Identity {
        human: human.to_owned(),
        agent: None,
        groups: BTreeSet::new(),
        proof: Proof {
            issuer: "https://issuer".to_owned(),
            subject: human.to_owned(),
            token_id: None,
            key_id: None,
            expires: Timestamp::default(),
        },
    }
}
