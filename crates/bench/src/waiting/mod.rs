//! `bench waiting`: a million callers that wait at once, beside a million that wait for tokio's semaphore.
//!
//! Each is a future in a box of its own, as a task has it, that was polled once. What is measured: the bytes that all of
//! them take, the queue included; the time to join it, to leave it in no order, and to be let through one after the other,
//! each when the one before it is done.

mod crowd;
mod limiter;
mod semaphore;

use crate::clock::Clock;
use crate::console;
use crate::measure::median;
use crate::report::{Count, Goal, Report, Row, Section, Versus};
use crowd::Measured;

/// How many wait.
const CALLERS: usize = 1_000_000;
/// How often each is measured, in turns.
const ROUNDS: usize = 5;

const OURS: &str = "ChatLimiter::acquire";
const SEMAPHORE: &str = "tokio::sync::Semaphore::acquire_owned";

/// The most that is good enough, in bytes: then a million fit into half a gigabyte.
const MOST_BYTES: f64 = 512.0;

/// Measures all.
///
/// # Errors
///
/// A future did something else than to wait, or to be let through in its turn.
pub(crate) fn report() -> anyhow::Result<Report> {
    let clock = Clock::start();
    // Nothing is sent, and nobody sleeps: it is there because a client wants one.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let _inside = runtime.enter();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        console::complain(&format!("measuring: round {round} of {ROUNDS}"));
        ours.push(limiter::measure(CALLERS)?);
        theirs.push(semaphore::measure(CALLERS)?);
    }
    let mut section = Section::new("a million callers wait, for each of them");
    section.rows = vec![
        Row {
            goal: Some(Goal::ValueAtMost(MOST_BYTES)),
            ..row("memory, all in all", "bytes", &ours, &theirs, |it| it.bytes)
        },
        row("the future alone", "bytes", &ours, &theirs, |it| it.future_bytes),
        row("joins the queue", "ns", &ours, &theirs, |it| it.join),
        row("leaves it, in no order", "ns", &ours, &theirs, |it| it.leave),
        row("is let through, and done", "ns", &ours, &theirs, |it| it.admit),
    ];
    let notes = vec![
        format!("{CALLERS} callers; the median of {ROUNDS} rounds in turn; ratio: of the medians"),
        "the semaphore knows no costs, no time and no priorities: it is what waiting costs at least".to_owned(),
        format!("took {:.0} s", clock.elapsed().as_secs_f64()),
    ];
    Ok(Report { sections: vec![section], notes })
}

fn row(
    name: &str,
    unit: &'static str,
    ours: &[Measured],
    theirs: &[Measured],
    measure: impl Fn(&Measured) -> f64,
) -> Row {
    let of = |rounds: &[Measured]| median(&rounds.iter().map(&measure).collect::<Vec<f64>>());
    let (ours, theirs) = (of(ours), of(theirs));
    Row {
        name: format!("{OURS}: {name}"),
        value: Some(ours),
        unit,
        versus: Some(Versus {
            name: format!("{SEMAPHORE}: {name}"),
            value: Some(theirs),
            instructions: Count::NotCounted,
        }),
        ratio: Some(ours / theirs),
        ..Row::default()
    }
}
