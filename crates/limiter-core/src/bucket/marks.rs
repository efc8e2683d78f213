//! How full a bucket has been since something was taken.
//!
//! What was taken in vain comes back, but not for the time in which the bucket would have run over without it: a
//! request reserved at a full bucket a minute ago and never sent has been refilled since, and giving it back too would
//! let a second burst through. So what comes back is bounded by the room there was when the bucket was at its fullest.
//!
//! The level only peaks just before something is taken. Of the peaks, those matter that are higher than every later
//! one: a list in falling order. Peaks within an eighth of the bucket count as one, the higher one, so a few are enough
//! and the error is on the careful side.

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
/// How many eighths there are, as a power of two.
const EIGHTHS: u32 = 3;
/// Twice as many: peaks that rose may lie closer together, and those of a debt lie below.
const ROOM: usize = 16;

impl Marks {
    pub(super) const fn new() -> Self {
        Self { last: NONE, len: 0, older: [NONE; ROOM] }
    }

    /// The level falls from `peak` by the taking `number`, in a bucket that holds `capacity`.
    #[inline]
    pub(super) fn fall(&mut self, number: u64, peak: i128, capacity: i128) {
        if peak >= self.last.peak {
            self.last = Mark { number, peak };
            if self.len > 0 {
                self.hide_older(capacity);
            }
        } else if self.last.peak - peak < capacity >> EIGHTHS {
            self.last.number = number;
        } else {
            self.push(Mark { number, peak });
        }
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

    #[cold]
    fn push(&mut self, mark: Mark) {
        if self.len == ROOM {
            self.make_room();
        }
        if let Some(next) = self.older.get_mut(self.len) {
            *next = self.last;
            self.len += 1;
        }
        self.last = mark;
    }

    /// Makes one of the two older ones that are nearest to each other.
    fn make_room(&mut self) {
        let gaps = self.older.windows(2).map(|pair| match pair {
            [higher, lower] => higher.peak - lower.peak,
            _ => i128::MAX,
        });
        let Some((higher, _)) = gaps.enumerate().min_by_key(|(_, gap)| *gap) else { return };
        let peak = self.older.get(higher).map_or(0, |mark| mark.peak);
        self.older.copy_within(higher + 1.., higher);
        self.len -= 1;
        if let Some(both) = self.older.get_mut(higher) {
            both.peak = peak;
        }
    }

    /// Older peaks that are not higher than the last one count no more; one that is hardly higher counts for both.
    #[cold]
    fn hide_older(&mut self, capacity: i128) {
        let peak = self.last.peak;
        while let Some(older) = self.len.checked_sub(1).and_then(|index| self.older.get(index)) {
            if older.peak - peak >= capacity >> EIGHTHS {
                return;
            }
            self.last.peak = self.last.peak.max(older.peak);
            self.len -= 1;
        }
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
    fn peaks_close_together_count_as_the_higher_one_and_there_are_never_too_many() {
        let mut marks = Marks::new();
        for number in 1..=1_000 {
            marks.fall(number, 1_000 - i128::from(number), 1_000);
        }
        assert!(marks.len < 8);
        for number in 0..999 {
            let exact = 999 - i128::from(number);
            let known = since(&marks, number, 1_000);
            assert!((exact..=exact + 125).contains(&known), "{number}: {known} of {exact}");
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
