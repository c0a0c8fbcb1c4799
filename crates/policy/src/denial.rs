//! Refusals in words that the client may see: what, by which policy, and what to do next.

use model::{Ask, Denial, DenialCode, Identity};

use crate::TargetRef;
use crate::decide::ASKS_MAX;
use crate::entity::Unfit;
use crate::rule::Rule;

/// At most so many reasons stand in one message.
const REASONS_MAX: usize = 3;
/// What PostgreSQL's statements ask beside what they define.
const REDEFINE: &str = "redefine";
/// At most so many characters of a name stand in a message.
const NAME_CHARS_MAX: usize = 128;

/// The refusal of a target that is not there or not this identity's: the same words for both.
#[must_use]
pub fn unknown_target(name: &str) -> Denial {
    Denial::new(
        DenialCode::UnknownTarget,
        format!(
            "there is no target {} for you here: check its name, or ask whoever keeps this gateway's policies for access",
            shown(name)
        ),
    )
}

/// Plain forbids stand in the way.
pub(crate) fn forbidden(
    forbids: &[(&Rule, &Ask)],
    target: &TargetRef<'_>,
    policies: Vec<String>,
) -> Denial {
    let mut forbids = forbids.to_vec();
    // What a statement would change says more than what it would tell.
    forbids.sort_by_key(|(_, ask)| ask.action != REDEFINE);
    let mut by_rule: Vec<(&Rule, Vec<String>)> = Vec::new();
    for (rule, ask) in forbids {
        let what = what(ask, target);
        match by_rule.iter_mut().find(|(known, _)| known.id == rule.id) {
            Some((_, whats)) if whats.contains(&what) => {}
            Some((_, whats)) => whats.push(what),
            None => by_rule.push((rule, vec![what])),
        }
    }
    let reason = |(rule, whats): &(&Rule, Vec<String>)| {
        let advice = rule.advice.as_deref();
        let advice = advice.map_or(String::new(), |advice| format!(": {advice}"));
        format!("policy {} forbids {}{advice}", rule.id, listed(whats))
    };
    let mut reasons: Vec<String> = by_rule.iter().map(reason).collect();
    let more = reasons.len().saturating_sub(REASONS_MAX);
    reasons.truncate(REASONS_MAX);
    let mut message = reasons.join("; ");
    if more > 0 {
        message.push_str(&format!("; and {more} more"));
    }
    Denial {
        policies,
        ..Denial::new(DenialCode::Forbidden, message)
    }
}

/// Some of these, and how many more there are.
fn listed(whats: &[String]) -> String {
    let mut listed = whats.iter().take(REASONS_MAX).cloned().collect::<Vec<_>>();
    let more = whats.len().saturating_sub(REASONS_MAX);
    if more > 0 {
        listed.push(format!("{more} more"));
    }
    match listed.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => listed.concat(),
    }
}

/// No permit applies.
pub(crate) fn not_permitted(ask: &Ask, target: &TargetRef<'_>, identity: &Identity) -> Denial {
    Denial::new(
        DenialCode::Forbidden,
        format!(
            "no policy permits {} for {}: ask whoever keeps this gateway's policies for a permit",
            what(ask, target),
            shown(identity.name())
        ),
    )
}

/// A policy could not be evaluated, or the evaluation made no sense.
pub(crate) fn failed(policies: Vec<String>, what: &str) -> Denial {
    let subject = match policies.as_slice() {
        [] => format!("policy failed ({what})"),
        [one] => format!("policy {one} could not be evaluated"),
        many => format!("policies {} could not be evaluated", many.join(", ")),
    };
    let message =
        format!("{subject}, so nothing is allowed: tell whoever keeps this gateway's policies");
    Denial {
        policies,
        ..Denial::new(DenialCode::PolicyError, message)
    }
}

/// The question does not fit the schema: the protocol and its schema are out of step.
pub(crate) fn unfit(unfit: Unfit) -> Denial {
    let message = format!("{unfit}, so it is refused: tell whoever runs this gateway");
    Denial::new(DenialCode::PolicyError, message)
}

/// A command without asks: nothing was decided, so nothing is allowed.
pub(crate) fn nothing_asked() -> Denial {
    Denial::new(
        DenialCode::PolicyError,
        "this command puts no question to policy, so it is refused: tell whoever runs this gateway",
    )
}

/// More asks than one decision takes.
pub(crate) fn too_many(asks: usize) -> Denial {
    Denial::new(
        DenialCode::LimitExceeded,
        format!(
            "one command with {asks} effects is over the limit of {ASKS_MAX}: send it in parts"
        ),
    )
}

fn what(ask: &Ask, target: &TargetRef<'_>) -> String {
    if ask.resource.kind == "Target" {
        format!("{} on {}", ask.action, shown(target.name))
    } else {
        format!("{} on {}", ask.action, shown(&ask.resource.name))
    }
}

/// A name from outside: its control characters escaped, and not too much of it.
fn shown(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.chars().enumerate() {
        if at == NAME_CHARS_MAX {
            out.push('…');
            break;
        }
        if c.is_control()
            || ('\u{200B}'..='\u{200F}').contains(&c)
            || ('\u{202A}'..='\u{202E}').contains(&c)
            || ('\u{2060}'..='\u{2069}').contains(&c)
        {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
