//! What a run came to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use limiter_core::{Dimension, LimitSource, LimitState, Refill};
use serde::Serialize;

use crate::{Answer, Error, ScopeState};

/// The outcome of a run, as `--summary` writes it.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Lines dealt with in this run: `succeeded + failed`.
    pub requests: u64,
    /// Requests answered well.
    pub succeeded: u64,
    /// Requests that failed for good, and lines that were no requests.
    pub failed: u64,
    /// Lines whose result an earlier run had written.
    pub skipped: u64,
    /// How often requests were sent.
    pub attempts: u64,
    /// How many of the attempts were answered with status 429.
    pub rate_limited: u64,
    /// Input tokens that the answers say they took.
    pub input_tokens: u64,
    /// Output tokens that the answers say they took.
    pub output_tokens: u64,
    /// Seconds from start to end.
    pub elapsed_seconds: f64,
    /// Successes per second.
    pub requests_per_second: f64,
    /// Input and output tokens per second.
    pub tokens_per_second: f64,
    /// The share of the quota's rate that was used on average, 0 to 1, in the dimension that used most of it; `null`
    /// where no limit is known.
    pub quota_utilization: Option<f64>,
    /// The same for each model, by the name in the requests.
    pub per_model: BTreeMap<String, ModelSummary>,
    /// The limits known at the end, by the models that share them.
    pub limits: BTreeMap<String, Vec<LimitSummary>>,
    /// Whether the run was stopped before its end.
    pub stopped: bool,
}

/// The part of one model.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct ModelSummary {
    /// Requests for this model.
    pub requests: u64,
    /// Those answered well.
    pub succeeded: u64,
    /// Those that failed for good.
    pub failed: u64,
    /// How often they were sent.
    pub attempts: u64,
    /// Input tokens that the answers say they took.
    pub input_tokens: u64,
    /// Output tokens that the answers say they took.
    pub output_tokens: u64,
    #[serde(skip)]
    group: Option<Arc<str>>,
}

/// One limit.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LimitSummary {
    /// What is counted: `requests`, `tokens`, ...
    pub dimension: &'static str,
    /// The amount per window.
    pub amount: u64,
    /// The window in seconds; `None` for what may be in flight at one moment.
    pub window_seconds: Option<f64>,
    /// What was left at the end.
    pub remaining: i64,
    /// `found` in what the provider said, or `told` by the user.
    pub source: &'static str,
}

/// So many models have a line of their own; a file with more names than that is not a list of models.
const MOST_MODELS: usize = 1_000;

impl Summary {
    /// Counts a request that was dealt with.
    pub(super) fn count(&mut self, model: &str, group: Arc<str>, outcome: &Result<Answer, Error>) {
        let name =
            if self.per_model.len() < MOST_MODELS || self.per_model.contains_key(model) { model } else { "(other)" };
        let part = self.per_model.entry(name.to_owned()).or_default();
        part.group = Some(group);
        self.requests += 1;
        part.requests += 1;
        let (attempts, rate_limited) = match outcome {
            Ok(answer) => (answer.attempts, answer.rate_limited_attempts),
            Err(error) => (error.attempts(), error.rate_limited_attempts()),
        };
        self.attempts += u64::from(attempts);
        part.attempts += u64::from(attempts);
        self.rate_limited += u64::from(rate_limited);
        match outcome {
            Ok(answer) => {
                self.succeeded += 1;
                part.succeeded += 1;
                if let Some(usage) = &answer.usage {
                    let output = usage.produced();
                    self.input_tokens = self.input_tokens.saturating_add(usage.input);
                    self.output_tokens = self.output_tokens.saturating_add(output);
                    part.input_tokens = part.input_tokens.saturating_add(usage.input);
                    part.output_tokens = part.output_tokens.saturating_add(output);
                }
            }
            Err(_) => {
                self.failed += 1;
                part.failed += 1;
            }
        }
    }

    /// Counts a line that was no request.
    pub(super) const fn count_invalid(&mut self) {
        self.requests += 1;
        self.failed += 1;
    }

    /// Fills in what is only known at the end.
    pub(super) fn finish(&mut self, elapsed: Duration, scopes: &[ScopeState]) {
        self.elapsed_seconds = elapsed.as_secs_f64();
        let per_second =
            |amount: u64| if self.elapsed_seconds > 0.0 { amount as f64 / self.elapsed_seconds } else { 0.0 };
        self.requests_per_second = per_second(self.succeeded);
        self.tokens_per_second = per_second(self.input_tokens.saturating_add(self.output_tokens));
        for scope in scopes.iter().filter(|scope| !scope.state.limits.is_empty()) {
            let name = if scope.models.is_empty() { "(all)".to_owned() } else { scope.models.join(", ") };
            // How many requests may be in flight is a setting of the caller's and no quota.
            let is_setting =
                |state: &&LimitState| state.limit.refill() == Refill::OnRelease && state.source == LimitSource::Told;
            for state in scope.state.limits.iter().filter(|state| !is_setting(state)) {
                let used = self.used(&scope.models, state.limit.dimension());
                let allowed = state.limit.amount() as f64 * self.elapsed_seconds / state.limit.window().as_secs_f64();
                if let Some(used) = used.filter(|_| allowed > 0.0) {
                    let share = (used as f64 / allowed).min(1.0);
                    self.quota_utilization = Some(self.quota_utilization.map_or(share, |most| most.max(share)));
                }
                self.limits.entry(name.clone()).or_default().push(LimitSummary {
                    dimension: state.limit.dimension().name(),
                    amount: state.limit.amount(),
                    window_seconds: (state.limit.refill() != Refill::OnRelease)
                        .then(|| state.limit.window().as_secs_f64()),
                    remaining: state.level,
                    source: match state.source {
                        LimitSource::Told => "told",
                        LimitSource::Expected => "expected",
                        _ => "found",
                    },
                });
            }
        }
    }

    /// What the models of one scope took of one dimension; `None` where that is not counted here.
    fn used(&self, groups: &[Arc<str>], dimension: Dimension) -> Option<u64> {
        let amount = |part: &ModelSummary| match dimension {
            Dimension::Requests => Some(part.attempts),
            Dimension::Tokens => Some(part.input_tokens.saturating_add(part.output_tokens)),
            Dimension::InputTokens => Some(part.input_tokens),
            Dimension::OutputTokens => Some(part.output_tokens),
            _ => None,
        };
        let parts = self
            .per_model
            .values()
            .filter(|part| groups.is_empty() || part.group.as_ref().is_some_and(|group| groups.contains(group)));
        parts.map(amount).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_usage_does_not_panic() {
        let mut summary = Summary::default();
        let body = bytes::Bytes::from_static(
            br#"{"usage":{"prompt_tokens":18446744073709551615,"completion_tokens":18446744073709551615}}"#,
        );
        for _ in 0..2 {
            let answer = Answer {
                status: http::StatusCode::OK,
                headers: http::HeaderMap::new(),
                usage: providers::Usage::from_body(&body),
                body: body.clone(),
                attempts: 1,
                rate_limited_attempts: 0,
                history: crate::History::default(),
            };
            summary.count("m", "m".into(), &Ok(answer));
        }
        summary.finish(Duration::from_secs(1), &[]);
    }
}
