//! What came of a cell, beside the minimum.

use simulator::Statistics;

use super::axes::Disturbance;
use super::cell::Cell;
use super::cost::{Cost, Dimension, Size, Took};
use super::evidence::{Evidence, Moment};
use super::least::Least;
use super::overdue::{longest_latency, overdue};
use crate::Load;

/// After this many seconds a provider that tells nothing has to be known.
const FIRST_MINUTE: f64 = 60.0;
/// What counts as full speed, and for how many seconds it has to be kept up.
const FULL_SPEED: (f64, usize) = (0.9, 10);

/// What came of a cell. Times are seconds.
///
/// The ratio is `(A + tail) / (M + tail)`: A is when the provider admitted its last request, M the least time in which it
/// can have admitted them all, and the tail what passed from the last admission to the last answer, as far as an answer
/// takes that long. So the latency of answers, which nobody can know beforehand, counts for both, and nothing else does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The cell.
    pub cell: Cell,
    /// How many requests there were.
    pub requests: u64,
    /// The least time for all of it: M and the tail.
    pub minimum: f64,
    /// The time it took: A and the tail.
    pub makespan: f64,
    /// The ratio of what came after the first minute: the time it took to the least time for what was left then.
    pub later_ratio: f64,
    /// Refusals for the rate.
    pub refused: u64,
    /// How often requests were sent.
    pub attempts: u64,
    /// How many of the attempts failed by a draw that no client has a say in.
    pub unlucky: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// Answers that the provider gave, and was paid for, beyond one for each request: requests that were sent again though
    /// they had been answered.
    pub twice: u64,
    /// By how many seconds the latest request was later than its turn and the look-ahead explain. 0 where none was.
    pub overdue: f64,
    /// Whether the provider charged what the rules say that the requests cost.
    pub books_agree: bool,
    /// When full speed was reached: the first second with 90 % of the scarcest limit's rate that ten seconds with as much
    /// begin with. `None` where it never was.
    pub full_speed_after: Option<f64>,
    /// The first reason why a request was not answered.
    pub failure: Option<String>,
}

impl Outcome {
    pub(super) fn new(cell: Cell, sizes: &[Size], evidence: Evidence) -> Self {
        let Evidence { load, statistics, pace } = evidence;
        let costs = costs(&cell, sizes, &load);
        let cost = costs.iter().copied().fold(Cost::default(), Cost::plus);
        let charged = Cost::from(statistics.charged);
        // What was charged for requests whose connections were dropped had to be paid by any client.
        let due = if cell.disturbance == Disturbance::Resets { charged.at_least(cost) } else { cost };
        let latencies = latencies(&cell, sizes, &load);
        let bound = Least::new(&cell, due, &latencies, &pace);
        let (least, scarcest) = bound.time();
        let makespan = load.elapsed.as_secs_f64().max(statistics.last_admitted.as_secs_f64());
        let tail = (makespan - statistics.last_admitted.as_secs_f64()).min(longest_latency(&cell));
        let (admitted, minimum) = (makespan - tail, least + tail);
        // A run that was over before has nothing but its whole.
        let later_ratio = pace.get(FIRST_MINUTE as usize).map_or(ratio(makespan, minimum), |then| {
            let later = |time: f64| (time - FIRST_MINUTE).max(0.0) + tail;
            ratio(later(admitted), later(bound.time_after(FIRST_MINUTE, &then.charged)))
        });
        let is_complete = load.ends.len() == sizes.len();
        Self {
            cell,
            requests: sizes.len() as u64,
            minimum,
            makespan,
            later_ratio,
            refused: statistics.rate_limited,
            attempts: statistics.requests,
            unlucky: statistics.faults.resets,
            answered: load.answered.min(statistics.answered),
            twice: statistics.answered.saturating_sub(load.answered),
            overdue: overdue(&cell, &costs, &latencies, &load, &bound, |dimension| {
                let paid = |cost: &Cost| cost.of(dimension).max(1) as f64;
                paid(&due) / paid(&cost)
            }),
            books_agree: !is_complete || books_agree(&cell, &statistics, &cost),
            full_speed_after: full_speed_after(&cell, scarcest, &pace),
            failure: failure(&load, is_complete),
        }
    }

