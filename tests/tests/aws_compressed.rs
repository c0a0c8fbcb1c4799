//! Compressed objects: decompressed, masked and compressed again, from a real S3 server.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is missing"
)]

use std::fs;
use std::io::{Read as _, Write as _};

use tests::raw::{Raw, Reply};
use tests::{Agent, Config, lake};

const STAFF: &str =
    r#"@id("reveal") permit (principal in Group::"staff", action == Action::"reveal", resource);"#;

fn staffed(config: Config) -> Config {
    lake::in_clear(config).policy("20-staff.cedar", STAFF)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::best();
    let mut writer = flate2::GzBuilder::new()
        .filename("ssn 536-90-4399")
        .write(Vec::new(), level);
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn gunzip(packed: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    flate2::read::MultiGzDecoder::new(packed)
        .read_to_end(&mut content)
        .unwrap();
    content
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 19).unwrap()
}

fn unzstd(packed: &[u8]) -> Vec<u8> {
    zstd::decode_all(packed).unwrap()
}

const SECRET: &str = "pan 4111111111111111, ssn 536-90-4399, mail jane@example.com\n";
const SHOWN: &str = "pan ************1111, ssn ***-**-4399, mail ****@example.com\n";

/// Lines that compress badly, so that what is compressed is long too.
fn noise(lines: usize) -> String {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let line = |_| {
        let words = (0..8).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Letters alone: nothing in it looks like a number.
            let letter = |shift: u32| char::from(b'a' + u8::try_from(state >> shift & 15).unwrap());
            (0..12).map(|n| letter(n * 5)).collect::<String>()
        });
        let words: Vec<_> = words.collect();
        format!("{}\n", words.join(" "))
    };
    (0..lines).map(line).collect()
}

fn put(raw: &Raw, key: &str, fields: &[(&str, &str)], body: &[u8]) {
    let put = raw.s3("PUT", &format!("/lake/{key}"), fields, body);
    assert_eq!(put.status, 200, "{}", put.text());
}

fn get(raw: &Raw, key: &str) -> Reply {
    let got = raw.s3("GET", &format!("/lake/{key}"), &[], b"");
    assert!(
        got.status == 200 && got.whole,
        "{key}: {} {}",
        got.status,
        got.text()
    );
    got
}

#[test]
fn text_in_any_form_is_masked_within_its_compression() {
    let (_server, gateway) = lake::of_s3(staffed);
    let raw = Raw::of(&gateway, "lake", &[]);
    let text = SECRET.repeat(3_000);
    let csv = format!("id,note\n{}", SECRET.replace(", ", ";").repeat(50));
    let json = "{\"pan\": \"4111111111111111\", \"of\": [\"536-90-4399\"]}\n";
    let xml = "<a><ssn>536-90-4399</ssn></a>";
    for (name, content, hidden) in [
        ("text.txt", text.as_str(), SHOWN.repeat(3_000)),
        (
            "rows.csv",
            &csv,
            format!("id,note\n{}", SHOWN.replace(", ", ";").repeat(50)),
        ),
        (
            "a.jsonl",
            json,
            "{\"pan\": \"************1111\", \"of\": [\"***-**-4399\"]}\n".to_owned(),
        ),
        ("a.xml", xml, "<a><ssn>***-**-4399</ssn></a>".to_owned()),
        ("empty", "", String::new()),
    ] {
        type Pack = fn(&[u8]) -> Vec<u8>;
        let ways: [(&str, Pack, Pack); 2] = [(".gz", gzip, gunzip), (".zst", zstd, unzstd)];
        for (end, pack, unpack) in ways {
            let key = format!("{name}{end}");
            put(&raw, &key, &[], &pack(content.as_bytes()));
            let got = get(&raw, &key);
            assert_eq!(
                String::from_utf8(unpack(&got.body)).unwrap(),
                hidden,
                "{key}"
            );
            // Its name within the compression is gone.
            assert!(!got.text().contains("536-90"), "{key}");
            let length = got.body.len().to_string();
            assert_eq!(got.field("content-length"), Some(length.as_str()));
            let head = raw.s3("HEAD", &format!("/lake/{key}"), &[], b"");
            for field in ["content-length", "etag", "content-type"] {
                assert_eq!(head.field(field), got.field(field), "{key} {field}");
            }
            assert!(got.field("etag").unwrap().ends_with("-masked\""));
        }
    }
    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    let counts: u64 = ledger
        .events("outcome")
        .iter()
        .filter_map(|it| it["outcome"]["masks"].as_array())
        .flatten()
        .filter(|it| it["class"] == "us_ssn")
        .filter_map(|it| it["count"].as_u64())
        .sum();
    // GET of both formats of each of the four: HEAD then knows how long each is, and reads it no more.
    assert_eq!(counts, 2 * (3_000 + 50 + 1 + 1));
}

