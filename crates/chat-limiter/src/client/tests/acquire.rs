//! Permits for a client of one's own.

use limiter_core::Priority;
use providers::{ErrorKind, Usage};

use super::*;

#[tokio::test(start_paused = true)]
async fn what_a_request_did_not_take_comes_back() {
    let limiter = builder().tokens_per_minute(60).build().unwrap();
    let permit = limiter.acquire("m", Cost::of_request(10, 50)).await.unwrap();
    let mut usage = Usage::default();
    (usage.input, usage.output, usage.total) = (10, 20, 30);
    permit.settle(&usage);
    assert_eq!(seconds(answered(&limiter, "m", tokens(30))).await.0, 0);
    assert_eq!(seconds(answered(&limiter, "m", tokens(30))).await.0, 30);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_released_took_nothing_and_one_that_is_dropped_took_it_all() {
    let limiter = builder().tokens_per_minute(60).build().unwrap();
    limiter.acquire("m", tokens(60)).await.unwrap().release();
    drop(limiter.acquire("m", tokens(60)).await.unwrap());
    assert_eq!(seconds(answered(&limiter, "m", tokens(30))).await.0, 30);
    let usage = limiter.usage();
    assert_eq!((usage.requests, usage.abandoned, usage.tokens), (1, 1, 30));
}

#[tokio::test(start_paused = true)]
async fn places_in_flight_come_back_however_a_permit_ends() {
    let limiter = builder().concurrency(1).build().unwrap();
    let ends: [fn(Permit); 6] = [
        |permit| drop(permit),
        Permit::release,
        Permit::settle_as_reserved,
        |permit| permit.settle_cost(&tokens(1)),
        |permit| permit.failed(true, "broken"),
        |permit| {
            let failure = permit.refused(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), b"");
            assert!(failure.kind.is_limit(), "{failure:?}");
        },
    ];
    for end in ends {
        let permit = limiter.acquire("m", tokens(1)).await.unwrap();
        assert!(limiter.try_acquire("m", tokens(1)).unwrap().is_none(), "one is in flight");
        end(permit);
        let state = &limiter.limits()[0].state;
        assert_eq!((state.in_flight, state.waiting), (0, 0));
    }
    answered(&limiter, "m", tokens(1)).await;
}

#[tokio::test(start_paused = true)]
async fn an_acquisition_dropped_at_any_poll_takes_nothing() {
    for polls in 0..4 {
        let limiter = builder().tokens_per_minute(60).concurrency(2).build().unwrap();
        answered(&limiter, "m", tokens(60)).await;
        {
            let mut dropped = Box::pin(limiter.acquire("m", tokens(60)));
            for _ in 0..polls {
                assert!(futures::poll!(&mut dropped).is_pending());
            }
        }
        assert_eq!(seconds(answered(&limiter, "m", tokens(60))).await.0, 60, "{polls} polls");
        assert_eq!(limiter.usage().requests, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_for_a_place_only_gives_back_its_capacity_when_dropped() {
    let limiter = builder().tokens_per_minute(60).build().unwrap();
    // The scopes of two models, with a place in flight for both: the second has capacity and no place.
    limiter.set_limit_for("a", limiter_core::Limit::concurrent(5));
    limiter.set_concurrency(1);
    let held = limiter.acquire("a", tokens(1)).await.unwrap();
    let mut waiting = Box::pin(limiter.acquire("b", tokens(60)));
    assert!(futures::poll!(&mut waiting).is_pending());
    drop(waiting);
    held.release();
    assert_eq!(seconds(answered(&limiter, "b", tokens(60))).await.0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_holds_back_everybody_for_as_long_as_it_says() {
    let limiter = builder().build().unwrap();
    let permit = limiter.acquire("m", tokens(1)).await.unwrap();
    let headers = headers(&[("retry-after", "7")]);
    let failure = permit.refused(StatusCode::TOO_MANY_REQUESTS, &headers, b"{\"error\":{\"message\":\"slow down\"}}");
    assert_eq!(failure.kind, ErrorKind::RateLimited);
    assert!(limiter.try_acquire("m", tokens(1)).unwrap().is_none());
    let mut other = Box::pin(limiter.acquire("m", tokens(1)));
    assert!(futures::poll!(&mut other).is_pending());
    // It was there before, so it goes before the other.
    let (waited, again) = seconds(limiter.acquire_again("m", tokens(1))).await;
    assert_eq!(waited, 7);
    assert!(futures::poll!(&mut other).is_pending());
    again.unwrap().settle_as_reserved();
    other.await.unwrap().settle_as_reserved();
    let usage = limiter.usage();
    assert_eq!((usage.requests, usage.rate_limited), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn limits_are_found_in_what_is_observed() {
    let limiter = builder().build().unwrap();
    let mut permit = limiter.acquire("m", tokens(1)).await.unwrap();
    state_requests(&mut permit, "10", "0");
    permit.settle_as_reserved();
    assert_eq!(limiter.current_limits()[0].request_limit, Some(10));
    assert!(limiter.try_acquire("m", tokens(1)).unwrap().is_none(), "none of ten is left");
}

#[tokio::test(start_paused = true)]
async fn what_never_fits_fails_at_once_with_both_numbers() {
    let limiter = builder().tokens_per_minute(60).build().unwrap();
    let error = limiter.acquire("m", tokens(61)).await.unwrap_err();
    assert!(error.is_too_large(), "{error:?}");
    assert!(error.to_string().contains("61") && error.to_string().contains("60"), "{error}");
    assert!(limiter.try_acquire("m", tokens(61)).unwrap_err().is_too_large());
}

#[tokio::test(start_paused = true)]
async fn the_more_urgent_goes_first() {
    let limiter = builder().tokens_per_minute(60).build().unwrap();
    answered(&limiter, "m", tokens(60)).await;
    let mut normal = Box::pin(limiter.acquire("m", tokens(60)));
    assert!(futures::poll!(&mut normal).is_pending());
    let (waited, urgent) = seconds(limiter.acquire_with_priority("m", tokens(60), Priority::new(5))).await;
    urgent.unwrap().settle_as_reserved();
    assert_eq!(waited, 60);
    assert!(futures::poll!(&mut normal).is_pending());
}

#[tokio::test(start_paused = true)]
async fn a_cost_is_that_of_the_request_that_the_body_is() {
    let limiter = builder().build().unwrap();
    let body = serde_json::json!({"model": "gpt-4o", "max_tokens": 100,
        "messages": [{"role": "user", "content": "one two three"}]});
    let cost = limiter.cost("/v1/chat/completions", &body);
    assert_eq!(cost.expected().of(limiter_core::Dimension::OutputTokens), 100);
    let input = cost.certain().of(limiter_core::Dimension::Tokens);
    assert!((3..=20).contains(&input), "{input}");
}
