//! How coarsely a provider says what remains.
//!
//! Anthropic rounds tokens to the nearest thousand (1,817 of 1,817 recorded answers): of a limit of 8,000 a minute a word
//! may then be four seconds' worth too high or too low. What is counted here between two words is finer; so a word that
//! is rounded bounds the count, and does not replace it.

/// The powers of ten that what remains is rounded to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grain {
    /// All words so far were multiples of it.
    size: u64,
    words: u32,
}

/// Rounded more coarsely than this was never seen.
const COARSEST: u64 = 1_000;
/// So many words that happen to be multiples of ten are no coincidence: one in a hundred million.
const WORDS: u32 = 8;

impl Grain {
    pub(crate) const fn new() -> Self {
        Self { size: COARSEST, words: 0 }
    }

    /// The provider says that `remaining` is left of `limit`. All and nothing are round figures anyway.
    pub(crate) const fn learn(&mut self, remaining: u64, limit: u64) {
        if remaining == 0 || remaining >= limit {
            return;
        }
        self.words = self.words.saturating_add(1);
        while !remaining.is_multiple_of(self.size) {
            self.size /= 10;
        }
    }

    /// Another limit in the same unit is told so coarsely: so is this one, of which no word has told anything but nothing.
    pub(crate) const fn follow(&mut self, other: &Self) {
        if self.words == 0 && other.words >= WORDS {
            *self = *other;
        }
    }

    /// By how much a word is off, up or down, as far as that is known.
    pub(crate) const fn error(&self) -> u64 {
        if self.words < WORDS { 0 } else { self.suspected() }
    }

    /// By how much a word may be off, for all that is known.
    pub(crate) const fn suspected(&self) -> u64 {
        self.size / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(words: impl IntoIterator<Item = u64>) -> u64 {
        let mut grain = Grain::new();
        words.into_iter().for_each(|remaining| grain.learn(remaining, 50_000));
        grain.error()
    }

    #[test]
    fn figures_that_are_round_again_and_again_are_rounded() {
        assert_eq!(after((1..20).map(|n| n * 1_000)), 500);
        assert_eq!(after((1..20).map(|n| n * 100)), 50);
        assert_eq!(after((1..20).map(|n| n * 1_000 + u64::from(n == 15))), 0);
        assert_eq!(after((1..8).map(|n| n * 1_000)), 0, "seven may be chance");
        assert_eq!(after([0, 50_000, 60_000].into_iter().cycle().take(60)), 0, "nothing and all say nothing");
    }

    #[test]
    fn where_nothing_but_nothing_is_told_another_limit_tells_how_coarsely() {
        let round = || {
            let mut grain = Grain::new();
            (1..20).for_each(|n| grain.learn(n * 1_000, 50_000));
            grain
        };
        let mut nothing = Grain::new();
        (0..20).for_each(|_| nothing.learn(0, 12_000));
        nothing.follow(&Grain::new());
        assert_eq!(nothing.error(), 0, "the other one is not known yet");
        nothing.follow(&round());
        assert_eq!(nothing.error(), 500);
        let mut exact = Grain::new();
        exact.learn(1_817, 12_000);
        exact.follow(&round());
        assert_eq!(exact.error(), 0);
    }
}
