//! The client without a server: permits, limits that change, the end. On a paused clock.

mod acquire;
mod change;
mod credit;
mod detect;
mod live;
mod models;
mod settings;
mod shutdown;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use limiter_core::Cost;
use serde_json::Value;
use tokio::time::Instant;
use transport::{Body, Transport};

use crate::{Builder, ChatLimiter, Permit};

/// A client of a server that is never spoken to.
fn builder() -> Builder {
    ChatLimiter::builder("openai-compatible").base_url("http://127.0.0.1:9")
}

fn tokens(input: u64) -> Cost {
    Cost::of_request(input, 0)
}

/// Takes a permit and ends it as answered, with what was reserved.
async fn answered(limiter: &ChatLimiter, model: &str, cost: Cost) {
    limiter.acquire(model, cost).await.unwrap().settle_as_reserved();
}

/// The time that something takes, to the second.
async fn seconds<T>(future: impl Future<Output = T>) -> (u64, T) {
    let start = now();
    let output = future.await;
    (start.elapsed().as_secs(), output)
}

#[expect(clippy::disallowed_methods, reason = "the test's own clock, which is paused")]
fn now() -> Instant {
    Instant::now()
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect()
}

/// The answer to a request states these limits on requests.
fn state_requests(permit: &mut Permit, limit: &'static str, remaining: &'static str) {
    let headers = headers(&[("x-ratelimit-limit-requests", limit), ("x-ratelimit-remaining-requests", remaining)]);
    permit.observe(StatusCode::OK, &headers);
}

const SECOND: Duration = Duration::from_secs(1);

/// What is answered to a request: a status and a body.
type Script = dyn Fn(&http::Request<Body>) -> (u16, Value) + Send + Sync;

/// A transport that answers by a script, and remembers what was asked.
#[derive(Clone)]
struct Scripted {
    script: Arc<Script>,
    asked: Arc<Mutex<Vec<String>>>,
    heads: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Scripted {
    fn new(script: impl Fn(&http::Request<Body>) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), asked: Arc::default(), heads: Arc::default() }
    }

    fn client(&self, provider: &str) -> Builder {
        ChatLimiter::builder(provider).api_key("sk-0123456789").transport(Arc::new(self.clone()))
    }

    /// The paths that were asked for.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Transport for Scripted {
    fn send(&self, request: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, transport::Error>> {
        self.asked.lock().unwrap().push(request.uri().path().to_owned());
        self.heads.lock().unwrap().push(request.headers().clone());
        let (status, body) = (self.script)(&request);
        let mut response = http::Response::new(Body::from_bytes(body.to_string()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        std::future::ready(Ok(response)).boxed()
    }
}
