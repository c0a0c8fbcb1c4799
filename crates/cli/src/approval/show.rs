//! An approval, for the person who decides it.

use model::{Gate, Timestamp, Verdict};

use super::canonical::Given as Parameter;
use super::{Approval, Verified, said};
use crate::output::Paint;
use crate::render::escape;
use crate::when;

/// PostgreSQL's types whose binary form is an integer, with its length in bytes.
const INTEGERS: [(u32, usize); 3] = [(21, 2), (23, 4), (20, 8)];
/// PostgreSQL's types whose binary form is the text itself.
const TEXTS: [u32; 4] = [25, 1042, 1043, 19];

/// One line of a list: id, status, requester, target, command, who may decide, until when.
pub(crate) fn row(approval: &Approval, now: Timestamp) -> Vec<String> {
    let request = &approval.request;
    vec![
        request.id.clone(),
        approval.status.clone(),
        requester(approval),
        request.target.clone(),
        escape::line(&approval.exact.text, 60),
        gates(&request.gates),
        when::between(now, request.expires),
    ]
}

/// Everything that a person needs to decide, of a command whose bytes were verified. Nothing in it steers the terminal.
pub(crate) fn show(
    approval: &Approval,
    verified: &Verified,
    now: Timestamp,
    paint: Paint,
) -> String {
    let field = |(name, value): (&str, String)| {
        let value = escape::exact(&value).replace('\n', "⟦U+000A⟧");
        format!("{} {value}", paint.dim(&format!("{name:<10}")))
    };
    let mut out: Vec<String> = fields(approval, now).into_iter().map(field).collect();
    out.push(String::new());
    out.extend(command(approval, verified, paint));
    out.join("\n")
}

fn fields(approval: &Approval, now: Timestamp) -> Vec<(&'static str, String)> {
    let request = &approval.request;
    let (asked, expires) = (request.requested, request.expires);
    let mut fields = vec![
        ("approval", format!("{} ({})", request.id, approval.status)),
        (
            "asked by",
            format!("{}, session {}", requester(approval), request.session),
        ),
        ("target", request.target.clone()),
        (
            "asked",
            format!(
                "{} UTC, {} ago",
                when::short(asked),
                when::between(asked, now)
            ),
        ),
        (
            "expires",
            format!(
                "{} UTC, in {}",
                when::short(expires),
                when::between(now, expires)
            ),
        ),
    ];
    for gate in &request.gates {
        let needs = format!(
            "{} of {} (policy {})",
            people(gate.quorum),
            gate.group,
            gate.policy
        );
        fields.push(("needs", needs));
    }
    for given in &approval.given {
        let verdict = match given.verdict {
            Verdict::Approve => "approved",
            Verdict::Deny => "denied",
        };
        let why = if given.reason.is_empty() {
            String::new()
        } else {
            format!(": {}", given.reason)
        };
        fields.push((
            verdict,
            format!("{} UTC by {}{why}", when::short(given.at), given.approver),
        ));
    }
    fields.extend(
        approval
            .exact
            .effects
            .iter()
            .map(|effect| ("effect", effect.clone())),
    );
    fields.push(("digest", request.command.to_string()));
    fields
}

/// Text and parameters, from the bytes themselves.
fn command(approval: &Approval, verified: &Verified, paint: Paint) -> Vec<String> {
    let command = &verified.command;
    let text = said(&command.text);
    let gutter = paint.dim("│");
    let tag = escape::line(&approval.request.tag, 40);
    let mut out = vec![paint.bold(&format!("{tag} that would run, exactly:"))];
    out.extend(
        text.split('\n')
            .map(|line| format!("{gutter} {}", escape::exact(line))),
    );
    let is_aws = command.protocol == b"aws";
    for (index, parameter) in command.parameters.iter().enumerate() {
        if is_aws {
            out.extend(body(parameter).iter().map(|it| format!("{gutter} {it}")));
            continue;
        }
        let (value, kind) = value(parameter);
        let value = value.replace('\n', "⟦U+000A⟧");
        out.push(format!(
            "{gutter} ${} = {value} {}",
            index + 1,
            paint.dim(&kind)
        ));
    }
    let values = command
        .parameters
        .iter()
        .filter_map(|parameter| parameter.value.as_deref());
    if !text.is_ascii() || values.map(said).any(|value| !value.is_ascii()) {
        let look = "It holds characters beyond ASCII, which can look like others: read it closely.";
        out.push(paint.yellow(look));
    }
    out
}

