//! Uploads in parts, where policy asks what they carry: what was seen of each part, until what completes the upload names them.
//!
//! Known is what this gateway saw and the target has taken. Of all else (parts from before it started, by way of another
//! gateway, copied from an object, or forgotten because there are too many) nothing is known, and so the object carries what
//! was not inspected.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::http::response;
use mask::Masker;
use protocols::aws::classify::Call;
use protocols::aws::screen::{UNINSPECTED, is};
use protocols::aws::seams::{Seen, bare, completed, joined};

/// What is kept of parts takes at most so much memory; beyond, the upload that rested longest is forgotten.
const SEEN_BYTES_MAX: usize = 64 << 20;
/// A part that was taken more often than this, each time under another ETag, is no longer known.
const ETAGS_MAX: usize = 4;

/// An upload: the target's name, the path of the object, and the upload's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Of {
    target: String,
    path: String,
    upload: String,
}

/// What a request does to an upload.
pub(super) enum Step {
    /// It brings a part.
    Part(Of, u32, Seen),
    /// It ends the upload, one way or the other.
    End(Of),
}

impl Step {
    /// What a call does to an upload at a target. `carries` is what it carries, `body` what it sends where that was held whole.
    pub(super) fn new(
        call: &Call,
        (target, path): (&str, &str),
        carries: &BTreeSet<String>,
        body: Option<&Bytes>,
    ) -> Option<Self> {
        let named = |name: &str| {
            let mut all = call.parameters.iter();
            all.find(|(it, _)| it == name).map(|(_, value)| value)
        };
        let ends = is(call, "CompleteMultipartUpload") || is(call, "AbortMultipartUpload");
        let copied = is(call, "UploadPartCopy");
        if !(ends || copied || is(call, "UploadPart")) {
            return None;
        }
        let of = Of {
            target: target.to_owned(),
            path: path.to_owned(),
            upload: named("uploadId")?.clone(),
        };
        if ends {
            return Some(Self::End(of));
        }
        let number = named("partNumber")?.parse().ok()?;
        let seen = match body {
            _ if copied => Seen::nothing(),
            body => Seen::new(carries.clone(), body.map(Bytes::as_ref)),
        };
        Some(Self::Part(of, number, seen))
    }
}

/// The uploads that are under way.
#[derive(Default)]
pub(super) struct Uploads {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    uploads: HashMap<Of, Upload>,
    bytes: usize,
    /// Counts steps, to tell which upload rested longest.
    steps: u64,
}

#[derive(Default)]
struct Upload {
    parts: BTreeMap<u32, Part>,
    bytes: usize,
    last: u64,
}

struct Part {
    seen: Seen,
    /// What the target calls it.
    etags: Vec<String>,
    /// It was sent more than once, and not as the same: which of them the target has is not known.
    twice: bool,
}

impl Uploads {
    /// A request is about to go.
    pub(super) fn goes(&self, step: &Step) {
        if let Step::Part(of, number, seen) = step {
            self.lock().put(of, *number, seen);
        }
    }

    /// The target took it.
    pub(super) fn taken(&self, step: &Step, answer: &response::Parts) {
        let mut open = self.lock();
        match step {
            // It may be tried again, and is the first to be forgotten.
            Step::End(of) => {
                if let Some(upload) = open.uploads.get_mut(of) {
                    upload.last = 0;
                }
            }
            Step::Part(of, number, _) => {
                let etag = answer.headers.get("etag").and_then(|it| it.to_str().ok());
                let part = open
                    .uploads
                    .get_mut(of)
                    .and_then(|upload| upload.parts.get_mut(number));
                if let (Some(part), Some(etag)) = (part, etag) {
                    part.called(bare(etag));
                }
            }
        }
    }

