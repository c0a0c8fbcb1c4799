//! Objects that a browser uploads with a form: each is the PUT that it stands for, answered as the form has it.

use http_body_util::{BodyExt as _, Limited};
use hyper::Response;
use hyper::body::Incoming;
use protocols::aws::classify::Wire;
use protocols::aws::deny::{Refusal, xml};
use protocols::aws::post_form::{Answer, Form};
use protocols::aws::upstream;
use protocols::http::{Head, escape};

use super::Relay;
use super::answer::Shown;
use super::exchange::{Asked, Connected, Content, Refused, malformed, own};
use super::refusals::Claimed;

/// What is read of a target's answer to an upload.
const ANSWER_BYTES_MAX: usize = 1 << 20;

impl Relay {
    /// Uploads what a form holds.
    pub(super) async fn posted(
        &self,
        head: Head,
        body: Incoming,
        connected: Connected<'_>,
    ) -> Result<Response<Shown>, Refused> {
        let wire = Wire::S3;
        let refused = |refusal| Refused { refusal, wire };
        let content_type = head.fields.one("content-type").unwrap_or_default();
        let content_type = content_type.to_owned();
        let (bytes, room) = self.form(body, &head, connected.peer).await?;
        let elsewhere = || malformed("the host is not one that requests are served for", wire);
        let head = upstream::path_style(head, &self.host).ok_or_else(elsewhere)?;
        let source = connected.peer.source;
        let form = match Form::read(&head.path, &content_type, &bytes) {
            Ok(form) => form,
            Err(bad) => {
                let claimed = Claimed::nobody("", source);
                return Err(self.unproved(claimed, refused(Refusal::from(bad))).await);
            }
        };
        let now = self.gateway.clock.now();
        let access_key = form.access_key.clone();
        let keys = match self.opened(&access_key, form.token.as_deref(), now) {
            Ok(keys) => keys,
            Err(bad) => {
                let claimed = Claimed::nobody(&access_key, source);
                return Err(self.unproved(claimed, refused(Refusal::from(bad))).await);
            }
        };
        let scope = form.scope.clone();
        let upload = match form.verify((&keys.secret, &keys.derived), now) {
            Ok(upload) => upload,
            Err(bad) => {
                let claimed = Claimed {
                    target: &keys.grant.target,
                    ..Claimed::nobody(&access_key, source)
                };
                return Err(self.unproved(claimed, refused(Refusal::from(bad))).await);
            }
        };
        let path = upload.head.path.clone();
        let asked = Asked {
            head: upload.head,
            scope,
            verified: upload.verified,
            ends: upload.ends,
            access_key: access_key.clone(),
            connection: connected.peer.number,
        };
        let session = self.entered(&access_key, &keys, connected, wire).await?;
        let content = Content::Whole(upload.file, Some(room));
        let answered = self.ask(asked, content, session).await?;
        if !answered.status().is_success() {
            return Ok(answered);
        }
        let tag = answered.headers().get("etag");
        let tag = tag.and_then(|it| it.to_str().ok()).unwrap_or_default();
        let tag = tag.to_owned();
        // Only once all of it is here the upload has ended well.
        let rest = Limited::new(answered.into_body(), ANSWER_BYTES_MAX);
        let whole = rest.collect().await;
        whole.map_err(|_| malformed("the target broke off its answer to the upload", wire))?;
        Ok(told(&upload.answer, &path, tag))
    }
}

/// The answer to the browser for the object at `path`.
fn told(answer: &Answer, path: &str, tag: String) -> Response<Shown> {
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or_default();
    match answer {
        Answer::Status(201) => {
            let decoded = |text: &str| escape::decode(text).unwrap_or_default();
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{}</Location><Bucket>{}</Bucket>\
                 <Key>{}</Key><ETag>{}</ETag></PostResponse>",
                xml(path),
                xml(&decoded(bucket)),
                xml(&decoded(key)),
                xml(&tag)
            );
            let fields = [
                ("content-type", "application/xml".to_owned()),
                ("location", path.to_owned()),
                ("etag", tag),
            ];
            own(201, &fields, body.into_bytes())
        }
        Answer::Status(status) => {
            let fields = [("location", path.to_owned()), ("etag", tag)];
            own(*status, &fields, Vec::new())
        }
        Answer::Redirect(to) => {
            let joint = if to.contains('?') { '&' } else { '?' };
            let tag = escape::encode(&tag);
            let key = key.replace('/', "%2F");
            let to = format!("{to}{joint}bucket={bucket}&key={key}&etag={tag}");
            own(303, &[("location", to)], Vec::new())
        }
    }
}
