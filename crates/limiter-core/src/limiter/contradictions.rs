//! What a limiter is told contradicts itself, or asks for the impossible: nobody starves, nobody hammers, nothing leaks.

use std::collections::VecDeque;

use super::*;
use crate::{Amounts, Cost, Dimension, Observation, Priority, Reading, Refill, Refusal};

fn s(second: u64) -> Nanos {
    Nanos::from_secs(second)
}

fn of(dimension: Dimension, amount: u64) -> Amounts {
    Amounts::ZERO.with(dimension, amount)
}

fn exact(dimension: Dimension, amount: u64) -> Cost {
    Cost::exact(of(dimension, amount))
}

fn one(reading: Reading) -> Observation {
    let mut observation = Observation::new();
    observation.push(reading);
    observation
}

fn tokens_left(limit: u64, remaining: u64) -> Observation {
    let reading = Reading::of(Dimension::Tokens);
    one(Reading { limit: Some(limit), remaining: Some(remaining), window: Some(Nanos::MINUTE), ..reading })
}

fn level(limiter: &Limiter, dimension: Dimension, now: Nanos) -> i64 {
    let limits = limiter.state(now).limits;
    limits.iter().find(|state| state.limit.dimension() == dimension).unwrap().level
}

#[test]
fn a_limit_that_becomes_on_release_is_not_stuck() {
    let mut l = Limiter::new();
    l.set_limit(Limit::per_minute(Dimension::Requests, 2), s(0));
    for _ in 0..2 {
        let r = l.try_reserve(&exact(Dimension::Requests, 1), s(0)).unwrap();
        l.settle(r, &of(Dimension::Requests, 1), s(0));
    }
    l.set_limit(Limit::per_minute(Dimension::Requests, 2).with_refill(Refill::OnRelease), s(0));
    l.enqueue(&exact(Dimension::Requests, 1), Priority::NORMAL, s(0)).unwrap();
    assert_eq!(l.state(s(1)).in_flight, 0);
    let a = l.admit(s(0).saturating_add(Limit::MAX_WINDOW).saturating_add(Limit::MAX_WINDOW));
    assert!(matches!(a, Admission::Granted(..)), "{a:?}");
}

#[test]
fn looking_ahead_does_not_starve_one_that_needs_two_places_in_flight() {
    let mut l = Limiter::new();
    l.set_order(Order::LookAhead { bound: Nanos::SECOND });
    l.set_limit(Limit::concurrent(2), s(0));
    l.adopt(&tokens_left(1_000_000_000, 1_000_000_000), &Amounts::ZERO, s(0));
    let two = Cost::exact(of(Dimension::Concurrent, 2).with(Dimension::Tokens, 0));
    let small = Cost::exact(of(Dimension::Concurrent, 1)).with_certain(&of(Dimension::Tokens, 2));
    let mut flight = VecDeque::new();
    // A second apart, so that it is the places in flight that the large one waits for, and not tokens that are let out
    // while it is not known how they are charged.
    flight.push_back(l.try_reserve(&small, s(0)).unwrap());
    flight.push_back(l.try_reserve(&small, s(1)).unwrap());
    let big = l.enqueue(&two, Priority::NORMAL, s(1)).unwrap();
    let mut overtook = 0;
    for n in 2..100_000_u64 {
        let now = s(n);
        l.enqueue(&small, Priority::NORMAL, now).unwrap();
        let r = flight.pop_front().unwrap();
        l.settle(r, &of(Dimension::Tokens, 2), now);
        while let Admission::Granted(t, r) = l.admit(now) {
            if t == big {
                return;
            }
            overtook += 1;
            flight.push_back(r);
        }
        if flight.is_empty() {
            panic!("stuck")
        }
    }
    panic!("overtaken {overtook} times");
}

#[test]
fn nobody_overtakes_one_that_waits_for_places_in_flight() {
    let mut l = Limiter::new();
    l.set_probing(false);
    l.set_order(Order::LookAhead { bound: Nanos::ZERO });
    l.set_limit(Limit::concurrent(3), s(0));
    let cost = |n, t| Cost::exact(of(Dimension::Concurrent, n).with(Dimension::Tokens, t));
    let mut flight = VecDeque::new();
    for _ in 0..3 {
        flight.push_back(l.try_reserve(&cost(1, 1), s(0)).unwrap());
    }
    let big = l.enqueue(&cost(3, 100), Priority::NORMAL, s(0)).unwrap();
    let mut overtook = 0;
    for n in 1..10_000_u64 {
        l.enqueue(&cost(1, 1), Priority::NORMAL, s(n)).unwrap();
        if let Some(r) = flight.pop_front() {
            l.settle(r, &of(Dimension::Tokens, 1), s(n));
        }
        while let Admission::Granted(t, r) = l.admit(s(n)) {
            if t == big {
                return;
            }
            overtook += 1;
            flight.push_back(r);
        }
    }
    panic!("overtaken {overtook} times with a bound of nothing");
}

