//! The provider of a cell: as the simulator is told it, and as the minimum is computed from it.

use std::time::{Duration, SystemTime};

use simulator::{Config, Faults, HeaderPolicy};

use super::axes::{Charge, Depth, Disturbance, Fill, Headers, Latency, Metering, Workload};
use super::cell::Cell;
use super::cost::Dimension;
use super::minimum::{Events, Span, Supply};
use crate::Face;

/// A full minute. The calendar is not an argument: it decides when windows turn.
const START: u64 = 1_767_225_600;
/// How far into a minute it starts where windows are fixed, so that no turn is at the beginning.
const INTO_THE_MINUTE: u64 = 20;

const REQUESTS: u64 = 600;
/// Where the limit on requests is to bind.
const FEW_REQUESTS: u64 = 120;
const TOKENS: u64 = 60_000;
const INPUT: u64 = 48_000;
const OUTPUT: u64 = 12_000;

/// When a disturbance begins, in seconds. Another client comes later.
const BEGINS: u64 = 90;
const OTHER_CLIENT_COMES: u64 = 120;
/// Longer than any run.
const NEVER: u64 = 86_400;

impl Cell {
    /// The API that is spoken.
    pub(super) const fn face(&self) -> Face {
        match self.headers {
            _ if self.server.is_of_no_provider() => Face::Compatible,
            Headers::Anthropic => Face::Anthropic,
            Headers::OpenAi | Headers::OnRefusal | Headers::Never => Face::OpenAi,
        }
    }

    /// A limit, per minute.
    pub(super) fn per_minute(&self, dimension: Dimension) -> u64 {
        if let Some(requests) = self.server.numbers().requests.filter(|_| dimension == Dimension::Requests) {
            return requests;
        }
        if let Some(tokens) = self.server.numbers().tokens.filter(|_| dimension == Dimension::Tokens) {
            return tokens;
        }
        match (dimension, self.workload) {
            (Dimension::Requests, Workload::RequestBound) => FEW_REQUESTS,
            (Dimension::Requests, _) => REQUESTS,
            (Dimension::Tokens, _) => TOKENS,
            (Dimension::Input, _) => INPUT,
            (Dimension::Output, _) => OUTPUT,
        }
    }

    /// The seconds of a full bucket's refill, or of a window.
    pub(super) fn depth_seconds(&self) -> f64 {
        self.server.numbers().depth.unwrap_or(match self.depth {
            Depth::Minute => 60.0,
            Depth::SixSeconds => 6.0,
        })
    }

    /// The least by which the limits are multiplied in the course of the run.
    pub(super) fn least_factor(&self) -> f64 {
        self.events().change.map_or(1.0, |(_, factor)| factor.min(1.0))
    }

    const fn start(&self) -> u64 {
        match self.metering {
            Metering::FixedWindow => START + INTO_THE_MINUTE,
            Metering::TokenBucket | Metering::SlidingWindow | Metering::Slices => START,
        }
    }

    const fn fill_share(&self) -> f64 {
        match self.fill {
            Fill::Full => 1.0,
            Fill::Half => 0.5,
            Fill::Empty => 0.0,
        }
    }

    /// What happens by the clock.
    fn events(&self) -> Events {
        let (begins, comes) = (BEGINS as f64, OTHER_CLIENT_COMES as f64);
        let numbers = self.server.numbers();
        let change = numbers.change.map(|factor| (begins, factor));
        let nothing = Events { change, ..Events::default() };
        match self.disturbance {
            Disturbance::OtherClient => {
                Events { other: Some((Span { from: comes, until: NEVER as f64 }, 0.5)), ..nothing }
            }
            Disturbance::Doubles => Events { change: Some((begins, 2.0)), ..nothing },
            Disturbance::Halves => Events { change: Some((begins, 0.5)), ..nothing },
            Disturbance::Failing => Events { closed: Some(Span { from: begins, until: begins + 10.0 }), ..nothing },
            Disturbance::Stopped => Events { closed: Some(Span { from: begins, until: begins + 60.0 }), ..nothing },
            Disturbance::None
            | Disturbance::Resets
            | Disturbance::ClockSlow
            | Disturbance::ClockFast
            | Disturbance::CountsMore
            | Disturbance::CountsLess
            | Disturbance::TypedHalf
            | Disturbance::TypedDouble => nothing,
        }
    }

