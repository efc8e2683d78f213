//! What is asked for: sizes, and how many of them keep a provider busy for some minutes.

use super::axes::{Charge, Disturbance, Metering, Workload};
use super::cell::Cell;
use super::cost::{Cost, Dimension, Size, Took};
use super::minimum::Ideal;
use super::seeded::Seeded;

/// The seed of all sizes: cells with the same workload ask for the same.
const SEED: u64 = 4;
/// More requests than any cell needs.
const MOST_REQUESTS: usize = 20_000;
/// The seconds for which a provider is kept busy, and those where something happens in the course of it.
const UNDISTURBED: f64 = 150.0;
const DISTURBED: f64 = 240.0;
/// The part of a full bucket that the largest request takes: a bucket that has to be full for a request cannot refill
/// while that one waits.
const LARGEST: f64 = 0.75;
/// The share of the requests that are large in the workload with phases. Either phase then takes about as long.
const LARGE: f64 = 0.045;
/// The smallest prompt that can be sent.
const LEAST_PROMPT: u64 = 3;
/// The largest prompt. The client counts the tokens of bodies beyond 16 KiB on other threads, which end in any order: a
/// run would not be the same as the one before.
const MOST_PROMPT: u64 = 4_000;

impl Cell {
    /// The output tokens of answers that are not cut, from the least to the most: clearly less than what requests allow.
    pub(super) const fn output(&self) -> (u64, u64) {
        match self.workload {
            Workload::OutputBound => (30, 120),
            _ => (5, 20),
        }
    }

    /// The requests, in the order in which they are asked: as many as keep the provider busy for `share` of the usual
    /// time.
    pub(super) fn sizes(&self, share: f64) -> Vec<Size> {
        let most: Vec<(Dimension, f64)> =
            self.dimensions().iter().map(|dimension| (*dimension, self.most(*dimension, share))).collect();
        let seconds = self.busy_seconds() * share;
        let fits = |number: usize| {
            let sizes = self.first_sizes(number);
            let cost = self.expected_cost(&sizes);
            most.iter().all(|(dimension, most)| cost.of(*dimension) as f64 <= *most)
                && self.least_in_flight(&self.expected_latencies(&sizes)) <= seconds
        };
        // The largest number that fits.
        let (mut fit, mut too_many) = (1, MOST_REQUESTS);
        while fit + 1 < too_many {
            let middle = fit.midpoint(too_many);
            if fits(middle) { fit = middle } else { too_many = middle }
        }
        self.first_sizes(fit)
    }

    /// The seconds for which the provider is to be kept busy.
    fn busy_seconds(&self) -> f64 {
        let usual = if self.disturbance == Disturbance::None { UNDISTURBED } else { DISTURBED };
        self.server.numbers().seconds.unwrap_or(usual)
    }

    /// What is to be asked for of one limit.
    fn most(&self, dimension: Dimension, share: f64) -> f64 {
        let supply = self.supply(dimension);
        let seconds = self.busy_seconds() * share;
        match self.metering {
            Metering::TokenBucket | Metering::Slices => Ideal::new(supply).taken_by(seconds),
            // What a window gives at once is half used in the end: one request more or less then makes no difference
            // of a window.
            Metering::FixedWindow | Metering::SlidingWindow => {
                let end = seconds + 0.7 * supply.depth;
                let taken = |time| Ideal::new(supply).taken_by(time);
                taken(end).midpoint(taken(end - supply.depth))
            }
        }
    }

    /// What `sizes` cost as far as it is known beforehand.
    fn expected_cost(&self, sizes: &[Size]) -> Cost {
        sizes.iter().map(|size| self.cost(size, &self.usually_takes(size))).fold(Cost::default(), Cost::plus)
    }

    /// How long answers to `sizes` take as far as it is known beforehand, in seconds.
    fn expected_latencies(&self, sizes: &[Size]) -> Vec<f64> {
        sizes.iter().map(|size| self.latency_of(&self.usually_takes(size))).collect()
    }

    fn usually_takes(&self, size: &Size) -> Took {
        let (least, most) = self.output();
        self.expected(size, least.midpoint(most))
    }

    fn first_sizes(&self, number: usize) -> Vec<Size> {
        let mut seeded = Seeded::new(SEED);
        let small = number - (number as f64 * LARGE).ceil() as usize;
        (0..number).map(|place| self.fitted(self.drawn(&mut seeded, place < small))).collect()
    }

    /// By what sizes are multiplied, so that tokens bind whatever a token costs. Where requests are to bind they do not.
    const fn scale(&self) -> f64 {
        match (self.workload, self.charge) {
            (Workload::RequestBound, _) | (_, Charge::PromptPlusMaxTokens) => 1.0,
            (_, Charge::MaxOfBoth | Charge::PromptOnly | Charge::Produced) => 1.6,
            (_, Charge::CachedInputFree) => 3.2,
        }
    }

