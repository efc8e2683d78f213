//! What can go wrong with a request, and how far it got.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;
use std::{fmt, iter};

use http::Uri;

use crate::peer::Peer;
use crate::proxy::ProxyError;

/// An error of somebody else's, as it was caught.
pub(crate) type Cause = Box<dyn StdError + Send + Sync>;

/// How far a request got before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The transport itself could not be made.
    Setup,
    /// The request was refused before anything was done with it, or its own body broke off.
    Request,
    /// It had no connection yet: name lookup, TCP, TLS.
    Connect,
    /// It had a connection, and no response head came back.
    Response,
    /// The head was there, and the body broke off.
    Body,
}

/// Why a request failed, and how far it got.
///
/// Its text is one line that names the stage, the host and port, and the innermost cause, such as
/// `connect to 127.0.0.1:9: Connection refused (os error 111)`. Neither header values nor paths nor query strings are
/// in it. [`source`](StdError::source) leads to the whole chain of causes.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    stage: Stage,
    peer: Option<Peer>,
    fault: Fault,
    sent: bool,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{0}")]
    Invalid(String),
    #[error("nothing for {0:?}")]
    TimedOut(Duration),
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    #[cfg(feature = "compression")]
    #[error("{coding} that cannot be decoded: {cause}")]
    Undecodable {
        coding: &'static str,
        #[source]
        cause: std::io::Error,
    },
    #[error("{}", innermost(&**.0))]
    Failed(#[source] Cause),
}

impl Error {
    /// The request to `uri` failed at `stage` because of `cause`: for transports of one's own.
    ///
    /// An `Error` as the cause is returned as it is. Of the URI, the host and port are kept.
    #[cold]
    pub fn new(stage: Stage, uri: &Uri, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::at(stage, Peer::parse(uri).ok(), Fault::Failed(cause.into()))
    }

    /// The request to `uri` waited at `stage` for as long as `after` allows: for transports of one's own.
    #[cold]
    #[must_use]
    pub fn timed_out(stage: Stage, uri: &Uri, after: Duration) -> Self {
        Self::at(stage, Peer::parse(uri).ok(), Fault::TimedOut(after))
    }

    /// The request cannot be sent as it is, and trying again will not help.
    ///
    /// The reason becomes part of the text: it must not quote a header's value or a query.
    #[cold]
    pub fn invalid_request(reason: impl fmt::Display) -> Self {
        Self::at(Stage::Request, None, Fault::Invalid(reason.to_string()))
    }

    #[cold]
    pub(crate) fn at(stage: Stage, peer: Option<Peer>, fault: Fault) -> Self {
        let fault = match fault {
            Fault::Failed(cause) => match cause.downcast::<Self>() {
                Ok(error) => return *error,
                Err(cause) => Fault::Failed(cause),
            },
            other => other,
        };
        let sent = matches!(stage, Stage::Response | Stage::Body);
        Self(Box::new(Inner { stage, peer, fault, sent }))
    }

    /// The same error of a request that surely did not leave.
    #[must_use]
    pub fn unsent(mut self) -> Self {
        self.0.sent = false;
        self
    }

    /// The error of the body that a request to `peer` had, of which something may have left.
    pub(crate) fn of_request(mut self, peer: Peer) -> Self {
        self.0.stage = Stage::Request;
        self.0.peer = Some(peer);
        self.0.sent = true;
        self
    }

    /// How far the request got.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.0.stage
    }

    /// Whether no connection could be made: name lookup, TCP or TLS failed or took too long.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.0.stage == Stage::Connect
    }

    /// Whether it took too long, at any stage.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.fault, Fault::TimedOut(_)) || self.io_kinds().any(|kind| kind == ErrorKind::TimedOut)
    }

    /// Whether the response had begun: its head arrived and its body did not, or was too large.
    #[must_use]
    pub fn is_body(&self) -> bool {
        self.0.stage == Stage::Body
    }

    /// Whether the body was larger than the caller allowed.
    #[must_use]
    pub fn is_body_too_large(&self) -> bool {
        matches!(self.0.fault, Fault::TooLarge(_))
    }

    /// Whether what came back is not HTTP.
    ///
    /// A server that speaks before it is asked is not among these: it gets no request, so the connection failed.
    #[must_use]
    pub fn is_protocol(&self) -> bool {
        // Broken framing of a body arrives as an I/O error of these kinds. While connecting they mean something else.
        let garbled = |kind| matches!(kind, ErrorKind::InvalidData | ErrorKind::InvalidInput);
        let mut hyper_errors = self.chain().filter_map(|cause| cause.downcast_ref::<hyper::Error>());
        if hyper_errors.any(hyper::Error::is_incomplete_message) {
            // The connection ended; what had come was good.
            return false;
        }
        self.chain().filter_map(|cause| cause.downcast_ref()).any(hyper::Error::is_parse)
            || (self.0.sent && self.io_kinds().any(garbled))
    }

    /// Whether the request itself is at fault, so that it will fail again. Where its own body broke off, part of it may have
    /// [been sent](Error::was_sent).
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.0.stage == Stage::Request
    }

    /// Whether the request may have reached the server: `false` only when it surely did not.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.0.sent
    }

    fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        chain(self)
    }

    fn io_kinds(&self) -> impl Iterator<Item = ErrorKind> {
        self.chain().filter_map(|cause| cause.downcast_ref()).map(std::io::Error::kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { stage, peer, fault, .. } = &*self.0;
        let (what, preposition) = match stage {
            Stage::Setup => ("set-up", "for"),
            Stage::Request => ("request", "to"),
            Stage::Connect => ("connect", "to"),
            Stage::Response => ("response", "from"),
            Stage::Body => ("response body", "from"),
        };
        f.write_str(what)?;
        if let Some(peer) = peer {
            write!(f, " {preposition} {peer}")?;
        }
        match (stage, fault) {
            (Stage::Connect, Fault::TimedOut(after)) => write!(f, ": no connection within {after:?}"),
            (Stage::Response, Fault::TimedOut(after)) => write!(f, ": no answer within {after:?}"),
            _ => write!(f, ": {fault}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.fault.source()
    }
}

pub(crate) fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    iter::successors(Some(error), |error| (*error).source())
}

/// The text of the last error in the chain, on one line; and between whom it was, where that was not the peer.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut text = chain(error).last().map(ToString::to_string).unwrap_or_default();
    if let Some(proxy) = chain(error).find(|cause| cause.is::<ProxyError>()) {
        text = format!("{proxy}: {text}");
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
