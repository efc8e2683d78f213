//! One error for everything that can go wrong with a request.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use limiter_core::{Nanos, NeverFits};
use providers::{ErrorKind, Failure};

use crate::exchange::Trace;

/// Why a request, or the building of a client, failed.
///
/// It is opaque so that it can grow; the predicates tell the cases apart that a program decides on. Its text is one
/// line, says how many attempts were made, and never holds a key.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    trace: Trace,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// The client cannot be built like this.
    Configuration(String),
    /// The request cannot be sent like this.
    Request(String),
    NeverFits(NeverFits),
    TooLong(Duration),
    Down(Arc<str>),
    Closed,
    /// The provider was asked, and said that all credit is spent.
    Exhausted(Arc<str>),
    Refused {
        failure: Box<Failure>,
        status: StatusCode,
        body: Bytes,
        request_id: Option<String>,
    },
    Transport(transport::Error),
    /// A success whose body is not what a success has.
    Answer {
        why: String,
        status: StatusCode,
        body: Bytes,
    },
}

impl Error {
    pub(crate) fn new(kind: Kind, trace: Trace) -> Self {
        Self(Box::new(Inner { kind, trace }))
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
        match &self.0.kind {
            Kind::Configuration(_) => "configuration",
            Kind::Request(_) => "invalid_request",
            Kind::NeverFits(_) => "too_large",
            Kind::TooLong(_) => "limit_exhausted",
            Kind::Down(_) => "provider_down",
            Kind::Closed => "closed",
            Kind::Exhausted(_) => ErrorKind::QuotaExhausted.name(),
            Kind::Refused { failure, .. } => failure.kind.name(),
            Kind::Transport(error) if error.is_connect() => "connect",
            Kind::Transport(error) if error.is_timeout() => "timeout",
            Kind::Transport(error) if error.is_body_too_large() => "answer_too_large",
            Kind::Transport(error) if error.is_request() => "invalid_request",
            Kind::Transport(_) => "connection",
            Kind::Answer { .. } => "invalid_answer",
        }
    }

    /// The client could not be built: a name, key, URL or option is missing or wrong.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        matches!(self.0.kind, Kind::Configuration(_))
    }

    /// The provider refused for the rate, or the wait for capacity would be longer than allowed.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        match &self.0.kind {
            Kind::TooLong(_) => true,
            Kind::Refused { failure, .. } => failure.kind.is_limit(),
            _ => false,
        }
    }

    /// Credit or a spending limit is used up: no waiting helps.
    #[must_use]
    pub fn is_quota_exhausted(&self) -> bool {
        match &self.0.kind {
            Kind::Exhausted(_) => true,
            Kind::Refused { failure, .. } => failure.kind == ErrorKind::QuotaExhausted,
            _ => false,
        }
    }

    /// The request is larger than a limit or than the model's context.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        match &self.0.kind {
            Kind::NeverFits(_) => true,
            Kind::Refused { failure, .. } => failure.kind == ErrorKind::TooLarge,
            _ => false,
        }
    }

    /// A connection, the first byte or a part of the answer took too long.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(&self.0.kind, Kind::Transport(error) if error.is_timeout())
    }

    /// No connection could be made.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(&self.0.kind, Kind::Transport(error) if error.is_connect())
    }

    /// The status of the last answer, where there was one.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        match &self.0.kind {
            Kind::Refused { status, .. } | Kind::Answer { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The body of the last answer, where there was one.
    #[must_use]
    pub const fn body(&self) -> Option<&Bytes> {
        match &self.0.kind {
            Kind::Refused { body, .. } | Kind::Answer { body, .. } => Some(body),
            _ => None,
        }
    }

    /// The client was closed while the request waited: it was not sent, or not again.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.0.kind, Kind::Closed)
    }

    /// The provider's identifier of the last answer, where it gave one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Refused { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// How long to wait before it may work again, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            Kind::TooLong(wait) => Some(*wait),
            Kind::Refused { failure, .. } => failure.retry_after.map(Nanos::into),
            _ => None,
        }
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

    fn message(&self) -> Cow<'_, str> {
        match &self.0.kind {
            Kind::Configuration(why) | Kind::Request(why) => Cow::Borrowed(why),
            Kind::NeverFits(never) => Cow::Owned(never.to_string()),
            Kind::TooLong(wait) => {
                Cow::Owned(format!("the limit is exhausted for another {} s", wait.as_secs().saturating_add(1)))
            }
            Kind::Closed => Cow::Borrowed("the client was closed before the request was sent"),
            Kind::Exhausted(why) => Cow::Borrowed(why),
            Kind::Down(why) => Cow::Owned(format!("the provider does not answer: {why}")),
            Kind::Refused { failure, status, .. } => Cow::Owned(format!("{status}: {}", one_line(&failure.message))),
            Kind::Transport(error) => Cow::Owned(error.to_string()),
            Kind::Answer { why, status, .. } => Cow::Owned(format!("{status}: {why}")),
        }
    }
}

/// The text without line breaks and control characters: what providers write goes to logs and terminals.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
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
        match &self.0.kind {
            Kind::Transport(error) => Some(error),
            Kind::NeverFits(never) => Some(never),
            _ => None,
        }
    }
}
