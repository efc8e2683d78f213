//! A server with limits of its own, and a client that sends it a file, on virtual time.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use super::meter::Meter;
use super::*;
use crate::{Cost, Dimension, Observation, Priority, Reading, Reservation};

/// What a refusal says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// That it is one.
    Nothing,
    /// When to come back, in whole seconds.
    Hint,
    /// What every answer says.
    Headers,
    /// What no other answer says.
    AloneHeaders,
}

/// What its headers call a reset.
#[derive(Clone, Copy)]
pub(super) enum Resets {
    /// How long until the limit is full.
    Full,
    /// How long its window is.
    Window,
    /// How long until the oldest of what was taken comes back.
    Oldest,
    /// Always so many seconds.
    Seconds(u64),
    /// Nothing.
    Untold,
}

/// How long an answer takes, in milliseconds.
#[derive(Clone, Copy)]
pub(super) enum Latency {
    Of(u64),
    /// Mostly 100 to 500, sometimes one second and five.
    Tail,
}

/// What requests take.
#[derive(Clone, Copy)]
pub(super) enum Sizes {
    /// 40 tokens each.
    Equal,
    /// Most are small and a few large.
    Tailed,
    /// Small ones first, and at the end large ones, one in twenty.
    Phased,
    /// One in twenty takes eight seconds of the tokens.
    VeryLarge,
}

impl Sizes {
    /// The size of a request so far into the file.
    fn draw(self, place: f64, draw: &mut impl FnMut() -> u64) -> Cost {
        let share = (draw() >> 11) as f64 / (1_u64 << 53) as f64;
        match self {
            Self::Equal => Cost::of_request(20, 20),
            Self::Tailed => {
                let all = (40.0 * (1.0 - share).powf(-1.0 / 1.3)).min(4_000.0);
                let prompt = all * (0.3 + 0.6 * (draw() % 1_000) as f64 / 1_000.0);
                Cost::of_request(prompt as u64, (all - prompt) as u64)
            }
            Self::Phased if place < 0.955 => Cost::of_request(6, 6),
            Self::Phased => Cost::of_request(1_000, 1_000),
            Self::VeryLarge if share < 0.05 => Cost::of_request(3_900, 4_100),
            Self::VeryLarge => Cost::of_request(25, 20),
        }
    }
}

