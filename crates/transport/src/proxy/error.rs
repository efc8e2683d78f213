//! What can go wrong between us and a proxy.

use http::StatusCode;

use crate::error::Cause;

/// No way through a proxy: it is not there, does not let us through, or cannot reach the host.
#[derive(Debug, thiserror::Error)]
#[error("through the proxy {address}")]
pub(crate) struct ProxyError {
    /// Host and port.
    pub(super) address: String,
    #[source]
    pub(super) cause: Cause,
}

/// What a proxy says instead of opening a tunnel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("it asks for a user name and password (407)")]
    CredentialsMissing,
    #[error("it does not accept the user name and password (407)")]
    CredentialsRefused,
    #[error("it refuses to connect ({0})")]
    Status(StatusCode),
    #[error("it speaks in the tunnel before it is asked")]
    Garbled,
}

impl Refusal {
    /// What an answer with `status` means, to a request that had credentials or had none.
    pub(crate) const fn of(status: StatusCode, had_credentials: bool) -> Self {
        match (status, had_credentials) {
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, false) => Self::CredentialsMissing,
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, true) => Self::CredentialsRefused,
            _ => Self::Status(status),
        }
    }
}