/// The body of a request to AWS: itself, or its digest where it is long.
fn body(parameter: &Parameter) -> Vec<String> {
    let said = said(parameter.value.as_deref().unwrap_or_default());
    match parameter.kind {
        0 => {
            let lines = said
                .split('\n')
                .map(|line| format!("  {}", escape::exact(line)));
            std::iter::once("body:".to_owned()).chain(lines).collect()
        }
        1 => vec![format!(
            "body: SHA-256 {}, too long to be shown here",
            escape::exact(&said)
        )],
        _ => vec!["body: not known before it is sent".to_owned()],
    }
}

/// A parameter's value for people, and what it is.
fn value(parameter: &Parameter) -> (String, String) {
    let kind = format!("(type {})", parameter.kind);
    let Some(bytes) = &parameter.value else {
        return ("NULL".to_owned(), kind);
    };
    if parameter.format == 0 || TEXTS.contains(&parameter.kind) {
        return (format!("'{}'", escape::exact(&said(bytes))), kind);
    }
    let kind = format!("(type {}, binary)", parameter.kind);
    let hex = format!("\\x{}", hex::encode(bytes));
    match integer(parameter.kind, bytes) {
        Some(number) => (format!("{number} = {hex}"), kind),
        None => (hex, kind),
    }
}

fn integer(kind: u32, bytes: &[u8]) -> Option<i64> {
    let (_, length) = INTEGERS.iter().find(|(of, _)| *of == kind)?;
    if bytes.len() != *length {
        return None;
    }
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let fill = if negative { -1 } else { 0 };
    Some(
        bytes
            .iter()
            .fold(fill, |number, byte| (number << 8) | i64::from(*byte)),
    )
}

fn requester(approval: &Approval) -> String {
    let request = &approval.request;
    match &request.agent {
        Some(agent) => format!("{agent} for {}", request.human),
        None => request.human.clone(),
    }
}

/// The groups that may decide: `oncall, 2 of audit`.
fn gates(gates: &[Gate]) -> String {
    let one = |gate: &Gate| match gate.quorum {
        1 => gate.group.clone(),
        quorum => format!("{quorum} of {}", gate.group),
    };
    gates.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn people(count: u32) -> String {
    match count {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{approval, command};
    use super::*;

    fn shown(text: &'static str) -> String {
        let approval = approval(&command(text));
        show(
            &approval,
            &approval.verify().unwrap(),
            Timestamp::from_secs(1_700_000_060),
            Paint::NONE,
        )
    }

    #[test]
    fn everything_that_matters_is_there() {
        let shown = shown("UPDATE cards\nSET pan = $2");
        for part in [
            "approval   cs-00000001 (pending)",
            "asked by   claude-code for alice, session s-1",
            "target     bank",
            "1m 00s ago",
            "in 59m 00s",
            "needs      2 people of oncall (policy writes)",
            "effect     update public.cards",
            "│ UPDATE cards\n│ SET pan = $2\n",
            "│ $1 = 42 = \\x0000002a (type 23, binary)",
            "│ $2 = 'x' (type 25)",
            "│ $3 = NULL (type 25)",
        ] {
            assert!(shown.contains(part), "{part} is not in\n{shown}");
        }
        assert!(!shown.contains("beyond ASCII"), "{shown}");
    }

    #[test]
    fn a_statement_cannot_hide_anything() {
        let shown = shown("SELECT 1 -- \x1b[2K\rDROP\u{202e}\u{200b} TABLE cards\x08\u{9b}1A");
        assert!(
            !shown.chars().any(|c| c.is_control() && c != '\n'),
            "{shown:?}"
        );
        assert!(
            shown.contains("│ SELECT 1 -- ⟦U+001B⟧[2K⟦U+000D⟧DROP⟦U+202E⟧⟦U+200B⟧ TABLE cards⟦U+0008⟧⟦U+009B⟧1A"),
            "{shown}"
        );
        assert!(shown.contains("beyond ASCII"));
    }

    #[test]
    fn a_body_is_shown_or_told_by_its_digest() {
        let of = |kind, value: &[u8]| {
            body(&Parameter {
                kind,
                format: 0,
                value: Some(value.to_vec()),
            })
        };
        let shown = of(0, b"id,pan\n1,\x1b[2K");
        assert_eq!(shown, ["body:", "  id,pan", "  1,⟦U+001B⟧[2K"]);
        let told = of(1, b"c97080");
        assert_eq!(told, ["body: SHA-256 c97080, too long to be shown here"]);
    }

    #[test]
    fn binary_integers_are_read() {
        for (kind, bytes, expect) in [
            (21, vec![0xff, 0xfe], Some(-2)),
            (23, vec![0, 0, 1, 0], Some(256)),
            (20, vec![0xff; 8], Some(-1)),
            (20, i64::MIN.to_be_bytes().to_vec(), Some(i64::MIN)),
            (23, vec![1], None),
            (700, vec![0, 0, 0, 0], None),
        ] {
            assert_eq!(integer(kind, &bytes), expect);
        }
    }
}
