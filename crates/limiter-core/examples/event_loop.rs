//! An event loop: one thread, virtual time, a heap of answers that are under way, and limits that nobody was told.
//!
//! ```text
//! cargo run --package limiter-core --example event_loop
//! ```
#![expect(clippy::print_stdout, reason = "an example speaks to the person who runs it")]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use limiter_core::{
    Admission, Amounts, Bucket, Cost, Dimension, Limit, Limiter, Nanos, NeverFits, Observation, Priority, Quota,
    Reading, Refusal, Reservation,
};

/// A toy server that keeps its books with the same buckets and tells the levels in every answer. Somebody else draws
/// on the same quota every five seconds, if there is room: our limiter sees it by what remains.
struct Server {
    quota: Quota<[Bucket; 2]>,
    others_at: Nanos,
}

impl Server {
    fn answer(&mut self, charge: &Cost, now: Nanos) -> Observation {
        while self.others_at <= now {
            let _ = self.quota.try_take(&Cost::of_request(300, 0), self.others_at);
            self.others_at = self.others_at.saturating_add(Nanos::from_secs(5));
        }
        let mut said = Observation::new();
        if let Err(refusal) = self.quota.try_take(charge, now) {
            said.refused = true;
            if let Refusal::NotYet { ready_at } = refusal {
                said.retry_after = Some(ready_at.saturating_sub(now));
            }
        }
        for bucket in self.quota.buckets() {
            said.push(Reading {
                limit: Some(bucket.limit().amount()),
                remaining: Some(u64::try_from(bucket.level(now)).unwrap_or(0)),
                reset: Some(bucket.full_at(now).saturating_sub(now)),
                ..Reading::of(bucket.limit().dimension())
            });
        }
        said
    }
}

/// A request under way: what it holds here, and what the answer will say.
struct Sent {
    reservation: Reservation,
    said: Observation,
}

/// Request number `job`: the tokens of its prompt, and those it will have produced.
const fn tokens(job: u64) -> (u64, u64) {
    (100 + job * 37 % 400, 50 + job * 53 % 200)
}

fn main() -> Result<(), NeverFits> {
    let mut now = Nanos::ZERO;
    let limits = [Limit::per_minute(Dimension::Requests, 60), Limit::per_minute(Dimension::Tokens, 20_000)];
    let quota = Quota::new(limits.map(|limit| Bucket::full(limit, now)));
    let mut server = Server { quota, others_at: Nanos::ZERO };
    let mut limiter = Limiter::new();

    // Everything waits from the beginning. What is produced is not known before: 250 tokens are reserved for it.
    let mut waiting = HashMap::new();
    for job in 0..300 {
        waiting.insert(limiter.enqueue(&Cost::of_request(tokens(job).0, 250), Priority::NORMAL, now)?, job);
    }
    let mut answers: BinaryHeap<Reverse<(Nanos, u64)>> = BinaryHeap::new();
    let mut in_flight = HashMap::new();
    let (mut succeeded, mut refused, mut random) = (0, 0, 1_u64);
    loop {
        // Whoever fits goes, until nobody does.
        let wake = loop {
            match limiter.admit(now) {
                Admission::Granted(ticket, reservation) => {
                    let Some(job) = waiting.remove(&ticket) else { continue };
                    let (input, produced) = tokens(job);
                    let said = server.answer(&Cost::exact(Amounts::of_request(input, produced)), now);
                    in_flight.insert(job, Sent { reservation, said });
                    answers.push(Reverse((now.saturating_add(Nanos::from_millis(200 + job * 71 % 900)), job)));
                }
                Admission::Refused(_, never) => return Err(never),
                Admission::NotYet(at) => break at,
                Admission::Blocked | Admission::Idle => break Nanos::MAX,
            }
        };
        // Time jumps to the next answer, or to the instant that the core named, whichever is first.
        let answer_at = answers.peek().map_or(Nanos::MAX, |Reverse((at, _))| *at);
        let next = answer_at.min(wake);
        if next == Nanos::MAX {
            break;
        }
        now = next;
        if wake < answer_at {
            continue;
        }
        let Some(Reverse((_, job))) = answers.pop() else { continue };
        let Some(Sent { mut reservation, said }) = in_flight.remove(&job) else { continue };
        limiter.observe(&mut reservation, &said, now);
        if said.refused {
            refused += 1;
            // Randomness is an argument, as time is: this is Knuth's MMIX generator.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let cost = *reservation.cost();
            limiter.refuse(reservation, said.retry_after, now, random);
            waiting.insert(limiter.enqueue_front(&cost, Priority::NORMAL, now)?, job);
        } else {
            succeeded += 1;
            let (input, produced) = tokens(job);
            limiter.settle(reservation, &Amounts::of_request(input, produced), now);
        }
    }

    println!("{succeeded} answers after {} s, and {refused} refusals on the way", now.as_secs_f64());
    for known in limiter.state(now).limits {
        println!("{:?} {} in {:?}", known.source, known.limit.amount(), known.limit.window());
    }
    assert_eq!((succeeded, waiting.len(), in_flight.len()), (300, 0, 0));
    assert!(refused < succeeded / 10);
    // Both limits were found, though the server names no window.
    assert_eq!(limiter.state(now).limits.iter().map(|known| known.limit).collect::<Vec<_>>(), limits);
    Ok(())
}
