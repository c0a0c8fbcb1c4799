//! What a script can say. Letters, so that the seeds can be read; any other byte stands for one of them.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;

use super::say;
use super::server::Mood;

/// One thing that happens.
pub(super) enum Step {
    /// The client sends this.
    Client(Bytes),
    /// The upstream sends this, asked or not.
    Upstream(Bytes),
    /// The upstream answers everything that it was sent.
    Answer(Mood),
    /// The gateway answers the oldest question: yes, revealing some classes or limiting rows.
    Permit(u8),
    /// The gateway answers the oldest question: no.
    Refuse,
    /// People are asked about the oldest question.
    Hold,
    /// The client's cancel key was used.
    Cancel,
    /// A peer is gone.
    ClientEnds,
    /// As above.
    UpstreamEnds,
    /// From now on what is sent arrives in pieces cut so.
    Cut(u8),
    /// What is sent from now on arrives together, until the next of these.
    Gather,
}

/// The letters, in the order that other bytes are taken for.
const LETTERS: &[u8] = b"qpbdecsfgxPRHKaukCUwWzFjo";

impl Step {
    /// Takes the next step of a script.
    ///
    /// # Errors
    /// The script ends within it.
    pub(super) fn take(script: &mut Unstructured<'_>) -> Result<Self> {
        let letter: u8 = script.arbitrary()?;
        let letter = if LETTERS.contains(&letter) {
            letter
        } else {
            LETTERS[usize::from(letter) % LETTERS.len()]
        };
        let mut how = || script.arbitrary::<u8>().map(|byte| byte.wrapping_sub(b'0'));
        Ok(match letter {
            b'q' => Self::Client(say::query(say::text(how()?))),
            b'p' => Self::Client(say::parse(say::name(how()?), say::text(how()?))),
            b'b' => Self::Client(say::bind(say::name(how()?), say::name(how()?), how()?)),
            b'd' => Self::Client(say::named(b'D', how()?)),
            b'c' => Self::Client(say::named(b'C', how()?)),
            b'e' => Self::Client(say::execute(how()?)),
            b's' => Self::Client(say::bare(b'S')),
            b'f' => Self::Client(say::bare(b'H')),
            b'g' => Self::Client(say::copy(how()?)),
            b'x' => Self::Client(say::bare(b'X')),
            b'F' => Self::Client(say::function_call()),
            b'z' => Self::Client(say::startup(how()?)),
            b'P' => Self::Permit(how()?),
            b'R' => Self::Refuse,
            b'H' => Self::Hold,
            b'K' => Self::Cancel,
            b'a' | b'u' => Self::Answer(Mood::of(how()?)),
            b'k' => Self::Cut(how()?),
            b'j' => Self::Gather,
            b'C' => Self::ClientEnds,
            b'U' => Self::UpstreamEnds,
            b'o' => Self::Upstream(say::of_server(how()?)),
            b'w' => Self::Client(raw(script)?),
            _ => Self::Upstream(raw(script)?),
        })
    }
}

/// Bytes that are nobody's message, behind their number.
fn raw(script: &mut Unstructured<'_>) -> Result<Bytes> {
    let count = usize::from(script.arbitrary::<u8>()?).min(script.len());
    script.bytes(count).map(Bytes::copy_from_slice)
}
