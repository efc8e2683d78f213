//! `bench providers`: what reading an answer costs.
//!
//! Limit headers beside all the others that come with them, streams as three providers send them, and usage in streams and
//! whole answers. They are written here in the form of what providers send; where recorded streams are kept beside the
//! project, those are decoded, too.

mod heads;
mod recorded;
mod streams;

use crate::clock::Clock;
use crate::console;
use crate::instructions::Instructions;
use crate::measure::Group;
use crate::report::{Goal, Report, Section};

/// An observation takes this many nanoseconds at most.
const LONGEST_OBSERVATION: f64 = 1_000.0;
/// Megabytes a second, in streams.
const SLOWEST_STREAM: f64 = 500.0;

/// All groups of operations.
pub(crate) fn groups() -> Vec<Group> {
    vec![heads::group(), streams::events(), streams::followed()]
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
        let mut section = group.run(&instructions)?;
        match group.key {
            heads::KEY => goals(&mut section, Goal::ValueAtMost(LONGEST_OBSERVATION)),
            streams::EVENTS => {
                streams::in_megabytes_a_second(&mut section);
                goals(&mut section, Goal::ValueAtLeast(SLOWEST_STREAM));
            }
            _ => streams::in_megabytes_a_second(&mut section),
        }
        report.sections.push(section);
    }
    report.sections.push(streams::allocations()?);
    report.notes = vec![
        "value: the median of all batches".to_owned(),
        "MB/s: millions of bytes of the stream as it comes, in pieces of 16 KiB".to_owned(),
        instructions.note().to_owned(),
        format!("took {:.0} s", clock.elapsed().as_secs_f64()),
    ];
    Ok(report)
}

fn goals(section: &mut Section, goal: Goal) {
    section.rows.iter_mut().for_each(|row| row.goal = Some(goal));
}
