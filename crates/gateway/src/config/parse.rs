//! Section by section: TOML to [`Config`].

mod aws;
mod classes;
mod postgres;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::mask::own::OwnClasses;
use model::Digest;

use super::read::{Document, Item, Section};
use super::{
    Api, Approval, Aws, AwsTarget, BuiltInIssuer, CertificateFiles, Claims, Config, ConfigError,
    Durability, HostPort, Issuer, Ledger, Limits, Listener, Person, Recording, Roles, SecretSource,
    Target, TargetProtocol,
};

const API_PORT: u16 = 8_480;
const POSTGRES_PORT: u16 = 15_432;
const AWS_PORT: u16 = 8_481;
const AUDIENCE: &str = "countersign";

pub(super) fn config(text: &str, file: &Path) -> Result<Config, ConfigError> {
    let document = Document::new(text, file);
    let mut root = document.root()?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let data = path(&mut root, "data")?.unwrap_or_else(|| folder.join("data"));
    let (classes, files) = classes::own(root.section("classes")?)?;
    let (targets, aws_targets) = targets(root.section("targets")?, &classes)?;
    let read = std::iter::once(text).chain(files.iter().map(String::as_str));
    let read: Vec<_> = read.map(str::as_bytes).collect();
    let config = Config {
        digest: Digest::of(&read),
        api: api(root.section("api")?)?,
        postgres: listener(root.section("postgres")?, POSTGRES_PORT)?,
        aws: aws(root.section("aws")?)?,
        issuer: built_in_issuer(root.section("issuer")?)?,
        issuers: issuers(&mut root)?,
        policy_folder: policy(root.section("policy")?)?.unwrap_or_else(|| folder.join("policies")),
        ledger: ledger(root.section("ledger")?)?,
        approval: approval(root.section("approval")?)?,
        recording: recording(root.section("recording")?, &data)?,
        limits: limits(root.section("limits")?)?,
        classes,
        targets,
        aws_targets,
        people: people(root.section("people")?)?,
        roles: roles(root.section("roles")?)?,
        data,
    };
    if config.issuers.is_empty() && !config.issuer.enabled {
        return Err(root.error("nobody could log in: add an [[issuers]] section, or for a trial [issuer] enabled = true"));
    }
    if config.targets.is_empty() && config.aws_targets.is_empty() {
        return Err(root.error("no target is configured: add a [targets.<name>] section"));
    }
    root.finish()?;
    Ok(config)
}

fn api(mut section: Section<'_>) -> Result<Api, ConfigError> {
    let (listen, tls) = http_listener(&mut section, API_PORT)?;
    section.finish()?;
    Ok(Api { listen, tls })
}

/// An address, with TLS where it is not loopback.
fn http_listener(
    section: &mut Section<'_>,
    port: u16,
) -> Result<(SocketAddr, Option<CertificateFiles>), ConfigError> {
    let listen = listen(section, port)?;
    let tls = certificate(section)?;
    if tls.is_none() && !listen.ip().is_loopback() {
        return Err(section.error(format!(
            "listens on {listen}, which is not loopback, without TLS, and tokens would travel in clear: add tls = \
             {{ certificate = \"…\", key = \"…\" }}"
        )));
    }
    Ok((listen, tls))
}

fn aws(mut section: Section<'_>) -> Result<Aws, ConfigError> {
    let (listen, tls) = http_listener(&mut section, AWS_PORT)?;
    let host = match section.take("host") {
        None => "localhost".to_owned(),
        Some(item) => {
            let host = item.text()?;
            let plain = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)
            };
            if !host.bytes().all(plain) || host.starts_with('.') {
                return Err(item.error("must be a host name in lower case, such as \"aws.gateway.example\", without a port"));
            }
            host
        }
    };
    let aws = Aws {
        listen,
        tls,
        host,
        hold: duration(&mut section, "hold", Duration::from_secs(50))?,
        sessions: count(&mut section, "sessions", 64, 1..=1_000_000)?,
    };
    section.finish()?;
    Ok(aws)
}

fn listener(mut section: Section<'_>, port: u16) -> Result<Listener, ConfigError> {
    let listener = Listener {
        listen: listen(&mut section, port)?,
        tls: certificate(&mut section)?,
    };
    section.finish()?;
    Ok(listener)
}

fn listen(section: &mut Section<'_>, port: u16) -> Result<SocketAddr, ConfigError> {
    section
        .take("listen")
        .map_or(Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port))), |item| {
            item.parse(&format!(
                "an IP address and a port, such as \"127.0.0.1:{port}\" or \"[::]:{port}\""
            ))
        })
}

fn certificate(section: &mut Section<'_>) -> Result<Option<CertificateFiles>, ConfigError> {
    let Some(item) = section.take("tls") else {
        return Ok(None);
    };
    let mut tls = item.section()?;
    let files = CertificateFiles {
        certificate: tls.need("certificate", "\"server.crt\"")?.path()?,
        key: tls.need("key", "\"server.key\"")?.path()?,
    };
    tls.finish()?;
    Ok(Some(files))
}

