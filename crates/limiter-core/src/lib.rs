//! The arithmetic of several quotas at once, and the state machine around it, without I/O.
//!
//! A service that meters its callers in several dimensions (requests, tokens, input and output tokens, per minute and
//! per day) is used best by a client that keeps the same books: it reserves what a request will take before sending it,
//! settles with what was really used, and believes the service where the two disagree. This crate is those books.
//!
//! # What it is not
//!
//! * It is not a client. `chat-limiter` is one, built on this crate; whoever wants to send requests wants that one.
//! * It has no clock, opens no connection, starts no task, takes no lock, wakes nobody and logs nothing. Time comes in
//!   as an argument and randomness too, so the same calls give the same answers in a server, in a test on virtual time,
//!   in a WASM worker or on a device without an operating system.
//! * It knows no provider: what a header says is turned into an [`Observation`] by the caller.
//! * It is no retry policy. It counts what is refused and what fails, and says how long to hold back; whether a request
//!   goes again is decided by the caller.
//! * It does not share a quota between processes. One [`Limiter`] is one set of limits in one place; a program with two
//!   keys has two.
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | [`Dimension`] | what is metered: requests, tokens, images, requests in flight |
//! | [`Limit`] | so much of a dimension in a window, how much may be saved up (the burst), and how it comes back ([`Refill`]) |
//! | [`Cost`] | what one request takes in every dimension, as [`Amounts`]: what is certain, and what is expected |
//! | [`Bucket`], [`Quota`] | the level of one limit; the buckets that a request must all pass |
//! | [`Reservation`] | capacity that a request holds from its admission until it ends |
//! | [`Ticket`] | a place in the queue |
//! | [`Admission`] | the answer to "who may go now?" |
//! | [`Observation`] | what one answer said about limits, as [`Reading`]s |
//! | told, found, expected | a limit that the caller set; one that the answers told; a guess of the caller's, until one does |
//! | rule | how a provider charges a request for tokens: when it begins, when it ends, and for what |
//!
//! # In a minute
//!
//! ```
//! # #[cfg(feature = "alloc")] {
//! use limiter_core::{Admission, Amounts, Cost, Dimension, Limit, Limiter, Nanos, Priority};
//!
//! let mut limiter = Limiter::new();
//! limiter.set_limit(Limit::per_minute(Dimension::Requests, 60), Nanos::ZERO);
//! limiter.set_limit(Limit::per_minute(Dimension::Tokens, 6_000), Nanos::ZERO);
//!
//! // A prompt of 1,000 tokens that may produce 4,000, and one that does not fit beside it.
//! let first = limiter.try_reserve(&Cost::of_request(1_000, 4_000), Nanos::ZERO).unwrap();
//! let ticket = limiter.enqueue(&Cost::of_request(2_000, 0), Priority::NORMAL, Nanos::ZERO).unwrap();
//! assert_eq!(limiter.admit(Nanos::ZERO), Admission::NotYet(Nanos::from_secs(10)));
//!
//! // The first one produced 500: what it does not need comes back, and the second goes.
//! limiter.settle(first, &Amounts::of_request(1_000, 500), Nanos::SECOND);
//! assert!(matches!(limiter.admit(Nanos::SECOND), Admission::Granted(who, _) if who == ticket));
//! # }
//! ```
//!
//! # The loop around it
//!
//! 1. A request joins with [`enqueue`](Limiter::enqueue). The caller keeps the [`Ticket`].
//! 2. After every call that can change what fits, call [`admit`](Limiter::admit) until it answers something other than
//!    `Granted` or `Refused`. Each of those two names a ticket, not always that of the request just enqueued.
//! 3. `NotYet(at)`: call `admit` again at `at`, if nothing else happens before. One timer is enough for all. `Blocked`:
//!    no instant helps, a request in flight has to be answered or to end. `Idle`: nobody waits.
//! 4. When the answer is there, [`observe`](Limiter::observe) what it says about limits. Then end the reservation with
//!    one of the five below, and go on at 2. `observe` comes first, because ending takes the reservation away.
//!
//! | how the request ended | call | what stays taken |
//! |---|---|---|
//! | answered | [`settle`](Limiter::settle) | what it really took; of a limit that was found, what the provider is thought to charge (9) |
//! | never sent | [`release`](Limiter::release) | nothing |
//! | refused for its rate (429) | [`refuse`](Limiter::refuse); to try again, [`enqueue_front`](Limiter::enqueue_front) | one request |
//! | no connection, no answer, server error | [`fail`](Limiter::fail) | everything, if it may have been sent |
//! | abandoned, nobody knows how far it got | [`forfeit`](Limiter::forfeit) | everything |
//!
//! Capacity that comes back [`OnRelease`](Refill::OnRelease) (requests in flight, say) comes back in all five. A
//! request that goes again is a new one: copy [`Reservation::cost`] before ending it, and keep the new ticket. Of
//! several at the front, the one that came there first goes first, whatever its priority.
//!
//! ## What to know before the first surprise
//!
//! * **A cost counts only in the dimensions that it names**, but for one request and one in flight, which every
//!   [`Cost`] is at least. A limit on [`Dimension::InputTokens`] lets a cost pass that only names
//!   [`Dimension::Tokens`]; [`Cost::of_request`] names both.
//! * **What settles is everything that was taken**, not only what was corrected: tokens that are left out come back.
//!   [`Amounts::of_request`] is the amounts of a whole request. Only [`Dimension::Requests`] may be left out, because
//!   what was answered was made. A [`Quota`] does not know that it was: there, requests left out come back, too.
//! * **Few go out at first, even where the caller's limits would let more pass.** Until an answer that is no refusal
//!   has said what remains of a limit, at most four requests are in flight, one more for each one settled, half as many
//!   after a refusal: the limits that the service does not speak of may be smaller. So `try_reserve` answers `NotYet`
//!   at [`Nanos::MAX`], and `admit` answers `Blocked`, with levels that are full. Where no limit is known at all, up to
//!   64 may be in flight, but one by one: eight in the first second, twice as many in each one after. A rate that refusals
//!   show spaces them, too. Where the caller's limits are all there are, [`Limiter::set_probing`] turns all of it off. A
//!   [`Quota`] never does that.
//! * **A dropped reservation is in flight for ever.** Its owner ends it in a `Drop` of its own, with
//!   [`forfeit`](Limiter::forfeit).
//! * **The caller's limits are ceilings.** Nothing that is observed lifts them; [`Limiter::remove_limit`] does. A new
//!   one begins full; only one that comes back [`OnRelease`](Refill::OnRelease) counts what is in flight already.
//! * **A limit that shrinks may shut somebody out who waits already.** Then `admit` answers `Refused`.
//!
//! # Order
//!
//! [`Order::Turn`], which is the default: everybody who waits is due at some instant, and who is due first goes first.
//! A request of [`Priority::HIGHEST`] is due when it came; others are due later by ten seconds for each level below it.
//! So a priority is a head start and not a gate. A request of the lowest one is overtaken by those of the highest that
//! come in the 70 seconds after it, and by nobody later. [`Limiter::set_ageing`] sets another span: with zero
//! priorities only decide between requests of one instant; with [`Nanos::MAX`] a higher one always goes first, and the
//! lowest may starve. Within a priority it is first come, first served. A request at the front
//! ([`enqueue_front`](Limiter::enqueue_front)) goes before all of them, behind those who came to the front earlier.
//! While the first one does not fit, nobody goes, so a large request cannot starve behind small ones, and
//! [`try_reserve`](Limiter::try_reserve) does not get past anybody who waits.
//!
//! [`Order::LookAhead`] is for work that may be done in any order, a file of requests for instance. It admits somebody
//! else than the first one in two cases:
//!
//! * The first one does not fit yet, and another does: that one fills the gap. But nobody overtakes one that waits for
//!   what comes back [`OnRelease`](Refill::OnRelease): it would have to wait for those, too.
//! * More is left than it should be of the limit for which most work waits, measured in the time that it takes to come
//!   back, there is less than all who wait will take, and the first one mostly takes of another limit: one that mostly
//!   takes of this goes, so that nothing is lost while work for it waits. Half a bucket should be left at most, and of a
//!   fixed or sliding window no larger part than of the other limit, if that is for the same window; of one of a second
//!   as large a part.
//!
//! Looked at is the oldest request of each priority and size, where sizes are powers of two of its tokens and of its
//! images (from 64 images on it is one size); of those who may go, the one that is due first goes. Set the order before
//! anybody waits: those who came before count as one size.
//!
//! Overtaking has a `bound`. What overtakes is counted in the time in which its cost comes back (of the limit where
//! that is longest; a nanosecond at least). An allowance begins with the bound; who overtakes takes its time from it,
//! who goes in turn adds its own, up to the bound; who would need more than is left does not overtake. So whoever
//! waits, waits at most as long as it and those before it take, as long as those before it again, and the bound. With a
//! bound of zero nobody overtakes. Another bound, set later, fills up nothing: what is left stays, up to the new bound.
//!
//! ```
//! # #[cfg(feature = "alloc")] {
//! use limiter_core::{Admission, Cost, Dimension, Limit, Limiter, Nanos, Order, Priority};
//!
//! let mut limiter = Limiter::new();
//! limiter.set_limit(Limit::per_minute(Dimension::Tokens, 600), Nanos::ZERO);
//! limiter.set_order(Order::LookAhead { bound: Nanos::from_secs(5) });
//! let used = limiter.try_reserve(&Cost::of_request(500, 0), Nanos::ZERO).unwrap();
//! limiter.forfeit(used, Nanos::ZERO);
//!
//! // 100 tokens are left, ten come back each second. The large one waits for 50 s.
//! let mut join = |tokens| limiter.enqueue(&Cost::of_request(tokens, 0), Priority::NORMAL, Nanos::ZERO).unwrap();
//! let [large, small, next] = [600, 40, 30].map(&mut join);
//!
//! // The small one comes back in 4 s, which is within the bound. The next one's 3 s are not: one second is left of it.
//! let goes = |limiter: &mut Limiter, now| match limiter.admit(now) {
//!     Admission::Granted(who, reservation) => {
//!         limiter.forfeit(reservation, now);
//!         Ok(who)
//!     }
//!     other => Err(other),
//! };
//! assert_eq!(goes(&mut limiter, Nanos::ZERO), Ok(small));
//! assert_eq!(goes(&mut limiter, Nanos::ZERO), Err(Admission::NotYet(Nanos::from_secs(54))));
//! assert_eq!(goes(&mut limiter, Nanos::from_secs(54)), Ok(large));
//! assert_eq!(goes(&mut limiter, Nanos::from_secs(57)), Ok(next));
//! # }
//! ```
//!
//! # Outages
//!
//! Five failures in a row, without an answer between them, are an [`Outage`]: one request at a time goes out, after an
//! eighth of the time that it has lasted at most (between the [backoff](Limiter::set_backoff)'s base and ceiling), until
//! one is answered. Who goes then is somebody who was not [at the front](Limiter::enqueue_front), while there is anybody:
//! a few requests that always fail must not be the only ones that ask. Where others may overtake it is one of the smallest
//! size, because a provider may charge what it fails at. It need not fit into limits that were found in answers or felt
//! out, because nobody knows what was counted of the requests that failed; into the caller's it has to. When it is over,
//! those at the front go first again.
//!
//! # Time
//!
//! `now` is [`Nanos`] since an origin of the caller's, the same for all calls. `start.elapsed().into()` makes it of a
//! `std::time::Instant`; a test counts from zero. Read a monotonic clock, and under the lock if there is one. Instants
//! that are answered are on the same clock; a timer that fires early costs one more question. [`Nanos::MAX`] means "at
//! no instant": something else has to happen first. A fixed window turns on the caller's clock, too:
//! [`Refill::AtBoundary`] takes any instant at which it turns, a midnight for a day. In a [`Limiter`] it stays a
//! midnight on that clock when the clock is set.
//!
//! # Randomness
//!
//! Where callers should not come back together, a call takes 64 `random` bits: [`Limiter::refuse`], [`Limiter::fail`],
//! [`Backoff::delay`], [`Backoff::half_jittered`], [`Outage::delay`]. Any generator will do, if each process seeds its
//! own. Zero draws the shortest delay and [`u64::MAX`] the longest, which is what tests pass.
//!
//! # What it promises
//!
//! 1. **All or nothing.** A request is charged in every dimension or in none.
//! 2. **Never over.** In no interval more is admitted than the limits allow in it (the burst and what comes back),
//!    counted as settled, but for what is borrowed (4), turns out to be more than was reserved, or asks in an
//!    [outage](#outages) where a limit was found. That is owed, and nothing more is taken of a limit while it is. What a
//!    limit that was found allows is counted as it is thought to be charged (9); where only refusals tell of it, more is
//!    tried now and then (8).
//!    Integer arithmetic without drift: a year of admissions loses nothing. No input makes it panic.
//! 3. **Tight.** The instant that is answered is the earliest at which the request fits; one nanosecond before it does
//!    not. A sliding window, which remembers only so many moments, may answer late, and never early. Where others may
//!    overtake, it is the earliest at which anybody may go.
//! 4. **Not now is not never.** What is certain to be larger than a limit ever holds is an error at once, naming the
//!    dimension. What is only expected to be larger waits for a full bucket, borrows, and those behind it wait.
//! 5. **Fair.** First come, first served inside a priority; every priority moves; a large request does not starve;
//!    whoever may overtake is bounded. See [Order](#order).
//! 6. **Settled once.** A reservation is not `Copy` and ends in one of five calls that take it; what was taken of a
//!    bucket or a quota ([`Taken`]) ends in `settle`. Settling never leaves a level higher than if the true amount had
//!    been taken at first.
//! 7. **Truth from the server.** An answer that says what remains sets the level, up or down, less what is in flight
//!    and may not be in it. One in round figures bounds the level, and is not taken to the last unit. Limits that are
//!    found are followed when they change.
//! 8. **Unknown limits are probed.** Four in flight at first, twice as many each round trip; where nothing at all is
//!    known, up to 64, of which eight go in the first second and twice as many in each one after. Where a refusal is
//!    explained by nothing that was told, fewer are kept in flight than were then; and if one is refused all the same,
//!    the rate is measured between refusals. More is tried after a while. Where only refusals tell a limit, what is
//!    known is used in full, and likewise. When a refusal says when to come back, one goes then, whatever was measured.
//!    What the caller [expects](Limiter::expect_limit) holds until an answer speaks, and refuses nothing for good.
//! 9. **What differs is held back.** How much less remains than was counted here is measured by the answers, and as
//!    much is left in the bucket, with a margin for how it varies: a quarter of the bucket at most. By which rule tokens
//!    are charged, and how many for each that is counted here, is learned by comparing what was sent with what was lost;
//!    of rules that explain it equally well the most careful one is believed. Until it is learned, what may be produced
//!    is let out over six seconds, and not all of a full bucket at once.
//!
//! `tests/properties` holds 1 to 6, and what a single bucket has of 7, against an exact oracle on random sequences; a
//! test there has the number of its promise in its name. Examples of each stand beside the code:
//!
//! | promise | examples |
//! |---|---|
//! | 1, 4 | `src/quota.rs`, `src/limiter/tests.rs` |
//! | 2, 3 | `src/bucket/tests.rs`, `src/bucket/log.rs` |
//! | 5 | `src/queue.rs`, `src/limiter/order_tests.rs`, `src/limiter/contradictions.rs` |
//! | 6 | `src/bucket/tests.rs`, `src/limiter/tests.rs` |
//! | 7 | `src/limiter/tests.rs`, `src/limiter/adversity.rs`, `src/limiter/contradictions.rs`, `src/learn/form.rs`, `src/learn/turns.rs` |
//! | 8 | `src/limiter/tests.rs`, `src/limiter/contradictions.rs`, `src/limiter/guesses.rs`, `src/limiter/met.rs`, `src/learn/window.rs`, `src/learn/start.rs`, `src/learn/pace/tests.rs` |
//! | 9 | `src/limiter/tests.rs`, `src/learn/margin.rs`, `src/learn/charge/tests.rs` |
//! | any clock | `src/timeline.rs`, `src/limiter/clocks.rs` |
//!
//! How 7 to 9 are done, with every constant and its reason, is in the repository's `docs/LEARNING.md`; what all of it
//! costs, and how other crates do, in its `docs/COMPARE.md`.
//!
//! # Bad input
//!
//! Nothing panics and nothing wraps. What cannot be meant becomes the nearest thing that can, or nothing:
//!
//! | input | becomes |
//! |---|---|
//! | a limit's amount, window or burst of zero | one: "nothing at all" is no limit. To let nobody through, [`pause`](Limiter::pause) |
//! | larger than [`Limit::MAX_AMOUNT`], longer than [`Limit::MAX_WINDOW`] | these |
//! | a burst that takes longer than [`Limit::MAX_WINDOW`] to come back | what comes back in that time |
//! | a second limit for the same dimension and window | the first is replaced, what was taken stays taken. [`Dimension::Concurrent`] has no window |
//! | another [`Refill`] for a limit | what was taken before gives nothing back when it is settled. A [`Limiter`] that begins with [`OnRelease`](Refill::OnRelease) counts what is in flight, and that comes back |
//! | certain cost above a limit's burst | [`NeverFits`]: at once, or as `Refused` where the limit becomes known later |
//! | expected cost above the burst, below the certain one | waits for a full bucket; becomes the certain one |
//! | a cost of nothing | one request, and one in flight |
//! | amounts above [`Cost::MAX_AMOUNT`] in a cost | that many: more than any limit allows |
//! | more settled than reserved | a debt, repaid by waiting. It ends with the window where that is fixed or sliding, and is none where capacity comes back [`OnRelease`](Refill::OnRelease) |
//! | a debt deeper than what 31 days bring less a bucketful, or than a bucketful where that is more | that deep, the rest is forgiven. Until the bucket is full again, what settling gives back repays it first |
//! | amounts that add up to more than [`u64::MAX`] | [`u64::MAX`] |
//! | a pause or `retry_after` longer than [`Limit::MAX_WINDOW`] | that long |
//! | a `retry_after` of zero | no hint |
//! | a reservation of another limiter | ends nothing, if this one has not made so many; else as if it were its own, within bounds |
//! | a ticket that no longer waits | `cancel` answers `false`: it was admitted, refused or cancelled |
//! | a priority above 7 | 7 |
//! | a reading that says nothing, the 13th of one observation, the 33rd limit that is found | left out |
//! | a reading of an unknown limit that does not say its amount, or of a limit of zero | left out |
//! | what remains of [`Dimension::Concurrent`] | left out: what is in flight is counted here |
//! | more remaining than the limit | the limit |
//! | a reading without a window | a minute, until two answers agree on another |
//! | a reset that contradicts limit and remaining | teaches nothing about the window |
//! | what remains of the same limit, twice in one answer | the first |
//! | what remains, in an answer to a request sent more than a second before one whose answer is known | left out; a tenth of the window where that is shorter |
//! | what remains, in two answers to requests sent within that span | the lower |
//! | what remains, eight times or more and always in tens, hundreds or thousands | what is counted here, within what it may stand for |
//! | a limit that twenty successes in a row leave out, which speak of its dimension | in force no more, until an answer speaks of it |
//! | a limit that only refusals state, where other answers state theirs | in force for a window after the last of them |
//! | an expected limit for a dimension that is found or expected already, for [`Dimension::Concurrent`] or [`OnRelease`](Refill::OnRelease) | left out |
//! | certain cost above an expected limit | waits for all of it |
//! | `now` up to a minute earlier than before (threads) | the latest `now` |
//! | `now` more than a minute earlier | the clock was set: time goes on from there at the new reading |
//! | `now` more than two of the longest windows later | 31 days later; the next such jump within 31 days is no time at all, so that no clock uses up the time there is |
//! | a fixed window of the caller's, when the clock was set or jumped | it turns where it did on the caller's clock; what was taken before gives nothing back when it is settled |
//!
//! The last two are the [`Limiter`]'s. A [`Bucket`] and a [`Quota`] keep to the latest `now` that they have seen: after
//! a clock that jumped ahead by mistake they wait until it gets there again.
//!
//! # Layers
//!
//! * [`Bucket`]: one limit, exact integers, no allocation.
//! * [`Quota`]: several buckets, all or nothing, over an array or a `Vec`. What was taken is a [`Taken`], which is
//!   settled by value, so once; dropping it leaves all of it taken.
//! * [`Limiter`] (feature `alloc`, on by default): the queue, reservations, observations, pauses, outages.
//!   [`Limiter::state`] and [`Limiter::waiters`] show all of it; [`Limiter::set_backoff`] says how long to hold back
//!   where nobody says it. [`Limiter::with_told_of`] and [`Limiter::adopt`] are for one that turns out to be two:
//!   models, say, that are counted apart.
//! * [`Backoff`], [`RetryBudget`], [`Outage`]: when to try again.
//!
//! # Without an allocator
//!
//! `default-features = false` leaves everything but the [`Limiter`] and what belongs to it.
//!
//! ```
#![doc = include_str!("../examples/no_allocator.rs")]
//! ```
//!
//! # A blocking loop
//!
//! ```
#![cfg_attr(feature = "alloc", doc = include_str!("../examples/blocking.rs"))]
//! ```
//!
//! # An event loop
//!
//! ```
#![cfg_attr(feature = "alloc", doc = include_str!("../examples/event_loop.rs"))]
//! ```
#![cfg_attr(all(doctest, feature = "alloc"), doc = include_str!("../README.md"))]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod backoff;
mod bucket;
mod cost;
mod dimension;
#[cfg(feature = "alloc")]
mod flight;
#[cfg(feature = "alloc")]
mod learn;
mod limit;
#[cfg(feature = "alloc")]
mod limiter;
mod observation;
mod outage;
#[cfg(feature = "alloc")]
mod queue;
mod quota;
#[cfg(feature = "alloc")]
mod reservation;
mod share;
mod time;
#[cfg(feature = "alloc")]
mod timeline;

pub use backoff::{Backoff, RetryBudget};
pub use bucket::{Bucket, Taken};
pub use cost::Cost;
pub use dimension::{Amounts, Dimension};
pub use limit::{Limit, Refill};
#[cfg(feature = "alloc")]
pub use limiter::{Admission, LimitSource, LimitState, Limiter, Observed, Order, State};
pub use observation::{Observation, Reading};
pub use outage::Outage;
#[cfg(feature = "alloc")]
pub use queue::{Priority, Ticket, Waiting};
pub use quota::{NeverFits, Quota, Refusal};
#[cfg(feature = "alloc")]
pub use reservation::Reservation;
pub use time::Nanos;
