//! Chunked bodies: the published examples, every cut, and what is wrong.

use bytes::Bytes;
use proptest::prelude::*;

use super::super::canonical::PathForm;
use super::super::checksum::{Algorithm, Checksum};
use super::super::chunked::{BodyFault, Encoder, Ended, Intake, encoded_length};
use super::super::sigv4::{Chunks, Derived, Payload, Presented, Signer, Verified, sha256};
use super::{at, example, head};

const SIGNED: &str = "PUT /examplebucket/chunkObject.txt HTTP/1.1\n\
Host:s3.amazonaws.com\n\
x-amz-date:20130524T000000Z\n\
x-amz-storage-class:REDUCED_REDUNDANCY\n\
Authorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9\n\
x-amz-content-sha256:STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n\
Content-Encoding:aws-chunked\n\
x-amz-decoded-content-length:66560\n\
Content-Length:66824";

const WITH_TRAILER: &str = "PUT /examplebucket/chunkObject.txt HTTP/1.1\n\
Host:s3.amazonaws.com\n\
x-amz-date:20130524T000000Z\n\
x-amz-storage-class:REDUCED_REDUNDANCY\n\
Authorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
x-amz-storage-class;x-amz-trailer,Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e\n\
x-amz-content-sha256:STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\n\
Content-Encoding:aws-chunked\n\
x-amz-decoded-content-length:66560\n\
x-amz-trailer:x-amz-checksum-crc32c\n\
Content-Length:66824";

fn verified(text: &str) -> Verified {
    let (head, _) = head(text);
    let presented = Presented::read(&head).unwrap();
    let now = at("20130524T000200Z");
    presented
        .verify(
            &head,
            (&example().secret_key, &Derived::default()),
            None,
            now,
        )
        .unwrap()
}

/// The published body: 64 KiB and 1 KiB of the letter a.
fn published(signatures: [&str; 3], end: &str) -> Bytes {
    let [first, second, last] = signatures;
    let (a, b) = ("a".repeat(65_536), "a".repeat(1_024));
    Bytes::from(format!(
        "10000;chunk-signature={first}\r\n{a}\r\n400;chunk-signature={second}\r\n{b}\r\n\
         0;chunk-signature={last}\r\n{end}\r\n"
    ))
}

fn plain() -> Bytes {
    published(
        [
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ],
        "",
    )
}

fn with_trailer() -> Bytes {
    published(
        [
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        ],
        "x-amz-checksum-crc32c:sOO8/Q==\r\n\
         x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
    )
}

/// What comes of a body that is cut at these places: its content so far, and how it ended.
fn take(
    verified: &Verified,
    length: u64,
    trailer: Option<Algorithm>,
    body: &Bytes,
    cuts: &[usize],
) -> (Vec<u8>, Result<Ended, BodyFault>) {
    let mut intake = Intake::new(verified, length, trailer);
    let mut out = Vec::new();
    let mut ended = Ok(());
    for piece in pieces(body, cuts) {
        ended = intake.push(piece, &mut out);
        if ended.is_err() {
            break;
        }
    }
    let ended = ended.and_then(|()| intake.finish(&mut out));
    (out.concat(), ended)
}

fn pieces(body: &Bytes, cuts: &[usize]) -> Vec<Bytes> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| body.slice(pair[0]..pair[1]))
        .collect()
}

#[test]
fn the_published_bodies_verify_and_are_made() {
    let content = Bytes::from("a".repeat(66_560));
    for (text, trailer, body) in [
        (SIGNED, None, plain()),
        (WITH_TRAILER, Some(Algorithm::Crc32c), with_trailer()),
    ] {
        let verified = verified(text);
        let (taken, ended) = take(&verified, 66_560, trailer, &body, &[]);
        assert_eq!(taken, content);
        let ended = ended.unwrap();
        assert_eq!(ended.sha256, sha256(&content));
        assert_eq!(ended.trailer.map(|(it, _)| it), trailer);

        let mut out = Vec::new();
        let mut encoder = Encoder::new(verified, 66_560, trailer);
        encoder.push(content.clone(), &mut out).unwrap();
        encoder.finish(&mut out).unwrap();
        assert_eq!(out.concat(), body);
        assert_eq!(encoded_length(66_560, trailer), body.len() as u64);
    }
}

