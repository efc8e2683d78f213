//! What answers have taught of a client's requests: what prompts are charged, and how much is produced.
//!
//! Both are told to the limiter as what is *expected*. What is certain of a request stays what was counted of it, so that
//! nothing that an answer said can make a request too large for a limit.

mod prompts;
mod written;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use providers::{RequestSize, Usage};
use serde::{Deserialize, Serialize};
use tokenizer::{OutputEstimate, OutputEstimates, RequestKind};

use prompts::Prompts;
pub use written::Learned;

/// So many model groups have what was learned of them remembered.
const MOST_GROUPS: usize = 256;

/// What was learned, by model group.
#[derive(Debug, Default)]
pub(crate) struct Learning {
    groups: Mutex<HashMap<Arc<str>, Group>>,
}

/// What was learned of the models of one group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Group {
    prompts: Prompts,
    outputs: OutputEstimates,
    /// Whether an answer of this run was taken in.
    #[serde(skip)]
    is_used: bool,
}

impl Group {
    /// The same at the beginning of a run.
    fn begun(mut self) -> Self {
        self.prompts.begin();
        self
    }
}

impl Learning {
    /// The tokens that a request is expected to be charged for its prompt, and to produce.
    pub(crate) fn expected(&self, group: &str, size: &RequestSize, kind: RequestKind) -> (u64, u64) {
        let groups = self.lock();
        let known = groups.get(group);
        let input = known.map_or(size.metered_input_tokens, |known| known.prompts.expected(size, kind));
        // A bound is what most providers charge until the answer is there, and what the limiter tells their rules apart by.
        let output = size
            .max_output_tokens
            .unwrap_or_else(|| known.map_or(OutputEstimate::PRIOR, |known| known.outputs.expected(kind, None)));
        (input, output)
    }

