//! The client that takes everything at the first moment at which it is there.

use super::others::Others;
use super::{Refill, Supply};

/// Steps a second.
const STEPS: u64 = 1_000;
/// The longest time that is looked at: four hours.
const LONGEST: u64 = 4 * 3_600 * STEPS;
/// What rounding may miss, in requests or tokens.
const ROUNDING: f64 = 1e-6;

/// What really was admitted in the beginning: more is not to be admitted until then.
#[derive(Clone, Copy, Debug)]
pub(in crate::ceiling) struct Held {
    /// Seconds since the start.
    pub(in crate::ceiling) until: f64,
    /// What was admitted by then, at the first price.
    pub(in crate::ceiling) amount: f64,
}

/// A client of one limit that takes what is there at the first moment at which it is there.
#[derive(Debug)]
pub(in crate::ceiling) struct Ideal {
    supply: Supply,
    others: Others,
    held: Option<Held>,
    /// Steps since the start.
    step: u64,
    /// All that it took.
    taken: f64,
    /// What it got for it: as much, where prices do not change.
    bought: f64,
    state: State,
}

/// What a metering has to remember. Each begins as the supply is filled.
#[derive(Debug)]
enum State {
    Bucket { level: f64 },
    Window { level: f64 },
    Sliding { missing: f64, taken: Vec<f64> },
    Counter { before: f64, here: f64 },
    Slices { level: f64, slice: f64 },
}

impl Ideal {
    pub(in crate::ceiling) fn new(supply: Supply) -> Self {
        let level = supply.capacity(0.0) * supply.fill;
        let missing = supply.capacity(0.0) - level;
        let state = match supply.refill {
            Refill::Bucket => State::Bucket { level },
            Refill::Window => State::Window { level },
            Refill::Sliding => State::Sliding { missing, taken: Vec::new() },
            Refill::Counter => State::Counter { before: missing, here: 0.0 },
            Refill::Slices => State::Slices { level, slice: 0.0 },
        };
        Self { supply, others: Others::default(), held: None, step: 0, taken: 0.0, bought: 0.0, state }
    }

    /// The same, which in the beginning takes no more than somebody else did.
    pub(in crate::ceiling) fn held(self, held: Held) -> Self {
        Self { held: Some(held), ..self }
    }

    /// The same beside others, who had taken as much after each second.
    pub(in crate::ceiling) fn beside(self, counted: Vec<f64>) -> Self {
        Self { others: Others::counted(counted), ..self }
    }

    /// The seconds after which it has bought each of `amounts`, which do not fall. Infinite where that never comes.
    pub(in crate::ceiling) fn times(mut self, amounts: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let time = |amount: f64| {
            while self.bought + ROUNDING < amount {
                if self.step > LONGEST {
                    return f64::INFINITY;
                }
                self.go_on();
            }
            // The step that took it is over.
            seconds(self.step.saturating_sub(1))
        };
        amounts.into_iter().map(time).collect()
    }

    /// The seconds after which it has bought `amount`.
    pub(in crate::ceiling) fn time(self, amount: f64) -> f64 {
        self.times([amount]).last().copied().unwrap_or_default()
    }

    /// What it has bought by a time.
    pub(in crate::ceiling) fn taken_by(mut self, time: f64) -> f64 {
        while seconds(self.step) <= time {
            self.go_on();
        }
        self.bought
    }

    /// Takes what is there, and lets a step pass.
    fn go_on(&mut self) {
        let now = seconds(self.step);
        self.turn(now);
        let price = self.supply.price(now);
        let held = self.held.filter(|held| now < held.until);
        let held = held.map_or(f64::INFINITY, |held| (held.amount - self.bought) * price);
        let amount = if self.supply.is_open(now) { self.there(now).min(held).max(0.0) } else { 0.0 };
        self.taken += amount;
        self.bought += amount / price;
        self.pass(amount, now);
        self.step += 1;
    }

    /// What happens at the beginning of a window or second.
    fn turn(&mut self, now: f64) {
        let (supply, others) = (&self.supply, &self.others);
        let is_turn = |length: f64| {
            let length = (length * STEPS as f64) as u64;
            (supply.epoch * STEPS + self.step).is_multiple_of(length.max(1))
        };
        match &mut self.state {
            State::Window { level } => {
                if self.step > 0 && is_turn(supply.depth) {
                    *level = supply.capacity(now) - others.take(supply, now, now + supply.depth);
                } else if supply.events.change.is_some_and(|(at, _)| at > before(now) && at <= now) {
                    *level += supply.capacity(now) - supply.capacity(before(now));
                }
            }
            State::Slices { slice, .. } => {
                if is_turn(1.0) {
                    *slice = supply.rate(now) - others.take(supply, now, now + 1.0);
                }
            }
            State::Counter { before, here } => {
                if self.step > 0 && is_turn(supply.depth) {
                    (*before, *here) = (*here, 0.0);
                }
            }
            State::Bucket { .. } | State::Sliding { .. } => {}
        }
    }

    /// What could be taken now.
    fn there(&self, now: f64) -> f64 {
        let supply = &self.supply;
        match &self.state {
            State::Bucket { level } | State::Window { level } => *level,
            State::Slices { level, slice } => level.min(*slice),
            State::Counter { before, here } => {
                let within = (supply.epoch as f64 + now) % supply.depth;
                let covered = 1.0 - within / supply.depth;
                supply.capacity(now) - here - before * covered
            }
            State::Sliding { missing, taken } => {
                let window = (supply.depth * STEPS as f64) as u64;
                let past = self.step.checked_sub(window).and_then(|step| taken.get(usize::try_from(step).ok()?));
                let missing = missing * (1.0 - now / supply.depth).max(0.0);
                let used = self.taken - past.copied().unwrap_or_default() + missing;
                supply.capacity(now) - used - self.others.take(supply, now - supply.depth, now)
            }
        }
    }

    /// Takes `amount`, and lets the time of a step pass.
    fn pass(&mut self, amount: f64, now: f64) {
        let after = now + seconds(1);
        let (supply, others) = (&self.supply, &self.others);
        let refilled = |level: f64| {
            let refill = supply.rate(now) * seconds(1) - others.take(supply, now, after);
            (level - amount + refill).min(supply.capacity(after))
        };
        match &mut self.state {
            State::Bucket { level } => *level = refilled(*level),
            State::Window { level } => *level -= amount,
            State::Counter { here, .. } => *here += amount,
            State::Slices { level, slice } => {
                *level = refilled(*level);
                *slice -= amount;
            }
            State::Sliding { taken, .. } => taken.push(self.taken),
        }
    }
}

fn seconds(steps: u64) -> f64 {
    steps as f64 / STEPS as f64
}

/// One step earlier.
fn before(now: f64) -> f64 {
    now - seconds(1)
}
