//! Behaviour of the whole state machine on times chosen by the test.

use super::*;
use crate::{Amounts, Cost, Dimension, NeverFits, Observation, Priority, Reading, Refill, Refusal};

pub(super) fn seconds(count: u64) -> Nanos {
    Nanos::from_secs(count)
}

fn told(requests: u64, tokens: u64) -> Limiter {
    let mut limiter = Limiter::new();
    limiter.set_limit(Limit::per_minute(Dimension::Requests, requests), Nanos::ZERO);
    limiter.set_limit(Limit::per_minute(Dimension::Tokens, tokens), Nanos::ZERO);
    limiter
}

/// An answer that tells of the token limit.
pub(super) fn tokens_left(limit: u64, remaining: u64) -> Observation {
    let mut observation = Observation::new();
    observation.push(Reading {
        limit: Some(limit),
        remaining: Some(remaining),
        window: Some(Nanos::MINUTE),
        ..Reading::of(Dimension::Tokens)
    });
    observation
}

pub(super) fn level(limiter: &Limiter, dimension: Dimension, now: Nanos) -> i64 {
    let state = limiter.state(now);
    state.limits.iter().find(|state| state.limit.dimension() == dimension).unwrap().level
}

#[test]
fn a_large_request_at_the_head_is_not_overtaken_by_small_ones_that_would_fit() {
    let mut limiter = told(1_000, 600);
    let first = limiter.try_reserve(&Cost::of_request(500, 0), Nanos::ZERO).unwrap();
    let large = limiter.enqueue(&Cost::of_request(600, 0), Priority::NORMAL, Nanos::ZERO).unwrap();
    let small = limiter.enqueue(&Cost::of_request(1, 0), Priority::NORMAL, Nanos::ZERO).unwrap();
    assert!(limiter.try_reserve(&Cost::of_request(1, 0), Nanos::ZERO).is_err());
    assert_eq!(limiter.admit(Nanos::ZERO), Admission::NotYet(seconds(50)));
    let Admission::Granted(ticket, reservation) = limiter.admit(seconds(50)) else { panic!() };
    assert_eq!(ticket, large);
    assert_eq!(limiter.admit(seconds(50)), Admission::NotYet(seconds(50).saturating_add(Nanos::from_millis(100))));
    limiter.settle(first, Cost::of_request(500, 0).expected(), seconds(50));
    limiter.release(reservation, seconds(50));
    assert!(matches!(limiter.admit(seconds(50)), Admission::Granted(ticket, _) if ticket == small));
    assert_eq!(limiter.admit(seconds(50)), Admission::Idle);
}

#[test]
fn settling_gives_back_what_was_not_used_and_charges_what_was_used_beyond() {
    for (expected, produced, left) in [(999, 400, 599), (999, 999, 0), (499, 1_200, -201)] {
        let mut limiter = told(100, 1_000);
        let reservation = limiter.try_reserve(&Cost::of_request(1, expected), Nanos::ZERO).unwrap();
        limiter.settle(reservation, Cost::of_request(1, produced).expected(), Nanos::ZERO);
        assert_eq!(level(&limiter, Dimension::Tokens, Nanos::ZERO), left, "{expected} {produced}");
        assert_eq!(limiter.state(Nanos::ZERO).in_flight, 0);
    }
}

#[test]
fn a_released_reservation_leaves_no_trace() {
    let mut limiter = told(100, 1_000);
    let before = limiter.state(Nanos::ZERO);
    let reservation = limiter.try_reserve(&Cost::of_request(300, 500), Nanos::ZERO).unwrap();
    limiter.release(reservation, Nanos::ZERO);
    assert_eq!(limiter.state(Nanos::ZERO), before);
}

#[test]
fn a_request_that_can_never_fit_is_refused_at_once_or_when_the_limit_becomes_known() {
    let mut limiter = Limiter::new();
    let mut probe = limiter.try_reserve(&Cost::of_request(10, 0), Nanos::ZERO).unwrap();
    let waiting = limiter.enqueue(&Cost::of_request(5_000, 0), Priority::NORMAL, Nanos::ZERO).unwrap();
    limiter.observe(&mut probe, &tokens_left(1_000, 990), seconds(1));
    let never = NeverFits { dimension: Dimension::Tokens, needed: 5_000, capacity: 1_000 };
    assert_eq!(limiter.admit(seconds(1)), Admission::Refused(waiting, never));
    assert_eq!(limiter.enqueue(&Cost::of_request(5_000, 0), Priority::NORMAL, Nanos::ZERO), Err(never));
    assert_eq!(limiter.admit(seconds(1)), Admission::Idle);
}

