//! Providers that never tell their rate, and what is measured between their refusals.

use alloc::format;

use super::*;
use crate::learn::ledger::Account;
use crate::{Limit, Refill};

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
            return true;
        }
        self.account.forget(&parts);
        self.pace.forget(self.number, &request());
        self.refuse(&before, at, None);
        false
    }

    /// The latest one was refused.
    fn refuse(&mut self, before: &Account, at: Nanos, again_at: Option<Nanos>) -> bool {
        let (number, amounts) = (self.number, &request());
        self.pace.refused(
            &Refused {
                number,
                at,
                again_at,
                account: before,
                amounts,
                latest: number,
                told: [None; 2],
                lacks: [true; 2],
            },
            at,
        )
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
        Some(lane.measured as f64 / 10.0)
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
fn what_is_too_little_to_tell_a_rate_is_counted_on() {
    let mut provider = Provider::of_requests(60, 2, Refill::Continuous, 2);
    let mut at = provider.send_until_refused(Nanos::ZERO, millis(100));
    // Two each time: what was there at either end is too large a part of that.
    let mut known = Vec::new();
    for _ in 0..3 {
        at = provider.send_until_refused(at.saturating_add(millis(1_900)), millis(100));
        known.push(provider.pace.is_on());
    }
    assert_eq!(known, [false, true, true]);
    let measured = provider.measured(Dimension::Requests).unwrap();
    assert!((40.0..=60.0).contains(&measured), "{measured}");
}

#[test]
fn refusals_of_one_flight_count_once() {
    let mut provider = Provider::of_requests(60, 10, Refill::Continuous, 10);
    let first = provider.send_until_refused(Nanos::ZERO, millis(10));
    let later = provider.send_until_refused(first.saturating_add(millis(9_000)), millis(10));
    let before = provider.measured(Dimension::Requests);
    assert!(before.is_some());
    // Five more were in flight when that was known; somebody was let through in between.
    provider.pace.refused_up_to = provider.number + 5;
    for _ in 0..5 {
        provider.number += 1;
        let account = provider.account;
        assert!(provider.refuse(&account, later.saturating_add(Nanos::MINUTE), None));
        assert_eq!(provider.measured(Dimension::Requests), before, "{}", provider.number);
    }
    assert_eq!(provider.pace.refused_up_to, provider.number, "none of them was news");
}

/// Those that were in flight with a refused one may be answered long after it, and say nothing of what is there now.
#[test]
fn one_refused_right_after_another_lowers_no_rate() {
    let mut provider = Provider::of_requests(60, 10, Refill::Continuous, 10);
    let first = provider.send_until_refused(Nanos::ZERO, millis(10));
    let at = provider.send_until_refused(first.saturating_add(millis(9_000)), millis(10));
    let before = provider.measured(Dimension::Requests);
    for milli in 1..6 {
        assert!(!provider.send(at.saturating_add(millis(milli))));
        assert_eq!(provider.measured(Dimension::Requests), before, "{milli}");
    }
}

/// What was let through by a server that lets everything through, in a minute from so long after a rate was known.
#[test]
fn a_rate_that_is_a_small_part_of_what_is_allowed_is_ten_times_as_high_after_three_minutes() {
    for per_minute in [3, 20, 60, 600] {
        let mut lane = Lane::new(Dimension::Requests, per_minute * 10, 1, Trust::Some, Nanos::ZERO);
        lane.correct(None, 1, true, Nanos::ZERO);
        let mut now = Nanos::ZERO;
        while now < Nanos::from_secs(180) {
            now = lane.bucket.ready_at(1, now);
            lane.grow(true, now);
            lane.take(&Taken { number: 1, at: now }, 1);
        }
        let rate = lane.bucket.limit().amount() / 10;
        assert!(rate >= 10 * per_minute, "{rate} instead of {per_minute}");
    }
}

/// Nobody went for most of a minute, in which sixty came back of which nothing could be seen.
#[test]
fn what_was_let_through_around_a_pause_is_no_rate() {
    let mut provider = Provider::of_requests(60, 10, Refill::Continuous, 10);
    let first = provider.send_until_refused(Nanos::ZERO, millis(10));
    let now = provider.send_until_refused(first.saturating_add(millis(9_000)), millis(10));
    let rate = provider.measured(Dimension::Requests).unwrap();
    let later = now.saturating_add(Nanos::MINUTE);
    provider.pace.pause(later);
    provider.send_until_refused(later, millis(10));
    let lowered = provider.measured(Dimension::Requests).unwrap();
    assert!(lowered >= rate * 0.79, "{lowered} instead of {rate}");
}

#[test]
fn a_low_rate_that_trials_confirm_is_tried_less_and_less() {
    let mut lane = Lane::new(Dimension::Requests, 30, 1, Trust::Some, Nanos::ZERO);
    let mut now = Nanos::ZERO;
    let mut plateaus = Vec::new();
    for _ in 0..6 {
        now = lane.growth.since().saturating_add(lane.growth.plateau()).saturating_add(Nanos::SECOND);
        lane.correct(Some(30), 1, true, now);
        plateaus.push(lane.growth.plateau().as_secs_f64());
    }
    assert_eq!(plateaus, [120.0, 240.0, 480.0, 600.0, 600.0, 600.0]);
    // It was not tried: it is another one now.
    lane.correct(Some(20), 1, true, now.saturating_add(Nanos::SECOND));
    assert_eq!(lane.growth.plateau(), Nanos::MINUTE);
}

/// Goes at the pace for so many seconds; returns how many were let through and how many refused.
fn paced(provider: &mut Provider, from: Nanos, seconds: u64) -> (u64, u64) {
    let (mut at, mut counts) = (from, (0, 0));
    while at < from.saturating_add(Nanos::from_secs(seconds)) {
        let was_on = provider.pace.is_on();
        if provider.send(at) {
            counts.0 += 1
        } else {
            counts.1 += 1
        }
        // What goes where nothing is known is not decided here: a little faster than it comes back.
        let faster = Nanos::new(provider.bucket.limit().window().get() / provider.bucket.limit().amount() / 10 * 6);
        let next = if was_on { provider.pace.ready_at(&request(), at) } else { at.saturating_add(faster) };
        at = next.max(at.saturating_add(millis(1)));
    }
    counts
}

#[test]
fn the_rate_of_a_server_that_saves_up_nothing_or_much_is_used_for_one_refusal_in_a_hundred() {
    for (per_minute, burst) in [(60, 1), (600, 1), (600, 10), (600, 600), (6_000, 100)] {
        let mut provider = Provider::of_requests(per_minute, burst, Refill::Continuous, burst);
        let begun = provider.send_until_refused(Nanos::ZERO, millis(1));
        paced(&mut provider, begun, 120);
        let (answered, refused) = paced(&mut provider, begun.saturating_add(Nanos::from_secs(120)), 1_200);
        let share = answered as f64 / (per_minute * 20) as f64;
        let case = format!("{per_minute} a minute, {burst} saved up: {share}, {refused} refused");
        assert!(share > 1.0 / 1.15, "{case}");
        assert!(refused <= 1 + answered / 100, "{case}");
    }
}

#[test]
fn a_provider_that_tells_its_rate_is_believed_when_it_refuses_what_should_have_been_there() {
    let mut provider = Provider::of_requests(60, 10, Refill::Continuous, 10);
    assert!(provider.send(Nanos::ZERO));
    provider.number += 1;
    let (number, amounts, account) = (provider.number, &request(), provider.account);
    let told = [Some(3_000), None];
    let refused = Refused {
        number,
        at: Nanos::SECOND,
        again_at: None,
        account: &account,
        amounts,
        latest: number,
        told,
        lacks: [true; 2],
    };
    assert!(provider.pace.refused(&refused, Nanos::SECOND));
    assert_eq!((provider.measured(Dimension::Requests), provider.measured(Dimension::Tokens)), (Some(300.0), None));
    // Evenly: five a second.
    let ready_at = provider.pace.ready_at(&request(), Nanos::SECOND);
    assert_eq!(ready_at, millis(1_200));
}

#[test]
fn between_two_instants_that_the_provider_names_one_request_is_enough() {
    let mut provider = Provider::of_requests(3, 3, Refill::Continuous, 3);
    for milli in [0, 100, 200] {
        assert!(provider.send(millis(milli)));
    }
    let refuse = |provider: &mut Provider, at: u64, again_at: u64| {
        provider.number += 1;
        let account = provider.account;
        provider.refuse(&account, millis(at), Some(millis(again_at)))
    };
    assert!(!refuse(&mut provider, 300, 20_000));
    assert!(provider.send(millis(20_000)));
    assert!(refuse(&mut provider, 20_100, 40_000));
    assert_eq!(provider.measured(Dimension::Requests), Some(3.0));
}

#[test]
fn what_was_not_short_when_a_request_was_refused_is_not_corrected() {
    let mut pace = Pace::new();
    pace.lanes = [(Dimension::Requests, 600), (Dimension::Tokens, 600_000_000)]
        .map(|(dimension, rate)| Lane::new(dimension, rate, 1, Trust::Some, Nanos::ZERO))
        .into();
    let mut account = Account::NONE;
    let amounts = request();
    let refuse = |pace: &mut Pace, account: &Account, number, at| {
        let refused = Refused {
            number,
            at,
            again_at: None,
            account,
            amounts: &amounts,
            latest: number,
            told: [None; 2],
            lacks: [true; 2],
        };
        pace.refused(&refused, at)
    };
    refuse(&mut pace, &account, 1, Nanos::ZERO);
    // Nine seconds of two small ones each: tokens are there, requests are not.
    for number in 2..20 {
        account.admit(&Parts::of(&request(), Dimension::Tokens));
        pace.take(&Taken { number, at: millis((number - 1) * 500) }, &request());
    }
    let now = millis(9_000);
    refuse(&mut pace, &account, 20, now);
    let measured = pace.lanes.iter().map(|lane| lane.measured).collect::<Vec<_>>();
    assert_eq!(measured, [600, 600_000_000]);
    assert!(pace.lanes[0].growth.since() == now && pace.lanes[1].growth.since() < now);
}

#[test]
fn all_does_not_go_at_once_after_a_pause_and_nothing_is_learned_from_it() {
    let mut provider = Provider::of_requests(600, 10, Refill::Continuous, 10);
    let first = provider.send_until_refused(Nanos::ZERO, millis(1));
    let now = provider.send_until_refused(first.saturating_add(millis(900)), millis(10));
    let rate = provider.measured(Dimension::Requests).unwrap();
    let later = now.saturating_add(Nanos::HOUR);
    provider.pace.pause(later);
    provider.send(later);
    assert!(provider.pace.ready_at(&request(), later) > later);
    let grown = provider.pace.lanes[0].bucket.limit().amount() as f64 / 10.0;
    assert!((grown - rate).abs() < 1.0, "{grown} instead of {rate}");
}

#[test]
fn one_goes_when_the_provider_says_that_one_may_and_the_next_by_the_rate() {
    let mut provider = Provider::of_requests(10, 10, Refill::Continuous, 10);
    let first = provider.send_until_refused(Nanos::ZERO, millis(10));
    let now = provider.send_until_refused(first.saturating_add(Nanos::MINUTE), millis(10));
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
    let first = provider.send_until_refused(Nanos::ZERO, millis(10));
    let now = provider.send_until_refused(first.saturating_add(Nanos::MINUTE), millis(10));
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
            if round % 4 == 0 {
                pace.forget(number, &amounts);
                account.forget(&Parts::of(&amounts, Dimension::Tokens));
            }
            pace.refused_up_to = pace.refused_up_to.min(pick(2));
            let again_at = (round % 5 > 2).then(|| Nanos::new(pick(2)));
            let told = [Some(pick(1)), Some(pick(4))].map(|rate| rate.filter(|_| round % 7 > 3));
            let account = &account;
            pace.refused(
                &Refused { number, at, again_at, account, amounts: &amounts, latest: pick(3), told, lacks: [true; 2] },
                now,
            );
            if round % 11 == 0 {
                pace.pause(Nanos::new(pick(5)));
            }
            assert!(pace.ready_at(&amounts, now) >= now);
            assert!(pace.lanes.iter().all(|lane| lane.measured > 0));
        }
    }
}
