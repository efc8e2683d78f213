//! What was learned, as it is written down and read again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Group, Learning, MOST_GROUPS};
use crate::{Builder, ChatLimiter};

/// The form in which it is written down. Another one is refused: what it means is not known.
const VERSION: u32 = 1;

/// What a client has learned of prompts and answers: what requests of a kind are charged beyond what is counted of them,
/// and how much they produce. A value to be written down (`serde`) and given to a later client of the same provider,
/// which then starts with it: see [`ChatLimiter::learned`] and [`Builder::learned`].
///
/// It holds numbers and the names of models, nothing that was said: kinds of request are hashes. Its size is bounded
/// (256 groups of models, 256 kinds each), whatever it was read from; numbers that cannot be are corrected, and what is
/// wrong is learned anew.
///
/// ```
/// use chat_limiter::{ChatLimiter, Learned};
///
/// let limiter = ChatLimiter::builder("openai-compatible").build()?;
/// let written = serde_json::to_string(&limiter.learned())?;
///
/// let learned: Learned = serde_json::from_str(&written)?;
/// let later = ChatLimiter::builder("openai-compatible").learned(learned).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct Learned {
    provider: String,
    groups: BTreeMap<String, Group>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    provider: String,
    groups: BTreeMap<String, Group>,
}

impl From<Learned> for Written {
    fn from(Learned { provider, groups }: Learned) -> Self {
        Self { version: VERSION, provider, groups }
    }
}

impl TryFrom<Written> for Learned {
    type Error = String;

    fn try_from(Written { version, provider, mut groups }: Written) -> Result<Self, String> {
        if version != VERSION {
            return Err(format!("it has version {version}, not {VERSION}"));
        }
        while groups.len() > MOST_GROUPS {
            groups.pop_last();
        }
        Ok(Self { provider, groups })
    }
}

impl Learned {
    /// The provider that it was learned of, by name; empty where nothing was.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

impl ChatLimiter {
    /// What was learned of prompts and answers up to now, to be given to a later client of the same provider.
    #[must_use]
    pub fn learned(&self) -> Learned {
        let groups = self.shared.learning.lock();
        let groups = groups.iter().map(|(name, group)| (name.to_string(), group.clone())).collect();
        Learned { provider: self.shared.provider.name().to_owned(), groups }
    }
}

impl Builder {
    /// What an earlier client has learned. Where that was a client of another provider, nothing is taken from it.
    #[must_use]
    pub fn learned(mut self, learned: Learned) -> Self {
        self.learned = learned;
        self
    }
}

impl Learning {
    /// Where a client of a provider begins.
    pub(crate) fn after(learned: Learned, provider: &str) -> Self {
        let learning = Self::default();
        if learned.provider == provider {
            *learning.lock() =
                learned.groups.into_iter().map(|(name, group)| (Arc::from(name), group.begun())).collect();
        }
        learning
    }
}

#[cfg(test)]
mod tests {
    use providers::{RequestSize, Usage};
    use serde_json::{Value, json};
    use tokenizer::RequestKind;

    use super::*;

    fn size(tokens: u64) -> RequestSize {
        RequestSize { input_tokens: tokens, metered_input_tokens: tokens, ..RequestSize::default() }
    }

    fn limiter(learned: Learned) -> ChatLimiter {
        ChatLimiter::builder("openai-compatible").learned(learned).build().unwrap()
    }

    fn observe(limiter: &ChatLimiter, model: &str, tokens: u64, charged: u64) {
        let usage = Usage::from_member(&json!({"prompt_tokens": charged, "completion_tokens": 70})).unwrap();
        limiter.shared.learning.observe(&model.into(), &size(tokens), RequestKind::NONE, &usage);
    }

    fn expected(limiter: &ChatLimiter, model: &str) -> (u64, u64) {
        limiter.shared.learning.expected(model, &size(1_000), RequestKind::NONE)
    }

    fn written() -> Value {
        let limiter = limiter(Learned::default());
        (0..50).for_each(|turn| observe(&limiter, "m", 100 + turn, (100 + turn) * 13 / 10));
        serde_json::to_value(limiter.learned()).unwrap()
    }

    #[test]
    fn a_later_client_starts_with_what_an_earlier_one_has_learned() {
        let later = limiter(serde_json::from_value(written()).unwrap());
        let (input, output) = expected(&later, "m");
        assert!((1_280..=1_320).contains(&input), "{input}");
        assert_eq!(output, 70);
        assert_eq!(expected(&later, "another").0, 1_000);
        assert_eq!(serde_json::to_value(later.learned()).unwrap(), written());
    }

    #[test]
    fn what_was_learned_of_another_provider_is_left_aside() {
        let mut written = written();
        written["provider"] = json!("openai");
        let later = limiter(serde_json::from_value(written).unwrap());
        assert_eq!(expected(&later, "m").0, 1_000);
        assert!(later.learned().is_empty());
    }

    #[test]
    fn what_has_another_version_or_form_is_refused_with_the_reason() {
        let mut later = written();
        later["version"] = json!(2);
        let error = serde_json::from_value::<Learned>(later).unwrap_err();
        assert_eq!(error.to_string(), "it has version 2, not 1");
        for wrong in [json!(null), json!([]), json!({}), json!({"version": 1}), json!("x"), json!(-1)] {
            assert!(serde_json::from_value::<Learned>(wrong).is_err());
        }
    }

    #[test]
    fn numbers_that_cannot_be_are_not_expected_of_anything() {
        let mut written = written();
        let prompts = &mut written["groups"]["m"]["prompts"];
        prompts["ratios"] = json!(vec![1e300; 10_000]);
        prompts["of_learned"] = json!(-1e300);
        prompts["of_metered"] = json!(1e300);
        written["groups"]["m"]["outputs"]["all"] = json!([u64::MAX, u64::MAX, u64::MAX]);
        let later = limiter(serde_json::from_value(written).unwrap());
        let (input, output) = expected(&later, "m");
        assert!((1_000..=8_000_000).contains(&input), "{input}");
        assert!(output <= 8 << 20, "{output}");
        (0..100).for_each(|turn| observe(&later, "m", 100 + turn, 100 + turn));
        assert_eq!(expected(&limiter(later.learned()), "m"), (1_000, 70));
    }

    #[test]
    fn no_more_is_read_than_is_remembered() {
        let mut many = written();
        let group = many["groups"]["m"].clone();
        many["groups"] = (0..1_000).map(|number| (number.to_string(), group.clone())).collect();
        let learned: Learned = serde_json::from_value(many).unwrap();
        assert_eq!(learned.groups.len(), MOST_GROUPS);
    }
}
