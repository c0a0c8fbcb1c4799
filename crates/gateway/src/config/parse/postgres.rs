//! Targets that speak PostgreSQL's protocol.

use protocols::postgres::settings::Limits;

use super::super::read::{Item, Section};
use super::super::{AuthMethod, ConfigError, Target, TargetProtocol, TlsMode};
use super::{OwnClasses, classes, flag, host_port, labels, path, secret};

pub(super) fn target(mut section: Section<'_>, own: &OwnClasses) -> Result<Target, ConfigError> {
    let item = section.need("address", "\"db.example:5432\"")?;
    let address = host_port(&item.text()?, 5_432).ok_or_else(|| {
        item.error("must be a host and a port, such as \"db.example:5432\" or \"[::1]:5432\"")
    })?;
    let default = if address.is_loopback() {
        TlsMode::Prefer
    } else {
        TlsMode::VerifyFull
    };
    let tls = section
        .take("tls")
        .map_or(Ok(default), |item| item.word(TLS_MODES))?;
    let safe = address.is_loopback() || matches!(tls, TlsMode::VerifyCa | TlsMode::VerifyFull);
    let target = Target {
        protocol: TargetProtocol::Postgres,
        tls,
        database: section.need("database", "\"postgres\"")?.text()?,
        user: section.need("user", "\"app\"")?.text()?,
        password: section.take("password").map(secret).transpose()?,
        ca: path(&mut section, "ca")?,
        replication: flag(&mut section, "replication")?.unwrap_or(false),
        auth: match section.take("auth") {
            Some(item) => auth(item)?,
            None if safe => vec![AuthMethod::Md5, AuthMethod::Password],
            None => Vec::new(),
        },
        labels: labels(section.section("labels")?)?,
        mask: classes::mask(section.section("mask")?)?,
        strategies: classes::strategies(section.section("strategies")?)?,
        find: classes::find(section.section("find")?, own)?,
        trusted_functions: match section.take("trusted_functions") {
            Some(item) => functions(item)?,
            None => Vec::new(),
        },
        guesses_per_day: match section.take("guesses_per_day") {
            Some(item) => item.count(1..=GUESSES_MAX)?,
            None => GUESSES,
        },
        own: own.clone(),
        address,
    };
    if target.ca.is_some() && !matches!(target.tls, TlsMode::VerifyCa | TlsMode::VerifyFull) {
        return Err(
            section.error("has a ca that nothing is verified against: set tls = \"verify-full\"")
        );
    }
    section.finish()?;
    Ok(target)
}

/// `schema.function`, each as the catalog spells it.
fn functions(item: Item<'_>) -> Result<Vec<(String, String)>, ConfigError> {
    let function = |item: Item<'_>| {
        let text = item.text()?;
        match text.split_once('.') {
            Some((schema, name))
                if !schema.is_empty() && !name.is_empty() && !name.contains(['(', '.']) =>
            {
                Ok((schema.to_owned(), name.to_owned()))
            }
            _ => Err(item.error("is not a function: write \"schema.function\", without arguments")),
        }
    };
    item.list()?.into_iter().map(function).collect()
}

const TLS_MODES: &[(&str, TlsMode)] = &[
    (TlsMode::Disable.name(), TlsMode::Disable),
    (TlsMode::Prefer.name(), TlsMode::Prefer),
    (TlsMode::Require.name(), TlsMode::Require),
    (TlsMode::VerifyCa.name(), TlsMode::VerifyCa),
    (TlsMode::VerifyFull.name(), TlsMode::VerifyFull),
];

fn auth(item: Item<'_>) -> Result<Vec<AuthMethod>, ConfigError> {
    let words = [("md5", AuthMethod::Md5), ("password", AuthMethod::Password)];
    item.list()?.iter().map(|item| item.word(&words)).collect()
}

pub(super) fn limits(section: &mut Section<'_>) -> Result<Limits, ConfigError> {
    let usual = Limits::default();
    let mut at_most = |key, usual, range| match section.take(key) {
        Some(item) => item.count(range),
        None => Ok(usual),
    };
    Ok(Limits {
        catalog_rows_max: at_most("catalog_rows", usual.catalog_rows_max, 10_000..=100_000_000)?,
        catalog_bytes_max: at_most("catalog_bytes", usual.catalog_bytes_max, MIB..=16 << 30)?,
        statement_bytes_max: at_most("statement_bytes", usual.statement_bytes_max, MIB..=1 << 30)?,
    })
}

const MIB: u64 = 1 << 20;
/// So many values are nobody's ordinary work in a day, and few beside the hundred thousand that a social security number can
/// have of which the last four digits are shown.
const GUESSES: u64 = 1_000;
/// Each is remembered for a day.
const GUESSES_MAX: u64 = 100_000;
