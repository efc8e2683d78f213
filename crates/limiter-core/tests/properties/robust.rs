//! The limiter on any input at all: it does not panic, its counts and levels stay within their bounds, nothing that it is
//! told makes anybody wait for longer than the longest window, and afterwards it goes on.

use limiter_core::{
    Admission, Amounts, Cost, Dimension, Limit, LimitSource, Limiter, Nanos, Observation, Order, Priority, Reading,
    Refill, Refusal, Reservation,
};
use proptest::prelude::*;

use crate::inputs::{any_limit, any_nanos, any_units, in_dimension};
use crate::oracle::{History, instant};
use crate::sequences;

pub(crate) type Checked<T = ()> = Result<T, TestCaseError>;

/// What is done to one of two limiters. Whatever a reservation comes from, it may end anywhere.
#[derive(Clone, Debug)]
enum Op {
    Reserve(Cost),
    Enqueue(Cost, u8, bool),
    Admit,
    Cancel(usize),
    Observe(usize, Observation),
    Adopt(Observation, Amounts),
    Settle(usize, Amounts),
    Release(usize),
    Refuse(usize, Option<Nanos>, u64),
    Fail(usize, bool, u64),
    Forfeit(usize),
    SetLimit(Limit),
    Expect(Limit),
    RemoveLimit(Dimension, Nanos),
    Pause(Nanos),
    Set(Order, Nanos, bool),
}

fn dimension() -> impl Strategy<Value = Dimension> {
    proptest::sample::select(Dimension::ALL.as_slice())
}

pub(crate) fn amounts() -> impl Strategy<Value = Amounts> {
    prop_oneof![
        (any_units(), any_units()).prop_map(|(input, output)| Amounts::of_request(input, output)),
        (0_u64..1_000, 0_u64..1_000).prop_map(|(input, output)| Amounts::of_request(input, output)),
        [any_units(), any_units(), any_units(), any_units(), any_units(), any_units()].prop_map(|units| {
            Dimension::ALL.into_iter().zip(units).fold(Amounts::ZERO, |sum, (it, units)| sum.with(it, units))
        }),
    ]
}

pub(crate) fn cost() -> impl Strategy<Value = Cost> {
    prop_oneof![
        3 => (0_u64..1_000, 0_u64..1_000).prop_map(|(input, output)| Cost::of_request(input, output)),
        1 => (amounts(), amounts()).prop_map(|(certain, expected)| Cost::estimate(certain, expected)),
    ]
}

/// Anything a provider can say, sensible or not.
fn observation() -> impl Strategy<Value = Observation> {
    let reading = (
        dimension(),
        proptest::option::of(prop_oneof![Just(Nanos::MINUTE), Just(Nanos::DAY), any_nanos()]),
        proptest::option::of(prop_oneof![Just(0), 1_u64..2_000, any_units()]),
        proptest::option::of(prop_oneof![Just(0), 1_u64..2_000, any_units()]),
        proptest::option::of(prop_oneof![(0_u64..100_000_000_000).prop_map(Nanos::new), any_nanos()]),
        any::<bool>(),
    );
    let reading = reading.prop_map(|(dimension, window, limit, remaining, reset, fixed_window)| Reading {
        window,
        limit,
        remaining,
        reset,
        fixed_window,
        ..Reading::of(dimension)
    });
    let readings = proptest::collection::vec(reading, 0..4);
    (readings, any::<bool>(), proptest::option::weighted(0.2, any_nanos())).prop_map(|(readings, refused, retry)| {
        let mut observation = Observation::new();
        readings.into_iter().for_each(|reading| observation.push(reading));
        (observation.refused, observation.retry_after) = (refused, retry);
        observation
    })
}

fn op() -> impl Strategy<Value = Op> {
    let which = || 0_usize..6;
    let set = prop_oneof![Just(Order::Turn), any_nanos().prop_map(|bound| Order::LookAhead { bound })];
    prop_oneof![
        8 => cost().prop_map(Op::Reserve),
        3 => (cost(), 0_u8..9, any::<bool>()).prop_map(|(cost, level, again)| Op::Enqueue(cost, level, again)),
        5 => Just(Op::Admit),
        1 => which().prop_map(Op::Cancel),
        10 => (which(), observation()).prop_map(|(which, observation)| Op::Observe(which, observation)),
        1 => (observation(), amounts()).prop_map(|(observation, amounts)| Op::Adopt(observation, amounts)),
        4 => (which(), amounts()).prop_map(|(which, amounts)| Op::Settle(which, amounts)),
        1 => which().prop_map(Op::Release),
        2 => (which(), proptest::option::of(any_nanos()), any::<u64>()).prop_map(|(which, span, bits)| Op::Refuse(which, span, bits)),
        3 => (which(), any::<bool>(), any::<u64>()).prop_map(|(which, sent, bits)| Op::Fail(which, sent, bits)),
        1 => which().prop_map(Op::Forfeit),
        2 => (any_limit(), dimension()).prop_map(|(limit, dimension)| Op::SetLimit(in_dimension(limit, dimension))),
        1 => (any_limit(), dimension()).prop_map(|(limit, dimension)| Op::Expect(in_dimension(limit, dimension))),
        1 => (dimension(), any_nanos()).prop_map(|(dimension, window)| Op::RemoveLimit(dimension, window)),
        1 => any_nanos().prop_map(Op::Pause),
        1 => (set, any_nanos(), any::<bool>()).prop_map(|(order, ageing, probes)| Op::Set(order, ageing, probes)),
    ]
}

