//! One bucket, where what was taken turns out to be another amount: what comes back, and what is owed.
//!
//! What was taken in vain comes back so that the level is what it would be had the true amount been taken in the first
//! place. The oracle is just that: the history with the amount replaced. The crate never gives more, and it gives as much
//! while it can remember how high the level was before each taking since. Where those are too many, it may keep up to an
//! eighth of the capacity; and while a debt is repaid of which a part was forgiven, everything.

use limiter_core::{Bucket, Limit, Nanos, Refill, Taken};
use proptest::prelude::*;

use crate::inputs::{
    Amount, LATEST, Step, any_amount, any_limit, borrowing, continuous_limit, deep_limit, step, within,
};
use crate::oracle::{Entered, History, MARKS, instant};
use crate::sequences;

/// More than that at once is cut off at the end of `u64`.
const MOST: u64 = u64::MAX / 64;

/// What is done to a bucket.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// Takes it if it is there.
    Admit(Amount),
    /// Settles one of those taken with so much.
    Settle(usize, Amount),
    /// Settles one of those taken with so many 64ths of what was reserved.
    Need(usize, u64),
}

/// Something taken and not yet settled.
struct Live {
    taken: Taken,
    entered: Entered,
    reserved: u64,
    /// Whether anything was taken after it.
    followed: bool,
}

fn ops(amounts: impl Strategy<Value = Amount> + Clone, most: usize) -> impl Strategy<Value = Vec<(Step, Op)>> {
    let op = prop_oneof![
        4 => amounts.clone().prop_map(Op::Admit),
        1 => (0_usize..8, amounts).prop_map(|(which, amount)| Op::Settle(which, amount)),
        3 => (0_usize..8, 0_u64..=64).prop_map(|(which, part)| Op::Need(which, part)),
    ];
    proptest::collection::vec((step(), op), 1..most)
}

/// Many small takings, many of which come back.
fn small_ops() -> impl Strategy<Value = Vec<(Step, Op)>> {
    let op = prop_oneof![
        3 => (1_u64..=8).prop_map(|part| Op::Admit(Amount::Part(part))),
        1 => (8_u64..=64).prop_map(|part| Op::Admit(Amount::Part(part))),
        4 => (0_usize..24, 0_u64..=64).prop_map(|(which, part)| Op::Need(which, part)),
    ];
    let step = prop_oneof![6 => Just(Step::Later(0)), 2 => (0_u64..4).prop_map(Step::Part), 1 => (0_u64..64).prop_map(Step::Part)];
    proptest::collection::vec((step, op), 1..64)
}

