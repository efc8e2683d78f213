//! How many cells meet their goal, the worst of those that do not, and the cold starts.

use super::{is_met, is_pair, line};
use crate::ceiling::axes::{Fill, Headers, Server};
use crate::ceiling::cell::Cell;
use crate::ceiling::goal::{Class, Goal};
use crate::ceiling::outcome::Outcome;

/// How many of the worst cells are named.
const WORST: usize = 10;

/// How many cells of a class meet their goal, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) class: Class,
    /// Those with one deviation, and the servers of other kinds.
    pub(super) single: (usize, usize),
    /// Those with two.
    pub(super) pairs: (usize, usize),
}

/// Each class that has a cell.
pub(super) fn tallies(outcomes: &[Outcome]) -> Vec<Tally> {
    let tally = |class: Class| {
        let count = |pairs: bool| {
            let cells =
                || outcomes.iter().filter(|outcome| Class::of(&outcome.cell) == class && is_pair(outcome) == pairs);
            (cells().filter(|outcome| is_met(outcome)).count(), cells().count())
        };
        Tally { class, single: count(false), pairs: count(true) }
    };
    let tallies = Class::ALL.into_iter().map(tally);
    tallies.filter(|tally| tally.single.1 + tally.pairs.1 > 0).collect()
}

/// How many meet their goal, of how many.
pub(super) fn of(tally: (usize, usize)) -> String {
    format!("{} of {}", tally.0, tally.1)
}

/// The classes and how many of their cells meet the goal, the worst cells, and the cold starts.
#[must_use]
pub fn summary(outcomes: &[Outcome]) -> String {
    let mut lines =
        vec![format!("{:<36} {:>16} {:>16}", "cells that meet their goal", "one deviation", "two deviations")];
    for tally in tallies(outcomes) {
        lines.push(format!("{:<36} {:>16} {:>16}", tally.class.name(), of(tally.single), of(tally.pairs)));
    }
    let met = outcomes.iter().filter(|outcome| is_met(outcome)).count();
    lines.push(format!("{:<36} {:>16}", "all", format!("{met} of {}", outcomes.len())));
    let mut worst: Vec<&Outcome> = outcomes.iter().filter(|outcome| !is_met(outcome)).collect();
    worst.sort_by(|one, other| excess(other).total_cmp(&excess(one)));
    if !worst.is_empty() {
        lines.push(String::from("\nthe worst"));
        lines.extend(worst.into_iter().take(WORST).map(line));
    }
    let cold = cold_starts(outcomes);
    if !cold.is_empty() {
        lines.push(String::from("\ntime to 90 % of the rate with nothing known and nothing saved up"));
        lines.extend(cold.into_iter().map(|(name, seconds)| format!("{name:<50} {}", seconds_or_never(seconds))));
    }
    lines.join("\n")
}

pub(super) fn seconds_or_never(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.0} s"))
}

/// How bad a cell is: by its ratio, and one for every tenth of the requests that was refused or lost.
fn excess(outcome: &Outcome) -> f64 {
    let ratio = Goal::of(&outcome.cell).ratio_of(outcome);
    let lost = outcome.requests.saturating_sub(outcome.answered);
    ratio + 10.0 * (outcome.refused + lost) as f64 / outcome.requests.max(1) as f64
}

/// Ten times the usual limits and an empty bucket with each way of telling them, and when it ran at full speed: the usual
/// limits are reached within the first second, and what had been saved up would be let through at once.
pub(super) fn cold_starts(outcomes: &[Outcome]) -> Vec<(String, Option<f64>)> {
    let telling = [Headers::OpenAi, Headers::OnRefusal, Headers::Never];
    let cells = telling.map(|headers| Cell { headers, fill: Fill::Empty, server: Server::Large, ..Cell::BASE });
    let found = cells.iter().filter_map(|cell| outcomes.iter().find(|outcome| outcome.cell == *cell));
    found.map(|outcome| (outcome.cell.to_string(), outcome.full_speed_after)).collect()
}
