//! Two moments at which nothing was left, and what was let through in between.

use super::Pace;
use crate::learn::ledger::Account;
use crate::{Amounts, Dimension, Nanos};

/// A moment at which nothing was left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Episode {
    /// The admission that was refused first.
    pub(super) number: u64,
    pub(super) at: Nanos,
    /// For how long little had been asked for before it.
    idle: Nanos,
    /// For how long nobody went before it.
    paused: Nanos,
    /// Whether the provider said when what it takes is there: at this instant, then.
    pub(super) is_exact: bool,
    /// What had been let through before it, and what it would have taken.
    pub(super) account: Account,
    pub(super) amounts: Amounts,
}

/// A refusal that nothing explains but a rate.
pub(crate) struct Refused<'a> {
    /// The admission, and when it went.
    pub(crate) number: u64,
    pub(crate) at: Nanos,
    /// When one may come again, where the provider says it.
    pub(crate) again_at: Option<Nanos>,
    /// What had been admitted before it, and what it takes.
    pub(crate) account: &'a Account,
    pub(crate) amounts: &'a Amounts,
    /// The newest admission.
    pub(crate) latest: u64,
    /// What the provider tells of its rates: of [`Pace::DIMENSIONS`], in [`Pace::WINDOW`].
    pub(crate) told: [Option<u64>; 2],
    /// Which of them it may be for.
    pub(crate) lacks: [bool; 2],
}

/// A provider that says when to come back says it in whole seconds: a shorter span is none but the least there is.
const TELLING: Nanos = Nanos::from_secs(2);

impl Episode {
    pub(super) fn of(refused: &Refused<'_>, [idle, paused]: [Nanos; 2], now: Nanos) -> Self {
        let told_at = refused.again_at.filter(|at| *at >= now.saturating_add(TELLING));
        Self {
            number: refused.number,
            at: told_at.unwrap_or(refused.at),
            idle,
            paused,
            is_exact: told_at.is_some(),
            account: *refused.account,
            amounts: *refused.amounts,
        }
    }

    /// What was let through since `earlier`.
    pub(super) fn since(&self, earlier: &Self, dimension: Dimension) -> u64 {
        let amount = match dimension {
            Dimension::Requests => self.account.requests_since(&earlier.account),
            _ => self.account.admitted_since(&earlier.account).whole,
        };
        // It wrapped below nothing where more was refused than admitted.
        if amount > u64::MAX / 2 { 0 } else { amount }
    }

    /// The mean of what requests took that were let through since `earlier`.
    pub(super) fn mean_since(&self, earlier: &Self, dimension: Dimension) -> u64 {
        self.since(earlier, dimension) / self.since(earlier, Dimension::Requests).max(1)
    }

    /// Whether nobody went for most of the time since `earlier`: what came back may be much more than what was let through.
    pub(super) fn is_doubtful(&self, earlier: &Self) -> bool {
        let paused = self.paused.saturating_sub(earlier.paused);
        // What the provider says is there when a pause is over is no more.
        !earlier.is_exact && paused.get() > self.at.saturating_sub(earlier.at).get() / 2
    }

    /// The same in [`Pace::WINDOW`], where it is at least so many times as much as was uncertain at either end.
    pub(super) fn rate_since(&self, earlier: &Self, dimension: Dimension, least: u64) -> Option<u64> {
        let (amount, span) = (self.since(earlier, dimension), self.at.saturating_sub(earlier.at));
        // While little was asked for some may have run over, and some may have been saved up: half of it counts at least.
        let span = span.saturating_sub(self.idle.saturating_sub(earlier.idle).min(Nanos::new(span.get() / 2)));
        let is_exact = self.is_exact && earlier.is_exact;
        let uncertain = self.amounts.of(dimension).max(earlier.amounts.of(dimension));
        if amount < uncertain.saturating_mul(if is_exact { 1 } else { least }) {
            return None;
        }
        // Anything up to what was refused may have been there at either end.
        let amount = if is_exact { amount } else { amount.saturating_sub(uncertain / 2) };
        let rate = u128::from(amount) * u128::from(Pace::WINDOW.get()) / u128::from(span.get().max(1));
        Some(u64::try_from(rate).unwrap_or(u64::MAX)).filter(|rate| *rate > 0)
    }
}
