//! What a person sees while a run goes on: a bar on a terminal, a line now and then elsewhere.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use chat_limiter::limiter_core::Dimension;
use chat_limiter::{ChatLimiter, Progress, Watcher};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::say;

/// How often the bar moves, and how often a line is printed where there is no terminal.
const TICK: Duration = Duration::from_millis(200);
const LINE: Duration = Duration::from_secs(10);
/// So many failures are told one by one; the result file has all of them.
const MOST_FAILURES: u32 = 20;
/// Ticks over which tokens per minute are measured: ten seconds.
const MEASURED: usize = 50;

/// Shows a run's progress until it is dropped.
pub(crate) struct Display {
    bar: ProgressBar,
    quiet: bool,
    failures: std::sync::atomic::AtomicU32,
    ticker: Option<tokio::task::JoinHandle<()>>,
}

impl Display {
    /// Begins to show the progress of a run over `length` bytes.
    pub(crate) fn start(limiter: ChatLimiter, progress: Arc<Progress>, length: Option<u64>, quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if quiet || !is_terminal { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(length, target);
        let template = if length.is_some() { "{bar:20} {percent:>3} %  {wide_msg}" } else { "{spinner} {wide_msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let task = tick(limiter, progress, length, bar.clone(), is_terminal);
        let ticker = (!quiet).then(|| tokio::spawn(task));
        Self { bar, quiet, failures: 0.into(), ticker }
    }

    /// A line beside the bar, if there is anything to say.
    pub(crate) fn note(&self, line: &str) {
        if !self.quiet && !line.is_empty() {
            self.bar.suspend(|| say(line));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(ticker) = &self.ticker {
            ticker.abort();
        }
        self.bar.finish_and_clear();
    }
}

impl Watcher for Display {
    fn failed(&self, place: &str, why: &str) {
        let told = self.failures.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if told < MOST_FAILURES {
            self.bar.suspend(|| say(&format!("{place}: {why}")));
        } else if told == MOST_FAILURES {
            self.bar.suspend(|| say("more failures are not shown here; the results hold all of them"));
        }
    }
}

async fn tick(limiter: ChatLimiter, progress: Arc<Progress>, length: Option<u64>, bar: ProgressBar, is_terminal: bool) {
    let every = if is_terminal { TICK } else { LINE };
    let mut interval = tokio::time::interval(every);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval.tick().await;
    let mut tokens: VecDeque<u64> = VecDeque::from([0]);
    // Lines that an earlier run has dealt with pass in no time: the time left is reckoned from behind them.
    let (mut elapsed, mut passed, mut skipped) = (Duration::ZERO, 0, 0);
    loop {
        interval.tick().await;
        elapsed += every;
        let now = progress.snapshot();
        if now.skipped > skipped {
            (elapsed, passed, skipped) = (Duration::ZERO, now.bytes, now.skipped);
        }
        tokens.push_back(now.tokens);
        if tokens.len() > MEASURED {
            tokens.pop_front();
        }
        let span = every.as_secs_f64() * (tokens.len() - 1) as f64;
        let gained = now.tokens.saturating_sub(tokens.front().copied().unwrap_or_default());
        let per_minute = gained as f64 * 60.0 / span;
        let (in_flight, limit) = load(&limiter);
        let mut line = format!("{} done, {} failed, {in_flight} in flight", now.succeeded, now.failed);
        if let Some(left) = length
            .and_then(|length| time_left(now.bytes.saturating_sub(passed), length.saturating_sub(passed), elapsed))
        {
            line += &format!(", {} left", span_of(left));
        }
        line += &match limit {
            Some(limit) => format!(", {per_minute:.0} of {limit} tokens/min"),
            None => format!(", {per_minute:.0} tokens/min"),
        };
        if is_terminal {
            bar.set_position(now.bytes);
            bar.set_message(line);
            bar.tick();
        } else {
            say(&line);
        }
    }
}

/// Requests in flight, and the tokens per minute that are allowed in all, where known.
fn load(limiter: &ChatLimiter) -> (u64, Option<u64>) {
    let (mut in_flight, mut limit) = (0, None);
    for scope in limiter.limits() {
        in_flight += scope.state.in_flight;
        let per_minute = scope.state.limits.iter().filter(|state| state.limit.dimension() == Dimension::Tokens);
        let least = per_minute
            .map(|state| (state.limit.amount() as f64 * 60.0 / state.limit.window().as_secs_f64()).round() as u64)
            .min();
        if let Some(least) = least {
            limit = Some(limit.unwrap_or(0) + least);
        }
    }
    (in_flight, limit)
}

fn time_left(done: u64, length: u64, elapsed: Duration) -> Option<Duration> {
    let rest = (done > 0).then(|| length.saturating_sub(done) as f64 / done as f64)?;
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * rest).ok()
}

/// `1:02:03` or `2:03`.
fn span_of(span: Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_what_is_done() {
        assert_eq!(time_left(0, 100, Duration::from_secs(5)), None);
        assert_eq!(time_left(25, 100, Duration::from_secs(5)), Some(Duration::from_secs(15)));
        assert_eq!(time_left(100, 100, Duration::from_secs(5)), Some(Duration::ZERO));
    }

    #[test]
    fn spans_read_like_a_clock() {
        for (seconds, text) in [(0, "0:00"), (65, "1:05"), (3_723, "1:02:03")] {
            assert_eq!(span_of(Duration::from_secs(seconds)), text);
        }
    }
}
