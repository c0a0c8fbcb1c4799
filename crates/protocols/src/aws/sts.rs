//! The part of AWS STS that the gateway answers itself (AWS STS API reference, version 2011-06-15).

use model::{Identity, Timestamp};

use super::credentials::Grant;
use crate::http::sigv4::Credentials;
use crate::http::{date, escape};

pub(super) const VERSION: &str = "2011-06-15";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The account in the ARNs that the gateway makes up: no account has it.
pub const ACCOUNT: &str = "000000000000";
/// Keys are good for so long where nothing is said.
pub const DURATION_SECS_DEFAULT: i64 = 3_600;
/// And for so long at least and at most, as at AWS.
pub const DURATION_SECS: std::ops::RangeInclusive<i64> = 900..=43_200;

/// Parameters of STS that say who asks and by which proof, and would say nothing here.
const IGNORED: [&str; 3] = ["SerialNumber", "SourceIdentity", "TokenCode"];

/// What STS is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Keys for a role by an OIDC token. Not signed.
    WebIdentity {
        /// The token.
        token: String,
        /// The role.
        role: Role,
    },
    /// Keys for another role, or the same, by keys.
    Role(Role),
    /// Keys for the same role, by keys.
    SessionToken {
        /// How long they shall be good.
        secs: i64,
    },
    /// Who am I?
    CallerIdentity,
}

/// A role that is to be assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The target that its ARN names: what stands after the last slash.
    pub target: String,
    /// The session's name.
    pub session: String,
    /// How long the keys shall be good.
    pub secs: i64,
}

/// What STS cannot do. The code is STS's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Wrong {
    /// `InvalidAction`, `ValidationError` or `AccessDenied`.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

/// Reads a request to STS: the parameters of its form or query.
///
/// # Errors
/// [`Wrong`].
pub fn read(query: &str, body: &[u8]) -> Result<Ask, Wrong> {
    let invalid = |message: &str| wrong("ValidationError", message);
    let body = std::str::from_utf8(body).map_err(|_| invalid("the form is no UTF-8"))?;
    let mut pairs = escape::pairs(query).map_err(|error| invalid(&error.to_string()))?;
    pairs.extend(escape::pairs(body).map_err(|error| invalid(&error.to_string()))?);
    let one = |name: &str| {
        let mut values = pairs.iter().filter(|(it, _)| it == name);
        let value = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            None => Ok(value),
            Some(_) => Err(invalid(&format!("{name} stands twice"))),
        }
    };
    let need = |name: &str| one(name)?.ok_or_else(|| invalid(&format!("{name} is missing")));
    let action = need("Action")?;
    if one("Version")?.is_some_and(|version| version != VERSION) {
        return Err(wrong(
            "InvalidAction",
            "only version 2011-06-15 of STS is spoken here",
        ));
    }
    let secs = match one("DurationSeconds")? {
        None => DURATION_SECS_DEFAULT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|secs| DURATION_SECS.contains(secs))
            .ok_or_else(|| invalid("DurationSeconds must be between 900 and 43200"))?,
    };
    let role = || {
        // What narrows rights must not be passed over in silence.
        let narrowing = pairs.iter().any(|(name, _)| {
            name == "Policy" || name.starts_with("PolicyArns.") || name.starts_with("Tags.")
        });
        if narrowing {
            return Err(invalid(
                "session policies and tags are not taken here: rights come from the gateway's policies",
            ));
        }
        Ok(Role {
            target: target(need("RoleArn")?).ok_or_else(|| {
                invalid("RoleArn must be like arn:aws:iam::000000000000:role/<target>")
            })?,
            session: session(need("RoleSessionName")?).ok_or_else(|| {
                invalid("RoleSessionName must be 2 to 64 of letters, digits and _=,.@-")
            })?,
            secs,
        })
    };
    // Nor what somebody relies on.
    let mut ignored = pairs.iter().map(|(name, _)| name.as_str());
    if let Some(name) = ignored.find(|name| IGNORED.contains(name)) {
        return Err(invalid(&format!(
            "{name} is not taken here: who asks is known by the token, which the gateway tells AWS as SourceIdentity, and multi-factor \
             authentication is the token issuer's"
        )));
    }
    match action {
        "AssumeRoleWithWebIdentity" => Ok(Ask::WebIdentity {
            token: need("WebIdentityToken")?.to_owned(),
            role: role()?,
        }),
        "AssumeRole" => Ok(Ask::Role(role()?)),
        "GetSessionToken" => Ok(Ask::SessionToken { secs }),
        "GetCallerIdentity" => Ok(Ask::CallerIdentity),
        other => Err(not_offered(other)),
    }
}

