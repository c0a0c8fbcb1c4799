//! What a head announces of its body.

use super::{CONTENT_BYTES_MAX, Intake};
use crate::http::Head;
use crate::http::checksum::Algorithm;
use crate::http::sigv4::{Chunks, Payload, Verified};

/// What checks a body, of which `travelled` bytes come in, and the length of its content.
///
/// # Errors
/// What is wrong with the head, for the client.
pub fn intake(
    verified: &Verified,
    head: &Head,
    travelled: u64,
) -> Result<(Intake, u64), &'static str> {
    let Payload::Chunks(chunks) = verified.payload else {
        return Ok((Intake::new(verified, travelled, None), travelled));
    };
    let length = head.fields.one("x-amz-decoded-content-length");
    let length = length
        .and_then(|text| text.parse().ok())
        .filter(|length| *length <= CONTENT_BYTES_MAX)
        .ok_or("a chunked body needs x-amz-decoded-content-length")?;
    let trailer = trailer(head, chunks)?;
    Ok((Intake::new(verified, length, trailer), length))
}

/// The checksum that a chunked body's trailer will hold.
///
/// # Errors
/// What is wrong with the head, for the client.
pub fn trailer(head: &Head, chunks: Chunks) -> Result<Option<Algorithm>, &'static str> {
    match (chunks.trailer, head.fields.one("x-amz-trailer")) {
        (false, None) => Ok(None),
        (true, Some(name)) => Algorithm::of_header(name)
            .map(Some)
            .ok_or("x-amz-trailer names no checksum that is known here"),
        _ => Err("x-amz-trailer and x-amz-content-sha256 do not agree"),
    }
}
