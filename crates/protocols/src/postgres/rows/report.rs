//! Errors, notices and what else a server tells in words.
//!
//! Where a target has declared columns, words in quotes are shown only if they are names that the client can know: those
//! of its own statement and of the catalog. Rows that PostgreSQL quotes in a detail, the values of a key, and statements
//! that the server ran by itself are withheld.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use mask::{ErrorNames, Findings, Hint, Masker, Outcome};
use model::DataClass;
use sql::Name;
use sql::postgres::Relation;

use super::plan;
use crate::postgres::known::Known;
use crate::postgres::settings::Masks;
use crate::postgres::wire::{Frame, Malformed, Reader, Report, server, write};

/// Stands in place of words that are withheld.
const WITHHELD: &[u8] = b"(withheld)";
/// The same in place of a message.
const MESSAGE_WITHHELD: &[u8] =
    b"(withheld: the statement computes with protected data, of which the message may be made; the SQLSTATE tells its kind)";
/// The same of what a server says of its own work.
const OWN_WORK_WITHHELD: &[u8] =
    b"(withheld: what the server says of its own work may hold protected data; set client_min_messages to notice)";
/// Messages (field `M`) in which nothing else stands: what the SQLSTATE tells too.
const FIXED: [&[u8]; 6] = [
    b"smallint out of range",
    b"integer out of range",
    b"bigint out of range",
    b"numeric field overflow",
    b"date out of range",
    b"timestamp out of range",
];
/// Settings that the server names in its advice.
const ADVISED: &str = "datestyle";
/// Classes of SQLSTATE (PostgreSQL manual, "PostgreSQL Error Codes") whose messages tell of names, resources and states,
/// and of values in quotes at most: everything else is said of the values that a statement computes.
const TELLS_OF_NAMES: [&[u8]; 12] = [
    b"08", b"23", b"25", b"26", b"28", b"34", b"40", b"53", b"55", b"57", b"58", b"72",
];
/// Severities (field `V`) of what the server writes of its own work: plans and trees, with values in them.
const OWN_WORK: [&[u8]; 7] = [
    b"LOG", b"DEBUG", b"DEBUG1", b"DEBUG2", b"DEBUG3", b"DEBUG4", b"DEBUG5",
];
/// The server's routines (field `R`, which is never translated) in which code of the database says what it likes: `RAISE` and
/// `ASSERT` of PL/pgSQL, and the messages and uncaught exceptions of PL/Python, PL/Perl and PL/Tcl.
const RAISING: [&[u8]; 10] = [
    b"exec_stmt_raise",
    b"exec_stmt_assert",
    b"PLy_output",
    b"PLy_elog",
    b"PLy_elog_impl",
    b"do_util_elog",
    b"plperl_util_elog",
    b"plperl_call_perl_func",
    b"pltcl_elog",
    b"throw_tcl_error",
];
/// So many words at a message's end are looked for in the statement; where there are more, all are hidden.
const LOOKUPS_MAX: usize = 100;
/// A name of an object that is in no catalog, such as a constraint, may have so many digits in a row.
const DIGITS_MAX: usize = 4;

/// Whether a report is of a constraint that is violated (class 23 of SQLSTATE).
pub(in crate::postgres) fn tells_of_keys(frame: &Frame) -> bool {
    let report = Report::read(frame);
    let state = report.ok().and_then(|report| report.field(b'C').cloned());
    state.is_some_and(|state| state.starts_with(b"23"))
}

/// Masks the errors and notices of one command.
#[derive(Debug, Clone, Copy)]
pub struct Reports<'a> {
    /// The command's maskers.
    pub masks: &'a Masks,
    /// What is known of the database.
    pub known: &'a Arc<Known>,
    /// The client's statement, as it wrote it; empty where there is none.
    pub statement: &'a [u8],
    /// It computes with protected values, so that what the server says of it may be made of them.
    pub computes: bool,
}

