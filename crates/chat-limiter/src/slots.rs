//! Requests in flight, over all scopes: so many at most, a number that may change while they are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of requests in flight.
#[derive(Debug)]
pub(crate) struct Slots {
    semaphore: Arc<Semaphore>,
    /// Places that are taken and no longer there: they go when their requests end.
    excess: Arc<AtomicUsize>,
    most: Mutex<usize>,
}

/// The place of one request in flight. Dropped, it is free for the next one.
#[derive(Debug)]
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    excess: Arc<AtomicUsize>,
}

/// The client was closed.
#[derive(Debug)]
pub(crate) struct SlotsClosed;

impl Slots {
    pub(crate) fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self { semaphore: Arc::new(Semaphore::new(most)), excess: Arc::default(), most: Mutex::new(most) }
    }

    /// Waits for a place, in the order of asking.
    pub(crate) async fn acquire(&self) -> Result<Slot, SlotsClosed> {
        let permit = Arc::clone(&self.semaphore).acquire_owned().await.map_err(|_| SlotsClosed)?;
        Ok(self.slot(permit))
    }

    /// A place, if one is free now.
    pub(crate) fn try_acquire(&self) -> Option<Slot> {
        Arc::clone(&self.semaphore).try_acquire_owned().ok().map(|permit| self.slot(permit))
    }

    /// From now on so many are in flight at most. What is in flight beyond it goes on to its end.
    pub(crate) fn resize(&self, most: usize) {
        let most = most.min(Semaphore::MAX_PERMITS);
        let mut known = self.most.lock().unwrap_or_else(PoisonError::into_inner);
        let (more, less) = (most.saturating_sub(*known), known.saturating_sub(most));
        *known = most;
        if more > 0 {
            let kept = self.forgive(more);
            self.semaphore.add_permits(more - kept);
        }
        if less > 0 {
            // First, so that no place that is given back meanwhile is missed.
            self.excess.fetch_add(less, Ordering::SeqCst);
            let gone = self.semaphore.forget_permits(less);
            let counted = self.forgive(gone);
            self.semaphore.add_permits(gone - counted);
        }
    }

    /// The most that may be in flight.
    pub(crate) fn most(&self) -> usize {
        *self.most.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives out no places any more.
    pub(crate) fn close(&self) {
        self.semaphore.close();
    }

    fn slot(&self, permit: OwnedSemaphorePermit) -> Slot {
        Slot { permit: Some(permit), excess: Arc::clone(&self.excess) }
    }

    /// Takes up to `count` off the places that have to go. Returns how many.
    fn forgive(&self, count: usize) -> usize {
        let lower = |excess: usize| Some(excess.saturating_sub(count));
        let before = self.excess.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lower);
        before.unwrap_or_else(std::convert::identity).min(count)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let is_excess = self.excess.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |excess| excess.checked_sub(1));
        if is_excess.is_ok() {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(slots: &Slots) -> Vec<Slot> {
        std::iter::from_fn(|| slots.try_acquire()).collect()
    }

    #[tokio::test]
    async fn fewer_places_are_there_as_soon_as_requests_end() {
        let slots = Slots::new(5);
        let mut held: Vec<Slot> = (0..4).map(|_| slots.try_acquire().unwrap()).collect();
        slots.resize(2);
        assert!(slots.try_acquire().is_none(), "the free one is gone");
        held.truncate(2);
        assert!(slots.try_acquire().is_none(), "two of two are taken");
        held.truncate(1);
        assert_eq!(taken(&slots).len(), 1);
        held.clear();
        assert_eq!(taken(&slots).len(), 2);
    }

    #[tokio::test]
    async fn more_places_are_there_at_once_and_for_who_waits() {
        let slots = Slots::new(1);
        let held = slots.acquire().await.unwrap();
        let mut waiting = Box::pin(slots.acquire());
        assert!(futures::poll!(&mut waiting).is_pending());
        slots.resize(3);
        let second = waiting.await.unwrap();
        assert_eq!(taken(&slots).len(), 1);
        drop((held, second));
        assert_eq!(taken(&slots).len(), 3);
    }

    #[tokio::test]
    async fn a_number_that_goes_down_and_up_again_loses_nothing() {
        let slots = Slots::new(4);
        let held = taken(&slots);
        slots.resize(1);
        slots.resize(4);
        drop(held);
        assert_eq!(taken(&slots).len(), 4);
    }

    #[tokio::test]
    async fn who_waits_when_it_is_closed_is_told() {
        let slots = Slots::new(1);
        let _held = slots.acquire().await.unwrap();
        let mut waiting = Box::pin(slots.acquire());
        assert!(futures::poll!(&mut waiting).is_pending());
        slots.close();
        assert!(waiting.await.is_err());
    }
}
