//! Truth from the server: what an answer says remains is the level, less what the provider may not have counted yet.

use limiter_core::{Amounts, Cost, Dimension, Limit, Limiter, Nanos, Observation, Reading, Refusal, Reservation};
use proptest::prelude::*;

use crate::oracle::{History, instant};
use crate::sequences;

type Checked<T = ()> = Result<T, TestCaseError>;

pub(crate) const TOKENS: Dimension = Dimension::Tokens;

/// An answer that tells of the token limit.
pub(crate) fn says(limit: &Limit, remaining: u64) -> Observation {
    let mut observation = Observation::new();
    observation.push(Reading {
        limit: Some(limit.amount()),
        remaining: Some(remaining),
        window: Some(limit.window()),
        ..Reading::of(TOKENS)
    });
    observation
}

fn level(limiter: &Limiter, now: Nanos) -> Option<i64> {
    let state = limiter.state(now);
    state.limits.iter().find(|shown| shown.limit.dimension() == TOKENS).map(|shown| shown.level)
}

/// What `limit` has left when it had `remaining` (at most what it holds) at `at`, and nothing was taken since.
fn refilled(limit: &Limit, remaining: u64, at: Nanos, now: Nanos) -> i64 {
    let mut history = History::new(*limit);
    history.take(limit.burst() - remaining.min(limit.burst()), instant(at));
    history.level(instant(now))
}

/// Reserves as soon as it fits. Returns when.
fn reserve(limiter: &mut Limiter, cost: &Cost, mut now: Nanos) -> Checked<(Reservation, Nanos)> {
    loop {
        match limiter.try_reserve(cost, now) {
            Ok(reservation) => return Ok((reservation, now)),
            Err(Refusal::NotYet { ready_at }) => {
                prop_assert!(ready_at > now && ready_at.saturating_sub(now) <= Limit::MAX_WINDOW, "{ready_at:?}");
                now = ready_at;
            }
            Err(never) => prop_assert!(false, "{:?}", never),
        }
    }
}

pub(crate) fn window() -> impl Strategy<Value = Nanos> {
    const WINDOWS: [Nanos; 4] = [Nanos::SECOND, Nanos::MINUTE, Nanos::HOUR, Nanos::DAY];
    proptest::sample::select(WINDOWS.as_slice())
}

/// A request and its answer, of an earlier time: its tokens, what was said to remain, and how it ended.
#[derive(Clone, Copy, Debug)]
struct Before {
    later: u64,
    tokens: u64,
    remaining: Option<u64>,
    actual: u64,
}

fn before() -> impl Strategy<Value = Before> {
    let later = prop_oneof![0..2_000_000_000_u64, 0..200_000_000_000_u64];
    (later, 0_u64..=1_000, proptest::option::of(0_u64..2_000), 0_u64..2_000)
        .prop_map(|(later, tokens, remaining, actual)| Before { later, tokens, remaining, actual })
}

/// How long after another a request may be counted that was sent before it: a second, or a tenth of a shorter window.
pub(crate) fn uncertain(window: Nanos) -> Nanos {
    Nanos::SECOND.min(Nanos::new(window.get() / 10))
}

/// What is left may be all that is let out in a second: as long as no word tells, a second's part is thought to come back in
/// each, and goes evenly. What that is, if it may be.
fn part_of_a_second(limit: &Limit, remaining: u64) -> Option<i64> {
    let window = u128::from(limit.window().get());
    let part = u128::from(limit.amount()) * u128::from(Nanos::SECOND.get()) / window;
    let may_be = limit.window() > Nanos::SECOND && u128::from(remaining) <= part + part / 8;
    may_be.then(|| i64::try_from(part).unwrap_or(i64::MAX))
}

