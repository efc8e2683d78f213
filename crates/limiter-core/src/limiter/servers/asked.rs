//! Servers whose windows nobody states, each with a client that asks whether it has to wait.

use super::server::{Resets, Says};
use super::*;

/// Ten are there at once and fifty come back each second, and each answer says that it takes a second.
#[test]
fn a_reset_of_one_second_may_be_any_part_of_it_and_behind_slow_answers_somebody_asks_beside_others() {
    for millis in [50, 2_000] {
        let told = answering_in(millis).telling(bucket(3_000, 10)).claiming(10).resetting(Resets::Seconds(1));
        check("50 a second", told.saying(Says::Headers), (3_000, 60.0), Within(1.25), 5);
    }
}

#[test]
fn a_short_window_of_which_only_refusals_tell_is_found() {
    for refill in [Refill::Sliding, Refill::AtBoundary { phase: Nanos::from_millis(370) }] {
        let limit = Limit::new(Dimension::Requests, 50, Nanos::from_secs(10)).with_refill(refill);
        let told = answering_in(50).telling(limit).saying(Says::AloneHeaders);
        check(&alloc::format!("50 in 10 s, {refill:?}"), told, (1_000, 190.0), Within(1.75), 20);
    }
}

/// Two of three would be refused for ever if that were taken for a bucket.
#[test]
fn a_small_limit_that_comes_back_at_once_is_no_bucket_though_no_reset_says_so() {
    let told = answering_in(50).telling(sliding(3)).saying(Says::Headers).resetting(Resets::Untold);
    check("3 a minute", told, (20, 360.0), Within(1.1), 5);
}

/// One that slides is asked about by the word of the refusal, and not each few seconds.
#[test]
fn nobody_asks_much_where_a_refusal_says_how_long_it_takes() {
    for refill in [Refill::Continuous, Refill::Sliding] {
        let limit = Limit::new(Dimension::Requests, 1, Nanos::MINUTE).with_refill(refill);
        let told = answering_in(50).telling(limit).saying(Says::AloneHeaders);
        check(&alloc::format!("1 a minute, {refill:?}"), told, (8, 420.0), Within(1.05), 3);
    }
}

#[test]
fn a_window_of_another_length_that_counts_the_one_before_in_part_is_recognised() {
    let limit = Limit::new(Dimension::Requests, 1_000, Nanos::from_secs(300));
    let told = answering_in(2_000).telling_of_two(limit).saying(Says::Headers);
    check("1,000 in five minutes", told, (2_500, 750.0), Within(1.05), 10);
}
