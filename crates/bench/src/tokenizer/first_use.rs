//! What the first count costs: time, and the memory that stays.

use chat_limiter::tokenizer::Encoding;

use super::{OURS, REFERENCE};
use crate::ALLOCATOR;
use crate::clock::Clock;
use crate::report::{Count, Row, Section, Versus};

/// A text that says nothing about speed.
const WORD: &str = "word";

/// Ours, then tiktoken-rs. Each is used here for the first time in this process.
pub(super) fn section() -> Section {
    let ours = first(|| Encoding::O200kBase.count(WORD));
    let theirs = first(|| tiktoken_rs::o200k_base_singleton().encode_ordinary(WORD).len());
    let row = |name: &str, unit, value: f64, peer: f64| Row {
        name: format!("{name}, {OURS}"),
        value: Some(value),
        unit,
        versus: Some(Versus {
            name: format!("{name}, {REFERENCE}"),
            value: Some(peer),
            instructions: Count::NotCounted,
        }),
        ratio: Some(value / peer),
        ..Row::default()
    };
    let mut section = Section::new("first use of o200k_base");
    section.rows = vec![
        row("milliseconds", "ms", ours.0 * 1e3, theirs.0 * 1e3),
        row("memory that stays", "MB", ours.1 / 1e6, theirs.1 / 1e6),
    ];
    section
}

/// Seconds, and bytes.
fn first(count: impl FnOnce() -> usize) -> (f64, f64) {
    let (before, clock) = (ALLOCATOR.allocated(), Clock::start());
    std::hint::black_box(count());
    let seconds = clock.elapsed().as_secs_f64();
    (seconds, ALLOCATOR.allocated().saturating_sub(before) as f64)
}
