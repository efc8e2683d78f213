//! A wait that rests on what no word has confirmed is tested, not believed: how long to wait before somebody asks.
//!
//! What is let through though it should have found nothing says that less has to be waited for, and the next one asks
//! after half of that. One that is refused says that the belief is right, and the next one waits twice as long, or half
//! way to what was found to be enough.

use crate::Nanos;

/// What asking has told of one limit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asks {
    /// Who asks, after how long.
    asker: Option<(u64, Nanos)>,
    /// The longest wait that was too short, and the shortest that was enough.
    short: Nanos,
    enough: Option<Nanos>,
    /// The wait that was named by the refusal of the one that asked last.
    named: Nanos,
    /// How many have to be let through before less is tried, and how many were since it was.
    patience: u32,
    passed: u32,
}

/// What is let through after so short a wait need not wait.
const LEAST: Nanos = Nanos::from_millis(5);
/// So many have to be let through after the first wait that was too short before another is tried, and twice as many after
/// each: every one costs a refusal.
const PATIENCE: u32 = 8;
/// A wait is known well enough where what was too short is so much of what was enough: seven eighths.
const KNOWN: (u64, u64) = (7, 8);

impl Asks {
    /// After how long somebody asks, where `first` is how long nobody has to wait for the first time, and `most` is what is
    /// waited for where nobody asks.
    pub(crate) fn after(&self, first: Nanos, most: Nanos) -> Nanos {
        let Some(enough) = self.enough else {
            return match self.short {
                Nanos::ZERO => first,
                short if self.named > short => self.named,
                short => short.saturating_add(short),
            };
        };
        let enough = enough.min(most);
        let is_known = enough <= LEAST || self.short.get() / KNOWN.0 >= enough.get() / KNOWN.1;
        if is_known || self.passed < self.patience {
            return enough;
        }
        Nanos::new(self.short.get().midpoint(enough.get()))
    }

    /// Whether a wait of `span`, which a reset names, may be tried: none is known that was enough, and what was too short is
    /// less than that by an eighth. A reset that is always a second away would be tried each second otherwise.
    pub(crate) fn may_be_enough(&self, span: Nanos) -> bool {
        self.enough.is_none() && span.get() / KNOWN.1 > self.short.get() / KNOWN.0
    }

    /// Who asked last and was refused was told to wait for so long.
    pub(crate) const fn is_named(&mut self, span: Nanos) {
        self.named = span;
    }

    /// What was `too_short` need not be tried.
    pub(crate) fn is_short(&mut self, too_short: Nanos) {
        self.short = self.short.max(too_short);
    }

    /// Whether asking has shown that less has to be waited for than was thought.
    pub(crate) const fn has_gained(&self) -> bool {
        self.enough.is_some()
    }

    /// Whether somebody asks.
    pub(crate) const fn is_asking(&self) -> bool {
        self.asker.is_some()
    }

    /// Whether the admission `number` asks.
    pub(crate) fn is_asker(&self, number: u64) -> bool {
        self.asker.is_some_and(|(asker, _)| asker == number)
    }

    /// The admission `number` asks after a wait of `waited`.
    pub(crate) const fn ask(&mut self, number: u64, waited: Nanos) {
        self.asker = Some((number, waited));
    }

    /// The admission `number` was let through. Returns how long it had waited, if it was the one that asked.
    pub(crate) fn passed(&mut self, number: u64) -> Option<Nanos> {
        self.passed = self.passed.saturating_add(1);
        let (_, waited) = self.asker.take_if(|(asker, _)| *asker == number)?;
        self.enough = Some(self.enough.map_or(waited, |enough| enough.min(waited)));
        if self.short >= waited {
            // It was enough after all.
            self.short = Nanos::new(waited.get() / 2);
        }
        Some(waited)
    }

    /// The admission `number` was refused. Returns whether it was the one that asked.
    pub(crate) fn refused(&mut self, number: u64) -> bool {
        let Some((_, waited)) = self.asker.take_if(|(asker, _)| *asker == number) else { return false };
        if self.enough.is_some_and(|enough| waited >= enough) {
            // It is enough no more.
            self.enough = None;
        }
        self.short = self.short.max(waited);
        self.patience = self.patience.saturating_mul(2).max(PATIENCE);
        self.passed = 0;
        true
    }

    /// The admission `number` ended in another way.
    pub(crate) fn ended(&mut self, number: u64) {
        self.asker.take_if(|(asker, _)| *asker == number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks as long as is said after the one before, of a server that lets one through after so many `millis`. Returns after
    /// how long the last one asked, and how many were refused.
    fn ask(asks: &mut Asks, millis: u64, times: u64) -> (Nanos, u64) {
        let (mut last, mut refused) = (Nanos::ZERO, 0);
        for number in 1..=times {
            last = asks.after(Nanos::SECOND, Nanos::MAX);
            asks.ask(number, last);
            if last >= Nanos::from_millis(millis) {
                assert_eq!(asks.passed(number), Some(last));
            } else {
                assert!(asks.refused(number));
                refused += 1;
            }
        }
        (last, refused)
    }

    #[test]
    fn the_next_one_asks_sooner_until_that_is_too_soon() {
        let mut asks = Asks::default();
        let (last, refused) = ask(&mut asks, 100, 500);
        assert!(last >= Nanos::from_millis(100) && last <= Nanos::from_millis(115), "{last:?}");
        assert!(refused <= 5, "{refused}");
    }

    #[test]
    fn the_next_one_asks_after_twice_as_long_where_one_is_refused() {
        let mut asks = Asks::default();
        assert_eq!(ask(&mut asks, 100_000, 6), (Nanos::from_secs(32), 6));
        assert!(!asks.has_gained());
    }

    #[test]
    fn the_next_one_asks_when_the_refusal_says_to_and_sooner_than_is_waited_for() {
        let mut asks = Asks::default();
        asks.ask(1, Nanos::from_secs(4));
        assert!(asks.refused(1));
        asks.is_named(Nanos::from_secs(10));
        assert_eq!(asks.after(Nanos::SECOND, Nanos::MINUTE), Nanos::from_secs(10));
        assert!(asks.may_be_enough(Nanos::from_secs(5)) && !asks.may_be_enough(Nanos::from_secs(4)));
        ask(&mut asks, 10_000, 1);
        asks.ask(2, Nanos::from_secs(10));
        asks.passed(2);
        for number in 100..108 {
            assert_eq!(asks.passed(number), None);
        }
        assert!(asks.after(Nanos::SECOND, Nanos::from_secs(6)) <= Nanos::from_secs(6));
    }

    #[test]
    fn what_was_enough_and_is_no_more_is_forgotten() {
        let mut asks = Asks::default();
        ask(&mut asks, 500, 10);
        assert!(asks.has_gained());
        let (last, refused) = ask(&mut asks, 3_000, 20);
        assert!(last >= Nanos::from_secs(3) && refused <= 8, "{last:?} {refused}");
    }
}
