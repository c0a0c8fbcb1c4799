//! Failures in passing: those after which AWS's SDKs send a request again by themselves.

use super::classify::{Call, Wire};
use super::{body, cbor};

/// An error's document is looked at up to this length.
pub const ERROR_BYTES_MAX: usize = 16 << 10;

/// Codes by which services say that they are busy, or did not get the request in time: botocore's, which are those of all SDKs in
/// their standard mode.
const CODES: [&str; 16] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Whether an HTTP status says it alone.
#[must_use]
pub fn is_status(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504)
}

/// Whether an error's code says it: that of `x-amzn-errortype`, with or without what surrounds it there.
#[must_use]
pub fn is_code(code: &str) -> bool {
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code).trim();
    CODES.binary_search(&code).is_ok()
}

/// Whether an error's document says it: XML, JSON or CBOR.
#[must_use]
pub fn is_document(document: &[u8]) -> bool {
    let tree = match document.trim_ascii_start().first() {
        Some(b'<') => return of_xml(document).is_some_and(is_code),
        Some(b'{') => body::json(document),
        _ => cbor::read(document),
    };
    let code = tree.as_ref().and_then(|tree| {
        let mut names = ["__type", "code", "Code"].into_iter();
        names.find_map(|name| tree.get(name)?.as_str())
    });
    code.is_some_and(is_code)
}

/// Whether S3 answers a call with success before it knows whether it will be one: copies and uploads in parts may take minutes.
#[must_use]
pub fn is_late(call: &Call) -> bool {
    let late = ["CompleteMultipartUpload", "CopyObject", "UploadPartCopy"];
    call.wire == Wire::S3 && call.operation.is_some_and(|it| late.contains(&it.name))
}

/// Whether the answer to such a call says that it failed. SDKs take that for a status of 500, and send it again.
#[must_use]
pub fn is_late_error(document: &[u8]) -> bool {
    let mut rest = document.trim_ascii_start();
    if rest.starts_with(b"<?") {
        let end = memchr::memmem::find(rest, b"?>").map_or(rest.len(), |end| end + 2);
        rest = rest.get(end..).unwrap_or_default().trim_ascii_start();
    }
    rest.starts_with(b"<Error>")
}

/// What the first `Code` holds.
fn of_xml(document: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(document).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted() {
        assert!(CODES.is_sorted());
    }

    #[test]
    fn a_busy_service_is_known_however_it_says_so() {
        for yes in [
            "<Error><Code>SlowDown</Code><Message>m</Message></Error>",
            "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>",
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"m"}"#,
            r#"{"code":"ThrottlingException"}"#,
        ] {
            assert!(is_document(yes.as_bytes()), "{yes}");
        }
        // {"__type": "Throttling"}
        assert!(is_document(b"\xA1\x66__type\x6AThrottling"));
        for no in [
            "",
            "SlowDown",
            "<Error><Code>AccessDenied</Code><Message>SlowDown</Message></Error>",
            "<Error><Code>NoSuchKey</Code><Code>SlowDown</Code></Error>",
            r#"{"__type":"ValidationException","message":"Throttling"}"#,
            r#"{"__type":"Throttling""#,
        ] {
            assert!(!is_document(no.as_bytes()), "{no}");
        }
    }

    #[test]
    fn an_error_is_known_behind_a_success() {
        for yes in [
            "<Error><Code>InternalError</Code></Error>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n  <Error><Code>SlowDown</Code></Error>",
        ] {
            assert!(is_late_error(yes.as_bytes()), "{yes}");
        }
        for no in [
            "",
            "<?xml",
            "<Errors>",
            "<?xml version=\"1.0\"?><CopyObjectResult><Error></Error></CopyObjectResult>",
        ] {
            assert!(!is_late_error(no.as_bytes()), "{no}");
        }
    }

    #[test]
    fn a_code_is_known_in_its_field() {
        for yes in [
            "ThrottlingException",
            "ThrottlingException:http://internal.amazon.com/coral/",
            "com.amazon.coral#ThrottlingException",
        ] {
            assert!(is_code(yes), "{yes}");
        }
        assert!(!is_code("ThrottlingExceptionNot") && !is_code("ValidationException"));
        assert_eq!(
            [400, 403, 409, 429, 500, 501, 502, 503, 504, 505].map(is_status),
            [
                false, false, false, true, true, false, true, true, true, false
            ]
        );
    }
}
