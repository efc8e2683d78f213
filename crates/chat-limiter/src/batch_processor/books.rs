//! What is known of a batch: who waits in which group, who is next, and what became of everybody.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use limiter_core::Nanos;

use super::window::Window;
use super::{BatchConfig, BatchItem, BatchProcessor, BatchProgress, BatchResult, BatchResults, ItemError, Processed};
use crate::clock::Clock;

/// The books of one batch.
pub(super) struct Books<'a, D, T> {
    config: &'a BatchConfig,
    clock: Clock,
    groups: Vec<Group<D>>,
    known: Vec<Known>,
    results: Vec<Option<BatchResult<D, T>>>,
    successful: usize,
    failed: usize,
    is_stopped: bool,
}

/// Items that share a window.
struct Group<D> {
    pending: VecDeque<(usize, BatchItem<D>)>,
    in_flight: usize,
    window: Window,
}

/// What is known of one item beside the item.
struct Known {
    group: usize,
    began: Option<Nanos>,
    sent: u32,
    retries: u32,
}

/// An item that is being processed.
pub(super) struct Begun<D> {
    pub(super) item: BatchItem<D>,
    index: usize,
    /// Its number in the window of its group.
    number: u64,
}

/// What comes after an item was processed.
pub(super) enum Next<D> {
    /// It goes no further, and its group has a place.
    Over { group: usize },
    /// It goes again, after a delay in which its place is another's.
    Again { index: usize, item: BatchItem<D>, delay: Duration, group: usize },
}

impl<'a, D: Send + Sync, T: Send> Books<'a, D, T> {
    /// The items by group, in the order in which the groups first occur, each with its name.
    pub(super) fn new<P>(processor: &P, items: Vec<BatchItem<D>>, config: &'a BatchConfig) -> Self
    where
        P: BatchProcessor<Data = D, Output = T>,
    {
        let mut numbers = HashMap::new();
        let mut groups: Vec<Group<D>> = Vec::new();
        let mut known = Vec::with_capacity(items.len());
        for (index, mut item) in items.into_iter().enumerate() {
            item.id.get_or_insert_with(|| format!("item_{index}"));
            let provider = config.group_by_provider.then(|| processor.provider_of(&item)).flatten();
            let model = config.group_by_model.then(|| processor.model_of(&item)).flatten();
            let number = *numbers.entry((provider, model)).or_insert(groups.len());
            known.push(Known { group: number, began: None, sent: 0, retries: 0 });
            match groups.get_mut(number) {
                Some(group) => group.pending.push_back((index, item)),
                None => {
                    groups.push(Group { pending: [(index, item)].into(), in_flight: 0, window: Window::new(config) });
                }
            }
        }
        let results = known.iter().map(|_| None).collect();
        let clock = Clock::start();
        Self { config, clock, groups, known, results, successful: 0, failed: 0, is_stopped: false }
    }

    pub(super) const fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Whether the first error has ended the batch.
    pub(super) const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// The next item of a group, if it has a place for one.
    pub(super) fn begin(&mut self, group: usize) -> Option<Begun<D>> {
        let group = self.groups.get_mut(group).filter(|group| group.in_flight < group.window.size())?;
        if self.is_stopped {
            return None;
        }
        let (index, item) = group.pending.pop_front()?;
        group.in_flight += 1;
        self.known.get_mut(index)?.began.get_or_insert(self.clock.now());
        Some(Begun { item, index, number: group.window.begin() })
    }

    /// An item that waited for its next try is next in its group. Returns the group.
    pub(super) fn rejoin(&mut self, index: usize, item: BatchItem<D>) -> usize {
        let number = self.known.get(index).map_or(0, |known| known.group);
        if let Some(group) = self.groups.get_mut(number) {
            group.pending.push_front((index, item));
        }
        number
    }

    /// An item was processed, or without an outcome stopped.
    pub(super) fn end(&mut self, begun: Begun<D>, outcome: Option<Result<Processed<T>, ItemError>>) -> Next<D> {
        let Begun { mut item, index, number } = begun;
        let (attempts, was_refused) = match &outcome {
            Some(Ok(processed)) => (processed.attempts, processed.rate_limited_attempts > 0),
            Some(Err(error)) => (error.attempts(), error.was_rate_limited()),
            None => (0, false),
        };
        let Some(known) = self.known.get_mut(index) else { return Next::Over { group: 0 } };
        let group = known.group;
        if let Some(group) = self.groups.get_mut(group) {
            group.in_flight = group.in_flight.saturating_sub(1);
            group.window.end(number, was_refused);
        }
        known.sent = known.sent.saturating_add(attempts);
        item.attempt_count = known.sent;
        if let Some(Err(error)) = &outcome {
            item.last_error = Some(error.to_string());
            // What was never sent, or does not say how often, was tried once each time.
            let tries = known.sent.max(known.retries.saturating_add(1));
            if error.is_retryable() && tries <= self.config.max_retries_per_item && !self.is_stopped {
                let own = self.config.delay(known.retries, fastrand::u64(..));
                known.retries += 1;
                let delay = error.retry_after().map_or(own, |told| told.max(own));
                return Next::Again { index, item, delay, group };
            }
        }
        self.finish(index, item, outcome);
        self.is_stopped |= self.failed > 0 && self.config.stop_on_first_error;
        if let Some(show) = &self.config.show_progress {
            let (total, successful, failed) = (self.known.len(), self.successful, self.failed);
            show(&BatchProgress { description: &self.config.progress_desc, total, successful, failed });
        }
        Next::Over { group }
    }

    /// The results. What is left was stopped.
    pub(super) fn close(mut self) -> BatchResults<D, T> {
        for group in std::mem::take(&mut self.groups) {
            for (index, item) in group.pending {
                self.finish(index, item, None);
            }
        }
        BatchResults::new(self.results.into_iter().flatten().collect())
    }

    /// The item goes no further.
    fn finish(&mut self, index: usize, item: BatchItem<D>, outcome: Option<Result<Processed<T>, ItemError>>) {
        let began = self.known.get(index).and_then(|known| known.began);
        let mut result = BatchResult {
            attempt_count: item.attempt_count,
            item,
            result: None,
            error: None,
            success: false,
            duration: began.map_or(Duration::ZERO, |began| self.clock.now().saturating_sub(began).into()),
            response_headers: http::HeaderMap::new(),
            status_code: None,
        };
        match outcome.unwrap_or_else(|| Err(ItemError::stopped())) {
            Ok(processed) => {
                self.successful += 1;
                result.success = true;
                result.result = Some(processed.value);
                result.status_code = processed.status_code;
                result.response_headers = processed.response_headers;
            }
            Err(error) => {
                self.failed += 1;
                let client = error.client_error();
                result.status_code = client.and_then(crate::Error::status);
                result.response_headers = client.and_then(crate::Error::headers).cloned().unwrap_or_default();
                result.error = self.config.collect_errors.then_some(error);
            }
        }
        if let Some(slot) = self.results.get_mut(index) {
            *slot = Some(result);
        }
    }
}
