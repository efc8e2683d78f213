//! A file of requests in, a file of results out.
//!
//! One task reads lines ahead, as many as may be in flight and some more, and writes each result when it is there. So
//! the order of the results is that of the answers, and the memory does not grow with the file.

mod input;
mod lines;
mod output;
mod progress;
mod resume;
mod summary;

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use futures::future::{FutureExt, OptionFuture};
use futures::stream::{FuturesUnordered, StreamExt};
use limiter_core::Nanos;
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt};

use crate::{Answer, ChatLimiter, Error};
use lines::{Line, Lines};
use resume::Done;

pub use input::{BatchItem, InvalidLine};
pub use progress::{Progress, ProgressSnapshot};
pub use summary::{LimitSummary, ModelSummary, Summary};

/// A run of a batch file.
#[derive(Debug)]
pub struct Batch {
    limiter: ChatLimiter,
    /// What the input is called in messages.
    name: String,
    ahead: usize,
    longest_line: usize,
    done: Done,
    progress: Arc<Progress>,
}

/// Why a run ended early. Individual requests that fail do not end it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The input cannot be read.
    #[error("cannot read {name}")]
    Input {
        /// What the input is called.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The results cannot be written.
    #[error("cannot write the results")]
    Output(#[source] io::Error),
    /// The results of an earlier run cannot be read.
    #[error("cannot resume from {}", path.display())]
    Resume {
        /// The result file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The results of an earlier run are of another input.
    #[error("{name}:{line}: the result file holds the result of another request than {custom_id:?}")]
    OtherInput {
        /// What the input is called.
        name: String,
        /// The line.
        line: u64,
        /// The request on that line.
        custom_id: String,
    },
}

/// Somebody who wants to hear of failures while the run goes on.
pub trait Watcher {
    /// A line that is no request, or a request that failed for good: `place` is its file and line.
    fn failed(&self, place: &str, why: &str);
}

impl Watcher for () {
    fn failed(&self, _: &str, _: &str) {}
}

/// Bodies held in memory at most, in bytes, before reading ahead stops.
const MOST_BYTES_AHEAD: usize = 256 << 20;

impl Batch {
    /// A run of the requests in a file that messages call `name`.
    #[must_use]
    pub fn new(limiter: ChatLimiter, name: impl Into<String>) -> Self {
        Self {
            limiter,
            name: name.into(),
            ahead: 2_000,
            longest_line: 64 << 20,
            done: Done::default(),
            progress: Arc::default(),
        }
    }

    /// How many requests are read ahead at most, in flight and waiting together: 2,000 by default.
    #[must_use]
    pub const fn read_ahead(mut self, requests: usize) -> Self {
        self.ahead = if requests == 0 { 1 } else { requests };
        self
    }

    /// Leaves out the requests that have a success in the result file at `results`, and takes everything else out of
    /// that file, so that the new results can be appended. Returns how many are left out.
    ///
    /// Where the `requests` are a file, they are compared first: nothing is touched where the results are of other
    /// requests. Where they are not, [`run`](Self::run) ends at the first that differs.
    ///
    /// # Errors
    ///
    /// [`BatchError`] when a file is there and cannot be read, the results cannot be replaced, or are of other requests.
    pub fn resume_from(&mut self, results: &Path, requests: Option<&Path>) -> Result<usize, BatchError> {
        let resume = |source| BatchError::Resume { path: results.to_owned(), source };
        let done = Done::read(results).map_err(resume)?;
        if let Some(requests) = requests.filter(|_| done.count() > 0) {
            let input = |source| BatchError::Input { name: self.name.clone(), source };
            if let Some((line, custom_id)) = done.find_other(requests).map_err(input)? {
                return Err(BatchError::OtherInput { name: self.name.clone(), line, custom_id });
            }
        }
        if results.exists() {
            Done::keep(results).map_err(resume)?;
        }
        self.done = done;
        Ok(self.done.count())
    }

    /// Counters that can be read while the run goes on.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Sends every request of `input` and writes a result for each to `output`.
    ///
    /// When `stop` resolves, nothing more is sent; what is in flight is waited for and written. Requests that were not
    /// sent have no result, so a later run that resumes sends them.
    ///
    /// # Errors
    ///
    /// [`BatchError`] when the input cannot be read or the output cannot be written. What was written stands.
    pub async fn run<R, W>(
        self,
        input: R,
        output: W,
        stop: impl Future<Output = ()>,
        watcher: &impl Watcher,
    ) -> Result<Summary, BatchError>
    where
        R: AsyncBufRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let start = self.limiter.now();
        let mut run = Run { batch: &self, output, buffer: Vec::new(), summary: Summary::default(), watcher };
        let mut lines = Lines::new(input, self.longest_line);
        let mut running = FuturesUnordered::new();
        let (mut ended, mut bytes_ahead) = (false, 0);
        let mut stop = pin!(stop.fuse());
        loop {
            let may_read = !ended && running.len() < self.ahead && bytes_ahead < MOST_BYTES_AHEAD;
            if !may_read && running.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                () = &mut stop, if !run.summary.stopped => {
                    run.summary.stopped = true;
                    ended = true;
                    self.limiter.close();
                }
                Some(finished) = running.next() => {
                    let mut next = Some(finished);
                    // All that are there go out in one write.
                    while let Some(Finished { place, outcome, weight }) = next {
                        bytes_ahead -= weight;
                        run.finish(&place, outcome);
                        next = running.next().now_or_never().flatten();
                    }
                    run.write().await?;
                }
                Some(line) = OptionFuture::from(may_read.then(|| lines.next())) => match line {
                    Err(source) => return Err(BatchError::Input { name: self.name.clone(), source }),
                    Ok(None) => ended = true,
                    Ok(Some(line)) => {
                        if let Some((place, item)) = run.take(&line)? {
                            let weight = line.bytes.len();
                            bytes_ahead += weight;
                            let limiter = &self.limiter;
                            running.push(async move {
                                let outcome = limiter.request(item.request).await;
                                Finished { place, outcome, weight }
                            });
                        } else if !run.buffer.is_empty() {
                            run.write().await?;
                        }
                    }
                },
            }
        }
        drop(running);
        run.output.shutdown().await.map_err(BatchError::Output)?;
        let mut summary = run.summary;
        summary.skipped = self.progress.snapshot().skipped;
        let elapsed: Nanos = self.limiter.now().saturating_sub(start);
        summary.finish(elapsed.into(), &self.limiter.limits());
        Ok(summary)
    }

    fn place(&self, number: u64) -> String {
        format!("{}:{number}", self.name)
    }
}