fn built_in_issuer(mut section: Section<'_>) -> Result<BuiltInIssuer, ConfigError> {
    let issuer = BuiltInIssuer {
        enabled: flag(&mut section, "enabled")?.unwrap_or(false),
        audience: text(&mut section, "audience")?.unwrap_or_else(|| AUDIENCE.to_owned()),
        lifetime: duration(&mut section, "lifetime", Duration::from_secs(3_600))?,
    };
    section.finish()?;
    Ok(issuer)
}

fn issuers(root: &mut Section<'_>) -> Result<Vec<Issuer>, ConfigError> {
    let Some(item) = root.take("issuers") else {
        return Ok(Vec::new());
    };
    let mut list: Vec<Issuer> = Vec::new();
    for item in item.list()? {
        let mut section = item.section()?;
        let url = section.need("url", "\"https://issuer.example\"")?;
        let issuer = Issuer {
            url: issuer_url(&url)?,
            audience: text(&mut section, "audience")?.unwrap_or_else(|| AUDIENCE.to_owned()),
            ca: path(&mut section, "ca")?,
            claims: claims(section.section("claims")?)?,
        };
        if list.iter().any(|other| other.url == issuer.url) {
            return Err(url.error(format!("{} stands twice: keep one", issuer.url)));
        }
        section.finish()?;
        list.push(issuer);
    }
    Ok(list)
}

fn issuer_url(item: &Item<'_>) -> Result<String, ConfigError> {
    let text = item.text()?;
    let host = |rest: &str| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_owned()
    };
    if let Some(rest) = text.strip_prefix("https://")
        && !host(rest).is_empty()
        && !text.contains(['?', '#', ' '])
    {
        return Ok(text);
    }
    if let Some(rest) = text.strip_prefix("http://")
        && host_port(&host(rest), 80).is_some_and(|at| at.is_loopback())
    {
        return Ok(text);
    }
    Err(item.error(format!("is {text:?}: write an https URL without query, exactly as the issuer names itself (http only on loopback)")))
}

fn claims(mut section: Section<'_>) -> Result<Claims, ConfigError> {
    let mut claim = |key, default: &str| {
        text(&mut section, key).map(|path| path.unwrap_or_else(|| default.to_owned()))
    };
    let claims = Claims {
        human: claim("human", "sub")?,
        agent: claim("agent", "act.sub")?,
        groups: claim("groups", "groups")?,
        instance: claim("instance", "act.instance")?,
        model: claim("model", "act.model")?,
    };
    section.finish()?;
    Ok(claims)
}

fn policy(mut section: Section<'_>) -> Result<Option<PathBuf>, ConfigError> {
    let folder = path(&mut section, "folder")?;
    section.finish()?;
    Ok(folder)
}

fn ledger(mut section: Section<'_>) -> Result<Ledger, ConfigError> {
    let origin = match section.take("origin") {
        None => "localhost/countersign".to_owned(),
        Some(item) => {
            let origin = item.text()?;
            if origin.len() > 255
                || origin.contains(|c: char| c.is_whitespace() || c == '+' || c.is_control())
            {
                return Err(item.error("must be a name like \"example.com/countersign\": no spaces, no plus, at most 255 bytes"));
            }
            origin
        }
    };
    let durability = match section.take("durability") {
        None => Durability::Sync,
        Some(item) if item.is_text() => item.word(&[("sync", Durability::Sync)])?,
        Some(item) => {
            let mut table = item.section()?;
            let item = table.need("interval", "\"10ms\"")?;
            let window = item.duration()?;
            if window > Duration::from_secs(1) {
                return Err(
                    item.error("is above 1s: a crash could lose that much; write at most \"1s\"")
                );
            }
            table.finish()?;
            Durability::Interval(window)
        }
    };
    section.finish()?;
    Ok(Ledger { origin, durability })
}

fn approval(mut section: Section<'_>) -> Result<Approval, ConfigError> {
    let approval = Approval {
        hold: duration(&mut section, "hold", Duration::from_secs(600))?,
        expires: duration(&mut section, "expires", Duration::from_secs(3_600))?,
    };
    if approval.expires < approval.hold {
        return Err(section
            .error("expires before its hold runs out: make expires at least as long as hold"));
    }
    section.finish()?;
    Ok(approval)
}

fn recording(mut section: Section<'_>, data: &Path) -> Result<Recording, ConfigError> {
    let recording = Recording {
        folder: path(&mut section, "folder")?.unwrap_or_else(|| data.join("recordings")),
        key: path(&mut section, "key")?.unwrap_or_else(|| data.join("keys/recording.key")),
    };
    section.finish()?;
    Ok(recording)
}

