//! One value: which way of looking at it fits its type, its format and its column's rule.

use std::borrow::Cow;
use std::sync::Arc;

use mask::{Findings, Hint, Masker, Outcome, Place, Strategy};
use model::DataClass;
use sql::postgres::{BaseColumn, BaseColumns, Document, Members, OfClass};

use super::document::document;
use super::{RowError, binary, json, numeric, replaced, text, typed};
use crate::postgres::catalog::{Form, Plain};
use crate::postgres::known::Known;
use crate::postgres::settings::Masks;
use crate::postgres::wire::Format;

/// Values within values are followed so deep; what is deeper is withheld.
pub(super) const DEPTH_MAX: u8 = 16;

/// What a column's values are held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rule {
    Pass,
    Scan,
    /// Made of values of these classes, which are all revealed: as `Scan`, and counted for each.
    Shown(Arc<[DataClass]>),
    Declared(DataClass),
    /// The same of columns whose values tell themselves apart by their length (truth values, numbers, labels): where one stands as text,
    /// nothing of it is shown.
    Measured(DataClass),
    /// JSON of which some members are declared.
    Members(Arc<Members>),
    /// JSON, or text with JSON, of which some places are declared.
    Document(Arc<Document>),
    /// A row, or an array of such rows, each of whose fields is held to this.
    Fields(Arc<[Rule]>),
    /// Computed of values of these classes: NULL, whatever it is.
    Computed(Arc<[DataClass]>),
}

impl Rule {
    /// Whether values are counted that no detector finds, so that equal ones must be written alike.
    fn commits(&self) -> bool {
        matches!(self, Self::Declared(_) | Self::Measured(_) | Self::Shown(_))
    }

    /// What the fields of a row of a known type are held to, each of which has a form of its own.
    fn of_fields(&self) -> Cow<'_, Self> {
        match self {
            Self::Measured(class) => Cow::Owned(Self::Declared(class.clone())),
            rule => Cow::Borrowed(rule),
        }
    }

    /// The form of a value of which nothing else is known.
    fn form(&self) -> Form {
        match self {
            Self::Members(_) | Self::Document(_) => Form::Json,
            Self::Fields(_) => Form::Record,
            _ => Form::Unknown,
        }
    }
}

/// A column of an answer.
#[derive(Debug)]
pub(super) struct Column {
    /// As it may be shown.
    pub(super) name: String,
    /// The name of its place.
    pub(super) label: String,
    pub(super) place: Place,
    /// Of which declared columns something is in its values.
    pub(super) of: BaseColumns,
    pub(super) hint: Hint,
    pub(super) rule: Rule,
    pub(super) form: Form,
    pub(super) format: Format,
    /// Whether the client may have chosen some of its values.
    pub(super) chosen: bool,
}

impl Column {
    pub(super) fn passes(&self) -> bool {
        self.rule == Rule::Pass
    }

    /// Whether a text that stands in it is shown as it is.
    pub(super) fn shows(&self, cells: &Cells, text: &str) -> bool {
        match self.rule {
            Rule::Pass => true,
            Rule::Scan | Rule::Shown(_) => {
                let (mut out, mut unused) = (Vec::new(), Findings::counting());
                let masker = &cells.masks.text;
                let outcome = masker.mask_text(self.hint, text.as_bytes(), &mut out, &mut unused);
                outcome == Outcome::Clean
            }
            _ => false,
        }
    }

    pub(super) fn withheld_value(&self) -> RowError {
        let message = format!(
            "a value of column \"{}\" holds protected data that this target withholds, or cannot be inspected: \
             leave the column out, or ask for its text format",
            self.name
        );
        RowError::withheld(message, Vec::new())
    }
}

/// What looking at values needs.
#[derive(Debug)]
pub(super) struct Cells {
    known: Arc<Known>,
    masks: Masks,
    /// Values in columns of chosen ones are looked at so, where it is otherwise.
    chosen: Option<Box<Cells>>,
}

/// How to look at one value, and at the values within it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) rule: &'a Rule,
    pub(super) hint: Hint,
    pub(super) depth: u8,
}

