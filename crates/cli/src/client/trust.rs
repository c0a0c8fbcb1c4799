//! Whom the client takes for the gateway.

use std::path::PathBuf;
use std::sync::Arc;

use gateway::config::TlsMode;
use gateway::tls::{self, Expected, TlsError, Verifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Whom the client takes for the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Who the system's authorities vouch for.
    System,
    /// Who the authorities in this PEM file vouch for.
    Authorities(PathBuf),
    /// Who holds the key of the first certificate in this PEM file.
    Exactly(PathBuf),
    /// Nobody: there is no TLS.
    Nobody,
}

impl Trust {
    /// The settings of TLS.
    pub(super) fn client(&self) -> Result<ClientConfig, TlsError> {
        let authorities = |file| {
            let config = tls::client(TlsMode::VerifyFull, file)?;
            let config = config
                .ok_or_else(|| TlsError::Other("the gateway is reached by TLS".to_owned()))?;
            Ok(Arc::unwrap_or_clone(config))
        };
        match self {
            Self::System => authorities(None),
            Self::Authorities(file) => authorities(Some(file.as_path())),
            Self::Exactly(file) => {
                let certificate = CertificateDer::from_pem_file(file).map_err(|error| {
                    TlsError::Pem(file.clone(), "certificate", error.to_string())
                })?;
                let exactly = Verifier::new(Expected::Exactly(certificate));
                Ok(builder()?
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(exactly))
                    .with_no_client_auth())
            }
            Self::Nobody => Ok(builder()?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()),
        }
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, TlsError> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Other(error.to_string()))
}
