//! From a statement and what the server reports of its columns to a plan.

use std::sync::Arc;

use mask::{Findings, Hint, Masker, Strategy};
use model::{DataClass, MaskFact};
use sql::postgres::{
    BaseColumn, BaseColumns, FieldOrigin, Kind, OutputRule, Resolved, Taint, Withheld,
};

use super::cell::{Cells, Column, Rule};
use super::tuple::Tuples;
use super::{RowError, RowPlan};
use crate::postgres::catalog::{Form, Plain};
use crate::postgres::known::Known;
use crate::postgres::settings::Masks;
use crate::postgres::wire::{Field, Format};

impl RowPlan {
    /// Plans an answer with these columns.
    ///
    /// `formats` are the result formats of Bind, where the description came from Describe of a statement and so does not
    /// tell them. The columns become places of `findings`, which every row must be given.
    ///
    /// # Errors
    /// [`RowError::Refused`] where a column cannot be shown; it names the column and what to do.
    pub fn new(
        fields: &[Field],
        resolved: &Resolved,
        known: &Arc<Known>,
        masks: &Masks,
        formats: Option<&[Format]>,
        findings: &mut Findings,
    ) -> Result<Self, RowError> {
        let cells = Cells::new(Arc::clone(known), masks.clone());
        let origins: Vec<FieldOrigin> = fields
            .iter()
            .map(|field| FieldOrigin {
                table_oid: field.relation,
                column: field.attribute,
            })
            .collect();
        let rules = resolved.rules(&origins, &known.catalog, &known.protected);
        let mut columns = Vec::with_capacity(fields.len());
        for (index, (field, rule)) in fields.iter().zip(rules).enumerate() {
            let format = formats.map_or(field.format, |formats| Format::pick(formats, index));
            let source = Source {
                name: String::from_utf8_lossy(&field.name).into_owned(),
                origin: Some((field.relation, field.attribute)),
                form: known.types.form(field.kind),
                format,
            };
            columns.push(column(&cells, source, rule, findings)?);
        }
        only_computed(&columns)?;
        Ok(Self {
            tuples: Tuples::new(cells, columns),
            message: Vec::new(),
        })
    }
}

/// What is known of a column before anything is decided.
pub(super) struct Source {
    pub(super) name: String,
    /// Relation and attribute.
    pub(super) origin: Option<(u32, i16)>,
    pub(super) form: Form,
    pub(super) format: Format,
}

/// Decides about a column.
pub(super) fn column(
    cells: &Cells,
    source: Source,
    rule: OutputRule,
    findings: &mut Findings,
) -> Result<Column, RowError> {
    let Source {
        name,
        origin,
        form,
        format,
    } = source;
    let name = cells.readable(&name);
    let is_stored = origin.is_some_and(|(relation, _)| relation >= FIRST_NORMAL_OID);
    let origin = origin.and_then(|(relation, number)| cells.origin(relation, number));
    let place = origin.clone().unwrap_or_else(|| name.clone());
    let masker = &cells.masks().text;
    let hint = match &origin {
        // A table of births has days that are nobody's birthday.
        Some(origin) if is_day(cells, form) => {
            let (_, column) = origin.rsplit_once('.').unwrap_or(("", origin));
            masker.hint(column)
        }
        Some(origin) if masker.hint(origin) != Hint::NONE => masker.hint(origin),
        _ => masker.hint(&name),
    };
    let rule = if !fits(cells, form, &rule) {
        OutputRule::Withheld(Withheld::Derived(columns_of(&rule)))
    } else if tells_by_length(cells, form, &rule) {
        OutputRule::Computed(columns_of(&rule))
    } else {
        rule
    };
    let of = columns_of(&rule);
    let chosen = may_be_chosen(&rule, is_stored);
    let rule = decided(cells, &name, &place, rule)?;
    let unreadable =
        format == Format::Binary && !matches!(rule, Rule::Computed(_)) && !cells.is_readable(form);
    if unreadable && !cells.masks().open {
        let message = format!(
            "column \"{name}\" has a type whose binary format cannot be inspected: ask for the text format, \
             or cast it to text"
        );
        return Err(RowError::withheld(
            message,
            facts(&[uninspected()], &place, &of),
        ));
    }
    let rule = match rule {
        _ if unreadable => Rule::Pass,
        Rule::Scan if cells.passes(form, hint, format) => Rule::Pass,
        rule => rule,
    };
    Ok(Column {
        place: findings.column(&place, named(&place, &of)),
        label: place,
        of,
        name,
        hint,
        rule,
        form,
        format,
        chosen,
    })
}

