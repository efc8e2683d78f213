//! Examples of one bucket; `tests/` has the properties.

use std::vec::Vec;

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
            let taken = bucket.take(0, now);
            bucket.settle(taken, u64::MAX, 0, now);
            bucket.set_level(u64::MAX, now, u64::MAX, now);
            bucket.set_limit(tokens(5), now);
            bucket.set_limit(limit, now);
            let _ = (bucket.level(now), bucket.ready_at(u64::MAX, now), bucket.ready_at(0, now));
        }
    }
}

#[test]
fn what_was_borrowed_comes_back_whole_while_the_bucket_is_empty() {
    let mut bucket = Bucket::full(tokens(600), Nanos::ZERO);
    let small = bucket.take(100, Nanos::ZERO);
    let borrowed = bucket.take(10_000, Nanos::from_secs(10));
    bucket.settle(small, 100, 200, Nanos::from_secs(10));
    bucket.settle(borrowed, 10_000, 100, Nanos::from_secs(10));
    assert_eq!(bucket.level(Nanos::from_secs(10)), 400);
}

#[test]
fn what_has_come_back_with_time_does_not_come_back_twice() {
    let minute = Nanos::MINUTE;
    let mut bucket = Bucket::full(tokens(600), Nanos::ZERO);
    let first = bucket.take(600, Nanos::ZERO);
    let second = bucket.take(600, minute);
    // It was never used, but the bucket has been full since.
    bucket.settle(first, 600, 0, minute);
    assert_eq!(bucket.level(minute), 0);
    bucket.settle(second, 600, 0, minute);
    assert_eq!(bucket.level(minute), 600);
}

#[test]
fn a_fixed_window_takes_nothing_back_from_the_one_before() {
    let limit = tokens(10).with_refill(Refill::AtBoundary { phase: Nanos::ZERO });
    let mut bucket = Bucket::full(limit, Nanos::ZERO);
    let first = bucket.take(10, Nanos::from_secs(59));
    let second = bucket.take(10, Nanos::from_secs(60));
    bucket.settle(first, 10, 0, Nanos::from_secs(61));
    assert_eq!(bucket.level(Nanos::from_secs(61)), 0);
    bucket.settle(second, 10, 4, Nanos::from_secs(61));
    assert_eq!(bucket.level(Nanos::from_secs(61)), 6);
}

#[test]
fn a_sliding_window_gives_back_each_taking_one_window_later() {
    let mut bucket = Bucket::full(tokens(10).with_refill(Refill::Sliding), Nanos::ZERO);
    bucket.take(4, Nanos::ZERO);
    let second = bucket.take(6, Nanos::from_secs(20));
    let now = Nanos::from_secs(30);
    assert_eq!([1, 4, 5, 10].map(|amount| bucket.ready_at(amount, now)), [60, 60, 80, 80].map(Nanos::from_secs));
    bucket.settle(second, 6, 1, now);
    assert_eq!((bucket.level(now), bucket.full_at(now)), (5, Nanos::from_secs(80)));
    bucket.take(25, Nanos::from_secs(80));
    assert_eq!(bucket.level(Nanos::from_secs(80)), -15);
    assert_eq!(bucket.ready_at(1, Nanos::from_secs(80)), Nanos::from_secs(140));
}

#[test]
fn what_is_in_flight_comes_back_when_it_ends_and_never_by_time() {
    let mut bucket = Bucket::full(Limit::concurrent(2), Nanos::ZERO);
    let first = bucket.take(1, Nanos::ZERO);
    bucket.take(1, Nanos::ZERO);
    assert_eq!(bucket.ready_at(1, Nanos::from_secs(9)), Nanos::MAX);
    bucket.settle(first, 1, 1, Nanos::from_secs(9));
    assert_eq!(bucket.ready_at(1, Nanos::from_secs(9)), Nanos::from_secs(9));
}

