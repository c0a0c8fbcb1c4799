//! Every operation of every AWS service, from the public service models (`actions.txt`, made by `scripts/aws-actions`).

use std::collections::HashMap;
use std::sync::LazyLock;

/// The table.
pub static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("actions.txt")));

/// The table of all services.
pub struct Table {
    services: Vec<Service>,
    /// Places in `services`, by signing name; a service that is called as its signing name comes first.
    signed_as: HashMap<&'static str, Vec<usize>>,
}

/// A service.
#[derive(Debug)]
pub struct Service {
    /// Its name in botocore, such as `elbv2`.
    pub name: &'static str,
    /// Its prefix in IAM, such as `elasticloadbalancing`.
    pub prefix: &'static str,
    /// The names its requests are signed for.
    pub signed_as: Vec<&'static str>,
    /// The wire protocols that its model names.
    pub protocols: Vec<&'static str>,
    /// The version of its API, such as `2012-11-05`.
    pub version: &'static str,
    /// What stands before the dot in `X-Amz-Target`, and in the path of RPC v2.
    pub target: &'static str,
    /// The first label of its regional hosts.
    pub endpoint: &'static str,
    /// Hosts that are not of that form: by partition or region, with `{}` for the region, and the region that is signed for.
    hosts: Vec<(&'static str, &'static str, Option<&'static str>)>,
    /// Names of request members that hold secrets.
    pub sensitive: Vec<&'static str>,
    /// Names of response members that its model calls sensitive; `:b` follows where they are blobs, and `|` before each operation
    /// where they are so in the answers to these alone.
    pub shown_sensitive: Vec<&'static str>,
    /// Header fields of its answers that its model calls sensitive.
    pub sensitive_fields: Vec<&'static str>,
    /// Header fields of its requests, lower-case; one that ends in a star stands for all that begin so.
    pub request_fields: Vec<&'static str>,
    /// Services whose ARNs name its resources too.
    pub arns: Vec<&'static str>,
    /// Its operations. A deprecated one stands after the one that replaces it.
    pub operations: Vec<Operation>,
    by_name: HashMap<&'static str, usize>,
}

/// An operation.
#[derive(Debug)]
pub struct Operation {
    /// Its name, such as `GetObject`.
    pub name: &'static str,
    /// What it can do.
    pub level: Level,
    /// How it is called, where the service is RESTful.
    pub route: Option<Route>,
    /// The parameters that name the resource, of other services.
    pub keys: Vec<&'static str>,
    /// What stands before the host, with labels in braces.
    pub prefix: &'static str,
    /// What the resource begins with in ARNs of what it is done to, with its service before a bar where that is another. Any where
    /// there is none.
    pub types: Vec<&'static str>,
    /// Where its body sets tags.
    pub tags: Vec<Tags>,
    /// Where its body says who may do what: paths as those of tags, with what must stand there behind a `=`.
    pub gives: Vec<&'static str>,
}

/// Where a body sets tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags {
    /// The names on the way there, joined by dots, and in forms `#` for each number.
    pub path: &'static str,
    /// What the key is called and what the value; `None` where they are the names and values of a map.
    pub pair: Option<(&'static str, &'static str)>,
}

/// What an operation can do: the access levels of IAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Sees what there is.
    List,
    /// Sees what is in it.
    Read,
    /// Changes something.
    Write,
    /// Changes who may do what.
    Permissions,
    /// Changes tags.
    Tagging,
}

impl Level {
    /// Its name, which is the Cedar action's.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
            Self::Permissions => "permissions",
            Self::Tagging => "tagging",
        }
    }

    fn read(letter: &str) -> Option<Self> {
        Some(match letter {
            "L" => Self::List,
            "R" => Self::Read,
            "W" => Self::Write,
            "P" => Self::Permissions,
            "T" => Self::Tagging,
            _ => return None,
        })
    }
}

/// How a RESTful operation is called.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path's segments.
    pub segments: Vec<Segment>,
    /// Query parameters that must stand there with this value, or with any.
    pub query: Vec<(&'static str, Option<&'static str>)>,
    /// Headers that must be there, lower-case.
    pub headers: Vec<&'static str>,
    /// Further query parameters that it knows. Only S3's are listed.
    pub known: Vec<&'static str>,
}

/// A segment of a path's template.
#[derive(Debug, PartialEq, Eq)]
pub enum Segment {
    /// This text.
    Literal(&'static str),
    /// A label, with what stands before and after it in the segment.
    Label {
        /// Its name.
        name: &'static str,
        /// Before it.
        before: &'static str,
        /// After it.
        after: &'static str,
    },
    /// A label that takes the rest of the path, or all up to the segments after it.
    Greedy(&'static str),
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut services: Vec<Service> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(head) = line.strip_prefix('=') {
                services.push(Service::read(head));
            } else if let Some(service) = services.last_mut()
                && let Some(operation) = Operation::read(line, service)
            {
                let place = service.operations.len();
                service.by_name.insert(operation.name, place);
                service.operations.push(operation);
            }
        }
        let mut signed_as: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, service) in services.iter().enumerate() {
            for name in &service.signed_as {
                let list = signed_as.entry(*name).or_default();
                if service.name == *name {
                    list.insert(0, place);
                } else {
                    list.push(place);
                }
            }
        }
        Self {
            services,
            signed_as,
        }
    }

    /// Every service.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The services whose requests are signed for this name.
    pub fn signed_as<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Service> + use<'a> {
        let places = self
            .signed_as
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        places.iter().filter_map(|place| self.services.get(*place))
    }
}