/// Relations with lower numbers are the server's own (`FirstNormalObjectId`): its views show settings and the texts of statements.
const FIRST_NORMAL_OID: u32 = 16_384;

/// Whether a statement may have put values of its own beside those that a rule is for, or in their place.
fn may_be_chosen(rule: &OutputRule, is_stored: bool) -> bool {
    match rule {
        OutputRule::Declared(of) => of.is_mixed(),
        OutputRule::Document(document) => document.is_mixed(),
        // Any JSON within may have members of these names.
        OutputRule::Members(_) => true,
        OutputRule::Clear
        | OutputRule::Fields(_)
        | OutputRule::Computed(_)
        | OutputRule::Withheld(_) => !is_stored,
    }
}

/// Whether values of a form are days, or moments.
fn is_day(cells: &Cells, form: Form) -> bool {
    match form {
        Form::Plain(plain) => matches!(plain, Plain::Date | Plain::Timestamp | Plain::TimestampTz),
        Form::Array(element) | Form::Range(element) | Form::Multirange(element) => {
            matches!(cells.form(element), Form::Plain(_)) && is_day(cells, cells.form(element))
        }
        _ => false,
    }
}

/// Whether values of a form can be looked at as the rule says: in others the names, or places, are lost.
fn fits(cells: &Cells, form: Form, rule: &OutputRule) -> bool {
    let form = match form {
        Form::Array(element) => cells.form(element),
        form => form,
    };
    match rule {
        OutputRule::Members(_) => matches!(form, Form::Json | Form::Jsonb),
        OutputRule::Document(_) => matches!(form, Form::Json | Form::Jsonb | Form::Text),
        OutputRule::Fields(_) => matches!(form, Form::Record | Form::Composite(_)),
        _ => true,
    }
}

/// Whether values stand as text, in which their length tells them.
fn tells_by_length(cells: &Cells, form: Form, rule: &OutputRule) -> bool {
    let form = match form {
        Form::Array(element) => cells.form(element),
        form => form,
    };
    // What COPY of a query writes has no form that anybody tells.
    matches!(form, Form::Text | Form::VersionedText | Form::Unknown)
        && matches!(rule, OutputRule::Declared(of) if cells.tells_by_length(of))
}

/// The declared columns of which something is in the values that a rule is for.
fn columns_of(rule: &OutputRule) -> BaseColumns {
    match rule {
        OutputRule::Declared(of) => of.columns().clone(),
        OutputRule::Members(members) => Taint::from(Kind::Members(Arc::clone(members))).columns(),
        OutputRule::Document(document) => document.columns().clone(),
        OutputRule::Fields(fields) => fields
            .iter()
            .flat_map(|field| columns_of(field).iter().cloned().collect::<Vec<_>>())
            .collect(),
        OutputRule::Computed(of) | OutputRule::Withheld(Withheld::Derived(of)) => of.clone(),
        OutputRule::Clear | OutputRule::Withheld(_) => BaseColumns::NONE,
    }
}

/// The columns for a fact, with their classes: none where its place names it already.
fn named(place: &str, of: &BaseColumns) -> Vec<(DataClass, String)> {
    let named = |column: &BaseColumn| (column.class().clone(), column.name().to_owned());
    let columns: Vec<_> = of.iter().map(named).collect();
    match columns.as_slice() {
        [(_, name)] if name == place => Vec::new(),
        _ => columns,
    }
}

