//! A remaining that measures nothing: always nothing, or never more than a small figure, whatever is taken. What was counted
//! here stands instead of such a word. A lower one is believed.
//!
//! Nobody knows then what was there at first: what is let through takes nothing, until one is refused.

/// So many words in a row of the highest figure that was ever told: the first requests of a bucket that is found empty are
/// told as much.
const FIRST: u32 = 8;
/// A figure of more than half of the limit says that there is enough, whatever it measures.
const PART: u64 = 2;

/// The highest figure that was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Constant {
    most: u64,
    times: u32,
    was_refused: bool,
}

impl Constant {
    pub(crate) const fn new() -> Self {
        Self { most: 0, times: 0, was_refused: false }
    }

    /// A success tells `remaining` of `limit`. Whether it says nothing. One that goes alone says nothing of the figure: it
    /// may be all that can be there.
    pub(crate) fn hear(&mut self, remaining: u64, limit: u64, is_alone: bool) -> bool {
        if remaining > limit / PART {
            (self.most, self.times) = (self.most.max(remaining), 0);
            return false;
        }
        if remaining > self.most {
            (self.most, self.times) = (remaining, 0);
        } else if remaining < self.most {
            // Once it is known to measure nothing, what is less is next to nothing.
            self.times = if self.is_known() { self.times } else { 0 };
            return false;
        }
        if !is_alone || remaining == 0 || self.is_known() {
            self.times = self.times.saturating_add(1);
        }
        self.is_known()
    }

    /// Whether it measures nothing.
    pub(crate) const fn is_known(&self) -> bool {
        self.times > FIRST
    }

    /// Whether what is let through takes nothing.
    pub(crate) const fn is_boundless(&self) -> bool {
        self.is_known() && !self.was_refused
    }

    /// A request was refused.
    pub(crate) const fn refused(&mut self) {
        self.was_refused = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_never_moves_measures_nothing_and_bounds_nothing_until_a_refusal() {
        let mut constant = Constant::new();
        assert_eq!((0..9).filter(|_| constant.hear(0, 300, true)).count(), 1);
        assert!(constant.is_boundless());
        constant.refused();
        assert!(constant.hear(0, 300, true) && !constant.is_boundless());
    }

    #[test]
    fn a_figure_that_is_never_exceeded_measures_only_what_is_less() {
        let mut constant = Constant::new();
        assert_eq!((0..9).filter(|_| constant.hear(10, 300, false)).count(), 1);
        assert!(!constant.hear(3, 300, false) && constant.hear(10, 300, true));
        assert!(!constant.hear(11, 300, false));
    }

    #[test]
    fn one_that_moves_or_is_all_that_can_be_there_is_believed() {
        let mut constant = Constant::new();
        assert!((0..1_000).all(|n| !constant.hear(20 + n / 5 % 2, 300, false)));
        assert!((0..1_000).all(|_| !constant.hear(29, 300, true)));
        assert!((0..1_000).all(|_| !constant.hear(299, 300, false)));
    }
}
