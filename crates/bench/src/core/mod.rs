//! `bench core`: what a decision of limiter-core costs.

mod contended;
mod limiter;
mod memory;
mod queue;
mod reconcile;
mod refused;
mod reserve;

use crate::clock::Clock;
use crate::console;
use crate::instructions::Instructions;
use crate::measure::Group;
use crate::report::Report;

/// All groups of operations.
pub(crate) fn groups() -> Vec<Group> {
    vec![
        reserve::group(),
        contended::group(),
        refused::group(),
        queue::admission(),
        queue::cancellation(),
        reconcile::group(),
    ]
}

/// Measures all.
///
/// # Errors
///
/// An operation did not do what is measured, or valgrind failed.
pub(crate) fn report() -> anyhow::Result<Report> {
    let clock = Clock::start();
    let instructions = Instructions::new();
    let mut report = Report::default();
    for group in groups() {
        console::complain(&format!("measuring: {}", group.title));
        report.sections.push(group.run(&instructions)?);
    }
    report.sections.push(memory::section()?);
    report.notes.push("value: the median of all batches; ratio: the median of the ratios of each round".to_owned());
    report.notes.push(instructions.note().to_owned());
    report.notes.push(format!("took {:.0} s", clock.elapsed().as_secs_f64()));
    Ok(report)
}
