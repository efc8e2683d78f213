//! Whether a request waited longer than the time its turn takes.

use super::axes::{Latency, Metering};
use super::cell::Cell;
use super::cost::{Cost, Dimension};
use super::goal::Goal;
use super::least::Least;
use super::run::LOOK_AHEAD;
use crate::Load;

/// By how many seconds the latest answer is late; 0 where none is.
///
/// A request's turn is when the requests up to it can have been admitted, and as much later as the goal allows the whole
/// run to be: that the run was slow is no excuse. It may be overtaken by what the look-ahead allows and by as much again as
/// it waits for those before it, and where quota comes by windows miss one into which it does not fit as a whole; then it
/// takes its time to be answered. Each time that it failed it does these two again. `price` is what had to be paid, to what
/// the requests cost: everybody waits for those that were dropped, too.
pub(super) fn overdue(
    cell: &Cell,
    costs: &[Cost],
    latencies: &[f64],
    load: &Load,
    least: &Least<'_>,
    price: impl Fn(Dimension) -> f64,
) -> f64 {
    let slowness = Goal::of(cell).most_ratio();
    let mut turns = vec![0.0_f64; costs.len()];
    for dimension in cell.dimensions() {
        let mut total = 0.0;
        let totals = costs.iter().map(|cost| {
            total += cost.of(*dimension) as f64 * price(*dimension);
            total
        });
        for (turn, time) in turns.iter_mut().zip(least.ideal(*dimension).times(totals)) {
            *turn = turn.max(time * slowness);
        }
    }
    if let Some(most) = cell.server.numbers().in_flight {
        let mut busy = 0.0;
        for (turn, latency) in turns.iter_mut().zip(latencies) {
            *turn = turn.max(busy / most as f64 * slowness);
            busy += latency;
        }
    }
    let window = match cell.metering {
        Metering::FixedWindow | Metering::SlidingWindow => cell.depth_seconds(),
        Metering::TokenBucket | Metering::Slices => 0.0,
    };
    let late = load.ends.iter().map(|end| {
        let turn = turns.get(end.place).copied().unwrap_or_default();
        let goes = f64::from(end.failed.saturating_add(1)) * (window + longest_latency(cell));
        end.after.as_secs_f64() - (2.0 * turn + LOOK_AHEAD.as_secs_f64() + goes)
    });
    late.fold(0.0, f64::max)
}

/// The longest that an answer takes, in seconds.
pub(super) fn longest_latency(cell: &Cell) -> f64 {
    let (_, most_output) = cell.output();
    match cell.latency {
        Latency::Short => 0.05,
        Latency::Long => 2.0 + 0.02 * most_output as f64,
        // Thirty times the usual.
        Latency::Tail => 15.0,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::End;

    /// By how much the last of 1,600 requests is late that is answered after so many seconds.
    fn late(seconds: u64, failed: u32) -> f64 {
        let cell = Cell::BASE;
        let costs = vec![Cost { requests: 1, ..Cost::default() }; 1_600];
        let end = End { place: 1_599, after: Duration::from_secs(seconds), usage: None, failed };
        let load = Load { ends: vec![end], ..Load::default() };
        let least = Least::new(&cell, Cost::default(), &[], &[]);
        overdue(&cell, &costs, &[], &load, &least, |_| 1.0)
    }

    #[test]
    fn a_request_is_late_when_its_turn_and_what_may_overtake_it_are_over() {
        // 600 at once and 1,000 at ten a second: its turn is after 100 s, 101 with what the goal allows. As long again for
        // those that overtook it, a minute of look-ahead and 50 ms for its answer.
        assert_eq!(late(262, 0), 0.0);
        assert!((late(272, 0) - 9.95).abs() < 0.01, "{}", late(272, 0));
        // Each failure is another 50 ms.
        assert!((late(272, 2) - 9.85).abs() < 0.01);
    }
}