impl<'a> Look<'a> {
    /// The same by another rule.
    fn held_to<'b>(self, rule: &'b Rule) -> Look<'b> {
        Look {
            rule,
            hint: self.hint,
            depth: self.depth,
        }
    }

    pub(super) fn deeper(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }

    /// Whether a value of a form would stand as text that tells it by its length.
    fn shows_length(self, form: Form) -> bool {
        let is_text = matches!(form, Form::Text | Form::VersionedText | Form::Unknown);
        is_text && matches!(self.rule, Rule::Measured(_))
    }

    /// How to look at the fields of a row that has so many; `None` where it should have others.
    pub(super) fn fields(self, count: usize) -> Option<impl Fn(usize) -> Self> {
        let rules: Option<&'a [Rule]> = match self.rule {
            Rule::Fields(rules) => Some(rules),
            _ => None,
        };
        if rules.is_some_and(|rules| rules.len() != count) {
            return None;
        }
        Some(move |index| Self {
            rule: rules
                .and_then(|rules| rules.get(index))
                .unwrap_or(self.rule),
            ..self
        })
    }
}

impl Cells {
    pub(super) fn new(known: Arc<Known>, masks: Masks) -> Self {
        let chosen = masks.for_chosen();
        let chosen = (!std::ptr::eq(chosen, &masks)).then(|| {
            Box::new(Self {
                known: Arc::clone(&known),
                masks: chosen.clone(),
                chosen: None,
            })
        });
        Self {
            known,
            masks,
            chosen,
        }
    }

    pub(super) fn masks(&self) -> &Masks {
        &self.masks
    }

    /// `schema.table.column`, if the catalog has it.
    pub(super) fn origin(&self, relation: u32, number: i16) -> Option<String> {
        let relation = self.known.catalog.relation_by_oid(relation)?;
        let column = relation.columns.iter().find(|c| c.number == number)?;
        Some(format!(
            "{}.{}.{}",
            relation.schema, relation.name, column.name
        ))
    }

    /// A name as it may stand in a message or fact: an alias can be made of anything.
    pub(super) fn readable(&self, name: &str) -> String {
        let mut out = Vec::new();
        let mut unused = Findings::counting();
        let masker = &self.masks.for_chosen().text;
        match masker.mask_text(Hint::NONE, name.as_bytes(), &mut out, &mut unused) {
            Outcome::Clean => name.to_owned(),
            Outcome::Masked => String::from_utf8_lossy(&out).into_owned(),
            Outcome::Null | Outcome::Withheld => "?".to_owned(),
        }
    }

    pub(super) fn form(&self, oid: u32) -> Form {
        self.known.types.form(oid)
    }

    /// How values are held that are of one class.
    pub(super) fn declared(&self, of: &OfClass) -> Rule {
        let class = of.class().clone();
        match self.tells_by_length(of) {
            true => Rule::Measured(class),
            false => Rule::Declared(class),
        }
    }

    /// Whether values of a class are of a type whose values tell themselves apart by their length: truth values, numbers, labels.
    pub(super) fn tells_by_length(&self, of: &OfClass) -> bool {
        let mut kinds = of.columns().iter().filter_map(BaseColumn::kind);
        kinds.any(|kind| self.varies(self.form(kind.oid), DEPTH_MAX))
    }