/// A limiter, what its clock reads, and what it may have in flight.
pub(crate) struct One {
    pub(crate) limiter: Limiter,
    pub(crate) latest: Nanos,
    pub(crate) own: Vec<Cost>,
}

impl One {
    /// Whether something in flight may be waited for.
    pub(crate) fn may_block(&self) -> bool {
        let state = self.limiter.state(self.latest);
        state.in_flight > 0 || state.limits.iter().any(|shown| shown.limit.refill() == Refill::OnRelease)
    }

    /// The longest that anybody may have to wait.
    fn longest(&self) -> i128 {
        let state = self.limiter.state(self.latest);
        let limits = state.limits.iter().map(|shown| History::longest_wait(&shown.limit));
        limits.fold(instant(Limit::MAX_WINDOW), i128::max)
    }

    pub(crate) fn check_answer(&self, ready_at: Nanos) -> Checked {
        let wait = instant(ready_at) - instant(self.latest);
        prop_assert!(wait > 0 && wait <= self.longest(), "{wait} ns from {:?}", self.latest);
        Ok(())
    }

    pub(crate) fn check(&self, waiting: usize) -> Checked {
        let state = self.limiter.state(self.latest);
        prop_assert!(state.in_flight <= self.own.len() as u64, "{} in flight", state.in_flight);
        prop_assert_eq!(state.waiting, waiting);
        for dimension in Dimension::ALL {
            let most = self.own.iter().map(|cost| i128::from(cost.expected().of(dimension))).sum::<i128>();
            let amount = self.limiter.in_flight_amounts().of(dimension);
            prop_assert!(i128::from(amount) <= most, "{amount} {dimension} in flight, of {most}");
        }
        for shown in &state.limits {
            let mut deepest = History::new(shown.limit);
            deepest.take(u64::MAX, 0);
            prop_assert!(shown.level <= shown.limit.burst().cast_signed(), "{shown:?}");
            prop_assert!(shown.level >= deepest.level(0), "{shown:?}");
            let wait = instant(shown.full_at) - instant(self.latest);
            prop_assert!(shown.full_at == Nanos::MAX || wait <= self.longest(), "{shown:?}");
        }
        if let Some(until) = state.paused_until {
            prop_assert!(until == Nanos::MAX || until.saturating_sub(self.latest) <= Limit::MAX_WINDOW);
        }
        Ok(())
    }
}

/// What the clock counts as: a little late is as late as the latest.
fn latest(before: Nanos, now: Nanos) -> Nanos {
    let is_late = now < before && before.saturating_sub(now) <= Nanos::MINUTE;
    if is_late { before } else { now }
}

