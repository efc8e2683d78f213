//! What is known, used and waited for now.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use limiter_core::{Dimension, LimitSource, LimitState, Nanos, State};
use serde::Serialize;
use tokio::sync::watch;

use super::{ChatLimiter, closed};
use crate::Error;
use crate::clock::Clock;
use crate::scopes::{Scopes, View};
use crate::usage::UsageTotals;

/// One set of limits and the models that share it, in the fewest words. [`ScopeState`](crate::ScopeState) has all of
/// them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CurrentLimits {
    /// The provider's name.
    pub provider: String,
    /// The model groups in it; none for the first set before any answer.
    pub models: Vec<String>,
    /// How many requests are allowed in [`request_window`](Self::request_window); `None` where that is not known.
    ///
    /// Of several limits it is the one with the shortest window, and of those the lowest, whether you set it or the
    /// provider did. It is what is used: where a buffer is kept, less than the provider allows.
    pub request_limit: Option<u64>,
    /// The span that `request_limit` is for.
    pub request_window: Option<Duration>,
    /// How many tokens of input and output are allowed in [`token_window`](Self::token_window).
    pub token_limit: Option<u64>,
    /// The span that `token_limit` is for.
    pub token_window: Option<Duration>,
    /// How many tokens of input are allowed in a minute or the shortest span there is a limit for.
    pub input_token_limit: Option<u64>,
    /// The same for tokens of output.
    pub output_token_limit: Option<u64>,
    /// Requests that were answered since the client was built or
    /// [`reset_usage_tracking`](ChatLimiter::reset_usage_tracking).
    pub requests_used: u64,
    /// The tokens that they took.
    pub tokens_used: u64,
    /// The part of them that was input.
    pub input_tokens_used: u64,
    /// The part of them that was output.
    pub output_tokens_used: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Requests that wait.
    pub waiting: usize,
    /// How much longer everybody is held back, where the provider asked for that or fails.
    pub paused_for: Option<Duration>,
    /// When a request was let through last.
    pub last_request_time: Option<SystemTime>,
    /// When an answer stated limits last.
    pub last_limit_update: Option<SystemTime>,
    /// How many requests in a row were refused for their rate.
    pub consecutive_rate_limit_errors: u32,
}

impl CurrentLimits {
    fn of(view: View, provider: &str, clock: &Clock) -> Self {
        let View { models, state, latest, used, .. } = &view;
        let limit = |dimension| tightest(&view, dimension);
        let (requests, tokens) = (limit(Dimension::Requests), limit(Dimension::Tokens));
        let time = |at: Nanos| clock.system_time(at);
        let now = clock.now();
        Self {
            provider: provider.to_owned(),
            models: models.iter().map(ToString::to_string).collect(),
            request_limit: requests.map(|(amount, _)| amount),
            request_window: requests.map(|(_, window)| window.into()),
            token_limit: tokens.map(|(amount, _)| amount),
            token_window: tokens.map(|(_, window)| window.into()),
            input_token_limit: limit(Dimension::InputTokens).map(|(amount, _)| amount),
            output_token_limit: limit(Dimension::OutputTokens).map(|(amount, _)| amount),
            requests_used: used.requests,
            tokens_used: used.tokens,
            input_tokens_used: used.input_tokens,
            output_tokens_used: used.output_tokens,
            in_flight: state.in_flight,
            waiting: state.waiting,
            paused_for: state.paused_until.map(|until| until.saturating_sub(now).into()),
            last_request_time: latest.admitted_at.map(time),
            last_limit_update: latest.limits_at.map(time),
            consecutive_rate_limit_errors: latest.refused_in_a_row,
        }
    }
}

/// The amount and window of the limit on a dimension that has the shortest window and allows the least.
fn tightest(view: &View, dimension: Dimension) -> Option<(u64, Nanos)> {
    let used = |known: &LimitState| {
        // What the caller told is kept as it is used already.
        let is_told = known.source == LimitSource::Told;
        let limit = if is_told { known.limit } else { view.ratio.applied(known.limit) };
        (limit.window(), limit.amount())
    };
    let limits = view.state.limits.iter().filter(|known| known.limit.dimension() == dimension);
    limits.map(used).min().map(|(window, amount)| (amount, window))
}

