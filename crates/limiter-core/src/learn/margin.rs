//! How much to hold back, because our count of what is left is not the provider's.
//!
//! The provider counts a prompt in its own way, requests arrive later and in another order than they were sent, and
//! somebody else may draw on the same quota. All of it shows in one figure: how much less the provider says is left
//! than was counted here. Its mean and four mean deviations are held back, as TCP waits for a round trip that varies
//! (RFC 6298). That costs nothing in the long run: what is held back stays in the bucket, and the rest flows at the
//! full rate.

/// How far the provider's word falls short of our count, in units.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Margin {
    /// In sixteenths of a unit, so that small errors do not vanish in rounding.
    mean: u64,
    deviation: u64,
}

const FRACTION: u64 = 16;
/// The gains of RFC 6298: an eighth for the mean, a quarter for the deviation.
const MEAN_GAIN: u64 = 8;
const DEVIATION_GAIN: u64 = 4;

impl Margin {
    /// The provider says that `shortfall` less is left than was counted; zero where it is as much or more.
    pub(crate) fn learn(&mut self, shortfall: u64) {
        let error = shortfall.min(u64::MAX / FRACTION) * FRACTION;
        let distance = error.abs_diff(self.mean);
        self.deviation = self.deviation - self.deviation / DEVIATION_GAIN + distance / DEVIATION_GAIN;
        self.mean = self.mean - self.mean / MEAN_GAIN + error / MEAN_GAIN;
    }

    /// Units to hold back.
    pub(crate) fn units(&self) -> u64 {
        self.mean.saturating_add(self.deviation.saturating_mul(4)).div_ceil(FRACTION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(shortfalls: impl IntoIterator<Item = u64>) -> u64 {
        let mut margin = Margin::default();
        shortfalls.into_iter().for_each(|shortfall| margin.learn(shortfall));
        margin.units()
    }

    #[test]
    fn nothing_is_held_back_from_a_provider_that_counts_alike() {
        assert_eq!(after([0; 100]), 0);
    }

    #[test]
    fn a_steady_shortfall_is_held_back_and_hardly_more() {
        let held = after([100; 100]);
        assert!((100..=110).contains(&held), "{held}");
    }

    #[test]
    fn a_shortfall_that_varies_is_covered() {
        let held = after((0..200).map(|n| n % 2 * 100));
        assert!((150..=300).contains(&held), "{held}");
    }

    #[test]
    fn one_surprise_is_forgotten() {
        let mut shortfalls = [0; 60];
        shortfalls[0] = 1_000_000;
        assert!(after(shortfalls) < 10_000);
        assert!(after([1_000_000]) >= 1_000_000);
        assert!(after([u64::MAX; 3]) > 0);
    }
}
