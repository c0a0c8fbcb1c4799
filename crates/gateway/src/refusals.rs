//! Logins that were refused, in the ledger: so many of one source and in all, and of those beyond how many there were.
//!
//! A bad signature or token costs whoever sends it nothing, and an entry costs a write to the disk, so a flood of them may neither
//! fill the ledger nor hold up what others do. Who has proved who they are is counted apart from who has not: no flood of what
//! opens nothing hides what somebody with good keys was refused.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::{Authenticated, Event, Identity};

use crate::gateway::Gateway;
use crate::journal::Unwritten;

/// What is counted together.
const WINDOW: Duration = Duration::from_secs(60);
/// So many entries are written in that time of one source or identity, and of all sources or identities together.
const SOURCE_MAX: u64 = 10;
const ALL_MAX: u64 = 100;

/// How many were refused lately.
#[derive(Default)]
pub(crate) struct Refusals {
    windows: Mutex<Windows>,
}

/// A login that was refused.
pub(crate) struct Refused<'a> {
    /// Who asked and has proved it.
    pub(crate) identity: Option<&'a Identity>,
    /// The target, as far as it is known.
    pub(crate) target: &'a str,
    /// Where it came from.
    pub(crate) source: SocketAddr,
    /// For the operator; it holds no secret.
    pub(crate) why: String,
}

#[derive(Default)]
struct Windows {
    begun: Duration,
    /// By where they come from.
    strangers: Window,
    /// By who they are.
    known: Window,
}

#[derive(Default)]
struct Window {
    written: u64,
    /// Those of which something was written, so at most [`ALL_MAX`].
    holders: HashMap<String, Holder>,
    /// Of others.
    beyond: u64,
}

#[derive(Default)]
struct Holder {
    identity: Option<Identity>,
    written: u64,
    left_out: u64,
}

/// How many were left out, of whom.
type LeftOut = (String, Option<Identity>, u64);

impl Refusals {
    /// Puts a refusal in the ledger before the client hears it, or counts it.
    pub(crate) async fn record(
        &self,
        gateway: &Gateway,
        refused: Refused<'_>,
    ) -> Result<(), Unwritten> {
        gateway.stats.logins_refused.up();
        let Refused {
            identity,
            target,
            source,
            why,
        } = refused;
        let (written, over) = {
            let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
            let over = windows.turn(gateway.clock.monotonic());
            let written = match identity {
                Some(identity) => windows.known.take(&name(identity), Some(identity)),
                None => windows.strangers.take(&holder(source), None),
            };
            (written, over)
        };
        told(over).for_each(|event| gateway.journal.post(event));
        if !written {
            return Ok(());
        }
        tracing::info!(%source, target, why, "login refused");
        let event = Event::Authenticated(Authenticated {
            identity: identity.cloned(),
            target: target.to_owned(),
            source: source.to_string(),
            refused: Some(why),
        });
        gateway.journal.write(event).await.map(drop)
    }

    /// Puts in the ledger how many were left out of a window that is over.
    pub(crate) fn sweep(&self, gateway: &Gateway) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let over = windows.turn(gateway.clock.monotonic());
        drop(windows);
        told(over).for_each(|event| gateway.journal.post(event));
    }

    /// The same of the last window: nothing is refused any more.
    pub(crate) async fn close(&self, gateway: &Gateway) {
        let over = {
            let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *windows).left_out()
        };
        for event in told(over) {
            if let Err(error) = gateway.journal.write(event).await {
                tracing::error!(%error, "what was left out of the ledger cannot be written");
            }
        }
    }
}

impl Windows {
    /// Begins another where this one is over. Gives how many were left out of it, by source and identity.
    fn turn(&mut self, now: Duration) -> Vec<LeftOut> {
        if now.saturating_sub(self.begun) < WINDOW {
            return Vec::new();
        }
        let next = Self {
            begun: now,
            ..Self::default()
        };
        std::mem::replace(self, next).left_out()
    }

    fn left_out(self) -> Vec<LeftOut> {
        let mut all = self.strangers.left_out("other sources");
        all.extend(self.known.left_out("other identities"));
        all
    }
}

