//! How often this process has asked for memory.

use std::alloc::System;

use cap::Cap;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts the bytes that are in use (`cap`), and how often memory was asked for (`stats_alloc`).
pub(crate) type Counting = Cap<&'static StatsAlloc<System>>;

/// The allocator to be installed.
pub(crate) const fn counting() -> Counting {
    Cap::new(&INSTRUMENTED_SYSTEM, usize::MAX)
}

/// How often memory was asked for since the process began; growing what is there counts, giving back does not.
pub(crate) fn count() -> usize {
    let stats = INSTRUMENTED_SYSTEM.stats();
    stats.allocations + stats.reallocations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_allocation_is_counted() {
        let before = count();
        let boxes: Vec<Box<u64>> = (0..1_000).map(Box::new).collect();
        assert!(count() >= before + 1_000, "{} boxes", boxes.len());
    }
}
