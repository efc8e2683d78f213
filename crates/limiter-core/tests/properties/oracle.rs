//! What one limit allows, computed from its definition and from everything that ever happened.
//!
//! A [`History`] is a list: what was taken, when, and how much. It keeps no level. Whoever asks for one gets it from
//! the whole list, each time:
//!
//! * Refilled continuously: for every instant `s` at which the bucket may have been full, what may be taken after it
//!   until `t` is `burst + amount * (t - s) / window`. What is left at `t` is the least of that less what was taken,
//!   over all `s`. (Between two takings the bucket only fills, so those `s` matter that lie just before a taking, and
//!   `t` itself.) Fractions are never rounded: they are kept as a whole number of units and a multiple of 1 / window,
//!   and compared multiplied out. One entry adds at most 2^64 units times 2.7 * 10^15 ns, so an `i128` has room for
//!   three thousand of the largest there are.
//! * At a boundary: the burst less what was taken in the window in which `t` lies.
//! * Sliding: the burst less what was taken in the half-open window that ends at `t`.
//! * On release: the burst less what is held.
//!
//! Settling is the counterfactual itself: what was taken is replaced by what should have been taken, at its place in
//! the list. What was used beyond a reservation was not known when it was made, so it is another entry, at the time of
//! settling.
//!
//! A debt has a bottom: what the longest window brings less a bucketful, so that the bucket is full again one longest
//! window later; or a bucketful less one unit where that is more. What is owed beyond it is forgiven. In a list of
//! takings that is an instant like those at which the bucket was full: what is left at it is known.
//!
//! This is slow, quadratic in the number of entries, and independent of how the crate computes: no level is carried
//! from one operation to the next.

use limiter_core::{Limit, Nanos, Refill};

/// An instant on a clock that never ends, in nanoseconds.
pub(crate) type Instant = i128;

/// Everything that happened to one limit, in the order of time.
#[derive(Clone, Debug)]
pub(crate) struct History {
    limit: Limit,
    /// What the limit was in the beginning.
    first: Limit,
    entries: Vec<Entry>,
}

/// Which taking of a [`History`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entered(usize);

#[derive(Clone, Copy, Debug)]
enum Entry {
    /// So many units were taken.
    Taken { at: Instant, units: i128 },
    /// The limit became another one for the same window; what is missing stays missing.
    Changed { at: Instant, amount: i128, burst: i128 },
}

/// `units + parts / window + amount * (t - since) / window`: what may be taken until `t`.
#[derive(Clone, Copy)]
struct Line {
    units: i128,
    parts: i128,
    since: Instant,
}

/// So many peaks of the level a bucket remembers, each as high as it was.
pub(crate) const MARKS: usize = 24;

const LONGEST: i128 = Limit::MAX_WINDOW.get() as i128;

impl History {
    /// Nothing was taken yet.
    pub(crate) fn new(limit: Limit) -> Self {
        Self { limit, first: limit, entries: Vec::new() }
    }

    pub(crate) fn limit(&self) -> &Limit {
        &self.limit
    }

    /// How many entries there are.
    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// Takes `units` at `at`, which is not before any other entry.
    pub(crate) fn take(&mut self, units: u64, at: Instant) -> Entered {
        self.entries.push(Entry::Taken { at, units: i128::from(units) });
        Entered(self.entries.len() - 1)
    }

    /// What was entered turns out to be `actual` units.
    pub(crate) fn settle(&mut self, entered: Entered, actual: u64, at: Instant) {
        let is_held = self.limit.refill() == Refill::OnRelease;
        let Entry::Taken { units, .. } = &mut self.entries[entered.0] else { panic!("not a taking") };
        let actual = i128::from(actual);
        if is_held {
            *units = 0;
        } else if actual < *units {
            *units = actual;
        } else {
            let beyond = actual - *units;
            self.entries.push(Entry::Taken { at, units: beyond });
        }
    }

    /// The limit becomes `limit`, which has the same window and refills as before.
    pub(crate) fn change(&mut self, limit: Limit, at: Instant) {
        assert_eq!(limit.window(), self.limit.window());
        self.limit = limit;
        self.entries.push(Entry::Changed { at, amount: limit.amount().into(), burst: limit.burst().into() });
    }

    /// What the crate should say is left at `t`: whole units, rounded down, as far as an `i64` goes.
    pub(crate) fn level(&self, t: Instant) -> i64 {
        let left = self.left(t);
        i64::try_from(left).unwrap_or(if left < 0 { i64::MIN } else { i64::MAX })
    }

