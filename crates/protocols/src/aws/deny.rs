//! A refusal in the service's own format, with a code that its SDKs know and do not retry where that is of no use.

use model::{Denial, DenialCode};

use super::classify::Wire;
use super::credentials::BadKeys;
use super::post_form::BadForm;
use crate::http::chunked::BodyFault;
use crate::http::sigv4::Fault;

/// An answer of the gateway's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header fields.
    pub fields: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind, from which the service's code follows.
    pub kind: Kind,
    /// One sentence for the client. Holds no secret.
    pub message: String,
}

/// Kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Policy, or a person, says no; or has not said yes.
    Denied,
    /// There is no signature.
    Unsigned,
    /// The keys are not known here.
    UnknownKeys,
    /// The keys have ended.
    ExpiredKeys,
    /// The signature does not hold.
    BadSignature,
    /// The signature was used already.
    Replayed,
    /// The clocks differ, or a presigned URL has ended.
    Skewed,
    /// The signature cannot be read.
    Incomplete,
    /// The body is not what was signed.
    BadBody,
    /// A checksum is not that of the body.
    BadDigest,
    /// The request cannot be read.
    Malformed,
    /// The request is larger than the gateway takes.
    TooLarge,
    /// The target cannot be reached, or nothing may run now.
    Unavailable,
    /// The gateway does not offer it.
    Unsupported,
    /// The target answered with this HTTP status, 400 or more, and what it said is not shown.
    Target(u16),
}

impl Refusal {
    /// A refusal of this kind.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The answer in the format of `wire`. `resource` is the path that was asked for; `request` the answer's id; a HEAD has no
    /// body.
    #[must_use]
    pub fn reply(&self, wire: Wire, resource: &str, request: &str, is_head: bool) -> Reply {
        let (status, code) = self.kind.code(wire);
        let message = &self.message;
        let mut fields = vec![("x-amzn-requestid", request.to_owned())];
        let (kind, body) = match wire {
            Wire::S3 => {
                fields.push(("x-amz-request-id", request.to_owned()));
                (
                    "application/xml",
                    format!(
                        "{DECLARATION}<Error><Code>{code}</Code><Message>{}</Message><Resource>{}</Resource>\
                         <RequestId>{}</RequestId></Error>",
                        xml(message),
                        xml(resource),
                        xml(request)
                    )
                    .into_bytes(),
                )
            }
            Wire::Query | Wire::RestXml => (
                "text/xml",
                format!(
                    "{DECLARATION}<ErrorResponse><Error><Type>{}</Type><Code>{code}</Code><Message>{}</Message></Error>\
                     <RequestId>{}</RequestId></ErrorResponse>",
                    if status < 500 { "Sender" } else { "Receiver" },
                    xml(message),
                    xml(request)
                )
                .into_bytes(),
            ),
            Wire::Ec2 => (
                "text/xml",
                format!(
                    "{DECLARATION}<Response><Errors><Error><Code>{code}</Code><Message>{}</Message></Error></Errors>\
                     <RequestID>{}</RequestID></Response>",
                    xml(message),
                    xml(request)
                )
                .into_bytes(),
            ),
            Wire::Json(version) => {
                fields.push(("x-amzn-errortype", code.to_owned()));
                let kind = if version == 0 {
                    "application/x-amz-json-1.0"
                } else {
                    "application/x-amz-json-1.1"
                };
                (kind, json(code, message))
            }
            Wire::RestJson => {
                fields.push(("x-amzn-errortype", code.to_owned()));
                ("application/json", json(code, message))
            }
            Wire::Cbor => {
                fields.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
                ("application/cbor", cbor(code, message))
            }
        };
        fields.push(("content-type", kind.to_owned()));
        Reply {
            status,
            fields,
            body: if is_head { Vec::new() } else { body },
        }
    }
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

impl Kind {
    /// Status and code (each service's API reference, "Common Errors"; S3's, "Error Responses").
    fn code(self, wire: Wire) -> (u16, &'static str) {
        match wire {
            Wire::S3 => self.of_s3(),
            Wire::Ec2 => self.of_ec2(),
            Wire::Query | Wire::RestXml => self.of_query(),
            Wire::Json(_) | Wire::RestJson | Wire::Cbor => self.of_json(),
        }
    }

    fn of_s3(self) -> (u16, &'static str) {
        match self {
            Self::Denied | Self::Unsigned | Self::Replayed => (403, "AccessDenied"),
            Self::UnknownKeys => (403, "InvalidAccessKeyId"),
            Self::ExpiredKeys => (400, "ExpiredToken"),
            Self::BadSignature => (403, "SignatureDoesNotMatch"),
            Self::Skewed => (403, "RequestTimeTooSkewed"),
            Self::Incomplete => (400, "AuthorizationHeaderMalformed"),
            Self::BadBody => (400, "XAmzContentSHA256Mismatch"),
            Self::BadDigest => (400, "BadDigest"),
            Self::Malformed => (400, "InvalidRequest"),
            Self::TooLarge => (400, "EntityTooLarge"),
            Self::Unavailable => (503, "ServiceUnavailable"),
            Self::Unsupported => (501, "NotImplemented"),
            Self::Target(status) => (status, of_target(status, Wire::S3)),
        }
    }

    fn of_ec2(self) -> (u16, &'static str) {
        match self {
            Self::Denied => (403, "UnauthorizedOperation"),
            Self::Unsigned => (401, "AuthFailure"),
            Self::UnknownKeys => (401, "AuthFailure"),
            Self::ExpiredKeys => (400, "RequestExpired"),
            Self::Unavailable => (503, "Unavailable"),
            Self::Unsupported => (400, "UnsupportedOperation"),
            _ => self.of_query(),
        }
    }

