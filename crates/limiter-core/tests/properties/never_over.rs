//! Never over, by adding up: whatever was admitted in any interval, counted with what it turned out to be.
//!
//! No level is looked at here, neither the crate's nor the oracle's: only what was let through, when, and at what cost
//! in the end.
//!
//! The bound, where nothing is taken that is larger than the bucket and nobody uses more than was reserved: in any
//! interval of length `x`, at most `burst + amount * x / window` (continuous); in any window between two boundaries, at
//! most `burst`; in any half-open window, wherever it begins, at most `burst` (sliding); at any instant, at most `burst`
//! in flight (on release).
//!
//! What is borrowed, and what is used beyond a reservation, nobody can know before: it was let through, or has happened.
//! The bound that holds then: with what was taken before in the interval, and what turned out to be used in it beyond
//! reservations, what is admitted fits, but for the part of it that is larger than the bucket. So nothing more is
//! admitted until that is repaid.

use limiter_core::{Bucket, Limit, Nanos, Refill, Taken};
use proptest::prelude::*;

use crate::inputs::{Amount, LATEST, Step, borrowing, deep_limit, step, within};
use crate::sequences;

/// What is done to a bucket.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// Takes it if it is there.
    Admit(Amount),
    /// Settles one of those taken with so many 64ths of what was reserved.
    Need(usize, u64),
    /// Settles one of those taken with so much more than was reserved.
    Exceed(usize, Amount),
}

/// What counts: at what time, and how much.
#[derive(Clone, Copy)]
struct Used {
    at: Nanos,
    units: i128,
}

/// Everything that was let through one limit.
struct Ledger {
    limit: Limit,
    used: Vec<Used>,
}

impl Ledger {
    /// Shows that `units` more at `now` keep within the bound, in every interval that ends now.
    fn check(&self, units: u64, now: Nanos) -> Result<(), TestCaseError> {
        let burst = i128::from(self.limit.burst());
        let units = i128::from(units).min(burst);
        let window = self.limit.window().get();
        let sum_of = |counts: &dyn Fn(Nanos) -> bool| -> i128 {
            self.used.iter().filter(|used| counts(used.at)).map(|used| used.units).sum()
        };
        match self.limit.refill() {
            Refill::Continuous => {
                let mut sum = units;
                for used in self.used.iter().rev() {
                    sum += used.units;
                    let length = i128::from(now.get() - used.at.get());
                    let comes_back = i128::from(self.limit.amount()) * length;
                    prop_assert!((sum - burst) * i128::from(window) <= comes_back, "{sum} in {length} ns");
                }
            }
            Refill::AtBoundary { phase } => {
                let turn = |at: Nanos| (i128::from(at.get()) - i128::from(phase.get())).div_euclid(window.into());
                let sum = units + sum_of(&|at| turn(at) == turn(now));
                prop_assert!(sum <= burst, "{sum} in one window");
            }
            Refill::Sliding => {
                let sum = units + sum_of(&|at| now.get() - at.get() < window);
                prop_assert!(sum <= burst, "{sum} in one window");
            }
            _ => {
                let sum = units + sum_of(&|_| true);
                prop_assert!(sum <= burst, "{sum} at one instant");
            }
        }
        Ok(())
    }
}

fn ops(amounts: impl Strategy<Value = Amount> + Clone, excess: u32) -> impl Strategy<Value = Vec<(Step, Op)>> {
    let op = prop_oneof![
        6 => amounts.clone().prop_map(Op::Admit),
        4 => (0_usize..8, 0_u64..=64).prop_map(|(which, part)| Op::Need(which, part)),
        excess => (0_usize..8, amounts).prop_map(|(which, amount)| Op::Exceed(which, amount)),
    ];
    proptest::collection::vec((step(), op), 1..80)
}

fn run(limit: Limit, start: u64, ops: Vec<(Step, Op)>) -> Result<(), TestCaseError> {
    let mut clock = Nanos::new(start);
    let mut ready = clock;
    let mut bucket = Bucket::full(limit, clock);
    let mut ledger = Ledger { limit, used: Vec::new() };
    let mut live: Vec<(Taken, u64, usize)> = Vec::new();
    for (step, op) in ops {
        let now = step.from(clock, limit.window(), ready).min(LATEST);
        // What happens at a time before the latest thing that happened, happens at that.
        let later = clock.max(now);
        match op {
            Op::Admit(amount) => {
                let amount = amount.of(limit.burst());
                ready = bucket.ready_at(amount, now);
                if ready <= now {
                    clock = later;
                    ledger.check(amount, clock)?;
                    ledger.used.push(Used { at: clock, units: amount.into() });
                    live.push((bucket.take(amount, now), amount, ledger.used.len() - 1));
                }
            }
            Op::Need(which, part) if which < live.len() => {
                let (taken, reserved, index) = live.swap_remove(which);
                let actual = Amount::Part(part).of(reserved);
                let held = limit.refill() == Refill::OnRelease;
                if actual == reserved && !held {
                    continue;
                }
                clock = later;
                bucket.settle(taken, reserved, actual, now);
                ledger.used[index].units = if held { 0 } else { actual.into() };
            }
            Op::Exceed(which, amount) if which < live.len() => {
                let (taken, reserved, index) = live.swap_remove(which);
                let beyond = amount.of(limit.burst()).max(1);
                clock = later;
                bucket.settle(taken, reserved, reserved.saturating_add(beyond), now);
                if limit.refill() == Refill::OnRelease {
                    ledger.used[index].units = 0;
                } else {
                    ledger.used.push(Used { at: clock, units: beyond.into() });
                }
            }
            Op::Need(..) | Op::Exceed(..) => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(sequences(400))]

    #[test]
    fn property_2_never_over_in_any_interval_of_any_length(
        limit in deep_limit(),
        start in 0..u64::MAX / 2,
        ops in ops(within().boxed(), 0),
    ) {
        run(limit, start, ops)?;
    }

    #[test]
    fn property_2_what_is_borrowed_or_used_beyond_is_repaid_before_anything_is_admitted(
        limit in deep_limit(),
        start in 0..u64::MAX / 2,
        ops in ops(borrowing().boxed(), 1),
    ) {
        run(limit, start, ops)?;
    }
}
