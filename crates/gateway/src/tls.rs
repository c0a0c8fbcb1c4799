//! TLS on both sides: rustls with aws-lc-rs, versions 1.2 and 1.3.
//!
//! As server: a certificate from files, or a self-signed one made once and kept. As client: libpq's modes, of which
//! `prefer` and `require` encrypt without verifying whom they talk to, `verify-ca` leaves out the name, and `verify-full`
//! verifies both.

mod verify;

use std::fs;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::config::{CertificateFiles, TlsMode};

pub use verify::{Expected, Verifier};

const VERSIONS: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];
/// Where the self-signed certificate and its key are kept, under the data folder.
const SELF_SIGNED: &str = "keys/self-signed.pem";
/// Handshakes with the API's clients that run at once; more wait.
const SHAKING_MAX: usize = 256;
/// One of them may take so long.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// TLS that cannot be set up. Names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// A file holds no PEM of the wanted kind.
    #[error("{0} holds no {1} in PEM: {2}")]
    Pem(PathBuf, &'static str, String),
    /// Certificate and key are not usable together.
    #[error("{0} and its key cannot be used: {1}")]
    Unusable(PathBuf, rustls::Error),
    /// The system's authorities cannot be loaded.
    #[error(
        "no certificate authority of the system could be loaded: install ca-certificates, or set ca ({0})"
    )]
    NoRoots(String),
    /// Something else in the TLS library.
    #[error("TLS cannot be set up: {0}")]
    Other(String),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A server's settings from `files`, or with the self-signed certificate kept under `data`, which names `ip` too. `protocols` are
/// offered by ALPN, the best first.
///
/// # Errors
/// [`TlsError`] where files are missing, unreadable or do not fit each other.
pub fn server(
    files: Option<&CertificateFiles>,
    data: &Path,
    ip: IpAddr,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, TlsError> {
    let own;
    let files = match files {
        Some(files) => files,
        None => {
            own = self_signed(&data.join(SELF_SIGNED), ip)?;
            &own
        }
    };
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| TlsError::Pem(files.key.clone(), "private key", error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .map_err(|error| TlsError::Other(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| TlsError::Unusable(files.certificate.clone(), error))?;
    config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
    Ok(Arc::new(config))
}

/// A client's settings for a target, or `None` where TLS is off.
///
/// # Errors
/// [`TlsError`] where authorities cannot be loaded.
pub fn client(mode: TlsMode, ca: Option<&Path>) -> Result<Option<Arc<ClientConfig>>, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .map_err(|error| TlsError::Other(error.to_string()))?;
    let expecting = |expected| {
        let verifier = Arc::new(Verifier::new(expected));
        let builder = builder.clone().dangerous();
        let builder = builder.with_custom_certificate_verifier(verifier);
        builder.with_no_client_auth()
    };
    let config = match mode {
        TlsMode::Disable => return Ok(None),
        TlsMode::Prefer | TlsMode::Require => expecting(Expected::Any),
        TlsMode::VerifyCa => expecting(Expected::Vouched(roots(ca)?)),
        TlsMode::VerifyFull => {
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots(ca)?), provider())
                    .build()
                    .map_err(|error| TlsError::Other(error.to_string()))?;
            builder.with_webpki_verifier(verifier).with_no_client_auth()
        }
    };
    Ok(Some(Arc::new(config)))
}

/// The authorities in a PEM file, or the system's.
///
/// # Errors
/// [`TlsError`] where there are none.
pub fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    if let Some(path) = ca {
        for certificate in certificates(path)? {
            store
                .add(certificate)
                .map_err(|error| TlsError::Unusable(path.to_owned(), error))?;
        }
        return Ok(store);
    }
    let native = rustls_native_certs::load_native_certs();
    store.add_parsable_certificates(native.certs);
    if store.is_empty() {
        let errors: Vec<_> = native.errors.iter().map(ToString::to_string).collect();
        return Err(TlsError::NoRoots(errors.join("; ")));
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bad = |error: String| TlsError::Pem(path.to_owned(), "certificate", error);
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error: rustls::pki_types::pem::Error| bad(error.to_string()))?;
    if chain.is_empty() {
        Err(bad("it is empty".to_owned()))
    } else {
        Ok(chain)
    }
}

