//! Files of requests run through a limiter on virtual time: how long they take in turn, and looking ahead.

use super::*;
use crate::{Cost, Dimension, Priority};

/// Runs `requests` of (tokens, seconds after the start) against 600 requests and 60,000 tokens a minute. Returns when
/// each of them went, in seconds, and who went in which order.
fn run(order: Order, requests: &[(u64, u64)]) -> (Vec<f64>, Vec<usize>) {
    let limits = [Limit::per_minute(Dimension::Requests, 600), Limit::per_minute(Dimension::Tokens, 60_000)];
    run_within(limits, order, requests)
}

/// The same against other limits.
fn run_within(limits: [Limit; 2], order: Order, requests: &[(u64, u64)]) -> (Vec<f64>, Vec<usize>) {
    let mut limiter = Limiter::new();
    limiter.tells = true;
    limiter.set_order(order);
    limits.into_iter().for_each(|limit| limiter.set_limit(limit, Nanos::ZERO));
    let mut now = Nanos::ZERO;
    let (mut tickets, mut went, mut sequence) = (Vec::new(), alloc::vec![0.0; requests.len()], Vec::new());
    loop {
        while let Some((tokens, second)) = requests.get(tickets.len()) {
            if Nanos::from_secs(*second) > now {
                break;
            }
            tickets.push(limiter.enqueue(&Cost::of_request(*tokens, 0), Priority::NORMAL, now).unwrap());
        }
        let next = requests.get(tickets.len()).map_or(Nanos::MAX, |(_, second)| Nanos::from_secs(*second));
        match limiter.admit(now) {
            Admission::Granted(ticket, reservation) => {
                let index = tickets.iter().position(|known| *known == ticket).unwrap();
                went[index] = now.as_secs_f64();
                sequence.push(index);
                let actual = *reservation.cost().expected();
                limiter.settle(reservation, &actual, now);
            }
            Admission::NotYet(at) => now = at.min(next),
            Admission::Idle if next < Nanos::MAX => now = next,
            Admission::Idle => return (went, sequence),
            other => panic!("{other:?}"),
        }
    }
}

const LOOK_AHEAD: Order = Order::LookAhead { bound: Nanos::from_secs(120) };

fn latest(went: &[f64]) -> f64 {
    went.iter().copied().fold(0.0, f64::max)
}

/// 3,000 requests of 10 tokens are 5 minutes of requests, 200 of 1,800 are 6 minutes of tokens.
#[test]
fn small_requests_before_large_ones_take_as_long_as_what_is_scarcest() {
    let mut requests = alloc::vec![(10, 0); 3_000];
    requests.extend([(1_800, 0); 200]);
    let in_turn = latest(&run(Order::Turn, &requests).0);
    let ahead = latest(&run(LOOK_AHEAD, &requests).0);
    // A full bucket at the start is a minute of each.
    let tokens = (3_000.0 * 10.0 + 200.0 * 1_800.0 - 60_000.0) / 1_000.0;
    assert!(in_turn > 1.6 * tokens, "{in_turn} of {tokens}");
    assert!(ahead < 1.02 * tokens, "{ahead} of {tokens}");
}

/// What is left of a window at its turn is lost. 1,140 small requests and 55 large ones are two windows of requests and
/// two of tokens, less a few, and the large ones come last.
#[test]
fn each_window_is_used_in_both_dimensions() {
    let mut requests = alloc::vec![(10, 0); 1_140];
    requests.extend([(1_900, 0); 55]);
    for refill in [crate::Refill::AtBoundary { phase: Nanos::ZERO }, crate::Refill::Sliding] {
        let limits = [(Dimension::Requests, 600), (Dimension::Tokens, 60_000)];
        let limits = limits.map(|(dimension, amount)| Limit::per_minute(dimension, amount).with_refill(refill));
        let in_turn = latest(&run_within(limits, Order::Turn, &requests).0);
        let ahead = latest(&run_within(limits, LOOK_AHEAD, &requests).0);
        assert!(in_turn >= 120.0 && ahead <= 60.0, "{refill:?}: {in_turn}, {ahead}");
    }
}

