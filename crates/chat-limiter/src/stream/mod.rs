//! Answers that come as a stream.
//!
//! ```text
//! open (attempts, until a first event)  ->  AnswerStream: reader -> found (events, tally)  ->  meter (settled once)
//! ```

mod event;
mod found;
mod meter;
mod open;
mod pieces;
mod reader;
mod tally;
mod timer;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use http::{HeaderMap, StatusCode};
use pin_project::{pin_project, pinned_drop};
use providers::Usage;
use providers::payload::ChatRequest;

use crate::client::ChatLimiter;
use crate::error::{Error, Kind, Response};
use crate::exchange::Trace;
use crate::history::History;
use crate::request::{Request, request_id};
use found::{End, Found, Wanted};
use meter::Meter;
use reader::Reader;

pub use event::Event;
pub use pieces::AnswerBytes;

/// An answer that comes as a stream of events, as the provider sends them.
///
/// The provider's marks are not among them: comments, and the `[DONE]` at the end. Nothing is held but what has been read
/// and not been asked for: at most a chunk of the connection, and one event.
///
/// It holds its capacity and its slot until it ends. Then it is settled with the usage that it states; where it breaks,
/// or is dropped, with the prompt and an estimate of what was produced up to there. An error ends it.
///
/// ```no_run
/// use chat_limiter::{ChatLimiter, ChatRequest, Error, Message};
/// use futures::StreamExt;
///
/// async fn tell(limiter: &ChatLimiter) -> Result<(), Error> {
///     let request = ChatRequest::new("gpt-4o-mini", vec![Message::user("Tell me a story.")]);
///     let mut story = limiter.chat_stream(&request).await?;
///     while let Some(event) = story.next().await {
///         print!("{}", event?.text().unwrap_or_default());
///     }
///     println!("{:?}", story.usage());
///     Ok(())
/// }
/// ```
#[pin_project(PinnedDrop)]
#[must_use = "a stream that is not read holds its capacity until it is dropped"]
pub struct AnswerStream {
    head: Head,
    #[pin]
    reader: Reader,
    meter: Meter,
    trace: Trace,
    is_over: bool,
}

/// So many chunks are looked at for something to hand out before others have their turn.
const AT_ONCE: usize = 64;

/// The head of the response.
#[derive(Debug)]
struct Head {
    status: StatusCode,
    headers: HeaderMap,
}

impl ChatLimiter {
    /// Sends a request whose answer comes as a stream, and returns it when its first event has come. Until then, it is
    /// tried again as any request; what breaks afterwards is not.
    ///
    /// The body goes out as it is, so it asks for a stream itself, and, where the provider has to be asked, for the usage:
    /// see [`chat_stream`](Self::chat_stream). An answer that comes whole all the same is one event.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub async fn stream(&self, request: Request) -> Result<AnswerStream, Error> {
        let prepared = self.shared.prepare(request).await?;
        let span = prepared.span.clone();
        span.watch(self.shared.open(prepared)).await
    }

    /// Sends messages to a model, in the provider's own form, and asks for the answer as a stream that states its usage.
    ///
    /// # Errors
    ///
    /// As [`chat_with`](Self::chat_with).
    pub async fn chat_stream(&self, request: &ChatRequest) -> Result<AnswerStream, Error> {
        let mut request = request.clone();
        request.stream = Some(true);
        let payload = self.provider().chat_payload(&request).map_err(Error::request)?;
        self.stream(Request::post(payload.endpoint, payload.body.to_string())).await
    }
}

impl AnswerStream {
    const fn new(head: Head, reader: Reader, meter: Meter, trace: Trace) -> Self {
        Self { head, reader, meter, trace, is_over: false }
    }

    /// The status, 2xx.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The provider's identifier of the answer, where it gave one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.head.headers)
    }

    /// The tokens that it took, as far as it has said so. Final when it has ended.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.reader.found.tally.usage()
    }

    /// Whether it has said that nothing more comes. One that ends without was cut off; some servers never say it.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.reader.found.tally.is_complete()
    }

    /// How often the request was sent.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.trace.attempts
    }

    /// How many of the attempts were refused for the rate.
    #[must_use]
    pub const fn rate_limited_attempts(&self) -> u32 {
        self.trace.rate_limited
    }

    /// Every attempt: when it was sent, how long it waited, and what became of it.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.trace.history
    }

    /// The bytes of the body in place of its events, as they come: for passing them on. What was read of it in events is
    /// not among them. Credentials of this client are masked in them; anything else is unchanged.
    pub fn into_bytes(mut self) -> AnswerBytes {
        self.reader.found.want(Wanted::Pieces);
        AnswerBytes::new(self)
    }

    /// The next of whatever is read.
    fn poll_item<T>(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        next: impl Fn(&mut Found) -> Option<T>,
    ) -> Poll<Option<Result<T, Error>>> {
        let mut this = self.project();
        for _ in 0..AT_ONCE {
            if let Some(item) = next(this.reader.as_mut().found()) {
                return Poll::Ready(Some(Ok(item)));
            }
            if *this.is_over {
                return Poll::Ready(None);
            }
            let Some(end) = ready!(this.reader.as_mut().poll_read(context, this.meter.mask())) else { continue };
            *this.is_over = true;
            let tally = &this.reader.found.tally;
            let response =
                |body| Box::new(Response { status: this.head.status, headers: this.head.headers.clone(), body });
            let kind = match end {
                End::Complete => {
                    this.meter.end(tally);
                    return Poll::Ready(None);
                }
                End::Failed(mut failure, data) => {
                    this.meter.mask().failure(&mut failure);
                    this.meter.fail(tally, &failure);
                    Kind::Refused { failure, response: response(data) }
                }
                End::Transport(error) => {
                    this.meter.cut(tally);
                    Kind::Transport(error)
                }
                End::Broken(why) => {
                    this.meter.cut(tally);
                    Kind::Answer { why, response: response(Bytes::new()) }
                }
            };
            this.trace.history.broke(&kind);
            this.meter.span().failed(kind.code());
            return Poll::Ready(Some(Err(Error::new(kind, this.trace.clone()))));
        }
        // A body that is always ready, and has nothing to hand out, leaves time for others.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Stream for AnswerStream {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.as_mut().project().reader.found().want(Wanted::Events);
        self.poll_item(context, |found| found.events.pop_front())
    }
}

#[pinned_drop]
impl PinnedDrop for AnswerStream {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        this.meter.cut(&this.reader.found.tally);
    }
}

impl fmt::Debug for AnswerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerStream")
            .field("status", &self.head.status)
            .field("attempts", &self.trace.attempts)
            .field("usage", &self.usage())
            .finish_non_exhaustive()
    }
}
