//! What is good enough, and whether it was reached.

use std::fmt;

use super::axes::{Charge, Disturbance, Fill, Headers, Latency, Server};
use super::cell::Cell;
use super::outcome::Outcome;

/// Cells with the same goals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Limits are told on every answer.
    Told,
    /// The same, where what was produced is charged.
    Produced,
    /// Limits were typed in wrong.
    TypedIn,
    /// Limits are told on refusals only.
    OnRefusal,
    /// Limits are never told.
    Never,
    /// Something goes wrong.
    Disturbed,
    /// The axes do not describe the server.
    Foreign,
}

/// What is good enough for a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// The most that the ratio may be.
    ratio: f64,
    /// Whether it is that of what came after the first minute.
    is_later: bool,
    /// The most refusals, and the largest share of the requests that may be refused: whichever is more.
    refused: (u64, f64),
}

/// A ratio below this says that the minimum was none, and so nothing else.
const LEAST_RATIO: f64 = 0.99;
/// Every request is to be sent at most this many times, on average.
const ATTEMPTS: f64 = 1.1;

impl Class {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Told, Self::Produced, Self::TypedIn, Self::OnRefusal, Self::Never, Self::Disturbed, Self::Foreign];

    /// The class of a cell. One that belongs to several counts where least is known.
    #[must_use]
    pub const fn of(cell: &Cell) -> Self {
        if !matches!(cell.server, Server::Usual) {
            return Self::Foreign;
        }
        match (cell.headers, cell.disturbance, cell.charge) {
            (Headers::Never, _, _) => Self::Never,
            (Headers::OnRefusal, Disturbance::None, _) => Self::OnRefusal,
            (_, Disturbance::TypedHalf | Disturbance::TypedDouble, _) => Self::TypedIn,
            (Headers::OpenAi | Headers::Anthropic, Disturbance::None, Charge::Produced) => Self::Produced,
            (Headers::OpenAi | Headers::Anthropic, Disturbance::None, _) => Self::Told,
            _ => Self::Disturbed,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Told => "told on every answer",
            Self::Produced => "told, what is produced is charged",
            Self::TypedIn => "typed in wrong",
            Self::OnRefusal => "told on refusals",
            Self::Never => "never told",
            Self::Disturbed => "disturbed",
            Self::Foreign => "foreign",
        }
    }
}

impl Goal {
    const TOLD: Self = Self { ratio: 1.01, is_later: false, refused: (0, 0.0) };

    /// The goal of a cell: the loosest of those of its values.
    #[must_use]
    pub fn of(cell: &Cell) -> Self {
        let goal = Self::TOLD;
        let goal = match cell.charge {
            Charge::Produced => goal.or(1.02, 0, 0.0),
            _ => goal,
        };
        let goal = match cell.headers {
            Headers::OpenAi | Headers::Anthropic => goal,
            Headers::OnRefusal => goal.or(1.05, 3, 0.0),
            Headers::Never => goal.or_never(),
        };
        let goal = match cell.fill {
            // That nothing is there can only be learned from a refusal.
            Fill::Empty => goal.or(0.0, 1, 0.0),
            Fill::Full | Fill::Half => goal,
        };
        let goal = match (cell.server, cell.latency) {
            // What binds is told by nobody, whatever the headers say of the rest.
            (Server::FiveInFlight, Latency::Long) => goal.or_never(),
            // A refusal is the only way to learn of a limit that nobody tells; what binds most of the time is told.
            (Server::FiveInFlight | Server::HiddenSeconds | Server::HiddenRequests, _) => goal.or(1.05, 0, 0.01),
            // Three in a hundred are refused whatever anybody does, and chance comes in runs.
            (Server::AtRandom, _) => goal.or(1.05, 0, 0.05),
            // What comes in while nothing is known, and nothing is saved up, is lost to everybody who feels the way.
            (Server::Large, _) if !matches!(cell.fill, Fill::Full) => goal.or(1.05, 0, 0.0),
            // What changes in the course of the run is a disturbance.
            (Server::ChargeChanges | Server::TenTimes | Server::Tenth, _) => goal.or(1.05, 0, 0.01),
            _ => goal,
        };
        match cell.disturbance {
            Disturbance::None => goal,
            Disturbance::TypedHalf => goal.or(1.03, 0, 0.0),
            Disturbance::TypedDouble => goal.or(1.03, 2, 0.0),
            _ => goal.or(1.05, 0, 0.01),
        }
    }

