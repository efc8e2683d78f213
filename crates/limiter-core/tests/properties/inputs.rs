//! What is fed in: limits, amounts and times, with a liking for the edges.

use limiter_core::{Dimension, Limit, Nanos, Refill};
use proptest::prelude::*;

/// An amount, measured by a bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Amount {
    /// So many units.
    Units(u64),
    /// So many units, but no more than the burst.
    Few(u64),
    /// So many 64ths of the burst.
    Part(u64),
    /// The burst and so many units more.
    Beyond(u64),
}

impl Amount {
    pub(crate) fn of(self, burst: u64) -> u64 {
        match self {
            Self::Units(units) => units,
            Self::Few(units) => units.min(burst),
            Self::Part(part) => u64::try_from(u128::from(burst) * u128::from(part) / 64).unwrap_or(u64::MAX),
            Self::Beyond(units) => burst.saturating_add(units),
        }
    }
}

/// Amounts that a bucket holds.
pub(crate) fn within() -> impl Strategy<Value = Amount> {
    prop_oneof![
        3 => (0_u64..=64).prop_map(Amount::Part),
        1 => (0_u64..4).prop_map(Amount::Few),
    ]
}

/// Amounts that a bucket holds, and some beyond it.
pub(crate) fn borrowing() -> impl Strategy<Value = Amount> {
    prop_oneof![
        6 => within(),
        1 => (0_u64..4).prop_map(Amount::Beyond),
        1 => (64_u64..256).prop_map(Amount::Part),
    ]
}

/// Any amount there is.
pub(crate) fn any_amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        6 => borrowing(),
        1 => any::<u64>().prop_map(Amount::Units),
        1 => Just(Amount::Units(u64::MAX)),
    ]
}

/// How the clock moves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// So many nanoseconds later.
    Later(u64),
    /// So many 64ths of the window later.
    Part(u64),
    /// To the instant at which the last refused amount fits, so many nanoseconds less.
    Ready(u64),
    /// So many nanoseconds back.
    Back(u64),
}

impl Step {
    /// Where a clock that reads `now` goes, where `ready` is when something fits.
    pub(crate) fn from(self, now: Nanos, window: Nanos, ready: Nanos) -> Nanos {
        let part = |part: u64| u128::from(window.get()) * u128::from(part) / 64;
        match self {
            Self::Later(nanos) => now.saturating_add(Nanos::new(nanos)),
            Self::Part(of_window) => now.saturating_add(Nanos::new(u64::try_from(part(of_window)).unwrap_or(u64::MAX))),
            Self::Ready(less) => ready.saturating_sub(Nanos::new(less)).max(now),
            Self::Back(nanos) => now.saturating_sub(Nanos::new(nanos)),
        }
    }
}

/// Clocks that stand still, run, jump, and go back.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Later(0)),
        2 => (0_u64..3).prop_map(Step::Later),
        8 => (0_u64..=80).prop_map(Step::Part),
        6 => (0_u64..2).prop_map(Step::Ready),
        1 => (0_u64..=LONGEST).prop_map(Step::Later),
        1 => any::<u64>().prop_map(Step::Later),
        1 => any::<u64>().prop_map(Step::Back),
        1 => (0..=2 * Nanos::HOUR.get()).prop_map(Step::Back),
    ]
}

const LONGEST: u64 = Limit::MAX_WINDOW.get();

/// The latest instant that tests of exact values begin something at: what takes longer than there is time is cut off at
/// its end.
pub(crate) const LATEST: Nanos = Nanos::new(u64::MAX - 100 * LONGEST);

fn window() -> impl Strategy<Value = Nanos> {
    const NAMED: [Nanos; 6] =
        [Nanos::SECOND, Nanos::from_secs(10), Nanos::MINUTE, Nanos::HOUR, Nanos::DAY, Limit::MAX_WINDOW];
    prop_oneof![
        2 => proptest::sample::select(NAMED.as_slice()),
        1 => (Nanos::SECOND.get()..=LONGEST).prop_map(Nanos::new),
    ]
}

fn units() -> impl Strategy<Value = u64> {
    prop_oneof![2 => 1_u64..=20, 2 => 1_u64..=1_000_000, 1 => 1_u64..=Limit::MAX_AMOUNT, 1 => Just(Limit::MAX_AMOUNT)]
}

/// Any limit on tokens that refills as `refill` says.
fn limit(refill: impl Strategy<Value = Refill>) -> impl Strategy<Value = Limit> {
    (units(), window(), proptest::option::of(units()), refill).prop_map(|(amount, window, burst, refill)| {
        let limit = Limit::new(Dimension::Tokens, amount, window).with_refill(refill);
        burst.map_or(limit, |burst| limit.with_burst(burst))
    })
}

