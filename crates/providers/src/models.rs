//! What is known about models: windows, prices, encodings, shared limits. Nothing is refused for not being known.
//!
//! The facts of this crate stand in `data/models.json`, with their date and their sources. Prices change by the week:
//! programs lay their own facts over these with [`ModelTable::insert`] and [`ModelTable::extend_from_json`].
//!
//! ```
//! use providers::{Billing, ModelTable, Usage};
//!
//! let mut usage = Usage::default();
//! (usage.input, usage.output) = (1_000_000, 100_000);
//! let mut table = ModelTable::standard().clone();
//! assert_eq!(table.find("openai", "gpt-4o-2024-08-06").and_then(|facts| facts.context), Some(128_000));
//! assert_eq!(table.cost("openai", "gpt-99", &usage, Billing::Standard), None);
//! table.extend_from_json(r#"{"models": [{"provider": "openai", "name": "gpt-99", "price": {"input": 1, "output": 5}}]}"#)?;
//! assert_eq!(table.cost("openai", "gpt-99", &usage, Billing::Standard), Some(1.5));
//! # Ok::<(), providers::models::InvalidModels>(())
//! ```

mod cost;
mod facts;
mod names;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use thiserror::Error;

pub use cost::Billing;
pub use facts::{LongContext, ModelFacts, Price};

use crate::Usage;

/// Facts about models, by provider and name.
#[derive(Clone, Debug, Default)]
pub struct ModelTable {
    models: HashMap<(String, String), ModelFacts>,
    date: Option<String>,
    sources: Vec<String>,
}

/// Why facts cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvalidModels {
    /// It is not JSON of the expected shape.
    #[error("the models cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    /// A model without a name, or a number that makes no sense.
    #[error("the model `{model}`: {reason}")]
    Model {
        /// The model's name.
        model: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// The form of the data file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "about")]
    _about: Option<String>,
    #[serde(default)]
    date: Option<String>,
    #[serde(default)]
    sources: Vec<String>,
    models: Vec<ModelFacts>,
}

impl ModelTable {
    /// A table that knows nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The facts of this crate. They are read when they are first asked for.
    #[must_use]
    pub fn standard() -> &'static Self {
        static TABLE: LazyLock<ModelTable> = LazyLock::new(|| {
            let mut table = ModelTable::empty();
            // The file is part of the program and a test reads it, so nothing fails here.
            let _ = table.extend_from_json(include_str!("../data/models.json"));
            table
        });
        &TABLE
    }

    /// Adds facts in the form of `data/models.json`, in place of those with the same provider and name. Says how many.
    ///
    /// # Errors
    ///
    /// [`InvalidModels`], and then the table is as it was.
    pub fn extend_from_json(&mut self, text: &str) -> Result<usize, InvalidModels> {
        let file: File = serde_json::from_str(text)?;
        file.models.iter().try_for_each(ModelFacts::check)?;
        let count = file.models.len();
        file.models.into_iter().for_each(|facts| self.put(facts));
        self.date = file.date.or_else(|| self.date.take());
        self.sources.extend(file.sources);
        Ok(count)
    }

    /// Adds facts, in place of those with the same provider and name.
    ///
    /// # Errors
    ///
    /// [`InvalidModels::Model`] where the name is empty or a price is no number that can be paid.
    pub fn insert(&mut self, facts: ModelFacts) -> Result<(), InvalidModels> {
        facts.check()?;
        self.put(facts);
        Ok(())
    }

    fn put(&mut self, facts: ModelFacts) {
        let key = (facts.provider.to_ascii_lowercase(), facts.name.to_ascii_lowercase());
        self.models.insert(key, facts);
    }

    /// The day on which the facts were read, such as `2026-11-25`.
    #[must_use]
    pub fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// Where the facts come from.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(String::as_str)
    }

    /// Every model, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &ModelFacts> {
        self.models.values()
    }

    /// What is known about `model` at `provider`; `None` where nothing is.
    ///
    /// The name may be prefixed (`openai/gpt-4o`, `models/gemini-2.5-pro`, `us.anthropic.claude-opus-4-5-v1:0`), dated
    /// (`gpt-4o-2024-08-06`), a fine-tuned one (`ft:gpt-4o:org::id`), or carry a variant (`:free`, `-latest`). A name
    /// that is in the table as it stands always wins. At a provider that the table does not know under that name, the
    /// maker's facts are given: the model is the same, and most hosts keep its price.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str) -> Option<&ModelFacts> {
        let names = names::candidates(model);
        let at = |provider: &str| names.iter().find_map(|name| self.models.get(&(provider.to_owned(), name.clone())));
        let provider = provider.trim().to_ascii_lowercase();
        at(&provider).or_else(|| {
            let maker = names.iter().find_map(|name| names::maker(name))?;
            if maker == provider { None } else { at(maker) }
        })
    }

    /// What a request cost, in US dollars: what the provider says, else what its usage comes to. `None` where no price is
    /// known, and for fine-tuned models and free variants that the table does not list, whose price is another.
    #[must_use]
    pub fn cost(&self, provider: &str, model: &str, usage: &Usage, billing: Billing) -> Option<f64> {
        if usage.cost.is_some() {
            return usage.cost;
        }
        if names::is_free(model) {
            return Some(0.0);
        }
        let facts = self.find(provider, model)?;
        if names::is_tuned(model) && !names::is_tuned(&facts.name) {
            return None;
        }
        facts.cost(usage, billing)
    }
}

#[cfg(test)]
mod tests;
