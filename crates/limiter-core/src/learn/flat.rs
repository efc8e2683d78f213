//! What a provider charges for an answer of which nobody says how long it may be: often the most that it would produce,
//! whatever is asked for.
//!
//! Such a request costs its prompt and always the same on top, and much more than is reserved for it here. No rule that
//! looks at what a request says can tell that; what remains after each does.

use crate::learn::Word;
use crate::learn::charge::Shape;

/// What each request is charged beside its prompt, as far as that is the same for all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flat {
    last: Option<Word>,
    mean: u64,
    /// How many samples in a row agreed, and how many did not since it is believed.
    samples: u32,
    misses: u32,
    is_believed: bool,
}

/// So many samples that agree are no chance, and so many in a row that do not say that it is something else: as many as
/// tell the rules of charging apart.
const ENOUGH: u32 = 3;
/// They agree within an eighth: prompts are not counted alike.
const ALIKE: u64 = 8;
/// More is charged than was reserved, by a quarter: less than that another rule may explain, and it costs little.
const MORE: (u64, u64) = (5, 4);
/// Of more requests than this the mean is taken, which is the same of many things.
const MOST: u64 = 8;

impl Flat {
    pub(crate) const fn new() -> Self {
        Self { last: None, mean: 0, samples: 0, misses: 0, is_believed: false }
    }

    /// What each request is charged beside its prompt, where that is known.
    pub(crate) const fn amount(&self) -> Option<u64> {
        if self.is_believed { Some(self.mean) } else { None }
    }

    /// Takes in a word about a limit of this shape that includes all that had been admitted, and nothing else. Whether it
    /// is known from now on what each request is charged, and was not before.
    pub(crate) fn learn(&mut self, word: &Word, limit: &Shape) -> bool {
        let Some(last) = self.last.replace(*word) else { return false };
        let requests = word.account.requests_since(&last.account);
        let admitted = word.account.admitted_since(&last.account);
        let before = last.remaining.saturating_add(limit.refilled(last.at, word.at));
        // Where some has run over nobody knows what was lost.
        let is_clear = word.at >= last.at && !limit.turned(last.at, word.at) && before <= limit.full;
        if !(1..=MOST).contains(&requests) || admitted.whole > u64::MAX / 2 || !is_clear {
            return false;
        }
        let (lost, prompts) = (before.saturating_sub(word.remaining), admitted.whole.saturating_sub(admitted.output));
        self.sample(lost.saturating_sub(prompts) / requests, admitted.output / requests)
    }

    /// Each of a few requests was charged `beside` its prompt, where so much was `reserved`.
    fn sample(&mut self, beside: u64, reserved: u64) -> bool {
        let is_alike = beside.abs_diff(self.mean) <= self.mean / ALIKE;
        if self.is_believed {
            self.misses = if is_alike { 0 } else { self.misses + 1 };
            if self.misses >= ENOUGH {
                *self = Self { last: self.last, ..Self::new() };
            }
            return false;
        }
        if beside.saturating_mul(MORE.1) <= reserved.saturating_mul(MORE.0) {
            self.samples = 0;
            return false;
        }
        if self.samples > 0 && is_alike {
            let samples = u64::from(self.samples);
            self.mean = self.mean.saturating_mul(samples).saturating_add(beside) / (samples + 1);
            self.samples += 1;
        } else {
            (self.mean, self.samples) = (beside, 1);
        }
        self.is_believed = self.samples >= ENOUGH;
        self.is_believed
    }

    /// Words before are not to be compared with later ones.
    pub(crate) const fn interrupt(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(samples: impl IntoIterator<Item = (u64, u64)>) -> Option<u64> {
        let mut flat = Flat::new();
        samples.into_iter().for_each(|(beside, reserved)| {
            flat.sample(beside, reserved);
        });
        flat.amount()
    }

    #[test]
    fn what_is_always_charged_and_much_more_than_is_reserved_is_believed() {
        assert_eq!(after([(1_024, 512), (1_030, 512)]), None);
        assert_eq!(after([(1_024, 512), (1_030, 512), (1_018, 20)]), Some(1_024));
    }

    #[test]
    fn what_differs_or_was_reserved_is_not() {
        assert_eq!(after((0..40).map(|n| (500 + n % 2 * 200, 100))), None);
        assert_eq!(after([(500, 500); 40]), None);
        assert_eq!(after([(0, 0); 40]), None);
    }

    #[test]
    fn another_charge_is_noticed() {
        let changed = [(1_024, 100); 3].into_iter().chain([(300, 300); 2]);
        assert_eq!(after(changed.clone()), Some(1_024));
        assert_eq!(after(changed.chain([(300, 300)])), None);
    }
}
