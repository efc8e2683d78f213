//! How near guesses are.

use crate::trial::Guess;

/// Shares and errors of some guesses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    /// The share that is exact, within two tokens, and within a twentieth.
    pub(crate) exact: f64,
    pub(crate) within_two: f64,
    pub(crate) within_twentieth: f64,
    /// The error in the middle, and the one that 19 of 20 stay below, as parts of what was billed.
    pub(crate) median: f64,
    pub(crate) p95: f64,
}

impl Figures {
    /// The figures of what `guess` tells of each.
    pub(crate) fn of(guesses: &[Guess], guess: impl Fn(&Guess) -> u64) -> Self {
        let off = |each: &Guess| guess(each).abs_diff(each.billed);
        let mut errors: Vec<f64> = guesses.iter().map(|each| off(each) as f64 / each.billed as f64).collect();
        errors.sort_by(f64::total_cmp);
        let share = |counts: &dyn Fn(&Guess) -> bool| {
            guesses.iter().filter(|each| counts(each)).count() as f64 / guesses.len().max(1) as f64
        };
        let at = |share: f64| {
            let index = (errors.len() as f64 * share) as usize;
            errors.get(index.min(errors.len().saturating_sub(1))).copied().unwrap_or_default()
        };
        Self {
            exact: share(&|each| off(each) == 0),
            within_two: share(&|each| off(each) <= 2),
            within_twentieth: share(&|each| off(each) as f64 <= each.billed as f64 / 20.0),
            median: at(0.5),
            p95: at(0.95),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_errors_are_of_what_was_billed() {
        let guesses = [(100, 100), (102, 100), (104, 100), (150, 100)];
        let guesses = guesses.map(|(before, billed)| Guess { before, after: 0, billed });
        let expected = Figures { exact: 0.25, within_two: 0.5, within_twentieth: 0.75, median: 0.04, p95: 0.5 };
        assert_eq!(Figures::of(&guesses, |guess| guess.before), expected);
        assert_eq!(Figures::of(&[], |guess| guess.before), Figures::default());
    }
}
