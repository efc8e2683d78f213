//! What somebody else takes of a limit.

use super::Supply;

/// What somebody else takes: as it was counted, or as it is planned before anybody can count.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// What had been taken after each second. Nothing is taken after the last: that nobody was there to see it must not
    /// make a minimum longer.
    counted: Vec<f64>,
}

impl Others {
    pub(super) const fn counted(counted: Vec<f64>) -> Self {
        Self { counted }
    }

    /// What they take of `supply` from one time to another, in seconds since the start.
    pub(super) fn take(&self, supply: &Supply, from: f64, until: f64) -> f64 {
        if self.counted.is_empty() { supply.others(from, until) } else { self.by(until) - self.by(from) }
    }

    /// What they had taken by a time that was counted; evenly within a second.
    fn by(&self, time: f64) -> f64 {
        let time = time.max(0.0);
        let second = time as usize;
        let at = |second: usize| self.counted.get(second).or(self.counted.last()).copied().unwrap_or_default();
        at(second) + (at(second + 1) - at(second)) * time.fract()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Events;
    use super::super::Span;
    use super::*;
    use crate::ceiling::axes::Metering;

    #[test]
    fn what_was_counted_holds_and_what_is_planned_does_where_nothing_was() {
        let other = Some((Span { from: 0.0, until: 100.0 }, 0.5));
        let events = Events { other, ..Events::default() };
        let supply =
            Supply { refill: Metering::TokenBucket.into(), per_second: 10.0, depth: 60.0, fill: 1.0, epoch: 0, events };
        let others = Others::counted(vec![0.0, 2.0, 2.0, 5.0]);
        let take = |from, until| others.take(&supply, from, until);
        assert!(
            [take(-5.0, 1.0), take(0.5, 1.5), take(1.0, 2.0)].iter().zip([2.0, 1.0, 0.0]).all(|(one, two)| one == &two)
        );
        // Three in the third second, and nothing after it.
        assert!((take(2.0, 5.0) - 3.0).abs() < 1e-9);
        assert!((Others::default().take(&supply, 1.0, 3.0) - 10.0).abs() < 1e-9);
    }
}
