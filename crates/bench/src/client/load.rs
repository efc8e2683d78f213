//! Many requests, some of them at once, and what the process used for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::clients::Client;
use crate::clock::Clock;
use crate::{allocations, processor};

/// What is sent.
#[derive(Clone)]
pub(super) struct Load {
    /// They take turns.
    pub(super) bodies: Arc<[Bytes]>,
    pub(super) requests: usize,
    /// How many are on their way at once.
    pub(super) at_once: usize,
    /// The least bytes that an answer has.
    pub(super) least_answer: usize,
}

/// What it took to send a load.
#[derive(Debug)]
pub(super) struct Spent {
    /// By this process, on all processors.
    pub(super) processor: Duration,
    /// By the clock, from the first request to the last answer.
    pub(super) elapsed: Duration,
    /// How often memory was allocated.
    pub(super) allocations: usize,
    /// How long each request took, in no order.
    pub(super) calls: Vec<Duration>,
}

impl Load {
    /// Sends it all by `client`, and says what was spent on it.
    ///
    /// # Errors
    ///
    /// One of the requests was not answered.
    pub(super) async fn send(&self, client: &Arc<Client>) -> anyhow::Result<Spent> {
        let (allocated, used, clock) = (allocations::count(), processor::used()?, Clock::start());
        let calls = self.deliver(client).await?;
        Ok(Spent {
            elapsed: clock.elapsed(),
            processor: processor::used()?.saturating_sub(used),
            allocations: allocations::count().saturating_sub(allocated),
            calls,
        })
    }

    /// Sends it all by `client`. How long each request took.
    ///
    /// # Errors
    ///
    /// One of the requests was not answered.
    pub(super) async fn deliver(&self, client: &Arc<Client>) -> anyhow::Result<Vec<Duration>> {
        let sent = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..self.at_once {
            tasks.spawn(self.clone().send_some(Arc::clone(client), Arc::clone(&sent)));
        }
        let mut calls = Vec::with_capacity(self.requests);
        while let Some(ended) = tasks.join_next().await {
            calls.extend(ended??);
        }
        Ok(calls)
    }

    /// One after the other, as long as there are any. How long each took.
    async fn send_some(self, client: Arc<Client>, sent: Arc<AtomicUsize>) -> anyhow::Result<Vec<Duration>> {
        let mut calls = Vec::with_capacity(self.requests / self.at_once.max(1) * 2);
        for body in self.bodies.iter().cycle() {
            if sent.fetch_add(1, Ordering::Relaxed) >= self.requests {
                break;
            }
            let clock = Clock::start();
            client.call(body.clone(), self.least_answer).await?;
            calls.push(clock.elapsed());
        }
        Ok(calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sends_to_nobody() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let load =
                Load { bodies: Arc::from([Bytes::from_static(b"{}")]), requests: 1, at_once: 2, least_answer: 1 };
            // Port 1 is nobody's.
            let client = Arc::new(Client::bare("http://127.0.0.1:1/v1").unwrap());
            assert!(load.send(&client).await.is_err());
            assert!(Load { requests: 0, ..load }.send(&client).await.is_ok_and(|spent| spent.calls.is_empty()));
        });
    }
}
