//! Servers whose arithmetic is none of the axes': gateways, inference servers, free tiers.
//!
//! Each is a cell of its own, with a few variations; they are no axis of the pairs. What a [`Server`] gives is told to the
//! simulator by knobs of its own, and the minimum is computed from the numbers in [`Numbers`], as everywhere.

use std::time::Duration;

use simulator::{Config, Counting, HeaderPolicy, HiddenLimit, ReadAt, RefusalCost, Resets};

use super::axes::{Charge, Depth, Fill, Headers, Latency, Metering, Server, Workload};
use super::cell::{Cell, Deviation};
use super::cost::{Dimension, Took};
use super::minimum::Refill;

/// The default maximum of the server that is not asked for one: what inference servers commonly have.
const UNBOUNDED_OUTPUT: u64 = 1_024;
/// Half of what is told.
const HIDDEN_REQUESTS: u64 = 300;

/// About three in a hundred.
const REFUSED_ONE_IN: u64 = 32;

/// What a server's numbers are, where they are not those of the axes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    /// Requests a minute.
    pub(super) requests: Option<u64>,
    /// The seconds of a full bucket's refill, or of a window.
    pub(super) depth: Option<f64>,
    /// Only requests are limited.
    pub(super) only_requests: bool,
    /// How spent quota really comes back.
    pub(super) refill: Option<Refill>,
    /// The most requests in flight.
    pub(super) in_flight: Option<u64>,
    /// Tokens a minute.
    pub(super) tokens: Option<u64>,
    /// To how many times what they were the limits change.
    pub(super) change: Option<f64>,
    /// From when on a request costs which share of what it costs at first.
    pub(super) prices: &'static [(f64, f64)],
    /// What is charged for output that no request bounds.
    pub(super) unbounded_output: Option<u64>,
    /// By what the sizes of the workload are multiplied.
    pub(super) scale: Option<f64>,
    /// The seconds for which it is kept busy.
    pub(super) seconds: Option<f64>,
}

/// A provider whose refusals say to come again after so many seconds, and nothing else.
fn always_says(config: Config, seconds: u64) -> Config {
    config.with_headers(HeaderPolicy::RetryAfter).with_retry_after(Duration::from_secs(seconds))
}