#[test]
fn the_providers_word_counts_less_what_was_sent_after_the_request_it_answers() {
    let mut limiter = Limiter::new();
    limiter.set_probing(false);
    let mut first = limiter.try_reserve(&Cost::of_request(100, 0), Nanos::ZERO).unwrap();
    let mut second = limiter.try_reserve(&Cost::of_request(200, 0), Nanos::ZERO).unwrap();
    // Another client took 300 of the 1,000 before our first request came.
    limiter.observe(&mut first, &tokens_left(1_000, 600), Nanos::ZERO);
    assert_eq!(level(&limiter, Dimension::Tokens, Nanos::ZERO), 400);
    // The provider counts the second at 250: its word stands, and settling changes nothing more.
    limiter.observe(&mut second, &tokens_left(1_000, 350), Nanos::ZERO);
    limiter.settle(second, Cost::of_request(200, 0).expected(), Nanos::ZERO);
    assert_eq!(level(&limiter, Dimension::Tokens, Nanos::ZERO), 350);
    // A late answer to an earlier request is no news.
    limiter.observe(&mut first, &tokens_left(1_000, 600), Nanos::ZERO);
    limiter.settle(first, &Amounts::ZERO, Nanos::ZERO);
    assert_eq!(level(&limiter, Dimension::Tokens, Nanos::ZERO), 350);
}

#[test]
fn a_limit_that_changes_is_followed_both_ways() {
    let mut limiter = Limiter::new();
    for (limit, remaining) in [(1_000, 900), (2_000, 1_900), (500, 480)] {
        let mut reservation = limiter.try_reserve(&Cost::of_request(1, 0), Nanos::ZERO).unwrap();
        limiter.observe(&mut reservation, &tokens_left(limit, remaining), Nanos::ZERO);
        limiter.settle(reservation, Cost::of_request(1, 0).expected(), Nanos::ZERO);
        let state = limiter.state(Nanos::ZERO);
        assert_eq!((state.limits[0].limit.amount(), state.limits[0].level), (limit, remaining as i64));
    }
}

#[test]
fn the_callers_own_limit_is_a_ceiling_beside_what_the_provider_says() {
    let mut limiter = Limiter::new();
    limiter.set_limit(Limit::per_minute(Dimension::Tokens, 100), Nanos::ZERO);
    let mut reservation = limiter.try_reserve(&Cost::of_request(60, 0), Nanos::ZERO).unwrap();
    limiter.observe(&mut reservation, &tokens_left(1_000_000, 999_000), Nanos::ZERO);
    let refusal = limiter.try_reserve(&Cost::of_request(60, 0), Nanos::ZERO).unwrap_err();
    assert_eq!(refusal, Refusal::NotYet { ready_at: seconds(12) });
}

#[test]
fn while_no_limit_is_known_few_requests_go_out_and_an_answer_opens_the_way() {
    let mut limiter = Limiter::new();
    let mut reservations = Vec::new();
    let mut now = Nanos::ZERO;
    // Eight in the first second, sixteen in the next, and not more than 64 before the first answer.
    loop {
        match limiter.try_reserve(&Cost::of_request(1, 0), now) {
            Ok(reservation) => reservations.push(reservation),
            Err(Refusal::NotYet { ready_at: Nanos::MAX }) => break,
            Err(Refusal::NotYet { ready_at }) => {
                assert!(ready_at <= now.saturating_add(Nanos::from_millis(250)), "{ready_at:?} after {now:?}");
                now = ready_at;
            }
            Err(Refusal::NeverFits(never)) => panic!("{never}"),
        }
    }
    assert_eq!((reservations.len(), now.get() / 1_000_000), (64, 3_109));
    // What the answer tells is there in full, but each answer lets two more go and no more: a server may as well have a
    // limit on their number, of which it says nothing.
    for in_flight in [65, 66, 67] {
        let mut answered = reservations.pop().unwrap();
        limiter.observe(&mut answered, &tokens_left(1_000, 936), now);
        limiter.settle(answered, Cost::of_request(1, 0).expected(), now);
        while let Ok(reservation) = limiter.try_reserve(&Cost::of_request(1, 0), now) {
            reservations.push(reservation);
        }
        assert_eq!(reservations.len(), in_flight);
    }
}

