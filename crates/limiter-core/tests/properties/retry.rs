//! Delays, and how many retries there may be.

use limiter_core::{Backoff, Nanos, Outage, RetryBudget};
use proptest::prelude::*;

use crate::inputs::any_nanos;
use crate::sequences;

proptest! {
    #![proptest_config(sequences(1_000))]

    #[test]
    fn delays_are_within_their_bound_and_the_bound_doubles_up_to_the_ceiling(
        base in any_nanos(),
        ceiling in any_nanos(),
        attempt in prop_oneof![0_u32..70, any::<u32>()],
        random in prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)],
    ) {
        let backoff = Backoff { base, ceiling };
        let bound = backoff.bound(attempt);
        // Beyond 2^64 nothing but zero is below the ceiling.
        let doubled = u128::from(base.get()) << attempt.min(64);
        prop_assert_eq!(u128::from(bound.get()), doubled.min(ceiling.get().into()));
        let delay = backoff.delay(attempt, random);
        prop_assert!(delay <= bound);
        // The random bits are a fraction of the span from zero to the bound, both included.
        let fraction = (u128::from(bound.get()) + 1) * u128::from(random);
        prop_assert_eq!(u128::from(delay.get()), fraction / (1 << 64));
        let half = backoff.half_jittered(attempt, random);
        prop_assert!(half <= bound && half >= Nanos::new(bound.get() / 2));
    }

    #[test]
    fn a_budget_never_lets_more_retries_through_than_its_reserve_and_its_share_of_the_first_tries(
        per_thousand in prop_oneof![0_u32..2_000, any::<u32>()],
        reserve in prop_oneof![0_u32..10, any::<u32>()],
        tries in proptest::collection::vec(prop::bool::weighted(0.6), 0..400),
    ) {
        let mut budget = RetryBudget::new(per_thousand, reserve);
        let (mut retries, mut firsts) = (0_u128, 0_u128);
        for is_first in tries {
            if is_first {
                budget.first_try();
                firsts += 1;
            } else if budget.try_retry() {
                retries += 1;
            }
            prop_assert!(retries * 1_000 <= u128::from(reserve) * 1_000 + firsts * u128::from(per_thousand));
        }
    }

    #[test]
    fn a_budget_lets_every_retry_through_that_its_share_and_what_it_saves_up_allow(
        per_thousand in 0_u32..2_000,
        reserve in 0_u32..10,
        tries in proptest::collection::vec(prop::bool::weighted(0.6), 0..400),
    ) {
        let mut budget = RetryBudget::new(per_thousand, reserve);
        // What could be saved up runs over: a bucket of the reserve, and at least one.
        let (mut saved, most) = (u64::from(reserve) * 1_000, u64::from(reserve.max(1)) * 1_000);
        for is_first in tries {
            if is_first {
                budget.first_try();
                saved = (saved + u64::from(per_thousand)).min(most);
            } else {
                prop_assert_eq!(budget.try_retry(), saved >= 1_000);
                saved -= if saved >= 1_000 { 1_000 } else { 0 };
            }
        }
    }

    #[test]
    fn an_outage_is_five_failures_in_a_row_and_over_with_one_answer(
        events in proptest::collection::vec((prop::bool::weighted(0.2), any_nanos(), any_nanos()), 0..40),
        random in any::<u64>(),
        backoff in (any_nanos(), any_nanos()).prop_map(|(base, ceiling)| Backoff { base, ceiling }),
    ) {
        let mut outage = Outage::new();
        let mut failures = 0;
        for (is_answer, sent, now) in events {
            if is_answer {
                outage.answered(now);
                failures = 0;
                prop_assert_eq!(outage.lasting(Nanos::MAX), Nanos::ZERO);
            } else {
                outage.failed(sent, now);
                failures += 1;
            }
            prop_assert_eq!(outage.is_on(), failures >= 5);
            let delay = outage.delay(&backoff, now, random);
            prop_assert!(delay <= backoff.ceiling);
            prop_assert!(failures >= 5 || delay == Nanos::ZERO);
            // No longer than it has lasted, but for the base.
            prop_assert!(delay <= backoff.base.max(Nanos::new(outage.lasting(now).get() / 8)));
            prop_assert!(!outage.outlasts(Nanos::MAX, now));
            prop_assert!(failures >= 3 || !outage.outlasts(Nanos::ZERO, now));
        }
    }
}
