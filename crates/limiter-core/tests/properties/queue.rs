//! The queue: nobody overtakes inside a priority; where some may overtake, whoever waits is overtaken by no more than is
//! allowed; everybody is served in the end.

use limiter_core::{Cost, Dimension, Limit, Nanos, Order, Priority};
use proptest::prelude::*;

use crate::inputs::{Amount, LATEST, Step, borrowing, step, told_limits};
use crate::sequences;
use crate::world::{End, World};

#[derive(Clone, Copy, Debug)]
enum Op {
    Enqueue(Wanted),
    Cancel(usize),
    Admit,
    End(usize, End),
}

/// A request that comes: how large, how urgent, and whether it came before.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    input: Amount,
    output: Amount,
    level: u8,
    again: bool,
}

impl Wanted {
    fn cost(&self, limits: &[Limit]) -> Cost {
        let tokens = limits.iter().filter(|limit| limit.dimension() != Dimension::Requests);
        let least = tokens.map(Limit::burst).min().unwrap_or(64);
        Cost::of_request(self.input.of(least).min(least), self.output.of(least))
    }
}

fn op() -> impl Strategy<Value = Op> {
    let wanted = (borrowing(), borrowing(), prop_oneof![Just(4), 0_u8..8], prop::bool::weighted(0.1))
        .prop_map(|(input, output, level, again)| Wanted { input, output, level, again });
    prop_oneof![
        8 => wanted.prop_map(Op::Enqueue),
        1 => (0_usize..8).prop_map(Op::Cancel),
        6 => Just(Op::Admit),
        4 => (0_usize..4, 0_u64..=80).prop_map(|(which, part)| Op::End(which, End::Settle(part, part))),
    ]
}

/// Runs `ops` and then serves everybody who still waits.
fn run(limits: &[Limit], bound: Option<Nanos>, ageing: Nanos, ops: Vec<(Step, Op)>) -> Result<(), TestCaseError> {
    let mut world = World::new(limits, ageing, Nanos::ZERO);
    if let Some(bound) = bound {
        world.limiter.set_order(Order::LookAhead { bound });
    }
    for (step, op) in ops {
        let now = step.from(world.clock.reading, limits[0].window(), world.ready).min(LATEST);
        match op {
            Op::Enqueue(wanted) => {
                world.enqueue(&wanted.cost(limits), Priority::new(wanted.level), wanted.again, now)?;
            }
            Op::Cancel(which) => world.cancel(which)?,
            Op::Admit => while world.admit(bound, now)? {},
            Op::End(which, end) => world.end(which, end, now)?,
        }
        world.check()?;
    }
    let mut rounds = 0;
    while !world.waiting.is_empty() {
        rounds += 1;
        prop_assert!(rounds < 200, "{} are never served", world.waiting.len());
        let before = world.clock.reading;
        while world.admit(bound, before)? {}
        if world.ready > before {
            let now = world.ready;
            prop_assert!(world.waiting.is_empty() || world.admit(bound, now)?, "nobody goes at {now:?}");
        } else {
            world.end(0, End::Forfeit, before)?;
        }
        world.check()?;
    }
    world.cancel(0)
}

proptest! {
    #![proptest_config(sequences(200))]

    #[test]
    fn property_5_fair_everybody_goes_in_the_order_of_due_times(
        limits in told_limits(),
        ageing in prop_oneof![Just(Nanos::from_secs(10)), Just(Nanos::ZERO), (0..=Nanos::DAY.get()).prop_map(Nanos::new)],
        ops in proptest::collection::vec((step(), op()), 8..32),
    ) {
        run(&limits, None, ageing, ops)?;
    }

    #[test]
    fn property_5_fair_nobody_is_overtaken_by_more_than_the_bound_and_what_went_in_turn(
        limits in told_limits(),
        bound in prop_oneof![
            Just(Nanos::ZERO),
            (0..=Nanos::MINUTE.get()).prop_map(Nanos::new),
            (0..=Limit::MAX_WINDOW.get()).prop_map(Nanos::new),
            Just(Nanos::MAX),
        ],
        ops in proptest::collection::vec((step(), op()), 8..32),
    ) {
        run(&limits, Some(bound), Nanos::from_secs(10), ops)?;
    }

    #[test]
    fn property_5_fair_many_small_ones_overtake_a_large_one_by_no_more_than_the_bound(
        limits in told_limits(),
        bound in 0_u64..=32,
        wanted in proptest::collection::vec((prop_oneof![1 => Just(64), 8 => 1_u64..8], 0_u64..8), 20..60),
    ) {
        let size = |(input, output)| Wanted { input: Amount::Part(input), output: Amount::Part(output), level: 4, again: false };
        let mut ops: Vec<_> = wanted.into_iter().map(|wanted| (Step::Later(0), Op::Enqueue(size(wanted)))).collect();
        ops.push((Step::Later(0), Op::Admit));
        let bound = Nanos::new(limits[0].window().get() / 64 * bound);
        run(&limits, Some(bound), Nanos::from_secs(10), ops)?;
    }
}