#[test]
fn nobody_is_admitted_during_a_pause_and_everybody_at_its_end() {
    let mut limiter = told(10, 1_000);
    limiter.pause(seconds(7), Nanos::ZERO);
    let ticket = limiter.enqueue(&Cost::of_request(1, 0), Priority::NORMAL, Nanos::ZERO).unwrap();
    assert_eq!(limiter.admit(Nanos::ZERO), Admission::NotYet(seconds(7)));
    assert!(matches!(limiter.admit(seconds(7)), Admission::Granted(who, _) if who == ticket));
}

#[test]
fn requests_in_flight_are_bounded_and_the_next_goes_when_one_ends() {
    let mut limiter = told(10, 1_000);
    limiter.set_limit(Limit::new(Dimension::Concurrent, 1, Nanos::SECOND), Nanos::ZERO);
    let first = limiter.try_reserve(&Cost::of_request(1, 0), Nanos::ZERO).unwrap();
    let second = limiter.enqueue(&Cost::of_request(1, 0), Priority::NORMAL, Nanos::ZERO).unwrap();
    assert_eq!(limiter.admit(Nanos::ZERO), Admission::Blocked);
    limiter.settle(first, Cost::of_request(1, 0).expected(), Nanos::ZERO);
    assert!(matches!(limiter.admit(Nanos::ZERO), Admission::Granted(who, _) if who == second));
}

#[test]
fn in_an_outage_one_request_at_a_time_asks_and_one_answer_ends_it() {
    let mut limiter = told(1_000, 100_000);
    let cost = Cost::of_request(1, 0);
    for _ in 0..5 {
        let reservation = limiter.try_reserve(&cost, Nanos::ZERO).unwrap();
        limiter.fail(reservation, true, Nanos::ZERO, u64::MAX);
    }
    assert_eq!(limiter.try_reserve(&cost, Nanos::ZERO).unwrap_err(), Refusal::NotYet { ready_at: seconds(1) });
    let probe = limiter.try_reserve(&cost, seconds(1)).unwrap();
    assert_eq!(limiter.try_reserve(&cost, seconds(1)).unwrap_err(), Refusal::NotYet { ready_at: Nanos::MAX });
    limiter.settle(probe, cost.expected(), seconds(1));
    for _ in 0..2 {
        let _in_flight = limiter.try_reserve(&cost, seconds(1)).unwrap();
    }
}

/// Five requests that were in flight together fail at `now`.
fn five_fail(limiter: &mut Limiter, cost: &Cost, now: Nanos) {
    let flight: Vec<_> = (0..5).map(|_| limiter.try_reserve(cost, now).unwrap()).collect();
    for reservation in flight {
        limiter.fail(reservation, true, now, u64::MAX);
    }
}

#[test]
fn in_an_outage_those_ask_who_have_not_failed_and_when_it_is_over_those_who_have_go_first() {
    let mut limiter = told(1_000, 100_000);
    limiter.set_probing(false);
    let cost = Cost::of_request(1, 0);
    five_fail(&mut limiter, &cost, Nanos::ZERO);
    let failed = limiter.enqueue_front(&cost, Priority::NORMAL, Nanos::ZERO).unwrap();
    let [new, last] = [(); 2].map(|()| limiter.enqueue(&cost, Priority::NORMAL, Nanos::ZERO).unwrap());
    let mut goes = |now: Nanos| match limiter.admit(now) {
        Admission::Granted(ticket, reservation) => (ticket, reservation),
        other => panic!("{other:?}"),
    };
    let (asks, reservation) = goes(seconds(1));
    assert_eq!(asks, new);
    limiter.settle(reservation, cost.expected(), seconds(1));
    let mut order = Vec::new();
    while let Admission::Granted(ticket, reservation) = limiter.admit(seconds(1)) {
        limiter.settle(reservation, cost.expected(), seconds(1));
        order.push(ticket);
    }
    assert_eq!(order, [failed, last]);
}

