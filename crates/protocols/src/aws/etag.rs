//! ETags of objects in which something is hidden.
//!
//! An object's ETag is mostly the MD5 of its content: it is wrong of what is shown, and tells something of what is not. Shown
//! is another in its place, from which the gateway alone gets the object's own again, so that conditions hold and ranges that
//! are asked for one by one are of one version.
//!
//! ```text
//! stored  "9a0364b9e99bb480dd25e1f0284c8555"      "9a0364b9e99bb480dd25e1f0284c8555-3"
//! shown   "<AES of the 16 bytes>-masked"          "<AES of the 16 bytes>-3-masked"
//! ```

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey,
};

use super::classify::{Call, Wire};
use super::credentials::NoKeys;
use crate::http::Head;

const END: &str = "-masked";

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

/// Turns ETags into those that are shown, and back.
pub struct Tags {
    hide: EncryptingKey,
    show: DecryptingKey,
}

impl Tags {
    /// Under a key of 32 bytes.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub fn new(key: &[u8]) -> Result<Self, NoKeys> {
        let key = || UnboundCipherKey::new(&AES_256, key).map_err(|_| NoKeys);
        // One block of one meaning each: there is nothing that a mode would chain.
        Ok(Self {
            hide: EncryptingKey::ecb(key()?).map_err(|_| NoKeys)?,
            show: DecryptingKey::ecb(key()?).map_err(|_| NoKeys)?,
        })
    }

    /// What is shown for an ETag; `None` where it is of no known form.
    #[must_use]
    pub fn shown(&self, tag: &str) -> Option<String> {
        let (digest, parts) = read(tag.strip_prefix('"')?.strip_suffix('"')?)?;
        let mut block = digest;
        let context = self.hide.encrypt(&mut block).ok()?;
        matches!(context, DecryptionContext::None)
            .then(|| format!("\"{}{parts}{END}\"", hex::encode(block)))
    }

    /// The request with the objects' own ETags in its conditions. Where something may be hidden (`masked`), an ETag that was not
    /// shown is a guess at what is, so no object has it; but a request that changes an object may say which one it was that it
    /// uploaded itself.
    #[must_use]
    pub fn meant(&self, mut head: Head, masked: bool) -> Head {
        let reads = matches!(head.method.as_str(), "GET" | "HEAD");
        for name in CONDITIONS {
            let said: Vec<String> = head.fields.all(name).map(str::to_owned).collect();
            if said.is_empty() {
                continue;
            }
            head.fields.remove(name);
            let strict = masked && (reads || name.starts_with("x-amz-copy-source-"));
            let single = said.len() == 1 && !said.iter().any(|it| it.contains(','));
            for condition in said {
                let value = self.stored(&condition, masked && (strict || !single));
                head.fields.push(name, value);
            }
        }
        head
    }

    fn stored(&self, condition: &str, strict: bool) -> String {
        let tags = condition.split(',').map(|part| {
            let tag = part.trim();
            match self.own(tag) {
                Some(own) => own,
                None if strict && tag != "*" && !is_date(condition) => NONE.to_owned(),
                None => tag.to_owned(),
            }
        });
        tags.collect::<Vec<_>>().join(", ")
    }

    /// The ETag that one is shown for.
    fn own(&self, tag: &str) -> Option<String> {
        let bare = tag.strip_prefix("W/").unwrap_or(tag);
        let bare = bare.strip_prefix('"').unwrap_or(bare);
        let bare = bare.strip_suffix('"').unwrap_or(bare);
        let (mut block, parts) = read(bare.strip_suffix(END)?)?;
        self.show
            .decrypt(&mut block, DecryptionContext::None)
            .ok()?;
        Some(format!("\"{}{parts}\"", hex::encode(block)))
    }
}

/// Whether a condition is a date: `If-Range` takes one too.
fn is_date(condition: &str) -> bool {
    condition.ends_with(" GMT") && !condition.contains('"')
}

