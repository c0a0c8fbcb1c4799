//! One input, cut into pieces.

use bytes::Bytes;

/// Takes the first byte of an input as the way to cut the rest.
pub(crate) fn headed(data: &[u8]) -> (u8, &[u8]) {
    data.split_first()
        .map_or((0, data), |(head, rest)| (*head, rest))
}

/// Cuts `bytes` by `seed`: into pieces of up to `1 + seed % 64` bytes.
pub(crate) fn pieces(seed: u8, bytes: &[u8]) -> Vec<&[u8]> {
    let mut state = u32::from(seed);
    let mut rest = bytes;
    let mut all = Vec::new();
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = 1 + (state >> 16) as usize % (1 + usize::from(seed & 0x3f));
        let (piece, after) = rest.split_at(length.min(rest.len()));
        all.push(piece);
        rest = after;
    }
    all
}

/// The same as owned pieces.
pub(crate) fn owned(seed: u8, bytes: &[u8]) -> Vec<Bytes> {
    pieces(seed, bytes)
        .into_iter()
        .map(Bytes::copy_from_slice)
        .collect()
}
