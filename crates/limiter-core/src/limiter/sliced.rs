//! A minute's limit that is enforced second by second.

use super::*;
use crate::{Cost, Dimension, Observation, Priority, Reading, Reservation};

const LATENCY: Nanos = Nanos::from_millis(50);
const PER_SECOND: u64 = 1_000;

/// What a provider enforces of 60,000 tokens a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Enforces {
    /// 1,000 in each second, which begins 370 ms after that of the client's clock; later ones pay for what is more.
    Slices,
    /// A bucket of so many seconds, which begins empty.
    Bucket(u64),
}

struct Provider {
    enforces: Enforces,
    /// What it charges for 100 tokens.
    charges: u64,
    /// In thousandths of a token.
    level: i64,
    at: Nanos,
}

impl Provider {
    fn advance(&mut self, now: Nanos) {
        let per_second = PER_SECOND as i64 * 1_000;
        let second = |at: Nanos| (at.get() + 630_000_000) / Nanos::SECOND.get();
        match self.enforces {
            Enforces::Slices => {
                let turns = (second(now) - second(self.at)) as i64;
                self.level = (self.level + turns * per_second).min(per_second);
            }
            Enforces::Bucket(seconds) => {
                let elapsed = (now.get() - self.at.get()) as i64 / 1_000;
                self.level = (self.level + elapsed * PER_SECOND as i64 / 1_000).min(seconds as i64 * per_second);
            }
        }
        self.at = now;
    }

    fn takes(&mut self, amount: u64, now: Nanos) -> bool {
        self.advance(now);
        let most = if self.enforces == Enforces::Slices { amount.min(PER_SECOND) } else { amount };
        let takes = self.level >= most as i64 * 1_000;
        self.level -= if takes { amount as i64 * 1_000 } else { 0 };
        takes
    }
}

struct Run {
    seconds: f64,
    /// In the first ten seconds, and later.
    refused: (u32, u32),
    tokens: u64,
    limiter: Limiter,
    now: Nanos,
}

impl Run {
    /// What window the limit of a dimension is thought to have.
    fn window(&self, dimension: Dimension) -> Nanos {
        let limits = self.limiter.state(self.now).limits;
        limits.iter().find(|state| state.limit.dimension() == dimension).unwrap().limit.window()
    }
}

/// Sends requests of these sizes, in turn.
fn run(enforces: Enforces, sizes: impl IntoIterator<Item = u64>) -> Run {
    run_with(enforces, 100, |_| LATENCY, sizes)
}

/// The same where so much is charged for 100 tokens, and the answer to each request takes so long.
fn run_with(
    enforces: Enforces,
    charges: u64,
    latency: impl Fn(u64) -> Nanos,
    sizes: impl IntoIterator<Item = u64>,
) -> Run {
    let mut limiter = Limiter::new();
    limiter.set_order(Order::LookAhead { bound: Nanos::MINUTE });
    let mut provider = Provider { enforces, charges, level: 0, at: Nanos::ZERO };
    if enforces == Enforces::Slices {
        provider.level = PER_SECOND as i64 * 1_000;
    }
    let (mut tokens, mut left) = (0, 0);
    for size in sizes {
        (tokens, left) = (tokens + size, left + 1);
        limiter.enqueue(&Cost::of_request(size, 0), Priority::NORMAL, Nanos::ZERO).unwrap();
    }
    let (mut early, mut later) = (0, 0);
    let (mut flight, mut now, mut sent) = (Vec::new(), Nanos::ZERO, 0);
    while left > 0 {
        assert!(now < Nanos::HOUR, "{left} left");
        let wake = match limiter.admit(now) {
            Admission::Granted(_, reservation) => {
                let tokens = reservation.cost.expected().of(Dimension::Tokens);
                let takes = provider.takes(tokens * provider.charges / 100, now);
                let remaining = u64::try_from(provider.level / 1_000).unwrap_or(0);
                let latency = if takes { latency(sent) } else { LATENCY };
                sent += 1;
                flight.push((now.saturating_add(latency), reservation, takes, remaining));
                flight.sort_by_key(|answer| answer.0);
                continue;
            }
            Admission::NotYet(at) => at,
            Admission::Blocked | Admission::Idle => Nanos::MAX,
            Admission::Refused(_, never) => panic!("{never}"),
        };
        if flight.first().is_none_or(|first| first.0 > wake) {
            now = wake;
            continue;
        }
        let (at, mut reservation, takes, remaining) = flight.remove(0);
        now = at;
        let mut said = Observation::new();
        said.refused = !takes;
        let reading = Reading::of(Dimension::Tokens);
        said.push(Reading { limit: Some(60_000), remaining: Some(remaining), ..reading });
        limiter.observe(&mut reservation, &said, now);
        let cost = reservation.cost;
        if takes {
            left -= 1;
            limiter.settle(reservation, cost.expected(), now);
            continue;
        }
        *(if now < Nanos::from_secs(10) { &mut early } else { &mut later }) += 1;
        limiter.refuse(reservation, None, now, 0);
        limiter.enqueue_front(&cost, Priority::NORMAL, now).unwrap();
    }
    Run { seconds: now.as_secs_f64(), refused: (early, later), tokens, limiter, now }
}

