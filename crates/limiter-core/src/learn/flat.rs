//! What a provider charges for an answer of which nobody says how long it may be: often the most that it would produce,
//! whatever is asked for.
//!
//! Such a request costs its prompt and always the same on top, or the larger one of both, and much more than is reserved
//! for it here. No rule that
//! looks at what a request says can tell that; what remains after each does.

use crate::learn::Word;
use crate::learn::charge::Shape;
use crate::learn::ledger::Parts;

/// What each request is charged, as far as that is the same for all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flat {
    last: Option<Word>,
    /// The least and the most that requests were charged, beside their prompts and with them.
    least: [u64; 2],
    most: [u64; 2],
    /// How many samples in a row agreed, and how many did not since one is believed.
    samples: u32,
    misses: u32,
    believed: Option<Kind>,
}

/// What is the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// What is charged beside the prompt.
    Beside,
    /// All that is charged.
    Whole,
}

impl Kind {
    const fn of(self, [beside, whole]: [u64; 2]) -> u64 {
        match self {
            Self::Beside => beside,
            Self::Whole => whole,
        }
    }
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
        Self { last: None, least: [0; 2], most: [0; 2], samples: 0, misses: 0, believed: None }
    }

    /// Whether it is known what each request is charged.
    pub(crate) const fn is_believed(&self) -> bool {
        self.believed.is_some()
    }

    /// What requests of these parts are charged, where that is known.
    pub(crate) fn amount(&self, parts: &Parts) -> Option<u64> {
        let kind = self.believed?;
        let prompt = parts.whole.saturating_sub(parts.output);
        let same = kind.of(self.most).saturating_mul(parts.requests);
        Some(match kind {
            Kind::Beside => prompt.saturating_add(same),
            Kind::Whole => prompt.max(same),
        })
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
        // Both figures are whole units of what is not: a little less may have been lost than they say, or more.
        let lost = before.saturating_sub(word.remaining).saturating_add(1);
        let prompts = admitted.whole.saturating_sub(admitted.output);
        self.sample([lost.saturating_sub(prompts) / requests, lost / requests], admitted.output / requests)
    }

    /// Each of a few requests was `charged` so much beside its prompt and with it, where so much was `reserved` beside it.
    fn sample(&mut self, charged: [u64; 2], reserved: u64) -> bool {
        let is_alike = |kind: Kind| {
            let (least, most) = (kind.of(self.least).min(kind.of(charged)), kind.of(self.most).max(kind.of(charged)));
            most - least <= most / ALIKE
        };
        if let Some(kind) = self.believed {
            self.misses = if is_alike(kind) { 0 } else { self.misses + 1 };
            if self.misses >= ENOUGH {
                *self = Self { last: self.last, ..Self::new() };
            }
            return false;
        }
        let (beside, whole) = (Kind::Beside.of(charged), Kind::Whole.of(charged));
        // Nobody counts a prompt twice as long: less than that another rule explains. Where there is no prompt, that says
        // nothing.
        let another =
            reserved.saturating_add(whole.saturating_sub(beside)).max(reserved.saturating_mul(MORE.0) / MORE.1);
        if beside <= another {
            self.samples = 0;
            return false;
        }
        if self.samples > 0 && (is_alike(Kind::Beside) || is_alike(Kind::Whole)) {
            for ((least, most), charged) in self.least.iter_mut().zip(&mut self.most).zip(charged) {
                (*least, *most) = (charged.min(*least), charged.max(*most));
            }
            self.samples += 1;
        } else {
            (self.least, self.most, self.samples) = (charged, charged, 1);
        }
        if self.samples >= ENOUGH {
            let spread = |kind: Kind| kind.of(self.most) - kind.of(self.least);
            let is_whole = spread(Kind::Whole) < spread(Kind::Beside);
            self.believed = Some(if is_whole { Kind::Whole } else { Kind::Beside });
        }
        self.is_believed()
    }

    /// Words before are not to be compared with later ones.
    pub(crate) const fn interrupt(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a request with a prompt of 100 is charged by what was seen: (beside the prompt, with it, reserved).
    fn after(samples: impl IntoIterator<Item = (u64, u64, u64)>) -> Option<u64> {
        let mut flat = Flat::new();
        samples.into_iter().for_each(|(beside, whole, reserved)| {
            flat.sample([beside, whole], reserved);
        });
        flat.amount(&Parts { whole: 150, output: 50, larger: 100, requests: 1 })
    }

    #[test]
    fn what_is_always_charged_and_much_more_than_is_reserved_is_believed() {
        assert_eq!(after([(1_024, 1_044, 512), (1_020, 1_150, 512)]), None);
        assert_eq!(after([(1_024, 1_044, 512), (1_020, 1_150, 512), (1_018, 1_038, 20)]), Some(1_124));
        // The larger one of it and the prompt.
        assert_eq!(after([(1_004, 1_024, 512), (894, 1_024, 512), (1_000, 1_024, 20)]), Some(1_024));
    }

    #[test]
    fn what_differs_or_was_reserved_is_not() {
        assert_eq!(after((0..40).map(|n| (500 + n % 2 * 200, 600 + n % 2 * 200, 100))), None);
        assert_eq!(after([(500, 600, 500); 40]), None);
        // Without prompts, a word of whole units may say that one more was taken.
        assert_eq!(after([(101, 101, 100); 40]), None);
        assert_eq!(after([(0, 0, 0); 40]), None);
    }

    #[test]
    fn another_charge_is_noticed() {
        let changed = [(1_024, 1_124, 100); 3].into_iter().chain([(300, 400, 300); 2]);
        assert_eq!(after(changed.clone()), Some(1_124));
        assert_eq!(after(changed.chain([(300, 400, 300)])), None);
    }
}
