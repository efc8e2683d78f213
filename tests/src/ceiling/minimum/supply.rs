//! What one limit gives, and when: numbers alone.

use crate::ceiling::axes::Metering;

/// Seconds since the start, from one up to, not including, another.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::ceiling) struct Span {
    pub(in crate::ceiling) from: f64,
    pub(in crate::ceiling) until: f64,
}

impl Span {
    pub(super) fn contains(&self, time: f64) -> bool {
        self.from <= time && time < self.until
    }

    /// The seconds that both have in common.
    pub(super) fn shared_with(&self, from: f64, until: f64) -> f64 {
        (self.until.min(until) - self.from.max(from)).max(0.0)
    }
}

/// What happens by the clock.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::ceiling) struct Events {
    /// When the limit changes, and to how many times what it was.
    pub(in crate::ceiling) change: Option<(f64, f64)>,
    /// When somebody else lives on the same limit, and on what share of it.
    pub(in crate::ceiling) other: Option<(Span, f64)>,
    /// When nothing is admitted.
    pub(in crate::ceiling) closed: Option<Span>,
    /// From when on a request costs which share of what it costs at first; in the order of the times.
    pub(in crate::ceiling) prices: &'static [(f64, f64)],
}

/// How what was taken comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ceiling) enum Refill {
    /// Continuously.
    Bucket,
    /// At the turn of a window.
    Window,
    /// A window after it was taken.
    Sliding,
    /// By the share that a window ending now still covers of the one before.
    Counter,
    /// Continuously, and a second's worth in each second.
    Slices,
}

impl From<Metering> for Refill {
    fn from(metering: Metering) -> Self {
        match metering {
            Metering::TokenBucket => Self::Bucket,
            Metering::FixedWindow => Self::Window,
            Metering::SlidingWindow => Self::Sliding,
            Metering::Slices => Self::Slices,
        }
    }
}

/// One limit.
#[derive(Clone, Copy, Debug)]
pub(in crate::ceiling) struct Supply {
    pub(in crate::ceiling) refill: Refill,
    /// Requests or tokens a second.
    pub(in crate::ceiling) per_second: f64,
    /// The seconds of a full bucket's refill, or of a window.
    pub(in crate::ceiling) depth: f64,
    /// The share of it that is there at the start.
    pub(in crate::ceiling) fill: f64,
    /// The seconds since the Unix epoch at the start: where in a fixed window it is.
    pub(in crate::ceiling) epoch: u64,
    pub(in crate::ceiling) events: Events,
}

impl Supply {
    /// By what the limit is multiplied at `time`.
    fn factor(&self, time: f64) -> f64 {
        self.events.change.filter(|(at, _)| *at <= time).map_or(1.0, |(_, factor)| factor)
    }

    /// What is given in a second at `time`, to everybody.
    pub(super) fn rate(&self, time: f64) -> f64 {
        self.per_second * self.factor(time)
    }

    /// What is there at most.
    pub(super) fn capacity(&self, time: f64) -> f64 {
        self.rate(time) * self.depth
    }

    /// What somebody else takes from one time to another, at the rate of the latter.
    pub(super) fn others(&self, from: f64, until: f64) -> f64 {
        let Some((span, share)) = self.events.other else { return 0.0 };
        self.rate(until) * share * span.shared_with(from, until)
    }

    /// What has to be taken at `time` for one that is bought.
    pub(super) fn price(&self, time: f64) -> f64 {
        self.events.prices.iter().rfind(|(from, _)| *from <= time).map_or(1.0, |(_, share)| *share)
    }

    pub(super) fn is_open(&self, time: f64) -> bool {
        !self.events.closed.is_some_and(|closed| closed.contains(time))
    }
}
