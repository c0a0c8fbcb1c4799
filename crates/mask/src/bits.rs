//! Blocks of text as bits, a bit for each byte: a few operations on them look at all the bytes of a block at once.

use wide::u8x16;

/// Bytes looked at together. No value found by its digits is longer.
pub(crate) const BLOCK_BYTES: usize = 64;

#[inline(always)]
pub(crate) fn is_digit(byte: u8) -> bool {
    byte.wrapping_sub(b'0') < 10
}

/// Whether there is a byte of a sort. Written so that the compiler makes vector code of it.
#[inline(always)]
pub(crate) fn any(bytes: &[u8; BLOCK_BYTES], is: impl Fn(u8) -> bool) -> bool {
    let mut flags = [0_u8; BLOCK_BYTES];
    for (flag, &byte) in flags.iter_mut().zip(bytes) {
        *flag = u8::from(is(byte));
    }
    let (words, _) = flags.as_chunks::<8>();
    let all = words.iter().map(|word| u64::from_le_bytes(*word));
    all.fold(0, |all, word| all | word) != 0
}

/// Whether there are so many bytes of a sort in a row, at a multiple of as many: of twice as many in a row but one some are.
#[inline(always)]
pub(crate) fn any_word<const COUNT: usize>(
    bytes: &[u8; BLOCK_BYTES],
    is: impl Fn(u8) -> bool,
) -> bool {
    let mut flags = [0_u8; BLOCK_BYTES];
    for (flag, &byte) in flags.iter_mut().zip(bytes) {
        *flag = 0_u8.wrapping_sub(u8::from(is(byte)));
    }
    let (words, _) = flags.as_chunks::<COUNT>();
    words
        .iter()
        .fold(false, |any, word| any | (*word == [u8::MAX; COUNT]))
}

/// The bits from `place` on, with those of the next block behind.
#[inline(always)]
pub(crate) fn ahead(here: u64, next: u64, place: u32) -> u64 {
    // By two steps, for no shift may be as wide as the number.
    here >> place | (next << 1) << (u64::BITS - 1 - place)
}

/// Which bits are set that are also set so many places on, in a block and the next; behind them all are.
#[inline(always)]
pub(crate) fn both(here: u64, next: u64, places: u32) -> (u64, u64) {
    let here = here & ahead(here, next, places);
    (here, next & ahead(next, u64::MAX, places))
}

/// What a look at the bytes of a text from a place on gives; behind its end are zeros, and a place there gives nothing.
#[inline(always)]
pub(crate) fn with_block<T: Default>(
    text: &[u8],
    pos: usize,
    look: impl Fn(&[u8; BLOCK_BYTES]) -> T,
) -> T {
    let rest = text.get(pos..).unwrap_or_default();
    match rest.first_chunk() {
        Some(bytes) => look(bytes),
        None if rest.is_empty() => T::default(),
        None => look(&padded(rest)),
    }
}

/// A text that is not longer than a block, and zeros behind it.
#[inline(never)]
pub(crate) fn padded(text: &[u8]) -> [u8; BLOCK_BYTES] {
    let mut bytes = [0; BLOCK_BYTES];
    let done = copied::<32>(text, &mut bytes)
        || copied::<16>(text, &mut bytes)
        || copied::<8>(text, &mut bytes)
        || copied::<4>(text, &mut bytes);
    if !done {
        bytes
            .iter_mut()
            .zip(text)
            .for_each(|(to, from)| *to = *from);
    }
    bytes
}

/// Copies a text whose first and last bytes, so many of each, are all of it: quicker than byte by byte.
#[inline(always)]
fn copied<const COUNT: usize>(text: &[u8], bytes: &mut [u8; BLOCK_BYTES]) -> bool {
    let (Some(first), Some(last)) = (text.first_chunk::<COUNT>(), text.last_chunk::<COUNT>())
    else {
        return false;
    };
    let behind = bytes
        .get_mut(text.len() - COUNT..)
        .and_then(<[_]>::first_chunk_mut);
    if let Some(slot) = behind {
        *slot = *last;
    }
    if let Some(slot) = bytes.first_chunk_mut() {
        *slot = *first;
    }
    text.len() <= 2 * COUNT
}

/// A bit for each byte of a text from a place on that is of a sort, which zero must not be.
#[inline(always)]
pub(crate) fn bits_at(text: &[u8], pos: usize, is: impl Fn(u8) -> bool) -> u64 {
    with_block(text, pos, |bytes| bits(bytes, &is))
}

/// A bit for each byte that is of a sort.
#[inline(always)]
pub(crate) fn bits(bytes: &[u8; BLOCK_BYTES], is: impl Fn(u8) -> bool) -> u64 {
    let mut flags = [0_u8; BLOCK_BYTES];
    for (flag, &byte) in flags.iter_mut().zip(bytes) {
        *flag = 0_u8.wrapping_sub(u8::from(is(byte)));
    }
    let (rows, _) = flags.as_chunks::<16>();
    rows.iter().rev().fold(0, |bits, row| {
        bits << 16 | u64::from(u8x16::new(*row).to_bitmask())
    })
}

/// Whether one of the eight bytes of a number is this one.
#[inline(always)]
pub(crate) fn has_byte(bytes: u64, byte: u8) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let others = bytes ^ (ONES * u64::from(byte));
    others.wrapping_sub(ONES) & !others & (ONES << 7) != 0
}

/// How many of eight bytes are digits, up to the first that is none.
#[inline(always)]
pub(crate) fn digits_first(bytes: [u8; 8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let values = u64::from_le_bytes(bytes) ^ (ONES * u64::from(b'0'));
    // Ten and more, of which no sum carries over.
    let above = (values & (ONES * 0x7F)) + ONES * (0x80 - 10);
    let others = (above | values) & (ONES * 0x80);
    others.trailing_zeros() as usize / 8
}

/// The first so many bits.
#[inline(always)]
pub(crate) fn first(count: usize) -> u64 {
    if count < BLOCK_BYTES {
        (1 << count) - 1
    } else {
        u64::MAX
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_counted(bytes in prop::array::uniform8(prop_oneof![3 => b'0'..=b'9', 1 => 0..=u8::MAX])) {
            let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            prop_assert_eq!(digits_first(bytes), count);
        }
    }
}
