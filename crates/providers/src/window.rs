//! The window of a limit whose header does not name it, by one answer alone.
//!
//! OpenAI's `x-ratelimit-limit-requests` is a minute's for most accounts and a day's for small ones. A bucket that says when
//! it will be full betrays which: what is used comes back in `used / limit` of the window.

use limiter_core::{Nanos, Reading};

/// How exactly resets are written: in whole milliseconds where they have a unit.
const ROUNDING: u128 = 1_000_000;

/// The window that a bucket's reading shows, of those that the provider states limits for; `None` where it shows none:
/// nothing is used, or no window explains it.
///
/// What remains is rounded down to a whole unit, so a reset lies anywhere within the last unit used. Where that fits
/// several windows the shortest counts: a longer one would show so short a reset for a moment only.
///
/// One answer can look like this by chance where all of a limit comes back at once, which is why a
/// [`Reading`]'s own window stays open and the limiter waits for two answers that agree.
pub(crate) fn infer(reading: &Reading, windows: &[Nanos]) -> Option<Nanos> {
    let (limit, reset) = (reading.limit?, u128::from(reading.reset?.get()));
    let used = limit.checked_sub(reading.remaining?).filter(|used| *used > 0)?;
    let mut sorted: [Option<Nanos>; 8] = [None; 8];
    sorted.iter_mut().zip(windows).for_each(|(slot, window)| *slot = Some(*window));
    sorted.sort_unstable();
    sorted.into_iter().flatten().find(|window| {
        let after = |units: u64| u128::from(window.get()) * u128::from(units) / u128::from(limit);
        after(used - 1) <= reset + ROUNDING && reset <= after(used) + ROUNDING
    })
}

#[cfg(test)]
mod tests {
    use limiter_core::Dimension;

    use super::*;

    const WINDOWS: [Nanos; 2] = [Nanos::DAY, Nanos::MINUTE];

    fn window(limit: u64, remaining: u64, reset: Nanos) -> Option<Nanos> {
        let reading = Reading {
            limit: Some(limit),
            remaining: Some(remaining),
            reset: Some(reset),
            ..Reading::of(Dimension::Requests)
        };
        infer(&reading, &WINDOWS)
    }

    #[test]
    fn the_reset_betrays_the_window() {
        let millis = Nanos::from_millis;
        assert_eq!(window(10_000, 9_999, millis(6)), Some(Nanos::MINUTE));
        assert_eq!(window(10_000, 9_999, millis(8_640)), Some(Nanos::DAY));
        assert_eq!(window(200, 198, millis(600)), Some(Nanos::MINUTE));
        assert_eq!(window(200, 198, millis(864_000)), Some(Nanos::DAY));
        assert_eq!(window(150_000_000, 149_999_990, millis(0)), Some(Nanos::MINUTE));
    }

    #[test]
    fn a_unit_that_is_coming_back_counts_as_used() {
        let millis = Nanos::from_millis;
        assert_eq!(window(10_000, 9_998, millis(12_676)), Some(Nanos::DAY), "one and a half are used");
        assert_eq!(window(3_500, 3_498, millis(17)), Some(Nanos::MINUTE));
    }

    #[test]
    fn what_no_window_explains_shows_none() {
        assert_eq!(window(10_000, 10_000, Nanos::SECOND), None);
        assert_eq!(window(10_000, 20_000, Nanos::SECOND), None);
        assert_eq!(window(3_000, 2_000, Nanos::from_secs(42)), None);
        assert_eq!(window(u64::MAX, 0, Nanos::MAX), None);
        assert_eq!(window(1, 0, Nanos::MAX), None);
        assert_eq!(infer(&Reading::of(Dimension::Requests), &WINDOWS), None);
    }
}
