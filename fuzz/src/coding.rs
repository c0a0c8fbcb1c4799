//! Compressed content.

use bytes::Bytes;
use protocols::http::coding::{Decoder, Format, PIECE_BYTES};

/// So many bytes of content are looked at.
const CONTENT_BYTES_MAX: usize = 4 << 20;

/// Any bytes end, and give the same however they are cut: the first byte says which format they are and where to cut.
pub(crate) fn unpack(bytes: &[u8]) {
    let Some((&how, bytes)) = bytes.split_first() else {
        return;
    };
    let format = if how & 1 == 0 {
        Format::Gzip
    } else {
        Format::Zstd
    };
    let size = usize::from(how >> 1) + 1;
    let whole = content(format, bytes, bytes.len().max(1));
    let cut = content(format, bytes, size);
    // What comes before something broken may be given in larger or smaller pieces.
    let (shorter, longer) = if whole.0.len() < cut.0.len() {
        (&whole, &cut)
    } else {
        (&cut, &whole)
    };
    assert!(longer.0.starts_with(&shorter.0));
    assert!(!whole.1 || !cut.1 || whole.0 == cut.0);
}

/// The content, and whether it was whole.
fn content(format: Format, bytes: &[u8], size: usize) -> (Vec<u8>, bool) {
    let mut decoder = Decoder::new(format).unwrap();
    let mut out = Vec::new();
    for piece in bytes.chunks(size) {
        let mut input = Bytes::copy_from_slice(piece);
        loop {
            let before = (input.len(), out.len());
            if decoder.step(&mut input, &mut out).is_err() {
                return (out, false);
            }
            assert!(out.len() - before.1 <= PIECE_BYTES);
            if before == (input.len(), out.len()) {
                break;
            }
            if out.len() > CONTENT_BYTES_MAX {
                return (out, false);
            }
        }
    }
    (out, decoder.finish().is_ok())
}
