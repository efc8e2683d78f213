//! The work itself: which futures run. What they mean is in `books.rs`.

use std::time::Duration;

use futures::StreamExt;
use futures::future::Either;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;

use super::books::{Begun, Books, Next};
use super::{BatchConfig, BatchItem, BatchProcessor, BatchResults, ItemError, Processed};

/// What happened next.
enum Event<D, T> {
    /// An item was processed; without an outcome it was stopped.
    Processed(Begun<D>, Option<Result<Processed<T>, ItemError>>),
    /// An item has waited long enough for its next try.
    Due(usize, BatchItem<D>),
}

pub(super) async fn run<P: BatchProcessor>(
    processor: &P,
    items: Vec<BatchItem<P::Data>>,
    config: &BatchConfig,
) -> BatchResults<P::Data, P::Output> {
    let stop = watch::Sender::new(false);
    let mut books = Books::new(processor, items, config);
    let mut running = FuturesUnordered::new();
    for group in 0..books.groups() {
        while let Some(begun) = books.begin(group) {
            running.push(Either::Left(work(processor, begun, stop.subscribe())));
        }
    }
    while let Some(event) = running.next().await {
        let group = match event {
            Event::Due(index, item) => books.rejoin(index, item),
            Event::Processed(begun, outcome) => match books.end(begun, outcome) {
                Next::Over { group } => group,
                Next::Again { index, item, delay, group } => {
                    running.push(Either::Right(due(delay, index, item, stop.subscribe())));
                    group
                }
            },
        };
        if books.is_stopped() {
            stop.send_replace(true);
        }
        while let Some(begun) = books.begin(group) {
            running.push(Either::Left(work(processor, begun, stop.subscribe())));
        }
    }
    books.close()
}

async fn work<P: BatchProcessor>(
    processor: &P,
    begun: Begun<P::Data>,
    mut stop: watch::Receiver<bool>,
) -> Event<P::Data, P::Output> {
    let outcome = tokio::select! {
        biased;
        outcome = processor.process_item(&begun.item) => Some(outcome),
        _ = stop.wait_for(|stop| *stop) => None,
    };
    Event::Processed(begun, outcome)
}

async fn due<D, T>(delay: Duration, index: usize, item: BatchItem<D>, mut stop: watch::Receiver<bool>) -> Event<D, T> {
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    Event::Due(index, item)
}
