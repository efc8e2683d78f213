//! Limits that no header tells, beside those that are told.

use std::time::Duration;

use crate::faces::Face;
use crate::metering::Meter;
use crate::quota::{Amounts, Dimension, Refusal};
use crate::random::Random;
use crate::telling::Said;
use crate::{Config, Metering};

/// A limit that nobody is told: only a 429 shows it, which says no more than that it is one where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HiddenLimit {
    /// So many requests at once, from admission to the end of the answer.
    InFlight {
        /// The most, at least 1.
        most: u64,
    },
    /// The limits that are told hold in each second of the calendar as well, as under [`Metering::Slices`]; what is told
    /// is the minute's.
    EachSecond,
    /// So many requests a minute, metered as the limits that are told. Its 429 says `retry-after`.
    Requests {
        /// The limit, at least 1.
        per_minute: u64,
    },
    /// One request in so many is refused, whatever is left: for what a provider is short of that it shares among all.
    AtRandom {
        /// One in this many, at least 2. Which ones follows from the seed and the order of arrival.
        one_in: u64,
    },
}

/// Keeps the draws for refusals apart from other draws with the same seed.
const REFUSALS: u64 = 0x7265_6675_7365_0001;

/// The hidden limits of one scope.
#[derive(Debug)]
pub(crate) struct Hidden {
    most_in_flight: Option<u64>,
    in_flight: u64,
    /// One in how many is refused at random.
    one_in: Option<u64>,
    seed: u64,
    arrived: u64,
    /// Each with what its refusals say.
    meters: Vec<(Dimension, Meter, Said)>,
}

impl Hidden {
    /// Those of `face` at a provider as `config` says that started at `started`, beside limits of `told` a minute.
    pub(crate) fn new(config: &Config, face: Face, told: impl Fn(Dimension) -> u64, started: Duration) -> Self {
        let mut hidden = Self {
            most_in_flight: None,
            in_flight: 0,
            one_in: None,
            seed: config.seed,
            arrived: 0,
            meters: Vec::new(),
        };
        for limit in &config.hidden_limits {
            match *limit {
                HiddenLimit::InFlight { most } => {
                    hidden.most_in_flight = Some(hidden.most_in_flight.map_or(most, |other| other.min(most)));
                }
                HiddenLimit::EachSecond => {
                    let slices = |dimension: &Dimension| {
                        (*dimension, Meter::with(Metering::Slices, config, told(*dimension), started), Said::Nothing)
                    };
                    hidden.meters.extend(face.dimensions().iter().map(slices));
                }
                HiddenLimit::Requests { per_minute } => {
                    let meter = Meter::new(config, per_minute, started);
                    hidden.meters.push((Dimension::Requests, meter, Said::RetryAfter));
                }
                HiddenLimit::AtRandom { one_in } => hidden.one_in = Some(one_in),
            }
        }
        hidden
    }

    /// Why a request that the told limits let in is refused all the same.
    pub(crate) fn refuses(&mut self, now: Duration, amounts: &Amounts) -> Option<Refusal> {
        // When there is room again nobody knows.
        let wait = Some(Duration::ZERO);
        let bare = |limit, used| Refusal {
            dimension: Dimension::Requests,
            limit,
            used,
            requested: 1,
            wait,
            said: Some(Said::Nothing),
        };
        if let Some(limit) = self.most_in_flight.filter(|most| self.in_flight >= *most) {
            return Some(bare(limit, self.in_flight));
        }
        self.arrived += 1;
        let draw = |one_in: u64| Random::keyed(&[self.seed, REFUSALS, self.arrived]).below(one_in);
        if self.one_in.is_some_and(|one_in| draw(one_in) == 0) {
            return Some(bare(0, 0));
        }
        self.meters.iter_mut().find_map(|(dimension, meter, said)| {
            meter.advance(now);
            let requested = amounts.of(*dimension);
            let wait = meter.wait(requested);
            let refusal = Refusal {
                dimension: *dimension,
                limit: meter.per_minute(),
                used: meter.used(),
                requested,
                wait,
                said: Some(*said),
            };
            (wait != Some(Duration::ZERO)).then_some(refusal)
        })
    }

    /// Lets a request in.
    pub(crate) fn take(&mut self, amounts: &Amounts) {
        self.in_flight += 1;
        for (dimension, meter, _) in &mut self.meters {
            meter.take(amounts.of(*dimension));
        }
    }

    /// Corrects what was charged.
    pub(crate) fn correct(&mut self, now: Duration, charged_at: Duration, charged: &Amounts, due: &Amounts) {
        for (dimension, meter, _) in &mut self.meters {
            meter.correct(now, charged_at, charged.of(*dimension), due.of(*dimension));
        }
    }

    /// A request that was let in has ended.
    pub(crate) const fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}