impl Window {
    /// Whether one more of this holder is written.
    fn take(&mut self, name: &str, identity: Option<&Identity>) -> bool {
        let room = self.written < ALL_MAX;
        let holder = match self.holders.get_mut(name) {
            Some(holder) => holder,
            None if room => self.holders.entry(name.to_owned()).or_insert(Holder {
                identity: identity.cloned(),
                ..Holder::default()
            }),
            None => {
                self.beyond += 1;
                return false;
            }
        };
        let written = room && holder.written < SOURCE_MAX;
        if written {
            holder.written += 1;
            self.written += 1;
        } else {
            holder.left_out += 1;
        }
        written
    }

    fn left_out(self, others: &str) -> Vec<LeftOut> {
        let holders = self.holders.into_iter();
        let mut all: Vec<LeftOut> = holders
            .map(|(name, it)| (name, it.identity, it.left_out))
            .collect();
        all.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        all.push((others.to_owned(), None, self.beyond));
        all.retain(|(.., left_out)| *left_out > 0);
        all
    }
}

/// The entries that tell of what was left out.
fn told(over: Vec<LeftOut>) -> impl Iterator<Item = Event> {
    over.into_iter().map(|(of, identity, count)| {
        tracing::warn!(of, count, "logins refused that are not told one by one");
        Event::Authenticated(Authenticated {
            identity,
            target: String::new(),
            source: of,
            refused: Some(format!(
                "{count} more requests were refused within {} s, which are not written one by one",
                WINDOW.as_secs()
            )),
        })
    })
}

/// Who somebody is that has proved it: their issuer's name for them, and their agent's.
fn name(identity: &Identity) -> String {
    let proof = &identity.proof;
    let agent = identity.agent.as_ref().map_or("", |agent| &agent.name);
    format!("{}, {}, {agent}", proof.issuer, proof.subject)
}

/// Who is behind an address, as far as that tells. In IPv6 a network of one client is 64 bits long.
pub(crate) fn holder(source: SocketAddr) -> String {
    match source.ip().to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strangers(windows: &mut Windows, name: &str) -> bool {
        windows.strangers.take(name, None)
    }

    fn counts(left_out: Vec<LeftOut>) -> Vec<(String, u64)> {
        let counts = left_out.into_iter().map(|(of, _, count)| (of, count));
        counts.collect()
    }

    #[test]
    fn a_flood_leaves_room_for_others_and_is_counted() {
        let mut windows = Windows::default();
        let flood = (0..1_000).filter(|_| strangers(&mut windows, "192.0.2.1"));
        assert_eq!(flood.count() as u64, SOURCE_MAX);
        assert!(strangers(&mut windows, "192.0.2.2"));
        assert!(windows.turn(WINDOW / 2).is_empty());
        let left_out = counts(windows.turn(WINDOW));
        assert_eq!(left_out, [("192.0.2.1".to_owned(), 1_000 - SOURCE_MAX)]);
        assert!(strangers(&mut windows, "192.0.2.1"));
        assert!(windows.turn(WINDOW * 2).is_empty());
    }

    #[test]
    fn many_sources_together_are_bounded_and_leave_room_for_who_is_known() {
        let mut windows = Windows::default();
        let sources = (0..1_000).map(|number| format!("2001:db8:0:{number:x}::/64"));
        let written = sources.filter(|source| strangers(&mut windows, source));
        assert_eq!(written.count() as u64, ALL_MAX);
        assert_eq!(windows.strangers.holders.len() as u64, ALL_MAX);
        assert!(!strangers(&mut windows, "2001:db8:0:0::/64"));
        let known = (0..1_000).filter(|_| windows.known.take("alice", None));
        assert_eq!(known.count() as u64, SOURCE_MAX);
        assert!(windows.known.take("bob", None));
        let left_out = counts(windows.turn(WINDOW));
        let expected = [
            ("2001:db8:0:0::/64", 1),
            ("other sources", 1_000 - ALL_MAX),
            ("alice", 1_000 - SOURCE_MAX),
        ];
        assert_eq!(
            left_out,
            expected.map(|(name, count)| (name.to_owned(), count))
        );
    }
}
