//! The arithmetic of several quotas at once, and the state machine around it, without I/O.
//!
//! A service that meters its callers in several dimensions (requests, tokens, input and output tokens, per minute and
//! per day) is used best by a client that keeps the same books: it reserves what a request will take before sending
//! it, settles with what was really used, and believes the service where the two disagree. This crate is those books.
//!
//! What it is not: it has no clock, opens no connection, starts no task, takes no lock and knows no provider. Time comes
//! in as an argument ([`Nanos`] since an origin of the caller's), so the same calls give the same answers in a server,
//! in a test on virtual time, in a WASM worker or on a device without an operating system. Randomness comes in the
//! same way.
//!
//! # The core alone
//!
//! ```
//! use limiter_core::{Admission, Cost, Dimension, Limit, Limiter, Nanos, Priority};
//!
//! let mut limiter = Limiter::new();
//! limiter.set_limit(Limit::per_minute(Dimension::Requests, 60), Nanos::ZERO);
//! limiter.set_limit(Limit::per_minute(Dimension::Tokens, 6_000), Nanos::ZERO);
//!
//! // A prompt of 1,000 tokens that may produce 4,000, and one that does not fit beside it.
//! let first = limiter.try_reserve(&Cost::of_request(1_000, 4_000), Nanos::ZERO).unwrap();
//! let ticket = limiter.enqueue(&Cost::of_request(2_000, 0), Priority::NORMAL, Nanos::ZERO).unwrap();
//! assert_eq!(limiter.admit(Nanos::ZERO), Admission::NotYet(Nanos::from_secs(10)));
//!
//! // The first one produced 500: what it does not need comes back, and the second goes.
//! limiter.settle(first, Cost::of_request(1_000, 500).expected(), Nanos::SECOND);
//! assert!(matches!(limiter.admit(Nanos::SECOND), Admission::Granted(who, _) if who == ticket));
//! ```
//!
//! # Layers
//!
//! * [`Bucket`]: one limit, exact integers, no allocation.
//! * [`Quota`]: several buckets, all or nothing, over an array or a `Vec`.
//! * [`Limiter`] (feature `alloc`, on by default): the queue, reservations, observations, pauses, outages.
//! * [`Backoff`], [`RetryBudget`], [`Outage`]: when to try again.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod backoff;
mod bucket;
mod cost;
mod dimension;
#[cfg(feature = "alloc")]
mod flight;
#[cfg(feature = "alloc")]
mod learn;
mod limit;
#[cfg(feature = "alloc")]
mod limiter;
mod observation;
mod outage;
#[cfg(feature = "alloc")]
mod queue;
mod quota;
#[cfg(feature = "alloc")]
mod reservation;
mod time;
#[cfg(feature = "alloc")]
mod timeline;

pub use backoff::{Backoff, RetryBudget};
pub use bucket::{Bucket, Taken};
pub use cost::Cost;
pub use dimension::{Amounts, Dimension};
pub use limit::{Limit, Refill};
#[cfg(feature = "alloc")]
pub use limiter::{Admission, LimitSource, LimitState, Limiter, Observed, Order, State};
pub use observation::{Observation, Reading};
pub use outage::Outage;
#[cfg(feature = "alloc")]
pub use queue::{Priority, Ticket, Waiting};
pub use quota::{NeverFits, Quota, Refusal};
#[cfg(feature = "alloc")]
pub use reservation::Reservation;
pub use time::Nanos;
