//! The queue of waiting requests: first come, first served inside a priority, and older ones before higher ones in time.
//!
//! Whoever waits has a time at which it is due: when it came, later by [`AGEING`](Queue::ageing) for every level that
//! its priority is below the highest. Who is due first goes first. So a higher priority is a head start and not a
//! gate: a request of the lowest priority is only overtaken by those that come within that head start, and the order
//! of two requests never changes while they wait.
//!
//! Whoever was admitted before and has to go again is due before everybody else.
//!
//! The queue is a handful of lanes, one for each priority in use (and each size of request, where the limiter may look
//! ahead), and as many again for those who go again. A lane is in the order in which its requests came, so the first of all is the first of a lane.

mod chunks;

use alloc::vec::Vec;
use core::num::NonZeroU64;

use crate::{Amounts, Cost, Dimension, Nanos};
use chunks::Chunks;

/// How urgent a request is, from [`Priority::LOWEST`] to [`Priority::HIGHEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// For work that can wait.
    pub const LOWEST: Self = Self(0);
    /// For everything else.
    pub const NORMAL: Self = Self(4);
    /// For somebody who is waiting for the answer.
    pub const HIGHEST: Self = Self(7);

    /// The level from 0 (lowest) to 7 (highest); a larger one counts as 7.
    #[must_use]
    pub const fn new(level: u8) -> Self {
        if level < Self::HIGHEST.0 { Self(level) } else { Self::HIGHEST }
    }

    /// The level, 0 to 7.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::NORMAL
    }
}

/// A place in the queue of one limiter. No two requests of a limiter ever get the same one; a later one is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// How many tickets there were, with this one. A place in a lane may be given out again; this is not.
    serial: NonZeroU64,
    lane: u16,
    place: u64,
}

/// A request that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// Its place.
    pub ticket: Ticket,
    /// What it takes.
    pub cost: Cost,
    /// How urgent it is.
    pub priority: Priority,
    /// When it came.
    pub since: Nanos,
}

/// Requests that wait.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: usize,
    lanes: Vec<Lane>,
    tickets: NonZeroU64,
    amounts: Amounts,
    ageing: Nanos,
}

#[derive(Debug)]
struct Lane {
    kind: Kind,
    requests: Chunks<Entry>,
    amounts: Amounts,
}

/// What the requests of a lane have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    /// Whether they were admitted before, so that their turn had come.
    again: bool,
    priority: Priority,
    size: Size,
}

#[derive(Debug)]
struct Entry {
    serial: NonZeroU64,
    since: Nanos,
    cost: Cost,
}

/// The binary orders of magnitude of what a request takes of tokens and of images: requests of one lane cost about the
/// same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size {
    tokens: u32,
    images: u32,
}

impl Size {
    /// For all requests alike.
    pub(crate) const ANY: Self = Self { tokens: u32::MAX, images: u32::MAX };
    /// More images than that are one size.
    const MOST_IMAGES: u32 = 7;

    pub(crate) fn of(cost: &Cost) -> Self {
        let magnitude = |dimension| cost.expected().of(dimension).checked_ilog2().map_or(0, |magnitude| magnitude + 1);
        let tokens = [Dimension::Tokens, Dimension::InputTokens, Dimension::OutputTokens].map(magnitude);
        Self {
            tokens: tokens.into_iter().max().unwrap_or(0),
            images: magnitude(Dimension::Images).min(Self::MOST_IMAGES),
        }
    }
}

/// One level of priority is worth ten seconds of waiting. From the lowest priority to the highest it is 70 s, about the
/// window that most limits are stated for.
const AGEING: Nanos = Nanos::from_secs(10);

impl Queue {
    pub(crate) const fn new() -> Self {
        Self { lanes: Vec::new(), tickets: NonZeroU64::MIN, waiting: 0, amounts: Amounts::ZERO, ageing: AGEING }
    }

    pub(crate) const fn ageing(&self) -> Nanos {
        self.ageing
    }

    pub(crate) const fn set_ageing(&mut self, ageing: Nanos) {
        self.ageing = ageing;
    }

    /// Joins behind everybody of the same priority, at `now`, which is never earlier than for the one before.
    pub(crate) fn push(&mut self, cost: &Cost, priority: Priority, size: Size, now: Nanos) -> Ticket {
        self.join(cost, Kind { again: false, priority, size }, now)
    }

    /// Joins before everybody who was not admitted before.
    pub(crate) fn push_again(&mut self, cost: &Cost, priority: Priority, size: Size, now: Nanos) -> Ticket {
        self.join(cost, Kind { again: true, priority, size }, now)
    }

