//! One error for everything that can go wrong with a request.

mod kind;
mod rate_limit;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use providers::ErrorKind;

use crate::exchange::Trace;
use crate::history::History;

pub(crate) use kind::{Kind, Response};
pub use rate_limit::RateLimitError;

/// Why a request, or the building of a client, failed.
///
/// It is opaque so that it can grow; the predicates tell the cases apart that a program decides on. Its text is one
/// line, says how many attempts were made, and never holds a key.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    trace: Trace,
    rate_limit: Option<RateLimitError>,
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: Kind, trace: Trace) -> Self {
        let rate_limit = RateLimitError::of(&kind, &trace);
        Self(Box::new(Inner { kind, trace, rate_limit }))
    }

    pub(crate) fn configuration(why: impl fmt::Display) -> Self {
        Self::new(Kind::Configuration(why.to_string()), Trace::default())
    }

    pub(crate) fn request(why: impl fmt::Display) -> Self {
        Self::new(Kind::Request(why.to_string()), Trace::default())
    }

    /// A short name for the case, for result files: `rate_limited`, `timeout`, `invalid_request`, ...
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// The client could not be built: a name, key, URL or option is missing or wrong.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        matches!(self.0.kind, Kind::Configuration(_))
    }

    /// The provider refused for the rate, or the wait for capacity would be longer than allowed.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.0.kind.is_rate_limited()
    }

    /// Credit or a spending limit is used up: no waiting helps.
    #[must_use]
    pub fn is_quota_exhausted(&self) -> bool {
        self.0.kind.refusal() == Some(ErrorKind::QuotaExhausted)
    }

    /// The request is larger than a limit or than the model's context.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.0.kind.is_too_large()
    }

    /// The request is malformed: it could not be sent as it is, or the provider says so. Sent again, it fails again.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.0.kind.is_invalid()
    }

    /// The key is wrong or revoked.
    #[must_use]
    pub fn is_authentication(&self) -> bool {
        self.0.kind.refusal() == Some(ErrorKind::Authentication)
    }

    /// The key is right and may not do this.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        self.0.kind.refusal() == Some(ErrorKind::Permission)
    }

    /// The provider answered, and with an error: [`status`](Self::status), [`headers`](Self::headers) and
    /// [`body`](Self::body) have it. An error inside a success, or a stream, is one, too.
    #[must_use]
    pub const fn is_status(&self) -> bool {
        matches!(self.0.kind, Kind::Refused { .. })
    }

    /// A connection, the first byte or a part of the answer took too long, or the request as a whole
    /// ([`Request::with_deadline`](crate::Request::with_deadline), [`RetryPolicy::longest_total`](crate::RetryPolicy)).
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind.is_timeout()
    }

    /// No connection could be made.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(&self.0.kind, Kind::Transport(error) if error.is_connect())
    }

    /// The client was closed while the request waited: it was not sent, or not again.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.0.kind, Kind::Closed)
    }

    /// The numbers of a request that was refused for its rate, or is larger than a limit.
    #[must_use]
    pub const fn rate_limit(&self) -> Option<&RateLimitError> {
        self.0.rate_limit.as_ref()
    }

    /// The status of the last answer, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.kind.response().map(|response| response.status)
    }

    /// The headers of the last answer, where there was one.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.kind.response().map(|response| &response.headers)
    }

    /// The body of the last answer, where there was one; of a stream, the event that carried the error.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.0.kind.response().map(|response| &response.body)
    }

    /// The provider's identifier of the last answer, where it gave one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        crate::request::request_id(self.headers()?)
    }

    /// How long to wait before it may work again, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.kind.retry_after()
    }

    /// How often the request was sent.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.0.trace.attempts
    }

    /// How many of the attempts were refused for the rate.
    #[must_use]
    pub const fn rate_limited_attempts(&self) -> u32 {
        self.0.trace.rate_limited
    }

    /// Every attempt: when it was sent, how long it waited, and what became of it.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.0.trace.history
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.kind.message())?;
        match self.attempts() {
            0 | 1 => Ok(()),
            attempts => write!(f, " (after {attempts} attempts)"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("code", &self.code()).field("message", &self.to_string()).finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match (&self.0.kind, &self.0.rate_limit) {
            (Kind::Transport(error), _) => Some(error),
            (Kind::NeverFits(never), _) => Some(never),
            (_, Some(rate_limit)) => Some(rate_limit),
            _ => None,
        }
    }
}
