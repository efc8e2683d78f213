//! What was taken within the last window, and when: the memory of a sliding window.
//!
//! A log of every taking would grow with the traffic. This one has room for a few moments; when it is full, two that
//! follow each other become one, at the later time. So it is exact while few moments matter, and otherwise gives
//! something back a little late, never early. Under load that hardly costs anything: what comes back together is
//! taken again together, and from then on it is one moment.

use crate::Nanos;

/// Amounts, in units, by the moment they were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Log {
    moments: [Moment; ROOM],
    len: usize,
    /// What has come back and was forgotten since. Wraps.
    returned: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    at: Nanos,
    amount: u64,
}

/// A thirty-second of a window, two seconds of a minute, is what a single request may wait too long.
const ROOM: usize = 32;

impl Log {
    pub(super) const fn new() -> Self {
        Self { moments: [Moment { at: Nanos::ZERO, amount: 0 }; ROOM], len: 0, returned: 0 }
    }

    /// Everything that counts at `now`, where a taking counts for `window`.
    pub(super) fn used(&self, now: Nanos, window: Nanos) -> u128 {
        let counted = self.all().iter().filter(|moment| moment.counts(now, window));
        counted.map(|moment| u128::from(moment.amount)).sum()
    }

    /// The earliest instant, not before `now`, at which no more than `rest` counts.
    pub(super) fn falls_to(&self, rest: u128, now: Nanos, window: Nanos) -> Nanos {
        let mut used = self.used(now, window);
        let mut at = now;
        for moment in self.all().iter().filter(|moment| moment.counts(now, window)) {
            if used <= rest {
                break;
            }
            used = used.saturating_sub(u128::from(moment.amount));
            at = moment.at.saturating_add(window);
        }
        at
    }

    /// What has come back up to `at`. Wraps: only differences mean anything.
    #[cfg(feature = "alloc")]
    pub(super) fn returned(&self, at: Nanos, window: Nanos) -> u64 {
        let back = self.all().iter().filter(|moment| !moment.counts(at, window));
        back.fold(self.returned, |sum, moment| sum.wrapping_add(moment.amount))
    }

    /// `amount` more was taken in the window before `now`, nobody knows when: evenly, then.
    #[cfg(feature = "alloc")]
    pub(super) fn spread(&mut self, amount: u64, now: Nanos, window: Nanos) {
        let parts = ROOM as u64 / 2;
        let known = core::mem::replace(self, Self { returned: self.returned(now, window), ..Self::new() });
        let mut counted = known.all().iter().filter(|moment| moment.counts(now, window)).peekable();
        for number in 1..=parts {
            let part = |number: u64| amount / parts * number + amount % parts * number / parts;
            let at = now.saturating_sub(Nanos::new(window.get() / parts * (parts - number)));
            // In the order of time: what is taken later than something else counts from then on.
            while let Some(moment) = counted.next_if(|moment| moment.at <= at) {
                self.take(moment.at, moment.amount, window);
            }
            self.take(at, part(number) - part(number - 1), window);
        }
    }

    /// Something is taken at `at`; what no longer counts then is forgotten.
    pub(super) fn take(&mut self, at: Nanos, amount: u64, window: Nanos) {
        if amount == 0 {
            return;
        }
        let gone = self.all().iter().take_while(|moment| !moment.counts(at, window)).count();
        let returned = self.all().iter().take(gone).map(|moment| moment.amount);
        self.returned = returned.fold(self.returned, u64::wrapping_add);
        self.moments.copy_within(gone..self.len, 0);
        self.len -= gone;
        if self.len == ROOM {
            self.make_room(at);
        }
        match self.moments.get_mut(..self.len).and_then(|moments| moments.last_mut()) {
            Some(last) if at <= last.at => last.amount = last.amount.saturating_add(amount),
            _ => {
                if let Some(next) = self.moments.get_mut(self.len) {
                    *next = Moment { at, amount };
                    self.len += 1;
                }
            }
        }
    }

    /// Takes back what was taken at `taken_at` and still counts.
    pub(super) fn give_back(&mut self, taken_at: Nanos, amount: u64, now: Nanos, window: Nanos) {
        // Moments that became one have the time of the later, so the first one not earlier is the right one.
        let counted = Moment { at: taken_at, amount }.counts(now, window);
        if let Some(moment) = self.moments.iter_mut().take(self.len).find(|moment| moment.at >= taken_at)
            && counted
        {
            moment.amount = moment.amount.saturating_sub(amount);
        }
    }

    /// Makes `used` what counts at `at`. The times known are kept as far as they go: what is too much leaves with the
    /// oldest, what is missing was taken at `at`.
    pub(super) fn set_used(&mut self, used: u64, at: Nanos, window: Nanos) {
        self.len = self.all().iter().take_while(|moment| moment.at <= at).count();
        let known = self.used(at, window);
        let mut excess = known.saturating_sub(u128::from(used));
        for moment in self.moments.iter_mut().take(self.len).filter(|moment| moment.counts(at, window)) {
            let less = u64::try_from(excess).unwrap_or(u64::MAX).min(moment.amount);
            moment.amount -= less;
            excess -= u128::from(less);
        }
        let missing = u128::from(used).saturating_sub(known);
        self.take(at, u64::try_from(missing).unwrap_or(u64::MAX), window);
    }

