//! What prompts are charged beyond what limits are taken to count for them.
//!
//! The limiter learns a factor of its own on prompts, between what was expected and what the provider's `remaining` lost,
//! and rates in tokens as they were expected. If that changed its meaning in the course of a run, both would be corrected
//! twice: told of a third more as soon as answers show it, limits that were known to be charged a third more would be
//! left unused by as much. So by how much a tokenizer counts finer than the one used here, which is the same for all
//! requests, is left to the limiter: the *level* of what is expected is the one with which the run began. What is told
//! is what it cannot know, that some requests are charged far more than others by what is hidden in them.

use std::collections::VecDeque;

use providers::RequestSize;
use serde::{Deserialize, Deserializer, Serialize};
use tokenizer::{InputCorrection, PayloadTokens, RequestKind};

/// A correction is believed after so many answers: one may be wrong.
const ENOUGH: usize = 3;
/// No prompt is larger than this beyond what was counted of it, in tokens: what the largest models read.
pub(super) const LARGEST_SURPLUS: u64 = 1 << 20;
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

/// What the prompts of one model group are charged.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Prompts {
    correction: InputCorrection,
    /// What was charged lately for each token that is metered, the newest last.
    #[serde(deserialize_with = "ratios_that_can_be")]
    ratios: VecDeque<f64>,
    /// The level with which the run began, where it was not the count itself.
    #[serde(skip)]
    began_at: Option<f64>,
    /// How far what is metered, at its level, and what was learned were from what was charged lately, as parts of it.
    #[serde(deserialize_with = "error_that_can_be")]
    of_metered: f64,
    #[serde(deserialize_with = "error_that_can_be")]
    of_learned: f64,
}

impl Prompts {
    /// Begins a run: with the level that was learned in an earlier one.
    pub(super) fn begin(&mut self) {
        self.began_at = (self.ratios.len() >= ENOUGH).then(|| self.level());
    }

    /// What a prompt is expected to be charged, at the level with which the run began: never less than what a limit is
    /// taken to count for it, which may be more than what is billed.
    pub(super) fn expected(&self, size: &RequestSize, kind: RequestKind) -> u64 {
        let began_at = self.began_at.unwrap_or(1.0);
        let metered = size.metered_input_tokens as f64;
        let learned = self.learned(size, kind) as f64 / self.level();
        let is_believed = self.ratios.len() >= ENOUGH && self.of_learned < self.of_metered;
        let of_level = if is_believed && learned > metered * HIDDEN { learned } else { metered };
        // The conversion saturates.
        ((of_level * began_at).ceil() as u64).max(size.metered_input_tokens)
    }

    pub(super) fn observe(&mut self, size: &RequestSize, kind: RequestKind, charged: u64) {
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
        // Asked for with every request, so nothing is allocated. There are never more than these.
        let mut room = [0.0; LEVEL_ANSWERS];
        let count = self.ratios.len().min(LEVEL_ANSWERS);
        let ratios = room.get_mut(..count).unwrap_or_default();
        ratios.iter_mut().zip(&self.ratios).for_each(|(room, ratio)| *room = *ratio);
        // Selecting one of so few takes longer than sorting them.
        ratios.sort_unstable_by(f64::total_cmp);
        ratios.get(count * LEVEL_TENTH / 10).map_or(1.0, |level| level.clamp(1.0, HIGHEST_LEVEL))
    }

    fn learned(&self, size: &RequestSize, kind: RequestKind) -> u64 {
        let most = size.input_tokens.saturating_add(LARGEST_SURPLUS);
        self.correction.expected_with_care(&counted(size), kind).min(most)
    }
}

/// What was written down by somebody else may be any numbers, and any many.
fn ratios_that_can_be<'de, D: Deserializer<'de>>(written: D) -> Result<VecDeque<f64>, D::Error> {
    let mut ratios = VecDeque::<f64>::deserialize(written)?;
    ratios.retain(|ratio| ratio.is_finite() && *ratio > 0.0);
    ratios.drain(..ratios.len().saturating_sub(LEVEL_ANSWERS));
    ratios.shrink_to_fit();
    Ok(ratios)
}

/// An error less than none would be believed for ever.
fn error_that_can_be<'de, D: Deserializer<'de>>(written: D) -> Result<f64, D::Error> {
    f64::deserialize(written).map(|error| error.clamp(0.0, LARGEST_ERROR))
}

fn counted(size: &RequestSize) -> PayloadTokens {
    let RequestSize { input_tokens, max_output_tokens, images, shape, .. } = *size;
    PayloadTokens { input: input_tokens, images, max_output: max_output_tokens, shape }
}
