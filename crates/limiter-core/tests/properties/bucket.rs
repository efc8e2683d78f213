//! One bucket: its level is that of the definition, the instants it answers are the earliest, nothing gets lost.

use limiter_core::{Bucket, Limit, Nanos, Refill, Taken};
use proptest::prelude::*;

use crate::inputs::{Amount, LATEST, Step, any_amount, any_limit, continuous_limit, sliding_limit, step, timed_limit};
use crate::oracle::{Entered, History, instant};
use crate::sequences;

/// What is done to a bucket.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// Takes it if it is there.
    Admit(Amount),
    /// Takes it whether or not it is there.
    Take(Amount),
    /// Settles the taking of this number, if it was not settled before, with so much more than it was.
    Exceed(usize, Amount),
}

/// A bucket and its history, side by side.
struct Both {
    bucket: Bucket,
    history: History,
    clock: Nanos,
    ready: Nanos,
}

impl Both {
    fn new(limit: Limit, now: Nanos) -> Self {
        Self { bucket: Bucket::full(limit, now), history: History::new(limit), clock: now, ready: now }
    }

    fn step(&self, step: Step) -> Nanos {
        step.from(self.clock, self.history.limit().window(), self.ready).min(LATEST)
    }

    /// Asks when `amount` fits, and shows that the answer is the earliest instant.
    fn ready_at(&mut self, amount: u64, now: Nanos) -> Result<Nanos, TestCaseError> {
        let ready = self.bucket.ready_at(amount, now);
        let later = now.max(self.clock);
        prop_assert!(ready >= now);
        if ready == Nanos::MAX {
            prop_assert_eq!(self.history.limit().refill(), Refill::OnRelease);
            prop_assert!(!self.history.fits(amount, instant(later)));
            return Ok(ready);
        }
        prop_assert!(instant(ready) - instant(later) <= History::longest_wait(self.history.limit()));
        prop_assert!(self.history.fits(amount, instant(ready.max(self.clock))), "{amount} do not fit at {ready:?}");
        if ready > now {
            prop_assert!(ready > later);
            prop_assert!(!self.history.fits(amount, instant(ready) - 1), "{amount} fit before {ready:?}");
        }
        self.ready = ready;
        Ok(ready)
    }

    /// Shows that the levels are the same, now and later.
    fn compare(&self) -> Result<(), TestCaseError> {
        let window = self.history.limit().window().get();
        for later in [0, 1, window / 7, window - 1, window, window + 1] {
            let at = self.clock.saturating_add(Nanos::new(later));
            prop_assert_eq!(self.bucket.level(at), self.history.level(instant(at)), "at {:?}", at);
        }
        Ok(())
    }
}

fn ops(amounts: impl Strategy<Value = Amount> + Clone) -> impl Strategy<Value = Vec<(Step, Op)>> {
    let op = prop_oneof![
        4 => amounts.clone().prop_map(Op::Admit),
        2 => amounts.clone().prop_map(Op::Take),
        1 => (0_usize..8, amounts).prop_map(|(which, amount)| Op::Exceed(which, amount)),
    ];
    // A sliding window is exact as long as it remembers no more than 32 moments.
    proptest::collection::vec((step(), op), 1..=32)
}

