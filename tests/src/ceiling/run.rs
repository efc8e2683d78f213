//! One cell, run: the real client against the simulator, on virtual time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chat_limiter::tokenizer::Encoding;
use chat_limiter::transport::Transport;
use chat_limiter::{Builder, ChatLimiter};
use simulator::{Simulator, Statistics};

use super::cell::Cell;
use super::cost::Size;
use super::evidence::{Evidence, Moment};
use super::outcome::Outcome;
use super::typed_in;
use crate::{Load, same_random_numbers, wire};

/// The most requests in flight: more than ever are.
const CONCURRENCY: usize = 2_000;
/// Batch work may be done in any order, within a minute.
pub(super) const LOOK_AHEAD: Duration = Duration::from_secs(60);
/// When a run that does not end is given up.
const LONGEST: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

/// Loads what all cells share, so that no cell pays for it.
pub fn prepare() {
    for face in crate::Face::ALL {
        Encoding::for_model_or_default(face.model()).load();
    }
}

/// Runs `cell` with requests for `share` of the usual time, on a runtime of its own with a paused clock.
///
/// # Errors
///
/// What is wrong with the runtime, the simulator's configuration or the client's.
pub fn run(cell: &Cell, share: f64) -> anyhow::Result<Outcome> {
    run_with(cell, share, |client, _| client)
}

/// The same with a client that `change` makes another one, which is given the way to the provider: to see whether what is
/// measured shows it.
///
/// # Errors
///
/// As those of [`run`].
pub fn run_with(
    cell: &Cell,
    share: f64,
    change: impl FnOnce(Builder, Arc<dyn Transport>) -> Builder,
) -> anyhow::Result<Outcome> {
    same_random_numbers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let sizes = cell.sizes(share);
    let evidence =
        runtime.block_on(observe(cell, &sizes, change)).with_context(|| format!("cannot run the cell {cell}"))?;
    Ok(Outcome::new(*cell, &sizes, evidence))
}

async fn observe(
    cell: &Cell,
    sizes: &[Size],
    change: impl FnOnce(Builder, Arc<dyn Transport>) -> Builder,
) -> anyhow::Result<Evidence> {
    let simulator = Simulator::new(cell.config(cell.output()))?;
    let face = cell.face();
    let transport = wire::to(&simulator);
    let builder = face.client(Arc::clone(&transport)).concurrency(CONCURRENCY).look_ahead(LOOK_AHEAD);
    let client: ChatLimiter = change(typed_in::tell(builder, cell), transport).build()?;
    let requests = sizes.iter().map(|size| {
        let prompt = usize::try_from(size.prompt).unwrap_or(usize::MAX);
        match cell.server.bounds_output() {
            true => face.question(face.model(), prompt, size.most_output),
            false => face.open_question(face.model(), prompt),
        }
    });
    let mut pace = vec![Moment::default()];
    let load = tokio::select! {
        // In this order, so that every run is the same.
        biased;
        load = Load::run(&client, requests) => Some(load),
        () = keep_pace(&simulator, &mut pace) => None,
    };
    let statistics: Statistics = simulator.statistics();
    // What is known of a run that was given up is what the provider saw.
    let given_up = || Load { answered: statistics.answered, elapsed: LONGEST, ..Load::default() };
    Ok(Evidence { load: load.unwrap_or_else(given_up), statistics, pace })
}

/// Notes every second what has been charged and what others took, until the run is given up.
async fn keep_pace(simulator: &Simulator, pace: &mut Vec<Moment>) {
    for _ in 0..LONGEST.as_secs() {
        tokio::time::sleep(SECOND).await;
        let statistics = simulator.statistics();
        pace.push(Moment { charged: statistics.charged.into(), by_others: statistics.taken_by_others.into() });
    }
}
