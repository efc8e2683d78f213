//! What is known about one model.

use serde::Deserialize;
use tokenizer::Encoding;

use super::InvalidModels;

/// What is known about one model. What is missing is not known.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelFacts {
    /// The name of the provider that these facts are true at.
    pub provider: String,
    /// The model's name, without a date where all dates are alike.
    pub name: String,
    /// The most tokens of prompt and answer together.
    #[serde(default)]
    pub context: Option<u64>,
    /// The most tokens of an answer.
    #[serde(default)]
    pub max_output: Option<u64>,
    /// The ordinary price.
    #[serde(default)]
    pub price: Option<Price>,
    /// The price of the batch service.
    #[serde(default)]
    pub batch: Option<Price>,
    /// The prices of requests with a long prompt.
    #[serde(default)]
    pub long: Option<LongContext>,
    /// The name of tiktoken's encoding.
    #[serde(default)]
    pub encoding: Option<String>,
    /// What the model shares its limits with, where it is not itself alone: see [`ModelFacts::scope`].
    #[serde(default)]
    pub scope: Option<String>,
    /// What else must be known, in words.
    #[serde(default)]
    pub note: Option<String>,
}

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of the prompt.
    pub input: f64,
    /// Of the part of the prompt that came out of a cache; `input` where it is missing.
    #[serde(default)]
    pub cached_input: Option<f64>,
    /// Of the part of the prompt that was written into a cache for a few minutes; `input` where it is missing.
    #[serde(default)]
    pub cache_write: Option<f64>,
    /// Of what is produced, reasoning included; nothing where a model produces no tokens.
    #[serde(default)]
    pub output: f64,
}

/// The prices of requests whose prompt is long. They are true for the whole request.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongContext {
    /// For prompts of more tokens than this.
    pub above: u64,
    /// The ordinary price.
    pub price: Price,
    /// The price of the batch service.
    #[serde(default)]
    pub batch: Option<Price>,
}

impl ModelFacts {
    /// Facts of which nothing but the name is known.
    #[must_use]
    pub fn new(provider: impl Into<String>, name: impl Into<String>) -> Self {
        Self { provider: provider.into(), name: name.into(), ..Self::default() }
    }

    /// What the model shares its limits with: models of the same scope draw on the same quota.
    #[must_use]
    pub fn scope(&self) -> &str {
        self.scope.as_deref().unwrap_or(&self.name)
    }

    /// tiktoken's encoding for its texts; `None` where the model has another tokenizer.
    #[must_use]
    pub fn encoding(&self) -> Option<Encoding> {
        self.encoding.as_deref().and_then(|name| name.parse().ok())
    }

    pub(super) fn check(&self) -> Result<(), InvalidModels> {
        let invalid = |reason| Err(InvalidModels::Model { model: self.name.chars().take(100).collect(), reason });
        if self.name.trim().is_empty() {
            return invalid("it has no name");
        }
        let long = self.long.iter().flat_map(|long| [Some(long.price), long.batch]);
        let prices = [self.price, self.batch].into_iter().chain(long).flatten();
        let is_payable = |price: Price| {
            let numbers = [Some(price.input), price.cached_input, price.cache_write, Some(price.output)];
            numbers.into_iter().flatten().all(|number| number.is_finite() && number >= 0.0)
        };
        if !prices.into_iter().all(is_payable) {
            return invalid("a price must be a number that is not negative");
        }
        if self.encoding.as_deref().is_some_and(|name| name.parse::<Encoding>().is_err()) {
            return invalid("no such encoding");
        }
        Ok(())
    }
}