    fn join(&mut self, cost: &Cost, kind: Kind, since: Nanos) -> Ticket {
        let serial = self.tickets;
        self.tickets = self.tickets.saturating_add(1);
        self.waiting += 1;
        self.amounts.add(cost.expected());
        let known = self.lanes.iter().position(|lane| lane.kind == kind);
        let index = known.unwrap_or_else(|| {
            self.lanes.push(Lane { kind, requests: Chunks::new(), amounts: Amounts::ZERO });
            self.lanes.len() - 1
        });
        let entry = Entry { serial, since, cost: *cost };
        let place = self.lanes.get_mut(index).map_or(0, |lane| {
            lane.amounts.add(cost.expected());
            lane.requests.push(entry)
        });
        // 8 priorities and some 500 sizes, twice.
        Ticket { serial, lane: u16::try_from(index).unwrap_or(u16::MAX), place }
    }

    /// Who is due first.
    pub(crate) fn head(&self) -> Option<(Ticket, &Cost)> {
        match self.lanes.as_slice() {
            [] => None,
            // Nearly always there is one lane.
            [lane] => lane.first(0),
            lanes => {
                let firsts = lanes.iter().enumerate().filter_map(|(index, lane)| {
                    Some((lane.due(self.ageing)?, lane.first(u16::try_from(index).unwrap_or(u16::MAX))?))
                });
                firsts.min_by_key(|(due, _)| *due).map(|(_, first)| first)
            }
        }
    }

    /// Who should ask whether an outage is over: somebody who was not admitted before, while there is anybody; of the
    /// smallest size, where sizes are told apart; of these, who is due first.
    pub(crate) fn asker(&self) -> Option<(Ticket, &Cost)> {
        let firsts = self.lanes.iter().enumerate().filter_map(|(index, lane)| {
            let (first_time, due, below, serial) = lane.due(self.ageing)?;
            let first = lane.first(u16::try_from(index).unwrap_or(u16::MAX))?;
            Some(((!first_time, lane.kind.size, due, below, serial), first))
        });
        firsts.min_by_key(|(key, _)| *key).map(|(_, first)| first)
    }

    /// The first of every lane, so `many` of each, who is due first first.
    pub(crate) fn firsts(&self, many: usize) -> Vec<(Ticket, Cost)> {
        let lanes = self.lanes.iter().enumerate();
        let mut firsts: Vec<_> = lanes
            .flat_map(|(index, lane)| {
                let index = u16::try_from(index).unwrap_or(u16::MAX);
                let requests = lane.requests.iter().take(many);
                requests.map(move |(place, entry)| {
                    let ticket = Ticket { serial: entry.serial, lane: index, place };
                    (lane.kind.due(entry, self.ageing), ticket, entry.cost)
                })
            })
            .collect();
        firsts.sort_unstable_by_key(|(due, ..)| *due);
        firsts.into_iter().map(|(_, ticket, cost)| (ticket, cost)).collect()
    }

    /// Takes a request out, wherever it stands. `None` when it no longer waits.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<Cost> {
        let Lane { requests, amounts, .. } = self.lanes.get_mut(usize::from(ticket.lane))?;
        if requests.get(ticket.place)?.serial != ticket.serial {
            return None;
        }
        let entry = requests.take(ticket.place)?;
        self.waiting -= 1;
        self.amounts.subtract(entry.cost.expected());
        amounts.subtract(entry.cost.expected());
        Some(entry.cost)
    }

    /// How many wait.
    pub(crate) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// What all who wait will take.
    pub(crate) const fn amounts(&self) -> &Amounts {
        &self.amounts
    }

    /// What all will take who wait in lanes of such requests, by what those of one lane take together.
    pub(crate) fn amounts_where(&self, are_such: impl Fn(&Amounts) -> bool) -> Amounts {
        let mut amounts = Amounts::ZERO;
        let lanes = self.lanes.iter().map(|lane| &lane.amounts);
        lanes.filter(|lane| are_such(lane)).for_each(|lane| amounts.add(lane));
        amounts
    }

    /// Everybody who waits, lane by lane.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Waiting> {
        self.lanes.iter().enumerate().flat_map(|(index, lane)| {
            let lane_index = u16::try_from(index).unwrap_or(u16::MAX);
            lane.requests.iter().map(move |(place, entry)| Waiting {
                ticket: Ticket { serial: entry.serial, lane: lane_index, place },
                cost: entry.cost,
                priority: lane.kind.priority,
                since: entry.since,
            })
        })
    }
}

impl Lane {
    fn first(&self, index: u16) -> Option<(Ticket, &Cost)> {
        let (place, entry) = self.requests.first()?;
        Some((Ticket { serial: entry.serial, lane: index, place }, &entry.cost))
    }

    /// When its first one is due.
    fn due(&self, ageing: Nanos) -> Option<Due> {
        self.requests.first().map(|(_, entry)| self.kind.due(entry, ageing))
    }
}

/// Whether one goes for the first time, and when it is due; of two at the same time the one of the higher priority, and
/// then the older one.
type Due = (bool, Nanos, u8, NonZeroU64);

