//! Servers whose arithmetic is none of the axes': gateways, inference servers, free tiers.
//!
//! Each is a cell of its own, with a few variations; they are no axis of the pairs. What a [`Server`] gives is told to the
//! simulator by knobs of its own, and the minimum is computed from the numbers in [`Numbers`], as everywhere.

use std::time::Duration;

use simulator::{Config, HeaderPolicy, HiddenLimit, ReadAt, Resets};

use super::axes::{Depth, Headers, Latency, Metering, Server, Workload};
use super::cell::{Cell, Deviation};
use super::cost::{Dimension, Took};

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
    pub(super) metering: Option<Metering>,
    /// The most requests in flight.
    pub(super) in_flight: Option<u64>,
    /// The seconds for which it is kept busy.
    pub(super) seconds: Option<f64>,
}

impl Server {
    /// The values on other axes that belong to it.
    pub(super) const fn implied(self) -> &'static [Deviation] {
        const BARE: &[Deviation] = &[Deviation::Headers(Headers::Never), Deviation::Workload(Workload::RequestBound)];
        const ON_REFUSAL: &[Deviation] =
            &[Deviation::Headers(Headers::OnRefusal), Deviation::Workload(Workload::RequestBound)];
        match self {
            Self::OneEachSecond | Self::TenEachSecond => BARE,
            Self::ThreeEachMinute => ON_REFUSAL,
            Self::Usual | Self::FiveInFlight | Self::HiddenSeconds | Self::NoReset | Self::LateReadings => &[],
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
            Self::Usual | Self::NoReset | Self::LateReadings => usual,
            Self::FiveInFlight => Numbers { in_flight: Some(5), ..usual },
            Self::HiddenSeconds => Numbers { metering: Some(Metering::Slices), ..usual },
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
            Self::Usual | Self::OneEachSecond | Self::TenEachSecond => config,
            Self::FiveInFlight => config
                .with_hidden_limits(numbers.in_flight.map(|most| HiddenLimit::InFlight { most }).into_iter().collect()),
            Self::HiddenSeconds => config.with_hidden_limits(vec![HiddenLimit::EachSecond]),
            Self::NoReset => config.with_resets(Resets::Never),
            Self::LateReadings => config.with_levels_read_at(ReadAt::Answer),
            Self::ThreeEachMinute => config.with_headers(HeaderPolicy::RetryAfter),
        }
    }

    /// The cells of this server.
    fn cells(self) -> Vec<Cell> {
        use Deviation::{Depth as Deep, Fill, Latency as Slow, Metering as Metered, Workload as Asked};
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
            Self::LateReadings => &[
                &[],
                &[Slow(Latency::Long)],
                &[Slow(Latency::Tail)],
                &[Deviation::Charge(super::Charge::Produced)],
                &[Fill(super::Fill::Empty)],
            ],
            Self::OneEachSecond | Self::TenEachSecond => &[&[], &[Slow(Latency::Long)]],
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