/// What a second leaves is lost with it. 1,000 requests are 100 seconds of requests, and 108 of tokens; six of 150 and two
/// of 45 fill a second best, and five of each next: 50 and 60 seconds, of which the last begins after 109.
#[test]
fn each_second_of_slices_is_used_in_both_dimensions() {
    let second = |dimension, amount| {
        Limit::new(dimension, amount, Nanos::SECOND).with_refill(crate::Refill::AtBoundary { phase: Nanos::ZERO })
    };
    let limits = [second(Dimension::Requests, 10), second(Dimension::Tokens, 1_000)];
    let requests: Vec<_> = (0..1_000).map(|place| (if place / 20 % 5 < 3 { 150 } else { 45 }, 0)).collect();
    let in_turn = latest(&run_within(limits, Order::Turn, &requests).0);
    let ahead = latest(&run_within(limits, LOOK_AHEAD, &requests).0);
    assert!(in_turn > 130.0 && ahead <= 111.0, "{in_turn}, {ahead}");
}

/// The last of a second is chosen by what it leaves. Sizes from 40 to 400, three in four of them below 100, are 7.5 to a
/// second on average.
#[test]
fn a_second_is_filled_by_what_fits() {
    let second = |dimension, amount| {
        Limit::new(dimension, amount, Nanos::SECOND).with_refill(crate::Refill::AtBoundary { phase: Nanos::ZERO })
    };
    let limits = [second(Dimension::Requests, 10), second(Dimension::Tokens, 1_000)];
    let mut state = 1_u64;
    let requests: Vec<_> = (0..1_000)
        .map(|place| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (if place % 4 == 0 { 100 + (state >> 33) % 300 } else { 40 + (state >> 33) % 60 }, 0)
        })
        .collect();
    let least = requests.iter().map(|(tokens, _)| *tokens).sum::<u64>() as f64 / 1_000.0;
    let ahead = latest(&run_within(limits, LOOK_AHEAD, &requests).0);
    assert!(ahead < least * 1.01, "{ahead} of {least}");
}

/// Every second a small request comes, and every half minute one that takes most of a full bucket.
#[test]
fn small_requests_fill_the_gaps_in_front_of_a_large_one_and_it_is_not_starved() {
    let mut requests: Vec<(u64, u64)> = (0..1_500).map(|second| (300, second)).collect();
    requests.extend((0..50).map(|large| (24_000, 30 * large)));
    requests.sort_unstable_by_key(|(_, second)| *second);
    let waits = |order| {
        let (went, _) = run(order, &requests);
        let waits = requests.iter().zip(&went).map(|((tokens, second), at)| (*tokens, at - *second as f64));
        let (mut small, large): (Vec<_>, Vec<_>) = waits.partition(|(tokens, _)| *tokens == 300);
        small.sort_unstable_by(|one, other| one.1.total_cmp(&other.1));
        let worst_large = large.iter().map(|(_, wait)| *wait).fold(0.0, f64::max);
        (small[small.len() * 99 / 100].1, worst_large, latest(&went))
    };
    let (small_in_turn, large_in_turn, end_in_turn) = waits(Order::Turn);
    let (small_ahead, large_ahead, end_ahead) = waits(LOOK_AHEAD);
    assert!(small_ahead < small_in_turn / 10.0, "{small_ahead} against {small_in_turn}");
    assert!(large_ahead <= 2.0 * large_in_turn + 120.0, "{large_ahead} against {large_in_turn}");
    assert!(end_ahead <= end_in_turn * 1.01, "{end_ahead} against {end_in_turn}");
}

/// The one that came first needs a full bucket; small ones keep coming, more than there are tokens for.
#[test]
fn what_overtakes_anybody_is_bounded_by_the_allowance_and_those_before() {
    let mut requests = alloc::vec![(1_000, 0); 60];
    requests.push((60_000, 0));
    requests.extend((1..600).flat_map(|second| [(700, second); 3]));
    let (went, sequence) = run(LOOK_AHEAD, &requests);
    for (index, (tokens, _)) in requests.iter().enumerate() {
        let place = sequence.iter().position(|other| *other == index).unwrap();
        let overtook: u64 =
            sequence[..place].iter().filter(|other| **other > index).map(|other| requests[*other].0).sum();
        let before: u64 = requests[..index].iter().map(|(tokens, _)| *tokens).sum();
        // A thousand tokens a second.
        assert!(overtook <= 120_000 + before + tokens, "{index}: {overtook} after {before}");
    }
    assert!(went[60] <= 60.0 + 60.0 + 120.0, "{}", went[60]);
}

#[test]
fn nobody_overtakes_with_an_allowance_of_nothing() {
    let mut requests = alloc::vec![(30_000, 0); 5];
    requests.extend([(10, 0); 50]);
    let (_, sequence) = run(Order::LookAhead { bound: Nanos::ZERO }, &requests);
    assert_eq!(sequence, (0..requests.len()).collect::<Vec<_>>());
}
