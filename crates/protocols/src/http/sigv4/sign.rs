//! Signing a request.

use model::{Secret, Timestamp};

use super::super::canonical::{self, PathForm};
use super::super::date;
use super::super::escape::{self, BadEscape};
use super::super::head::Head;
use super::verify::Verified;
use super::{ALGORITHM, Derived, Payload, Scope, string_to_sign};

/// Keys of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: Secret,
    /// The session token of temporary ones.
    pub token: Option<Secret>,
}

/// Signs requests of one account for one service in one region.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// The keys.
    pub credentials: &'a Credentials,
    /// The region.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
    /// How its paths become canonical.
    pub form: PathForm,
}

/// Fields that connections add, change or take away on the way, and so are not signed.
const UNSIGNED: [&str; 9] = [
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

impl Signer<'_> {
    /// Signs in the header: sets `X-Amz-Date`, `X-Amz-Security-Token` and `Authorization`. Where the request says
    /// `x-amz-content-sha256` it is the caller who set it to `payload`.
    ///
    /// # Errors
    /// [`BadEscape`] where path or query cannot be read.
    pub fn sign(
        &self,
        head: &mut Head,
        payload: &Payload,
        now: Timestamp,
    ) -> Result<Verified, BadEscape> {
        self.sign_with(&Derived::default(), head, payload, now)
    }

    /// The same with a key that may have been derived before.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    pub fn sign_with(
        &self,
        derived: &Derived,
        head: &mut Head,
        payload: &Payload,
        now: Timestamp,
    ) -> Result<Verified, BadEscape> {
        let date = date::write(now);
        head.fields.remove("authorization");
        head.fields.set("x-amz-date", date.as_str());
        match &self.credentials.token {
            Some(token) => {
                let token = String::from_utf8_lossy(token.expose());
                head.fields.set("x-amz-security-token", token);
            }
            None => head.fields.remove("x-amz-security-token"),
        }
        let mut signed: Vec<String> = head
            .fields
            .iter()
            .map(|(name, _)| name)
            .filter(|name| !UNSIGNED.contains(name))
            .map(str::to_owned)
            .collect();
        signed.sort();
        signed.dedup();
        let names: Vec<&str> = signed.iter().map(String::as_str).collect();
        let verified = self.signature(derived, head, &names, payload, date)?;
        let value = format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={}",
            self.credentials.access_key,
            verified.scope,
            signed.join(";"),
            verified.signature
        );
        head.fields.set("authorization", value);
        Ok(verified)
    }

    /// Signs in the query, for `expires_secs` from `now`; `host` and whatever else the head holds is signed.
    ///
    /// # Errors
    /// [`BadEscape`] where path or query cannot be read.
    pub fn presign(
        &self,
        head: &mut Head,
        payload: &Payload,
        now: Timestamp,
        expires_secs: i64,
    ) -> Result<(), BadEscape> {
        let date = date::write(now);
        let mut names: Vec<String> = head
            .fields
            .iter()
            .map(|(name, _)| name.to_owned())
            .collect();
        names.retain(|name| !UNSIGNED.contains(&name.as_str()));
        names.sort();
        names.dedup();
        let scope = self.scope(&date);
        let credential = format!("{}/{scope}", self.credentials.access_key);
        let mut query = head.query.take().unwrap_or_default();
        let mut put = |name: &str, value: &str| {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(&format!("{name}={}", escape::encode(value)));
        };
        put("X-Amz-Algorithm", ALGORITHM);
        put("X-Amz-Credential", &credential);
        put("X-Amz-Date", &date);
        put("X-Amz-Expires", &expires_secs.to_string());
        if let Some(token) = &self.credentials.token {
            put(
                "X-Amz-Security-Token",
                &String::from_utf8_lossy(token.expose()),
            );
        }
        put("X-Amz-SignedHeaders", &names.join(";"));
        head.query = Some(query);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let derived = Derived::default();
        let verified = self.signature(&derived, head, &names, payload, date)?;
        if let Some(query) = &mut head.query {
            query.push_str(&format!("&X-Amz-Signature={}", verified.signature));
        }
        Ok(())
    }

    fn scope(&self, date: &str) -> Scope {
        Scope {
            day: date.get(..8).unwrap_or_default().to_owned(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
        }
    }

    fn signature(
        &self,
        derived: &Derived,
        head: &Head,
        signed: &[&str],
        payload: &Payload,
        date: String,
    ) -> Result<Verified, BadEscape> {
        let scope = self.scope(&date);
        let canonical = canonical::request(head, self.form, signed, payload.as_str())?;
        let key = derived.key(&self.credentials.secret_key, &scope);
        let signature = key.sign(&string_to_sign(&date, &scope, &canonical));
        Ok(Verified {
            payload: payload.clone(),
            key,
            scope,
            date,
            signature,
        })
    }
}