    /// The boundaries are elsewhere from `at` on, because the clock that they are told on was set: what counted until then
    /// goes on counting until the next one.
    pub(crate) fn turn_at(&mut self, phase: Nanos, at: Instant) {
        let Refill::AtBoundary { phase: old } = self.limit.refill() else { return };
        let window = i128::from(self.limit.window().get());
        let which = |at: Instant| (at - instant(old)).div_euclid(window);
        for entry in &mut self.entries {
            if let Entry::Taken { at: taken_at, .. } = entry {
                let counts = which(*taken_at) == which(at);
                *taken_at = if counts { at } else { i128::MIN / 2 };
            }
        }
        self.limit = self.limit.with_refill(Refill::AtBoundary { phase });
    }

    /// Whole units that are left at `t`, rounded down; negative when units are owed.
    fn left(&self, t: Instant) -> i128 {
        let window = i128::from(self.limit.window().get());
        let burst = i128::from(self.limit.burst());
        match self.limit.refill() {
            Refill::Continuous => self.continuous(t),
            Refill::AtBoundary { phase } => {
                let which = |at: Instant| (at - i128::from(phase.get())).div_euclid(window);
                burst - self.taken(|at| which(at) == which(t))
            }
            Refill::Sliding => burst - self.taken(|at| at > t - window),
            _ => burst - self.taken(|_| true),
        }
    }

    /// The longest that anybody can have to wait: where everything comes back at once or a window after it was taken, one
    /// window. Continuously, the longest window; and where a bucketful may be owed that takes more than half of it to
    /// come back, as long as two bucketfuls take.
    pub(crate) fn longest_wait(limit: &Limit) -> Instant {
        let window = i128::from(limit.window().get());
        let two_bucketfuls = 2 * i128::from(limit.burst()) * window / i128::from(limit.amount());
        if limit.refill() == Refill::Continuous { LONGEST.max(two_bucketfuls) } else { window }
    }

    /// How many takings left a debt of which a part was forgiven.
    pub(crate) fn forgivings(&self) -> usize {
        if self.limit.refill() == Refill::Continuous { self.lines().1 } else { 0 }
    }

    /// Whether `units` can be taken at `t`: they are there, or all is there that can be. Where units are owed, not even
    /// none can be.
    pub(crate) fn fits(&self, units: u64, t: Instant) -> bool {
        self.left(t) >= i128::from(units.min(self.limit.burst()))
    }

    fn taken(&self, counts: impl Fn(Instant) -> bool) -> i128 {
        let amounts = self.entries.iter().map(|entry| match *entry {
            Entry::Taken { at, units } if counts(at) => units,
            _ => 0,
        });
        amounts.sum()
    }

    fn continuous(&self, t: Instant) -> i128 {
        let window = i128::from(self.limit.window().get());
        let (amount, burst) = (i128::from(self.limit.amount()), i128::from(self.limit.burst()));
        let (lines, _) = self.lines();
        let values = lines.iter().map(|line| line.times_window(t, amount, window).div_euclid(window));
        values.fold(burst, i128::min)
    }

    /// One for each instant that matters, and how many debts were forgiven.
    fn lines(&self) -> (Vec<Line>, usize) {
        let window = i128::from(self.limit.window().get());
        let mut forgivings = 0;
        let (mut amount, mut burst) = (i128::from(self.first.amount()), i128::from(self.first.burst()));
        let mut lines: Vec<Line> = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            match *entry {
                // Nothing taken is no reason to look at this instant.
                Entry::Taken { units: 0, .. } => {}
                Entry::Taken { at, units } => {
                    // The bucket may have been full just before.
                    lines.push(Line { units: burst, parts: 0, since: at });
                    lines.iter_mut().for_each(|line| line.units -= units);
                    let value = |line: &Line| line.times_window(at, amount, window);
                    let full_in_time = Line { units: burst, parts: 0, since: at + LONGEST };
                    let a_bucketful = Line { units: 1 - burst, parts: 0, since: at };
                    let is_deeper = value(&a_bucketful) < value(&full_in_time);
                    let deepest = if is_deeper { a_bucketful } else { full_in_time };
                    if lines.iter().any(|line| value(line) < value(&deepest)) {
                        lines = vec![deepest];
                        forgivings += 1;
                    }
                }
                Entry::Changed { at, amount: next_amount, burst: next_burst } => {
                    for line in &mut lines {
                        line.parts += amount * (at - line.since);
                        line.units += next_burst - burst;
                        line.since = at;
                    }
                    (amount, burst) = (next_amount, next_burst);
                }
            }
        }
        (lines, forgivings)
    }
}

impl Line {
    /// What may be taken until `t`, times the window.
    fn times_window(&self, t: Instant, amount: i128, window: i128) -> i128 {
        self.units * window + self.parts + amount * (t - self.since)
    }
}

/// An instant of the crate's.
pub(crate) fn instant(nanos: Nanos) -> Instant {
    nanos.get().into()
}
