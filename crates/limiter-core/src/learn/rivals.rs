//! Whether what is said of one limit is said of several: of two models that the provider counts apart, each answer tells of
//! its own.
//!
//! A limit that has changed is told by all who are counted later. So where the amount of before is told again by one that
//! was sent long after the change was, and then the other one again, none has changed: there are several.

use crate::Nanos;

/// The amounts that were told of a limit before the one that is told now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rivals {
    /// Each with when the first request was sent that was told another one.
    left: [Option<(u64, Nanos)>; MOST],
    next: usize,
    returns: u32,
    /// How many were told an amount of before though they were sent after another one was told.
    late: u32,
}

/// What a word does to the amount that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is the one, or is from now on.
    Followed,
    /// It was another one before, and may have been when this request was counted.
    Late,
}

/// How many amounts are remembered. More models on one limiter are rare, and whoever comes by again is noticed then.
const MOST: usize = 4;
/// A limit may be changed and changed back.
const RETURNS: u32 = 2;
/// Requests that were sent so much later than another are seldom counted before it, and so many of them are not.
const JITTER: Nanos = Nanos::from_millis(100);
const LATE: u32 = 8;

impl Rivals {
    /// A request that was sent at `sent`, and may have been counted so much later as `reordering`, was told `said`, where
    /// `known` was told last.
    pub(crate) fn hear(&mut self, known: u64, said: u64, sent: Nanos, reordering: Nanos) -> Heard {
        if said == known {
            for (_, since) in self.left.iter_mut().flatten() {
                *since = sent.min(*since);
            }
            return Heard::Followed;
        }
        let before = self.left.iter_mut().find(|left| left.is_some_and(|(amount, _)| amount == said));
        match before {
            Some(Some((_, since))) if sent <= since.saturating_add(reordering) => {
                self.late += u32::from(self.late < LATE && sent > since.saturating_add(JITTER));
                return Heard::Late;
            }
            Some(left) => {
                *left = Some((known, sent));
                self.returns = self.returns.saturating_add(1);
            }
            None => {
                if let Some(left) = self.left.get_mut(self.next) {
                    *left = Some((known, sent));
                }
                self.next = (self.next + 1) % MOST;
            }
        }
        Heard::Followed
    }

    /// One answer told several amounts.
    pub(crate) const fn were_told(&mut self) {
        self.returns = RETURNS;
    }

    /// Whether there are several limits.
    pub(crate) const fn are_several(&self) -> bool {
        self.returns >= RETURNS || self.late >= LATE
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const SECOND: Nanos = Nanos::SECOND;

    fn heard(words: &[(u64, u64)]) -> (u64, bool) {
        heard_at(&words.iter().map(|(second, said)| (second * 1_000, *said)).collect::<Vec<_>>())
    }

    /// Hears (millisecond of sending, amount) one after the other. Returns the amount that is believed, and whether there are
    /// several.
    fn heard_at(words: &[(u64, u64)]) -> (u64, bool) {
        let (mut rivals, mut known) = (Rivals::default(), words[0].1);
        for (millis, said) in words {
            if rivals.hear(known, *said, Nanos::from_millis(*millis), SECOND) == Heard::Followed {
                known = *said;
            }
        }
        (known, rivals.are_several())
    }

    #[test]
    fn amounts_that_come_and_go_are_those_of_several_limits() {
        assert_eq!(heard(&[(0, 60), (2, 600), (4, 60), (6, 600)]), (600, true));
        assert!(heard(&[(0, 60), (0, 600), (0, 60), (1, 600), (2, 60), (4, 600)]).1);
        let within_a_second: Vec<_> = (0..20).map(|n| (n * 50, if n % 2 == 0 { 60 } else { 600 })).collect();
        assert!(heard_at(&within_a_second).1);
        // Three in turn.
        assert!(heard(&[(0, 1), (2, 2), (4, 3), (6, 1), (8, 2), (10, 3)]).1);
    }

    #[test]
    fn a_limit_that_changes_or_is_changed_back_is_one() {
        assert_eq!(heard(&[(0, 60), (2, 600), (4, 600), (6, 600)]), (600, false));
        assert_eq!(heard(&[(0, 60), (2, 600), (4, 600), (6, 60), (9, 60)]), (60, false));
        assert!(!heard(&[(0, 1), (2, 2), (4, 3), (6, 4), (8, 5), (10, 6)]).1);
    }

    #[test]
    fn answers_that_were_overtaken_tell_what_was_before_and_change_nothing() {
        let words = &[(0, 60), (10, 600), (3, 60), (9, 600), (8, 60), (11, 600), (10, 60), (12, 600)];
        assert_eq!(heard(words), (600, false));
    }
}
