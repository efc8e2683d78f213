//! What is in flight, by the time it was admitted.

use alloc::collections::VecDeque;

use crate::learn::{Account, Ledger, Parts};
use crate::{Amounts, Dimension, Nanos};

/// Amounts that were admitted and of which the provider has not spoken, in slots of time.
///
/// A slot is a tenth of a second: fine enough beside the second for which a count is uncertain, and few enough to be
/// summed up whenever an answer comes. Of each it is known what had been admitted before, in one dimension or in all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flight<Before = Account> {
    newest: Slot<Before>,
    /// Slots before the newest one, some of which are empty.
    older: VecDeque<Slot<Before>>,
    empty: usize,
}

#[derive(Clone, Debug, Default)]
struct Slot<Before> {
    start: Nanos,
    requests: u64,
    amounts: Amounts,
    /// Of each request the larger one of its prompt and what it may produce, in tokens.
    larger: u64,
    /// What had been admitted and had ended before it began, as the owner counts it.
    before: Before,
}

const WIDTH: Nanos = Nanos::from_millis(100);

impl Flight<Ledger> {
    pub(crate) const fn new() -> Self {
        let (amounts, before) = (Amounts::ZERO, Ledger::new());
        Self {
            older: VecDeque::new(),
            empty: 0,
            newest: Slot { start: Nanos::ZERO, requests: 0, amounts, larger: 0, before },
        }
    }

    /// The same, with what had been admitted before in one dimension.
    pub(crate) fn in_dimension(&self, dimension: Dimension) -> Flight {
        let slot = |slot: &Slot<Ledger>| Slot {
            start: slot.start,
            requests: slot.requests,
            amounts: slot.amounts,
            larger: slot.larger,
            before: slot.before.of(dimension).copied().unwrap_or(Account::NONE),
        };
        Flight { newest: slot(&self.newest), older: self.older.iter().map(slot).collect(), empty: self.empty }
    }
}

impl Flight {
    /// What had been admitted and had ended at `at`, or up to some time later, where that is known.
    pub(crate) fn account_after(&self, at: Nanos) -> Option<&Account> {
        let first = self.older.partition_point(|slot| slot.start < at);
        let slot = self.older.get(first).unwrap_or(&self.newest);
        (slot.start >= at).then_some(&slot.before)
    }

    /// What had been admitted and had ended at `at`, or up to a slot's width earlier, as far as slots go back.
    pub(crate) fn account_before(&self, at: Nanos) -> &Account {
        let ended = self.older.partition_point(|slot| slot.start.saturating_add(WIDTH) <= at);
        &self.older.get(ended).unwrap_or(&self.newest).before
    }
}

impl<Before: Copy + Default> Flight<Before> {
    /// A request is admitted at `at`, after all of `before`. Times that go backwards count as the latest one.
    #[inline]
    pub(crate) fn add(&mut self, at: Nanos, amounts: &Amounts, before: &Before) {
        if self.newest.requests == 0 {
            let larger = larger_of(amounts);
            self.newest = Slot { start: at, requests: 1, amounts: *amounts, larger, before: *before };
            return;
        }
        if at >= self.newest.start.saturating_add(WIDTH) {
            self.begin(at, before);
        }
        self.newest.requests += 1;
        self.newest.amounts.add(amounts);
        self.newest.larger = self.newest.larger.saturating_add(larger_of(amounts));
    }

    fn begin(&mut self, at: Nanos, before: &Before) {
        let last = core::mem::replace(&mut self.newest, Slot { start: at, before: *before, ..Slot::default() });
        // One request that takes long does not keep the slots of those that have ended.
        if self.empty > self.older.len() / 2 {
            self.older.retain(|slot| slot.requests > 0);
            self.empty = 0;
        }
        self.older.push_back(last);
    }

    /// A request that was admitted at `at` is no longer uncertain. Returns the start of its slot.
    #[inline]
    pub(crate) fn remove(&mut self, at: Nanos, amounts: &Amounts) -> Nanos {
        let is_newest = self.newest.start <= at || self.older.is_empty();
        let slot = if is_newest { &mut self.newest } else { self.older_slot(at) };
        let start = slot.start;
        if slot.requests > 1 {
            slot.requests -= 1;
            slot.amounts.subtract(amounts);
            slot.larger = slot.larger.saturating_sub(larger_of(amounts));
        } else {
            // Whatever the sums say: nothing is in flight any more.
            let was_there = slot.requests > 0;
            (slot.requests, slot.amounts, slot.larger) = (0, Amounts::ZERO, 0);
            self.empty += usize::from(was_there && !is_newest);
        }
        start
    }

    /// The start of the slot that an admission at `at` is in, or would be.
    pub(crate) fn start(&self, at: Nanos) -> Nanos {
        let is_newest = self.newest.requests > 0 && self.newest.start <= at;
        let slot = if is_newest { Some(&self.newest) } else { self.older.get(self.index(at)) };
        let slot = slot.filter(|slot| (slot.start..slot.start.saturating_add(WIDTH)).contains(&at));
        slot.map_or(at, |slot| slot.start)
    }

