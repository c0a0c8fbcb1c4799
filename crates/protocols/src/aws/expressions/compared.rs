//! What is compared with what in conditions.

use super::tokens::Token::{self, Mark, Name as Word};
use super::tokens::is_word;

/// Whether the path that a name stands in is compared for equality with values.
pub(super) fn is_path_matched(tokens: &[Token], place: usize) -> bool {
    // The path from its first step to its last.
    let step = |token: Option<&Token>| matches!(token, Some(Mark('.' | '[' | ']')));
    let (mut first, mut last) = (place, place);
    while first > 0 && (step(tokens.get(first - 1)) || step(tokens.get(first))) {
        first -= 1;
    }
    while step(tokens.get(last + 1)) || step(tokens.get(last)) && last < tokens.len() {
        if matches!(tokens.get(last), Some(Mark(']'))) && !step(tokens.get(last + 1)) {
            break;
        }
        last += 1;
    }
    let at = |place: Option<usize>| place.and_then(|place| tokens.get(place));
    let value = |place: Option<usize>| matches!(at(place), Some(Token::Value(_)));
    let equals = |place: Option<usize>| matches!(at(place), Some(Mark('=')));
    // A value that is part of something that is computed has another mark beside it.
    let before = equals(first.checked_sub(1)) && value(first.checked_sub(2));
    let after = equals(Some(last + 1)) && value(Some(last + 2));
    before || after || is_word(at(Some(last + 1)), "IN")
}

/// Whether a value is compared for equality.
pub(super) fn is_value_matched(tokens: &[Token], place: usize) -> bool {
    let at = |place: Option<usize>| place.and_then(|place| tokens.get(place));
    let order = |place: Option<usize>| matches!(at(place), Some(Mark('<' | '>' | '!')));
    let before = place.checked_sub(1);
    if matches!(at(before), Some(Mark('='))) {
        return !order(place.checked_sub(2));
    }
    let after = at(Some(place + 1));
    if matches!(after, Some(Mark('='))) || is_word(after, "IN") || is_word(at(before), "IN") {
        return true;
    }
    // One of the values of a list.
    let list = tokens.get(..place).unwrap_or_default().iter().rev();
    let mut around = list.skip_while(|it| matches!(it, Token::Value(_) | Mark(',')));
    let opens = matches!(around.next(), Some(Mark('(')));
    opens && is_word(around.next(), "IN")
}

/// Whether paths are compared with paths so that maps and lists may be equal, or one in the other.
pub(super) fn compares_paths(tokens: &[Token]) -> bool {
    let path = |place: Option<usize>| {
        let next = place.and_then(|place| tokens.get(place + 1));
        let calls = matches!(next, Some(Mark('(')));
        match place.and_then(|place| tokens.get(place)) {
            Some(Word(_)) => !calls,
            Some(Mark(']')) => true,
            _ => false,
        }
    };
    let mark = |place: Option<usize>, marks: &[char]| {
        let token = place.and_then(|place| tokens.get(place));
        matches!(token, Some(Mark(mark)) if marks.contains(mark))
    };
    let is = |place: Option<usize>, word: &str| is_word(place.and_then(|it| tokens.get(it)), word);
    let in_list = |of: Option<usize>| is(of, "IN") && path(of.and_then(|it| it.checked_sub(1)));
    // What stands before the brackets around a place.
    let mut around: Vec<Option<usize>> = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let (before, after) = (place.checked_sub(1), Some(place + 1));
        let compared = match token {
            Mark('=') if mark(before, &['<', '>']) => false,
            Mark('=') if mark(before, &['!']) => path(place.checked_sub(2)),
            Mark('=') => path(before),
            Mark('>') if mark(before, &['<']) => path(place.checked_sub(2)),
            Mark('(') => {
                around.push(before);
                in_list(before)
            }
            Mark(')') => {
                around.pop();
                false
            }
            Mark(',') => {
                let of = around.last().copied().flatten();
                in_list(of) || is(of, "contains")
            }
            _ => false,
        };
        if compared && path(after) {
            return true;
        }
    }
    false
}
