//! The tower layer around a client that knows no limits, and the client as a service.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use chat_limiter::limiter_core::Dimension;
use chat_limiter::providers::Usage;
use chat_limiter::tower::{Again, BoxError, RateLimit, RateLimitLayer, TransportService};
use chat_limiter::transport::{Body, Transport};
use chat_limiter::{ChatLimiter, Error, Priority, Request};
use chat_limiter_tests::{Face, Reply, Scripted, Stopwatch, in_flight, waiting, wire};
use futures::future::join_all;
use http_body_util::BodyExt;
use serde_json::json;
use simulator::{Config, Simulator};
use tower::{Layer, Service, ServiceExt};

const BASE: &str = "http://provider.invalid";

/// A limiter that sends nothing itself.
fn limiter(configure: impl FnOnce(chat_limiter::Builder) -> chat_limiter::Builder) -> ChatLimiter {
    let nowhere = wire::dialing(|| Err(std::io::ErrorKind::ConnectionRefused.into()));
    configure(Face::OpenAi.client(nowhere)).build().unwrap()
}

fn around(limiter: &ChatLimiter, transport: Arc<dyn Transport>) -> RateLimit<TransportService> {
    RateLimitLayer::new(limiter.clone()).layer(TransportService::new(transport))
}

/// A question as an HTTP request of somebody else's client.
fn http(request: Request) -> http::Request<Body> {
    let builder = http::Request::builder().method(request.method).uri(format!("{BASE}{}", request.path));
    builder.body(Body::from_bytes(request.body)).unwrap()
}

fn question(most_output: u64) -> http::Request<Body> {
    http(Face::OpenAi.question("gpt-4o-mini", 20, most_output))
}

/// Sends a request and reads its answer to the end.
async fn send(client: &RateLimit<TransportService>, request: http::Request<Body>) -> Result<u16, BoxError> {
    let response = client.clone().oneshot(request).await?;
    let status = response.status().as_u16();
    response.into_body().collect().await?;
    Ok(status)
}

