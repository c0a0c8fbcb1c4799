//! Which RESTful operation a request calls.

use super::classify::Upstream;
use super::table::{Level, Operation, Route, Segment, Service};
use crate::http::{Head, escape};

/// An operation that a request calls, with the labels of its path.
pub(super) struct Routed {
    pub(super) service: &'static Service,
    pub(super) operation: &'static Operation,
    pub(super) labels: Vec<(&'static str, String)>,
}

/// The operation whose template fits best: most of the path in its own words, then most of query and headers. `None` where
/// none fits, or where the request says more than one thing at a time: to a server for all services also where another
/// service has an operation that it fits and that can do other things.
pub(super) fn find(
    services: impl Iterator<Item = &'static Service>,
    head: &Head,
    query: &[(String, String)],
    to: &Upstream,
) -> Option<Routed> {
    let path = Path::of(&head.path);
    let mut best: Option<((usize, usize), Routed)> = None;
    let mut certain = true;
    let mut fitting = Vec::new();
    for service in services {
        for operation in &service.operations {
            let Some(route) = &operation.route else {
                continue;
            };
            let Some((rank, labels)) = route.fits(head, &path, query) else {
                continue;
            };
            fitting.push((service.name, operation.level));
            // Of equals the first counts: it is the one that is not deprecated, of the service that is called so. Where they
            // differ in what they can do, AWS tells them apart by the host, which a gateway does not have.
            let equal = best.as_ref().filter(|(other, _)| rank == *other);
            if let Some((_, other)) = equal {
                certain &= other.operation.level == operation.level;
            } else if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                certain = true;
                let routed = Routed {
                    service,
                    operation,
                    labels,
                };
                best = Some((rank, routed));
            }
        }
    }
    let (_, routed) = best.filter(|_| certain)?;
    let (name, level) = (routed.service.name, routed.operation.level);
    let other = |(service, can): &(&str, Level)| *service != name && *can != level;
    if to.is_server && fitting.iter().any(other) {
        return None;
    }
    let plain = routed.service.name != "s3"
        || routed
            .operation
            .route
            .as_ref()
            .is_some_and(|route| route.knows(query));
    plain.then_some(routed)
}

impl Routed {
    /// Puts what the request's host will be made of before the labels, where a header field tells it and not the path. `None` where it
    /// is not told, or twice.
    pub(super) fn named_by_host(&mut self, head: &Head, query: &[(String, String)]) -> Option<()> {
        let label = self.operation.prefix.split_once('{');
        let Some((label, _)) = label.and_then(|(_, rest)| rest.split_once('}')) else {
            return Some(());
        };
        // The account is part of every name.
        if label == "AccountId" || self.labels.iter().any(|(name, _)| *name == label) {
            return Some(());
        }
        if query.iter().any(|(name, _)| name == label) {
            return None;
        }
        let value = head.fields.one(&label.to_ascii_lowercase())?;
        self.labels.insert(0, (label, value.to_owned()));
        Some(())
    }
}

pub(super) type Labels = Vec<(&'static str, String)>;

/// The segments of a path, taken apart once for all routes.
pub(super) struct Path<'a> {
    /// Behind one slash.
    whole: Vec<&'a str>,
    /// So many of them at the front are empty: slashes that mean nothing to most routes.
    empty: usize,
}

impl<'a> Path<'a> {
    pub(super) fn of(path: &'a str) -> Self {
        let slashes = path.len() - path.trim_start_matches('/').len();
        let whole = path.strip_prefix('/').unwrap_or(path);
        Self {
            whole: whole.split('/').collect(),
            empty: slashes.saturating_sub(1),
        }
    }

    fn trimmed(&self) -> &[&'a str] {
        self.whole.get(self.empty..).unwrap_or_default()
    }
}

impl Route {
    /// Its rank and labels, where the request is of its form.
    pub(super) fn fits(
        &self,
        head: &Head,
        path: &Path<'_>,
        query: &[(String, String)],
    ) -> Option<((usize, usize), Labels)> {
        if self.method != head.method {
            return None;
        }
        let has = |(name, value): &(&str, Option<&str>)| {
            query
                .iter()
                .any(|(it, content)| it == name && value.is_none_or(|value| value == content))
        };
        if !self.query.iter().all(has) || !self.headers.iter().all(|name| head.fields.has(name)) {
            return None;
        }
        let given = if self.keeps_slashes() {
            path.whole.as_slice()
        } else {
            path.trimmed()
        };
        let labels = segments(&self.segments, given).or_else(|| {
            // A slash at the end means nothing to most services.
            let (&"", given) = given.split_last()? else {
                return None;
            };
            (!given.is_empty()).then(|| segments(&self.segments, given))?
        })?;
        let literals = self
            .segments
            .iter()
            .filter(|segment| matches!(segment, Segment::Literal(text) if !text.is_empty()));
        let plain = self
            .segments
            .iter()
            .filter(|it| !matches!(it, Segment::Greedy(_)));
        let words = literals.count() * 100 + plain.count();
        Some(((words, self.query.len() + self.headers.len()), labels))
    }

    fn keeps_slashes(&self) -> bool {
        self.segments
            .iter()
            .any(|it| matches!(it, Segment::Greedy(_)))
    }

    /// Whether it is one of S3's that leads to an object.
    pub(super) fn is_of_object(&self) -> bool {
        self.keeps_slashes()
    }

    /// Whether every parameter of a query is one that the operation knows: one that it does not may make another operation
    /// of it.
    fn knows(&self, query: &[(String, String)]) -> bool {
        query.iter().all(|(name, _)| {
            name == "x-id"
                || self.known.contains(&name.as_str())
                || self.query.iter().any(|(it, _)| it == name)
        })
    }
}

/// The labels of a path, where it is of this form.
fn segments(template: &[Segment], given: &[&str]) -> Option<Labels> {
    let mut labels = Vec::new();
    let mut given = given.iter().copied();
    for (place, segment) in template.iter().enumerate() {
        match segment {
            Segment::Literal(text) => {
                let given = given.next()?;
                let escaped =
                    || given.contains('%') && escape::decode(given).is_ok_and(|it| it == *text);
                if given != *text && !escaped() {
                    return None;
                }
            }
            Segment::Label {
                name,
                before,
                after,
            } => {
                let text = escape::decode(given.next()?).ok()?;
                let text = text.strip_prefix(before)?.strip_suffix(after)?;
                if text.is_empty() {
                    return None;
                }
                labels.push((*name, text.to_owned()));
            }
            Segment::Greedy(name) => {
                let after = template.len() - place - 1;
                let take = given.len().checked_sub(after).filter(|take| *take > 0)?;
                let taken: Vec<&str> = given.by_ref().take(take).collect();
                let text = escape::decode(&taken.join("/")).ok()?;
                if text.is_empty() {
                    return None;
                }
                labels.push((*name, text));
            }
        }
    }
    given.next().is_none().then_some(labels)
}
