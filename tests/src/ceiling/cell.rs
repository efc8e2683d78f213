//! A cell: one value on every axis.

use std::fmt;

use super::axes::{Charge, Depth, Disturbance, Fill, Headers, Latency, Metering, Server, Workload};

/// One value on every axis: a provider, a workload and what goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// How spent quota comes back.
    pub metering: Metering,
    /// What a request costs.
    pub charge: Charge,
    /// When and how limits are told.
    pub headers: Headers,
    /// How much of the quota is there at the start.
    pub fill: Fill,
    /// How much quota can be saved up.
    pub depth: Depth,
    /// How long an answer takes.
    pub latency: Latency,
    /// What is asked for.
    pub workload: Workload,
    /// What goes wrong.
    pub disturbance: Disturbance,
    /// What else is particular about the server.
    pub server: Server,
}

/// A value that is not the base cell's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// Another metering.
    Metering(Metering),
    /// Another charge.
    Charge(Charge),
    /// Other headers.
    Headers(Headers),
    /// Another fill.
    Fill(Fill),
    /// Another depth.
    Depth(Depth),
    /// Another latency.
    Latency(Latency),
    /// Another workload.
    Workload(Workload),
    /// A disturbance.
    Disturbance(Disturbance),
}

impl Cell {
    /// The cell that all others deviate from.
    pub const BASE: Self = Self {
        metering: Metering::TokenBucket,
        charge: Charge::PromptPlusMaxTokens,
        headers: Headers::OpenAi,
        fill: Fill::Full,
        depth: Depth::Minute,
        latency: Latency::Short,
        workload: Workload::HeavyTailed,
        disturbance: Disturbance::None,
        server: Server::Usual,
    };

    /// The base cell, every single deviation from it, the servers that the axes do not describe, and every pair of
    /// deviations on two axes.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let deviations = Deviation::all();
        let single = deviations.iter().map(|deviation| Self::BASE.with(*deviation));
        let pairs = deviations.iter().flat_map(|first| {
            let others = deviations.iter().filter(|second| second.axis() > first.axis());
            others.map(|second| Self::BASE.with(*first).with(*second))
        });
        std::iter::once(Self::BASE).chain(single).chain(Self::foreign()).chain(pairs).collect()
    }

    /// This cell with another value on one axis.
    #[must_use]
    pub const fn with(mut self, deviation: Deviation) -> Self {
        match deviation {
            Deviation::Metering(value) => self.metering = value,
            Deviation::Charge(value) => self.charge = value,
            Deviation::Headers(value) => self.headers = value,
            Deviation::Fill(value) => self.fill = value,
            Deviation::Depth(value) => self.depth = value,
            Deviation::Latency(value) => self.latency = value,
            Deviation::Workload(value) => self.workload = value,
            Deviation::Disturbance(value) => self.disturbance = value,
        }
        self
    }

    /// Whether it is of a server that the axes do not describe.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.server != Server::Usual
    }

    /// Where this cell is not the base cell, but for what belongs to its server.
    #[must_use]
    pub fn deviations(&self) -> Vec<Deviation> {
        let values = [
            Deviation::Metering(self.metering),
            Deviation::Charge(self.charge),
            Deviation::Headers(self.headers),
            Deviation::Fill(self.fill),
            Deviation::Depth(self.depth),
            Deviation::Latency(self.latency),
            Deviation::Workload(self.workload),
            Deviation::Disturbance(self.disturbance),
        ];
        let belongs = |deviation: &Deviation| self.server.implied().contains(deviation);
        values.into_iter().filter(|deviation| deviation.is_one() && !belongs(deviation)).collect()
    }
}

impl fmt::Display for Cell {
    /// The names of its deviations, and of its server before them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.is_foreign().then(|| self.server.name());
        if server.is_some() {
            f.write_str("foreign: ")?;
        }
        let deviations = self.deviations().into_iter().map(Deviation::name);
        let names: Vec<&str> = server.into_iter().chain(deviations).collect();
        f.write_str(&if names.is_empty() { "base".to_owned() } else { names.join(" · ") })
    }
}

impl Deviation {
    /// Every value of every axis but the base cell's.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let metering = Metering::ALL.iter().copied().map(Self::Metering);
        let charge = Charge::ALL.iter().copied().map(Self::Charge);
        let headers = Headers::ALL.iter().copied().map(Self::Headers);
        let fill = Fill::ALL.iter().copied().map(Self::Fill);
        let depth = Depth::ALL.iter().copied().map(Self::Depth);
        let latency = Latency::ALL.iter().copied().map(Self::Latency);
        let workload = Workload::ALL.iter().copied().map(Self::Workload);
        let disturbance = Disturbance::ALL.iter().copied().map(Self::Disturbance);
        let provider = metering.chain(charge).chain(headers).chain(fill).chain(depth).chain(latency);
        provider.chain(workload).chain(disturbance).filter(|deviation| deviation.is_one()).collect()
    }

    /// The name of the value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metering(value) => value.name(),
            Self::Charge(value) => value.name(),
            Self::Headers(value) => value.name(),
            Self::Fill(value) => value.name(),
            Self::Depth(value) => value.name(),
            Self::Latency(value) => value.name(),
            Self::Workload(value) => value.name(),
            Self::Disturbance(value) => value.name(),
        }
    }

    fn is_one(self) -> bool {
        Cell::BASE.with(self) != Cell::BASE
    }

    const fn axis(self) -> u8 {
        match self {
            Self::Metering(_) => 0,
            Self::Charge(_) => 1,
            Self::Headers(_) => 2,
            Self::Fill(_) => 3,
            Self::Depth(_) => 4,
            Self::Latency(_) => 5,
            Self::Workload(_) => 6,
            Self::Disturbance(_) => 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn cells_are_named_by_what_sets_them_apart() {
        let cell = Cell { metering: Metering::SlidingWindow, headers: Headers::Never, ..Cell::BASE };
        assert_eq!(cell.to_string(), "sliding-window · never");
        assert_eq!(Cell::BASE.to_string(), "base");
        let foreign = Cell { server: Server::OneEachSecond, ..Cell { latency: Latency::Long, ..cell } };
        assert_eq!(foreign.to_string(), "foreign: one-each-second · sliding-window · 2-s-and-tokens");
    }

    #[test]
    fn every_cell_is_there_once_with_its_own_name() {
        let cells = Cell::all();
        let names: HashSet<String> = cells.iter().map(Cell::to_string).collect();
        assert_eq!(names.len(), cells.len());
        let of_the_axes = || cells.iter().filter(|cell| !cell.is_foreign());
        assert_eq!(of_the_axes().filter(|cell| cell.deviations().is_empty()).count(), 1);
        assert!(of_the_axes().all(|cell| cell.deviations().len() <= 2));
        assert!(cells.len() > 350, "{}", cells.len());
    }
}
