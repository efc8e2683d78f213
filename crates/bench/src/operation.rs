//! What is measured: something that is done many times in a row.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{hint, thread};

use crate::clock::Clock;
use crate::processor;

/// An operation with all that it works on.
pub(crate) trait Operation {
    /// What has to be done before `times` operations, and is not measured.
    fn prepare(&mut self, _times: u64) {}

    /// Does it `times` times.
    fn run(&mut self, times: u64) -> Batch;
}

/// Operations that were done in a row.
pub(crate) struct Batch {
    /// How many did what they were meant to do.
    pub(crate) succeeded: u64,
    pub(crate) elapsed: Duration,
    /// How long threads had to wait for a processor, other than the one that ran the batch.
    pub(crate) waited: Duration,
}

impl Batch {
    /// Does `once` `times` times on this thread. It says whether it did what it was meant to do.
    pub(crate) fn of(times: u64, mut once: impl FnMut() -> bool) -> Self {
        let clock = Clock::start();
        let mut succeeded = 0;
        for _ in 0..times {
            succeeded += u64::from(once());
        }
        Self { succeeded, elapsed: clock.elapsed(), waited: Duration::ZERO }
    }

    /// Does `once` `times` times in all, on two threads at once. The time is that from the start to the last one's end.
    pub(crate) fn of_two_threads(times: u64, once: impl Fn() -> bool + Sync) -> Self {
        let ready = AtomicU32::new(0);
        let half = |times| {
            // Asleep, one could wake up when the other is done.
            ready.fetch_add(1, Ordering::AcqRel);
            while ready.load(Ordering::Acquire) < 2 {
                hint::spin_loop();
            }
            Self::of(times, &once)
        };
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                let waited = processor::waited();
                let batch = half(times / 2);
                Self { waited: processor::waited().saturating_sub(waited), ..batch }
            });
            let mine = half(times - times / 2);
            match other.join() {
                Ok(other) => Self {
                    succeeded: mine.succeeded + other.succeeded,
                    elapsed: mine.elapsed.max(other.elapsed),
                    waited: other.waited,
                },
                // A thread that panicked did nothing that it was meant to do.
                Err(_) => mine,
            }
        })
    }
}

/// An operation of one call, on one thread.
pub(crate) struct Repeated<F>(pub(crate) F);

impl<F: FnMut() -> bool> Operation for Repeated<F> {
    fn run(&mut self, times: u64) -> Batch {
        Batch::of(times, &mut self.0)
    }
}

/// Something that two threads share, and what both do with it at once.
///
/// What threads pass to and fro are cache lines, and in how many of them a value lies depends on where it begins, which
/// is chance. So there are four of each, one beginning at each quarter of a line, and batches take turns.
pub(crate) struct Contended<T, F> {
    quarters: (Placed<0, T>, Placed<16, T>, Placed<32, T>, Placed<48, T>),
    once: F,
    batches: usize,
}

/// A value that begins so many bytes after the start of a cache line.
#[repr(C, align(64))]
struct Placed<const OFFSET: usize, T> {
    before: [u8; OFFSET],
    value: T,
}

impl<const OFFSET: usize, T> Placed<OFFSET, T> {
    fn new(value: T) -> Self {
        Self { before: [0; OFFSET], value }
    }
}

impl<T: Sync, F: Fn(&T) -> bool + Sync> Contended<T, F> {
    pub(crate) fn new(value: impl Fn() -> T, once: F) -> Box<Self> {
        let quarters = (Placed::new(value()), Placed::new(value()), Placed::new(value()), Placed::new(value()));
        Box::new(Self { quarters, once, batches: 0 })
    }
}

impl<T: Sync, F: Fn(&T) -> bool + Sync> Operation for Contended<T, F> {
    fn run(&mut self, times: u64) -> Batch {
        self.batches += 1;
        let value = match self.batches % 4 {
            0 => &self.quarters.0.value,
            1 => &self.quarters.1.value,
            2 => &self.quarters.2.value,
            _ => &self.quarters.3.value,
        };
        Batch::of_two_threads(times, || (self.once)(value))
    }
}

/// An operation on a clock that stands still while it is measured, and moves on before.
pub(crate) struct Advancing<O, A> {
    pub(crate) operation: O,
    /// Moves the clock on by the time that so many operations may take.
    pub(crate) advance: A,
}

impl<O: Operation + ?Sized, A: FnMut(u64)> Operation for Advancing<Box<O>, A> {
    fn prepare(&mut self, times: u64) {
        (self.advance)(times);
    }

    fn run(&mut self, times: u64) -> Batch {
        self.operation.run(times)
    }
}
