//! What becomes of those who wait: kept until they look.

use std::sync::Arc;
use std::task::Waker;

use limiter_core::{Reservation, Ticket};

use super::{Denied, Shared, WakeList};

impl Shared {
    /// Tells one waiter its outcome. It may be woken by the waker that is returned.
    pub(super) fn decide(&mut self, ticket: Ticket, outcome: Result<Reservation, Denied>) -> Option<Waker> {
        let waker = self.waiters.get_mut(&ticket)?.waker.take();
        match outcome {
            Ok(reservation) => drop(self.granted.insert(ticket, reservation)),
            Err(denied) => drop(self.refused.insert(ticket, denied)),
        }
        waker
    }

    /// What one waiter was told, if anything. Then it waits no longer.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Result<(Arc<str>, Reservation), Denied>> {
        let outcome = match self.granted.remove(&ticket) {
            Some(reservation) => Ok(reservation),
            None => Err(self.refused.remove(&ticket)?),
        };
        let waiter = self.waiters.remove(&ticket)?;
        self.shrink();
        Some(outcome.map(|reservation| (waiter.group, reservation)))
    }

    /// Gives memory back when a crowd has gone: a map keeps the room of the most that were ever in it.
    pub(super) fn shrink(&mut self) {
        const KEPT: usize = 1_024;
        if self.waiters.capacity() > KEPT.max(self.waiters.len().saturating_mul(8)) {
            let room = KEPT.max(self.waiters.len().saturating_mul(2));
            self.waiters.shrink_to(room);
            self.granted.shrink_to(room);
            self.refused.shrink_to(room);
        }
    }

    /// Refuses everybody who waits.
    pub(super) fn deny_all(&mut self, denied: &Denied) -> WakeList {
        let mut wake = WakeList::new();
        while let Some(ticket) = self.limiter.head() {
            self.limiter.cancel(ticket);
            wake.extend(self.decide(ticket, Err(denied.clone())));
        }
        wake
    }
}
