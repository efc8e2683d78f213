//! Providers that never tell their rate, and what is measured between their refusals.

use alloc::format;

use super::*;
use crate::Refill;

/// A provider with one limit, and all that was sent to it: a request of ten tokens each time.
struct Provider {
    bucket: Bucket,
    pace: Pace,
    account: Account,
    number: u64,
}

const TOKENS: u64 = 10;

fn millis(count: u64) -> Nanos {
    Nanos::from_millis(count)
}

fn request() -> Amounts {
    Amounts::of_request(TOKENS, 0)
}

impl Provider {
    /// The limit, of which `left` is left at the beginning.
    fn new(limit: Limit, left: u64) -> Self {
        let bucket = Bucket::holding(limit, left, Nanos::ZERO);
        Self { bucket, pace: Pace::new(), account: Account::NONE, number: 0 }
    }

    /// A token bucket or a window of so many requests a minute.
    fn of_requests(per_minute: u64, burst: u64, refill: Refill, left: u64) -> Self {
        Self::new(Limit::per_minute(Dimension::Requests, per_minute).with_burst(burst).with_refill(refill), left)
    }

    /// A request goes at `at`. Whether it was let through.
    fn send(&mut self, at: Nanos) -> bool {
        self.number += 1;
        let before = self.account;
        let parts = Parts::of(&request(), Dimension::Tokens);
        self.account.admit(&parts);
        self.pace.take(&Taken { number: self.number, at }, &request());
        if self.bucket.level(at) >= 1 {
            let _ = self.bucket.take(1, at);
            self.pace.answered();
            return true;
        }
        self.account.forget(&parts);
        self.pace.forget(self.number, &request());
        self.pace.refused(self.number, at, &before, self.number, at);
        false
    }

    /// Requests go from `from` on, one each `step`, until one is refused. Returns when that was.
    fn send_until_refused(&mut self, from: Nanos, step: Nanos) -> Nanos {
        let mut at = from;
        while self.send(at) {
            at = at.saturating_add(step);
        }
        at
    }

    /// What was measured, in a minute.
    fn measured(&self, dimension: Dimension) -> Option<f64> {
        let lane = self.pace.lanes.iter().find(|lane| lane.bucket.limit().dimension() == dimension)?;
        Some(lane.exact as f64 / 10.0)
    }
}

/// The first refusal is met in a burst, then nothing goes for a while, and then the second one is met: what was let
/// through in between is what came back, but for less than one request at each end.
#[test]
fn the_rate_is_measured_exactly_between_two_refusals() {
    let boundary = Refill::AtBoundary { phase: millis(60_000) };
    let cases = [
        // A second's requests can be saved up, a minute's, and one.
        (600, 10, Refill::Continuous, 0),
        (600, 600, Refill::Continuous, 30_000),
        (60, 60, Refill::Continuous, 45_000),
        (60, 1, Refill::Continuous, 0),
        // Windows: from one in which all was used to another.
        (600, 600, boundary, 30_000),
        (60, 60, boundary, 50_000),
        (30, 30, Refill::Sliding, 55_000),
    ];
    for (per_minute, burst, refill, rest) in cases {
        let mut provider = Provider::of_requests(per_minute, burst, refill, burst);
        let step = millis(40_000 / per_minute);
        let first = provider.send_until_refused(Nanos::ZERO, step);
        // Where less is saved up than comes back meanwhile, it goes a little slower than it comes back.
        let second = if rest == 0 {
            let slower = millis(62_000 / per_minute);
            let last = (1..=30 * per_minute / 60)
                .map(|number| first.saturating_add(Nanos::new(slower.get() * number)))
                .inspect(|at| assert!(provider.send(*at)))
                .last();
            provider.send_until_refused(last.unwrap().saturating_add(step), step)
        } else if refill == Refill::Continuous {
            provider.send_until_refused(first.saturating_add(millis(rest)), step)
        } else {
            // As far into the next window as the first refusal was into this one.
            provider.send_until_refused(millis(60_001), step)
        };
        let span = second.saturating_sub(first).as_secs_f64();
        let measured = provider.measured(Dimension::Requests).unwrap();
        // One request at each end: what was left of one, and what ran over.
        let error = 2.0 * 60.0 / span;
        let case = format!("{per_minute} a minute, {burst} saved up, {refill:?}: {measured} in {span} s");
        assert!((measured - per_minute as f64).abs() <= error, "{case}");
        let tokens = provider.measured(Dimension::Tokens).unwrap();
        assert!((tokens / TOKENS as f64 - measured).abs() <= 1.0, "{case}, {tokens} tokens");
    }
}

#[test]
fn a_provider_that_is_empty_at_the_start_begins_the_counting_and_teaches_no_rate() {
    let mut provider = Provider::of_requests(60, 60, Refill::Continuous, 0);
    for milli in [0, 100, 200, 300] {
        assert!(!provider.send(millis(milli)));
    }
    assert!(!provider.pace.is_on());
    // Thirty seconds later thirty are there, and they say it.
    provider.send_until_refused(millis(30_000), millis(100));
    let measured = provider.measured(Dimension::Requests).unwrap();
    assert!((58.0..=62.0).contains(&measured), "{measured}");
}

