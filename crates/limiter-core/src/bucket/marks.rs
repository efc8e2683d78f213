//! How full a bucket has been since something was taken.
//!
//! What was taken in vain comes back, but not for the time in which the bucket would have run over without it: a
//! request reserved at a full bucket a minute ago and never sent has been refilled since, and giving it back too would
//! let a second burst through. So what comes back is bounded by the room there was when the bucket was at its fullest.
//!
//! The level only peaks just before something is taken. Of the peaks, those matter that are higher than every later
//! one: a list in falling order. Peaks within an eighth of the bucket count as one, the higher one, so eight are enough
//! and the error is on the careful side.

/// The peaks of one bucket's level, in grains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    marks: [Mark; EIGHTHS],
    len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    /// It counts for what was taken with a lower number.
    number: u64,
    peak: i128,
}

const EIGHTHS: usize = 8;

impl Marks {
    pub(super) const fn new() -> Self {
        Self { marks: [Mark { number: 0, peak: 0 }; EIGHTHS], len: 0 }
    }

    /// The level falls from `peak` by the taking `number`, in a bucket that holds `capacity`.
    pub(super) fn fall(&mut self, number: u64, peak: i128, capacity: i128) {
        while self.last().is_some_and(|last| last.peak <= peak) {
            self.len -= 1;
        }
        // Whoever saw nothing more than an empty bucket gets everything back.
        if peak <= 0 {
            return;
        }
        let is_full = self.len == EIGHTHS;
        match self.last() {
            Some(last) if is_full || last.peak - peak < capacity / EIGHTHS as i128 => last.number = number,
            _ => {
                if let Some(next) = self.marks.get_mut(self.len) {
                    *next = Mark { number, peak };
                    self.len += 1;
                }
            }
        }
    }

    /// The highest level since the taking `number`, if there was a peak.
    pub(super) fn since(&self, number: u64) -> Option<i128> {
        self.all().iter().find(|mark| mark.number > number).map(|mark| mark.peak)
    }

    /// The taking `number` was `grains` too many all along: the levels since were higher by that.
    pub(super) fn rise(&mut self, number: u64, grains: i128) {
        let Some(first) = self.all().iter().position(|mark| mark.number > number) else { return };
        for mark in self.marks.iter_mut().take(self.len).skip(first) {
            mark.peak += grains;
        }
        // Older peaks that are no longer higher count no more.
        let Some(risen) = self.marks.get(first).map(|mark| mark.peak) else { return };
        let lower = self.all().iter().take(first).position(|mark| mark.peak <= risen).unwrap_or(first);
        self.marks.copy_within(first..self.len, lower);
        self.len -= first - lower;
    }

    /// Changes every peak by `convert`, which keeps their order.
    pub(super) fn convert(&mut self, convert: impl Fn(i128) -> i128) {
        for mark in self.marks.iter_mut().take(self.len) {
            mark.peak = convert(mark.peak);
        }
    }

    fn last(&mut self) -> Option<&mut Mark> {
        self.marks.get_mut(..self.len)?.last_mut()
    }

    fn all(&self) -> &[Mark] {
        self.marks.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_peak_since_a_taking_is_remembered() {
        let mut marks = Marks::new();
        for (number, peak) in [(1, 100), (2, 40), (3, 60), (4, 20)] {
            marks.fall(number, peak, 100);
        }
        assert_eq!([0, 1, 2, 3, 4].map(|number| marks.since(number)), [Some(100), Some(60), Some(60), Some(20), None]);
    }

    #[test]
    fn peaks_close_together_count_as_the_higher_one_and_there_are_never_too_many() {
        let mut marks = Marks::new();
        for number in 1..=1_000 {
            marks.fall(number, 1_000 - i128::from(number), 1_000);
        }
        assert!(marks.len <= EIGHTHS);
        for number in 0..999 {
            let exact = 999 - i128::from(number);
            let known = marks.since(number).unwrap();
            assert!((exact..=exact + 125).contains(&known), "{number}: {known} of {exact}");
        }
    }

    #[test]
    fn peaks_rise_with_what_comes_back_and_hide_older_ones() {
        let mut marks = Marks::new();
        for (number, peak) in [(1, 100), (2, 60), (3, 40)] {
            marks.fall(number, peak, 100);
        }
        marks.rise(2, 30);
        assert_eq!([0, 1, 2, 3].map(|number| marks.since(number)), [Some(100), Some(70), Some(70), None]);
    }
}
