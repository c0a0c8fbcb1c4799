//! Forms that browsers upload objects with (Amazon S3 API reference, "POST Object"): the policy in them is what was signed.
//!
//! ```text
//! multipart/form-data ─▶ Form::read ─▶ (whose key?) ─▶ Form::verify ─▶ the PUT that it stands for, and the file
//! ```
//!
//! Only fields that an upload has too are taken, and each must be named by a condition of the policy.

mod multipart;
mod policy;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use model::{Secret, Timestamp};

use super::objects::read_tags;
use crate::http::canonical::PathForm;
use crate::http::checksum::{Algorithm, Checksum};
use crate::http::sigv4::{ALGORITHM, Derived, Fault, Payload, Scope, Verified, sha256};
use crate::http::{Fields, Head, escape};

use multipart::Parts;
use policy::Policy;

/// A form, read and not believed.
#[derive(Debug)]
pub struct Form {
    /// Whose key its signature names.
    pub access_key: String,
    /// The session token that came with it.
    pub token: Option<String>,
    /// What its key was derived for.
    pub scope: Scope,
    bucket: String,
    date: String,
    signature: String,
    /// The policy as it was signed.
    signed: String,
    fields: Vec<(String, String)>,
    filename: String,
    file: Bytes,
}

/// An upload that a form stands for.
#[derive(Debug)]
pub struct Upload {
    /// The PUT, in path style, unsigned.
    pub head: Head,
    /// The object's content.
    pub file: Bytes,
    /// What its signature is worth.
    pub verified: Verified,
    /// When the policy ends.
    pub ends: Timestamp,
    /// How the browser is answered.
    pub answer: Answer,
}

/// How the browser is answered where the upload went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With this status and nothing else, or for 201 with a document that names the object.
    Status(u16),
    /// It is sent on to this address.
    Redirect(String),
}

