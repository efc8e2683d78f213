//! The future of one waiting request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use limiter_core::{Cost, Limiter, Nanos, Priority, Refusal, Ticket};
use pin_project::{pin_project, pinned_drop};
use tokio::time::Sleep;

use super::{Denied, Permit, Scope, Shared, Waiter};
use crate::observe::Gauged;

/// Waits in line and resolves to a [`Permit`].
///
/// It joins the queue when it is first polled. Dropping it at any point leaves the queue and loses nothing.
#[pin_project(PinnedDrop)]
#[derive(Debug)]
#[must_use = "a future does nothing until it is polled"]
pub(crate) struct Acquire {
    scope: Arc<Scope>,
    group: Arc<str>,
    stage: Stage,
}

/// How far a wait has come. What a request asks for is in the queue once it has joined it, and takes no room here.
#[derive(Debug)]
enum Stage {
    New {
        cost: Cost,
        priority: Priority,
        at_front: bool,
    },
    Queued {
        ticket: Ticket,
        /// Counted while it waits.
        _waiting: Gauged,
        /// The timer, while this request is at the head. Boxed, because nobody else has one.
        sleep: Option<Pin<Box<Sleep>>>,
    },
    Over,
}

/// What a look at the queue found.
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation for each admission")]
enum Look {
    Decided(Result<Permit, Denied>),
    /// At the head, ready at this instant.
    Head(Nanos),
    Behind,
}

impl Acquire {
    pub(super) const fn new(
        scope: Arc<Scope>,
        group: Arc<str>,
        cost: Cost,
        priority: Priority,
        at_front: bool,
    ) -> Self {
        Self { scope, group, stage: Stage::New { cost, priority, at_front } }
    }
}

impl Future for Acquire {
    type Output = Result<Permit, Denied>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Stage::New { cost, priority, at_front } = this.stage {
            match this.scope.join(this.group, cost, *priority, *at_front) {
                Ok(ticket) => {
                    let waiting = this.scope.books.meters.waiting(this.group);
                    *this.stage = Stage::Queued { ticket, _waiting: waiting, sleep: None };
                }
                Err(denied) => return Poll::Ready(Err(denied)),
            }
        }
        loop {
            let Stage::Queued { ticket, sleep: timer, .. } = this.stage else { return Poll::Pending };
            match this.scope.look(*ticket, context) {
                Look::Decided(outcome) => {
                    *this.stage = Stage::Over;
                    return Poll::Ready(outcome);
                }
                Look::Behind => {
                    *timer = None;
                    return Poll::Pending;
                }
                Look::Head(at) => {
                    let deadline = this.scope.clock.instant(at);
                    let sleep = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
                    if sleep.deadline() != deadline {
                        sleep.as_mut().reset(deadline);
                    }
                    ready!(sleep.as_mut().poll(context));
                    *timer = None;
                    this.scope.change(|_, _| ());
                }
            }
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Acquire {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        if let Stage::Queued { ticket, .. } = this.stage {
            this.scope.leave(*ticket);
        }
    }
}

impl Scope {
    /// A permit at once, if nobody waits and `cost` fits now; else `None`.
    pub(crate) fn try_acquire(self: &Arc<Self>, group: &Arc<str>, cost: &Cost) -> Result<Option<Permit>, Denied> {
        self.change(|shared, now| {
            let denied = shared.denied(false, now);
            let reserved = denied.and_then(|()| match shared.limiter.try_reserve(cost, now) {
                Ok(reservation) => {
                    shared.latest.admitted_at = Some(now);
                    Ok(Some(Permit::new(Arc::clone(self), Arc::clone(group), reservation)))
                }
                Err(Refusal::NeverFits(never)) => Err(Denied::NeverFits(never)),
                Err(Refusal::NotYet { .. }) => Ok(None),
            });
            (Vec::new(), reserved)
        })
    }

    fn join(&self, group: &Arc<str>, cost: &Cost, priority: Priority, at_front: bool) -> Result<Ticket, Denied> {
        self.change(|shared, now| {
            if let Err(denied) = shared.denied(at_front, now) {
                return (Vec::new(), Err(denied));
            }
            let enqueue = if at_front { Limiter::enqueue_front } else { Limiter::enqueue };
            let joined = enqueue(&mut shared.limiter, cost, priority, now);
            let joined = joined.map_err(Denied::NeverFits).inspect(|ticket| {
                shared.waiters.insert(*ticket, Waiter { group: Arc::clone(group), waker: None });
            });
            (Vec::new(), joined)
        })
    }

    fn look(self: &Arc<Self>, ticket: Ticket, context: &Context<'_>) -> Look {
        let mut shared = self.lock();
        if let Some(outcome) = shared.take(ticket) {
            let permit = outcome.map(|(group, reservation)| Permit::new(Arc::clone(self), group, reservation));
            return Look::Decided(permit);
        }
        let armed = shared.armed;
        let Some(waiter) = shared.waiters.get_mut(&ticket) else {
            // Only this future takes its waiter out, so this cannot be; asking again is harmless.
            return Look::Decided(Err(Denied::Moved));
        };
        match &mut waiter.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        match armed {
            Some((head, at)) if head == ticket => Look::Head(at),
            _ => Look::Behind,
        }
    }

    fn leave(&self, ticket: Ticket) {
        self.change(|shared, now| {
            shared.limiter.cancel(ticket);
            if let Some(Ok((_, reservation))) = shared.take(ticket) {
                shared.limiter.release(reservation, now);
            }
            // One that was told nothing yet.
            shared.waiters.remove(&ticket);
            shared.shrink();
        });
    }
}

impl Shared {
    /// Whether somebody who comes now is turned away, one who came `at_front` because he was admitted before.
    fn denied(&mut self, at_front: bool, now: Nanos) -> Result<(), Denied> {
        if self.closed {
            return Err(Denied::Closed);
        }
        self.check_long_wait(now)?;
        if let Some(reason) = &self.down {
            // One request at a time asks whether the provider is back; the others need not wait to be told. Nor who
            // asked before: while it paused between two attempts it waited, too, and everybody who waited was told.
            let state = self.limiter.state(now);
            if at_front || state.in_flight > 0 || state.waiting > 0 || state.paused_until.is_some() {
                return Err(Denied::Down(Arc::clone(reason)));
            }
        }
        Ok(())
    }
}