impl Kind {
    /// When an entry of this kind is due.
    const fn due(&self, entry: &Entry, ageing: Nanos) -> Due {
        if self.again {
            return (false, Nanos::ZERO, 0, entry.serial);
        }
        let below = Priority::HIGHEST.0 - self.priority.0;
        let head_start = Nanos::new(ageing.get().saturating_mul(below as u64));
        (true, entry.since.saturating_add(head_start), below, entry.serial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(input: u64) -> Cost {
        Cost::of_request(input, 0)
    }

    fn push(queue: &mut Queue, input: u64, level: u8, second: u64) -> Ticket {
        queue.push(&cost(input), Priority::new(level), Size::ANY, Nanos::from_secs(second))
    }

    fn drain(queue: &mut Queue) -> Vec<u64> {
        core::iter::from_fn(|| {
            let (ticket, _) = queue.head()?;
            queue.remove(ticket).map(|cost| cost.certain().of(Dimension::Tokens))
        })
        .collect()
    }

    #[test]
    fn requests_leave_in_the_order_they_came_and_those_that_go_again_leave_first() {
        let mut queue = Queue::new();
        for (input, level) in [(1, 4), (2, 4), (3, 7)] {
            push(&mut queue, input, level, 0);
        }
        for (input, level) in [(8, 0), (9, 7)] {
            queue.push_again(&cost(input), Priority::new(level), Size::ANY, Nanos::from_secs(5));
        }
        assert_eq!(drain(&mut queue), [8, 9, 3, 1, 2]);
        assert_eq!((queue.waiting(), *queue.amounts()), (0, Amounts::ZERO));
    }

    #[test]
    fn those_who_ask_are_new_while_there_are_any_and_small_where_sizes_are_told_apart() {
        let askers = |sized: bool| {
            let mut queue = Queue::new();
            let size = |input: u64| if sized { Size::of(&cost(input)) } else { Size::ANY };
            for input in [900, 2] {
                queue.push_again(&cost(input), Priority::HIGHEST, size(input), Nanos::ZERO);
            }
            for (input, level) in [(800, 4), (10, 4), (700, 7), (9, 7)] {
                queue.push(&cost(input), Priority::new(level), size(input), Nanos::ZERO);
            }
            let next = || {
                let (ticket, _) = queue.asker()?;
                queue.remove(ticket).map(|cost| cost.certain().of(Dimension::Tokens))
            };
            core::iter::from_fn(next).collect::<Vec<_>>()
        };
        assert_eq!(askers(false), [700, 9, 800, 10, 900, 2]);
        assert_eq!(askers(true), [9, 10, 700, 800, 2, 900]);
    }

    #[test]
    fn higher_priorities_go_first_until_lower_ones_have_waited_for_their_head_start() {
        let mut queue = Queue::new();
        push(&mut queue, 1, 0, 0);
        push(&mut queue, 2, 4, 0);
        // Three levels are 30 s, seven are 70 s.
        push(&mut queue, 3, 7, 29);
        push(&mut queue, 4, 7, 31);
        push(&mut queue, 5, 7, 71);
        assert_eq!(drain(&mut queue), [3, 2, 4, 1, 5]);
    }

    #[test]
    fn no_ticket_is_given_out_twice() {
        let mut queue = Queue::new();
        let first = queue.push_again(&cost(1), Priority::NORMAL, Size::ANY, Nanos::ZERO);
        assert!(queue.remove(first).is_some());
        let second = queue.push_again(&cost(2), Priority::NORMAL, Size::ANY, Nanos::ZERO);
        assert_ne!(first, second);
        assert_eq!(queue.remove(first), None);
        assert_eq!(queue.head(), Some((second, &cost(2))));
    }

    #[test]
    fn a_cancelled_request_is_gone_and_moves_nobody_else() {
        let mut queue = Queue::new();
        let tickets = [1, 2, 3].map(|input| push(&mut queue, input, 4, 0));
        assert_eq!(queue.remove(tickets[1]), Some(cost(2)));
        assert_eq!(queue.remove(tickets[1]), None);
        assert_eq!(queue.head(), Some((tickets[0], &cost(1))));
        assert_eq!(queue.iter().map(|waiting| waiting.ticket).collect::<Vec<_>>(), [tickets[0], tickets[2]]);
        assert_eq!(drain(&mut queue), [1, 3]);
    }

    #[test]
    fn sizes_are_binary_orders_of_magnitude() {
        for (amount, magnitude) in [(0, 0), (1, 1), (2, 2), (3, 2), (100, 7)] {
            assert_eq!(Size::of(&cost(amount)), Size { tokens: magnitude, images: 0 }, "{amount}");
            let images = Cost::exact(Amounts::ZERO.with(Dimension::Images, amount));
            assert_eq!(Size::of(&images), Size { tokens: 0, images: magnitude }, "{amount}");
        }
    }
}
