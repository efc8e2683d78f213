//! The queue of waiting requests: first come, first served, with cancellation in constant time.

use alloc::collections::VecDeque;

use crate::Cost;

/// A place in the queue of one limiter. No two requests ever get the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// The place less [`Queue::front`] is an index. A place at the front is given out again when it was left.
    place: u64,
    /// How many tickets there were before.
    serial: u64,
}

/// Requests that wait, in order. A ticket's place is its distance from the front, so looking one up is an index;
/// a cancelled place stays as a hole until it reaches the front.
#[derive(Debug)]
pub(crate) struct Queue {
    places: VecDeque<Option<(u64, Cost)>>,
    /// The place at the front of `places`.
    front: u64,
    /// How many tickets were given out.
    tickets: u64,
    waiting: usize,
}

/// Tickets start in the middle, so that the queue can grow at both ends.
const MIDDLE: u64 = 1 << 63;

impl Queue {
    pub(crate) const fn new() -> Self {
        Self { places: VecDeque::new(), front: MIDDLE, tickets: 0, waiting: 0 }
    }

    pub(crate) fn push_back(&mut self, cost: Cost) -> Ticket {
        let ticket = self.ticket(self.front.wrapping_add(self.places.len() as u64));
        self.places.push_back(Some((ticket.serial, cost)));
        ticket
    }

    pub(crate) fn push_front(&mut self, cost: Cost) -> Ticket {
        self.front = self.front.wrapping_sub(1);
        let ticket = self.ticket(self.front);
        self.places.push_front(Some((ticket.serial, cost)));
        ticket
    }

    fn ticket(&mut self, place: u64) -> Ticket {
        self.waiting += 1;
        self.tickets += 1;
        Ticket { place, serial: self.tickets }
    }

    /// The first request that still waits.
    pub(crate) fn head(&self) -> Option<(Ticket, &Cost)> {
        // `remove` leaves no hole at the front.
        let (serial, cost) = self.places.front()?.as_ref()?;
        Some((Ticket { place: self.front, serial: *serial }, cost))
    }

    /// Takes a request out, wherever it stands. `None` when it no longer waits.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<Cost> {
        let index = usize::try_from(ticket.place.wrapping_sub(self.front)).ok()?;
        let (_, cost) = self.places.get_mut(index)?.take_if(|(serial, _)| *serial == ticket.serial)?;
        self.waiting -= 1;
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.front = self.front.wrapping_add(1);
        }
        Some(cost)
    }

    pub(crate) const fn waiting(&self) -> usize {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(input: u64) -> Cost {
        Cost::of_request(input, 0)
    }

    #[test]
    fn requests_leave_in_the_order_they_came_and_a_requeued_one_leaves_first() {
        let mut queue = Queue::new();
        let first = queue.push_back(cost(1));
        let second = queue.push_back(cost(2));
        let again = queue.push_front(cost(0));
        for ticket in [again, first, second] {
            assert_eq!(queue.head().map(|(ticket, _)| ticket), Some(ticket));
            assert!(queue.remove(ticket).is_some());
        }
        assert_eq!(queue.head(), None);
    }

    #[test]
    fn no_ticket_is_given_out_twice() {
        let mut queue = Queue::new();
        let first = queue.push_front(cost(1));
        assert!(queue.remove(first).is_some());
        let second = queue.push_front(cost(2));
        assert_ne!(first, second);
        assert_eq!(queue.remove(first), None);
        assert_eq!(queue.head(), Some((second, &cost(2))));
    }

    #[test]
    fn a_cancelled_request_is_gone_and_moves_nobody_else() {
        let mut queue = Queue::new();
        let tickets = [queue.push_back(cost(1)), queue.push_back(cost(2)), queue.push_back(cost(3))];
        assert_eq!(queue.remove(tickets[1]), Some(cost(2)));
        assert_eq!(queue.remove(tickets[1]), None);
        assert_eq!(queue.head(), Some((tickets[0], &cost(1))));
        assert_eq!(queue.remove(tickets[0]), Some(cost(1)));
        assert_eq!(queue.head(), Some((tickets[2], &cost(3))));
        assert_eq!(queue.waiting(), 1);
        let later = queue.push_back(cost(4));
        assert_eq!(queue.remove(tickets[2]), Some(cost(3)));
        assert_eq!(queue.remove(later), Some(cost(4)));
        assert_eq!((queue.head(), queue.waiting()), (None, 0));
    }
}
