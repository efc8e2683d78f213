//! The path of one request: cost, scope, permit, transport, observation, body, usage, settlement; and again.
//!
//! ```text
//!            +------------------------- later, at the front -------------------------+
//!            v                                                                       |
//! cost -> permit (reserve) -> send -> head: observe -> body: usage -> settle      retry?
//!                               |          |              |                          ^
//!                               +-- fail --+--- refuse ---+-- a broken answer -------+
//! ```
//!
//! Between two attempts a request holds nothing: no capacity, no slot, no connection.

pub(crate) mod asked;
mod attempt;
mod end;
mod read;
pub(crate) mod settle;
mod trace;

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, mem};

use futures::future::BoxFuture;
use http::Uri;
use limiter_core::{Dimension, Nanos};
use providers::RequestSize;
use tokenizer::RequestKind;

use crate::client::Shared;
use crate::error::{Error, Kind};
use crate::gate::Inside;
use crate::mask::Mask;
use crate::observe::RequestSpan;
use crate::request::{Answer, Request};
use crate::scope::{Denied, Permit};
use crate::slots::Slot;

pub(crate) use attempt::Begun;
pub(crate) use trace::Trace;

/// A request ready to go, as often as it takes.
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) uri: Uri,
    pub(crate) group: Arc<str>,
    pub(crate) size: RequestSize,
    pub(crate) kind: RequestKind,
    pub(crate) span: RequestSpan,
    /// The client's credentials and the request's own.
    pub(crate) mask: Arc<Mask>,
    /// When the caller asked.
    pub(crate) asked_at: Nanos,
    /// Until it is dropped the request has not ended.
    pub(crate) inside: Option<Inside>,
}

impl fmt::Debug for Prepared {
    /// Without the address, whose query may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("request", &self.request).field("group", &self.group).finish_non_exhaustive()
    }
}

impl Shared {
    /// Sends a request until it is answered or nothing more is worth trying.
    pub(crate) async fn exchange(&self, prepared: &Prepared) -> Result<Answer, Error> {
        let mut trace = Trace::new(prepared.asked_at);
        loop {
            let (permit, slot) = self.admit(prepared, &mut trace).await?;
            let timeouts = self.timeouts_of_whole(prepared);
            // Boxed, so that those who wait do not each keep room for it.
            let attempt = Box::pin(async {
                match self.begin(prepared, permit, timeouts, &mut trace).await {
                    Ok(begun) => self.finish(prepared, begun, &mut trace).await,
                    Err(kind) => Err(kind),
                }
            });
            let outcome = self.within(prepared, attempt).await;
            drop(slot);
            match outcome {
                Ok((response, usage)) => {
                    trace.answered(response.status, self.clock.now());
                    self.attempted(prepared, &trace);
                    return Ok(Answer {
                        status: response.status,
                        headers: response.headers,
                        body: response.body,
                        usage,
                        attempts: trace.attempts,
                        rate_limited_attempts: trace.rate_limited,
                        history: trace.history,
                    });
                }
                Err(kind) => self.before_another(prepared, kind, &mut trace).await?,
            }
        }
    }

    /// Waits for capacity and for a slot, for as long as the request has.
    pub(crate) async fn admit(&self, prepared: &Prepared, trace: &mut Trace) -> Result<(Permit, Slot), Error> {
        let Some(end) = self.end_of_waits(prepared) else { return self.admit_in_turn(prepared, trace).await };
        // Boxed, so that those without an end do not keep room for it.
        let wait = Box::pin(tokio::time::timeout_at(self.clock.instant(end.at), self.admit_in_turn(prepared, trace)));
        let admitted = wait.await;
        admitted.unwrap_or_else(|_| Err(Error::new(end.passed(None), mem::take(trace))))
    }

    /// Waits for capacity and for a slot: at the end of the queue, or at its front where the request has gone before.
    async fn admit_in_turn(&self, prepared: &Prepared, trace: &mut Trace) -> Result<(Permit, Slot), Error> {
        let permit = loop {
            let kind = match self.permit(prepared, trace).await {
                Ok(permit) => break permit,
                Err(denied) => denied.into_kind(),
            };
            let Some(kind) = kind else { continue };
            return Err(Error::new(kind, mem::take(trace)));
        };
        if let Some(slot) = self.slots.try_acquire() {
            return Ok((permit, slot));
        }
        self.place(permit).await.ok_or_else(|| Error::new(Kind::Closed, mem::take(trace)))
    }

    /// Waits for a slot for what has its capacity; `None` where the client is closed. What it holds comes back where the
    /// request is dropped before it is sent.
    ///
    /// The wait is rare, as who has no slot is hardly ever let through. It is boxed, so that those in the queue do not each
    /// keep room for it; where a slot is [free](crate::slots::Slots::try_acquire), nobody has to ask.
    pub(crate) fn place(&self, permit: Permit) -> BoxFuture<'_, Option<(Permit, Slot)>> {
        Box::pin(self.wait_for_place(permit))
    }

    async fn wait_for_place(&self, permit: Permit) -> Option<(Permit, Slot)> {
        let permit = Unsent(Some(permit));
        let slot = self.slots.acquire().await.ok()?;
        Some((permit.take()?, slot))
    }

    async fn permit(&self, prepared: &Prepared, trace: &mut Trace) -> Result<Permit, Denied> {
        let cost = self.cost(&prepared.group, &prepared.size, prepared.kind);
        (trace.input_tokens, trace.output_tokens) =
            (prepared.size.input_tokens, cost.expected().of(Dimension::OutputTokens));
        let at_front = trace.attempts > 0;
        self.scopes.of(&prepared.group).acquire(&prepared.group, cost, prepared.request.priority, at_front).await
    }

    /// An attempt failed: waits until it is time for another, or says that there is none.
    pub(crate) async fn before_another(&self, prepared: &Prepared, kind: Kind, trace: &mut Trace) -> Result<(), Error> {
        trace.failed_with(&kind, self.clock.now());
        self.attempted(prepared, trace);
        // Bound to a name so that the lock is gone before the wait.
        let delay =
            prepared.request.retry.unwrap_or(self.retry).delay(&kind, trace, &mut self.budget(), fastrand::u64(..));
        let Some(delay) = delay else { return Err(Error::new(kind, mem::take(trace))) };
        if let Some(end) = self.end_of_waits(prepared)
            && self.clock.now().saturating_add(delay.into()) >= end.at
        {
            return Err(Error::new(end.passed(Some(kind)), mem::take(trace)));
        }
        self.trying_again(prepared, trace, delay);
        if delay > Duration::ZERO {
            let closed = async { self.closed.subscribe().wait_for(|closed| *closed).await.is_ok() };
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                _ = closed => return Err(Error::new(kind, mem::take(trace))),
            }
        }
        Ok(())
    }
}

/// The permit of a request that was not sent: what it holds comes back where the request is dropped before it is.
struct Unsent(Option<Permit>);

impl Unsent {
    fn take(mut self) -> Option<Permit> {
        self.0.take()
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        if let Some(permit) = self.0.take() {
            permit.release();
        }
    }
}
