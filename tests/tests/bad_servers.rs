//! Servers that are not there, that break off, talk nonsense or say nothing, and those that come back.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_limiter::limiter_core::{Backoff, Nanos};
use chat_limiter::tokenizer::Encoding;
use chat_limiter::transport::{Timeouts, Transport};
use chat_limiter::{ChatLimiter, Error, Request, RetryPolicy};
use chat_limiter_tests::{Face, Load, Reply, Scripted, Stopwatch, in_flight, same_random_numbers, waiting, wire};
use simulator::{Config, Simulator};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;

fn question() -> Request {
    Face::OpenAi.question("gpt-4o-mini", 20, 50)
}

fn refusing() -> Arc<dyn Transport> {
    wire::dialing(|| Err(io::ErrorKind::ConnectionRefused.into()))
}

/// A server that reads the head of a request, writes `bytes`, and then closes the connection or does nothing more.
fn writing(bytes: &'static [u8], closes: bool) -> Arc<dyn Transport> {
    wire::piped(move |mut pipe: DuplexStream| async move {
        if wire::read_head(&mut pipe).await && pipe.write_all(bytes).await.is_ok() && !closes {
            std::future::pending::<()>().await;
        }
    })
}

const HTML: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
const CUT: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"id\":";
const LONG: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n{\"id\":";

/// A bad server, and what becomes of one request to it.
struct BadServer {
    name: &'static str,
    transport: Arc<dyn Transport>,
    /// The code of the failure.
    code: &'static str,
    /// The part of its text that names the reason.
    reason: &'static str,
    /// How often it is asked, of three times that are allowed.
    attempts: u32,
}

fn bad_servers() -> Vec<BadServer> {
    let hanging_up = wire::piped(|pipe| async { drop(pipe) });
    let server = |name, transport, (code, reason), attempts| BadServer { name, transport, code, reason, attempts };
    vec![
        server("not there", refusing(), ("connect", "connection refused"), 3),
        server("hangs up on everybody", hanging_up, ("connect", "provider.invalid"), 3),
        server("hangs up when asked", writing(b"", true), ("connection", "provider.invalid"), 3),
        server("speaks something else", writing(b"220 mail.example.com ESMTP\r\n", true), ("connection", "HTTP"), 2),
        server("writes noise", writing(b"\x00\xff\x13\x37\r\n\r\n", true), ("connection", "HTTP"), 2),
        server("is a web page", writing(HTML, true), ("invalid_answer", "not JSON"), 2),
        server("says nothing", writing(b"", false), ("timeout", "no answer within 120s"), 2),
        server("stops in the middle", writing(CUT, false), ("timeout", "60s"), 2),
        server("breaks off in the middle", writing(CUT, true), ("connection", "body"), 2),
        server("promises a terabyte", writing(LONG, false), ("answer_too_large", "67108864"), 1),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_request_to_a_bad_server_fails_with_the_reason_after_its_retries() {
    let mut policy = RetryPolicy::default();
    policy.max_attempts = 3;
    for BadServer { name, transport, code, reason, attempts } in bad_servers() {
        let timeouts = Timeouts::default();
        let client = Face::OpenAi.client(transport).timeouts(timeouts).retry(policy).build().unwrap();
        let error = client.request(question()).await.expect_err(name);
        assert_eq!((error.code(), error.attempts()), (code, attempts), "{name}: {error}");
        assert!(error.to_string().contains(reason), "{name}: {error}");
        assert_eq!((in_flight(&client), waiting(&client)), (0, 0), "{name}");
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_named() {
    // Bound and left again: nobody is there.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut policy = RetryPolicy::default();
    policy.max_attempts = 2;
    policy.backoff = Backoff { base: Nanos::from_millis(1), ceiling: Nanos::from_millis(1) };
    let builder = ChatLimiter::builder("openai").base_url(format!("http://{address}/v1")).api_key("none");
    let error = builder.retry(policy).build().unwrap().request(question()).await.unwrap_err();
    assert!(error.is_connect() && error.attempts() == 2, "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test(start_paused = true)]
async fn many_requests_to_a_dead_server_end_soon_and_do_not_storm_it() {
    const REQUESTS: u64 = 500;
    Encoding::for_model_or_default("gpt-4o-mini").load();
    // One that answers, only too much, is not dead.
    for BadServer { name, transport, .. } in bad_servers().into_iter().filter(|server| server.attempts > 1) {
        same_random_numbers();
        let client = Face::OpenAi.client(transport).build().unwrap();
        let load = Load::run(&client, (0..REQUESTS).map(|_| question())).await;
        println!("{name}: {:.0?}, {} attempts", load.elapsed, load.attempts);
        assert_eq!((load.answered, load.failures.len()), (0, REQUESTS as usize), "{name}");
        // A minute's patience with a server that never answered, the longest pause of an outage, and one last timeout.
        assert!(load.elapsed <= Duration::from_secs(60 + 60 + 130), "{name}: {:?}", load.elapsed);
        assert!(load.attempts <= 100, "{name}: {} attempts", load.attempts);
        assert!(load.failures.iter().all(|error| !error.to_string().is_empty()), "{name}");
        let down = load.failures.iter().filter(|error| error.code() == "provider_down").count();
        assert!(down > REQUESTS as usize / 2, "{name}: {down} were told that the provider is down");
        assert_eq!((in_flight(&client), waiting(&client)), (0, 0), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_a_server_that_was_given_up_finds_out_that_it_is_back() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let is_back = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_back);
    let transport = wire::dialing(move || match is_back.load(Ordering::Relaxed) {
        true => Ok(simulator.connect()),
        false => Err(io::ErrorKind::ConnectionRefused.into()),
    });
    let client = Face::OpenAi.client(transport).build().unwrap();
    let load = Load::run(&client, (0..20).map(|_| question())).await;
    assert_eq!(load.failures.len(), 20);
    switch.store(true, Ordering::Relaxed);
    let answered = async |minutes: u32| {
        // Paused, the clock moves on to whatever is next: here, to the end of this span.
        let _ = tokio::time::timeout(Duration::from_secs(60) * minutes, std::future::pending::<()>()).await;
        client.request(question()).await
    };
    let outcome: Result<_, Error> = answered(1).await;
    assert_eq!(outcome.unwrap().attempts, 1);
    let load = Load::run(&client, (0..20).map(|_| question())).await;
    assert_eq!((load.answered, load.attempts), (20, 20));
}

/// A transport to `simulator` that is cut for the time from `start` to `end`: connections break, new ones are refused.
fn cut_off(simulator: &Simulator, start: Duration, end: Duration) -> Arc<dyn Transport> {
    let (simulator, watch) = (simulator.clone(), Stopwatch::start());
    wire::dialing(move || {
        let now = watch.elapsed();
        if now >= start && now < end {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let mut provider = simulator.connect();
        let left = if now < start { start - now } else { Duration::MAX };
        tokio::spawn(async move {
            let _ = tokio::time::timeout(left, tokio::io::copy_bidirectional(&mut theirs, &mut provider)).await;
        });
        Ok(ours)
    })
}

/// Traffic that fills a minute and a half, cut off in between.
async fn through_an_outage(start: Duration, end: Duration) {
    const REQUESTS: u64 = 720;
    Encoding::for_model_or_default("gpt-4o-mini").load();
    same_random_numbers();
    let config = Config::default().with_requests_per_minute(300);
    let simulator = Simulator::new(config).unwrap();
    let client = Face::OpenAi.client(cut_off(&simulator, start, end)).build().unwrap();
    let load = Load::run(&client, (0..REQUESTS).map(|_| question())).await;
    println!("cut from {start:?} to {end:?}: {:.1?}, {} attempts", load.elapsed, load.attempts);
    assert_eq!((load.answered, load.failures.len()), (REQUESTS, 0), "{:?}", load.failures.first());
    // What is left takes its time, the outage its own, and then a pause ends that may be as long again.
    let (least, outage) = (Duration::from_secs(84), end - start);
    assert!(load.elapsed <= least + 2 * outage, "{:?}", load.elapsed);
    assert!(load.attempts * 10 <= REQUESTS * 11, "{} attempts", load.attempts);
}

#[tokio::test(start_paused = true)]
async fn a_minute_without_the_provider_loses_nothing() {
    through_an_outage(Duration::from_secs(20), Duration::from_secs(80)).await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_late_at_the_start_loses_nothing() {
    through_an_outage(Duration::ZERO, Duration::from_secs(30)).await;
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_failures_in_flight_is_one_outage_and_over_with_the_next_answer() {
    same_random_numbers();
    // Thirty answers, after which thirty-four are in flight; thirty of them fail together; then answers again. A limit
    // that is never reached, so that requests are not spaced as they are where no limit is known at all.
    let server = Scripted::new(|n| if (30..60).contains(&n) { Reply::Reset } else { Reply::success() });
    let client = server.client(Face::OpenAi).requests_per_minute(1_000_000).build().unwrap();
    let requests = (0..300).map(|_| Face::OpenAi.question(Face::OpenAi.model(), 10, 10));
    let load = Load::run(&client, requests).await;
    assert_eq!((load.answered, load.failures.len()), (300, 0), "{:?}", load.failures.first());
    // A probe or two after at most a second, and each request's own wait: half a second, a second, two.
    assert!(load.elapsed < Duration::from_secs(10), "{:?}", load.elapsed);
}
