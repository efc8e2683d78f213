//! What answers have taught of a client's requests: what prompts are charged, and how much is produced.
//!
//! Both are told to the limiter as what is *expected*. What is certain of a request stays what was counted of it, so that
//! nothing that an answer said can make a request too large for a limit.
//!
//! The limiter learns a factor of its own on prompts, between what was expected and what the provider's `remaining` lost,
//! and rates in tokens as they were expected. If that changed its meaning in the course of a run, both would be corrected
//! twice: told of a third more as soon as answers show it, limits that were known to be charged a third more would be
//! left unused by as much. So by how much a tokenizer counts finer than the one used here, which is the same for all
//! requests, is left to the limiter: the *level* of what is expected is the one with which the run began. What is told
//! is what it cannot know, that some requests are charged far more than others by what is hidden in them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use providers::{RequestSize, Usage};
use tokenizer::{InputCorrection, OutputEstimate, OutputEstimates, PayloadTokens, RequestKind};

/// So many model groups have what was learned of them remembered.
const MOST_GROUPS: usize = 256;
/// A correction is believed after so many answers: one may be wrong.
const ENOUGH: usize = 3;
/// No prompt is larger than this beyond what was counted of it, in tokens: what the largest models read.
const LARGEST_SURPLUS: u64 = 1 << 20;
/// Requests have something hidden in them where they are charged half as much again as the level says. Less is noise, or
/// covered by the limiter's own factor and margin.
const HIDDEN: f64 = 1.5;
/// How many answers tell the level, and which of them does, counted from below in tenths: what is charged where nothing is
/// hidden.
const LEVEL_ANSWERS: usize = 32;
const LEVEL_TENTH: usize = 1;
/// Tokenizers differ by less.
const HIGHEST_LEVEL: f64 = 4.0;
/// The weight of a new error in the mean, as in the mean time of a round trip (RFC 6298).
const ERROR_WEIGHT: f64 = 1.0 / 8.0;
/// A larger error counts as this one, so that one answer does not decide.
const LARGEST_ERROR: f64 = 0.5;

/// What was learned, by model group.
#[derive(Debug, Default)]
pub(crate) struct Learning {
    groups: Mutex<HashMap<Arc<str>, Group>>,
}

/// What was learned of the models of one group.
#[derive(Clone, Debug, Default)]
struct Group {
    prompts: Prompts,
    outputs: OutputEstimates,
}

/// What prompts are charged beyond what limits are taken to count for them.
#[derive(Clone, Debug, Default)]
struct Prompts {
    correction: InputCorrection,
    /// What was charged lately for each token that is metered, the newest last.
    ratios: VecDeque<f64>,
    /// The level with which the run began, where it was not the count itself.
    began_at: Option<f64>,
    /// How far what is metered, at its level, and what was learned were from what was charged lately, as parts of it.
    of_metered: f64,
    of_learned: f64,
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
            return;
        }
        let known = groups.entry(Arc::clone(group)).or_default();
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

impl Prompts {
    /// What a prompt is expected to be charged, at the level with which the run began: never less than what a limit is
    /// taken to count for it, which may be more than what is billed.
    fn expected(&self, size: &RequestSize, kind: RequestKind) -> u64 {
        let began_at = self.began_at.unwrap_or(1.0);
        let metered = size.metered_input_tokens as f64;
        let learned = self.learned(size, kind) as f64 / self.level();
        let is_believed = self.ratios.len() >= ENOUGH && self.of_learned < self.of_metered;
        let of_level = if is_believed && learned > metered * HIDDEN { learned } else { metered };
        // The conversion saturates.
        ((of_level * began_at).ceil() as u64).max(size.metered_input_tokens)
    }

    fn observe(&mut self, size: &RequestSize, kind: RequestKind, charged: u64) {
        let learned = self.learned(size, kind) as f64;
        let (metered, charged_tokens) = (size.metered_input_tokens.max(1) as f64, charged.max(1) as f64);
        let of_level = metered * self.level();
        for (error, expected) in [(&mut self.of_metered, of_level), (&mut self.of_learned, learned)] {
            let this = ((expected - charged_tokens).abs() / charged_tokens).min(LARGEST_ERROR);
            *error += ERROR_WEIGHT * (this - *error);
        }
        let surplus = (self.ratios.len() + 1).saturating_sub(LEVEL_ANSWERS);
        self.ratios.drain(..surplus);
        self.ratios.push_back(charged_tokens / metered);
        self.correction.observe(&counted(size), kind, charged);
    }

    /// What is charged for each token that is metered, where nothing is hidden.
    fn level(&self) -> f64 {
        let mut ratios: Vec<f64> = self.ratios.iter().copied().collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios.get(ratios.len() * LEVEL_TENTH / 10).map_or(1.0, |level| level.clamp(1.0, HIGHEST_LEVEL))
    }

    fn learned(&self, size: &RequestSize, kind: RequestKind) -> u64 {
        let most = size.input_tokens.saturating_add(LARGEST_SURPLUS);
        self.correction.expected_with_care(&counted(size), kind).min(most)
    }
}

fn counted(size: &RequestSize) -> PayloadTokens {
    let RequestSize { input_tokens, max_output_tokens, images, shape, .. } = *size;
    PayloadTokens { input: input_tokens, images, max_output: max_output_tokens, shape }
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
        assert!(input(&learning, 1_000) <= 1_000 + LARGEST_SURPLUS);
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
    fn more_groups_than_are_remembered_change_nothing() {
        let learning = Learning::default();
        for number in 0..2 * MOST_GROUPS {
            learning.observe(&number.to_string().into(), &size(10), RequestKind::NONE, &usage(20, 10));
        }
        assert_eq!(learning.lock().len(), MOST_GROUPS);
    }
}
