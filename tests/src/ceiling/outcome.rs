//! What came of a cell, beside the minimum.

use simulator::Statistics;

use super::axes::{Disturbance, Latency, Metering};
use super::cell::Cell;
use super::cost::{Cost, Dimension, Size, Took};
use super::least::Least;
use super::minimum::Ideal;
use super::run::LOOK_AHEAD;
use crate::Load;

/// After this many seconds a provider that tells nothing has to be known.
const FIRST_MINUTE: f64 = 60.0;
/// What counts as full speed, and for how many seconds it has to be kept up.
const FULL_SPEED: (f64, usize) = (0.9, 10);

/// What was seen of a run.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) load: Load,
    pub(super) statistics: Statistics,
    /// What had been charged after each second, answers in flight not counted.
    pub(super) pace: Vec<Cost>,
}

/// What came of a cell. Times are seconds.
///
/// The ratio is `(A + tail) / (M + tail)`: A is when the provider admitted its last request, M the least time in which it
/// can have admitted them all, and the tail what passed from the last admission to the last answer. So the latency of
/// answers, which nobody can know beforehand, counts for both.
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
    /// Requests that were answered once, and no more than once.
    pub answered: u64,
    /// By how many seconds the latest request was later than its turn and the look-ahead explain. 0 where none was.
    pub overdue: f64,
    /// Whether the provider charged what the rules say that the requests cost.
    pub books_agree: bool,
    /// When full speed was reached: 90 % of the scarcest limit's rate, for ten seconds. `None` where it never was.
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
        let bound = Least::new(&cell, due, &latencies);
        let (least, scarcest) = bound.time();
        let admitted = statistics.last_admitted.as_secs_f64();
        let makespan = load.elapsed.as_secs_f64().max(admitted);
        let tail = makespan - admitted;
        let at_first_minute = pace.get(FIRST_MINUTE as usize).copied();
        let later_ratio = at_first_minute.map_or(1.0, |then| {
            let later = |time: f64| (time - FIRST_MINUTE).max(0.0) + tail;
            ratio(later(admitted), later(bound.time_after(FIRST_MINUTE, &then)))
        });
        let failed_by_draw = statistics.faults.resets;
        let may_cost_more = matches!(cell.disturbance, Disturbance::Resets | Disturbance::Failing);
        let is_complete = load.ends.len() == sizes.len();
        let minimum = least + tail;
        Self {
            cell,
            requests: sizes.len() as u64,
            minimum,
            makespan,
            later_ratio,
            refused: statistics.rate_limited,
            attempts: statistics.requests,
            unlucky: failed_by_draw,
            answered: load.answered.min(statistics.answered),
            overdue: overdue(&cell, &costs, &latencies, &load, |dimension| {
                let paid = |cost: &Cost| cost.of(dimension).max(1) as f64;
                Slowness { run: ratio(makespan, minimum).max(1.0), price: paid(&due) / paid(&cost) }
            }),
            books_agree: charged == cost || !cell.server.numbers().prices.is_empty() || may_cost_more || !is_complete,
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

/// By how much everybody's turn is later.
#[derive(Clone, Copy, Debug)]
struct Slowness {
    /// The time of the whole run, to the least.
    run: f64,
    /// What had to be paid, to what the requests cost: everybody waits for those that were dropped, too.
    price: f64,
}

/// By how many seconds the latest answer is late.
///
/// A request's turn is when the requests up to it can have been admitted, as much later as the whole run was. It may be
/// overtaken by what the look-ahead allows and by as much again as it waits for those before it, and where quota comes
/// by windows miss one into which it does not fit as a whole; then it takes its time to be answered. Each time that it
/// failed it does these two again.
fn overdue(
    cell: &Cell,
    costs: &[Cost],
    latencies: &[f64],
    load: &Load,
    slowness: impl Fn(Dimension) -> Slowness,
) -> f64 {
    let mut turns = vec![0.0_f64; costs.len()];
    for dimension in cell.dimensions() {
        let Slowness { run, price } = slowness(*dimension);
        let mut total = 0.0;
        let totals = costs.iter().map(|cost| {
            total += cost.of(*dimension) as f64 * price;
            total
        });
        for (turn, time) in turns.iter_mut().zip(Ideal::new(cell.supply(*dimension)).times(totals)) {
            *turn = turn.max(time * run);
        }
    }
    let mut busy = 0.0;
    for (turn, latency) in turns.iter_mut().zip(latencies) {
        if let Some(most) = cell.server.numbers().in_flight {
            let slowness = slowness(Dimension::Requests).run;
            *turn = turn.max(busy / most as f64 * slowness);
            busy += latency;
        }
    }
    let (_, most_output) = cell.output();
    let latency = match cell.latency {
        Latency::Short => 0.05,
        Latency::Long => 2.0 + 0.02 * most_output as f64,
        // Thirty times the usual.
        Latency::Tail => 15.0,
    };
    let window = match cell.metering {
        Metering::FixedWindow | Metering::SlidingWindow => cell.depth_seconds(),
        Metering::TokenBucket | Metering::Slices => 0.0,
    };
    let late = load.ends.iter().map(|end| {
        let turn = turns.get(end.place).copied().unwrap_or_default();
        let goes = f64::from(end.failed.saturating_add(1)) * (window + latency);
        end.after.as_secs_f64() - (2.0 * turn + LOOK_AHEAD.as_secs_f64() + goes)
    });
    late.fold(0.0, f64::max)
}

fn full_speed_after(cell: &Cell, scarcest: Dimension, pace: &[Cost]) -> Option<f64> {
    let (share, seconds) = FULL_SPEED;
    let rate = cell.per_minute(scarcest) as f64 / 60.0;
    let enough = share * rate * seconds as f64;
    let at = |cost: &Cost| cost.of(scarcest) as f64;
    let spans = pace.iter().zip(pace.iter().skip(seconds));
    spans.map(|(from, until)| at(until) - at(from)).position(|done| done >= enough).map(|second| second as f64)
}
