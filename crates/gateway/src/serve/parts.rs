//! The parts of a gateway, put together from its configuration.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ledger::{Log, Options, Reader};
use mask::MaskKey;
use model::{Entry, Event, Started, Timestamp};
use policy::SchemaFragment;
use protocols::aws::credentials::Mint;
use rustls::ServerConfig;
use tokio::sync::{Semaphore, watch};

use super::{Addresses, ServeError};
use crate::api::{Api, Roles};
use crate::approval::{Approvals, Terms};
use crate::clock::Clock;
use crate::config::{self, Config, Durability, TargetProtocol, TlsMode};
use crate::evidence::Evidence;
use crate::gate::Gate;
use crate::gateway::{ASIDES_MAX, Gateway};
use crate::identity::{BuiltInIssuer, ClaimMapping, ClaimPath, Fetcher, TrustedIssuer, Verifier};
use crate::journal::Journal;
use crate::keys::{self, Keys};
use crate::policies::{Archive, Policies};
use crate::record::Recordings;
use crate::refusals::Refusals;
use crate::relay::Cancels;
use crate::stats::Stats;
use crate::store::Store;
use crate::tls;
use crate::upstream::Target;

/// A durable entry is in the tree, under a signed checkpoint, within this.
const INTEGRATE_EVERY: Duration = Duration::from_secs(1);

/// What a gateway runs on.
pub(crate) struct Parts {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) mint: Mint,
    pub(crate) mask_key: MaskKey,
    pub(crate) approvals: Approvals,
    pub(crate) api: Arc<Api>,
    pub(crate) api_tls: Option<Arc<ServerConfig>>,
    pub(crate) log: Log,
    pub(crate) ledger_folder: PathBuf,
}

impl Parts {
    /// Opens and starts everything but the listeners; the ledger's first entry of this start is written.
    #[expect(
        clippy::too_many_lines,
        reason = "one part after the other, each once, in the order they depend on each other"
    )]
    pub(crate) async fn start(
        config: &Config,
        addresses: Addresses,
        ending: watch::Receiver<bool>,
    ) -> Result<Self, ServeError> {
        let clock = Clock::system();
        let stats = Arc::new(Stats::default());
        let classes = config.own_classes().collect();
        let archive = Archive::new(config.data.join("policies"));
        let policies = Policies::load(&config.policy_folder, fragments(), classes, archive)
            .map_err(|error| ServeError::Policy(config.policy_folder.clone(), error))?;
        let policies = Arc::new(policies);
        let api_tls = config
            .api
            .tls
            .as_ref()
            .map(|files| {
                tls::server(
                    Some(files),
                    &config.data,
                    addresses.api.ip(),
                    &[b"http/1.1"],
                )
            })
            .transpose()?;

        keys::prepare(&config.data)?;
        let keys = Keys::open(&config.data, &config.ledger.origin, &config.recording.key)?;
        let targets = targets(config, &clock, &keys.mask).await?;
        let ledger_folder = config.data.join("ledger");
        let log = Log::open(&ledger_folder, options(config, keys.ledger.clone()))?;
        if let Some(at) = last_entry(&log, &ledger_folder)? {
            clock.not_before(at);
        }
        let journal = Journal::new(
            log.clone(),
            clock.clone(),
            config.ledger.durability.to_string(),
            stats.clone(),
        );
        policies
            .archive()
            .keep(&policies.current())
            .map_err(|error| ServeError::System("the policies' texts cannot be kept", error))?;
        let evidence = Evidence::new(config, keys.ledger.clone())?;
        let issuer = built_in(config, addresses.api, &keys)?;
        let mint = Mint::new(keys.aws.expose()).map_err(|error| {
            ServeError::System("keys for AWS's clients", std::io::Error::other(error))
        })?;
        let verifier = Arc::new(verifier(config, issuer.as_deref(), &clock)?);
        journal
            .write(started(config, &policies, issuer.as_deref()))
            .await?;

        let recordings = Recordings::start(
            &config.recording.folder,
            keys.recording,
            &log,
            clock.clone(),
        )?;
        let approvals = Approvals::start(log.clone(), clock.clone(), terms(config));
        let gate = Gate::new(
            journal.clone(),
            policies.clone(),
            approvals.clone(),
            keys.commands,
            config.approval.hold,
            clock.clone(),
            stats.clone(),
        );
        let api = Api {
            verifier: verifier.clone(),
            issuer,
            approvals: approvals.clone(),
            store: Store::open(&config.data.join("index.sqlite"))?,
            recordings: recordings.clone(),
            policies: policies.clone(),
            journal: journal.clone(),
            ledger: ledger_folder.clone(),
            evidence,
            roles: Roles {
                auditors: config.roles.auditors.iter().cloned().collect(),
                administrators: config.roles.administrators.iter().cloned().collect(),
            },
            clock: clock.clone(),
            stats: stats.clone(),
        };
        let gateway = Gateway {
            refusals: Refusals::default(),
            clock,
            limits: config.limits.clone(),
            journal,
            policies,
            verifier,
            gate: Arc::new(gate),
            targets,
            recordings,
            cancels: Cancels::default(),
            asides: Arc::new(Semaphore::new(ASIDES_MAX)),
            stats,
            ending,
        };
        Ok(Self {
            gateway: Arc::new(gateway),
            mint,
            mask_key: keys.mask,
            approvals,
            api: Arc::new(api),
            api_tls,
            log,
            ledger_folder,
        })
    }
}