/// What stands in place of a part of a report that is withheld.
fn instead(code: u8, own_work: bool) -> Bytes {
    Bytes::from_static(match code {
        b'M' if own_work => OWN_WORK_WITHHELD,
        b'M' => MESSAGE_WITHHELD,
        _ => WITHHELD,
    })
}

impl Reports<'_> {
    /// An ErrorResponse or NoticeResponse as it may be shown; `None` where it may be shown as it came.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn mask(&self, frame: &Frame, findings: &mut Findings) -> Result<Option<Bytes>, Malformed> {
        let mut report = Report::read(frame)?;
        let is_error = frame.kind == server::ERROR;
        let place = findings.place(if is_error { "error" } else { "notice" });
        findings.enter(place);
        let mut changed = false;
        // A position in a statement that is not shown tells nothing.
        let withhold_query = report
            .field(b'q')
            .is_some_and(|query| self.withholds_query(query));
        let raised = report
            .field(b'R')
            .filter(|routine| self.is_strict() && RAISING.contains(&&routine[..]));
        let spoken = raised.map_or(&b""[..], spoken);
        let raises = raised.is_some();
        // A place in the client's own text: what is said was known before anything was computed. Of what is computed nothing is
        // known for being in the statement, which may hold every word that a value could be.
        let placed = report.field(b'P').is_some();
        let written = !self.computes || placed;
        let own_work = self.is_own_work(&report);
        let told = own_work || self.told_whole(&report);
        let objects: Vec<Bytes> = report
            .fields
            .iter()
            .filter(|(code, text)| b"stcdn".contains(code) && self.may_name(text, written))
            .map(|(_, text)| text.clone())
            .collect();
        report.fields.retain_mut(|(code, text)| {
            let masked = match code {
                b'q' | b'p' if withhold_query => {
                    changed = true;
                    return false;
                }
                code if Report::OWN.contains(code) => None,
                b's' | b't' | b'c' | b'd' | b'n'
                    if self.is_strict()
                        && !(self.may_name(text, written)
                            && (!raises || self.knows(text, written))) =>
                {
                    changed = true;
                    return false;
                }
                b'M' if !own_work && told && FIXED.contains(&&text[..]) => None,
                b'M' | b'D' | b'H' | b'W' if told => Some(instead(*code, own_work)),
                // Unless the client wrote the very words, nobody knows what they are made of.
                code if spoken.contains(code)
                    && memchr::memmem::find(self.statement, text).is_none() =>
                {
                    Some(Bytes::from_static(WITHHELD))
                }
                b'M' | b'D' | b'H' | b'W' if self.is_strict() => {
                    let names = Names {
                        reports: self,
                        objects: &objects,
                        written,
                    };
                    self.strictly(text, &names, findings)
                }
                _ => free_text(&self.masks.for_chosen().text, text, findings),
            };
            if let Some(masked) = masked {
                *text = masked;
                changed = true;
            }
            true
        });
        if changed && is_withheld(&report) {
            findings.record_withheld(&plan::uninspected(), "lineage");
        }
        Ok(changed.then(|| message(&report, frame.kind)))
    }

    fn is_strict(&self) -> bool {
        !self.known.protected.is_empty() && !self.masks.open
    }

    /// Whether what a report says may all be made of protected values.
    fn told_whole(&self, report: &Report) -> bool {
        let state = report.field(b'C').and_then(|state| state.get(..2));
        let names = state.is_some_and(|class| TELLS_OF_NAMES.contains(&class));
        let placed = report.field(b'P').is_some();
        self.is_strict() && self.computes && !names && !placed
    }

    /// Whether a server speaks of its own work.
    fn is_own_work(&self, report: &Report) -> bool {
        let severity = report.field(b'V');
        self.is_strict() && severity.is_some_and(|severity| OWN_WORK.contains(&&severity[..]))
    }

    fn withholds_query(&self, query: &[u8]) -> bool {
        self.is_strict() && memchr::memmem::find(self.statement, query).is_none()
    }

    fn strictly(&self, text: &[u8], names: &Names, findings: &mut Findings) -> Option<Bytes> {
        let mut out = Vec::new();
        let outcome = self
            .masks
            .for_chosen()
            .text
            .mask_error(text, names, &mut out, findings);
        let shown = replacement(outcome, out);
        if !self.computes {
            return shown;
        }
        // What stands at the end, and short numbers, may be of a value too.
        let text = shown.as_deref().unwrap_or(text);
        let hides = |text: &[u8]| {
            let words = text.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
            let words = words.filter(|word| !word.is_empty()).enumerate();
            let mut hidden =
                words.map(|(index, word)| index >= LOOKUPS_MAX || !self.has_word(word));
            hidden.any(|hidden| hidden)
        };
        let end = memchr::memmem::rfind(text, b": ").map_or(text.len(), |colon| colon + 2);
        let (said, last) = text.split_at_checked(end).unwrap_or((text, b""));
        let hidden = hides(last);
        let said = starred(said, names);
        if !hidden && said.is_none() {
            return shown;
        }
        let mut out = said.unwrap_or_else(|| text.get(..end).unwrap_or_default().to_vec());
        out.extend_from_slice(if hidden { WITHHELD } else { last });
        Some(out.into())
    }

    /// Whether a word stands in the statement by itself.
    fn has_word(&self, word: &[u8]) -> bool {
        let is_part = |at: Option<usize>| {
            let byte = at.and_then(|at| self.statement.get(at));
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        };
        let mut found = memchr::memmem::find_iter(self.statement, word);
        found.any(|at| !is_part(at.checked_sub(1)) && !is_part(Some(at + word.len())))
    }

    /// Whether a word stands in the statement in capitals, as the server writes it in small letters: of a language, or not quoted.
    fn has_in_capitals(&self, word: &str) -> bool {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        word.bytes().all(letter) && self.has_word(word.to_ascii_uppercase().as_bytes())
    }

    /// Whether a name is in the catalog, or in the statement.
    fn knows(&self, text: &[u8], written: bool) -> bool {
        std::str::from_utf8(text).is_ok_and(|name| self.is_name(name, written))
    }

    /// Whether the text of a name field may be shown: RAISE lets anything stand there.
    fn may_name(&self, text: &[u8], written: bool) -> bool {
        let Ok(name) = std::str::from_utf8(text) else {
            return false;
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let short = |run: &[u8]| run.len() <= DIGITS_MAX;
        let digits = text.split(|byte| !byte.is_ascii_digit());
        self.is_name(name, written)
            || (text.iter().all(|byte| plain(*byte)) && digits.into_iter().all(short))
    }
}

