//! ETags of objects in which something is hidden.
//!
//! An object's ETag is mostly the MD5 of its content: it is wrong of what is shown, and tells something of what is not. Shown
//! is another in its place, from which the gateway alone gets the object's own again, so that conditions hold and ranges that
//! are asked for one by one are of one version. It is of one object in one version: the same content elsewhere, or written
//! there again, has another.
//!
//! ```text
//! stored  "9a0364b9e99bb480dd25e1f0284c8555"      "9a0364b9e99bb480dd25e1f0284c8555-3"
//! shown   "<hex of the seal>-masked"              "<hex of the seal>-3-masked"
//!
//! inside  the stored digest (16 bytes) ‖ the first 8 bytes of SHA-256 of the version's id, or of when it was modified
//! seal    iv ‖ inside ⊕ HMAC(stream key, iv)      iv = the first 16 bytes of HMAC(iv key, bucket, key, parts, inside)
//! ```
//!
//! The seal is a synthetic IV (RFC 5297 with HMAC-SHA-256 in the place of its ciphers): the same is sealed the same, and what
//! was not sealed for an object does not open for it.

use aws_lc_rs::{constant_time, digest, hmac};

use super::classify::{Call, Thing, Wire};
use crate::http::{Fields, Head};

const END: &str = "-masked";
const DIGEST: usize = 16;
const INSIDE: usize = 24;
const SEALED: usize = DIGEST + INSIDE;

/// Fields of a request that hold ETags of objects.
const CONDITIONS: [&str; 7] = [
    "if-match",
    "if-none-match",
    "if-range",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-none-match",
    "x-amz-object-if-match",
    "x-amz-rename-source-if-match",
];
/// No object has this one.
const NONE: &str = "\"-masked\"";

/// Whether a call names objects by their digests in its body, so that what becomes of it tells whether they are right.
#[must_use]
pub fn guesses_digests(call: &Call, body: &[u8]) -> bool {
    let deletes = call.operation.is_some_and(|it| it.name == "DeleteObjects");
    call.wire == Wire::S3 && deletes && memchr::memmem::find(body, b"<ETag").is_some()
}

/// Which version an answer is of: what it tells of its id, and of when it was written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Version<'a> {
    /// `x-amz-version-id`.
    pub id: Option<&'a str>,
    /// `Last-Modified`.
    pub modified: Option<&'a str>,
}

impl Version<'_> {
    fn mark(self) -> [u8; INSIDE - DIGEST] {
        // What is overwritten keeps this id.
        let id = self.id.filter(|id| *id != "null");
        let text = match (id, self.modified) {
            (Some(id), _) => format!("id {id}"),
            (None, modified) => format!("at {}", modified.unwrap_or_default()),
        };
        let whole = digest::digest(&digest::SHA256, text.as_bytes());
        let first = whole.as_ref().first_chunk().copied();
        first.unwrap_or_default()
    }
}

/// Turns ETags into those that are shown, and back.
pub struct Tags {
    iv: hmac::Key,
    stream: hmac::Key,
}

/// An object, and the version that is asked for by its id.
type Of<'a> = (&'a str, &'a str, Option<&'a str>);

