//! All of it for programs.

use serde_json::{Value, json};

use super::summary::cold_starts;
use crate::ceiling::goal::Goal;
use crate::ceiling::outcome::Outcome;

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
