//! What became of a batch.

use std::ops::Deref;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::{BatchItem, ItemError};

/// What became of one item.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchResult<D, T> {
    /// The item.
    pub item: BatchItem<D>,
    /// What the processor made of it, where it succeeded.
    pub result: Option<T>,
    /// Why it failed, where it did and errors are kept.
    pub error: Option<ItemError>,
    /// Whether it succeeded.
    pub success: bool,
    /// From its first beginning to its end; zero where it never began.
    pub duration: Duration,
    /// How often it was sent.
    pub attempt_count: u32,
    /// The headers of the last answer, where there was one.
    pub response_headers: HeaderMap,
    /// The status of the last answer, where there was one.
    pub status_code: Option<StatusCode>,
}

/// The results of a batch, in the order of its items.
#[derive(Debug)]
pub struct BatchResults<D, T> {
    results: Vec<BatchResult<D, T>>,
}

/// Numbers about a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BatchStats {
    /// Items.
    pub total: usize,
    /// Items that succeeded.
    pub successful: usize,
    /// Items that did not.
    pub failed: usize,
    /// The share that succeeded, 0 to 1; 0 where there are none.
    pub success_rate: f64,
    /// The mean duration of an item; zero where there are none.
    pub avg_duration: Duration,
    /// The durations of all items together.
    pub total_duration: Duration,
    /// How often an item was sent, in the mean; 0 where there are none.
    pub avg_attempts: f64,
}

impl<D, T> BatchResults<D, T> {
    pub(super) const fn new(results: Vec<BatchResult<D, T>>) -> Self {
        Self { results }
    }

    /// The share of items that succeeded, 0 to 1; 0 where there are none.
    #[doc(alias = "get_success_rate")]
    #[must_use]
    pub fn success_rate(&self) -> f64 {
        self.stats().success_rate
    }

    /// The results of the items that succeeded, in order.
    #[doc(alias = "get_successful_results")]
    pub fn successful_results(&self) -> impl Iterator<Item = &BatchResult<D, T>> {
        self.results.iter().filter(|result| result.success)
    }

    /// The results of the items that did not, in order.
    #[doc(alias = "get_failed_results")]
    pub fn failed_results(&self) -> impl Iterator<Item = &BatchResult<D, T>> {
        self.results.iter().filter(|result| !result.success)
    }

    /// Numbers about all of them.
    #[doc(alias = "get_stats")]
    #[must_use]
    pub fn stats(&self) -> BatchStats {
        let (total, successful) = (self.results.len(), self.successful_results().count());
        let total_duration: Duration = self.results.iter().map(|result| result.duration).sum();
        let attempts: u64 = self.results.iter().map(|result| u64::from(result.attempt_count)).sum();
        let mean = |sum: f64| if total == 0 { 0.0 } else { sum / total as f64 };
        BatchStats {
            total,
            successful,
            failed: total - successful,
            success_rate: mean(successful as f64),
            avg_duration: total_duration.checked_div(u32::try_from(total).unwrap_or(u32::MAX)).unwrap_or_default(),
            total_duration,
            avg_attempts: mean(attempts as f64),
        }
    }

    /// The results alone.
    #[must_use]
    pub fn into_vec(self) -> Vec<BatchResult<D, T>> {
        self.results
    }
}

impl<D, T> Deref for BatchResults<D, T> {
    type Target = [BatchResult<D, T>];

    fn deref(&self) -> &Self::Target {
        &self.results
    }
}

impl<D, T> IntoIterator for BatchResults<D, T> {
    type Item = BatchResult<D, T>;
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.results.into_iter()
    }
}
