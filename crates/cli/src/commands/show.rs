//! `countersign show`.

use clap::Args;
use gateway::api::{CommandView, SessionView};
use model::{DenialCode, MaskFact, Outcome, Status};

use super::block_on;
use crate::cli::Globals;
use crate::client::{encoded, query};
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::place::Place;
use crate::render::escape;
use crate::when;

/// Show a session: who, where, and each of its commands with its decision and outcome.
///
/// What was typed in a session is for those with a reason: it stands in the ledger that you looked, and why.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign show s-0199a2b3c4d-0badcafe --reason 'ticket 4711'
  countersign show s-0199a2b3c4d-0badcafe --reason 'ticket 4711' | jq '.commands[].tag'")]
pub(crate) struct Show {
    /// The session, as `countersign sessions` lists it.
    #[arg(value_name = "SESSION")]
    session: String,

    /// Why you look, for the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Show {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let client = Place::new(globals).client_or_operator()?;
        let path = query(
            &format!("/v1/sessions/{}", encoded(&self.session)),
            [("reason", self.reason)],
        );
        let view: SessionView = block_on(async { Ok(client.get(&path).await?) })?;
        if output.is_json() {
            return Ok(output.json(&view)?);
        }
        output.line(&head(&view, output.paint()))?;
        for of in &view.commands {
            output.line(&format!("\n{}", command(of, output.paint())))?;
        }
        if !view.masks.is_empty() {
            output.line(&format!("\n{}", beside(&view.masks, output.paint())))?;
        }
        Ok(())
    }
}

