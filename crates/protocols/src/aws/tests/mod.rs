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

use super::classify::{Call, Upstream, classify};
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
