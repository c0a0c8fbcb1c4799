//! Signed notes with Ed25519 keys, and the keys' own text forms (C2SP signed-note).
//!
//! ```text
//! If you think cryptography is the answer to your problem,      the text, ends in a newline
//! then you don't know what your problem is.
//!                                                               an empty line
//! — PeterNeumann x08go/ZJkuBS9UG/SffcvI…                        em dash, key name, base64(key ID ‖ signature)
//! ```

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::tree::sha256;

/// The largest note read, in bytes.
pub const NOTE_BYTES_MAX: usize = 1 << 20;

/// The most signatures a note may carry; the format asks verifiers to take at least 16.
pub const SIGNATURES_MAX: usize = 100;

const ED25519_TYPE: u8 = 0x01;
const SEED_BYTES: usize = 32;
const PUBLIC_KEY_BYTES: usize = 32;
const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";

/// Whether `name` may name a key: not empty, no Unicode space, no `+`, and nothing a note may not hold.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c == '+' || c.is_whitespace() || c < ' ')
}

/// The public half of a key, with the name it signs under.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: u32,
    public_key: [u8; PUBLIC_KEY_BYTES],
}

impl Verifier {
    /// The verifier for a raw Ed25519 public key (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    ///
    /// [`BadKey::Name`] if notes cannot carry the name.
    pub fn new(name: &str, public_key: [u8; PUBLIC_KEY_BYTES]) -> Result<Self, BadKey> {
        if !is_key_name(name) {
            return Err(BadKey::Name);
        }
        let hash = sha256(&[name.as_bytes(), b"\n", &[ED25519_TYPE], &public_key]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        Ok(Self {
            name: name.to_owned(),
            id: u32::from_be_bytes([a, b, c, d]),
            public_key,
        })
    }

    /// Reads a verifier key, `<name>+<ID in hex>+<base64 of type and key>`.
    ///
    /// # Errors
    ///
    /// [`BadKey`] unless it is an Ed25519 key in exactly that form, with the ID that belongs to it.
    pub fn parse(vkey: &str) -> Result<Self, BadKey> {
        let (name, id, key) = split_key(vkey)?;
        let key = STANDARD.decode(key).map_err(|_| BadKey::Form)?;
        let (kind, public_key) = key.split_first().ok_or(BadKey::Form)?;
        if *kind != ED25519_TYPE {
            return Err(BadKey::Type { kind: *kind });
        }
        let verifier = Self::new(name, public_key.try_into().map_err(|_| BadKey::Form)?)?;
        if verifier.id == id {
            Ok(verifier)
        } else {
            Err(BadKey::Id)
        }
    }

    /// The name in the signature line.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key ID in the signature line.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The raw Ed25519 public key.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.public_key
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public_key)
            .verify(text, signature)
            .is_ok()
    }
}

/// The verifier key as text, `<name>+<ID in hex>+<base64 of type and key>`.
impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519_TYPE], self.public_key.as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({self})")
    }
}

/// A key that signs notes. It never shows its private half; the memory that holds it is wiped when the last clone drops.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Ed25519KeyPair>,
    verifier: Verifier,
}

impl SigningKey {
    /// Makes the key that belongs to an Ed25519 seed (RFC 8032 section 5.1.5). The caller draws the seed and wipes it.
    ///
    /// # Errors
    ///
    /// [`BadKey::Name`] if notes cannot carry the name.
    pub fn from_seed(name: &str, seed: &[u8; SEED_BYTES]) -> Result<Self, BadKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| BadKey::Form)?;
        let public_key = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| BadKey::Form)?;
        Ok(Self {
            pair: Arc::new(pair),
            verifier: Verifier::new(name, public_key)?,
        })
    }

    /// Reads a private key as `sumdb/note` writes it: `PRIVATE+KEY+<name>+<ID in hex>+<base64 of type and seed>`.
    ///
    /// # Errors
    ///
    /// [`BadKey`] unless it is an Ed25519 key in exactly that form, with the ID that belongs to it.
    pub fn parse(skey: &str) -> Result<Self, BadKey> {
        let (name, id, key) = split_key(skey.strip_prefix(PRIVATE_PREFIX).ok_or(BadKey::Form)?)?;
        let key = Zeroizing::new(STANDARD.decode(key).map_err(|_| BadKey::Form)?);
        let (kind, seed) = key.split_first().ok_or(BadKey::Form)?;
        if *kind != ED25519_TYPE {
            return Err(BadKey::Type { kind: *kind });
        }
        let key = Self::from_seed(name, seed.try_into().map_err(|_| BadKey::Form)?)?;
        if key.verifier.id == id {
            Ok(key)
        } else {
            Err(BadKey::Id)
        }
    }

    /// The public half. Its `Display` is the text to hand out.
    #[must_use]
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Signs a text as a note with one signature.
    ///
    /// # Errors
    ///
    /// [`BadNote::Text`] if a note cannot hold the text.
    pub fn sign(&self, text: &str) -> Result<Note, BadNote> {
        if !text.ends_with('\n') || has_control(text) {
            return Err(BadNote::Text);
        }
        let signature = Signature {
            name: self.verifier.name.clone(),
            id: self.verifier.id,
            bytes: self.pair.sign(text.as_bytes()).as_ref().to_vec(),
        };
        Ok(Note {
            text: text.to_owned(),
            signatures: vec![signature],
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SigningKey({}+{:08x})",
            self.verifier.name, self.verifier.id
        )
    }
}