    fn varies(&self, form: Form, depth: u8) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return true;
        };
        match form {
            Form::Plain(plain) => plain != Plain::Date,
            Form::Array(element) => self.varies(self.form(element), depth),
            Form::Composite(oid) => {
                let fields = self.known.types.fields(oid).unwrap_or_default();
                fields
                    .iter()
                    .any(|kind| self.varies(self.form(*kind), depth))
            }
            Form::Int2
            | Form::Int4
            | Form::Int8
            | Form::Numeric
            | Form::Float8
            | Form::Floats(_)
            | Form::Money
            | Form::Enum
            | Form::Range(_)
            | Form::Multirange(_)
            | Form::Opaque => true,
            Form::Text
            | Form::Json
            | Form::Jsonb
            | Form::VersionedText
            | Form::Name
            | Form::Uuid
            | Form::Bytea
            | Form::Record
            | Form::Raw
            | Form::Unknown => false,
        }
    }

    /// Whether values of a type need not be read. An integer of 32 bits is no card number; it may be an SSN or bank code
    /// without its zeros and dashes, which the detectors take for one only where the column's name says so, and anything
    /// that configuration defines.
    pub(super) fn passes(&self, form: Form, hint: Hint, format: Format) -> bool {
        let masker = &self.masks.text;
        match form {
            Form::Plain(Plain::Date | Plain::Timestamp | Plain::TimestampTz) => {
                !masker.seeks_birthdays(hint) && !masker.has_own()
            }
            Form::Plain(Plain::Address) => !masker.seeks_addresses() && !masker.has_own(),
            Form::Plain(_) | Form::Uuid | Form::Int2 => !masker.has_own(),
            Form::Int4 => hint == Hint::NONE && !masker.has_own(),
            Form::Name => format == Format::Binary,
            Form::Array(element) | Form::Range(element) | Form::Multirange(element) => {
                let element = self.form(element);
                let flat = matches!(
                    element,
                    Form::Plain(_) | Form::Uuid | Form::Int2 | Form::Int4 | Form::Name
                );
                flat && self.passes(element, hint, format)
            }
            _ => false,
        }
    }

    /// Whether values of a type can be read in binary. What the fields of a row hold, each row tells.
    pub(super) fn is_readable(&self, form: Form) -> bool {
        match form {
            Form::Unknown | Form::Opaque => false,
            Form::Array(element) | Form::Range(element) | Form::Multirange(element) => {
                !matches!(self.form(element), Form::Unknown | Form::Opaque)
            }
            _ => true,
        }
    }

    /// Looks at a value of a column. With [`Outcome::Masked`] what replaces it was appended to `out`.
    pub(super) fn look(
        &self,
        column: &Column,
        value: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        if column.chosen
            && let Some(cells) = &self.chosen
        {
            return cells.look_at(column, value, out, findings);
        }
        self.look_at(column, value, out, findings)
    }

    fn look_at(
        &self,
        column: &Column,
        value: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        findings.enter(column.place);
        if let Rule::Computed(classes) = &column.rule {
            return self.nothing(classes, value, findings);
        }
        let look = Look {
            rule: &column.rule,
            hint: column.hint,
            depth: 0,
        };
        let outcome = match column.format {
            Format::Text => self.text(column.form, look, value, out, findings),
            Format::Binary => self.binary(column.form, look, value, out, findings),
        };
        match outcome {
            Outcome::Withheld if self.masks.open => Outcome::Clean,
            outcome => outcome,
        }
    }

    /// NULL in place of a value that is computed of these classes, and counted for each.
    fn nothing(&self, classes: &[DataClass], value: &[u8], findings: &mut Findings) -> Outcome {
        let mut unused = Vec::new();
        for class in classes {
            let masker = &self.masks.typed;
            let _: Outcome = masker.mask_declared(class, value, &mut unused, findings);
        }
        Outcome::Null
    }

    pub(super) fn text(
        &self,
        form: Form,
        look: Look<'_>,
        value: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        if look.depth > DEPTH_MAX {
            return Outcome::Withheld;
        }
        if self.replaced(form, Format::Text, look, value, out, findings) {
            return Outcome::Masked;
        }
        if look.shows_length(form) {
            return self.typed(look, value, findings);
        }
        match form {
            Form::Text => self.free(look, value, out, findings),
            Form::VersionedText | Form::Unknown => {
                mask(&self.masks.text, look, value, out, findings)
            }
            // In quotes any text may stand; what these would be without is not any text.
            Form::Record | Form::Raw => match look.rule {
                Rule::Fields(rules) if form == Form::Record => {
                    let forms = rules.iter().map(Rule::form);
                    text::row(self, forms, look, value, out, findings)
                }
                Rule::Pass | Rule::Scan | Rule::Shown(_) => {
                    mask(&self.masks.text, look, value, out, findings)
                }
                _ => self.typed(look, value, findings),
            },
            Form::Composite(oid) => {
                let fields = self.known.types.fields(oid).unwrap_or_default();
                let forms = fields.iter().map(|kind| self.form(*kind));
                let rule = look.rule.of_fields();
                let look = look.held_to(&rule);
                text::row(self, forms, look, value, out, findings)
            }
            Form::Json | Form::Jsonb => json::json(self, look, value, out, findings),
            Form::Bytea => text::bytea(self, look, value, out, findings),
            Form::Array(element) => {
                let element = self.form(element);
                text::array(self, element, look, value, out, findings)
            }
            Form::Float8 | Form::Floats(_) => {
                self.typed(look, &numeric::without_exponents(value), findings)
            }
            Form::Int2 | Form::Int4 | Form::Int8 | Form::Numeric => {
                self.number(form, Format::Text, look, value, out, findings)
            }
            Form::Uuid => self.uuid(Format::Text, look, value, out, findings),
            Form::Plain(_) | Form::Money | Form::Range(_) | Form::Multirange(_)
                if look.rule.commits() =>
            {
                let written = typed::written(self, form, Format::Text, value);
                self.typed(look, &written, findings)
            }
            Form::Plain(_)
            | Form::Money
            | Form::Enum
            | Form::Name
            | Form::Range(_)
            | Form::Multirange(_)
            | Form::Opaque => self.typed(look, value, findings),
        }
    }

    pub(super) fn binary(
        &self,
        form: Form,
        look: Look<'_>,
        value: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        if look.depth > DEPTH_MAX {
            return Outcome::Withheld;
        }
        if self.replaced(form, Format::Binary, look, value, out, findings) {
            return Outcome::Masked;
        }
        if look.shows_length(form) {
            return self.typed(look, value, findings);
        }
        match form {
            Form::Text => self.free(look, value, out, findings),
            Form::Bytea => mask(&self.masks.text, look, value, out, findings),
            Form::Json => json::json(self, look, value, out, findings),
            Form::Jsonb | Form::VersionedText => {
                let Some((version, text)) = value.split_first() else {
                    return Outcome::Withheld;
                };
                let before = out.len();
                out.push(*version);
                let outcome = match form {
                    Form::Jsonb => json::json(self, look, text, out, findings),
                    _ => mask(&self.masks.text, look, text, out, findings),
                };
                if outcome != Outcome::Masked {
                    out.truncate(before);
                }
                outcome
            }
            Form::Array(_) => binary::array(self, look, value, out, findings),
            Form::Record => binary::record(self, look, value, out, findings),
            Form::Composite(_) => {
                let rule = look.rule.of_fields();
                binary::record(self, look.held_to(&rule), value, out, findings)
            }
            Form::Plain(_) | Form::Range(_) | Form::Multirange(_) if look.rule.commits() => {
                let written = typed::written(self, form, Format::Binary, value);
                self.typed(look, &written, findings)
            }
            Form::Range(element) => binary::range(self, element, look, value, findings),
            Form::Multirange(element) => binary::multirange(self, element, look, value, findings),
            Form::Plain(_) | Form::Name => match look.rule {
                Rule::Pass => Outcome::Clean,
                Rule::Scan if self.passes(form, look.hint, Format::Binary) => Outcome::Clean,
                _ => {
                    let written = typed::written(self, form, Format::Binary, value);
                    self.typed(look, &written, findings)
                }
            },
            Form::Uuid => self.uuid(Format::Binary, look, value, out, findings),
            Form::Int2
            | Form::Int4
            | Form::Int8
            | Form::Money
            | Form::Float8
            | Form::Floats(_)
            | Form::Numeric => match typed::from_binary(self, form, value) {
                Some(written) => self.number(form, Format::Binary, look, &written, out, findings),
                None => Outcome::Withheld,
            },
            Form::Raw | Form::Enum => self.typed(look, value, findings),
            Form::Unknown | Form::Opaque => Outcome::Withheld,
        }
    }

    /// Text, which may be JSON of which some places are declared.
    fn free(
        &self,
        look: Look<'_>,
        value: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        match look.rule {
            Rule::Document(places) => document(self, places, look, value, out, findings),
            _ => mask(&self.masks.text, look, value, out, findings),
        }
    }

    /// A number, here in text: another one where the strategy keeps the form and there can be one, otherwise as
    /// [`Cells::typed`].
    fn number(
        &self,
        form: Form,
        format: Format,
        look: Look<'_>,
        value: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        let masker = match form {
            Form::Int2 | Form::Int4 | Form::Int8 | Form::Numeric => &self.masks.number,
            _ => &self.masks.typed,
        };
        let mut masked = Vec::new();
        match mask(masker, look, value, &mut masked, findings) {
            Outcome::Masked => match numeric::read(form, format, &masked, out) {
                Some(()) => Outcome::Masked,
                None => Outcome::Null,
            },
            outcome => outcome,
        }
    }

    /// Another value of the type with strategies that put something else in a value's place; whether there is one.
    fn replaced(
        &self,
        form: Form,
        format: Format,
        look: Look<'_>,
        value: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> bool {
        let (Rule::Declared(class) | Rule::Measured(class)) = look.rule else {
            return false;
        };
        let replaces = matches!(
            self.masks.text.strategy(class),
            Some(Strategy::Hash | Strategy::Format)
        );
        replaces && replaced::replaced(self, (form, format), class, value, out, findings).is_some()
    }

    /// A UUID: another one with strategies that put something else in a value's place, otherwise as [`Cells::typed`].
    fn uuid(
        &self,
        format: Format,
        look: Look<'_>,
        value: &[u8],
        out: &mut Vec<u8>,
        findings: &mut Findings,
    ) -> Outcome {
        let class = match look.rule {
            Rule::Pass => return Outcome::Clean,
            Rule::Scan if self.passes(Form::Uuid, look.hint, format) => return Outcome::Clean,
            Rule::Members(_) | Rule::Document(_) | Rule::Fields(_) | Rule::Computed(_) => {
                return Outcome::Withheld;
            }
            Rule::Scan | Rule::Shown(_) => None,
            Rule::Declared(class) | Rule::Measured(class) => Some(class),
        };
        let text = match format {
            Format::Text => value.to_vec(),
            Format::Binary => uuid_text(value),
        };
        let masked = class.and_then(|class| self.masks.text.mask_uuid(class, &text, findings));
        let Some(uuid) = masked else {
            return self.typed(look, &text, findings);
        };
        match format {
            Format::Text => out.extend(uuid_text(&uuid)),
            Format::Binary => out.extend_from_slice(&uuid),
        }
        Outcome::Masked
    }

    /// A value that cannot hold `*`: clean, NULL or withheld.
    pub(super) fn typed(&self, look: Look<'_>, value: &[u8], findings: &mut Findings) -> Outcome {
        let mut unused = Vec::new();
        match mask(&self.masks.typed, look, value, &mut unused, findings) {
            Outcome::Masked => Outcome::Null,
            outcome => outcome,
        }
    }
}