#[test]
fn parts_are_those_of_what_is_shown_of_the_whole() {
    let (_server, gateway) = lake::of_s3(staffed);
    let raw = Raw::of(&gateway, "lake", &[]);
    // Longer than what is read around a part: s3s-fs fails where the last bytes asked for are more than there are, of which
    // RFC 9110 section 14.1.2 says that it is the whole.
    let content = format!("{}{}", noise(2_000), SECRET.repeat(100));
    put(&raw, "a.gz", &[], &gzip(content.as_bytes()));
    put(
        &raw,
        "encoded",
        &[("content-encoding", "gzip"), ("content-type", "text/plain")],
        &gzip(content.as_bytes()),
    );
    put(
        &raw,
        "typed",
        &[("content-type", "application/zstd")],
        &zstd(content.as_bytes()),
    );
    for key in ["a.gz", "encoded", "typed"] {
        let whole = get(&raw, key).body;
        let total = whole.len();
        let part = |range: &str| raw.s3("GET", &format!("/lake/{key}"), &[("range", range)], b"");
        for (range, from, to) in [
            ("bytes=0-0".to_owned(), 0, 1),
            ("bytes=0-99".to_owned(), 0, 100),
            ("bytes=7000-9000".to_owned(), 7000, 9001),
            (
                format!("bytes={}-{}", total - 5, total * 2),
                total - 5,
                total,
            ),
            ("bytes=-77".to_owned(), total - 77, total),
            ("bytes=1-".to_owned(), 1, total),
        ] {
            let reply = part(&range);
            assert_eq!(reply.status, 206, "{key} {range}: {}", reply.text());
            assert!(reply.body == whole[from..to], "{key} {range}");
            let told = format!("bytes {from}-{}/{total}", to - 1);
            assert_eq!(reply.field("content-range"), Some(told.as_str()));
        }
        let beyond = part(&format!("bytes={total}-"));
        assert!(
            beyond.status == 416 || beyond.status == 206,
            "{}",
            beyond.status
        );
        assert!(!beyond.text().contains("536-90"));
    }
    // Neither its head nor its key tells that this one is compressed.
    put(
        &raw,
        "untold",
        &[("content-type", "application/octet-stream")],
        &gzip(content.as_bytes()),
    );
    let whole = get(&raw, "untold").body;
    assert!(gunzip(&whole).ends_with(SHOWN.as_bytes()));
    for range in ["bytes=0-99", "bytes=100-199"] {
        let reply = raw.s3("GET", "/lake/untold", &[("range", range)], b"");
        assert_eq!(reply.status, 403, "{range}");
    }
}

#[test]
fn what_is_declared_is_hidden_within_compression_too() {
    let declared = r#"{ bucket = "lake", prefix = "csv/", columns = { code = "staff_code" } }"#;
    let (_server, gateway) = lake::of_s3(|config| lake::objects(staffed(config), declared));
    let raw = Raw::of(&gateway, "lake", &[]);
    put(
        &raw,
        "csv/a.csv.gz",
        &[],
        &gzip(b"id,code\n1,kiwi\n2,lime\n"),
    );
    let got = get(&raw, "csv/a.csv.gz");
    assert_eq!(gunzip(&got.body), b"id,code\n1,****\n2,****\n");
    let head = raw.s3("HEAD", "/lake/csv/a.csv.gz", &[], b"");
    assert_eq!(head.field("content-length"), got.field("content-length"));
}

#[test]
fn a_large_one_goes_as_it_comes_and_its_head_says_how_long_it_is() {
    let (server, gateway) = lake::of_s3(staffed);
    let raw = Raw::of(&gateway, "lake", &[]);
    let content = format!("{}{SECRET}", noise(400_000));
    let packed = gzip(content.as_bytes());
    assert!(packed.len() > 17 << 20, "{}", packed.len());
    fs::write(server.folder().join("lake/large.gz"), &packed).unwrap();
    let got = get(&raw, "large.gz");
    assert_eq!(got.field("content-length"), None);
    assert!(gunzip(&got.body) == content.replace(SECRET, SHOWN).into_bytes());
    let part = |range: &str| raw.s3("GET", "/lake/large.gz", &[("range", range)], b"");
    let early = part("bytes=5-9");
    assert_eq!(early.status, 403, "{}", early.text());
    assert!(early.text().contains("ask for its head first"));
    let total = got.body.len();
    for _ in 0..2 {
        let head = raw.s3("HEAD", "/lake/large.gz", &[], b"");
        let length = total.to_string();
        assert_eq!(
            (head.status, head.field("content-length")),
            (200, Some(length.as_str()))
        );
    }
    for (range, from, to) in [
        ("bytes=5-9".to_owned(), 5, 10),
        (format!("bytes={}-", total - 99), total - 99, total),
        ("bytes=9000000-17000000".to_owned(), 9_000_000, 17_000_001),
    ] {
        let reply = part(&range);
        assert_eq!((reply.status, reply.whole), (206, true), "{range}");
        assert!(reply.body == got.body[from..to], "{range}");
        let told = format!("bytes {from}-{}/{total}", to - 1);
        assert_eq!(reply.field("content-range"), Some(told.as_str()));
    }
    assert_eq!(part(&format!("bytes={total}-")).status, 416);

    // It breaks off where its compression does, and what was held back stays so.
    let end = packed.len() - 9;
    fs::write(server.folder().join("lake/broken.gz"), &packed[..end]).unwrap();
    let got = raw.s3("GET", "/lake/broken.gz", &[], b"");
    assert!(got.status == 200 && !got.whole);
}

