//! A wait that nothing confirmed is tested, and no stray word decides.

use super::tests::{seconds, tokens_left};
use super::*;
use crate::{Cost, Dimension, Observation, Priority, Reading};

#[test]
fn nobody_asks_where_the_window_is_stated() {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(100, 0);
    let mut first = limiter.try_reserve(&cost, seconds(0)).unwrap();
    limiter.observe(&mut first, &tokens_left(100, 0), seconds(0));
    limiter.settle(first, cost.expected(), seconds(0));
    limiter.enqueue(&cost, Priority::NORMAL, seconds(0)).unwrap();
    assert_eq!(limiter.admit(seconds(1)), Admission::NotYet(seconds(60)));
}

#[test]
fn somebody_asks_once_a_told_reset_is_over_and_waits_for_longer_where_that_is_refused() {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    let reading = Reading::of(Dimension::Requests);
    let said = |refused| {
        let mut said = Observation::new();
        said.push(Reading { limit: Some(1), remaining: Some(0), reset: Some(seconds(1)), ..reading });
        said.refused = refused;
        said
    };
    let mut first = limiter.try_reserve(&cost, seconds(0)).unwrap();
    limiter.observe(&mut first, &said(false), seconds(0));
    limiter.settle(first, cost.expected(), seconds(0));
    limiter.enqueue(&cost, Priority::NORMAL, seconds(0)).unwrap();
    let Admission::NotYet(at) = limiter.admit(seconds(0)) else { panic!("it went at once") };
    assert!(at <= seconds(2), "{at:?}");
    let Admission::Granted(_, mut asker) = limiter.admit(at) else { panic!("nobody asks") };
    limiter.observe(&mut asker, &said(true), at);
    limiter.refuse(asker, None, at, 0);
    limiter.enqueue_front(&cost, Priority::NORMAL, at).unwrap();
    let Admission::NotYet(again) = limiter.admit(at) else { panic!("it went at once") };
    assert!(again > at, "{again:?}");
}

#[test]
fn nobody_asks_for_more_than_the_share_that_the_caller_uses() {
    let mut limiter = Limiter::new();
    limiter.set_share(Dimension::Requests, 500_000, seconds(0));
    let cost = Cost::of_request(1, 0);
    for left in [1, 0] {
        let mut said = Observation::new();
        said.push(Reading { limit: Some(2), remaining: Some(left), ..Reading::of(Dimension::Requests) });
        let Ok(mut sent) = limiter.try_reserve(&cost, seconds(0)) else { break };
        limiter.observe(&mut sent, &said, seconds(0));
        limiter.settle(sent, cost.expected(), seconds(0));
    }
    limiter.enqueue(&cost, Priority::NORMAL, seconds(0)).unwrap();
    for second in (4..30).step_by(4) {
        assert!(matches!(limiter.admit(seconds(second)), Admission::NotYet(_)), "after {second} s");
    }
}

#[test]
fn a_lower_limit_that_one_answer_told_refuses_nothing_for_good_and_two_do() {
    let mut limiter = Limiter::new();
    let (small, large) = (Cost::of_request(1, 0), Cost::of_request(500, 0));
    let mut hear = |limit, second| {
        let mut told = limiter.try_reserve(&small, seconds(second)).unwrap();
        limiter.observe(&mut told, &tokens_left(limit, limit / 2), seconds(second));
        limiter.settle(told, small.expected(), seconds(second));
        limiter.check(&large, seconds(second)).is_ok()
    };
    assert!(hear(1_000, 0));
    assert!(hear(10, 10), "it may be a stray word");
    assert!(!hear(10, 20));
    assert!(hear(1_000, 30), "it recovers with the next one");
}

#[test]
fn extreme_instants_and_hints_neither_panic_nor_stop_anybody_for_good() {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    limiter.enqueue(&cost, Priority::NORMAL, Nanos::MAX).unwrap();
    let Admission::Granted(_, mut far) = limiter.admit(Nanos::MAX) else { panic!("nothing is known") };
    let reading = Reading::of(Dimension::Requests);
    let mut said = Observation::new();
    said.push(Reading { limit: Some(u64::MAX), remaining: Some(0), reset: Some(Nanos::MAX), ..reading });
    said.retry_after = Some(Nanos::MAX);
    limiter.observe(&mut far, &said, Nanos::MAX);
    limiter.refuse(far, Some(Nanos::MAX), Nanos::MAX, u64::MAX);
    limiter.enqueue(&cost, Priority::NORMAL, Nanos::MAX).unwrap();
    let _ = limiter.admit(Nanos::MAX);
    let _ = limiter.admit(Nanos::ZERO);
    let late = seconds(1).saturating_add(Limit::MAX_WINDOW).saturating_add(Limit::MAX_WINDOW);
    assert!(matches!(limiter.admit(late), Admission::Granted(..)), "{:?}", limiter.state(late));
}

/// A limit that is told for a minute and given back each six seconds: what is told to turn in five seconds may be when the
/// oldest part of a minute comes back, of which the log of what was taken here knows nothing.
#[test]
fn at_a_told_turn_that_no_log_explains_one_asks_and_its_answer_is_believed() {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    let said = |remaining, reset| {
        let mut said = Observation::new();
        let reading = Reading::of(Dimension::Requests);
        said.push(Reading { limit: Some(600), remaining: Some(remaining), reset: Some(reset), ..reading });
        said
    };
    for number in 0..60 {
        let at = Nanos::from_millis(70 * number);
        // A little is held back at the end.
        let Ok(mut reservation) = limiter.try_reserve(&cost, at) else { break };
        limiter.observe(&mut reservation, &said(59 - number, seconds(5).saturating_sub(at)), at);
        limiter.settle(reservation, cost.expected(), at);
    }
    assert!(limiter.try_reserve(&cost, Nanos::from_millis(4_500)).is_err());
    let turned = Nanos::from_millis(5_100);
    let mut asker = limiter.try_reserve(&cost, turned).unwrap();
    assert!(limiter.try_reserve(&cost, turned).is_err(), "one asks");
    limiter.observe(&mut asker, &said(59, Nanos::from_millis(5_900)), turned);
    limiter.settle(asker, cost.expected(), turned);
    for _ in 0..8 {
        let next = limiter.try_reserve(&cost, Nanos::from_millis(5_200));
        assert!(next.is_ok(), "{next:?}");
        limiter.settle(next.unwrap(), cost.expected(), Nanos::from_millis(5_200));
    }
}
