//! What is tried again, when, and how often: a scripted server and the clock of the test say so.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::ops::RangeInclusive;
use std::time::Duration;

use chat_limiter::limiter_core::{Backoff, Nanos};
use chat_limiter::transport::Timeouts;
use chat_limiter::{Answer, Builder, Error, RetryPolicy};
use chat_limiter_tests::{End, Face, Load, Part, Reply, Scripted, Stopwatch, same_random_numbers};
use futures::StreamExt;
use serde_json::json;

/// A span in milliseconds, given the timer's resolution of one.
fn exactly(milliseconds: u64) -> RangeInclusive<u64> {
    milliseconds..=milliseconds + 1
}

/// What a script came to: the outcome, and the milliseconds between one arrival and the next.
struct Seen {
    outcome: Result<Answer, Error>,
    waits: Vec<u64>,
}

async fn send(face: Face, server: &Scripted, settings: impl FnOnce(Builder) -> Builder) -> Seen {
    same_random_numbers();
    let client = settings(server.client(face)).build().unwrap();
    let outcome = client.request(face.question(face.model(), 20, 50)).await;
    let arrivals = server.arrivals();
    let waits = arrivals.windows(2).map(|pair| (pair[1] - pair[0]).as_millis() as u64).collect();
    Seen { outcome, waits }
}

/// The request is answered after these replies, with these waits between them.
#[track_caller]
fn answered(case: &str, seen: &Seen, waits: &[RangeInclusive<u64>]) {
    let answer = seen.outcome.as_ref().unwrap_or_else(|error| panic!("{case}: {error:?}"));
    assert_eq!(answer.attempts as usize, waits.len() + 1, "{case}");
    in_ranges(case, seen, waits);
}

/// The request fails with this code after these waits.
#[track_caller]
fn failed(case: &str, seen: &Seen, code: &str, waits: &[RangeInclusive<u64>]) {
    let error = seen.outcome.as_ref().expect_err(case);
    assert_eq!((error.code(), error.attempts() as usize), (code, waits.len() + 1), "{case}: {error}");
    in_ranges(case, seen, waits);
}

#[track_caller]
fn in_ranges(case: &str, seen: &Seen, waits: &[RangeInclusive<u64>]) {
    let fits =
        waits.len() == seen.waits.len() && waits.iter().zip(&seen.waits).all(|(range, wait)| range.contains(wait));
    assert!(fits, "{case}: {:?} ms, expected {waits:?}", seen.waits);
}

/// The delays of the default backoff, full jitter, before the first, second, ... retry.
fn backoff(retry: u32) -> RangeInclusive<u64> {
    0..=Duration::from(Backoff::default().bound(retry)).as_millis() as u64 + 1
}