#[test]
fn no_overtaking_is_free() {
    let mut l = Limiter::new();
    l.set_order(Order::LookAhead { bound: Nanos::ZERO });
    l.set_limit(Limit::new(Dimension::Tokens, 100_000_000_000, Nanos::SECOND), s(0));
    l.adopt(&Observation::new(), &Amounts::ZERO, s(0));
    let r = l.try_reserve(&exact(Dimension::Tokens, 60_000_000_000), s(0)).unwrap();
    l.forfeit(r, s(0));
    let big = l.enqueue(&exact(Dimension::Tokens, 100_000_000_000), Priority::NORMAL, s(0)).unwrap();
    let mut n = 0;
    for _ in 0..100 {
        l.enqueue(&exact(Dimension::Tokens, 99), Priority::NORMAL, s(0)).unwrap();
    }
    while let Admission::Granted(t, r) = l.admit(s(0)) {
        assert!(t != big);
        n += 1;
        l.forfeit(r, s(0));
    }
    assert_eq!(n, 0);
}

#[test]
fn texts_overtake_pictures_of_the_same_number_of_tokens() {
    let mut l = Limiter::new();
    l.set_probing(false);
    l.set_order(Order::LookAhead { bound: Nanos::HOUR });
    l.set_limit(Limit::per_minute(Dimension::Images, 1), s(0));
    l.set_limit(Limit::per_minute(Dimension::Tokens, 1_000_000), s(0));
    l.adopt(&tokens_left(1_000_000, 1_000_000), &Amounts::ZERO, s(0));
    let text = Cost::of_request(100, 0);
    let picture = text.with_certain(&of(Dimension::Images, 1));
    for _ in 0..2 {
        l.enqueue(&picture, Priority::NORMAL, s(0)).unwrap();
    }
    for _ in 0..100 {
        l.enqueue(&text, Priority::NORMAL, s(0)).unwrap();
    }
    let mut n = 0;
    while let Admission::Granted(..) = l.admit(s(0)) {
        n += 1;
    }
    assert!(n > 50, "{n} of 101 that fit");
}

#[test]
fn adopting_takes_nobody_out_of_the_count_in_flight() {
    let mut l = Limiter::new();
    let mut first = l.try_reserve(&Cost::of_request(1, 0), s(0)).unwrap();
    l.observe(&mut first, &tokens_left(1_000, 1_000), s(0));
    l.settle(first, &of(Dimension::Tokens, 0), s(0));
    let _flight = l.try_reserve(&Cost::of_request(600, 0), s(10)).unwrap();
    // A request of another scope was answered: 900 are left, and ours is not counted yet.
    l.adopt(&tokens_left(1_000, 900), &Amounts::ZERO, s(10));
    assert!(level(&l, Dimension::Tokens, s(10)) <= 300, "{}", level(&l, Dimension::Tokens, s(10)));
}

#[test]
fn adopting_nothing_does_not_open_the_flight_window() {
    let mut l = Limiter::new();
    l.adopt(&Observation::new(), &Amounts::ZERO, s(0));
    let mut n = 0;
    while n < 1_000 && l.try_reserve(&Cost::of_request(1, 0), s(n)).is_ok() {
        n += 1;
    }
    assert_eq!(n, 64);
}

#[test]
fn adopting_a_refusal_is_a_refusal() {
    let mut l = Limiter::new();
    let mut o = tokens_left(1_000, 0);
    o.refused = true;
    o.retry_after = Some(s(30));
    l.adopt(&o, &Amounts::ZERO, s(0));
    assert_eq!(l.state(s(0)).paused_until, Some(s(30)));
}

#[test]
fn refusals_back_off_though_the_callers_own_ceiling_is_reached() {
    let mut l = Limiter::new();
    l.set_limit(Limit::new(Dimension::Requests, 1, Nanos::SECOND), s(0));
    let c = Cost::of_request(1, 0);
    let (mut now, mut n) = (s(0), 0);
    while now < s(600) {
        match l.try_reserve(&c, now) {
            Ok(r) => {
                n += 1;
                l.refuse(r, None, now, u64::MAX);
            }
            Err(Refusal::NotYet { ready_at }) => now = ready_at,
            Err(e) => panic!("{e}"),
        }
    }
    // Without the ceiling: 1, 2, 4, ... 60 s apart.
    assert!(n < 30, "{n} refused requests in ten minutes");
}

