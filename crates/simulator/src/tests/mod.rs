//! Over the wire: a hyper client against the simulator on paused time, and once on a real socket.

mod bad_input;
mod counts;
mod disturbances;
mod faces;
mod faults;
mod foreign;
mod limits;
mod policies;
mod sockets;
mod streams;

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Config, Simulator};

/// 2026-01-01T00:00:00Z, a full minute.
const START: u64 = 1_767_225_600;

/// A provider that answers at once and whose calendar starts at [`START`].
fn config() -> Config {
    let start = UNIX_EPOCH + Duration::from_secs(START);
    Config::default().with_latency(Duration::ZERO).with_start_time(start)
}

fn simulator(config: Config) -> Simulator {
    Simulator::new(config).unwrap()
}

/// A chat request of `tokens` prompt tokens (three at least) that produces at most one.
fn chat(tokens: usize) -> Value {
    json!({"model": "gpt-4o", "max_tokens": 1, "messages": [{"role": "user", "content": "x".repeat((tokens - 2) * 4)}]})
}

/// A message request of `tokens` prompt tokens (three at least).
fn message(tokens: usize, max_tokens: u64) -> Value {
    let mut body = chat(tokens);
    body["max_tokens"] = json!(max_tokens);
    body
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).to_str().unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// The `data` of every event.
    fn events(&self) -> Vec<Value> {
        let data = self.text().lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

/// A client with one connection.
struct Client(SendRequest<Full<Bytes>>);

impl Client {
    async fn over(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        let (sender, connection) = handshake(TokioIo::new(io)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn new(simulator: &Simulator) -> Self {
        Self::over(simulator.connect()).await
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, hyper::Error> {
        self.0.ready().await?;
        let (head, body) = self.0.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    async fn try_post(&mut self, path: &str, body: &Value) -> Result<Answer, hyper::Error> {
        self.send(request("POST", path, body.to_string())).await
    }

    async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).await.unwrap()
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(request("GET", path, "")).await.unwrap()
    }
}

fn request(method: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let body = Full::new(body.into());
    Request::builder().method(method).uri(path).header("host", "localhost").body(body).unwrap()
}

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const OPENROUTER_CHAT: &str = "/api/v1/chat/completions";
