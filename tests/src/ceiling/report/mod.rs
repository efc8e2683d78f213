//! What is printed: a line for each cell and a summary for people, or an array for programs.

use serde_json::{Value, json};

use super::axes::Headers;
use super::cell::Cell;
use super::goal::{Class, Goal};
use super::outcome::Outcome;

/// How many of the worst cells the summary names.
const WORST: usize = 10;

/// What stands over the lines of the cells.
#[must_use]
pub fn heading() -> String {
    format!(
        "{:<42} {:>8} {:>9} {:>9} {:>7} {:>5} {:>7} {:>6}  goal",
        "cell", "requests", "minimum s", "took s", "ratio", "429s", "retries", "failed"
    )
}

/// A cell's line.
#[must_use]
pub fn line(outcome: &Outcome) -> String {
    let goal = Goal::of(&outcome.cell);
    let missed = goal.missed(outcome);
    let verdict = if missed.is_empty() { "met".to_owned() } else { format!("NOT MET: {}", missed.join(", ")) };
    let name = outcome.cell.to_string();
    format!(
        "{name:<42} {:>8} {:>9.1} {:>9.1} {:>7.3} {:>5} {:>7} {:>6}  {goal}: {verdict}",
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

/// The classes and how many of their cells meet the goal, the worst cells, and the cold starts.
#[must_use]
pub fn summary(outcomes: &[Outcome]) -> String {
    let mut lines =
        vec![format!("{:<36} {:>16} {:>16}", "cells that meet their goal", "one deviation", "two deviations")];
    for class in Class::ALL {
        let of_class = || outcomes.iter().filter(move |outcome| Class::of(&outcome.cell) == class);
        if of_class().next().is_none() {
            continue;
        }
        let tally = |is_pair: bool| {
            let cells = || of_class().filter(move |outcome| (outcome.cell.deviations().len() > 1) == is_pair);
            let met = cells().filter(|outcome| is_met(outcome)).count();
            format!("{met} of {}", cells().count())
        };
        lines.push(format!("{:<36} {:>16} {:>16}", class.name(), tally(false), tally(true)));
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
        lines.push(String::from("\ntime to 90 % of the rate with nothing known"));
        lines.extend(cold.into_iter().map(|(name, seconds)| format!("{name:<42} {}", seconds_or_never(seconds))));
    }
    lines.join("\n")
}

fn seconds_or_never(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.0} s"))
}

fn is_met(outcome: &Outcome) -> bool {
    Goal::of(&outcome.cell).missed(outcome).is_empty()
}

/// How bad a cell is: by its ratio, and one for every tenth of the requests that was refused or lost.
fn excess(outcome: &Outcome) -> f64 {
    let ratio = Goal::of(&outcome.cell).ratio_of(outcome);
    let lost = outcome.requests.saturating_sub(outcome.answered);
    ratio + 10.0 * (outcome.refused + lost) as f64 / outcome.requests.max(1) as f64
}

/// The base cell with each way of telling limits, by the simplest of forms, and when it ran at full speed.
fn cold_starts(outcomes: &[Outcome]) -> Vec<(String, Option<f64>)> {
    let telling = [Headers::OpenAi, Headers::OnRefusal, Headers::Never];
    let cells = telling.map(|headers| Cell { headers, ..Cell::BASE });
    let found = cells.iter().filter_map(|cell| outcomes.iter().find(|outcome| outcome.cell == *cell));
    found.map(|outcome| (outcome.cell.to_string(), outcome.full_speed_after)).collect()
}

/// All of it as an array of objects.
#[must_use]
pub fn json(outcomes: &[Outcome]) -> Value {
    let cells = outcomes.iter().flat_map(|outcome| {
        let goal = Goal::of(&outcome.cell);
        let missed = goal.missed(outcome);
        let (name, is_met) = (outcome.cell.to_string(), |what| !missed.contains(&what));
        let others: Vec<&str> = missed.iter().copied().filter(|what| !["ratio", "429s"].contains(what)).collect();
        [
            json!({"name": format!("{name}: time"), "value": rounded(outcome.makespan), "unit": "s",
                "versus": format!("the least time, {} s", rounded(outcome.minimum)),
                "ratio": rounded(goal.ratio_of(outcome)), "goal": goal.of_time(), "met": is_met("ratio")}),
            json!({"name": format!("{name}: refusals"), "value": outcome.refused, "unit": "429s",
                "versus": null, "ratio": null, "goal": goal.of_refusals(), "met": is_met("429s")}),
            json!({"name": format!("{name}: other goals missed"), "value": others.len(), "unit": others.join(", "),
                "versus": null, "ratio": null, "goal": "value <= 0", "met": others.is_empty()}),
        ]
    });
    let cold = cold_starts(outcomes).into_iter().map(|(name, seconds)| {
        json!({"name": format!("{name}: time to 90 % of the rate"), "value": seconds, "unit": "s",
            "versus": null, "ratio": null, "goal": null, "met": null})
    });
    cells.chain(cold).collect()
}

fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
