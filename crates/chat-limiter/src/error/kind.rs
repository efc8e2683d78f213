//! The cases behind the opaque error.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use limiter_core::{Nanos, NeverFits};
use providers::{ErrorKind, Failure};

#[derive(Debug)]
pub(crate) enum Kind {
    /// The client cannot be built like this.
    Configuration(String),
    /// The request cannot be sent like this.
    Request(String),
    NeverFits(NeverFits),
    TooLong(Duration),
    Down(Arc<str>),
    /// All the time that it had is over.
    Overdue {
        within: Duration,
        /// What went wrong last, where something did.
        last: Option<Box<Kind>>,
    },
    Closed,
    /// The provider was asked, and said that all credit is spent.
    Exhausted(Arc<str>),
    Refused {
        failure: Box<Failure>,
        response: Box<Response>,
    },
    Transport(transport::Error),
    /// A success whose body is not what a success has.
    Answer {
        why: String,
        response: Box<Response>,
    },
}

/// A response, as far as it was read.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl std::fmt::Debug for Response {
    /// Without the body, which may be long and is the user's affair, and the headers, whose values are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Kind {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Configuration(_) => "configuration",
            Self::Request(_) => "invalid_request",
            Self::NeverFits(_) => "too_large",
            Self::TooLong(_) => "limit_exhausted",
            Self::Down(_) => "provider_down",
            Self::Overdue { .. } => "timeout",
            Self::Closed => "closed",
            Self::Exhausted(_) => ErrorKind::QuotaExhausted.name(),
            Self::Refused { failure, .. } => failure.kind.name(),
            Self::Transport(error) if error.is_connect() => "connect",
            Self::Transport(error) if error.is_timeout() => "timeout",
            Self::Transport(error) if error.is_body_too_large() => "answer_too_large",
            Self::Transport(error) if error.is_request() => "invalid_request",
            Self::Transport(_) => "connection",
            Self::Answer { .. } => "invalid_answer",
        }
    }

    /// What the provider refused it for.
    pub(crate) fn refusal(&self) -> Option<ErrorKind> {
        match self {
            Self::Refused { failure, .. } => Some(failure.kind),
            Self::Exhausted(_) => Some(ErrorKind::QuotaExhausted),
            _ => None,
        }
    }

    pub(crate) fn is_rate_limited(&self) -> bool {
        matches!(self, Self::TooLong(_)) || self.refusal().is_some_and(ErrorKind::is_limit)
    }

    pub(crate) fn is_too_large(&self) -> bool {
        matches!(self, Self::NeverFits(_)) || self.refusal() == Some(ErrorKind::TooLarge)
    }

    pub(crate) fn is_invalid(&self) -> bool {
        match self {
            Self::Request(_) => true,
            Self::Transport(error) => error.is_request(),
            _ => self.refusal() == Some(ErrorKind::Invalid),
        }
    }

    pub(crate) fn is_timeout(&self) -> bool {
        match self {
            Self::Overdue { .. } => true,
            Self::Transport(error) => error.is_timeout(),
            _ => false,
        }
    }

    pub(crate) fn response(&self) -> Option<&Response> {
        match self {
            Self::Overdue { last, .. } => last.as_ref()?.response(),
            Self::Refused { response, .. } | Self::Answer { response, .. } => Some(response),
            _ => None,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooLong(wait) => Some(*wait),
            Self::Refused { failure, .. } => failure.retry_after.map(Nanos::into),
            _ => None,
        }
    }

    /// What happened, on one line.
    pub(crate) fn message(&self) -> Cow<'_, str> {
        match self {
            Self::Configuration(why) | Self::Request(why) => Cow::Borrowed(why),
            Self::NeverFits(never) => Cow::Owned(never.to_string()),
            Self::TooLong(wait) => {
                Cow::Owned(format!("the limit is exhausted for another {} s", wait.as_secs().saturating_add(1)))
            }
            Self::Closed => Cow::Borrowed("the client was closed before the request was sent"),
            Self::Exhausted(why) => Cow::Borrowed(why),
            Self::Overdue { within, last: None } => Cow::Owned(format!("not done within {within:?}")),
            Self::Overdue { within, last: Some(last) } => {
                Cow::Owned(format!("not done within {within:?}; last: {}", last.message()))
            }
            Self::Down(why) => Cow::Owned(format!("the provider does not answer: {why}")),
            Self::Refused { failure, response } => {
                Cow::Owned(format!("{}: {}", response.status, one_line(&failure.message)))
            }
            Self::Transport(error) => Cow::Owned(error.to_string()),
            Self::Answer { why, response } => Cow::Owned(format!("{}: {why}", response.status)),
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
