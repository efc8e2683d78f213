//! Permits without requests: for people with an HTTP client of their own.

use std::sync::Arc;

use limiter_core::{Cost, Priority};
use serde_json::Value;

use super::{ChatLimiter, Measured, Shared, needs_runtime};
use crate::error::{Error, Kind};
use crate::exchange::Trace;
use crate::permit::Permit;
use crate::scope::Denied;

impl ChatLimiter {
    /// Waits in line until the limits of `model` have room for `cost`, and takes it. For requests that you send with a
    /// client of your own: tell the [`Permit`] what became of them.
    ///
    /// ```no_run
    /// # use http::{HeaderMap, StatusCode};
    /// # async fn send() -> (StatusCode, HeaderMap, Vec<u8>) { (StatusCode::OK, HeaderMap::new(), Vec::new()) }
    /// # async fn example() -> Result<(), chat_limiter::Error> {
    /// use chat_limiter::{ChatLimiter, Cost};
    ///
    /// let limiter = ChatLimiter::builder("openai").build()?;
    /// // A prompt of 1,000 tokens that may produce 500.
    /// let mut permit = limiter.acquire("gpt-4o-mini", Cost::of_request(1_000, 500)).await?;
    /// let (status, headers, body) = send().await;
    /// permit.observe(status, &headers);
    /// if status.is_success() {
    ///     match limiter.provider().usage(&body) {
    ///         Some(usage) => permit.settle(&usage),
    ///         None => permit.settle_as_reserved(),
    ///     }
    /// } else {
    ///     let failure = permit.refused(status, &headers, &body);
    ///     println!("{} {:?}", failure.message, failure.retry_after);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Dropping the future, before it is done, leaves the queue and takes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::is_too_large`] where it never fits, [`Error::is_rate_limited`] where the wait would be longer than
    /// [`RetryPolicy::longest_wait`](crate::RetryPolicy), [`Error::is_closed`], or that the provider does not answer.
    pub fn acquire(&self, model: &str, cost: Cost) -> impl Future<Output = Result<Permit, Error>> + Send {
        self.acquire_with_priority(model, cost, Priority::NORMAL)
    }

    /// As [`acquire`](Self::acquire), with another priority.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    pub fn acquire_with_priority(
        &self,
        model: &str,
        cost: Cost,
        priority: Priority,
    ) -> impl Future<Output = Result<Permit, Error>> + Send {
        self.shared.permit_for(model, cost, priority, false)
    }

    /// As [`acquire`](Self::acquire), at the front of the queue: for a request that had a permit, was refused or failed,
    /// and is worth trying again.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    pub fn acquire_again(&self, model: &str, cost: Cost) -> impl Future<Output = Result<Permit, Error>> + Send {
        self.shared.permit_for(model, cost, Priority::NORMAL, true)
    }

    /// A permit at once, if nobody waits and `cost` fits now; `None` where it would have to wait.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire), but for the wait.
    pub fn try_acquire(&self, model: &str, cost: Cost) -> Result<Option<Permit>, Error> {
        let shared = &self.shared;
        let inside = shared.gate.enter().ok_or_else(closed)?;
        shared.check_credit(model)?;
        let Some(slot) = shared.slots.try_acquire() else { return Ok(None) };
        let group = self.model_group(model);
        match shared.scopes.of(&group).try_acquire(&group, &cost) {
            Ok(permit) => Ok(permit.map(|inner| Permit::new(Arc::clone(shared), group, cost, inner, slot, inside))),
            Err(denied) => denied.into_error().map_or(Ok(None), Err),
        }
    }

    /// What a request to `endpoint` with this body is reserved for: its prompt, counted, and what it may produce, which
    /// is its own bound or what earlier answers of its model lead to expect.
    #[must_use]
    pub fn cost(&self, endpoint: &str, body: &Value) -> Cost {
        let Measured { model, size, kind } = Measured::of(self.shared.provider.as_ref(), endpoint, body);
        let group = self.model_group(model.as_deref().unwrap_or_default());
        self.shared.cost(&group, &size, kind)
    }
}

impl Shared {
    async fn permit_for(
        self: &Arc<Self>,
        model: &str,
        cost: Cost,
        priority: Priority,
        at_front: bool,
    ) -> Result<Permit, Error> {
        needs_runtime()?;
        let inside = self.gate.enter().ok_or_else(closed)?;
        self.check_credit(model)?;
        let group: Arc<str> = Arc::from(&*self.provider.model_group(model));
        loop {
            let inner = match self.scopes.of(&group).acquire(&group, cost, priority, at_front).await {
                Ok(permit) => permit,
                Err(denied) => match denied.into_error() {
                    Some(error) => return Err(error),
                    None => continue,
                },
            };
            if let Some(slot) = self.slots.try_acquire() {
                return Ok(Permit::new(Arc::clone(self), group, cost, inner, slot, inside));
            }
            let (inner, slot) = self.place(inner).await.ok_or_else(closed)?;
            return Ok(Permit::new(Arc::clone(self), group, cost, inner, slot, inside));
        }
    }
}

impl Denied {
    /// What goes wrong; `None` where it is to be asked again.
    pub(crate) fn into_kind(self) -> Option<Kind> {
        Some(match self {
            Self::Moved => return None,
            Self::NeverFits(never) => Kind::NeverFits(never),
            Self::TooLong { wait } => Kind::TooLong(wait),
            Self::Down(why) => Kind::Down(why),
            Self::Closed => Kind::Closed,
        })
    }

    fn into_error(self) -> Option<Error> {
        Some(Error::new(self.into_kind()?, Trace::default()))
    }
}

/// That the client was closed, or is being shut down.
pub(super) fn closed() -> Error {
    Error::new(Kind::Closed, Trace::default())
}
