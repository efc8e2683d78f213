//! What prompts are charged, learned from what they were charged.

use serde::{Deserialize, Deserializer, Serialize};

use super::filter::Filter;
use super::kind::RequestKind;
use super::kinds::Kinds;
use super::recent::Recent;
use crate::PayloadTokens;

/// How far the counts of one scope are from what is charged, learned.
///
/// Keep one for each model, or whatever else has a tokenizer of its own. There are four ways to tell what a prompt will
/// be charged: the count; the count and what the last requests of the same kind were charged beyond it; the count with
/// its parts weighted as was learned; and that with the surplus of the kind. All are tried on each answer, and the one is
/// used that was nearest lately. So a count that is exact stays as it is.
///
/// The state is bounded (256 kinds, five figures each) and can be written down and read again.
///
/// ```
/// use serde_json::json;
/// use tokenizer::{Encoding, InputCorrection, RequestKind, count_payload};
///
/// let payload = json!({"model": "mistral-large", "messages": [{"role": "user", "content": "a b c d e f g h"}]});
/// let counted = count_payload(&payload, Encoding::DEFAULT);
/// let kind = RequestKind::of(&payload, false);
/// let mut correction = InputCorrection::new();
/// assert_eq!(correction.expected(&counted, kind), counted.input);
/// for _ in 0..10 {
///     correction.observe(&counted, kind, counted.input + 40);
/// }
/// assert_eq!(correction.expected(&counted, kind), counted.input + 40);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InputCorrection {
    /// Of prompts without definitions, and of those with.
    plain: Part,
    defined: Part,
    kinds: Kinds<Surplus>,
}

/// What requests of one kind were charged beyond what was expected, lately.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Surplus {
    /// Beyond the count.
    of_count: Recent,
    /// Beyond what the filter expected.
    of_filter: Recent,
}

/// How the four ways did, with the weights that two of them need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    filter: Filter,
    /// The mean error of each way lately, as a part of the charge.
    #[serde(deserialize_with = "errors_that_can_be")]
    errors: [f64; WAYS],
}

/// What was written down by somebody else may be no mean of errors: a way of less than none would be used for ever.
fn errors_that_can_be<'de, D: Deserializer<'de>>(written: D) -> Result<[f64; WAYS], D::Error> {
    <[f64; WAYS]>::deserialize(written).map(|errors| errors.map(|error| error.clamp(0.0, LARGEST_ERROR)))
}

const WAYS: usize = 4;

impl Default for Part {
    fn default() -> Self {
        // What is simpler goes first until another one was nearer.
        Self { filter: Filter::default(), errors: [0.05, 0.055, 0.06, 0.06] }
    }
}

/// The weight of a new error in the mean: an eighth, as in the mean time of a round trip (RFC 6298).
const ERROR_WEIGHT: f64 = 1.0 / 8.0;
/// A larger error counts as this one, so that one request does not decide.
const LARGEST_ERROR: f64 = 0.5;
/// Of so many charges one may be wrong and the median is right.
const CARE: usize = 3;

impl InputCorrection {
    /// One that has learned nothing: it expects the count.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where another scope of the same provider begins: with the weights learned here, less certain, and no kinds.
    #[must_use]
    pub fn for_another_scope(&self) -> Self {
        let inherit = |part: &Part| Part { filter: part.filter.inherit(), errors: part.errors };
        Self { plain: inherit(&self.plain), defined: inherit(&self.defined), kinds: Kinds::default() }
    }

    /// How many tokens a prompt of this kind is expected to be charged.
    #[must_use]
    pub fn expected(&self, counted: &PayloadTokens, kind: RequestKind) -> u64 {
        self.expected_after(1, counted, kind)
    }

    /// The same, where one wrong charge must do no harm: what requests of this kind were charged counts from the third on.
    /// A kind that comes once or twice is then told as all of its scope are.
    #[must_use]
    pub fn expected_with_care(&self, counted: &PayloadTokens, kind: RequestKind) -> u64 {
        self.expected_after(CARE, counted, kind)
    }

