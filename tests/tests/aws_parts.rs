//! Uploads in parts, where policy asks what they carry: a value that stands across two parts is found when they become an object.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is missing"
)]

use bytes::Bytes;
use protocols::http::chunked::CHUNK_BYTES;
use serde_json::json;
use tests::lake::{self, SCREENED};
use tests::raw::{Raw, Reply, sending};
use tests::{Agent, Config, Gateway, S3};

fn screened(config: Config) -> Config {
    config.policy("20-screened.cedar", SCREENED)
}

/// A part that is not the last is no shorter, to S3 and to the server of the tests.
const PART_BYTES_MIN: usize = 5 << 20;

/// A long part that ends so.
fn long(end: &str) -> Vec<u8> {
    let mut text = "a line\n".repeat(PART_BYTES_MIN / 7 + 1);
    text.push_str(end);
    text.into_bytes()
}

/// An upload in parts of an object of `lake`, by hand.
struct Upload<'a> {
    raw: &'a Raw,
    key: &'a str,
    id: String,
}

impl<'a> Upload<'a> {
    fn of(raw: &'a Raw, key: &'a str) -> Self {
        let begun = raw
            .s3("POST", &format!("/lake/{key}?uploads="), &[], b"")
            .text();
        let (_, id) = begun.split_once("<UploadId>").unwrap();
        let id = id.split_once('<').unwrap().0.to_owned();
        Self { raw, key, id }
    }

    fn put(&self, number: u32, body: &[u8]) -> Reply {
        let to = format!(
            "/lake/{}?partNumber={number}&uploadId={}",
            self.key, self.id
        );
        let (name, number) = sending();
        self.raw.s3("PUT", &to, &[(name, &number)], body)
    }

