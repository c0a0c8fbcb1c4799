//! Proofs that were refused, in the ledger: so many of one source and in all, and of those beyond how many there were.
//!
//! A bad signature costs whoever sends it nothing, and an entry costs a write to the disk, so a flood of them may neither fill the
//! ledger nor hold up what others do.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::{Authenticated, Event, Identity};
use protocols::aws::deny::{Kind, Refusal};

use super::peer;
use crate::gateway::Gateway;

/// What is counted together.
const WINDOW: Duration = Duration::from_secs(60);
/// So many entries are written in that time of one source, and of all sources together.
const SOURCE_MAX: u64 = 10;
const ALL_MAX: u64 = 100;
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

/// How many were refused lately.
#[derive(Default)]
pub(super) struct Refusals {
    window: Mutex<Window>,
}

#[derive(Default)]
struct Window {
    begun: Duration,
    written: u64,
    /// Those of which something was written, so at most [`ALL_MAX`].
    sources: HashMap<String, Source>,
    /// Of other sources.
    beyond: u64,
}

#[derive(Default)]
struct Source {
    written: u64,
    left_out: u64,
}

impl Refusals {
    /// Puts a refusal in the ledger before the client hears it, as a login that was refused. Gives what the client hears.
    pub(super) async fn record(
        &self,
        gateway: &Gateway,
        claimed: Claimed<'_>,
        refusal: Refusal,
    ) -> Refusal {
        gateway.stats.logins_refused.up();
        let holder = peer::holder(claimed.source);
        let (written, over) = {
            let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
            let over = window.turn(gateway.clock.monotonic());
            (window.take(&holder), over)
        };
        told(over).for_each(|event| gateway.journal.post(event));
        if !written {
            return refusal;
        }
        let (source, target) = (claimed.source, claimed.target);
        let why = reason(claimed.access_key, &refusal.message);
        tracing::info!(%source, target, why, "login refused");
        let event = Event::Authenticated(Authenticated {
            identity: claimed.identity.cloned(),
            target: target.to_owned(),
            source: source.to_string(),
            refused: Some(why),
        });
        match gateway.journal.write(event).await {
            Ok(_) => refusal,
            Err(unwritten) => Refusal::from(&unwritten.denial()),
        }
    }

    /// Puts in the ledger how many were left out of a window that is over.
    pub(super) fn sweep(&self, gateway: &Gateway) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let over = window.turn(gateway.clock.monotonic());
        drop(window);
        told(over).for_each(|event| gateway.journal.post(event));
    }

    /// The same of the last window: nothing is refused any more.
    pub(super) async fn close(&self, gateway: &Gateway) {
        let over = {
            let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *window).left_out()
        };
        for event in told(over) {
            if let Err(error) = gateway.journal.write(event).await {
                tracing::error!(%error, "what was left out of the ledger cannot be written");
            }
        }
    }
}

impl Window {
    /// Begins another where this one is over. Gives how many were left out of it, by source.
    fn turn(&mut self, now: Duration) -> Vec<(String, u64)> {
        if now.saturating_sub(self.begun) < WINDOW {
            return Vec::new();
        }
        let next = Self {
            begun: now,
            ..Self::default()
        };
        std::mem::replace(self, next).left_out()
    }

    /// Whether one more of this source is written.
    fn take(&mut self, holder: &str) -> bool {
        let room = self.written < ALL_MAX;
        let source = match self.sources.get_mut(holder) {
            Some(source) => source,
            None if room => self.sources.entry(holder.to_owned()).or_default(),
            None => {
                self.beyond += 1;
                return false;
            }
        };
        let written = room && source.written < SOURCE_MAX;
        if written {
            source.written += 1;
            self.written += 1;
        } else {
            source.left_out += 1;
        }
        written
    }

    fn left_out(self) -> Vec<(String, u64)> {
        let sources = self.sources.into_iter();
        let mut all: Vec<_> = sources.map(|(name, it)| (name, it.left_out)).collect();
        all.sort_unstable();
        all.push(("other sources".to_owned(), self.beyond));
        all.retain(|(_, left_out)| *left_out > 0);
        all
    }
}

/// The entries that tell of what was left out.
fn told(over: Vec<(String, u64)>) -> impl Iterator<Item = Event> {
    over.into_iter().map(|(source, count)| {
        tracing::warn!(source, count, "logins refused that are not told one by one");
        Event::Authenticated(Authenticated {
            identity: None,
            target: String::new(),
            source,
            refused: Some(format!(
                "{count} more requests were refused within {} s, which are not written one by one",
                WINDOW.as_secs()
            )),
        })
    })
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
    fn a_flood_leaves_room_for_others_and_is_counted() {
        let mut window = Window::default();
        let flood = (0..1_000).filter(|_| window.take("192.0.2.1")).count();
        assert_eq!(flood as u64, SOURCE_MAX);
        assert!(window.take("192.0.2.2"));
        assert!(window.turn(WINDOW / 2).is_empty());
        let left_out = window.turn(WINDOW);
        assert_eq!(left_out, [("192.0.2.1".to_owned(), 1_000 - SOURCE_MAX)]);
        assert!(window.take("192.0.2.1"));
        assert!(window.turn(WINDOW * 2).is_empty());
    }

    #[test]
    fn many_sources_together_are_bounded_too() {
        let mut window = Window::default();
        let sources = (0..1_000).map(|number| format!("2001:db8:0:{number:x}::/64"));
        let written = sources.filter(|source| window.take(source)).count();
        assert_eq!(written as u64, ALL_MAX);
        assert_eq!(window.sources.len() as u64, ALL_MAX);
        assert!(!window.take("2001:db8:0:0::/64"));
        let left_out = window.turn(WINDOW);
        let expected = [("2001:db8:0:0::/64", 1), ("other sources", 1_000 - ALL_MAX)];
        assert_eq!(
            left_out,
            expected.map(|(name, count)| (name.to_owned(), count))
        );
    }

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
