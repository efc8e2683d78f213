//! The windows that OpenAI's and Groq's answers show.

use chat_limiter::limiter_core::{Dimension, Nanos};
use chat_limiter::providers::{Provider, UnixTime};

use super::rows::Answer;

/// How many limits allow to tell their window, and of how many it was told right.
#[derive(Debug, Default)]
pub struct Windows {
    /// Limits of which something is used, with a reset.
    pub told: u64,
    /// Those whose window was found.
    pub right: u64,
}

impl Windows {
    /// Compares with the arithmetic of a bucket: `reset x limit / used`, the minute or the day, whichever is nearer.
    pub(super) fn add(&mut self, provider: &dyn Provider, answer: &Answer) -> Vec<String> {
        if !["openai", "groq"].contains(&answer.provider.as_str()) {
            return Vec::new();
        }
        let observation = provider.observe(answer.status, &answer.header_map(), UnixTime::default());
        let families =
            [("requests", Dimension::Requests), ("tokens", Dimension::Tokens), ("input-images", Dimension::Images)];
        let mut examples = Vec::new();
        for (family, dimension) in families {
            let Some(expected) = expected(answer, family) else { continue };
            self.told += 1;
            let reading = observation.readings().iter().find(|reading| reading.dimension == dimension);
            let found = reading.and_then(|reading| provider.window_of(reading));
            if found == Some(expected) {
                self.right += 1;
            } else {
                examples.push(format!("{}: {family}: {found:?}, not {expected:?}: {reading:?}", answer.provider));
            }
        }
        examples
    }
}

fn expected(answer: &Answer, family: &str) -> Option<Nanos> {
    let value = |field: &str| {
        let name = format!("x-ratelimit-{field}-{family}");
        answer.headers.iter().find(|(it, _)| *it == name).map(|(_, value)| value.as_str())
    };
    let (limit, remaining): (f64, f64) = (value("limit")?.parse().ok()?, value("remaining")?.parse().ok()?);
    let (used, reset) = (limit - remaining, seconds(value("reset")?)?);
    if used <= 0.0 || reset <= 0.0 {
        return None;
    }
    let window = reset * limit / used;
    // Nearer by their ratio.
    Some(if window < (60.0_f64 * 86_400.0).sqrt() { Nanos::MINUTE } else { Nanos::DAY })
}

/// A span as Go prints it.
fn seconds(text: &str) -> Option<f64> {
    let mut sum = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let number_ends = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, after) = rest.split_at(number_ends);
        let unit_ends = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_ends);
        let factor = match unit {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * factor;
        rest = next;
    }
    Some(sum)
}
