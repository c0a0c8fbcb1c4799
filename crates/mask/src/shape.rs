//! The customary form of a declared value, and values made equal for commitments.

use model::DataClass;

use crate::detect::{self, Hint, Kind, LOOK_CHARS_MAX};
use crate::fold::Folded;

/// What a partial mask hides of a whole value, as positions in its folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hidden {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) all: bool,
}

/// What to hide of a declared value so that its customary part shows; `None` if it does not have the class's form.
pub(crate) fn partial(class: &DataClass, folded: &[u8]) -> Option<Hidden> {
    let written = |byte: &u8| {
        byte.is_ascii_digit() || matches!(byte, b' ' | b'-' | b'.' | b'/' | b'_' | b':')
    };
    let digits = folded.iter().filter(|byte| byte.is_ascii_digit()).count();
    match Kind::of(class)? {
        Kind::Card if folded.iter().all(written) && detect::is_card_length(digits) => {
            last_four_shown(folded, 0)
        }
        Kind::Ssn | Kind::Itin if folded.iter().all(written) && digits == 9 => {
            last_four_shown(folded, 0)
        }
        Kind::Account if folded.iter().all(written) && (9..=17).contains(&digits) => {
            last_four_shown(folded, 0)
        }
        Kind::Token => {
            let token = detect::provider::token(folded, 0)?;
            (token.start == 0 && token.shown > 0 && token.end == folded.len()).then_some(Hidden {
                start: token.shown,
                end: token.end,
                all: true,
            })
        }
        Kind::Iban if is_iban(folded) => last_four_shown(folded, 2),
        Kind::Email => {
            let mut found = Vec::new();
            detect::scan(folded, 0..folded.len(), Hint::NONE, None, &mut found);
            let all_of_it =
                |found: &&detect::Match| found.kind == Kind::Email && found.end == folded.len();
            let address = found.iter().rfind(all_of_it)?;
            // A domain that itself holds something to hide is hidden as well.
            (found
                .iter()
                .filter(|other| other.end > address.shown)
                .count()
                == 1)
                .then_some(Hidden {
                    start: 0,
                    end: address.shown,
                    all: true,
                })
        }
        _ => None,
    }
}

fn last_four_shown(folded: &[u8], start: usize) -> Option<Hidden> {
    let fourth_last = folded
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| byte.is_ascii_alphanumeric())
        .nth(3);
    fourth_last.map(|(end, _)| Hidden {
        start,
        end,
        all: false,
    })
}

fn is_iban(folded: &[u8]) -> bool {
    let head = matches!(folded, [a, b, c, d, ..]
        if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit());
    let chars = folded
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .count();
    let written = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-');
    head && (15..=34).contains(&chars) && folded.iter().all(written)
}

/// Writes the value as commitments take it; `value` is text as it stands.
pub(crate) fn normalise(class: &DataClass, value: &[u8], out: &mut Vec<u8>) {
    if value.is_ascii() {
        return normalise_folded(class, value, value, out);
    }
    let folded = Folded::of(value);
    normalise_folded(class, folded.text(), value, out);
}

/// The same, where the folded text is at hand. Classes without a detector keep the original, trimmed.
pub(crate) fn normalise_folded(
    class: &DataClass,
    folded: &[u8],
    original: &[u8],
    out: &mut Vec<u8>,
) {
    match Kind::of(class) {
        Some(
            Kind::Card
            | Kind::Ssn
            | Kind::Routing
            | Kind::Itin
            | Kind::Ein
            | Kind::Account
            | Kind::Phone,
        ) if folded.iter().any(u8::is_ascii_digit) => {
            out.extend(folded.iter().filter(|byte| byte.is_ascii_digit()));
        }
        Some(Kind::Iban) if folded.iter().any(u8::is_ascii_digit) => {
            let chars = folded.iter().filter(|byte| byte.is_ascii_alphanumeric());
            out.extend(chars.map(u8::to_ascii_uppercase));
        }
        // A letter outside ASCII folds to nothing in particular, so the original tells such addresses apart.
        Some(Kind::Email) => out.extend(original.trim_ascii().iter().map(u8::to_ascii_lowercase)),
        // Of what has no longest length, as much as is judged.
        Some(kind) if kind.is_long() => {
            let value = original.trim_ascii();
            out.extend_from_slice(value.get(..LOOK_CHARS_MAX).unwrap_or(value));
        }
        _ => out.extend_from_slice(original.trim_ascii()),
    }
}
