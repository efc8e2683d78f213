//! Clocks that are set, jump, and run in circles.

use super::*;
use crate::{Amounts, Cost, Dimension, Priority, Refill, Refusal};

fn s(second: u64) -> Nanos {
    Nanos::from_secs(second)
}

fn of(dimension: Dimension, amount: u64) -> Amounts {
    Amounts::ZERO.with(dimension, amount)
}

fn exact(dimension: Dimension, amount: u64) -> Cost {
    Cost::exact(of(dimension, amount))
}

#[test]
fn phases_stay_on_the_callers_clock_after_it_was_set() {
    let mut l = Limiter::new();
    let day = Limit::new(Dimension::Requests, 1, Nanos::DAY).with_refill(Refill::AtBoundary { phase: Nanos::ZERO });
    l.set_limit(day, s(0));
    let at = s(26 * 3_600);
    let c = exact(Dimension::Requests, 1);
    let _ = l.try_reserve(&c, at).map(|r| l.settle(r, &of(Dimension::Requests, 1), at));
    // The clock was 25 hours ahead and is set right.
    let now = s(3_600);
    let Err(Refusal::NotYet { ready_at }) = l.try_reserve(&c, now) else { panic!() };
    assert_eq!(ready_at, Nanos::DAY, "the window turns at midnight on the caller's clock");
}

#[test]
fn state_speaks_of_the_callers_clock_after_it_was_set() {
    let mut l = Limiter::new();
    l.set_limit(Limit::per_minute(Dimension::Requests, 60), s(10_000));
    let r = l.try_reserve(&exact(Dimension::Requests, 60), s(10_000)).unwrap();
    l.forfeit(r, s(10_000));
    l.pause(s(30), s(10_000));
    let state = l.state(s(5));
    assert_eq!((state.limits[0].full_at, state.paused_until), (s(65), Some(s(35))));
}

#[test]
fn an_outage_lasts_on_the_callers_clock() {
    let mut l = Limiter::new();
    l.set_probing(false);
    let c = Cost::of_request(1, 0);
    let _ = l.try_reserve(&c, s(10_000)).map(|r| l.settle(r, c.expected(), s(10_000)));
    for n in 0..3 {
        let now = s(5 + n);
        let r = l.try_reserve(&c, now).unwrap();
        l.fail(r, true, now, 0);
    }
    assert!(l.outage().lasting(s(905)) >= s(890), "{:?}", l.outage().lasting(s(905)));
}

#[test]
fn a_clock_that_jumps_thousands_of_times_uses_up_no_time() {
    let mut l = Limiter::new();
    l.set_limit(Limit::per_minute(Dimension::Requests, 1), s(0));
    for _ in 0..3_000 {
        l.pause(Nanos::ZERO, Nanos::MAX);
        l.pause(Nanos::ZERO, Nanos::ZERO);
    }
    let c = exact(Dimension::Requests, 1);
    let _ = l.try_reserve(&c, s(1)).map(|r| l.settle(r, &of(Dimension::Requests, 1), s(1)));
    assert!(l.try_reserve(&c, s(100)).is_ok(), "{:?}", l.try_reserve(&c, s(1_000)));
}

#[test]
fn a_clock_that_is_set_back_again_and_again_still_runs() {
    let mut l = Limiter::new();
    l.set_limit(Limit::per_minute(Dimension::Requests, 1), s(0));
    let c = exact(Dimension::Requests, 1);
    let top = s(1_800);
    let r = l.try_reserve(&c, top).unwrap();
    l.settle(r, &of(Dimension::Requests, 1), top);
    l.enqueue(&c, Priority::NORMAL, top).unwrap();
    // The clock runs for half an hour and is set back half an hour, for 100 days.
    for _ in 0..4_800 {
        for m in 0..30 {
            if let Admission::Granted(..) = l.admit(s(60 * m)) {
                return;
            }
        }
    }
    panic!("waits for ever");
}
