//! Signatures of people: the SSHSIG format of `ssh-keygen -Y sign` (OpenSSH `PROTOCOL.sshsig`, version 1).
//!
//! Reading the format is the library's work, checking the signature is the one crypto provider's. Ed25519, ECDSA on P-256
//! and P-384, RSA from 2,048 bits with SHA-2, and Ed25519 on a security key with the user present.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use model::Digest;
use ssh_key::public::{EcdsaPublicKey, KeyData};
use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};

/// A signature that does not show what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshsigError {
    /// The public key is not of the form `ssh-ed25519 AAAA… comment`.
    #[error(
        "not an OpenSSH public key: write it as `ssh-ed25519 AAAA…`, as it stands in the .pub file"
    )]
    Key,
    /// The signature is not of the form that `ssh-keygen -Y sign` writes.
    #[error("not an SSH signature: sign with `ssh-keygen -Y sign -n {0}`")]
    Format(String),
    /// It was made for another purpose.
    #[error("signed for the purpose {found:?}, not {expected:?}")]
    Namespace {
        /// What it should be for.
        expected: String,
        /// What it is for.
        found: String,
    },
    /// Another key made it.
    #[error("signed by the key {0}, which is not one of this person's")]
    OtherKey(String),
    /// Its kind of key is not accepted.
    #[error(
        "keys of the kind {0} are not accepted: use ed25519, ecdsa, or rsa of 2,048 bits and more"
    )]
    Kind(String),
    /// It does not verify.
    #[error("the signature does not verify: the statement or the signature was changed")]
    Bad,
}

/// Checks that one of `keys` (OpenSSH public keys) signed `message` for `namespace`, and gives that key's fingerprint.
///
/// # Errors
/// [`SshsigError`] says which part does not hold.
pub fn verify(
    keys: &[String],
    namespace: &str,
    message: &[u8],
    signature: &str,
) -> Result<String, SshsigError> {
    let signature = parse(signature).ok_or_else(|| SshsigError::Format(namespace.to_owned()))?;
    if signature.namespace() != namespace {
        let (expected, found) = (namespace.to_owned(), signature.namespace().to_owned());
        return Err(SshsigError::Namespace { expected, found });
    }
    let key = signature.public_key();
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let mut known = false;
    for text in keys {
        known |= PublicKey::from_openssh(text)
            .map_err(|_| SshsigError::Key)?
            .key_data()
            == key;
    }
    if !known {
        return Err(SshsigError::OtherKey(fingerprint));
    }
    let signed = SshSig::signed_data(namespace, signature.hash_alg(), message)
        .map_err(|_| SshsigError::Bad)?;
    check(key, &signed, &signature)?;
    Ok(fingerprint)
}

/// The SHA-256 fingerprint of an OpenSSH public key, as `ssh-keygen -l` prints it.
///
/// # Errors
/// [`SshsigError::Key`] where the text is no such key.
pub fn fingerprint(key: &str) -> Result<String, SshsigError> {
    let key = PublicKey::from_openssh(key).map_err(|_| SshsigError::Key)?;
    Ok(key.fingerprint(HashAlg::Sha256).to_string())
}

/// The SHA-256 fingerprint of the key that a signature names as its own; whether it made it is not checked.
pub(crate) fn signer(signature: &str) -> Option<String> {
    Some(
        parse(signature)?
            .public_key()
            .fingerprint(HashAlg::Sha256)
            .to_string(),
    )
}

/// Reads a signature. The library passes over lengths that do not fit and versions there never were; so that one signature has one
/// text, it must also be what writing it again gives.
fn parse(text: &str) -> Option<SshSig> {
    let body = |text: &str| {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<String>()
    };
    let signature = SshSig::from_pem(text.as_bytes()).ok()?;
    let again = signature.to_pem(ssh_key::LineEnding::LF).ok()?;
    (signature.version() == SshSig::VERSION && body(&again) == body(text)).then_some(signature)
}

