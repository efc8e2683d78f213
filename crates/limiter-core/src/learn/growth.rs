//! How fast to go beyond what is known, where nobody says how much more there is.
//!
//! A rate that was found by a refusal is right for the moment, and may be too low a minute later. As TCP does on a path
//! whose capacity it met once (CUBIC, RFC 9438): come back to what was found, stay there for a plateau, and
//! then go beyond it slowly at first and ever faster, so that the place where the limit was last met is passed with the
//! least excess, and one that has doubled is found soon.

use crate::Nanos;

/// Growth since a refusal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    since: Nanos,
    plateau: Nanos,
    /// How far it goes in as long again as the plateau, in 1,024 parts.
    beyond: u64,
}

/// One as a gain.
const ONE: u64 = 1_024;
/// So much beyond it after as long again as the plateau, two fifths: each refusal tells what the rate is.
const BEYOND: u64 = ONE * 2 / 5;
/// Where what is charged may be a fraction of what is counted, as much again: several refusals would be needed otherwise.
const FAR_BEYOND: u64 = ONE;
/// The most it grows to: a limit that was found cannot be wrong by more than a day's for a minute's, and whatever is,
/// is found in several steps.
const MOST: u64 = ONE * 64;

impl Growth {
    /// A gain of one.
    pub(crate) const ONE: u64 = ONE;

    pub(crate) const fn new(since: Nanos, plateau: Nanos) -> Self {
        Self { since, plateau, beyond: BEYOND }
    }

    /// The same, to twice as much after as long again as the plateau.
    pub(crate) const fn far(since: Nanos, plateau: Nanos) -> Self {
        Self { since, plateau, beyond: FAR_BEYOND }
    }

    /// The same from `now` on, with this plateau.
    pub(crate) const fn restart(&mut self, now: Nanos, plateau: Nanos) {
        (self.since, self.plateau) = (now, plateau);
    }

    /// For `span` what is known was not used.
    pub(crate) fn wait(&mut self, span: Nanos) {
        self.since = self.since.saturating_add(span);
    }

    pub(crate) const fn since(&self) -> Nanos {
        self.since
    }

    pub(crate) const fn plateau(&self) -> Nanos {
        self.plateau
    }

    /// Whether the plateau is over at `now`.
    pub(crate) fn is_beyond(&self, now: Nanos) -> bool {
        now > self.since.saturating_add(self.plateau)
    }

    /// How much of what is known to try at `now`, in 1,024 parts.
    pub(crate) fn gain(&self, now: Nanos) -> u64 {
        let plateau = u128::from(self.plateau.get().max(1));
        let elapsed = u128::from(now.saturating_sub(self.since).get());
        let Some(beyond) = elapsed.checked_sub(plateau) else { return ONE };
        // In 1,024 parts of the plateau, and no more than where the most is reached.
        let share = (beyond * u128::from(ONE) / plateau).min(16 * u128::from(ONE));
        let cube = share * share * share / (u128::from(ONE) * u128::from(ONE));
        let grown = cube * u128::from(self.beyond) / u128::from(ONE);
        ONE.saturating_add(u64::try_from(grown).unwrap_or(u64::MAX)).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_for_the_plateau_and_then_grows_ever_faster() {
        let growth = Growth::new(Nanos::from_secs(10), Nanos::from_secs(20));
        let gains = [0, 10, 30, 35, 50, 70, 90].map(|second| growth.gain(Nanos::from_secs(second)));
        assert_eq!(gains, [1_024, 1_024, 1_024, 1_030, 1_433, 4_296, 12_067]);
        assert_eq!(growth.gain(Nanos::MAX), MOST);
    }
}
