//! What was admitted so far, by the parts that a rule of charging may look at.

use crate::{Amounts, Dimension};

/// Amounts of one dimension, by the parts that a rule may look at. Each wraps: only differences mean anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// All of it.
    pub(crate) whole: u64,
    /// What may be produced.
    pub(crate) output: u64,
    /// The larger one of the prompt and what may be produced.
    pub(crate) larger: u64,
    /// How many requests they are of.
    pub(crate) requests: u64,
}

impl Parts {
    /// Of nothing.
    pub(crate) const NONE: Self = Self { whole: 0, output: 0, larger: 0, requests: 0 };

    /// The parts of one request in `dimension`.
    pub(crate) fn of(amounts: &Amounts, dimension: Dimension) -> Self {
        let whole = amounts.of(dimension);
        let prompt = match dimension {
            Dimension::Tokens => amounts.of(Dimension::InputTokens).min(whole),
            Dimension::OutputTokens => 0,
            _ => whole,
        };
        let output = whole - prompt;
        Self { whole, output, larger: prompt.max(output), requests: 1 }
    }

    fn add(&mut self, more: &Self) {
        self.whole = self.whole.wrapping_add(more.whole);
        self.output = self.output.wrapping_add(more.output);
        self.larger = self.larger.wrapping_add(more.larger);
        self.requests = self.requests.wrapping_add(more.requests);
    }

    /// The sum of amounts that are not differences: at the end of the numbers it stays there.
    pub(crate) const fn saturating_add(self, more: &Self) -> Self {
        Self {
            whole: self.whole.saturating_add(more.whole),
            output: self.output.saturating_add(more.output),
            larger: self.larger.saturating_add(more.larger),
            requests: self.requests.saturating_add(more.requests),
        }
    }

    fn subtract(&mut self, less: &Self) {
        self.whole = self.whole.wrapping_sub(less.whole);
        self.output = self.output.wrapping_sub(less.output);
        self.larger = self.larger.wrapping_sub(less.larger);
        self.requests = self.requests.wrapping_sub(less.requests);
    }

    /// What was counted here since `earlier`.
    fn since(mut self, earlier: &Self) -> Self {
        self.subtract(earlier);
        self
    }
}

/// Everything that was admitted so far and has not been refused, in one dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    admitted: Parts,
    /// What requests that have ended did not produce of what was reserved for that. Wraps.
    unused: u64,
    /// What requests that have ended produced. Wraps.
    produced: u64,
    requests: u64,
    /// What requests took that ended without an answer, as far as anybody knows. Wraps.
    unanswered: Parts,
    /// What was reserved for those that were answered. Wraps.
    answered: u64,
}

impl Account {
    /// Nothing.
    pub(crate) const NONE: Self =
        Self { admitted: Parts::NONE, unused: 0, produced: 0, requests: 0, unanswered: Parts::NONE, answered: 0 };

    pub(crate) fn admit(&mut self, parts: &Parts) {
        self.admitted.add(parts);
        self.requests = self.requests.wrapping_add(1);
    }

    /// A request that was admitted was not counted by the provider.
    pub(crate) fn forget(&mut self, parts: &Parts) {
        self.admitted.subtract(parts);
        self.requests = self.requests.wrapping_sub(1);
    }

    /// A request ended without an answer that may have been counted.
    pub(crate) fn lose(&mut self, parts: &Parts) {
        self.unanswered.add(parts);
    }

    /// What ended without an answer since `earlier`.
    pub(crate) fn unanswered_since(&self, earlier: &Self) -> Parts {
        self.unanswered.since(&earlier.unanswered)
    }

    /// A request ended that took `actual` of `reserved`.
    pub(crate) fn end(&mut self, reserved: &Parts, actual: &Parts) {
        self.unused = self.unused.wrapping_add(reserved.output.wrapping_sub(actual.output));
        self.produced = self.produced.wrapping_add(actual.output);
        self.answered = self.answered.wrapping_add(reserved.whole);
    }

    /// What was in flight then or went since, up to `now`, and was not refused. What had been answered by then was counted
    /// before whatever went later; what ended without an answer may be counted at any time.
    pub(crate) const fn beside(&self, now: &Self) -> u64 {
        now.admitted.whole.wrapping_sub(self.answered)
    }

    /// What has ended is what had by `other`.
    pub(crate) const fn has_ended_as(&mut self, other: &Self) {
        (self.unused, self.produced) = (other.unused, other.produced);
    }

    /// What was admitted since `earlier` and not refused.
    pub(crate) fn admitted_since(&self, earlier: &Self) -> Parts {
        self.admitted.since(&earlier.admitted)
    }

    /// What requests that ended since `earlier` did not produce of what was reserved for that. Wraps.
    pub(crate) const fn unused_since(&self, earlier: &Self) -> u64 {
        self.unused.wrapping_sub(earlier.unused)
    }

    /// What requests produced that ended since `earlier`.
    pub(crate) const fn produced_since(&self, earlier: &Self) -> u64 {
        self.produced.wrapping_sub(earlier.produced)
    }

    /// What was admitted on average, and not refused.
    pub(crate) fn mean(&self) -> u64 {
        self.admitted.whole / self.requests.max(1)
    }

    /// How many were admitted since `earlier`; less than nothing, wrapped, where more were refused.
    pub(crate) const fn requests_since(&self, earlier: &Self) -> u64 {
        self.requests.wrapping_sub(earlier.requests)
    }
}

