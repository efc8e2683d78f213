//! What requests will cost at most, or probably, by the prices that are known.

use chat_limiter::providers::models::{Billing, ModelTable};
use chat_limiter::providers::{RequestSize, Usage};
use chat_limiter::tokenizer::OutputEstimate;

/// Where requests are priced, and how they are billed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prices<'a> {
    table: &'a ModelTable,
    /// The name of the provider whose prices come first. The maker's are taken for models that it does not have.
    provider: &'a str,
    billing: Billing,
}

impl<'a> Prices<'a> {
    pub(crate) const fn new(table: &'a ModelTable, provider: &'a str, billing: Billing) -> Self {
        Self { table, provider, billing }
    }

    /// What `input` tokens of prompt cost in US dollars, and `output` tokens of the answer to it; `None` where no price
    /// is known. How long the prompt is can change both prices, so they are those of one request.
    fn of(&self, model: &str, input: u64, output: u64) -> Option<(f64, f64)> {
        let mut usage = Usage::default();
        usage.input = input;
        let prompt = self.table.cost(self.provider, model, &usage, self.billing)?;
        usage.output = output;
        let whole = self.table.cost(self.provider, model, &usage, self.billing)?;
        // What is subtracted from itself leaves no more than an error of rounding.
        Some((prompt, (whole - prompt).max(0.0)))
    }

    /// What a prompt costs, in words, or that it is not known.
    pub(crate) fn describe_input(&self, model: &str, tokens: u64) -> String {
        match self.of(model, tokens, 0) {
            Some((dollars, _)) => format!("input cost: {dollars:.6} {}", self.unit()),
            None => format!("input cost: {} of {model:?}", self.unknown()),
        }
    }

    /// What sums are in, and by which prices.
    fn unit(&self) -> String {
        let date = self.table.date().map(|date| format!(" of {date}")).unwrap_or_default();
        match self.billing {
            Billing::Batch => format!("US dollars at batch prices{date}"),
            _ => format!("US dollars at prices{date}"),
        }
    }

    const fn unknown(&self) -> &'static str {
        match self.billing {
            Billing::Batch => "no known batch price",
            _ => "no known price",
        }
    }
}

/// What some requests add up to in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Estimate {
    input: f64,
    output: f64,
    requests: u64,
    /// How many of them have a price.
    priced: u64,
    /// How many of those with a price set no bound on their output.
    unbounded: u64,
}

impl Estimate {
    /// Output is taken at its bound, or at what the client reserves where there is none.
    pub(crate) fn add(&mut self, prices: &Prices<'_>, model: &str, size: &RequestSize) {
        self.requests += 1;
        let output = size.max_output_tokens.unwrap_or(OutputEstimate::PRIOR);
        if let Some((prompt, answer)) = prices.of(model, size.input_tokens, output) {
            self.priced += 1;
            self.unbounded += u64::from(size.max_output_tokens.is_none());
            self.input += prompt;
            self.output += answer;
        }
    }

    /// Three columns: the cost of the input, that of the output (`-` where no price is known), and what they are.
    pub(crate) fn columns(&self, prices: &Prices<'_>) -> String {
        let Self { input, output, requests, priced, unbounded } = self;
        let unknown = prices.unknown();
        if *priced == 0 && *requests > 0 {
            return format!("-\t-\t{unknown}");
        }
        let mut words = prices.unit();
        if *unbounded == 0 {
            words += ", output at most";
        } else {
            words += &format!(
                ", output expected: {unbounded} of {requests} requests set no bound and are taken for {} tokens each",
                OutputEstimate::PRIOR
            );
        }
        if priced < requests {
            words += &format!(", without {} of {requests} requests: {unknown}", requests - priced);
        }
        format!("{input:.6}\t{output:.6}\t{words}")
    }
}

#[cfg(test)]
mod tests;