fn decided(cells: &Cells, name: &str, place: &str, rule: OutputRule) -> Result<Rule, RowError> {
    let masker = &cells.masks().text;
    match rule {
        OutputRule::Clear => Ok(Rule::Scan),
        OutputRule::Declared(of) => {
            shown(masker, name, place, of.class(), of.columns())?;
            Ok(cells.declared(&of))
        }
        OutputRule::Members(members) => {
            let of = columns_of(&OutputRule::Members(Arc::clone(&members)));
            for class in &of.classes() {
                shown(masker, name, place, class, &of)?;
            }
            Ok(Rule::Members(members))
        }
        OutputRule::Document(document) => {
            let of = document.columns();
            for class in &of.classes() {
                shown(masker, name, place, class, of)?;
            }
            Ok(Rule::Document(document))
        }
        OutputRule::Fields(fields) => {
            let fields = fields.iter().cloned();
            let rules = fields.map(|field| decided(cells, name, place, field));
            Ok(Rule::Fields(rules.collect::<Result<_, _>>()?))
        }
        OutputRule::Computed(of) => {
            let hidden = hidden(masker, &of);
            for class in &hidden {
                shown(masker, name, place, class, &of)?;
            }
            Ok(match hidden.is_empty() {
                true => revealed(&of),
                false => Rule::Computed(hidden.into()),
            })
        }
        OutputRule::Withheld(Withheld::Derived(of)) => {
            let hidden = hidden(masker, &of);
            if hidden.is_empty() {
                return Ok(revealed(&of));
            }
            Err(computed(name, place, &hidden, &of))
        }
        OutputRule::Withheld(_) if cells.masks().open => Ok(Rule::Scan),
        OutputRule::Withheld(why) => {
            let message = format!("column \"{name}\" is withheld: {why}");
            let nothing = BaseColumns::NONE;
            Err(RowError::withheld(
                message,
                facts(&[uninspected()], place, &nothing),
            ))
        }
    }
}

/// Those of the columns' classes that are not revealed.
fn hidden(masker: &Masker, of: &BaseColumns) -> Vec<DataClass> {
    let classes = of.classes().into_iter();
    classes.filter(|class| masker.masks(class)).collect()
}

/// What is made of columns whose classes are all revealed.
fn revealed(of: &BaseColumns) -> Rule {
    match of.is_empty() {
        true => Rule::Scan,
        false => Rule::Shown(of.classes().into_iter().collect()),
    }
}

fn computed(name: &str, place: &str, hidden: &[DataClass], of: &BaseColumns) -> RowError {
    let names = hidden.iter().map(DataClass::name).collect::<Vec<_>>();
    let names = names.join(", ");
    let columns = of.of(hidden);
    let message = format!(
        "column \"{name}\" is computed from protected data ({columns}) and cannot be shown masked: \
         select the column itself, or ask for the reveal of {names}"
    );
    RowError::withheld(message, facts(hidden, place, of))
}

/// An answer of which nothing would be left is refused, with the reason.
fn only_computed(columns: &[Column]) -> Result<(), RowError> {
    let mut nothing = None;
    for column in columns {
        let Rule::Computed(hidden) = &column.rule else {
            return Ok(());
        };
        nothing = nothing.or(Some((column, hidden)));
    }
    nothing.map_or(Ok(()), |(column, hidden)| {
        Err(computed(&column.name, &column.label, hidden, &column.of))
    })
}

/// Whether values of a class are shown at all, masked or not.
fn shown(
    masker: &Masker,
    name: &str,
    place: &str,
    class: &DataClass,
    of: &BaseColumns,
) -> Result<(), RowError> {
    if masker.strategy(class) != Some(Strategy::Withhold) {
        return Ok(());
    }
    let message = format!(
        "column \"{name}\" holds {class}, which this target withholds: leave it out, or ask for the reveal of {class}"
    );
    Err(RowError::withheld(
        message,
        facts(std::slice::from_ref(class), place, of),
    ))
}

/// The class under which is counted what nobody could read.
pub(super) fn uninspected() -> DataClass {
    DataClass::try_from("uninspected".to_owned()).unwrap_or(DataClass::PAN)
}

fn facts(classes: &[DataClass], place: &str, of: &BaseColumns) -> Vec<MaskFact> {
    let named = named(place, of);
    let fact = |class: &DataClass| MaskFact {
        columns: mask::of_class(&named, class),
        class: class.clone(),
        rule: "lineage".to_owned(),
        place: place.to_owned(),
        strategy: Strategy::Withhold.name().to_owned(),
        count: 1,
        commitments: Vec::new(),
    };
    classes.iter().map(fact).collect()
}
