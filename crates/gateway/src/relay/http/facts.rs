//! What is known of an object beside its name: its tags, which the target is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use protocols::aws::objects::{Facts, TAGS_BYTES_MAX, asks_tags, read_tags, tags_request};
use protocols::aws::upstream;
use protocols::http::canonical::PathForm;
use protocols::http::sigv4::{Credentials, EMPTY_SHA256, Payload, Signer};

use super::Relay;
use super::outgoing::Outgoing;
use super::send::{Going, request};
use crate::upstream::aws::Account;

/// The tags must be there within this.
const WITHIN: Duration = Duration::from_secs(10);

impl Relay {
    /// What is known of the object that is read before it is: its tags, where a declaration asks for them. They are asked for
    /// each time, since they can change while the object does not, and where they cannot be read nothing is known of them.
    pub(super) async fn facts(
        &self,
        account: &Account,
        going: &Going,
        keys: &Credentials,
    ) -> Facts {
        let mut facts = Facts::default();
        if asks_tags(&account.objects, &going.call) {
            let asked = tokio::time::timeout(WITHIN, self.tags(account, going, keys)).await;
            facts.tags = asked.ok().flatten();
            if facts.tags.is_none() {
                let session = &going.session.caller.session;
                tracing::warn!(
                    session,
                    "the tags of an object cannot be read: whatever is declared by tags counts"
                );
            }
        }
        facts
    }

    async fn tags(
        &self,
        account: &Account,
        going: &Going,
        keys: &Credentials,
    ) -> Option<BTreeMap<String, String>> {
        let Going { asked, call, .. } = going;
        let destination = account.destination(call, &asked.scope, &asked.head)?;
        let head = tags_request(&asked.head);
        let mut head = upstream::head(&head, call, &destination.host).ok()?;
        let payload = Payload::Sha256(EMPTY_SHA256.to_owned());
        head.fields.set("x-amz-content-sha256", payload.as_str());
        let signer = Signer {
            credentials: keys,
            region: &destination.region,
            service: &asked.scope.service,
            form: PathForm::of(&asked.scope.service),
        };
        let signed = signer.sign(&mut head, &payload, self.gateway.clock.now());
        signed.ok()?;
        let request = request(&head, Outgoing::Whole(None))?;
        let answer = account.ask(&destination, request).await.ok()?;
        if answer.status() != hyper::StatusCode::OK {
            return None;
        }
        let body = Limited::new(answer.into_body(), TAGS_BYTES_MAX);
        read_tags(&body.collect().await.ok()?.to_bytes())
    }
}
