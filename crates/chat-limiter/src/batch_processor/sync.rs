//! Batches whose items are processed by code that blocks, on threads of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

use super::{BatchConfig, BatchItem, BatchProcessor, BatchResults, ItemError, Processed, run};
use crate::Error;

/// What is done with each item of a batch by code that blocks: with the [blocking client](crate::blocking), say.
///
/// ```
/// use chat_limiter::batch_processor::{BatchConfig, BatchItem, ItemError, Processed, SyncBatchProcessor};
///
/// struct Lengths;
///
/// impl SyncBatchProcessor for Lengths {
///     type Data = &'static str;
///     type Output = usize;
///
///     fn process_item_sync(&self, item: &BatchItem<&'static str>) -> Result<Processed<usize>, ItemError> {
///         Ok(Processed::new(item.data.len()))
///     }
/// }
///
/// let results = Lengths.process_batch_sync(["a", "bcd"], &BatchConfig::default())?;
/// let lengths: Vec<_> = results.into_iter().filter_map(|result| result.result).collect();
/// assert_eq!(lengths, [1, 3]);
/// # Ok::<(), chat_limiter::Error>(())
/// ```
pub trait SyncBatchProcessor: Sync {
    /// What an item holds.
    type Data: Clone + Send + Sync;
    /// What becomes of it.
    type Output: Send;

    /// Processes one item, once, on one of [`BatchConfig::max_workers`] threads.
    ///
    /// # Errors
    ///
    /// Why the item failed. A panic is such an error, too.
    fn process_item_sync(&self, item: &BatchItem<Self::Data>) -> Result<Processed<Self::Output>, ItemError>;

    /// The model that an item is for: what `group_by_model` looks at. That of its `json_data`, unless overridden.
    fn model_of(&self, item: &BatchItem<Self::Data>) -> Option<String> {
        Some(item.json_data.as_ref()?.get("model")?.as_str()?.to_owned())
    }

    /// As [`BatchProcessor::process_batch`], for programs without async code.
    ///
    /// # Errors
    ///
    /// As there; also inside an async runtime, which it would stall.
    fn process_batch_sync<I>(
        &self,
        items: I,
        config: &BatchConfig,
    ) -> Result<BatchResults<Self::Data, Self::Output>, Error>
    where
        I: IntoIterator<Item: Into<BatchItem<Self::Data>>>,
        Self: Sized,
    {
        let items = items.into_iter().map(Into::into).collect();
        run_sync(self, items, config)
    }
}

type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

fn run_sync<P: SyncBatchProcessor>(
    processor: &P,
    items: Vec<BatchItem<P::Data>>,
    config: &BatchConfig,
) -> Result<BatchResults<P::Data, P::Output>, Error> {
    config.check()?;
    if Handle::try_current().is_ok() {
        return Err(Error::configuration("a batch that blocks would stall this async runtime: use BatchProcessor"));
    }
    let clock = runtime::Builder::new_current_thread().enable_time().build();
    let clock = clock.map_err(|error| Error::configuration(format!("no runtime for the timers: {error}")))?;
    let (jobs, queue) = mpsc::channel::<Job<'_>>();
    let queue = Mutex::new(queue);
    std::thread::scope(|threads| {
        let workers = config.max_workers.min(items.len().max(1));
        for _ in 0..workers {
            let worker = std::thread::Builder::new().name("chat-limiter-batch".to_owned());
            let started = worker.spawn_scoped(threads, || while work(&queue) {});
            started.map_err(|error| Error::configuration(format!("no thread for the batch: {error}")))?;
        }
        // It ends the workers when it is dropped.
        let pool = Pool { processor, jobs };
        Ok(clock.block_on(run::run(&pool, items, config)))
    })
}

/// Does one job. `false` where there will be no more.
fn work(queue: &Mutex<Receiver<Job<'_>>>) -> bool {
    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
    job.map(|job| job()).is_ok()
}

/// Has items processed by the workers.
struct Pool<'a, P> {
    processor: &'a P,
    jobs: Sender<Job<'a>>,
}

