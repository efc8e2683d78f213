//! What goes wrong in practice: odd readings, clocks that step back, windows told in whole seconds.

use super::tests::{level, seconds, tokens_left};
use super::*;
use crate::{Amounts, Cost, Dimension, Observation, Reading, Refusal};

fn one(reading: Reading) -> Observation {
    let mut observation = Observation::new();
    observation.push(reading);
    observation
}

#[test]
fn a_limit_without_a_remainder_is_charged() {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    let said = one(Reading { limit: Some(10), ..Reading::of(Dimension::Requests) });
    let mut sent = 0;
    for _ in 0..100 {
        let Ok(mut r) = limiter.try_reserve(&cost, Nanos::ZERO) else { break };
        sent += 1;
        limiter.observe(&mut r, &said, Nanos::ZERO);
        limiter.settle(r, cost.expected(), Nanos::ZERO);
    }
    assert!(sent <= 11, "{sent} requests at one instant with a limit of 10 a minute");
}

#[test]
fn time_that_goes_backwards_leaks_nothing_in_flight() {
    let mut limiter = Limiter::new();
    limiter.tells = true;
    let cost = Cost::of_request(100, 0);
    let at = Nanos::from_millis;
    let old = limiter.try_reserve(&cost, at(0)).unwrap();
    let a = limiter.try_reserve(&cost, at(500)).unwrap();
    let b = limiter.try_reserve(&cost, at(650)).unwrap();
    let c = limiter.try_reserve(&cost, Nanos::new(at(650).get() - 1)).unwrap();
    for r in [c, a, b, old] {
        limiter.settle(r, cost.expected(), at(700));
    }
    assert_eq!(limiter.in_flight, 0);
    assert_eq!(limiter.in_flight_amounts(), Amounts::ZERO);
}

#[test]
fn an_outage_lasts_no_longer_than_since_the_last_answer() {
    let mut outage = Outage::new();
    outage.answered(seconds(1_200));
    for _ in 0..3 {
        outage.failed(seconds(0), seconds(1_201));
    }
    assert!(outage.lasting(seconds(1_201)) <= seconds(2), "{:?}", outage.lasting(seconds(1_201)));
}

#[test]
fn a_number_of_requests_in_flight_that_the_provider_states_is_kept() {
    let mut limiter = Limiter::new();
    limiter.set_probing(false);
    let cost = Cost::of_request(1, 0);
    let said = one(Reading { limit: Some(2), remaining: Some(0), ..Reading::of(Dimension::Concurrent) });
    let now = seconds(10);
    // Three in flight when two are said to be allowed.
    let mut flight: Vec<_> = (0..3).map(|_| limiter.try_reserve(&cost, now).unwrap()).collect();
    limiter.observe(&mut flight[0], &said, now);
    for allowed in [false, false, true] {
        assert_eq!(limiter.try_reserve(&cost, now).map(|r| limiter.release(r, now)).is_ok(), allowed);
        limiter.settle(flight.pop().unwrap(), cost.expected(), now);
    }
    assert_eq!(limiter.state(now).limits[0].level, 2);
}

/// ceiling zero by a request that takes nothing of the dimension
#[test]
fn what_is_said_to_be_used_up_is_waited_for() {
    let mut limiter = Limiter::new();
    let text = Cost::of_request(1, 0);
    let picture = text.with_certain(&Amounts::ZERO.with(Dimension::Images, 1));
    let said = |left| one(Reading { limit: Some(60), remaining: Some(left), ..Reading::of(Dimension::Images) });
    for (at, left) in [(0, 60), (10, 0)] {
        let mut r = limiter.try_reserve(&text, seconds(at)).unwrap();
        limiter.observe(&mut r, &said(left), seconds(at));
        limiter.settle(r, text.expected(), seconds(at));
    }
    let refusal = limiter.try_reserve(&picture, seconds(10)).map(|_| ());
    assert!(matches!(refusal, Err(Refusal::NotYet { ready_at }) if ready_at >= seconds(11)), "{refusal:?}");
}

