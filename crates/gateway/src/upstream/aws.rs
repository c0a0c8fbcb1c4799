//! An AWS account behind a target: its keys, its endpoints, and the connections to them.
//!
//! ```text
//! credentials: keys that are named, or a chain of places ─┬─▶ keys ─────────────────────────▶ sign
//!                                                          └─▶ role: STS ─▶ keys of a session ─▶ sign
//! ```
//!
//! Where the target has a role, nothing but asking STS is ever done with the account's own keys.

mod ask;
mod chain;
mod keys;
mod lengths;
mod maskers;
mod metadata;
mod profile;
mod sts;
#[cfg(test)]
mod tests;
mod wires;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::{Request, Response, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use mask::MaskKey;
use model::{AssumedRole, Identity};
use protocols::aws::answers::Answers;
use protocols::aws::assume;
use protocols::aws::classify::{Call, Upstream};
use protocols::aws::objects::Declared;
use protocols::aws::upstream::aws_host;
use protocols::http::Head;
use protocols::http::sigv4::{Credentials, Scope};

use chain::Chain;
use sts::Sts;
use wires::Wires;

use crate::clock::Clock;
use crate::config::{self, AwsCredentials, AwsKeys, AwsRole, Endpoint, TlsMode};
use crate::gate::Caller;
use crate::relay::http::Outgoing;
use crate::tls::{self, TlsError};

pub use keys::{Kept, KeysError, StsError};
pub use lengths::{Lengths, Of};
pub use maskers::Maskers;
pub use wires::{NoAnswer, Received};

/// Named keys that were read count for so long.
const READ_FOR: Duration = Duration::from_secs(1);

/// An account, and the way to it.
pub struct Account {
    /// What hides values in what it gives and takes.
    pub maskers: Maskers,
    /// What is declared of objects.
    pub objects: Vec<Declared>,
    /// What is declared of answers.
    pub answers: Vec<Answers>,
    /// How long compressed objects are once they are masked.
    pub lengths: Lengths,
    /// So much of each body is kept in recordings.
    pub recorded_bytes: usize,
    wires: Arc<Wires>,
    endpoint: Option<Endpoint>,
    region: String,
    upstream: Upstream,
    keys: Own,
    role: Option<AwsRole>,
    sts: Sts,
}

/// The gateway's own keys there.
enum Own {
    Named(AwsKeys, Mutex<Option<(Duration, Credentials)>>),
    LookedFor(Box<Chain>, Kept),
}

/// Where one request goes.
pub struct Destination {
    /// `https` or `http`, and the address.
    pub base: Uri,
    /// The `Host`.
    pub host: String,
    /// The region it is signed for.
    pub region: String,
}

impl Account {
    pub(super) fn new(
        target: &config::AwsTarget,
        limits: &config::Limits,
        mask_key: Option<&MaskKey>,
    ) -> Result<Self, TlsError> {
        let tls = tls::client(TlsMode::VerifyFull, target.ca.as_deref())?
            .ok_or_else(|| TlsError::Other("AWS is reached by TLS".to_owned()))?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(limits.connect));
        let builder = HttpsConnectorBuilder::new().with_tls_config((*tls).clone());
        // Only the endpoint that the configuration names may be without TLS.
        let plain = target
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| !endpoint.tls);
        let builder = if plain {
            builder.https_or_http()
        } else {
            builder.https_only()
        };
        let connector = builder.enable_http1().wrap_connector(http);
        Ok(Self {
            maskers: Maskers::new(
                target.strategies.clone(),
                target.find.clone(),
                target.own.clone(),
                mask_key.cloned(),
            ),
            objects: target.objects.clone(),
            answers: target.answers.clone(),
            lengths: Lengths::default(),
            recorded_bytes: target.recorded_bytes,
            wires: Wires::new(connector),
            endpoint: target.endpoint.clone(),
            region: target.region.clone(),
            upstream: target.upstream(),
            keys: match &target.credentials {
                AwsCredentials::Keys(keys) => Own::Named(keys.clone(), Mutex::default()),
                AwsCredentials::Chain(config) => {
                    Own::LookedFor(Box::new(Chain::new(config.clone())?), Kept::default())
                }
            },
            role: target.role.clone(),
            sts: Sts::new(target)?,
        })
    }

    /// Who reads what is sent there.
    #[must_use]
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Who the role is assumed as for a session of `identity`, where there is a role.
    #[must_use]
    pub fn assumes(&self, identity: &Identity, session: &str) -> Option<AssumedRole> {
        let role = self.role.as_ref()?;
        Some(assume::who(&role.arn, identity, session))
    }

    /// The gateway's own keys there. Named ones are read again after a second, so that rotated ones take effect.
    ///
    /// # Errors
    /// [`KeysError`] where there are none.
    pub async fn keys(&self, clock: &Clock) -> Result<Credentials, KeysError> {
        match &self.keys {
            Own::Named(keys, read) => {
                let now = clock.monotonic();
                let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((at, credentials)) = &*read
                    && now.saturating_sub(*at) < READ_FOR
                {
                    return Ok(credentials.clone());
                }
                // Where they cannot be read now, those of before do not count.
                *read = None;
                let credentials = named(keys)?;
                *read = Some((now, credentials.clone()));
                Ok(credentials)
            }
            Own::LookedFor(chain, kept) => {
                let find = || chain.find(&self.sts, &chain::environment, clock.now());
                kept.get(clock, find).await
            }
        }
    }

    /// The keys that a session's requests are made with; `kept` is the session's.
    ///
    /// # Errors
    /// [`KeysError`] where there are none. Where the target has a role, no other keys ever take its place.
    pub async fn keys_for(
        &self,
        caller: &Caller,
        kept: &Kept,
        clock: &Clock,
    ) -> Result<Credentials, KeysError> {
        let Some(role) = &self.role else {
            return self.keys(clock).await;
        };
        let who = assume::who(&role.arn, &caller.identity, &caller.session);
        let fetch = async || {
            let keys = self.keys(clock).await?;
            let assumed = self.sts.assume(&keys, role, &who, clock.now()).await;
            assumed.map_err(|why| KeysError::Role {
                role: role.arn.clone(),
                why,
            })
        };
        kept.get(clock, fetch).await
    }

    /// Where a call goes that was signed for `scope`. `None` where AWS's host for it is not known.
    #[must_use]
    pub fn destination(&self, call: &Call, scope: &Scope, head: &Head) -> Option<Destination> {
        let (scheme, host, region) = match &self.endpoint {
            Some(endpoint) => {
                let (scheme, host) = origin(endpoint);
                (scheme, host, self.region.clone())
            }
            None => {
                let (host, region) = aws_host(call, scope, head)?;
                ("https", host, region)
            }
        };
        let base = format!("{scheme}://{host}").parse().ok()?;
        Some(Destination { base, host, region })
    }

    /// Asks where a request goes. It has the path alone. Only its client knows whether it may be asked twice, so it is sent once.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn ask(
        &self,
        to: &Destination,
        request: Request<Outgoing>,
    ) -> Result<Response<Received>, NoAnswer> {
        self.wires.ask(&to.base, request).await
    }

    /// Closes connections that rested too long.
    pub fn sweep(&self) {
        self.wires.sweep();
    }
}

fn named(keys: &AwsKeys) -> Result<Credentials, KeysError> {
    let token = keys.session_token.as_ref().map(|it| it.read());
    Ok(Credentials {
        access_key: keys.access_key.clone(),
        secret_key: keys.secret_key.read()?,
        token: token.transpose()?,
    })
}

/// Scheme and `Host` of an endpoint.
fn origin(endpoint: &Endpoint) -> (&'static str, String) {
    let Endpoint { tls, address } = endpoint;
    let (scheme, usual) = if *tls {
        ("https", ":443")
    } else {
        ("http", ":80")
    };
    let host = address.to_string();
    let host = host.strip_suffix(usual).map_or(host.clone(), str::to_owned);
    (scheme, host)
}