fn run(ops: Vec<(bool, Nanos, Op)>, foreign: bool) -> Checked {
    let new = || One { limiter: Limiter::new(), latest: Nanos::ZERO, own: Vec::new() };
    let mut ones = [new(), new()];
    let mut live: [Vec<Reservation>; 2] = [Vec::new(), Vec::new()];
    let mut tickets: [Vec<limiter_core::Ticket>; 2] = [Vec::new(), Vec::new()];
    let mut started = [false; 2];
    for (second, now, op) in ops {
        let index = usize::from(second);
        // Where all reservations are in one heap, they end wherever they are drawn.
        let heap = if foreign { 0 } else { index };
        let one = &mut ones[index];
        one.latest = if started[index] { latest(one.latest, now) } else { now };
        started[index] = true;
        let limiter = &mut one.limiter;
        let which = match &op {
            Op::Observe(which, ..) | Op::Settle(which, ..) | Op::Release(which) => *which,
            Op::Refuse(which, ..) | Op::Fail(which, ..) | Op::Forfeit(which) => *which,
            _ => 0,
        };
        let ends = matches!(op, Op::Settle(..) | Op::Release(..) | Op::Refuse(..) | Op::Fail(..) | Op::Forfeit(..));
        if (ends || matches!(op, Op::Observe(..))) && which >= live[heap].len() {
            limiter.pause(Nanos::ZERO, now);
            continue;
        }
        match op {
            Op::Reserve(cost) => match limiter.try_reserve(&cost, now) {
                Ok(reservation) => {
                    one.own.push(cost);
                    live[heap].push(reservation);
                }
                Err(Refusal::NotYet { ready_at: Nanos::MAX }) => {
                    let is_late = instant(one.latest) + one.longest() >= instant(Nanos::MAX);
                    prop_assert!(one.may_block() || !tickets[index].is_empty() || is_late);
                }
                Err(Refusal::NotYet { ready_at }) => one.check_answer(ready_at)?,
                Err(Refusal::NeverFits(never)) => prop_assert!(never.needed > never.capacity),
            },
            Op::Enqueue(cost, level, again) => {
                let priority = Priority::new(level);
                let answer = if again {
                    limiter.enqueue_front(&cost, priority, now)
                } else {
                    limiter.enqueue(&cost, priority, now)
                };
                tickets[index].extend(answer.ok());
            }
            Op::Admit => match limiter.admit(now) {
                Admission::Granted(ticket, reservation) => {
                    one.own.push(*reservation.cost());
                    live[heap].push(reservation);
                    tickets[index].retain(|waits| *waits != ticket);
                }
                Admission::Refused(ticket, _) => tickets[index].retain(|waits| *waits != ticket),
                Admission::NotYet(ready_at) => one.check_answer(ready_at)?,
                Admission::Blocked => {
                    let is_late = instant(one.latest) + one.longest() >= instant(Nanos::MAX);
                    prop_assert!(one.may_block() || is_late);
                }
                Admission::Idle => prop_assert!(tickets[index].is_empty()),
            },
            Op::Cancel(which) => {
                limiter.pause(Nanos::ZERO, now);
                if which < tickets[index].len() {
                    prop_assert!(limiter.cancel(tickets[index].swap_remove(which)));
                }
            }
            Op::Observe(_, observation) => drop(limiter.observe(&mut live[heap][which], &observation, now)),
            Op::Adopt(observation, amounts) => limiter.adopt(&observation, &amounts, now),
            Op::Settle(_, amounts) => limiter.settle(live[heap].swap_remove(which), &amounts, now),
            Op::Release(_) => limiter.release(live[heap].swap_remove(which), now),
            Op::Refuse(_, span, bits) => limiter.refuse(live[heap].swap_remove(which), span, now, bits),
            Op::Fail(_, sent, bits) => limiter.fail(live[heap].swap_remove(which), sent, now, bits),
            Op::Forfeit(_) => limiter.forfeit(live[heap].swap_remove(which), now),
            Op::SetLimit(limit) => limiter.set_limit(limit, now),
            Op::Expect(limit) => limiter.expect_limit(limit, now),
            Op::RemoveLimit(dimension, window) => {
                limiter.pause(Nanos::ZERO, now);
                limiter.remove_limit(dimension, window);
            }
            Op::Pause(span) => limiter.pause(span, now),
            Op::Set(order, ageing, probes) => {
                limiter.pause(Nanos::ZERO, now);
                limiter.set_order(order);
                limiter.set_ageing(ageing);
                limiter.set_probing(probes);
            }
        }
        one.check(tickets[index].len())?;
    }
    // Everything ends where it came from, and the clock becomes sane.
    if foreign {
        return Ok(());
    }
    for ((mut one, live), tickets) in ones.into_iter().zip(live).zip(tickets) {
        for reservation in live {
            one.limiter.forfeit(reservation, one.latest);
        }
        prop_assert_eq!(one.limiter.state(one.latest).in_flight, 0);
        prop_assert_eq!(one.limiter.in_flight_amounts(), Amounts::ZERO);
        one.latest = one.latest.min(Nanos::new(u64::MAX / 2));
        one.limiter.pause(Nanos::ZERO, one.latest);
        serve(one, tickets.len())?;
    }
    Ok(())
}

/// Everybody who waits goes or is refused, each within the longest window after the one before; and then a small request
/// goes.
fn serve(mut one: One, waiting: usize) -> Checked {
    one.limiter.set_order(Order::Turn);
    let _small = one.limiter.enqueue(&Cost::of_request(1, 0), Priority::LOWEST, one.latest);
    for _ in 0..3 * (waiting + 1) {
        match one.limiter.admit(one.latest) {
            Admission::Granted(_, reservation) => {
                let cost = *reservation.cost();
                one.limiter.settle(reservation, cost.expected(), one.latest);
            }
            Admission::Refused(_, never) => prop_assert!(never.needed > never.capacity),
            Admission::NotYet(ready_at) => {
                one.check_answer(ready_at)?;
                one.latest = ready_at;
                match one.limiter.admit(one.latest) {
                    Admission::Granted(_, reservation) => one.limiter.release(reservation, one.latest),
                    answer => prop_assert!(false, "{answer:?} at the instant that was answered"),
                }
            }
            Admission::Idle => return Ok(()),
            Admission::Blocked => prop_assert!(false, "blocked with nothing in flight"),
        }
    }
    prop_assert!(false, "{} are never served", one.limiter.state(one.latest).waiting);
    Ok(())
}

