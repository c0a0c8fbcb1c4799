//! Whether what a target answers is what was asked for: a server that does not know a subresource of S3 answers with the object
//! itself, or with the list of the bucket's keys.

use bytes::BytesMut;
use protocols::aws::classify::Call;
use protocols::aws::subresource::{is_answer, is_told};

use super::coding::Begun;
use super::show::{Unbegun, next_piece};
use crate::upstream::aws::Received;

/// The beginning of the answer to a call, where it is the one that was asked for.
///
/// # Errors
/// Where it is another, which policy was not asked about as what it is.
pub(super) async fn checked(
    mut begun: Begun,
    body: &mut Received,
    call: &Call,
) -> Result<Begun, Unbegun> {
    if !is_told(call) {
        return Ok(begun);
    }
    let Some(mut first) = begun.first.take() else {
        return Ok(begun);
    };
    let other = || {
        let why = "is not what this operation answers (the target does not seem to know it)";
        Unbegun::Withheld(why.to_owned())
    };
    loop {
        match is_answer(call, &first) {
            Some(true) => break,
            Some(false) => return Err(other()),
            // What is compressed is long enough where it is honest.
            None if begun.coding.is_some() => return Err(other()),
            None => {}
        }
        let more = next_piece(body).await?;
        if more.is_empty() {
            return Err(other());
        }
        begun.read += more.len() as u64;
        let mut both = BytesMut::from(first);
        both.extend_from_slice(&more);
        first = both.freeze();
    }
    begun.first = Some(first);
    Ok(begun)
}
