//! Examples of one bucket; `tests/` has the properties.

use super::*;
use crate::Dimension;

fn tokens(amount: u64) -> Limit {
    Limit::per_minute(Dimension::Tokens, amount)
}

#[test]
fn a_bucket_is_ready_at_the_exact_nanosecond_and_not_one_earlier() {
    // 7 per minute: the first unit back after 60 s / 7 = 8571428571.43 ns, so at ...572.
    let mut bucket = Bucket::full(tokens(7), Nanos::ZERO);
    bucket.take(7, Nanos::ZERO);
    let ready = bucket.ready_at(1, Nanos::ZERO);
    assert_eq!(ready, Nanos::new(8_571_428_572));
    assert_eq!(bucket.level(Nanos::new(ready.get() - 1)), 0);
    assert_eq!(bucket.level(ready), 1);
}

#[test]
fn a_year_of_admissions_loses_nothing() {
    let mut bucket = Bucket::full(tokens(7), Nanos::ZERO);
    bucket.take(7, Nanos::ZERO);
    let mut now = Nanos::ZERO;
    let year = Nanos::from_secs(365 * 86_400);
    let mut taken: u64 = 0;
    while now < year {
        now = bucket.ready_at(1, now);
        bucket.take(1, now);
        taken += 1;
    }
    assert_eq!(taken, 365 * 24 * 60 * 7);
}

#[test]
fn a_fixed_window_gives_nothing_before_its_boundary_and_everything_at_it() {
    let limit = tokens(10).with_refill(Refill::AtBoundary { phase: Nanos::from_secs(15) });
    let mut bucket = Bucket::full(limit, Nanos::from_secs(20));
    bucket.take(10, Nanos::from_secs(20));
    assert_eq!(bucket.ready_at(1, Nanos::from_secs(30)), Nanos::from_secs(75));
    assert_eq!(bucket.level(Nanos::new(Nanos::from_secs(75).get() - 1)), 0);
    assert_eq!(bucket.level(Nanos::from_secs(75)), 10);
    // A new window knows nothing of a debt.
    bucket.take(25, Nanos::from_secs(75));
    assert_eq!(bucket.ready_at(6, Nanos::from_secs(75)), Nanos::from_secs(75 + 60));
}

#[test]
fn an_amount_larger_than_the_bucket_waits_for_a_full_one_and_leaves_a_debt() {
    let mut bucket = Bucket::full(tokens(60), Nanos::ZERO);
    assert_eq!(bucket.ready_at(90, Nanos::ZERO), Nanos::ZERO);
    bucket.take(90, Nanos::ZERO);
    assert_eq!(bucket.level(Nanos::ZERO), -30);
    assert_eq!(bucket.ready_at(1, Nanos::ZERO), Nanos::from_secs(31));
}

#[test]
fn the_providers_word_sets_the_level_less_what_was_taken_since() {
    let mut bucket = Bucket::full(tokens(60), Nanos::ZERO);
    bucket.set_level(30, Nanos::from_secs(10), 5, Nanos::from_secs(12));
    assert_eq!(bucket.level(Nanos::from_secs(12)), 27);
}

#[test]
fn a_changed_limit_keeps_what_was_taken() {
    let mut bucket = Bucket::full(tokens(100), Nanos::ZERO);
    bucket.take(30, Nanos::ZERO);
    bucket.set_limit(Limit::new(Dimension::Tokens, 1_000, Nanos::DAY), Nanos::ZERO);
    assert_eq!(bucket.level(Nanos::ZERO), 970);
    bucket.set_limit(tokens(20), Nanos::ZERO);
    assert_eq!(bucket.level(Nanos::ZERO), -10);
}

#[test]
fn hostile_amounts_and_times_saturate() {
    for limit in [
        Limit::new(Dimension::Tokens, u64::MAX, Nanos::MAX),
        Limit::new(Dimension::Tokens, 0, Nanos::ZERO),
        tokens(1).with_refill(Refill::AtBoundary { phase: Nanos::MAX }),
        tokens(u64::MAX).with_burst(0),
    ] {
        let mut bucket = Bucket::full(limit, Nanos::MAX);
        for now in [Nanos::ZERO, Nanos::MAX, Nanos::new(1)] {
            bucket.take(u64::MAX, now);
            bucket.give(u64::MAX, now);
            bucket.set_level(u64::MAX, now, u64::MAX, now);
            bucket.set_limit(tokens(5), now);
            bucket.set_limit(limit, now);
            let _ = (bucket.level(now), bucket.ready_at(u64::MAX, now), bucket.ready_at(0, now));
        }
    }
}
