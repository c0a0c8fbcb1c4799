//! Proofs that were refused: what the ledger tells of them ([`crate::refusals`] keeps how many).

use std::net::SocketAddr;

use model::Identity;
use protocols::aws::deny::{Kind, Refusal};

use crate::gateway::Gateway;
use crate::refusals::Refused;

/// A reason is kept up to this length, in bytes.
const REASON_BYTES_MAX: usize = 512;
/// A text of this length that does not look like a key's id may be the secret, set where the id belongs.
const ID_CHARACTERS_MAX: usize = 20;
/// AWS has ids of at most this many characters.
const LONG_ID_CHARACTERS_MAX: usize = 128;

/// A request that somebody was to be known by.
pub(super) struct Claimed<'a> {
    /// The id of its key, as it was presented; empty where there is none.
    pub(super) access_key: &'a str,
    /// Who holds the key and has proved it.
    pub(super) identity: Option<&'a Identity>,
    /// Its target, where that is known.
    pub(super) target: &'a str,
    pub(super) source: SocketAddr,
}

impl<'a> Claimed<'a> {
    /// Somebody with a key that opens nothing.
    pub(super) fn nobody(access_key: &'a str, source: SocketAddr) -> Self {
        Self {
            access_key,
            identity: None,
            target: "",
            source,
        }
    }
}

/// Puts a refusal in the ledger before the client hears it, as a login that was refused. Gives what the client hears.
pub(super) async fn record(gateway: &Gateway, claimed: Claimed<'_>, refusal: Refusal) -> Refusal {
    let refused = Refused {
        identity: claimed.identity,
        target: claimed.target,
        source: claimed.source,
        why: reason(claimed.access_key, &refusal.message),
    };
    match gateway.refusals.record(gateway, refused).await {
        Ok(()) => refusal,
        Err(unwritten) => Refusal::from(&unwritten.denial()),
    }
}

/// Whether it says that somebody is not who they claim to be, or that what came is not what they signed.
pub(super) fn is_of_proof(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::UnknownKeys
            | Kind::ExpiredKeys
            | Kind::BadSignature
            | Kind::Replayed
            | Kind::Skewed
            | Kind::Incomplete
            | Kind::BadBody
            | Kind::BadDigest
    )
}

/// Why a proof was refused, with the id of its key.
fn reason(access_key: &str, message: &str) -> String {
    let mut reason = match access_key {
        "" => message.to_owned(),
        id => format!("key {}: {message}", shown(id)),
    };
    let control = |c: char| c.is_control();
    if reason.contains(control) {
        reason = reason.replace(control, "?");
    }
    reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
    reason
}

/// The id of a key as somebody presents it, fit to be kept. What is too long for one is cut: it may be a secret.
fn shown(id: &str) -> String {
    let length = id.chars().count();
    let of_id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_id = id.len() <= LONG_ID_CHARACTERS_MAX && id.bytes().all(of_id);
    if is_id {
        return id.to_owned();
    }
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    if length <= ID_CHARACTERS_MAX {
        return id.chars().map(plain).collect();
    }
    let begin: String = id.chars().take(4).map(plain).collect();
    format!("{begin}… of {length} characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shown_and_what_may_be_a_secret_is_not() {
        assert_eq!(shown("CSGWABCDEFGHIJKLMNOP"), "CSGWABCDEFGHIJKLMNOP");
        assert_eq!(shown("admin\u{202e}\n"), "admin??");
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert_eq!(shown(secret), "wJal… of 40 characters");
        assert_eq!(shown(&"A".repeat(129)), "AAAA… of 129 characters");
        let long = reason("AKIA", &"ü\n".repeat(REASON_BYTES_MAX));
        assert!(long.len() <= REASON_BYTES_MAX && long.starts_with("key AKIA: ü?"));
    }
}
