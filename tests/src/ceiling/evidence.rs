//! What was seen of a run.

use simulator::Statistics;

use super::cost::{Cost, Dimension};
use crate::Load;

/// What was seen of a run.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) load: Load,
    pub(super) statistics: Statistics,
    /// What it looked like after each second, from the start on.
    pub(super) pace: Vec<Moment>,
}

/// What had come of it by a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    /// What had been charged, answers in flight not counted.
    pub(super) charged: Cost,
    /// What somebody else had taken.
    pub(super) by_others: Cost,
}

/// What somebody else had taken of a limit after each second.
pub(super) fn by_others(pace: &[Moment], dimension: Dimension) -> Vec<f64> {
    pace.iter().map(|moment| moment.by_others.of(dimension) as f64).collect()
}
