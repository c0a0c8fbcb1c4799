//! A refusal in PostgreSQL's own words.

use bytes::Bytes;
use model::{Denial, DenialCode, Held};
use sql::postgres::Missing;

use super::wire::write::{self, Words};

/// The SQLSTATE of a refusal (PostgreSQL manual, appendix "PostgreSQL Error Codes").
#[must_use]
pub fn sqlstate(code: DenialCode) -> &'static str {
    match code {
        DenialCode::Unauthenticated => "28P01",
        DenialCode::UnknownTarget => "28000",
        DenialCode::Forbidden
        | DenialCode::ApprovalPending
        | DenialCode::ApprovalDenied
        | DenialCode::ApprovalInvalid
        | DenialCode::PolicyError
        | DenialCode::Withheld => "42501",
        DenialCode::LedgerUnavailable => "58030",
        DenialCode::UpstreamUnavailable => "08006",
        DenialCode::LimitExceeded => "54000",
        DenialCode::Cancelled => "57014",
        DenialCode::Unsupported => "0A000",
    }
}

fn hint(code: DenialCode) -> &'static str {
    match code {
        DenialCode::Unauthenticated => {
            "The password is a token of a configured issuer; it may have expired."
        }
        DenialCode::UnknownTarget => {
            "The database name is the name of a target that this identity may use."
        }
        DenialCode::ApprovalPending => "The same command runs once it is approved.",
        DenialCode::ApprovalInvalid => "Run the command again to ask anew.",
        DenialCode::LedgerUnavailable => {
            "Nothing was sent. Commands are served again once the ledger can write."
        }
        DenialCode::Withheld => "Leave the column out, or ask for a policy that reveals its class.",
        DenialCode::LimitExceeded => "Ask for fewer rows, for example with LIMIT.",
        _ => "",
    }
}

fn detail(denial: &Denial) -> String {
    let mut parts = Vec::new();
    if let Some(approval) = &denial.approval {
        parts.push(format!("Approval {approval}."));
    }
    if !denial.policies.is_empty() {
        parts.push(format!("Policy {}.", denial.policies.join(", ")));
    }
    parts.join(" ")
}

/// The ErrorResponse for a refused command.
#[must_use]
pub fn error(denial: &Denial) -> Bytes {
    told("ERROR", denial)
}

/// The same with advice of the gateway's own, where policy forbids it.
#[must_use]
pub fn advising(denial: &Denial, advice: Option<&str>) -> Bytes {
    match advice.filter(|_| denial.code == DenialCode::Forbidden) {
        Some(advice) => hinting("ERROR", denial, advice),
        None => error(denial),
    }
}

/// The ErrorResponse after which the session ends.
#[must_use]
pub fn fatal(denial: &Denial) -> Bytes {
    told("FATAL", denial)
}

fn told(severity: &str, denial: &Denial) -> Bytes {
    hinting(severity, denial, hint(denial.code))
}

fn hinting(severity: &str, denial: &Denial, hint: &str) -> Bytes {
    write::error(&Words {
        severity,
        code: sqlstate(denial.code),
        message: &denial.message,
        detail: &detail(denial),
        hint,
        ..Words::default()
    })
}

/// The ErrorResponse for a command that is refused and names what is not there: what the server would have said, if it had been
/// asked. What policy said was said of a statement that may read anything.
#[must_use]
pub fn missing(missing: &Missing, denial: &Denial) -> Bytes {
    let code = match missing {
        Missing::Relation(_) | Missing::Item(_) => "42P01",
        Missing::Column(_) => "42703",
    };
    let detail = format!(
        "It is not in the catalog as the gateway knows it, and the statement was not run: {}",
        denial.message
    );
    write::error(&Words {
        severity: "ERROR",
        code,
        message: &missing.to_string(),
        detail: &detail,
        hint: "Look at how the name is written.",
        ..Words::default()
    })
}

/// An ErrorResponse of the gateway's own.
#[must_use]
pub fn plain(severity: &str, code: &str, message: &str, hint: &str) -> Bytes {
    write::error(&Words {
        severity,
        code,
        message,
        hint,
        ..Words::default()
    })
}

/// What tells the client that people are being asked.
#[must_use]
pub fn held(held: &Held) -> Bytes {
    write::notice(&Words {
        severity: "NOTICE",
        code: "00000",
        message: &held.message,
        detail: &format!("Approval {}.", held.approval),
        ..Words::default()
    })
}