/// Sizes from 30 to 360, and now and then one of three seconds.
fn sizes(requests: u64) -> impl Iterator<Item = u64> {
    let mut state = 1_u64;
    (0..requests).map(move |place| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if place % 100 == 99 { 2_900 } else { 30 + (state >> 33) % 330 }
    })
}

#[test]
fn what_is_enforced_second_by_second_is_kept_second_by_second() {
    let run = run(Enforces::Slices, sizes(800));
    let least = run.tokens as f64 / PER_SECOND as f64;
    assert_eq!(run.window(Dimension::Tokens), Nanos::SECOND);
    assert_eq!(run.refused, (0, 0), "words tell it without a refusal");
    assert!(run.seconds < least * 1.08, "{} s of {least}", run.seconds);
}

#[test]
fn what_a_second_charges_is_learned_of_the_refused_ones_too() {
    let run = run_with(Enforces::Slices, 130, |_| LATENCY, sizes(800).map(|size| size.min(400)));
    assert_eq!(run.window(Dimension::Tokens), Nanos::SECOND);
    assert_eq!(run.refused.1, 0, "it is learned after {:?}", run.refused);
}

#[test]
fn a_word_from_an_earlier_second_says_nothing_of_what_this_one_owes() {
    // One answer in five comes two seconds later, and one request in ten takes more than a second has.
    let latency = |sent: u64| if sent % 5 == 3 { Nanos::from_millis(2_230) } else { LATENCY };
    let sizes = sizes(600).enumerate().map(|(place, size)| if place % 10 == 9 { 1_200 } else { size.min(300) });
    let run = run_with(Enforces::Slices, 100, latency, sizes);
    assert_eq!(run.window(Dimension::Tokens), Nanos::SECOND);
    assert_eq!(run.refused.1, 0);
}

#[test]
fn a_bucket_of_any_depth_is_not_taken_for_slices() {
    for seconds in [3, 6, 60] {
        let run = run(Enforces::Bucket(seconds), sizes(800).map(|size| size.min(2_000)));
        let least = run.tokens as f64 / PER_SECOND as f64;
        assert_ne!(run.window(Dimension::Tokens), Nanos::SECOND, "{seconds}");
        assert!(run.seconds < least * 1.03, "{seconds}: {} s of {least}", run.seconds);
    }
}

#[test]
fn a_day_of_which_nothing_is_left_has_no_slices() {
    let mut run = run(Enforces::Slices, sizes(400));
    let (day, minute) = (Reading::of(Dimension::Requests), Reading::of(Dimension::Tokens));
    for _ in 0..3 {
        run.now = run.now.saturating_add(Nanos::DAY);
        let mut reservation = run.limiter.try_reserve(&Cost::of_request(50, 0), run.now).unwrap();
        let mut said = Observation::new();
        said.refused = true;
        said.push(Reading { limit: Some(200), remaining: Some(0), window: Some(Nanos::DAY), ..day });
        said.push(Reading { limit: Some(60_000), remaining: Some(1_000), ..minute });
        run.limiter.observe(&mut reservation, &said, run.now);
        run.limiter.refuse(reservation, None, run.now, 0);
    }
    assert_eq!((run.window(Dimension::Requests), run.window(Dimension::Tokens)), (Nanos::DAY, Nanos::SECOND));
}

/// How many go at once until the first one has to wait.
fn burst(limiter: &mut Limiter, now: Nanos) -> Vec<Reservation> {
    core::iter::from_fn(|| limiter.try_reserve(&Cost::of_request(1, 0), now).ok()).collect()
}

#[test]
fn what_is_in_flight_grows_with_the_answers_however_much_they_say_is_left() {
    let mut limiter = Limiter::new();
    let (mut now, mut left) = (Nanos::ZERO, 10_000);
    let mut bursts = Vec::new();
    for _ in 0..5 {
        let flight = burst(&mut limiter, now);
        bursts.push(flight.len());
        now = now.saturating_add(LATENCY);
        for mut reservation in flight {
            left -= 1;
            let mut said = Observation::new();
            let reading = Reading::of(Dimension::Requests);
            said.push(Reading { limit: Some(10_000), remaining: Some(left), ..reading });
            limiter.observe(&mut reservation, &said, now);
            limiter.settle(reservation, Cost::of_request(1, 0).expected(), now);
        }
    }
    assert_eq!(bursts[..2], [1, 4], "ten thousand are left");
    assert!(bursts[1..].windows(2).all(|two| two[0] < two[1] && two[1] <= 2 * two[0]), "{bursts:?}");
}
