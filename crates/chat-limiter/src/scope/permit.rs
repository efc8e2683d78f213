//! The owner of a reservation.

use std::sync::Arc;

use http::StatusCode;
use limiter_core::{Amounts, Dimension, Nanos, Observation, Reservation};
use providers::{ErrorKind, Failure};

use super::{Denied, Scope, WakeList};
use crate::observe::Gauged;
use crate::usage::UsageTotals;

/// Capacity for one request. It ends in one of its methods; dropped without one, the request counts as sent and
/// abandoned.
#[derive(Debug)]
pub(crate) struct Permit {
    scope: Arc<Scope>,
    group: Arc<str>,
    reservation: Option<Reservation>,
    /// Counted until it is dropped.
    _in_flight: Gauged,
}

impl Permit {
    pub(super) fn new(scope: Arc<Scope>, group: Arc<str>, reservation: Reservation) -> Self {
        let in_flight = scope.books.meters.in_flight(&group);
        Self { scope, group, reservation: Some(reservation), _in_flight: in_flight }
    }

    /// The scope it was granted by.
    pub(crate) const fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// Takes in what the answer said. Returns how many more requests the provider has left than were counted.
    pub(crate) fn observe(&mut self, observation: &Observation) -> u64 {
        let Some(reservation) = &mut self.reservation else { return 0 };
        let patience = self.scope.patience;
        self.scope.change(|shared, now| {
            shared.hear_wait(observation.retry_after, &patience, now);
            if !observation.readings().is_empty() {
                shared.latest.limits_at = Some(now);
            }
            (WakeList::new(), shared.limiter.observe(reservation, observation, now).surplus_requests)
        })
    }

    /// The request was answered and took `actual`; what was reserved where that is not known.
    pub(crate) fn settle(mut self, actual: Option<&Amounts>) {
        let Some(reservation) = self.reservation.take() else { return };
        let actual = actual.copied().unwrap_or(*reservation.cost().expected());
        self.enter(&UsageTotals::answered(&actual));
        self.scope.change(|shared, now| {
            shared.down = None;
            shared.end_long_wait(now);
            shared.latest.refused_in_a_row = 0;
            shared.limiter.settle(reservation, &actual, now);
        });
    }

    /// The request was answered with a failure. Returns, where it is not the request's own fault nor a refusal for the
    /// rate, what [`fail`](Self::fail) does.
    pub(crate) fn answered_with(self, failure: &Failure, status: StatusCode) -> Option<bool> {
        match failure.kind {
            kind if kind.is_limit() => {
                self.refuse(failure.retry_after, &format!("{status}: {}", failure.message));
                None
            }
            ErrorKind::Authentication => Some(self.fail(true, true, &failure.message)),
            // Without figures there is no credit for anything, with figures only for something smaller.
            ErrorKind::QuotaExhausted => Some(self.fail(true, failure.requested.is_none(), &failure.message)),
            kind if kind.is_retryable() => Some(self.fail(true, false, &format!("{status}: {}", failure.message))),
            _ => {
                self.settle(Some(&Amounts::ZERO.with(Dimension::Requests, 1)));
                None
            }
        }
    }

    /// The request was refused for its rate, with the message `why`. Once nothing else has happened for too long,
    /// everybody who waits is refused with it.
    pub(crate) fn refuse(mut self, retry_after: Option<Nanos>, why: &str) {
        let Some(reservation) = self.reservation.take() else { return };
        self.enter(&UsageTotals { rate_limited: 1, ..UsageTotals::default() });
        let patience = self.scope.patience;
        self.scope.change(|shared, now| {
            shared.down = None;
            shared.hear_wait(retry_after, &patience, now);
            shared.latest.refused_in_a_row = shared.latest.refused_in_a_row.saturating_add(1);
            shared.limiter.refuse(reservation, retry_after, now, fastrand::u64(..));
            if shared.limiter.refused_for(now) <= patience.outage || shared.is_asked_seldom() {
                return WakeList::new();
            }
            let reason: Arc<str> = why.into();
            shared.down = Some(Arc::clone(&reason));
            shared.deny_all(&Denied::Down(reason))
        });
    }

    /// The request failed for a reason that is not its own, `why`. Once that has gone on for too long, or at once where
    /// it is `hopeless` (no key, no credit) and nothing was ever answered or an outage is on, everybody who waits is refused with that reason.
    ///
    /// Returns whether an outage is on and somebody else waits: then this failure says nothing against the request,
    /// which keeps its place at the front while somebody else asks.
    pub(crate) fn fail(mut self, sent: bool, hopeless: bool, why: &str) -> bool {
        let Some(reservation) = self.reservation.take() else { return false };
        self.enter(&UsageTotals { failed: 1, ..UsageTotals::default() });
        let patience = self.scope.patience;
        self.scope.change(|shared, now| {
            shared.limiter.fail(reservation, sent, now, fastrand::u64(..));
            let outage = shared.limiter.outage();
            let answered = outage.answered_before();
            let patience = if answered { patience.outage } else { patience.silence };
            let is_over = outage.outlasts(patience, now) || hopeless && (outage.is_on() || !answered);
            if shared.down.is_none() && !is_over {
                return (WakeList::new(), outage.is_on() && shared.limiter.head().is_some());
            }
            let reason: Arc<str> = why.into();
            shared.down = Some(Arc::clone(&reason));
            (shared.deny_all(&Denied::Down(reason)), false)
        })
    }

    /// The request was not sent.
    pub(crate) fn release(mut self) {
        let Some(reservation) = self.reservation.take() else { return };
        self.scope.change(|shared, now| shared.limiter.release(reservation, now));
    }

    fn enter(&self, totals: &UsageTotals) {
        self.scope.books.enter(&self.group, totals);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(reservation) = self.reservation.take() else { return };
        self.enter(&UsageTotals { abandoned: 1, ..UsageTotals::default() });
        self.scope.change(|shared, now| shared.limiter.forfeit(reservation, now));
    }
}
