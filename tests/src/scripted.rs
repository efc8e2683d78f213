//! A server that answers what a test wrote down.

use std::collections::VecDeque;
use std::convert::identity;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chat_limiter::Builder;
use chat_limiter::transport::Transport;
use futures::Stream;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::DuplexStream;

use crate::{Face, Stopwatch, wire};

/// What a server does about one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers.
    Answer(Response<Bytes>),
    /// Answers with this head and a body that comes in parts.
    Stream(Response<Vec<Part>>),
    /// Closes the connection.
    Reset,
    /// Does nothing, for ever.
    Silence,
}

/// What a server does about a body that comes in parts.
#[derive(Clone, Debug)]
pub enum Part {
    /// Sends it.
    Send(Bytes),
    /// Waits.
    Wait(Duration),
    /// Breaks the connection off.
    Break,
    /// Sends nothing more, for ever.
    Stall,
    /// Sends this again and again, each time after a wait, for ever.
    Repeat(Bytes, Duration),
}

impl Part {
    /// An event with this data.
    #[must_use]
    pub fn event(data: &Value) -> Self {
        Self::Send(format!("data: {data}\n\n").into())
    }

    /// A piece of text, as OpenAI sends it.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::event(&json!({"choices": [{"index": 0, "delta": {"content": text}}]}))
    }

    /// The end of a stream that took so many tokens, as OpenAI sends it.
    #[must_use]
    pub fn end(input: u64, output: u64) -> Self {
        let usage = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
        Self::Send(format!("data: {}\n\ndata: [DONE]\n\n", json!({"choices": [], "usage": usage})).into())
    }
}

impl Reply {
    /// A stream of events.
    #[must_use]
    pub fn stream(parts: impl Into<Vec<Part>>) -> Self {
        Self::Stream(Response::new(parts.into())).with("content-type", "text/event-stream")
    }

    /// A JSON answer with these headers.
    #[must_use]
    pub fn json(status: u16, headers: &[(&'static str, &str)], body: &Value) -> Self {
        Self::text(status, headers, body.to_string()).with("content-type", "application/json")
    }

    /// An answer with these headers.
    #[must_use]
    pub fn text(status: u16, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> Self {
        let mut answer = Response::new(body.into());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
        headers.iter().fold(Self::Answer(answer), |reply, (name, value)| reply.with(name, value))
    }

    /// A chat completion that took five tokens of input and five of output.
    #[must_use]
    pub fn success() -> Self {
        let usage = json!({"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10,
            "input_tokens": 5, "output_tokens": 5});
        Self::json(200, &[], &json!({"id": "1", "choices": [], "usage": usage}))
    }

    /// A chat completion that does not say what it took.
    #[must_use]
    pub fn success_without_usage() -> Self {
        Self::json(200, &[], &json!({"id": "1", "choices": []}))
    }

    /// An error in the form that all providers share, with a type and a message.
    #[must_use]
    pub fn error(status: u16, headers: &[(&'static str, &str)], name: &str, message: &str) -> Self {
        Self::json(status, headers, &json!({"error": {"type": name, "code": name, "message": message}}))
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        let headers = match &mut self {
            Self::Answer(answer) => answer.headers_mut(),
            Self::Stream(answer) => answer.headers_mut(),
            Self::Reset | Self::Silence => return self,
        };
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
        self
    }
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The frames of a body that comes in parts.
fn sent(parts: Vec<Part>) -> impl Stream<Item = io::Result<Frame<Bytes>>> + Send + 'static {
    futures::stream::unfold(VecDeque::from(parts), |mut parts| async move {
        loop {
            match parts.pop_front()? {
                Part::Send(bytes) => return Some((Ok(Frame::data(bytes)), parts)),
                Part::Wait(span) => tokio::time::sleep(span).await,
                Part::Break => return Some((Err(io::ErrorKind::ConnectionReset.into()), VecDeque::new())),
                Part::Stall => std::future::pending().await,
                Part::Repeat(bytes, span) => {
                    tokio::time::sleep(span).await;
                    parts.push_front(Part::Repeat(bytes.clone(), span));
                    return Some((Ok(Frame::data(bytes)), parts));
                }
            }
        }
    })
}

/// Answers a request by its number and its body.
type Script = dyn Fn(usize, &[u8]) -> Reply + Send + Sync;

/// A server that answers by a script, at the other end of pipes.
#[derive(Clone)]
pub struct Scripted {
    script: Arc<Script>,
    since: Stopwatch,
    arrivals: Arc<Mutex<Vec<Duration>>>,
    heads: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Scripted {
    /// A server that answers the request number `n`, from 0 in the order of arrival, with `script(n)`.
    pub fn new(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::reading(move |n, _| script(n))
    }

    /// The same for a script that looks at the body, too.
    pub fn reading(script: impl Fn(usize, &[u8]) -> Reply + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), since: Stopwatch::start(), arrivals: Arc::default(), heads: Arc::default() }
    }

    /// A server that gives these answers in turn, and successes afterwards.
    #[must_use]
    pub fn in_turn(replies: Vec<Reply>) -> Self {
        Self::new(move |n| replies.get(n).cloned().unwrap_or_else(Reply::success))
    }

    /// A transport to it.
    #[must_use]
    pub fn transport(&self) -> Arc<dyn Transport> {
        let server = self.clone();
        wire::piped(move |pipe| server.clone().serve(pipe))
    }

    /// A client of it.
    #[must_use]
    pub fn client(&self, face: Face) -> Builder {
        face.client(self.transport())
    }

    /// The time since the server was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.since.elapsed()
    }

    /// When each request arrived, since the server was made.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Duration> {
        self.arrivals.lock().map_or_else(PoisonError::into_inner, identity).clone()
    }

    /// The headers of each request.
    #[must_use]
    pub fn heads(&self) -> Vec<HeaderMap> {
        self.heads.lock().map_or_else(PoisonError::into_inner, identity).clone()
    }

    async fn serve(self, pipe: DuplexStream) {
        let service = service_fn(|request| self.answer(request));
        // How a connection ends is in the script, or the client's affair.
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(pipe), service).await;
    }

    async fn answer(&self, request: http::Request<Incoming>) -> io::Result<Response<Body>> {
        let number = {
            let mut arrivals = self.arrivals.lock().map_or_else(PoisonError::into_inner, identity);
            arrivals.push(self.since.elapsed());
            arrivals.len() - 1
        };
        self.heads.lock().map_or_else(PoisonError::into_inner, identity).push(request.headers().clone());
        let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        match (self.script)(number, &body) {
            Reply::Answer(answer) => {
                Ok(answer.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync()))
            }
            Reply::Stream(answer) => Ok(answer.map(|parts| StreamBody::new(sent(parts)).boxed_unsync())),
            Reply::Reset => Err(io::ErrorKind::ConnectionReset.into()),
            Reply::Silence => std::future::pending().await,
        }
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").field("arrivals", &self.arrivals).finish_non_exhaustive()
    }
}
