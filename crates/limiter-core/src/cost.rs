//! What one request takes.

use crate::{Amounts, Dimension, Limit};

/// The amounts that one request takes in every dimension: what is certain, and what is expected.
///
/// The prompt is certain. What will be produced is an estimate (often `max_tokens`), so a request whose estimate alone
/// is larger than a bucket can ever hold is let through on a full bucket, and one whose certain part is larger is
/// refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    certain: Amounts,
    expected: Amounts,
}

impl Cost {
    /// What an amount above it counts as: more than any limit allows.
    pub const MAX_AMOUNT: u64 = 2 * Limit::MAX_AMOUNT;

    /// A cost known exactly. Whatever it names, it is at least one request and one in flight.
    #[must_use]
    pub fn exact(amounts: Amounts) -> Self {
        Self::estimate(amounts, amounts)
    }

    /// A cost of which only `certain` is sure. Where `expected` is the smaller one, `certain` is expected. Whatever they
    /// name, it is at least one request and one in flight.
    #[must_use]
    pub fn estimate(certain: Amounts, expected: Amounts) -> Self {
        let most = Dimension::ALL.into_iter().fold(Amounts::ZERO, |most, it| most.with(it, Self::MAX_AMOUNT));
        let certain = certain.max(&Amounts::ONE_REQUEST).min(&most);
        Self { certain, expected: expected.max(&certain).min(&most) }
    }

    /// One request of `input` prompt tokens, which is certain, that is expected to produce `output` tokens: see
    /// [`Amounts::of_request`].
    #[must_use]
    pub fn of_request(input: u64, output: u64) -> Self {
        Self::estimate(Amounts::of_request(input, 0), Amounts::of_request(input, output))
    }

    /// The same cost with `more` that is certain in other dimensions (images, say).
    #[must_use]
    pub fn with_certain(mut self, more: &Amounts) -> Self {
        self.certain.add(more);
        self.expected.add(more);
        Self::estimate(self.certain, self.expected)
    }

    /// What is sure to be taken.
    #[must_use]
    pub const fn certain(&self) -> &Amounts {
        &self.certain
    }

    /// What is reserved: at least the certain part in every dimension.
    #[must_use]
    pub const fn expected(&self) -> &Amounts {
        &self.expected
    }
}
