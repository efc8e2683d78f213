//! What is in flight, by the time it was admitted.

use alloc::collections::VecDeque;

use crate::Nanos;

/// Amounts of one dimension that were admitted and of which the provider has not spoken, in slots of time.
///
/// A slot is a tenth of a second: fine enough beside the second for which a count is uncertain, and few enough to be
/// summed up whenever an answer comes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flight {
    slots: VecDeque<Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    start: Nanos,
    amount: u64,
    requests: u64,
}

const WIDTH: Nanos = Nanos::from_millis(100);

impl Flight {
    pub(crate) const fn new() -> Self {
        Self { slots: VecDeque::new() }
    }

    /// A request is admitted at `at`. Times that go backwards count as the latest one.
    pub(crate) fn add(&mut self, at: Nanos, amount: u64) {
        match self.slots.back_mut() {
            Some(slot) if at < slot.start.saturating_add(WIDTH) => {
                slot.amount = slot.amount.saturating_add(amount);
                slot.requests += 1;
            }
            _ => self.slots.push_back(Slot { start: at, amount, requests: 1 }),
        }
    }

    /// A request that was admitted at `at` is no longer uncertain. Returns the start of its slot.
    pub(crate) fn remove(&mut self, at: Nanos, amount: u64) -> Nanos {
        let index = self.index(at);
        let Some(slot) = self.slots.get_mut(index) else { return at };
        let start = slot.start;
        slot.amount = slot.amount.saturating_sub(amount);
        slot.requests = slot.requests.saturating_sub(1);
        while self.slots.front().is_some_and(|slot| slot.requests == 0) {
            self.slots.pop_front();
        }
        start
    }

    /// The start of the slot that an admission at `at` is in, or would be.
    pub(crate) fn start(&self, at: Nanos) -> Nanos {
        self.slots.get(self.index(at)).map_or(at, |slot| slot.start.min(at))
    }

    /// The sum of the slots that start at `start` or later.
    pub(crate) fn since(&self, start: Nanos) -> u64 {
        let recent = self.slots.iter().rev().take_while(|slot| slot.start >= start);
        recent.fold(0, |sum, slot| sum.saturating_add(slot.amount))
    }

    /// The sum of the slots after the one that an admission at `at` is in.
    pub(crate) fn after(&self, at: Nanos) -> u64 {
        self.since(self.start(at).saturating_add(Nanos::new(1)))
    }

    /// The last slot that starts at `at` or before; the first where all start later.
    fn index(&self, at: Nanos) -> usize {
        self.slots.partition_point(|slot| slot.start <= at).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(count: u64) -> Nanos {
        Nanos::from_millis(count)
    }

    #[test]
    fn sums_are_those_of_what_is_still_in_flight_since_a_moment() {
        let mut flight = Flight::new();
        for at in 0..10 {
            flight.add(millis(at * 100), 10 + at);
        }
        assert_eq!(flight.since(Nanos::ZERO), 145);
        assert_eq!(flight.since(millis(800)), 18 + 19);
        assert_eq!(flight.after(millis(850)), 19);
        assert_eq!(flight.remove(millis(800), 18), millis(800));
        assert_eq!(flight.since(millis(700)), 17 + 19);
        assert_eq!(flight.remove(Nanos::ZERO, 10), Nanos::ZERO);
        assert_eq!(flight.since(Nanos::ZERO), 145 - 18 - 10);
    }

    #[test]
    fn requests_of_one_moment_share_a_slot_and_it_goes_with_the_last() {
        let mut flight = Flight::new();
        flight.add(millis(5), 1);
        flight.add(millis(60), 2);
        flight.add(millis(3), 4);
        assert_eq!((flight.slots.len(), flight.start(millis(60))), (1, millis(5)));
        for (at, amount) in [(60, 2), (3, 4), (5, 1)] {
            flight.remove(millis(at), amount);
        }
        assert!(flight.slots.is_empty());
        assert_eq!(flight.since(Nanos::ZERO), 0);
    }
}
