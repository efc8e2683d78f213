//! The limits of one scope, all or nothing.

use std::time::Duration;

use crate::Config;
use crate::faces::Face;
use crate::hidden::Hidden;
use crate::metering::Meter;
use crate::telling::Said;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dimension {
    Requests,
    Tokens,
    InputTokens,
    OutputTokens,
    /// Requests of a day, beside those of a minute.
    DailyRequests,
}

/// An amount in every dimension; zero in the dimensions a face does not limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Amounts {
    /// Requests.
    pub requests: u64,
    /// Tokens of input and output together.
    pub tokens: u64,
    /// Tokens of the prompt, where they are metered apart.
    pub input_tokens: u64,
    /// Tokens produced, where they are metered apart.
    pub output_tokens: u64,
}

impl Amounts {
    pub(crate) const fn of(&self, dimension: Dimension) -> u64 {
        match dimension {
            Dimension::Requests | Dimension::DailyRequests => self.requests,
            Dimension::Tokens => self.tokens,
            Dimension::InputTokens => self.input_tokens,
            Dimension::OutputTokens => self.output_tokens,
        }
    }

    pub(crate) const fn of_mut(&mut self, dimension: Dimension) -> &mut u64 {
        match dimension {
            Dimension::Requests | Dimension::DailyRequests => &mut self.requests,
            Dimension::Tokens => &mut self.tokens,
            Dimension::InputTokens => &mut self.input_tokens,
            Dimension::OutputTokens => &mut self.output_tokens,
        }
    }
}

/// What one limit looked like when a request had been decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) dimension: Dimension,
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    pub(crate) until_full: Duration,
    /// How long until more remains; nothing where it is full.
    pub(crate) until_more: Duration,
}

/// Why a request was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The dimension that is longest in the way.
    pub(crate) dimension: Dimension,
    /// The limit; where waiting does not help, the most that ever fits at once.
    pub(crate) limit: u64,
    pub(crate) used: u64,
    pub(crate) requested: u64,
    /// How long until the request fits; `None` if it never will.
    pub(crate) wait: Option<Duration>,
    /// What is said of it, where that is not for the provider's policy to decide.
    pub(crate) said: Option<Said>,
}

/// The limits of one scope.
#[derive(Debug)]
pub(crate) struct Quota {
    told: Vec<(Dimension, Meter)>,
    hidden: Hidden,
}

impl Quota {
    /// The limits of `face` at a provider as `config` says that started at `started`, with its disturbances since then:
    /// they are the same whenever somebody first asks.
    pub(crate) fn new(config: &Config, face: Face, started: Duration) -> Self {
        let (input, output) = config.split_limits();
        let limit = |dimension: Dimension| match dimension {
            Dimension::Requests | Dimension::DailyRequests => config.requests_per_minute,
            Dimension::Tokens => config.tokens_per_minute,
            Dimension::InputTokens => input,
            Dimension::OutputTokens => output,
        };
        let meter = |&dimension: &Dimension| (dimension, Meter::new(config, limit(dimension), started));
        let daily = config.requests_per_day.filter(|_| face == Face::OpenAi);
        let daily = daily.map(|limit| (Dimension::DailyRequests, Meter::daily(limit, started)));
        let told = face.dimensions().iter().map(meter).chain(daily).collect();
        Self { told, hidden: Hidden::new(config, face, limit, started) }
    }

    /// Lets in a request that costs `amounts` and takes `taken` now, or says why not and takes nothing.
    pub(crate) fn admit(&mut self, now: Duration, amounts: &Amounts, taken: &Amounts) -> Result<(), Refusal> {
        let mut refusal: Option<Refusal> = None;
        for (dimension, meter) in &mut self.told {
            meter.advance(now);
            let requested = amounts.of(*dimension);
            let wait = meter.wait(requested);
            if wait == Some(Duration::ZERO) {
                continue;
            }
            // `None` is for ever: longer than any wait.
            let longest =
                refusal.is_none_or(|other| other.wait.is_some_and(|longest| wait.is_none_or(|wait| wait > longest)));
            if longest {
                let limit = if wait.is_some() { meter.per_minute() } else { meter.capacity() };
                refusal =
                    Some(Refusal { dimension: *dimension, limit, used: meter.used(), requested, wait, said: None });
            }
        }
        if let Some(refusal) = refusal.or_else(|| self.hidden.refuses(now, amounts)) {
            return Err(refusal);
        }
        self.hidden.take(taken);
        for (dimension, meter) in &mut self.told {
            meter.take(taken.of(*dimension));
        }
        Ok(())
    }

    pub(crate) fn correct(&mut self, now: Duration, charged_at: Duration, charged: &Amounts, due: &Amounts) {
        for (dimension, meter) in &mut self.told {
            meter.correct(now, charged_at, charged.of(*dimension), due.of(*dimension));
        }
        self.hidden.correct(now, charged_at, charged, due);
    }

    /// Takes a request for one that was refused.
    pub(crate) fn punish(&mut self) {
        for (_, meter) in self.told.iter_mut().filter(|(dimension, _)| *dimension == Dimension::Requests) {
            meter.take(1);
        }
    }

    /// A request that was let in has ended.
    pub(crate) const fn leave(&mut self) {
        self.hidden.leave();
    }

    /// Brings the levels to `now`.
    pub(crate) fn advance(&mut self, now: Duration) {
        for (_, meter) in &mut self.told {
            meter.advance(now);
        }
    }

    /// Adds what others took until the last [`advance`](Self::advance).
    pub(crate) fn add_others(&self, total: &mut Amounts) {
        for (dimension, meter) in self.told.iter().filter(|(dimension, _)| *dimension != Dimension::DailyRequests) {
            let amount = total.of_mut(*dimension);
            *amount = amount.saturating_add(meter.by_others());
        }
    }

    pub(crate) fn readings(&self) -> Vec<Reading> {
        let reading = |(dimension, meter): &(Dimension, Meter)| Reading {
            dimension: *dimension,
            limit: meter.per_minute(),
            remaining: meter.remaining(),
            until_full: meter.until_full(),
            until_more: meter.wait(meter.remaining().saturating_add(1)).unwrap_or_default(),
        };
        self.told.iter().map(reading).collect()
    }
}
