//! What a simulator has seen and done.

use std::time::Duration;

use crate::faults::Fault;
use crate::quota::Amounts;

/// What a simulator has seen and done so far.
///
/// Every request ends in one way: once nothing is in flight, `requests` is `answered + rate_limited + refused_other +
/// faults.total() + abandoned`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Requests whose head arrived.
    pub requests: u64,
    /// Requests answered in full with a 200.
    pub answered: u64,
    /// Requests refused with a 429 because a limit was used up, and that would fit later.
    pub rate_limited: u64,
    /// Requests refused for any other reason: larger than the limit, malformed, without key, unknown path.
    pub refused_other: u64,
    /// Requests whose client left before the answer was complete.
    pub abandoned: u64,
    /// Requests that failed on purpose.
    pub faults: FaultCounts,
    /// Prompt tokens of the requests that got an answer or a part of one.
    pub input_tokens: u64,
    /// Tokens produced.
    pub output_tokens: u64,
    /// What was charged, corrections included.
    pub charged: Amounts,
    /// What other clients really took of the limits that somebody asked for, as
    /// [`Disturbance::OtherClient`](crate::Disturbance::OtherClient) lets them.
    pub taken_by_others: Amounts,
    /// The most requests that were being worked on at one moment.
    pub max_concurrent: u64,
    /// When the last request was let in, as a span since the simulator started; zero where none was.
    pub last_admitted: Duration,
}

/// How often each kind of fault struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultCounts {
    /// Answers with a 500.
    pub server_errors: u64,
    /// Answers with a 503, at Anthropic 529.
    pub overloaded: u64,
    /// Dropped connections.
    pub resets: u64,
    /// Answers that are not JSON.
    pub garbage: u64,
    /// Requests that were never answered, counted when their client gives up.
    pub hangs: u64,
    /// Streams that broke off.
    pub stream_breaks: u64,
    /// Connections dropped while the provider had stopped.
    pub stopped: u64,
}

impl FaultCounts {
    /// How often any fault struck.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.server_errors
            + self.overloaded
            + self.resets
            + self.garbage
            + self.hangs
            + self.stream_breaks
            + self.stopped
    }

    pub(crate) const fn count(&mut self, fault: Fault) {
        *match fault {
            Fault::ServerError => &mut self.server_errors,
            Fault::Overloaded => &mut self.overloaded,
            Fault::Reset => &mut self.resets,
            Fault::Garbage => &mut self.garbage,
            Fault::Hang => &mut self.hangs,
            Fault::StreamBreak => &mut self.stream_breaks,
        } += 1;
    }
}
