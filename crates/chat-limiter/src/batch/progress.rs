//! What a run has done so far, for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a run; share it by reference or `Arc` and read it at any time.
#[derive(Debug, Default)]
pub struct Progress {
    pub(super) succeeded: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) tokens: AtomicU64,
    pub(super) bytes: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgressSnapshot {
    /// Requests answered well.
    pub succeeded: u64,
    /// Requests that failed for good, and lines that were no requests.
    pub failed: u64,
    /// Lines whose result was there before.
    pub skipped: u64,
    /// Tokens that the answers say they took, input and output.
    pub tokens: u64,
    /// Bytes of the input that are dealt with.
    pub bytes: u64,
}

impl Progress {
    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> ProgressSnapshot {
        ProgressSnapshot {
            succeeded: self.succeeded.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            tokens: self.tokens.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}