/// What every protocol contributes to the policies' schema.
fn fragments() -> Vec<SchemaFragment> {
    let fragment = |protocol: &protocols::Descriptor| SchemaFragment {
        protocol: protocol.name,
        text: protocol.schema,
    };
    protocols::ALL.iter().map(fragment).collect()
}

/// The targets. Their passwords and keys are read once, so that a missing one is told at start.
async fn targets(
    config: &Config,
    clock: &Clock,
    mask: &MaskKey,
) -> Result<BTreeMap<String, Arc<Target>>, ServeError> {
    let mut targets = BTreeMap::new();
    for (name, target) in &config.targets {
        let target = Target::new(name, target, &config.limits)
            .map_err(|error| ServeError::Target(name.clone(), error))?;
        targets.insert(name.clone(), Arc::new(target));
    }
    for (name, target) in &config.aws_targets {
        let target = Target::aws(name, target, &config.limits, Some(mask))?;
        targets.insert(name.clone(), Arc::new(target));
    }
    for (name, target) in &targets {
        let checked = target.check(clock).await;
        checked.map_err(|error| ServeError::Secret(name.clone(), error))?;
    }
    Ok(targets)
}

fn options(config: &Config, key: ledger::SigningKey) -> Options {
    Options {
        origin: config.ledger.origin.clone(),
        key,
        durability: match config.ledger.durability {
            Durability::Sync => ledger::Durability::Sync,
            Durability::Interval(window) => ledger::Durability::Interval(window),
        },
        integrate_every: INTEGRATE_EVERY,
    }
}

/// When the log's last entry was written. An entry of a kind not known here tells no time.
pub(super) fn last_entry(log: &Log, folder: &Path) -> Result<Option<Timestamp>, ServeError> {
    if log.size() == 0 {
        return Ok(None);
    }
    let size = log.flush()?.size();
    let failed =
        |error| ServeError::System("the ledger's last entry", std::io::Error::other(error));
    let reader = Reader::open(folder, None).map_err(failed)?;
    let last = reader.entries(size.saturating_sub(1)..size).last();
    let last = last.transpose().map_err(failed)?;
    Ok(last.and_then(|(_, bytes)| Some(Entry::decode(&bytes).ok()?.at)))
}

fn started(config: &Config, policies: &Policies, issuer: Option<&BuiltInIssuer>) -> Event {
    let set = policies.current();
    Event::Started(Started {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        durability: config.ledger.durability.to_string(),
        config: config.digest,
        policy: set.version(),
        policy_files: set.files().to_vec(),
        targets: config
            .targets
            .iter()
            .map(|(name, t)| (name.clone(), t.protocol.name().to_owned()))
            .chain(
                config
                    .aws_targets
                    .keys()
                    .map(|name| (name.clone(), TargetProtocol::Aws.name().to_owned())),
            )
            .collect(),
        issuers: issuer
            .map(|issuer| issuer.url().to_owned())
            .into_iter()
            .chain(config.issuers.iter().map(|issuer| issuer.url.clone()))
            .collect(),
    })
}

fn terms(config: &Config) -> Terms {
    let keys = config
        .people
        .iter()
        .map(|(human, person)| (human.clone(), person.ssh_keys.clone()));
    Terms {
        expires: config.approval.expires,
        keys: keys.collect(),
    }
}

/// The built-in issuer lives under the API's own address.
fn built_in(
    config: &Config,
    api: SocketAddr,
    keys: &Keys,
) -> Result<Option<Arc<BuiltInIssuer>>, ServeError> {
    if !config.issuer.enabled {
        return Ok(None);
    }
    let scheme = if config.api.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let url = format!("{scheme}://{}/issuer", reachable(api));
    Ok(Some(Arc::new(BuiltInIssuer::new(
        &url,
        &config.issuer.audience,
        &keys.issuer,
    )?)))
}

/// The address under which this machine reaches a socket that may listen on all of its addresses.
fn reachable(at: SocketAddr) -> SocketAddr {
    let ip = match at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, at.port())
}

fn verifier(
    config: &Config,
    built_in: Option<&BuiltInIssuer>,
    clock: &Clock,
) -> Result<Verifier, ServeError> {
    let mut issuers = Vec::new();
    if let Some(issuer) = built_in {
        // This process asks itself, on a port that it holds: there is nobody to verify.
        let fetcher = fetcher(TlsMode::Require, None)?;
        let claims = ClaimMapping::default();
        issuers.push(TrustedIssuer::new(
            issuer.url(),
            &config.issuer.audience,
            claims,
            fetcher,
            clock.clone(),
        ));
    }
    for issuer in &config.issuers {
        let fetcher = fetcher(TlsMode::VerifyFull, issuer.ca.as_deref())?;
        let claims = mapping(&issuer.claims);
        issuers.push(TrustedIssuer::new(
            &issuer.url,
            &issuer.audience,
            claims,
            fetcher,
            clock.clone(),
        ));
    }
    Ok(Verifier::new(issuers))
}

fn fetcher(mode: TlsMode, ca: Option<&std::path::Path>) -> Result<Fetcher, ServeError> {
    let client = tls::client(mode, ca)?;
    let client =
        client.ok_or_else(|| tls::TlsError::Other("an issuer is reached by TLS".to_owned()))?;
    Ok(Fetcher::new(client))
}

fn mapping(claims: &config::Claims) -> ClaimMapping {
    ClaimMapping {
        human: ClaimPath::new(&claims.human),
        agent: ClaimPath::new(&claims.agent),
        groups: ClaimPath::new(&claims.groups),
        instance: ClaimPath::new(&claims.instance),
        model: ClaimPath::new(&claims.model),
    }
}