fn level(limiter: &ChatLimiter, dimension: Dimension) -> i64 {
    let limits = limiter.limits();
    let mut known = limits.iter().flat_map(|scope| &scope.state.limits);
    known.find(|known| known.limit.dimension() == dimension).map(|known| known.level).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_client_without_limits_stays_within_those_of_the_layer() {
    let simulator = Simulator::new(Config::default().with_requests_per_minute(60)).unwrap();
    let limiter = limiter(|builder| builder.requests_per_minute(60));
    let client = around(&limiter, wire::to(&simulator));
    let watch = Stopwatch::start();
    let sent = join_all((0..180).map(|_| send(&client, question(10)))).await;
    assert!(sent.iter().all(|status| matches!(status, Ok(200))), "{sent:?}");
    let statistics = simulator.statistics();
    assert_eq!((statistics.answered, statistics.rate_limited), (180, 0));
    // Sixty at once, and one a second.
    assert!((119..=125).contains(&watch.elapsed().as_secs()), "{:?}", watch.elapsed());
    assert_eq!((in_flight(&limiter), waiting(&limiter)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_limits_are_found_in_what_passes() {
    for face in Face::ALL {
        let simulator = Simulator::new(Config::default().with_requests_per_minute(300)).unwrap();
        let limiter = face.client(wire::dialing(|| Err(std::io::ErrorKind::Other.into()))).build().unwrap();
        let client = around(&limiter, wire::to(&simulator));
        assert_eq!(send(&client, http(face.question(face.model(), 20, 10))).await.unwrap(), 200);
        let found = limiter.limits()[0].state.limits.iter().any(|known| known.limit.amount() == 300);
        // OpenRouter does not tell.
        assert_eq!(found, face != Face::OpenRouter, "{face:?}: {:?}", limiter.limits());
    }
}

/// An answer that took five tokens of input and five of output, as a whole or as a stream.
fn answers() -> [(&'static str, Reply); 2] {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}});
    let text = format!("data: {{\"choices\":[]}}\n\ndata: {usage}\n\ndata: [DONE]\n\n");
    [("whole", Reply::success()), ("stream", Reply::text(200, &[("content-type", "text/event-stream")], text))]
}

#[tokio::test(start_paused = true)]
async fn what_was_reserved_and_not_used_comes_back_when_the_body_ends() {
    for (name, reply) in answers() {
        let limiter = limiter(|builder| builder.tokens_per_minute(1_000));
        let client = around(&limiter, Scripted::new(move |_| reply.clone()).transport());
        let mut response = client.clone().oneshot(question(500)).await.unwrap();
        assert!(level(&limiter, Dimension::Tokens) <= 500, "{name}: the head came, and the body has not been read");
        assert_eq!(in_flight(&limiter), 1);
        while let Some(frame) = response.body_mut().frame().await {
            frame.unwrap();
        }
        assert_eq!((level(&limiter, Dimension::Tokens), in_flight(&limiter)), (990, 0), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_leaves_the_request_counted_and_nobody_in_flight() {
    for (name, reply) in answers() {
        let limiter = limiter(|builder| builder.tokens_per_minute(1_000));
        let client = around(&limiter, Scripted::new(move |_| reply.clone()).transport());
        let response = client.clone().oneshot(question(500)).await.unwrap();
        let before = level(&limiter, Dimension::Tokens);
        drop(response);
        assert_eq!((level(&limiter, Dimension::Tokens), in_flight(&limiter)), (before, 0), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_body_passes_unchanged_both_ways() {
    let sent = json!({"model": "m", "messages": [{"role": "user", "content": "ä\u{1F980}"}]}).to_string();
    let expected = Bytes::from(sent.clone());
    let server = Scripted::reading(move |_, body| {
        assert_eq!(body, &expected);
        Reply::text(200, &[("content-type", "application/json"), ("x-own", "kept")], " {\"id\" : 1} ")
    });
    let client = around(&limiter(|builder| builder), server.transport());
    let request = http::Request::post(format!("{BASE}/v1/chat/completions")).body(Body::from_bytes(sent)).unwrap();
    let response = client.oneshot(request).await.unwrap();
    assert_eq!(response.headers()["x-own"], "kept");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), " {\"id\" : 1} ");
}

/// What the caller reads of a refusal does not matter: the limits are told of it.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_passed_on_and_the_next_request_waits() {
    for reads_body in [true, false] {
        let refusal = Reply::error(429, &[("retry-after", "7")], "rate_limit_exceeded", "Slow down.");
        let server = Scripted::in_turn(vec![refusal]);
        let client = around(&limiter(|builder| builder), server.transport());
        let response = client.clone().oneshot(question(10)).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (429, &"7".parse().unwrap()));
        if reads_body {
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(String::from_utf8_lossy(&body).contains("Slow down."));
        } else {
            drop(response);
        }
        assert_eq!(send(&client, question(10)).await.unwrap(), 200);
        assert!(server.arrivals()[1] >= Duration::from_secs(7), "{:?}", server.arrivals());
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_sent_again_waits_in_front_of_the_others() {
    let server = Scripted::reading(|_, _| Reply::success_without_usage());
    let limiter = limiter(|builder| builder.requests_per_minute(1));
    let client = around(&limiter, server.transport());
    send(&client, question(10)).await.unwrap();
    let order = std::sync::Mutex::new(Vec::new());
    let send_as = async |name, request| {
        send(&client, request).await.unwrap();
        order.lock().unwrap().push(name);
    };
    let (mut again, mut urgent) = (question(10), question(10));
    again.extensions_mut().insert(Again);
    urgent.extensions_mut().insert(Priority::new(Priority::NORMAL.level() + 3));
    let head = async {
        send_as("head", question(10)).await;
    };
    tokio::join!(head, send_as("last", question(10)), send_as("urgent", urgent), send_as("again", again));
    assert_eq!(order.into_inner().unwrap(), ["again", "urgent", "head", "last"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_larger_than_a_limit_fails_at_once() {
    let limiter = limiter(|builder| builder.tokens_per_minute(10));
    let client = around(&limiter, Scripted::in_turn(Vec::new()).transport());
    let error = send(&client, question(10)).await.unwrap_err();
    assert!(error.downcast_ref::<Error>().is_some_and(Error::is_too_large), "{error}");
    assert_eq!((in_flight(&limiter), waiting(&limiter)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_to_hold_is_refused_before_it_is_sent() {
    let server = Scripted::in_turn(Vec::new());
    let layer = RateLimitLayer::new(limiter(|builder| builder)).request_limit(100);
    let client = layer.layer(TransportService::new(server.transport()));
    let request = http::Request::post(format!("{BASE}/v1/files")).body(Body::from_bytes(vec![b'a'; 101])).unwrap();
    let error = send(&client, request).await.unwrap_err();
    assert!(error.to_string().contains("larger than 100 bytes"), "{error}");
    assert_eq!(server.arrivals().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_service_inside_comes_out_and_frees_the_place() {
    let limiter = limiter(|builder| builder);
    let client = around(&limiter, Scripted::new(|_| Reply::Reset).transport());
    let error = send(&client, question(10)).await.unwrap_err();
    assert!(error.is::<chat_limiter::transport::Error>(), "{error:?}");
    assert_eq!((in_flight(&limiter), waiting(&limiter)), (0, 0));
}

/// A service that counts how often it is asked whether it is ready, and is so the second time.
#[derive(Clone, Default)]
struct Hesitant {
    asked: Arc<AtomicUsize>,
    is_ready: bool,
}

impl Service<http::Request<Body>> for Hesitant {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_ready {
            return Poll::Ready(Ok(()));
        }
        self.is_ready = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without being ready");
        std::future::ready(Ok(http::Response::new(Body::from_bytes("{}"))))
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_inside_is_asked_when_there_is_room_and_not_before() {
    let limiter = limiter(|builder| builder.requests_per_minute(1));
    let inner = Hesitant::default();
    let asked = Arc::clone(&inner.asked);
    let client = RateLimitLayer::new(limiter.clone()).layer(inner);
    client.clone().oneshot(question(10)).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    let mut second = pin!(client.oneshot(question(10)));
    let early = tokio::time::timeout(Duration::from_secs(50), &mut second).await;
    assert!(early.is_err() && waiting(&limiter) == 1);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    second.await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

/// Polls a request so many times, and drops it. Whether it ended before.
async fn poll_and_drop<F: Future>(times: usize, future: F) -> bool {
    let mut future: Pin<Box<F>> = Box::pin(future);
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_request_dropped_at_any_poll_leaks_nothing() {
    for polls in 0.. {
        assert!(polls < 200, "the request does not end");
        let server = Scripted::new(|_| Reply::success_without_usage());
        let limiter = limiter(|builder| builder.tokens_per_minute(1_000));
        let client = around(&limiter, server.transport());
        let ended = poll_and_drop(polls, async {
            let response = client.clone().oneshot(question(500)).await.unwrap();
            response.into_body().collect().await.unwrap();
        })
        .await;
        assert_eq!((in_flight(&limiter), waiting(&limiter)), (0, 0), "after {polls} polls");
        if ended {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_dropped_before_the_service_inside_is_ready_gives_all_of_it_back() {
    let limiter = limiter(|builder| builder.tokens_per_minute(1_000));
    // Tokens are counted on another thread the first time.
    send(&around(&limiter, Scripted::new(|_| Reply::success()).transport()), question(10)).await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(level(&limiter, Dimension::Tokens), 1_000);
    let client = RateLimitLayer::new(limiter.clone()).layer(Never);
    let mut request = Box::pin(client.oneshot(question(500)));
    assert!(tokio::time::timeout(Duration::from_millis(1), &mut request).await.is_err());
    assert_eq!(in_flight(&limiter), 1);
    drop(request);
    assert_eq!((level(&limiter, Dimension::Tokens), in_flight(&limiter)), (1_000, 0));
}

/// A service that is never ready.
#[derive(Clone)]
struct Never;

impl Service<http::Request<Body>> for Never {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = std::future::Pending<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        std::future::pending()
    }
}

#[tokio::test(start_paused = true)]
async fn the_client_itself_is_a_service_with_retries_and_credentials() {
    let server = Scripted::in_turn(vec![Reply::error(503, &[], "overloaded", "Later.")]);
    let client = server.client(Face::OpenAi).build().unwrap();
    let question = Face::OpenAi.question("gpt-4o-mini", 20, 10);
    for uri in ["/v1/chat/completions", "http://provider.invalid/v1/chat/completions"] {
        let request = http::Request::post(uri).body(question.body.clone()).unwrap();
        let response = client.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.extensions().get::<Usage>().unwrap().total, 10);
    }
    assert_eq!(server.arrivals().len(), 3);
    let elsewhere = http::Request::post("http://elsewhere.invalid/v1/chat/completions").body(question.body).unwrap();
    assert_eq!(client.oneshot(elsewhere).await.unwrap_err().code(), "invalid_request");
    assert_eq!(server.arrivals().len(), 3);
}
