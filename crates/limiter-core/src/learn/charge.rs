//! By which rule a provider charges, found out by comparing what was sent with what `remaining` lost.
//!
//! Providers charge the prompt and `max_tokens`, or the larger one of both, or the prompt alone, or what was produced
//! when it has been; they count tokens in their own way, leave cached ones out, and change all of it without notice.
//! What is reserved beyond the charge is quota that nobody uses while the request is in flight; what is reserved less
//! is a refusal. So each rule keeps its own account of what should have been lost between two of the provider's words,
//! the one that explains them best is believed, and what it explains by a constant factor too much or too little (a
//! tokenizer, a cache) is multiplied with it.

use crate::learn::ledger::{Account, Parts};
use crate::{Nanos, Refill};

/// A way to charge a request for tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// All that may be taken, when it begins.
    Whole,
    /// The larger one of the prompt and what may be produced, when it begins.
    Larger,
    /// The prompt, when it begins.
    Prompt,
    /// All that may be taken when it begins, corrected to what was taken when it ends.
    Corrected,
    /// The prompt when it begins, and what was produced when it ends.
    Late,
}

impl Rule {
    /// In the order in which they are preferred where several explain as much: careful ones first.
    const ALL: [Self; 5] = [Self::Whole, Self::Corrected, Self::Larger, Self::Late, Self::Prompt];

    const fn index(self) -> usize {
        self as usize
    }

    /// What this rule charges for all that happened from `earlier` to `account`.
    pub(crate) fn charged(self, account: &Account, earlier: &Account) -> i64 {
        let admitted = account.admitted_since(earlier);
        let prompt = admitted.whole.wrapping_sub(admitted.output);
        let charged = match self {
            Self::Whole => admitted.whole,
            Self::Larger => admitted.larger,
            Self::Prompt => prompt,
            Self::Corrected => admitted.whole.wrapping_sub(account.unused_since(earlier)),
            Self::Late => prompt.wrapping_add(account.produced_since(earlier)),
        };
        // It wrapped below nothing where more was refused than admitted.
        charged.cast_signed()
    }

    /// Whether the end of a request changes what it is charged.
    pub(crate) const fn settles(self) -> bool {
        matches!(self, Self::Corrected | Self::Late)
    }
}

/// A word of the provider's, and what had been admitted when its request was.
#[derive(Clone, Copy, Debug)]
struct Word {
    at: Nanos,
    remaining: u64,
    account: Account,
    /// What may be part of the word or not.
    doubtful: u64,
}

/// What one rule has explained.
#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    /// What was lost and what the rule would have charged for it, where neither was cut off.
    lost: u64,
    charged: u64,
    /// By how much its predictions were off.
    error: u64,
}

/// By which rule one limit is charged, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    rule: Rule,
    /// What the provider charges for 1,024 units by that rule.
    factor: u64,
    anchor: Option<Word>,
    evidence: [Evidence; 5],
    /// What was lost or came back in all intervals looked at.
    moved: u64,
    intervals: u32,
}

/// What ended after a word was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    /// How much less was produced than had been reserved for it. Wraps.
    pub(crate) unused: u64,
    /// What was produced. Wraps.
    pub(crate) produced: u64,
}

/// One as a factor.
pub(crate) const ONE: u64 = 1_024;
/// The provider may count a prompt in another way, and leave cached tokens out, but not by more than this.
const LEAST_FACTOR: u64 = ONE / 16;
const MOST_FACTOR: u64 = ONE * 4;
/// Two words are compared when so much of the window lies between them that a few requests counted in another order
/// are little beside it: a fortieth, 1.5 s of a minute.
const INTERVALS_PER_WINDOW: u64 = 40;
/// And so many requests.
const REQUESTS: u64 = 8;
/// Fewer intervals tell too little.
const ENOUGH: u32 = 3;
/// What is older than this many intervals counts half.
const MEMORY: u32 = 8;

impl Charge {
    pub(crate) const fn new() -> Self {
        const NONE: Evidence = Evidence { lost: 0, charged: 0, error: 0 };
        Self { rule: Rule::Whole, factor: ONE, anchor: None, evidence: [NONE; 5], moved: 0, intervals: 0 }
    }

    /// What the provider charges for 1,024 units by that rule.
    pub(crate) const fn factor(&self) -> u64 {
        self.factor
    }

    pub(crate) const fn rule(&self) -> Rule {
        self.rule
    }

    /// Whether so little was compared that any rule may still be right.
    pub(crate) const fn is_unsettled(&self) -> bool {
        self.intervals < ENOUGH
    }

