//! Several buckets at once: all or nothing, the earliest instant for all of them, and who is never let through.

use limiter_core::{Amounts, Bucket, Cost, Dimension, Limit, Nanos, NeverFits, Quota, Refusal, Taken};
use proptest::prelude::*;

use crate::inputs::{Amount, LATEST, any_amount, any_limit, borrowing, in_dimension, step, within};
use crate::oracle::{History, Instant, instant};
use crate::sequences;

/// What a request takes, measured by one of the buckets.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// Which bucket measures.
    by: usize,
    certain: [Amount; 3],
    expected: [Amount; 3],
}

/// The dimensions that are limited, some of them several times.
const DIMENSIONS: [Dimension; 3] = [Dimension::Requests, Dimension::Tokens, Dimension::OutputTokens];

impl Wanted {
    fn cost(&self, limits: &[Limit]) -> Cost {
        let amounts = |amounts: [Amount; 3]| {
            DIMENSIONS.into_iter().zip(amounts).fold(Amounts::ZERO, |sum, (dimension, amount)| {
                let limits: Vec<&Limit> = limits.iter().filter(|limit| limit.dimension() == dimension).collect();
                let burst = limits.get(self.by % limits.len().max(1)).map_or(7, |limit| limit.burst());
                sum.with(dimension, amount.of(burst))
            })
        };
        Cost::estimate(amounts(self.certain), amounts(self.expected))
    }
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let certain = || prop_oneof![12 => within(), 1 => any_amount()];
    let expected = || prop_oneof![4 => within(), 2 => borrowing(), 1 => any_amount()];
    let three = |one: BoxedStrategy<Amount>| [one.clone(), one.clone(), one];
    (any::<usize>(), three(certain().boxed()), three(expected().boxed())).prop_map(|(by, certain, expected)| Wanted {
        by,
        certain,
        expected,
    })
}

fn limits() -> impl Strategy<Value = Vec<Limit>> {
    let limit = (any_limit(), 0..DIMENSIONS.len()).prop_map(|(limit, which)| in_dimension(limit, DIMENSIONS[which]));
    proptest::collection::vec(limit, 1..6)
}

fn quota(limits: &[Limit], now: Nanos) -> Quota<Vec<Bucket>> {
    Quota::new(limits.iter().map(|limit| Bucket::full(*limit, now)).collect())
}

/// Whether every limit has its part of `cost` at `at`.
fn all_fit(histories: &[History], cost: &Cost, at: Instant) -> bool {
    histories.iter().all(|history| {
        let amount = cost.expected().of(history.limit().dimension());
        amount == 0 || history.fits(amount, at)
    })
}

fn never(limits: &[Limit], cost: &Cost) -> Option<NeverFits> {
    let too_large = limits.iter().find(|limit| cost.certain().of(limit.dimension()) > limit.burst())?;
    let dimension = too_large.dimension();
    Some(NeverFits { dimension, needed: cost.certain().of(dimension), capacity: too_large.burst() })
}

