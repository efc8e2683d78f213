//! The thread that runs connections and timers while callers block.

use std::future::Future;
use std::io;
use std::thread::{self, JoinHandle};

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

use crate::Error;

/// What somebody is told who would block a thread that runs tasks.
const INSIDE: &str = "a blocking call inside an async runtime would stall it: use chat_limiter::ChatLimiter there, or a \
                      thread of its own";

/// A runtime with one thread of its own, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Runtime {
    handle: Handle,
    /// Dropped to end the thread.
    running: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Runtime {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Inside an async runtime; where the system has no thread or no file descriptor left.
    pub(super) fn start() -> Result<Self, Error> {
        if is_inside() {
            return Err(Error::configuration(INSIDE));
        }
        Self::spawn().map_err(|error| Error::configuration(format!("no thread for the connections: {error}")))
    }

    fn spawn() -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("chat-limiter".to_owned()).spawn(move || {
            // It resolves, to an error, when the other end is dropped.
            let _ = runtime.block_on(ended);
            // Without waiting for what blocks: a name that is looked up, a body that is counted.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, running: Some(running), thread: Some(thread) })
    }

    /// Runs `future` on this thread until it is done; what it waits for happens on the other one.
    ///
    /// # Errors
    ///
    /// Inside an async runtime.
    pub(super) fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        match is_inside() {
            true => Err(Error::request(INSIDE)),
            false => Ok(self.handle.block_on(future)),
        }
    }

    /// Somebody who can tell when the thread has ended.
    #[cfg(test)]
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

/// Whether this thread runs the tasks of a runtime, or blocks for one.
fn is_inside() -> bool {
    Handle::try_current().is_ok()
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.running = None;
        // A thread that runs tasks waits for nobody; it may be the very thread that is to end.
        if let Some(thread) = self.thread.take().filter(|_| !is_inside()) {
            // It does not panic, and if it did, it has ended.
            let _ = thread.join();
        }
    }
}
