//! Small questions over HTTP: to STS, and to the endpoints that give a machine its keys.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::config::TlsMode;
use crate::tls::{self, TlsError};

/// An answer is at most so large.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// A client for small questions. Whether plain HTTP may be spoken to somebody is for who asks to know.
pub(super) struct Asker {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    within: Duration,
}

impl Asker {
    /// A client that trusts `ca`, or what the system trusts. An answer must be there `within` this time.
    pub(super) fn new(ca: Option<&Path>, within: Duration) -> Result<Self, TlsError> {
        let tls = tls::client(TlsMode::VerifyFull, ca)?
            .ok_or_else(|| TlsError::Other("AWS is reached by TLS".to_owned()))?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config((*tls).clone())
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            within,
        })
    }

    /// Asks. Redirects are not followed.
    pub(super) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), String> {
        let ask = async {
            let answer = self.client.request(request).await;
            let answer = answer.map_err(|error| crate::chain(&error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX);
            let body = body.collect().await.map_err(|error| error.to_string())?;
            Ok((status, body.to_bytes()))
        };
        let late = |_| format!("no answer within {} s", self.within.as_secs());
        tokio::time::timeout(self.within, ask).await.map_err(late)?
    }
}
