//! What is counted, by name.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Gauge: requests that wait for capacity.
pub const WAITING: &str = "chat_limiter_requests_waiting";
/// Gauge: requests that have their capacity: sent and not ended, or about to be sent.
pub const IN_FLIGHT: &str = "chat_limiter_requests_in_flight";
/// Gauge, with the label `dimension`: how much of a limit is used up, from 0 to 1. Of several limits on one dimension, the
/// one that is used up most. Written when an attempt ends, once a second at most, and by `ChatLimiter::record_metrics`.
pub const UTILIZATION: &str = "chat_limiter_limit_utilization";
/// Counter: requests that got their capacity, each attempt by itself.
pub const ADMITTED: &str = "chat_limiter_requests_admitted_total";
/// Counter: requests that were answered.
pub const ANSWERED: &str = "chat_limiter_requests_answered_total";
/// Counter: attempts that were refused for the rate.
pub const RATE_LIMITED: &str = "chat_limiter_rate_limited_total";
/// Counter: attempts that failed otherwise.
pub const FAILED: &str = "chat_limiter_attempts_failed_total";
/// Counter: requests that were dropped after they may have been sent.
pub const ABANDONED: &str = "chat_limiter_requests_abandoned_total";
/// Counter: attempts that followed one that was refused or failed.
pub const RETRIES: &str = "chat_limiter_retries_total";
/// Counter, with the label `direction` (`input`, `output`): tokens of requests that were answered.
pub const TOKENS: &str = "chat_limiter_tokens_total";
/// Histogram, seconds: the wait before an attempt: in the queue, for a limit, for a pause, for a backoff.
pub const WAIT: &str = "chat_limiter_wait_seconds";
/// Histogram, seconds: an attempt, from its sending to its answer or failure; of a stream, to its first event.
pub const LATENCY: &str = "chat_limiter_attempt_seconds";

/// Tells the recorder what the names mean. Call it once, after the recorder is installed.
pub fn describe() {
    describe_gauge!(WAITING, Unit::Count, "Requests that wait for capacity");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Requests that have their capacity");
    describe_gauge!(UTILIZATION, "How much of a limit is used up, from 0 to 1");
    describe_counter!(ADMITTED, Unit::Count, "Requests that got their capacity, each attempt by itself");
    describe_counter!(ANSWERED, Unit::Count, "Requests that were answered");
    describe_counter!(RATE_LIMITED, Unit::Count, "Attempts that were refused for the rate");
    describe_counter!(FAILED, Unit::Count, "Attempts that failed otherwise");
    describe_counter!(ABANDONED, Unit::Count, "Requests that were dropped after they may have been sent");
    describe_counter!(RETRIES, Unit::Count, "Attempts that followed one that was refused or failed");
    describe_counter!(TOKENS, Unit::Count, "Tokens of requests that were answered");
    describe_histogram!(WAIT, Unit::Seconds, "The wait before an attempt");
    describe_histogram!(LATENCY, Unit::Seconds, "An attempt, from its sending to its answer or failure");
}