/// Where a result belongs.
struct Place {
    number: u64,
    length: u64,
    custom_id: String,
    model: String,
}

struct Finished {
    place: Place,
    outcome: Result<Answer, Error>,
    weight: usize,
}

struct Run<'a, W, V> {
    batch: &'a Batch,
    output: W,
    /// Results not yet written.
    buffer: Vec<u8>,
    summary: Summary,
    watcher: &'a V,
}

impl<W: AsyncWrite + Unpin, V: Watcher> Run<'_, W, V> {
    /// What to do about a line: a request to send, or nothing more.
    fn take(&mut self, line: &Line) -> Result<Option<(Place, BatchItem)>, BatchError> {
        use std::sync::atomic::Ordering::Relaxed;
        let progress = &self.batch.progress;
        if line.bytes.trim_ascii().is_empty() {
            progress.bytes.fetch_add(line.length, Relaxed);
            return Ok(None);
        }
        let parsed = match line.is_cut {
            true => Err(InvalidLine {
                why: format!("the line is longer than {} bytes", self.batch.longest_line),
                custom_id: input::find_custom_id(&line.bytes),
            }),
            false => BatchItem::parse(line.number, &line.bytes, self.batch.limiter.provider().as_ref()),
        };
        let item = match parsed {
            Ok(item) => item,
            Err(invalid) => {
                self.reject(line, &invalid);
                return Ok(None);
            }
        };
        match self.batch.done.holds(line.number, &item.custom_id) {
            Some(false) => {
                let (custom_id, model) = (item.custom_id.clone(), item.model.clone());
                let place = Place { number: line.number, length: line.length, custom_id, model };
                Ok(Some((place, item)))
            }
            Some(true) => {
                progress.bytes.fetch_add(line.length, Relaxed);
                progress.skipped.fetch_add(1, Relaxed);
                Ok(None)
            }
            None => Err(BatchError::OtherInput {
                name: self.batch.name.clone(),
                line: line.number,
                custom_id: item.custom_id,
            }),
        }
    }

    fn reject(&mut self, line: &Line, invalid: &InvalidLine) {
        use std::sync::atomic::Ordering::Relaxed;
        let place = self.batch.place(line.number);
        output::write_invalid(&mut self.buffer, line.number, &place, invalid);
        self.watcher.failed(&place, &invalid.why);
        self.summary.count_invalid();
        self.batch.progress.bytes.fetch_add(line.length, Relaxed);
        self.batch.progress.failed.fetch_add(1, Relaxed);
    }

    fn finish(&mut self, place: &Place, outcome: Result<Answer, Error>) {
        use std::sync::atomic::Ordering::Relaxed;
        let progress = &self.batch.progress;
        if outcome.as_ref().is_err_and(Error::is_closed) {
            return;
        }
        progress.bytes.fetch_add(place.length, Relaxed);
        match &outcome {
            Ok(answer) => {
                progress.succeeded.fetch_add(1, Relaxed);
                progress.tokens.fetch_add(answer.usage.map_or(0, |usage| usage.total), Relaxed);
            }
            Err(error) => {
                progress.failed.fetch_add(1, Relaxed);
                let why = format!("{:?}: {error}", place.custom_id);
                self.watcher.failed(&self.batch.place(place.number), &why);
            }
        }
        output::write_outcome(&mut self.buffer, place.number, &place.custom_id, &outcome);
        let group = self.batch.limiter.model_group(&place.model);
        self.summary.count(&place.model, group, &outcome);
    }

    async fn write(&mut self) -> Result<(), BatchError> {
        self.output.write_all(&self.buffer).await.map_err(BatchError::Output)?;
        self.buffer.clear();
        self.output.flush().await.map_err(BatchError::Output)
    }
}