/// Limits of every kind that come back with time.
pub(crate) fn timed_limit() -> impl Strategy<Value = Limit> {
    let phase = prop_oneof![any::<u64>(), 0..Nanos::MINUTE.get()].prop_map(Nanos::new);
    limit(prop_oneof![
        2 => Just(Refill::Continuous),
        1 => phase.prop_map(|phase| Refill::AtBoundary { phase }),
        1 => Just(Refill::Sliding),
    ])
}

/// Limits of every kind.
pub(crate) fn any_limit() -> impl Strategy<Value = Limit> {
    prop_oneof![8 => timed_limit(), 1 => limit(Just(Refill::OnRelease))]
}

/// How often a deep bucket fills up in the longest window.
const FILLS: u64 = 4_096;

/// The same limit, but with a bucket that fills up many times in the longest window: no debt of it is forgiven.
fn deep(limit: Limit) -> Limit {
    let fills = |limit: &Limit| limit.with_burst(u64::MAX).burst();
    let shorter = Limit::new(limit.dimension(), limit.amount(), Nanos::MINUTE).with_refill(limit.refill());
    let limit = if fills(&limit) < FILLS { shorter.with_burst(limit.burst()) } else { limit };
    limit.with_burst(limit.burst().min(fills(&limit) / FILLS))
}

/// Limits of every kind whose debts are never forgiven.
pub(crate) fn deep_limit() -> impl Strategy<Value = Limit> {
    any_limit().prop_map(deep)
}

/// Limits that a caller may set together: no two for the same dimension and window, and none that turns at other times
/// on a clock that jumps by months.
pub(crate) fn told_limits() -> impl Strategy<Value = Vec<Limit>> {
    const DIMENSIONS: [Dimension; 4] =
        [Dimension::Requests, Dimension::Tokens, Dimension::InputTokens, Dimension::OutputTokens];
    let limit = (timed_limit(), proptest::sample::select(DIMENSIONS.as_slice())).prop_map(|(limit, dimension)| {
        let limit = deep(in_dimension(limit, dimension));
        let is_even = (30 * Nanos::DAY.get()).is_multiple_of(limit.window().get());
        let turns = matches!(limit.refill(), Refill::AtBoundary { .. });
        if turns && !is_even { limit.with_refill(Refill::Sliding) } else { limit }
    });
    let concurrent = proptest::option::weighted(0.3, (1_u64..4).prop_map(Limit::concurrent));
    (proptest::collection::vec(limit, 1..5), concurrent).prop_map(|(mut limits, concurrent)| {
        limits.extend(concurrent);
        let mut seen = std::collections::HashSet::new();
        limits.retain(|limit| seen.insert((limit.dimension(), limit.window())));
        limits
    })
}

/// Limits that refill continuously, with buckets that hold `least` at least.
pub(crate) fn continuous_limit(least: u64) -> impl Strategy<Value = Limit> {
    let amounts = (least..=Limit::MAX_AMOUNT, least..=Limit::MAX_AMOUNT);
    (amounts, window())
        .prop_map(|((amount, burst), window)| Limit::new(Dimension::Tokens, amount, window).with_burst(burst))
}

/// Sliding windows that hold `least` at least.
pub(crate) fn sliding_limit(least: u64) -> impl Strategy<Value = Limit> {
    continuous_limit(least).prop_map(|limit| limit.with_refill(Refill::Sliding))
}

/// Any amount at all.
pub(crate) fn any_units() -> impl Strategy<Value = u64> {
    prop_oneof![
        2 => 0_u64..4,
        2 => 0_u64..=Limit::MAX_AMOUNT,
        1 => any::<u64>(),
        1 => Just(u64::MAX),
    ]
}

/// Any reading of a clock at all.
pub(crate) fn any_nanos() -> impl Strategy<Value = Nanos> {
    prop_oneof![
        1 => Just(Nanos::ZERO),
        1 => Just(Nanos::MAX),
        1 => any::<u64>().prop_map(Nanos::new),
        3 => (0_u64..=LONGEST).prop_map(Nanos::new),
        1 => (0_u64..=LONGEST).prop_map(|less| Nanos::new(u64::MAX - less)),
    ]
}

/// The same limit on another dimension.
pub(crate) fn in_dimension(limit: Limit, dimension: Dimension) -> Limit {
    let same = Limit::new(dimension, limit.amount(), limit.window());
    same.with_burst(limit.burst()).with_refill(limit.refill())
}