/// Whatever byte of it is changed, the last byte of the content stays here.
#[test]
fn a_changed_body_never_comes_out_whole() {
    let body = with_trailer();
    let verified = verified(WITH_TRAILER);
    let last = body.len();
    let places = (0..200).chain(65_500..65_800).chain(last - 1_300..last);
    for place in places {
        let mut changed = body.to_vec();
        changed[place] ^= 1;
        let (taken, ended) = take(
            &verified,
            66_560,
            Some(Algorithm::Crc32c),
            &Bytes::from(changed),
            &[],
        );
        // Case of a size's digits and of a trailer's name carries nothing.
        if let Ok(ended) = ended {
            assert_eq!(ended.sha256, sha256(&taken), "{place}");
            assert_eq!(taken, "a".repeat(66_560).into_bytes(), "{place}");
        } else {
            assert!(taken.len() < 66_560, "{place}");
        }
    }
}

#[test]
fn what_is_wrong_is_told() {
    let verified = verified(SIGNED);
    let body = plain();
    let ended = |length, body: &[u8]| {
        take(&verified, length, None, &Bytes::copy_from_slice(body), &[])
            .1
            .unwrap_err()
    };
    assert_eq!(ended(66_561, &body), BodyFault::Length);
    assert_eq!(ended(66_559, &body), BodyFault::Length);
    assert!(matches!(
        ended(66_560, &body[..body.len() - 1]),
        BodyFault::Malformed(_)
    ));
    assert!(matches!(
        ended(66_560, &[&body[..], b"x"].concat()),
        BodyFault::Malformed(_)
    ));
    let mut changed = body.to_vec();
    changed[1_000] = b'b';
    assert_eq!(ended(66_560, &changed), BodyFault::Signature);
    assert!(matches!(
        ended(66_560, &[b'0'; 400]),
        BodyFault::Malformed(_)
    ));
    assert!(matches!(ended(66_560, b"-1\r\n"), BodyFault::Malformed(_)));
    assert!(matches!(
        ended(66_560, b"+1;chunk-signature=0\r\n"),
        BodyFault::Malformed(_)
    ));
    assert!(matches!(
        ended(66_560, b"10\r\n0123456789abcdef\r\n0\r\n\r\n"),
        BodyFault::Malformed(_)
    ));
}

#[test]
fn unsigned_chunks_are_held_to_their_checksum() {
    let chunks = Payload::Chunks(Chunks {
        signed: false,
        trailer: true,
    });
    let verified = Verified {
        payload: chunks,
        ..verified(SIGNED)
    };
    let body = |checksum: &str| {
        Bytes::from(format!(
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n"
        ))
    };
    let taken = |body| take(&verified, 5, Some(Algorithm::Crc32), &body, &[]);
    let (content, ended) = taken(body("NhCmhg=="));
    assert_eq!(
        (content.as_slice(), ended.is_ok()),
        (b"hello".as_slice(), true)
    );
    let (content, ended) = taken(body("NhCmhw=="));
    assert_eq!(
        (content.as_slice(), ended),
        (b"hell".as_slice(), Err(BodyFault::Checksum))
    );
    let (_, ended) = taken(Bytes::from_static(b"5\r\nhello\r\n0\r\n\r\n"));
    assert!(matches!(ended, Err(BodyFault::Malformed(_))));
    let (_, ended) = taken(Bytes::from_static(
        b"5\r\nhello\r\n0\r\nx-amz-meta-a:b\r\n\r\n",
    ));
    assert!(matches!(ended, Err(BodyFault::Malformed(_))));
}

#[test]
fn a_signed_digest_is_held_to() {
    let verified = |digest: String| Verified {
        payload: Payload::Sha256(digest),
        ..verified(SIGNED)
    };
    let body = Bytes::from_static(b"hello");
    assert!(
        take(&verified(sha256(b"hello")), 5, None, &body, &[2])
            .1
            .is_ok()
    );
    let (content, ended) = take(&verified(sha256(b"hallo")), 5, None, &body, &[2]);
    assert_eq!(
        (content.as_slice(), ended),
        (b"hell".as_slice(), Err(BodyFault::Digest))
    );
    assert!(
        take(&verified(sha256(b"")), 0, None, &Bytes::new(), &[])
            .1
            .is_ok()
    );
}

