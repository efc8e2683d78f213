//! How much the parts of a prompt are charged, each for its own: a recursive least squares filter.
//!
//! A prompt is taken to be charged so much for each counted token of text, so much for each of its definitions, for each
//! message, once for having tools, and for each tool and call. Before anything is seen, the first two are one and the
//! others nothing: the count itself. The filter is that of Kalman for weights that do not move, with the errors relative
//! to the size of the prompt, as the spread of charges is. What lies far outside of what was to be expected moves it no
//! further than what lies at the edge, and what lies very far outside not at all; where that happens again and again, the
//! weights become as uncertain as before anything was seen.

use serde::{Deserialize, Serialize};

use crate::PayloadTokens;

/// How many parts have a weight.
const PARTS: usize = 5;

type Vector = [f64; PARTS];

/// The weights before anything is seen.
const PRIOR: Vector = [1.0, 1.0, 0.0, 0.0, 0.0];
/// How far they may be off, as standard deviations. Tokenizers differ by a quarter, JSON by more; a message costs one
/// token or five, having tools up to some hundred, and a tool up to some ten.
const DEVIATIONS: Vector = [0.25, 0.4, 2.0, 150.0, 15.0];
/// Charges spread so much around the best weights: a part of the charge, and tokens.
const SPREAD: f64 = 0.06;
const SPREAD_TOKENS: f64 = 3.0;
/// Deviations beyond which a charge counts as if it lay there, and beyond which it does not count.
const EDGE: f64 = 2.5;
const OUTSIDE: f64 = 6.0;
/// So many charges in a row that do not count are no outliers.
const OUTLIERS: u8 = 4;
/// Weights become less certain by so much with each charge, so that a change is followed.
const FORGET: f64 = 1.01;
/// A scope that starts from what another has learned is so much more certain.
const INHERITED: f64 = 0.5;
/// Smaller prompts have their errors taken relative to this one, in tokens.
const SMALLEST: f64 = 10.0;

/// Weights, and how uncertain they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Filter {
    weights: Vector,
    covariance: [Vector; PARTS],
    /// Charges in a row that were outside.
    outside: u8,
}

impl Default for Filter {
    fn default() -> Self {
        Self { weights: PRIOR, covariance: diagonal(1.0), outside: 0 }
    }
}

impl Filter {
    /// A filter that starts with these weights.
    pub(super) fn inherit(&self) -> Self {
        Self { weights: self.weights, covariance: diagonal(INHERITED), outside: 0 }
    }

    /// What a prompt is expected to be charged.
    pub(super) fn expected(&self, counted: &PayloadTokens) -> f64 {
        let expected = dot(&self.weights, &parts(counted)) + counted.shape.media as f64;
        if expected.is_finite() { expected.max(1.0) } else { counted.input as f64 }
    }

    /// Learns what a prompt was charged.
    pub(super) fn observe(&mut self, counted: &PayloadTokens, charged: f64) {
        let scale = (counted.input as f64).max(SMALLEST);
        let parts = parts(counted).map(|part| part / scale);
        let noise = SPREAD.powi(2) + (SPREAD_TOKENS / scale).powi(2);
        let shared = self.covariance.map(|row| dot(&row, &parts));
        let variance = dot(&shared, &parts) + noise;
        let error = (charged - counted.shape.media as f64) / scale - dot(&self.weights, &parts);
        let deviation = variance.sqrt();
        if !(error.is_finite() && deviation > 0.0 && deviation.is_finite()) {
            // No weights that were learned here: what was read from a file, or is beyond what can be computed with.
            *self = Self::default();
            return;
        }
        if error.abs() > OUTSIDE * deviation {
            self.outside = self.outside.saturating_add(1);
            if self.outside >= OUTLIERS {
                // Another world: what is known of it is as uncertain as at the start.
                self.covariance = diagonal(1.0);
                self.outside = 0;
            }
            return;
        }
        self.outside = 0;
        let error = error.clamp(-EDGE * deviation, EDGE * deviation);
        for (weight, shared) in self.weights.iter_mut().zip(shared) {
            *weight += shared / variance * error;
        }
        for (row, gain) in self.covariance.iter_mut().zip(shared) {
            for (entry, shared) in row.iter_mut().zip(shared) {
                *entry -= gain * shared / variance;
            }
        }
        for (index, (row, most)) in self.covariance.iter_mut().zip(DEVIATIONS).enumerate() {
            if let Some(entry) = row.get_mut(index) {
                *entry = (*entry * FORGET).clamp(0.0, most.powi(2));
            }
        }
    }
}

