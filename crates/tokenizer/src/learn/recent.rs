//! The last few values of something, and their median, which one wrong value among them does not move far.

use serde::{Deserialize, Serialize};

/// How many values are kept: two of five may be wrong.
const KEPT: usize = 5;

/// The last values, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Recent(Vec<f64>);

impl Recent {
    pub(super) fn push(&mut self, value: f64) {
        // What was read from a file may be longer.
        let surplus = (self.0.len() + 1).saturating_sub(KEPT);
        self.0.drain(..surplus);
        self.0.push(value);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The middle one, or the mean of the two in the middle; `None` where there are none.
    pub(super) fn median(&self) -> Option<f64> {
        // Asked for with every request, so nothing is allocated for as many as are kept.
        let (mut few, mut many) = ([0.0; KEPT], Vec::new());
        let sorted = match few.get_mut(..self.0.len()) {
            Some(few) => few,
            None => {
                many.resize(self.0.len(), 0.0);
                many.as_mut_slice()
            }
        };
        sorted.copy_from_slice(&self.0);
        sorted.sort_unstable_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        match middle.checked_sub(1).and_then(|below| sorted.get(below)) {
            Some(lower) if sorted.len().is_multiple_of(2) => Some(f64::midpoint(*lower, upper)),
            _ => Some(upper),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median_of(values: &[f64]) -> Option<f64> {
        let mut recent = Recent::default();
        values.iter().for_each(|value| recent.push(*value));
        recent.median()
    }

    #[test]
    fn the_median_is_of_the_last_five() {
        assert_eq!(median_of(&[]), None);
        assert_eq!(median_of(&[3.0]), Some(3.0));
        assert_eq!(median_of(&[3.0, 5.0]), Some(4.0));
        assert_eq!(median_of(&[3.0, 5.0, 1_000.0]), Some(5.0));
        assert_eq!(median_of(&[1.0, 1.0, 1.0, 7.0, 8.0, 9.0, 10.0, 11.0]), Some(9.0));
    }

    #[test]
    fn more_than_five_read_from_a_file_are_cut_to_five() {
        let mut recent: Recent = serde_json::from_str("[1, 2, 3, 4, 5, 6, 7, 8]").unwrap();
        assert_eq!(recent.median(), Some(4.5));
        recent.push(9.0);
        assert_eq!(serde_json::to_string(&recent).unwrap(), "[5.0,6.0,7.0,8.0,9.0]");
    }
}
