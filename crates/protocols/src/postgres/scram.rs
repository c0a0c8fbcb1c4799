//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the client's side (RFC 5802, RFC 7677; SASL in the PostgreSQL manual).
//!
//! ```text
//! Scram::start ─▶ first ─▶ (server-first) ─▶ reply ─▶ final ─▶ (server-final) ─▶ verify
//! ```
//!
//! The server proves that it knows the password too: [`AwaitingFinal::verify`] checks its signature in constant time, and
//! a login without it is none. The nonce is handed in.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use model::Secret;
use zeroize::{Zeroize as _, Zeroizing};

/// The mechanism without channel binding.
pub const MECHANISM: &str = "SCRAM-SHA-256";
/// The mechanism with channel binding.
pub const MECHANISM_PLUS: &str = "SCRAM-SHA-256-PLUS";
/// Fewer rounds than RFC 7677 section 4 asks for would make the exchange worth recording and guessing at.
pub const ITERATIONS_MIN: u32 = 4_096;
/// More rounds would keep the gateway busy for a server that it does not trust yet.
pub const ITERATIONS_MAX: u32 = 1_000_000;
/// The longest message that is read.
pub const MESSAGE_BYTES_MAX: usize = 4_096;

const HASH_BYTES: usize = digest::SHA256_OUTPUT_LEN;
type Hash = [u8; HASH_BYTES];

/// How the exchange is bound to the TLS connection it runs in (RFC 5802 section 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// There is no TLS, or its certificate gives nothing to bind to.
    Unable,
    /// The client could, and the server did not offer it. A server that did offer it will notice the lie between.
    NotOffered,
    /// To the server's certificate: the `tls-server-end-point` value (RFC 5929 section 4).
    ServerEndPoint(Vec<u8>),
}

impl Binding {
    /// The mechanism that this binding is for.
    #[must_use]
    pub fn mechanism(&self) -> &'static str {
        match self {
            Self::Unable | Self::NotOffered => MECHANISM,
            Self::ServerEndPoint(_) => MECHANISM_PLUS,
        }
    }

    fn header(&self) -> &'static str {
        match self {
            Self::Unable => "n,,",
            Self::NotOffered => "y,,",
            Self::ServerEndPoint(_) => "p=tls-server-end-point,,",
        }
    }

    /// `c`: the header and the binding's data.
    fn attribute(&self) -> String {
        let mut input = self.header().as_bytes().to_vec();
        if let Self::ServerEndPoint(data) = self {
            input.extend_from_slice(data);
        }
        STANDARD.encode(input)
    }
}

/// Why an exchange failed. The words hold nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// A message is not as RFC 5802 section 7 has it.
    #[error("the server's SCRAM message is malformed: {0}")]
    Malformed(&'static str),
    /// The server's nonce does not continue ours.
    #[error(
        "the server's SCRAM nonce does not continue the gateway's: somebody may stand in between"
    )]
    Nonce,
    /// The rounds are out of bounds.
    #[error(
        "the server asks for {0} SCRAM iterations; {ITERATIONS_MIN} to {ITERATIONS_MAX} are accepted: \
         set scram_iterations there and set the account's password again"
    )]
    Iterations(u32),
    /// The server says no.
    #[error("the server refused the SCRAM exchange: {0}")]
    Refused(String),
    /// The server does not know the password's key.
    #[error("the server's SCRAM signature is wrong: it does not know the account's password")]
    Signature,
}

/// An exchange whose first message is ready.
pub struct Scram {
    password: Secret,
    binding: Binding,
    nonce: String,
    /// `client-first-message-bare`.
    bare: String,
}

impl Scram {
    /// Begins. `user` stands in the message as it is; PostgreSQL wants it empty and takes the one of the
    /// StartupMessage. `nonce` must be fresh and printable ASCII without a comma ([`nonce`] makes one).
    #[must_use]
    pub fn start(user: &str, password: Secret, nonce: String, binding: Binding) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={user},r={nonce}");
        Self {
            password,
            binding,
            nonce,
            bare,
        }
    }

    /// The first message: for SASLInitialResponse, under [`Binding::mechanism`].
    #[must_use]
    pub fn first(&self) -> String {
        format!("{}{}", self.binding.header(), self.bare)
    }

    /// Takes the server's first message and gives the last of ours, and what awaits the server's answer to it.
    ///
    /// # Errors
    /// [`ScramError`]
    pub fn reply(self, server_first: &[u8]) -> Result<(String, AwaitingFinal), ScramError> {
        let text = readable(server_first)?;
        let challenge = Challenge::read(text, &self.nonce)?;
        let salted = self.salted_password(&challenge);
        let client_key = hmac(&*salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, &*client_key);
        let without_proof = format!("c={},r={}", self.binding.attribute(), challenge.nonce);
        let auth_message = format!("{},{text},{without_proof}", self.bare);
        let signature = hmac(stored_key.as_ref(), auth_message.as_bytes());
        let mut proof: Hash = *client_key;
        for (byte, mask) in proof.iter_mut().zip(signature.iter()) {
            *byte ^= mask;
        }
        let last = format!("{without_proof},p={}", STANDARD.encode(proof));
        let server_key = hmac(&*salted, b"Server Key");
        Ok((
            last,
            AwaitingFinal {
                key: hmac::Key::new(hmac::HMAC_SHA256, &*server_key),
                auth_message,
            },
        ))
    }

    fn salted_password(&self, challenge: &Challenge<'_>) -> Zeroizing<Hash> {
        let mut out = Zeroizing::new([0; HASH_BYTES]);
        let mut password = prepared(self.password.expose()).into_owned();
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            challenge.iterations,
            &challenge.salt,
            &password,
            &mut *out,
        );
        password.zeroize();
        out
    }
}