    /// A size of this workload.
    fn drawn(&self, seeded: &mut Seeded, is_early: bool) -> Size {
        let size = |prompt, most_output| Size { prompt, most_output };
        match self.workload {
            Workload::HeavyTailed => {
                // A Pareto distribution of shape 1.3, cut where it is a hundred times its least.
                let cost = (40.0 * (1.0 - seeded.share()).powf(-1.0 / 1.3)).min(4_000.0);
                // Some are more prompt, some more answer, so that no rule of charging looks like another.
                let prompt = cost * (0.3 + 0.6 * seeded.share());
                size(prompt as u64, (cost - prompt) as u64)
            }
            Workload::Equal => size(80, 40),
            Workload::Phased if is_early => size(6, 6),
            Workload::Phased => size(1_000, 1_000),
            Workload::VeryLarge if seeded.share() < 0.05 => size(3_900, 4_100),
            Workload::VeryLarge | Workload::RequestBound => size(seeded.between(10, 40), seeded.between(8, 30)),
            Workload::TokenBound => size(seeded.between(300, 900), seeded.between(100, 300)),
            Workload::OutputBound => size(seeded.between(10, 30), seeded.between(100, 500)),
        }
    }

    /// The size, or the largest that is small enough for this provider.
    fn fitted(&self, size: Size) -> Size {
        let room = |dimension| {
            let per_second = self.per_minute(dimension) as f64 / 60.0;
            per_second * self.depth_seconds() * LARGEST * self.least_factor()
        };
        let wanted = |tokens: u64| tokens as f64 * self.scale() * self.server.numbers().scale.unwrap_or(1.0);
        let (prompt, most_output) = (wanted(size.prompt) * self.prompt_factor().max(1.0), wanted(size.most_output));
        let too_large = |dimension: &Dimension| match dimension {
            Dimension::Requests => 1.0,
            Dimension::Tokens => room(*dimension) / (prompt + most_output),
            Dimension::Input => room(*dimension) / prompt,
            Dimension::Output => room(*dimension) / most_output,
        };
        let scale = self.dimensions().iter().map(too_large).fold(1.0, f64::min);
        let scaled = |tokens: u64, least: u64| ((wanted(tokens) * scale) as u64).max(least);
        let most_output = self.server.numbers().unbounded_output.unwrap_or_else(|| scaled(size.most_output, 1));
        Size { prompt: scaled(size.prompt, LEAST_PROMPT).min(MOST_PROMPT), most_output }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_keeps_its_provider_busy_for_minutes_and_asks_for_nothing_that_does_not_fit() {
        // Every single deviation, and some of the pairs: all of them take half a minute.
        let cells = Cell::all().into_iter().enumerate();
        let cells = cells.filter(|(place, cell)| cell.deviations().len() < 2 || place.is_multiple_of(7));
        for (_, cell) in cells {
            let sizes = cell.sizes(1.0);
            let cost = cell.expected_cost(&sizes);
            let time = |dimension: &Dimension| Ideal::new(cell.supply(*dimension)).time(cost.of(*dimension) as f64);
            let in_flight = cell.least_in_flight(&cell.expected_latencies(&sizes));
            let time = cell.dimensions().iter().map(time).fold(in_flight, f64::max);
            let expected = if cell.disturbance == Disturbance::None { 119.0..=200.0 } else { 200.0..=285.0 };
            let expected = cell.server.numbers().seconds.map_or(expected, |seconds| seconds * 0.9..=seconds * 1.1);
            assert!(expected.contains(&time), "{cell}: {time} s for {} requests", sizes.len());
            let largest = |size: &Size| cell.expected(size, 1).input + size.most_output;
            let capacity = (TOKENS_OF_A_SECOND * cell.depth_seconds()) as u64;
            assert!(cell.server.numbers().only_requests || sizes.iter().map(largest).max() <= Some(capacity), "{cell}");
        }
    }

    const TOKENS_OF_A_SECOND: f64 = 1_000.0;

    #[test]
    fn tokens_bind_whatever_they_cost() {
        for charge in Charge::ALL {
            let cell = Cell { charge: *charge, ..Cell::BASE };
            let requests = cell.sizes(1.0).len();
            assert!((1_200..2_000).contains(&requests), "{cell}: {requests}");
        }
    }

    #[test]
    fn phases_go_from_small_to_large() {
        let cell = Cell { workload: Workload::Phased, ..Cell::BASE };
        let sizes = cell.sizes(1.0);
        assert!(sizes.is_sorted_by_key(|size| size.prompt));
        assert!(sizes.len() > 1_900, "{}", sizes.len());
    }
}
