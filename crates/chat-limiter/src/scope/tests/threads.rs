//! The same from several threads at once: in whatever order they come, nothing is left.

use super::*;

/// A scope where two are in flight at most, and nothing else holds anybody back.
fn narrow() -> Arc<Scope> {
    let clock = Clock::start();
    let mut limiter = Limiter::new();
    limiter.set_probing(false);
    limiter.set_limit(Limit::concurrent(2), clock.now());
    Arc::new(Scope::new(limiter, clock, PATIENCE, Arc::new(Books::new(Meters::new("test")))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn waiting_ending_and_dropping_at_once_leave_nothing_and_keep_nobody_waiting() {
    let scope = narrow();
    let tasks = (0..64).map(|task| {
        let scope = Arc::clone(&scope);
        tokio::spawn(async move {
            for n in 0..200_usize {
                let mut waiting = Box::pin(acquire(&scope, 1));
                if (task + n).is_multiple_of(3) {
                    // Dropped after a look or two, granted or not.
                    for _ in 0..n % 3 {
                        let _ = futures::poll!(&mut waiting);
                        tokio::task::yield_now().await;
                    }
                    continue;
                }
                let permit = waiting.await.unwrap();
                assert!(scope.state().in_flight <= 2);
                tokio::task::yield_now().await;
                match n % 4 {
                    0 => drop(permit),
                    1 => permit.release(),
                    2 => permit.settle(None),
                    _ => permit.settle(Some(&Amounts::ZERO)),
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let state = scope.state();
    assert_eq!((state.in_flight, state.waiting), (0, 0));
    assert!(is_empty(&scope));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waits_while_it_is_closed_is_told_whatever_ends_then() {
    for _ in 0..200 {
        let scope = narrow();
        let held = [acquire(&scope, 1).await.unwrap(), acquire(&scope, 1).await.unwrap()];
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                let future = boxed(acquire(&scope, 1));
                tokio::spawn(async move { future.await.map(Permit::release) })
            })
            .collect();
        let closer = Arc::clone(&scope);
        let closing = tokio::spawn(async move { closer.close() });
        held.into_iter().for_each(Permit::release);
        closing.await.unwrap();
        for task in waiting {
            // Let through before, or told.
            let outcome = task.await.unwrap();
            assert!(matches!(outcome, Ok(()) | Err(Denied::Closed)), "{outcome:?}");
        }
        assert_eq!((scope.state().in_flight, scope.state().waiting), (0, 0));
    }
}
