//! What reading a body takes, before anybody is asked about it.

use super::call;

/// A body of this length is read,
const BODY_BYTES: usize = 4 << 20;
/// and memory grows by less than this. A tree of it took 650 MB.
const GROWTH_KIB_MAX: u64 = 96 << 10;

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let digits = line.unwrap().split_whitespace().nth(1).unwrap();
    digits.parse().unwrap()
}

fn repeated(first: &[u8], piece: &[u8], last: &[u8]) -> Vec<u8> {
    let mut body = first.to_vec();
    body.extend(
        piece
            .iter()
            .cycle()
            .take(BODY_BYTES / piece.len() * piece.len()),
    );
    body.extend_from_slice(last);
    body
}

/// Each would be a tree or a list of many times its length. Another test in the same process may take memory too: a runner that
/// gives each a process of its own measures this one alone.
#[cfg(target_os = "linux")]
#[test]
fn a_body_takes_no_memory_of_many_times_its_length() {
    let json =
        "POST /\nx-amz-target: DynamoDB_20120810.GetItem\ncontent-type: application/x-amz-json-1.0";
    let cbor = "POST /service/GraniteServiceVersion20100801/operation/ListMetrics\n\
                smithy-protocol: rpc-v2-cbor\ncontent-type: application/cbor";
    let form = "POST /\ncontent-type: application/x-www-form-urlencoded";
    let table = b"{\"TableName\":\"t\",\"a\":[";
    let list = b"Action=ListUsers&Version=2010-05-08";
    for (service, request, body, operation) in [
        (
            "dynamodb",
            json,
            repeated(table, b"{\"\":0},", b"0]}"),
            true,
        ),
        ("dynamodb", json, repeated(table, b"0,", b"0]}"), true),
        (
            "monitoring",
            cbor,
            repeated(b"\xa1\x61a\x9f", b"\xa1\x60\x00", b"\xff"),
            true,
        ),
        // A name that stands twice.
        ("iam", form, repeated(b"", b"a&", list), false),
    ] {
        let before = peak();
        let call = call(service, request, &body);
        let grown = peak() - before;
        assert_eq!(call.operation.is_some(), operation, "{service}");
        assert!(grown < GROWTH_KIB_MAX, "{service}: {grown} KiB");
    }
}

/// One long value would stand in the name of each thing that another key names.
#[test]
fn what_would_name_too_much_is_opaque() {
    let json = "POST /\nx-amz-target: PhotonAdminProxyService.AssociateSoftwareToImageBuilder\n\
                content-type: application/x-amz-json-1.1";
    let asked = |length: usize, count: usize| {
        let names = vec!["\"s\""; count].join(",");
        let long = "x".repeat(length);
        let body = format!("{{\"ImageBuilderName\":\"{long}\",\"SoftwareNames\":[{names}]}}");
        let call = call("appstream", json, body.as_bytes());
        (call.operation.is_some(), call.things.len())
    };
    assert_eq!(asked(1, 1_024), (true, 1_024));
    assert_eq!(asked(1 << 20, 3), (true, 3));
    assert_eq!(asked(1 << 20, 1_024), (false, 0));
    assert_eq!(asked(1, 1_025), (false, 0));
}
