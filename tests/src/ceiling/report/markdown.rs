//! Tables for a document, so that nobody writes them by hand.

use super::summary::{cold_starts, of, seconds_or_never, tallies};
use super::{is_met, is_pair, retries, verdict};
use crate::ceiling::goal::Goal;
use crate::ceiling::outcome::Outcome;

/// Sections of tables: how many cells meet their goal, each cell with one deviation, the servers of other kinds, the pairs
/// that miss a goal (all pairs where that is asked for), and the cold starts.
#[must_use]
pub fn markdown(outcomes: &[Outcome], all_pairs: bool) -> String {
    let mut lines =
        vec!["| cells that meet their goal | one deviation | two deviations |".to_owned(), "|---|---|---|".to_owned()];
    for tally in tallies(outcomes) {
        lines.push(format!("| {} | {} | {} |", tally.class.name(), of(tally.single), of(tally.pairs)));
    }
    let met = outcomes.iter().filter(|outcome| is_met(outcome)).count();
    lines.push(format!("| all | {} | |", of((met, outcomes.len()))));
    let section = |title: &str, is_in: &dyn Fn(&Outcome) -> bool| {
        let rows: Vec<String> = outcomes.iter().filter(|outcome| is_in(outcome)).map(row).collect();
        if rows.is_empty() { Vec::new() } else { [vec![format!("\n### {title}\n"), heading()], rows].concat() }
    };
    lines.extend(section("One deviation", &|outcome| !outcome.cell.is_foreign() && !is_pair(outcome)));
    lines.extend(section("Servers of other kinds", &|outcome| outcome.cell.is_foreign()));
    if all_pairs {
        lines.extend(section("Two deviations", &is_pair));
    } else {
        lines.extend(section("Two deviations that miss a goal", &|outcome| is_pair(outcome) && !is_met(outcome)));
    }
    let cold = cold_starts(outcomes);
    if !cold.is_empty() {
        lines.push("\n### Cold start\n".to_owned());
        lines.push("| nothing saved up | time to 90 % of the rate |\n|---|---|".to_owned());
        lines.extend(cold.into_iter().map(|(name, seconds)| format!("| {name} | {} |", seconds_or_never(seconds))));
    }
    lines.join("\n")
}

fn heading() -> String {
    "| cell | requests | minimum, s | took, s | ratio | 429s | retries | goal | |\n|---|---|---|---|---|---|---|---|---|".to_owned()
}

fn row(outcome: &Outcome) -> String {
    let goal = Goal::of(&outcome.cell);
    format!(
        "| {} | {} | {:.1} | {:.1} | {:.3} | {} | {} | {goal} | {} |",
        outcome.cell,
        outcome.requests,
        outcome.minimum,
        outcome.makespan,
        goal.ratio_of(outcome),
        outcome.refused,
        retries(outcome),
        verdict(outcome),
    )
}
