//! Files made to harm: they are refused, and nothing is taken from them.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::scene::{all, rich};
use crate::bundle::reader::is_name;
use crate::verify::{Options, Report, Verdict, verify};

fn report(bytes: &[u8]) -> Report {
    verify(Cursor::new(bytes), &Options::default())
}

fn zip_of(files: &[(&str, &[u8], SimpleFileOptions)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes, options) in files {
        zip.start_file(*name, *options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn plain() -> SimpleFileOptions {
    SimpleFileOptions::DEFAULT
        .compression_method(CompressionMethod::Stored)
        .unix_permissions(0o644)
}

#[test]
fn what_is_no_zip_is_unreadable() {
    for bytes in [
        &b""[..],
        b"PK",
        b"hello world, this is no archive at all",
        &[0; 100],
    ] {
        assert_eq!(report(bytes).verdict, Verdict::Unreadable);
    }
    let (bundle, _) = rich().build(&all());
    assert_ne!(report(&bundle[..bundle.len() - 1]).verdict, Verdict::Good);
    assert_ne!(report(&bundle[..bundle.len() / 2]).verdict, Verdict::Good);
}

#[test]
fn names_that_lead_out_or_astray_are_refused() {
    for name in [
        "../x",
        "a/../b",
        "/etc/passwd",
        "a//b",
        ".hidden",
        "a/.b",
        "a\\b",
        "c:x",
        "a b",
        "",
        "x/",
        "ü",
        "a\nb",
        "a/b.",
    ] {
        assert!(!is_name(name), "{name:?}");
        if name.is_empty() || name.ends_with('/') {
            continue;
        }
        let report = report(&zip_of(&[(name, b"x", plain())]));
        assert_eq!(report.verdict, Verdict::Bad, "{name:?}");
        assert!(
            report.checks[0].detail.contains("name"),
            "{name:?}: {:?}",
            report.checks
        );
    }
    for name in [
        "a",
        "a/b.c",
        "integrity/tlog/tile/0/x001/234.p/5",
        "policy/versions/ab/b%20c.cedar",
    ] {
        assert!(is_name(name), "{name:?}");
    }
}

#[test]
fn odd_kinds_of_files_are_refused() {
    let dated =
        plain().last_modified_time(DateTime::from_date_and_time(2026, 1, 1, 0, 0, 0).unwrap());
    for options in [dated, plain().unix_permissions(0o755)] {
        let report = report(&zip_of(&[("a", b"x", options)]));
        assert_eq!(report.verdict, Verdict::Bad);
        assert!(
            report.checks[0].detail.contains("not a plain file"),
            "{:?}",
            report.checks
        );
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("a", "/etc/passwd", plain()).unwrap();
    assert_eq!(
        report(&zip.finish().unwrap().into_inner()).verdict,
        Verdict::Bad
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a", plain()).unwrap();
    zip.set_comment("hello").unwrap();
    assert_ne!(
        report(&zip.finish().unwrap().into_inner()).verdict,
        Verdict::Good
    );
}

/// Two files of one name: a reader that takes the first sees other evidence than one that takes the last.
#[test]
fn a_name_twice_is_refused() {
    let mut bytes = zip_of(&[("aa", b"x", plain()), ("ab", b"y", plain())]);
    let places: Vec<usize> = bytes
        .windows(2)
        .enumerate()
        .filter(|(_, two)| two == b"ab")
        .map(|(at, _)| at)
        .collect();
    assert_eq!(places.len(), 2);
    places.iter().for_each(|at| bytes[at + 1] = b'a');
    let report = report(&bytes);
    assert_eq!(report.verdict, Verdict::Bad);
    assert!(
        report.checks[0].detail.contains("twice"),
        "{:?}",
        report.checks
    );
}

#[test]
fn what_lies_before_between_or_in_one_list_only_is_refused() {
    let bytes = zip_of(&[("aa", b"x", plain()), ("ab", b"y", plain())]);
    assert_ne!(
        report(&[b"before".as_slice(), &bytes].concat()).verdict,
        Verdict::Good
    );
    assert_ne!(
        report(&[&bytes, b"after".as_slice()].concat()).verdict,
        Verdict::Good
    );
    // Another name before the bytes than in the directory.
    let at = bytes.windows(2).position(|two| two == b"ab").unwrap();
    let mut other = bytes.clone();
    other[at] = b'z';
    let report = report(&other);
    assert_eq!(report.verdict, Verdict::Bad);
    assert!(
        report.checks[0].detail.contains("header differs"),
        "{:?}",
        report.checks
    );
}

/// What is read whole has a limit.
#[test]
fn a_file_that_is_too_long_is_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("verify/keys/ledger.vkey", plain()).unwrap();
    let part = vec![0; 1 << 20];
    (0..300).for_each(|_| zip.write_all(&part).unwrap());
    let bytes = zip.finish().unwrap().into_inner();
    let report = report(&bytes);
    assert_eq!(report.verdict, Verdict::Bad);
    assert!(
        report
            .checks
            .iter()
            .any(|check| check.detail.contains("longer than")),
        "{:?}",
        report.checks
    );
}

/// Any byte of the archive itself, its headers with them.
#[test]
fn a_flipped_bit_of_the_archive_is_found() {
    let mut scene = super::scene::Scene::new();
    scene.start();
    let (small, _) = scene.build(&all());
    let (large, _) = rich().build(&all());
    let step = large.len() / 400;
    for (bundle, step) in [(small, 9), (large, step)] {
        for at in (0..bundle.len()).step_by(step) {
            let mut changed = bundle.clone();
            changed[at] ^= 1 << (at % 8);
            assert_ne!(report(&changed).verdict, Verdict::Good, "byte {at}");
        }
    }
}

/// Compression can say the same in many ways, so a bundle has none.
#[test]
fn a_compressed_file_is_refused() {
    let mut bytes = zip_of(&[("a", b"x", plain())]);
    let directory = bytes.windows(4).position(|four| four == b"PK\x01\x02");
    // The method: at 8 in the header before a file, at 10 in the directory (APPNOTE.TXT sections 4.3.7 and 4.3.12).
    for at in [8, directory.unwrap() + 10] {
        bytes[at] = 8;
    }
    let report = report(&bytes);
    assert_eq!(report.verdict, Verdict::Bad);
    assert!(
        report.checks[0].detail.contains("compressed"),
        "{:?}",
        report.checks
    );
}

/// Sizes of 64 bits, as files beyond 4 GiB have them, are in their one form too.
#[test]
fn sizes_of_64_bits_are_read() {
    let bytes = zip_of(&[
        ("aa", b"x", plain().large_file(true)),
        ("ab", b"y", plain()),
    ]);
    let container = |bytes: &[u8]| report(bytes).checks[0].ok;
    assert!(container(&bytes), "{:?}", report(&bytes).checks);
    // The two bytes of content lie behind headers of 30 bytes, their names, and 20 bytes of sizes.
    let content = [30 + 2 + 20, 30 + 2 + 20 + 1 + 30 + 2];
    assert_eq!(content.map(|at| bytes[at]), *b"xy");
    for at in (0..bytes.len()).filter(|at| !content.contains(at)) {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(!container(&changed), "bit {bit} of byte {at}");
        }
    }
}
