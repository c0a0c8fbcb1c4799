//! Keys from AWS's STS: a role that the gateway assumes for a session of an agent (AWS STS API reference, version 2011-06-15,
//! `AssumeRole` and `AssumeRoleWithWebIdentity`).
//!
//! What AWS's own logs will say of the session's requests is made here: the human is the source identity, agent and session
//! are the session's name, and all three are session tags.

use model::{AssumedRole, Identity, Secret, Timestamp};

use super::sts::VERSION;
use crate::http::escape;
use crate::http::sigv4::{Credentials, sha256};

/// A session's name and a source identity are at least and at most so long, in characters.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=64;
/// A session tag's value is at most so long, in characters.
const TAG_CHARS_MAX: usize = 256;
/// So many digits of a digest stand for what could not be written as it is.
const DIGEST_DIGITS: usize = 8;

/// Keys that AWS gave, and when they end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temporary {
    /// The keys.
    pub credentials: Credentials,
    /// Their end.
    pub expires: Timestamp,
}

/// An answer of STS that gives no keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// STS refused.
    #[error("{code}: {message}")]
    Refused {
        /// Its code, such as `AccessDenied`.
        code: String,
        /// Its words.
        message: String,
    },
    /// It cannot be read.
    #[error("STS answered something that is no answer of AWS's STS")]
    Unreadable,
}

/// Who `role` is assumed as for a session of `identity`. What AWS does not take in a name is written `_`; a name that had to
/// be changed or cut ends in digits of its digest, so that no two people become one.
#[must_use]
pub fn who(role: &str, identity: &Identity, session: &str) -> AssumedRole {
    let agent = identity.agent.as_ref().map(|agent| agent.name.as_str());
    let (least, most) = (*NAME_CHARS.start(), *NAME_CHARS.end());
    let room = most.saturating_sub(session.len() + 1);
    let name = fitting(identity.name(), least, room, is_of_name);
    let tag = |name: &str, value: &str| {
        let value = fitting(value, 0, TAG_CHARS_MAX, is_of_tag);
        (format!("countersign-{name}"), value)
    };
    let tags = [
        Some(tag("human", &identity.human)),
        agent.map(|agent| tag("agent", agent)),
        Some(tag("session", session)),
    ];
    AssumedRole {
        role: role.to_owned(),
        session_name: fitting(&format!("{name}@{session}"), least, most, is_of_name),
        source_identity: fitting(&identity.human, least, most, is_of_name),
        tags: tags.into_iter().flatten().collect(),
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

fn is_of_tag(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.:/=+-@ ".contains(c)
}

fn fitting(text: &str, least: usize, most: usize, legal: impl Fn(char) -> bool) -> String {
    let written = text.chars().map(|c| if legal(c) { c } else { '_' });
    let kept: String = written.clone().take(most).collect();
    if kept == text && kept.len() >= least {
        return kept;
    }
    let digest = sha256(text.as_bytes());
    let digest = digest.get(..DIGEST_DIGITS).unwrap_or_default();
    let head: String = written
        .take(most.saturating_sub(digest.len() + 1))
        .collect();
    format!("{head}-{digest}")
}

/// The form that asks for a role's keys.
#[must_use]
pub fn role_form(who: &AssumedRole, external_id: Option<&str>, secs: u64) -> String {
    let mut form = Form::new("AssumeRole");
    form.put("RoleArn", &who.role);
    form.put("RoleSessionName", &who.session_name);
    form.put("SourceIdentity", &who.source_identity);
    form.put("DurationSeconds", &secs.to_string());
    if let Some(id) = external_id {
        form.put("ExternalId", id);
    }
    for (index, (name, value)) in (1..).zip(&who.tags) {
        form.put(&format!("Tags.member.{index}.Key"), name);
        form.put(&format!("Tags.member.{index}.Value"), value);
    }
    form.0
}

/// The form that asks for the keys of a role that the gateway itself has, and no session of it.
#[must_use]
pub fn own_role_form(role: &str, session: &str, external_id: Option<&str>, secs: u64) -> String {
    let mut form = Form::new("AssumeRole");
    form.put("RoleArn", role);
    form.put("RoleSessionName", session);
    form.put("DurationSeconds", &secs.to_string());
    if let Some(id) = external_id {
        form.put("ExternalId", id);
    }
    form.0
}

/// The form that asks for a role's keys by an OIDC token. It is sent unsigned.
#[must_use]
pub fn web_identity_form(role: &str, session: &str, token: &Secret) -> Secret {
    let mut form = Form::new("AssumeRoleWithWebIdentity");
    form.put("RoleArn", role);
    form.put("RoleSessionName", session);
    form.put("WebIdentityToken", &String::from_utf8_lossy(token.expose()));
    form.0.into()
}

struct Form(String);

impl Form {
    fn new(action: &str) -> Self {
        Self(format!("Action={action}&Version={VERSION}"))
    }

    fn put(&mut self, name: &str, value: &str) {
        self.0.push('&');
        self.0.push_str(name);
        self.0.push('=');
        // A form writes a space so.
        self.0.push_str(&escape::encode(value).replace("%20", "+"));
    }
}

/// The host of STS in a region.
#[must_use]
pub fn host(region: &str) -> String {
    format!("sts.{region}.{}", super::upstream::domain(region))
}

/// Reads STS's answer.
///
/// # Errors
/// [`NoKeys`].
pub fn read(answer: &[u8]) -> Result<Temporary, NoKeys> {
    let text = std::str::from_utf8(answer).map_err(|_| NoKeys::Unreadable)?;
    if let Some(error) = element(text, "Error") {
        let part = |name| element(error, name).map_or_else(String::new, unescaped);
        return Err(NoKeys::Refused {
            code: part("Code"),
            message: part("Message"),
        });
    }
    let keys = element(text, "Credentials").ok_or(NoKeys::Unreadable)?;
    let need = |name| element(keys, name).map(unescaped).ok_or(NoKeys::Unreadable);
    let expires = Timestamp::parse(&need("Expiration")?).map_err(|_| NoKeys::Unreadable)?;
    Ok(Temporary {
        credentials: Credentials {
            access_key: need("AccessKeyId")?,
            secret_key: need("SecretAccessKey")?.into(),
            token: Some(need("SessionToken")?.into()),
        },
        expires,
    })
}

/// What stands in the first element of this name. STS writes neither attributes nor prefixes into those that are asked for.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    Some(content)
}

fn unescaped(text: &str) -> String {
    // The ampersand last, so that nothing is read twice.
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.trim().to_owned(), |text, (from, to)| {
        text.replace(from, to)
    })
}