/// Whether words of it are withheld.
fn is_withheld(report: &Report) -> bool {
    let withheld =
        |text: &Bytes| [WITHHELD, MESSAGE_WITHHELD, OWN_WORK_WITHHELD].contains(&&text[..]);
    report.fields.iter().any(|(_, text)| withheld(text))
}

/// The message of this kind that says it.
fn message(report: &Report, kind: u8) -> Bytes {
    write::one(kind, |out| {
        for (code, text) in &report.fields {
            out.put_u8(*code);
            write::cstr(out, text);
        }
        out.put_u8(0);
    })
}

/// The text with its digits hidden, but for those of names in quotes; `None` where there are none.
fn starred(text: &[u8], names: &Names) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    for (index, part) in text.split(|byte| *byte == b'"').enumerate() {
        if index > 0 {
            out.push(b'"');
        }
        let quoted = index % 2 == 1 && index < 2 * LOOKUPS_MAX;
        let name = std::str::from_utf8(part).ok().filter(|_| quoted);
        if name.is_some_and(|name| names.is_name(name)) {
            out.extend_from_slice(part);
        } else {
            let star = |byte: &u8| if byte.is_ascii_digit() { b'*' } else { *byte };
            out.extend(part.iter().map(star));
        }
    }
    (out != text).then_some(out)
}

/// The fields in which a routine that raises says what it likes.
fn spoken(routine: &Bytes) -> &'static [u8] {
    // PL/pgSQL's context is its own; that of the others is whatever the program says.
    if routine.starts_with(b"exec_stmt_") {
        b"MDH"
    } else {
        b"MDHW"
    }
}