/// a burst of small requests at one instant must not lower the ceiling.
#[test]
fn a_burst_at_one_instant_does_not_lower_the_ceiling() {
    let mut limiter = Limiter::new();
    limiter.set_probing(false);
    let small = Cost::of_request(1_000, 0);
    let mut first = limiter.try_reserve(&small, Nanos::ZERO).unwrap();
    limiter.observe(&mut first, &tokens_left(10_000, 9_000), Nanos::ZERO);
    limiter.settle(first, small.expected(), Nanos::ZERO);
    // A rest; then ten at one instant, which the provider counts one after the other.
    let now = seconds(100);
    let burst: Vec<_> = (0..10).map(|_| limiter.try_reserve(&small, now).unwrap()).collect();
    let later = Nanos::from_millis(100_050);
    for (n, mut r) in burst.into_iter().enumerate() {
        limiter.observe(&mut r, &tokens_left(10_000, 9_000 - 1_000 * n as u64), later);
        limiter.settle(r, small.expected(), later);
    }
    assert_eq!(level(&limiter, Dimension::Tokens, later), 0);
    // One of 8,000 has to wait for 8,000: 48 s.
    let Err(Refusal::NotYet { ready_at }) = limiter.try_reserve(&Cost::of_request(8_000, 0), later) else { panic!() };
    assert!(ready_at >= seconds(148), "{ready_at:?}: with {} left", level(&limiter, Dimension::Tokens, ready_at));
}

/// fixed window, reset rounded down to 0
#[test]
fn a_fixed_window_about_to_turn_does_not_cost_a_window() {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    let said = |left, reset| {
        one(Reading {
            limit: Some(20),
            remaining: Some(left),
            reset: Some(reset),
            window: Some(Nanos::MINUTE),
            fixed_window: true,
            ..Reading::of(Dimension::Requests)
        })
    };
    let mut r = limiter.try_reserve(&cost, seconds(30)).unwrap();
    limiter.observe(&mut r, &said(1, seconds(30)), seconds(30));
    limiter.settle(r, cost.expected(), seconds(30));
    let late = Nanos::from_millis(59_500);
    let mut r = limiter.try_reserve(&cost, late).unwrap();
    // Half a second before the turn, in whole seconds.
    limiter.observe(&mut r, &said(0, Nanos::ZERO), late);
    limiter.settle(r, cost.expected(), late);
    let ready = match limiter.try_reserve(&cost, late) {
        Ok(_) => late,
        Err(Refusal::NotYet { ready_at }) => ready_at,
        Err(_) => panic!(),
    };
    assert!(ready <= seconds(62), "{ready:?}");
}

/// a limit stated by a refusal's body once, raised since by headers
#[test]
fn a_limit_raised_since_does_not_stay_for_ever() {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    let mut body = one(Reading {
        window: Some(Nanos::MINUTE),
        limit: Some(10),
        remaining: Some(0),
        ..Reading::of(Dimension::Requests)
    });
    body.refused = true;
    let head = |left| one(Reading { limit: Some(1_000), remaining: Some(left), ..Reading::of(Dimension::Requests) });
    let mut r = limiter.try_reserve(&cost, Nanos::ZERO).unwrap();
    limiter.observe(&mut r, &body, Nanos::ZERO);
    limiter.refuse(r, None, Nanos::ZERO, 0);
    let mut sent = 0;
    for second in 0..600 {
        for _ in 0..10 {
            let Ok(mut r) = limiter.try_reserve(&cost, seconds(second)) else { continue };
            sent += 1;
            limiter.observe(&mut r, &head(990), seconds(second));
            limiter.settle(r, cost.expected(), seconds(second));
        }
    }
    assert!(sent > 3_000, "{sent} of 6000 in ten minutes");
}

/// believed turn a bit early: how much of the window is used?
#[test]
fn a_turn_believed_half_a_second_early_does_not_cost_the_window() {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    // Truth: turns at 60 s and every minute; the reset is said in whole seconds, rounded down.
    let (mut window, mut used) = (0_u64, 0_u64);
    let mut per_window = [0_u64; 6];
    let mut ms = 0;
    while ms < 360_000 {
        let now = Nanos::from_millis(ms);
        if ms / 60_000 != window {
            window = ms / 60_000;
            used = 0;
        }
        // 5 a second are wanted, 120 a minute are allowed; in the first minute only one a second.
        let wanted = if window == 0 { ms % 1_000 == 0 } else { ms % 200 == 0 || ms % 1_000 == 590 };
        if wanted && let Ok(mut r) = limiter.try_reserve(&cost, now) {
            let refused = used >= 120;
            if !refused {
                used += 1;
                per_window[window as usize] += 1;
            }
            let reset = Nanos::from_secs((60_000 - ms % 60_000) / 1_000);
            let mut said = one(Reading {
                limit: Some(120),
                remaining: Some(120 - used),
                reset: Some(reset),
                window: Some(Nanos::MINUTE),
                fixed_window: true,
                ..Reading::of(Dimension::Requests)
            });
            said.refused = refused;
            limiter.observe(&mut r, &said, now);
            if refused {
                limiter.refuse(r, Some(reset), now, 0);
            } else {
                limiter.settle(r, cost.expected(), now);
            }
        }
        ms += 10;
    }
    assert!(per_window[1..].iter().all(|n| *n >= 110), "{per_window:?}");
}