fn limits(mut section: Section<'_>) -> Result<Limits, ConfigError> {
    let secs = Duration::from_secs;
    let limits = Limits {
        unauthenticated: count(&mut section, "unauthenticated", 256, 1..=65_536)?,
        sessions: count(&mut section, "sessions", 4_096, 1..=1_000_000)?,
        login: duration(&mut section, "login", secs(30))?,
        connect: duration(&mut section, "connect", secs(10))?,
        idle: section
            .take("idle")
            .map(|item| item.duration())
            .transpose()?,
        drain: duration(&mut section, "drain", secs(5))?,
        catalog: duration(&mut section, "catalog", secs(60))?,
        postgres: postgres::limits(&mut section)?,
    };
    section.finish()?;
    Ok(limits)
}

type Targets = (BTreeMap<String, Target>, BTreeMap<String, AwsTarget>);

fn targets(mut section: Section<'_>, own: &OwnClasses) -> Result<Targets, ConfigError> {
    let (mut targets, mut aws_targets) = Targets::default();
    for (name, item) in section.rest() {
        if !is_name(&name) {
            return Err(item.error(
                "is not a name: use 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit",
            ));
        }
        let mut section = item.section()?;
        let words = [
            ("postgres", TargetProtocol::Postgres),
            ("aws", TargetProtocol::Aws),
        ];
        match section.need("protocol", "\"postgres\"")?.word(&words)? {
            TargetProtocol::Postgres => drop(targets.insert(name, postgres::target(section, own)?)),
            TargetProtocol::Aws => drop(aws_targets.insert(name, aws::target(section, own)?)),
        }
    }
    Ok((targets, aws_targets))
}

fn labels(mut section: Section<'_>) -> Result<BTreeMap<String, String>, ConfigError> {
    section
        .rest()
        .into_iter()
        .map(|(name, item)| Ok((name, item.text()?)))
        .collect()
}

fn secret(item: Item<'_>) -> Result<SecretSource, ConfigError> {
    if item.is_text() {
        return Err(
            item.error("must not stand in this file: write { file = \"…\" } or { env = \"…\" }")
        );
    }
    let mut section = item.section()?;
    let (file, env) = (section.take("file"), section.take("env"));
    let source = match (file, env) {
        (Some(file), None) => SecretSource::File(file.path()?),
        (None, Some(env)) => SecretSource::Env(env.text()?),
        _ => return Err(section.error("needs one of { file = \"…\" } and { env = \"…\" }")),
    };
    section.finish()?;
    Ok(source)
}

fn people(mut section: Section<'_>) -> Result<BTreeMap<String, Person>, ConfigError> {
    let mut people = BTreeMap::new();
    for (human, item) in section.rest() {
        let mut person = item.section()?;
        let mut ssh_keys = Vec::new();
        if let Some(item) = person.take("ssh_keys") {
            for item in item.list()? {
                let line = item.text()?;
                ssh_key::PublicKey::from_openssh(&line).map_err(|error| {
                    item.error(format!(
                        "is not an SSH public key ({error}): copy the line of the .pub file"
                    ))
                })?;
                ssh_keys.push(line);
            }
        }
        person.finish()?;
        people.insert(human, Person { ssh_keys });
    }
    Ok(people)
}

fn roles(mut section: Section<'_>) -> Result<Roles, ConfigError> {
    let roles = Roles {
        auditors: section
            .take("auditors")
            .map_or(Ok(Vec::new()), Item::texts)?,
        administrators: section
            .take("administrators")
            .map_or(Ok(Vec::new()), Item::texts)?,
    };
    section.finish()?;
    Ok(roles)
}

fn text(section: &mut Section<'_>, key: &'static str) -> Result<Option<String>, ConfigError> {
    section.take(key).map(|item| item.text()).transpose()
}

fn flag(section: &mut Section<'_>, key: &'static str) -> Result<Option<bool>, ConfigError> {
    section.take(key).map(|item| item.flag()).transpose()
}

fn path(section: &mut Section<'_>, key: &'static str) -> Result<Option<PathBuf>, ConfigError> {
    section.take(key).map(|item| item.path()).transpose()
}

fn duration(
    section: &mut Section<'_>,
    key: &'static str,
    default: Duration,
) -> Result<Duration, ConfigError> {
    section
        .take(key)
        .map_or(Ok(default), |item| item.duration())
}

fn count(
    section: &mut Section<'_>,
    key: &'static str,
    default: usize,
    range: std::ops::RangeInclusive<u64>,
) -> Result<usize, ConfigError> {
    let Some(item) = section.take(key) else {
        return Ok(default);
    };
    let number = item.count(range)?;
    usize::try_from(number).map_err(|_| item.error("is too large for this machine"))
}

fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|b| plain(b) || b == b'_' || b == b'-')
}

fn host_port(text: &str, default_port: u16) -> Option<HostPort> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (
                host,
                after.strip_prefix(':').or(after.is_empty().then_some(""))?,
            )
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(legal) {
        return None;
    }
    let port = if port.is_empty() && !text.ends_with(':') {
        default_port
    } else {
        port.parse().ok().filter(|p| *p > 0)?
    };
    Some(HostPort {
        host: host.to_owned(),
        port,
    })
}