fn check(key: &KeyData, signed: &[u8], signature: &SshSig) -> Result<(), SshsigError> {
    let bytes = signature.signature_bytes();
    match (key, signature.algorithm()) {
        (KeyData::Ed25519(key), Algorithm::Ed25519) => plain(&ED25519, &key.0, signed, bytes),
        (KeyData::Ecdsa(key), Algorithm::Ecdsa { .. }) => ecdsa(key, signed, bytes),
        (KeyData::Rsa(key), Algorithm::Rsa { hash: Some(hash) }) => {
            let n = key.n.as_positive_bytes().ok_or(SshsigError::Key)?;
            let e = key.e.as_positive_bytes().ok_or(SshsigError::Key)?;
            let parameters = match hash {
                HashAlg::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
                HashAlg::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
                other => return Err(SshsigError::Kind(format!("rsa with {other}"))),
            };
            RsaPublicKeyComponents { n, e }
                .verify(parameters, signed, bytes)
                .map_err(|_| SshsigError::Bad)
        }
        (KeyData::SkEd25519(key), Algorithm::SkEd25519) => {
            security_key(&key.public_key().0, key.application(), signed, bytes)
        }
        (key, _) => Err(SshsigError::Kind(key.algorithm().to_string())),
    }
}

fn plain(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    signed: &[u8],
    signature: &[u8],
) -> Result<(), SshsigError> {
    UnparsedPublicKey::new(algorithm, key)
        .verify(signed, signature)
        .map_err(|_| SshsigError::Bad)
}

/// RFC 5656 section 3.1.2: the signature is two `mpint`s, r and s; the provider wants them in fixed width.
fn ecdsa(key: &EcdsaPublicKey, signed: &[u8], signature: &[u8]) -> Result<(), SshsigError> {
    let (algorithm, width): (&'static dyn VerificationAlgorithm, usize) = match key {
        EcdsaPublicKey::NistP256(_) => (&ECDSA_P256_SHA256_FIXED, 32),
        EcdsaPublicKey::NistP384(_) => (&ECDSA_P384_SHA384_FIXED, 48),
        EcdsaPublicKey::NistP521(_) => {
            return Err(SshsigError::Kind("ecdsa-sha2-nistp521".to_owned()));
        }
    };
    let mut fixed = Vec::with_capacity(2 * width);
    let mut rest = signature;
    for _ in 0..2 {
        let (length, tail) = rest.split_first_chunk::<4>().ok_or(SshsigError::Bad)?;
        let (number, tail) = tail
            .split_at_checked(u32::from_be_bytes(*length) as usize)
            .ok_or(SshsigError::Bad)?;
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        let padding = width.checked_sub(number.len()).ok_or(SshsigError::Bad)?;
        fixed.resize(fixed.len() + padding, 0);
        fixed.extend_from_slice(number);
        rest = tail;
    }
    plain(algorithm, key.as_ref(), signed, &fixed)
}

/// OpenSSH `PROTOCOL.u2f`: the key signs SHA-256(application) ‖ flags ‖ counter ‖ SHA-256(message).
fn security_key(
    key: &[u8],
    application: &str,
    signed: &[u8],
    signature: &[u8],
) -> Result<(), SshsigError> {
    const USER_PRESENT: u8 = 0x01;
    let (raw, flags_and_counter) = signature.split_at_checked(64).ok_or(SshsigError::Bad)?;
    if flags_and_counter
        .first()
        .is_none_or(|flags| flags & USER_PRESENT == 0)
    {
        return Err(SshsigError::Bad);
    }
    let application = Digest::of(&[application.as_bytes()]);
    let message = Digest::of(&[signed]);
    let what = [&application.0[..], flags_and_counter, &message.0].concat();
    plain(&ED25519, key, &what, raw)
}

#[cfg(test)]
mod tests;
