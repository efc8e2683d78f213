//! What goes over the wire is within the caller's own ceiling, and a short trouble is no outage.
#![cfg(test)]
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use chat_limiter::transport::Transport;
use chat_limiter_tests::{Face, Load, Stopwatch, wire};
use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

const OK: &str = r#"{"id":"1","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10}}"#;

/// A server that answers request n after `delay(n, now)` with `status(n)`; notes arrivals.
fn server(
    delay: impl Fn(usize, Duration) -> Duration + Send + Sync + 'static,
    status: impl Fn(usize) -> u16 + Send + Sync + 'static,
) -> (Arc<dyn Transport>, Arc<std::sync::Mutex<Vec<Duration>>>) {
    let (delay, status) = (Arc::new(delay), Arc::new(status));
    let arrivals = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (watch, count, seen) = (Stopwatch::start(), Arc::new(AtomicUsize::new(0)), Arc::clone(&arrivals));
    let transport = wire::piped(move |pipe| {
        let (delay, status, count, seen) =
            (Arc::clone(&delay), Arc::clone(&status), Arc::clone(&count), Arc::clone(&seen));
        async move {
            let service = service_fn(move |request: http::Request<Incoming>| {
                let n = count.fetch_add(1, SeqCst);
                seen.lock().unwrap().push(watch.elapsed());
                let (wait, status) = (delay(n, watch.elapsed()), status(n));
                async move {
                    let _ = request.into_body().collect().await;
                    tokio::time::sleep(wait).await;
                    let mut answer = Response::new(Full::new(Bytes::from_static(OK.as_bytes())));
                    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
                    answer.headers_mut().insert("content-type", "application/json".parse().unwrap());
                    answer.headers_mut().insert("x-ratelimit-limit-tokens", "100000000".parse().unwrap());
                    answer.headers_mut().insert("x-ratelimit-remaining-tokens", "100000000".parse().unwrap());
                    Ok::<_, std::io::Error>(answer)
                }
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(pipe), service).await;
        }
    });
    (transport, arrivals)
}

/// The caller's own ceiling of 60 a minute; ten connections; a server that is slow for two minutes and then fast.
#[tokio::test(start_paused = true)]
async fn what_goes_over_the_wire_is_within_the_ceiling() {
    let slow = Duration::from_secs(20);
    let (transport, arrivals) =
        server(move |_, now| if now < Duration::from_secs(240) { slow } else { Duration::from_millis(50) }, |_| 200);
    let client = Face::OpenAi.client(transport).concurrency(10).requests_per_minute(60).build().unwrap();
    let requests = (0..400).map(|_| Face::OpenAi.question("gpt-4o-mini", 10, 10));
    let load = Load::run(&client, requests).await;
    assert_eq!(load.answered, 400);
    let arrivals = arrivals.lock().unwrap().clone();
    let most = arrivals
        .iter()
        .map(|from| arrivals.iter().filter(|at| *at >= from && **at < *from + Duration::from_secs(60)).count())
        .max();
    // Burst and rate: 120 in any minute.
    assert!(most <= Some(121), "{most:?} in one minute, of 60 allowed");
}

/// Twenty minutes of success at one slot, then three failures: no outage of fifteen minutes.
#[tokio::test(start_paused = true)]
async fn three_failures_after_a_success_are_no_outage_of_fifteen_minutes() {
    static FAILED: AtomicU64 = AtomicU64::new(0);
    let (transport, _) = server(
        |_, _| Duration::from_secs(60),
        |n| {
            if (20..23).contains(&n) {
                FAILED.fetch_add(1, SeqCst);
                500
            } else {
                200
            }
        },
    );
    let client = Face::OpenAi.client(transport).concurrency(1).build().unwrap();
    let requests = (0..40).map(|_| Face::OpenAi.question("gpt-4o-mini", 10, 10));
    let load = Load::run(&client, requests).await;
    assert!(load.failures.is_empty(), "{} failed: {:?}", load.failures.len(), load.failures.first());
}
