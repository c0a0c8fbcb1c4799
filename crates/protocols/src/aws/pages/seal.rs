//! Markers of pages that end at a key in which something is hidden: sealed, so that whoever was shown the page can ask for the next.
//!
//! ```text
//! shown   "countersign-page." ‖ Base64url( nonce 12 ‖ AES-256-GCM( hour 4 ‖ the marker ) )
//! nonce   the first 12 bytes of HMAC(nonce key, whose ‖ hour ‖ the marker): the same is sealed the same within an hour
//! whose   who was shown the page, of which target, operation and bucket or table: it is authenticated, and opens for nothing else
//! ```

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Identity, Timestamp};

use super::super::body;
use super::super::classify::{Call, Wire};
use super::super::credentials::NoKeys;
use crate::http::Head;

/// What a sealed marker begins with.
pub(super) const BEGIN: &str = "countersign-page.";
const HOUR_SECS: i64 = 3_600;
const HOUR_BYTES: usize = 4;
/// A marker can be used for a day.
const HOURS_MAX: u32 = 24;

/// Whose a marker is, and of which list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Of(Vec<u8>);

/// A marker that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMarker {
    /// It was not sealed here, or for somebody or something else.
    #[error(
        "the marker of the page was not given by this gateway for this list of yours: list it from its beginning"
    )]
    Foreign,
    /// It was sealed too long ago.
    #[error("the marker of the page is older than a day: list it from its beginning")]
    Stale,
    /// What holds it cannot be written anew.
    #[error("what holds the marker of the page cannot be read")]
    Unreadable,
}

/// Seals markers, and opens them.
pub struct Sealer {
    seal: LessSafeKey,
    nonce: hmac::Key,
}

impl Of {
    /// What `identity` lists at `target` by this request.
    #[must_use]
    pub fn new(identity: &Identity, target: &str, call: &Call, head: &Head, sent: &[u8]) -> Self {
        let agent = identity.agent.as_ref().map_or("", |it| it.name.as_str());
        let operation = call.operation.map_or("", |it| it.name);
        let tree = matches!(call.wire, Wire::Json(_)).then(|| body::json(sent));
        let tree = tree.flatten();
        let member = |name: &str| tree.as_ref().and_then(|it| it.get(name)?.as_str());
        let texts = [
            identity.human.as_str(),
            agent,
            target,
            &call.prefix,
            operation,
            &head.path,
            member("TableName").unwrap_or_default(),
            member("IndexName").unwrap_or_default(),
        ];
        let mut whose = Vec::new();
        for text in texts {
            whose.extend_from_slice(&(text.len() as u64).to_be_bytes());
            whose.extend_from_slice(text.as_bytes());
        }
        Self(whose)
    }
}

impl Sealer {
    /// Under a key of 32 bytes.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub fn new(key: &[u8]) -> Result<Self, NoKeys> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let part = |purpose: &[u8]| hmac::sign(&key, purpose);
        let seal = UnboundKey::new(&AES_256_GCM, part(b"seal").as_ref()).map_err(|_| NoKeys)?;
        Ok(Self {
            seal: LessSafeKey::new(seal),
            nonce: hmac::Key::new(hmac::HMAC_SHA256, part(b"nonce").as_ref()),
        })
    }

    /// A marker sealed; `None` where the cipher refuses.
    pub(super) fn seal(&self, of: &Of, marker: &str, now: Timestamp) -> Option<String> {
        let mut sealed = hour(now).to_be_bytes().to_vec();
        sealed.extend_from_slice(marker.as_bytes());
        let mut context = hmac::Context::with_key(&self.nonce);
        context.update(&(of.0.len() as u64).to_be_bytes());
        context.update(&of.0);
        context.update(&sealed);
        let nonce: [u8; NONCE_LEN] = *context.sign().as_ref().first_chunk()?;
        let unique = Nonce::assume_unique_for_key(nonce);
        let whose = Aad::from(&of.0);
        let in_place = self
            .seal
            .seal_in_place_append_tag(unique, whose, &mut sealed);
        in_place.ok()?;
        let text = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        Some(format!("{BEGIN}{text}"))
    }

    /// The marker in what was shown for it.
    pub(super) fn open(&self, of: &Of, shown: &str, now: Timestamp) -> Result<String, BadMarker> {
        let text = shown.strip_prefix(BEGIN).ok_or(BadMarker::Foreign)?;
        let foreign = |_| BadMarker::Foreign;
        let mut sealed = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| BadMarker::Foreign)?;
        let (nonce, sealed) = sealed
            .split_first_chunk_mut::<NONCE_LEN>()
            .ok_or(BadMarker::Foreign)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.seal.open_in_place(nonce, Aad::from(&of.0), sealed);
        let opened = opened.map_err(foreign)?;
        let (made, marker) = opened
            .split_first_chunk::<HOUR_BYTES>()
            .ok_or(BadMarker::Foreign)?;
        let made = u32::from_be_bytes(*made);
        if hour(now).saturating_sub(made) > HOURS_MAX {
            return Err(BadMarker::Stale);
        }
        String::from_utf8(marker.to_vec()).map_err(|_| BadMarker::Foreign)
    }
}

fn hour(now: Timestamp) -> u32 {
    u32::try_from(now.secs() / HOUR_SECS).unwrap_or_default()
}
