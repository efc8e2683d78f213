//! The capacity of one request, from its wait to its end.

use http::{HeaderMap, StatusCode};
use providers::{Failure, Usage};

use crate::exchange::asked::generates;
use crate::exchange::{Prepared, Trace};
use crate::scope::Permit;
use crate::slots::Slot;
use crate::{ChatLimiter, Error, Request};

/// Owns the permit of a request. Dropped without an end, the request counts as sent and abandoned.
#[derive(Debug)]
pub(super) struct Hold {
    limiter: ChatLimiter,
    prepared: Prepared,
    permit: Permit,
    /// Given back after the reservation has ended.
    _slot: Slot,
}

/// The capacity of a request that was not sent yet: dropped, all of it comes back.
#[derive(Debug)]
pub(super) struct Unsent(Option<Box<Hold>>);

impl Unsent {
    /// Now it is sent.
    pub(super) fn sent(mut self) -> Option<Box<Hold>> {
        self.0.take()
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        if let Some(hold) = self.0.take() {
            hold.permit.release();
        }
    }
}

impl Hold {
    /// Waits until there is room for `request`.
    pub(super) async fn acquire(limiter: ChatLimiter, request: Request, at_front: bool) -> Result<Unsent, Error> {
        let prepared = limiter.shared.prepare(request).await?;
        let mut trace = Trace::new(limiter.now());
        // Who has waited before was sent before.
        trace.attempts = u32::from(at_front);
        let (permit, slot) = limiter.shared.admit(&prepared, &mut trace).await?;
        Ok(Unsent(Some(Box::new(Self { limiter, prepared, permit, _slot: slot }))))
    }

    /// Takes in what the head of the response says of limits.
    pub(super) fn observe(&mut self, status: StatusCode, headers: &HeaderMap) {
        let mut observation = self.limiter.shared.provider.observe(status, headers, self.limiter.shared.clock.wall());
        observation.refused = status == StatusCode::TOO_MANY_REQUESTS;
        self.limiter.shared.scopes.observe(&mut self.permit, &self.prepared.group, &observation);
    }

    /// The tokens that a whole answer says it took, or the failure in it.
    pub(super) fn read(&self, body: &[u8]) -> Result<Option<Usage>, Box<Failure>> {
        match self.limiter.shared.provider.failure_in_success(body) {
            Some(failure) if generates(&self.prepared.request) => Err(Box::new(failure)),
            _ => Ok(self.limiter.shared.provider.usage(body)),
        }
    }

    /// What a response with this head and body that is no success means.
    pub(super) fn classify(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Box<Failure> {
        Box::new(self.limiter.shared.provider.classify(status, headers, body, self.limiter.shared.clock.wall()))
    }

    /// It was answered, and took this; what was reserved where that is not known.
    pub(super) fn settle(self, usage: Option<&Usage>) {
        let taken = usage.map(|usage| self.limiter.shared.taken(&self.prepared, usage));
        self.permit.settle(taken.as_ref());
    }

    /// It was answered with a failure.
    pub(super) fn refuse(mut self, failure: Box<Failure>, status: StatusCode) {
        if !failure.observation.is_empty() {
            let mut observation = failure.observation;
            observation.refused = status == StatusCode::TOO_MANY_REQUESTS;
            self.limiter.shared.scopes.observe(&mut self.permit, &self.prepared.group, &observation);
        }
        self.permit.answered_with(&failure, status);
    }

    /// It was sent, perhaps, and there was no answer, or one that broke off.
    pub(super) fn fail(self, why: &str) {
        self.permit.fail(true, false, why);
    }
}
