//! TLS: which cryptography, whose certificates, which protocols.

use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::ring;

use crate::connector;
use crate::error::{Error, Fault, Stage};

/// TCP with TLS for `https` URIs and without for `http` ones.
///
/// Cryptography is passed explicitly, so that no other crate in the process can change it. Certificates are those the
/// platform trusts. HTTP/2 is offered beside HTTP/1.1 and the server chooses.
///
/// # Errors
///
/// [`Stage::Setup`] where the platform has no certificates to trust.
pub(crate) fn connector() -> Result<HttpsConnector<HttpConnector>, Error> {
    let mut tcp = connector::tcp();
    tcp.enforce_http(false);
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_platform_verifier(Arc::new(ring::default_provider()))
        .map_err(|cause| Error::at(Stage::Setup, None, Fault::Failed(cause.into())))?;
    Ok(builder.https_or_http().enable_all_versions().wrap_connector(tcp))
}
