//! Limits of which only refusals speak: what is known is used in full, and now and then a little more is tried.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::*;
use crate::{Cost, Dimension, Observation, Reading, Refill, Refusal};

const TICK: Nanos = Nanos::from_millis(100);
/// How many ticks an answer takes.
const LATENCY: usize = 5;

/// A client with endless work sends to a provider for an hour. Returns how many were let through, and when others were
/// refused.
fn an_hour(limit: Limit) -> (u64, Vec<Nanos>) {
    let mut limiter = Limiter::new();
    let mut provider = Bucket::full(limit, Nanos::ZERO);
    let mut said = Observation::new();
    said.refused = true;
    said.push(Reading {
        limit: Some(limit.amount()),
        remaining: Some(0),
        window: Some(limit.window()),
        ..Reading::of(Dimension::Requests)
    });
    let cost = Cost::of_request(1, 0);
    let (mut flight, mut answered, mut refused) = (VecDeque::new(), 0, Vec::new());
    let mut now = Nanos::ZERO;
    while now < Nanos::HOUR {
        let (mut sent, mut at) = (Vec::new(), now);
        while at < now.saturating_add(TICK) {
            match limiter.try_reserve(&cost, at) {
                Ok(reservation) => {
                    let is_let_through = provider.level(at) > 0;
                    if is_let_through {
                        let _ = provider.take(1, at);
                    }
                    sent.push((reservation, is_let_through));
                }
                Err(Refusal::NotYet { ready_at }) => at = ready_at,
                Err(Refusal::NeverFits(never)) => panic!("{never}"),
            }
        }
        now = now.saturating_add(TICK);
        flight.push_back(sent);
        if flight.len() > LATENCY {
            for (mut reservation, is_let_through) in flight.pop_front().unwrap() {
                if is_let_through {
                    answered += 1;
                    limiter.settle(reservation, cost.expected(), now);
                } else {
                    refused.push(now);
                    limiter.observe(&mut reservation, &said, now);
                    limiter.refuse(reservation, None, now, 0);
                }
            }
        }
    }
    (answered, refused)
}

/// What a request takes of a limit on requests is one, and a little less than one is not nothing.
#[test]
fn what_is_known_is_used_in_full_and_little_more_is_tried_ever_less_often() {
    for (per_minute, refill) in [
        (600, Refill::Continuous),
        (3_000, Refill::Continuous),
        (120, Refill::Continuous),
        (120, Refill::AtBoundary { phase: Nanos::ZERO }),
        (600, Refill::AtBoundary { phase: Nanos::ZERO }),
    ] {
        let (answered, refused) = an_hour(Limit::per_minute(Dimension::Requests, per_minute).with_refill(refill));
        let case = alloc::format!("{per_minute}, {refill:?}: {answered} answered, refused at {refused:?}");
        assert!(answered > per_minute * 58, "{case}");
        // When the limit is met first, it is by whatever was in flight.
        let later = refused.iter().filter(|at| **at > Nanos::MINUTE).count() as u64;
        assert!(later <= 20 + per_minute / 50, "{case}");
        // Those that were refused together count once: else it would not be tried again for hours.
        let times = refused.windows(2).filter(|pair| pair[1].saturating_sub(pair[0]) > Nanos::MINUTE).count();
        assert!((2..=4).contains(&times), "{case}");
    }
}
