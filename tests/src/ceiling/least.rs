//! The least time of a cell: that of its scarcest limit.

use super::cell::Cell;
use super::cost::{Cost, Dimension};
use super::evidence::{Moment, by_others};
use super::minimum::{Held, Ideal};

/// What is needed to say how soon the last request can have been let in.
#[derive(Debug)]
pub(super) struct Least<'a> {
    cell: &'a Cell,
    /// What has to be paid.
    due: Cost,
    /// How long the answer to each request takes, in seconds.
    latencies: &'a [f64],
    /// What it looked like after each second.
    pace: &'a [Moment],
}

impl<'a> Least<'a> {
    pub(super) const fn new(cell: &'a Cell, due: Cost, latencies: &'a [f64], pace: &'a [Moment]) -> Self {
        Self { cell, due, latencies, pace }
    }

    /// A client of one limit that takes what is there, beside the others that really were.
    pub(super) fn ideal(&self, dimension: Dimension) -> Ideal {
        Ideal::new(self.cell.supply(dimension)).beside(by_others(self.pace, dimension))
    }

    /// The least seconds until the last request, and the limit that it is for. Where the limit on requests in flight is
    /// scarcer, it is that time and the limit on requests.
    pub(super) fn time(&self) -> (f64, Dimension) {
        let of_each = |dimension: Dimension| self.ideal(dimension).time(self.due_of(dimension));
        let times = self.cell.dimensions().iter().map(|dimension| (of_each(*dimension), *dimension));
        let in_flight = (self.cell.least_in_flight(self.latencies), Dimension::Requests);
        times.chain([in_flight]).max_by(|(one, _), (other, _)| one.total_cmp(other)).unwrap_or(in_flight)
    }

    /// The least seconds, where no more than `then` was let in, and ended, by the time `after`.
    pub(super) fn time_after(&self, after: f64, then: &Cost) -> f64 {
        let of_each = |dimension: &Dimension| {
            let held = Held { until: after, amount: then.of(*dimension) as f64 };
            self.ideal(*dimension).held(held).time(self.due_of(*dimension))
        };
        // As many as there are places may have been under way by then.
        let places = self.cell.server.numbers().in_flight.unwrap_or_default();
        let begun = usize::try_from(then.requests + places).unwrap_or(usize::MAX);
        let mut longest = self.latencies.to_vec();
        longest.sort_by(|one, other| other.total_cmp(one));
        let left = longest.get(begun..).map_or(0.0, |left| self.cell.least_in_flight(left));
        self.cell.dimensions().iter().map(of_each).fold(after + left, f64::max)
    }

    fn due_of(&self, dimension: Dimension) -> f64 {
        self.due.of(dimension) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::axes::Server;
    use super::*;

    const GATEWAY: Cell = Cell { server: Server::FiveInFlight, ..Cell::BASE };

    #[test]
    fn requests_in_flight_take_turns_at_the_places_there_are() {
        // 24 requests of 10 s at 5 places: 5 each at 0, 10, 20 and 30 s, the last four at 40. The bound leaves out what the
        // last five take: 19 of 10 s at 5 places.
        let latencies = [10.0; 24];
        let least = Least::new(&GATEWAY, Cost { requests: 24, tokens: 24, ..Cost::default() }, &latencies, &[]);
        assert_eq!(least.time(), (38.0, Dimension::Requests));
        // 4 have ended by 10 s, 5 may be under way; of the 15 others 10 have to end at 5 places.
        assert!((least.time_after(10.0, &Cost { requests: 4, ..Cost::default() }) - 30.0).abs() < 1e-9);
        // Two that are long: the bound lets them be the last.
        let mixed = [1.0, 30.0, 1.0, 1.0, 30.0, 1.0, 1.0];
        assert!((GATEWAY.least_in_flight(&mixed) - 0.4).abs() < 1e-9);
    }

    #[test]
    fn where_tokens_are_scarcer_they_decide() {
        // A full bucket of 60,000, and 1,000 a second after it.
        let due = Cost { requests: 24, tokens: 70_000, ..Cost::default() };
        let (time, scarcest) = Least::new(&GATEWAY, due, &[0.05; 24], &[]).time();
        assert!((time - 10.0).abs() < 0.01 && scarcest == Dimension::Tokens, "{time}");
        assert_eq!(Cell::BASE.least_in_flight(&[10.0; 24]), 0.0);
    }

    #[test]
    fn what_costs_less_for_a_while_is_done_sooner() {
        // 140,000 until the price falls by a third at 80 s: 60,000 and 80 of 1,000. Until 160 s 80,000 do for 120,000.
        let cell = Cell { server: Server::ChargeChanges, ..Cell::BASE };
        let time = |tokens| Least::new(&cell, Cost { tokens, ..Cost::default() }, &[], &[]).time().0;
        for (tokens, expected) in [(140_000, 80.0), (200_000, 120.0), (260_000, 160.0), (270_000, 170.0)] {
            assert!((time(tokens) - expected).abs() < 0.01, "{tokens}: {}", time(tokens));
        }
    }

    #[test]
    fn what_binds_is_what_the_server_enforces() {
        #[track_caller]
        fn check(server: Server, requests: u64, expected: f64) {
            let cell = Cell { server, ..Cell::BASE };
            let due = Cost { requests, ..Cost::default() };
            let (time, _) = Least::new(&cell, due, &[], &[]).time();
            assert!((time - expected).abs() < 0.0021, "{server:?}: {time} and not {expected}");
        }
        // One at once, and one each second; ten times as fast.
        check(Server::OneEachSecond, 151, 150.0);
        check(Server::TenEachSecond, 151, 15.0);
        // Three at once, and one every twenty seconds.
        check(Server::ThreeEachMinute, 33, 600.0);
        // Ten in the first second, and in each of fourteen more; a bucket of a minute alone would have given 600 at once.
        check(Server::HiddenSeconds, 150, 14.0);
        check(Server::NoReset, 700, 10.0);
        check(Server::LateReadings, 700, 10.0);
        // 6,000 at once, and a hundred a second.
        check(Server::Large, 7_000, 10.0);
        // 600 in the first minute, and then ten a second.
        check(Server::Counters, 700, 70.0);
        // 60 a minute, but none saved up; 300 a minute of 600 that are told; 3 a minute and a bucket of 3.
        check(Server::NoneSavedUp, 61, 60.0);
        check(Server::HiddenRequests, 400, 20.0);
        check(Server::Small, 13, 200.0);
        // 600 + 900 until 90 s, and then 100 a second; or one.
        check(Server::TenTimes, 2_500, 100.0);
        check(Server::Tenth, 1_510, 100.0);
        for server in [Server::EpochResets, Server::DailyToo, Server::Thousands, Server::CountedLate, Server::Unbounded]
        {
            check(server, 700, 10.0);
        }
    }
}
