//! Using a share of the provider's limits alone.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::share::WHOLE;
use crate::{Amounts, Cost, Dimension, NeverFits, Observation, Reading, Refusal};

const SHARE: u32 = 900_000;

fn answer(dimension: Dimension, limit: u64, remaining: u64) -> Observation {
    let mut observation = Observation::new();
    let reading = Reading { limit: Some(limit), remaining: Some(remaining), ..Reading::of(dimension) };
    observation.push(Reading { window: Some(Nanos::MINUTE), ..reading });
    observation
}

/// A limiter that uses nine tenths and has had one answer: 100 requests a minute, `remaining` left.
fn limiter(remaining: u64) -> Limiter {
    let mut limiter = Limiter::new();
    limiter.set_probing(false);
    limiter.set_share(Dimension::Requests, SHARE, Nanos::ZERO);
    let mut first = limiter.try_reserve(&one(), Nanos::ZERO).unwrap();
    limiter.observe(&mut first, &answer(Dimension::Requests, 100, remaining), Nanos::ZERO);
    limiter.settle(first, &Amounts::of_request(0, 0), Nanos::ZERO);
    limiter
}

fn one() -> Cost {
    Cost::of_request(0, 0)
}

/// How many go at `now`.
fn burst(limiter: &mut Limiter, now: Nanos) -> u64 {
    let mut count = 0;
    while let Ok(reservation) = limiter.try_reserve(&one(), now) {
        limiter.settle(reservation, &Amounts::of_request(0, 0), now);
        count += 1;
        assert!(count <= 1_000, "without an end");
    }
    count
}

#[test]
fn no_more_than_the_share_goes_at_once_or_in_any_ten_minutes() {
    let mut limiter = limiter(99);
    let mut sent = burst(&mut limiter, Nanos::ZERO);
    assert!((89..=90).contains(&sent), "{sent} of 100 at once");
    for tenth in 1..=6_000 {
        sent += burst(&mut limiter, Nanos::from_millis(tenth * 100));
    }
    // Ninety saved up and ninety a minute; without the share it is a hundred of each.
    assert!((985..=990).contains(&sent), "{sent} in ten minutes");
}

#[test]
fn what_is_not_used_is_left_there_when_others_take_of_it() {
    let mut crowded = limiter(10);
    assert_eq!(burst(&mut crowded, Nanos::ZERO), 0, "the last ten are for others");
    // A hundred a minute come back: the eleventh is there after 600 ms.
    assert_eq!(burst(&mut crowded, Nanos::from_millis(599)), 0);
    let soon = Nanos::from_millis(1_300);
    assert!(burst(&mut crowded, soon) >= 1);
}

#[test]
fn what_never_fits_into_the_share_is_refused_with_the_share() {
    let mut limiter = Limiter::new();
    limiter.set_share(Dimension::Tokens, SHARE, Nanos::ZERO);
    let mut first = limiter.try_reserve(&Cost::of_request(1, 0), Nanos::ZERO).unwrap();
    limiter.observe(&mut first, &answer(Dimension::Tokens, 1_000, 999), Nanos::ZERO);
    limiter.settle(first, &Amounts::of_request(1, 0), Nanos::ZERO);
    let never = limiter.try_reserve(&Cost::of_request(901, 0), Nanos::ZERO).unwrap_err();
    let expected = NeverFits { dimension: Dimension::Tokens, needed: 901, capacity: 900 };
    assert_eq!(never, Refusal::NeverFits(expected));
    assert!(matches!(limiter.try_reserve(&Cost::of_request(900, 0), Nanos::ZERO), Err(Refusal::NotYet { .. })));
}

#[test]
fn a_share_that_changes_holds_at_once() {
    let mut limiter = limiter(99);
    limiter.set_share(Dimension::Requests, 500_000, Nanos::ZERO);
    let half = burst(&mut limiter, Nanos::ZERO);
    assert!((48..=50).contains(&half), "{half}");
    limiter.set_share(Dimension::Requests, 1_000_000, Nanos::ZERO);
    assert_eq!(half + burst(&mut limiter, Nanos::ZERO), 99);
}

#[test]
fn the_limit_may_change_and_the_share_follows() {
    let mut limiter = limiter(99);
    let mut next = limiter.try_reserve(&one(), Nanos::ZERO).unwrap();
    limiter.observe(&mut next, &answer(Dimension::Requests, 1_000, 998), Nanos::SECOND);
    limiter.settle(next, &Amounts::of_request(0, 0), Nanos::SECOND);
    let sent = burst(&mut limiter, Nanos::from_secs(120));
    assert!((895..=900).contains(&sent), "{sent} of a thousand");
}

#[test]
fn a_refused_request_and_what_was_not_sent_are_not_counted_twice() {
    let mut limiter = limiter(99);
    for _ in 0..500 {
        let reservation = limiter.try_reserve(&one(), Nanos::ZERO).unwrap();
        limiter.release(reservation, Nanos::ZERO);
    }
    let sent = burst(&mut limiter, Nanos::ZERO);
    assert!((89..=90).contains(&sent), "{sent}");
}

proptest! {
    /// However requests end (but in an outage, about whose end one may ask): of those that were sent no more than the share is in any interval. The provider speaks once:
    /// what it says later may show that the limit is a window, which lets more through where it turns.
    #[test]
    fn in_no_interval_more_than_the_share_is_sent(
        share in 10_000..WHOLE,
        limit in 10..500_u64,
        steps in vec((0..5_000_u64, 0..2_u8), 1..300),
    ) {
        let mut limiter = Limiter::new();
        limiter.set_probing(false);
        limiter.set_share(Dimension::Requests, share, Nanos::ZERO);
        let (mut now, mut sent) = (Nanos::ZERO, Vec::new());
        for (pause, end) in steps {
            now = now.saturating_add(Nanos::from_millis(pause));
            let Ok(mut reservation) = limiter.try_reserve(&one(), now) else { continue };
            if sent.is_empty() {
                limiter.observe(&mut reservation, &answer(Dimension::Requests, limit, limit - 1), now);
            }
            match end {
                0 => limiter.forfeit(reservation, now),
                _ => limiter.settle(reservation, &Amounts::of_request(0, 0), now),
            }
            sent.push(now);
        }
        // The first one found the limit: before it there was none.
        let sent = sent.get(1..).unwrap_or_default();
        let usable = Limit::per_minute(Dimension::Requests, limit).share(share);
        for (first, from) in sent.iter().enumerate() {
            for (last, to) in sent.iter().enumerate().skip(first) {
                let span = u128::from(to.saturating_sub(*from).get());
                let refilled = u128::from(usable.amount()) * span / u128::from(Nanos::MINUTE.get());
                let most = u128::from(usable.burst()) + refilled;
                prop_assert!((last - first + 1) as u128 <= most, "{} in {span} ns, at most {most}", last - first + 1);
            }
        }
    }
}
