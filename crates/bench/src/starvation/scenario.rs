//! Who asks for what, and what became of it.

use std::time::Duration;

/// Callers that loop on small costs, and one large request among them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scenario {
    pub(super) title: &'static str,
    /// Units that come back in a second. So many can be saved up, too.
    pub(super) rate: u32,
    pub(super) callers: u32,
    /// What a caller takes again and again.
    pub(super) small: u32,
    /// How long a caller does something else before it asks again.
    pub(super) work: Duration,
    /// What one request takes that comes when the callers have used up what was saved.
    pub(super) large: u32,
    /// When it comes.
    pub(super) comes_after: Duration,
    /// How much later it may come, to find a moment at which no caller waits.
    pub(super) looks_for: Duration,
    /// After so many times its own refill nobody waits for it any longer.
    pub(super) patience: u32,
}

pub(super) const AT_ONCE: Scenario = Scenario {
    title: "callers that ask again at once",
    rate: 1_000,
    callers: 20,
    small: 5,
    work: Duration::ZERO,
    large: 900,
    comes_after: Duration::from_secs(1),
    looks_for: Duration::ZERO,
    patience: 5,
};

/// A caller usually sends a request before it asks for the next one.
pub(super) const WITH_WORK: Scenario = Scenario {
    title: "callers that work 20 ms before they ask again, and a large one that comes while no caller waits, if it can",
    work: Duration::from_millis(20),
    looks_for: Duration::from_millis(300),
    ..AT_ONCE
};

pub(super) const SCENARIOS: [Scenario; 2] = [AT_ONCE, WITH_WORK];

impl Scenario {
    /// How long `units` take to come back.
    pub(super) fn refill(&self, units: u32) -> Duration {
        Duration::from_secs(1) * units / self.rate
    }

    /// How long the large request is waited for.
    pub(super) fn longest_wait(&self) -> Duration {
        self.refill(self.large) * self.patience
    }
}

/// What became of the large request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// How long it waited; `None` where it was not served.
    pub(super) waited: Option<Duration>,
    /// Units that those had asked for who were in front of it when it came, where there is a queue that says so.
    pub(super) before: u32,
    /// Units that the callers took while it waited.
    pub(super) taken: u64,
}
