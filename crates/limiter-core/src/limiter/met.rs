//! Limits of which only refusals speak: what is known is used in full, and now and then a little more is tried.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::*;
use crate::{Cost, Dimension, Observation, Priority, Reading, Refill, Refusal};

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

/// What is charged for a prompt and for what may be produced.
type Rule = fn(u64, u64) -> u64;

/// How a run went.
#[derive(Debug)]
struct Run {
    seconds: f64,
    /// In the first ten seconds.
    early: u64,
    /// After the first ten seconds: as many as are in flight are refused when the limit is met first.
    refused: u64,
    /// What was charged.
    charged: u64,
}

/// Sends requests of many sizes to a provider of 60,000 tokens a minute, a minute's saved up, that charges each what
/// `charge` makes of its prompt and of what it may produce, and tells of the limit when it refuses one, or always. Each may
/// produce `more` at least.
fn tokens(charge: Rule, requests: u64, more: u64, always: bool) -> Run {
    let mut limiter = Limiter::new();
    let limit = Limit::per_minute(Dimension::Tokens, 60_000);
    let mut provider = Bucket::full(limit, Nanos::ZERO);
    let (mut flight, mut state) = (VecDeque::new(), 1_u64);
    let (mut now, mut answered) = (Nanos::ZERO, 0);
    let mut run = Run { seconds: 0.0, early: 0, refused: 0, charged: 0 };
    let mut sizes = Vec::new();
    for _ in 0..requests {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (prompt, output) = (20 + (state >> 33) % 160, more + (state >> 44) % 120);
        sizes.push((prompt, output));
        limiter.enqueue(&Cost::of_request(prompt, output), Priority::NORMAL, Nanos::ZERO).unwrap();
    }
    while answered < requests {
        assert!(now < Nanos::HOUR, "{answered} answered, {run:?}");
        let wake = match limiter.admit(now) {
            Admission::Granted(_, reservation) => {
                let expected = *reservation.cost.expected();
                let amount = charge(expected.of(Dimension::InputTokens), expected.of(Dimension::OutputTokens));
                let is_let_through = provider.ready_at(amount, now) == now;
                if is_let_through {
                    let _ = provider.take(amount, now);
                    run.charged += amount;
                }
                let left = u64::try_from(provider.level(now)).unwrap_or(0);
                let reset = provider.full_at(now).saturating_sub(now);
                flight.push_back((
                    now.saturating_add(Nanos::from_millis(50)),
                    reservation,
                    is_let_through,
                    left,
                    reset,
                ));
                continue;
            }
            Admission::NotYet(at) => at,
            Admission::Blocked | Admission::Idle => Nanos::MAX,
            Admission::Refused(_, never) => panic!("{never}"),
        };
        if flight.front().is_none_or(|first| first.0 > wake) {
            now = wake;
            continue;
        }
        let (at, mut reservation, is_let_through, left, reset) = flight.pop_front().unwrap();
        now = at;
        let cost = reservation.cost;
        let mut said = Observation::new();
        said.refused = !is_let_through;
        let reading = Reading::of(Dimension::Tokens);
        said.push(Reading {
            limit: Some(60_000),
            remaining: Some(left),
            window: Some(limit.window()),
            reset: Some(reset),
            ..reading
        });
        if always || !is_let_through {
            limiter.observe(&mut reservation, &said, now);
        }
        if is_let_through {
            answered += 1;
            limiter.settle(reservation, cost.expected(), now);
            continue;
        }
        let when = if now < Nanos::from_secs(10) { &mut run.early } else { &mut run.refused };
        *when += 1;
        limiter.refuse(reservation, None, now, 0);
        limiter.enqueue_front(&cost, Priority::NORMAL, now).unwrap();
    }
    run.seconds = now.as_secs_f64();
    run
}

/// The first two refusals tell how tokens are charged, and what is tried beyond that flows evenly.
#[test]
fn how_tokens_are_charged_is_learned_from_a_few_refusals() {
    let rules: [(&str, Rule); 4] = [
        ("whole", |prompt, output| prompt + output),
        ("prompt", |prompt, _| prompt),
        ("larger", |prompt, output| prompt.max(output)),
        ("half of the prompt", |prompt, _| prompt / 2),
    ];
    for (name, charge) in rules {
        let run = tokens(charge, 4_000, 10, false);
        let least = run.charged.saturating_sub(60_000) as f64 / 1_000.0;
        let ratio = run.seconds / least;
        assert!(ratio < 1.05 && run.refused <= 5, "{name}: {ratio:.3}, {run:?}");
    }
}

/// Requests do not say how much they may produce, and what is reserved for that here is a guess.
#[test]
fn what_is_charged_for_every_request_is_known_before_the_first_burst() {
    let rules: [(&str, Rule); 2] =
        [("beside the prompt", |prompt, _| prompt + 1_024), ("the larger one", |prompt, _| prompt.max(1_024))];
    for (name, charge) in rules {
        let run = tokens(charge, 200, 512, true);
        let least = run.charged.saturating_sub(60_000) as f64 / 1_000.0;
        let ratio = run.seconds / least;
        assert!(ratio < 1.02 && run.early + run.refused == 0, "{name}: {ratio:.3}, {run:?}");
    }
}
