//! What is declared of answers: members, and columns of results, that hold a class, whatever they look like; and of which answers
//! that is.
//!
//! All declarations that fit a call count. Where it cannot be told whether one fits (the operation is not known, or what it is done
//! to) it does.

#[cfg(test)]
mod tests;

use model::DataClass;

use super::classify::{Call, Thing};
use super::objects::{Form, Name};
use super::table::{Service, TABLE};

/// What is declared of some answers of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// The service, by its name in botocore or its prefix in policies.
    pub service: String,
    /// The operation; all of them where there is none.
    pub operation: Option<String>,
    /// What it is done to, as policy names it; anything where there is none.
    pub resource: Option<Pattern>,
    /// The members.
    pub members: Vec<(Member, DataClass)>,
    /// The columns of results, by name.
    pub columns: Vec<(String, DataClass)>,
}

/// Which members are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Their name or path.
    pub name: Name,
    /// What a path is one of; `None` for a name, which counts in every form.
    pub form: Option<Form>,
}

/// A text in which each star stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// A declaration that cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswers {
    /// There is no such service.
    #[error("is no service of AWS: write its name as botocore has it, like \"dynamodb\"")]
    Service,
    /// S3 has declarations of its own.
    #[error("is declared otherwise: what stands in S3's objects in [[targets.NAME.objects]]")]
    Objects,
    /// The service has no such operation.
    #[error("is no operation of this service: write its name as the API has it, like \"GetItem\"")]
    Operation,
    /// It is not the name of a resource.
    #[error("is no resource as policy names it: write one like \"{0}:payments\" or \"{0}:pay*\"")]
    Resource(String),
    /// Results are told by an execution's id.
    #[error("is not told by a request for this service's results: leave it out")]
    Unnamed,
    /// It is no path.
    #[error(
        "is no member: write its name, or a path like $.Item.ssn.S (JSON and CBOR) or /Response/Item/Code (XML)"
    )]
    Path,
    /// The service does not answer so.
    #[error("is a path of another form than this service's answers have")]
    Form,
    /// The service has no such results.
    #[error(
        "are not known of this service: columns are those of rds-data, redshift-data and athena"
    )]
    Columns,
}

impl Pattern {
    /// Reads one for what `service` names.
    ///
    /// # Errors
    /// [`BadAnswers`].
    pub fn read(text: &str, service: &str) -> Result<Self, BadAnswers> {
        if matches!(service, "athena" | "redshift-data") {
            return Err(BadAnswers::Unnamed);
        }
        let prefix = services(service).next().map_or(service, |it| it.prefix);
        let named = text.strip_prefix(prefix);
        match named.and_then(|rest| rest.strip_prefix(':')) {
            Some(name) if !name.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(BadAnswers::Resource(prefix.to_owned())),
        }
    }

    /// Whether a text is meant.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let mut parts: Vec<_> = parts.collect();
        let Some(last) = parts.pop() else {
            return rest.is_empty();
        };
        for part in parts {
            let Some((_, after)) = rest.split_once(part) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last)
    }

    /// Whether what a call is done to is meant, or may be.
    fn fits_call(&self, call: &Call) -> bool {
        let named = |name: &str| self.fits(&format!("{}:{name}", call.prefix));
        let meant = |thing: &Thing| match thing {
            // Nothing is named but an account.
            Thing::Named { name, .. } if name.ends_with('/') => true,
            // An account's own things may be told by an ARN where the account is not known.
            Thing::Named { name, .. } => {
                let parts = name.split(['/', ':']).filter(|part| !part.is_empty());
                named(name) || name.starts_with("arn:") && parts.into_iter().any(named)
            }
            _ => false,
        };
        call.things.is_empty() || call.operation.is_none() || call.things.iter().any(meant)
    }
}

impl Member {
    /// Reads a name or path of a member in answers of `service`.
    ///
    /// # Errors
    /// [`BadAnswers`].
    pub fn read(text: &str, service: &str) -> Result<Self, BadAnswers> {
        let form = match text.chars().next() {
            Some('$') => Form::Json,
            Some('/') => Form::Xml,
            // What was meant as a path would fit nothing.
            Some(_) if !text.contains(['.', '*', '[', '/', '@', '$']) => {
                let name = Name::Anywhere(text.to_owned());
                return Ok(Self { name, form: None });
            }
            _ => return Err(BadAnswers::Path),
        };
        let name = Name::read(text, form).map_err(|_| BadAnswers::Path)?;
        if !matches!(name, Name::At(_)) {
            return Err(BadAnswers::Path);
        }
        let is_xml = |name: &str| matches!(name, "query" | "ec2" | "rest-xml");
        let spoken = |service: &Service| {
            let mut all = service.protocols.iter();
            match form {
                Form::Xml => all.any(|name| is_xml(name)),
                _ => all.any(|name| !is_xml(name)),
            }
        };
        let exact = services(service).find(|it| it.name == service);
        if !exact.map_or_else(|| services(service).any(spoken), spoken) {
            return Err(BadAnswers::Form);
        }
        let form = Some(form);
        Ok(Self { name, form })
    }
}

impl Answers {
    /// Whether the answer to a call is meant, or may be.
    #[must_use]
    pub fn fits(&self, call: &Call) -> bool {
        let Some(service) = call.service else {
            return false;
        };
        let operation = match (&self.operation, call.operation) {
            (Some(wanted), Some(operation)) => wanted == operation.name,
            _ => true,
        };
        let resource = self.resource.as_ref();
        is_named(service, &self.service)
            && operation
            && resource.is_none_or(|resource| resource.fits_call(call))
    }
}

impl Answers {
    /// Whether what a call is done to is meant, or may be, whatever it does.
    pub(super) fn fits_resource(&self, call: &Call) -> bool {
        let named = call.service.is_some_and(|it| is_named(it, &self.service));
        let resource = self.resource.as_ref();
        named && resource.is_none_or(|resource| resource.fits_call(call))
    }
}

/// Looks whether there is such a service, with such an operation.
///
/// # Errors
/// [`BadAnswers::Service`], [`BadAnswers::Objects`].
pub fn known_service(name: &str) -> Result<(), BadAnswers> {
    match services(name).next() {
        Some(service) if service.name == "s3" => Err(BadAnswers::Objects),
        Some(_) => Ok(()),
        None => Err(BadAnswers::Service),
    }
}

/// Looks whether a service has such an operation.
///
/// # Errors
/// [`BadAnswers::Operation`].
pub fn known_operation(service: &str, name: &str) -> Result<(), BadAnswers> {
    let known = services(service).any(|it| it.operation(name).is_some());
    known.then_some(()).ok_or(BadAnswers::Operation)
}

/// Looks whether a service gives results with columns.
///
/// # Errors
/// [`BadAnswers::Columns`].
pub fn has_columns(service: &str) -> Result<(), BadAnswers> {
    let has = matches!(service, "athena" | "rds-data" | "redshift-data");
    has.then_some(()).ok_or(BadAnswers::Columns)
}

fn services(name: &str) -> impl Iterator<Item = &'static Service> {
    TABLE.services().iter().filter(move |it| is_named(it, name))
}

fn is_named(service: &Service, name: &str) -> bool {
    service.name == name || service.prefix == name
}