#[test]
fn a_retry_after_of_nothing_still_backs_off() {
    let mut l = Limiter::new();
    let c = Cost::of_request(1, 0);
    let mut n = 0;
    while let Ok(r) = l.try_reserve(&c, s(0)) {
        n += 1;
        l.refuse(r, Some(Nanos::ZERO), s(0), u64::MAX);
        if n > 1_000 {
            break;
        }
    }
    assert!(n < 10, "{n} refused at one instant");
}

#[test]
fn a_request_sent_long_ago_is_not_taken_off_again_and_again() {
    let mut l = Limiter::new();
    let c = Cost::of_request(10, 0);
    let mut first = l.try_reserve(&c, s(0)).unwrap();
    l.observe(&mut first, &tokens_left(1_000, 990), s(0));
    l.settle(first, c.expected(), s(0));
    let _long = l.try_reserve(&Cost::of_request(100, 400), s(10)).unwrap();
    for t in [100, 200, 300] {
        let mut r = l.try_reserve(&c, s(t)).unwrap();
        l.observe(&mut r, &tokens_left(1_000, 990), s(t));
        l.settle(r, c.expected(), s(t));
    }
    assert_eq!(level(&l, Dimension::Tokens, s(300)), 990);
}

#[test]
fn sums_survive_one_absurd_amount() {
    let mut l = Limiter::new();
    let small = l.enqueue(&Cost::of_request(10, 0), Priority::NORMAL, s(0)).unwrap();
    let absurd = l.enqueue(&Cost::of_request(0, u64::MAX), Priority::NORMAL, s(0)).unwrap();
    l.cancel(absurd);
    assert_eq!(l.state(s(0)).waiting_amounts.of(Dimension::Tokens), 10);
    l.cancel(small);
}

#[test]
fn sums_in_flight_survive_one_absurd_amount() {
    let mut l = Limiter::new();
    l.set_probing(false);
    let _small = l.try_reserve(&Cost::of_request(10, 0), s(0)).unwrap();
    let absurd = l.try_reserve(&Cost::of_request(0, u64::MAX), s(0)).unwrap();
    l.release(absurd, s(0));
    assert_eq!(l.in_flight_amounts().of(Dimension::Tokens), 10);
}

#[test]
fn a_limit_only_refusals_stated_wakes_in_time() {
    let mut l = Limiter::new();
    let c = Cost::of_request(1, 0);
    let mut r = l.try_reserve(&c, s(0)).unwrap();
    l.observe(
        &mut r,
        &one(Reading {
            limit: Some(1_000),
            remaining: Some(999),
            window: Some(Nanos::MINUTE),
            ..Reading::of(Dimension::Requests)
        }),
        s(0),
    );
    l.settle(r, c.expected(), s(0));
    let big = Cost::of_request(1, 5_000);
    let mut a = l.try_reserve(&big, s(1)).unwrap();
    let _b = l.try_reserve(&big, s(1)).unwrap();
    let mut o = tokens_left(1_000, 0);
    o.refused = true;
    l.observe(&mut a, &o, s(2));
    l.refuse(a, None, s(2), 0);
    let Err(Refusal::NotYet { ready_at }) = l.try_reserve(&c, s(2)) else { panic!() };
    let just_before = Nanos::new(ready_at.get() - 1);
    assert!(l.try_reserve(&c, just_before).is_err(), "told {ready_at:?}, went one nanosecond earlier");
}

#[test]
fn an_answer_that_ends_an_outage_lets_everybody_go() {
    let mut l = Limiter::new();
    l.set_limit(Limit::per_minute(Dimension::Requests, 1_000), s(0));
    let c = Cost::of_request(1, 0);
    let straggler = l.try_reserve(&c, s(0)).unwrap();
    for t in 0..40 {
        if let Ok(r) = l.try_reserve(&c, s(t)) {
            l.fail(r, true, s(t), u64::MAX);
        }
    }
    for t in 40..45 {
        if let Ok(r) = l.try_reserve(&c, s(t)) {
            l.fail(r, true, s(t), u64::MAX);
        }
    }
    l.settle(straggler, c.expected(), s(2));
    assert!(!l.outage().is_on());
    assert!(l.try_reserve(&c, s(45)).is_ok(), "{:?}", l.state(s(45)).paused_until);
}

#[test]
fn requests_that_ask_in_an_outage_back_off_within_one_instant() {
    let mut l = Limiter::new();
    l.set_limit(Limit::per_minute(Dimension::Requests, 100_000), s(0));
    let c = Cost::of_request(1, 0);
    let mut n = 0;
    while let Ok(r) = l.try_reserve(&c, s(0)) {
        n += 1;
        l.fail(r, false, s(0), if n == 5 { 0 } else { u64::MAX });
        if n > 1_000 {
            break;
        }
    }
    assert!(n < 10, "{n} attempts at one instant in an outage");
}

