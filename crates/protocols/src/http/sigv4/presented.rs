//! A signature as a request carries it.

use model::Timestamp;

use super::super::escape;
use super::super::head::{AUTHORITY, Head};
use super::super::{canonical, date};
use super::{ALGORITHM, EXPIRES_SECS_MAX, Fault, Payload, Scope};

/// Where a signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In the header `Authorization`.
    Header,
    /// In the query: a presigned URL, good for so many seconds.
    Query {
        /// `X-Amz-Expires`.
        expires_secs: i64,
    },
}

/// A signature, read and not believed.
#[derive(Debug, Clone)]
pub struct Presented {
    /// Where it stands.
    pub form: Form,
    /// Whose key it names.
    pub access_key: String,
    /// What its key was derived for.
    pub scope: Scope,
    /// When it was made.
    pub at: Timestamp,
    /// The session token that came with it.
    pub token: Option<String>,
    /// What it says of the body. `None`: nothing, so the body's own digest is meant.
    pub payload: Option<Payload>,
    pub(super) date: String,
    pub(super) signed: Vec<String>,
    pub(super) signature: String,
}

impl Presented {
    /// Reads the signature of a request.
    ///
    /// # Errors
    /// [`Fault`] where there is none, or it is malformed, or leaves out what must be signed.
    pub fn read(head: &Head) -> Result<Self, Fault> {
        let query = escape::pairs(head.query.as_deref().unwrap_or_default())
            .map_err(|_| Fault::Malformed("the query holds a malformed escape"))?;
        let query = Query(&query);
        let in_header = head.fields.has("authorization");
        let in_query = query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm");
        let this = match (in_header, in_query) {
            (false, false) => return Err(Fault::Missing),
            (true, true) => return Err(Fault::Twice),
            (true, false) => Self::in_header(head)?,
            (false, true) => Self::in_query(head, &query)?,
        };
        this.check(head)?;
        Ok(this)
    }

    fn in_header(head: &Head) -> Result<Self, Fault> {
        let fields = &head.fields;
        let value = fields
            .one("authorization")
            .ok_or(Fault::Malformed("Authorization stands more than once"))?;
        let (algorithm, rest) = value.trim().split_once(' ').unwrap_or((value, ""));
        check_algorithm(algorithm)?;
        let (mut credential, mut signed, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part
                .trim()
                .split_once('=')
                .ok_or(Fault::Malformed("a part of Authorization has no value"))?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed,
                "Signature" => &mut signature,
                _ => return Err(Fault::Malformed("Authorization has an unknown part")),
            };
            if place.replace(value).is_some() {
                return Err(Fault::Malformed("a part of Authorization stands twice"));
            }
        }
        let date = fields
            .one("x-amz-date")
            .ok_or(Fault::Malformed("there is no X-Amz-Date"))?;
        let payload = match fields.has("x-amz-content-sha256") {
            false => None,
            true => Some(
                fields
                    .one("x-amz-content-sha256")
                    .and_then(Payload::read)
                    .ok_or(Fault::Malformed("x-amz-content-sha256 is of no known form"))?,
            ),
        };
        Parts {
            form: Form::Header,
            credential,
            signed,
            signature,
            date,
            token: token(fields.all("x-amz-security-token"))?,
            payload,
        }
        .whole()
    }

    fn in_query(head: &Head, query: &Query<'_>) -> Result<Self, Fault> {
        check_algorithm(query.need("X-Amz-Algorithm")?)?;
        let expires = query.need("X-Amz-Expires")?;
        let expires_secs = expires
            .parse()
            .ok()
            .filter(|secs| (1..=EXPIRES_SECS_MAX).contains(secs))
            .ok_or(Fault::Malformed(
                "X-Amz-Expires is not between 1 and 604800",
            ))?;
        // A header may say it, and S3's own convention is that nothing does.
        let stated = head
            .fields
            .one("x-amz-content-sha256")
            .or(query.one("X-Amz-Content-Sha256")?);
        let payload = match stated {
            Some(text) => Some(
                Payload::read(text)
                    .ok_or(Fault::Malformed("X-Amz-Content-Sha256 is of no known form"))?,
            ),
            None => None,
        };
        Parts {
            form: Form::Query { expires_secs },
            credential: Some(query.need("X-Amz-Credential")?),
            signed: Some(query.need("X-Amz-SignedHeaders")?),
            signature: Some(query.need("X-Amz-Signature")?),
            date: query.need("X-Amz-Date")?,
            token: token(
                query
                    .one("X-Amz-Security-Token")?
                    .into_iter()
                    .chain(head.fields.all("x-amz-security-token")),
            )?,
            payload,
        }
        .whole()
    }

    /// What must be signed is: the host, and every header that AWS gives a meaning.
    fn check(&self, head: &Head) -> Result<(), Fault> {
        if head.fields.one("host").is_none() {
            return Err(Fault::Malformed("there is not exactly one Host"));
        }
        let missing = |name: &str| !self.signed.iter().any(|signed| signed == name);
        if missing("host") && missing(AUTHORITY) {
            return Err(Fault::NotSigned("host".to_owned()));
        }
        for (name, _) in head.fields.iter() {
            // A token that is exchanged for another brings another secret, so it need not be signed itself.
            let exempt = name == "x-amz-content-sha256" && self.is_presigned();
            if name.starts_with("x-amz-")
                && missing(name)
                && !exempt
                && name != "x-amz-security-token"
            {
                return Err(Fault::NotSigned(name.to_owned()));
            }
        }
        for name in &self.signed {
            if !head.fields.has(name) {
                return Err(Fault::Malformed("a signed header is not there"));
            }
        }
        Ok(())
    }

    /// When it ends.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        let secs = match self.form {
            Form::Header => super::SKEW_SECS_MAX,
            Form::Query { expires_secs } => expires_secs,
        };
        Timestamp::from_secs(self.at.secs().saturating_add(secs))
    }

    /// Whether it stands in the query.
    #[must_use]
    pub fn is_presigned(&self) -> bool {
        matches!(self.form, Form::Query { .. })
    }

    /// The canonical request, with this as its last line.
    pub(super) fn canonical(
        &self,
        head: &Head,
        form: canonical::PathForm,
        payload: &str,
    ) -> Result<String, Fault> {
        let signed: Vec<&str> = self.signed.iter().map(String::as_str).collect();
        canonical::request(head, form, &signed, payload)
            .map_err(|_| Fault::Malformed("the path or query holds a malformed escape"))
    }
}

