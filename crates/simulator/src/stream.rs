//! A streamed answer as a body: events at the pace of the model, breaking off where that is wanted.

use std::iter::Peekable;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use thiserror::Error;
use tokio::time::Sleep;

use crate::account::Ticket;
use crate::faces::{Event, Events};
use crate::faults::Fault;

/// The stream was broken off on purpose.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the stream was broken off on purpose")]
pub(crate) struct BrokenOff;

/// The body of a streamed answer. It holds the request's ticket, so the request ends when the body does: sent in full,
/// broken off, or dropped because the client left.
pub(crate) struct EventStream {
    events: Peekable<Events>,
    per_token: Duration,
    /// The next event and the time at which it is due.
    due: Option<(Event, Pin<Box<Sleep>>)>,
    /// How many more tokens are sent before the stream breaks off.
    breaks_after: Option<u64>,
    ticket: Option<Ticket>,
}

impl EventStream {
    /// A body of `events`, each token of which takes `per_token`, that breaks off before token `breaks_after`, counted
    /// from zero.
    pub(crate) fn new(events: Events, per_token: Duration, breaks_after: Option<u64>, ticket: Ticket) -> Self {
        Self { events: events.peekable(), per_token, due: None, breaks_after, ticket: Some(ticket) }
    }

    fn send(&mut self, event: Event) -> Result<Frame<Bytes>, BrokenOff> {
        if event.tokens > 0
            && let Some(left) = &mut self.breaks_after
        {
            if *left == 0 {
                if let Some(mut ticket) = self.ticket.take() {
                    ticket.failed(Fault::StreamBreak);
                }
                return Err(BrokenOff);
            }
            *left -= 1;
        }
        if let Some(ticket) = &mut self.ticket {
            ticket.produce(event.tokens);
            if self.events.peek().is_none() {
                ticket.answered();
                self.ticket = None;
            }
        }
        Ok(Frame::data(event.data))
    }
}

impl Body for EventStream {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = &mut *self;
        if let Some((_, sleep)) = &mut this.due {
            std::task::ready!(sleep.as_mut().poll(context));
            return Poll::Ready(this.due.take().map(|(event, _)| this.send(event)));
        }
        let Some(event) = this.events.next() else { return Poll::Ready(None) };
        if event.tokens == 0 || this.per_token.is_zero() {
            return Poll::Ready(Some(this.send(event)));
        }
        this.due = Some((event, Box::pin(tokio::time::sleep(this.per_token))));
        self.poll_frame(context)
    }
}
