//! What requests of one kind produce, learned from what they produced.

/// How many tokens the next request of one kind will probably produce.
///
/// Keep one per kind of request: a model with a task, or whatever produces answers of like length. It holds a running
/// mean and a running mean deviation and expects the mean and four deviations, as TCP does for the time of a round trip
/// (RFC 6298, sections 2.2 and 2.3), so it covers nearly every answer without reserving what is never produced.
///
/// ```
/// let mut estimate = tokenizer::OutputEstimate::new();
/// assert_eq!(estimate.expected(Some(4_096)), 4_096);
/// for _ in 0..20 {
///     estimate.observe(100);
/// }
/// assert!(estimate.expected(Some(4_096)) < 150);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OutputEstimate {
    learned: Option<Learned>,
}

/// Tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Learned {
    mean: f64,
    deviation: f64,
}

impl OutputEstimate {
    /// What a request without `max_tokens` is expected to produce before anything was seen: 512 tokens, a long
    /// paragraph or two. Models rarely produce more unasked, and the first answers correct it.
    pub const PRIOR: u64 = 512;

    /// The weight of a new answer in the mean: an eighth (RFC 6298, alpha).
    const MEAN_WEIGHT: f64 = 1.0 / 8.0;
    /// The weight of a new deviation: a quarter (RFC 6298, beta).
    const DEVIATION_WEIGHT: f64 = 1.0 / 4.0;
    /// How many deviations are expected above the mean (RFC 6298, K).
    const DEVIATIONS: f64 = 4.0;

    /// An estimate that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { learned: None }
    }

    /// How many tokens a request that may produce `max_output` is expected to produce, never more than `max_output`.
    ///
    /// Before the first [`observe`](Self::observe) it is `max_output`, or [`PRIOR`](Self::PRIOR) where there is none.
    #[must_use]
    pub fn expected(&self, max_output: Option<u64>) -> u64 {
        let Some(learned) = self.learned else {
            return max_output.unwrap_or(Self::PRIOR);
        };
        // The conversion saturates, and neither term is negative or not a number.
        let expected = (learned.mean + Self::DEVIATIONS * learned.deviation).ceil() as u64;
        max_output.map_or(expected, |most| expected.min(most))
    }

    /// Learns that a request produced `produced` tokens.
    pub fn observe(&mut self, produced: u64) {
        let produced = produced as f64;
        self.learned = Some(match self.learned {
            None => Learned { mean: produced, deviation: produced / 2.0 },
            Some(Learned { mean, deviation }) => Learned {
                deviation: deviation + Self::DEVIATION_WEIGHT * ((produced - mean).abs() - deviation),
                mean: mean + Self::MEAN_WEIGHT * (produced - mean),
            },
        });
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
    fn the_first_answer_counts_as_the_timer_of_rfc_6298_does() {
        assert_eq!(after(&[100]).expected(None), 300);
        assert_eq!(after(&[100]).expected(Some(200)), 200);
        assert_eq!(after(&[100, 100]).expected(None), 250);
        assert_eq!(after(&[0]).expected(None), 0);
    }

    #[test]
    fn answers_of_one_length_narrow_the_estimate_to_it() {
        assert_eq!(after(&[100; 60]).expected(Some(4_096)), 101);
    }

    #[test]
    fn answers_that_grow_are_followed() {
        let mut estimate = after(&[100; 60]);
        for _ in 0..5 {
            estimate.observe(2_000);
        }
        assert!(estimate.expected(None) > 2_000);
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
        assert!(covered.count() >= 396);
    }

    proptest! {
        #[test]
        fn no_answer_takes_it_above_the_maximum(produced in proptest::collection::vec(any::<u64>(), 0..40), most: u64) {
            prop_assert!(after(&produced).expected(Some(most)) <= most);
        }
    }
}
