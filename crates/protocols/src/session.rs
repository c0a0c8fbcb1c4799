//! The one trait that every protocol implements, and what it exchanges with the gateway.
//!
//! A protocol is a state machine without I/O: frames and answers go in, effects come out. It opens no socket, reads no
//! clock and draws no randomness; what it needs of those is handed in. The gateway's relay carries the effects out *in
//! order* and is the same for every protocol.
//!
//! Contract between a session and its relay:
//! - Questions are answered in the order they were asked. A session may ask several before the first is answered.
//! - After [`Answer::Held`] the same question is still open; its real answer follows.
//! - After [`Effect::StartTls`] the relay delivers no frame of that peer until TLS stands; then it answers
//!   [`Answer::Secured`]. Bytes that a peer sent ahead of the handshake end the session (they would be plain text
//!   smuggled into the protected stream).
//! - After [`Effect::Close`] everything already sent is flushed and both connections are closed.
//! - A [`Violation`] closes the session; what was sent to the client before it is flushed first.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use model::{Command, Denial, Identity, MaskFact, Outcome, Permit, Secret};

pub use model::{Held, Note};

/// One conversation between a client and an upstream. `F` is what the relay delivers: [`Bytes`] for wire protocols,
/// which own their framing.
pub trait Session<F>: Send {
    /// Takes what `from` sent.
    ///
    /// # Errors
    /// [`Violation`] where the peer broke the protocol; the session is over.
    fn receive(&mut self, from: Peer, frame: F, fx: &mut Effects<F>) -> Result<(), Violation>;

    /// Takes the answer to the oldest open question, or an event the gateway tells of.
    ///
    /// # Errors
    /// [`Violation`] where the peer broke the protocol before; the session is over.
    fn answer(&mut self, answer: Answer, fx: &mut Effects<F>) -> Result<(), Violation>;

    /// `peer` closed its connection, or it failed.
    fn ended(&mut self, peer: Peer, fx: &mut Effects<F>);

    /// Whether to read more from `from`. `false` is backpressure: the session holds as much as it may.
    fn wants(&self, from: Peer) -> bool;
}

/// A side of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The agent's client.
    Client,
    /// The target.
    Upstream,
}

/// Effects, in the order they are to be carried out.
pub type Effects<F> = Vec<Effect<F>>;

/// What a session wants done.
#[derive(Debug)]
pub enum Effect<F> {
    /// Send this.
    Send(Peer, F),
    /// Begin TLS: as server towards the client, as client (by the target's settings) towards the upstream.
    StartTls(Peer),
    /// Ask the gateway.
    Ask(Question),
    /// Put this in the recording.
    Note(Note),
    /// This was masked where no command was answered, and none ended since. Once, before [`Effect::Close`].
    Found(Vec<MaskFact>),
    /// This command ended so.
    Settle(Permit, Outcome),
    /// From now on, [`Question::Cancel`] with this key on another connection reaches this session.
    Cancelable(Bytes),
    /// Open a further connection to the upstream, send this, close it. Where the upstream speaks TLS, `preamble` is sent first,
    /// one byte `S` awaited, and TLS begun. [`Answer::Delivered`] follows.
    Aside {
        /// What asks for TLS.
        preamble: Bytes,
        /// What is sent.
        payload: Bytes,
    },
    /// Begins to read what [`Effect::Learned`] will tell: what makes it [`Effect::Outdated`] from now on is not in it.
    Learning,
    /// Something learned of the target that other sessions with it may use; it comes back in [`Upstream::knowledge`].
    Learned(Knowledge),
    /// What was learned of the target may not hold any more: no session may go on by it.
    Outdated,
    /// The oldest open [`Question::May`] is not wanted any more: the client withdrew it. Its approval is closed; its answer
    /// still follows, `Refused` as cancelled unless it was permitted just before.
    Withdraw,
    /// End the session.
    Close,
}

/// What only the gateway can answer.
#[derive(Debug)]
pub enum Question {
    /// Who is this, and may it use this target? → `Known` or `Refused`
    Who(Credential),
    /// Connect to the target. → `Reached` or `Refused`
    Reach,
    /// May this command run? → `Permitted`, or `Held` and later the real answer, or `Refused`
    May(Box<Command>),
    /// Another session's cancel key: tell that session. No answer follows.
    Cancel(Bytes),
}

/// What a client proved itself with.
#[derive(Debug)]
pub struct Credential {
    /// The token.
    pub token: Secret,
    /// The target it names.
    pub target: String,
    /// The user it names.
    pub user: String,
    /// What the client calls itself; empty where it does not.
    pub client: String,
}

/// What the gateway answers, or tells unasked (`Secured`, `Held`, `Cancelled`, `Delivered`, `Learned`, `Aged`).
#[derive(Debug)]
pub enum Answer {
    /// To `Who`: this is who it is.
    Known(Arc<Identity>),
    /// To `Reach`: the connection stands.
    Reached(Box<Upstream>),
    /// TLS stands with this peer.
    Secured(Peer, Secured),
    /// To `May`: people are being asked. The question stays open.
    Held(Held),
    /// To `May`: go.
    Permitted(Permit),
    /// To any question: no.
    Refused(Denial),
    /// Somebody who holds this session's cancel key wants its running command cancelled.
    Cancelled,
    /// What another session learned of the target; `None` where what was known no longer holds, and is to be learned anew.
    Learned(Option<Knowledge>),
    /// What is known of the target was learned long ago, and is to be learned anew where that can be done.
    Aged,
    /// To [`Effect::Aside`]: the upstream took it and closed that connection, or it failed, which the log tells. One
    /// for each, in no order.
    Delivered,
}

/// An upstream that was reached, and what is needed to log in to it.
#[derive(Debug)]
pub struct Upstream {
    /// The session's id, to be named upstream.
    pub session: String,
    /// The account's name.
    pub user: String,
    /// The account's password.
    pub password: Secret,
    /// Whether and how to ask for TLS.
    pub tls: TlsWish,
    /// Fresh random bytes.
    pub random: [u8; 64],
    /// What another session learned of this target, if it still holds.
    pub knowledge: Option<Knowledge>,
}

/// Whether TLS is wanted upstream. How its certificate is verified is the relay's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsWish {
    /// No.
    Disable,
    /// If the upstream offers it.
    Prefer,
    /// Or nothing.
    Require,
}

/// What a finished handshake tells.
#[derive(Debug, Clone, Default)]
pub struct Secured {
    /// `tls-server-end-point` channel binding of the peer's certificate (RFC 5929 section 4), where the peer is a server.
    pub server_end_point: Option<Vec<u8>>,
}

/// Something of a target that is costly to learn, such as a catalog. Only its protocol looks inside.
pub type Knowledge = Arc<dyn Any + Send + Sync>;

/// What a peer did wrong. Named, so that the log tells and tests can assert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{peer:?} broke the {protocol} protocol: {what}")]
pub struct Violation {
    /// Who.
    pub peer: Peer,
    /// The protocol.
    pub protocol: &'static str,
    /// What, in one sentence that holds no data.
    pub what: String,
}