impl Tags {
    /// Under a key of 32 bytes.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let part = |purpose: &[u8]| {
            let part = hmac::sign(&key, purpose);
            hmac::Key::new(hmac::HMAC_SHA256, part.as_ref())
        };
        Self {
            iv: part(b"iv"),
            stream: part(b"stream"),
        }
    }

    /// What is shown for an ETag of the object that a call is done to; `None` where it is of no known form.
    #[must_use]
    pub fn shown(&self, call: &Call, version: Version<'_>, tag: &str) -> Option<String> {
        let (digest, parts) = read(tag.strip_prefix('"')?.strip_suffix('"')?)?;
        let (bucket, key, _) = object(call)?;
        let mut inside = [0; INSIDE];
        let (first, rest) = inside.split_at_mut(DIGEST);
        first.copy_from_slice(&digest);
        rest.copy_from_slice(&version.mark());
        let iv = self.iv((bucket, key, None), parts, &inside);
        self.cross(&iv, &mut inside);
        Some(format!(
            "\"{}{}{parts}{END}\"",
            hex::encode(iv),
            hex::encode(inside)
        ))
    }

    /// The request with the objects' own ETags in its conditions. Where something may be hidden (`masked`), an ETag that was not
    /// shown of this object is a guess at what is hidden, so no object has it.
    #[must_use]
    pub fn meant(&self, mut head: Head, call: &Call, masked: bool) -> Head {
        for name in CONDITIONS {
            let said: Vec<String> = head.fields.all(name).map(str::to_owned).collect();
            if said.is_empty() {
                continue;
            }
            head.fields.remove(name);
            let objects = conditioned(name, call, &head.fields);
            let stored = said.iter().map(|it| self.stored(it, &objects, masked));
            for value in stored.collect::<Vec<_>>() {
                head.fields.push(name, value);
            }
        }
        head
    }

    fn stored(&self, condition: &str, objects: &[Of<'_>], masked: bool) -> String {
        let tags = condition.split(',').map(|part| {
            let tag = part.trim();
            match objects.iter().find_map(|of| self.own(tag, *of)) {
                Some(own) => own,
                None if masked && tag != "*" && !is_date(condition) => NONE.to_owned(),
                None => tag.to_owned(),
            }
        });
        tags.collect::<Vec<_>>().join(", ")
    }

    /// The ETag of an object that one is shown for.
    fn own(&self, tag: &str, of: Of<'_>) -> Option<String> {
        let bare = tag.strip_prefix("W/").unwrap_or(tag);
        let bare = bare.strip_prefix('"').unwrap_or(bare);
        let bare = bare.strip_suffix('"').unwrap_or(bare);
        let (digits, parts) = bare.strip_suffix(END)?.split_at_checked(2 * SEALED)?;
        let mut sealed = [0; SEALED];
        hex::decode_to_slice(digits, &mut sealed).ok()?;
        let (iv, inside) = sealed.split_first_chunk::<DIGEST>()?;
        let mut inside: [u8; INSIDE] = inside.try_into().ok()?;
        self.cross(iv, &mut inside);
        constant_time::verify_slices_are_equal(iv, &self.iv(of, parts, &inside)).ok()?;
        let (digest, mark) = inside.split_at(DIGEST);
        // Of a version that is asked for by its id no other's holds.
        if let Some(id) = of.2.filter(|id| *id != "null") {
            let wanted = Version {
                id: Some(id),
                modified: None,
            };
            (mark == wanted.mark()).then_some(())?;
        }
        Some(format!("\"{}{parts}\"", hex::encode(digest)))
    }

    fn iv(&self, (bucket, key, _): Of<'_>, parts: &str, inside: &[u8; INSIDE]) -> [u8; DIGEST] {
        let mut context = hmac::Context::with_key(&self.iv);
        for text in [bucket, key, parts] {
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
        context.update(inside);
        let first = context.sign().as_ref().first_chunk().copied();
        first.unwrap_or_default()
    }

    /// Seals or opens.
    fn cross(&self, iv: &[u8; DIGEST], inside: &mut [u8; INSIDE]) {
        let stream = hmac::sign(&self.stream, iv);
        for (byte, mask) in inside.iter_mut().zip(stream.as_ref()) {
            *byte ^= mask;
        }
    }
}

/// The object that a call is done to.
fn object(call: &Call) -> Option<Of<'_>> {
    let version = call.parameters.iter().find(|(name, _)| name == "versionId");
    let version = version.map(|(_, id)| id.as_str());
    call.things.iter().find_map(|thing| match thing {
        Thing::Object { bucket, key } => Some((bucket.as_str(), key.as_str(), version)),
        _ => None,
    })
}

/// The objects of which a condition may be: of what is read beside there may be more than one reading.
fn conditioned<'a>(name: &str, call: &'a Call, fields: &'a Fields) -> Vec<Of<'a>> {
    if !name.contains("-source-") {
        return object(call).into_iter().collect();
    }
    let version = fields.one(super::source::COPY);
    let version = version.and_then(|it| it.split_once("?versionId="));
    let version = version.map(|(_, id)| id);
    let sources = call.things.iter().filter_map(|thing| match thing {
        Thing::Source { bucket, key } => Some((bucket.as_str(), key.as_str(), version)),
        _ => None,
    });
    sources.collect()
}

