//! A provider that asks for a longer wait than anybody is willing to make.
//!
//! Who waits is told so at once, and so is who comes later: hours are for the caller to decide about. But such words are
//! not always true (a day, said of a limit for a minute), and a client that believes them is of no use for as long as they
//! say. So every so often one request is let through to ask whether it still holds; what is answered then counts. The same
//! goes for limits whose levels, as they were told, leave no room for hours.

use limiter_core::{Nanos, Reservation, Ticket};

use super::{Denied, Patience, Shared};

/// So often it is asked at most.
const ASKED: Nanos = Nanos::HOUR;

/// The wait that was asked for last.
#[derive(Clone, Copy, Debug)]
pub(super) struct LongWait {
    until: Nanos,
    /// From then on one at a time may ask.
    ask_at: Nanos,
    /// Whether the core holds nobody back for it any more.
    is_lifted: bool,
}

impl Shared {
    /// The provider asks to wait for `span`.
    pub(super) fn hear_wait(&mut self, span: Option<Nanos>, patience: &Patience, now: Nanos) {
        let longest = patience.wait.max(ASKED);
        if let Some(span) = span.filter(|span| *span > longest) {
            let (until, ask_at) = (now.saturating_add(span), now.saturating_add(longest));
            self.long_wait = Some(LongWait { until, ask_at, is_lifted: false });
        }
    }

    /// A request was answered: who was let through to ask was, where anybody was.
    pub(super) fn end_long_wait(&mut self, now: Nanos) {
        self.long_wait = self.long_wait.filter(|wait| now < wait.ask_at);
    }

    /// Whether one at a time asks: then it says little that nothing but refusals was heard for long.
    pub(super) const fn is_asked_seldom(&self) -> bool {
        self.long_wait.is_some() || self.ask_at.is_some()
    }

    /// Whether somebody who comes now is to be told that the wait is too long.
    pub(super) fn check_long_wait(&mut self, now: Nanos) -> Result<(), Denied> {
        self.long_wait = self.long_wait.filter(|wait| now < wait.until);
        let Some(wait) = &mut self.long_wait else { return Ok(()) };
        let state = self.limiter.state(now);
        if now < wait.ask_at || state.in_flight > 0 || state.waiting > 0 {
            return Err(Denied::TooLong { wait: wait.until.saturating_sub(now).into() });
        }
        if !std::mem::replace(&mut wait.is_lifted, true) {
            self.limiter.end_pause(now);
        }
        Ok(())
    }

    /// What becomes of `head`, who would have to wait for `wait` because of the levels of limits: it asks, or is told so.
    pub(super) fn ask_or_deny(
        &mut self,
        head: Ticket,
        wait: Nanos,
        patience: &Patience,
        now: Nanos,
    ) -> (Ticket, Result<Reservation, Denied>) {
        let again_at = now.saturating_add(patience.wait.max(ASKED));
        let is_time = *self.ask_at.get_or_insert(again_at) <= now && self.limiter.state(now).in_flight == 0;
        if is_time && let Some((ticket, reservation)) = self.limiter.admit_to_ask(now) {
            self.ask_at = Some(again_at);
            return (ticket, Ok(reservation));
        }
        self.limiter.cancel(head);
        (head, Err(Denied::TooLong { wait: wait.into() }))
    }
}
