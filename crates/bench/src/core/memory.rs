//! What a waiting request takes in memory, by the allocator's count.

use anyhow::ensure;

use super::limiter::{Given, Time as _, cost, limiter};
use super::queue::enqueue;
use crate::ALLOCATOR;
use crate::report::{Goal, Row, Section};

/// A million; and a little more than a power of two, where a buffer that doubles is half empty.
const DEPTHS: [(usize, &str); 2] = [(1_000_000, "1,000,000 waiting"), (1_153_434, "1.1 x 2^20 waiting")];

/// The most that is good enough, in bytes.
const MOST: f64 = 128.0;

pub(super) fn section() -> anyhow::Result<Section> {
    let mut section = Section::new("bytes for each waiting request");
    for (depth, name) in DEPTHS {
        let value = Some(bytes_for_each(depth)?);
        section.rows.push(Row {
            name: name.to_owned(),
            value,
            unit: "bytes",
            goal: Some(Goal::ValueAtMost(MOST)),
            ..Row::default()
        });
    }
    Ok(section)
}

fn bytes_for_each(depth: usize) -> anyhow::Result<f64> {
    let (mut limiter, cost, mut time) = (limiter(), cost(), Given::default());
    let before = ALLOCATOR.allocated();
    let joined = (0..depth).filter_map(|_| enqueue(&mut limiter, &cost, time.now())).count();
    let after = ALLOCATOR.allocated();
    ensure!(joined == depth && limiter.head().is_some(), "only {joined} of {depth} joined the queue");
    Ok(after.saturating_sub(before) as f64 / depth as f64)
}