impl<'a, P: SyncBatchProcessor> BatchProcessor for Pool<'a, P> {
    type Data = P::Data;
    type Output = P::Output;

    async fn process_item(&self, item: &BatchItem<P::Data>) -> Result<Processed<P::Output>, ItemError> {
        let (sender, outcome) = oneshot::channel();
        let (processor, item): (&'a P, _) = (self.processor, item.clone());
        let job = move || {
            // Nobody waits for it where the batch was stopped.
            if !sender.is_closed() {
                let outcome = catch_unwind(AssertUnwindSafe(|| processor.process_item_sync(&item)));
                let _ = sender.send(outcome.unwrap_or_else(|_| Err(ItemError::new("the processor panicked"))));
            }
        };
        self.jobs.send(Box::new(job)).map_err(|_| ItemError::new("no thread is left for the batch"))?;
        outcome.await.map_err(|_| ItemError::new("the item was lost"))?
    }

    fn model_of(&self, item: &BatchItem<P::Data>) -> Option<String> {
        self.processor.model_of(item)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;
    use std::thread::ThreadId;
    use std::time::Duration;

    use super::*;

    /// Two must be at work at the same time for any to end.
    struct Meeting {
        barrier: Barrier,
        threads: Mutex<HashSet<ThreadId>>,
    }

    impl SyncBatchProcessor for Meeting {
        type Data = usize;
        type Output = usize;

        fn process_item_sync(&self, item: &BatchItem<usize>) -> Result<Processed<usize>, ItemError> {
            self.threads.lock().unwrap().insert(std::thread::current().id());
            self.barrier.wait();
            Ok(Processed::new(item.data * 2))
        }
    }

    #[test]
    fn items_are_processed_on_so_many_threads_and_come_back_in_order() {
        let meeting = Meeting { barrier: Barrier::new(2), threads: Mutex::default() };
        let config = BatchConfig { max_workers: 2, ..BatchConfig::default() };
        let results = meeting.process_batch_sync(0..20, &config).unwrap();
        let values: Vec<_> = results.into_iter().filter_map(|result| result.result).collect();
        assert_eq!(values, (0..20).map(|n| n * 2).collect::<Vec<_>>());
        assert_eq!(meeting.threads.lock().unwrap().len(), 2);
    }

    /// Panics at three, fails at five once, and for good at nine.
    struct Unlucky;

    impl SyncBatchProcessor for Unlucky {
        type Data = usize;
        type Output = u32;

        fn process_item_sync(&self, item: &BatchItem<usize>) -> Result<Processed<u32>, ItemError> {
            match (item.data, item.attempt_count) {
                (3, _) => panic!("unlucky"),
                (5, 0) => Err(ItemError::new("busy").retryable()),
                (9, _) => Err(ItemError::new("no use")),
                (_, attempts) => Ok(Processed::new(attempts)),
            }
        }
    }

    #[test]
    fn failures_and_panics_are_results_and_every_thread_goes_on() {
        let config = BatchConfig { max_workers: 1, retry_delay: Duration::from_millis(1), ..BatchConfig::default() };
        let results = Unlucky.process_batch_sync(0..12, &config).unwrap();
        let failed: Vec<_> = results.failed_results().map(|result| result.item.data).collect();
        assert_eq!(failed, [3, 9]);
        assert_eq!(results[3].error.as_ref().unwrap().to_string(), "the processor panicked");
        assert_eq!((results[5].result, results[5].attempt_count), (Some(1), 2));
    }

    #[test]
    fn the_first_error_stops_what_waits_for_a_thread() {
        let config = BatchConfig { max_workers: 1, stop_on_first_error: true, ..BatchConfig::default() };
        let results = Unlucky.process_batch_sync(9..40, &config).unwrap();
        assert!(!results[0].success && results[30].error.as_ref().unwrap().is_stopped());
        assert_eq!(results[30].attempt_count, 0);
    }

    #[tokio::test]
    async fn inside_an_async_runtime_it_is_refused() {
        let error = Unlucky.process_batch_sync([1], &BatchConfig::default()).unwrap_err();
        assert!(error.is_configuration());
    }
}