fn ops(most: usize) -> impl Strategy<Value = Vec<(bool, Nanos, Op)>> {
    let now = prop_oneof![3 => (0_u64..200_000_000_000).prop_map(Nanos::new), 1 => any_nanos()];
    proptest::collection::vec((any::<bool>(), now, op()), 1..most)
}

proptest! {
    #![proptest_config(sequences(200))]

    #[test]
    fn property_7_nothing_said_done_or_read_from_a_clock_makes_anybody_wait_for_ever(ops in ops(60)) {
        run(ops, false)?;
    }

    #[test]
    fn property_6_reservations_of_another_limiter_leave_counts_and_levels_within_their_bounds(ops in ops(60)) {
        run(ops, true)?;
    }

    #[test]
    fn property_2_a_limiter_with_the_limits_of_another_has_taken_as_much(
        limits in proptest::collection::vec((any_limit(), dimension()), 1..6),
        costs in proptest::collection::vec((0_u64..1_000, 0_u64..1_000, any_nanos()), 0..12),
    ) {
        let mut limiter = Limiter::new();
        limiter.set_probing(false);
        let mut now = Nanos::ZERO;
        for (limit, dimension) in limits {
            limiter.set_limit(in_dimension(limit, dimension), now);
        }
        let mut live = Vec::new();
        for (input, output, at) in costs {
            now = latest(now, at);
            live.extend(limiter.try_reserve(&Cost::of_request(input, output), now));
        }
        let mut other = Limiter::with_told_of(&limiter);
        for (mine, theirs) in limiter.state(now).limits.iter().zip(other.state(now).limits) {
            prop_assert_eq!(mine.limit, theirs.limit);
            prop_assert_eq!(theirs.source, LimitSource::Told);
            // What is in flight there ends there.
            let held = mine.limit.refill() == Refill::OnRelease;
            prop_assert_eq!(theirs.level, if held { mine.limit.burst().cast_signed() } else { mine.level });
        }
        prop_assert_eq!(other.state(now).in_flight, 0);
        // What ends there afterwards changes nothing here.
        let before = other.state(now);
        for reservation in live {
            other.release(reservation, now);
        }
        prop_assert_eq!(other.state(now).limits, before.limits);
    }

    #[test]
    fn property_2_a_told_limit_that_changes_keeps_what_was_taken(
        (before, after) in (any_limit(), any_limit()),
        dimension in dimension(),
        costs in proptest::collection::vec((0_u64..1_000, 0_u64..1_000), 0..12),
    ) {
        let before = in_dimension(before, dimension);
        let after = in_dimension(after, dimension);
        let after = Limit::new(dimension, after.amount(), before.window())
            .with_burst(after.burst())
            .with_refill(after.refill());
        let mut limiter = Limiter::new();
        limiter.set_probing(false);
        limiter.set_limit(before, Nanos::ZERO);
        let mut held = 0;
        let mut live = Vec::new();
        for (input, output) in costs {
            let cost = Cost::of_request(input, output);
            if let Ok(reservation) = limiter.try_reserve(&cost, Nanos::SECOND) {
                held += i128::from(cost.expected().of(dimension));
                live.push(reservation);
            }
        }
        // A part of a debt may have been forgiven already.
        let missing = i128::from(before.burst()) - i128::from(limiter.state(Nanos::SECOND).limits[0].level);
        limiter.set_limit(after, Nanos::SECOND);
        let shown = limiter.state(Nanos::SECOND).limits[0];
        prop_assert_eq!((shown.limit.amount(), shown.limit.burst()), (after.amount(), after.burst()));
        let expected = i128::from(after.burst()) - if after.refill() == Refill::OnRelease { held } else { missing };
        let mut deepest = History::new(after);
        deepest.take(u64::MAX, 0);
        prop_assert_eq!(i128::from(shown.level), expected.max(deepest.level(0).into()));
        prop_assert!(limiter.remove_limit(dimension, before.window()));
        prop_assert!(limiter.state(Nanos::SECOND).limits.is_empty());
        for reservation in live {
            limiter.release(reservation, Nanos::SECOND);
        }
        prop_assert_eq!(limiter.in_flight_amounts(), Amounts::ZERO);
    }
}
