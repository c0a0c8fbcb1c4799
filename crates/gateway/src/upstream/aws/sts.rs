//! AWS's STS, as the gateway asks it.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use model::{AssumedRole, Secret, Timestamp};
use protocols::aws::assume;
use protocols::http::canonical::PathForm;
use protocols::http::sigv4::{Credentials, Payload, Signer, sha256};
use protocols::http::{Fields, Head};

use super::ask::Asker;
use super::keys::{Keys, StsError};
use super::origin;
use crate::config::{AwsRole, AwsTarget};
use crate::tls::TlsError;

/// STS must answer within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const SERVICE: &str = "sts";

/// The STS of a target.
pub(super) struct Sts {
    asker: Asker,
    origin: String,
    host: String,
    region: String,
}

/// A role that a profile names.
pub(super) struct OwnRole<'a> {
    pub(super) arn: &'a str,
    pub(super) session: &'a str,
    pub(super) external_id: Option<&'a str>,
    pub(super) secs: u64,
}

impl Sts {
    pub(super) fn new(target: &AwsTarget) -> Result<Self, TlsError> {
        let named = target.role.as_ref().and_then(|role| role.sts.as_ref());
        let (scheme, host) = named.or(target.endpoint.as_ref()).map_or_else(
            || ("https", assume::host(&target.region)),
            |endpoint| origin(endpoint),
        );
        Ok(Self {
            asker: Asker::new(target.ca.as_deref(), ANSWER_WITHIN)?,
            origin: format!("{scheme}://{host}/"),
            host,
            region: target.region.clone(),
        })
    }

    /// The role's keys, as `who`.
    pub(super) async fn assume(
        &self,
        keys: &Credentials,
        role: &AwsRole,
        who: &AssumedRole,
        now: Timestamp,
    ) -> Result<Keys, StsError> {
        let secs = role.duration.as_secs();
        let form = assume::role_form(who, role.external_id.as_deref(), secs);
        self.ask_signed(keys, form, now).await
    }

    /// The keys of a role that the gateway itself has.
    pub(super) async fn own_role(
        &self,
        keys: &Credentials,
        role: &OwnRole<'_>,
        now: Timestamp,
    ) -> Result<Keys, StsError> {
        let form = assume::own_role_form(role.arn, role.session, role.external_id, role.secs);
        self.ask_signed(keys, form, now).await
    }

    async fn ask_signed(
        &self,
        keys: &Credentials,
        form: String,
        now: Timestamp,
    ) -> Result<Keys, StsError> {
        let mut head = self.head();
        let signer = Signer {
            credentials: keys,
            region: &self.region,
            service: SERVICE,
            form: PathForm::of(SERVICE),
        };
        let payload = Payload::Sha256(sha256(form.as_bytes()));
        let signed = signer.sign(&mut head, &payload, now);
        signed.map_err(|_| StsError::Unwritten)?;
        self.ask(&head, form.into_bytes()).await
    }

    /// A role's keys by an OIDC token.
    pub(super) async fn web_identity(
        &self,
        role: &str,
        session: &str,
        token: &Secret,
    ) -> Result<Keys, StsError> {
        let form = assume::web_identity_form(role, session, token);
        self.ask(&self.head(), form.expose().to_vec()).await
    }

    fn head(&self) -> Head {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        Head {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: None,
            fields: Fields::from_iter([("host", self.host.as_str()), ("content-type", form)]),
        }
    }

    async fn ask(&self, head: &Head, form: Vec<u8>) -> Result<Keys, StsError> {
        let mut request = Request::post(&self.origin);
        for (name, value) in head.fields.iter() {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(form)));
        let request = request.map_err(|_| StsError::Unwritten)?;
        let asked = self.asker.ask(request).await;
        let (_, answer) = asked.map_err(StsError::Unreachable)?;
        Ok(assume::read(&answer)?.into())
    }
}
