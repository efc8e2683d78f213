//! How a batch is processed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use limiter_core::Backoff;

use crate::Error;

/// What is told of a batch while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchProgress<'a> {
    /// [`BatchConfig::progress_desc`].
    pub description: &'a str,
    /// Items in all.
    pub total: usize,
    /// Items that succeeded.
    pub successful: usize,
    /// Items that failed for good.
    pub failed: usize,
}

/// Hears of the progress of a batch.
pub type ShowProgress = Arc<dyn Fn(&BatchProgress<'_>) + Send + Sync>;

/// How a batch is processed.
#[derive(Clone)]
pub struct BatchConfig {
    /// The most items at once, in each group.
    pub max_concurrent_requests: usize,
    /// Threads for processors that block, where such are used.
    pub max_workers: usize,
    /// How often a failed item is tried again. One layer does that. Chat requests are tried again by the client alone, so
    /// often where its [`RetryPolicy`](crate::RetryPolicy) does not allow less; refusals for the rate are left out: who is
    /// refused waits in line, as the policy says. An item of a processor of your own is repeated by the batch, where its
    /// error is not one that a client [has given up on](super::ItemError).
    pub max_retries_per_item: u32,
    /// The delay before the first retry; it doubles with each one, up to a minute, and half of it is drawn at random. While
    /// an item waits, another one has its place. A longer wait that the provider asks for is kept.
    pub retry_delay: Duration,
    /// Whether the first item that fails for good ends the batch: no further one begins, and what is in flight is dropped.
    pub stop_on_first_error: bool,
    /// Whether results keep their errors. Without, failed items are marked and nothing else.
    pub collect_errors: bool,
    /// Whether each model has a group of its own, so that one that waits for its limits takes no places of others.
    pub group_by_model: bool,
    /// Whether each provider has.
    pub group_by_provider: bool,
    /// Whether fewer items go at once after the provider refused one for the rate: half as many, then one more each time
    /// that so many were not refused.
    pub adaptive_batch_size: bool,
    /// The fewest items at once that this goes down to.
    pub min_batch_size: usize,
    /// The most items at once that this goes up to.
    pub max_batch_size: usize,
    /// Called after each item that has ended.
    pub show_progress: Option<ShowProgress>,
    /// Told with the progress.
    pub progress_desc: String,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            max_concurrent_requests: 10,
            max_workers: 4,
            max_retries_per_item: 3,
            retry_delay: Duration::from_secs(1),
            stop_on_first_error: false,
            collect_errors: true,
            group_by_model: true,
            group_by_provider: true,
            adaptive_batch_size: true,
            min_batch_size: 1,
            max_batch_size: 100,
            show_progress: None,
            progress_desc: "Processing batch".to_owned(),
        }
    }
}

impl BatchConfig {
    /// The same with someone who hears of the progress.
    #[must_use]
    pub fn with_progress(mut self, show: impl Fn(&BatchProgress<'_>) + Send + Sync + 'static) -> Self {
        self.show_progress = Some(Arc::new(show));
        self
    }

    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> Result<(), Error> {
        let counts = [
            ("max_concurrent_requests", self.max_concurrent_requests),
            ("max_workers", self.max_workers),
            ("min_batch_size", self.min_batch_size),
            ("max_batch_size", self.max_batch_size),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(Error::configuration(format!("{name} must be at least 1")));
        }
        if self.min_batch_size > self.max_batch_size {
            let (least, most) = (self.min_batch_size, self.max_batch_size);
            return Err(Error::configuration(format!("min_batch_size is {least}, more than max_batch_size, {most}")));
        }
        Ok(())
    }

    /// The delay before retry number `retry`, from 0.
    pub(super) fn delay(&self, retry: u32, random: u64) -> Duration {
        self.backoff().half_jittered(retry, random).into()
    }

    pub(super) fn backoff(&self) -> Backoff {
        let ceiling = Duration::from_secs(60).max(self.retry_delay).into();
        Backoff { base: self.retry_delay.into(), ceiling }
    }
}

impl fmt::Debug for BatchConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchConfig")
            .field("max_concurrent_requests", &self.max_concurrent_requests)
            .field("max_retries_per_item", &self.max_retries_per_item)
            .field("retry_delay", &self.retry_delay)
            .field("stop_on_first_error", &self.stop_on_first_error)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_document() {
        let config = BatchConfig::default();
        assert_eq!((config.max_concurrent_requests, config.max_workers, config.max_retries_per_item), (10, 4, 3));
        assert_eq!((config.retry_delay.as_secs(), config.min_batch_size, config.max_batch_size), (1, 1, 100));
        assert!(config.group_by_model && config.group_by_provider && config.adaptive_batch_size);
        assert!(config.collect_errors && !config.stop_on_first_error);
        assert!(config.check().is_ok());
    }

    #[test]
    fn a_setting_that_makes_no_sense_is_named() {
        let error = |config: BatchConfig| config.check().unwrap_err().to_string();
        let none = BatchConfig { max_concurrent_requests: 0, ..BatchConfig::default() };
        assert_eq!(error(none), "max_concurrent_requests must be at least 1");
        let crossed = BatchConfig { min_batch_size: 7, max_batch_size: 3, ..BatchConfig::default() };
        assert_eq!(error(crossed), "min_batch_size is 7, more than max_batch_size, 3");
    }

    #[test]
    fn delays_double_up_to_a_minute_and_half_of_each_is_drawn() {
        let config = BatchConfig { retry_delay: Duration::from_secs(2), ..BatchConfig::default() };
        for (retry, longest) in [(0, 2), (1, 4), (2, 8), (3, 16), (10, 60), (u32::MAX, 60)] {
            let longest = Duration::from_secs(longest);
            let (least, most) = (config.delay(retry, 0), config.delay(retry, u64::MAX));
            assert!(least >= longest / 2 - Duration::from_nanos(1) && most <= longest && least < most, "{retry}");
        }
        let none = BatchConfig { retry_delay: Duration::ZERO, ..BatchConfig::default() };
        assert_eq!(none.delay(5, u64::MAX), Duration::ZERO);
        let long = BatchConfig { retry_delay: Duration::MAX, ..BatchConfig::default() };
        assert!(long.delay(5, u64::MAX) > Duration::from_secs(86_400));
    }
}
