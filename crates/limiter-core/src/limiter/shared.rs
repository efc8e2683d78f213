//! Several limiters with one key, on virtual time.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::*;
use crate::{Amounts, Cost, Dimension, Limit, Observation, Priority, Reading};

/// How many of 600 requests each of so many limiters was refused that draw on 300 a minute; they start `apart`.
fn refused(limiters: usize, requests: u64, apart: Nanos) -> Vec<u64> {
    let limit = Limit::per_minute(Dimension::Requests, 300);
    let mut provider = Bucket::full(limit, Nanos::ZERO);
    let cost = Cost::of_request(60, 60);
    let mut all: Vec<Limiter> = (0..limiters).map(|_| Limiter::new()).collect();
    let (mut refused, mut joined) = (alloc::vec![0; limiters], 0_usize);
    let mut flight = BTreeMap::new();
    let (mut now, mut sent, mut answered) = (Nanos::ZERO, 0_u64, 0);
    while answered < requests * limiters as u64 {
        let mut wake = Nanos::HOUR;
        while joined < limiters && now >= Nanos::new(apart.get() * joined as u64) {
            for _ in 0..requests {
                all[joined].enqueue(&cost, Priority::NORMAL, now).unwrap();
            }
            joined += 1;
        }
        if joined < limiters {
            wake = Nanos::new(apart.get() * joined as u64);
        }
        for (index, limiter) in all.iter_mut().enumerate() {
            loop {
                match limiter.admit(now) {
                    Admission::Granted(_, reservation) => {
                        sent += 1;
                        let fits = provider.level(now) > 0;
                        if fits {
                            let _ = provider.take(1, now);
                        }
                        let left = u64::try_from(provider.level(now)).unwrap_or(0);
                        let millis = if fits { 50 } else { 30 };
                        let at = now.saturating_add(Nanos::from_millis(millis));
                        flight.insert((at, sent), (index, reservation, fits, left));
                    }
                    Admission::NotYet(at) => {
                        wake = wake.min(at);
                        break;
                    }
                    _ => break,
                }
            }
        }
        now = flight.keys().next().map_or(wake, |(at, _)| wake.min(*at));
        while flight.keys().next().is_some_and(|(at, _)| *at <= now) {
            let Some((_, (index, mut reservation, fits, left))) = flight.pop_first() else { break };
            let mut said = Observation::new();
            said.refused = !fits;
            let mut reading = Reading::of(Dimension::Requests);
            (reading.limit, reading.remaining) = (Some(300), Some(left));
            said.push(reading);
            all[index].observe(&mut reservation, &said, now);
            if fits {
                answered += 1;
                all[index].settle(reservation, &Amounts::of_request(60, 60), now);
            } else {
                refused[index] += 1;
                all[index].refuse(reservation, None, now, sent << 40);
                all[index].enqueue_front(&cost, Priority::NORMAL, now).unwrap();
            }
        }
    }
    refused
}

#[test]
fn two_of_ours_with_one_key_are_hardly_refused() {
    for apart in [Nanos::ZERO, Nanos::from_secs(40)] {
        let refused = refused(2, 600, apart);
        assert!(refused.iter().sum::<u64>() <= 24, "{refused:?}, {apart:?}");
    }
}