#[test]
fn in_an_outage_small_requests_ask_where_others_may_overtake() {
    let mut limiter = told(1_000, 100_000);
    limiter.set_probing(false);
    limiter.set_order(Order::LookAhead { bound: Nanos::MINUTE });
    five_fail(&mut limiter, &Cost::of_request(1, 0), Nanos::ZERO);
    let [_, small, _] = [5_000, 3, 600]
        .map(|tokens| limiter.enqueue(&Cost::of_request(tokens, 0), Priority::NORMAL, Nanos::ZERO).unwrap());
    assert!(matches!(limiter.admit(seconds(1)), Admission::Granted(ticket, _) if ticket == small));
}

#[test]
fn in_an_outage_a_request_asks_whatever_is_thought_to_be_left_of_limits_that_were_found() {
    let cost = Cost::of_request(200, 0);
    let mut limiter = Limiter::new();
    limiter.set_probing(false);
    let mut first = limiter.try_reserve(&cost, Nanos::ZERO).unwrap();
    limiter.observe(&mut first, &tokens_left(1_000, 1_000), Nanos::ZERO);
    limiter.settle(first, cost.expected(), Nanos::ZERO);
    // Who knows whether they were counted?
    five_fail(&mut limiter, &cost, Nanos::ZERO);
    assert_eq!(level(&limiter, Dimension::Tokens, Nanos::ZERO), 0);
    let mut asks = limiter.try_reserve(&cost, seconds(1)).unwrap();
    // They were not.
    limiter.observe(&mut asks, &tokens_left(1_000, 800), seconds(1));
    limiter.settle(asks, cost.expected(), seconds(1));
    assert!(limiter.try_reserve(&cost, seconds(1)).is_ok());
}

#[test]
fn in_an_outage_nobody_asks_beyond_the_limits_of_the_caller() {
    let mut limiter = told(1_000, 1_000);
    limiter.set_probing(false);
    let cost = Cost::of_request(200, 0);
    five_fail(&mut limiter, &cost, Nanos::ZERO);
    assert_eq!(limiter.try_reserve(&cost, seconds(1)).unwrap_err(), Refusal::NotYet { ready_at: seconds(12) });
}

#[test]
fn a_fixed_window_told_by_the_provider_turns_when_it_says() {
    let mut limiter = Limiter::new();
    limiter.set_probing(false);
    let cost = Cost::of_request(1, 0);
    let mut reservation = limiter.try_reserve(&cost, Nanos::ZERO).unwrap();
    let mut observation = Observation::new();
    observation.push(Reading {
        limit: Some(20),
        remaining: Some(0),
        reset: Some(seconds(35)),
        window: Some(Nanos::MINUTE),
        fixed_window: true,
        ..Reading::of(Dimension::Requests)
    });
    limiter.observe(&mut reservation, &observation, Nanos::ZERO);
    limiter.release(reservation, Nanos::ZERO);
    assert_eq!(limiter.try_reserve(&cost, seconds(1)).unwrap_err(), Refusal::NotYet { ready_at: seconds(35) });
    for _ in 0..20 {
        let _in_flight = limiter.try_reserve(&cost, seconds(35)).unwrap();
    }
    assert_eq!(limiter.try_reserve(&cost, seconds(35)).unwrap_err(), Refusal::NotYet { ready_at: seconds(95) });
}

