//! What a database says went wrong, as services that run statements tell it: `Key (ssn)=(…) already exists.` of PostgreSQL and
//! Redshift, `Duplicate entry '…' for key 'ssn'` of MySQL, `Cannot cast '…' to INT` of Athena.

use mask::{ErrorNames, Findings, Outcome};
use model::DataClass;

use super::Members;
use super::json::inner;

/// What the RDS Data API puts behind PostgreSQL's message.
const STATE: &str = "; SQLState: ";
/// How PostgreSQL begins to tell of a row.
const ROW: &str = "row contains (";

/// Hides values in what stands between the quotes of a text in JSON, at its length. Words in quotes are shown where the message
/// tells a place in the statement: then nothing was computed yet.
pub(super) fn hide(text: &mut [u8], members: &Members, findings: &mut Findings) {
    let Some(written) = inner::unescaped(text) else {
        return text.fill(b'*');
    };
    let plain: String = written.iter().map(|(it, _)| *it).collect();
    let shown = masked(&plain, members, findings);
    let mut out = Vec::with_capacity(text.len());
    inner::escaped_as(text, &written, &shown, &mut out);
    match out.len() == text.len() {
        true => text.copy_from_slice(&out),
        false => text.fill(b'*'),
    }
}

fn masked(message: &str, members: &Members, findings: &mut Findings) -> Vec<u8> {
    let (said, state) = match message.rsplit_once(STATE) {
        Some((said, state)) if state.len() <= 5 => (said, message.strip_prefix(said).unwrap_or("")),
        _ => (message, ""),
    };
    // MySQL and Athena quote as PostgreSQL does not.
    let quoted = said.replace('\'', "\"");
    let names = Names {
        members,
        placed: is_placed(said),
    };
    let place = findings.place("error");
    findings.enter(place);
    let mut shown = Vec::with_capacity(message.len());
    match members
        .masker
        .mask_error(quoted.as_bytes(), &names, &mut shown, findings)
    {
        Outcome::Masked if shown.len() == quoted.len() => {}
        Outcome::Clean => shown = quoted.clone().into_bytes(),
        _ => shown = vec![b'*'; quoted.len()],
    }
    let bytes = shown.iter_mut().zip(said.bytes().zip(quoted.bytes()));
    for (byte, (said, quoted)) in bytes {
        if *byte == quoted {
            *byte = said;
        }
    }
    // Of a row whose end was not seen for what stands behind it.
    if let Some(start) = said.find(ROW).map(|at| at + ROW.len()) {
        let end = said.rfind(')').filter(|end| *end > start);
        if let Some(row) = shown.get_mut(start..end.unwrap_or(said.len())) {
            row.fill(b'*');
        }
    }
    shown.extend_from_slice(state.as_bytes());
    shown
}

/// Whether a message tells a place in the statement: PostgreSQL behind all that it quotes, Athena before.
fn is_placed(message: &str) -> bool {
    let number = |text: &str| text.starts_with(|it: char| it.is_ascii_digit());
    let quote = |it: char| matches!(it, '"' | '\'');
    let before = message.split(quote).next().unwrap_or_default();
    let behind = message.rsplit(quote).next().unwrap_or_default();
    let follows = |text: &str, mark: &str| {
        let after = text.split_once(mark);
        after.is_some_and(|(_, after)| number(after))
    };
    follows(behind, "Position: ") || follows(before, "line ")
}

struct Names<'a> {
    members: &'a Members,
    placed: bool,
}

impl ErrorNames for Names<'_> {
    fn class_of_column(&self, column: &str) -> Option<DataClass> {
        let member = self.members.column(column)?;
        let (_, class) = self.members.list.get(member.index)?;
        Some(class.clone())
    }

    fn is_name(&self, _: &str) -> bool {
        self.placed
    }
}