proptest! {
    #![proptest_config(sequences(300))]

    #[test]
    fn property_7_the_word_to_the_only_request_in_flight_is_the_level_whatever_was_counted_before(
        (window, amounts) in (window(), [1_000_u64..100_000, 1_000_u64..100_000]),
        histories in proptest::collection::vec(proptest::collection::vec(before(), 1..5), 0..6),
        (tokens, remaining, actual) in (0_u64..=1_000, 0_u64..120_000, 0_u64..5_000),
        (pause, travel) in (0_u64..100_000_000_000, prop_oneof![0_u64..1_500_000_000, 0_u64..90_000_000_000]),
    ) {
        let [before, after] = amounts.map(|amount| Limit::new(TOKENS, amount, window));
        let mut limiter = Limiter::new();
        limiter.set_probing(false);
        let mut now = Nanos::ZERO;
        for flight in histories {
            let mut live = Vec::new();
            for one in flight {
                let (reservation, at) = reserve(
                    &mut limiter,
                    &Cost::of_request(one.tokens, 0),
                    now.saturating_add(Nanos::new(one.later)),
                )?;
                now = at;
                live.push((one, reservation));
            }
            for (one, mut reservation) in live {
                now = now.saturating_add(Nanos::new(one.later));
                if let Some(remaining) = one.remaining {
                    limiter.observe(&mut reservation, &says(&before, remaining), now);
                }
                limiter.settle(reservation, &Amounts::of_request(one.actual, 0), now);
            }
        }
        // Of words less than a second apart the lower one is believed: this one comes later.
        let then = now.saturating_add(Nanos::SECOND).saturating_add(Nanos::new(pause));
        let (mut reservation, sent) = reserve(&mut limiter, &Cost::of_request(tokens, 0), then)?;
        let now = sent.saturating_add(Nanos::new(travel));
        limiter.observe(&mut reservation, &says(&after, remaining), now);
        // It was counted some time until a second after it was sent.
        let counted = sent.saturating_add(uncertain(window)).min(now);
        let said = refilled(&after, remaining, counted, now);
        let part = part_of_a_second(&after, remaining);
        let is_said = |level: Option<i64>| {
            let least = part.map_or(said, |_| remaining.cast_signed().min(said));
            level.is_some_and(|level| (least..=part.unwrap_or(said).max(said)).contains(&level))
        };
        prop_assert!(is_said(level(&limiter, now)), "{:?} of {said}", level(&limiter, now));
        // Settling changes nothing that the provider has said.
        limiter.settle(reservation, &Amounts::of_request(actual, 0), now);
        prop_assert!(is_said(level(&limiter, now)), "{:?} of {said}", level(&limiter, now));
    }

    #[test]
    fn property_7_what_is_in_flight_and_was_sent_later_or_hardly_earlier_is_taken_off_the_word(
        (window, amount) in (window(), 1_000_000_u64..1_000_000_000),
        sent in proptest::collection::vec((prop_oneof![0_u64..300_000_000, 0_u64..3_000_000_000], 0_u64..10_000), 1..24),
        (which, remaining, travel) in (any::<prop::sample::Index>(), any::<u32>(), 0_u64..4_000_000_000),
        ended in proptest::collection::vec(any::<bool>(), 24),
    ) {
        let limit = Limit::new(TOKENS, amount, window);
        let mut limiter = Limiter::new();
        limiter.set_probing(false);
        let mut now = Nanos::SECOND;
        let mut live = Vec::new();
        for (later, tokens) in sent {
            now = now.saturating_add(Nanos::new(later));
            live.push((limiter.try_reserve(&Cost::of_request(tokens, 0), now).unwrap(), now, tokens));
        }
        now = now.saturating_add(Nanos::new(travel));
        let (mut reservation, sent, _) = live.swap_remove(which.index(live.len()));
        for ended in ended {
            if ended && !live.is_empty() {
                let (reservation, ..) = live.swap_remove(0);
                limiter.release(reservation, now);
            }
        }
        limiter.observe(&mut reservation, &says(&limit, remaining.into()), now);
        let word = refilled(&limit, remaining.into(), sent.saturating_add(uncertain(window)).min(now), now);
        // Those sent up to a second earlier count as later; they are summed up in slots of a tenth.
        let since = |more: Nanos| -> i64 {
            let earlier = uncertain(window).saturating_add(more);
            let later = live.iter().filter(|(_, at, _)| at.saturating_add(earlier) >= sent);
            later.map(|(.., tokens)| tokens.cast_signed()).sum()
        };
        let level = level(&limiter, now).unwrap();
        prop_assume!(part_of_a_second(&limit, remaining.into()).is_none());
        prop_assert!((word - since(Nanos::from_millis(100))..=word - since(Nanos::ZERO)).contains(&level), "{level}: {word} were left");
        // When the others end as they were reserved, they stay taken off, and only they.
        for (reservation, ..) in live {
            limiter.forfeit(reservation, now);
        }
        limiter.forfeit(reservation, now);
        prop_assert_eq!(self::level(&limiter, now), Some(level));
    }
}
