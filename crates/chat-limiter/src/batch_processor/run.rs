//! The work itself.

use std::collections::VecDeque;
use std::time::Duration;

use futures::StreamExt;
use futures::future::Either;
use futures::stream::FuturesUnordered;
use limiter_core::Nanos;
use tokio::sync::watch;

use super::window::Window;
use super::{BatchConfig, BatchItem, BatchProcessor, BatchProgress, BatchResult, BatchResults, ItemError, Processed};
use crate::clock::Clock;

/// What happened next.
enum Event<D, T> {
    /// An item was processed; without an outcome it was stopped.
    Processed { index: usize, number: u64, item: BatchItem<D>, outcome: Option<Result<Processed<T>, ItemError>> },
    /// An item has waited long enough for its next try.
    Due { index: usize, item: BatchItem<D> },
}

/// Items that share a window.
struct Group<D> {
    key: (Option<String>, Option<String>),
    pending: VecDeque<(usize, BatchItem<D>)>,
    in_flight: usize,
    window: Window,
}

/// What is known of one item beside the item.
#[derive(Clone, Default)]
struct Progress {
    group: usize,
    began: Option<Nanos>,
    sent: u32,
    retries: u32,
}

impl Progress {
    /// Since it began; zero where it never did.
    fn duration(&self, now: Nanos) -> Duration {
        self.began.map_or(Duration::ZERO, |began| now.saturating_sub(began).into())
    }
}

pub(super) async fn run<P: BatchProcessor>(
    processor: &P,
    items: Vec<BatchItem<P::Data>>,
    config: &BatchConfig,
) -> BatchResults<P::Data, P::Output> {
    let total = items.len();
    let (mut groups, mut progress) = grouped(processor, items, config);
    let mut results: Vec<Option<BatchResult<P::Data, P::Output>>> = (0..total).map(|_| None).collect();
    let clock = Clock::start();
    let stop = watch::Sender::new(false);
    let mut running = FuturesUnordered::new();
    let (mut successful, mut failed) = (0, 0);
    loop {
        for group in &mut groups {
            while group.in_flight < group.window.size()
                && !*stop.borrow()
                && let Some((index, item)) = group.pending.pop_front()
            {
                group.in_flight += 1;
                if let Some(progress) = progress.get_mut(index) {
                    progress.began.get_or_insert(clock.now());
                }
                running.push(Either::Left(work(processor, index, group.window.begin(), item, stop.subscribe())));
            }
        }
        let Some(event) = running.next().await else { break };
        let (index, number, mut item, outcome) = match event {
            Event::Processed { index, number, item, outcome } => (index, number, item, outcome),
            Event::Due { index, item } => {
                if let Some(group) = group_of(&mut groups, &progress, index) {
                    group.pending.push_front((index, item));
                }
                continue;
            }
        };
        let (attempts, was_refused) = match &outcome {
            Some(Ok(processed)) => (processed.attempts, processed.rate_limited_attempts > 0),
            Some(Err(error)) => (error.attempts(), error.was_rate_limited()),
            None => (0, false),
        };
        if let Some(group) = group_of(&mut groups, &progress, index) {
            group.in_flight -= 1;
            group.window.end(number, was_refused);
        }
        let Some(known) = progress.get_mut(index) else { continue };
        known.sent = known.sent.saturating_add(attempts);
        item.attempt_count = known.sent;
        if let Some(Err(error)) = &outcome {
            item.last_error = Some(error.to_string());
            let tries = known.sent.max(known.retries + 1);
            if error.is_retryable() && tries <= config.max_retries_per_item && !*stop.borrow() {
                let own = config.delay(known.retries, fastrand::u64(..));
                known.retries += 1;
                let delay = error.retry_after().map_or(own, |told| told.max(own));
                running.push(Either::Right(due(delay, index, item, stop.subscribe())));
                continue;
            }
        }
        let result = finished(item, outcome, known.duration(clock.now()), config);
        if result.success {
            successful += 1
        } else {
            failed += 1
        }
        if !result.success && config.stop_on_first_error {
            stop.send_replace(true);
        }
        if let Some(slot) = results.get_mut(index) {
            *slot = Some(result);
        }
        if let Some(show) = &config.show_progress {
            show(&BatchProgress { description: &config.progress_desc, total, successful, failed });
        }
    }
    // Only where the batch was stopped is anything left.
    for (index, item) in groups.into_iter().flat_map(|group| group.pending) {
        if let Some(slot) = results.get_mut(index) {
            let duration = progress.get(index).map_or(Duration::ZERO, |known| known.duration(clock.now()));
            *slot = Some(finished(item, None, duration, config));
        }
    }
    BatchResults::new(results.into_iter().flatten().collect())
}

