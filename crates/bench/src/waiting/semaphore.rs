//! The peer.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::Semaphore;

use super::crowd::{self, Measured};

/// Callers of a semaphore with one permit.
pub(super) fn measure(callers: usize) -> anyhow::Result<Measured> {
    let semaphore = Arc::new(Semaphore::new(1));
    let ask = || Arc::clone(&semaphore).acquire_owned();
    let hold = || Ok(Ok(Arc::clone(&semaphore).try_acquire_owned()?));
    crowd::measure(callers, ask, hold, |permit| permit.map(drop).context("the semaphore was closed"))
}