/// The check values of the CRC catalogue, and of the empty text.
#[test]
fn checksums_are_the_published_ones() {
    let of = |algorithm, text: &[u8]| {
        let mut checksum = Checksum::new(algorithm);
        text.chunks(4).for_each(|part| checksum.update(part));
        let mut whole = Checksum::new(algorithm);
        whole.update(text);
        let value = checksum.finish();
        assert_eq!(value, whole.finish());
        value
    };
    let nine = b"123456789";
    // 0xCBF43926, 0xE3069283, 0xAE8B14860A799888.
    assert_eq!(of(Algorithm::Crc32, nine), "y/Q5Jg==");
    assert_eq!(of(Algorithm::Crc32c, nine), "4waSgw==");
    assert_eq!(of(Algorithm::Crc64Nvme, nine), "rosUhgp5mIg=");
    assert_eq!(of(Algorithm::Crc32, b""), "AAAAAA==");
    // FIPS 180-4 examples: "abc".
    assert_eq!(of(Algorithm::Sha1, b"abc"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
    assert_eq!(
        of(Algorithm::Sha256, b"abc"),
        "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
    );
}

fn signed_as(payload: Payload) -> Verified {
    let (mut head, _) = head("PUT /b/k HTTP/1.1\nHost:h");
    head.fields.set("x-amz-content-sha256", payload.as_str());
    let credentials = example();
    let signer = Signer {
        credentials: &credentials,
        region: "us-east-1",
        service: "s3",
        form: PathForm::S3,
    };
    signer
        .sign(&mut head, &payload, at("20130524T000000Z"))
        .unwrap()
}

#[test]
fn what_is_beyond_the_length_is_a_fault_at_the_same_place_however_it_is_cut() {
    let unsigned = Chunks {
        signed: false,
        trailer: true,
    };
    let verified = Verified {
        payload: Payload::Chunks(unsigned),
        ..signed_as(Payload::Unsigned)
    };
    let body = Bytes::from_static(b"15\r\nhello, whole world!!\r\n");
    for cut in 0..=body.len() {
        let (given, ended) = take(&verified, 5, Some(Algorithm::Crc32), &body, &[cut]);
        assert_eq!(given, b"hell", "cut at {cut}");
        assert_eq!(ended.unwrap_err(), BodyFault::Length, "cut at {cut}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is encoded decodes, whatever the content and however both were cut.
    #[test]
    fn encoder_and_intake_agree(
        content in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(any::<u8>(), 65_500..131_200),
        ],
        cuts in prop::collection::vec(any::<usize>(), 0..8),
        more_cuts in prop::collection::vec(any::<usize>(), 0..12),
        trailer in prop::sample::select(vec![
            None,
            Some(Algorithm::Crc32),
            Some(Algorithm::Crc32c),
            Some(Algorithm::Crc64Nvme),
            Some(Algorithm::Sha1),
            Some(Algorithm::Sha256),
        ]),
    ) {
        let chunks = Chunks { signed: true, trailer: trailer.is_some() };
        let verified = signed_as(Payload::Chunks(chunks));
        let content = Bytes::from(content);
        let length = content.len() as u64;
        let encode = |cuts: &[usize]| {
            let mut out = Vec::new();
            let mut encoder = Encoder::new(verified.clone(), length, trailer);
            for piece in pieces(&content, cuts) {
                encoder.push(piece, &mut out).unwrap();
            }
            encoder.finish(&mut out).unwrap();
            Bytes::from(out.concat())
        };
        let body = encode(&cuts);
        prop_assert_eq!(&body, &encode(&[]));
        prop_assert_eq!(body.len() as u64, encoded_length(length, trailer));
        let whole = take(&verified, length, trailer, &body, &[]);
        let cut = take(&verified, length, trailer, &body, &more_cuts);
        prop_assert_eq!(&whole, &cut);
        prop_assert_eq!(&whole.0, &content);
        prop_assert!(whole.1.is_ok());
    }

    /// However a body is cut, a wrong one ends at the same place with the same fault.
    #[test]
    fn any_body_ends_the_same_however_it_is_cut(
        noise in prop::collection::vec(
            prop_oneof![
                Just(b"5;chunk-signature=00\r\n".to_vec()),
                Just(b"5\r\nhello\r\n".to_vec()),
                Just(b"0\r\n".to_vec()),
                Just(b"\r\n".to_vec()),
                Just(b"x-amz-checksum-crc32:NhCmhg==\r\n".to_vec()),
                prop::collection::vec(any::<u8>(), 0..12),
            ],
            0..8,
        ),
        signed in any::<bool>(),
        cuts in prop::collection::vec(any::<usize>(), 0..16),
    ) {
        let body = Bytes::from(noise.concat());
        let verified = Verified {
            payload: Payload::Chunks(Chunks { signed, trailer: !signed }),
            ..signed_as(Payload::Unsigned)
        };
        let trailer = (!signed).then_some(Algorithm::Crc32);
        let whole = take(&verified, 5, trailer, &body, &[]);
        prop_assert_eq!(whole, take(&verified, 5, trailer, &body, &cuts));
    }
}
