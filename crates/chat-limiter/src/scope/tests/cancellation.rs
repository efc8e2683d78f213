//! Every order in which waiting, granting, ending, dropping and closing can come, by enumeration.
//!
//! The scope is one lock around a state machine, and no await holds it: what threads do to it is some order of the calls
//! below. So all orders up to a length are tried, and after each of them nothing may be left.

use std::pin::Pin;

use super::*;

/// The waiters of a run, each with its permit once it has one.
const WAITERS: usize = 3;
/// So many calls are made in a run at most.
const LENGTH: usize = 4;

/// One call.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Polls the future, which joins, waits, or takes what it was granted.
    Poll(usize),
    /// Drops the future or the permit.
    Drop(usize),
    /// Ends the permit as answered with nothing used, so that all of it comes back.
    Settle(usize),
    /// Ends the permit as refused, without a hint.
    Refuse(usize),
    /// Time goes on.
    Wait,
    /// Half of the limit is taken away and given back.
    Limit(u64),
    Evict,
    Close,
}

fn steps() -> Vec<Step> {
    let each = (0..WAITERS).flat_map(|n| [Step::Poll(n), Step::Drop(n), Step::Settle(n), Step::Refuse(n)]);
    each.chain([Step::Wait, Step::Limit(30), Step::Limit(60), Step::Evict, Step::Close]).collect()
}

enum Place {
    Waiting(Pin<Box<Acquire>>),
    Holding(Box<Permit>),
    Gone,
}

struct Run {
    scope: Arc<Scope>,
    places: Vec<Place>,
}

impl Run {
    /// Each waiter wants more than half of what there is, so one fits and not two.
    fn new() -> Self {
        let scope = scope(60);
        let places = [40, 25, 40].map(|tokens| Place::Waiting(boxed(acquire(&scope, tokens))));
        Self { scope, places: places.into() }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Poll(n) => {
                if let Place::Waiting(future) = &mut self.places[n]
                    && let std::task::Poll::Ready(outcome) = futures::poll!(future)
                {
                    self.places[n] = outcome.map_or(Place::Gone, |permit| Place::Holding(Box::new(permit)));
                }
            }
            Step::Drop(n) => self.places[n] = Place::Gone,
            Step::Settle(n) | Step::Refuse(n) => {
                let place = std::mem::replace(&mut self.places[n], Place::Gone);
                match (place, step) {
                    (Place::Holding(permit), Step::Settle(_)) => permit.settle(Some(&Amounts::ZERO)),
                    (Place::Holding(permit), _) => permit.refuse(None, "refused"),
                    (place, _) => self.places[n] = place,
                }
            }
            Step::Wait => tokio::time::advance(Duration::from_secs(7)).await,
            Step::Limit(tokens) => {
                let told = |tokens| [Limit::per_minute(Dimension::Tokens, tokens)];
                self.scope.retell(&told(90 - tokens), &told(tokens), BufferRatio::default());
            }
            Step::Evict => self.scope.evict("model"),
            Step::Close => self.scope.close(),
        }
    }

    /// What is held and waited for is what the scope counts, at every moment.
    fn check(&self, context: &dyn std::fmt::Debug) {
        let state = self.scope.state();
        let shared = self.scope.lock();
        let holding = self.places.iter().filter(|place| matches!(place, Place::Holding(_))).count();
        let granted = shared.granted.len();
        assert_eq!(state.in_flight, (holding + granted) as u64, "{context:?}");
        let undecided = shared.waiters.len() - granted - shared.refused.len();
        assert_eq!(state.waiting, undecided, "{context:?}");
        for known in &state.limits {
            let limit = known.limit;
            assert!(known.level <= limit.amount().cast_signed(), "{context:?}: {known:?}");
        }
    }

    /// Drops everything. Nothing is left.
    fn end(mut self, context: &dyn std::fmt::Debug) {
        self.places.clear();
        let state = self.scope.state();
        assert_eq!((state.in_flight, state.waiting), (0, 0), "{context:?}");
        assert!(is_empty(&self.scope), "{context:?}");
    }
}

/// Runs the order with this number of those of so many steps. `false` where there is none.
async fn run(length: usize, number: usize, steps: &[Step]) -> bool {
    let (mut rest, mut order) = (number, Vec::with_capacity(length));
    for _ in 0..length {
        order.push(steps[rest % steps.len()]);
        rest /= steps.len();
    }
    if rest > 0 {
        return false;
    }
    let mut run = Run::new();
    // One holds and two wait; what comes then is the order.
    for n in 0..WAITERS {
        run.take(Step::Poll(n)).await;
    }
    for step in &order {
        run.take(*step).await;
    }
    // What leads here was checked as an order of its own.
    run.check(&order);
    run.end(&order);
    true
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_after_any_order_of_calls() {
    let steps = steps();
    for length in 0..=LENGTH {
        let mut number = 0;
        while run(length, number, &steps).await {
            number += 1;
        }
        assert_eq!(number, steps.len().pow(u32::try_from(length).unwrap()), "every order was run");
    }
}

#[tokio::test(start_paused = true)]
async fn a_permit_granted_while_it_is_dropped_goes_to_the_next_at_the_same_instant() {
    // Whoever is dropped, at whatever number of polls, the others go as if it had never been there.
    for dropped in 0..WAITERS {
        for polls in 0..3 {
            let scope = scope(60);
            let holder = acquire(&scope, 60).await.unwrap();
            let mut waiting: Vec<_> = (0..WAITERS).map(|_| Some(boxed(acquire(&scope, 60)))).collect();
            for _ in 0..polls {
                for future in waiting.iter_mut().flatten() {
                    assert!(futures::poll!(future).is_pending());
                }
            }
            // Granted to the first one, which does not look.
            holder.settle(Some(&Amounts::ZERO));
            waiting[dropped] = None;
            let start = scope.clock.now();
            for future in waiting.into_iter().flatten() {
                future.await.unwrap().settle(Some(&Amounts::ZERO));
            }
            assert_eq!(since(&scope, start), Duration::ZERO, "{dropped} after {polls}");
            assert_eq!((scope.state().in_flight, scope.state().waiting), (0, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_permits_that_end_in_every_way_leak_nothing() {
    let scope = scope(1_000_000);
    for n in 0..10_000_u64 {
        // The flight of requests that is allowed grows with the answers, and refusals hold back.
        let permit = acquire(&scope, n % 7).await.unwrap();
        match n % 5 {
            0 => drop(permit),
            1 => permit.release(),
            2 => permit.settle(None),
            3 => permit.settle(Some(&Amounts::of_request(n, n))),
            _ => permit.refuse(Some(Nanos::from_millis(1)), "refused"),
        }
    }
    let state = scope.state();
    assert_eq!((state.in_flight, state.waiting), (0, 0));
    assert!(is_empty(&scope));
    tokio::time::advance(Duration::from_secs(3_600)).await;
    for known in scope.state().limits {
        assert_eq!(known.level, known.limit.amount().cast_signed(), "{known:?}");
    }
}
