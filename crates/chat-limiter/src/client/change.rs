//! Settings that change while requests wait.

use std::time::Duration;

use limiter_core::{Dimension, Limit};

use super::ChatLimiter;
use crate::Error;
use crate::scopes::BufferRatio;

impl ChatLimiter {
    /// Sets a ceiling of your own, for each set of models that share limits, in place of the one for the same dimension
    /// and window. What was taken stays taken; who waits and fits now goes at once.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use chat_limiter::ChatLimiter;
    /// use chat_limiter::limiter_core::{Dimension, Limit};
    ///
    /// let limiter = ChatLimiter::builder("openai-compatible").requests_per_minute(60).build()?;
    /// limiter.set_limit(Limit::per_minute(Dimension::Requests, 600));
    /// limiter.set_limit_for("large", Limit::per_minute(Dimension::Tokens, 10_000));
    /// assert!(limiter.remove_limit_for("large", Dimension::Tokens, Duration::from_secs(60)));
    /// assert!(!limiter.remove_limit(Dimension::Tokens, Duration::from_secs(60)));
    /// limiter.set_concurrency(10);
    /// limiter.set_buffer_ratio(0.9)?;
    /// # Ok::<(), chat_limiter::Error>(())
    /// ```
    pub fn set_limit(&self, limit: Limit) {
        self.shared.scopes.set_limit(None, limit);
    }

    /// Sets a ceiling for the models that share limits with `model`, which wins over one for all. They get books of their
    /// own: [`Builder::limit_for`](crate::Builder::limit_for) says what that means.
    pub fn set_limit_for(&self, model: &str, limit: Limit) {
        self.shared.scopes.set_limit(Some(&self.model_group(model)), limit);
    }

    /// Removes a ceiling of your own. Whether there was one for this dimension and window (whatever window, for requests
    /// in flight). Limits that the provider told stay.
    pub fn remove_limit(&self, dimension: Dimension, window: Duration) -> bool {
        self.shared.scopes.remove_limit(None, &Limit::new(dimension, 1, window.into()))
    }

    /// Removes a ceiling for the models that share limits with `model`: those for all hold for them again. Whether there
    /// was one.
    pub fn remove_limit_for(&self, model: &str, dimension: Dimension, window: Duration) -> bool {
        self.shared.scopes.remove_limit(Some(&self.model_group(model)), &Limit::new(dimension, 1, window.into()))
    }

    /// How many requests may be in flight at once; zero counts as one. Those beyond it that are in flight go on.
    pub fn set_concurrency(&self, requests: usize) {
        self.shared.slots.resize(requests.max(1));
        self.shared.scopes.set_concurrency(self.shared.slots.most());
    }

    /// How many requests may be in flight at once.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.shared.slots.most()
    }

    /// How much of the limits on requests and tokens to use: see [`Builder::buffer_ratio`](crate::Builder::buffer_ratio).
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`] where it is not more than 0 and at most 1; then nothing changes.
    pub fn set_buffer_ratio(&self, ratio: f64) -> Result<(), Error> {
        let share = BufferRatio::parse(ratio).map_err(Error::configuration)?;
        self.shared.scopes.set_ratio(|known| *known = BufferRatio { requests: share, tokens: share });
        Ok(())
    }

    /// How much of the limits on requests to use.
    ///
    /// # Errors
    ///
    /// As [`set_buffer_ratio`](Self::set_buffer_ratio).
    pub fn set_request_buffer_ratio(&self, ratio: f64) -> Result<(), Error> {
        let share = BufferRatio::parse(ratio).map_err(Error::configuration)?;
        self.shared.scopes.set_ratio(|known| known.requests = share);
        Ok(())
    }

    /// How much of the limits on tokens to use.
    ///
    /// # Errors
    ///
    /// As [`set_buffer_ratio`](Self::set_buffer_ratio).
    pub fn set_token_buffer_ratio(&self, ratio: f64) -> Result<(), Error> {
        let share = BufferRatio::parse(ratio).map_err(Error::configuration)?;
        self.shared.scopes.set_ratio(|known| known.tokens = share);
        Ok(())
    }
}