/// Shows that the level is the counterfactual one, or less by no more than what the marks may keep.
fn settles_as_if_known_before(limit: Limit, start: Nanos, ops: Vec<(Step, Op)>) -> Result<(), TestCaseError> {
    let mut bucket = Bucket::full(limit, start);
    let mut history = History::new(limit);
    let (mut clock, mut ready, mut kept) = (start, start, 0);
    let mut was_forgiven = false;
    let mut live: Vec<Live> = Vec::new();
    for (step, op) in ops {
        let now = step.from(clock, limit.window(), ready).min(LATEST);
        let forgivings = history.forgivings();
        let (which, actual) = match op {
            Op::Admit(amount) => {
                let amount = amount.of(limit.burst()).min(MOST);
                ready = bucket.ready_at(amount, now);
                if ready <= now {
                    clock = clock.max(now);
                    was_forgiven &= bucket.level(clock) < limit.burst().cast_signed();
                    prop_assert!(history.fits(amount, instant(clock)));
                    live.iter_mut().for_each(|live| live.followed |= amount > 0);
                    let taken = bucket.take(amount, now);
                    let entered = history.take(amount, instant(clock));
                    live.push(Live { taken, entered, reserved: amount, followed: false });
                    was_forgiven |= history.forgivings() > forgivings;
                }
                continue;
            }
            Op::Settle(which, amount) => (which, amount.of(limit.burst()).min(MOST)),
            Op::Need(which, part) => {
                let Some(live) = live.get(which) else { continue };
                (which, Amount::Part(part).of(live.reserved))
            }
        };
        if which >= live.len() || live[which].reserved == actual {
            continue;
        }
        let Live { taken, entered, reserved, followed } = live.swap_remove(which);
        clock = clock.max(now);
        was_forgiven &= bucket.level(clock) < limit.burst().cast_signed();
        bucket.settle(taken, reserved, actual, now);
        history.settle(entered, actual, instant(clock));
        if actual > reserved {
            was_forgiven |= history.forgivings() > forgivings;
            live.iter_mut().for_each(|live| live.followed = true);
        } else if followed && limit.refill() == Refill::Continuous && history.entries() > MARKS {
            kept += limit.burst().cast_signed() / 8 + 1;
        }
        for later in [0, 1, limit.window().get() / 7, limit.window().get()] {
            let at = clock.saturating_add(Nanos::new(later));
            let (level, expected) = (bucket.level(at), history.level(instant(at)));
            prop_assert!(level <= expected, "{level} at {at:?}, where {expected} would be left");
            prop_assert!(
                was_forgiven || level >= expected.saturating_sub(kept),
                "{level} at {at:?}, where {expected} would be left"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(sequences(400))]

    #[test]
    fn property_2_what_comes_back_is_what_would_be_left_had_it_not_been_taken(
        limit in deep_limit(),
        start in 0..LATEST.get(),
        ops in ops(within().boxed(), 32),
    ) {
        settles_as_if_known_before(limit, Nanos::new(start), ops)?;
    }

    #[test]
    fn property_2_what_comes_back_of_a_debt_is_what_would_be_left_had_it_not_been_taken(
        limit in deep_limit(),
        start in 0..LATEST.get(),
        ops in ops(borrowing().boxed(), 32),
    ) {
        settles_as_if_known_before(limit, Nanos::new(start), ops)?;
    }

    #[test]
    fn property_2_what_comes_back_of_any_amount_is_what_would_be_left_had_it_not_been_taken(
        limit in any_limit(),
        start in 0..LATEST.get(),
        ops in ops(any_amount().boxed(), 32),
    ) {
        settles_as_if_known_before(limit, Nanos::new(start), ops)?;
    }

    #[test]
    fn property_2_nothing_that_comes_back_is_short_by_more_than_an_eighth_of_the_bucket(
        limit in continuous_limit(1_000_000),
        ops in small_ops(),
    ) {
        let mut bucket = Bucket::full(limit, Nanos::ZERO);
        let mut history = History::new(limit);
        let (mut clock, mut ready, mut roundings) = (Nanos::ZERO, Nanos::ZERO, 0);
        let mut live: Vec<Live> = Vec::new();
        for (step, op) in ops {
            clock = step.from(clock, limit.window(), ready).min(LATEST).max(clock);
            match op {
                Op::Admit(amount) => {
                    let amount = amount.of(limit.burst());
                    ready = bucket.ready_at(amount, clock);
                    if ready <= clock {
                        let taken = bucket.take(amount, clock);
                        let entered = history.take(amount, instant(clock));
                        live.push(Live { taken, entered, reserved: amount, followed: false });
                    }
                }
                Op::Settle(..) => {}
                Op::Need(which, part) if which < live.len() => {
                    let Live { taken, entered, reserved, .. } = live.swap_remove(which);
                    let actual = Amount::Part(part).of(reserved);
                    let before = bucket.level(clock);
                    let mut as_if = history.clone();
                    as_if.settle(entered, actual, instant(clock));
                    let due = as_if.level(instant(clock)) - before;
                    bucket.settle(taken, reserved, actual, clock);
                    let given = bucket.level(clock) - before;
                    roundings += 1;
                    prop_assert!(given <= due + roundings, "{given} came back of {due}");
                    let eighth = limit.burst().cast_signed() / 8;
                    prop_assert!(given >= due - eighth - roundings, "{given} came back of {due}");
                    // What is kept stays taken: the next one starts from there.
                    history.settle(entered, reserved - given.unsigned_abs().min(reserved), instant(clock));
                }
                Op::Need(..) => {}
            }
        }
    }
}
