//! What is printed: a table and the goals for people, or an array for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::figures::Figures;
use crate::row::Class;
use crate::trial::Trial;

/// A figure that is to be reached.
struct Goal {
    name: &'static str,
    value: f64,
    goal: f64,
    /// Whether more is better.
    at_least: bool,
}

impl Goal {
    fn is_met(&self) -> bool {
        if self.at_least { self.value >= self.goal } else { self.value <= self.goal }
    }
}

/// The goals and what was reached of each.
fn goals(trial: &Trial) -> Vec<Goal> {
    let before =
        |provider: &str, classes: &[Class]| Figures::of(&trial.of_provider(provider, classes), |guess| guess.before);
    let after = |provider: &str| Figures::of(&trial.of_provider(provider, &ALL), |guess| guess.after);
    let at_least = |name, value, goal| Goal { name, value, goal, at_least: true };
    let at_most = |name, value, goal| Goal { name, value, goal, at_least: false };
    vec![
        at_least("openai plain: within 2 tokens", before("openai", &[Class::Plain]).within_two, 0.97),
        at_least("openai system: within 2 tokens", before("openai", &[Class::System]).within_two, 0.97),
        at_least("openai multi-turn: within 2 tokens", before("openai", &[Class::MultiTurn]).within_two, 0.97),
        at_least("openai tools: within 5 %", before("openai", &[Class::Tools]).within_twentieth, 0.90),
        at_most("anthropic: median error after learning", after("anthropic").median, 0.05),
        at_most("anthropic: p95 error after learning", after("anthropic").p95, 0.20),
        at_most("gemini: median error after learning", after("gemini").median, 0.05),
        at_most("gemini: p95 error after learning", after("gemini").p95, 0.20),
    ]
}

const ALL: [Class; 5] = [Class::Plain, Class::System, Class::MultiTurn, Class::Tools, Class::Schema];

/// A line for each provider and class, then the outputs and the goals.
pub(crate) fn table(trial: &Trial) -> String {
    let mut text = format!(
        "{:<16}{:<11}{:>6}   {:^35}   {:^35}\n{:33}   {:^35}   {:^35}\n",
        "provider",
        "class",
        "rows",
        "counted",
        "after learning",
        "",
        "exact   +-2  +-5%  median    p95",
        "exact   +-2  +-5%  median    p95"
    );
    for ((provider, class), guesses) in &trial.guesses {
        let figures = [Figures::of(guesses, |guess| guess.before), Figures::of(guesses, |guess| guess.after)];
        let [before, after] = figures.map(|figures| cells(&figures));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{provider:<16}{:<11}{:>6}   {before}   {after}", class.name(), guesses.len());
    }
    let outputs = &trial.outputs;
    let ratio = |a: u64, b: u64| a as f64 / b.max(1) as f64;
    let _ = writeln!(
        text,
        "\noutputs: {} answers, {:.1} % no longer than expected; expected {:.2} times what was produced\n\
         of those with a bound: expected {:.2} times what was produced, the bounds are {:.2} times that\n",
        outputs.answers,
        100.0 * ratio(outputs.covered, outputs.answers),
        ratio(outputs.expected, outputs.produced),
        ratio(outputs.expected_of_bound, outputs.produced_of_bound),
        ratio(outputs.bound, outputs.produced_of_bound),
    );
    for goal in goals(trial) {
        let (value, limit) = (100.0 * goal.value, 100.0 * goal.goal);
        let sign = if goal.at_least { "at least" } else { "at most" };
        let verdict = if goal.is_met() { "met" } else { "NOT MET" };
        let _ = writeln!(text, "{:<42}{value:>6.1} %   goal {sign} {limit:.0} %: {verdict}", goal.name);
    }
    // The headings end in blanks.
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn cells(figures: &Figures) -> String {
    let percent = |share: f64| format!("{:>5.1}", 100.0 * share);
    format!(
        "{} {} {} {:>7.1} {:>6.1}",
        percent(figures.exact),
        percent(figures.within_two),
        percent(figures.within_twentieth),
        100.0 * figures.median,
        100.0 * figures.p95
    )
}

/// An object for each figure, and for each goal.
pub(crate) fn json(trial: &Trial) -> Value {
    let mut all = Vec::new();
    for ((provider, class), guesses) in &trial.guesses {
        let counted = Figures::of(guesses, |guess| guess.before);
        let learned = Figures::of(guesses, |guess| guess.after);
        for (when, figures) in [("counted", counted), ("learned", learned)] {
            let named = [
                ("exact", figures.exact),
                ("within 2 tokens", figures.within_two),
                ("within 5 %", figures.within_twentieth),
                ("median error", figures.median),
                ("p95 error", figures.p95),
            ];
            for (name, value) in named {
                let name = format!("{provider} {}: {name}, {when}, {} rows", class.name(), guesses.len());
                all.push(json!({"name": name, "value": value, "unit": "share", "versus": null, "ratio": null,
                    "goal": null, "met": null}));
            }
        }
    }
    for goal in goals(trial) {
        all.push(json!({"name": goal.name, "value": goal.value, "unit": "share", "versus": null, "ratio": null,
            "goal": goal.goal, "met": goal.is_met()}));
    }
    all.into()
}