/// What is a name in one report: what the catalog and the statement hold, and the objects that the report itself names.
struct Names<'a> {
    reports: &'a Reports<'a>,
    objects: &'a [Bytes],
    /// A word counts for one because the statement holds it.
    written: bool,
}

impl ErrorNames for Names<'_> {
    fn class_of_column(&self, column: &str) -> Option<DataClass> {
        self.reports.class_of_column(column)
    }

    fn is_name(&self, quoted: &str) -> bool {
        self.objects
            .iter()
            .any(|object| object == quoted.as_bytes())
            || self.reports.is_name(quoted, self.written)
    }
}

impl Reports<'_> {
    fn class_of_column(&self, column: &str) -> Option<DataClass> {
        let relations = self.known.catalog.relations();
        let mut touched = relations.filter(|relation| self.known.protected.touches(relation.oid));
        touched.find_map(|relation| {
            let column = relation.columns.iter().find(|c| c.name == column)?;
            let taint = self.known.protected.column(relation.oid, column.number);
            taint.classes().pop_first()
        })
    }

    fn is_name(&self, quoted: &str, written: bool) -> bool {
        let catalog = &self.known.catalog;
        let known = |name: &Name| {
            catalog.candidates(name).next().is_some() || catalog.functions(name).next().is_some()
        };
        let column = |name: &str| {
            catalog.relations().any(|relation| {
                relation.schema == name || relation.columns.iter().any(|column| column.name == name)
            })
        };
        let qualified = quoted
            .split_once('.')
            .map(|(schema, name)| Name::qualified(schema, name));
        let is_written =
            |text: &str| written && memchr::memmem::find(self.statement, text.as_bytes()).is_some();
        // `relation.column`, where the relation may go by a name that the statement gives it.
        let of_relation = || {
            let Some((relation, column_name)) = quoted.rsplit_once('.') else {
                return false;
            };
            let name = match relation.split_once('.') {
                Some((schema, name)) => Name::qualified(schema, name),
                None => Name::bare(relation),
            };
            let has = |it: &Relation| it.columns.iter().any(|it| it.name == column_name);
            catalog.candidates(&name).any(has) || is_written(relation) && column(column_name)
        };
        is_written(quoted)
            || quoted == ADVISED
            || written && self.has_in_capitals(quoted)
            || known(&Name::bare(quoted))
            || qualified.is_some_and(|name| known(&name))
            || column(quoted)
            || of_relation()
    }
}

/// A ParameterStatus as it may be shown, or without its value where that is `withheld`; `None` where it may be shown as it came.
///
/// # Errors
/// [`Malformed`]
pub fn mask_parameter_status(
    frame: &Frame,
    masks: &Masks,
    withheld: bool,
    findings: &mut Findings,
) -> Result<Option<Bytes>, Malformed> {
    let mut body = Reader::new(&frame.body);
    let (name, value) = (body.cstr()?, body.cstr()?);
    body.end()?;
    let place = findings.place("parameter_status");
    findings.enter(place);
    let masked = if withheld {
        findings.record_withheld(&plan::uninspected(), "lineage");
        Some(Bytes::from_static(WITHHELD))
    } else {
        free_text(&masks.for_chosen().text, &value, findings)
    };
    Ok(masked.map(|value| {
        let mut out = BytesMut::new();
        write::parameter_status(&mut out, &name, &value);
        out.freeze()
    }))
}

pub(super) fn free_text(masker: &Masker, text: &[u8], findings: &mut Findings) -> Option<Bytes> {
    let mut out = Vec::new();
    let outcome = masker.mask_text(Hint::NONE, text, &mut out, findings);
    replacement(outcome, out)
}

fn replacement(outcome: Outcome, masked: Vec<u8>) -> Option<Bytes> {
    match outcome {
        Outcome::Clean => None,
        Outcome::Masked => Some(masked.into()),
        Outcome::Null | Outcome::Withheld => Some(Bytes::from_static(WITHHELD)),
    }
}
