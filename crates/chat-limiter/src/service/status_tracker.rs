//! What became of tasks, counted.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::Error;

/// Counts what becomes of tasks, live and from any thread. Clones count together.
///
/// A task is begun with [`start`](Self::start); what that returns is ended once, and counts as failed when it is dropped
/// without an end. So every [`snapshot`](Self::snapshot) adds up: what was started is in progress, succeeded or failed, and
/// what failed did so for one of three reasons.
///
/// ```
/// use chat_limiter::service::{FailureKind, StatusTracker};
///
/// let tracker = StatusTracker::new();
/// let (first, second) = (tracker.start(), tracker.start());
/// first.succeed();
/// assert_eq!((tracker.num_tasks_in_progress(), tracker.num_tasks_succeeded()), (1, 1));
/// second.fail(FailureKind::RateLimit);
/// assert_eq!((tracker.num_tasks_failed(), tracker.num_rate_limit_errors()), (1, 1));
/// ```
#[derive(Clone, Debug, Default)]
pub struct StatusTracker {
    counts: Arc<Mutex<StatusSnapshot>>,
}

/// All counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StatusSnapshot {
    /// Tasks that were begun.
    pub num_tasks_started: u64,
    /// Tasks that have not ended.
    pub num_tasks_in_progress: u64,
    /// Tasks that ended well.
    pub num_tasks_succeeded: u64,
    /// Tasks that did not: the sum of the three below.
    pub num_tasks_failed: u64,
    /// Tasks that failed because of a rate limit.
    pub num_rate_limit_errors: u64,
    /// Tasks that failed with another answer of the API.
    pub num_api_errors: u64,
    /// Tasks that failed without one, or were abandoned.
    pub num_other_errors: u64,
}

/// Why a task failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// A rate limit.
    RateLimit,
    /// An answer that says so.
    Api,
    /// Anything else: no connection, no answer, not sent.
    Other,
}

impl From<&Error> for FailureKind {
    fn from(error: &Error) -> Self {
        match error.status() {
            _ if error.is_rate_limited() => Self::RateLimit,
            Some(_) => Self::Api,
            None => Self::Other,
        }
    }
}

impl StatusTracker {
    /// A tracker that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a task.
    #[must_use = "a task that is dropped has failed"]
    pub fn start(&self) -> TaskStatus {
        self.change(|counts| {
            counts.num_tasks_started += 1;
            counts.num_tasks_in_progress += 1;
        });
        TaskStatus { tracker: self.clone(), is_over: false }
    }

