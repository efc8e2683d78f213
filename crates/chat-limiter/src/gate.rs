//! Who is inside: requests from their beginning to their end, waits and retries included.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Counts requests that have begun and not ended, and lets nobody in once it is shut.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    empty: Notify,
}

#[derive(Debug, Default)]
struct State {
    is_shut: bool,
    inside: usize,
}

/// One request that has begun. Dropped, it has ended.
pub(crate) struct Inside(Arc<Gate>);

impl Gate {
    /// Lets one in; nobody where it is shut.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Inside> {
        let mut state = self.lock();
        if state.is_shut {
            return None;
        }
        state.inside += 1;
        Some(Inside(Arc::clone(self)))
    }

    /// Lets nobody in any more.
    pub(crate) fn shut(&self) {
        self.lock().is_shut = true;
    }

    /// Waits until nobody is inside.
    pub(crate) async fn emptied(&self) {
        loop {
            let mut empty = std::pin::pin!(self.empty.notified());
            // Before looking, so that whoever leaves meanwhile is not missed.
            empty.as_mut().enable();
            if self.lock().inside == 0 {
                return;
            }
            empty.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.inside = state.inside.saturating_sub(1);
        let is_empty = state.inside == 0;
        drop(state);
        if is_empty {
            self.0.empty.notify_waiters();
        }
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inside")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_empty_when_the_last_has_left_and_lets_nobody_in_when_shut() {
        let gate = Arc::new(Gate::default());
        gate.emptied().await;
        let inside = [gate.enter().unwrap(), gate.enter().unwrap()];
        let mut emptied = [Box::pin(gate.emptied()), Box::pin(gate.emptied())];
        gate.shut();
        assert!(gate.enter().is_none());
        let [first, second] = inside;
        drop(first);
        assert!(futures::poll!(&mut emptied[0]).is_pending());
        drop(second);
        futures::future::join_all(emptied).await;
    }
}
