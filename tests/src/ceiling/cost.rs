//! What requests cost, by the rules that providers document.

use chat_limiter::providers::Usage;

use super::axes::{Charge, Disturbance, Headers};
use super::cell::Cell;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    Requests,
    Tokens,
    Input,
    Output,
}

/// What is asked for, in tokens as the client counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) prompt: u64,
    pub(super) most_output: u64,
}

/// What the provider says that a request took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Took {
    pub(super) input: u64,
    /// The part of the input that came out of a cache.
    pub(super) cached: u64,
    pub(super) output: u64,
}

/// An amount in every dimension; zero where a provider does not limit it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) requests: u64,
    pub(super) tokens: u64,
    pub(super) input: u64,
    pub(super) output: u64,
}

impl From<Usage> for Took {
    fn from(usage: Usage) -> Self {
        Self { input: usage.input, cached: usage.cached_input, output: usage.output }
    }
}

impl Cost {
    pub(super) const fn of(&self, dimension: Dimension) -> u64 {
        match dimension {
            Dimension::Requests => self.requests,
            Dimension::Tokens => self.tokens,
            Dimension::Input => self.input,
            Dimension::Output => self.output,
        }
    }

    /// The larger one of both in every dimension.
    pub(super) fn at_least(self, other: Self) -> Self {
        Self {
            requests: self.requests.max(other.requests),
            tokens: self.tokens.max(other.tokens),
            input: self.input.max(other.input),
            output: self.output.max(other.output),
        }
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            tokens: self.tokens + other.tokens,
            input: self.input + other.input,
            output: self.output + other.output,
        }
    }
}

impl From<simulator::Amounts> for Cost {
    fn from(charged: simulator::Amounts) -> Self {
        Self {
            requests: charged.requests,
            tokens: charged.tokens,
            input: charged.input_tokens,
            output: charged.output_tokens,
        }
    }
}

impl Cell {
    /// What this cell's provider limits.
    pub(super) fn dimensions(&self) -> &'static [Dimension] {
        if let Some(only) = self.limits_only_requests() {
            return only;
        }
        match self.headers {
            Headers::Anthropic => &[Dimension::Requests, Dimension::Input, Dimension::Output],
            Headers::OpenAi | Headers::OnRefusal | Headers::Never => &[Dimension::Requests, Dimension::Tokens],
        }
    }

    /// How many tokens the provider counts where a client counts one.
    pub(super) const fn prompt_factor(&self) -> f64 {
        match self.disturbance {
            Disturbance::CountsMore => 1.3,
            Disturbance::CountsLess => 0.7,
            _ => 1.0,
        }
    }

    /// The share of a prompt that comes out of a cache.
    pub(super) const fn cached_share(&self) -> f64 {
        match self.charge {
            Charge::CachedInputFree => 0.5,
            _ => 0.0,
        }
    }

    /// What this cell's provider charges in the end for a request of that size that took as much.
    pub(super) fn cost(&self, size: &Size, took: &Took) -> Cost {
        let (input, most) = (took.input, size.most_output);
        let fresh = input.saturating_sub(took.cached);
        let (tokens, input, output) = match self.charge {
            Charge::PromptPlusMaxTokens => (input + most, input, most),
            Charge::MaxOfBoth => (input.max(most), input, most),
            Charge::PromptOnly => (input, input, 0),
            Charge::Produced => (input + took.output, input, took.output),
            // Output that is metered apart counts when it has been produced, as Anthropic documents it.
            Charge::CachedInputFree => (fresh, fresh, took.output),
        };
        match self.headers {
            Headers::Anthropic => Cost { requests: 1, tokens: 0, input, output },
            Headers::OpenAi | Headers::OnRefusal | Headers::Never => Cost { requests: 1, tokens, input: 0, output: 0 },
        }
    }

    /// What a request of that size will take, where answers have about `output` tokens unless they are cut.
    pub(super) fn expected(&self, size: &Size, output: u64) -> Took {
        let input = (size.prompt as f64 * self.prompt_factor()).ceil() as u64;
        let cached = (input as f64 * self.cached_share()) as u64;
        Took { input, cached, output: output.min(size.most_output) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_costs_what_its_name_says() {
        #[track_caller]
        fn check(charge: Charge, tokens: u64, apart: (u64, u64)) {
            let size = Size { prompt: 100, most_output: 300 };
            let took = Took { input: 130, cached: 60, output: 7 };
            let cell = Cell { charge, ..Cell::BASE };
            assert_eq!(cell.cost(&size, &took), Cost { requests: 1, tokens, ..Cost::default() });
            let cell = Cell { headers: Headers::Anthropic, ..cell };
            let (input, output) = apart;
            assert_eq!(cell.cost(&size, &took), Cost { requests: 1, tokens: 0, input, output });
        }
        check(Charge::PromptPlusMaxTokens, 430, (130, 300));
        check(Charge::MaxOfBoth, 300, (130, 300));
        check(Charge::PromptOnly, 130, (130, 0));
        check(Charge::Produced, 137, (130, 7));
        check(Charge::CachedInputFree, 70, (70, 7));
    }
}