/// The accounts of a limiter: requests, of which it is certain what they take, and the dimensions that count tokens, which
/// are charged by a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger([Account; 4]);

const DIMENSIONS: [Dimension; 4] =
    [Dimension::Requests, Dimension::Tokens, Dimension::InputTokens, Dimension::OutputTokens];

impl Ledger {
    pub(crate) const fn new() -> Self {
        Self([Account::NONE; 4])
    }

    /// The account of `dimension`; `None` where none is kept.
    pub(crate) fn of(&self, dimension: Dimension) -> Option<&Account> {
        DIMENSIONS.iter().zip(&self.0).find(|(known, _)| **known == dimension).map(|(_, account)| account)
    }

    pub(crate) fn admit(&mut self, amounts: &Amounts) {
        for (dimension, account) in DIMENSIONS.into_iter().zip(&mut self.0) {
            account.admit(&Parts::of(amounts, dimension));
        }
    }

    /// A request that was admitted was not counted by the provider.
    pub(crate) fn forget(&mut self, amounts: &Amounts) {
        for (dimension, account) in DIMENSIONS.into_iter().zip(&mut self.0) {
            account.forget(&Parts::of(amounts, dimension));
        }
    }

    /// A request ended without an answer that may have been counted.
    pub(crate) fn lose(&mut self, amounts: &Amounts) {
        for (dimension, account) in DIMENSIONS.into_iter().zip(&mut self.0) {
            account.lose(&Parts::of(amounts, dimension));
        }
    }

    /// A request was answered that took `actual` of `reserved`.
    pub(crate) fn end(&mut self, reserved: &Amounts, actual: &Amounts) {
        for (dimension, account) in DIMENSIONS.into_iter().zip(&mut self.0) {
            account.end(&Parts::of(reserved, dimension), &Parts::of(actual, dimension));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_request_add_up_in_every_dimension() {
        let request = Amounts::of_request(300, 500);
        let unsplit = Amounts::ZERO.with(Dimension::Tokens, 800);
        for (amounts, dimension, whole, output, larger) in [
            (request, Dimension::Tokens, 800, 500, 500),
            (request, Dimension::InputTokens, 300, 0, 300),
            (request, Dimension::OutputTokens, 500, 500, 500),
            (request, Dimension::Requests, 1, 0, 1),
            (unsplit, Dimension::Tokens, 800, 800, 800),
            // A prompt that is larger than the whole is a mistake.
            (unsplit.with(Dimension::InputTokens, 900), Dimension::Tokens, 800, 0, 800),
            (Amounts::of_request(u64::MAX, u64::MAX), Dimension::Tokens, u64::MAX, 0, u64::MAX),
        ] {
            assert_eq!(
                Parts::of(&amounts, dimension),
                Parts { whole, output, larger, requests: 1 },
                "{amounts:?} of {dimension}"
            );
        }
    }

    /// Differences are right however far the sums have gone, also across the end of the numbers.
    #[test]
    fn sums_that_wrap_have_the_right_differences() {
        let absurd = Amounts::of_request(u64::MAX / 3, u64::MAX / 2);
        let mut ledger = Ledger::new();
        for round in 0..100 {
            let before = ledger;
            ledger.admit(&Amounts::of_request(30, 50));
            ledger.admit(&Amounts::of_request(3, 70));
            ledger.end(&Amounts::of_request(30, 50), &Amounts::of_request(30, 90));
            let (account, earlier) = (ledger.of(Dimension::Tokens).unwrap(), before.of(Dimension::Tokens).unwrap());
            let parts = Parts { whole: 153, output: 120, larger: 120, requests: 2 };
            assert_eq!(account.admitted_since(earlier), parts, "{round}");
            assert_eq!((account.requests_since(earlier), account.produced_since(earlier)), (2, 90));
            // More than was reserved was produced.
            assert_eq!(account.unused_since(earlier).cast_signed(), -40);
            ledger.admit(&absurd);
            ledger.end(&absurd, &Amounts::of_request(0, u64::MAX / 5 * 3));
        }
    }

    #[test]
    fn more_that_is_forgotten_than_was_admitted_wraps_and_comes_back() {
        let mut ledger = Ledger::new();
        let before = ledger;
        let request = Amounts::of_request(10, u64::MAX / 2);
        (0..5).for_each(|_| ledger.forget(&request));
        let requests = |ledger: &Ledger| {
            let earlier = before.of(Dimension::OutputTokens).unwrap();
            ledger.of(Dimension::OutputTokens).unwrap().requests_since(earlier).cast_signed()
        };
        assert_eq!(requests(&ledger), -5);
        (0..5).for_each(|_| ledger.admit(&request));
        assert_eq!(ledger, before);
        assert!(ledger.of(Dimension::Images).is_none());
    }

    #[test]
    fn what_was_answered_before_a_request_went_is_in_no_doubt_and_what_ended_without_an_answer_stays() {
        let mut account = Account::NONE;
        let of = |whole| Parts { whole, ..Parts::NONE };
        [1, 20, 300, 4_000].into_iter().for_each(|whole| account.admit(&of(whole)));
        account.end(&of(1), &of(1));
        account.lose(&of(20));
        let then = account;
        assert_eq!(then.beside(&account), 4_320);
        account.end(&of(4_000), &of(4_000));
        account.admit(&of(50_000));
        account.forget(&of(300));
        assert_eq!(then.beside(&account), 54_020, "whatever was answered since may have been counted later");
        assert_eq!(account.beside(&account), 50_020);
    }
}
