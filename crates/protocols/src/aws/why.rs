//! Why a request is opaque, for whoever sent it and whoever decides. Nothing is decided by this.

use super::body;
use super::classify::{Call, Shape, has_dots, shape};
use super::command::is_signature;
use super::fields::unknown;
use crate::http::{Head, escape};

/// Why a request is opaque.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The query cannot be read.
    #[error("its query is not escaped as it should be")]
    Escapes,
    /// It is longer than policies see.
    #[error("it says more than policies can see that look at parameters or tags")]
    Unseen,
    /// Two ways to tell an operation.
    #[error("it says in more than one way what it asks")]
    Ambiguous,
    /// A parameter twice.
    #[error("the parameter {0} stands twice in its query")]
    Twice(String),
    /// A field that is not in the service's model.
    #[error("the service knows no field {0}")]
    Field(String),
    /// A byte order mark.
    #[error("its body begins with a mark of the encoding")]
    Mark,
    /// JSON that others may read otherwise.
    #[error("its body is not JSON, or a member stands twice in it")]
    Json,
    /// A path that some would resolve.
    #[error("its path has a segment . or .., which some would resolve")]
    Dots,
    /// A form without an operation.
    #[error("it has no Action")]
    NoAction,
    /// A form with two.
    #[error("it has more than one Action")]
    Actions,
    /// A form of an operation that is not known.
    #[error(
        "no operation of the service has its Action and Version, or its parameters can be read in two ways"
    )]
    Form,
    /// A call of an operation that is not known.
    #[error("the service has no such operation, or its parameters can be read in two ways")]
    Operation,
    /// A path that is not known.
    #[error("no operation of the service has its method, path, query and fields")]
    Path,
}

impl Reason {
    /// It in a word, which says nothing of the request's own: for entries of the ledger.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Escapes => "bad-escapes",
            Self::Unseen => "too-long-to-see",
            Self::Ambiguous => "ambiguous",
            Self::Twice(_) => "parameter-twice",
            Self::Field(_) => "unknown-field",
            Self::Mark => "byte-order-mark",
            Self::Json => "unreadable-json",
            Self::Dots => "dots-in-path",
            Self::NoAction => "no-action",
            Self::Actions => "two-actions",
            Self::Form | Self::Operation => "unknown-operation",
            Self::Path => "unknown-path",
        }
    }
}

/// The likeliest reason why `call` has no operation. `body` is the request's, where it was read.
#[must_use]
pub fn opaque(call: &Call, head: &Head, body: Option<&[u8]>) -> Reason {
    let of_body = || {
        let body = body.filter(|it| !it.is_empty())?;
        let text = std::str::from_utf8(body).is_ok();
        let begins = |mark: &[u8]| body.starts_with(mark);
        match body.trim_ascii_start() {
            _ if !text => None,
            _ if begins(b"\xEF\xBB\xBF") => Some(Reason::Mark),
            [b'{', ..] if body::json(body).is_none() => Some(Reason::Json),
            _ => None,
        }
    };
    let Ok(query) = escape::pairs(head.query.as_deref().unwrap_or_default()) else {
        return Reason::Escapes;
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
        return Reason::Unseen;
    }
    if matches!(shape, Shape::Odd) {
        return Reason::Ambiguous;
    }
    if let Some((_, (name, _))) = twice {
        return Reason::Twice(name.clone());
    }
    if let Some(field) = unknown(&head.fields, call) {
        return Reason::Field(field.to_owned());
    }
    if let Some(why) = of_body() {
        return why;
    }
    if has_dots(&head.path) {
        return Reason::Dots;
    }
    match shape {
        Shape::Form => {
            let form = body.and_then(|it| std::str::from_utf8(it).ok());
            let form = escape::pairs(form.unwrap_or_default()).unwrap_or_default();
            let all = query.iter().chain(&form);
            match all.filter(|(name, _)| name == "Action").count() {
                0 => Reason::NoAction,
                1 => Reason::Form,
                _ => Reason::Actions,
            }
        }
        Shape::Target(_) | Shape::Cbor => Reason::Operation,
        _ => Reason::Path,
    }
}