impl Server {
    /// The values on other axes that belong to it.
    pub(super) const fn implied(self) -> &'static [Deviation] {
        const BARE: &[Deviation] = &[Deviation::Headers(Headers::Never), Deviation::Workload(Workload::RequestBound)];
        const ON_REFUSAL: &[Deviation] =
            &[Deviation::Headers(Headers::OnRefusal), Deviation::Workload(Workload::RequestBound)];
        match self {
            Self::OneEachSecond | Self::TenEachSecond => BARE,
            Self::ThreeEachMinute | Self::SaysASecond | Self::SaysAMinute => ON_REFUSAL,
            Self::OldestResets => &[Deviation::Metering(Metering::SlidingWindow)],
            Self::NoneSavedUp => &[Deviation::Workload(Workload::RequestBound)],
            // Whose requests cost the same: the order in which they go then makes no difference.
            Self::ChargeChanges => &[Deviation::Workload(Workload::Equal)],
            Self::HiddenRequests => &[Deviation::Workload(Workload::Phased)],
            _ => &[],
        }
    }

    /// Its numbers.
    pub(super) fn numbers(self) -> Numbers {
        let usual = Numbers::default();
        // A bucket that holds one request.
        let one_by_one = |requests: u64| Numbers {
            requests: Some(requests),
            depth: Some(60.0 / requests as f64),
            only_requests: true,
            ..usual
        };
        match self {
            Self::Usual
            | Self::NoReset
            | Self::LateReadings
            | Self::EpochResets
            | Self::DailyToo
            | Self::Thousands
            | Self::CountedLate
            | Self::RefusalsCost
            | Self::OldestResets
            | Self::AtRandom
            | Self::MinuteResets => usual,
            Self::Counters => Numbers { refill: Some(Refill::Counter), ..usual },
            Self::SaysASecond | Self::SaysAMinute => Numbers { only_requests: true, ..usual },
            Self::Unbounded => Numbers { unbounded_output: Some(UNBOUNDED_OUTPUT), ..usual },
            // Of 120 tokens 80 are the prompt.
            Self::ChargeChanges => {
                Numbers { prices: &[(80.0, 80.0 / 120.0), (160.0, 1.0)], seconds: Some(240.0), ..usual }
            }
            // What comes in fifty seconds is 6,000 requests.
            Self::TenTimes => Numbers { change: Some(10.0), seconds: Some(140.0), ..usual },
            Self::Tenth => Numbers { change: Some(0.1), seconds: Some(240.0), ..usual },
            Self::Large => Numbers { requests: Some(6_000), tokens: Some(600_000), seconds: Some(120.0), ..usual },
            Self::NoneSavedUp => Numbers { requests: Some(60), depth: Some(1.0), ..usual },
            Self::HiddenRequests => Numbers { requests: Some(HIDDEN_REQUESTS), ..usual },
            Self::Small => {
                Numbers { requests: Some(3), tokens: Some(10_000), scale: Some(5.0), seconds: Some(600.0), ..usual }
            }
            Self::FiveInFlight => Numbers { in_flight: Some(5), ..usual },
            Self::HiddenSeconds => Numbers { refill: Some(Refill::Slices), ..usual },
            Self::OneEachSecond => one_by_one(60),
            Self::TenEachSecond => one_by_one(600),
            // Ten minutes, so that one request more or less is not several per cent.
            Self::ThreeEachMinute => Numbers { requests: Some(3), only_requests: true, seconds: Some(600.0), ..usual },
        }
    }

    /// The simulator that is this server.
    pub(super) fn simulated(self, config: Config) -> Config {
        let numbers = self.numbers();
        let config = if numbers.only_requests { config.with_tokens_per_minute(u64::MAX) } else { config };
        match self {
            Self::Usual
            | Self::OneEachSecond
            | Self::TenEachSecond
            | Self::ChargeChanges
            | Self::TenTimes
            | Self::Tenth
            | Self::NoneSavedUp
            | Self::Large
            | Self::Small => config,
            Self::Unbounded => config.with_unbounded_output(UNBOUNDED_OUTPUT),
            Self::EpochResets => config.with_resets(Resets::EpochSeconds),
            Self::DailyToo => config.with_requests_per_day(14_400),
            Self::HiddenRequests => config
                .with_requests_per_minute(2 * HIDDEN_REQUESTS)
                .with_hidden_limits(vec![HiddenLimit::Requests { per_minute: HIDDEN_REQUESTS }]),
            Self::Thousands => config.with_rounding(1_000),
            Self::CountedLate => config.with_counting(Counting::AtEnd),
            Self::Counters => config.with_metering(simulator::Metering::SlidingCounter),
            Self::RefusalsCost => config.with_refusal_cost(RefusalCost::Request),
            Self::SaysASecond => always_says(config, 1),
            Self::SaysAMinute => always_says(config, 60),
            Self::FiveInFlight => config
                .with_hidden_limits(numbers.in_flight.map(|most| HiddenLimit::InFlight { most }).into_iter().collect()),
            Self::AtRandom => config.with_hidden_limits(vec![HiddenLimit::AtRandom { one_in: REFUSED_ONE_IN }]),
            Self::HiddenSeconds => config.with_hidden_limits(vec![HiddenLimit::EachSecond]),
            Self::NoReset => config.with_resets(Resets::Never),
            Self::OldestResets => config.with_resets(Resets::Oldest),
            Self::MinuteResets => config.with_resets(Resets::Minute),
            Self::LateReadings => config.with_levels_read_at(ReadAt::Answer),
            Self::ThreeEachMinute => config.with_headers(HeaderPolicy::RetryAfter),
        }
    }

    /// Whether its client knows nothing of it but that it speaks OpenAI's language.
    pub(super) const fn is_of_no_provider(self) -> bool {
        matches!(self, Self::EpochResets | Self::DailyToo)
    }

    /// Whether its requests say how much they may produce.
    pub(super) const fn bounds_output(self) -> bool {
        !matches!(self, Self::Unbounded)
    }

    /// The cells of this server.
    fn cells(self) -> Vec<Cell> {
        use Deviation::{
            Charge as Charged, Depth as Deep, Fill as Filled, Headers as Told, Latency as Slow, Metering as Metered,
            Workload as Asked,
        };
        let variations: &[&[Deviation]] = match self {
            Self::Usual => return Vec::new(),
            Self::FiveInFlight => &[&[], &[Slow(Latency::Long)]],
            Self::HiddenSeconds => &[&[], &[Asked(Workload::Equal)], &[Asked(Workload::RequestBound)]],
            Self::NoReset => &[
                &[],
                &[Metered(Metering::FixedWindow)],
                &[Metered(Metering::SlidingWindow)],
                &[Metered(Metering::SlidingWindow), Asked(Workload::RequestBound)],
                &[Deep(Depth::SixSeconds)],
            ],
            Self::OldestResets => &[
                &[],
                &[Asked(Workload::RequestBound)],
                &[Slow(Latency::Long)],
                &[Slow(Latency::Tail)],
                &[Filled(Fill::Half)],
            ],
            Self::MinuteResets => &[
                &[],
                &[Metered(Metering::FixedWindow)],
                &[Metered(Metering::SlidingWindow)],
                &[Deep(Depth::SixSeconds)],
                &[Deep(Depth::SixSeconds), Asked(Workload::RequestBound)],
            ],
            Self::LateReadings => &[
                &[],
                &[Slow(Latency::Long)],
                &[Slow(Latency::Tail)],
                &[Charged(Charge::Produced)],
                &[Filled(Fill::Empty)],
            ],
            Self::OneEachSecond | Self::TenEachSecond | Self::CountedLate | Self::NoneSavedUp => {
                &[&[], &[Slow(Latency::Long)]]
            }
            Self::Unbounded => &[&[], &[Charged(Charge::Produced)], &[Charged(Charge::MaxOfBoth)]],
            Self::ChargeChanges | Self::DailyToo => &[&[]],
            Self::TenTimes | Self::Tenth => &[&[], &[Deep(Depth::SixSeconds)]],
            Self::EpochResets => &[&[], &[Metered(Metering::FixedWindow)]],
            Self::HiddenRequests => &[&[], &[Deep(Depth::SixSeconds)]],
            Self::Thousands => &[&[], &[Deep(Depth::SixSeconds)], &[Asked(Workload::OutputBound)]],
            Self::Counters => {
                &[&[], &[Asked(Workload::RequestBound)], &[Deep(Depth::SixSeconds)], &[Told(Headers::Never)]]
            }
            Self::RefusalsCost => &[
                &[Asked(Workload::RequestBound)],
                &[Told(Headers::Never), Asked(Workload::RequestBound)],
                &[Told(Headers::OnRefusal), Asked(Workload::RequestBound)],
            ],
            Self::AtRandom => &[
                &[],
                &[Slow(Latency::Long)],
                &[Metered(Metering::FixedWindow)],
                &[Deep(Depth::SixSeconds)],
                &[Told(Headers::OnRefusal)],
                &[Told(Headers::Never)],
            ],
            Self::SaysASecond | Self::SaysAMinute => &[&[]],
            Self::Large => &[
                &[],
                &[Filled(Fill::Empty)],
                &[Filled(Fill::Empty), Told(Headers::OnRefusal)],
                &[Filled(Fill::Empty), Told(Headers::Never)],
            ],
            Self::Small => &[&[], &[Asked(Workload::TokenBound)], &[Metered(Metering::FixedWindow)]],
            Self::ThreeEachMinute => &[&[], &[Metered(Metering::FixedWindow)], &[Metered(Metering::SlidingWindow)]],
        };
        let implied = Cell { server: self, ..Cell::BASE };
        let implied = self.implied().iter().fold(implied, |cell, deviation| cell.with(*deviation));
        let varied = |with: &&[Deviation]| with.iter().fold(implied, |cell, deviation| cell.with(*deviation));
        variations.iter().map(varied).collect()
    }
}

