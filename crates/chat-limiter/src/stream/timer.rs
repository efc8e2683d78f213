//! How long a stream is waited for.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use limiter_core::Nanos;
use tokio::time::Sleep;

use crate::clock::Clock;

/// Who has said that nothing more comes has so much time to close the stream; a connection that is closed well serves
/// another request.
const CLOSING: Duration = Duration::from_secs(1);

/// How long a server may keep its reader waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For any bytes, once there was an event. Before it, the transport's timeout holds: a model thinks first.
    pub(super) idle: Duration,
    /// For an event: a server that sends comments for ever is never idle.
    pub(super) silence: Duration,
    /// When all of it is over, and how long that was from when it was asked for.
    pub(super) end: Option<(Nanos, Duration)>,
}

/// How far a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Beginning,
    Running,
    /// It has said that nothing more comes.
    Complete,
}

/// One timer for what is waited for. It runs only while somebody waits, so that a slow reader is not mistaken for a
/// server that stalls.
#[derive(Debug)]
pub(super) struct Timer {
    patience: Patience,
    clock: Clock,
    /// When this wait for bytes, and this wait for an event, began.
    bytes_since: Option<Nanos>,
    event_since: Option<Nanos>,
    /// Made once, set often.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    pub(super) const fn new(patience: Patience, clock: Clock) -> Self {
        Self { patience, clock, bytes_since: None, event_since: None, sleep: None }
    }

    /// Something came, and perhaps an event with it.
    pub(super) const fn came(&mut self, is_event: bool) {
        self.bytes_since = None;
        if is_event {
            self.event_since = None;
        }
    }

    /// How long all of it had, where that is over: it is asked at each chunk, because a server that always has another one
    /// keeps nobody waiting.
    pub(super) fn passed(&self) -> Option<Duration> {
        self.patience.end.filter(|(end, _)| self.clock.now() >= *end).map(|(_, within)| within)
    }

    /// Nothing is there: ready with the span in which nothing came, once that is too long.
    pub(super) fn poll_waited(&mut self, context: &mut Context<'_>, progress: Progress) -> Poll<Duration> {
        let is_new = self.bytes_since.is_none();
        let mut now = || self.clock.now();
        let bytes_since = *self.bytes_since.get_or_insert_with(&mut now);
        let event_since = *self.event_since.get_or_insert(bytes_since);
        let idle = match progress {
            Progress::Beginning => Duration::MAX,
            Progress::Running => self.patience.idle,
            Progress::Complete => CLOSING,
        };
        let ends = [(bytes_since, idle), (event_since, self.patience.silence)];
        let ends = ends.map(|(since, span)| (since.saturating_add(span.into()), span));
        let [first, second] = ends;
        let (end, span) = if second.0 < first.0 { second } else { first };
        let (end, span) = self.patience.end.filter(|whole| whole.0 < end).unwrap_or((end, span));
        let deadline = self.clock.instant(end);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if is_new && sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(span)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const PATIENCE: Patience = Patience { idle: Duration::from_secs(60), silence: Duration::from_secs(600), end: None };

    /// How long nothing may come, as `progress` is.
    async fn waited(timer: &mut Timer, progress: Progress) -> (Duration, Duration) {
        let before = timer.clock.now();
        let span = poll_fn(|context| timer.poll_waited(context, progress)).await;
        (span, timer.clock.now().saturating_sub(before).into())
    }

    #[tokio::test(start_paused = true)]
    async fn each_part_of_a_stream_has_its_own_patience() {
        for (progress, seconds) in [(Progress::Beginning, 600), (Progress::Running, 60), (Progress::Complete, 1)] {
            let mut timer = Timer::new(PATIENCE, Clock::start());
            let (span, took) = waited(&mut timer, progress).await;
            assert_eq!((span.as_secs(), took.as_secs()), (seconds, seconds), "{progress:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_without_an_event_extend_one_wait_and_not_the_other() {
        let mut timer = Timer::new(PATIENCE, Clock::start());
        for _ in 0..10 {
            let wait = poll_fn(|context| timer.poll_waited(context, Progress::Running));
            assert!(tokio::time::timeout(Duration::from_secs(55), wait).await.is_err());
            timer.came(false);
        }
        // 550 s without an event.
        assert_eq!(waited(&mut timer, Progress::Running).await.1.as_secs(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_reader_who_does_other_things_does_not_count() {
        let mut timer = Timer::new(PATIENCE, Clock::start());
        let wait = poll_fn(|context| timer.poll_waited(context, Progress::Running));
        assert!(tokio::time::timeout(Duration::from_secs(1), wait).await.is_err());
        timer.came(true);
        tokio::time::advance(Duration::from_secs(10_000)).await;
        assert_eq!(waited(&mut timer, Progress::Running).await.1.as_secs(), 60);
    }
}