/// The self-signed certificate and its key, made if they are not there. One file, so that they cannot part.
fn self_signed(path: &Path, ip: IpAddr) -> Result<CertificateFiles, TlsError> {
    if !path.exists() {
        let mut names = vec![
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ];
        let ip = ip.to_string();
        if !names.contains(&ip) {
            names.push(ip);
        }
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|error| TlsError::Other(error.to_string()))?;
        let pem = zeroize::Zeroizing::new(format!(
            "{}{}",
            made.cert.pem(),
            made.signing_key.serialize_pem()
        ));
        write_once(path, pem.as_bytes()).map_err(|error| TlsError::File(path.to_owned(), error))?;
    }
    Ok(CertificateFiles {
        certificate: path.to_owned(),
        key: path.to_owned(),
    })
}

/// Writes a secret file that is either there whole or not at all, for this account alone. An existing one stays.
///
/// # Errors
/// Where the disk refuses.
pub(crate) fn write_once(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = (|| {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    })();
    let removed = fs::remove_file(&temporary);
    written.and(removed)?;
    path.parent()
        .map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

/// A listening socket whose connections speak TLS: for the API. Handshakes run beside each other, so a slow one keeps
/// nobody waiting.
pub struct Listener {
    socket: TcpListener,
    acceptor: TlsAcceptor,
    shaking: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl Listener {
    /// A listener on `socket`.
    #[must_use]
    pub fn new(socket: TcpListener, config: Arc<ServerConfig>) -> Self {
        Self {
            socket,
            acceptor: TlsAcceptor::from(config),
            shaking: JoinSet::new(),
        }
    }
}

impl axum::serve::Listener for Listener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                Some(shaken) = self.shaking.join_next() => {
                    if let Ok(Some(accepted)) = shaken {
                        return accepted;
                    }
                }
                accepted = self.socket.accept(), if self.shaking.len() < SHAKING_MAX => match accepted {
                    Ok((stream, source)) => {
                        let handshake = self.acceptor.accept(stream);
                        self.shaking.spawn(async move {
                            let done = tokio::time::timeout(HANDSHAKE_MAX, handshake).await;
                            done.ok()?.ok().map(|stream| (stream, source))
                        });
                    }
                    Err(error) => {
                        tracing::error!(%error, "cannot accept: check the limit of open files");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.socket.local_addr()
    }
}

/// The `tls-server-end-point` channel binding of a server's certificate (RFC 5929 section 4.1): its hash under the hash
/// function of its own signature, or SHA-256 where that is MD5 or SHA-1. `None` where the signature uses no single hash
/// (Ed25519): then there is no such binding.
#[must_use]
pub fn server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let algorithm = &parsed.signature_algorithm;
    let hash = match algorithm.algorithm.to_id_string().as_str() {
        // MD5, SHA-1 and SHA-256 with RSA; SHA-1 and SHA-256 with ECDSA (RFC 8017, RFC 5758).
        "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" | "1.2.840.113549.1.1.11" => {
            &digest::SHA256
        }
        "1.2.840.10045.4.1" | "1.2.840.10045.4.3.2" => &digest::SHA256,
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => &digest::SHA384,
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => &digest::SHA512,
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" => &digest::SHA224,
        "1.2.840.113549.1.1.10" => pss_hash(&parsed)?,
        _ => return None,
    };
    Some(digest::digest(hash, certificate).as_ref().to_vec())
}

/// The hash of RSASSA-PSS stands in its parameters (RFC 4055 section 3.1); SHA-1 where it does not.
fn pss_hash(certificate: &X509Certificate<'_>) -> Option<&'static digest::Algorithm> {
    let parameters = certificate.signature_algorithm.parameters.as_ref()?;
    let parameters =
        x509_parser::signature_algorithm::RsaSsaPssParams::try_from(parameters).ok()?;
    match parameters.hash_algorithm_oid().to_id_string().as_str() {
        "1.3.14.3.2.26" | "2.16.840.1.101.3.4.2.1" => Some(&digest::SHA256),
        "2.16.840.1.101.3.4.2.2" => Some(&digest::SHA384),
        "2.16.840.1.101.3.4.2.3" => Some(&digest::SHA512),
        _ => None,
    }
}
