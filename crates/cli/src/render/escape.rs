//! Text that others wrote, made safe to show: nothing in it steers the terminal, hides, or passes for something else.
//!
//! A character that must not reach the terminal as it is becomes its code point in double brackets, such as ⟦U+001B⟧. The
//! brackets themselves are escaped too, so what is shown tells exactly what there is.

/// Makes what steers a terminal, is invisible or changes the direction of writing visible. Line ends and tabs stay.
pub(crate) fn visible(text: &str) -> String {
    escape(text, |c| c == '\n' || c == '\t' || !is_dangerous(c))
}

/// The same for what people are to sign: of what is beyond ASCII only letters and digits stay. Line ends stay; a tab does not.
pub(crate) fn exact(text: &str) -> String {
    escape(text, |c| match c {
        '\n' => true,
        _ if c.is_ascii() => !c.is_ascii_control(),
        _ => c.is_alphanumeric() && !is_dangerous(c),
    })
}

/// The same on one line, at most `length` characters of it.
pub(crate) fn line(text: &str, length: usize) -> String {
    let words: Vec<&str> = text
        .split(['\n', '\t', '\r', ' '])
        .filter(|word| !word.is_empty())
        .collect();
    let safe = visible(&words.join(" "));
    if safe.chars().count() <= length {
        return safe;
    }
    let mut cut: String = safe.chars().take(length.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// JSON text with the same characters as `\u` escapes: the same value, safe on a terminal.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = [0_u16; 2];
    for c in text.chars() {
        if c.is_ascii_control() || (!c.is_ascii() && is_dangerous(c)) {
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if keep(c) && !matches!(c, '⟦' | '⟧') {
            out.push(c);
        } else {
            out.push_str(&format!("⟦U+{:04X}⟧", u32::from(c)));
        }
    }
    out
}

/// Controls, marks and overrides of direction, what has no width, fillers, separators, tags, and what is not assigned to
/// a script at all.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{2000}'..='\u{200F}'
            | '\u{2028}'..='\u{202F}'
            | '\u{205F}'..='\u{206F}'
            | '\u{2800}' | '\u{3000}' | '\u{3164}' | '\u{00A0}' | '\u{1680}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFF}'
            | '\u{E000}'..='\u{F8FF}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{10FFFF}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_steers_the_terminal_or_hides() {
        for (text, expect) in [
            ("SELECT 1", "SELECT 1"),
            ("a\x1b[2Jb", "a⟦U+001B⟧[2Jb"),
            ("a\u{9b}2Jb", "a⟦U+009B⟧2Jb"),
            ("a\rb\x08c\x7f", "a⟦U+000D⟧b⟦U+0008⟧c⟦U+007F⟧"),
            ("\u{202e}txet\u{202c}", "⟦U+202E⟧txet⟦U+202C⟧"),
            ("\u{2066}x\u{2069}", "⟦U+2066⟧x⟦U+2069⟧"),
            ("dr\u{200b}op\u{feff}\u{ad}", "dr⟦U+200B⟧op⟦U+FEFF⟧⟦U+00AD⟧"),
            ("a\u{a0}b\u{2028}c", "a⟦U+00A0⟧b⟦U+2028⟧c"),
            ("\u{e0041}\u{3164}", "⟦U+E0041⟧⟦U+3164⟧"),
            ("⟦U+001B⟧", "⟦U+27E6⟧U+001B⟦U+27E7⟧"),
            ("Grüße, 你好", "Grüße, 你好"),
        ] {
            assert_eq!(visible(text), expect);
            assert_eq!(exact(text), expect);
        }
    }

    #[test]
    fn what_is_signed_shows_more() {
        assert_eq!(visible("a\tb “c” e\u{301}"), "a\tb “c” e\u{301}");
        assert_eq!(
            exact("a\tb “c” e\u{301}\nd"),
            "a⟦U+0009⟧b ⟦U+201C⟧c⟦U+201D⟧ e⟦U+0301⟧\nd"
        );
    }

    #[test]
    fn lines_are_cut_by_characters() {
        assert_eq!(line("SELECT\n  *\tFROM x", 40), "SELECT * FROM x");
        assert_eq!(line("Grüße an alle", 6), "Grüße…");
        assert_eq!(line("a\x1bb", 40), "a⟦U+001B⟧b");
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"a": "x\u{202e}y\u{1b}\u{e0041}\u{85}\u{7f}"});
        let shown = json(&value.to_string());
        assert!(shown.is_ascii(), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }

    proptest! {
        #[test]
        fn different_texts_look_different(a in any::<String>(), b in any::<String>()) {
            prop_assert_eq!(a == b, visible(&a) == visible(&b));
            prop_assert_eq!(a == b, exact(&a) == exact(&b));
        }

        #[test]
        fn what_is_shown_is_harmless(text in any::<String>()) {
            for shown in [visible(&text), exact(&text)] {
                prop_assert!(shown.chars().all(|c| c == '\n' || c == '\t' || !is_dangerous(c)));
            }
            prop_assert!(!json(&text).chars().any(is_dangerous));
        }
    }
}
