//! How many requests a second go through, how much later each is answered, and how often memory is asked for.

use std::time::Duration;

use super::load::Spent;
use super::{BARE, OURS};
use crate::measure::median;
use crate::report::{Count, Goal, Row, Section, Versus};

/// Where the machine that sends is not what holds requests up, it should not be seen.
const LEAST_RATE: f64 = 0.95;

/// The rows of one scenario: what ours spent in each round beside what hyper-util's client spent.
pub(super) fn section(title: &str, ours: &[Spent], bare: &[Spent], has_goal: bool) -> Section {
    let mut section = Section::new(format!("by the clock: {title}"));
    let goal = has_goal.then_some(Goal::RatioAtLeast(LEAST_RATE));
    section.rows = vec![
        Row { goal, ..row("requests a second", "1/s", (ours, bare), rate) },
        row("until answered, median", "us", (ours, bare), |spent| quantile(&spent.calls, 0.5)),
        row("until answered, 99 of 100", "us", (ours, bare), |spent| quantile(&spent.calls, 0.99)),
        row("allocations for a request", "times", (ours, bare), |spent| {
            spent.allocations as f64 / spent.calls.len().max(1) as f64
        }),
    ];
    section
}

/// One measure of both. The remark is the difference: what our client adds.
fn row(name: &str, unit: &'static str, (ours, bare): (&[Spent], &[Spent]), measure: impl Fn(&Spent) -> f64) -> Row {
    let of = |rounds: &[Spent]| rounds.iter().map(&measure).collect::<Vec<f64>>();
    let (ours, bare) = (of(ours), of(bare));
    // What slowed the machine down in a round slowed both.
    let pairs = || ours.iter().zip(&bare);
    let ratios: Vec<f64> = pairs().map(|(ours, bare)| ours / bare).collect();
    let added: Vec<f64> = pairs().map(|(ours, bare)| ours - bare).collect();
    Row {
        name: format!("{OURS}: {name}"),
        value: Some(median(&ours)),
        unit,
        versus: Some(Versus {
            name: format!("{BARE}: {name}"),
            value: Some(median(&bare)),
            instructions: Count::NotCounted,
        }),
        ratio: Some(median(&ratios)),
        remark: format!("{:+.1} {unit}", median(&added)),
        ..Row::default()
    }
}

fn rate(spent: &Spent) -> f64 {
    spent.calls.len() as f64 / spent.elapsed.as_secs_f64()
}

/// In microseconds. The one that so many of all are not longer than.
fn quantile(calls: &[Duration], share: f64) -> f64 {
    let mut sorted = calls.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).map_or(0.0, |call| call.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(millis: u64, calls: &[u64]) -> Spent {
        let calls = calls.iter().map(|micros| Duration::from_micros(*micros)).collect();
        let elapsed = Duration::from_millis(millis);
        Spent { processor: elapsed, elapsed, allocations: 30, calls }
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let calls: Vec<Duration> = (1..=200).rev().map(Duration::from_micros).collect();
        assert_eq!((quantile(&calls, 0.5), quantile(&calls, 0.99)), (101.0, 199.0));
        assert_eq!((quantile(&calls[..1], 0.99), quantile(&[], 0.5)), (200.0, 0.0));
    }

    #[test]
    fn half_the_time_is_twice_the_rate_and_what_is_added_is_told() {
        let section = section("some", &[spent(10, &[7, 8, 9])], &[spent(5, &[3, 3, 4])], true);
        let ratios: Vec<_> = section.rows.iter().map(|row| row.ratio.unwrap()).collect();
        assert_eq!(ratios[0], 0.5);
        assert_eq!((ratios[1], section.rows[1].remark.as_str()), (8.0 / 3.0, "+5.0 us"));
        assert_eq!((ratios[3], section.rows[3].value), (1.0, Some(10.0)));
    }
}