#[test]
fn a_clock_step_of_two_seconds_does_not_unlearn_a_fixed_window() {
    let mut l = Limiter::new();
    let c = Cost::of_request(1, 0);
    let said = |left, reset| {
        one(Reading {
            limit: Some(60),
            remaining: Some(left),
            reset: Some(reset),
            window: Some(Nanos::MINUTE),
            fixed_window: true,
            ..Reading::of(Dimension::Requests)
        })
    };
    // True turns at 60, 120, ...; from 100 on the clock is two seconds ahead: turns at 122, 182, ...
    for (now, reset) in [(10, 50), (70, 50), (102, 20), (132, 50)] {
        let mut r = l.try_reserve(&c, s(now)).unwrap();
        l.observe(&mut r, &said(50, s(reset)), s(now));
        l.settle(r, c.expected(), s(now));
    }
    let now = s(140);
    let mut r = l.try_reserve(&c, now).unwrap();
    l.observe(&mut r, &said(0, s(42)), now);
    l.settle(r, c.expected(), now);
    let Err(Refusal::NotYet { ready_at }) = l.try_reserve(&c, s(145)) else { panic!("goes at once") };
    assert!(ready_at >= s(181), "{ready_at:?}");
}

#[test]
fn what_remains_of_an_unknown_limit_does_not_end_probing() {
    let mut l = Limiter::new();
    let c = Cost::of_request(1, 0);
    let mut r = l.try_reserve(&c, s(0)).unwrap();
    l.observe(&mut r, &one(Reading { remaining: Some(3), ..Reading::of(Dimension::Requests) }), s(0));
    let flight: Vec<_> = (1..1_000).map_while(|second| l.try_reserve(&c, s(second)).ok()).collect();
    assert_eq!(flight.len(), 63);
    l.set_probing(false);
    assert!(l.try_reserve(&c, s(64)).is_ok());
}

#[test]
fn a_limit_with_another_window_takes_over_what_was_taken() {
    let mut l = Limiter::new();
    l.set_probing(false);
    l.set_limit(Limit::per_minute(Dimension::Requests, 60), s(0));
    for _ in 0..60 {
        let r = l.try_reserve(&Cost::of_request(0, 0), s(0)).unwrap();
        l.settle(r, &Amounts::ZERO, s(0));
    }
    assert!(l.replace_limit(Dimension::Requests, Nanos::MINUTE, Limit::per_hour(Dimension::Requests, 3_600), s(0)));
    assert_eq!(level(&l, Dimension::Requests, s(0)), 3_540);
    assert!(!l.replace_limit(Dimension::Requests, Nanos::MINUTE, Limit::per_hour(Dimension::Requests, 3_600), s(0)));
    assert_eq!(l.state(s(0)).limits.len(), 1);
}

#[test]
fn nothing_comes_back_across_a_boundary_that_moved() {
    let minute = |phase| Limit::per_minute(Dimension::Requests, 10).with_refill(Refill::AtBoundary { phase: s(phase) });
    let ten = exact(Dimension::Requests, 10);
    let mut l = Limiter::new();
    l.set_probing(false);
    l.set_limit(minute(0), s(50));
    let first = l.try_reserve(&ten, s(50)).unwrap();
    let second = l.try_reserve(&ten, s(61)).unwrap();
    l.forfeit(second, s(62));
    l.set_limit(minute(30), s(65));
    l.release(first, s(66));
    assert_eq!(level(&l, Dimension::Requests, s(66)), 0);
}

/// An account that was raised: 200 a day is stated no more.
#[test]
fn a_limit_that_answers_leave_out_again_and_again_is_in_force_no_more() {
    let mut l = Limiter::new();
    let c = Cost::of_request(0, 0);
    let says = |limit, left, window| {
        let reading = Reading::of(Dimension::Requests);
        one(Reading { limit: Some(limit), remaining: Some(left), window: Some(window), ..reading })
    };
    let mut r = l.try_reserve(&c, s(0)).unwrap();
    l.observe(&mut r, &says(200, 30, Nanos::DAY), s(0));
    l.settle(r, &Amounts::ZERO, s(0));
    for n in 1..100 {
        let mut r = l.try_reserve(&c, s(n)).unwrap();
        l.observe(&mut r, &says(600, 599, Nanos::MINUTE), s(n));
        l.settle(r, &Amounts::ZERO, s(n));
    }
    assert_eq!(l.state(s(100)).limits.len(), 1);
}
