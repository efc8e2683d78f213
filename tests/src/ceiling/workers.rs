//! Many cells on a few threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::cell::Cell;
use super::outcome::Outcome;
use super::run::run;

/// Runs `cells` on as many threads, and calls `each` with what came of them, in their order.
///
/// # Errors
///
/// The first cell, in their order, that cannot be run.
pub fn run_all(cells: &[Cell], threads: usize, mut each: impl FnMut(&Outcome)) -> anyhow::Result<Vec<Outcome>> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(cell) = cells.get(place) else { break };
                    if sender.send((place, run(cell, 1.0))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut outcomes = Vec::new();
        for (place, outcome) in receiver {
            early.insert(place, outcome);
            while let Some(outcome) = early.remove(&outcomes.len()) {
                let outcome: Outcome = outcome?;
                each(&outcome);
                outcomes.push(outcome);
            }
        }
        Ok(outcomes)
    })
}
