//! When the time of a request is over.

use std::future::Future;
use std::time::Duration;

use limiter_core::Nanos;

use super::Prepared;
use crate::client::Shared;
use crate::error::Kind;

/// When the time of a request is over, and how much it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) at: Nanos,
    pub(crate) within: Duration,
}

impl End {
    fn after(asked_at: Nanos, within: Duration) -> Self {
        Self { at: asked_at.saturating_add(within.into()), within }
    }

    /// That it has passed, after this had gone wrong.
    pub(crate) fn passed(self, last: Option<Kind>) -> Kind {
        Kind::Overdue { within: self.within, last: last.map(Box::new) }
    }
}

impl Prepared {
    /// When everything of it is over.
    pub(crate) fn deadline(&self) -> Option<End> {
        Some(End::after(self.asked_at, self.request.deadline?))
    }
}

impl Shared {
    /// When it waits no longer, and is not sent again.
    pub(super) fn end_of_waits(&self, prepared: &Prepared) -> Option<End> {
        let total = prepared.request.retry.unwrap_or(self.retry).longest_total;
        let total = total.map(|within| End::after(prepared.asked_at, within));
        prepared.deadline().into_iter().chain(total).min_by_key(|end| end.at)
    }

    /// An attempt, for as long as the request has.
    pub(crate) async fn within<T>(
        &self,
        prepared: &Prepared,
        attempt: impl Future<Output = Result<T, Kind>> + Unpin,
    ) -> Result<T, Kind> {
        let Some(end) = prepared.deadline() else { return attempt.await };
        tokio::time::timeout_at(self.clock.instant(end.at), attempt).await.unwrap_or_else(|_| Err(end.passed(None)))
    }
}
