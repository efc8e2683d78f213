//! What changes while the provider runs, by the clock.

use std::time::Duration;

use crate::Charge;

/// Something that happens to the provider at a given time, whoever asks.
///
/// Times are spans since the simulator started. A span holds from its beginning up to, not including, its end.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Disturbance {
    /// Somebody else lives on the same limits, all of them, and takes what they have no matter who is refused for it.
    /// It takes evenly, a tenth of a second at a time, and only what is there: it never leaves a debt.
    OtherClient {
        /// When it begins.
        from: Duration,
        /// When it ends.
        until: Duration,
        /// The share of every limit's rate that it takes, from 0 to 1.
        share: f64,
    },
    /// From then on every limit is `factor` times what was configured, and told so. What was taken stays taken: a
    /// limit that has grown has room for more, and nothing to give at that moment that it did not have before.
    LimitFactor {
        /// When it changes.
        at: Duration,
        /// By how much, more than 0. Two of them do not multiply: the later one holds.
        factor: f64,
    },
    /// From then on requests are charged by another rule; those that are in flight by the one that let them in.
    ChargeChange {
        /// When it changes.
        at: Duration,
        /// The rule. Of two the later one holds.
        charge: Charge,
    },
    /// Every request that is let in is answered as overloaded (503, at Anthropic 529) at once. It has been charged.
    Failing {
        /// When it begins.
        from: Duration,
        /// When it ends.
        until: Duration,
    },
    /// Every connection on which a request arrives is dropped without an answer, and nothing is charged.
    Stopped {
        /// When it begins.
        from: Duration,
        /// When it ends.
        until: Duration,
    },
}

/// The rule of charging that holds at `now`, a span since the simulator started, where it has changed.
pub(crate) fn charge(disturbances: &[Disturbance], now: Duration) -> Option<Charge> {
    let changes = disturbances.iter().filter_map(|disturbance| match *disturbance {
        Disturbance::ChargeChange { at, charge } => Some((at, charge)),
        _ => None,
    });
    changes.filter(|(at, _)| *at <= now).max_by_key(|(at, _)| *at).map(|(_, charge)| charge)
}

/// Whether every request fails at `now`, a span since the simulator started.
pub(crate) fn failing(disturbances: &[Disturbance], now: Duration) -> bool {
    disturbances.iter().any(|disturbance| match *disturbance {
        Disturbance::Failing { from, until } => (from..until).contains(&now),
        _ => false,
    })
}

/// Whether the provider has stopped at `now`, a span since the simulator started.
pub(crate) fn stopped(disturbances: &[Disturbance], now: Duration) -> bool {
    disturbances.iter().any(|disturbance| match *disturbance {
        Disturbance::Stopped { from, until } => (from..until).contains(&now),
        _ => false,
    })
}