    /// What an object carries that is completed of these parts. `body` names them.
    pub(super) fn carried(
        &self,
        step: &Step,
        body: &[u8],
        masker: &Arc<Masker>,
    ) -> BTreeSet<String> {
        let known = match step {
            Step::End(of) => completed(body).and_then(|parts| self.lock().seen(of, &parts)),
            Step::Part(..) => None,
        };
        known.map_or_else(
            || [UNINSPECTED.to_owned()].into(),
            |parts| joined(&parts, masker),
        )
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn put(&mut self, of: &Of, number: u32, seen: &Seen) {
        self.steps += 1;
        let upload = self.uploads.entry(of.clone()).or_default();
        upload.last = self.steps;
        let part = upload.parts.entry(number).or_insert_with(|| {
            let size = seen.size();
            upload.bytes += size;
            self.bytes += size;
            Part {
                seen: seen.clone(),
                etags: Vec::new(),
                twice: false,
            }
        });
        part.twice |= part.seen != *seen;
        while self.bytes > SEEN_BYTES_MAX {
            let rested = self.uploads.iter().min_by_key(|(_, upload)| upload.last);
            let Some(of) = rested.map(|(of, _)| of.clone()) else {
                return;
            };
            self.forget(&of);
        }
    }

    fn forget(&mut self, of: &Of) {
        if let Some(upload) = self.uploads.remove(of) {
            self.bytes -= upload.bytes;
        }
    }

    /// What was seen of these parts; nothing of one that is not known.
    fn seen(&self, of: &Of, parts: &[(u32, String)]) -> Option<Vec<Seen>> {
        let upload = self.uploads.get(of)?;
        let seen = |(number, etag): &(u32, String)| {
            let part = upload.parts.get(number);
            let known = part.filter(|part| !part.twice && part.etags.contains(etag));
            known.map_or_else(Seen::nothing, |part| part.seen.clone())
        };
        Some(parts.iter().map(seen).collect())
    }
}

impl Part {
    fn called(&mut self, etag: &str) {
        if self.etags.iter().any(|it| it == etag) {
            return;
        }
        self.etags.push(etag.to_owned());
        self.twice |= self.etags.len() > ETAGS_MAX;
    }
}

#[cfg(test)]
mod tests {
    use hyper::Response;
    use mask::MaskerConfig;

    use super::*;

    fn of(upload: &str) -> Of {
        Of {
            target: "lake".to_owned(),
            path: "/lake/a".to_owned(),
            upload: upload.to_owned(),
        }
    }

    fn part(upload: &str, number: u32, text: &[u8]) -> Step {
        Step::Part(of(upload), number, Seen::new(BTreeSet::new(), Some(text)))
    }

    struct Scene {
        uploads: Uploads,
        masker: Arc<Masker>,
    }

    impl Scene {
        fn new() -> Self {
            Self {
                uploads: Uploads::default(),
                masker: Arc::new(Masker::new(MaskerConfig::default())),
            }
        }

        fn taken(&self, step: &Step, etag: &str) {
            self.uploads.goes(step);
            let answer = Response::builder().header("etag", format!("\"{etag}\""));
            let (answer, ()) = answer.body(()).unwrap().into_parts();
            self.uploads.taken(step, &answer);
        }

        fn completed(&self, upload: &str, parts: &[(u32, &str)]) -> Vec<String> {
            let part = |(number, etag): &(u32, &str)| {
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
            };
            let parts: String = parts.iter().map(part).collect();
            let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
            let step = Step::End(of(upload));
            let carried = self.uploads.carried(&step, body.as_bytes(), &self.masker);
            carried.into_iter().collect()
        }
    }

    #[test]
    fn only_what_the_target_took_as_it_was_seen_is_known() {
        let scene = Scene::new();
        let (one, two) = (part("u", 1, b"a 4111 1111"), part("u", 2, b" 1111 1111"));
        scene.taken(&two, "b");
        scene.taken(&one, "a");
        let both = [(1, "a"), (2, "b")];
        assert_eq!(scene.completed("u", &both), ["pan"]);
        assert_eq!(scene.completed("u", &both[..1]), [""; 0]);
        let unknown = [UNINSPECTED];
        assert_eq!(scene.completed("v", &both), unknown, "another upload");
        assert_eq!(scene.completed("u", &[(1, "a"), (2, "x")]), unknown);
        assert_eq!(scene.completed("u", &[(1, "a"), (3, "b")]), unknown);
        assert_eq!(scene.completed("u", &[]), unknown);
        // The same again changes nothing; what is not the same might be either.
        scene.taken(&one, "a");
        assert_eq!(scene.completed("u", &both), ["pan"]);
        scene.uploads.goes(&part("u", 1, b"other"));
        assert_eq!(scene.completed("u", &both), unknown);
        // Not answered.
        scene.uploads.goes(&part("w", 1, b"text"));
        assert_eq!(scene.completed("w", &[(1, "a")]), unknown);
    }

    #[test]
    fn what_takes_too_much_room_is_forgotten_and_counts_as_unknown() {
        let scene = Scene::new();
        let text = vec![b'x'; 40 << 10];
        let half = u32::try_from(SEEN_BYTES_MAX / text.len() / 2).unwrap();
        for (upload, parts) in [("rested", half), ("other", half / 2), ("last", half)] {
            (1..=parts).for_each(|number| scene.taken(&part(upload, number, &text), "a"));
        }
        assert_eq!(scene.completed("rested", &[(1, "a")]), [UNINSPECTED]);
        assert_eq!(scene.completed("other", &[(1, "a")]), [""; 0]);
        assert_eq!(scene.completed("last", &[(1, "a")]), [""; 0]);
        let open = scene.uploads.lock();
        assert!(open.bytes <= SEEN_BYTES_MAX);
        let all: usize = open.uploads.values().map(|it| it.bytes).sum();
        assert_eq!(open.bytes, all);
    }
}