    /// Makes one of two moments that follow each other, the one that comes `next` among them: those for which it
    /// delays least, in units times time.
    fn make_room(&mut self, next: Nanos) {
        let delay = |earlier: &Moment, later: Nanos| {
            u128::from(earlier.amount) * u128::from(later.saturating_sub(earlier.at).get())
        };
        let delays = self.all().windows(2).map(|pair| match pair {
            [earlier, later] => delay(earlier, later.at),
            _ => u128::MAX,
        });
        let Some((earlier, least)) = delays.enumerate().min_by_key(|(_, delay)| *delay) else { return };
        if let Some(last) = self.moments.last_mut()
            && delay(last, next) < least
        {
            last.at = last.at.max(next);
            return;
        }
        let amount = self.moments.get(earlier).map_or(0, |moment| moment.amount);
        self.moments.copy_within(earlier + 1.., earlier);
        self.len -= 1;
        if let Some(later) = self.moments.get_mut(earlier) {
            later.amount = later.amount.saturating_add(amount);
        }
    }

    fn all(&self) -> &[Moment] {
        self.moments.get(..self.len).unwrap_or_default()
    }
}

impl Moment {
    fn counts(&self, now: Nanos, window: Nanos) -> bool {
        now < self.at.saturating_add(window)
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    const WINDOW: Nanos = Nanos::MINUTE;

    fn log(takings: &[(u64, u64)]) -> Log {
        let mut log = Log::new();
        for (second, amount) in takings {
            log.take(Nanos::from_secs(*second), *amount, WINDOW);
        }
        log
    }

    #[test]
    fn a_taking_counts_for_exactly_one_window() {
        let log = log(&[(0, 5), (10, 7)]);
        let used = |nanos| log.used(Nanos::new(nanos), WINDOW);
        assert_eq!((used(59_999_999_999), used(60_000_000_000), used(70_000_000_000)), (12, 7, 0));
        let falls_to = |rest| log.falls_to(rest, Nanos::from_secs(20), WINDOW);
        assert_eq!([12, 11, 7, 6, 0].map(falls_to), [20, 60, 60, 70, 70].map(Nanos::from_secs));
    }

    #[test]
    fn a_full_log_joins_neighbours_and_forgets_nothing_early() {
        let takings: Vec<(u64, u64)> = (0..50).map(|second| (second, 1)).collect();
        let log = log(&takings);
        assert_eq!(log.len, ROOM);
        for second in 0..110 {
            let exact = takings.iter().filter(|(at, _)| (*at..at + 60).contains(&second)).count() as u128;
            let used = log.used(Nanos::from_secs(second.max(49)), WINDOW);
            assert!(second < 49 || (exact..=exact + 2).contains(&used), "{used} of {exact} at {second}");
        }
    }

    #[test]
    fn what_comes_back_comes_from_the_moment_it_was_taken() {
        let mut log = log(&[(0, 5), (10, 7)]);
        log.give_back(Nanos::from_secs(10), 4, Nanos::from_secs(20), WINDOW);
        assert_eq!(log.falls_to(3, Nanos::from_secs(20), WINDOW), Nanos::from_secs(60));
        // What no longer counts does not come back a second time.
        log.give_back(Nanos::ZERO, 5, Nanos::from_secs(60), WINDOW);
        assert_eq!(log.used(Nanos::from_secs(60), WINDOW), 3);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn what_has_come_back_is_counted_whether_it_was_forgotten_or_not() {
        let mut log = log(&[(0, 5), (10, 7)]);
        let returned = |log: &Log, second| log.returned(Nanos::from_secs(second), WINDOW);
        assert_eq!([59, 60, 70].map(|second| returned(&log, second)), [0, 5, 12]);
        log.take(Nanos::from_secs(65), 3, WINDOW);
        assert_eq!([65, 70, 125].map(|second| returned(&log, second)), [5, 12, 15]);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn what_was_taken_nobody_knows_when_comes_back_evenly_and_the_rest_when_it_did() {
        let mut log = log(&[(0, 100), (70, 5), (89, 7)]);
        log.spread(160, Nanos::from_secs(90), WINDOW);
        let used = |second| log.used(Nanos::from_secs(second), WINDOW);
        // A sixteenth of it each 3.75 s, and what is known of a moment at that moment.
        assert_eq!([used(90), used(120), used(129), used(130), used(148)], [172, 92, 72, 67, 17]);
        assert_eq!([used(149), used(150)], [10, 0]);
        // What came back before has come back.
        assert_eq!(log.returned(Nanos::from_secs(90), WINDOW), 100);
    }

    #[test]
    fn what_is_used_can_be_corrected_both_ways() {
        let mut log = log(&[(0, 5), (10, 7)]);
        log.set_used(9, Nanos::from_secs(20), WINDOW);
        assert_eq!([9, 8, 7, 6].map(|rest| log.falls_to(rest, Nanos::from_secs(20), WINDOW)), {
            [20, 60, 60, 70].map(Nanos::from_secs)
        });
        log.set_used(20, Nanos::from_secs(30), WINDOW);
        assert_eq!([19, 16, 8].map(|rest| log.falls_to(rest, Nanos::from_secs(30), WINDOW)), {
            [60, 70, 90].map(Nanos::from_secs)
        });
    }
}
