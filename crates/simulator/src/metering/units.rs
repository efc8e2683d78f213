//! What levels and times are counted in.
//!
//! A level is counted in sixty-billionths of a request or token: a limit of N per minute then refills exactly N units
//! a nanosecond, and no refill, however small, is rounded. Times are nanoseconds since the Unix epoch.

use std::time::Duration;

/// The units of one request or token: the nanoseconds of a minute.
pub(super) const UNITS: i128 = 60_000_000_000;
/// The nanoseconds of a second.
pub(super) const SECOND: i128 = 1_000_000_000;
/// The nanoseconds of a day.
pub(super) const DAY: i128 = 86_400 * SECOND;
/// What shares and factors are counted in.
const BILLION: i128 = 1_000_000_000;

pub(super) fn nanoseconds(time: Duration) -> i128 {
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
}

pub(super) fn duration(nanoseconds: i128) -> Duration {
    let nanoseconds = u128::try_from(nanoseconds).unwrap_or(0);
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::new(seconds, u32::try_from(nanoseconds % 1_000_000_000).unwrap_or(0))
}

/// `amount` requests or tokens in units.
pub(super) fn units(amount: u64) -> i128 {
    i128::from(amount) * UNITS
}

/// The whole requests or tokens in `level`; none where it is below zero.
pub(super) fn whole(level: i128) -> u64 {
    u64::try_from(level.max(0) / UNITS).unwrap_or(u64::MAX)
}

/// What a limit of `per_minute` holds that saves up for `span` nanoseconds: never less than one request or token.
pub(super) fn capacity(per_minute: u64, span: i128) -> i128 {
    i128::from(per_minute).saturating_mul(span).max(UNITS)
}

/// A share or factor in billionths.
pub(super) fn billionths(factor: f64) -> i128 {
    (factor.max(0.0) * 1e9).round() as i128
}

/// `billionths` of `amount`, rounded down.
pub(super) fn part(amount: i128, billionths: i128) -> i128 {
    let whole = (amount / BILLION).saturating_mul(billionths);
    whole.saturating_add((amount % BILLION).saturating_mul(billionths) / BILLION)
}

/// How many times `step` it takes to make up for `missing`; none where nothing is missing.
pub(super) fn times(missing: i128, step: i128) -> i128 {
    let missing = u128::try_from(missing).unwrap_or(0);
    let step = u128::try_from(step).unwrap_or(0).max(1);
    i128::try_from(missing.div_ceil(step)).unwrap_or(i128::MAX)
}
