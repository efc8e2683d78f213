//! What requests of each kind produce, and of all kinds together while one is new.

use serde::{Deserialize, Serialize};

use super::kind::RequestKind;
use super::kinds::Kinds;
use super::output::OutputEstimate;

/// How many tokens the requests of one scope will probably produce, by their kind.
///
/// A kind that was seen a few times is expected to produce what it did ([`OutputEstimate`]); a new one, what all kinds of
/// the scope did; and before any answer, the most that it may. The state is bounded (256 kinds, 64 answers each) and can
/// be written down and read again.
///
/// ```
/// use serde_json::json;
/// use tokenizer::{OutputEstimates, RequestKind};
///
/// let kind = |task: &str| RequestKind::of(&json!({"model": "m", "system": task}), false);
/// let mut outputs = OutputEstimates::new();
/// assert_eq!(outputs.expected(kind("Say yes or no."), Some(4_096)), 4_096);
/// for _ in 0..20 {
///     outputs.observe(kind("Say yes or no."), 2);
///     outputs.observe(kind("Write an essay."), 1_500);
/// }
/// assert_eq!(outputs.expected(kind("Say yes or no."), Some(4_096)), 2);
/// assert_eq!(outputs.expected(kind("Something new."), Some(4_096)), 1_500);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputEstimates {
    all: OutputEstimate,
    kinds: Kinds<OutputEstimate>,
}

impl OutputEstimates {
    /// So many answers of a kind say more than those of all kinds.
    const ENOUGH: usize = 3;

    /// Estimates that have seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many tokens a request of this kind that may produce `max_output` is expected to produce, never more than
    /// `max_output`.
    #[must_use]
    pub fn expected(&self, kind: RequestKind, max_output: Option<u64>) -> u64 {
        let of_kind = self.kinds.get(kind).filter(|estimate| estimate.answers() >= Self::ENOUGH);
        of_kind.unwrap_or(&self.all).expected(max_output)
    }

    /// Learns that a request of this kind produced `produced` tokens.
    pub fn observe(&mut self, kind: RequestKind, produced: u64) {
        self.all.observe(produced);
        self.kinds.observed(kind).observe(produced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(number: u64) -> RequestKind {
        RequestKind::of(&json!({"tools": number}), false)
    }

    #[test]
    fn a_new_kind_is_expected_to_produce_what_the_others_did_until_it_has_answers_of_its_own() {
        let mut outputs = OutputEstimates::new();
        assert_eq!(outputs.expected(kind(0), Some(50)), 50);
        (0..40).for_each(|_| outputs.observe(kind(0), 100));
        assert_eq!(outputs.expected(kind(1), None), 100);
        outputs.observe(kind(1), 7);
        outputs.observe(kind(1), 7);
        assert_eq!(outputs.expected(kind(1), None), 100);
        outputs.observe(kind(1), 7);
        assert!(outputs.expected(kind(1), None) < 14);
        assert_eq!(outputs.expected(kind(0), Some(50)), 50);
    }

    #[test]
    fn what_was_learned_is_written_down_and_read_again() {
        let mut outputs = OutputEstimates::new();
        (0..600).for_each(|turn| outputs.observe(kind(turn % 300), turn));
        let written = serde_json::to_string(&outputs).unwrap();
        let read: OutputEstimates = serde_json::from_str(&written).unwrap();
        assert_eq!(read, outputs);
        assert!(written.len() < 100_000, "{}", written.len());
    }
}
