//! A provider that asks for hours.

use futures::FutureExt;
use limiter_core::Reading;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// Sends one request that is refused for a day, while another one waits.
async fn refused_for_a_day(scope: &Arc<Scope>) {
    let first = acquire(scope, 60).await.unwrap();
    let waiting = boxed(acquire(scope, 1));
    let waiting = tokio::spawn(waiting);
    tokio::task::yield_now().await;
    first.refuse(Some(DAY.into()), "a day");
    assert!(matches!(waiting.await.unwrap().unwrap_err(), Denied::TooLong { wait } if wait == DAY), "told at once");
}

async fn too_long(scope: &Arc<Scope>, expected: Duration) {
    match acquire(scope, 1).await {
        Err(Denied::TooLong { wait }) => assert_eq!(wait.as_secs(), expected.as_secs()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_is_told_at_once_and_one_an_hour_later_asks() {
    let scope = scope(60);
    refused_for_a_day(&scope).await;
    too_long(&scope, DAY).await;
    tokio::time::advance(HOUR - Duration::from_millis(1)).await;
    too_long(&scope, DAY - HOUR).await;
    tokio::time::advance(Duration::from_millis(1)).await;
    let asker = acquire(&scope, 1).await.unwrap();
    too_long(&scope, DAY - HOUR).await;
    // It was not true.
    asker.settle(None);
    let _two = (acquire(&scope, 1).await.unwrap(), acquire(&scope, 1).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn where_it_is_true_it_is_asked_once_an_hour_until_it_is_over() {
    let scope = scope(60);
    let start = scope.clock.now();
    refused_for_a_day(&scope).await;
    let mut asked = 0;
    loop {
        tokio::time::advance(Duration::from_secs(60)).await;
        let outcome = acquire(&scope, 1).await;
        let left = DAY.saturating_sub(since(&scope, start));
        match outcome {
            Ok(permit) if left > Duration::ZERO => {
                asked += 1;
                permit.refuse(Some(left.into()), "until tomorrow");
            }
            Ok(permit) => break permit.settle(None),
            Err(denied) => assert!(matches!(denied, Denied::TooLong { .. }), "{left:?} {denied:?}"),
        }
    }
    assert!(since(&scope, start) < DAY + Duration::from_secs(120), "{:?}", since(&scope, start));
    // In the last hour the wait is short enough to be made in the queue.
    assert!((22..=24).contains(&asked), "{asked}");
    let _two = (acquire(&scope, 1).await.unwrap(), acquire(&scope, 1).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_is_dropped_fails_or_is_sent_back_lets_the_next_one_ask() {
    for end in 0..4 {
        let scope = scope(60);
        refused_for_a_day(&scope).await;
        tokio::time::advance(HOUR).await;
        let asker = acquire(&scope, 1).await.unwrap();
        match end {
            0 => drop(asker),
            1 => asker.release(),
            2 => assert!(!asker.fail(true, false, "no answer")),
            _ => asker.refuse(None, "again"),
        }
        tokio::time::advance(Duration::from_secs(60)).await;
        acquire(&scope, 1).await.unwrap().settle(None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_and_shorter_wait_is_waited_for() {
    let scope = scope(60);
    refused_for_a_day(&scope).await;
    tokio::time::advance(HOUR).await;
    acquire(&scope, 1).await.unwrap().refuse(Some(Nanos::from_secs(30)), "half a minute");
    let start = scope.clock.now();
    acquire(&scope, 1).await.unwrap().settle(None);
    assert_eq!(since(&scope, start).as_secs(), 30);
    let _two = (acquire(&scope, 1).await.unwrap(), acquire(&scope, 1).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_what_was_sent_before_says_nothing_of_the_wait() {
    let scope = scope(60);
    let earlier = acquire(&scope, 1).await.unwrap();
    acquire(&scope, 1).await.unwrap().refuse(Some(DAY.into()), "a day");
    earlier.settle(None);
    too_long(&scope, DAY).await;
}

/// The answer to a request says that none of a hundred a day is left.
fn none_left(permit: &mut Permit) {
    let mut observation = Observation::new();
    let reading = Reading { window: Some(Nanos::DAY), limit: Some(100), ..Reading::of(Dimension::Requests) };
    observation.push(Reading { remaining: Some(0), reset: Some(DAY.into()), fixed_window: true, ..reading });
    permit.observe(&observation);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_leaves_no_room_for_hours_is_asked_about_once_an_hour() {
    let scope = scope(60);
    let mut first = acquire(&scope, 1).await.unwrap();
    none_left(&mut first);
    first.settle(None);
    let mut asked = Vec::new();
    for minute in 0..300 {
        match acquire(&scope, 1).await {
            Ok(permit) => {
                // Told so at once, or when the answer is there.
                assert!(!matches!(acquire(&scope, 1).now_or_never(), Some(Ok(_))), "one at a time");
                asked.push(minute);
                permit.refuse(None, "none left");
            }
            Err(denied) => assert!(matches!(denied, Denied::TooLong { .. }), "{denied:?}"),
        }
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    assert_eq!(asked, [60, 120, 180, 240]);
}

#[tokio::test(start_paused = true)]
async fn the_callers_own_limit_is_not_asked_about() {
    let scope = scope(60);
    scope.retell(&[], &[Limit::per_day(Dimension::Requests, 1)], BufferRatio::default());
    acquire(&scope, 1).await.unwrap().settle(None);
    tokio::time::advance(Duration::from_secs(1)).await;
    for _ in 0..5 {
        assert!(matches!(acquire(&scope, 1).await, Err(Denied::TooLong { .. })));
        tokio::time::advance(HOUR).await;
    }
}