    /// What is reserved for a request of these parts, where `yields` of 1,024 units that may be produced are.
    pub(crate) fn amount(&self, parts: &Parts, yields: u64) -> u64 {
        let amount = match self.rule {
            Rule::Whole | Rule::Corrected => parts.whole,
            Rule::Larger => parts.larger,
            Rule::Prompt => parts.whole.saturating_sub(parts.output),
            Rule::Late => parts.whole.saturating_sub(parts.output).saturating_add(scaled(parts.output, yields)),
        };
        scaled(amount, self.factor)
    }

    /// What a request is charged in the end for which `reserved` was reserved and that took `actual`. The prompt is what it
    /// was counted as at first: how many tokens it had is not how a limit counts it.
    pub(crate) fn settled(&self, reserved: &Parts, actual: &Parts) -> u64 {
        scaled(reserved.whole.saturating_sub(reserved.output).saturating_add(actual.output), self.factor)
    }

    /// What has to be there for a request of these parts: at least what it is charged, of which the average may be too
    /// little for one; and all that it may take, as far as that is no more than a quarter of what there can be (`full`).
    /// A bucket in which a little is left over flows as fast as one that is empty.
    pub(crate) fn needed(&self, parts: &Parts, yields: u64, full: u64) -> u64 {
        let charged = Self { factor: self.factor.max(ONE), ..*self }.amount(parts, yields);
        charged.max(parts.whole.min(full / 4))
    }

    /// What is charged for the prompt alone.
    pub(crate) fn prompt(&self, parts: &Parts) -> u64 {
        scaled(parts.whole.saturating_sub(parts.output), self.factor)
    }

    /// What a word does not include: what is charged for those `in_flight` that may not have been counted, and what the
    /// end of others (`ended`) has changed since. What is charged when a request ends is not included for `all` that are
    /// in flight.
    pub(crate) fn unsaid(&self, in_flight: &Parts, all: &Parts, ended: &Ends, yields: u64) -> u64 {
        let counted = match self.rule {
            Rule::Whole | Rule::Larger | Rule::Prompt => return self.amount(in_flight, yields),
            Rule::Corrected => signed(in_flight.whole).saturating_sub(ended.unused.cast_signed()),
            Rule::Late => {
                let prompt = in_flight.whole.saturating_sub(in_flight.output);
                let coming = prompt.saturating_add(scaled(all.output, yields));
                signed(coming).saturating_add(ended.produced.cast_signed())
            }
        };
        scaled(counted.max(0).unsigned_abs(), self.factor)
    }

    /// The limit is another one: what was said of the old one can't be compared with what is said of this one.
    pub(crate) const fn interrupt(&mut self) {
        self.anchor = None;
    }

    /// The provider says that `remaining` was left at `at` of a limit that holds `full`, when `account` had been
    /// admitted. `rate` units come back in `window`, as `refill` says. `is_last` where no other word may come for long.
    pub(crate) fn learn(&mut self, word: (u64, Nanos, Account), doubtful: u64, limit: &Shape, is_rare: bool) {
        let (remaining, at, account) = word;
        let word = Word { at, remaining, account, doubtful };
        let Some(anchor) = self.anchor else {
            self.anchor = Some(word);
            return;
        };
        if at < anchor.at || limit.turned(anchor.at, at) {
            self.anchor = Some(word);
            return;
        }
        let requests = account.requests_since(&anchor.account);
        let is_long = at.saturating_sub(anchor.at).get() >= limit.window.get() / INTERVALS_PER_WINDOW;
        // One that went below what was admitted before was refused.
        if !(REQUESTS..=u64::MAX / 2).contains(&requests) || !is_long {
            return;
        }
        // In a burst nobody knows what was counted before what.
        let admitted = account.admitted_since(&anchor.account).whole;
        if doubtful > admitted / 4 {
            return;
        }
        self.anchor = Some(word);
        if anchor.doubtful > admitted / 4 {
            return;
        }
        self.compare(&anchor, &word, limit);
        self.choose(is_rare);
    }

