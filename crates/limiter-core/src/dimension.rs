//! What is metered, and amounts of it.

use core::fmt;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dimension {
    /// Requests started.
    Requests,
    /// Tokens of input and output together.
    Tokens,
    /// Tokens of the prompt.
    InputTokens,
    /// Tokens produced.
    OutputTokens,
    /// Images sent or produced.
    Images,
    /// Requests in flight at one moment. Does not refill: it comes back when a request ends.
    Concurrent,
}

impl Dimension {
    /// How many dimensions there are.
    pub const COUNT: usize = 6;

    /// Every dimension, in the order of their [`index`](Self::index).
    pub const ALL: [Self; Self::COUNT] =
        [Self::Requests, Self::Tokens, Self::InputTokens, Self::OutputTokens, Self::Images, Self::Concurrent];

    /// The position in [`Dimension::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name in lower case with underscores: `requests`, `input_tokens`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::Images => "images",
            Self::Concurrent => "concurrent_requests",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An amount in every dimension, zero where nothing was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts([u64; Dimension::COUNT]);

impl Amounts {
    /// Nothing in any dimension.
    pub const ZERO: Self = Self([0; Dimension::COUNT]);

    /// One request of `input` prompt tokens that produces `output` tokens: [`Dimension::Requests`] and
    /// [`Dimension::Concurrent`] (1 each), [`Dimension::InputTokens`], [`Dimension::OutputTokens`], and their sum,
    /// [`Dimension::Tokens`].
    #[must_use]
    pub fn of_request(input: u64, output: u64) -> Self {
        Self::ONE_REQUEST
            .with(Dimension::InputTokens, input)
            .with(Dimension::OutputTokens, output)
            .with(Dimension::Tokens, input.saturating_add(output))
    }

    /// The least that any request takes: one request, and one in flight.
    pub(crate) const ONE_REQUEST: Self = Self([1, 0, 0, 0, 0, 1]);

    /// The same amounts with `amount` in `dimension`.
    #[must_use]
    pub fn with(mut self, dimension: Dimension, amount: u64) -> Self {
        if let Some(mine) = self.0.get_mut(dimension.index()) {
            *mine = amount;
        }
        self
    }

    /// The amount in one dimension.
    #[must_use]
    pub fn of(&self, dimension: Dimension) -> u64 {
        self.0.get(dimension.index()).copied().unwrap_or_default()
    }

    /// Adds `other` in every dimension, saturating.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// Takes `other` off in every dimension, saturating at zero.
    pub fn subtract(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_sub(theirs);
        }
    }

    /// The smaller of the two in every dimension.
    #[must_use]
    pub fn min(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = (*mine).min(theirs);
        }
        self
    }

    /// The larger of the two in every dimension.
    #[must_use]
    pub fn max(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = (*mine).max(theirs);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_is_one_in_flight_and_nothing_else() {
        let amounts = Dimension::ALL.map(|dimension| (dimension, Amounts::ONE_REQUEST.of(dimension)));
        for (dimension, amount) in amounts {
            let is_counted = matches!(dimension, Dimension::Requests | Dimension::Concurrent);
            assert_eq!(amount, u64::from(is_counted), "{dimension}");
        }
    }
}