/// A form that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadForm {
    /// It cannot be read.
    #[error("the form cannot be read: {0}")]
    Malformed(&'static str),
    /// Its signature is not good.
    #[error(transparent)]
    Signature(#[from] Fault),
    /// Its policy has ended.
    #[error("the form's policy expired at {0}: make a new one")]
    Expired(Timestamp),
    /// Its policy does not let it.
    #[error("the form's policy does not allow it: {0}")]
    Policy(String),
    /// A field is none that is taken here.
    #[error("the field {0} of a form is not taken here")]
    Field(String),
}

/// Fields that are header fields of the upload, by the name they have there.
const HEADERS: [(&str, &str); 16] = [
    ("acl", "x-amz-acl"),
    ("cache-control", "cache-control"),
    ("content-disposition", "content-disposition"),
    ("content-encoding", "content-encoding"),
    ("content-language", "content-language"),
    ("content-type", "content-type"),
    ("expires", "expires"),
    (
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption",
    ),
    (
        "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-server-side-encryption-aws-kms-key-id",
    ),
    ("x-amz-storage-class", "x-amz-storage-class"),
    (
        "x-amz-website-redirect-location",
        "x-amz-website-redirect-location",
    ),
    ("x-amz-checksum-crc32", "x-amz-checksum-crc32"),
    ("x-amz-checksum-crc32c", "x-amz-checksum-crc32c"),
    ("x-amz-checksum-crc64nvme", "x-amz-checksum-crc64nvme"),
    ("x-amz-checksum-sha1", "x-amz-checksum-sha1"),
    ("x-amz-checksum-sha256", "x-amz-checksum-sha256"),
];
/// The checksum that the object is to have, and its tags in XML.
const ALGORITHM_FIELD: &str = "x-amz-checksum-algorithm";
const TAGGING: &str = "tagging";
const METADATA: &str = "x-amz-meta-";
/// Fields that say how it was signed or how it is answered, and go nowhere.
const OWN: [&str; 9] = [
    "key",
    "policy",
    "redirect",
    "success_action_redirect",
    "success_action_status",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-security-token",
];
/// What stands for the name that the file has where it comes from.
const FILENAME: &str = "${filename}";

impl Form {
    /// Reads a form for the bucket in `path`. `content_type` tells where its parts end.
    ///
    /// # Errors
    /// [`BadForm`].
    pub fn read(path: &str, content_type: &str, body: &Bytes) -> Result<Self, BadForm> {
        let malformed = BadForm::Malformed;
        let bucket = path.trim_matches('/');
        let bucket = escape::decode(bucket).map_err(|_| malformed("its path"))?;
        if bucket.is_empty() || bucket.contains('/') {
            return Err(malformed("its path is not that of a bucket"));
        }
        let Parts {
            fields,
            filename,
            file,
        } = multipart::read(content_type, body)?;
        let one = |name: &str| {
            let found = fields.iter().find(|(it, _)| it == name);
            found.map(|(_, value)| value.clone())
        };
        let need = |name| one(name).ok_or(BadForm::Signature(Fault::Missing));
        match need("x-amz-algorithm")?.as_str() {
            ALGORITHM => {}
            "AWS4-ECDSA-P256-SHA256" => return Err(Fault::SigV4A.into()),
            _ => return Err(Fault::Algorithm.into()),
        }
        let (access_key, scope) = Scope::of_credential(&need("x-amz-credential")?)?;
        if PathForm::of(&scope.service) != PathForm::S3 {
            return Err(malformed("its Credential is not for S3"));
        }
        let date = need("x-amz-date")?;
        if !date.starts_with(&scope.day) {
            return Err(Fault::Malformed("the credential's day is not the date's").into());
        }
        Ok(Self {
            access_key,
            token: one("x-amz-security-token"),
            scope,
            bucket,
            date,
            signature: need("x-amz-signature")?,
            signed: need("policy")?,
            filename,
            file,
            fields,
        })
    }

    /// The upload that it stands for at `now`, if the secret is that of its key and its policy lets it.
    ///
    /// # Errors
    /// [`BadForm`].
    pub fn verify(
        self,
        (secret, derived): (&Secret, &Derived),
        now: Timestamp,
    ) -> Result<Upload, BadForm> {
        let key = derived.key(secret, &self.scope);
        if !key.signed(&self.signed, &self.signature) {
            return Err(Fault::Mismatch.into());
        }
        let policy = Policy::read(&self.signed)?;
        if now > policy.ends {
            return Err(BadForm::Expired(policy.ends));
        }
        policy.allows(&self.bucket, &self.fields, self.file.len() as u64)?;
        let given = self.field("key").filter(|key| !key.is_empty());
        let given = given.ok_or(BadForm::Malformed("it has no key"))?;
        let object = given.replace(FILENAME, &self.filename);
        if object != given {
            policy.allows_value("key", &object)?;
        }
        let mut fields = Fields::default();
        for (name, value) in &self.fields {
            match HEADERS.iter().find(|(it, _)| it == name) {
                Some((_, header)) => fields.push(header, value.as_str()),
                None if name.starts_with(METADATA) => fields.push(name, value.as_str()),
                None if name == ALGORITHM_FIELD => self.checksum(value, &mut fields)?,
                None if name == TAGGING => {
                    let tags = read_tags(value.as_bytes());
                    let tags =
                        tags.ok_or(BadForm::Malformed("its tagging is no Tagging in XML"))?;
                    let pair = |(key, value): (&String, &String)| {
                        format!("{}={}", escape::encode(key), escape::encode(value))
                    };
                    let tags: Vec<_> = tags.iter().map(pair).collect();
                    fields.push("x-amz-tagging", tags.join("&"));
                }
                None if OWN.contains(&name.as_str())
                    || name == "x-amz-signature"
                    || name.starts_with("x-ignore-") => {}
                None => return Err(BadForm::Field(name.clone())),
            }
        }
        let answer = self.answer();
        Ok(Upload {
            head: Head {
                method: "PUT".to_owned(),
                path: escape::encode_path(&format!("/{}/{object}", self.bucket)),
                query: None,
                fields,
            },
            verified: Verified {
                payload: Payload::Sha256(sha256(&self.file)),
                key,
                scope: self.scope,
                date: self.date,
                // The same policy may stand in many forms: what counts once is one with this file.
                signature: sha256(
                    &[self.signature.as_bytes(), &self.file, object.as_bytes()].concat(),
                ),
            },
            file: self.file,
            ends: policy.ends,
            answer,
        })
    }

    /// The checksum that a form wants by this name and does not bring: S3 makes it itself, and of an upload it must be told.
    fn checksum(&self, algorithm: &str, fields: &mut Fields) -> Result<(), BadForm> {
        let header = format!("x-amz-checksum-{}", algorithm.to_ascii_lowercase());
        let unknown = BadForm::Malformed("its x-amz-checksum-algorithm is not known here");
        let known = Algorithm::of_header(&header).ok_or(unknown)?;
        fields.push("x-amz-sdk-checksum-algorithm", algorithm);
        if self.field(&header).is_none() {
            let mut checksum = Checksum::new(known);
            checksum.update(&self.file);
            fields.push(known.header(), checksum.finish());
        }
        Ok(())
    }

    fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str())
    }

    fn answer(&self) -> Answer {
        let to = self
            .field("success_action_redirect")
            .or_else(|| self.field("redirect"));
        match (to, self.field("success_action_status")) {
            (Some(to), _) if to.starts_with("https://") || to.starts_with("http://") => {
                Answer::Redirect(to.to_owned())
            }
            (_, Some("200")) => Answer::Status(200),
            (_, Some("201")) => Answer::Status(201),
            _ => Answer::Status(204),
        }
    }
}
