//! Values that PostgreSQL quotes in its messages.
//!
//! A message names tables and columns in the same quotes in which it shows values: `relation "customers" does not
//! exist`, `invalid input syntax for type integer: "123-45-6789"`, and `123-45-6789::regclass` makes a value look like a
//! name. So what stands in quotes is hidden unless the caller knows it to be a name. Messages may be translated
//! (`lc_messages`), hence the marks of other languages, and rules that need no English.

use memchr::memmem;
use model::DataClass;

use crate::detect::Hint;
use crate::findings::Findings;
use crate::masker::{Masker, Outcome};
use crate::render::{self, Span};

/// The class under which hidden parts of messages are counted when no column is named.
const ERROR_VALUE: &str = "error_value";

/// The rule under which they are counted.
const RULE: &str = "error_quote";

/// The marks that PostgreSQL's translations quote with.
const MARKS: [&str; 10] = ["\"", "«", "»", "„", "“", "”", "‘", "’", "「", "」"];

/// What PostgreSQL writes between two names in one message.
const BETWEEN: [&[u8]; 22] = [
    b" of relation ",
    b" of table ",
    b" on table ",
    b" on relation ",
    b" for table ",
    b" for relation ",
    b" in relation ",
    b" in table ",
    b" in schema ",
    b" for schema ",
    b" has no column ",
    b" has no field ",
    b" violates foreign key constraint ",
    b" violates check constraint ",
    b" violates exclusion constraint ",
    b" of type ",
    b" to ",
    b" of ",
    b" on ",
    b" from ",
    b" and ",
    b", ",
];

/// A number in a message may have so many digits, as line numbers and limits have.
const DIGITS_MAX: usize = 4;

/// So many words of a message are asked about, and as many quoted texts. Each question may search the whole statement and the whole
/// catalogue, and a message may be as long as a statement; those of PostgreSQL itself hold a few names and numbers.
const LOOKUPS_MAX: usize = 100;

/// What is known about the names in a message.
pub trait ErrorNames {
    /// The class that a column of this name is declared to hold in any table that the command may have read.
    fn class_of_column(&self, column: &str) -> Option<DataClass>;

    /// Whether a quoted text may be shown as it is: a name that stands in the client's own statement or in the
    /// catalogue (the error's own fields for table, column, type and constraint among them).
    fn is_name(&self, quoted: &str) -> bool;
}

impl Masker {
    /// Masks one field of an error or notice (message, detail, hint, context) of a target with declared columns.
    ///
    /// Hidden whole: quoted texts that `names` does not know; the values of `Key (ssn)=(…)` if a column named there is
    /// declared; a failing row; the excerpt of a document that did not parse; long numbers; names and numbers beyond [`LOOKUPS_MAX`]. The rest is treated as
    /// free text.
    pub fn mask_error(
        &self,
        text: &[u8],
        names: &dyn ErrorNames,
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        let mut hidden = Hidden {
            text,
            spans: Vec::new(),
            findings,
        };
        hidden.key_values(names);
        hidden.failing_row();
        hidden.excerpt();
        hidden.quoted(names);
        hidden.numbers(names);
        let mut spans = hidden.spans;
        if spans.is_empty() {
            return self.mask_text(Hint::NONE, text, out, findings);
        }
        spans.sort_unstable_by_key(|span| span.start);
        let mut shown = Vec::with_capacity(text.len());
        render::render(text, 0, &mut spans, &mut shown);
        let outcome = self.mask_text(Hint::NONE, &shown, out, findings);
        if outcome == Outcome::Clean {
            out.append(&mut shown);
            return Outcome::Masked;
        }
        outcome
    }
}

struct Hidden<'a> {
    text: &'a [u8],
    spans: Vec<Span>,
    findings: &'a mut Findings,
}

