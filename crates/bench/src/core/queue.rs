//! The queue with a thousand and with a million requests in it: what is done at the head must not cost more for those
//! behind it.

use std::hint::black_box;

use limiter_core::{Admission, Amounts, Cost, Limiter, Nanos, Priority, Ticket};

use super::limiter::{Given, Time as _, actual, cost, limiter};
use crate::measure::{Candidate, Comparison, Group};
use crate::operation::{Batch, Operation, Repeated};

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
const WITH_FEW: &str = "1,000 waiting";
const WITH_MANY: &str = "1,000,000 waiting";
const RECORDS: &str = "read and write one of 1,000,000 records of 128 bytes, anywhere";

pub(super) fn admission() -> Group {
    Group {
        key: "admission",
        title: "admit the head, settle it, and enqueue another",
        batch: 2_000,
        rounds: 200,
        counts_instructions: true,
        candidates: vec![
            Candidate { name: WITH_FEW, build: || admissions(FEW) },
            Candidate { name: WITH_MANY, build: || admissions(MANY) },
        ],
        comparisons: vec![Comparison { of: WITH_MANY, versus: WITH_FEW, at_most: Some(2.0) }],
    }
}

pub(super) fn cancellation() -> Group {
    Group {
        key: "cancellation",
        title: "cancel one that waits anywhere, and enqueue another",
        batch: 500,
        rounds: 400,
        counts_instructions: true,
        candidates: vec![
            Candidate { name: WITH_FEW, build: || Box::new(Cancellations::new(FEW)) },
            Candidate { name: WITH_MANY, build: || Box::new(Cancellations::new(MANY)) },
            Candidate { name: RECORDS, build: || Box::new(Records::new(MANY)) },
        ],
        comparisons: vec![
            Comparison { of: WITH_MANY, versus: WITH_FEW, at_most: Some(2.0) },
            // What is not in a cache costs whoever wants it.
            Comparison { of: WITH_MANY, versus: RECORDS, at_most: None },
        ],
    }
}

/// Joins the queue. Nobody is larger than the limit.
pub(super) fn enqueue(limiter: &mut Limiter, cost: &Cost, now: Nanos) -> Option<Ticket> {
    limiter.enqueue(black_box(cost), Priority::NORMAL, now).ok()
}

fn admissions(depth: usize) -> Box<dyn Operation> {
    let (mut limiter, cost, actual, mut time) = (limiter(), cost(), actual(), Given::default());
    for _ in 0..depth {
        enqueue(&mut limiter, &cost, time.now());
    }
    Box::new(Repeated(move || admit_one(&mut limiter, &cost, &actual, &mut time)))
}

fn admit_one(limiter: &mut Limiter, cost: &Cost, actual: &Amounts, time: &mut Given) -> bool {
    let Admission::Granted(_, reservation) = limiter.admit(time.now()) else { return false };
    limiter.settle(black_box(reservation), black_box(actual), time.now());
    enqueue(limiter, cost, time.now()).is_some()
}

/// Random requests leave, others come. Which ones is drawn beforehand, and their tickets lie together, so that what is
/// measured is the limiter's way to a request and not this program's way to a ticket.
struct Cancellations {
    limiter: Limiter,
    cost: Cost,
    /// Those who wait, in no order.
    tickets: Vec<Ticket>,
    time: Given,
    random: fastrand::Rng,
}

impl Cancellations {
    fn new(depth: usize) -> Self {
        let (mut limiter, cost, mut time) = (limiter(), cost(), Given::default());
        let tickets = (0..depth).filter_map(|_| enqueue(&mut limiter, &cost, time.now())).collect();
        Self { limiter, cost, tickets, time, random: fastrand::Rng::with_seed(7) }
    }

    fn cancel(limiter: &mut Limiter, ticket: &mut Ticket, cost: &Cost, now: Nanos) -> bool {
        let was_waiting = limiter.cancel(black_box(*ticket));
        let Some(another) = enqueue(limiter, cost, now) else { return false };
        *ticket = another;
        was_waiting
    }
}

impl Operation for Cancellations {
    fn prepare(&mut self, times: u64) {
        draw(&mut self.tickets, times, &mut self.random);
    }

    fn run(&mut self, times: u64) -> Batch {
        let Self { limiter, cost, tickets, time, .. } = self;
        let mut drawn = tickets.iter_mut();
        Batch::of(times, || drawn.next().is_some_and(|ticket| Self::cancel(limiter, ticket, cost, time.now())))
    }
}

/// Puts as many random ones as that at the front.
fn draw<T>(all: &mut [T], count: u64, random: &mut fastrand::Rng) {
    for drawn in 0..usize::try_from(count).unwrap_or(usize::MAX).min(all.len()) {
        let other = random.usize(drawn..all.len());
        all.swap(drawn, other);
    }
}

/// As much memory as the queue of a million takes, of which somebody wants a part that no cache expects.
struct Records {
    records: Vec<[u64; 16]>,
    indices: Vec<usize>,
    random: fastrand::Rng,
}

impl Records {
    fn new(count: usize) -> Self {
        let records = (0..count).map(|index| [index as u64; 16]).collect();
        Self { records, indices: (0..count).collect(), random: fastrand::Rng::with_seed(7) }
    }
}

impl Operation for Records {
    fn prepare(&mut self, times: u64) {
        draw(&mut self.indices, times, &mut self.random);
    }

    fn run(&mut self, times: u64) -> Batch {
        let Self { records, indices, .. } = self;
        let mut drawn = indices.iter();
        Batch::of(times, || {
            let Some(record) = drawn.next().and_then(|index| records.get_mut(*index)) else { return false };
            black_box(*record);
            record.fill(black_box(1));
            true
        })
    }
}
