//! How full a bucket has been since something was taken.
//!
//! What was taken in vain comes back, but not for the time in which the bucket would have run over without it: a
//! request reserved at a full bucket a minute ago and never sent has been refilled since, and giving it back too would
//! let a second burst through. So what comes back is bounded by the room there was when the bucket was at its fullest.
//!
//! The level only peaks just before something is taken. Of the peaks, those matter that are higher than every later
//! one: a list in falling order. There is room for a few; when it is used up, peaks within a sixteenth of the bucket
//! count as one, the highest of them, so the error is on the careful side.

/// The peaks of one bucket's level, in grains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Marks {
    /// The newest one, which is the lowest. A peak of zero of the taking zero is none.
    last: Mark,
    /// How many there are before it, and which.
    len: usize,
    older: [Mark; ROOM],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    /// It counts for what was taken with a lower number.
    number: u64,
    peak: i128,
}

const NONE: Mark = Mark { number: 0, peak: 0 };
/// Half as many again as there are sixteenths.
const ROOM: usize = 24;
const SIXTEENTH: u32 = 4;

impl Marks {
    pub(super) const fn new() -> Self {
        Self { last: NONE, len: 0, older: [NONE; ROOM] }
    }

    /// The level falls from `peak` by the taking `number`, in a bucket that holds `capacity`.
    #[inline]
    pub(super) fn fall(&mut self, number: u64, peak: i128, capacity: i128) {
        if peak < self.last.peak {
            self.push(capacity);
        } else if self.len > 0 {
            self.hide_below(peak);
        }
        self.last = Mark { number, peak };
    }

    /// The taking `number` was `grains` too many all along, in a bucket that holds `capacity` and is at `level` now:
    /// how much of it comes back. The levels since were higher by that.
    #[inline]
    pub(super) fn give_back(&mut self, number: u64, grains: i128, level: i128, capacity: i128) -> i128 {
        if self.last.number <= number {
            return grains.min(capacity - level);
        }
        self.give_back_after_peaks(number, grains, capacity).min(capacity - level)
    }

    /// The last one becomes an older one.
    fn push(&mut self, capacity: i128) {
        if self.last == NONE {
            return;
        }
        let mut close = capacity >> SIXTEENTH;
        while self.len == ROOM {
            self.join(close);
            close = close.saturating_mul(2).max(1);
        }
        if let Some(next) = self.older.get_mut(self.len) {
            *next = self.last;
            self.len += 1;
        }
    }

    /// Older peaks that are not higher than `peak` count no more.
    fn hide_below(&mut self, peak: i128) {
        while let Some(older) = self.len.checked_sub(1).and_then(|index| self.older.get(index)) {
            if older.peak > peak {
                return;
            }
            self.len -= 1;
        }
    }

    /// Makes one of older peaks that are closer than `close` to the highest of them.
    #[cold]
    fn join(&mut self, close: i128) {
        let mut joined = 0;
        for index in 1..self.len {
            let Some(mark) = self.older.get(index).copied() else { return };
            let Some(higher) = self.older.get_mut(joined) else { return };
            if higher.peak - mark.peak < close {
                higher.number = mark.number;
                continue;
            }
            joined += 1;
            if let Some(next) = self.older.get_mut(joined) {
                *next = mark;
            }
        }
        self.len = self.len.min(joined + 1);
    }

    fn give_back_after_peaks(&mut self, number: u64, grains: i128, capacity: i128) -> i128 {
        let older = self.older.get_mut(..self.len).unwrap_or_default();
        let first = older.iter().position(|mark| mark.number > number).unwrap_or(older.len());
        let highest = older.get(first).unwrap_or(&self.last).peak;
        let risen = grains.min(capacity - highest);
        older.iter_mut().skip(first).for_each(|mark| mark.peak += risen);
        self.last.peak += risen;
        // Those before it are hidden where they are no longer higher.
        let hidden = older.iter().take(first).position(|mark| mark.peak <= highest + risen).unwrap_or(first);
        self.older.copy_within(first..self.len, hidden);
        self.len -= first - hidden;
        risen
    }

    /// Changes every peak by `convert`, which keeps their order.
    pub(super) fn convert(&mut self, convert: impl Fn(i128) -> i128) {
        if self.last != NONE {
            self.last.peak = convert(self.last.peak);
        }
        for mark in self.older.iter_mut().take(self.len) {
            mark.peak = convert(mark.peak);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The highest level since a taking: what is left of the room when far too much comes back.
    fn since(marks: &Marks, number: u64, capacity: i128) -> i128 {
        let mut marks = *marks;
        capacity - marks.give_back(number, capacity, 0, capacity)
    }

    #[test]
    fn the_highest_peak_since_a_taking_is_remembered() {
        let mut marks = Marks::new();
        for (number, peak) in [(1, 100), (2, 40), (3, 60), (4, 20)] {
            marks.fall(number, peak, 100);
        }
        assert_eq!([0, 1, 2, 3, 4].map(|number| since(&marks, number, 100)), [100, 60, 60, 20, 0]);
    }

    #[test]
    fn many_peaks_count_as_a_few_of_the_highest() {
        let mut marks = Marks::new();
        for number in 1..=1_000 {
            marks.fall(number, 1_000 - i128::from(number), 1_000);
        }
        for number in 0..999 {
            let exact = 999 - i128::from(number);
            let known = since(&marks, number, 1_000);
            assert!((exact..=exact + 63).contains(&known), "{number}: {known} of {exact}");
        }
    }

    #[test]
    fn peaks_rise_with_what_comes_back_and_hide_older_ones() {
        let mut marks = Marks::new();
        for (number, peak) in [(1, 100), (2, 60), (3, 40)] {
            marks.fall(number, peak, 100);
        }
        assert_eq!(marks.give_back(2, 30, 0, 100), 30);
        assert_eq!([0, 1, 2, 3].map(|number| since(&marks, number, 100)), [100, 70, 70, 0]);
    }
}
