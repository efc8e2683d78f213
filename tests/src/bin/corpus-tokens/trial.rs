//! Counting each request, and learning from what was billed for it, in the order of the file.

use std::collections::{BTreeMap, HashMap};

use chat_limiter::tokenizer::{
    Encoding, InputCorrection, OutputEstimates, PayloadKind, RequestKind, count_payload_for,
};

use crate::row::{Class, Row};

/// What was expected of one request, and what it was billed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guess {
    pub(crate) before: u64,
    pub(crate) after: u64,
    pub(crate) billed: u64,
}

/// What was expected of answers, and what they were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outputs {
    pub(crate) answers: u64,
    /// How many were no longer than expected.
    pub(crate) covered: u64,
    pub(crate) produced: u64,
    pub(crate) expected: u64,
    /// Of requests with a bound: what it adds up to, what was expected of them, and what they produced.
    pub(crate) bound: u64,
    pub(crate) expected_of_bound: u64,
    pub(crate) produced_of_bound: u64,
}

/// All guesses, by provider and class.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    pub(crate) guesses: BTreeMap<(String, Class), Vec<Guess>>,
    pub(crate) outputs: Outputs,
}

impl Trial {
    /// Every request is guessed before it is learned from. A model is a scope; a new one begins with what its provider's
    /// models have taught.
    pub(crate) fn of(rows: &[Row]) -> Self {
        let mut trial = Self::default();
        let mut providers: HashMap<(&str, PayloadKind), InputCorrection> = HashMap::new();
        let mut scopes: HashMap<(&str, &str, PayloadKind), InputCorrection> = HashMap::new();
        let mut outputs: HashMap<(&str, &str), OutputEstimates> = HashMap::new();
        for row in rows {
            let encoding = Encoding::for_model_or_default(&row.model);
            let counted = count_payload_for(&row.body, row.api, &row.model, encoding);
            let kind = RequestKind::of(&row.body, counted.shape.calls > 0);
            let provider = providers.entry((&row.provider, row.api)).or_default();
            let scope = (row.provider.as_str(), row.model.as_str(), row.api);
            let scope = scopes.entry(scope).or_insert_with(|| provider.for_another_scope());
            let after = scope.expected(&counted, kind);
            let guess = Guess { before: counted.input, after, billed: row.input };
            trial.guesses.entry((row.provider.clone(), row.class)).or_default().push(guess);
            scope.observe(&counted, kind, row.input);
            provider.observe(&counted, kind, row.input);
            if row.output > 0 {
                let output = outputs.entry((&row.provider, &row.model)).or_default();
                trial.outputs.add(output.expected(kind, counted.max_output), row.output, counted.max_output);
                output.observe(kind, row.output);
            }
        }
        trial
    }

    /// The guesses of a provider, of these classes.
    pub(crate) fn of_provider(&self, provider: &str, classes: &[Class]) -> Vec<Guess> {
        let of_provider = self.guesses.iter().filter(|((name, class), _)| name == provider && classes.contains(class));
        of_provider.flat_map(|(_, guesses)| guesses.iter().copied()).collect()
    }
}

impl Outputs {
    fn add(&mut self, expected: u64, produced: u64, bound: Option<u64>) {
        self.answers += 1;
        self.covered += u64::from(produced <= expected);
        self.produced += produced;
        self.expected += expected;
        if let Some(bound) = bound {
            self.bound += bound;
            self.expected_of_bound += expected;
            self.produced_of_bound += produced;
        }
    }
}
