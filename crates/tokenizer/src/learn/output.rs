//! What requests of one kind produce, learned from what they produced.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// How many tokens the next request of one kind will probably produce.
///
/// Keep one per kind of request: a model with a task, or whatever produces answers of like length. It expects what 19 of
/// 20 of the last answers stayed within, so it covers nearly every answer without reserving what is never produced, and a
/// mean would be too little for half of them. While there are too few answers to tell, it expects more than the longest.
///
/// ```
/// let mut estimate = tokenizer::OutputEstimate::new();
/// assert_eq!(estimate.expected(Some(4_096)), 4_096);
/// for _ in 0..20 {
///     estimate.observe(100);
/// }
/// assert_eq!(estimate.expected(Some(4_096)), 100);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OutputEstimate {
    /// What the last answers produced, the newest last.
    produced: VecDeque<u64>,
}

impl OutputEstimate {
    /// What a request without `max_tokens` is expected to produce before anything was seen: 512 tokens, a long
    /// paragraph or two. Models rarely produce more unasked, and the first answers correct it.
    pub const PRIOR: u64 = 512;

    /// No answer is longer: what the models with the longest ones produce, and something to spare. Whoever says so is
    /// wrong.
    pub const LONGEST: u64 = 1 << 20;

    /// How many answers are remembered: enough for the share that is covered, few enough to follow a change.
    const KEPT: usize = 64;
    /// The share of answers that is covered, in hundredths.
    const COVERED: usize = 95;

    /// An estimate that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { produced: VecDeque::new() }
    }

    /// How many answers are remembered.
    pub(super) fn answers(&self) -> usize {
        self.produced.len()
    }

    /// How many tokens a request that may produce `max_output` is expected to produce, never more than `max_output` and,
    /// once an answer was seen, than [`LONGEST`](Self::LONGEST).
    ///
    /// Before the first [`observe`](Self::observe) it is `max_output`, or [`PRIOR`](Self::PRIOR) where there is none.
    #[must_use]
    pub fn expected(&self, max_output: Option<u64>) -> u64 {
        let mut sorted: Vec<u64> = self.produced.iter().copied().collect();
        sorted.sort_unstable();
        let Some(longest) = sorted.last().copied() else {
            return max_output.unwrap_or(Self::PRIOR);
        };
        // The next answer is as likely to fall before the first as between any two or behind the last.
        let rank = ((sorted.len() + 1) * Self::COVERED).div_ceil(100);
        let expected = sorted.get(rank - 1).copied().unwrap_or_else(|| {
            let answers = sorted.len() as u64;
            longest.saturating_add((longest / answers).saturating_mul(2))
        });
        // What was read from a file may be longer.
        expected.min(max_output.unwrap_or(u64::MAX)).min(Self::LONGEST)
    }

    /// Learns that a request produced `produced` tokens.
    pub fn observe(&mut self, produced: u64) {
        // What was read from a file may be longer.
        let surplus = (self.produced.len() + 1).saturating_sub(Self::KEPT);
        self.produced.drain(..surplus);
        self.produced.push_back(produced.min(Self::LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(produced: &[u64]) -> OutputEstimate {
        let mut estimate = OutputEstimate::new();
        produced.iter().for_each(|&tokens| estimate.observe(tokens));
        estimate
    }

    #[test]
    fn before_anything_is_seen_the_maximum_is_expected_or_the_prior() {
        assert_eq!(OutputEstimate::new().expected(Some(4_096)), 4_096);
        assert_eq!(OutputEstimate::new().expected(Some(0)), 0);
        assert_eq!(OutputEstimate::new().expected(None), OutputEstimate::PRIOR);
    }

    #[test]
    fn few_answers_are_widened_less_and_less() {
        assert_eq!(after(&[100]).expected(None), 300);
        assert_eq!(after(&[100]).expected(Some(200)), 200);
        assert_eq!(after(&[100, 60]).expected(None), 200);
        assert_eq!(after(&[100; 18]).expected(None), 110);
        assert_eq!(after(&[100; 19]).expected(None), 100);
        assert_eq!(after(&[0]).expected(None), 0);
    }

    #[test]
    fn no_answer_is_longer_than_one_can_be() {
        assert_eq!(after(&[u64::MAX; 30]).expected(None), OutputEstimate::LONGEST);
        let read: OutputEstimate = serde_json::from_value(vec![u64::MAX; 30].into()).unwrap();
        assert_eq!(read.expected(None), OutputEstimate::LONGEST);
        assert_eq!(read.expected(Some(9)), 9);
    }

    #[test]
    fn answers_of_one_length_narrow_the_estimate_to_it() {
        assert_eq!(after(&[100; 60]).expected(Some(4_096)), 100);
    }

    #[test]
    fn answers_that_grow_are_followed() {
        let mut estimate = after(&[100; 60]);
        for _ in 0..5 {
            estimate.observe(2_000);
        }
        assert_eq!(estimate.expected(None), 2_000);
    }

    #[test]
    fn answers_that_spread_are_covered() {
        let answers: Vec<u64> = (0..400).map(|turn| 200 + (turn * 7_919) % 300).collect();
        let mut estimate = OutputEstimate::new();
        let covered = answers.iter().filter(|&&produced| {
            let covers = estimate.expected(None) >= produced;
            estimate.observe(produced);
            covers
        });
        assert!((375..=395).contains(&covered.count()));
    }

    #[test]
    fn one_long_answer_in_many_is_not_reserved_for_each() {
        let mut estimate = after(&[100; 60]);
        estimate.observe(4_000);
        assert_eq!(estimate.expected(None), 100);
    }

    #[test]
    fn what_was_learned_is_written_down_and_read_again() {
        let estimate = after(&[1, 2, 3]);
        assert_eq!(serde_json::to_string(&estimate).unwrap(), "[1,2,3]");
        let mut read: OutputEstimate = serde_json::from_value((0..1_000).collect()).unwrap();
        read.observe(7);
        assert_eq!(read.produced.len(), OutputEstimate::KEPT);
    }

    proptest! {
        #[test]
        fn no_answer_takes_it_above_the_maximum(produced in proptest::collection::vec(any::<u64>(), 0..40), most: u64) {
            prop_assert!(after(&produced).expected(Some(most)) <= most);
        }
    }
}
