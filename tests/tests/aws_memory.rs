//! Large objects pass in little memory. `COUNTERSIGN_STREAM_MIB=5120` makes them as large as S3 takes in one request.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Instant;
use std::{fs, thread};

use bytes::Bytes;
use tests::raw::{Canned, Raw, announced, read_head};
use tests::{Config, Gateway, S3};

const POLICIES: &str = r#"
@id("all")
permit (principal, action, resource) unless { action == Action::"reveal" };
"#;

/// How much an object without a disk has, in MiB, unless the environment says otherwise.
const MADE_UP_MIB: u64 = 1 << 10;
/// How much an object on a disk has, in MiB, unless the environment says otherwise.
const MIB: u64 = 256;
/// How many MiB to send, where it is no matter that it takes minutes.
fn mib(default: u64) -> u64 {
    let told = std::env::var("COUNTERSIGN_STREAM_MIB");
    told.map_or(default, |it| it.parse().unwrap())
}

/// What all of them together may take beyond what a small one took, in bytes. It was 40 MB, and 53 MB of 5 GiB; without a disk 13 MB of 5 GiB.
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
    let mib = mib(MIB);
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

/// A target that makes up the objects that it is asked for, and keeps none that it is sent, so that no disk is needed.
fn made_up(block: Bytes, count: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let block = block.clone();
            thread::spawn(move || serve(stream, &block, count));
        }
    });
    address
}

fn serve(stream: TcpStream, block: &[u8], count: u64) {
    let mut reader = BufReader::with_capacity(256 << 10, stream);
    let head = read_head(&mut reader);
    let count = if head[0].contains("small") { 1 } else { count };
    let mut body = reader.by_ref().take(announced(&head).unwrap_or(0));
    std::io::copy(&mut body, &mut std::io::sink()).unwrap();
    let (length, of) = if head[0].starts_with("GET") {
        (block.len() as u64 * count, count)
    } else {
        (0, 0)
    };
    let stream = reader.get_mut();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..of {
        stream.write_all(block).unwrap();
    }
}

/// Up and down at once. What is hidden stands at other places of each piece that passes.
#[test]
fn objects_larger_than_memory_pass_in_little() {
    let mut block =
        b"a line that says nothing at all, and so do the ones before it\n".repeat(16_411);
    let mut shown = block.clone();
    block.extend_from_slice(LINE);
    shown.extend_from_slice(SHOWN);
    let block = Bytes::from(block);
    let mib = mib(MADE_UP_MIB);
    let count = (mib << 20) / block.len() as u64;
    let keys = Canned::keys();
    let secret = String::from_utf8_lossy(keys.secret_key.expose()).into_owned();
    let config = Config::account(made_up(block.clone(), count), &keys.access_key, &secret)
        .unset(&["aws", "tls"])
        .policy("10-all.cedar", POLICIES);
    let gateway = Gateway::start(config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let get = |key: &str, count: u64| {
        let mut at = 0;
        let (reply, read) = raw.get_stream(&format!("/lake/{key}"), |mut piece| {
            while !piece.is_empty() {
                let rest = &shown[at..];
                let (now, later) = piece.split_at(piece.len().min(rest.len()));
                assert!(rest.starts_with(now), "{key}");
                at = (at + now.len()) % shown.len();
                piece = later;
            }
        });
        assert_eq!((reply.status, read), (200, block.len() as u64 * count));
    };
    let put = |key: &str, count: u64| {
        let put = raw.put_stream(&format!("/lake/{key}"), &block, count);
        assert_eq!(put.status, 200, "{}", put.text());
    };
    get("small", 1);
    put("small", 1);
    let (before, began) = (peak_bytes(gateway.pid()), Instant::now());
    thread::scope(|scope| {
        scope.spawn(|| get("large", count));
        scope.spawn(|| put("large", count));
    });
    let grown = peak_bytes(gateway.pid()) - before;
    println!(
        "{mib} MiB up and down in {:?}, in {grown} bytes more than the {before} before",
        began.elapsed()
    );
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes more than {before}");
}