fn wrong(code: &'static str, message: &str) -> Wrong {
    Wrong {
        code,
        message: message.to_owned(),
    }
}

fn not_offered(action: &str) -> Wrong {
    let legal = action.chars().filter(char::is_ascii_alphanumeric);
    let name: String = legal.take(64).collect();
    let message = format!(
        "{name} is not offered by the gateway's STS: there are AssumeRoleWithWebIdentity, AssumeRole, GetSessionToken and GetCallerIdentity"
    );
    wrong("InvalidAction", &message)
}

fn target(arn: &str) -> Option<String> {
    let resource = arn.strip_prefix("arn:")?.splitn(5, ':').nth(4)?;
    let (_, name) = resource
        .strip_prefix("role/")
        .map(|path| path.rsplit_once('/').unwrap_or(("", path)))?;
    (!name.is_empty()).then(|| name.to_owned())
}

fn session(name: &str) -> Option<String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_=,.@-".contains(&byte);
    ((2..=64).contains(&name.len()) && name.bytes().all(legal)).then(|| name.to_owned())
}

/// The ARN that STS tells of a grant.
#[must_use]
pub fn arn(grant: &Grant) -> String {
    format!(
        "arn:aws:sts::{ACCOUNT}:assumed-role/{}/{}",
        grant.target, grant.session
    )
}

/// The answer that gives keys out; `action` is the one that was asked.
#[must_use]
pub fn keys(action: &Ask, grant: &Grant, keys: &Credentials, request: &str) -> String {
    let secret = String::from_utf8_lossy(keys.secret_key.expose());
    let token = keys.token.as_ref().map(model::Secret::expose);
    let token = String::from_utf8_lossy(token.unwrap_or_default());
    let credentials = element(
        "Credentials",
        &[
            text("AccessKeyId", &keys.access_key),
            text("SecretAccessKey", &secret),
            text("SessionToken", &token),
            text("Expiration", &date::rfc3339(grant.expires)),
        ],
    );
    let user = element(
        "AssumedRoleUser",
        &[
            text("Arn", &arn(grant)),
            text(
                "AssumedRoleId",
                &format!("{}:{}", keys.access_key, grant.session),
            ),
        ],
    );
    match action {
        Ask::WebIdentity { .. } => answer(
            "AssumeRoleWithWebIdentity",
            &[
                text("SubjectFromWebIdentityToken", &grant.identity.proof.subject),
                text("Provider", &grant.identity.proof.issuer),
                user,
                credentials,
            ],
            request,
        ),
        Ask::Role(_) => answer("AssumeRole", &[user, credentials], request),
        Ask::SessionToken { .. } | Ask::CallerIdentity => {
            answer("GetSessionToken", &[credentials], request)
        }
    }
}

/// The answer to `GetCallerIdentity`.
#[must_use]
pub fn caller(grant: &Grant, access_key: &str, request: &str) -> String {
    answer(
        "GetCallerIdentity",
        &[
            text("Arn", &arn(grant)),
            text("UserId", &format!("{access_key}:{}", grant.session)),
            text("Account", ACCOUNT),
        ],
        request,
    )
}

/// Whom keys are made for.
#[must_use]
pub fn grant(identity: Identity, role: Role, now: Timestamp) -> Grant {
    Grant {
        identity,
        target: role.target,
        session: role.session,
        expires: now.plus_micros(role.secs.saturating_mul(1_000_000)),
    }
}

fn answer(action: &str, parts: &[String], request: &str) -> String {
    let result = element(&format!("{action}Result"), parts);
    let metadata = element("ResponseMetadata", &[text("RequestId", request)]);
    format!("<{action}Response xmlns=\"{NAMESPACE}\">{result}{metadata}</{action}Response>")
}

fn element(name: &str, parts: &[String]) -> String {
    format!("<{name}>{}</{name}>", parts.concat())
}

fn text(name: &str, content: &str) -> String {
    format!("<{name}>{}</{name}>", super::deny::xml(content))
}
