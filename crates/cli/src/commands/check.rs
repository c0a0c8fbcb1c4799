//! `countersign check`.

use std::io::Write as _;

use clap::Args;
use gateway::clock::Clock;
use gateway::config::Config;
use gateway::tls;
use gateway::upstream::Target;
use policy::{PolicySet, SchemaFragment};
use serde_json::json;

use super::block_on;
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::escape;

/// Check configuration, policies, certificates and secrets, without starting anything.
///
/// Names each file, line and reason. Exits with 0 where a gateway would start with them, else with 2.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign check
  countersign check --config staging.toml && systemctl reload countersign")]
pub(crate) struct Check {}

impl Check {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<(), Failure> {
        let config = Config::load(&globals.config).map_err(Failure::usage)?;
        let mut problems = Vec::new();
        let policies = policies(&config).map_err(|error| problems.push(error)).ok();
        problems.extend(files(&config));
        if !problems.is_empty() {
            return Err(Failure::usage(problems.join("\n")));
        }
        let Some(policies) = policies else {
            return Ok(());
        };
        let mut warnings = policies.warnings().to_vec();
        warnings.extend(open_secrets(&config));
        warnings.extend(odd_regions(&config));
        for warning in &warnings {
            writeln!(
                std::io::stderr(),
                "{} {}",
                output.stderr_paint().yellow("warning:"),
                escape::visible(warning)
            )?;
        }
        if output.is_json() {
            return Ok(output.json(&json!({
                "config": globals.config,
                "sha256": config.digest,
                "policy": policies.version(),
                "policy_files": policies.files(),
                "targets": config.targets.keys().chain(config.aws_targets.keys()).collect::<Vec<_>>(),
                "warnings": warnings,
            }))?);
        }
        let count = |number: usize, what: &str| {
            format!("{number} {what}{}", if number == 1 { "" } else { "s" })
        };
        Ok(output.line(&format!(
            "{} is good: {}, {} in {}",
            globals.config.display(),
            count(config.targets.len() + config.aws_targets.len(), "target"),
            count(policies.files().len(), "policy file"),
            config.policy_folder.display(),
        ))?)
    }
}

/// The policies of the configuration's folder.
pub(super) fn policies(config: &Config) -> Result<PolicySet, String> {
    let fragments: Vec<SchemaFragment> = protocols::ALL
        .iter()
        .map(|protocol| SchemaFragment {
            protocol: protocol.name,
            text: protocol.schema,
        })
        .collect();
    let set = PolicySet::load(&config.policy_folder, &fragments);
    let refused = |error| {
        format!(
            "the policies in {} are refused:\n{error}",
            config.policy_folder.display()
        )
    };
    set.map(|set| set.with_classes(config.own_classes()))
        .map_err(refused)
}

/// What would be missing at start: a password, or AWS keys.
fn checked(target: &Target) -> Result<(), String> {
    let clock = Clock::system();
    let check = async { Ok(target.check(&clock).await) };
    let checked = block_on(check).map_err(|failure| failure.to_string())?;
    checked.map_err(|error| error.to_string())
}

/// Files of secrets that any account on the machine can read.
fn open_secrets(config: &Config) -> impl Iterator<Item = String> {
    let targets = config.targets.iter();
    let wire = targets.flat_map(|(name, target)| target.password.iter().map(move |it| (name, it)));
    let targets = config.aws_targets.iter();
    let aws =
        targets.flat_map(|(name, target)| target.credentials.secrets().map(move |it| (name, it)));
    wire.chain(aws).filter_map(|(name, secret)| {
        let file = secret.open_to_all()?.display();
        Some(format!(
            "target {name}: {file} can be read by every account on this machine: chmod 600 it, and consider whether the secret is still one"
        ))
    })
}

/// Regions that are not called as AWS's are, where AWS itself is asked.
fn odd_regions(config: &Config) -> impl Iterator<Item = String> {
    let targets = config.aws_targets.iter();
    let odd = targets.filter(|(_, it)| it.endpoint.is_none() && !is_region(&it.region));
    odd.map(|(name, target)| {
        let region = &target.region;
        format!("target {name}: no region of AWS is called as {region}: they are called as eu-central-1 is")
    })
}

/// `eu-central-1`, `us-gov-west-1`, `eusc-de-east-1`.
fn is_region(name: &str) -> bool {
    const AREAS: [&str; 13] = [
        "af", "ap", "ca", "cn", "eu", "eusc-de", "il", "me", "mx", "sa", "us", "us-gov", "us-iso",
    ];
    const SIDES: [&str; 9] = [
        "central",
        "east",
        "north",
        "northeast",
        "northwest",
        "south",
        "southeast",
        "southwest",
        "west",
    ];
    let mut parts = name.rsplitn(3, '-');
    let (Some(number), Some(side), Some(area)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    // Of those that are apart from all others (`us-isob`, `eu-isoe`) more may come.
    let apart = area
        .split_once("-iso")
        .is_some_and(|(of, more)| AREAS.contains(&of) && more.len() == 1);
    (AREAS.contains(&area) || apart)
        && SIDES.contains(&side)
        && number.len() == 1
        && number.bytes().all(|it| it.is_ascii_digit())
}

/// What is wrong with the files that the configuration names.
fn files(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let wire = config
        .targets
        .iter()
        .map(|(name, target)| (name, Target::new(name, target, &config.limits)));
    let aws = config
        .aws_targets
        .iter()
        .map(|(name, target)| (name, Target::aws(name, target, &config.limits, None)));
    for (name, target) in wire.chain(aws) {
        let wrong = match target {
            Ok(target) => checked(&target).err(),
            Err(error) => Some(error.to_string()),
        };
        problems.extend(wrong.map(|why| format!("target {name}: {why}")));
    }
    let listeners = [
        ("aws", &config.aws.tls, config.aws.listen),
        ("api", &config.api.tls, config.api.listen),
        ("postgres", &config.postgres.tls, config.postgres.listen),
    ];
    for (name, files, at) in listeners {
        let Some(files) = files else { continue };
        let settings = tls::server(Some(files), &config.data, at.ip(), &[]);
        problems.extend(settings.err().map(|error| format!("[{name}] tls: {error}")));
    }
    for issuer in &config.issuers {
        let Some(ca) = &issuer.ca else { continue };
        problems.extend(
            tls::roots(Some(ca))
                .err()
                .map(|error| format!("issuer {}: {error}", issuer.url)),
        );
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::is_region;

    #[test]
    fn regions_are_called_as_they_are() {
        for name in [
            "eu-central-1",
            "us-gov-west-1",
            "ap-southeast-7",
            "eusc-de-east-1",
            "us-isob-west-1",
            "mx-central-1",
        ] {
            assert!(is_region(name), "{name}");
        }
        for name in [
            "eu-centrl-1",
            "eu-central",
            "eu-central-",
            "europe-central-1",
            "lake",
            "",
        ] {
            assert!(!is_region(name), "{name}");
        }
    }
}