    fn expected_after(&self, answers: usize, counted: &PayloadTokens, kind: RequestKind) -> u64 {
        let part = self.part(counted);
        let ways = self.ways(part, counted, kind, answers);
        let nearest = ways.iter().zip(part.errors).min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(way, _)| *way);
        // The conversion saturates, and what is expected is never negative or not a number.
        nearest.map_or(counted.input, |expected| expected.round() as u64)
    }

    /// Learns that a prompt was charged so many tokens.
    pub fn observe(&mut self, counted: &PayloadTokens, kind: RequestKind, charged: u64) {
        let charged = charged as f64;
        let ways = self.ways(self.part(counted), counted, kind, 1);
        let part = if counted.shape.definitions > 0 { &mut self.defined } else { &mut self.plain };
        for (error, expected) in part.errors.iter_mut().zip(ways) {
            let this = ((expected - charged).abs() / charged.max(1.0)).min(LARGEST_ERROR);
            *error += ERROR_WEIGHT * (this - *error);
        }
        let surplus = self.kinds.observed(kind);
        surplus.of_count.push(charged - counted.input as f64);
        surplus.of_filter.push(charged - part.filter.expected(counted));
        part.filter.observe(counted, charged);
    }

    fn part(&self, counted: &PayloadTokens) -> &Part {
        if counted.shape.definitions > 0 { &self.defined } else { &self.plain }
    }

    /// What each of the four ways expects, where so many `answers` of a kind tell its surplus.
    fn ways(&self, part: &Part, counted: &PayloadTokens, kind: RequestKind, answers: usize) -> [f64; WAYS] {
        let (count, filtered) = (counted.input as f64, part.filter.expected(counted));
        let surplus = self.kinds.get(kind).filter(|surplus| surplus.of_count.len() >= answers);
        let of_count = surplus.and_then(|surplus| surplus.of_count.median()).unwrap_or(0.0);
        let of_filter = surplus.and_then(|surplus| surplus.of_filter.median()).unwrap_or(0.0);
        let at_least_one = |expected: f64| if expected.is_finite() { expected.max(1.0) } else { count };
        [count, at_least_one(count + of_count), filtered, at_least_one(filtered + of_filter)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use proptest::prelude::*;
    use serde_json::json;

    fn prompt(input: u64, definitions: u64) -> PayloadTokens {
        let shape = Shape { definitions, messages: 1, tools: definitions.min(1), ..Shape::default() };
        PayloadTokens { input, shape, ..PayloadTokens::default() }
    }

    fn kind(number: u64) -> RequestKind {
        RequestKind::of(&json!({"tools": number}), false)
    }

    #[test]
    fn a_count_that_is_exact_stays_as_it_is() {
        let mut correction = InputCorrection::new();
        for input in (10..2_000).step_by(7) {
            assert_eq!(correction.expected(&prompt(input, 0), kind(0)), input);
            correction.observe(&prompt(input, 0), kind(0), input);
        }
    }

    #[test]
    fn a_finer_tokenizer_is_learned_for_kinds_that_were_never_seen() {
        let mut correction = InputCorrection::new();
        for turn in 0..200 {
            let input = 50 + turn * 37 % 900;
            correction.observe(&prompt(input, 0), kind(turn), input * 5 / 4);
        }
        let expected = correction.expected(&prompt(1_000, 0), kind(999));
        assert!((1_200..=1_300).contains(&expected), "{expected}");
        let another = correction.for_another_scope().expected(&prompt(1_000, 0), kind(0));
        assert!((1_200..=1_300).contains(&another), "{another}");
    }

    #[test]
    fn a_hidden_prompt_of_one_kind_is_learned_for_that_kind_alone() {
        let mut correction = InputCorrection::new();
        for turn in 0..40 {
            let input = 50 + turn;
            correction.observe(&prompt(input, 20), kind(turn % 2), input + 300 * (turn % 2));
        }
        assert_eq!(correction.expected(&prompt(77, 20), kind(1)), 377);
        assert_eq!(correction.expected(&prompt(77, 20), kind(0)), 77);
    }

    #[test]
    fn one_wrong_charge_moves_nothing() {
        let mut correction = InputCorrection::new();
        (0..30).for_each(|_| correction.observe(&prompt(100, 0), kind(0), 120));
        let before = correction.expected(&prompt(100, 0), kind(0));
        correction.observe(&prompt(100, 0), kind(0), 15_000);
        assert_eq!((before, correction.expected(&prompt(100, 0), kind(0))), (120, 120));
    }

    #[test]
    fn with_care_a_kind_tells_nothing_until_two_of_its_charges_agree() {
        let mut correction = InputCorrection::new();
        for turn in 0..90 {
            correction.observe(&prompt(100 + turn, 0), kind(turn % 30), 100 + turn + 40 * (turn % 30));
        }
        let expected = |correction: &InputCorrection| {
            [correction.expected(&prompt(100, 0), kind(99)), correction.expected_with_care(&prompt(100, 0), kind(99))]
        };
        correction.observe(&prompt(100, 0), kind(99), 1_000_000);
        let [first, careful] = expected(&correction);
        assert!(first > 500_000 && careful < 1_000, "{first} {careful}");
        correction.observe(&prompt(100, 0), kind(99), 150);
        correction.observe(&prompt(100, 0), kind(99), 150);
        assert_eq!(expected(&correction), [150, 150]);
    }

    #[test]
    fn what_was_learned_is_written_down_and_read_again() {
        let mut correction = InputCorrection::new();
        for turn in 0..300 {
            correction.observe(&prompt(50 + turn, turn % 3), kind(turn), 70 + turn);
        }
        let written = serde_json::to_string(&correction).unwrap();
        let read: InputCorrection = serde_json::from_str(&written).unwrap();
        assert_eq!(read.expected(&prompt(90, 0), kind(299)), correction.expected(&prompt(90, 0), kind(299)));
        assert!(written.len() < 100_000, "{}", written.len());
    }

    #[test]
    fn what_was_written_down_by_somebody_else_is_learned_away() {
        let mut written = serde_json::to_value(InputCorrection::new()).unwrap();
        written["plain"]["errors"] = json!([0.4, 0.4, -1e300, 1e300]);
        written["plain"]["filter"]["weights"] = json!([1e300, -1e300, 0.0, 0.0, 1e308]);
        written["plain"]["filter"]["covariance"] = json!(vec![[-1e300; 5]; 5]);
        let mut read: InputCorrection = serde_json::from_value(written).unwrap();
        for turn in 0..60 {
            read.observe(&prompt(100 + turn, 0), kind(turn), 130 + turn * 13 / 10);
        }
        let expected = read.expected(&prompt(1_000, 0), kind(99));
        assert!((1_200..=1_400).contains(&expected), "{expected}");
    }

    proptest! {
        #[test]
        fn any_charge_is_survived(seen in prop::collection::vec((any::<u64>(), 0_u64..3, any::<u64>()), 0..40)) {
            let mut correction = InputCorrection::new();
            for (input, definitions, charged) in seen {
                correction.observe(&prompt(input, definitions), kind(definitions), charged);
                let _ = correction.expected(&prompt(input, definitions), kind(definitions));
            }
            // Small prompts are expected to be charged something that a request can be.
            prop_assert!(correction.expected(&PayloadTokens::default(), kind(9)) < u64::MAX);
        }
    }
}
