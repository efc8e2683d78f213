//! Models that the provider counts apart, behind one limiter: what its answers say of a limit is now of the one, now of the
//! other.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::*;
use crate::{Cost, Dimension, Observation, Priority, Reading, Refill, Reservation};

/// How a run went.
#[derive(Debug)]
struct Run {
    seconds: f64,
    refused: u64,
}

/// Sends so many requests in turn to models with these limits, each of which answers after `millis` and tells what remains
/// of its own.
fn run(limits: &[Limit], requests: usize, millis: u64) -> Run {
    let mut limiter = Limiter::new();
    let mut models: Vec<Bucket> = limits.iter().map(|limit| Bucket::full(*limit, Nanos::ZERO)).collect();
    let mut waiting = BTreeMap::new();
    let cost = Cost::of_request(10, 0);
    for place in 0..requests {
        let ticket = limiter.enqueue(&cost, Priority::NORMAL, Nanos::ZERO).unwrap();
        waiting.insert(ticket, place % models.len());
    }
    let mut flight: BTreeMap<(Nanos, u64), (Reservation, usize, Observation)> = BTreeMap::new();
    let (mut now, mut sent, mut answered, mut refused) = (Nanos::ZERO, 0_u64, 0, 0);
    while answered < requests {
        assert!(now < Nanos::from_secs(36_000), "{answered} answered, {refused} refused");
        let wake = loop {
            match limiter.admit(now) {
                Admission::Granted(ticket, reservation) => {
                    sent += 1;
                    let model = waiting.remove(&ticket).unwrap();
                    let bucket = &mut models[model];
                    let mut said = Observation::new();
                    said.refused = bucket.level(now) < 1;
                    if !said.refused {
                        let _ = bucket.take(1, now);
                    }
                    said.push(Reading {
                        limit: Some(bucket.limit().amount()),
                        remaining: Some(u64::try_from(bucket.level(now)).unwrap_or(0)),
                        reset: Some(bucket.full_at(now).saturating_sub(now)),
                        ..Reading::of(Dimension::Requests)
                    });
                    let takes = if said.refused { 30 } else { millis + sent * 7 % 50 };
                    flight.insert((now.saturating_add(Nanos::from_millis(takes)), sent), (reservation, model, said));
                }
                Admission::NotYet(at) => break at,
                Admission::Blocked | Admission::Idle => break Nanos::MAX,
                Admission::Refused(_, never) => panic!("{never}"),
            }
        };
        let Some(entry) = flight.first_entry().filter(|entry| entry.key().0 <= wake) else {
            assert!(wake < Nanos::MAX, "nobody is in flight and nobody may go");
            now = wake;
            continue;
        };
        now = entry.key().0;
        let (mut reservation, model, said) = entry.remove();
        limiter.observe(&mut reservation, &said, now);
        if said.refused {
            refused += 1;
            limiter.refuse(reservation, None, now, sent.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            waiting.insert(limiter.enqueue_front(&cost, Priority::NORMAL, now).unwrap(), model);
        } else {
            answered += 1;
            limiter.settle(reservation, cost.expected(), now);
        }
    }
    Run { seconds: now.as_secs_f64(), refused }
}

#[track_caller]
fn check(name: &str, limits: [Limit; 2], (requests, least): (usize, f64), most: f64) {
    for millis in [50, 500, 2_000] {
        let run = run(&limits, requests, millis);
        // Without the time that the last answers take.
        let ratio = (run.seconds - millis as f64 / 1_000.0) / least;
        assert!(ratio <= most && run.refused == 0, "{name}, {millis} ms: {ratio:.3}, {run:?}");
    }
}

fn minute(amount: u64) -> Limit {
    Limit::per_minute(Dimension::Requests, amount)
}

/// As many go to either: the one with the smaller limit decides how long it takes.
#[test]
fn limits_of_which_each_answer_tells_one_are_all_kept() {
    let fixed = |amount| minute(amount).with_refill(Refill::AtBoundary { phase: Nanos::ZERO });
    check("600 and 60", [minute(600), minute(60)], (400, 140.0), 1.05);
    check("6,000 and 60", [minute(6_000), minute(60)], (400, 140.0), 1.05);
    check("600 and 500", [minute(600), minute(500)], (2_000, 60.0), 1.13);
    // Behind slow answers a few of a window wait for the next one.
    check("600 and 60 in windows", [fixed(600), fixed(60)], (400, 180.0), 1.35);
}

#[test]
fn equal_limits_of_which_each_answer_tells_one_are_taken_for_the_lower_one() {
    check("600 each", [minute(600), minute(600)], (2_000, 40.0), 1.22);
}

/// Three hundred a day and sixty a minute, of which no answer states the window.
#[test]
fn two_amounts_of_one_dimension_in_one_answer_are_two_limits() {
    let mut limiter = Limiter::new();
    let mut reservation = limiter.try_reserve(&Cost::of_request(1, 0), Nanos::ZERO).unwrap();
    let mut said = Observation::new();
    // More is left than a second's part of either.
    for (limit, remaining) in [(300, 299), (60, 2)] {
        let reading = Reading::of(Dimension::Requests);
        said.push(Reading { limit: Some(limit), remaining: Some(remaining), ..reading });
    }
    limiter.observe(&mut reservation, &said, Nanos::ZERO);
    limiter.settle(reservation, Cost::of_request(1, 0).expected(), Nanos::ZERO);
    let levels: Vec<_> =
        limiter.state(Nanos::ZERO).limits.into_iter().map(|it| (it.limit.amount(), it.level)).collect();
    assert_eq!(levels, [(300, 299), (60, 2)]);
    let _last = [(); 2].map(|()| limiter.try_reserve(&Cost::of_request(1, 0), Nanos::ZERO).unwrap());
    assert!(limiter.try_reserve(&Cost::of_request(1, 0), Nanos::ZERO).is_err());
}