impl Hidden<'_> {
    fn hide(&mut self, class: Option<DataClass>, start: usize, end: usize) {
        let Some(value) = self.text.get(start..end).filter(|value| !value.is_empty()) else {
            return;
        };
        let class = class.or_else(|| DataClass::try_from(ERROR_VALUE.to_owned()).ok());
        if let Some(class) = class {
            self.findings.record(&class, RULE, "redact", |normal| {
                crate::shape::normalise(&class, value, normal)
            });
        }
        self.spans.push(Span::stars(start as u64, end as u64));
    }

    /// `Key (a, b)=(x, y) already exists.` and its relatives: values up to the last bracket, as they may hold brackets.
    fn key_values(&mut self, names: &dyn ErrorNames) {
        let text = self.text;
        let Some(first) = memmem::find(text, b")=(") else {
            return;
        };
        let Some(last) = memchr::memrchr(b')', text).filter(|last| *last > first) else {
            return;
        };
        let columns = memmem::rfind(text, b")=(").and_then(|at| text.get(..at));
        let mut words = columns
            .unwrap_or_default()
            .split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_' && byte.is_ascii())
            .filter(|word| !word.is_empty());
        let class = words
            .by_ref()
            .take(LOOKUPS_MAX)
            .filter_map(|word| std::str::from_utf8(word).ok())
            .find_map(|word| names.class_of_column(word));
        if class.is_some() || words.next().is_some() {
            self.hide(class, first + 3, last);
        }
    }

    /// `Failing row contains (1, Ann, 123-45-6789).`: whatever stands in brackets at the end, in any language.
    fn failing_row(&mut self) {
        let text = self.text.trim_ascii_end();
        let Some(body) = text.strip_suffix(b").") else {
            return;
        };
        if memmem::find(text, b")=(").is_some() {
            return;
        }
        if let Some(open) = memmem::find(body, b" (") {
            self.hide(None, open + 2, body.len());
        }
    }

    /// `JSON data, line 1: {"ssn": 123…`, and the lines of an XML document.
    fn excerpt(&mut self) {
        let text = self.text;
        let numbered = |from: usize| {
            let rest = text.get(from..).unwrap_or_default();
            let colon = rest
                .windows(3)
                .position(|three| matches!(three, [b'0'..=b'9', b':', b' ']));
            colon.map(|colon| from + colon + 3)
        };
        if let Some(start) = memmem::find(text, b"JSON").and_then(numbered) {
            self.hide(None, start, text.len());
        } else if let Some(start) = numbered(0)
            .filter(|start| memchr::memchr(b'\n', text.get(*start..).unwrap_or_default()).is_some())
        {
            // The line that says what is wrong with an XML document names its tags.
            self.hide(None, start, text.len());
        }
    }

    /// Words with a number in them that is longer than a line's or an argument's, where the client did not write them itself.
    fn numbers(&mut self, names: &dyn ErrorNames) {
        let text = self.text;
        let is_long = |word: &[u8]| {
            word.split(|byte| !byte.is_ascii_digit())
                .any(|digits| digits.len() > DIGITS_MAX)
        };
        let covered: Vec<(u64, u64)> = self.spans.iter().map(|it| (it.start, it.end)).collect();
        let is_covered = |start: usize, end: usize| {
            let within = |(from, to): &(u64, u64)| *from <= start as u64 && end as u64 <= *to;
            covered.iter().any(within)
        };
        let mut lookups = 0;
        let mut is_name = |word: &[u8]| {
            lookups += 1;
            lookups <= LOOKUPS_MAX
                && std::str::from_utf8(word).is_ok_and(|word| names.is_name(word))
        };
        let mut start = 0;
        for word in
            text.split(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b'_')
        {
            let end = start + word.len();
            if is_long(word) && !is_covered(start, end) && !is_name(word) {
                self.hide(None, start, end);
            }
            start = end + 1;
        }
    }

    /// Everything in quotes that is no known name. A value may hold quotes and known names in them, so all is hidden from
    /// the first mark to the last unless every quoted text is known and the words between are PostgreSQL's own.
    fn quoted(&mut self, names: &dyn ErrorNames) {
        let text = self.text;
        let mut marks: Vec<(usize, usize)> = Vec::new();
        for mark in MARKS {
            marks.extend(memmem::find_iter(text, mark.as_bytes()).map(|at| (at, at + mark.len())));
        }
        marks.sort_unstable();
        let (Some(&(_, first)), Some(&(last, _))) = (marks.first(), marks.last()) else {
            return;
        };
        let within = |start: usize, end: usize| text.get(start..end).unwrap_or_default();
        let is_known = |pair: &[(usize, usize)]| match *pair {
            [(_, start), (end, _)] => std::str::from_utf8(within(start, end))
                .map(str::trim)
                .is_ok_and(|quoted| {
                    names.is_name(quoted) || (quoted.is_empty() && marks.len() == 2)
                }),
            _ => false,
        };
        let is_own = |two: &[&[(usize, usize)]]| match *two {
            [&[_, (_, start)], &[(end, _), ..]] => BETWEEN.contains(&within(start, end)),
            _ => false,
        };
        let pairs: Vec<&[(usize, usize)]> = marks.chunks(2).collect();
        if pairs.len() <= LOOKUPS_MAX
            && pairs.iter().all(|pair| is_known(pair))
            && pairs.windows(2).all(is_own)
        {
            return;
        }
        // A mark without a partner quotes to the end.
        let reach = if marks.len().is_multiple_of(2) {
            last
        } else {
            text.len()
        };
        self.hide(None, first, reach);
    }
}
