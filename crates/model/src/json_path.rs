//! Plain paths of JSON values, as configuration writes them.

use std::fmt;

/// Steps of a path at most.
const STEPS_MAX: usize = 64;

/// A path of JSON values: a JSONPath (RFC 9535) of names alone, such as `$.customer.email`, `$.items[*].code` or `$['odd name']`.
/// Arrays on the way take no step: the path goes on in each of their items, and `[*]` says nothing more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct JsonPath(Vec<Step>);

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// To what is called so.
    To(String),
    /// To everything.
    Any,
}

/// A text that is no path of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no path: write one like $.customer.email, $.items[*].code or $['odd name']")]
pub struct BadJsonPath;

impl Step {
    /// A step by a name in a path, `*` for any.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "*" => Self::Any,
            name => Self::To(name.to_owned()),
        }
    }

    /// Whether it goes to a member of this name.
    #[must_use]
    pub fn goes_to(&self, name: &str) -> bool {
        match self {
            Self::To(to) => to == name,
            Self::Any => true,
        }
    }
}

impl JsonPath {
    /// Its steps, of which there is one at least.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The same, without the path.
    #[must_use]
    pub fn into_steps(self) -> Vec<Step> {
        self.0
    }
}

impl TryFrom<&str> for JsonPath {
    type Error = BadJsonPath;

    fn try_from(text: &str) -> Result<Self, BadJsonPath> {
        let steps = text.strip_prefix('$').and_then(steps);
        let steps = steps.filter(|it| (1..=STEPS_MAX).contains(&it.len()));
        steps.map(Self).ok_or(BadJsonPath)
    }
}

impl fmt::Display for JsonPath {
    /// In the form that it is read in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        self.0.iter().try_for_each(|step| match step {
            Step::Any => f.write_str(".*"),
            Step::To(name) if name.contains('\'') => write!(f, "[\"{name}\"]"),
            Step::To(name) if name == "*" || name.is_empty() || name.contains(['.', '[']) => {
                write!(f, "['{name}']")
            }
            Step::To(name) => write!(f, ".{name}"),
        })
    }
}

/// The steps behind the `$`.
fn steps(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at_checked(end)?;
            if name.is_empty() {
                return None;
            }
            steps.push(Step::named(name));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_it_is_read() {
        for text in [
            "$.a",
            "$.a.b.*.c",
            "$['odd.name'].b",
            "$['*']",
            "$[\"it's\"]",
            "$['']",
        ] {
            let path = JsonPath::try_from(text).unwrap();
            assert_eq!(path.to_string(), text);
        }
        let arrays = JsonPath::try_from("$[*].a[*].b").unwrap();
        assert_eq!(arrays.to_string(), "$.a.b");
    }

    #[test]
    fn what_is_no_path_of_names_is_refused() {
        let long = format!("${}", ".a".repeat(65));
        for text in [
            "", "a", "$", "$.", "$..a", "$.a[", "$.a[0]", "$[a]", "$['a]", "$['a'", "$a", "$[*]",
            &long,
        ] {
            assert_eq!(JsonPath::try_from(text), Err(BadJsonPath), "{text}");
        }
    }
}
