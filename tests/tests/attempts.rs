//! What a caller sees of the attempts of its request, and what an attempt holds.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::error::Error as _;
use std::time::Duration;

use chat_limiter::limiter_core::{Backoff, Dimension, Nanos, NeverFits};
use chat_limiter::{Attempt, ChatLimiter, Error, History, RateLimitError, Request, RetryPolicy};
use chat_limiter_tests::{Face, Reply, Scripted, in_flight, same_random_numbers, waiting};
use http::StatusCode;
use serde_json::{Value, json};

fn question(most_output: u64) -> Request {
    Face::OpenAi.question("gpt-4o-mini", 20, most_output)
}

fn later(seconds: &str) -> Reply {
    Reply::error(429, &[("retry-after", seconds)], "rate_limit_exceeded", "Slow down.")
}

/// The milliseconds of an attempt: when it was sent, and how long it had waited.
fn times(attempt: &Attempt) -> (u128, u128) {
    (attempt.started.as_millis(), attempt.waited.as_millis())
}

#[track_caller]
fn check_history(history: &History) {
    let attempts: Vec<&Attempt> = history.iter().collect();
    let [refused, failed, answered] = attempts[..] else { panic!("{history:?}") };
    assert_eq!(times(refused), (0, 0));
    assert_eq!((refused.status, refused.code), (Some(StatusCode::TOO_MANY_REQUESTS), Some("rate_limited")));
    assert_eq!((refused.is_rate_limited, refused.retry_after), (true, Some(Duration::from_secs(3))));
    assert!(refused.reason.contains("Slow down."), "{refused:?}");
    // The timer has a resolution of a millisecond.
    assert!((3_000..=3_001).contains(&failed.waited.as_millis()), "{failed:?}");
    assert_eq!((failed.status.map(|status| status.as_u16()), failed.code), (Some(503), Some("overloaded")));
    assert_eq!((failed.is_rate_limited, failed.retry_after), (false, Some(Duration::from_secs(4))));
    assert!((4_000..=4_001).contains(&answered.waited.as_millis()), "{answered:?}");
    assert!((7_000..=7_002).contains(&answered.started.as_millis()), "{answered:?}");
    assert_eq!((answered.status, answered.code, answered.reason.as_str()), (Some(StatusCode::OK), None, ""));
    assert_eq!(history.last(), Some(answered));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_in_the_answer_with_its_wait_and_its_reason() {
    let replies = || vec![later("3"), Reply::error(503, &[("retry-after", "4")], "overloaded", "Sorry.")];
    let client = Scripted::in_turn(replies()).client(Face::OpenAi).build().unwrap();
    // The first count of tokens takes time on another thread, before anything is asked for.
    let answer = client.request(question(50)).await.unwrap();
    check_history(&answer.history);
    let written = serde_json::to_value(&answer.history).unwrap();
    assert_eq!(written.as_array().map(Vec::len), Some(3));
    assert_eq!((&written[0]["status"], &written[0]["retry_after"]), (&json!(429), &json!(3.0)));
    let client = Scripted::in_turn(replies()).client(Face::OpenAi).build().unwrap();
    let stream = client.stream(question(50)).await.unwrap();
    check_history(stream.history());
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_in_the_error_and_long_reasons_are_cut() {
    same_random_numbers();
    let message = "\u{fc}".repeat(5_000);
    let server = Scripted::new(move |_| Reply::error(500, &[], "api_error", &message));
    let mut policy = RetryPolicy::default();
    policy.max_attempts = 4;
    let client = server.client(Face::OpenAi).retry(policy).build().unwrap();
    let error = client.request(question(50)).await.unwrap_err();
    assert_eq!((error.attempts(), error.history().len()), (4, 4));
    let arrivals = server.arrivals();
    for (attempt, arrival) in error.history().iter().zip(&arrivals) {
        assert_eq!((attempt.code, attempt.is_rate_limited), (Some("transient"), false));
        assert_eq!(attempt.started, *arrival - arrivals[0]);
        assert!(attempt.reason.len() <= Attempt::REASON_LIMIT && attempt.reason.len() > Attempt::REASON_LIMIT - 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_its_limit_says_for_how_long() {
    let server = Scripted::in_turn(Vec::new());
    let client = server.client(Face::OpenAi).requests_per_minute(1).build().unwrap();
    client.request(question(50)).await.unwrap();
    // The answer took less than the one request that is there, so the next one comes back in a minute.
    let answer = client.request(question(50)).await.unwrap();
    let only = answer.history.last().unwrap();
    assert_eq!((answer.history.len(), only.waited), (1, only.started));
    assert!((59_999..=60_001).contains(&only.waited.as_millis()), "{only:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_to_be_tried_again_holds_no_slot_and_no_capacity() {
    let server = Scripted::in_turn(vec![Reply::error(503, &[], "overloaded", "Sorry.")]);
    let mut policy = RetryPolicy::default();
    // Anything from nothing to an hour: the first second of it is rare.
    policy.backoff = Backoff { base: Nanos::HOUR, ceiling: Nanos::HOUR };
    // A limit that is never reached, so that requests are not spaced as they are where no limit is known at all.
    let builder = server.client(Face::OpenAi).concurrency(1).requests_per_minute(1_000_000);
    let client = builder.retry(policy).build().unwrap();
    let others = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!((in_flight(&client), waiting(&client), server.arrivals().len()), (0, 0, 1));
        for _ in 0..3 {
            client.request(question(50)).await.unwrap();
        }
        server.now()
    };
    let (waited, others) = tokio::join!(client.request(question(50)), others);
    let waited = waited.unwrap();
    assert_eq!(waited.attempts, 2);
    let again = waited.history.last().unwrap().started;
    assert!(again > others && others < Duration::from_secs(2), "{again:?}, the others {others:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_or_has_failed_goes_before_what_came_after_it() {
    for first in [later("5"), Reply::error(503, &[("retry-after", "5")], "overloaded", "Sorry.")] {
        let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = std::sync::Arc::clone(&order);
        let server = Scripted::reading(move |n, body| {
            let body: Value = serde_json::from_slice(body).unwrap();
            seen.lock().unwrap().push(body["max_tokens"].as_u64().unwrap());
            if n == 0 { first.clone() } else { Reply::success() }
        });
        // One a minute, so that the others still wait when the first one comes back.
        let client = server.client(Face::OpenAi).requests_per_minute(1).build().unwrap();
        let ask = async |number: u64| {
            // Tokens are counted on other threads at first, which end in any order.
            tokio::time::sleep(Duration::from_millis(number)).await;
            client.request(question(number)).await.unwrap()
        };
        let (one, two, three) = tokio::join!(ask(1), ask(2), ask(3));
        assert_eq!(*order.lock().unwrap(), [1, 1, 2, 3]);
        assert_eq!((one.attempts, two.attempts, three.attempts), (2, 1, 1));
    }
}

/// The key by which the provider knows each request again.
fn keys(server: &Scripted) -> Vec<Option<String>> {
    let heads = server.heads();
    heads.iter().map(|head| head.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn all_attempts_of_a_post_have_one_key_and_no_two_requests_the_same() {
    let server = Scripted::in_turn(vec![Reply::Reset, later("1")]);
    let client = server.client(Face::OpenAi).build().unwrap();
    client.request(question(50)).await.unwrap();
    client.request(question(50)).await.unwrap();
    client.request(Request::get("/v1/models")).await.unwrap();
    let keys = keys(&server);
    assert!(keys[0].as_ref().is_some_and(|key| key.len() > 20), "{keys:?}");
    assert!(keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3], "{keys:?}");
    assert!(keys[3].is_some() && keys[4].is_none(), "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_of_the_callers_own_stays_and_who_takes_none_gets_none() {
    let server = Scripted::in_turn(vec![Reply::Reset]);
    let client = server.client(Face::OpenAi).build().unwrap();
    let mut request = question(50);
    request.headers.insert("idempotency-key", "mine".parse().unwrap());
    client.request(request).await.unwrap();
    assert_eq!(keys(&server), [Some("mine".to_owned()), Some("mine".to_owned())]);
    for face in [Face::Anthropic, Face::OpenRouter, Face::Compatible] {
        let server = Scripted::in_turn(Vec::new());
        let client = server.client(face).build().unwrap();
        client.request(face.question(face.model(), 20, 50)).await.unwrap();
        assert_eq!(keys(&server), [None], "{face:?}");
    }
}

async fn failing(client: &ChatLimiter, request: Request) -> Error {
    client.request(request).await.unwrap_err()
}

/// The predicates that hold.
fn predicates(error: &Error) -> Vec<&'static str> {
    let all = [
        ("configuration", error.is_configuration()),
        ("rate_limited", error.is_rate_limited()),
        ("quota_exhausted", error.is_quota_exhausted()),
        ("too_large", error.is_too_large()),
        ("invalid", error.is_invalid()),
        ("authentication", error.is_authentication()),
        ("permission", error.is_permission()),
        ("status", error.is_status()),
        ("timeout", error.is_timeout()),
        ("connect", error.is_connect()),
        ("closed", error.is_closed()),
    ];
    all.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name).collect()
}

#[tokio::test(start_paused = true)]
async fn the_predicates_tell_the_cases_apart_and_the_response_is_there() {
    let mut policy = RetryPolicy::default();
    policy.max_attempts = 1;
    for (status, name, expected) in [
        (429, "rate_limit_exceeded", "rate_limited"),
        (429, "insufficient_quota", "quota_exhausted"),
        (413, "request_too_large", "too_large"),
        (400, "invalid_request_error", "invalid"),
        (422, "invalid_request_error", "invalid"),
        (401, "invalid_api_key", "authentication"),
        (403, "permission_error", "permission"),
        (500, "api_error", "status"),
    ] {
        let reply = Reply::error(status, &[("x-request-id", "req_7"), ("x-more", "yes")], name, "No.");
        let server = Scripted::new(move |_| reply.clone());
        let error = failing(&server.client(Face::OpenAi).retry(policy).build().unwrap(), question(50)).await;
        let expected = if expected == "status" { vec!["status"] } else { vec![expected, "status"] };
        assert_eq!(predicates(&error), expected, "{status} {name}: {error}");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert_eq!((error.request_id(), error.headers().unwrap()["x-more"].to_str().unwrap()), (Some("req_7"), "yes"));
        assert!(error.body().unwrap().starts_with(b"{\"error\""), "{error}");
        assert_eq!(error.history().len(), 1);
    }
    let server = Scripted::new(|_| Reply::Silence);
    let client = server.client(Face::OpenAi).retry(policy).build().unwrap();
    let error = failing(&client, question(50)).await;
    assert_eq!((predicates(&error), error.status()), (vec!["timeout"], None), "{error}");
    assert!(error.source().is_some());
    let error = failing(&client, Request::post("http://elsewhere.invalid/v1/chat/completions", "{}")).await;
    assert_eq!(predicates(&error), ["invalid"], "{error}");
    client.close();
    assert_eq!(predicates(&failing(&client, question(50)).await), ["closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_larger_than_a_limit_fails_at_once_with_both_numbers() {
    let server = Scripted::in_turn(Vec::new());
    let client = server.client(Face::OpenAi).tokens_per_minute(100).build().unwrap();
    let error = failing(&client, Face::OpenAi.question("gpt-4o-mini", 1_000, 500)).await;
    let sizes: &RateLimitError = error.rate_limit().unwrap();
    assert_eq!(
        (sizes.dimension, sizes.limit, sizes.estimated_output_tokens),
        (Some(Dimension::Tokens), Some(100), 500)
    );
    assert!(sizes.input_tokens > 100, "{sizes:?}");
    assert_eq!(sizes.requested_tokens(), sizes.input_tokens + 500);
    let text = error.to_string();
    assert!(text.contains("100") && text.contains(&sizes.input_tokens.to_string()), "{text}");
    assert_eq!((error.attempts(), error.history().is_empty(), server.arrivals().len()), (0, true, 0));
    assert!(error.source().unwrap().downcast_ref::<NeverFits>().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_what_was_asked_for_and_what_ran_out() {
    let mut policy = RetryPolicy::default();
    policy.max_attempts = 2;
    let words = "Rate limit reached for gpt-4o-mini on tokens per min (TPM): Limit 30000, Used 29000, Requested 5000.";
    let reply = Reply::error(429, &[("retry-after", "2")], "rate_limit_exceeded", words);
    let server = Scripted::new(move |_| reply.clone());
    let error = failing(&server.client(Face::OpenAi).retry(policy).build().unwrap(), question(500)).await;
    let refusal = error.source().unwrap().downcast_ref::<RateLimitError>().unwrap();
    assert_eq!(Some(refusal), error.rate_limit());
    assert!(refusal.message.contains(words) && refusal.to_string() == refusal.message, "{refusal:?}");
    assert_eq!((refusal.dimension, refusal.limit), (Some(Dimension::Tokens), Some(30_000)));
    assert_eq!((refusal.estimated_output_tokens, refusal.retry_after), (500, Some(Duration::from_secs(2))));
    assert!(refusal.input_tokens > 0 && error.rate_limited_attempts() == 2);
    // What is no matter of limits has no such numbers.
    let server = Scripted::new(|_| Reply::error(400, &[], "invalid_request_error", "No."));
    assert_eq!(failing(&server.client(Face::OpenAi).build().unwrap(), question(500)).await.rate_limit(), None);
}

#[tokio::test(start_paused = true)]
async fn the_headers_of_a_request_stand_in_place_of_the_clients_and_repeated_ones_are_all_sent() {
    let server = Scripted::in_turn(Vec::new());
    let client = server.client(Face::OpenAi).header("x-team", "all").header("x-more", "client").build().unwrap();
    let mut request = question(50);
    for value in ["one", "two"] {
        request.headers.append("x-team", value.parse().unwrap());
    }
    client.request(request).await.unwrap();
    let heads = server.heads();
    let sent = |name| heads[0].get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!((sent("x-team"), sent("x-more")), (vec!["one", "two"], vec!["client"]));
    assert_eq!(sent("content-type"), ["application/json"]);
}
