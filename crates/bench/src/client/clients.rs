//! The client, the transport under it, and the one under that: the same request by each.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use chat_limiter::transport::{Body, HyperTransport, Timeouts, Transport as _};
use chat_limiter::{ChatLimiter, Request};
use http::{HeaderMap, HeaderValue, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// The largest answer read, in bytes.
const LONGEST: usize = 64 << 20;

const PATH: &str = "/chat/completions";
const KEY: &str = "sk-a-key-as-long-as-many-of-them-are-0123456789";

/// Somebody who sends a request and reads the answer whole.
pub(super) enum Client {
    /// chat-limiter, as its users have it.
    Ours(Box<ChatLimiter>),
    /// The crate `transport`, without limits and without a look at what is in an answer.
    Transport(HyperTransport<HttpConnector>, Message),
    /// What that one is built on.
    Bare(legacy::Client<HttpConnector, Full<Bytes>>, Message),
}

/// What the others are told of a request, and ours finds out.
pub(super) struct Message {
    uri: Uri,
    headers: HeaderMap,
}

impl Message {
    fn new(base_url: &str) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {KEY}"))?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("chat-limiter/0.1.0"));
        Ok(Self { uri: format!("{base_url}{PATH}").parse()?, headers })
    }

    fn with<B>(&self, body: B) -> anyhow::Result<http::Request<B>> {
        let mut request = http::Request::post(self.uri.clone()).body(body)?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }
}

impl Client {
    pub(super) fn ours(base_url: &str) -> anyhow::Result<Self> {
        Ok(Self::Ours(Box::new(ChatLimiter::builder("openai").base_url(base_url).api_key(KEY).build()?)))
    }

    pub(super) fn transport(base_url: &str) -> anyhow::Result<Self> {
        Ok(Self::Transport(HyperTransport::http(Timeouts::default()), Message::new(base_url)?))
    }

    /// Set up as the crate `transport` does it, for the connections to be the same.
    pub(super) fn bare(base_url: &str) -> anyhow::Result<Self> {
        let keepalive = Some(Duration::from_secs(30));
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_keepalive(keepalive);
        connector.set_keepalive_interval(keepalive);
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .build(connector);
        Ok(Self::Bare(client, Message::new(base_url)?))
    }

    /// One of the three by its name.
    ///
    /// # Errors
    ///
    /// There is none of this name, or it cannot be built.
    pub(super) fn named(name: &str, base_url: &str) -> anyhow::Result<Self> {
        match name {
            "ours" => Self::ours(base_url),
            "transport" => Self::transport(base_url),
            "bare" => Self::bare(base_url),
            _ => bail!("`{name}` is none of `ours`, `transport` and `bare`"),
        }
    }

    /// Sends a request and reads the answer, which must be a success of at least `least` bytes.
    pub(super) async fn call(&self, body: Bytes, least: usize) -> anyhow::Result<()> {
        let (status, body) = match self {
            Self::Ours(client) => {
                let answer = client.request(Request::post(PATH, body)).await?;
                ensure!(answer.attempts == 1 && answer.usage.is_some(), "sent {} times", answer.attempts);
                (answer.status, answer.body)
            }
            Self::Transport(transport, message) => {
                let response = transport.send(message.with(Body::from_bytes(body))?).await?;
                (response.status(), response.into_body().collect_bounded(LONGEST).await?)
            }
            Self::Bare(client, message) => {
                let response = client.request(message.with(Full::new(body))?).await?;
                let status = response.status();
                (status, response.into_body().collect().await.context("an answer broke off")?.to_bytes())
            }
        };
        ensure!(status.is_success() && body.len() >= least, "{status} with {} bytes", body.len());
        Ok(())
    }
}
