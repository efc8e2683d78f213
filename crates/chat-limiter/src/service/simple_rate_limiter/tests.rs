//! On a paused clock: every instant is exact.

use std::time::Duration;

use serde_json::json;
use simulator::Config;

use super::*;
use crate::test_support::simulated;

const MINUTE: Duration = Duration::from_secs(60);

async fn pass(span: Duration) {
    tokio::time::sleep(span).await;
}

fn left(limiter: &SimpleRateLimiter) -> (u64, u64) {
    (limiter.available_request_capacity().unwrap(), limiter.available_token_capacity().unwrap())
}

#[tokio::test(start_paused = true)]
async fn both_limits_begin_full_and_a_permission_takes_from_both_or_neither() {
    let limiter = SimpleRateLimiter::create(3, 100, MINUTE);
    assert_eq!((limiter.interval(), limiter.max_requests(), limiter.max_tokens()), (MINUTE, Some(3), Some(100)));
    assert_eq!(limiter.request_permission(60), Ok(true));
    assert_eq!(left(&limiter), (2, 40));
    assert_eq!(limiter.request_permission(41), Ok(false));
    assert_eq!(left(&limiter), (2, 40));
    assert_eq!(limiter.request_permission(40), Ok(true));
    assert_eq!(limiter.request_permission(0), Ok(true));
    assert_eq!(limiter.request_permission(0), Ok(false));
    assert_eq!(left(&limiter), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn all_capacity_comes_back_when_the_interval_is_over_and_not_before() {
    let limiter = SimpleRateLimiter::create(1, 10, MINUTE);
    assert_eq!(limiter.request_permission(10), Ok(true));
    pass(MINUTE - Duration::from_millis(1)).await;
    assert_eq!(limiter.request_permission(1), Ok(false));
    pass(Duration::from_millis(1)).await;
    assert_eq!(left(&limiter), (1, 10));
    pass(10 * MINUTE).await;
    assert_eq!(left(&limiter), (1, 10));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_owed_where_the_specified_limiter_overdraws() {
    let limiter = SimpleRateLimiter::create(100, 60, MINUTE);
    assert_eq!(limiter.request_permission(50), Ok(true));
    assert_eq!(limiter.request_permission(50), Ok(false));
    assert_eq!(left(&limiter), (99, 10));
}

#[tokio::test(start_paused = true)]
async fn a_request_larger_than_the_limit_is_an_error_with_both_numbers() {
    let limiter = SimpleRateLimiter::create(100, 1_000, MINUTE);
    let error = limiter.request_permission(1_001).unwrap_err();
    assert_eq!((error.requested_tokens(), error.limit), (1_001, Some(1_000)));
    assert!(error.message.contains("1001") && error.message.contains("1000"), "{error}");
    assert_eq!(left(&limiter), (100, 1_000));
}

#[tokio::test(start_paused = true)]
async fn nothing_comes_back_before_it_is_started_nor_after_it_is_stopped() {
    let limiter = SimpleRateLimiter::new(1, 10, MINUTE);
    assert_eq!(limiter.request_permission(1), Ok(true));
    pass(5 * MINUTE).await;
    assert_eq!(limiter.request_permission(1), Ok(false));

    limiter.start_replenishing();
    limiter.start_replenishing();
    pass(MINUTE / 2).await;
    limiter.stop_replenishing();
    limiter.stop_replenishing();
    pass(5 * MINUTE).await;
    assert_eq!(limiter.request_permission(1), Ok(false));

    limiter.start_replenishing();
    pass(MINUTE / 2).await;
    assert_eq!(limiter.request_permission(1), Ok(true));
}

#[tokio::test(start_paused = true)]
async fn availability_is_known_from_the_beginning_and_asking_takes_nothing() {
    let limiter = SimpleRateLimiter::per_minute(Some(100), None);
    assert_eq!((limiter.max_requests(), limiter.available_request_capacity()), (None, None));
    assert!(limiter.check_availability(60, 40));
    assert!(!limiter.check_availability(60, 41));
    assert!(!limiter.check_availability(1_000_000_000, u64::MAX));
    assert!(limiter.check_availability(100, 0));
    let unlimited = SimpleRateLimiter::per_minute(None, None);
    assert!(unlimited.check_availability(u64::MAX, u64::MAX));
    assert_eq!(unlimited.request_permission(u64::MAX), Ok(true));
    let requests = SimpleRateLimiter::per_minute(None, Some(1));
    assert_eq!(requests.request_permission(5), Ok(true));
    assert!(!requests.check_availability(0, 0));
}

#[tokio::test(start_paused = true)]
async fn capacity_that_reached_zero_comes_back() {
    let limiter = SimpleRateLimiter::per_minute(Some(10), Some(1));
    for _ in 0..3 {
        assert_eq!(limiter.request_permission(10), Ok(true));
        assert!(!limiter.check_availability(0, 0));
        pass(MINUTE).await;
        assert!(limiter.check_availability(10, 0));
    }
}

#[test]
fn threads_that_ask_together_get_all_there_is_and_no_more() {
    let limiter = SimpleRateLimiter::new(50, 1_000, MINUTE);
    let granted: usize = std::thread::scope(|scope| {
        let ask = || (0..50).filter(|_| limiter.request_permission(30).unwrap()).count();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((granted, left(&limiter)), (33, (17, 10)));
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_go_in_turn_and_nobody_gets_past_them() {
    let limiter = SimpleRateLimiter::create(100, 100, MINUTE);
    assert_eq!(limiter.request_permission(90), Ok(true));
    let mut large = std::pin::pin!(limiter.take(60));
    let mut small = std::pin::pin!(limiter.take(5));
    assert!(futures::poll!(large.as_mut()).is_pending());
    assert!(futures::poll!(small.as_mut()).is_pending());
    assert_eq!(limiter.request_permission(5), Ok(false));
    assert!(!limiter.check_availability(5, 0));
    assert_eq!(left(&limiter), (99, 10));
    pass(MINUTE).await;
    assert!(futures::poll!(small.as_mut()).is_pending());
    large.await.ok().unwrap();
    small.await.ok().unwrap();
    assert_eq!(left(&limiter), (98, 35));
}

#[tokio::test(start_paused = true)]
async fn one_who_waits_and_is_dropped_takes_nothing_and_holds_up_nobody() {
    let limiter = SimpleRateLimiter::create(100, 100, MINUTE);
    assert_eq!(limiter.request_permission(90), Ok(true));
    {
        let mut large = std::pin::pin!(limiter.take(60));
        assert!(futures::poll!(large.as_mut()).is_pending());
    }
    assert_eq!(limiter.request_permission(10), Ok(true));
    assert_eq!(left(&limiter), (98, 0));
}

#[tokio::test(start_paused = true)]
async fn one_who_waits_while_it_stands_goes_when_it_is_started() {
    let limiter = SimpleRateLimiter::new(1, 10, MINUTE);
    assert_eq!(limiter.request_permission(1), Ok(true));
    let mut next = std::pin::pin!(limiter.take(1));
    assert!(futures::poll!(next.as_mut()).is_pending());
    pass(5 * MINUTE).await;
    assert!(futures::poll!(next.as_mut()).is_pending());
    limiter.start_replenishing();
    let since = limiter.clock.now();
    assert!(next.await.is_ok());
    assert_eq!(Duration::from(limiter.clock.now().saturating_sub(since)), MINUTE);
}

#[tokio::test(start_paused = true)]
async fn whatever_is_asked_when_it_is_the_definition_that_answers() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..50 {
        let (requests, tokens) = (random.u64(1..20), random.u64(1..500));
        let interval = Duration::from_millis(random.u64(1..5_000));
        let limiter = SimpleRateLimiter::create(requests, tokens, interval);
        // As the document has it: both numbers are set anew after each interval.
        let (mut turns, mut left) = (0, (requests, tokens));
        let mut now = Duration::ZERO;
        for _ in 0..200 {
            let span = Duration::from_millis(random.u64(0..interval.as_millis() as u64 / 4 + 2));
            pass(span).await;
            now += span;
            let turn = now.as_millis() / interval.as_millis();
            if turn > turns {
                (turns, left) = (turn, (requests, tokens));
            }
            let wanted = random.u64(0..=tokens + tokens / 10);
            let expected = left.0 > 0 && left.1 >= wanted;
            assert_eq!(limiter.check_availability(wanted, 0), expected && wanted <= tokens);
            match limiter.request_permission(wanted) {
                Err(_) => assert!(wanted > tokens),
                Ok(granted) => assert_eq!(granted, expected, "{wanted} of {left:?}"),
            }
            if expected {
                left = (left.0 - 1, left.1 - wanted);
            }
            let available = (limiter.available_request_capacity(), limiter.available_token_capacity());
            assert_eq!(available, (Some(left.0), Some(left.1)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_counted_by_what_it_really_took() {
    let (simulator, client) = simulated(Config::default());
    let limiter = SimpleRateLimiter::create(100, 10_000, MINUTE);
    let body = json!({"model": "gpt-4o-mini", "max_tokens": 5_000, "messages": [{"role": "user", "content": "Hi"}]});
    let answer = limiter.call_api(&client, Request::post("/chat/completions", body.to_string())).await.unwrap();
    let took = answer.usage.unwrap().total;
    assert!(took < 5_000);
    assert_eq!(left(&limiter), (99, 10_000 - took));
    assert_eq!(simulator.statistics().requests, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_larger_than_the_limit_is_refused_at_once_and_not_sent() {
    let (simulator, client) = simulated(Config::default());
    let limiter = SimpleRateLimiter::create(100, 1_000, MINUTE);
    let body = json!({"model": "gpt-4o-mini", "max_tokens": 5_000, "messages": [{"role": "user", "content": "Hi"}]});
    let error = limiter.call_api(&client, Request::post("/chat/completions", body.to_string())).await.unwrap_err();
    assert!(error.is_too_large() && error.to_string().contains("1000"), "{error}");
    assert_eq!(simulator.statistics().requests, 0);
    assert_eq!(left(&limiter), (100, 1_000));
}
