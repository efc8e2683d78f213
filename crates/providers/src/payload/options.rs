//! How the model is to think, and what shape its answer has.

use serde_json::Value;

use super::PayloadError;

/// How much the model thinks before it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// In words. Providers that want a number get one, see [`Effort::share`].
    pub effort: Option<Effort>,
    /// In tokens. Wins over `effort` where a provider takes a number.
    pub budget_tokens: Option<u64>,
}

impl Reasoning {
    /// As much as this word means.
    #[must_use]
    pub const fn effort(effort: Effort) -> Self {
        Self { effort: Some(effort), budget_tokens: None }
    }

    /// At most so many tokens; zero is none.
    #[must_use]
    pub const fn budget(tokens: u64) -> Self {
        Self { effort: None, budget_tokens: Some(tokens) }
    }

    /// Whether the model is asked not to think.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        matches!(self, Self { budget_tokens: Some(0), .. } | Self { effort: Some(Effort::None), budget_tokens: None })
    }

    /// Whether nothing is asked.
    pub(crate) const fn is_unset(&self) -> bool {
        self.effort.is_none() && self.budget_tokens.is_none()
    }

    /// The word for it, for providers that take no number: the largest effort whose share of `max_tokens` the budget
    /// covers.
    pub(crate) fn word(&self, max_tokens: Option<u64>) -> Option<Effort> {
        let Some(budget) = self.budget_tokens else { return self.effort };
        if budget == 0 {
            return Some(Effort::None);
        }
        if self.effort.is_some() {
            return self.effort;
        }
        let most = max_tokens.unwrap_or(DEFAULT_OUTPUT).max(1);
        let efforts = [Effort::High, Effort::Medium, Effort::Low];
        let share = budget.saturating_mul(100) / most;
        Some(efforts.into_iter().find(|effort| share >= effort.share()).unwrap_or(Effort::Minimal))
    }

    /// The number for it, for providers that take no word.
    pub(crate) fn tokens(&self, max_tokens: Option<u64>) -> Option<u64> {
        if self.budget_tokens.is_some() {
            return self.budget_tokens;
        }
        let effort = self.effort?;
        if effort == Effort::None {
            return Some(0);
        }
        let most = max_tokens.unwrap_or(DEFAULT_OUTPUT);
        Some((most.saturating_mul(effort.share()) / 100).clamp(LEAST_BUDGET, MOST_BUDGET))
    }
}

/// The output that an effort is a share of where the request sets no bound.
const DEFAULT_OUTPUT: u64 = 16_384;
/// The least that Anthropic accepts: <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>.
pub(crate) const LEAST_BUDGET: u64 = 1_024;
/// The most that OpenRouter makes of an effort.
const MOST_BUDGET: u64 = 128_000;

/// How much to think, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as the model can.
    Minimal,
    /// Little.
    Low,
    /// Between.
    Medium,
    /// Much.
    High,
    /// More than much.
    ExtraHigh,
    /// As much as the model can.
    Max,
}

impl Effort {
    const ALL: [Self; 7] = [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::ExtraHigh, Self::Max];

    /// The name in the interfaces: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::ExtraHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort of this name, in any case of letters.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.name().eq_ignore_ascii_case(name))
    }

    /// The percentage of `max_tokens` that it stands for where a provider wants a number. These are OpenRouter's:
    /// <https://openrouter.ai/docs/use-cases/reasoning-tokens>.
    #[must_use]
    pub const fn share(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal => 10,
            Self::Low => 20,
            Self::Medium => 50,
            Self::High => 80,
            Self::ExtraHigh | Self::Max => 95,
        }
    }
}

/// What shape the answer has.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ResponseFormat {
    /// Text, which is the default.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON of this schema.
    JsonSchema(JsonSchema),
}

/// A named JSON schema.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonSchema {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The schema.
    pub schema: Value,
    /// Whether the answer must follow it exactly.
    pub strict: Option<bool>,
}

impl JsonSchema {
    /// A schema that the answer must follow exactly.
    #[must_use]
    pub fn new(name: impl Into<String>, schema: Value) -> Self {
        Self { name: name.into(), description: None, schema, strict: Some(true) }
    }

    pub(crate) fn check(&self) -> Result<(), PayloadError> {
        if self.name.trim().is_empty() {
            return Err(PayloadError::missing("response_format.name"));
        }
        if !self.schema.is_object() {
            return Err(PayloadError::unusable("response_format", "the schema must be a JSON object"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effort_is_a_share_of_the_bound_where_a_number_is_wanted() {
        let tokens = |effort, most| Reasoning::effort(effort).tokens(most);
        assert_eq!(tokens(Effort::High, Some(10_000)), Some(8_000));
        assert_eq!(tokens(Effort::Medium, Some(10_000)), Some(5_000));
        assert_eq!(tokens(Effort::Low, Some(1_000)), Some(LEAST_BUDGET));
        assert_eq!(tokens(Effort::Max, Some(u64::MAX)), Some(MOST_BUDGET));
        assert_eq!(tokens(Effort::None, None), Some(0));
        assert_eq!(Reasoning { effort: Some(Effort::High), budget_tokens: Some(7) }.tokens(None), Some(7));
        assert_eq!(Reasoning::default().tokens(Some(9)), None);
    }

    #[test]
    fn a_budget_is_a_word_where_a_word_is_wanted() {
        let word = |budget, most| Reasoning::budget(budget).word(Some(most));
        assert_eq!(word(0, 10_000), Some(Effort::None));
        assert_eq!(word(1, 10_000), Some(Effort::Minimal));
        assert_eq!(word(2_000, 10_000), Some(Effort::Low));
        assert_eq!(word(5_000, 10_000), Some(Effort::Medium));
        assert_eq!(word(9_500, 10_000), Some(Effort::High));
        assert_eq!(word(u64::MAX, 0), Some(Effort::High));
    }

    #[test]
    fn every_effort_has_its_own_name() {
        for effort in Effort::ALL {
            assert_eq!(Effort::parse(&effort.name().to_uppercase()), Some(effort));
        }
        assert_eq!(Effort::parse("a lot"), None);
    }

    #[test]
    fn no_effort_and_no_tokens_are_no_thinking() {
        assert!(Reasoning::effort(Effort::None).is_off());
        assert!(Reasoning::budget(0).is_off());
        assert!(!Reasoning::effort(Effort::Low).is_off());
        assert!(!Reasoning::default().is_off());
    }
}