#[test]
fn no_debt_takes_longer_to_repay_than_the_longest_window() {
    let month = Limit::new(Dimension::Tokens, 10, Limit::MAX_WINDOW);
    for (limit, amount) in [(tokens(10), 10), (month, 1), (tokens(10).with_burst(u64::MAX), 1)] {
        let mut bucket = Bucket::full(limit, Nanos::ZERO);
        bucket.take(u64::MAX, Nanos::ZERO);
        assert!(bucket.ready_at(amount, Nanos::ZERO) <= Limit::MAX_WINDOW, "{limit:?}");
        assert!(bucket.ready_at(1, Nanos::ZERO) > Nanos::ZERO, "{limit:?}");
    }
}

#[test]
fn a_months_limit_remembers_what_was_used_beyond_it() {
    let mut bucket = Bucket::full(Limit::new(Dimension::Tokens, 31, Limit::MAX_WINDOW), Nanos::ZERO);
    let taken = bucket.take(31, Nanos::ZERO);
    bucket.settle(taken, 31, 33, Nanos::ZERO);
    assert_eq!(bucket.ready_at(1, Nanos::ZERO), Nanos::from_secs(3 * 86_400));
}

#[test]
fn what_was_forgiven_does_not_come_back() {
    let mut bucket = Bucket::full(tokens(10), Nanos::ZERO);
    let taken = bucket.take(1_000_000, Nanos::ZERO);
    bucket.settle(taken, 1_000_000, 500_000, Nanos::ZERO);
    let mut honest = Bucket::full(tokens(10), Nanos::ZERO);
    honest.take(500_000, Nanos::ZERO);
    assert_eq!(bucket.level(Nanos::ZERO), honest.level(Nanos::ZERO));
}

#[test]
fn a_burst_from_a_full_bucket_gets_back_what_it_did_not_use() {
    let mut bucket = Bucket::full(tokens(60_000), Nanos::ZERO);
    let takings: Vec<_> = (0..10).map(|_| bucket.take(6_000, Nanos::ZERO)).collect();
    for taken in takings {
        bucket.settle(taken, 6_000, 600, Nanos::ZERO);
    }
    assert_eq!(bucket.level(Nanos::ZERO), 54_000);
}

#[test]
fn takings_before_another_refill_give_nothing_back() {
    let fixed = Refill::AtBoundary { phase: Nanos::ZERO };
    for (before, after) in
        [(fixed, Refill::Continuous), (Refill::Continuous, fixed), (Refill::Continuous, Refill::Sliding)]
    {
        let mut bucket = Bucket::full(tokens(10).with_refill(before), Nanos::ZERO);
        let first = bucket.take(10, Nanos::from_secs(59));
        bucket.set_limit(tokens(10).with_refill(after), Nanos::from_secs(59));
        let level = bucket.level(Nanos::from_secs(59));
        bucket.settle(first, 10, 0, Nanos::from_secs(59));
        assert_eq!(bucket.level(Nanos::from_secs(59)), level, "{before:?} to {after:?}");
    }
}

#[test]
fn no_amount_of_debt_overflows_in_another_window() {
    let mut bucket = Bucket::full(Limit::new(Dimension::Tokens, u64::MAX, Nanos::new(1)), Nanos::ZERO);
    for _ in 0..4_000 {
        bucket.take(u64::MAX, Nanos::ZERO);
    }
    bucket.set_limit(Limit::new(Dimension::Tokens, u64::MAX, Nanos::MAX), Nanos::ZERO);
    assert!(bucket.level(Nanos::ZERO) < 0);
}

#[test]
fn a_word_from_before_the_turn_keeps_what_was_taken_after_it() {
    let mut bucket = Bucket::full(tokens(10).with_refill(Refill::AtBoundary { phase: Nanos::ZERO }), Nanos::ZERO);
    bucket.set_level(3, Nanos::from_secs(59), 7, Nanos::from_secs(62));
    assert_eq!(bucket.level(Nanos::from_secs(62)), 3);
}
