//! One bucket on any input at all: it does not panic, and its level and its answers stay within their bounds.

use limiter_core::{Bucket, Limit, Nanos, Refill, Taken};
use proptest::prelude::*;

use crate::inputs::{LATEST, any_limit, any_nanos, any_units};
use crate::oracle::{History, instant};
use crate::sequences;

#[derive(Clone, Copy, Debug)]
enum Op {
    Take(u64),
    /// Settles one of the takings of either bucket.
    Settle(usize, u64, u64),
    SetLevel(u64, Nanos, u64),
    SetLimit(Limit),
    Holding(Limit, u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => any_units().prop_map(Op::Take),
        4 => (0_usize..12, any_units(), any_units()).prop_map(|(which, reserved, actual)| Op::Settle(which, reserved, actual)),
        2 => (any_units(), any_nanos(), any_units()).prop_map(|(level, at, since)| Op::SetLevel(level, at, since)),
        1 => any_limit().prop_map(Op::SetLimit),
        1 => (any_limit(), any_units()).prop_map(|(limit, level)| Op::Holding(limit, level)),
    ]
}

/// The lowest level there can be.
fn deepest(limit: &Limit) -> i128 {
    let mut history = History::new(*limit);
    history.take(u64::MAX, 0);
    history.level(0).into()
}

/// The level is within its bounds now and later, and the answers are near.
fn check(bucket: &Bucket, latest: Nanos, amount: u64) -> Result<(), TestCaseError> {
    let limit = bucket.limit();
    let deepest = deepest(limit);
    for now in [Nanos::ZERO, latest, latest.saturating_add(limit.window()), Nanos::MAX] {
        let level = bucket.level(now);
        prop_assert!(i128::from(level) >= deepest && level <= limit.burst().cast_signed(), "{level} at {now:?}");
        for ready in [bucket.ready_at(amount, now), bucket.full_at(now)] {
            let wait = instant(ready) - instant(now.max(latest));
            let is_held = limit.refill() == Refill::OnRelease && ready == Nanos::MAX;
            prop_assert!(ready >= now && (is_held || wait <= History::longest_wait(limit)), "{wait} ns from {now:?}");
            // All time there is may be too short.
            if ready < Nanos::MAX {
                let enough = amount.min(limit.burst()).cast_signed();
                prop_assert!(bucket.level(bucket.ready_at(amount, now).max(latest)) >= enough);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(sequences(400))]

    #[test]
    fn property_2_nothing_makes_a_bucket_panic_or_leave_its_bounds(
        limits in [any_limit(), any_limit()],
        ops in proptest::collection::vec((any::<bool>(), op(), any_nanos(), any_units()), 1..48),
    ) {
        let mut buckets = limits.map(|limit| Bucket::full(limit, Nanos::ZERO));
        let mut latest = [Nanos::ZERO; 2];
        let mut takings: Vec<Taken> = Vec::new();
        for (second, op, now, amount) in ops {
            let (bucket, latest) = (&mut buckets[usize::from(second)], &mut latest[usize::from(second)]);
            *latest = now.max(*latest);
            match op {
                Op::Take(amount) => takings.push(bucket.take(amount, now)),
                Op::Settle(which, reserved, actual) => {
                    if which < takings.len() {
                        bucket.settle(takings.swap_remove(which), reserved, actual, now);
                    }
                }
                Op::SetLevel(level, at, since) => bucket.set_level(level, at, since, now),
                Op::SetLimit(limit) => bucket.set_limit(limit, now),
                Op::Holding(limit, level) => {
                    *bucket = Bucket::holding(limit, level, now);
                    *latest = now;
                    if now <= LATEST {
                        prop_assert_eq!(bucket.level(now), level.min(limit.burst()).cast_signed());
                    }
                }
            }
            check(bucket, *latest, amount)?;
        }
    }

    #[test]
    fn property_7_the_providers_word_is_the_level_less_what_was_taken_since_plus_what_came_back(
        limit in any_limit(),
        before in proptest::collection::vec((any_units(), any_nanos()), 0..8),
        (word, taken_since) in (any_units(), any_units()),
        (spoken, heard) in (0..=Limit::MAX_WINDOW.get(), 0..=Limit::MAX_WINDOW.get()),
    ) {
        let mut bucket = Bucket::full(limit, Nanos::ZERO);
        let mut clock = Nanos::ZERO;
        for (amount, now) in before {
            clock = clock.max(now.min(LATEST));
            bucket.take(amount, clock);
        }
        let at = clock.saturating_add(Nanos::new(spoken));
        let now = at.saturating_add(Nanos::new(heard));
        bucket.set_level(word, at, taken_since, now);
        let window = i128::from(limit.window().get());
        let burst = i128::from(limit.burst());
        let left = i128::from(word.min(limit.burst())) - i128::from(taken_since);
        let comes_back = |span: u64| i128::from(limit.amount()) * i128::from(span);
        let expected = match limit.refill() {
            Refill::Continuous => {
                // A debt deeper than there can be is forgiven.
                let full_in_time = burst * window - comes_back(Limit::MAX_WINDOW.get());
                let spoken = (left * window).max(full_in_time.min((1 - burst) * window));
                (spoken + comes_back(heard)).div_euclid(window).min(burst)
            }
            Refill::AtBoundary { phase } => {
                let turn = |at: Nanos| (i128::from(at.get()) - i128::from(phase.get())).div_euclid(window);
                // What was taken since may have been taken after the turn.
                if turn(at) == turn(now) { left } else { burst - i128::from(taken_since) }
            }
            Refill::Sliding if heard >= limit.window().get() => burst - i128::from(taken_since),
            _ => left,
        };
        let level = i128::from(bucket.level(now));
        // What a sliding window counted before the word keeps its time, and may be gone by now.
        let gone = if limit.refill() == Refill::Sliding && heard > 0 { burst } else { 0 };
        let expected = expected.max(i64::MIN.into());
        prop_assert!((expected..=(expected + gone).min(burst)).contains(&level), "{level}, not {expected}");
    }
}
