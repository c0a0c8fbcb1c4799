//! Authentication requests and what the gateway answers.
//!
//! A server that somebody put in the way could ask for the password itself, or for its weak MD5 digest. So only SCRAM is
//! answered unless [`AuthMethods`] says otherwise: the gateway's configuration does where TLS is verified or the address
//! is loopback.

use bytes::{BufMut, Bytes};
use md5::{Digest as _, Md5};
use model::Secret;
use zeroize::Zeroizing;

use super::LoginError;
use crate::postgres::scram::{self, AwaitingFinal, Binding, MECHANISM, MECHANISM_PLUS, Scram};
use crate::postgres::settings::AuthMethods;
use crate::postgres::wire::{Frame, Reader, client, write};
use crate::session::{Effect, Effects, Peer, Secured, Upstream};

/// So many mechanisms of a server are looked at.
const MECHANISMS_MAX: usize = 16;

pub(super) struct Exchange {
    user: String,
    password: Secret,
    nonce: String,
    server_end_point: Option<Vec<u8>>,
    methods: AuthMethods,
    step: Step,
}

enum Step {
    /// Nothing was asked yet.
    Start,
    /// A password or its digest was sent.
    PasswordSent,
    ScramFirst(Scram),
    ScramFinal(Box<AwaitingFinal>),
    /// The server proved that it knows the password.
    ScramVerified,
    /// Something failed, or it is over.
    Over,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

impl Exchange {
    pub(super) fn new(upstream: Upstream, methods: AuthMethods) -> Self {
        Self {
            user: upstream.user,
            password: upstream.password,
            nonce: scram::nonce(upstream.random.get(..24).unwrap_or_default()),
            server_end_point: None,
            methods,
            step: Step::Start,
        }
    }

    pub(super) fn secured(&mut self, secured: Secured) {
        self.server_end_point = secured.server_end_point;
    }

    /// Takes an Authentication message; `true` once the server let us in.
    pub(super) fn receive(
        &mut self,
        frame: &Frame,
        tls: bool,
        fx: &mut Effects<Bytes>,
    ) -> Result<bool, LoginError> {
        let mut body = Reader::new(&frame.body);
        let request = body.u32()?;
        match (request, std::mem::replace(&mut self.step, Step::Over)) {
            // AuthenticationOk. Where the server asks for nothing there is nothing to lose.
            (0, Step::Start | Step::PasswordSent | Step::ScramVerified) => {
                body.end()?;
                return Ok(true);
            }
            (3, Step::Start) => {
                body.end()?;
                self.cleartext(fx)?;
            }
            (5, Step::Start) => {
                let salt = body.bytes(4)?;
                body.end()?;
                self.md5(&salt, fx)?;
            }
            (10, Step::Start) => self.sasl(body, tls, fx)?,
            (11, Step::ScramFirst(scram)) => {
                let (last, awaiting) = scram.reply(&body.rest()).map_err(scram_failed)?;
                let answer = write::one(client::PASSWORD, |out| out.put_slice(last.as_bytes()));
                fx.push(Effect::Send(Peer::Upstream, answer));
                self.step = Step::ScramFinal(Box::new(awaiting));
            }
            (12, Step::ScramFinal(awaiting)) => {
                awaiting.verify(&body.rest()).map_err(scram_failed)?;
                self.step = Step::ScramVerified;
            }
            (2 | 6 | 7 | 9, Step::Start) => {
                return Err(LoginError::ours(
                    "the upstream asks for Kerberos, GSSAPI or SSPI, which the gateway does not speak: \
                     let it accept scram-sha-256 for the gateway's account",
                ));
            }
            _ => {
                return Err(LoginError::ours(format!(
                    "the upstream sent authentication request {request} out of turn"
                )));
            }
        }
        Ok(false)
    }

    fn cleartext(&mut self, fx: &mut Effects<Bytes>) -> Result<(), LoginError> {
        if !self.methods.password {
            return Err(downgrade("the password in clear", "password"));
        }
        self.send_password(self.password.clone().expose(), fx)
    }

    /// `md5` and the hexadecimal MD5 of (hexadecimal MD5 of password and user) and salt.
    fn md5(&mut self, salt: &[u8], fx: &mut Effects<Bytes>) -> Result<(), LoginError> {
        if !self.methods.md5 {
            return Err(downgrade("an MD5 digest of the password", "md5"));
        }
        let inner = hex_md5(&[self.password.expose(), self.user.as_bytes()]);
        let outer = hex_md5(&[inner.as_bytes(), salt]);
        self.send_password(format!("md5{}", &*outer).as_bytes(), fx)
    }

    fn send_password(&mut self, text: &[u8], fx: &mut Effects<Bytes>) -> Result<(), LoginError> {
        if text.contains(&0) {
            return Err(LoginError::ours(
                "the account's password holds a zero byte, which PostgreSQL cannot take",
            ));
        }
        let answer = write::one(client::PASSWORD, |out| write::cstr(out, text));
        fx.push(Effect::Send(Peer::Upstream, answer));
        self.step = Step::PasswordSent;
        Ok(())
    }

    fn sasl(
        &mut self,
        mut body: Reader,
        tls: bool,
        fx: &mut Effects<Bytes>,
    ) -> Result<(), LoginError> {
        let (mut plain, mut plus) = (false, false);
        for _ in 0..MECHANISMS_MAX {
            let mechanism = body.cstr()?;
            match mechanism.as_ref() {
                b"" => break,
                name if name == MECHANISM.as_bytes() => plain = true,
                name if name == MECHANISM_PLUS.as_bytes() => plus = true,
                _ => {}
            }
        }
        let binding = match self.server_end_point.take() {
            Some(data) if plus && tls => Binding::ServerEndPoint(data),
            Some(_) => Binding::NotOffered,
            None => Binding::Unable,
        };
        if !plain && !matches!(binding, Binding::ServerEndPoint(_)) {
            return Err(LoginError::ours(
                "the upstream offers no SASL mechanism that the gateway can use here: \
                 let it accept scram-sha-256 for the gateway's account",
            ));
        }
        let mechanism = binding.mechanism();
        let nonce = std::mem::take(&mut self.nonce);
        // PostgreSQL takes the user from the StartupMessage and wants none here.
        let scram = Scram::start("", self.password.clone(), nonce, binding);
        let first = scram.first();
        let answer = write::one(client::PASSWORD, |out| {
            write::cstr(out, mechanism.as_bytes());
            out.put_i32(i32::try_from(first.len()).unwrap_or(i32::MAX));
            out.put_slice(first.as_bytes());
        });
        fx.push(Effect::Send(Peer::Upstream, answer));
        self.step = Step::ScramFirst(scram);
        Ok(())
    }
}

fn hex_md5(parts: &[&[u8]]) -> Zeroizing<String> {
    let mut md5 = Md5::new();
    parts.iter().for_each(|part| md5.update(part));
    Zeroizing::new(hex::encode(md5.finalize()))
}

fn scram_failed(error: scram::ScramError) -> LoginError {
    LoginError::ours(error.to_string())
}

fn downgrade(what: &str, method: &str) -> LoginError {
    LoginError::ours(format!(
        "the upstream asks for {what}, which the gateway gives only over verified TLS, on loopback, or where the target's \
         `auth` names \"{method}\": let the server accept scram-sha-256 for the gateway's account"
    ))
}
