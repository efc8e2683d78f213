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
}

impl Parts {
    /// The parts of one request in `dimension`.
    pub(crate) fn of(amounts: &Amounts, dimension: Dimension) -> Self {
        let whole = amounts.of(dimension);
        let prompt = match dimension {
            Dimension::Tokens => amounts.of(Dimension::InputTokens).min(whole),
            Dimension::OutputTokens => 0,
            _ => whole,
        };
        let output = whole - prompt;
        Self { whole, output, larger: prompt.max(output) }
    }

    pub(crate) fn add(&mut self, more: &Self) {
        self.whole = self.whole.wrapping_add(more.whole);
        self.output = self.output.wrapping_add(more.output);
        self.larger = self.larger.wrapping_add(more.larger);
    }

    fn subtract(&mut self, less: &Self) {
        self.whole = self.whole.wrapping_sub(less.whole);
        self.output = self.output.wrapping_sub(less.output);
        self.larger = self.larger.wrapping_sub(less.larger);
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
}

impl Account {
    /// Nothing.
    pub(crate) const NONE: Self =
        Self { admitted: Parts { whole: 0, output: 0, larger: 0 }, unused: 0, produced: 0, requests: 0 };

    pub(crate) fn admit(&mut self, parts: &Parts) {
        self.admitted.add(parts);
        self.requests = self.requests.wrapping_add(1);
    }

    /// A request that was admitted was not counted by the provider.
    pub(crate) fn forget(&mut self, parts: &Parts) {
        self.admitted.subtract(parts);
        self.requests = self.requests.wrapping_sub(1);
    }

    /// A request ended that took `actual` of `reserved`.
    pub(crate) fn end(&mut self, reserved: &Parts, actual: &Parts) {
        self.unused = self.unused.wrapping_add(reserved.output.wrapping_sub(actual.output));
        self.produced = self.produced.wrapping_add(actual.output);
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

    /// How many were admitted since `earlier`; less than nothing, wrapped, where more were refused.
    pub(crate) const fn requests_since(&self, earlier: &Self) -> u64 {
        self.requests.wrapping_sub(earlier.requests)
    }
}

/// The accounts of a limiter, for what is charged by a rule: the dimensions that count tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger([Account; 3]);

const DIMENSIONS: [Dimension; 3] = [Dimension::Tokens, Dimension::InputTokens, Dimension::OutputTokens];

impl Ledger {
    pub(crate) const fn new() -> Self {
        Self([Account::NONE; 3])
    }

    /// The account of `dimension`; `None` where what a request takes is never in doubt.
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

    /// A request was answered that took `actual` of `reserved`.
    pub(crate) fn end(&mut self, reserved: &Amounts, actual: &Amounts) {
        for (dimension, account) in DIMENSIONS.into_iter().zip(&mut self.0) {
            account.end(&Parts::of(reserved, dimension), &Parts::of(actual, dimension));
        }
    }
}
