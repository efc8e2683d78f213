//! What is printed: a table for people, or an array for programs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Counts, Outcome};

/// One figure with its goal.
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    /// The least or the most that is good enough.
    goal: Option<Bound>,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    fn met(&self) -> Option<bool> {
        self.goal.map(|goal| match goal {
            Bound::AtLeast(least) => self.value >= least,
            Bound::AtMost(most) => self.value <= most,
        })
    }

    fn goal(&self) -> Option<String> {
        self.goal.map(|goal| match goal {
            Bound::AtLeast(least) => format!("value >= {least}"),
            Bound::AtMost(most) => format!("value <= {most}"),
        })
    }

    fn json(&self) -> Value {
        let value = (self.value * 1_000.0).round() / 1_000.0;
        json!({"name": self.name, "value": value, "unit": self.unit, "versus": null, "ratio": null,
            "goal": self.goal(), "met": self.met()})
    }
}

/// A hundred where there is nothing to be right about.
fn percent(right: u64, all: u64) -> f64 {
    if all == 0 { 100.0 } else { right as f64 * 100.0 / all as f64 }
}

fn figures(outcome: &Outcome) -> Vec<Figure> {
    let sum = |of: fn(&Counts) -> u64| outcome.providers.values().map(of).sum::<u64>();
    let supported =
        |of: fn(&Counts) -> u64| outcome.providers.values().filter(|counts| counts.is_supported).map(of).sum::<u64>();
    let count = |name: &str, value: u64, goal| Figure { name: name.to_owned(), value: value as f64, unit: "", goal };
    let share = |name: &str, right, all, least| Figure {
        name: format!("{name} ({right} of {all})"),
        value: percent(right, all),
        unit: "%",
        goal: Some(Bound::AtLeast(least)),
    };
    let mut figures = vec![
        count("answers read", sum(|counts| counts.answers), None),
        count("limit headers read", sum(|counts| counts.headers.read), None),
        count("limit headers left aside for a reason", sum(|counts| counts.headers.ignored), None),
        count("limit headers failed", sum(|counts| counts.headers.failed), Some(Bound::AtMost(0.0))),
        share(
            "usage equal in JSON of supported providers",
            supported(|counts| counts.json.equal),
            supported(|counts| counts.json.noted),
            100.0,
        ),
        share(
            "usage equal in streams of supported providers",
            supported(|counts| counts.streams.equal),
            supported(|counts| counts.streams.noted),
            100.0,
        ),
        share(
            "usage equal of all providers",
            sum(|counts| counts.json.equal + counts.streams.equal),
            sum(|counts| counts.json.noted + counts.streams.noted),
            100.0,
        ),
        share(
            "errors inside successes seen",
            sum(|counts| counts.inside.seen),
            sum(|counts| counts.inside.noted),
            100.0,
        ),
        count("successes taken for failures", sum(|counts| counts.false_alarms), Some(Bound::AtMost(0.0))),
    ];
    for (name, counts) in outcome.providers.iter().filter(|(_, counts)| counts.windows.told > 0) {
        let name = format!("windows of {name} inferred right");
        figures.push(share(&name, counts.windows.right, counts.windows.told, 99.5));
    }
    let refusals = &outcome.refusals;
    figures.push(share("refusals of the labelled kind", refusals.right_kind, refusals.labelled, 97.0));
    figures.push(share("waits as labelled", refusals.right_wait, refusals.with_wait, 97.0));
    figures.push(Figure {
        goal: None,
        ..share("dimensions and numbers as labelled", refusals.right_details, refusals.with_details, 0.0)
    });
    figures
}

/// All figures as an array of objects, with those of each provider.
#[must_use]
pub fn json(outcome: &Outcome) -> Value {
    let of_providers = outcome.providers.iter().flat_map(|(name, counts)| {
        let usages = [&counts.json, &counts.streams];
        let (equal, noted) = (usages.map(|it| it.equal).iter().sum(), usages.map(|it| it.noted).iter().sum());
        let figure = |what: &str, value: f64, unit| Figure { name: format!("{name}: {what}"), value, unit, goal: None };
        [
            figure("answers read", counts.answers as f64, ""),
            figure("limit headers read", counts.headers.read as f64, ""),
            figure("limit headers left aside", counts.headers.ignored as f64, ""),
            figure("limit headers failed", counts.headers.failed as f64, ""),
            figure("usage equal", percent(equal, noted), "%"),
            figure("errors", counts.errors.values().sum::<u64>() as f64, ""),
        ]
    });
    figures(outcome).iter().map(Figure::json).chain(of_providers.map(|figure| figure.json())).collect()
}

/// The goals that are not met, by name.
#[must_use]
pub fn missed(outcome: &Outcome) -> Vec<String> {
    figures(outcome).into_iter().filter(|figure| figure.met() == Some(false)).map(|figure| figure.name).collect()
}

/// A line for each provider, then the figures with their goals, then what was not as expected.
#[must_use]
pub fn table(outcome: &Outcome) -> String {
    let mut lines = vec![format!(
        "{:<16} {:>8} {:>9} {:>8} {:>7} {:>13} {:>13}  errors by kind",
        "provider", "answers", "read", "ignored", "failed", "usage (JSON)", "usage (SSE)"
    )];
    lines.extend(outcome.providers.iter().map(|(name, counts)| {
        let name = if counts.is_supported { name.clone() } else { format!("({name})") };
        let share = |equal: u64, noted: u64| if noted == 0 { "-".to_owned() } else { format!("{equal} of {noted}") };
        format!(
            "{name:<16} {:>8} {:>9} {:>8} {:>7} {:>13} {:>13}  {}",
            counts.answers,
            counts.headers.read,
            counts.headers.ignored,
            counts.headers.failed,
            share(counts.json.equal, counts.json.noted),
            share(counts.streams.equal, counts.streams.noted),
            kinds(&counts.errors),
        )
    }));
    lines.push("(in brackets: not in the registry, read as any server with OpenAI's interface)".to_owned());
    lines.push(format!("\nrefusals: {} read: {}", outcome.refusals.answers, kinds(&outcome.refusals.kinds)));
    lines.push("\nheaders left aside".to_owned());
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, count) in outcome.providers.values().flat_map(|counts| &counts.headers.reasons) {
        *reasons.entry(reason).or_default() += count;
    }
    lines.extend(reasons.iter().map(|(reason, count)| format!("{count:>8}  {reason}")));
    lines.push(String::new());
    lines.extend(figures(outcome).iter().map(|figure| {
        let verdict = figure.met().map_or("", |met| if met { "met" } else { "NOT MET" });
        let goal = figure.goal().map(|goal| format!("{goal}: ")).unwrap_or_default();
        format!("{:<60} {:>10.2} {:<2} {goal}{verdict}", figure.name, figure.value, figure.unit)
    }));
    if !outcome.examples.is_empty() {
        lines.push("\nnot as expected".to_owned());
        lines.extend(outcome.examples.iter().map(|example| example.chars().take(1_000).collect()));
    }
    lines.join("\n")
}

fn kinds(counts: &BTreeMap<&'static str, u64>) -> String {
    counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>().join(", ")
}
