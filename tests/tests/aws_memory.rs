//! Large objects pass in little memory. `COUNTERSIGN_STREAM_MIB=5120` makes them as large as S3 takes in one request.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::{fs, thread};

use bytes::Bytes;
use tests::raw::Raw;
use tests::{Config, Gateway, S3};

const POLICIES: &str = r#"
@id("all")
permit (principal, action, resource) unless { action == Action::"reveal" };
"#;

/// How much an object has, in MiB, unless the environment says otherwise.
const MIB: u64 = 256;
/// What all of them together may take beyond what a small one took, in bytes. It was 40 MB, and 53 MB of 5 GiB.
const GROWTH_BYTES_MAX: u64 = 96 << 20;

const LINE: &[u8] =
    b"pan 4111 1111 1111 1111, and the rest of a line that says nothing at all.......\n";
const SHOWN: &[u8] =
    b"pan **** **** **** 1111, and the rest of a line that says nothing at all.......\n";

/// The most memory that a process ever had, in bytes.
fn peak_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<u64>().unwrap() << 10
}

/// Whether it is what is shown, from wherever it begins.
fn check(raw: &Raw, key: &str, length: u64) {
    let mut at = 0;
    let (reply, read) = raw.get_stream(&format!("/lake/{key}"), |piece| {
        for &byte in piece {
            assert_eq!(byte, SHOWN[at]);
            at = (at + 1) % SHOWN.len();
        }
    });
    assert_eq!((reply.status, read), (200, length), "{key}");
}

#[test]
fn large_objects_pass_in_little_memory() {
    let mib = std::env::var("COUNTERSIGN_STREAM_MIB").map_or(MIB, |it| it.parse().unwrap());
    let server = S3::start();
    fs::create_dir(server.folder().join("lake")).unwrap();
    let config = Config::s3(&server)
        .unset(&["aws", "tls"])
        .policy("10-all.cedar", POLICIES);
    let gateway = Gateway::start(config);
    let raw = Raw::of(&gateway, "lake", &[]);
    // 80 bytes a line, so that a mebibyte is not whole lines and nothing lies as the pieces do.
    let block: Vec<u8> = LINE
        .iter()
        .copied()
        .cycle()
        .take(LINE.len() << 14)
        .collect();
    let block = Bytes::from(block);
    let count = (mib << 20) / block.len() as u64;
    let length = count * block.len() as u64;

    let put = raw.put_stream("/lake/small", &block, 1);
    assert_eq!(put.status, 200, "{}", put.text());
    check(&raw, "small", block.len() as u64);
    let before = peak_bytes(gateway.pid());

    let put = raw.put_stream("/lake/large", &block, count);
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(
        fs::metadata(server.folder().join("lake/large"))
            .unwrap()
            .len(),
        length
    );
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| check(&raw, "large", length));
        }
    });
    let grown = peak_bytes(gateway.pid()) - before;
    println!(
        "{} MiB in {grown} bytes more than the {before} before",
        length >> 20
    );
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes more than {before}");
}