    /// The time it took, to the least time.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        ratio(self.makespan, self.minimum)
    }
}

/// Whether the provider charged what the rules say that requests of `cost` cost that were all answered.
///
/// Those that failed by a draw are charged, too: how many is known, and what they asked for is not. Where the rule changes
/// it is known what a request costs at most, which is what it costs in tokens.
fn books_agree(cell: &Cell, statistics: &Statistics, cost: &Cost) -> bool {
    let charged = Cost::from(statistics.charged);
    let failed = statistics.faults.resets + statistics.faults.overloaded;
    let requests = charged.requests == cost.requests + failed;
    let changes = !cell.server.numbers().prices.is_empty();
    let rest = Cost { requests: cost.requests, ..charged };
    let agree = if failed > 0 {
        rest.at_least(*cost) == rest
    } else if changes {
        rest.at_least(*cost) == *cost
    } else {
        rest == *cost
    };
    requests && agree
}

fn failure(load: &Load, is_complete: bool) -> Option<String> {
    let given_up = (!is_complete && load.failures.is_empty()).then(|| "the run did not end".to_owned());
    load.failures.first().map(ToString::to_string).or(given_up)
}

fn ratio(time: f64, least: f64) -> f64 {
    // Nothing was left to be done.
    if time <= 0.0 { 1.0 } else { time / least }
}

/// What each request cost, in the order in which they were asked; what it would have cost where it was not answered.
fn costs(cell: &Cell, sizes: &[Size], load: &Load) -> Vec<Cost> {
    let (least_output, _) = cell.output();
    let expected = |size: &Size| cell.cost(size, &cell.expected(size, least_output));
    let mut costs: Vec<Cost> = sizes.iter().map(expected).collect();
    for end in &load.ends {
        let took = end.usage.map(Took::from).unwrap_or_default();
        if let Some((cost, size)) = costs.get_mut(end.place).zip(sizes.get(end.place)) {
            *cost = cell.cost(size, &took);
        }
    }
    costs
}

/// How long the answer to each request took, in the order in which they were asked; of one that was not answered the
/// least.
fn latencies(cell: &Cell, sizes: &[Size], load: &Load) -> Vec<f64> {
    let (least_output, _) = cell.output();
    let mut latencies: Vec<f64> =
        sizes.iter().map(|size| cell.latency_of(&cell.expected(size, least_output))).collect();
    for end in &load.ends {
        if let Some((latency, took)) = latencies.get_mut(end.place).zip(end.usage.map(Took::from)) {
            *latency = cell.latency_of(&took);
        }
    }
    latencies
}

