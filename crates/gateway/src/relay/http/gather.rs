//! A body gathered whole: it must keep coming, and takes room as it comes.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};

use super::room::{Full, Held, Room};

/// How a body must come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// It may be silent for so long,
    pub(super) silence: Duration,
    /// and all of it may take so long,
    pub(super) all: Duration,
    /// and longer by a second for every so many bytes that came.
    pub(super) bytes_per_second: u64,
}

/// A body that takes room must come at 32 KiB in a second, after half a minute in which nothing is asked of it.
pub(super) const PACE: Pace = Pace {
    silence: Duration::from_secs(30),
    all: Duration::from_secs(30),
    bytes_per_second: 32 << 10,
};

/// Why a body is not here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ungathered {
    Late,
    Broken,
    TooLarge,
    Full,
}

impl From<Full> for Ungathered {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

/// All of `body`, at most `most` bytes, with the room that it takes of the holder's.
pub(super) async fn gather<B>(
    mut body: B,
    (room, holder): (&Room, &str),
    most: usize,
    pace: Pace,
) -> Result<(Bytes, Held), Ungathered>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut held = room.enter(holder, most).await?;
    let began = Instant::now();
    let mut bytes = BytesMut::new();
    loop {
        let earned = Duration::from_secs(bytes.len() as u64 / pace.bytes_per_second.max(1));
        let until = (began + pace.all + earned).min(Instant::now() + pace.silence);
        let frame = timeout_at(until, body.frame()).await;
        let Some(frame) = frame.map_err(|_| Ungathered::Late)? else {
            return Ok((bytes.freeze(), held));
        };
        let frame = frame.map_err(|_| Ungathered::Broken)?;
        if let Ok(data) = frame.into_data() {
            let length = bytes.len() + data.len();
            if length > most {
                return Err(Ungathered::TooLarge);
            }
            held.grow(length, most).await?;
            bytes.extend_from_slice(&data);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;

    use super::super::HELD_BYTES_MAX;
    use super::super::room::Rooms;
    use super::*;

    /// A body of single bytes that never ends, or never begins.
    struct Endless(Option<tokio::time::Interval>);

    impl Body for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let Some(interval) = &mut self.0 else {
                return Poll::Pending;
            };
            let next = interval.poll_tick(cx);
            next.map(|_| Some(Ok(Frame::data(Bytes::from_static(b" ")))))
        }
    }

    #[tokio::test]
    async fn those_who_say_nothing_keep_nobody_out() {
        let rooms = Rooms::new(HELD_BYTES_MAX);
        let most = 16 << 20;
        let mut silent = Vec::new();
        for at in 0..100 {
            let holder = format!("holder {at}");
            let room = &rooms.large;
            let gathering = async move { gather(Endless(None), (room, &holder), most, PACE).await };
            let mut gathering = Box::pin(gathering);
            let waits =
                std::future::poll_fn(|cx| Poll::Ready(gathering.as_mut().poll(cx).is_pending()));
            assert!(waits.await);
            silent.push(gathering);
        }
        let body = http_body_util::Full::new(Bytes::from(vec![b'x'; most]));
        let gathering = gather(body, (&rooms.large, "somebody"), most, PACE);
        let (bytes, _) = tokio::time::timeout(Duration::from_secs(60), gathering)
            .await
            .expect("nobody else holds anything")
            .unwrap();
        assert_eq!(bytes.len(), most);
    }

    /// It is never silent for long, so without a deadline for all of it this does not end.
    #[tokio::test]
    async fn a_body_that_trickles_is_given_up() {
        let rooms = Rooms::new(HELD_BYTES_MAX);
        let body = Endless(Some(tokio::time::interval(Duration::from_millis(1))));
        let pace = Pace {
            all: Duration::from_millis(50),
            ..PACE
        };
        let gathered = gather(body, (&rooms.large, "somebody"), 16 << 20, pace).await;
        assert_eq!(gathered.err(), Some(Ungathered::Late));
    }

    #[tokio::test]
    async fn a_body_takes_the_room_it_needs() {
        let rooms = Rooms::new(HELD_BYTES_MAX);
        for length in [0, 1, 65_535, 65_536, 65_537, 1 << 20] {
            let body = || http_body_util::Full::new(Bytes::from(vec![b'x'; length]));
            let holder = (&rooms.large, "somebody");
            let (bytes, _held) = gather(body(), holder, length, PACE).await.unwrap();
            assert_eq!(bytes.len(), length);
            if length > 0 {
                let gathered = gather(body(), holder, length - 1, PACE).await;
                assert_eq!(gathered.err(), Some(Ungathered::TooLarge));
            }
        }
    }
}