/// The digest, and the count of parts with its hyphen.
fn read(tag: &str) -> Option<([u8; 16], &str)> {
    let (digits, parts) = tag.split_at_checked(32)?;
    let mut digest = [0; 16];
    hex::decode_to_slice(digits, &mut digest).ok()?;
    let count = parts.strip_prefix('-').unwrap_or_default();
    let counts = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    (parts.is_empty() || counts).then_some((digest, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_back() {
        let tags = Tags::new(&[7; 32]).unwrap();
        for tag in [
            "\"9a0364b9e99bb480dd25e1f0284c8555\"",
            "\"9a0364b9e99bb480dd25e1f0284c8555-10000\"",
        ] {
            let shown = tags.shown(tag).unwrap();
            assert!(
                !shown.contains("9a0364") && shown.ends_with("-masked\""),
                "{shown}"
            );
            assert_eq!(tags.shown(tag), Some(shown.clone()));
            let own = |condition: &str| {
                let mut head = Head::default();
                head.fields.push("if-match", condition);
                tags.meant(head, false)
                    .fields
                    .one("if-match")
                    .map(str::to_owned)
            };
            assert_eq!(own(&shown).as_deref(), Some(tag));
            assert_eq!(own(shown.trim_matches('"')).as_deref(), Some(tag));
            let both = own(&format!("W/{shown},\"x\", *"));
            assert_eq!(both, Some(format!("{tag}, \"x\", *")));
            assert_eq!(own(tag).as_deref(), Some(tag));
            assert_ne!(Tags::new(&[8; 32]).unwrap().shown(tag), Some(shown));
        }
    }

    #[test]
    fn guesses_at_what_is_hidden_are_wrong() {
        let tags = Tags::new(&[7; 32]).unwrap();
        let stored = "\"9a0364b9e99bb480dd25e1f0284c8555\"";
        let shown = tags.shown(stored).unwrap();
        let asked = |method: &str, name: &str, condition: &str| {
            let mut head = Head {
                method: method.to_owned(),
                ..Head::default()
            };
            head.fields.push(name, condition);
            let meant = tags.meant(head, true);
            meant.fields.one(name).unwrap().to_owned()
        };
        for (method, name) in [
            ("GET", "if-match"),
            ("HEAD", "if-none-match"),
            ("GET", "if-range"),
            ("PUT", "x-amz-copy-source-if-match"),
            ("PUT", "x-amz-copy-source-if-none-match"),
        ] {
            for guess in [
                stored,
                stored.trim_matches('"'),
                "W/\"9a0364b9e99bb480dd25e1f0284c8555\"",
            ] {
                assert_eq!(asked(method, name, guess), NONE, "{method} {name}");
            }
            assert_eq!(asked(method, name, &shown), stored, "{method} {name}");
            let both = asked(method, name, &format!("{stored}, {shown}, *"));
            assert_eq!(both, format!("{NONE}, {stored}, *"));
        }
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        assert_eq!(asked("GET", "if-range", date), date);
        // Who uploaded something knows its ETag, and may replace what it is still of.
        assert_eq!(asked("PUT", "if-match", stored), stored);
        assert_eq!(asked("PUT", "if-match", &shown), stored);
        let many = asked("PUT", "if-match", &format!("{stored}, {stored}"));
        assert_eq!(many, format!("{NONE}, {NONE}"));
        for odd in [
            "9a0364b9e99bb480dd25e1f0284c8555",
            "\"9a0364b9e99bb480dd25e1f0284c855\"",
            "\"9a0364b9e99bb480dd25e1f0284c8555-\"",
            "\"9a0364b9e99bb480dd25e1f0284c85553\"",
            "\"9a0364b9e99bb480dd25e1f0284c8555-x\"",
            "\"\"",
            "\"ünï-------------------------------\"",
        ] {
            assert_eq!(tags.shown(odd), None, "{odd}");
        }
    }
}
