//! Why an item failed.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::Error;

/// Why an item failed.
///
/// A client's [`Error`] is final: the client has sent the request as often as its [`RetryPolicy`](crate::RetryPolicy)
/// allows, and a batch that repeated it would send it more often. Worth another try is only what the client does not try
/// again itself, a question about models or limits, say, that nobody answered. Whoever wants a final one repeated all the
/// same says so with [`retryable`](Self::retryable).
#[derive(Debug)]
pub struct ItemError {
    kind: Kind,
    is_retryable: bool,
}

#[derive(Debug)]
enum Kind {
    Client(Error),
    Other(Box<dyn StdError + Send + Sync>),
    Stopped,
}

impl ItemError {
    /// An error of a processor's own, which is not worth another try.
    #[must_use]
    pub fn new(why: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: Kind::Other(why.into()), is_retryable: false }
    }

    /// The same, but worth another try.
    #[must_use]
    pub const fn retryable(mut self) -> Self {
        self.is_retryable = true;
        self
    }

    /// The item was not processed to its end because another one failed, with `stop_on_first_error`.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        matches!(self.kind, Kind::Stopped)
    }

    /// Whether it may go well another time.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        self.is_retryable
    }

    /// The client's error, where it is one.
    #[must_use]
    pub const fn client_error(&self) -> Option<&Error> {
        match &self.kind {
            Kind::Client(error) => Some(error),
            _ => None,
        }
    }

    pub(super) const fn stopped() -> Self {
        Self { kind: Kind::Stopped, is_retryable: false }
    }

    /// How often the item was sent.
    pub(super) fn attempts(&self) -> u32 {
        self.client_error().map_or(1, Error::attempts)
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.client_error()?.retry_after()
    }

    pub(super) fn was_rate_limited(&self) -> bool {
        self.client_error().is_some_and(|error| error.is_rate_limited() || error.rate_limited_attempts() > 0)
    }
}

impl From<Error> for ItemError {
    fn from(error: Error) -> Self {
        Self { is_retryable: is_worth_it(&error), kind: Kind::Client(error) }
    }
}

/// Whether the client's error may be over another time, and nobody has tried that yet.
fn is_worth_it(error: &Error) -> bool {
    if error.attempts() > 0 || error.is_quota_exhausted() {
        return false;
    }
    match error.status() {
        Some(StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_EARLY) => true,
        Some(StatusCode::TOO_MANY_REQUESTS) => true,
        Some(status) => status.is_server_error() || status.is_success(),
        None => error.is_timeout() || error.is_connect() || error.code() == "connection",
    }
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Client(error) => error.fmt(f),
            Kind::Other(error) => error.fmt(f),
            Kind::Stopped => f.write_str("stopped because another item failed"),
        }
    }
}

impl StdError for ItemError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.kind {
            Kind::Client(error) => error.source(),
            Kind::Other(error) => error.source(),
            Kind::Stopped => None,
        }
    }
}
