//! Limits that the caller expects: they hold until an answer speaks, and give way to it.

use alloc::vec::Vec;

use super::*;
use crate::{Amounts, Cost, Dimension, Observation, Priority, Reading, Refill, Refusal, Reservation};

fn seconds(count: u64) -> Nanos {
    Nanos::from_secs(count)
}

fn expecting(dimension: Dimension, per_minute: u64) -> Limiter {
    let mut limiter = Limiter::new();
    limiter.expect_limit(Limit::per_minute(dimension, per_minute), Nanos::ZERO);
    limiter
}

fn left(dimension: Dimension, limit: u64, remaining: u64) -> Observation {
    let mut observation = Observation::new();
    observation.push(Reading { limit: Some(limit), remaining: Some(remaining), ..Reading::of(dimension) });
    observation
}

/// A request of ten tokens is answered with `observation`.
fn answered(limiter: &mut Limiter, observation: &Observation, now: Nanos) {
    let mut reservation = limiter.try_reserve(&Cost::of_request(10, 0), now).unwrap();
    limiter.observe(&mut reservation, observation, now);
    limiter.settle(reservation, Cost::of_request(10, 0).expected(), now);
}

/// Every limit: what it is for, its amount, its level and where it comes from.
fn limits(limiter: &Limiter, now: Nanos) -> Vec<(Dimension, u64, i64, LimitSource)> {
    let limits = limiter.state(now).limits.into_iter();
    limits.map(|it| (it.limit.dimension(), it.limit.amount(), it.level, it.source)).collect()
}

#[test]
fn a_guess_holds_until_the_first_word_and_gives_way_to_it_in_both_directions() {
    let tokens = Dimension::Tokens;
    for (guess, limit, remaining) in [(100, 100, 90), (100, 1_000_000, 999_000), (1_000_000, 600, 500)] {
        let mut limiter = expecting(tokens, guess);
        assert_eq!(limits(&limiter, Nanos::ZERO), [(tokens, guess, guess as i64, LimitSource::Expected)]);
        let beyond = limiter.try_reserve(&Cost::of_request(guess / 2, 0), Nanos::ZERO).unwrap();
        limiter.release(beyond, Nanos::ZERO);
        answered(&mut limiter, &left(tokens, limit, remaining), Nanos::ZERO);
        let known = [(tokens, limit, remaining as i64, LimitSource::Found)];
        assert_eq!(limits(&limiter, Nanos::ZERO), known, "{guess} was expected");
    }
}

#[test]
fn what_is_expected_is_not_exceeded_before_anything_is_said() {
    let mut limiter = expecting(Dimension::Tokens, 600);
    let _first = limiter.try_reserve(&Cost::of_request(600, 0), Nanos::ZERO).unwrap();
    let refusal = limiter.try_reserve(&Cost::of_request(20, 0), Nanos::ZERO).unwrap_err();
    assert_eq!(refusal, Refusal::NotYet { ready_at: seconds(2) });
}

/// Not now is not never: only a limit that is known refuses for good.
#[test]
fn a_request_that_is_larger_than_a_guess_waits_for_all_of_it_and_is_not_refused() {
    let mut limiter = expecting(Dimension::Tokens, 600);
    let first = limiter.try_reserve(&Cost::of_request(300, 0), Nanos::ZERO).unwrap();
    limiter.forfeit(first, Nanos::ZERO);
    let large = Cost::of_request(5_000, 0);
    assert_eq!(limiter.try_reserve(&large, Nanos::ZERO).unwrap_err(), Refusal::NotYet { ready_at: seconds(30) });
    let ticket = limiter.enqueue(&large, Priority::NORMAL, Nanos::ZERO).unwrap();
    assert_eq!(limiter.admit(Nanos::ZERO), Admission::NotYet(seconds(30)));
    // It is refused where an answer says that the limit is as low as that.
    limiter.adopt(&left(Dimension::Tokens, 700, 700), &Amounts::ZERO, seconds(1));
    assert!(matches!(limiter.admit(seconds(1)), Admission::Refused(who, _) if who == ticket));
}