#[test]
fn observations_that_contradict_themselves_do_no_harm() {
    let mut limiter = Limiter::new();
    let mut reservation = limiter.try_reserve(&Cost::of_request(1, 0), seconds(9)).unwrap();
    for limit in [None, Some(0), Some(1), Some(u64::MAX)] {
        for remaining in [None, Some(0), Some(u64::MAX)] {
            for reset in [None, Some(Nanos::ZERO), Some(Nanos::MAX)] {
                for window in [None, Some(Nanos::ZERO), Some(Nanos::MAX)] {
                    for fixed_window in [false, true] {
                        let mut observation = Observation::new();
                        let dimension = Dimension::Tokens;
                        observation.push(Reading { dimension, window, limit, remaining, reset, fixed_window });
                        observation.retry_after = reset;
                        for now in [Nanos::ZERO, seconds(9), Nanos::MAX, seconds(10)] {
                            limiter.observe(&mut reservation, &observation, now);
                            let _ = limiter.state(now);
                            let _ = limiter
                                .try_reserve(&Cost::of_request(1, u64::MAX), now)
                                .map(|r| limiter.release(r, now));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_refusal_pauses_as_long_as_it_says_and_ever_longer_where_it_says_nothing() {
    let cost = Cost::of_request(1, 0);
    let mut limiter = Limiter::new();
    let reservation = limiter.try_reserve(&cost, Nanos::ZERO).unwrap();
    limiter.refuse(reservation, Some(seconds(17)), Nanos::ZERO, 0);
    assert_eq!(limiter.state(Nanos::ZERO).paused_until, Some(seconds(17)));

    let mut limiter = Limiter::new();
    let mut now = Nanos::ZERO;
    // Within the first minute it is asked every ten seconds at least.
    for pause in [1, 2, 4, 8, 10, 10, 10, 10, 10, 60, 60] {
        let reservation = limiter.try_reserve(&cost, now).unwrap();
        limiter.refuse(reservation, None, now, u64::MAX);
        let until = now.saturating_add(seconds(pause));
        assert_eq!(limiter.state(now).paused_until, Some(until));
        now = until;
    }
}

#[test]
fn refusals_of_one_flight_count_once() {
    let mut limiter = Limiter::new();
    limiter.set_probing(false);
    let flight: Vec<_> = (0..4).map(|_| limiter.try_reserve(&Cost::of_request(1, 0), Nanos::ZERO).unwrap()).collect();
    for reservation in flight {
        limiter.refuse(reservation, None, Nanos::ZERO, u64::MAX);
    }
    // All were refused: they say that there is nothing, and not at which rate it comes.
    assert_eq!(limiter.state(Nanos::ZERO).paused_until, Some(seconds(1)));
}

#[test]
fn where_the_callers_limits_are_all_there_are_a_refusal_teaches_no_rate() {
    let mut limiter = told(1_000, 100_000);
    limiter.set_probing(false);
    let cost = Cost::of_request(1, 0);
    let flight: Vec<_> = (0..4).map(|_| limiter.try_reserve(&cost, Nanos::ZERO).unwrap()).collect();
    for (number, reservation) in flight.into_iter().enumerate() {
        if number == 3 {
            limiter.refuse(reservation, Some(seconds(1)), seconds(10), 0);
        } else {
            limiter.settle(reservation, cost.expected(), Nanos::ZERO);
        }
    }
    // A rate of three in ten seconds would let the next one wait.
    let burst = (0..100).map_while(|_| limiter.try_reserve(&cost, seconds(11)).ok()).count();
    assert_eq!(burst, 100);
}

#[test]
fn a_refusal_that_the_levels_explain_needs_no_pause_of_its_own() {
    let mut limiter = Limiter::new();
    let mut reservation = limiter.try_reserve(&Cost::of_request(100, 0), Nanos::ZERO).unwrap();
    limiter.observe(&mut reservation, &tokens_left(1_000, 50), Nanos::ZERO);
    limiter.refuse(reservation, None, Nanos::ZERO, u64::MAX);
    assert_eq!(limiter.state(Nanos::ZERO).paused_until, None);
    let refusal = limiter.try_reserve(&Cost::of_request(100, 0), Nanos::ZERO).unwrap_err();
    assert_eq!(refusal, Refusal::NotYet { ready_at: seconds(3) });
}

#[test]
fn a_provider_that_has_more_left_than_was_counted_is_a_surprise() {
    let requests_left = |remaining| {
        let mut observation = Observation::new();
        let dimension = Reading::of(Dimension::Requests);
        observation.push(Reading { limit: Some(100), remaining: Some(remaining), ..dimension });
        observation
    };
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    // Five seconds apart; 100 a minute come back.
    for (second, remaining, surplus) in [(0, 50, 0), (5, 57, 0), (10, 90, 26), (15, 20, 0)] {
        let mut reservation = limiter.try_reserve(&cost, seconds(second)).unwrap();
        let observed = limiter.observe(&mut reservation, &requests_left(remaining), seconds(second));
        assert_eq!(observed.surplus_requests, surplus, "{second}");
        limiter.settle(reservation, cost.expected(), seconds(second));
    }
}

/// Admits five requests of 100 tokens, of 1,000 a minute, one a millisecond; answers them in the order of `answers`
/// (which request, what is left) at second 1; returns what is thought to be left then.
fn left_after(answers: &[(usize, u64)]) -> i64 {
    let mut limiter = Limiter::new();
    limiter.set_probing(false);
    let cost = Cost::of_request(100, 0);
    let mut first = limiter.try_reserve(&cost, Nanos::ZERO).unwrap();
    limiter.observe(&mut first, &tokens_left(1_000, 1_000), Nanos::ZERO);
    limiter.settle(first, cost.expected(), Nanos::ZERO);
    let mut flight: Vec<_> = (1..=5).map(|milli| limiter.try_reserve(&cost, Nanos::from_millis(milli)).ok()).collect();
    for (which, left) in answers {
        let mut reservation = flight[*which].take().unwrap();
        limiter.observe(&mut reservation, &tokens_left(1_000, *left), seconds(1));
        limiter.settle(reservation, cost.expected(), seconds(1));
    }
    let left = level(&limiter, Dimension::Tokens, seconds(1));
    flight.into_iter().flatten().for_each(|reservation| limiter.forfeit(reservation, seconds(1)));
    left
}

#[test]
fn requests_that_the_provider_counts_in_another_order_are_never_thought_unspent() {
    // Counted in the order they were sent, and answered in another.
    assert_eq!(left_after(&[(0, 900), (1, 800), (2, 700), (3, 600), (4, 500)]), 500);
    assert_eq!(left_after(&[(4, 500), (2, 700), (0, 900), (3, 600), (1, 800)]), 500);
    // Counted in another order than they were sent.
    assert_eq!(left_after(&[(4, 900), (0, 800), (1, 700), (2, 600), (3, 500)]), 500);
    assert_eq!(left_after(&[(3, 500), (4, 900), (0, 800), (1, 700), (2, 600)]), 500);
    // Two are in flight still: whatever was counted before, they are taken off.
    assert_eq!(left_after(&[(4, 900), (0, 800), (1, 700)]), 500);
    assert_eq!(left_after(&[(4, 700), (0, 900), (1, 800)]), 500);
    // The provider has counted one of the two that are in flight: it is held back twice until its answer comes.
    assert_eq!(left_after(&[(4, 600), (0, 900), (1, 800)]), 400);
}

#[test]
fn a_provider_that_counts_more_than_is_reserved_is_given_room() {
    let mut limiter = Limiter::new();
    let (cost, mut left) = (Cost::of_request(100, 0), 10_000);
    for tenth in 0..40 {
        let now = Nanos::from_millis(100 * tenth);
        let mut reservation = limiter.try_reserve(&cost, now).unwrap();
        // It counts 130 for each 100; 10,000 a minute bring back about 16 in between.
        left -= 130 - 16;
        limiter.observe(&mut reservation, &tokens_left(10_000, left), now);
        limiter.settle(reservation, cost.expected(), now);
    }
    let refusal = limiter.try_reserve(&Cost::of_request(left - 10, 0), Nanos::from_millis(3_900)).unwrap_err();
    assert!(matches!(refusal, Refusal::NotYet { .. }), "{refusal:?}");
}

#[test]
fn an_abandoned_request_stays_counted_and_is_no_longer_in_flight() {
    let mut limiter = told(10, 1_000);
    let reservation = limiter.try_reserve(&Cost::of_request(100, 200), Nanos::ZERO).unwrap();
    limiter.forfeit(reservation, Nanos::ZERO);
    assert_eq!(limiter.state(Nanos::ZERO).in_flight, 0);
    assert_eq!(level(&limiter, Dimension::Tokens, Nanos::ZERO), 700);
}

#[test]
fn a_window_that_turns_at_other_times_than_it_should_is_not_fixed() {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    for second in [0, 1, 2] {
        let mut observation = Observation::new();
        observation.push(Reading {
            limit: Some(60),
            remaining: Some(0),
            reset: Some(seconds(second + 2)),
            window: Some(Nanos::MINUTE),
            fixed_window: true,
            ..Reading::of(Dimension::Requests)
        });
        observation.refused = true;
        let mut reservation = limiter.reserve(&cost, seconds(second));
        limiter.observe(&mut reservation, &observation, seconds(second));
        limiter.release(reservation, seconds(second));
    }
    let state = limiter.state(seconds(2));
    assert_eq!((state.limits[0].limit.refill(), state.limits[0].level), (Refill::Continuous, 0));
}

#[test]
fn a_provider_that_saves_up_less_than_a_window_is_not_overrun_after_a_rest() {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    let mut send = |now: Nanos, left: u64| {
        let mut reservation = limiter.try_reserve(&cost, now).unwrap();
        limiter.observe(&mut reservation, &tokens_left(600, left), now);
        limiter.settle(reservation, cost.expected(), now);
        limiter.state(now).limits[0].level
    };
    // 600 a minute, of which 60 are saved up.
    assert_eq!(send(Nanos::ZERO, 59), 59);
    assert_eq!(send(seconds(120), 59), 59);
    let later = seconds(240);
    assert!(limiter.try_reserve(&Cost::of_request(40, 0), later).is_ok());
    assert!(limiter.try_reserve(&Cost::of_request(40, 0), later).is_err());
    // A request that is larger than what is saved up waits for all of it, and is not refused.
    let state = limiter.state(later);
    assert!(matches!(limiter.try_reserve(&Cost::of_request(300, 0), later), Err(Refusal::NotYet { .. })), "{state:?}");
}

#[test]
fn a_pause_may_be_ended_and_limits_hold_as_before() {
    let mut limiter = Limiter::new();
    limiter.set_limit(Limit::per_minute(Dimension::Requests, 1), Nanos::ZERO);
    let cost = Cost::of_request(0, 0);
    let first = limiter.try_reserve(&cost, Nanos::ZERO).unwrap();
    limiter.settle(first, &Amounts::ZERO, Nanos::ZERO);
    limiter.pause(Nanos::DAY, Nanos::ZERO);
    limiter.end_pause(Nanos::SECOND);
    assert_eq!(limiter.state(Nanos::SECOND).paused_until, None);
    let ready_at = Nanos::MINUTE;
    assert_eq!(limiter.try_reserve(&cost, Nanos::SECOND), Err(Refusal::NotYet { ready_at }));
    assert!(limiter.try_reserve(&cost, ready_at).is_ok());
}

#[test]
fn whoever_asks_need_not_fit_into_what_answers_told_but_into_what_the_caller_did() {
    let mut limiter = Limiter::new();
    limiter.set_limit(Limit::per_minute(Dimension::Requests, 2), Nanos::ZERO);
    let cost = Cost::of_request(5, 0);
    let mut first = limiter.try_reserve(&cost, Nanos::ZERO).unwrap();
    let mut observation = Observation::new();
    let reading = Reading { window: Some(Nanos::DAY), limit: Some(100), ..Reading::of(Dimension::Tokens) };
    observation.push(Reading { remaining: Some(0), ..reading });
    limiter.observe(&mut first, &observation, Nanos::ZERO);
    limiter.settle(first, &Amounts::of_request(5, 0), Nanos::ZERO);
    for _ in 0..2 {
        limiter.enqueue(&cost, Priority::NORMAL, Nanos::ZERO).unwrap();
    }
    assert!(matches!(limiter.admit(Nanos::ZERO), Admission::NotYet(at) if at > Nanos::HOUR));
    let (_, asker) = limiter.admit_to_ask(Nanos::ZERO).unwrap();
    assert!(limiter.admit_to_ask(Nanos::ZERO).is_none(), "of the caller's two a minute none is left");
    limiter.release(asker, Nanos::ZERO);
    assert_eq!(limiter.state(Nanos::ZERO).waiting, 1);
}
