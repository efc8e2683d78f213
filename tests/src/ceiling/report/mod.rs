//! What is printed: lines and a summary for people, tables for a document, or an array for programs.

mod array;
mod markdown;
mod summary;

use super::goal::Goal;
use super::outcome::Outcome;

pub use array::json;
pub use markdown::markdown;
pub use summary::summary;

/// The most lines of cells that are printed unless all are asked for, so that what stands below them is found.
const MOST_LINES: usize = 230;

/// Prints lines of cells as their outcomes come.
#[derive(Debug)]
pub struct Lines {
    /// Whether every cell has a line: otherwise pairs that meet their goal have none.
    all: bool,
    printed: usize,
    left_out: usize,
}

impl Lines {
    /// Lines of every cell, or of those that say something.
    #[must_use]
    pub const fn new(all: bool) -> Self {
        Self { all, printed: 0, left_out: 0 }
    }

    /// The line of `outcome`, if it gets one.
    pub fn of(&mut self, outcome: &Outcome) -> Option<String> {
        let shown = self.all || (self.printed < MOST_LINES && (!is_pair(outcome) || !is_met(outcome)));
        if !shown {
            self.left_out += 1;
            return None;
        }
        self.printed += 1;
        Some(line(outcome))
    }

    /// What to say of the cells that got none.
    #[must_use]
    pub fn rest(&self) -> Option<String> {
        let rest = self.left_out;
        (rest > 0).then(|| {
            format!("and {rest} cells with two deviations, most of which meet their goal; --verbose shows all")
        })
    }
}

/// Whether it is one of the pairs of the axes.
fn is_pair(outcome: &Outcome) -> bool {
    !outcome.cell.is_foreign() && outcome.cell.deviations().len() > 1
}

fn is_met(outcome: &Outcome) -> bool {
    Goal::of(&outcome.cell).missed(outcome).is_empty()
}

/// What was missed, in words.
fn verdict(outcome: &Outcome) -> String {
    let missed = Goal::of(&outcome.cell).missed(outcome);
    if missed.is_empty() { "met".to_owned() } else { format!("NOT MET: {}", missed.join(", ")) }
}

/// What stands over the lines of the cells.
#[must_use]
pub fn heading() -> String {
    format!(
        "{:<50} {:>8} {:>9} {:>9} {:>7} {:>5} {:>7} {:>6}  goal",
        "cell", "requests", "minimum s", "took s", "ratio", "429s", "retries", "failed"
    )
}

/// A cell's line.
fn line(outcome: &Outcome) -> String {
    let goal = Goal::of(&outcome.cell);
    let verdict = verdict(outcome);
    let name = outcome.cell.to_string();
    format!(
        "{name:<50} {:>8} {:>9.1} {:>9.1} {:>7.3} {:>5} {:>7} {:>6}  {goal}: {verdict}",
        outcome.requests,
        outcome.minimum,
        outcome.makespan,
        goal.ratio_of(outcome),
        outcome.refused,
        retries(outcome),
        outcome.requests - outcome.answered.min(outcome.requests),
    )
}

fn retries(outcome: &Outcome) -> u64 {
    outcome.attempts.saturating_sub(outcome.requests)
}

/// What else is known of a cell.
#[must_use]
pub fn details(outcome: &Outcome) -> String {
    let speed = outcome.full_speed_after.map_or_else(|| "never".to_owned(), |seconds| format!("after {seconds:.0} s"));
    let failure = outcome.failure.as_ref().map(|failure| format!("; first failure: {failure}")).unwrap_or_default();
    format!(
        "    ratio of all {:.4}, after the first minute {:.4}; full speed {speed}; sent {} times, {} of them dropped; \
         latest answer {:.1} s overdue{failure}",
        outcome.ratio(),
        outcome.later_ratio,
        outcome.attempts,
        outcome.unlucky,
        outcome.overdue,
    )
}

#[cfg(test)]
mod tests;
