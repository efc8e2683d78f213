//! Without the feature `metrics`: nothing is counted, and nothing is left of it in the program.

use std::sync::Arc;

use crate::history::Attempt;
use crate::usage::UsageTotals;

/// Counts nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meters;

/// Nothing that is counted.
#[derive(Debug)]
pub(crate) struct Gauged;

impl Meters {
    pub(crate) const fn new(_: &str) -> Self {
        Self
    }

    pub(crate) const fn waiting(&self, _: &Arc<str>) -> Gauged {
        Gauged
    }

    pub(crate) const fn in_flight(&self, _: &Arc<str>) -> Gauged {
        Gauged
    }

    pub(crate) const fn used(&self, _: &Arc<str>, _: &UsageTotals) {}

    pub(crate) const fn attempted(&self, _: &Arc<str>, _: &Attempt) {}

    pub(crate) const fn trying_again(&self, _: &Arc<str>) {}
}