    /// Takes in what the answer to a request says that it took.
    pub(crate) fn observe(&self, group: &Arc<str>, size: &RequestSize, kind: RequestKind, usage: &Usage) {
        let mut groups = self.lock();
        if groups.len() >= MOST_GROUPS && !groups.contains_key(group) {
            // What an earlier run has learned of models that this one does not use makes room.
            let Some(unused) = groups.iter().find(|(_, known)| !known.is_used).map(|(name, _)| Arc::clone(name)) else {
                return;
            };
            groups.remove(&unused);
        }
        let known = groups.entry(Arc::clone(group)).or_default();
        known.is_used = true;
        known.outputs.observe(kind, usage.output);
        // Nothing has an empty prompt; an answer that says so leaves it out.
        if usage.input > 0 {
            known.prompts.observe(size, kind, usage.input);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn size(tokens: u64) -> RequestSize {
        RequestSize { input_tokens: tokens, metered_input_tokens: tokens, ..RequestSize::default() }
    }

    fn usage(input: u64, output: u64) -> Usage {
        Usage::from_member(&json!({"prompt_tokens": input, "completion_tokens": output})).unwrap()
    }

    /// Answers to prompts of each (counted, charged) in turn, all of one kind.
    fn after(answers: impl IntoIterator<Item = (u64, u64)>) -> Learning {
        let learning = Learning::default();
        for (counted, charged) in answers {
            learning.observe(&"m".into(), &size(counted), RequestKind::NONE, &usage(charged, 10));
        }
        learning
    }

    fn input(learning: &Learning, tokens: u64) -> u64 {
        learning.expected("m", &size(tokens), RequestKind::NONE).0
    }

    #[test]
    fn what_is_hidden_in_some_requests_is_expected_of_those_alone() {
        let kind = |number: u64| RequestKind::of(&json!({"system": number}), false);
        let learning = Learning::default();
        let expected = |number| learning.expected("m", &size(100), kind(number)).0;
        for turn in 0..40 {
            assert!(turn > 2 * 3 || expected(turn % 2) == 100, "{turn}");
            learning.observe(&"m".into(), &size(100), kind(turn % 2), &usage(100 + 2_000 * (turn % 2), 10));
        }
        assert_eq!([expected(0), expected(1)], [100, 2_100]);
    }

    /// The limiter finds out by itself, and what it learns would be corrected twice.
    #[test]
    fn what_all_requests_are_charged_more_changes_nothing_in_the_course_of_a_run() {
        let learning = Learning::default();
        for turn in 0..200 {
            let tokens = 100 + turn * 37 % 900;
            assert_eq!(input(&learning, tokens), tokens);
            learning.observe(&"m".into(), &size(tokens), RequestKind::NONE, &usage(tokens * 13 / 10, 10));
        }
    }

    #[test]
    fn one_wrong_charge_is_not_expected_again() {
        for first in [1, 1_000_000, u64::MAX] {
            for right in 0..40 {
                let learning = after([(1_000, first)].into_iter().chain([(1_000, 1_000)].repeat(right)));
                assert_eq!(input(&learning, 1_000), 1_000, "{first}, then {right}");
            }
        }
        let late = after([(1_000, 1_000)].repeat(40).into_iter().chain([(1_000, 900_000)]));
        assert_eq!(input(&late, 1_000), 1_000);
    }

    #[test]
    fn one_wrong_charge_of_a_new_kind_is_not_expected_of_the_next_ones() {
        let kind = |number: u64| RequestKind::of(&json!({"system": number}), false);
        let learning = Learning::default();
        let observe = |number, charged| learning.observe(&"m".into(), &size(1_000), kind(number), &usage(charged, 10));
        for turn in 0..90 {
            observe(turn % 30, if turn % 30 < 10 { 1_000 } else { 1_500 + 40 * (turn % 30) });
        }
        observe(99, 1_000_000);
        let (expected, _) = learning.expected("m", &size(1_000), kind(99));
        assert!(expected < 4_000, "{expected}");
    }

    #[test]
    fn what_a_limit_counts_beyond_the_bill_stays_expected() {
        let metered = RequestSize { metered_input_tokens: 1_250, ..size(1_000) };
        let learning = Learning::default();
        for _ in 0..50 {
            learning.observe(&"m".into(), &metered, RequestKind::NONE, &usage(1_000, 10));
        }
        assert_eq!(learning.expected("m", &metered, RequestKind::NONE).0, 1_250);
    }

    #[test]
    fn a_lie_that_is_told_again_and_again_is_bounded() {
        let learning = after([(1_000, u64::MAX); 100]);
        assert!(input(&learning, 1_000) <= 1_000 + prompts::LARGEST_SURPLUS);
    }

    #[test]
    fn an_answer_without_a_prompt_says_nothing_of_prompts() {
        assert_eq!(input(&after([(1_000, 0); 50]), 1_000), 1_000);
    }

    #[test]
    fn a_bound_is_expected_to_be_used_and_an_answer_without_one_to_be_like_those_before() {
        let learning = after([(10, 10); 30]);
        let bound = RequestSize { max_output_tokens: Some(4_096), ..size(10) };
        assert_eq!(learning.expected("m", &bound, RequestKind::NONE).1, 4_096);
        assert_eq!(learning.expected("m", &size(10), RequestKind::NONE).1, 10);
        assert_eq!(learning.expected("other", &size(10), RequestKind::NONE).1, OutputEstimate::PRIOR);
    }

    #[test]
    fn a_new_model_takes_the_place_of_one_that_only_an_earlier_run_used() {
        let learning = Learning::default();
        for number in 0..MOST_GROUPS {
            learning.lock().insert(number.to_string().into(), Group::default());
        }
        learning.observe(&"new".into(), &size(10), RequestKind::NONE, &usage(20, 10));
        let groups = learning.lock();
        assert!(groups.len() == MOST_GROUPS && groups.contains_key("new"));
    }

    #[test]
    fn more_groups_than_are_remembered_change_nothing() {
        let learning = Learning::default();
        for number in 0..2 * MOST_GROUPS {
            learning.observe(&number.to_string().into(), &size(10), RequestKind::NONE, &usage(20, 10));
        }
        assert_eq!(learning.lock().len(), MOST_GROUPS);
    }
}
