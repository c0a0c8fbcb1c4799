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

use model::{BadJsonPath, JsonPath};

pub use model::Step;

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

/// A name that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// A path of JSON.
    #[error(transparent)]
    Json(#[from] BadJsonPath),
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
                    Ok(Self::At(JsonPath::try_from(text)?.into_steps()))
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

fn xml(rest: &str) -> Option<Vec<Step>> {
    let names: Vec<&str> = rest.split('/').collect();
    let (last, around) = names.split_last()?;
    let plain = |name: &&str| !name.is_empty() && !name.contains(['@', '[', ':']);
    let bare = last.strip_prefix('@').unwrap_or(last);
    (around.iter().all(plain) && plain(&bare)).then(|| names.into_iter().map(Step::named).collect())
}
