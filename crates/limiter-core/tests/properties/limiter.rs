//! The whole limiter with limits that the caller set: everything it does and says, under any clock.

use limiter_core::{Cost, Dimension, Limit, Nanos, Priority};
use proptest::prelude::*;

use crate::inputs::{Amount, LATEST, Step, borrowing, step, told_limits, within};
use crate::sequences;
use crate::world::{End, World};

/// What is done to a limiter.
#[derive(Clone, Copy, Debug)]
enum Op {
    Reserve(Size),
    Enqueue(Size, u8, bool),
    Cancel(usize),
    Admit,
    End(usize, End),
    Scale(usize, u64),
    SetAgain(usize),
    Remove(usize),
    Pause(Nanos),
}

/// What a request takes: of the smallest bucket for what is certain, and of the smallest for what is produced.
#[derive(Clone, Copy, Debug)]
struct Size {
    input: Amount,
    output: Amount,
}

impl Size {
    /// Measured by every limit there ever is, so that no debt to one that is set again later is forgiven.
    fn cost(self, limits: &[Limit]) -> Cost {
        let least = |dimensions: [Dimension; 2]| {
            let limits = limits.iter();
            limits.filter(|limit| dimensions.contains(&limit.dimension())).map(Limit::burst).min().unwrap_or(1_000)
        };
        let input = self.input.of(least([Dimension::Tokens, Dimension::InputTokens]));
        Cost::of_request(input, self.output.of(least([Dimension::Tokens, Dimension::OutputTokens])))
    }
}

fn op(output: BoxedStrategy<Amount>, excess: u64) -> impl Strategy<Value = Op> {
    let size = || {
        let input = prop_oneof![16 => within(), 1 => (0_u64..4).prop_map(Amount::Beyond)];
        (input, output.clone()).prop_map(|(input, output)| Size { input, output })
    };
    let span = || prop_oneof![2 => 0_u64..100_000_000_000, 1 => any::<u64>()].prop_map(Nanos::new);
    let end = prop_oneof![
        3 => (0..=excess, 0..=excess).prop_map(|(input, output)| End::Settle(input, output)),
        1 => Just(End::Release),
        1 => (proptest::option::of(span()), any::<u64>()).prop_map(|(span, random)| End::Refuse(span, random)),
        3 => (any::<bool>(), any::<u64>()).prop_map(|(sent, random)| End::Fail(sent, random)),
        1 => Just(End::Forfeit),
    ];
    prop_oneof![
        10 => size().prop_map(Op::Reserve),
        6 => (size(), 0_u8..9, prop::bool::weighted(0.2)).prop_map(|(size, level, front)| Op::Enqueue(size, level, front)),
        8 => Just(Op::Admit),
        1 => (0_usize..4).prop_map(Op::Cancel),
        10 => (0_usize..4, end).prop_map(|(which, end)| Op::End(which, end)),
        1 => (0_usize..4, 1_u64..=16).prop_map(|(which, quarters)| Op::Scale(which, quarters)),
        2 => (0_usize..4).prop_map(Op::Remove),
        6 => (0_usize..4).prop_map(Op::SetAgain),
        1 => span().prop_map(Op::Pause),
    ]
}

fn run(limits: &[Limit], ageing: Nanos, start: Nanos, ops: Vec<(Step, Op)>) -> Result<(), TestCaseError> {
    let mut world = World::new(limits, ageing, start);
    world.check()?;
    for (step, op) in ops {
        let now = step.from(world.clock.reading, limits[0].window(), world.ready).min(LATEST);
        match op {
            Op::Reserve(size) => drop(world.try_reserve(&size.cost(limits), now)?),
            Op::Enqueue(size, level, front) => world.enqueue(&size.cost(limits), Priority::new(level), front, now)?,
            Op::Cancel(which) => world.cancel(which)?,
            Op::Admit => while world.admit(None, now)? {},
            Op::End(which, end) => world.end(which, end, now)?,
            Op::Scale(which, quarters) => world.scale_limit(which, quarters, now),
            Op::Remove(which) => world.remove_limit(which)?,
            Op::SetAgain(which) => {
                let removed = limits.get(which).filter(|limit| world.books.iter().all(|book| book.original != **limit));
                removed.into_iter().for_each(|limit| world.set_limit(*limit, now));
            }
            Op::Pause(span) => world.pause(span, now),
        }
        world.check()?;
    }
    // Everything ends, and nothing is left of it.
    let now = world.clock.reading;
    while !world.live.is_empty() {
        world.end(0, End::Forfeit, now)?;
    }
    world.check()
}

proptest! {
    #![proptest_config(sequences(200))]

    #[test]
    fn properties_1_to_6_hold_whatever_is_reserved_settled_and_set_at_whatever_times(
        limits in told_limits(),
        // Of a jump by more than 62 days whole months are left out: a head start must be shorter to be told from it.
        ageing in prop_oneof![Just(Nanos::from_secs(10)), (0..=8 * Nanos::DAY.get()).prop_map(Nanos::new)],
        start in 0..LATEST.get(),
        ops in proptest::collection::vec((step(), op(within().boxed(), 64)), 8..32),
    ) {
        run(&limits, ageing, Nanos::new(start), ops)?;
    }

    #[test]
    fn properties_1_to_6_hold_where_estimates_are_too_large_and_too_small(
        limits in told_limits(),
        ageing in Just(Nanos::from_secs(10)),
        start in 0..LATEST.get(),
        ops in proptest::collection::vec((step(), op(borrowing().boxed(), 128)), 8..32),
    ) {
        run(&limits, ageing, Nanos::new(start), ops)?;
    }
}
