//! How long each stage of a request may take.

use std::time::Duration;

/// How long each stage of one request may take.
///
/// [`Duration::MAX`] waits without end. A value in the extensions of a request stands in for the transport's own:
///
/// ```
/// use std::time::Duration;
/// use transport::Timeouts;
///
/// let mut request = http::Request::new(transport::Body::empty());
/// request.extensions_mut().insert(Timeouts { first_byte: Duration::from_secs(600), ..Timeouts::default() });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the request has a connection: name lookup, TCP and TLS, or an idle connection of the pool. 10 s by
    /// default. One attempt to connect never takes longer than five minutes, whatever is written here.
    pub connect: Duration,
    /// From the request being handed over a connection until the head of the response has arrived: sending a long body is part
    /// of it. 120 s by default.
    ///
    /// A provider that does not stream sends the head when the whole answer is written, so this is also how long a
    /// model may think.
    pub first_byte: Duration,
    /// Between two chunks of the response's body, while somebody waits for the next one. 60 s by default.
    pub idle: Duration,
}

impl Timeouts {
    /// No timeout at any stage.
    pub const NONE: Self = Self { connect: Duration::MAX, first_byte: Duration::MAX, idle: Duration::MAX };
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), first_byte: Duration::from_secs(120), idle: Duration::from_secs(60) }
    }
}