    /// Whether nothing is in flight.
    pub(crate) fn is_empty(&self) -> bool {
        self.newest.requests == 0 && self.older.iter().all(|slot| slot.requests == 0)
    }

    /// The sum in one dimension of the slots that start at `start` or later.
    pub(crate) fn since(&self, start: Nanos, dimension: Dimension) -> u64 {
        let recent = core::iter::once(&self.newest).chain(self.older.iter().rev());
        let recent = recent.take_while(|slot| slot.start >= start);
        recent.fold(0, |sum, slot| sum.saturating_add(slot.amounts.of(dimension)))
    }

    /// The same, by the parts that a rule of charging looks at.
    pub(crate) fn parts_since(&self, start: Nanos, dimension: Dimension) -> Parts {
        let recent = core::iter::once(&self.newest).chain(self.older.iter().rev());
        let recent = recent.take_while(|slot| slot.start >= start);
        recent.fold(Parts::default(), |sum, slot| {
            let mut parts = Parts { requests: slot.requests, ..Parts::of(&slot.amounts, dimension) };
            if dimension == Dimension::Tokens {
                parts.larger = slot.larger;
            }
            sum.saturating_add(&parts)
        })
    }

    /// The parts in the slots after the one that an admission at `at` is in.
    pub(crate) fn parts_after(&self, at: Nanos, dimension: Dimension) -> Parts {
        self.parts_since(self.start(at).saturating_add(Nanos::new(1)), dimension)
    }

    #[cold]
    fn older_slot(&mut self, at: Nanos) -> &mut Slot<Before> {
        let index = self.index(at);
        self.older.get_mut(index).unwrap_or(&mut self.newest)
    }

    /// The last of the older slots that starts at `at` or before; the first where all start later.
    fn index(&self, at: Nanos) -> usize {
        self.older.partition_point(|slot| slot.start <= at).saturating_sub(1)
    }
}

fn larger_of(amounts: &Amounts) -> u64 {
    Parts::of(amounts, Dimension::Tokens).larger
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(count: u64) -> Nanos {
        Nanos::from_millis(count)
    }

    fn tokens(amount: u64) -> Amounts {
        Amounts::ZERO.with(Dimension::Tokens, amount)
    }

    #[test]
    fn sums_are_those_of_what_is_still_in_flight_since_a_moment() {
        let mut flight = Flight::<Account>::default();
        for at in 0..10 {
            flight.add(millis(at * 100), &tokens(10 + at), &Account::NONE);
        }
        assert_eq!(flight.since(Nanos::ZERO, Dimension::Tokens), 145);
        assert_eq!(flight.since(Nanos::ZERO, Dimension::Requests), 0);
        assert_eq!(flight.since(millis(800), Dimension::Tokens), 18 + 19);
        assert_eq!(flight.parts_after(millis(850), Dimension::Tokens).whole, 19);
        assert_eq!(flight.remove(millis(800), &tokens(18)), millis(800));
        assert_eq!(flight.since(millis(700), Dimension::Tokens), 17 + 19);
        assert_eq!(flight.remove(Nanos::ZERO, &tokens(10)), Nanos::ZERO);
        assert_eq!(flight.since(Nanos::ZERO, Dimension::Tokens), 145 - 18 - 10);
    }

    #[test]
    fn sums_of_absurd_amounts_are_as_large_as_numbers_go() {
        let mut flight = Flight::<Account>::default();
        for at in 0..3 {
            let request = Amounts::of_request(u64::MAX / 4, u64::MAX / 2);
            flight.add(millis(at * 100), &request, &Account::NONE);
        }
        let parts = flight.parts_since(Nanos::ZERO, Dimension::Tokens);
        assert_eq!((parts.whole, parts.output, parts.larger), (u64::MAX, u64::MAX, u64::MAX));
        assert_eq!(flight.parts_since(Nanos::ZERO, Dimension::InputTokens).whole, u64::MAX / 4 * 3);
    }

    #[test]
    fn requests_of_one_moment_share_a_slot_and_it_goes_with_the_last() {
        let mut flight = Flight::<Account>::default();
        flight.add(millis(5), &tokens(1), &Account::NONE);
        flight.add(millis(60), &tokens(2), &Account::NONE);
        flight.add(millis(3), &tokens(4), &Account::NONE);
        assert_eq!((flight.older.len(), flight.start(millis(60))), (0, millis(5)));
        for (at, amount) in [(60, 2), (3, 4), (5, 1)] {
            flight.remove(millis(at), &tokens(amount));
        }
        assert_eq!(flight.newest.requests, 0);
        assert_eq!(flight.since(Nanos::ZERO, Dimension::Tokens), 0);
    }

    #[test]
    fn one_that_never_ends_does_not_keep_the_slots_of_those_that_did() {
        let mut flight = Flight::<Account>::default();
        flight.add(Nanos::ZERO, &tokens(1), &Account::NONE);
        for second in 1..1_000 {
            flight.add(Nanos::from_secs(second), &tokens(1), &Account::NONE);
            flight.remove(Nanos::from_secs(second), &tokens(1));
        }
        assert!(flight.older.len() <= 4);
        assert_eq!(flight.since(Nanos::ZERO, Dimension::Tokens), 1);
    }
}