/// The items by group, in the order in which the groups first occur, each with its name.
fn grouped<P: BatchProcessor>(
    processor: &P,
    items: Vec<BatchItem<P::Data>>,
    config: &BatchConfig,
) -> (Vec<Group<P::Data>>, Vec<Progress>) {
    let mut groups: Vec<Group<P::Data>> = Vec::new();
    let mut progress = Vec::with_capacity(items.len());
    for (index, mut item) in items.into_iter().enumerate() {
        item.id.get_or_insert_with(|| format!("item_{index}"));
        let provider = config.group_by_provider.then(|| processor.provider_of(&item)).flatten();
        let model = config.group_by_model.then(|| processor.model_of(&item)).flatten();
        let key = (provider, model);
        let known = groups.iter().position(|group| group.key == key);
        let group = known.unwrap_or(groups.len());
        if known.is_none() {
            groups.push(Group { key, pending: VecDeque::new(), in_flight: 0, window: Window::new(config) });
        }
        if let Some(group) = groups.get_mut(group) {
            group.pending.push_back((index, item));
        }
        progress.push(Progress { group, ..Progress::default() });
    }
    (groups, progress)
}

fn group_of<'a, D>(groups: &'a mut [Group<D>], progress: &[Progress], index: usize) -> Option<&'a mut Group<D>> {
    groups.get_mut(progress.get(index)?.group)
}

async fn work<P: BatchProcessor>(
    processor: &P,
    index: usize,
    number: u64,
    item: BatchItem<P::Data>,
    mut stop: watch::Receiver<bool>,
) -> Event<P::Data, P::Output> {
    let outcome = tokio::select! {
        biased;
        outcome = processor.process_item(&item) => Some(outcome),
        _ = stop.wait_for(|stop| *stop) => None,
    };
    Event::Processed { index, number, item, outcome }
}

async fn due<D, T>(delay: Duration, index: usize, item: BatchItem<D>, mut stop: watch::Receiver<bool>) -> Event<D, T> {
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    Event::Due { index, item }
}

/// The result of an item that goes no further.
fn finished<D, T>(
    item: BatchItem<D>,
    outcome: Option<Result<Processed<T>, ItemError>>,
    duration: Duration,
    config: &BatchConfig,
) -> BatchResult<D, T> {
    let mut result = BatchResult {
        attempt_count: item.attempt_count,
        item,
        result: None,
        error: None,
        success: false,
        duration,
        response_headers: http::HeaderMap::new(),
        status_code: None,
    };
    match outcome.unwrap_or_else(|| Err(ItemError::stopped())) {
        Ok(processed) => {
            result.success = true;
            result.result = Some(processed.value);
            result.status_code = processed.status_code;
            result.response_headers = processed.response_headers;
        }
        Err(error) => {
            result.status_code = error.client_error().and_then(crate::Error::status);
            let headers = error.client_error().and_then(crate::Error::headers);
            result.response_headers = headers.cloned().unwrap_or_default();
            result.error = config.collect_errors.then_some(error);
        }
    }
    result
}
