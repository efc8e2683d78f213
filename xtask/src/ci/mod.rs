//! `cargo xtask ci`: every check of the workspace, one after the other.
//!
//! A step that fails does not keep the next from running, so one run shows all there is to repair. Each step says how it
//! is run alone.

mod features;
mod optional;
mod step;
mod steps;
mod stopwatch;
mod summary;
mod tally;

use crate::console;
use crate::workspace::Workspace;
pub(crate) use step::Chosen;
use step::{Outcome, Step};
use steps::STEPS;
use stopwatch::Stopwatch;
use summary::{Row, Summary};

/// Shows the steps.
pub(crate) fn list() {
    for step in STEPS {
        console::line(&format!("{:<10} {}\n{:<10} alone: {}", step.name, step.what, "", step.alone));
    }
}

/// Runs the chosen steps, or all where none is chosen, in their order.
///
/// # Errors
///
/// At least one step failed. All others were run nevertheless.
pub(crate) fn run(workspace: &Workspace, chosen: &[Chosen]) -> anyhow::Result<()> {
    let total = Stopwatch::start();
    let mut summary = Summary::default();
    for step in STEPS.iter().filter(|step| chosen.is_empty() || chosen.iter().any(|it| it.is(step))) {
        summary.add(run_step(workspace, step));
    }
    console::line(&format!("\n{summary}\ntook {}", total.elapsed()));
    let failed = summary.failed();
    anyhow::ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

fn run_step(workspace: &Workspace, step: &Step) -> Row {
    console::line(&format!("\n==== {}: {}", step.name, step.what));
    let stopwatch = Stopwatch::start();
    let result = (step.run)(workspace);
    let time = stopwatch.elapsed();
    let (verdict, note) = match result {
        Ok(Outcome::Passed(note)) => ("ok", note),
        Ok(Outcome::Skipped(note)) => ("skipped", note),
        Err(error) => ("FAILED", format!("{error:#}")),
    };
    if !note.is_empty() {
        console::line(&note);
    }
    console::line(&format!("==== {}: {verdict} in {time} (alone: {})", step.name, step.alone));
    Row { step: step.name, verdict, time, note, alone: step.alone }
}