impl Service {
    /// An operation of this name.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(*self.by_name.get(name)?)
    }

    /// Its host in a region of a partition with this domain, and the region that is signed for.
    #[must_use]
    pub fn host(&self, partition: &str, region: &str, domain: &str) -> (String, String) {
        let of = |place: &str| self.hosts.iter().find(|(it, ..)| *it == place);
        match of(region).or_else(|| of(partition)) {
            None => {
                let host = format!("{}.{region}.{domain}", self.endpoint);
                (host, region.to_owned())
            }
            Some((_, host, signed)) => (
                host.replace("{}", region),
                signed.unwrap_or(region).to_owned(),
            ),
        }
    }

    /// Whether a header field of requests is in its model.
    #[must_use]
    pub fn has_field(&self, name: &str) -> bool {
        let is = |known: &&str| match known.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => *known == name,
        };
        self.request_fields.iter().any(is)
    }

    /// Whether it speaks this wire protocol.
    #[must_use]
    pub fn speaks(&self, protocol: &str) -> bool {
        self.protocols.contains(&protocol)
    }

    fn read(line: &'static str) -> Self {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        let mut this = Self {
            name: next(),
            prefix: next(),
            signed_as: list(next()),
            protocols: list(next()),
            version: next(),
            target: next(),
            endpoint: next(),
            hosts: list(next()).into_iter().filter_map(host).collect(),
            sensitive: list(next()),
            shown_sensitive: list(next()),
            sensitive_fields: Vec::new(),
            request_fields: list(next()),
            arns: list(next()),
            operations: Vec::new(),
            by_name: HashMap::new(),
        };
        this.shown_sensitive
            .retain(|name| match name.strip_prefix('@') {
                Some(field) => {
                    this.sensitive_fields.push(field);
                    false
                }
                None => true,
            });
        this
    }
}

impl Operation {
    fn read(line: &'static str, service: &Service) -> Option<Self> {
        let mut fields = line.split('\t');
        let (level, name) = fields.next()?.split_at_checked(1)?;
        let mut next = || fields.next().unwrap_or_default();
        let rest = service
            .protocols
            .iter()
            .any(|name| name.starts_with("rest-"));
        let (route, keys) = if rest {
            let (template, query, headers, known) = (next(), next(), next(), next());
            (Route::read(template, query, headers, known), Vec::new())
        } else {
            (None, list(next()))
        };
        Some(Self {
            name,
            level: Level::read(level)?,
            route,
            keys,
            prefix: next(),
            types: list(next()),
            tags: list(next()).into_iter().map(Tags::read).collect(),
            gives: list(next()),
        })
    }
}

impl Tags {
    /// `path` or `path:key:value`.
    fn read(text: &'static str) -> Self {
        let (path, pair) = match text.split_once(':') {
            Some((path, pair)) => (path, pair.split_once(':')),
            None => (text, None),
        };
        Self { path, pair }
    }
}

impl Route {
    fn read(
        template: &'static str,
        query: &'static str,
        headers: &'static str,
        known: &'static str,
    ) -> Option<Self> {
        let (method, target) = template.split_once(' ')?;
        let (path, literal) = target.split_once('?').unwrap_or((target, ""));
        let literal = literal.split('&').filter(|part| !part.is_empty());
        let literal = literal.map(|part| match part.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (part, None),
        });
        Some(Self {
            method,
            segments: path
                .trim_start_matches('/')
                .split('/')
                .map(Segment::read)
                .collect(),
            query: literal
                .chain(list(query).into_iter().map(|name| (name, None)))
                .collect(),
            headers: list(headers),
            known: list(known),
        })
    }
}

impl Segment {
    fn read(text: &'static str) -> Self {
        let label = |text: &'static str| {
            let (before, rest) = text.split_once('{')?;
            let (name, after) = rest.split_once('}')?;
            Some((before, name, after))
        };
        match label(text) {
            None => Self::Literal(text),
            Some((before, name, after)) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name),
                None => Self::Label {
                    name,
                    before,
                    after,
                },
            },
        }
    }
}

/// `place=host@region`.
fn host(text: &'static str) -> Option<(&'static str, &'static str, Option<&'static str>)> {
    let (place, host) = text.split_once('=')?;
    Some(match host.split_once('@') {
        Some((host, region)) => (place, host, Some(region)),
        None => (place, host, None),
    })
}

fn list(text: &'static str) -> Vec<&'static str> {
    text.split(',')
        .filter(|part| !part.is_empty() && *part != "-")
        .collect()
}