#[test]
fn a_guess_in_a_dimension_that_is_never_spoken_of_is_dropped_after_twenty_successes() {
    let mut limiter = expecting(Dimension::Tokens, 1_000_000);
    let requests = left(Dimension::Requests, 1_000, 900);
    for answer in 1..=20 {
        let is_guessed = limits(&limiter, Nanos::ZERO).iter().any(|it| it.3 == LimitSource::Expected);
        assert!(is_guessed, "before answer {answer}");
        // Refusals count for nothing, and neither do answers that say nothing.
        let mut refused = requests;
        refused.refused = true;
        answered(&mut limiter, &refused, Nanos::ZERO);
        answered(&mut limiter, &Observation::new(), Nanos::ZERO);
        answered(&mut limiter, &requests, Nanos::ZERO);
    }
    let known: Vec<_> = limits(&limiter, Nanos::ZERO).into_iter().map(|it| (it.0, it.3)).collect();
    assert_eq!(known, [(Dimension::Requests, LimitSource::Found)]);
    // The first word of it brings the limit back, as it is.
    answered(&mut limiter, &left(Dimension::Tokens, 5_000, 4_000), Nanos::ZERO);
    let tokens = (Dimension::Tokens, 5_000, 4_000, LimitSource::Found);
    assert!(limits(&limiter, Nanos::ZERO).contains(&tokens));
}

#[test]
fn a_guess_for_another_window_stays_beside_what_is_said_until_it_is_passed_over() {
    let mut limiter = Limiter::new();
    limiter.expect_limit(Limit::per_day(Dimension::Tokens, 500), Nanos::ZERO);
    let mut minute = Observation::new();
    let tokens = Reading { limit: Some(1_000), remaining: Some(1_000), ..Reading::of(Dimension::Tokens) };
    minute.push(Reading { window: Some(Nanos::MINUTE), ..tokens });
    for answer in 0..20 {
        assert_eq!(limits(&limiter, Nanos::ZERO).len(), 1 + usize::from(answer > 0), "{answer}");
        answered(&mut limiter, &minute, Nanos::ZERO);
    }
    assert_eq!(limits(&limiter, Nanos::ZERO), [(Dimension::Tokens, 1_000, 1_000, LimitSource::Found)]);
}

#[test]
fn what_is_known_what_comes_back_on_release_and_one_too_many_are_not_guessed() {
    let mut limiter = expecting(Dimension::Tokens, 100);
    limiter.expect_limit(Limit::per_minute(Dimension::Tokens, 7), Nanos::ZERO);
    limiter.expect_limit(Limit::concurrent(7), Nanos::ZERO);
    let held = Limit::per_minute(Dimension::Images, 7).with_refill(Refill::OnRelease);
    limiter.expect_limit(held, Nanos::ZERO);
    assert_eq!(limits(&limiter, Nanos::ZERO), [(Dimension::Tokens, 100, 100, LimitSource::Expected)]);
    answered(&mut limiter, &left(Dimension::Requests, 60, 59), Nanos::ZERO);
    limiter.expect_limit(Limit::per_minute(Dimension::Requests, 7), Nanos::ZERO);
    assert!(limits(&limiter, Nanos::ZERO).iter().all(|it| it.1 != 7));

    let mut limiter = Limiter::new();
    for hours in 1..40 {
        let mut observation = Observation::new();
        let reading = Reading { limit: Some(100), remaining: Some(100), ..Reading::of(Dimension::Images) };
        observation.push(Reading { window: Some(Nanos::from_secs(hours * 3_600)), ..reading });
        limiter.adopt(&observation, &Amounts::ZERO, Nanos::ZERO);
    }
    limiter.expect_limit(Limit::per_minute(Dimension::Tokens, 7), Nanos::ZERO);
    assert_eq!(limits(&limiter, Nanos::ZERO).len(), Reservation::MOST_FOUND);
}

/// What is in flight when a limit is guessed has been taken of it.
#[test]
fn a_guess_begins_less_what_is_in_flight() {
    let mut limiter = Limiter::new();
    let reservation = limiter.try_reserve(&Cost::of_request(30, 0), Nanos::ZERO).unwrap();
    limiter.expect_limit(Limit::per_minute(Dimension::Tokens, 100), Nanos::ZERO);
    assert_eq!(limits(&limiter, Nanos::ZERO), [(Dimension::Tokens, 100, 70, LimitSource::Expected)]);
    limiter.release(reservation, Nanos::ZERO);
    assert_eq!(limits(&limiter, Nanos::ZERO), [(Dimension::Tokens, 100, 100, LimitSource::Expected)]);
}