    /// Where nothing is ever told.
    const fn or_never(self) -> Self {
        Self { is_later: true, ..self.or(1.15, 0, 0.01) }
    }

    const fn or(self, ratio: f64, most: u64, share: f64) -> Self {
        let (most_here, share_here) = self.refused;
        let most = if most > most_here { most } else { most_here };
        Self { ratio: self.ratio.max(ratio), refused: (most, share_here.max(share)), ..self }
    }

    /// The ratio that this goal is about.
    #[must_use]
    pub fn ratio_of(&self, outcome: &Outcome) -> f64 {
        if self.is_later { outcome.later_ratio } else { outcome.ratio() }
    }

    /// The most that it may be.
    pub(super) const fn most_ratio(&self) -> f64 {
        self.ratio
    }

    /// What was missed. Nothing where the goal is met.
    #[must_use]
    pub fn missed(&self, outcome: &Outcome) -> Vec<&'static str> {
        let (most, share) = self.refused;
        let requests = outcome.requests as f64;
        let sent_at_most = (ATTEMPTS * (outcome.requests + outcome.unlucky) as f64) as u64;
        let goals = [
            ("ratio", self.ratio_of(outcome) <= self.ratio),
            ("bound", self.ratio_of(outcome) >= LEAST_RATIO),
            ("429s", outcome.refused <= most.max((share * requests) as u64)),
            ("lost", outcome.answered == outcome.requests),
            ("twice", outcome.twice == 0),
            ("attempts", outcome.attempts <= sent_at_most),
            ("waits", outcome.overdue <= 0.0),
            ("books", outcome.books_agree),
        ];
        goals.into_iter().filter(|(_, met)| !met).map(|(name, _)| name).collect()
    }
}

impl Goal {
    /// The part about time.
    #[must_use]
    pub fn of_time(&self) -> String {
        format!("ratio <= {}{}", self.ratio, if self.is_later { " after 60 s" } else { "" })
    }

    /// The part about refusals.
    #[must_use]
    pub fn of_refusals(&self) -> String {
        match self.refused {
            (most, 0.0) => format!("429s <= {most}"),
            (0, share) => format!("429s <= {} %", share * 100.0),
            (most, share) => format!("429s <= {most} or {} %", share * 100.0),
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.of_time(), self.of_refusals())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cell: Cell, class: Class, goal: &str) {
        assert_eq!((Class::of(&cell), Goal::of(&cell).to_string().as_str()), (class, goal));
    }

    #[test]
    fn a_cell_has_the_loosest_goal_of_its_values() {
        let base = Cell::BASE;
        check(base, Class::Told, "ratio <= 1.01, 429s <= 0");
        check(Cell { fill: Fill::Empty, ..base }, Class::Told, "ratio <= 1.01, 429s <= 1");
        let produced = Cell { charge: Charge::Produced, ..base };
        check(produced, Class::Produced, "ratio <= 1.02, 429s <= 0");
        let on_refusal = Cell { headers: Headers::OnRefusal, ..produced };
        check(on_refusal, Class::OnRefusal, "ratio <= 1.05, 429s <= 3");
        let resets = Cell { disturbance: Disturbance::Resets, ..on_refusal };
        check(resets, Class::Disturbed, "ratio <= 1.05, 429s <= 3 or 1 %");
        let never = Cell { headers: Headers::Never, ..resets };
        check(never, Class::Never, "ratio <= 1.15 after 60 s, 429s <= 1 %");
        let typed = Cell { disturbance: Disturbance::TypedDouble, ..base };
        check(typed, Class::TypedIn, "ratio <= 1.03, 429s <= 2");
        let gateway = Cell { server: Server::FiveInFlight, ..base };
        check(gateway, Class::Foreign, "ratio <= 1.05, 429s <= 1 %");
        let slow = Cell { latency: Latency::Long, ..gateway };
        check(slow, Class::Foreign, "ratio <= 1.15 after 60 s, 429s <= 1 %");
        let large = Cell { server: Server::Large, ..base };
        check(large, Class::Foreign, "ratio <= 1.01, 429s <= 0");
        check(Cell { fill: Fill::Empty, ..large }, Class::Foreign, "ratio <= 1.05, 429s <= 1");
    }
}