fn head(view: &SessionView, paint: Paint) -> String {
    let row = &view.row;
    let who = match &row.agent {
        Some(agent) => format!("{agent} for {}", row.human),
        None => row.human.clone(),
    };
    let ended = match (&row.closed, &row.reason) {
        (Some(closed), reason) => {
            format!(
                "{} UTC: {}",
                when::short(*closed),
                reason.as_deref().unwrap_or("no reason told")
            )
        }
        (None, _) => "it lasts, or the gateway ended before it could say".to_owned(),
    };
    let fields = [
        ("session", row.session.clone()),
        ("who", who),
        ("target", format!("{} ({})", row.target, row.protocol)),
        ("client", format!("{} from {}", row.client, row.source)),
        ("began", format!("{} UTC", when::short(row.opened))),
        ("ended", ended),
        (
            "commands",
            format!(
                "{} ran, {} refused, {} approved by people",
                row.permitted, row.refused, row.approvals
            ),
        ),
    ];
    let line = |(name, value): (&str, String)| {
        format!(
            "{} {}",
            paint.dim(&format!("{name:<9}")),
            escape::line(&value, 500)
        )
    };
    fields.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What was masked where no command was answered.
fn beside(masks: &[MaskFact], paint: Paint) -> String {
    let masks: Vec<String> = masks.iter().map(mask).collect();
    let masks = paint.cyan(&escape::line(&masks.join("; "), 500));
    format!("{}\n    {masks}", paint.bold("beside commands"))
}

fn command(of: &CommandView, paint: Paint) -> String {
    let mut out = vec![format!(
        "{} {} {}",
        paint.bold(&format!("#{}", of.seq)),
        paint.bold(&escape::line(&of.tag, 60)),
        paint.dim(&format!("{} UTC, leaf {}", when::short(of.at), of.leaf)),
    )];
    match &of.command {
        Some(command) => {
            out.push(indented(&command.text));
            for (index, value) in command.parameters.iter().enumerate() {
                let value = value
                    .as_ref()
                    .map_or("NULL".to_owned(), |value| format!("'{value}'"));
                out.push(indented(&format!("${} = {value}", index + 1)));
            }
            if command.cut {
                out.push(paint.dim("    (cut: the replay has it whole)"));
            }
        }
        None => out.push(paint.dim("    (its session's key was disposed of)")),
    }
    let mut note = |text: String| out.push(format!("    {text}"));
    if !of.effects.is_empty() {
        note(paint.dim(&escape::line(&of.effects.join(", "), 300)));
    }
    if let Some(approval) = &of.approval {
        note(paint.yellow(&format!("approval {}", escape::line(approval, 40))));
    }
    let decided = |when: &str, (who, why): &(String, String)| {
        let colon = if why.is_empty() { "" } else { ": " };
        let line = format!("decided {when}by {who}{colon}{why}");
        paint.yellow(&escape::line(&line, 300))
    };
    // It was refused because nobody had decided: who did so came after.
    let late = of.denial.as_ref().map(|denial| denial.code) == Some(DenialCode::ApprovalPending);
    if !late {
        of.approvers.iter().for_each(|by| note(decided("", by)));
    }
    if let Some(denial) = &of.denial {
        note(paint.red(&escape::line(&format!("refused: {}", denial.message), 500)));
    }
    if late {
        of.approvers
            .iter()
            .for_each(|by| note(decided("later ", by)));
    }
    match (&of.outcome, &of.denial) {
        (Some(outcome), _) => note(ended(outcome, paint)),
        (None, None) => note(paint.dim("no outcome: it runs, or the gateway ended first")),
        (None, Some(_)) => {}
    }
    out.join("\n")
}

/// How a command ended, and what was masked in it.
pub(super) fn ended(outcome: &Outcome, paint: Paint) -> String {
    let how = match &outcome.status {
        Status::Completed if outcome.tag.is_empty() => paint.green("completed"),
        Status::Completed => paint.green(&escape::line(&outcome.tag, 60)),
        Status::Failed(code) => {
            let told = told(&outcome.tag);
            paint.red(&format!("failed with {}{told}", escape::line(code, 20)))
        }
        Status::Skipped => paint.dim("skipped: one before it failed"),
        Status::Stopped(code) => {
            let told = told(&outcome.tag);
            paint.red(&format!("stopped by the gateway: {code:?}{told}"))
        }
        Status::Aborted => paint.red("aborted: the session ended first"),
    };
    let masks: Vec<String> = outcome.masks.iter().map(mask).collect();
    if masks.is_empty() {
        return how;
    }
    format!(
        "{how}   {}",
        paint.cyan(&escape::line(&masks.join("; "), 500))
    )
}

/// What the target called it all the same: of AWS the status and its ids of the request.
fn told(tag: &str) -> String {
    if tag.is_empty() {
        return String::new();
    }
    format!(" ({})", escape::line(tag, 200))
}

/// `us_ssn ×5 in public.customers.ssn (redact, declared)`; `us_ssn ×5 in x of public.customers.ssn (redact, declared)`.
fn mask(fact: &MaskFact) -> String {
    let of = match fact.columns.join(", ") {
        none if none.is_empty() => none,
        columns => format!(" of {columns}"),
    };
    format!(
        "{} ×{} in {}{of} ({}, {})",
        fact.class, fact.count, fact.place, fact.strategy, fact.rule
    )
}

/// Text that somebody typed, a step to the right.
pub(super) fn indented(text: &str) -> String {
    let lines: Vec<String> = escape::visible(text)
        .split('\n')
        .map(|line| format!("    {line}"))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use gateway::store::SessionRow;
    use model::{DataClass, Denial, Digest, SealedCommand, Timestamp};

    use super::*;

    fn view() -> SessionView {
        let at = Timestamp::from_secs(1_700_000_000);
        let one = |seq, denial: Option<Denial>, outcome| CommandView {
            seq,
            at,
            leaf: 10 + seq,
            tag: "SELECT".to_owned(),
            command: Some(SealedCommand {
                text: "SELECT *\nFROM x\x1b[2J".to_owned(),
                parameters: vec![Some("v".to_owned()), None],
                salt: Digest([0; 32]),
                masked: false,
                cut: seq == 2,
            }),
            effects: vec!["select public.x".to_owned()],
            policies: vec!["read".to_owned()],
            approval: denial.is_none().then(|| "cs-1".to_owned()),
            approvers: vec![("bob".to_owned(), "fine".to_owned())],
            denial,
            outcome,
        };
        let mask = MaskFact {
            class: DataClass::US_SSN,
            rule: "declared".to_owned(),
            place: "public.x.ssn".to_owned(),
            columns: Vec::new(),
            strategy: "redact".to_owned(),
            count: 5,
            commitments: Vec::new(),
        };
        let outcome = Outcome {
            tag: "SELECT 5".to_owned(),
            masks: vec![mask.clone()],
            ..Outcome::bare(Status::Completed)
        };
        SessionView {
            masks: vec![mask],
            row: SessionRow {
                session: "s-1".to_owned(),
                opened: at,
                closed: None,
                reason: None,
                human: "alice".to_owned(),
                agent: Some("claude-code".to_owned()),
                target: "bank".to_owned(),
                protocol: "postgres".to_owned(),
                source: "127.0.0.1:5".to_owned(),
                client: "psql".to_owned(),
                permitted: 1,
                refused: 1,
                approvals: 1,
                masked: 1,
                chunks: 1,
            },
            commands: vec![
                one(1, None, Some(outcome)),
                one(
                    2,
                    Some(Denial::new(DenialCode::Forbidden, "not permitted")),
                    None,
                ),
            ],
        }
    }

    #[test]
    fn sessions_read_top_down() {
        let view = view();
        let shown = head(&view, Paint::NONE);
        assert!(
            shown.starts_with("session   s-1\nwho       claude-code for alice\n"),
            "{shown}"
        );
        let commands: Vec<_> = view
            .commands
            .iter()
            .map(|of| command(of, Paint::NONE))
            .collect();
        assert_eq!(
            commands[0],
            "#1 SELECT 2023-11-14 22:13:20 UTC, leaf 11\n    SELECT *\n    FROM x⟦U+001B⟧[2J\n    $1 = 'v'\n    $2 = NULL\n    \
             select public.x\n    approval cs-1\n    decided by bob: fine\n    \
             SELECT 5   us_ssn ×5 in public.x.ssn (redact, declared)"
        );
        assert!(commands[1].contains("(cut: the replay has it whole)"));
        assert!(
            commands[1].ends_with("decided by bob: fine\n    refused: not permitted"),
            "{}",
            commands[1]
        );
        assert_eq!(
            beside(&view.masks, Paint::NONE),
            "beside commands\n    us_ssn ×5 in public.x.ssn (redact, declared)"
        );
        let mut late = view.commands.into_iter().nth(1).unwrap();
        late.denial = Some(Denial::new(DenialCode::ApprovalPending, "nobody decided"));
        let late = command(&late, Paint::NONE);
        let end = "refused: nobody decided\n    decided later by bob: fine";
        assert!(late.ends_with(end), "{late}");
    }
}