    /// All counters at one moment: they add up, however many threads count.
    #[must_use]
    pub fn snapshot(&self) -> StatusSnapshot {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tasks that were begun.
    #[must_use]
    pub fn num_tasks_started(&self) -> u64 {
        self.snapshot().num_tasks_started
    }

    /// Tasks that have not ended.
    #[must_use]
    pub fn num_tasks_in_progress(&self) -> u64 {
        self.snapshot().num_tasks_in_progress
    }

    /// Tasks that ended well.
    #[must_use]
    pub fn num_tasks_succeeded(&self) -> u64 {
        self.snapshot().num_tasks_succeeded
    }

    /// Tasks that did not end well.
    #[must_use]
    pub fn num_tasks_failed(&self) -> u64 {
        self.snapshot().num_tasks_failed
    }

    /// Tasks that failed because of a rate limit.
    #[must_use]
    pub fn num_rate_limit_errors(&self) -> u64 {
        self.snapshot().num_rate_limit_errors
    }

    /// Tasks that failed with another answer of the API.
    #[must_use]
    pub fn num_api_errors(&self) -> u64 {
        self.snapshot().num_api_errors
    }

    /// Tasks that failed without an answer, or were abandoned.
    #[must_use]
    pub fn num_other_errors(&self) -> u64 {
        self.snapshot().num_other_errors
    }

    fn change(&self, change: impl FnOnce(&mut StatusSnapshot)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A task that was begun.
#[derive(Debug)]
#[must_use = "a task that is dropped has failed"]
pub struct TaskStatus {
    tracker: StatusTracker,
    is_over: bool,
}

impl TaskStatus {
    /// It ended well.
    pub fn succeed(self) {
        self.end(None);
    }

    /// It failed.
    pub fn fail(self, kind: FailureKind) {
        self.end(Some(kind));
    }

    /// It ended as `result` says.
    pub fn end_with<T>(self, result: &Result<T, Error>) {
        self.end(result.as_ref().err().map(FailureKind::from));
    }

    fn end(mut self, failure: Option<FailureKind>) {
        self.is_over = true;
        self.count(failure);
    }

    fn count(&self, failure: Option<FailureKind>) {
        self.tracker.change(|counts| {
            counts.num_tasks_in_progress -= 1;
            let Some(kind) = failure else {
                counts.num_tasks_succeeded += 1;
                return;
            };
            counts.num_tasks_failed += 1;
            match kind {
                FailureKind::RateLimit => counts.num_rate_limit_errors += 1,
                FailureKind::Api => counts.num_api_errors += 1,
                FailureKind::Other => counts.num_other_errors += 1,
            }
        });
    }
}

impl Drop for TaskStatus {
    fn drop(&mut self) {
        if !self.is_over {
            self.count(Some(FailureKind::Other));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_sums(counts: StatusSnapshot) {
        let ended = counts.num_tasks_succeeded + counts.num_tasks_failed;
        assert_eq!(counts.num_tasks_started, counts.num_tasks_in_progress + ended, "{counts:?}");
        let failed = counts.num_rate_limit_errors + counts.num_api_errors + counts.num_other_errors;
        assert_eq!(counts.num_tasks_failed, failed, "{counts:?}");
    }

    #[test]
    fn the_seven_counters_begin_at_zero_and_have_the_specified_names() {
        let counts = serde_json::to_value(StatusTracker::new().snapshot()).unwrap();
        let expected = serde_json::json!({"num_tasks_started": 0, "num_tasks_in_progress": 0, "num_tasks_succeeded": 0,
            "num_tasks_failed": 0, "num_rate_limit_errors": 0, "num_api_errors": 0, "num_other_errors": 0});
        assert_eq!(counts, expected);
    }

    #[test]
    fn a_task_that_is_dropped_has_failed_once() {
        let tracker = StatusTracker::new();
        drop(tracker.start());
        tracker.start().fail(FailureKind::Api);
        tracker.start().succeed();
        let counts = tracker.snapshot();
        check_sums(counts);
        assert_eq!((counts.num_other_errors, counts.num_api_errors, counts.num_tasks_succeeded), (1, 1, 1));
        assert_eq!(counts.num_tasks_in_progress, 0);
    }

    #[test]
    fn every_snapshot_adds_up_while_threads_count() {
        const THREADS: usize = 4;
        const TASKS: usize = 2_000;
        let tracker = StatusTracker::new();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let tracker = tracker.clone();
                scope.spawn(move || {
                    for task in 0..TASKS {
                        let status = tracker.start();
                        match (thread + task) % 5 {
                            0 => status.succeed(),
                            1 => status.fail(FailureKind::RateLimit),
                            2 => status.fail(FailureKind::Api),
                            3 => status.fail(FailureKind::Other),
                            _ => drop(status),
                        }
                    }
                });
            }
            loop {
                let counts = tracker.snapshot();
                check_sums(counts);
                if counts.num_tasks_succeeded + counts.num_tasks_failed == (THREADS * TASKS) as u64 {
                    break;
                }
                std::thread::yield_now();
            }
        });
        assert_eq!(tracker.num_tasks_succeeded(), (THREADS * TASKS / 5) as u64);
        assert_eq!(tracker.num_other_errors(), (2 * THREADS * TASKS / 5) as u64);
    }
}