fn limited(headers: &[(&'static str, &str)]) -> Reply {
    Reply::error(429, headers, "rate_limit_exceeded", "Rate limit reached.")
}

#[tokio::test(start_paused = true)]
async fn a_refusal_waits_exactly_as_long_as_it_says() {
    let check = async |case: &str, reply: Reply, wait: RangeInclusive<u64>| {
        let seen = send(Face::OpenAi, &Scripted::in_turn(vec![reply]), |builder| builder).await;
        answered(case, &seen, &[wait]);
        assert_eq!(seen.outcome.unwrap().rate_limited_attempts, 1, "{case}");
    };
    check("seconds", limited(&[("retry-after", "2")]), exactly(2_000)).await;
    check("a fraction", limited(&[("retry-after", "0.25")]), exactly(250)).await;
    check("milliseconds first", limited(&[("retry-after", "9"), ("retry-after-ms", "300")]), exactly(300)).await;
    let date = [("date", "Tue, 06 Jan 2026 10:00:00 GMT"), ("retry-after", "Tue, 06 Jan 2026 10:00:07 GMT")];
    check("a date, by the server's clock", limited(&date), exactly(7_000)).await;
    let words = Reply::error(429, &[], "rate_limit_exceeded", "Rate limit reached. Please try again in 1.5s.");
    check("words", words, exactly(1_500)).await;
}

#[tokio::test(start_paused = true)]
async fn refusals_that_say_nothing_wait_longer_each_time() {
    let server = Scripted::in_turn(vec![limited(&[]), limited(&[]), limited(&[])]);
    let seen = send(Face::OpenAi, &server, |builder| builder).await;
    answered("429, 429, 429", &seen, &[500..=1_001, 1_000..=2_001, 2_000..=4_001]);
}

#[tokio::test(start_paused = true)]
async fn one_refusal_holds_back_everybody_who_shares_the_limit() {
    let server = Scripted::in_turn(vec![limited(&[("retry-after", "5")])]);
    let client = server.client(Face::OpenAi).build().unwrap();
    let questions = (0..20).map(|_| Face::OpenAi.question("gpt-4o-mini", 20, 50));
    let load = Load::run(&client, questions).await;
    assert_eq!((load.answered, load.rate_limited), (20, 1));
    let between = server.arrivals().into_iter().filter(|at| !at.is_zero() && *at < Duration::from_secs(5)).count();
    assert_eq!(between, 0);
}

#[tokio::test(start_paused = true)]
async fn a_provider_in_trouble_is_asked_again_after_a_backoff_or_when_it_says() {
    let trouble = |status, headers: &[(&'static str, &str)]| Reply::error(status, headers, "api_error", "Sorry.");
    let check = async |case: &str, replies: Vec<Reply>, waits: &[RangeInclusive<u64>]| {
        let seen = send(Face::OpenAi, &Scripted::in_turn(replies), |builder| builder).await;
        answered(case, &seen, waits);
        assert_eq!(seen.outcome.unwrap().rate_limited_attempts, 0, "{case}");
    };
    for status in [408, 409, 425, 500, 502, 503, 504, 529] {
        check(&status.to_string(), vec![trouble(status, &[])], &[backoff(0)]).await;
    }
    let three = (0..3).map(|_| trouble(500, &[])).collect();
    check("500, 500, 500", three, &[backoff(0), backoff(1), backoff(2)]).await;
    check("503 that says when", vec![trouble(503, &[("retry-after", "3")])], &[exactly(3_000)]).await;
    check("a reset", vec![Reply::Reset, Reply::Reset], &[backoff(0), backoff(1)]).await;
    let overloaded = Reply::json(
        529,
        &[("retry-after", "4")],
        &json!({"type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    );
    let seen = send(Face::Anthropic, &Scripted::in_turn(vec![overloaded]), |builder| builder).await;
    answered("Anthropic overloaded", &seen, &[exactly(4_000)]);
}

/// A server that drops every connection before this instant.
fn away_until(back: Duration) -> Scripted {
    let watch = Stopwatch::start();
    Scripted::new(move |_| if watch.elapsed() < back { Reply::Reset } else { Reply::success() })
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_any_length_is_noticed_to_be_over_soon_and_is_asked_about_seldom() {
    for (seconds, most_asked) in [(5, 15), (30, 35), (300, 65)] {
        same_random_numbers();
        let back = Duration::from_secs(seconds);
        let server = away_until(back);
        let client = server.client(Face::OpenAi).silence_patience(back * 2).build().unwrap();
        let load = Load::run(&client, (0..50).map(|_| Face::OpenAi.question("gpt-4o-mini", 20, 50))).await;
        assert_eq!(load.answered, 50, "{seconds} s: {:?}", load.failures.first());
        let arrivals = server.arrivals();
        let noticed = arrivals.iter().find(|at| **at >= back).unwrap();
        let latest = (back.mul_f64(1.125) + Duration::from_millis(10)).max(back + Duration::from_millis(1_010));
        assert!(*noticed <= latest, "{seconds} s: {noticed:?}");
        let asked = arrivals.iter().filter(|at| **at < back).count();
        assert!(asked <= most_asked, "{seconds} s: asked {asked} times");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_failed_in_an_outage_are_answered_before_those_that_waited_behind_them() {
    same_random_numbers();
    let server = away_until(Duration::from_secs(30));
    let client = server.client(Face::OpenAi).requests_per_minute(60).build().unwrap();
    let load = Load::run(&client, (0..300).map(|_| Face::OpenAi.question("gpt-4o-mini", 20, 50))).await;
    assert_eq!(load.answered, 300, "{:?}", load.failures.first());
    // A request's turn is as many seconds after the provider is back as there are requests before it.
    let late = |end: &End| end.after.as_secs_f64() - (35.0 + end.place as f64);
    let latest = load.ends.iter().map(late).fold(0.0, f64::max);
    assert!(latest <= 0.0, "{latest} s late");
}

#[tokio::test(start_paused = true)]
async fn where_one_request_in_ten_fails_all_of_a_long_run_are_tried_again_soon() {
    same_random_numbers();
    let server = Scripted::new(|n| if n % 10 == 9 { Reply::Reset } else { Reply::success() });
    let client = server.client(Face::OpenAi).requests_per_minute(6_000).build().unwrap();
    let load = Load::run(&client, (0..20_000).map(|_| Face::OpenAi.question("gpt-4o-mini", 5, 5))).await;
    assert_eq!(load.answered, 20_000, "{:?}", load.failures.first());
    assert!(load.attempts <= 22_300, "sent {} times", load.attempts);
    let late = |end: &End| end.after.as_secs_f64() - 1.2 * end.place as f64 / 100.0;
    let latest = load.ends.iter().map(late).fold(0.0, f64::max);
    assert!(latest < 10.0, "{latest} s late");
}

#[tokio::test(start_paused = true)]
async fn requests_that_always_fail_do_not_keep_the_others_waiting() {
    same_random_numbers();
    let server = Scripted::reading(|_, body| match body.windows(6).any(|word| word == b"poison") {
        true => Reply::error(500, &[], "api_error", "Sorry."),
        false => Reply::success(),
    });
    let client = server.client(Face::OpenAi).requests_per_minute(600).build().unwrap();
    let poison = (0..20).map(|_| Face::OpenAi.question("poison", 20, 50));
    let good = (0..200).map(|_| Face::OpenAi.question("gpt-4o-mini", 20, 50));
    let load = Load::run(&client, poison.chain(good)).await;
    assert_eq!((load.answered, load.failures.len()), (200, 20));
    let last = load.ends.iter().map(|end| end.after).max().unwrap();
    assert!(last < Duration::from_secs(120), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn attempts_that_fail_in_different_ways_are_counted_together() {
    let trouble = Reply::error(500, &[], "api_error", "Sorry.");
    let server = Scripted::in_turn(vec![Reply::Reset, trouble, limited(&[("retry-after", "2")])]);
    let seen = send(Face::OpenAi, &server, |builder| builder).await;
    answered("a reset, a 500, a 429", &seen, &[backoff(0), backoff(1), exactly(2_000)]);
    assert_eq!(seen.outcome.unwrap().rate_limited_attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_succeed_is_sent_once() {
    let check = async |case: &str, reply: Reply, code: &str| {
        let seen = send(Face::OpenAi, &Scripted::new(move |_| reply.clone()), |builder| builder).await;
        failed(case, &seen, code, &[]);
    };
    let error = |status, name, message| Reply::error(status, &[], name, message);
    check("a bad request", error(400, "invalid_request_error", "No."), "invalid").await;
    check("a wrong key", error(401, "invalid_api_key", "Who?"), "authentication").await;
    check("a forbidden model", error(403, "permission_error", "No."), "permission").await;
    check("an unknown model", error(404, "model_not_found", "What?"), "not_found").await;
    check("a body that is too large", error(413, "request_too_large", "Shorter, please."), "too_large").await;
    check("a context that is too small", error(400, "context_length_exceeded", "Shorter, please."), "too_large").await;
    check("no credit", error(429, "insufficient_quota", "Pay first."), "quota_exhausted").await;
    let larger = "Request too large for gpt-4o on tokens per min (TPM): Limit 10000, Requested 20000.";
    check("larger than the limit", error(429, "rate_limit_exceeded", larger), "too_large").await;
    check("not found, in HTML", Reply::text(404, &[("content-type", "text/html")], "<html>no</html>"), "not_found")
        .await;
    check("a redirect", Reply::text(302, &[("location", "http://elsewhere.invalid/")], ""), "unknown").await;
}

#[tokio::test(start_paused = true)]
async fn the_providers_word_about_retrying_wins_over_the_status() {
    let reply = |status, word| Reply::error(status, &[("x-should-retry", word)], "some_error", "Hm.");
    let never = Scripted::new(move |_| reply(500, "false"));
    failed("500, do not", &send(Face::OpenAi, &never, |builder| builder).await, "transient", &[]);
    let again = Scripted::in_turn(vec![reply(400, "true")]);
    answered("400, do", &send(Face::OpenAi, &again, |builder| builder).await, &[backoff(0)]);
}

#[tokio::test(start_paused = true)]
async fn work_that_may_have_been_done_is_asked_for_twice_at_most() {
    let timeouts = Timeouts { first_byte: Duration::from_secs(30), ..Timeouts::default() };
    let check = async |case: &str, reply: Reply, code: &str, first: u64| {
        let server = Scripted::new(move |_| reply.clone());
        let seen = send(Face::OpenAi, &server, |builder| builder.timeouts(timeouts)).await;
        failed(case, &seen, code, &[first..=first + backoff(0).end() + 1]);
    };
    check(
        "an answer that is no JSON",
        Reply::text(200, &[("content-type", "application/json")], "{\"id\": \"\u{1}"),
        "invalid_answer",
        0,
    )
    .await;
    let beginning = Part::Send("{\"id\":".into());
    let broken = Reply::stream([beginning, Part::Wait(Duration::from_millis(1)), Part::Break]);
    check("an answer that breaks off", broken.with("content-type", "application/json"), "connection", 1).await;
    check("an answer that never begins", Reply::Silence, "timeout", 30_000).await;
}

#[tokio::test(start_paused = true)]
async fn an_error_inside_a_success_is_an_error() {
    let inside = |code: u16| Reply::json(200, &[], &json!({"error": {"code": code, "message": "Upstream failed"}}));
    let check = async |case: &str, reply: Reply, waits: &[RangeInclusive<u64>]| {
        let seen = send(Face::OpenRouter, &Scripted::in_turn(vec![reply]), |builder| builder).await;
        answered(case, &seen, waits);
    };
    check("502", inside(502), &[backoff(0)]).await;
    check("429", inside(429), &[500..=1_001]).await;
    let stream = "data: {\"error\":{\"code\":502,\"message\":\"Upstream failed\"}}\n\n";
    check("502 in a stream", Reply::text(200, &[("content-type", "text/event-stream")], stream), &[backoff(0)]).await;
    let server = Scripted::new(move |_| inside(400));
    failed("400", &send(Face::OpenRouter, &server, |builder| builder).await, "invalid", &[]);
}

/// What the documents of the providers say becomes of a status without a body that says more.
fn is_tried_again(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 500..=599)
}

/// What no waiting clears is not sent again, whatever a header says.
fn is_hopeless(status: u16) -> bool {
    matches!(status, 401 | 402 | 403 | 413)
}

/// The waits that a header makes of a status that is tried again; `None` where it says nothing.
const WAITS: [(&str, &str, Option<u64>); 12] = [
    ("retry-after", "2", Some(2_000)),
    ("retry-after", "0.25", Some(250)),
    ("retry-after", "86", Some(86_000)),
    ("retry-after-ms", "300", Some(300)),
    ("retry-after", "", None),
    ("retry-after", "soon", None),
    ("retry-after", "-1", None),
    ("retry-after", "NaN", None),
    ("retry-after-ms", "soon", None),
    ("x-should-retry", "perhaps", None),
    ("x-more", "2", None),
    ("date", "Tue, 06 Jan 2026 10:00:00 GMT", None),
];

#[tokio::test(start_paused = true)]
async fn every_status_is_tried_again_or_not_and_waits_as_its_headers_say() {
    const STATUSES: [u16; 29] = [
        300, 302, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 415, 418, 421, 422, 425, 426, 429, 431, 451,
        500, 501, 502, 503, 504, 520, 529,
    ];
    let check = async |status: u16, header: Option<(&'static str, &str)>, expected: Option<RangeInclusive<u64>>| {
        let case = format!("{status} {header:?}");
        let headers: Vec<_> = header.into_iter().collect();
        let seen =
            send(Face::OpenAi, &Scripted::in_turn(vec![Reply::text(status, &headers, "")]), |builder| builder).await;
        match expected {
            Some(wait) => answered(&case, &seen, &[wait]),
            None => {
                let error = seen.outcome.as_ref().expect_err(&case);
                assert_eq!(
                    (error.attempts(), error.status().map(|status| status.as_u16())),
                    (1, Some(status)),
                    "{case}"
                );
            }
        }
    };
    for status in STATUSES {
        // A refusal for the rate that does not say when is held back for half a second at least.
        let own = if status == 429 { 500..=1_001 } else { backoff(0) };
        let again = is_tried_again(status);
        check(status, None, again.then(|| own.clone())).await;
        for (name, value, wait) in WAITS {
            let wait = wait.map_or(own.clone(), exactly);
            check(status, Some((name, value)), again.then_some(wait)).await;
        }
        check(status, Some(("x-should-retry", "false")), None).await;
        check(status, Some(("x-should-retry", "true")), (!is_hopeless(status)).then(|| own.clone())).await;
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_end_at_their_ceiling() {
    let mut policy = RetryPolicy::default();
    policy.max_attempts = 4;
    policy.backoff = Backoff { base: Nanos::from_millis(100), ceiling: Nanos::from_millis(200) };
    let check = async |case: &str, reply: Reply, code: &str, waits: &[RangeInclusive<u64>]| {
        let server = Scripted::new(move |_| reply.clone());
        // A limit that is never reached, so that requests are not spaced as they are where no limit is known at all.
        let settings = |builder: Builder| builder.retry(policy).requests_per_minute(1_000_000);
        failed(case, &send(Face::OpenAi, &server, settings).await, code, waits);
    };
    let jitter = [0..=101, 0..=201, 0..=201];
    check("500", Reply::error(500, &[], "api_error", "Sorry."), "transient", &jitter).await;
    check("a reset", Reply::Reset, "connection", &jitter).await;
    check("429", limited(&[("retry-after", "2")]), "rate_limited", &[exactly(2_000), exactly(2_000), exactly(2_000)])
        .await;
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_allowed() {
    let mut policy = RetryPolicy::default();
    policy.longest_wait = Duration::from_secs(60);
    for (status, code) in [(429, "limit_exhausted"), (503, "overloaded")] {
        let server = Scripted::new(move |_| Reply::error(status, &[("retry-after", "61")], "sorry", "Later."));
        let seen = send(Face::OpenAi, &server, |builder| builder.retry(policy)).await;
        failed(&status.to_string(), &seen, code, &[]);
        let after = seen.outcome.unwrap_err().retry_after().unwrap();
        assert!((60..=61).contains(&after.as_secs()), "{status}: {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_larger_than_a_limit_that_was_told_is_not_sent() {
    let server = Scripted::in_turn(Vec::new());
    let client = server.client(Face::OpenAi).tokens_per_minute(100).build().unwrap();
    let error = client.request(Face::OpenAi.question("gpt-4o-mini", 1_000, 1)).await.unwrap_err();
    assert_eq!((error.code(), error.attempts(), server.arrivals().len()), ("too_large", 0, 0), "{error}");
    assert!(error.to_string().contains("100"), "{error}");
}

/// A failure that is worth another try for ever.
fn failing() -> Scripted {
    Scripted::new(|_| Reply::error(500, &[], "api_error", "Sorry."))
}

fn total(seconds: u64) -> RetryPolicy {
    let mut policy = RetryPolicy::default();
    (policy.max_failures, policy.longest_total) = (100, Some(Duration::from_secs(seconds)));
    policy
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_again_after_the_longest_total() {
    let server = failing();
    let seen = send(Face::OpenAi, &server, |builder| builder.retry(total(20))).await;
    let error = seen.outcome.unwrap_err();
    assert!(error.is_timeout() && !error.is_status(), "{error}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(500), "{error}");
    let arrivals = server.arrivals();
    assert!(error.attempts() > 1 && arrivals.last().unwrap().as_secs() < 20, "{arrivals:?}");
    assert!(server.now().as_secs() <= 20);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_capacity_when_all_its_time_is_over_times_out_and_leaves_nothing_behind() {
    let server = Scripted::in_turn(Vec::new());
    let client = server.client(Face::OpenAi).requests_per_minute(1).retry(total(20)).build().unwrap();
    let question = || Face::OpenAi.question("gpt-4o-mini", 10, 10);
    client.request(question()).await.unwrap();
    let error = client.request(question()).await.unwrap_err();
    assert!(error.is_timeout() && error.attempts() == 0, "{error}");
    let error = client.request(question().with_deadline(Duration::from_secs(5))).await.unwrap_err();
    assert!(error.is_timeout() && error.to_string().contains("5s"), "{error}");
    assert!((25..=26).contains(&server.now().as_secs()) && server.arrivals().len() == 1);
    assert_eq!((client.limits()[0].state.waiting, client.limits()[0].state.in_flight), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_covers_the_waits_the_attempts_and_the_answer() {
    let dribble = || Reply::stream([Part::Repeat(": nothing\n\n".into(), Duration::from_secs(1))]);
    let whole = move || dribble().with("content-type", "application/json");
    let servers: [(&str, Scripted); 4] = [
        ("failures", failing()),
        ("silence", Scripted::new(|_| Reply::Silence)),
        ("a stream without events", Scripted::new(move |_| dribble())),
        ("an answer without an end", Scripted::new(move |_| whole())),
    ];
    for (name, server) in servers {
        let client = server.client(Face::OpenAi).retry(total(10_000)).build().unwrap();
        for is_stream in [false, true] {
            let before = server.now();
            let question = Face::OpenAi.question("gpt-4o-mini", 10, 10).with_deadline(Duration::from_secs(30));
            let error = match is_stream {
                false => client.request(question).await.err(),
                true => client.stream(question).await.err(),
            };
            let error = error.expect(name);
            assert!(error.is_timeout(), "{name}, {is_stream}: {error}");
            assert!((server.now() - before).as_secs() <= 30, "{name}, {is_stream}: {error}");
            assert_eq!(client.limits()[0].state.in_flight, 0, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_stream_that_always_has_more() {
    let event = json!({"choices": [{"delta": {"content": "more"}}]});
    let event = format!("data: {event}\n\n");
    for pause in [0, 1, 20] {
        let event = event.clone();
        let part = move || Part::Repeat(event.clone().into(), Duration::from_millis(pause * 1_000 + 100));
        let server = Scripted::new(move |_| Reply::stream([part()]));
        let client = server.client(Face::OpenAi).build().unwrap();
        let question = Face::OpenAi.question("gpt-4o-mini", 10, 10).with_deadline(Duration::from_secs(30));
        let mut stream = client.stream(question).await.unwrap();
        let error = loop {
            if let Err(error) = stream.next().await.expect("it does not end well") {
                break error;
            }
        };
        assert!(error.is_timeout() && error.to_string().contains("30s"), "{error}");
        assert!((29..=30).contains(&server.now().as_secs()), "{:?}", server.now());
        assert!(stream.next().await.is_none());
        assert_eq!(client.limits()[0].state.in_flight, 0);
    }
}
