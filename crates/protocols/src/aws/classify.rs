//! From a request to what it asks: service, operation, level, region, and what it is done to.
//!
//! Whatever could be read in two ways, and whatever the table does not know, has no operation: it is opaque, and policy
//! decides about that by name. Requests come here after their signature was verified, with the path in path style.

use super::beside;
use super::body::{Form, Parameters};
use super::command::is_signature;
use super::elsewhere;
use super::expressions::Touched;
use super::fields;
use super::home::Home;
use super::partiql;
use super::route;
use super::s3;
use super::subresource;
use super::table::{Level, Operation, Service, TABLE};
use crate::http::Head;
use crate::http::canonical::PathForm;
use crate::http::escape;
use crate::http::sigv4::Scope;

/// How a request is written, and so how it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// A form with `Action` and `Version`; answers in XML.
    Query,
    /// EC2's variant of it.
    Ec2,
    /// `X-Amz-Target`, with the JSON version, 1.0 or 1.1.
    Json(u8),
    /// A RESTful path; JSON.
    RestJson,
    /// A RESTful path; XML.
    RestXml,
    /// S3: a RESTful path; XML with errors of its own form.
    S3,
    /// Smithy RPC v2 with CBOR.
    Cbor,
}

impl Wire {
    /// Its name, as botocore has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Ec2 => "ec2",
            Self::Json(_) => "json",
            Self::RestJson => "rest-json",
            Self::RestXml | Self::S3 => "rest-xml",
            Self::Cbor => "smithy-rpc-v2-cbor",
        }
    }
}

/// What a request asks.
#[derive(Debug)]
pub struct Call {
    /// How it is written.
    pub wire: Wire,
    /// The service, where its signing name is known.
    pub service: Option<&'static Service>,
    /// The operation; `None` is opaque.
    pub operation: Option<&'static Operation>,
    /// The service's IAM prefix, or its signing name where that is not known.
    pub prefix: String,
    /// The region it is signed for.
    pub region: String,
    /// What it is done to.
    pub things: Vec<Thing>,
    /// Parameters that policy may look at.
    pub parameters: Vec<(String, String)>,
    /// Tags that it sets, as far as [`look`](super::inside::look) was asked.
    pub tags: Vec<(String, String)>,
    /// Whether it says more than parameters and tags tell.
    pub unseen: bool,
    /// What its expressions do with attributes that are declared, as far as [`look`](super::expressions::look) was asked.
    pub touched: Touched,
    /// What it does beside, or in its own place.
    pub beside: Vec<Beside>,
    /// Buckets and objects that its service reads or writes for it, and at which level.
    pub elsewhere: Vec<(Level, Thing)>,
}

/// What a request does beside its operation.
#[derive(Debug, Clone, Copy)]
pub enum Beside {
    /// Something at a level of its own: an upload that sets who may read it.
    At(Level),
    /// What the request is to a server that does not know the subresource that it names.
    Instead(&'static Operation),
}

/// Something an operation is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// A bucket of S3.
    Bucket(String),
    /// An object of S3.
    Object {
        /// Its bucket.
        bucket: String,
        /// Its key.
        key: String,
    },
    /// An object that is read beside, as the source of a copy.
    Source {
        /// Its bucket.
        bucket: String,
        /// Its key.
        key: String,
    },
    /// Something else, by the short form of its name and as it was given.
    Named {
        /// The name without what an ARN or URL puts before it; parts joined by a slash.
        name: String,
        /// As it was given.
        given: String,
    },
    /// Something of another service, which this one reads.
    Other {
        /// That service's prefix.
        prefix: &'static str,
        /// The name.
        name: String,
    },
    /// The service itself, of which what is named beside is only used.
    Service,
}

impl Call {
    /// `prefix:Operation`, as policies and entries name it.
    #[must_use]
    pub fn action(&self) -> String {
        self.named(self.operation.map_or("unknown", |operation| operation.name))
    }