/// Numbers that look random.
fn random(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

pub(super) struct Server {
    sizes: Sizes,
    latency: Latency,
    /// How long a refusal takes.
    refuses_in: Nanos,
    says: Says,
    /// How many may be in flight.
    most: usize,
    /// What is enforced.
    limit: Option<Meter>,
    tokens: Option<Meter>,
    /// What every answer tells.
    told: Option<Meter>,
    resets: Resets,
    /// What every answer calls the limit, where that is not what it is.
    claim: Option<u64>,
    /// The second from which on the limit is another one, per minute.
    change: Option<(u64, u64)>,
    /// Of so many requests one is refused by chance, and what that is drawn from.
    one_in: u64,
    chance: u64,
}

pub(super) struct Run {
    pub(super) seconds: f64,
    pub(super) refused: u64,
    /// Those answered in the first minute.
    early: usize,
    requests: usize,
    pub(super) per_ten: String,
}

impl Run {
    /// The time after the first minute, to the least of what was left then.
    pub(super) fn later(&self, least: f64) -> f64 {
        let left = (self.requests - self.early) as f64 / self.requests as f64;
        (self.seconds - 60.0) / (least * left)
    }
}

/// Longer than any run.
const LONGEST: Nanos = Nanos::from_secs(3_000);

impl Server {
    /// One that allows everything and says nothing.
    pub(super) const NEW: Self = Self {
        sizes: Sizes::Equal,
        latency: Latency::Of(200),
        refuses_in: Nanos::from_millis(30),
        says: Says::Nothing,
        most: usize::MAX,
        limit: None,
        tokens: None,
        told: None,
        resets: Resets::Full,
        claim: None,
        change: None,
        one_in: u64::MAX,
        chance: 0x2545_F491_4F6C_DD1D,
    };

    pub(super) fn answering_in(self, latency: Latency) -> Self {
        Self { latency, ..self }
    }

    pub(super) fn refusing_in(self, millis: u64) -> Self {
        Self { refuses_in: Nanos::from_millis(millis), ..self }
    }

    pub(super) fn saying(self, says: Says) -> Self {
        Self { says, ..self }
    }

    pub(super) fn at_once(self, most: usize) -> Self {
        Self { most, ..self }
    }

    pub(super) fn limited(self, limit: Limit) -> Self {
        Self { limit: Some(Meter::full(limit)), ..self }
    }

    pub(super) fn of_tokens(self, limit: Limit, sizes: Sizes) -> Self {
        Self { sizes, refuses_in: Nanos::from_millis(1), tokens: Some(Meter::full(limit)), ..self }
    }

    pub(super) fn telling(self, limit: Limit) -> Self {
        Self { told: Some(Meter::full(limit)), ..self }
    }

    /// Tells of a limit that is counted in two windows.
    pub(super) fn telling_of_two(self, limit: Limit) -> Self {
        Self { told: Some(Meter::of_two(limit)), ..self }
    }

    pub(super) fn resetting(self, resets: Resets) -> Self {
        Self { resets, ..self }
    }

    pub(super) fn claiming(self, limit: u64) -> Self {
        Self { claim: Some(limit), ..self }
    }

    pub(super) fn changing(self, second: u64, per_minute: u64) -> Self {
        Self { change: Some((second, per_minute)), ..self }
    }

    pub(super) fn refusing_one_in(self, one_in: u64) -> Self {
        Self { one_in, ..self }
    }

    /// Whether this one is refused whatever is sent.
    fn is_unlucky(&mut self) -> bool {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33).is_multiple_of(self.one_in)
    }

    fn takes(&self, random: u64) -> Nanos {
        Nanos::from_millis(match self.latency {
            Latency::Of(millis) => millis,
            Latency::Tail => [100, 200, 300, 500, 1_000, 5_000][(random % 6) as usize],
        })
    }

    /// How long until a request may come, where it may not now.
    fn wait(&mut self, cost: &Cost, in_flight: usize, now: Nanos) -> Option<Nanos> {
        if let (Some((second, per_minute)), Some(bucket)) = (self.change, &mut self.limit)
            && now >= seconds(second)
        {
            self.change = None;
            let burst = bucket.limit().burst() * per_minute / bucket.limit().amount();
            bucket.change(Limit::per_minute(Dimension::Requests, per_minute).with_burst(burst.max(1)), now);
        }
        let limits = self.limit.iter().chain(&self.told);
        let tokens = self.tokens.iter().map(|bucket| bucket.ready_at(cost.expected().of(Dimension::Tokens), now));
        let ready_at = limits.map(|bucket| bucket.ready_at(1, now)).chain(tokens).fold(now, Nanos::max);
        (ready_at > now || in_flight >= self.most).then(|| ready_at.saturating_sub(now))
    }

    fn take(&mut self, cost: &Cost, now: Nanos) {
        if let Some(bucket) = &mut self.tokens {
            bucket.take(cost.expected().of(Dimension::Tokens), now);
        }
        for bucket in self.limit.iter_mut().chain(&mut self.told) {
            bucket.take(1, now);
        }
    }

    fn observation(&self, refused: bool, now: Nanos) -> Observation {
        let mut observation = Observation::new();
        observation.refused = refused;
        let is_told = match self.says {
            Says::Headers => true,
            Says::AloneHeaders => refused,
            _ => !refused,
        };
        if let Some(bucket) = self.told.as_ref().filter(|_| is_told) {
            observation.push(Reading {
                limit: Some(self.claim.unwrap_or(bucket.limit().amount())),
                remaining: Some(bucket.level(now)),
                reset: match self.resets {
                    Resets::Full => Some(bucket.full_at(now).saturating_sub(now)),
                    Resets::Window => Some(bucket.limit().window()),
                    Resets::Oldest => Some(bucket.oldest_back_at(now).saturating_sub(now)),
                    Resets::Seconds(count) => Some(seconds(count)),
                    Resets::Untold => None,
                },
                ..Reading::of(Dimension::Requests)
            });
        }
        observation
    }

    /// What so many requests take.
    fn costs(&self, requests: usize) -> Vec<Cost> {
        let mut draw = random(0x9E37_79B9_7F4A_7C15);
        (0..requests).map(|place| self.sizes.draw(place as f64 / requests as f64, &mut draw)).collect()
    }

    /// The seconds that anybody needs for so many requests, where what is enforced are buckets.
    pub(super) fn least(&self, requests: usize) -> f64 {
        let total = |dimension| self.costs(requests).iter().map(|cost| cost.expected().of(dimension)).sum::<u64>();
        let least = |bucket: &Meter| {
            let limit = bucket.limit();
            let missing = total(limit.dimension()).saturating_sub(limit.burst());
            missing as f64 / limit.amount() as f64 * limit.window().as_secs_f64()
        };
        self.limit.iter().chain(&self.tokens).map(least).fold(0.0, f64::max)
    }

    /// Sends so many requests, that all wait from the start on.
    pub(super) fn run(mut self, requests: usize) -> Run {
        let mut limiter = Limiter::new();
        limiter.set_order(Order::LookAhead { bound: Nanos::MINUTE });
        for cost in self.costs(requests) {
            limiter.enqueue(&cost, Priority::NORMAL, Nanos::ZERO).unwrap();
        }
        let mut draw = random(88_172_645_463_325_252);
        // What is on its way, by the instant of its answer and in the order of sending.
        let mut flight: BTreeMap<(Nanos, u64), (Reservation, Option<Nanos>, Observation)> = BTreeMap::new();
        let (mut now, mut sent, mut answered, mut at_server) = (Nanos::ZERO, 0, 0, 0);
        let mut run = Run { seconds: 0.0, refused: 0, early: 0, requests, per_ten: String::new() };
        let mut tens = [(0, 0); 300];
        while answered < requests && now < LONGEST {
            let wake = loop {
                match limiter.admit(now) {
                    Admission::Granted(_, reservation) => {
                        sent += 1;
                        let is_unlucky = self.is_unlucky().then_some(Nanos::SECOND);
                        let wait = self.wait(&reservation.cost, at_server, now).or(is_unlucky);
                        let takes = if wait.is_none() { self.takes(draw()) } else { self.refuses_in };
                        if wait.is_none() {
                            self.take(&reservation.cost, now);
                            at_server += 1;
                        }
                        let said = self.observation(wait.is_some(), now);
                        flight.insert((now.saturating_add(takes), sent), (reservation, wait, said));
                    }
                    Admission::NotYet(at) => break at,
                    Admission::Blocked | Admission::Idle => break Nanos::MAX,
                    Admission::Refused(_, never) => panic!("{never}"),
                }
            };
            let Some(entry) = flight.first_entry().filter(|entry| entry.key().0 <= wake) else {
                assert!(wake < Nanos::MAX, "nobody is in flight and nobody may go");
                now = wake;
                continue;
            };
            now = entry.key().0;
            let (mut reservation, wait, said) = entry.remove();
            limiter.observe(&mut reservation, &said, now);
            let cost = reservation.cost;
            let ten = &mut tens[(now.get() / seconds(10).get()) as usize];
            if let Some(wait) = wait {
                ten.1 += 1;
                run.refused += 1;
                let whole = seconds(wait.get().div_ceil(Nanos::SECOND.get()).max(1));
                limiter.refuse(reservation, Some(whole).filter(|_| self.says == Says::Hint), now, draw());
                limiter.enqueue_front(&cost, Priority::NORMAL, now).unwrap();
            } else {
                ten.0 += 1;
                at_server -= 1;
                answered += 1;
                run.early += usize::from(now <= Nanos::MINUTE);
                limiter.settle(reservation, cost.expected(), now);
            }
        }
        run.seconds = now.as_secs_f64();
        run.per_ten = format!("{:?}", &tens[..=((now.get() / seconds(10).get()) as usize).min(29)]);
        run
    }
}

fn seconds(count: u64) -> Nanos {
    Nanos::from_secs(count)
}
