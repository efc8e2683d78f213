//! What one request takes.

use crate::{Amounts, Dimension};

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
    /// A cost known exactly.
    #[must_use]
    pub const fn exact(amounts: Amounts) -> Self {
        Self { certain: amounts, expected: amounts }
    }

    /// A cost of which only `certain` is sure. Where `expected` is the smaller one, `certain` is expected.
    #[must_use]
    pub fn estimate(certain: Amounts, expected: Amounts) -> Self {
        Self { certain, expected: expected.max(&certain) }
    }

    /// One request of `input` prompt tokens that is expected to produce `output` tokens.
    ///
    /// Fills [`Dimension::Requests`] (1), [`Dimension::Concurrent`] (1), [`Dimension::InputTokens`],
    /// [`Dimension::OutputTokens`] and their sum, [`Dimension::Tokens`].
    #[must_use]
    pub fn of_request(input: u64, output: u64) -> Self {
        let certain = Amounts::ZERO
            .with(Dimension::Requests, 1)
            .with(Dimension::Concurrent, 1)
            .with(Dimension::Tokens, input)
            .with(Dimension::InputTokens, input);
        let expected =
            certain.with(Dimension::OutputTokens, output).with(Dimension::Tokens, input.saturating_add(output));
        Self { certain, expected }
    }

    /// The same cost with `more` that is certain in other dimensions (images, say).
    #[must_use]
    pub fn with_certain(mut self, more: &Amounts) -> Self {
        self.certain.add(more);
        self.expected.add(more);
        self
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
