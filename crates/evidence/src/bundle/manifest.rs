//! The manifest: an in-toto statement over every file, in a DSSE envelope signed with the log's key.
//!
//! The signature is Ed25519 over DSSE's pre-authentication encoding of the payload. It cannot be taken for a checkpoint: that
//! encoding begins with `DSSEv1`, and a checkpoint is three lines.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::{SigningKey, Verifier};
use model::Digest;
use serde::{Deserialize, Serialize};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "urn:countersign:evidence-bundle:1";

/// A file of the bundle, all but the manifest itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) sha256: Digest,
    pub(crate) bytes: u64,
}

/// Every file by its path.
pub(crate) type Files = BTreeMap<String, Listed>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: Sha256,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sha256 {
    sha256: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    origin: String,
    first: u64,
    end: u64,
    version: String,
    bytes: BTreeMap<String, u64>,
}

/// What a manifest says besides its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) origin: String,
    pub(crate) first: u64,
    pub(crate) end: u64,
    pub(crate) version: String,
}

/// DSSE's pre-authentication encoding (protocol version 1).
fn encoding(kind: &str, body: &str) -> String {
    format!("DSSEv1 {} {kind} {} {body}", kind.len(), body.len())
}

/// The signed manifest. `None` where the key cannot sign it, which it can.
pub(crate) fn sign(files: &Files, about: &About, key: &SigningKey) -> Option<Vec<u8>> {
    let statement = Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject: files
            .iter()
            .map(|(name, file)| Subject {
                name: name.clone(),
                digest: Sha256 {
                    sha256: file.sha256,
                },
            })
            .collect(),
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate {
            origin: about.origin.clone(),
            first: about.first,
            end: about.end,
            version: about.version.clone(),
            bytes: files
                .iter()
                .map(|(name, file)| (name.clone(), file.bytes))
                .collect(),
        },
    };
    // The line feed at the end makes the encoding a text that note keys sign.
    let payload = serde_json::to_string(&statement).ok()? + "\n";
    let signed = key.sign(&encoding(PAYLOAD_TYPE, &payload)).ok()?;
    let signature = signed.signatures().first()?;
    let envelope = Envelope {
        payload: STANDARD.encode(&payload),
        payload_type: PAYLOAD_TYPE.to_owned(),
        signatures: vec![Signature {
            keyid: keyid(key.verifier()),
            sig: STANDARD.encode(signature.bytes()),
        }],
    };
    let mut bytes = serde_json::to_vec(&envelope).ok()?;
    bytes.push(b'\n');
    Some(bytes)
}

/// Name and id, as signature lines of the log's notes have them.
fn keyid(key: &Verifier) -> String {
    format!("{}+{:08x}", key.name(), key.id())
}

/// Why a manifest does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadManifest {
    #[error("it is not a DSSE envelope of an in-toto statement as this version writes them")]
    Form,
    #[error("it is signed by the key {found}, not by {wanted}: the key differs")]
    OtherKey { found: String, wanted: String },
    #[error("its signature does not fit: the manifest was changed after it was signed")]
    Signature,
}

/// Reads a manifest, and says whether `key` signed it.
pub(crate) fn read(
    bytes: &[u8],
    key: &Verifier,
) -> Result<(Files, About, Result<(), BadManifest>), BadManifest> {
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(|_| BadManifest::Form)?;
    let payload = STANDARD
        .decode(&envelope.payload)
        .map_err(|_| BadManifest::Form)?;
    let payload = String::from_utf8(payload).map_err(|_| BadManifest::Form)?;
    let [signature] = envelope.signatures.as_slice() else {
        return Err(BadManifest::Form);
    };
    // One manifest, one text.
    let mut again = serde_json::to_vec(&envelope).map_err(|_| BadManifest::Form)?;
    again.push(b'\n');
    if envelope.payload_type != PAYLOAD_TYPE || again != bytes {
        return Err(BadManifest::Form);
    }
    let signed = encoding(PAYLOAD_TYPE, &payload);
    let raw = STANDARD
        .decode(&signature.sig)
        .map_err(|_| BadManifest::Form)?;
    let holds = if signature.keyid != keyid(key) {
        Err(BadManifest::OtherKey {
            found: signature.keyid.clone(),
            wanted: keyid(key),
        })
    } else {
        UnparsedPublicKey::new(&ED25519, key.public_key())
            .verify(signed.as_bytes(), &raw)
            .map_err(|_| BadManifest::Signature)
    };
    let statement: Statement = serde_json::from_str(&payload).map_err(|_| BadManifest::Form)?;
    let (files, about) = take(statement).ok_or(BadManifest::Form)?;
    Ok((files, about, holds))
}

fn take(statement: Statement) -> Option<(Files, About)> {
    if statement.kind != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
        return None;
    }
    let Predicate {
        origin,
        first,
        end,
        version,
        bytes,
    } = statement.predicate;
    let count = statement.subject.len();
    let mut files = Files::new();
    for Subject { name, digest } in statement.subject {
        let bytes = *bytes.get(&name)?;
        files.insert(
            name,
            Listed {
                sha256: digest.sha256,
                bytes,
            },
        );
    }
    let about = About {
        origin,
        first,
        end,
        version,
    };
    (files.len() == count && bytes.len() == count).then_some((files, about))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the DSSE protocol (secure-systems-lab/dsse, protocol.md, Apache-2.0).
    #[test]
    fn the_encoding_is_the_protocols() {
        assert_eq!(
            encoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn what_was_signed_reads_back_and_another_key_is_named() {
        let key = SigningKey::from_seed("example.com/log", &[1; 32]).unwrap();
        let other = SigningKey::from_seed("example.com/log", &[2; 32]).unwrap();
        let sha256 = Digest::of(&[b"x"]);
        let files = Files::from([("a".to_owned(), Listed { sha256, bytes: 1 })]);
        let about = About {
            origin: "example.com/log".to_owned(),
            first: 1,
            end: 2,
            version: "1".to_owned(),
        };
        let bytes = sign(&files, &about, &key).unwrap();
        assert_eq!(read(&bytes, key.verifier()), Ok((files, about, Ok(()))));
        let (.., holds) = read(&bytes, other.verifier()).unwrap();
        assert!(holds.unwrap_err().to_string().contains("the key differs"));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(
                !matches!(read(&changed, key.verifier()), Ok((.., Ok(())))),
                "byte {at}"
            );
        }
    }
}