/// The first second that had full speed and was followed by as much.
fn full_speed_after(cell: &Cell, scarcest: Dimension, pace: &[Moment]) -> Option<f64> {
    let (share, seconds) = FULL_SPEED;
    let enough = share * cell.per_minute(scarcest) as f64 / 60.0;
    let at = |moment: &Moment| moment.charged.of(scarcest) as f64;
    let spans = pace.iter().zip(pace.iter().skip(1)).zip(pace.iter().skip(seconds));
    let is_full = |((from, next), until): ((&Moment, &Moment), &Moment)| {
        at(next) - at(from) >= enough && at(until) - at(from) >= enough * seconds as f64
    };
    spans.map(is_full).position(|is_full| is_full).map(|second| second as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::End;

    const SECOND: Duration = Duration::from_secs(1);

    /// 700 requests of one prompt token each that may produce none, the last admitted after `admitted`.
    fn evidence(admitted: Duration, elapsed: Duration, answered: u64) -> (Vec<Size>, Evidence) {
        let sizes = vec![Size { prompt: 1, most_output: 0 }; 700];
        let mut usage = chat_limiter::providers::Usage::default();
        usage.input = 1;
        let usage = Some(usage);
        let ends = (0..usize::try_from(answered).unwrap()).map(|place| End { place, after: elapsed, usage, failed: 0 });
        let load = Load { answered, elapsed, ends: ends.collect(), ..Load::default() };
        let mut statistics = Statistics::default();
        statistics.last_admitted = admitted;
        statistics.answered = answered;
        statistics.requests = 700;
        statistics.charged.requests = 700;
        statistics.charged.tokens = 700;
        (sizes, Evidence { load, statistics, pace: Vec::new() })
    }

    #[track_caller]
    fn check((sizes, evidence): (Vec<Size>, Evidence), ratio: f64) -> Outcome {
        let outcome = Outcome::new(Cell::BASE, &sizes, evidence);
        assert!((outcome.ratio() - ratio).abs() < 0.001, "{}", outcome.ratio());
        outcome
    }

    #[test]
    fn the_latency_of_the_last_answer_is_nobody_s_fault_and_all_other_time_is() {
        // 600 requests at once and 100 at ten a second: 10 s, and 50 ms for the last answer.
        let outcome = check(evidence(10 * SECOND, Duration::from_millis(10_050), 700), 1.0);
        assert!(outcome.books_agree && outcome.twice == 0 && outcome.failure.is_none());
        // The whole run was over within the first minute.
        assert!((outcome.later_ratio - 1.0).abs() < 0.001);
        let slow = check(evidence(20 * SECOND, Duration::from_millis(20_050), 700), 20.05 / 10.05);
        assert!((slow.later_ratio - slow.ratio()).abs() < 1e-9);
        // After the last admission a minute passed for which no answer accounts.
        check(evidence(10 * SECOND, 70 * SECOND, 700), 70.0 / 10.05);
    }

    #[test]
    fn a_run_that_was_given_up_took_all_the_time_that_it_was_given() {
        let (sizes, mut given_up) = evidence(10 * SECOND, 3_600 * SECOND, 699);
        given_up.load.ends.clear();
        let outcome = check((sizes, given_up), 3_600.0 / 10.05);
        assert_eq!((outcome.answered, outcome.failure.as_deref()), (699, Some("the run did not end")));
    }

    #[test]
    fn answers_beyond_one_for_each_request_are_counted() {
        let (sizes, mut twice) = evidence(10 * SECOND, Duration::from_millis(10_050), 700);
        twice.statistics.answered = 702;
        twice.statistics.charged.requests = 702;
        let outcome = Outcome::new(Cell::BASE, &sizes, twice);
        assert_eq!((outcome.twice, outcome.books_agree), (2, false));
        // Under faults it is known how many were charged besides.
        let cell = Cell { disturbance: Disturbance::Resets, ..Cell::BASE };
        let books = |failed: u64, charged: u64| {
            let (sizes, mut evidence) = evidence(10 * SECOND, Duration::from_millis(10_050), 700);
            evidence.statistics.faults.resets = failed;
            evidence.statistics.charged.requests = charged;
            Outcome::new(cell, &sizes, evidence).books_agree
        };
        assert!(books(5, 705) && !books(5, 706) && !books(5, 704));
    }

    #[test]
    fn full_speed_is_reached_by_the_second_that_has_it_and_not_by_what_follows() {
        // Ten requests a second are the rate: 1, 2, 4, 8, and then 15 each to make up for it; a second of 9 that is followed by
        // nothing does not count.
        let charged = |total: &mut u64, requests: u64| {
            *total += requests;
            Moment { charged: Cost { requests: *total, ..Cost::default() }, ..Moment::default() }
        };
        let pace = |seconds: &[u64]| -> Vec<Moment> {
            let mut total = 0;
            [0].iter().chain(seconds).map(|requests| charged(&mut total, *requests)).collect()
        };
        let after = |seconds: &[u64]| full_speed_after(&Cell::BASE, Dimension::Requests, &pace(seconds));
        assert_eq!(after(&[1, 2, 4, 8, 15, 15, 15, 15, 15, 15, 15, 10, 10, 10]), Some(4.0));
        assert_eq!(after(&[9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(after(&[9; 10]), Some(0.0));
        assert_eq!(after(&[9; 9]), None);
    }
}