/// Whether a condition is a date: `If-Range` takes one too.
fn is_date(condition: &str) -> bool {
    condition.ends_with(" GMT") && !condition.contains('"')
}

/// The digest, and the count of parts with its hyphen.
fn read(tag: &str) -> Option<([u8; DIGEST], &str)> {
    let (digits, parts) = tag.split_at_checked(2 * DIGEST)?;
    let mut digest = [0; DIGEST];
    hex::decode_to_slice(digits, &mut digest).ok()?;
    let count = parts.strip_prefix('-').unwrap_or_default();
    let counts = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    (parts.is_empty() || counts).then_some((digest, parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::classify::{Upstream, classify};
    use crate::http::sigv4::Scope;

    const STORED: &str = "\"9a0364b9e99bb480dd25e1f0284c8555\"";

    /// A request with these fields, and its call.
    fn asked(line: &str, fields: &[(&str, &str)]) -> (Head, Call) {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut head = Head {
            method: method.to_owned(),
            path: path.to_owned(),
            query: (!query.is_empty()).then(|| query.to_owned()),
            ..Head::default()
        };
        for (name, value) in fields {
            head.fields.push(name, *value);
        }
        let scope = Scope {
            day: "20260101".to_owned(),
            region: "eu-west-1".to_owned(),
            service: "s3".to_owned(),
        };
        let call = classify(&head, &scope, Some(b""), &Upstream::default());
        assert!(call.operation.is_some(), "{line} {fields:?}");
        (head, call)
    }

    fn shown(path: &str, id: Option<&str>, modified: Option<&str>) -> String {
        let (_, call) = asked(&format!("GET {path}"), &[]);
        let tags = Tags::new(&[7; 32]);
        tags.shown(&call, Version { id, modified }, STORED).unwrap()
    }

    fn meant(line: &str, fields: &[(&str, &str)], masked: bool) -> String {
        let (head, call) = asked(line, fields);
        let name = fields.last().unwrap().0;
        let meant = Tags::new(&[7; 32]).meant(head, &call, masked);
        meant.fields.one(name).unwrap().to_owned()
    }

    #[test]
    fn tags_come_back() {
        let (_, call) = asked("GET /b/k", &[]);
        let tags = Tags::new(&[7; 32]);
        for tag in [STORED, "\"9a0364b9e99bb480dd25e1f0284c8555-10000\""] {
            let shown = tags.shown(&call, Version::default(), tag).unwrap();
            assert!(
                !shown.contains("9a0364") && shown.ends_with("-masked\""),
                "{shown}"
            );
            assert_eq!(
                tags.shown(&call, Version::default(), tag),
                Some(shown.clone())
            );
            let own = |condition: &str| meant("GET /b/k", &[("if-match", condition)], false);
            assert_eq!(own(&shown), tag);
            assert_eq!(own(shown.trim_matches('"')), tag);
            let both = own(&format!("W/{shown},\"x\", *"));
            assert_eq!(both, format!("{tag}, \"x\", *"));
            assert_eq!(own(tag), tag);
            let other = Tags::new(&[8; 32]);
            assert_ne!(other.shown(&call, Version::default(), tag), Some(shown));
        }
        for odd in [
            "9a0364b9e99bb480dd25e1f0284c8555",
            "\"9a0364b9e99bb480dd25e1f0284c855\"",
            "\"9a0364b9e99bb480dd25e1f0284c8555-\"",
            "\"9a0364b9e99bb480dd25e1f0284c85553\"",
            "\"9a0364b9e99bb480dd25e1f0284c8555-x\"",
            "\"\"",
            "\"ünï-------------------------------\"",
        ] {
            assert_eq!(tags.shown(&call, Version::default(), odd), None, "{odd}");
        }
    }

    /// Whoever writes a guess to a place of their own learns nothing of what is elsewhere, or was there before.
    #[test]
    fn equal_contents_are_not_told() {
        let all = [
            shown("/b/k", None, Some("Wed, 21 Oct 2026 07:28:00 GMT")),
            shown("/b/k", None, Some("Wed, 21 Oct 2026 07:28:01 GMT")),
            shown("/b/k", Some("v1"), Some("Wed, 21 Oct 2026 07:28:00 GMT")),
            shown("/b/k", Some("v2"), Some("Wed, 21 Oct 2026 07:28:00 GMT")),
            shown("/b/l", None, Some("Wed, 21 Oct 2026 07:28:00 GMT")),
            shown("/c/k", None, Some("Wed, 21 Oct 2026 07:28:00 GMT")),
        ];
        for (place, one) in all.iter().enumerate() {
            let start = |tag: &str| tag.get(..33).unwrap().to_owned();
            let others = all.iter().skip(place + 1);
            assert!(others.into_iter().all(|it| start(it) != start(one)));
        }
        let same = shown("/b/k", Some("v1"), None);
        assert_eq!(all.get(2), Some(&same), "HEAD and GET agree");
    }

    #[test]
    fn guesses_at_what_is_hidden_are_wrong() {
        let (mine, other) = (shown("/b/k", None, None), shown("/b/mine", None, None));
        let source = shown("/c/d", None, None);
        let copied = ("x-amz-copy-source", "c/d");
        let renamed = ("x-amz-rename-source", "d");
        let of_b = shown("/b/d", None, None);
        for (line, before, name, good) in [
            ("GET /b/k", None, "if-match", &mine),
            ("HEAD /b/k", None, "if-none-match", &mine),
            ("GET /b/k", None, "if-range", &mine),
            // Whether a write may go tells whether the guess was right.
            ("PUT /b/k", None, "if-match", &mine),
            ("DELETE /b/k", None, "if-match", &mine),
            ("POST /b/k?uploadId=u", None, "if-match", &mine),
            (
                "PUT /b/k",
                Some(copied),
                "x-amz-copy-source-if-match",
                &source,
            ),
            (
                "PUT /b/k",
                Some(copied),
                "x-amz-copy-source-if-none-match",
                &source,
            ),
            (
                "PUT /b/k?renameObject",
                Some(renamed),
                "x-amz-rename-source-if-match",
                &of_b,
            ),
        ] {
            let asked = |condition: &str| {
                let fields: Vec<_> = before.into_iter().chain([(name, condition)]).collect();
                meant(line, &fields, true)
            };
            for guess in [
                STORED,
                STORED.trim_matches('"'),
                "W/\"9a0364b9e99bb480dd25e1f0284c8555\"",
                &other,
            ] {
                assert_eq!(asked(guess), NONE, "{line} {name} {guess}");
            }
            assert_eq!(asked(good), STORED, "{line} {name}");
            let both = asked(&format!("{STORED}, {good}, *"));
            assert_eq!(both, format!("{NONE}, {STORED}, *"));
            let digit = good.replacen(['0', '1', '2', '3'], "4", 1);
            assert_eq!(asked(&digit), NONE, "{line} {name}");
        }
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        assert_eq!(meant("GET /b/k", &[("if-range", date)], true), date);
    }

    /// What was written in the place of something hidden and is of a version of its own is no guess at another.
    #[test]
    fn a_version_has_only_its_own() {
        let (one, two) = (shown("/b/k", Some("v1"), None), shown("/b/k", None, None));
        let asked = |id: &str, tag: &str| {
            let line = format!("GET /b/k?versionId={id}");
            meant(&line, &[("if-match", tag)], true)
        };
        assert_eq!(asked("v1", &one), STORED);
        assert_eq!(asked("v2", &one), NONE);
        assert_eq!(asked("v2", &two), NONE);
        assert_eq!(asked("null", &two), STORED);
        assert_eq!(meant("GET /b/k", &[("if-match", &one)], true), STORED);
        let copy = |source: &str| {
            let fields = [
                ("x-amz-copy-source", source),
                ("x-amz-copy-source-if-match", &one),
            ];
            meant("PUT /b/l", &fields, true)
        };
        assert_eq!(copy("b/k?versionId=v1"), STORED);
        assert_eq!(copy("b/k?versionId=v2"), NONE);
        assert_eq!(copy("b/k"), STORED);
    }
}