    /// The same of another operation of its service.
    pub(super) fn named(&self, operation: &str) -> String {
        format!("{}:{operation}", self.prefix)
    }
}

/// The same as a call of which it is not known what it does: policy looks at what it says, and not all of it was seen.
#[must_use]
pub fn opaque(call: Call) -> Call {
    Call {
        operation: None,
        things: Vec::new(),
        beside: Vec::new(),
        elsewhere: Vec::new(),
        ..call
    }
}

/// Who will read a request after the gateway. By default AWS: each service has hosts of its own there, and a request goes to
/// those of the service that it was understood as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upstream {
    /// One server for whatever is asked. Which service a request is for it tells by itself, and not as AWS does by the host.
    pub is_server: bool,
    /// The id of the account there, where it is known: what is of it has short names.
    pub account: Option<String>,
}

/// What a request asks that was signed for `scope` and goes to `to`. `body` is its whole body, where that was read; S3's
/// bodies are read only where [`wants_body`](super::s3::wants_body) says so.
#[must_use]
pub fn classify(head: &Head, scope: &Scope, body: Option<&[u8]>, to: &Upstream) -> Call {
    let query = escape::pairs(head.query.as_deref().unwrap_or_default());
    let whole = body;
    let (Ok(query), body) = (query, body.unwrap_or_default()) else {
        return unknown(scope, guess(head, scope));
    };
    let query: Vec<(String, String)> = query
        .into_iter()
        .filter(|(name, _)| !is_signature(name))
        .collect();
    let found = match shape(head, &query) {
        Shape::Cbor => rpc(head, scope, body, to),
        Shape::Target(target) => json(target, head, scope, body, to),
        Shape::Form => form(head, scope, &query, body, to),
        Shape::Rest => rest(head, scope, &query, body, to),
        Shape::Odd => None,
    };
    let found = found.filter(|call| fields::unknown(&head.fields, call).is_none());
    let found = found.and_then(|call| elsewhere::told(call, head, body));
    let found = found.map(|call| beside::told(call, head, whole));
    found.unwrap_or_else(|| unknown(scope, guess(head, scope)))
}

pub(super) enum Shape<'a> {
    Cbor,
    Target(&'a str),
    Form,
    Rest,
    /// It says two things at once.
    Odd,
}

pub(super) fn shape<'a>(head: &'a Head, query: &[(String, String)]) -> Shape<'a> {
    let fields = &head.fields;
    let cbor = fields.has("smithy-protocol");
    let target = fields.has("x-amz-target");
    let content = content_type(head);
    let form =
        content == "application/x-www-form-urlencoded" && head.method == "POST" && head.path == "/";
    let in_query = query.iter().any(|(name, _)| name == "Action");
    match (cbor, target, form || in_query) {
        (true, false, false) => Shape::Cbor,
        (false, true, false) => fields.one("x-amz-target").map_or(Shape::Odd, Shape::Target),
        (false, false, true) if head.path == "/" => Shape::Form,
        (false, false, _) => Shape::Rest,
        _ => Shape::Odd,
    }
}

fn content_type(head: &Head) -> String {
    let value = head.fields.one("content-type").unwrap_or_default();
    let value = value.split(';').next().unwrap_or_default();
    value.trim().to_ascii_lowercase()
}

/// `POST /service/<target>/operation/<name>` (Smithy RPC v2).
fn rpc(head: &Head, scope: &Scope, body: &[u8], to: &Upstream) -> Option<Call> {
    if head.method != "POST" || head.fields.one("smithy-protocol") != Some("rpc-v2-cbor") {
        return None;
    }
    let path = head.path.strip_prefix("/service/")?;
    let (target, name) = path.split_once("/operation/")?;
    let service = TABLE
        .signed_as(&scope.service)
        .find(|it| it.target == target && it.operation(name).is_some())?;
    let keys = &service.operation(name)?.keys;
    let parameters = Parameters::tree(body, keys, true)?;
    let call = by_name((service, name, Wire::Cbor), scope, to, &parameters)?;
    with_statements(call, scope, to, body)
}