    fn compare(&mut self, anchor: &Word, word: &Word, limit: &Shape) {
        let back = limit.refilled(anchor.at, word.at);
        let before = i128::from(anchor.remaining) + i128::from(back);
        // Near the top some of what came back may have run over.
        let is_cut = word.remaining.max(anchor.remaining) > limit.full - limit.full / 10;
        if self.intervals.is_multiple_of(MEMORY) && self.intervals > 0 {
            self.moved /= 2;
            for evidence in &mut self.evidence {
                evidence.lost /= 2;
                evidence.charged /= 2;
                evidence.error /= 2;
            }
        }
        self.intervals = self.intervals.saturating_add(1);
        let lost = u64::try_from(before - i128::from(word.remaining)).unwrap_or(0);
        let mut all = 0;
        for rule in Rule::ALL {
            let charged = rule.charged(&word.account, &anchor.account).max(0).unsigned_abs();
            all = charged.max(all);
            let Some(evidence) = self.evidence.get_mut(rule.index()) else { continue };
            if !is_cut {
                evidence.lost = evidence.lost.saturating_add(lost);
                evidence.charged = evidence.charged.saturating_add(charged);
            }
            let scaled = i128::from(scaled(charged, evidence.factor()));
            let predicted = (before - scaled).clamp(0, i128::from(limit.full));
            let error = predicted.abs_diff(i128::from(word.remaining));
            evidence.error = evidence.error.saturating_add(u64::try_from(error).unwrap_or(u64::MAX));
        }
        self.moved = self.moved.saturating_add(lost.max(all));
    }

    /// Believes the most careful of the rules that explain nearly as much as the one that explains most: two rules may
    /// come to the same in the long run and differ in what they hold for those in flight.
    fn choose(&mut self, is_rare: bool) {
        let doubt = |evidence: &Evidence| {
            // A rule that has to be bent far is less likely than one that fits as it is.
            let bent = u128::from(evidence.factor().abs_diff(ONE)) * u128::from(self.moved) / u128::from(4 * ONE);
            evidence.error.saturating_add(u64::try_from(bent).unwrap_or(u64::MAX))
        };
        let error = |rule: Rule| self.evidence.get(rule.index()).map_or(u64::MAX, doubt);
        let enough = if is_rare { 1 } else { ENOUGH };
        if self.intervals < enough || self.moved == 0 {
            return;
        }
        let least = Rule::ALL.into_iter().map(error).min().unwrap_or(0);
        // A twentieth of all that moved is chance: requests that are counted in another order, rounded figures.
        let acceptable = least.saturating_add(self.moved / 20);
        self.rule = Rule::ALL.into_iter().find(|rule| error(*rule) <= acceptable).unwrap_or(self.rule);
        let Some(evidence) = self.evidence.get(self.rule.index()) else { return };
        let factor = evidence.factor();
        let factor = if is_rare { factor } else { careful(factor) };
        // Where it differs by less than that, changing it is noise.
        if factor.abs_diff(self.factor) > self.factor / 50 {
            self.factor = factor;
        }
    }
}

impl Evidence {
    fn factor(&self) -> u64 {
        if self.charged == 0 || self.lost == 0 {
            return ONE;
        }
        let factor = u128::from(self.lost) * u128::from(ONE) / u128::from(self.charged);
        u64::try_from(factor).unwrap_or(u64::MAX).clamp(LEAST_FACTOR, MOST_FACTOR)
    }
}

/// A factor that holds for each request, where `factor` holds on average. What is charged for a large one differs from
/// what is charged for a small one, by what stands around the prompt if by nothing else, and where every answer tells what
/// remains, a little too much is corrected at once: so only what makes much of a difference is believed, and not to the
/// last part. Where answers are rare, what is too much adds up, and the average is what counts.
const fn careful(factor: u64) -> u64 {
    if factor >= ONE {
        factor
    } else if factor >= ONE - ONE / 4 {
        ONE
    } else {
        factor + factor / 8
    }
}

/// What a limit gives back, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) amount: u64,
    pub(crate) window: Nanos,
    /// The most that can be there.
    pub(crate) full: u64,
    pub(crate) refill: Refill,
}

impl Shape {
    /// What comes back between two instants.
    fn refilled(&self, from: Nanos, to: Nanos) -> u64 {
        if self.refill != Refill::Continuous {
            return 0;
        }
        let span = u128::from(to.saturating_sub(from).get());
        u64::try_from(span * u128::from(self.amount) / u128::from(self.window.get())).unwrap_or(u64::MAX)
    }

    /// Whether everything came back at once between two instants, or nobody knows what did.
    fn turned(&self, from: Nanos, to: Nanos) -> bool {
        match self.refill {
            Refill::Continuous => false,
            Refill::AtBoundary { phase } => {
                let window = i128::from(self.window.get());
                let number = |at: Nanos| (i128::from(at.get()) - i128::from(phase.get())).div_euclid(window);
                number(from) != number(to)
            }
            _ => true,
        }
    }
}

/// An amount that does not wrap, as far as there are numbers with a sign.
fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

/// `amount` times `factor` / 1,024, rounded up.
pub(crate) fn scaled(amount: u64, factor: u64) -> u64 {
    if factor == ONE {
        return amount;
    }
    let product = (u128::from(amount) * u128::from(factor)).div_ceil(u128::from(ONE));
    u64::try_from(product).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
