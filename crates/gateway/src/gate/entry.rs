//! A command as its entry holds it.

use std::sync::Arc;

use model::{Command, CommandDigest, CommandRecord, Denial, DenialCode, SealedCommand};

use super::Caller;

/// At most so many effects stand in an entry.
const EFFECTS_MAX: usize = 64;
/// One effect is at most so long; names can be longer than anybody reads.
const EFFECT_BYTES_MAX: usize = 160;
/// Text and parameters of a command take at most so much of an entry before they are sealed, as JSON. Sealed and in Base64
/// that is a third more, and leaves room in [`model::ENTRY_BYTES_MAX`] for all else.
const SEALED_BYTES_MAX: usize = 16 * 1_024;

/// The record of `command`, its shown form sealed under the session's key.
pub(super) fn record(
    caller: &Arc<Caller>,
    command: &Command,
    digest: &CommandDigest,
) -> Result<CommandRecord, Denial> {
    let sealed = caller
        .recorder
        .seal(&sealed(command, digest))
        .map_err(|error| {
            tracing::error!(session = caller.session, %error, "a command cannot be sealed");
            Denial::new(
                DenialCode::LedgerUnavailable,
                "the command cannot be recorded, so it may not run: tell whoever runs the gateway",
            )
        })?;
    Ok(CommandRecord {
        protocol: command.protocol.to_owned(),
        tag: command.tag.to_string(),
        effects: effects(command),
        digest: digest.digest,
        sealed,
    })
}

fn effects(command: &Command) -> Vec<String> {
    let mut effects: Vec<String> = Vec::new();
    for ask in command.asks.list() {
        let mut effect = format!(
            "{} {}",
            ask.action,
            ask.resource.name.replace(char::is_control, "?")
        );
        effect.truncate(effect.floor_char_boundary(EFFECT_BYTES_MAX));
        if !effects.contains(&effect) {
            effects.push(effect);
        }
        if effects.len() == EFFECTS_MAX {
            break;
        }
    }
    effects
}

fn sealed(command: &Command, digest: &CommandDigest) -> SealedCommand {
    let values = || {
        command
            .parameters
            .iter()
            .map(|parameter| parameter.value.as_deref())
    };
    let shown = || {
        command
            .shown_parameters
            .iter()
            .map(|shown| shown.as_deref().map(str::as_bytes))
    };
    let mut left = SEALED_BYTES_MAX;
    let mut cut = false;
    let text = fit(
        &String::from_utf8_lossy(&command.shown),
        &mut left,
        &mut cut,
    );
    let mut parameters = Vec::with_capacity(command.shown_parameters.len());
    for parameter in &command.shown_parameters {
        if left < 8 {
            cut = true;
            break;
        }
        left -= 8;
        parameters.push(
            parameter
                .as_ref()
                .map(|value| fit(value, &mut left, &mut cut)),
        );
    }
    SealedCommand {
        text,
        parameters,
        salt: digest.salt,
        masked: command.text != command.shown || !values().eq(shown()),
        cut,
    }
}

/// As much of `text` as fits when it is written as JSON.
fn fit(text: &str, left: &mut usize, cut: &mut bool) -> String {
    let mut taken = 0;
    for c in text.chars() {
        let size = match c {
            '"' | '\\' => 2,
            c if c < ' ' => 6,
            c => c.len_utf8(),
        };
        if size > *left {
            *cut = true;
            break;
        }
        *left -= size;
        taken += c.len_utf8();
    }
    text.get(..taken).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use model::{Ask, Asks, Digest, ENTRY_BYTES_MAX, Parameter, Resource};

    use super::*;

    fn command(text: &str, parameters: &[&str]) -> Command {
        let value = |text: &&str| Bytes::copy_from_slice(text.as_bytes());
        Command {
            protocol: "postgres",
            tag: "SELECT".into(),
            text: Bytes::copy_from_slice(text.as_bytes()),
            parameters: parameters
                .iter()
                .map(|p| Parameter {
                    kind: (25, 0),
                    value: Some(value(p)),
                })
                .collect(),
            shown: Bytes::copy_from_slice(text.as_bytes()),
            shown_parameters: parameters.iter().map(|p| Some((*p).to_owned())).collect(),
            asks: Arc::new(Asks::new(Vec::new())),
        }
    }

    const DIGEST: CommandDigest = CommandDigest {
        digest: Digest([1; 32]),
        salt: Digest([2; 32]),
    };

    #[test]
    fn a_command_is_whole_where_it_fits() {
        let one = sealed(&command("SELECT $1 -- \"ü\"", &["x\ny"]), &DIGEST);
        assert_eq!(
            (one.text.as_str(), one.masked, one.cut),
            ("SELECT $1 -- \"ü\"", false, false)
        );
        assert_eq!(one.parameters, [Some("x\ny".to_owned())]);
    }

    #[test]
    fn what_was_masked_is_told() {
        let mut one = command("SELECT '4111111111111111'", &["1"]);
        one.shown = Bytes::from_static(b"SELECT '************1111'");
        assert!(sealed(&one, &DIGEST).masked);
        let mut one = command("SELECT $1", &["1"]);
        one.shown_parameters = vec![Some("*".to_owned())];
        assert!(sealed(&one, &DIGEST).masked);
    }

    /// However large and odd a command is, what is sealed of it has an end.
    #[test]
    fn what_does_not_fit_is_cut() {
        let mut cases = vec![
            command(&"x".repeat(1 << 20), &[]),
            command("SELECT 1", &["\u{1}".repeat(1 << 20).as_str()]),
        ];
        cases.push(command("SELECT 1", &vec![""; 65_535]));
        cases.push(command(&"\"\\\u{7}ü€".repeat(100_000), &["a", "b"]));
        for one in cases {
            let sealed = sealed(&one, &DIGEST);
            assert!(sealed.cut);
            let length = serde_json::to_vec(&sealed).unwrap().len();
            assert!(
                length * 4 / 3 + EFFECTS_MAX * EFFECT_BYTES_MAX * 2 < ENTRY_BYTES_MAX - 16_384,
                "{length}"
            );
        }
    }

    #[test]
    fn effects_are_few_and_named_once() {
        let ask = |name: String| Ask {
            action: "select",
            resource: Resource {
                kind: "Table",
                name,
                parents: Vec::new(),
                attributes: BTreeMap::new(),
            },
            context: BTreeMap::new(),
        };
        let mut one = command("SELECT 1", &[]);
        one.asks = Arc::new(Asks::new(
            (0..200)
                .map(|n| ask(format!("public.t{}", n / 2)))
                .collect(),
        ));
        let list = effects(&one);
        assert_eq!(
            (list.len(), list[0].as_str(), list[1].as_str()),
            (64, "select public.t0", "select public.t1")
        );
        one.asks = Arc::new(Asks::new(vec![ask("ü".repeat(500))]));
        assert!(effects(&one)[0].len() <= EFFECT_BYTES_MAX);
    }
}