/// What the weights are of.
fn parts(counted: &PayloadTokens) -> Vector {
    let shape = &counted.shape;
    let text = counted.input.saturating_sub(shape.definitions).saturating_sub(shape.media);
    let has_tools = if shape.tools > 0 { 1.0 } else { 0.0 };
    [
        text as f64,
        shape.definitions as f64,
        shape.messages as f64 + 1.0,
        has_tools,
        shape.tools.saturating_add(shape.calls) as f64,
    ]
}

fn dot(a: &Vector, b: &Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The variances of weights that are so many times as far off as they may be.
fn diagonal(times: f64) -> [Vector; PARTS] {
    let mut rows = [[0.0; PARTS]; PARTS];
    for (index, (row, deviation)) in rows.iter_mut().zip(DEVIATIONS).enumerate() {
        if let Some(entry) = row.get_mut(index) {
            *entry = (deviation * times).powi(2);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use proptest::prelude::*;

    fn prompt(text: u64, messages: u64) -> PayloadTokens {
        let shape = Shape { messages, ..Shape::default() };
        PayloadTokens { input: text, shape, ..PayloadTokens::default() }
    }

    #[test]
    fn before_anything_is_seen_the_count_is_expected() {
        let counted = PayloadTokens {
            input: 1_000,
            shape: Shape { definitions: 300, media: 200, messages: 4, tools: 2, calls: 1 },
            ..PayloadTokens::default()
        };
        assert_eq!(Filter::default().expected(&counted), 1_000.0);
    }

    #[test]
    fn a_tokenizer_that_cuts_finer_and_a_frame_around_messages_are_told_apart() {
        let mut filter = Filter::default();
        for turn in 0..200 {
            let (text, messages) = (20 + turn * 37 % 900, 1 + turn % 7);
            filter.observe(&prompt(text, messages), 1.2 * text as f64 + 4.0 * (messages as f64 + 1.0));
        }
        for (text, messages) in [(50, 1), (50, 6), (5_000, 1)] {
            let charged = 1.2 * text as f64 + 4.0 * (messages as f64 + 1.0);
            let error = (filter.expected(&prompt(text, messages)) - charged).abs() / charged;
            assert!(error < 0.02, "{text} {messages}: {error}");
        }
    }

    #[test]
    fn a_charge_from_another_world_changes_nothing_and_a_new_world_is_found() {
        let mut filter = Filter::default();
        (0..20).for_each(|_| filter.observe(&prompt(100, 1), 110.0));
        let before = filter.expected(&prompt(100, 1));
        filter.observe(&prompt(100, 1), 14_000.0);
        assert_eq!(filter.expected(&prompt(100, 1)), before);
        (0..200).for_each(|_| filter.observe(&prompt(100, 1), 200.0));
        let after = filter.expected(&prompt(100, 1));
        assert!((after - 200.0).abs() < 10.0, "{after}");
    }

    proptest! {
        #[test]
        fn anything_is_learned_from_without_losing_the_way(
            seen in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), 0.0..1e18), 0..30),
        ) {
            let mut filter = Filter::default();
            for (input, definitions, messages, charged) in seen {
                let shape = Shape { definitions, messages, tools: definitions, ..Shape::default() };
                let counted = PayloadTokens { input, shape, ..PayloadTokens::default() };
                filter.observe(&counted, charged);
                let expected = filter.expected(&counted);
                prop_assert!(expected.is_finite() && expected >= 0.0, "{}", expected);
            }
        }
    }
}