/// `X-Amz-Target: <target>.<name>`.
fn json(target: &str, head: &Head, scope: &Scope, body: &[u8], to: &Upstream) -> Option<Call> {
    // A path could name another operation, of a service that speaks in more than one way.
    if head.method != "POST" || head.path != "/" {
        return None;
    }
    let (target, name) = target.rsplit_once('.')?;
    let service = TABLE
        .signed_as(&scope.service)
        .find(|it| it.target == target && it.operation(name).is_some())?;
    let wire = Wire::Json(u8::from(content_type(head) != "application/x-amz-json-1.0"));
    let keys = &service.operation(name)?.keys;
    let parameters = Parameters::tree(body, keys, false)?;
    let call = by_name((service, name, wire), scope, to, &parameters)?;
    with_statements(call, scope, to, body)
}

/// The call with the tables that its statements are about; `None` where these cannot be read.
fn with_statements(mut call: Call, scope: &Scope, to: &Upstream, body: &[u8]) -> Option<Call> {
    let (service, operation) = (call.service?, call.operation?);
    if !partiql::takes(service, operation.name) {
        return Some(call);
    }
    let home = home(scope, to, service, service.operation("PutItem")?);
    let (tables, reads) = partiql::told(operation.name, call.wire, body, &home)?;
    call.things = tables;
    call.operation = reads.or(call.operation);
    Some(call)
}

/// `Action=<name>&Version=<version>`, in a form or in the query.
fn form(
    head: &Head,
    scope: &Scope,
    query: &[(String, String)],
    body: &[u8],
    to: &Upstream,
) -> Option<Call> {
    if head.method != "POST" && !body.is_empty() {
        return None;
    }
    let form = Form::new(query, std::str::from_utf8(body).ok()?)?;
    let (name, version) = (form.text("Action")?, form.text("Version")?);
    let name = name.as_str();
    let service = TABLE
        .signed_as(&scope.service)
        .find(|it| it.version == version && it.operation(name).is_some())?;
    let wire = if service.speaks("ec2") {
        Wire::Ec2
    } else {
        Wire::Query
    };
    let parameters = Parameters::form(&form, &service.operation(name)?.keys)?;
    by_name((service, name, wire), scope, to, &parameters)
}

fn by_name(
    (service, name, wire): (&'static Service, &str, Wire),
    scope: &Scope,
    to: &Upstream,
    parameters: &Parameters,
) -> Option<Call> {
    let operation = service.operation(name)?;
    if operation.route.is_some() {
        return None;
    }
    Some(Call {
        wire,
        service: Some(service),
        operation: Some(operation),
        prefix: service.prefix.to_owned(),
        region: scope.region.clone(),
        things: parameters.things(&home(scope, to, service, operation))?,
        parameters: parameters.shown(),
        tags: Vec::new(),
        unseen: false,
        beside: Vec::new(),
        touched: Touched::default(),
        elsewhere: Vec::new(),
    })
}

fn home<'a>(
    scope: &'a Scope,
    to: &'a Upstream,
    service: &'a Service,
    operation: &'a Operation,
) -> Home<'a> {
    Home {
        account: to.account.as_deref(),
        region: &scope.region,
        asked: Some((service, operation)),
    }
}

