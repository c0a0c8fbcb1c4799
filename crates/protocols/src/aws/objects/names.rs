//! The names by which values in an object are declared.
//!
//! ```text
//! email                 a column, or a member or element of that name wherever it stands
//! 3                     the third column, where CSV has no header
//! $.customer.email      the member at that path of each JSON value; arrays on the way count for each of their items
//! /order/customer/ssn   the element at that path of an XML document
//! @ssn  /order/@id      attributes
//! *                     any name, in a path
//! ```

use super::Form;

/// Steps of a path at most.
const STEPS_MAX: usize = 64;

/// Which values are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// Those of this name, wherever they stand. An attribute's begins with `@`.
    Anywhere(String),
    /// Those at this path.
    At(Vec<Step>),
    /// Those in this column, from 0.
    Column(usize),
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To what is called so.
    To(String),
    /// To everything.
    Any,
}

/// A name that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// A path of JSON.
    #[error("is no path: write one like $.customer.email, $.items[*].code or $['odd name']")]
    Json,
    /// A path of XML.
    #[error("is no path: write one like /order/customer/ssn or /order/@id")]
    Xml,
    /// A column.
    #[error("is no column: without a header they are numbered from 1")]
    Column,
}

impl Name {
    /// Reads a name of a value in an object of this form.
    ///
    /// # Errors
    /// [`BadName`].
    pub fn read(text: &str, form: Form) -> Result<Self, BadName> {
        match form {
            Form::Csv { header: true, .. } => Ok(Self::Anywhere(text.to_owned())),
            Form::Csv { header: false, .. } => {
                let number = text.parse::<usize>().ok();
                let column = number.and_then(|it| it.checked_sub(1));
                column.map(Self::Column).ok_or(BadName::Column)
            }
            Form::Json => match text.strip_prefix('$') {
                Some(rest) if text == "$" || rest.starts_with(['.', '[']) => {
                    let steps = json(rest).filter(|it| (1..=STEPS_MAX).contains(&it.len()));
                    steps.map(Self::At).ok_or(BadName::Json)
                }
                _ => Ok(Self::Anywhere(text.to_owned())),
            },
            Form::Xml => match text.strip_prefix('/') {
                Some(rest) => {
                    let steps = xml(rest).filter(|it| it.len() <= STEPS_MAX);
                    steps.map(Self::At).ok_or(BadName::Xml)
                }
                None => Ok(Self::Anywhere(text.to_owned())),
            },
        }
    }
}

impl std::fmt::Display for Name {
    /// For people: what was found where.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anywhere(name) => f.write_str(name),
            Self::At(steps) => steps.iter().try_for_each(|step| match step {
                Step::To(name) => write!(f, "/{name}"),
                Step::Any => f.write_str("/*"),
            }),
            Self::Column(column) => write!(f, "column {}", column + 1),
        }
    }
}

fn step(name: &str) -> Step {
    match name {
        "*" => Step::Any,
        name => Step::To(name.to_owned()),
    }
}

/// The steps behind the `$` of a JSONPath (RFC 9535), as far as it is a plain one. Arrays take no step: `[*]` and numbers say
/// nothing more.
fn json(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at_checked(end)?;
            if name.is_empty() {
                return None;
            }
            steps.push(step(name));
            rest = after;
            continue;
        }
        let inner = rest.strip_prefix('[')?;
        if let Some(quote @ ('\'' | '"')) = inner.chars().next() {
            let (name, after) = inner.get(1..)?.split_once(quote)?;
            rest = after.strip_prefix(']')?;
            steps.push(Step::To(name.to_owned()));
        } else {
            let (_, after) = inner.split_once(']').filter(|(it, _)| *it == "*")?;
            rest = after;
        }
    }
    Some(steps)
}

fn xml(rest: &str) -> Option<Vec<Step>> {
    let names: Vec<&str> = rest.split('/').collect();
    let (last, around) = names.split_last()?;
    let plain = |name: &&str| !name.is_empty() && !name.contains(['@', '[', ':']);
    let bare = last.strip_prefix('@').unwrap_or(last);
    (around.iter().all(plain) && plain(&bare)).then(|| names.into_iter().map(step).collect())
}