/// A nonce from fresh random bytes.
#[must_use]
pub fn nonce(random: &[u8]) -> String {
    STANDARD.encode(random)
}

/// The password as PostgreSQL prepares it: SASLprep (RFC 4013) where that can be, or else the bytes as they are.
fn prepared(password: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(password).map(stringprep::saslprep) {
        Ok(Ok(Cow::Owned(text))) => Cow::Owned(text.into_bytes()),
        _ => Cow::Borrowed(password),
    }
}

fn hmac(key: &[u8], data: &[u8]) -> Zeroizing<Hash> {
    let mut out = Zeroizing::new([0; HASH_BYTES]);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
    for (to, from) in out.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    out
}

fn readable(message: &[u8]) -> Result<&str, ScramError> {
    if message.len() > MESSAGE_BYTES_MAX {
        return Err(ScramError::Malformed("it is too long"));
    }
    std::str::from_utf8(message).map_err(|_| ScramError::Malformed("it is not UTF-8"))
}

/// `server-first-message`.
struct Challenge<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: NonZeroU32,
}

impl<'a> Challenge<'a> {
    fn read(text: &'a str, client_nonce: &str) -> Result<Self, ScramError> {
        let mut attributes = text.split(',');
        let mut attribute = |name: &'static str, lacking| {
            attributes
                .next()
                .and_then(|text| text.strip_prefix(name))
                .ok_or(ScramError::Malformed(lacking))
        };
        // An `m=` in front is an extension that must be understood (section 5.1); none is.
        let nonce = attribute("r=", "the nonce is not first")?;
        let salt = attribute("s=", "the salt is not second")?;
        let iterations = attribute("i=", "the iterations are not third")?;
        let salt = STANDARD
            .decode(salt)
            .map_err(|_| ScramError::Malformed("the salt is not Base64"))?;
        if salt.is_empty() {
            return Err(ScramError::Malformed("the salt is empty"));
        }
        let iterations: u32 = iterations
            .parse()
            .map_err(|_| ScramError::Malformed("the iterations are no number"))?;
        let ours = nonce.strip_prefix(client_nonce);
        let printable = |byte: u8| byte.is_ascii_graphic();
        if !ours.is_some_and(|theirs| !theirs.is_empty() && theirs.bytes().all(printable)) {
            return Err(ScramError::Nonce);
        }
        let bounded = (ITERATIONS_MIN..=ITERATIONS_MAX).contains(&iterations);
        let iterations = NonZeroU32::new(iterations)
            .filter(|_| bounded)
            .ok_or(ScramError::Iterations(iterations))?;
        Ok(Self {
            nonce,
            salt,
            iterations,
        })
    }
}

/// An exchange whose last message was sent.
pub struct AwaitingFinal {
    key: hmac::Key,
    auth_message: String,
}

impl AwaitingFinal {
    /// Takes the server's last message.
    ///
    /// # Errors
    /// [`ScramError::Refused`] where the server says no, [`ScramError::Signature`] where it did not prove itself.
    pub fn verify(self, server_final: &[u8]) -> Result<(), ScramError> {
        let text = readable(server_final)?;
        let first = text.split(',').next().unwrap_or_default();
        if let Some(error) = first.strip_prefix("e=") {
            let printable = error.chars().filter(char::is_ascii_graphic).take(64);
            return Err(ScramError::Refused(printable.collect()));
        }
        let signature = first
            .strip_prefix("v=")
            .and_then(|text| STANDARD.decode(text).ok())
            .ok_or(ScramError::Malformed("the signature is not there"))?;
        hmac::verify(&self.key, self.auth_message.as_bytes(), &signature)
            .map_err(|_| ScramError::Signature)
    }
}
