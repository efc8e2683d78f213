//! What is shown of limits and usage.

use futures::FutureExt;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_request_counts_once_with_what_it_really_took() {
    let limiter = builder().tokens_per_minute(1_000).requests_per_minute(10).build().unwrap();
    let permit = limiter.acquire("m", Cost::of_request(10, 500)).await.unwrap();
    let during = limiter.current_limits().remove(0);
    assert_eq!((during.in_flight, during.requests_used, during.tokens_used), (1, 0, 0));
    permit.settle_cost(&Cost::of_request(10, 20));
    // Refused twice, which costs nothing.
    for _ in 0..2 {
        let permit = limiter.acquire("m", tokens(10)).await.unwrap();
        let _ = permit.refused(StatusCode::TOO_MANY_REQUESTS, &headers(&[("retry-after", "1")]), b"");
    }
    let limits = limiter.current_limits().remove(0);
    assert_eq!((limits.request_limit, limits.token_limit), (Some(10), Some(1_000)));
    assert_eq!((limits.requests_used, limits.tokens_used), (1, 30));
    assert_eq!((limits.input_tokens_used, limits.output_tokens_used), (10, 20));
    assert_eq!(limits.consecutive_rate_limit_errors, 2);
    assert!(limits.last_request_time.is_some() && limits.last_limit_update.is_none());
    assert!(limits.paused_for.is_some_and(|span| span <= SECOND), "{:?}", limits.paused_for);
    answered(&limiter, "m", tokens(10)).await;
    assert_eq!(limiter.current_limits()[0].consecutive_rate_limit_errors, 0);
    assert_eq!(limiter.usage_by_model().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn usage_begins_anew_and_levels_do_not() {
    let limiter = builder().tokens_per_minute(60).build().unwrap();
    answered(&limiter, "m", tokens(60)).await;
    limiter.reset_usage_tracking();
    assert_eq!(limiter.usage(), crate::UsageTotals::default());
    assert_eq!(limiter.current_limits()[0].requests_used, 0);
    assert_eq!(seconds(answered(&limiter, "m", tokens(60))).await.0, 60);
}

#[tokio::test(start_paused = true)]
async fn what_a_model_used_moves_with_it_to_its_own_limits() {
    let limiter = builder().build().unwrap();
    for (model, limit) in [("a", "100"), ("b", "500")] {
        let mut permit = limiter.acquire(model, tokens(5)).await.unwrap();
        state_requests(&mut permit, limit, "90");
        permit.settle_as_reserved();
    }
    let limits = limiter.current_limits();
    let lines: Vec<_> = limits.iter().map(|it| (it.models.join(","), it.request_limit, it.requests_used)).collect();
    assert_eq!(lines, [("a".to_owned(), Some(100), 1), ("b".to_owned(), Some(500), 1)]);
    assert!(limits.iter().all(|it| it.last_limit_update.is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_tells_of_many_changes_once_and_of_none_not_at_all() {
    let limiter = builder().build().unwrap();
    let mut subscription = limiter.subscribe();
    assert!(subscription.changed().now_or_never().is_none());
    for _ in 0..100 {
        answered(&limiter, "m", tokens(1)).await;
        // Before the number in flight is felt out, requests are spaced.
        tokio::time::advance(SECOND).await;
    }
    assert!(subscription.changed().now_or_never().is_some_and(|changed| changed.is_ok()));
    assert_eq!(subscription.borrow()[0].requests_used, 100);
    assert!(subscription.changed().now_or_never().is_none());
    limiter.reset_usage_tracking();
    assert!(subscription.changed().now_or_never().is_some_and(|changed| changed.is_ok()));
    assert_eq!(subscription.borrow()[0].requests_used, 0);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_ends_with_the_client() {
    let limiter = builder().build().unwrap();
    let (mut one, mut other) = (limiter.subscribe(), limiter.subscribe());
    limiter.close();
    assert!(one.changed().await.unwrap_err().is_closed());
    let limiter = builder().build().unwrap();
    let mut orphan = limiter.subscribe();
    drop(limiter);
    assert!(orphan.changed().await.is_err());
    assert!(other.changed().await.is_err() && other.borrow().len() == 1);
}