/// Windows that turn each minute, told in whole seconds; wanted: 5 a second of 120 a minute. `up`: as OpenRouter's
/// date against a `Date` in whole seconds; down: as a server that truncates.
fn fixed(up: bool, told: bool) -> [u64; 8] {
    let mut limiter = Limiter::new();
    let cost = Cost::of_request(1, 0);
    let (mut window, mut used) = (0_u64, 0_u64);
    let mut per_window = [0_u64; 8];
    let mut ms = 0;
    while ms < 480_000 {
        let now = Nanos::from_millis(ms);
        if ms / 60_000 != window {
            window = ms / 60_000;
            used = 0;
        }
        let wanted = if window == 0 { ms % 1_000 == 0 } else { ms % 200 == 0 || ms % 1_000 == 590 };
        if wanted && let Ok(mut r) = limiter.try_reserve(&cost, now) {
            let refused = used >= 120;
            if !refused {
                used += 1;
                per_window[window as usize] += 1;
            }
            let left = 60_000 - ms % 60_000;
            let reset = Nanos::from_millis(if up { left + ms % 1_000 } else { left / 1_000 * 1_000 });
            let mut said = one(Reading {
                limit: Some(120),
                remaining: Some(120 - used),
                reset: Some(reset),
                window: told.then_some(Nanos::MINUTE),
                fixed_window: told,
                ..Reading::of(Dimension::Requests)
            });
            said.refused = refused;
            limiter.observe(&mut r, &said, now);
            if refused {
                limiter.refuse(r, Some(reset), now, 0);
            } else {
                limiter.settle(r, cost.expected(), now);
            }
        }
        ms += 10;
    }
    per_window
}
#[test]
fn told_up() {
    let w = fixed(true, true);
    assert!(w[1..].iter().all(|n| *n >= 110), "{w:?}");
}
#[test]
fn found_up() {
    let w = fixed(true, false);
    assert!(w[1..].iter().all(|n| *n >= 110), "{w:?}");
}
#[test]
fn found_down() {
    let w = fixed(false, false);
    assert!(w[1..].iter().all(|n| *n >= 110), "{w:?}");
}

/// Against a true token bucket of 10,000 a minute, no other client: bursts of small requests, a rest, then large
/// ones. How many are refused?
#[test]
fn no_large_request_is_refused_after_a_burst_of_small_ones() {
    let mut limiter = Limiter::new();
    limiter.set_probing(false);
    let mut truth = Bucket::full(Limit::per_minute(Dimension::Tokens, 10_000), Nanos::ZERO);
    let small = Cost::of_request(1_000, 0);
    let large = Cost::of_request(8_000, 0);
    let mut refused = 0;
    let mut log = Vec::new();
    let wanted = alloc::vec![(seconds(0), small, 1), (seconds(100), small, 10)];
    let mut now = seconds(0);
    for (at, cost, n) in wanted {
        now = at;
        let flight: Vec<_> = (0..n).map(|_| limiter.try_reserve(&cost, now).unwrap()).collect();
        let answered = now.saturating_add(Nanos::from_millis(50));
        for mut r in flight {
            truth.take(1_000, now);
            limiter.observe(&mut r, &tokens_left(10_000, truth.level(now).max(0) as u64), answered);
            limiter.settle(r, cost.expected(), answered);
        }
        now = answered;
    }
    for _ in 0..10 {
        // The next large one, when the limiter says so.
        let mut tries = 0;
        loop {
            tries += 1;
            assert!(tries < 1_000);
            match limiter.try_reserve(&large, now) {
                Err(Refusal::NotYet { ready_at }) => now = ready_at,
                Err(never) => panic!("{never}"),
                Ok(mut r) => {
                    let is_refused = truth.level(now) < 8_000;
                    if !is_refused {
                        truth.take(8_000, now);
                    }
                    let mut said = tokens_left(10_000, truth.level(now).max(0) as u64);
                    said.refused = is_refused;
                    limiter.observe(&mut r, &said, now);
                    if is_refused {
                        refused += 1;
                        log.push(now);
                        limiter.refuse(r, None, now, u64::MAX);
                    } else {
                        limiter.settle(r, large.expected(), now);
                        break;
                    }
                }
            }
        }
    }
    assert_eq!(refused, 0, "{log:?}");
}