fn rest(
    head: &Head,
    scope: &Scope,
    query: &[(String, String)],
    body: &[u8],
    to: &Upstream,
) -> Option<Call> {
    let services = TABLE.signed_as(&scope.service);
    let mut routed = route::find(services, head, query, to)?;
    routed.named_by_host(head, query)?;
    let (service, operation) = (routed.service, routed.operation);
    // What is signed as S3's and is of a service beside it has a path that is an object's too, of S3's or of a server's like it.
    let is_s3 = service.name == "s3" || PathForm::of(&scope.service) != PathForm::S3;
    if to.is_server && !is_s3 {
        return None;
    }
    let wire = match service.name {
        "s3" => Wire::S3,
        _ if service.speaks("rest-xml") => Wire::RestXml,
        _ => Wire::RestJson,
    };
    let mut call = Call {
        wire,
        service: Some(service),
        operation: Some(operation),
        prefix: service.prefix.to_owned(),
        region: scope.region.clone(),
        things: Vec::new(),
        parameters: routed
            .labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .chain(query.iter().cloned())
            .collect(),
        tags: Vec::new(),
        unseen: false,
        beside: Vec::new(),
        touched: Touched::default(),
        elsewhere: Vec::new(),
    };
    if wire == Wire::S3 {
        // Of two values some read the first and some the last.
        let twice = |(place, (name, _)): (usize, &(String, String))| {
            query.iter().skip(place + 1).any(|(it, _)| it == name)
        };
        if query.iter().enumerate().any(twice) {
            return None;
        }
        call.things = s3::things(operation.name, &routed.labels, head, body)?;
        let levels = s3::beside(operation.level, head).into_iter();
        call.beside = levels.map(Beside::At).collect();
        let instead = subresource::instead((service, operation), head, to);
        call.beside.extend(instead.map(Beside::Instead));
    } else if has_dots(&head.path) {
        // Some resolve `..` before they look what is called, and some do not.
        return None;
    } else {
        let home = home(scope, to, service, operation);
        let join = |name: &dyn Fn(&str) -> String| {
            // What S3 Control asks is of an account that a field names.
            let account = head.fields.one("x-amz-account-id");
            let account = account.filter(|it| !home.owns(it)).map(str::to_owned);
            let labels = routed.labels.iter().map(|(_, value)| name(value));
            account
                .into_iter()
                .chain(labels)
                .collect::<Vec<_>>()
                .join("/")
        };
        let (name, given) = (join(&|it| home.name(it)), join(&|it| it.to_owned()));
        call.things = match name.as_str() {
            "" => Vec::new(),
            _ => vec![Thing::Named { name, given }],
        };
    }
    Some(call)
}

fn unknown(scope: &Scope, wire: Wire) -> Call {
    let service = TABLE.signed_as(&scope.service).next();
    Call {
        wire,
        service,
        operation: None,
        prefix: service.map_or_else(|| scope.service.clone(), |it| it.prefix.to_owned()),
        region: scope.region.clone(),
        things: Vec::new(),
        parameters: Vec::new(),
        tags: Vec::new(),
        unseen: false,
        beside: Vec::new(),
        touched: Touched::default(),
        elsewhere: Vec::new(),
    }
}

/// Whether a path has a segment that is `.` or `..`, however it is escaped.
pub(super) fn has_dots(path: &str) -> bool {
    let dots = |segment| escape::decode(segment).is_ok_and(|it| matches!(it.as_str(), "." | ".."));
    path.split('/').any(dots)
}

/// How a request is written that could not be understood: so that the refusal at least can be.
#[must_use]
pub fn guess(head: &Head, scope: &Scope) -> Wire {
    let service = TABLE.signed_as(&scope.service).next();
    let speaks = |name| service.is_some_and(|service| service.speaks(name));
    let content = content_type(head);
    if head.fields.has("smithy-protocol") {
        Wire::Cbor
    } else if head.fields.has("x-amz-target") || content.starts_with("application/x-amz-json") {
        Wire::Json(u8::from(content != "application/x-amz-json-1.0"))
    } else if service.is_some_and(|service| service.name == "s3") {
        Wire::S3
    } else if speaks("ec2") {
        Wire::Ec2
    } else if speaks("query") {
        Wire::Query
    } else if speaks("rest-xml") {
        Wire::RestXml
    } else {
        Wire::RestJson
    }
}
