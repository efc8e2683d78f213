//! The transport against servers on the other end of a pipe, on virtual time; and against some on loopback, never on it.

mod bodies;
#[cfg(feature = "compression")]
mod compressed;
mod exchange;
mod failures;
mod proxies;
#[cfg(feature = "reqwest")]
mod reqwest;
mod server;
mod stages;
mod tls;
mod uploads;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

use crate::{Body, Error, HyperTransport, Timeouts, Transport};

/// The credential that every request carries and that no text may show.
const SECRET: &str = "sk-secret";

/// The transport under test and how many connections it has opened.
struct Piped {
    transport: Arc<dyn Transport>,
    opened: Arc<AtomicUsize>,
}

impl Piped {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Error> {
        self.transport.send(request).await
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }
}

/// A transport whose every connection is a pipe, with `serve` at its other end.
fn piped<Serving>(serve: impl Fn(DuplexStream) -> Serving + Clone + Send + Sync + 'static) -> Piped
where
    Serving: Future<Output = ()> + Send + 'static,
{
    piped_as(false, serve)
}

/// The same, over HTTP/2.
fn piped_as<Serving>(http2: bool, serve: impl Fn(DuplexStream) -> Serving + Clone + Send + Sync + 'static) -> Piped
where
    Serving: Future<Output = ()> + Send + 'static,
{
    let opened = Arc::new(AtomicUsize::new(0));
    let counter = opened.clone();
    let connector = crate::from_fn(move |_uri| {
        let (ours, theirs) = duplex(64 * 1024);
        counter.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve(theirs));
        async { Ok::<_, io::Error>(ours) }
    });
    let connector = if http2 { connector.http2() } else { connector };
    Piped { transport: Arc::new(HyperTransport::with_connector(connector, Timeouts::default())), opened }
}

/// A connection as servers have it.
trait Pipe: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Pipe for T {}

/// Answers every request of one HTTP/1.1 connection with `answer`.
async fn serve_http1<Answering, B>(pipe: impl Pipe, answer: impl Fn(Request<Incoming>) -> Answering)
where
    Answering: Future<Output = Response<B>>,
    B: http_body::Body<Data = Bytes, Error = io::Error> + 'static,
{
    let service = service_fn(|request| {
        let answering = answer(request);
        async { Ok::<_, io::Error>(answering.await) }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(pipe), service).await;
}

/// Answers every request of one HTTP/2 connection with `answer`.
async fn serve_http2<Answering, B>(pipe: impl Pipe, answer: impl Fn(Request<Incoming>) -> Answering)
where
    Answering: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error = io::Error> + Send + 'static,
{
    let service = service_fn(|request| {
        let answering = answer(request);
        async { Ok::<_, io::Error>(answering.await) }
    });
    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = builder.serve_connection(TokioIo::new(pipe), service).await;
}

/// Reads the head of one request, writes `bytes` as they are, and returns the pipe: dropping it closes the connection.
async fn write_raw(mut pipe: DuplexStream, bytes: &[u8]) -> DuplexStream {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match pipe.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return pipe,
        }
    }
    let _ = pipe.write_all(bytes).await;
    pipe
}

/// A request as clients of LLM providers send it: a key in a header, another one in the query.
fn question() -> Request<Body> {
    Request::post(format!("http://api.example.com/v1/chat?key={SECRET}"))
        .header("authorization", format!("Bearer {SECRET}"))
        .body(Body::from_bytes("{\"messages\":[]}"))
        .unwrap()
}

/// The same with its own timeouts.
fn question_within(timeouts: Timeouts) -> Request<Body> {
    let mut request = question();
    request.extensions_mut().insert(timeouts);
    request
}

/// What the future came to, and how much virtual time it took.
async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let start = now();
    let outcome = future.await;
    (outcome, now() - start)
}

#[expect(clippy::disallowed_methods, reason = "the paused clock of a test")]
fn now() -> Instant {
    Instant::now()
}

/// The text of an error, after checking that no form of it shows a credential or a path.
fn text(error: &Error) -> String {
    let shown = error.to_string();
    let mut forms = vec![shown.clone(), format!("{error:?}"), format!("{error:#?}")];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        forms.extend([error.to_string(), format!("{error:?}")]);
        cause = error.source();
    }
    for form in &forms {
        assert!(!form.contains(SECRET) && !form.contains("/v1"), "{form}");
    }
    assert!(!shown.contains(char::is_control), "{shown:?}");
    shown
}
