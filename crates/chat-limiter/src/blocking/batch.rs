//! A file of requests in, a file of results out.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::fs::{File, OpenOptions};
use tokio::io::BufReader;
use tokio::sync::watch;

use super::ChatLimiter;
use crate::{BatchError, Progress, Summary, Watcher};

/// A run of a batch file: [`chat_limiter::Batch`](crate::Batch) for threads that may block.
///
/// ```no_run
/// use std::path::Path;
///
/// use chat_limiter::blocking::{Batch, ChatLimiter};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limiter = ChatLimiter::builder("openai").build()?;
/// let summary = Batch::new(limiter, "requests.jsonl").run(Path::new("results.jsonl"), &())?;
/// println!("{} of {} succeeded", summary.succeeded, summary.requests);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Batch {
    limiter: ChatLimiter,
    inner: crate::Batch,
    requests: PathBuf,
    resumes: bool,
    stop: Stopper,
}

/// Stops a run from another thread. Clones stop the same one.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// Nothing more is sent; what is in flight is waited for and written. Without effect once the run has ended.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Batch {
    /// A run of the requests in the file at `requests`.
    #[must_use]
    pub fn new(limiter: ChatLimiter, requests: impl Into<PathBuf>) -> Self {
        let requests = requests.into();
        let inner = crate::Batch::new(limiter.as_async().clone(), requests.display().to_string());
        let stop = Stopper(Arc::new(watch::Sender::new(false)));
        Self { limiter, inner, requests, resumes: false, stop }
    }

    /// How many requests are read ahead at most, in flight and waiting together: 2,000 by default.
    #[must_use]
    pub fn read_ahead(mut self, requests: usize) -> Self {
        self.inner = self.inner.read_ahead(requests);
        self
    }

    /// Leaves out the requests that have a success in the result file at `results`, and takes everything else out of
    /// that file; [`run`](Self::run) appends to it. Returns how many are left out.
    ///
    /// # Errors
    ///
    /// As [`resume_from`](crate::Batch::resume_from).
    pub fn resume_from(&mut self, results: &Path) -> Result<usize, BatchError> {
        let left_out = self.inner.resume_from(results, Some(&self.requests))?;
        self.resumes = true;
        Ok(left_out)
    }

    /// Counters that can be read by another thread while the run goes on.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        self.inner.progress()
    }

    /// What another thread stops the run with.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stop.clone()
    }

    /// Sends every request and writes a result for each to the file at `results`, which is replaced unless the run
    /// resumes.
    ///
    /// # Errors
    ///
    /// [`BatchError`] when the requests cannot be read or the results cannot be written (what was written stands), and
    /// inside an async runtime, before a file is touched.
    pub fn run(self, results: &Path, watcher: &impl Watcher) -> Result<Summary, BatchError> {
        let name = self.requests.display().to_string();
        let Self { limiter, inner, requests, resumes, stop } = self;
        let refused = |error| BatchError::Input { name: name.clone(), source: io::Error::other(error) };
        let unreadable = |source| BatchError::Input { name: name.clone(), source };
        let run = async {
            let input = BufReader::new(File::open(&requests).await.map_err(unreadable)?);
            if is_same(&requests, results).await {
                let why = "the results would replace the requests";
                return Err(BatchError::Output(io::Error::new(io::ErrorKind::InvalidInput, why)));
            }
            let options = OpenOptions::new().create(true).write(true).append(resumes).truncate(!resumes).clone();
            let output = options.open(results).await.map_err(BatchError::Output)?;
            let mut stopped = stop.0.subscribe();
            // `stop` is alive for as long as this runs.
            let stopped = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
            inner.run(input, output, stopped, watcher).await
        };
        limiter.block_on(run).map_err(refused)?
    }
}

/// Whether both paths lead to one file that is there.
async fn is_same(one: &Path, other: &Path) -> bool {
    match (tokio::fs::canonicalize(one).await, tokio::fs::canonicalize(other).await) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