#[test]
fn few_requests_before_the_first_refusal_teach_no_rate_and_three_do() {
    for (left, is_on) in [(0, false), (1, false), (2, false), (3, true), (9, true)] {
        let mut provider = Provider::of_requests(1, 10, Refill::Continuous, left);
        provider.send_until_refused(Nanos::ZERO, millis(250));
        assert_eq!(provider.pace.is_on(), is_on, "{left}");
    }
}

#[test]
fn refusals_of_one_flight_count_once() {
    let mut provider = Provider::of_requests(60, 10, Refill::Continuous, 10);
    let first = provider.send_until_refused(Nanos::ZERO, millis(10));
    let before = provider.measured(Dimension::Requests);
    // Five more were in flight when that was known; somebody was let through in between.
    let latest = provider.number + 5;
    provider.pace.refused_up_to = latest;
    provider.pace.answered();
    for number in provider.number + 1..=latest {
        let later = first.saturating_add(Nanos::MINUTE);
        assert!(provider.pace.refused(number, later, &provider.account, latest, later));
        assert_eq!(provider.measured(Dimension::Requests), before, "{number}");
    }
    assert!(provider.pace.recovered, "none of them was news");
}

#[test]
fn what_was_not_short_when_a_request_was_refused_is_not_corrected() {
    let mut pace = Pace::new();
    let mut account = Account::NONE;
    let large = Amounts::of_request(1_000_000, 0);
    let mut admit = |pace: &mut Pace, amounts: &Amounts, number: u64, at: Nanos| {
        account.admit(&Parts::of(amounts, Dimension::Tokens));
        pace.take(&Taken { number, at }, amounts);
        pace.answered();
        account
    };
    let account_then = (1..=60).map(|number| admit(&mut pace, &large, number, Nanos::ZERO)).last().unwrap();
    assert!(pace.refused(61, millis(0), &account_then, 61, millis(0)));
    let measured = |pace: &Pace| [0, 1].map(|lane: usize| pace.lanes[lane].measured);
    // Sixty in the minute that was saved up, of a million each.
    assert_eq!(measured(&pace), [600, 600_000_000]);
    // Nine seconds of two small ones each: tokens are there, requests are not.
    let now = millis(9_000);
    let small = (62..=79).map(|number| admit(&mut pace, &request(), number, millis((number - 61) * 500)));
    let account_then = small.last().unwrap();
    assert!(pace.refused(80, now, &account_then, 80, now));
    assert_eq!(measured(&pace), [1_200, 600_000_000]);
}

#[test]
fn one_goes_when_the_provider_says_that_one_may_and_the_next_by_the_rate() {
    let mut provider = Provider::of_requests(10, 10, Refill::Continuous, 10);
    let now = provider.send_until_refused(Nanos::ZERO, millis(10));
    let ready_in = |provider: &Provider| provider.pace.ready_at(&request(), now).saturating_sub(now);
    let by_rate = ready_in(&provider);
    assert!(by_rate >= millis(5_000), "{by_rate:?}");
    provider.pace.hint(now.saturating_add(millis(300)));
    assert_eq!(ready_in(&provider), millis(300));
    provider.pace.take(&Taken { number: 99, at: now }, &request());
    assert!(ready_in(&provider) > by_rate);
    // Where it is said that it takes longer than the rate does, it is the pause that lasts, not the rate.
    provider.pace.hint(Nanos::MAX);
    assert!(ready_in(&provider) > by_rate);
}

#[test]
fn a_provider_that_tells_its_limits_ends_the_measuring() {
    let mut provider = Provider::of_requests(60, 10, Refill::Continuous, 10);
    let now = provider.send_until_refused(Nanos::ZERO, millis(10));
    assert!(provider.pace.is_on());
    provider.pace.turn_off();
    assert_eq!((provider.pace.is_on(), provider.pace.ready_at(&request(), now)), (false, now));
}

/// Whatever is admitted, refused and forgotten, in whatever order and at whatever instants, nothing overflows.
#[test]
fn absurd_amounts_numbers_and_times_do_no_harm() {
    let ends = [0, 1, 599, u64::MAX / 2, u64::MAX];
    for start in 0..ends.len() {
        let mut pace = Pace::new();
        let mut account = Account::NONE;
        for round in 0..200_usize {
            let pick = |step: usize| ends[(start + round * step + round / ends.len()) % ends.len()];
            let amounts = Amounts::of_request(pick(1), pick(2));
            let (number, at, now) = (pick(3), Nanos::new(pick(4)), Nanos::new(pick(1)));
            account.admit(&Parts::of(&amounts, Dimension::Tokens));
            pace.take(&Taken { number, at }, &amounts);
            if round % 3 > 0 {
                pace.answered();
            }
            if round % 4 == 0 {
                pace.forget(number, &amounts);
                account.forget(&Parts::of(&amounts, Dimension::Tokens));
            }
            pace.refused_up_to = pace.refused_up_to.min(pick(2));
            pace.refused(number, at, &account, pick(3), now);
            assert!(pace.ready_at(&amounts, now) >= now);
            assert!(pace.lanes.iter().all(|lane| lane.measured > 0));
        }
    }
}
