//! What is compressed here is read by others and the other way round, and what is broken is told.

use std::io::{Read as _, Write as _};

use proptest::prelude::*;

use super::*;

/// What comes of it, and what is wrong with it, where something is; the same however it is cut.
fn unpacked(format: Format, packed: &[u8]) -> (Vec<u8>, Result<(), Broken>) {
    let mut results = Vec::new();
    for size in [packed.len().max(1), 1, 7, 4_096] {
        let mut decoder = Decoder::new(format).unwrap();
        let mut out = Vec::new();
        let mut ended = Ok(());
        for piece in packed.chunks(size) {
            ended = all(&mut decoder, piece, &mut out);
            if ended.is_err() {
                break;
            }
        }
        results.push((out, ended.and_then(|()| decoder.finish())));
    }
    results.dedup();
    assert_eq!(results.len(), 1, "it depends on the pieces");
    results.remove(0)
}

fn all(decoder: &mut Decoder, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let mut input = Bytes::copy_from_slice(piece);
    loop {
        let (before, start) = (input.len(), out.len());
        decoder.step(&mut input, out)?;
        assert!(out.len() - start <= PIECE_BYTES);
        if input.is_empty() && out.len() == start || input.len() == before && out.len() == start {
            return Ok(());
        }
    }
}

fn packed(format: Format, content: &[u8], size: usize) -> Vec<u8> {
    let mut encoder = Encoder::new(format).unwrap();
    let mut out = Vec::new();
    for piece in content.chunks(size) {
        encoder.push(piece, &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    out
}

/// As other programs write it.
fn foreign(format: Format, content: &[u8]) -> Vec<u8> {
    match format {
        Format::Gzip => {
            let mut writer = flate2::GzBuilder::new()
                .filename("a name")
                .comment("a comment")
                .extra("extra")
                .write(Vec::new(), flate2::Compression::best());
            writer.write_all(content).unwrap();
            writer.finish().unwrap()
        }
        Format::Zstd => ::zstd::stream::encode_all(content, 19).unwrap(),
    }
}

fn text() -> Vec<u8> {
    let lines = (0..20_000).map(|n| format!("{n} a line of text, {}\n", n * 7_919 % 1_009));
    lines.collect::<String>().into_bytes()
}

const FORMATS: [Format; 2] = [Format::Gzip, Format::Zstd];

#[test]
fn what_others_write_is_read() {
    for format in FORMATS {
        let text = text();
        let whole = foreign(format, &text);
        assert_eq!(Format::of_content(&whole), Some(format));
        assert!(
            unpacked(format, &whole) == (text.clone(), Ok(())),
            "{format:?}"
        );
        // One after the other, as log files grow.
        let twice = [whole.as_slice(), &whole, &foreign(format, b"")].concat();
        assert!(unpacked(format, &twice) == ([text.clone(), text].concat(), Ok(())));
        assert_eq!(
            unpacked(format, &foreign(format, b"")),
            (Vec::new(), Ok(()))
        );
    }
    let padded = [foreign(Format::Gzip, b"a").as_slice(), &[0; 700]].concat();
    assert_eq!(unpacked(Format::Gzip, &padded), (b"a".to_vec(), Ok(())));
    // A frame to skip, then one of content.
    let skipped = [
        &[0x51, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 9][..],
        &foreign(Format::Zstd, b"a"),
    ]
    .concat();
    assert_eq!(Format::of_content(&skipped), Some(Format::Zstd));
    assert_eq!(unpacked(Format::Zstd, &skipped), (b"a".to_vec(), Ok(())));
}

#[test]
fn what_is_written_is_read_by_others() {
    let text = text();
    for size in [1_000_000, 999] {
        let mut read = Vec::new();
        let gzip = packed(Format::Gzip, &text, size);
        flate2::read::GzDecoder::new(gzip.as_slice())
            .read_to_end(&mut read)
            .unwrap();
        assert!(read == text);
        // Nothing tells of the machine or the time.
        assert_eq!(&gzip[..9], &[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0]);
        let zstd = packed(Format::Zstd, &text, size);
        assert!(::zstd::stream::decode_all(zstd.as_slice()).unwrap() == text);
    }
}

#[test]
fn what_is_broken_is_told() {
    for format in FORMATS {
        let whole = foreign(format, &text());
        for end in [1, 5, 20, whole.len() / 2, whole.len() - 1] {
            let (_, ended) = unpacked(format, &whole[..end]);
            assert_eq!(ended, Err(Broken::Truncated), "{format:?} {end}");
        }
        assert_eq!(unpacked(format, b""), (Vec::new(), Err(Broken::Truncated)));
        let garbage = [whole.as_slice(), b"garbage"].concat();
        assert!(unpacked(format, &garbage).1.is_err(), "{format:?}");
        // A bit in the middle.
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 4;
        let mut decoder = Decoder::new(format).unwrap();
        let mut out = Vec::new();
        let ended = all(&mut decoder, &changed, &mut out);
        let told = ended.and_then(|()| decoder.finish());
        // Without a checksum, Zstandard cannot tell every change.
        assert!(told.is_err() || format == Format::Zstd && out != text());
    }
    let padded = [foreign(Format::Gzip, b"a").as_slice(), &[0, 0, 1]].concat();
    assert_eq!(unpacked(Format::Gzip, &padded).1, Err(Broken::Malformed));
}

#[test]
fn a_few_bytes_that_stand_for_many_end_there() {
    for format in FORMATS {
        let zeros = packed(format, &vec![b'0'; 120 << 20], 1 << 20);
        let mut decoder = Decoder::new(format).unwrap();
        let (mut input, mut given) = (Bytes::from(zeros), 0);
        let ended = loop {
            let mut out = Vec::new();
            match decoder.step(&mut input, &mut out) {
                Ok(()) if input.is_empty() && out.is_empty() => break Ok(()),
                Ok(()) => given += out.len(),
                Err(broken) => break Err(broken),
            }
        };
        assert_eq!(ended, Err(Broken::Bomb), "{format:?} {given}");
    }
    // A window that would take more memory than is given.
    let mut far = ::zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    far.window_log(27).unwrap();
    far.write_all(&text()).unwrap();
    let far = far.finish().unwrap();
    assert_eq!(unpacked(Format::Zstd, &far).1, Err(Broken::Malformed));
}

#[test]
fn formats_are_told_by_name() {
    for (value, format) in [
        ("gzip", Some(Format::Gzip)),
        (" X-GZIP ", Some(Format::Gzip)),
        ("application/zstd; a=b", Some(Format::Zstd)),
        ("gzip, gzip", None),
        ("br", None),
        ("text/plain", None),
        ("", None),
    ] {
        assert_eq!(Format::named(value), format, "{value}");
    }
    for (key, format) in [
        ("a/b.csv.GZ", Some(Format::Gzip)),
        ("b.zst", Some(Format::Zstd)),
        ("gz", None),
        ("a.gz/b", None),
        ("a.br", None),
    ] {
        assert_eq!(Format::of_name(key), format, "{key}");
    }
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(content in proptest::collection::vec(any::<u8>(), 0..3_000), size in 1_usize..4_000) {
        for format in FORMATS {
            let once = packed(format, &content, size);
            prop_assert_eq!(&once, &packed(format, &content, content.len().max(1)));
            prop_assert_eq!(unpacked(format, &once), (content.clone(), Ok(())));
        }
    }

    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300), magic in any::<bool>()) {
        for (format, start) in [(Format::Gzip, &[0x1F, 0x8B, 8, 0][..]), (Format::Zstd, &[0x28, 0xB5, 0x2F, 0xFD])] {
            let bytes = if magic { [start, &bytes].concat() } else { bytes.clone() };
            let mut decoder = Decoder::new(format).unwrap();
            let _ = all(&mut decoder, &bytes, &mut Vec::new());
        }
    }
}
