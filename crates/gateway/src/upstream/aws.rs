//! An AWS account behind a target: its keys, its endpoints, and the connections to them.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use mask::Strategy;
use mask::own::OwnClasses;
use model::DataClass;
use protocols::aws::classify::Call;
use protocols::aws::upstream::aws_host;
use protocols::http::sigv4::{Credentials, Scope};

use crate::config::{self, AwsCredentials, Endpoint, SecretError, TlsMode};
use crate::relay::http::Outgoing;
use crate::tls::{self, TlsError};

/// Idle connections that are kept for each host, and for how long.
const IDLE_MAX: usize = 64;
const IDLE_FOR: Duration = Duration::from_secs(20);

/// An account, and the way to it.
pub struct Account {
    /// How values of each class are hidden, where not partially.
    pub strategies: BTreeMap<DataClass, Strategy>,
    /// Which classes are looked for in any text, where not as usual.
    pub find: BTreeMap<DataClass, bool>,
    /// Classes that configuration defines.
    pub own: OwnClasses,
    client: Client<HttpsConnector<HttpConnector>, Outgoing>,
    endpoint: Option<Endpoint>,
    region: String,
    credentials: AwsCredentials,
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
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_MAX)
            // Only the client knows whether what it asks may be asked twice.
            .retry_canceled_requests(false)
            .set_host(false)
            .build(connector);
        Ok(Self {
            strategies: target.strategies.clone(),
            find: target.find.clone(),
            own: target.own.clone(),
            client,
            endpoint: target.endpoint.clone(),
            region: target.region.clone(),
            credentials: target.credentials.clone(),
        })
    }

    /// The account's keys. Read afresh, so that rotated ones take effect.
    ///
    /// # Errors
    /// [`SecretError`] where their place holds none.
    pub fn credentials(&self) -> Result<Credentials, SecretError> {
        let token = self.credentials.session_token.as_ref();
        let token = token.map(config::SecretSource::read).transpose()?;
        Ok(Credentials {
            access_key: self.credentials.access_key.clone(),
            secret_key: self.credentials.secret_key.read()?,
            token: token.map(|token| String::from_utf8_lossy(token.expose()).into_owned()),
        })
    }

    /// Where a call goes that was signed for `scope`. `None` where AWS's host for it is not known.
    #[must_use]
    pub fn destination(&self, call: &Call, scope: &Scope) -> Option<Destination> {
        let (scheme, host, region) = match &self.endpoint {
            Some(Endpoint { tls, address }) => {
                let usual = if *tls { 443 } else { 80 };
                let host = if address.port == usual {
                    address.to_string().rsplit_once(':')?.0.to_owned()
                } else {
                    address.to_string()
                };
                let scheme = if *tls { "https" } else { "http" };
                (scheme, host, self.region.clone())
            }
            None => {
                let (host, region) = aws_host(call, scope)?;
                ("https", host, region)
            }
        };
        let base = format!("{scheme}://{host}").parse().ok()?;
        Some(Destination { base, host, region })
    }

    /// The client that requests go through.
    #[must_use]
    pub fn client(&self) -> &Client<HttpsConnector<HttpConnector>, Outgoing> {
        &self.client
    }
}