proptest! {
    #![proptest_config(sequences(400))]

    #[test]
    fn property_2_and_3_the_level_and_the_instant_answered_are_those_of_the_definition(
        limit in any_limit(),
        start in 0..LATEST.get(),
        ops in ops(any_amount().boxed()),
    ) {
        let mut both = Both::new(limit, Nanos::new(start));
        let mut unsettled: Vec<(Taken, Entered, u64)> = Vec::new();
        for (step, op) in ops {
            let now = both.step(step);
            match op {
                Op::Admit(amount) | Op::Take(amount) => {
                    let amount = amount.of(limit.burst());
                    let ready = both.ready_at(amount, now)?;
                    if ready > now && matches!(op, Op::Admit(_)) {
                        continue;
                    }
                    both.clock = both.clock.max(now);
                    let taken = both.bucket.take(amount, now);
                    unsettled.push((taken, both.history.take(amount, instant(both.clock)), amount));
                }
                Op::Exceed(which, amount) => {
                    if which >= unsettled.len() || limit.refill() == Refill::OnRelease {
                        continue;
                    }
                    let (taken, entered, reserved) = unsettled.swap_remove(which);
                    let actual = reserved.saturating_add(amount.of(limit.burst()).max(1));
                    if actual == reserved {
                        continue;
                    }
                    both.clock = both.clock.max(now);
                    both.bucket.settle(taken, reserved, actual, now);
                    both.history.settle(entered, actual, instant(both.clock));
                }
            }
            both.compare()?;
        }
    }

    #[test]
    fn property_2_a_year_of_admissions_loses_nothing(
        limit in continuous_limit(1),
        parts in proptest::collection::vec(1_u64..=64, 1..16),
        days in 1_u64..=366,
        admissions in 1_usize..600,
    ) {
        let comes_back = |span: Nanos| u128::from(limit.amount()) * u128::from(span.get()) / u128::from(limit.window().get());
        // What comes back in the nanosecond at which it fits must have room.
        let most = u128::from(limit.burst()).saturating_sub(comes_back(Nanos::new(1)) + 1);
        prop_assume!(most > 0);
        // Amounts such that so many admissions take so many days, whatever the limit.
        let each = comes_back(Nanos::DAY) * u128::from(days) / admissions as u128;
        let mut bucket = Bucket::full(limit, Nanos::ZERO);
        let (mut now, mut taken) = (Nanos::ZERO, 0_u128);
        for part in parts.iter().cycle().take(admissions) {
            let amount = u64::try_from((each * u128::from(*part) / 32).clamp(1, most)).unwrap();
            now = bucket.ready_at(amount, now);
            bucket.take(amount, now);
            taken += u128::from(amount);
            // Admitted as soon as it fits, the last unit has come back at this very nanosecond, whatever was before.
            let missing = taken.saturating_sub(limit.burst().into()) * u128::from(limit.window().get());
            prop_assert_eq!(u128::from(now.get()), missing.div_ceil(limit.amount().into()));
        }
    }

    #[test]
    fn property_2_a_changed_limit_keeps_what_was_taken(
        before in any_limit(),
        after in any_limit(),
        taken in any_amount(),
        part in 0_u64..64,
    ) {
        let now = Step::Part(part).from(Nanos::ZERO, before.window(), Nanos::ZERO);
        let mut bucket = Bucket::full(before, Nanos::ZERO);
        let taken = taken.of(before.burst()).min(1 << 62);
        bucket.take(taken, Nanos::ZERO);
        let missing = match (before.refill(), after.refill()) {
            // When it was taken is known: it counts for the new window.
            (Refill::Sliding, Refill::Sliding) if now >= after.window() => 0,
            (Refill::Sliding, Refill::Sliding) => i128::from(taken),
            _ => i128::from(before.burst()) - i128::from(bucket.level(now)),
        };
        bucket.set_limit(after, now);
        let begins = after.refill() == Refill::OnRelease && before.refill() != Refill::OnRelease;
        let expected = i128::from(after.burst()) - if begins { 0 } else { missing };
        let mut deepest = Bucket::full(after, now);
        deepest.take(u64::MAX, now);
        prop_assert_eq!(i128::from(bucket.level(now)), expected.max(deepest.level(now).into()));
    }

    #[test]
    fn property_3_the_instant_at_which_a_bucket_is_full_is_the_first_at_which_it_is(
        limit in timed_limit(),
        taken in any_amount(),
    ) {
        let mut bucket = Bucket::full(limit, Nanos::SECOND);
        bucket.take(taken.of(limit.burst()).max(1), Nanos::SECOND);
        let full_at = bucket.full_at(Nanos::SECOND);
        prop_assert_eq!(bucket.level(full_at), limit.burst().cast_signed());
        prop_assert!(bucket.level(Nanos::new(full_at.get() - 1)) < limit.burst().cast_signed());
        prop_assert!(instant(full_at) - instant(Nanos::SECOND) <= History::longest_wait(&limit));
    }

    #[test]
    fn property_3_a_sliding_window_is_exact_with_32_moments_and_never_early_with_more(
        limit in sliding_limit(1_000_000),
        takings in proptest::collection::vec((1_u64..=20_000, 1_u64..=1_000), 32..64),
    ) {
        let mut both = Both::new(limit, Nanos::ZERO);
        let mut moments = 0;
        for (amount, gap) in takings {
            // Each at another moment, and all of them in one window.
            both.clock = both.clock.saturating_add(Nanos::new(gap * (limit.window().get() / 64_000)));
            both.bucket.take(amount, both.clock);
            both.history.take(amount, instant(both.clock));
            moments += 1;
            let mut at = both.clock;
            loop {
                let (level, exact) = (both.bucket.level(at), both.history.level(instant(at)));
                prop_assert!(level <= exact && (level == exact || moments > 32), "{level} of {exact}");
                if level == limit.burst().cast_signed() {
                    break;
                }
                // When one unit more is there.
                at = both.bucket.ready_at(level.unsigned_abs() + 1, at);
                prop_assert!(moments > 32 || both.history.level(instant(at) - 1) == level);
            }
            prop_assert_eq!(at, both.clock.saturating_add(limit.window()));
        }
    }
}
