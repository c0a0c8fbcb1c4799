//! Who is on the other side of a connection.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use crate::listen::Seat;
use crate::refusals;

/// A client's connection.
pub(super) struct Peer {
    pub(super) source: SocketAddr,
    /// Its number among all that this process accepted.
    pub(super) number: u64,
    /// Its place in the lobby, until a request of it was verified.
    seat: Mutex<Option<Seat>>,
}

impl Peer {
    pub(super) fn new(source: SocketAddr, number: u64, seat: Seat) -> Self {
        Self {
            source,
            number,
            seat: Mutex::new(Some(seat)),
        }
    }

    /// Somebody with good keys: nobody takes its place.
    pub(super) fn is_known(&self) {
        let seat = self
            .seat
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(seat);
    }

    /// Until its place is taken by somebody else; for ever where it is known.
    pub(super) async fn sent_away(&self) {
        std::future::poll_fn(|cx| {
            let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
            seat.as_mut()
                .map_or(Poll::Pending, |seat| seat.poll_taken(cx))
        })
        .await;
    }

    /// Whom what it sends is held for, before anybody knows who it is.
    pub(super) fn holder(&self) -> String {
        refusals::holder(self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::Lobby;

    fn peer(lobby: &Lobby, source: &str) -> Peer {
        Peer::new(source.parse().unwrap(), 0, lobby.sit())
    }

    async fn is_sent_away(peer: &Peer) -> bool {
        let mut away = std::pin::pin!(peer.sent_away());
        std::future::poll_fn(|cx| Poll::Ready(away.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test]
    async fn only_strangers_make_room() {
        let lobby = Lobby::new(2);
        let known = peer(&lobby, "192.0.2.1:1");
        let stranger = peer(&lobby, "192.0.2.2:1");
        known.is_known();
        let others = [1, 2].map(|port| peer(&lobby, &format!("192.0.2.3:{port}")));
        assert!(!is_sent_away(&known).await);
        assert!(is_sent_away(&stranger).await);
        assert!(!is_sent_away(&others[0]).await && !is_sent_away(&others[1]).await);
    }

    #[test]
    fn a_network_of_one_client_is_one_holder() {
        let lobby = Lobby::new(2);
        let holder = |source: &str| peer(&lobby, source).holder();
        assert_eq!(holder("[2001:db8::1]:1"), holder("[2001:db8::2:1]:9"));
        assert_ne!(holder("[2001:db8::1]:1"), holder("[2001:db8:0:1::1]:1"));
        assert_eq!(holder("[::ffff:192.0.2.1]:1"), holder("192.0.2.1:2"));
        assert_ne!(holder("192.0.2.1:1"), holder("192.0.2.2:1"));
    }
}