    /// What the provider gives of one limit.
    pub(super) fn supply(&self, dimension: Dimension) -> Supply {
        let prices = if dimension == Dimension::Requests { &[] } else { self.server.numbers().prices };
        Supply {
            refill: self.server.numbers().refill.unwrap_or(self.metering.into()),
            per_second: self.per_minute(dimension) as f64 / 60.0,
            depth: self.depth_seconds(),
            fill: self.fill_share(),
            epoch: self.start(),
            events: Events { prices, ..self.events() },
        }
    }

    /// The simulator that is this provider, with answers of `output` tokens, from the least to the most.
    pub(super) fn config(&self, output: (u64, u64)) -> Config {
        let (least, most) = output;
        let config = Config::default()
            .with_requests_per_minute(self.per_minute(Dimension::Requests))
            .with_tokens_per_minute(self.per_minute(Dimension::Tokens))
            .with_input_tokens_per_minute(INPUT)
            .with_output_tokens_per_minute(OUTPUT)
            .with_output_tokens(least, most)
            .with_bucket_depth(self.depth())
            .with_start_fill(self.fill_share())
            .with_start_time(SystemTime::UNIX_EPOCH + Duration::from_secs(self.start()))
            .with_metering(self.simulated_metering())
            .with_charge(self.simulated_charge())
            .with_headers(match self.headers {
                Headers::OpenAi | Headers::Anthropic => HeaderPolicy::Always,
                Headers::OnRefusal => HeaderPolicy::OnRefusal,
                Headers::Never => HeaderPolicy::Never,
            })
            .with_cached_share(self.cached_share())
            .with_prompt_factor(self.prompt_factor())
            .with_clock_error(match self.disturbance {
                Disturbance::ClockSlow => -90,
                Disturbance::ClockFast => 3_600,
                _ => 0,
            })
            .with_disturbances(self.simulated_disturbances());
        let config = self.server.simulated(config);
        let config = match self.latency {
            Latency::Short => config.with_latency(Duration::from_millis(50)),
            Latency::Long => {
                config.with_latency(Duration::from_secs(2)).with_latency_per_output_token(Duration::from_millis(20))
            }
            Latency::Tail => config.with_latency(Duration::from_millis(500)).with_latency_tail(true),
        };
        match self.disturbance {
            Disturbance::Resets => config.with_faults(Faults { reset_rate: 0.1, ..Faults::default() }),
            _ => config,
        }
    }

    const fn simulated_metering(&self) -> simulator::Metering {
        match self.metering {
            Metering::TokenBucket => simulator::Metering::TokenBucket,
            Metering::FixedWindow => simulator::Metering::FixedWindow,
            Metering::SlidingWindow => simulator::Metering::SlidingWindow,
            Metering::Slices => simulator::Metering::Slices,
        }
    }

    const fn simulated_charge(&self) -> simulator::Charge {
        match self.charge {
            Charge::PromptPlusMaxTokens => simulator::Charge::PromptPlusMaxTokens,
            Charge::MaxOfBoth => simulator::Charge::MaxOfBoth,
            Charge::PromptOnly => simulator::Charge::PromptOnly,
            Charge::Produced => simulator::Charge::Produced,
            Charge::CachedInputFree => simulator::Charge::CachedInputFree,
        }
    }

    fn simulated_disturbances(&self) -> Vec<simulator::Disturbance> {
        let time = |seconds: f64| Duration::from_secs_f64(seconds);
        let events = self.events();
        let other = events.other.map(|(span, share)| simulator::Disturbance::OtherClient {
            from: time(span.from),
            until: time(span.until),
            share,
        });
        let change = events.change.map(|(at, factor)| simulator::Disturbance::LimitFactor { at: time(at), factor });
        let closed = events.closed.map(|span| {
            let (from, until) = (time(span.from), time(span.until));
            match self.disturbance {
                Disturbance::Failing => simulator::Disturbance::Failing { from, until },
                _ => simulator::Disturbance::Stopped { from, until },
            }
        });
        let charges = self.server.numbers().prices.iter().map(|(at, share)| simulator::Disturbance::ChargeChange {
            at: time(*at),
            charge: if *share < 1.0 { simulator::Charge::PromptOnly } else { self.simulated_charge() },
        });
        other.into_iter().chain(change).chain(closed).chain(charges).collect()
    }
}