/// One set of limits and the models that share it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScopeState {
    /// The model groups whose requests were answered in it; none for the first scope before any answer.
    pub models: Vec<Arc<str>>,
    /// Its limits, and what is in flight and waiting.
    pub state: State,
}

/// Tells when anything changes that [`ChatLimiter::current_limits`] shows: see [`ChatLimiter::subscribe`].
#[derive(Clone, Debug)]
pub struct Subscription {
    provider: Arc<str>,
    clock: Clock,
    scopes: Arc<Scopes>,
    changes: watch::Receiver<()>,
    closed: watch::Receiver<bool>,
}

impl Subscription {
    /// Waits until something has changed since the last call, or since the subscription began. Changes that come while
    /// nobody asks are one. Cancel-safe.
    ///
    /// # Errors
    ///
    /// [`Error::is_closed`] once the client was closed, or its last clone is gone.
    pub async fn changed(&mut self) -> Result<(), Error> {
        tokio::select! {
            biased;
            _ = self.closed.wait_for(|closed| *closed) => Err(closed()),
            changed = self.changes.changed() => changed.map_err(|_| closed()),
        }
    }

    /// What [`ChatLimiter::current_limits`] shows now.
    #[must_use]
    pub fn borrow(&self) -> Vec<CurrentLimits> {
        current(&self.scopes, &self.provider, &self.clock)
    }
}

fn current(scopes: &Scopes, provider: &str, clock: &Clock) -> Vec<CurrentLimits> {
    scopes.views().into_iter().map(|view| CurrentLimits::of(view, provider, clock)).collect()
}

impl ChatLimiter {
    /// The limits known now, what is left of them, and who waits, for each set of models that share limits.
    #[must_use]
    pub fn limits(&self) -> Vec<ScopeState> {
        let views = self.shared.scopes.views();
        views.into_iter().map(|View { models, state, .. }| ScopeState { models, state }).collect()
    }

    /// The limits in force now and what was used, for each set of models that share limits: one line each.
    ///
    /// ```
    /// use chat_limiter::ChatLimiter;
    ///
    /// let limiter = ChatLimiter::builder("openai-compatible").requests_per_minute(60).build()?;
    /// let limits = &limiter.current_limits()[0];
    /// assert_eq!((limits.requests_used, limits.request_limit), (0, Some(60)));
    /// # Ok::<(), chat_limiter::Error>(())
    /// ```
    #[must_use]
    pub fn current_limits(&self) -> Vec<CurrentLimits> {
        current(&self.shared.scopes, self.shared.provider.name(), &self.shared.clock)
    }

    /// What requests have used, over all models.
    #[must_use]
    pub fn usage(&self) -> UsageTotals {
        let mut sum = UsageTotals::default();
        self.shared.scopes.books().used().values().for_each(|totals| sum.add(totals));
        sum
    }

    /// What requests have used, for each model group, in the order of their names.
    #[must_use]
    pub fn usage_by_model(&self) -> Vec<(Arc<str>, UsageTotals)> {
        let mut used: Vec<_> = self.shared.scopes.books().used().into_iter().collect();
        used.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        used
    }

    /// Counts what is used from zero again. Limits and their levels stay as they are.
    pub fn reset_usage_tracking(&self) {
        self.shared.scopes.reset_usage();
    }

    /// To be told when anything changes: limits, what is used, who waits. Costs next to nothing while nobody subscribes.
    ///
    /// ```no_run
    /// # async fn example(limiter: chat_limiter::ChatLimiter) {
    /// let mut subscription = limiter.subscribe();
    /// while subscription.changed().await.is_ok() {
    ///     let waiting: usize = subscription.borrow().iter().map(|limits| limits.waiting).sum();
    ///     println!("{waiting} requests wait");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        Subscription {
            provider: self.shared.provider.name().into(),
            clock: self.shared.clock,
            scopes: Arc::clone(&self.shared.scopes),
            changes: self.shared.scopes.books().subscribe(),
            closed: self.shared.closed.subscribe(),
        }
    }
}
