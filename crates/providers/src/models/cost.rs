//! What a usage comes to.

use super::{ModelFacts, Price};
use crate::Usage;

/// How a request is billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Billing {
    /// At once, at the ordinary price.
    #[default]
    Standard,
    /// By the batch service, later and cheaper.
    Batch,
}

impl Price {
    /// What a usage comes to at this price, in US dollars. The cached and the cache-written parts of the input have
    /// prices of their own; reasoning is output.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> f64 {
        // Parts of the input that are larger than it cannot be: they are taken for all of it.
        let cached = usage.cached_input.min(usage.input);
        let written = usage.cache_written.min(usage.input - cached);
        let fresh = usage.input - cached - written;
        let millions = |tokens: u64| tokens as f64 / 1e6;
        millions(fresh) * self.input
            + millions(cached) * self.cached_input.unwrap_or(self.input)
            + millions(written) * self.cache_write.unwrap_or(self.input)
            + millions(usage.output) * self.output
    }
}

impl ModelFacts {
    /// The price for a request whose prompt has `input` tokens; `None` where none is known. A model without a price for
    /// batches has none there, because not every model is taken in batches.
    #[must_use]
    pub fn price_for(&self, input: u64, billing: Billing) -> Option<Price> {
        let (short, long) = match billing {
            Billing::Standard => (self.price, self.long.map(|long| long.price)),
            Billing::Batch => (self.batch, self.long.and_then(|long| long.batch)),
        };
        match self.long {
            Some(limit) if input > limit.above => long,
            _ => short,
        }
    }

    /// What a usage comes to, in US dollars; `None` where no price is known.
    #[must_use]
    pub fn cost(&self, usage: &Usage, billing: Billing) -> Option<f64> {
        self.price_for(usage.input, billing).map(|price| price.of(usage))
    }
}
