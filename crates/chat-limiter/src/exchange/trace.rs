//! What happened to one request so far.

use limiter_core::Nanos;

use crate::error::Kind;
use crate::history::{Attempt, History};

/// What happened to one request so far: the numbers that decide about another try, and the history for its caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    pub(crate) attempts: u32,
    pub(crate) rate_limited: u32,
    /// Attempts that were refused because of a limit that refills, whatever the status.
    pub(crate) limited: u32,
    /// Attempts that failed in an outage, which is not the request's fault.
    pub(crate) excused: u32,
    /// Whether the last attempt was one of these.
    pub(crate) is_excused: bool,
    /// Attempts that took too long or came back as something else than an answer.
    pub(crate) unanswered: u32,
    pub(crate) history: History,
    /// Tokens of the prompt, as they were counted.
    pub(crate) input_tokens: u64,
    /// Tokens that were expected to be produced when the last permit was asked for.
    pub(crate) output_tokens: u64,
    /// When the caller asked.
    pub(crate) asked_at: Nanos,
    /// When the last attempt was sent.
    pub(crate) sent_at: Nanos,
    /// When the last attempt had failed; at first, when the caller asked.
    pub(crate) free_at: Nanos,
}

impl Trace {
    /// Of a request that was made at `now`.
    pub(crate) fn new(now: Nanos) -> Self {
        Self { asked_at: now, free_at: now, ..Self::default() }
    }

    /// An attempt goes out.
    pub(crate) const fn sent(&mut self, now: Nanos) {
        self.attempts = self.attempts.saturating_add(1);
        self.is_excused = false;
        self.sent_at = now;
    }

    /// The attempt failed, and is `excused` by an outage or not.
    pub(crate) fn failed(&mut self, excused: bool) {
        self.excused += u32::from(excused);
        self.is_excused = excused;
    }

    /// The attempt came to an end with this failure.
    pub(crate) fn failed_with(&mut self, kind: &Kind, now: Nanos) {
        let attempt = self.attempt(now).with_failure(kind);
        self.history.push(attempt);
        self.free_at = now;
    }

    /// The attempt was answered with this status.
    pub(crate) fn answered(&mut self, status: http::StatusCode, now: Nanos) {
        let attempt = self.attempt(now).with_status(status);
        self.history.push(attempt);
    }

    fn attempt(&self, now: Nanos) -> Attempt {
        Attempt::new(
            self.sent_at.saturating_sub(self.asked_at).into(),
            self.sent_at.saturating_sub(self.free_at).into(),
            now.saturating_sub(self.sent_at).into(),
        )
    }
}
