//! Why a request is opaque, for whoever sent it and whoever decides. Nothing is decided by this.

use super::body;
use super::classify::{Call, Shape, has_dots, shape};
use super::command::is_signature;
use super::fields::unknown;
use crate::http::{Head, escape};

/// The likeliest reason why `call` has no operation. `body` is the request's, where it was read.
#[must_use]
pub fn opaque(call: &Call, head: &Head, body: Option<&[u8]>) -> String {
    let of_body = || {
        let body = body.filter(|it| !it.is_empty())?;
        let text = std::str::from_utf8(body).is_ok();
        let begins = |mark: &[u8]| body.starts_with(mark);
        match body.trim_ascii_start() {
            _ if !text => None,
            _ if begins(b"\xEF\xBB\xBF") => Some("its body begins with a mark of the encoding"),
            [b'{', ..] if body::json(body).is_none() => {
                Some("its body is not JSON, or a member stands twice in it")
            }
            _ => None,
        }
    };
    let Ok(query) = escape::pairs(head.query.as_deref().unwrap_or_default()) else {
        return "its query is not escaped as it should be".to_owned();
    };
    let query: Vec<_> = query
        .into_iter()
        .filter(|(name, _)| !is_signature(name))
        .collect();
    let twice = query
        .iter()
        .enumerate()
        .find(|(place, (name, _))| query.iter().skip(place + 1).any(|(it, _)| it == name));
    let shape = shape(head, &query);
    if call.unseen {
        return "it says more than policies can see that look at parameters or tags".to_owned();
    }
    if matches!(shape, Shape::Odd) {
        return "it says in more than one way what it asks".to_owned();
    }
    if let Some((_, (name, _))) = twice {
        return format!("the parameter {name} stands twice in its query");
    }
    if let Some(field) = unknown(&head.fields, call) {
        return format!("the service knows no field {field}");
    }
    if let Some(why) = of_body() {
        return why.to_owned();
    }
    if has_dots(&head.path) {
        return "its path has a segment . or .., which some would resolve".to_owned();
    }
    let what = match shape {
        Shape::Form => {
            let form = body.and_then(|it| std::str::from_utf8(it).ok());
            let form = escape::pairs(form.unwrap_or_default()).unwrap_or_default();
            let all = query.iter().chain(&form);
            match all.filter(|(name, _)| name == "Action").count() {
                0 => "it has no Action",
                1 => {
                    "no operation of the service has its Action and Version, or its parameters can be read in two ways"
                }
                _ => "it has more than one Action",
            }
        }
        Shape::Target(_) | Shape::Cbor => {
            "the service has no such operation, or its parameters can be read in two ways"
        }
        _ => "no operation of the service has its method, path, query and fields",
    };
    what.to_owned()
}