/// The id of the key that a request names, whatever else is wrong with its signature.
#[must_use]
pub fn claimed_key(head: &Head) -> Option<String> {
    let header = head.fields.all("authorization").next().unwrap_or_default();
    let credential = match header.split_once("Credential=") {
        Some((_, rest)) => rest.split(',').next().unwrap_or_default().to_owned(),
        None => {
            let query = head.query.as_deref().unwrap_or_default();
            let named = |part: &&str| part.starts_with("X-Amz-Credential=");
            let (_, value) = query.split('&').find(named)?.split_once('=')?;
            escape::decode(value).ok()?
        }
    };
    let key = credential.split('/').next().unwrap_or_default().trim();
    (!key.is_empty()).then(|| key.to_owned())
}

/// The parts of a signature, as text.
struct Parts<'a> {
    form: Form,
    credential: Option<&'a str>,
    signed: Option<&'a str>,
    signature: Option<&'a str>,
    date: &'a str,
    token: Option<String>,
    payload: Option<Payload>,
}

impl Parts<'_> {
    fn whole(self) -> Result<Presented, Fault> {
        let need = |part: Option<_>, what| part.ok_or(Fault::Malformed(what));
        let credential = need(self.credential, "there is no Credential")?;
        let (access_key, scope) = Scope::of_credential(credential)?;
        let at = date::read(self.date).ok_or(Fault::Malformed(
            "X-Amz-Date is not of the form 20150830T123600Z",
        ))?;
        if !self.date.starts_with(&scope.day) {
            return Err(Fault::Malformed("the credential's day is not the date's"));
        }
        let signed: Vec<String> = need(self.signed, "there is no SignedHeaders")?
            .split(';')
            .map(str::to_owned)
            .collect();
        let lower = |name: &String| !name.is_empty() && !name.contains(|c: char| c.is_uppercase());
        if !signed.iter().all(lower) || !signed.is_sorted_by(|a, b| a < b) {
            return Err(Fault::Malformed(
                "SignedHeaders is not a sorted list of lower-case names",
            ));
        }
        Ok(Presented {
            form: self.form,
            access_key,
            scope,
            at,
            token: self.token,
            payload: self.payload,
            date: self.date.to_owned(),
            signed,
            signature: need(self.signature, "there is no Signature")?.to_owned(),
        })
    }
}

fn check_algorithm(name: &str) -> Result<(), Fault> {
    match name {
        ALGORITHM => Ok(()),
        "AWS4-ECDSA-P256-SHA256" => Err(Fault::SigV4A),
        _ => Err(Fault::Algorithm),
    }
}

impl Scope {
    /// The access key and the scope of `AKID/20150830/us-east-1/s3/aws4_request`. A key id may hold slashes; the rest does not.
    ///
    /// # Errors
    /// [`Fault::Malformed`].
    pub fn of_credential(credential: &str) -> Result<(String, Self), Fault> {
        let mut parts = credential.rsplitn(5, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (end, service, region, day, key) = (next(), next(), next(), next(), next());
        let bad = Fault::Malformed("Credential is not KEY/DAY/REGION/SERVICE/aws4_request");
        let plain = |text: &&str| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        match (key, day, region.filter(plain), service.filter(plain)) {
            (Some(key), Some(day), Some(region), Some(service)) if end == Some("aws4_request") => {
                let scope = Self {
                    day: day.to_owned(),
                    region: region.to_owned(),
                    service: service.to_owned(),
                };
                Ok((key.to_owned(), scope))
            }
            _ => Err(bad),
        }
    }
}

fn token<'a>(mut found: impl Iterator<Item = &'a str>) -> Result<Option<String>, Fault> {
    let token = found.next().map(str::to_owned);
    if found.next().is_some() {
        return Err(Fault::Malformed("there is more than one session token"));
    }
    Ok(token)
}

/// The parameters of a query.
struct Query<'a>(&'a [(String, String)]);

impl Query<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(it, _)| it == name)
    }

    fn one(&self, name: &str) -> Result<Option<&str>, Fault> {
        let mut values = self.0.iter().filter(|(it, _)| it == name);
        let value = values.next().map(|(_, value)| value.as_str());
        if values.next().is_some() {
            return Err(Fault::Malformed(
                "a parameter of the signature stands twice",
            ));
        }
        Ok(value)
    }

    fn need(&self, name: &str) -> Result<&str, Fault> {
        self.one(name)?.ok_or(Fault::Malformed(
            "a presigned URL needs X-Amz-Algorithm, -Credential, -Date, -Expires, -SignedHeaders and -Signature",
        ))
    }
}