proptest! {
    #![proptest_config(sequences(300))]

    #[test]
    fn property_1_3_and_4_a_quota_takes_all_or_nothing_at_the_earliest_instant_and_refuses_only_what_is_certain(
        limits in limits(),
        start in 0..LATEST.get(),
        ops in proptest::collection::vec((step(), wanted()), 1..32),
    ) {
        let (mut clock, mut ready) = (Nanos::new(start), Nanos::ZERO);
        let mut quota = quota(&limits, clock);
        let mut histories: Vec<History> = limits.iter().map(|limit| History::new(*limit)).collect();
        for (step, wanted) in ops {
            clock = step.from(clock, limits[0].window(), ready).clamp(clock, LATEST);
            let cost = wanted.cost(&limits);
            let asked = quota.ready_at(&cost, clock);
            match quota.try_take(&cost, clock) {
                Ok(_) => {
                    prop_assert_eq!(asked, Ok(clock));
                    prop_assert_eq!(never(&limits, &cost), None);
                    prop_assert!(all_fit(&histories, &cost, instant(clock)));
                    for history in &mut histories {
                        history.take(cost.expected().of(history.limit().dimension()), instant(clock));
                    }
                }
                Err(Refusal::NotYet { ready_at }) => {
                    prop_assert_eq!(asked, Ok(ready_at));
                    prop_assert_eq!(never(&limits, &cost), None);
                    prop_assert!(ready_at > clock);
                    prop_assert!(!all_fit(&histories, &cost, instant(clock)));
                    if ready_at < Nanos::MAX {
                        let longest = limits.iter().map(History::longest_wait).max();
                        prop_assert!(Some(instant(ready_at) - instant(clock)) <= longest);
                        prop_assert!(all_fit(&histories, &cost, instant(ready_at)));
                        prop_assert!(!all_fit(&histories, &cost, instant(ready_at) - 1));
                        ready = ready_at;
                    }
                }
                Err(Refusal::NeverFits(why)) => {
                    prop_assert_eq!(asked, Err(why));
                    prop_assert_eq!(never(&limits, &cost), Some(why));
                }
            }
            // Charged in every dimension or in none: the levels are those of the histories.
            for (bucket, history) in quota.buckets().iter().zip(&histories) {
                for at in [clock, clock.saturating_add(Nanos::SECOND), clock.saturating_add(limits[0].window())] {
                    prop_assert_eq!(bucket.level(at), history.level(instant(at)));
                }
            }
        }
    }

    #[test]
    fn property_4_an_estimate_alone_is_let_through_by_a_full_quota(
        limits in limits(),
        certain in any::<[u64; 3]>(),
        expected in any::<[u64; 3]>(),
    ) {
        let least = |dimension| {
            let same = limits.iter().filter(|limit| limit.dimension() == dimension);
            same.map(Limit::burst).min().unwrap_or(u64::MAX)
        };
        let mut amounts = [Amounts::ZERO; 2];
        for (index, dimension) in DIMENSIONS.into_iter().enumerate() {
            amounts[0] = amounts[0].with(dimension, certain[index].min(least(dimension)));
            amounts[1] = amounts[1].with(dimension, expected[index]);
        }
        prop_assert!(quota(&limits, Nanos::ZERO).try_take(&Cost::estimate(amounts[0], amounts[1]), Nanos::ZERO).is_ok());
    }

    #[test]
    fn property_1_the_buckets_of_a_quota_settle_as_each_would_alone(
        limits in limits(),
        ops in proptest::collection::vec((step(), wanted(), proptest::option::of((0_usize..4, any_amount()))), 1..32),
    ) {
        let mut clock = Nanos::ZERO;
        let mut quota = quota(&limits, clock);
        let mut alone = quota.buckets().to_vec();
        let mut live: Vec<(Taken, Vec<Taken>, Cost)> = Vec::new();
        for (step, wanted, settled) in ops {
            clock = step.from(clock, limits[0].window(), clock).clamp(clock, LATEST);
            match settled {
                Some((which, amount)) if which < live.len() => {
                    let (taken, takens, cost) = live.swap_remove(which);
                    let actual = DIMENSIONS.into_iter().fold(Amounts::ZERO, |sum, dimension| {
                        sum.with(dimension, amount.of(cost.expected().of(dimension)))
                    });
                    quota.settle(taken, &cost, &actual, clock);
                    for (bucket, taken) in alone.iter_mut().zip(takens) {
                        let dimension = bucket.limit().dimension();
                        bucket.settle(taken, cost.expected().of(dimension), actual.of(dimension), clock);
                    }
                }
                _ => {
                    let cost = wanted.cost(&limits);
                    if let Ok(taken) = quota.try_take(&cost, clock) {
                        let takens = alone.iter_mut().map(|bucket| {
                            bucket.take(cost.expected().of(bucket.limit().dimension()), clock)
                        });
                        live.push((taken, takens.collect(), cost));
                    }
                }
            }
            for (bucket, alone) in quota.buckets().iter().zip(&alone) {
                prop_assert_eq!(bucket.level(clock), alone.level(clock));
            }
        }
    }
}
