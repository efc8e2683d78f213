//! A provider that asks for hours.

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
