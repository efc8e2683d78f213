//! The end of a client.

use futures::FutureExt;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_those_that_wait_go_and_takes_no_new_ones() {
    let limiter = builder().tokens_per_minute(60).build().unwrap();
    answered(&limiter, "m", tokens(60)).await;
    let clone = limiter.clone();
    let waiting = tokio::spawn(async move { answered(&clone, "m", tokens(60)).await });
    tokio::task::yield_now().await;
    let mut shutdown = Box::pin(limiter.shutdown());
    assert!(futures::poll!(&mut shutdown).is_pending());
    assert!(limiter.acquire("m", tokens(1)).await.unwrap_err().is_closed());
    assert!(limiter.request(crate::Request::get("/models")).await.unwrap_err().is_closed());
    assert_eq!(seconds(shutdown).await.0, 60);
    waiting.await.unwrap();
    assert_eq!(limiter.usage().requests, 2);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_permits_in_flight() {
    let limiter = builder().build().unwrap();
    let permit = limiter.acquire("m", tokens(1)).await.unwrap();
    let mut shutdown = Box::pin(limiter.shutdown());
    assert!(futures::poll!(&mut shutdown).is_pending());
    drop(permit);
    assert!(shutdown.now_or_never().is_some());
    // Again, and after a close, it has nothing to wait for.
    assert!(limiter.shutdown().now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_the_waiting() {
    let limiter = builder().tokens_per_minute(60).build().unwrap();
    let held = limiter.acquire("m", tokens(60)).await.unwrap();
    let clone = limiter.clone();
    let waiting = tokio::spawn(async move { clone.acquire("m", tokens(60)).await.map(drop) });
    tokio::task::yield_now().await;
    let (took, is_done) = seconds(limiter.shutdown_within(30 * SECOND)).await;
    assert_eq!((took, is_done), (30, false));
    assert!(waiting.await.unwrap().unwrap_err().is_closed());
    held.settle_as_reserved();
    assert_eq!(limiter.usage().requests, 1, "what was in flight ended as always");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_dropped_leaves_the_client_shut_and_its_requests_going() {
    let limiter = builder().tokens_per_minute(60).build().unwrap();
    answered(&limiter, "m", tokens(60)).await;
    let mut waiting = Box::pin(limiter.acquire("m", tokens(30)));
    assert!(futures::poll!(&mut waiting).is_pending());
    assert!(limiter.shutdown().now_or_never().is_none());
    assert!(limiter.try_acquire("m", tokens(1)).unwrap_err().is_closed());
    assert_eq!(seconds(waiting).await.0, 30);
}
