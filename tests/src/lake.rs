//! The target `lake` that most tests of AWS have: a server behind a gateway, and policies under which nearly everything may be done.

use crate::gateway::{Config, Gateway};
use crate::raw::Canned;
use crate::s3::S3;
use std::fs;

/// All but permissions and tags, which are nobody's to change. Nothing is revealed.
pub const POLICIES: &str = r#"
@id("use-lake")
permit (principal, action == Action::"access", resource == Target::"lake");
@id("all")
permit (principal, action in [Aws::Action::"list", Aws::Action::"read", Aws::Action::"write"], resource);
"#;

/// An S3 server with a bucket `lake`, and a gateway before it.
///
/// # Panics
/// If one of them does not start.
#[must_use]
pub fn of_s3(configure: impl Fn(Config) -> Config) -> (S3, Gateway) {
    let server = S3::start();
    fs::create_dir(server.folder().join("lake")).unwrap();
    let config = Config::s3(&server).policy("10-lake.cedar", POLICIES);
    (server, Gateway::start(configure(config)))
}

/// A target that answers everything so, and a gateway before it without TLS.
#[must_use]
pub fn of_canned(
    answer: impl Into<Vec<u8>>,
    configure: impl Fn(Config) -> Config,
) -> (Canned, Gateway) {
    let target = Canned::start(answer);
    let config = Config::canned(&target).policy("10-lake.cedar", POLICIES);
    (target, Gateway::start(configure(config)))
}

/// People are asked about what is written below `ledger/`.
pub const GATED: &str = r#"
@id("ledger-gate")
@gate("stewards")
@quorum("1")
forbid (principal, action == Aws::Action::"write", resource is Aws::Object)
when { resource.key like "ledger/*" }
unless { context.approvals.contains("stewards") };
"#;

/// Nobody writes a card number, nor below `seen/` what could not be looked at.
pub const SCREENED: &str = r#"
@id("no-cards")
forbid (principal, action == Aws::Action::"write", resource) when { context.carries.contains("pan") };
@id("seen")
forbid (principal, action == Aws::Action::"write", resource is Aws::Object)
when { context.carries.contains("uninspected") && resource.key like "seen/*" };
"#;

/// The same configuration for clients without TLS.
#[must_use]
pub fn in_clear(config: Config) -> Config {
    config.unset(&["aws", "tls"])
}

/// What is declared of objects, in TOML.
///
/// # Panics
/// If it is no TOML.
#[must_use]
pub fn objects(config: Config, declared: &str) -> Config {
    let table: toml::Table = format!("objects = [{declared}]").parse().unwrap();
    config.set(&["targets", "lake", "objects"], table["objects"].clone())
}
