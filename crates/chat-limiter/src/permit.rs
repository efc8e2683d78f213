//! Permits for people with an HTTP client of their own.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use limiter_core::{Cost, Dimension};
use providers::{Failure, Usage};

use crate::client::Shared;
use crate::gate::Inside;
use crate::scope;
use crate::slots::Slot;
use crate::usage::believed;

/// Capacity for one request that you send yourself: see [`ChatLimiter::acquire`](crate::ChatLimiter::acquire).
///
/// Tell it what became of the request, in one of the methods that end it. Dropped without one, the request counts as sent
/// and abandoned: what was reserved stays taken, because the provider may have counted it, and its place in flight is
/// free. Whatever happens, nothing is held for ever.
#[must_use = "dropped, it counts as a request that was sent and abandoned"]
pub struct Permit {
    shared: Arc<Shared>,
    group: Arc<str>,
    cost: Cost,
    /// There until it ends.
    inner: scope::Permit,
    observed: bool,
    /// Given back after the reservation has ended.
    _slot: Slot,
    _inside: Inside,
}

impl Permit {
    pub(crate) const fn new(
        shared: Arc<Shared>,
        group: Arc<str>,
        cost: Cost,
        inner: scope::Permit,
        slot: Slot,
        inside: Inside,
    ) -> Self {
        Self { shared, group, cost, inner, observed: false, _slot: slot, _inside: inside }
    }

    /// What was reserved.
    #[must_use]
    pub const fn cost(&self) -> &Cost {
        &self.cost
    }

    /// What the model shares its limits with.
    #[must_use]
    pub fn model_group(&self) -> &str {
        &self.group
    }

    /// Takes in what the head of the answer says about limits. Do it for every answer, as soon as its head is there: it is
    /// how limits are found, and how others on the same quota are noticed.
    pub fn observe(&mut self, status: StatusCode, headers: &HeaderMap) {
        let mut observation = self.shared.provider.observe(status, headers, self.shared.clock.wall());
        observation.refused = status == StatusCode::TOO_MANY_REQUESTS;
        self.shared.scopes.observe(&mut self.inner, &self.group, &observation);
        self.observed = true;
    }

    /// The request was answered and took this: [`Provider::usage`](providers::Provider::usage) reads it from a whole
    /// answer, [`StreamUsage`](providers::StreamUsage) from a stream. What was reserved beyond it comes back.
    ///
    /// Of a usage beyond everything that a request can take, 2 Mi tokens are believed, or four times what was reserved
    /// where that is more.
    pub fn settle(self, usage: &Usage) {
        let usage = believed(usage, self.cost.expected().of(Dimension::Tokens));
        let cost = Cost::of_request(usage.input, usage.produced());
        self.settle_cost(&cost);
    }

    /// The request was answered and took `actual`, whose [expected](Cost::expected) part counts.
    pub fn settle_cost(self, actual: &Cost) {
        self.inner.settle(Some(actual.expected()));
    }

    /// The request was answered, and nobody knows what it took: as much as was reserved.
    pub fn settle_as_reserved(self) {
        self.inner.settle(None);
    }

    /// The request was answered with this failure, whatever it is: refused for its rate, an error of the server, the
    /// request's own fault. Tells the scope, which pauses where the provider says so, and returns what the failure means:
    /// whether it [is worth trying again](Failure::is_retryable), and what is [known about when](Failure::retry_after).
    ///
    /// To try again, ask for another permit with [`acquire_again`](crate::ChatLimiter::acquire_again).
    #[must_use = "it says whether the request is worth trying again"]
    pub fn refused(mut self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        if !self.observed {
            self.observe(status, headers);
        }
        let failure = self.shared.provider.classify(status, headers, body, self.shared.clock.wall());
        if !failure.observation.is_empty() {
            let mut observation = failure.observation;
            observation.refused = status == StatusCode::TOO_MANY_REQUESTS;
            self.shared.scopes.observe(&mut self.inner, &self.group, &observation);
        }
        self.inner.answered_with(&failure, status);
        failure
    }

    /// There was no answer: no connection, a timeout, an answer that broke off. `was_sent` is whether the provider may have
    /// got the request; what was reserved then stays taken. After several failures in a row requests are held back:
    /// `why` is what they are told, once that has gone on for too long.
    pub fn failed(self, was_sent: bool, why: &str) {
        self.inner.fail(was_sent, false, why);
    }

    /// The request was not sent: all of it comes back.
    pub fn release(self) {
        self.inner.release();
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("model_group", &self.group).field("cost", &self.cost).finish_non_exhaustive()
    }
}
