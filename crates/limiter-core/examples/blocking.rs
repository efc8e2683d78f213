//! A blocking loop: threads share a limiter behind a mutex, and a condition variable wakes whoever may go.
//!
//! ```text
//! cargo run --package limiter-core --example blocking
//! ```
#![expect(clippy::print_stdout, reason = "an example speaks to the person who runs it")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use limiter_core::{
    Admission, Amounts, Cost, Dimension, Limit, Limiter, Nanos, NeverFits, Priority, Reservation, Ticket,
};

/// What the core leaves out: a clock, a lock, and a way to wake a thread.
struct Gate {
    start: Instant,
    shared: Mutex<Shared>,
    changed: Condvar,
}

struct Shared {
    limiter: Limiter,
    /// What was decided for threads that have not noticed yet: whoever asks, asks for everybody.
    decided: HashMap<Ticket, Result<Reservation, NeverFits>>,
}

impl Gate {
    #[expect(clippy::disallowed_methods, reason = "a whole program has to read a clock somewhere")]
    fn new() -> Self {
        let shared = Shared { limiter: Limiter::new(), decided: HashMap::new() };
        Self { start: Instant::now(), shared: Mutex::new(shared), changed: Condvar::new() }
    }

    fn now(&self) -> Nanos {
        self.start.elapsed().into()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request that takes `cost` may go.
    fn acquire(&self, cost: &Cost) -> Result<Reservation, NeverFits> {
        let mut shared = self.lock();
        let ticket = shared.limiter.enqueue(cost, Priority::NORMAL, self.now())?;
        loop {
            let now = self.now();
            let wake = loop {
                let (who, outcome) = match shared.limiter.admit(now) {
                    Admission::Granted(who, reservation) => (who, Ok(reservation)),
                    Admission::Refused(who, never) => (who, Err(never)),
                    Admission::NotYet(at) => break at,
                    Admission::Blocked | Admission::Idle => break Nanos::MAX,
                };
                shared.decided.insert(who, outcome);
                self.changed.notify_all();
            };
            if let Some(outcome) = shared.decided.remove(&ticket) {
                return outcome;
            }
            // Until the instant that the core named, or until another thread has changed something.
            let wait = Duration::from(wake.saturating_sub(now));
            (shared, _) = self.changed.wait_timeout(shared, wait).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends a request that took `actual`, and lets the others ask again.
    fn settle(&self, reservation: Reservation, actual: &Amounts) {
        let mut shared = self.lock();
        shared.limiter.settle(reservation, actual, self.now());
        self.changed.notify_all();
    }
}

/// The transport: anything that blocks until the answer is there. This one only counts how many it has at once.
#[derive(Default)]
struct Transport {
    in_flight: AtomicU64,
    most: AtomicU64,
}

impl Transport {
    /// Returns how many tokens were produced.
    fn send(&self, input: u64) -> u64 {
        self.most.fetch_max(self.in_flight.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::yield_now();
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        input / 2
    }
}

fn main() {
    let (gate, transport) = (Gate::new(), Transport::default());
    let now = gate.now();
    // A hundred requests a second of which eight may go at once, 100,000 tokens a minute, three in flight.
    gate.lock().limiter.set_limit(Limit::new(Dimension::Requests, 100, Nanos::SECOND).with_burst(8), now);
    gate.lock().limiter.set_limit(Limit::per_minute(Dimension::Tokens, 100_000), now);
    gate.lock().limiter.set_limit(Limit::concurrent(3), now);

    // Eight threads, four requests each.
    let answered = AtomicU64::new(0);
    thread::scope(|scope| {
        for worker in 0..8 {
            let (gate, transport, answered) = (&gate, &transport, &answered);
            scope.spawn(move || {
                for request in 0..4 {
                    let input = 100 + worker * 10 + request;
                    // A program that may panic or be cancelled in between forfeits the reservation in a `Drop`.
                    let Ok(reservation) = gate.acquire(&Cost::of_request(input, 200)) else { continue };
                    let produced = transport.send(input);
                    gate.settle(reservation, &Amounts::of_request(input, produced));
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });

    let (elapsed, answered) = (gate.now(), answered.into_inner());
    println!("{answered} requests took {} s", elapsed.as_secs_f64());
    assert_eq!(answered, 32);
    assert!(transport.most.into_inner() <= 3);
    // Eight at once, then one every ten milliseconds.
    assert!(elapsed >= Nanos::from_millis(240));
    let state = gate.lock().limiter.state(elapsed);
    assert_eq!((state.in_flight, state.waiting), (0, 0));
}