pub(super) fn uuid_text(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push(b'-');
        }
        text.extend(hex::encode([*byte]).into_bytes());
    }
    text
}

/// Masks text as the rule says.
pub(super) fn mask(
    masker: &Masker,
    look: Look<'_>,
    value: &[u8],
    out: &mut Vec<u8>,
    findings: &mut Findings,
) -> Outcome {
    match look.rule {
        Rule::Pass => Outcome::Clean,
        Rule::Scan => masker.mask_text(look.hint, value, out, findings),
        Rule::Shown(classes) => {
            for class in classes.iter() {
                masker.count_revealed(class, value, findings);
            }
            masker.mask_text(look.hint, value, out, findings)
        }
        Rule::Declared(class) | Rule::Measured(class) => {
            masker.mask_declared(class, value, out, findings)
        }
        // Only JSON has members and only rows have fields, and they are read by them; what is computed is not read.
        Rule::Members(_) | Rule::Document(_) | Rule::Fields(_) | Rule::Computed(_) => {
            Outcome::Withheld
        }
    }
}

/// The worse of two outcomes of values that stand within one.
pub(super) fn worse(one: Outcome, other: Outcome) -> Outcome {
    let rank = |outcome| match outcome {
        Outcome::Clean => 0,
        Outcome::Masked => 1,
        Outcome::Null => 2,
        Outcome::Withheld => 3,
    };
    if rank(one) >= rank(other) { one } else { other }
}
