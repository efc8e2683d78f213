//! What was really used, request by request, and who wants to hear that something changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use limiter_core::{Amounts, Dimension};
use providers::Usage;
use serde::Serialize;
use tokio::sync::watch;

use crate::observe::Meters;

/// What requests have used since the client was built, or since
/// [`reset_usage_tracking`](crate::ChatLimiter::reset_usage_tracking).
///
/// A request counts once, when it was answered, with what the answer says it took. What it took when it was refused,
/// failed or was abandoned is not known here and counts as no tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UsageTotals {
    /// Requests that were answered, with success or because they were at fault themselves.
    pub requests: u64,
    /// Tokens of input and output together. Of an answer that states none, those that were reserved for it.
    pub tokens: u64,
    /// Tokens of input.
    pub input_tokens: u64,
    /// Tokens of output.
    pub output_tokens: u64,
    /// Attempts that were refused for the rate.
    pub rate_limited: u64,
    /// Attempts that failed in another way: no connection, no answer, an error of the server.
    pub failed: u64,
    /// Requests that were dropped after they may have been sent.
    pub abandoned: u64,
}

impl UsageTotals {
    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.requests, other.requests),
            (&mut self.tokens, other.tokens),
            (&mut self.input_tokens, other.input_tokens),
            (&mut self.output_tokens, other.output_tokens),
            (&mut self.rate_limited, other.rate_limited),
            (&mut self.failed, other.failed),
            (&mut self.abandoned, other.abandoned),
        ] {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// One request that was answered.
    pub(crate) fn answered(taken: &Amounts) -> Self {
        Self {
            requests: 1,
            tokens: taken.of(Dimension::Tokens),
            input_tokens: taken.of(Dimension::InputTokens),
            output_tokens: taken.of(Dimension::OutputTokens),
            ..Self::default()
        }
    }
}

/// The most tokens that are believed of one request beyond four times what was reserved for it: 2,097,152, the largest
/// context of models to which a prompt may be given by name alone, so that its size shows nowhere in the request (a file for
/// Gemini 1.5 Pro). A longer prompt is in the request and counted there, and no model produces as much.
const MOST_UNSEEN: u64 = 2 << 20;

/// What is believed of the usage of a request for which so many tokens were `reserved`. What a provider states by mistake (the
/// largest number there is) would hold up everything that shares the limit for as long as its refill takes: for a month,
/// where nothing were left out.
pub(crate) fn believed(usage: &Usage, reserved: u64) -> Usage {
    let most = reserved.saturating_mul(4).max(MOST_UNSEEN);
    let mut usage = *usage;
    usage.input = usage.input.min(most);
    usage.output = usage.output.min(most - usage.input);
    usage.total = usage.total.min(most);
    usage
}

/// What all scopes of a client share: the books of what was used, and the bell that rings when anything changes.
#[derive(Debug)]
pub(crate) struct Books {
    used: Mutex<HashMap<Arc<str>, UsageTotals>>,
    changes: watch::Sender<()>,
    pub(crate) meters: Meters,
}

/// So many model groups have books of their own; the others share one without a name.
const MOST_GROUPS: usize = 1_000;

impl Books {
    pub(crate) fn new(meters: Meters) -> Self {
        Self { used: Mutex::default(), changes: watch::Sender::new(()), meters }
    }

    /// Enters what became of one attempt of `group`.
    pub(crate) fn enter(&self, group: &Arc<str>, totals: &UsageTotals) {
        self.meters.used(group, totals);
        let mut used = self.lock();
        if let Some(known) = used.get_mut(group) {
            known.add(totals);
        } else if used.len() < MOST_GROUPS {
            used.insert(Arc::clone(group), *totals);
        } else {
            used.entry("".into()).or_default().add(totals);
        }
    }

    /// What every model group has used.
    pub(crate) fn used(&self) -> HashMap<Arc<str>, UsageTotals> {
        self.lock().clone()
    }

    /// Begins anew.
    pub(crate) fn reset(&self) {
        self.lock().clear();
        self.ring();
    }

    /// Something changed. Costs next to nothing while nobody listens.
    pub(crate) fn ring(&self) {
        if self.changes.receiver_count() > 0 {
            self.changes.send_replace(());
        }
    }

    /// To listen.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, UsageTotals>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_has_its_own_books_and_too_many_share_one() {
        let books = Books::new(Meters::new("test"));
        for n in 0..=MOST_GROUPS + 1 {
            books.enter(&format!("{n}").into(), &UsageTotals::answered(&Amounts::of_request(2, 3)));
        }
        books.enter(&"0".into(), &UsageTotals::answered(&Amounts::of_request(1, 0)));
        let used = books.used();
        let of = |name: &str| used.get(name).map(|it| (it.requests, it.tokens, it.input_tokens, it.output_tokens));
        assert_eq!(of("0"), Some((2, 6, 3, 3)));
        assert_eq!(of(""), Some((2, 10, 4, 6)));
        assert_eq!(used.values().map(|it| it.requests).sum::<u64>(), MOST_GROUPS as u64 + 3);
        books.reset();
        assert!(books.used().is_empty());
    }

    #[test]
    fn what_a_request_can_take_is_believed_and_not_more() {
        let of = |input, output, reserved| {
            let mut usage = Usage::default();
            (usage.input, usage.output, usage.total) = (input, output, u64::max(input, output));
            let usage = believed(&usage, reserved);
            (usage.input, usage.produced())
        };
        assert_eq!(of(1_000_000, 900_000, 10), (1_000_000, 900_000));
        assert_eq!(of(3_000_000, 1_000_000, 1_000_000), (3_000_000, 1_000_000));
        assert_eq!(of(u64::MAX, u64::MAX, 10), (2 << 20, 0));
        assert_eq!(of(10, u64::MAX, 10), (10, (2 << 20) - 10));
        assert_eq!(of(10, u64::MAX, 1 << 20), (10, (4 << 20) - 10));
        assert_eq!(of(u64::MAX, 5, u64::MAX), (u64::MAX, 0));
    }
}
