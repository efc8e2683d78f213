//! The queue on a paused clock: exact instants, and futures dropped at every point.

use std::time::Duration;

use limiter_core::{Dimension, Limit};

use super::*;
use crate::observe::Meters;

mod cancellation;
mod long_wait;
mod threads;

const PATIENCE: Patience =
    Patience { wait: Nanos::from_secs(600), outage: Nanos::from_secs(900), silence: Nanos::from_secs(60) };

fn scope(tokens_per_minute: u64) -> Arc<Scope> {
    let clock = Clock::start();
    let mut limiter = Limiter::new();
    limiter.set_limit(Limit::per_minute(Dimension::Tokens, tokens_per_minute), clock.now());
    limiter.set_limit(Limit::per_minute(Dimension::Requests, 1_000), clock.now());
    Arc::new(Scope::new(limiter, clock, PATIENCE, Arc::new(Books::new(Meters::new("test")))))
}

fn acquire(scope: &Arc<Scope>, tokens: u64) -> Acquire {
    scope.acquire(&"model".into(), Cost::of_request(tokens, 0), Priority::NORMAL, false)
}

/// A million that wait are a million of these.
#[tokio::test(start_paused = true)]
async fn what_waits_is_small() {
    let limiter = crate::ChatLimiter::builder("openai-compatible").base_url("http://127.0.0.1:9").build().unwrap();
    let cost = Cost::of_request(1, 1);
    for (name, size, most) in [
        ("a waiter", size_of::<Waiter>(), 32),
        ("a wait", size_of::<Acquire>(), 160),
        ("acquire", size_of_val(&limiter.acquire("m", cost)), 448),
        ("acquire_again", size_of_val(&limiter.acquire_again("m", cost)), 448),
        ("request", size_of_val(&limiter.request(crate::Request::get("/"))), 1_792),
    ] {
        assert!(size <= most, "{name}: {size} bytes, not {most}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiters_are_admitted_in_order_at_the_exact_instant() {
    let scope = scope(60);
    let start = scope.clock.now();
    acquire(&scope, 60).await.unwrap().settle(None);
    let mut tasks = Vec::new();
    for tokens in [30, 1, 29] {
        let (future, scope) = (acquire(&scope, tokens), Arc::clone(&scope));
        tasks.push(tokio::spawn(async move {
            let permit = future.await.unwrap();
            permit.settle(None);
            since(&scope, start)
        }));
        tokio::task::yield_now().await;
    }
    let mut at = Vec::new();
    for task in tasks {
        at.push(task.await.unwrap());
    }
    // The timer has a resolution of a millisecond and never fires early.
    for (at, expected) in at.iter().zip([30, 31, 60].map(Duration::from_secs)) {
        assert!(*at >= expected && *at <= expected + Duration::from_millis(1), "{at:?} {expected:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_future_dropped_at_any_point_leaves_no_trace() {
    for polls in 0..3 {
        let scope = scope(60);
        acquire(&scope, 60).await.unwrap().settle(None);
        let mut behind = boxed(acquire(&scope, 1));
        {
            let mut dropped = Box::pin(acquire(&scope, 60));
            for _ in 0..polls {
                assert!(futures::poll!(&mut dropped).is_pending());
            }
            assert!(futures::poll!(&mut behind).is_pending());
        }
        let start = scope.clock.now();
        behind.await.unwrap().release();
        assert!(since(&scope, start) <= Duration::from_millis(1_001), "{polls} polls: {:?}", since(&scope, start));
        let state = scope.state();
        assert_eq!((state.in_flight, state.waiting), (0, 0));
        assert!(scope.lock().waiters.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn capacity_granted_to_a_future_that_is_dropped_goes_to_the_next() {
    let scope = scope(60);
    let first = acquire(&scope, 60).await.unwrap();
    let mut granted = boxed(acquire(&scope, 60));
    let mut next = boxed(acquire(&scope, 60));
    assert!(futures::poll!(&mut granted).is_pending());
    assert!(futures::poll!(&mut next).is_pending());
    // Comes back at once, and goes to `granted`, which never looks.
    first.release();
    drop(granted);
    let start = scope.clock.now();
    next.await.unwrap().release();
    assert_eq!(since(&scope, start), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_dropped_counts_as_sent_and_frees_its_place_in_flight() {
    let scope = scope(60);
    drop(acquire(&scope, 60).await.unwrap());
    assert_eq!(scope.state().in_flight, 0);
    let start = scope.clock.now();
    acquire(&scope, 30).await.unwrap().release();
    assert!(since(&scope, start) >= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_wait_longer_than_the_callers_patience_is_refused_at_once() {
    let scope = scope(1);
    acquire(&scope, 1).await.unwrap().settle(None);
    scope.lock().limiter.pause(Nanos::from_secs(3_600), Nanos::ZERO);
    let denied = acquire(&scope, 1).await.unwrap_err();
    assert!(matches!(denied, Denied::TooLong { wait } if wait > Duration::from_secs(3_598)), "{denied:?}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_is_given_up_and_asked_again_by_one_request_at_a_time() {
    let scope = scope(1_000);
    let start = scope.clock.now();
    let denied = loop {
        match acquire(&scope, 1).await {
            Ok(permit) => assert!(!permit.fail(false, false, "connection refused"), "nobody else waits"),
            Err(denied) => break denied,
        }
    };
    assert_eq!(denied, Denied::Down("connection refused".into()));
    assert!(since(&scope, start) > Duration::from_secs(60) && since(&scope, start) < Duration::from_secs(200));
    tokio::time::advance(Duration::from_secs(61)).await;
    let probe = acquire(&scope, 1).await.unwrap();
    assert!(acquire(&scope, 1).await.is_err());
    probe.settle(None);
    let _both = (acquire(&scope, 1).await.unwrap(), acquire(&scope, 1).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn requests_whose_model_moved_are_sent_to_ask_again() {
    let scope = scope(60);
    acquire(&scope, 60).await.unwrap().settle(None);
    let mut moved = boxed(acquire(&scope, 1));
    let mut stays = boxed(scope.acquire(&"other".into(), Cost::of_request(1, 0), Priority::NORMAL, false));
    assert!(futures::poll!(&mut moved).is_pending());
    assert!(futures::poll!(&mut stays).is_pending());
    scope.evict("model");
    assert_eq!(moved.await.unwrap_err(), Denied::Moved);
    stays.await.unwrap().release();
}

/// Whether nobody is remembered, neither one who waits nor one who has to be told.
fn is_empty(scope: &Scope) -> bool {
    let shared = scope.lock();
    shared.waiters.is_empty() && shared.granted.is_empty() && shared.refused.is_empty()
}

fn since(scope: &Scope, start: Nanos) -> Duration {
    scope.clock.now().saturating_sub(start).into()
}

fn boxed(future: Acquire) -> std::pin::Pin<Box<Acquire>> {
    Box::pin(future)
}

#[tokio::test(start_paused = true)]
async fn waiters_that_move_keep_their_order() {
    let old = scope(60);
    acquire(&old, 60).await.unwrap().settle(None);
    let new = scope(6_000);
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for number in 0..20 {
        let (future, new, order) = (acquire(&old, 1), Arc::clone(&new), Arc::clone(&order));
        tasks.push(tokio::spawn(async move {
            assert!(matches!(future.await, Err(Denied::Moved)));
            let permit = acquire(&new, 1).await.unwrap();
            order.lock().unwrap().push(number);
            permit.settle(None);
        }));
        tokio::task::yield_now().await;
    }
    old.evict("model");
    for task in tasks {
        task.await.unwrap();
    }
    let order = order.lock().unwrap().clone();
    assert_eq!(order, (0..20).collect::<Vec<_>>());
}