    /// A part, with what completes it.
    fn part(&self, number: u32, body: &[u8]) -> String {
        let reply = self.put(number, body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let etag = reply.field("etag").unwrap();
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
    }

    fn complete(&self, parts: &[String]) -> Reply {
        let parts = parts.concat();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let to = format!("/lake/{}?uploadId={}", self.key, self.id);
        let (name, number) = sending();
        self.raw
            .s3("POST", &to, &[(name, &number)], body.as_bytes())
    }

    /// Sends these, the last first, and completes them in their order.
    fn whole(&self, parts: &[&[u8]]) -> Reply {
        let numbered: Vec<_> = (1..).zip(parts).collect();
        let last_first = numbered.into_iter().rev();
        let mut sent: Vec<_> = last_first.map(|(n, part)| self.part(n, part)).collect();
        sent.reverse();
        self.complete(&sent)
    }
}

fn object(server: &S3, key: &str) -> Option<Vec<u8>> {
    std::fs::read(server.folder().join("lake").join(key)).ok()
}

#[test]
fn a_value_across_parts_is_found_in_whichever_order_they_came() {
    let (server, gateway) = lake::of_s3(|config| screened(lake::in_clear(config)));
    let raw = Raw::of(&gateway, "lake", &[]);
    let upload = Upload::of(&raw, "seen/cut");
    let refused = upload.whole(&[b"a line\n4111 1111 ", b"1111 1111\nand so on\n"]);
    assert_eq!(refused.status, 403);
    let text = refused.text();
    assert!(
        text.contains("<Code>AccessDenied</Code>")
            && text.contains("no-cards")
            && text.contains("AbortMultipartUpload"),
        "{text}"
    );
    assert_eq!(object(&server, "seen/cut"), None);
    // A part alone still speaks for itself, and may be left out.
    assert_eq!(upload.put(3, b"4111 1111 1111 1111\n").status, 403);
    let abort = format!("/lake/seen/cut?uploadId={}", upload.id);
    assert_eq!(raw.s3("DELETE", &abort, &[], b"").status, 204);

    let upload = Upload::of(&raw, "seen/whole");
    let text = "zwölf\n".repeat(PART_BYTES_MIN / 5).into_bytes();
    // In the middle of a character.
    let (one, other) = text.split_at(7 * (PART_BYTES_MIN / 7 + 1) + 3);
    assert!(std::str::from_utf8(one).is_err());
    let done = upload.whole(&[one, other]);
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(object(&server, "seen/whole").unwrap(), text);

    let (_, config) = gateway.stop();
    let ledger = config.ledger();
    assert_eq!(
        ledger.refused(),
        ["s3:CompleteMultipartUpload", "s3:UploadPart"]
    );
}

#[test]
fn what_the_gateway_has_not_seen_counts_as_not_inspected() {
    let declared = r#"{ bucket = "lake", prefix = "seen/csv/", content_type = "text/csv", columns = { code = "staff_code" } }"#;
    let (server, gateway) =
        lake::of_s3(|config| lake::objects(screened(lake::in_clear(config)), declared));
    let raw = Raw::of(&gateway, "lake", &[]);
    // Copied from an object.
    assert_eq!(
        raw.s3("PUT", "/lake/source", &[], b"1111 1111\n").status,
        200
    );
    let copies = |key: &str| {
        let upload = Upload::of(&raw, key);
        let one = upload.part(1, &long("4111 1111 "));
        let to = format!("/lake/{key}?partNumber=2&uploadId={}", upload.id);
        let copied = raw.s3("PUT", &to, &[("x-amz-copy-source", "lake/source")], b"");
        let text = copied.text();
        if copied.status == 403 {
            return 403;
        }
        assert_eq!(copied.status, 200, "{text}");
        let (_, etag) = text.split_once("<ETag>").unwrap();
        let etag = etag.split_once('<').unwrap().0;
        let two = format!("<Part><PartNumber>2</PartNumber><ETag>{etag}</ETag></Part>");
        upload.complete(&[one, two]).status
    };
    // Where anything is declared, nothing is copied in parts.
    assert_eq!([copies("seen/a"), copies("other/a")], [403, 403]);
    // Not the part that it says it is, or one that was sent as two things.
    let upload = Upload::of(&raw, "seen/b");
    let (one, two) = (upload.part(1, b"a line\n"), upload.part(2, b"another\n"));
    let other = two.replace("<ETag>", "<ETag>0");
    assert_eq!(upload.complete(&[one.clone(), other]).status, 403);
    let again = upload.part(2, b"another line\n");
    assert_eq!(upload.complete(&[one.clone(), again]).status, 403);
    // What no part tells: the columns of a table.
    let upload = Upload::of(&raw, "seen/csv/a");
    assert_eq!(upload.put(1, b"id,code\n1,kiwi\n").status, 403);

    // From before it started: those parts it has not seen.
    let upload = Upload::of(&raw, "seen/c");
    let (one, id) = (upload.part(1, &long("")), upload.id.clone());
    let (_, config) = gateway.stop();
    let gateway = Gateway::start(config);
    let raw = Raw::of(&gateway, "lake", &[]);
    let upload = Upload {
        raw: &raw,
        key: "seen/c",
        id,
    };
    let two = upload.part(2, b"another\n");
    assert_eq!(upload.complete(&[one.clone(), two]).status, 403);
    // They may be sent again.
    let parts = [upload.part(1, &long("")), upload.part(2, b"another\n")];
    assert_eq!(parts[0], one);
    assert_eq!(upload.complete(&parts).status, 200);
    assert_eq!(
        object(&server, "seen/c").unwrap(),
        [&long("")[..], b"another\n"].concat()
    );
}

#[test]
fn boto3_uploads_in_parallel_parts_and_is_told() {
    let (server, gateway) = lake::of_s3(screened);
    let agent = Agent::new(&gateway, "lake", &[]);
    let said = agent.cases(&["in_parts"]).success().json_lines().remove(0)["result"].clone();
    assert_eq!(said["clean"], "no error");
    let refused = &said["cut"];
    assert_eq!(
        (&refused[0], &refused[1]),
        (&json!("AccessDenied"), &json!(403))
    );
    assert!(
        refused[2]
            .as_str()
            .unwrap()
            .contains("AbortMultipartUpload"),
        "{refused}"
    );
    assert!(object(&server, "seen/clean").is_some_and(|it| it.len() == 12 << 20));
    assert_eq!(object(&server, "seen/cut"), None);
}

/// Chunks of a body are no parts of a value.
#[test]
fn a_value_across_chunks_is_found_wherever_it_is_cut() {
    let (_server, gateway) = lake::of_s3(|config| screened(lake::in_clear(config)));
    let raw = Raw::of(&gateway, "lake", &[]);
    let (chunk, card) = (
        usize::try_from(CHUNK_BYTES).unwrap(),
        "4111 1111 1111 1111\n",
    );
    for cut in [1, 5, 12, 18] {
        let mut body = "words ".repeat(chunk / 6 + 1).into_bytes();
        body.truncate(chunk - cut - 1);
        body.push(b'\n');
        body.extend_from_slice(card.as_bytes());
        let refused = raw.put_stream("/lake/a", &Bytes::from(body), 1);
        assert!(
            refused.text().contains("no-cards"),
            "{cut} {}",
            refused.text()
        );
    }
    let clean = Bytes::from("words\n".repeat(chunk));
    assert_eq!(raw.put_stream("/lake/a", &clean, 1).status, 200);
}