/// The private key as text, for the file that keeps it; [`SigningKey::parse`] reads it back.
///
/// # Errors
///
/// [`BadKey::Name`] if notes cannot carry the name.
pub fn private_key_text(name: &str, seed: &[u8; SEED_BYTES]) -> Result<Zeroizing<String>, BadKey> {
    let id = SigningKey::from_seed(name, seed)?.verifier.id;
    let mut key = Zeroizing::new([0; SEED_BYTES + 1]);
    if let [kind, rest @ ..] = key.as_mut_slice() {
        *kind = ED25519_TYPE;
        rest.copy_from_slice(seed);
    }
    let encoded = Zeroizing::new(STANDARD.encode(key.as_slice()));
    Ok(Zeroizing::new(format!(
        "{PRIVATE_PREFIX}{name}+{id:08x}+{}",
        encoded.as_str()
    )))
}

/// Splits `<name>+<ID>+<key>`; only the key may hold a `+`.
fn split_key(text: &str) -> Result<(&str, u32, &str), BadKey> {
    let (name, rest) = text.split_once('+').ok_or(BadKey::Form)?;
    let (id, key) = rest.split_once('+').ok_or(BadKey::Form)?;
    let lower_hex = id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if id.len() != 8 || !lower_hex {
        return Err(BadKey::Form);
    }
    Ok((
        name,
        u32::from_str_radix(id, 16).map_err(|_| BadKey::Form)?,
        key,
    ))
}

/// Why a key is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It is not written as a key.
    #[error(
        "not a note key: a verifier key reads <name>+<8 hex digits>+<base64>, a private key begins PRIVATE+KEY+"
    )]
    Form,
    /// Its name cannot stand in a note.
    #[error("a key name is not empty and has no space, plus or control character")]
    Name,
    /// It is of a kind that is not used here.
    #[error("key type {kind:#04x} is not Ed25519 (0x01)")]
    Type {
        /// The type byte.
        kind: u8,
    },
    /// Its ID belongs to another name or key.
    #[error("the key ID does not belong to this name and key: was the line edited?")]
    Id,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl Signature {
    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The ID of the key.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The signature without the key ID; for Ed25519, 64 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let decoded = STANDARD.decode(encoded).ok()?;
        let (id, bytes) = decoded.split_first_chunk::<4>()?;
        if !is_key_name(name) || bytes.is_empty() {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            id: u32::from_be_bytes(*id),
            bytes: bytes.to_vec(),
        })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.to_be_bytes().as_slice(), &self.bytes].concat();
        write!(f, "— {} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A text with signatures, well-formed but trusted by nobody until [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    ///
    /// [`BadNote`] says which rule of the format it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadNote> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(BadNote::TooLarge);
        }
        let note = std::str::from_utf8(bytes)
            .ok()
            .filter(|note| !has_control(note))
            .ok_or(BadNote::Text)?;
        let blank = note.rfind("\n\n").ok_or(BadNote::Form)?;
        let (text, rest) = note.split_at(blank + 1);
        let lines = rest
            .strip_prefix('\n')
            .and_then(|rest| rest.strip_suffix('\n'))
            .ok_or(BadNote::Form)?;
        let signatures: Vec<Signature> = lines
            .split('\n')
            .take(SIGNATURES_MAX + 1)
            .map_while(Signature::parse)
            .collect();
        if signatures.len() > SIGNATURES_MAX {
            return Err(BadNote::TooLarge);
        }
        if signatures.len() != lines.split('\n').count() {
            return Err(BadNote::Form);
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The text, with the newline it ends in.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures, known or not.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Checks the signatures of the given keys, and that there is one. Signatures of other keys are ignored.
    ///
    /// # Errors
    ///
    /// [`BadSignature`] if no given key signed, or one that did signed something else.
    pub fn verify<'k>(&self, keys: &'k [Verifier]) -> Result<&'k Verifier, BadSignature> {
        let mut signer = None;
        for signature in &self.signatures {
            let Some(key) = keys
                .iter()
                .find(|key| key.name == signature.name && key.id == signature.id)
            else {
                continue;
            };
            if !key.verify(self.text.as_bytes(), &signature.bytes) {
                return Err(BadSignature::Wrong {
                    name: key.name.clone(),
                    id: key.id,
                });
            }
            signer = signer.or(Some(key));
        }
        signer.ok_or(BadSignature::Unknown)
    }
}

/// The note as it is written.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' && byte != b'\n')
}

/// Why bytes are not a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNote {
    /// Text, empty line, signature lines: one of them is missing or malformed.
    #[error("not a signed note: it is a text, an empty line, then signature lines")]
    Form,
    /// The text breaks the format's rules.
    #[error("a note is UTF-8 without control characters, and its text ends in a newline")]
    Text,
    /// It is beyond a limit.
    #[error("a note has at most {NOTE_BYTES_MAX} bytes and {SIGNATURES_MAX} signatures")]
    TooLarge,
}

/// Why a note is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// No signature is by a key that was asked for.
    #[error("no signature is by a known key")]
    Unknown,
    /// A known key's signature does not fit the text.
    #[error("the signature of {name}+{id:08x} does not fit the text")]
    Wrong {
        /// The name of the key.
        name: String,
        /// The ID of the key.
        id: u32,
    },
}

#[cfg(test)]
mod tests;