impl Cell {
    /// The cells of all servers that the axes do not describe.
    pub(super) fn foreign() -> impl Iterator<Item = Self> {
        Server::ALL.iter().flat_map(|server| server.cells())
    }

    /// The least seconds until the last of requests that are answered after `latencies` can have been let in, where only
    /// so many are at once.
    ///
    /// At that moment at most as many are in flight, itself included, and all others have ended: of as many places as
    /// there are each was taken for as long as its requests took. So it is a bound whatever the order.
    pub(super) fn least_in_flight(&self, latencies: &[f64]) -> f64 {
        let Some(most) = self.server.numbers().in_flight else { return 0.0 };
        let mut latencies = latencies.to_vec();
        latencies.sort_by(f64::total_cmp);
        let ended = latencies.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
        latencies.iter().take(ended).sum::<f64>() / most as f64
    }

    /// The seconds from the admission of a request that took as much to its answer; of a heavy tail the least.
    pub(super) fn latency_of(&self, took: &Took) -> f64 {
        match self.latency {
            Latency::Short => 0.05,
            Latency::Long => 2.0 + 0.02 * took.output as f64,
            Latency::Tail => 0.5,
        }
    }

    /// A depth as the simulator takes it.
    pub(super) fn depth(&self) -> Duration {
        Duration::from_secs_f64(self.depth_seconds())
    }

    /// What this cell's provider limits, where that is less than its face could.
    pub(super) fn limits_only_requests(&self) -> Option<&'static [Dimension]> {
        self.server.numbers().only_requests.then_some(&[Dimension::Requests])
    }
}