#[test]
fn what_cannot_be_read_is_withheld() {
    let (server, gateway) = lake::of_s3(staffed);
    let raw = Raw::of(&gateway, "lake", &[]);
    let packed = gzip(SECRET.repeat(100).as_bytes());
    let bomb = gzip(&vec![b'x'; 200 << 20]);
    let tar = gzip(&[b"name\0\0\0\0".as_slice(), SECRET.as_bytes()].concat());
    let mut changed = packed.clone();
    let middle = packed.len() / 2;
    changed[middle] ^= 1;
    let write = |key: &str, bytes: &[u8]| {
        fs::write(server.folder().join("lake").join(key), bytes).unwrap();
    };
    write("cut.gz", &packed[..packed.len() - 1]);
    write("changed.gz", &changed);
    write("garbage.gz", &[packed.as_slice(), b"garbage"].concat());
    write("bomb.gz", &bomb);
    write("tar.gz", &tar);
    write("twice.gz", &gzip(&packed));
    for key in [
        "cut.gz",
        "changed.gz",
        "garbage.gz",
        "bomb.gz",
        "tar.gz",
        "twice.gz",
    ] {
        for method in ["GET", "HEAD"] {
            let reply = raw.s3(method, &format!("/lake/{key}"), &[], b"");
            assert_eq!(reply.status, 403, "{method} {key}: {}", reply.text());
        }
    }
    for encoding in ["br", "gzip, gzip", "zstd", "deflate"] {
        put(&raw, "other", &[("content-encoding", encoding)], &packed);
        let reply = raw.s3("GET", "/lake/other", &[], b"");
        assert_eq!(reply.status, 403, "{encoding}: {}", reply.text());
    }
    // What only calls itself so is what it is.
    put(&raw, "plain.gz", &[], SECRET.as_bytes());
    assert_eq!(get(&raw, "plain.gz").text(), SHOWN);
}

#[test]
fn what_policy_reveals_stays_as_it_is() {
    let (_server, gateway) = lake::of_s3(staffed);
    let raw = Raw::of(&gateway, "lake", &["staff"]);
    let packed = gzip(SECRET.as_bytes());
    put(&raw, "a.gz", &[], &packed);
    let got = get(&raw, "a.gz");
    assert_eq!(got.body, packed);
    assert!(!got.field("etag").unwrap().contains("masked"));
    let part = raw.s3("GET", "/lake/a.gz", &[("range", "bytes=5-9")], b"");
    assert_eq!((part.status, part.body.as_slice()), (206, &packed[5..10]));
}

#[test]
fn clients_download_compressed_objects_as_any_other() {
    let (server, gateway) = lake::of_s3(|config| config);
    let agent = Agent::new(&gateway, "lake", &[]);
    let here = gateway.config().directory();
    // Long enough that the AWS CLI asks for it in parts.
    let content = format!("{}{SECRET}", noise(250_000));
    let packed = gzip(content.as_bytes());
    assert!(packed.len() > 9 << 20, "{}", packed.len());
    fs::write(server.folder().join("lake/log.gz"), &packed).unwrap();
    agent
        .cli(&["s3", "cp", "--no-progress", "s3://lake/log.gz", "log.gz"])
        .success();
    let shown = content.replace(SECRET, SHOWN).into_bytes();
    assert!(gunzip(&fs::read(here.join("log.gz")).unwrap()) == shown);
    agent
        .s3cmd(&["get", "s3://lake/log.gz", "cmd.gz"])
        .success();
    assert!(gunzip(&fs::read(here.join("cmd.gz")).unwrap()) == shown);
    // Longer than what is held whole: the head comes first, and then parts.
    let content = format!("{}{SECRET}", noise(450_000));
    fs::write(
        server.folder().join("lake/long.gz"),
        gzip(content.as_bytes()),
    )
    .unwrap();
    agent
        .cli(&["s3", "cp", "--no-progress", "s3://lake/long.gz", "long.gz"])
        .success();
    let shown = content.replace(SECRET, SHOWN).into_bytes();
    assert!(gunzip(&fs::read(here.join("long.gz")).unwrap()) == shown);
}