    fn of_query(self) -> (u16, &'static str) {
        match self {
            Self::Denied => (403, "AccessDenied"),
            Self::Unsigned => (403, "MissingAuthenticationToken"),
            Self::UnknownKeys => (403, "InvalidClientTokenId"),
            Self::ExpiredKeys => (403, "ExpiredToken"),
            Self::BadSignature | Self::Replayed | Self::Skewed | Self::BadBody => {
                (403, "SignatureDoesNotMatch")
            }
            Self::Incomplete => (400, "IncompleteSignature"),
            Self::BadDigest | Self::Malformed | Self::TooLarge => (400, "ValidationError"),
            Self::Unavailable => (503, "ServiceUnavailable"),
            Self::Unsupported => (400, "InvalidAction"),
            Self::Target(status) => (status, of_target(status, Wire::Query)),
        }
    }

    fn of_json(self) -> (u16, &'static str) {
        match self {
            Self::Denied => (403, "AccessDeniedException"),
            Self::Unsigned => (403, "MissingAuthenticationTokenException"),
            Self::UnknownKeys => (403, "UnrecognizedClientException"),
            Self::ExpiredKeys => (403, "ExpiredTokenException"),
            Self::BadSignature | Self::Replayed | Self::Skewed | Self::BadBody => {
                (403, "InvalidSignatureException")
            }
            Self::Incomplete => (400, "IncompleteSignatureException"),
            Self::BadDigest | Self::Malformed | Self::TooLarge => (400, "ValidationException"),
            Self::Unavailable => (503, "ServiceUnavailableException"),
            Self::Unsupported => (400, "UnknownOperationException"),
            Self::Target(status) => (status, of_target(status, Wire::RestJson)),
        }
    }
}

/// The code that stands for a status alone. SDKs try again by the status, or by these.
fn of_target(status: u16, wire: Wire) -> &'static str {
    let of_json = matches!(wire, Wire::Json(_) | Wire::RestJson | Wire::Cbor);
    match (status, wire) {
        (403, _) if of_json => "AccessDeniedException",
        (403, _) => "AccessDenied",
        (429, Wire::S3) => "SlowDown",
        (429, _) if of_json => "ThrottlingException",
        (429, _) => "Throttling",
        (500, Wire::S3) => "InternalError",
        (502..=504, _) if of_json => "ServiceUnavailableException",
        (502..=504, _) => "ServiceUnavailable",
        (500.., _) if of_json => "InternalServerError",
        (500.., _) => "InternalFailure",
        _ => "UnknownError",
    }
}

impl From<&Denial> for Refusal {
    fn from(denial: &Denial) -> Self {
        let kind = match denial.code {
            DenialCode::Unauthenticated => Kind::UnknownKeys,
            DenialCode::LedgerUnavailable | DenialCode::UpstreamUnavailable => Kind::Unavailable,
            DenialCode::Unsupported => Kind::Unsupported,
            _ => Kind::Denied,
        };
        let mut message = denial.message.clone();
        if let Some(approval) = &denial.approval
            && !message.contains(approval.as_str())
        {
            message.push_str(&format!(" (approval {approval})"));
        }
        Self { kind, message }
    }
}

impl From<&Fault> for Refusal {
    fn from(fault: &Fault) -> Self {
        let kind = match fault {
            Fault::Missing => Kind::Unsigned,
            Fault::Twice | Fault::Malformed(_) | Fault::NotSigned(_) => Kind::Incomplete,
            Fault::SigV4A | Fault::Algorithm => Kind::Incomplete,
            Fault::Skewed { .. } => Kind::Skewed,
            Fault::Expired(_) => Kind::Denied,
            Fault::Mismatch => Kind::BadSignature,
            Fault::Body => Kind::BadBody,
        };
        Self::new(kind, fault.to_string())
    }
}

impl From<BadForm> for Refusal {
    fn from(bad: BadForm) -> Self {
        let kind = match &bad {
            BadForm::Signature(fault) => return Self::from(fault),
            BadForm::Malformed(_) => Kind::Malformed,
            BadForm::Expired(_) | BadForm::Policy(_) => Kind::Denied,
            BadForm::Field(_) => Kind::Unsupported,
        };
        Self::new(kind, bad.to_string())
    }
}

impl From<BodyFault> for Refusal {
    fn from(fault: BodyFault) -> Self {
        let kind = match fault {
            BodyFault::Malformed(_) | BodyFault::Length => Kind::Malformed,
            BodyFault::Signature => Kind::BadSignature,
            BodyFault::Checksum => Kind::BadDigest,
            BodyFault::Digest => Kind::BadBody,
        };
        Self::new(kind, fault.to_string())
    }
}

impl From<BadKeys> for Refusal {
    fn from(bad: BadKeys) -> Self {
        let kind = match bad {
            BadKeys::Unknown => Kind::UnknownKeys,
            BadKeys::Expired(_) => Kind::ExpiredKeys,
        };
        Self::new(kind, bad.to_string())
    }
}

fn json(code: &str, message: &str) -> Vec<u8> {
    serde_json::json!({ "__type": code, "message": message, "Message": message })
        .to_string()
        .into_bytes()
}

/// A map of two texts (RFC 8949).
fn cbor(code: &str, message: &str) -> Vec<u8> {
    let mut out = vec![0xA2];
    for text in ["__type", code, "message", message] {
        // A text with a two-byte length; what does not fit is cut.
        let text = text
            .get(..text.floor_char_boundary(usize::from(u16::MAX)))
            .unwrap_or_default();
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        out.push(0x79);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    out
}

/// Text as XML content.
#[must_use]
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no way to write most control characters.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}
