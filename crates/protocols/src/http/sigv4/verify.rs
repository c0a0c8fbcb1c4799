//! Verifying a signature.

use model::{Secret, Timestamp};

use super::super::canonical::PathForm;
use super::super::head::Head;
use super::presented::{Form, Presented};
use super::{Derived, EMPTY_SHA256, Fault, Payload, Scope, SigningKey, same, string_to_sign};

/// Clocks may differ by so much: what AWS allows.
pub const SKEW_SECS_MAX: i64 = 15 * 60;

/// A request whose signature holds.
#[derive(Clone)]
pub struct Verified {
    /// What was signed as the body.
    pub payload: Payload,
    /// The key, which chunks are signed with too.
    pub key: SigningKey,
    /// What the key is for.
    pub scope: Scope,
    /// The date as it was signed.
    pub date: String,
    /// The signature, on which that of the first chunk builds.
    pub signature: String,
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified")
            .field("payload", &self.payload)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Presented {
    /// Verifies it at `now` with the secret of the key it names, from which a key may have been `derived` before. `body` is the SHA-256 of the body in hexadecimal, where the
    /// caller has read it: it is what is meant where the request says nothing of its body, and must agree where it does.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn verify(
        &self,
        head: &Head,
        (secret, derived): (&Secret, &Derived),
        body: Option<&str>,
        now: Timestamp,
    ) -> Result<Verified, Fault> {
        self.timely(now)?;
        let payload = self.meant(body);
        let key = derived.key(secret, &self.scope);
        self.matches(head, &key, payload.as_str())?;
        if let (Payload::Sha256(signed), Some(body)) = (&payload, body)
            && !same(signed, body)
        {
            return Err(Fault::Body);
        }
        Ok(Verified {
            payload,
            key,
            scope: self.scope.clone(),
            date: self.date.clone(),
            signature: self.signature.clone(),
        })
    }

    fn timely(&self, now: Timestamp) -> Result<(), Fault> {
        let secs = now.secs() - self.at.secs();
        let skewed = Fault::Skewed {
            signed: self.at,
            now,
        };
        match self.form {
            Form::Header if secs.abs() > SKEW_SECS_MAX => Err(skewed),
            Form::Query { .. } if -secs > SKEW_SECS_MAX => Err(skewed),
            Form::Query { expires_secs } if secs > expires_secs => Err(Fault::Expired(
                Timestamp::from_secs(self.at.secs() + expires_secs),
            )),
            _ => Ok(()),
        }
    }

    /// What the last line of the canonical request is.
    fn meant(&self, body: Option<&str>) -> Payload {
        match (&self.payload, body) {
            (Some(stated), _) => stated.clone(),
            (None, Some(body)) if !self.unsigned_by_default() => Payload::Sha256(body.to_owned()),
            (None, _) if self.unsigned_by_default() => Payload::Unsigned,
            (None, _) => Payload::Sha256(EMPTY_SHA256.to_owned()),
        }
    }

    /// A presigned URL of S3 that says nothing of its body means any body.
    fn unsigned_by_default(&self) -> bool {
        self.is_presigned() && PathForm::of(&self.scope.service) == PathForm::S3
    }

    /// Compares with what the request gives. S3's clients do not agree on which characters of a path are escaped, so there
    /// the path counts both as it came and escaped anew; both name the same key.
    fn matches(&self, head: &Head, key: &SigningKey, payload: &str) -> Result<(), Fault> {
        let form = PathForm::of(&self.scope.service);
        let canonical = self.canonical(head, form, payload)?;
        let text = string_to_sign(&self.date, &self.scope, &canonical);
        if same(&key.sign(&text), &self.signature) {
            return Ok(());
        }
        if form == PathForm::S3 {
            let mut lines = canonical.splitn(3, '\n');
            if let (Some(method), Some(_), Some(rest)) = (lines.next(), lines.next(), lines.next())
            {
                let raw = format!("{method}\n{}\n{rest}", head.path);
                let text = string_to_sign(&self.date, &self.scope, &raw);
                if same(&key.sign(&text), &self.signature) {
                    return Ok(());
                }
            }
        }
        Err(Fault::Mismatch)
    }

    /// The same with a path form of the caller's choice: for published vectors.
    #[cfg(test)]
    pub(crate) fn matches_as(
        &self,
        head: &Head,
        secret: &Secret,
        form: PathForm,
        payload: &str,
    ) -> Result<(), Fault> {
        let key = SigningKey::derive(secret, &self.scope);
        let canonical = self.canonical(head, form, payload)?;
        let text = string_to_sign(&self.date, &self.scope, &canonical);
        if same(&key.sign(&text), &self.signature) {
            Ok(())
        } else {
            Err(Fault::Mismatch)
        }
    }
}
