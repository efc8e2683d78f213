//! TLS: which cryptography, and whose certificates.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::error::{Cause, Error, Fault, Stage};

/// Whose certificates are trusted, and who computes.
///
/// By default, those that the platform trusts; on Linux that is a file, which `SSL_CERT_FILE` may name. A company's own
/// authority, or that of a proxy which reads what passes, is added with [`trust_pem`](Tls::trust_pem).
#[derive(Clone, Debug, Default)]
pub struct Tls {
    roots: Roots,
    trusted: Vec<CertificateDer<'static>>,
    cryptography: Cryptography,
}

#[derive(Clone, Copy, Debug, Default)]
enum Cryptography {
    #[default]
    Ring,
    #[cfg(feature = "aws-lc-rs")]
    AwsLcRs,
}

#[derive(Clone, Copy, Debug, Default)]
enum Roots {
    #[default]
    Platform,
    #[cfg(feature = "webpki-roots")]
    Mozilla,
    None,
}

impl Tls {
    /// Trusts what the platform trusts.
    #[must_use]
    pub fn platform() -> Self {
        Self::default()
    }

    /// Trusts what Mozilla's browser trusts, as it was when this was compiled: for machines without certificates, such as
    /// containers made from nothing.
    #[cfg(feature = "webpki-roots")]
    #[must_use]
    pub fn mozilla() -> Self {
        Self { roots: Roots::Mozilla, ..Self::default() }
    }

    /// Trusts nobody but those added with [`trust_pem`](Tls::trust_pem).
    #[must_use]
    pub fn nobody() -> Self {
        Self { roots: Roots::None, ..Self::default() }
    }

    /// Trusts the certificates in `pem` too, in the text form with `BEGIN CERTIFICATE`: one or more of them, and whatever
    /// else, which is passed over.
    ///
    /// # Errors
    ///
    /// [`Stage::Setup`] where there is no certificate in it, or one that cannot be read.
    pub fn trust_pem(self, pem: &[u8]) -> Result<Self, Error> {
        self.trust(pem, "certificates")
    }

    /// Trusts the certificates in a file too: see [`trust_pem`](Tls::trust_pem).
    ///
    /// # Errors
    ///
    /// [`Stage::Setup`], with the path, where the file cannot be read, has no certificate in it, or one that cannot be read.
    pub fn trust_pem_file(self, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let pem = std::fs::read(path).map_err(|cause| invalid(&format!("{}: {cause}", path.display())))?;
        self.trust(&pem, &path.display().to_string())
    }

    fn trust(mut self, pem: &[u8], name: &str) -> Result<Self, Error> {
        let before = self.trusted.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|cause| invalid(&format!("{name}: {cause}")))?;
            // Only to see whether it can be used.
            let readable = RootCertStore::empty().add(certificate.clone());
            readable.map_err(|cause| invalid(&format!("{name}: {cause}")))?;
            self.trusted.push(certificate);
        }
        if self.trusted.len() == before {
            return Err(invalid(&format!("{name}: there is no BEGIN CERTIFICATE in it")));
        }
        Ok(self)
    }

    /// Leaves the cryptography to aws-lc-rs, in place of ring.
    #[cfg(feature = "aws-lc-rs")]
    #[must_use]
    pub fn aws_lc_rs(mut self) -> Self {
        self.cryptography = Cryptography::AwsLcRs;
        self
    }

    /// The settings of rustls, without the protocols to be negotiated.
    ///
    /// Cryptography is passed explicitly, so that no other crate in the process can change it.
    pub(crate) fn config(&self) -> Result<ClientConfig, Error> {
        let cryptography: Arc<CryptoProvider> = Arc::new(match self.cryptography {
            Cryptography::Ring => ring::default_provider(),
            #[cfg(feature = "aws-lc-rs")]
            Cryptography::AwsLcRs => rustls::crypto::aws_lc_rs::default_provider(),
        });
        let builder = ClientConfig::builder_with_provider(cryptography.clone());
        let builder = builder.with_safe_default_protocol_versions().map_err(setup)?;
        let verified = match self.roots {
            Roots::Platform => {
                let trusted = self.trusted.iter().cloned();
                let verifier = Verifier::new_with_extra_roots(trusted, cryptography).map_err(setup)?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
            #[cfg(feature = "webpki-roots")]
            Roots::Mozilla => {
                let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
                builder.with_root_certificates(self.with_trusted(roots)?)
            }
            Roots::None => builder.with_root_certificates(self.with_trusted(RootCertStore::empty())?),
        };
        Ok(verified.with_no_client_auth())
    }

    fn with_trusted(&self, mut roots: RootCertStore) -> Result<RootCertStore, Error> {
        for certificate in &self.trusted {
            roots.add(certificate.clone()).map_err(setup)?;
        }
        Ok(roots)
    }
}

#[cold]
fn invalid(reason: &str) -> Error {
    Error::at(Stage::Setup, None, Fault::Invalid(reason.to_owned()))
}

#[cold]
fn setup(cause: impl Into<Cause>) -> Error {
    Error::at(Stage::Setup, None, Fault::Failed(cause.into()))
}
