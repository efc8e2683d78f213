//! `bench starvation`: when a large request is served among callers that loop on small ones.
//!
//! The same scenarios with limiter-core, governor and leaky-bucket, each through its public interface and in real time.

mod ours;
mod peers;
mod scenario;

use std::time::Duration;

use crate::clock::Clock;
use crate::console;
use crate::report::{Count, Goal, Report, Row, Section, Versus};
use ours::{Manner, RealTime};
use peers::{Governor, LeakyBucket};
use scenario::{Outcome, SCENARIOS, Scenario};

/// The core says when the large request fits; a machine wakes up a little later.
const GOAL: Goal = Goal::RatioAtMost(1.01);

/// Runs the scenarios with all, one after the other.
///
/// # Errors
///
/// The runtime of the peers cannot be started.
pub(crate) fn report() -> anyhow::Result<Report> {
    let clock = Clock::start();
    let mut report = Report::default();
    for scenario in SCENARIOS {
        console::complain(&format!("running: {}", scenario.title));
        report.sections.push(section(&scenario)?);
    }
    report.notes = vec![
        "value: how long the large request waited; -: given up after 5 times the refill of its cost".to_owned(),
        format!("took {:.0} s", clock.elapsed().as_secs_f64()),
    ];
    Ok(report)
}

fn section(scenario: &Scenario) -> anyhow::Result<Section> {
    let Scenario { callers, small, large, rate, .. } = scenario;
    let mut section = Section::new(format!(
        "{callers} {}: {small} units each, and once {large}; {rate} units a second and as many saved up",
        scenario.title
    ));
    for (name, manner) in
        [("limiter-core, callers try_reserve", Manner::TryAgain), ("limiter-core, callers enqueue", Manner::Queue)]
    {
        let outcome = ours::run(scenario, manner, &mut RealTime::start());
        section.rows.push(Row { goal: Some(GOAL), ..row(scenario, name, outcome) });
    }
    // A runtime of its own for each, so that none inherits the tasks of another.
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build();
    let outcome = runtime()?.block_on(peers::run(scenario, Governor::new(scenario)));
    section.rows.push(row(scenario, "governor, until_n_ready", outcome));
    for (mode, fair) in [("fair (default)", true), ("unfair", false)] {
        for millis in [100, 5] {
            let peer = LeakyBucket::new(scenario, fair, Duration::from_millis(millis));
            let name = format!("leaky-bucket, acquire, {mode}, {} every {millis} ms", peer.refill());
            let outcome = runtime()?.block_on(peers::run(scenario, peer));
            section.rows.push(row(scenario, &name, outcome));
        }
    }
    Ok(section)
}

fn row(scenario: &Scenario, name: &str, outcome: Outcome) -> Row {
    let fair = scenario.refill(scenario.large + outcome.before);
    let what = match outcome.before {
        0 => "the refill of its cost".to_owned(),
        before => format!("the refill of its cost and the {before} before"),
    };
    Row {
        name: name.to_owned(),
        value: outcome.waited.map(|waited| waited.as_secs_f64() * 1_000.0),
        unit: "ms",
        versus: Some(Versus { name: what, value: Some(fair.as_secs_f64() * 1_000.0), instructions: Count::NotCounted }),
        ratio: outcome.waited.map(|waited| waited.as_secs_f64() / fair.as_secs_f64()),
        remark: format!("callers took {} meanwhile", outcome.taken),
        ..Row::default()
    }
}
