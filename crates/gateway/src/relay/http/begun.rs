//! Uploads in parts that people let begin: their parts, and what completes or aborts them, run by the same approval.
//!
//! Each run of a client has another upload's id, so nobody could approve its requests but while they wait. What is the same in
//! each run is what begins it, so that is what people approve. What this gateway saw begin by an approval stands for the
//! identity that it was given to, under the policies that it was asked under, for the gates that it opened and no others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Digest, Timestamp};
use protocols::aws::classify::Call;
use protocols::aws::screen::is;
use protocols::http::escape;

use super::exchange::Asked;
use super::sessions::Session;
use crate::gate::Standing;

/// So long an upload may take.
const LASTS: Duration = Duration::from_secs(24 * 60 * 60);
/// So many are remembered; beyond, the one that ends first is forgotten, and its parts ask for themselves.
const UPLOADS_MAX: usize = 4_096;

/// An object, and an upload to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Of {
    target: String,
    path: String,
    upload: String,
}

struct Upload {
    identity: Digest,
    standing: Standing,
    /// The intent of what began it, which names the approval.
    intent: u64,
    ends: Timestamp,
}

/// The uploads that began by an approval.
#[derive(Default)]
pub(super) struct Begun(Mutex<HashMap<Of, Upload>>);

/// What begins one, until the target says by which id.
pub(super) struct Begins {
    begun: Arc<Begun>,
    of: Of,
    upload: Option<Upload>,
}

impl Begun {
    /// For a request that begins an upload, and that people were asked about.
    pub(super) fn begins(
        self: &Arc<Self>,
        asked: &Asked,
        session: &Session,
        (standing, intent): (Standing, u64),
        now: Timestamp,
    ) -> Begins {
        let lasts = i64::try_from(LASTS.as_micros()).unwrap_or(i64::MAX);
        Begins {
            begun: self.clone(),
            of: of(asked, session, String::new()),
            upload: Some(Upload {
                identity: session.caller.key,
                standing,
                intent,
                ends: now.plus_micros(lasts),
            }),
        }
    }

    /// What stands for a request of an upload that began by an approval, and the intent of that.
    pub(super) fn standing(
        &self,
        call: &Call,
        asked: &Asked,
        session: &Session,
        now: Timestamp,
    ) -> Option<(Standing, u64)> {
        // What is copied is read elsewhere, and that nobody was asked about.
        const STEPS: [&str; 4] = [
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "ListParts",
            "UploadPart",
        ];
        if !STEPS.iter().any(|step| is(call, step)) {
            return None;
        }
        let mut all = call.parameters.iter();
        let (_, upload) = all.find(|(name, _)| name == "uploadId")?;
        let of = of(asked, session, upload.clone());
        let known = self.lock();
        let upload = known.get(&of)?;
        let stands = upload.identity == session.caller.key && upload.ends > now;
        stands.then(|| (upload.standing.clone(), upload.intent))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Of, Upload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begins {
    /// Takes what has come of the target's answer; whether it is known now.
    pub(super) fn told(&mut self, answer: &[u8]) -> bool {
        let text = String::from_utf8_lossy(answer);
        let id = text.split_once("<UploadId>").map(|(_, rest)| rest);
        let Some((id, _)) = id.and_then(|rest| rest.split_once("</UploadId>")) else {
            return false;
        };
        let Some(upload) = self.upload.take() else {
            return true;
        };
        let mut known = self.begun.lock();
        if known.len() >= UPLOADS_MAX {
            let first = known.iter().min_by_key(|(_, it)| it.ends);
            if let Some(first) = first.map(|(of, _)| of.clone()) {
                known.remove(&first);
            }
        }
        let of = Of {
            upload: id.to_owned(),
            ..self.of.clone()
        };
        known.insert(of, upload);
        true
    }
}

fn of(asked: &Asked, session: &Session, upload: String) -> Of {
    let path = &asked.head.path;
    Of {
        target: session.caller.target.name.clone(),
        path: escape::decode(path).unwrap_or_else(|_| path.clone()),
        upload,
    }
}
