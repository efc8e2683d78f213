//! Cells of the matrix of providers: what holds of them has to go on holding.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chat_limiter::transport::{Body, Error, Stage, Transport};
use chat_limiter_tests::ceiling::{
    Cell, Charge, Depth, Disturbance, Fill, Goal, Headers, Metering, Outcome, Server, Workload, prepare, run, run_with,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::BodyExt;

/// Shorter than the matrix, since nothing is optimized here.
const SHARE: f64 = 0.5;

/// Runs `cell`, and asserts that it takes at most `ratio` times the minimum with at most `refused` refusals, and that it
/// meets every other goal: nothing is lost, answered twice or charged wrong, nobody waits too long.
#[track_caller]
fn check(cell: Cell, ratio: f64, refused: u64) -> Outcome {
    prepare();
    let outcome = run(&cell, SHARE).unwrap();
    println!("{cell}: {:.4} of {:.1} s, {} refusals", outcome.ratio(), outcome.minimum, outcome.refused);
    let mut missed = Goal::of(&cell).missed(&outcome);
    missed.retain(|goal| !["ratio", "429s"].contains(goal));
    assert!(missed.is_empty(), "{cell}: {missed:?} {:?}", outcome.failure);
    assert!(outcome.ratio() > 0.99, "{} of what is possible is not possible", outcome.ratio());
    assert!(outcome.ratio() <= ratio, "{} of the minimum", outcome.ratio());
    assert!(outcome.refused <= refused, "{} refusals", outcome.refused);
    outcome
}

#[test]
fn the_base_cell_goes_at_the_ceiling_and_every_run_is_the_same() {
    let once = check(Cell::BASE, 1.01, 0);
    let again = run(&Cell::BASE, SHARE).unwrap();
    assert_eq!(once, again);
}

#[test]
fn every_charge_goes_near_the_ceiling() {
    for charge in Charge::ALL {
        // So much is the price of two that count less than is sent: 1.04 and 1.09 at this length, and room for 0.01. What the
        // others lose is lost before the first answer.
        let ratio = match charge {
            Charge::CachedInputFree => 1.10,
            Charge::Produced => 1.05,
            _ => 1.01,
        };
        check(Cell { charge: *charge, ..Cell::BASE }, ratio, 0);
    }
}

#[test]
fn windows_go_at_the_ceiling() {
    check(Cell { metering: Metering::FixedWindow, ..Cell::BASE }, 1.01, 0);
    // The first window is let out slowly until it is known how tokens are charged, and each later one repeats its times: 1.023
    // at this length, and room for 0.005.
    check(Cell { metering: Metering::SlidingWindow, ..Cell::BASE }, 1.028, 0);
}

#[test]
fn a_bucket_that_is_not_full_at_the_start_goes_at_the_ceiling() {
    check(Cell { fill: Fill::Half, ..Cell::BASE }, 1.01, 0);
    check(Cell { fill: Fill::Empty, ..Cell::BASE }, 1.01, 1);
}

#[test]
fn a_shallow_bucket_goes_at_the_ceiling() {
    check(Cell { depth: Depth::SixSeconds, ..Cell::BASE }, 1.01, 0);
}

#[test]
fn every_workload_goes_at_the_ceiling() {
    for workload in Workload::ALL {
        check(Cell { workload: *workload, ..Cell::BASE }, 1.01, 0);
    }
}

#[test]
fn a_clock_that_is_wrong_makes_no_difference() {
    check(Cell { disturbance: Disturbance::ClockFast, ..Cell::BASE }, 1.01, 0);
}

#[test]
fn limits_that_change_are_followed() {
    // A limit that halves is noticed by a refusal; what was in flight then may be refused with it.
    check(Cell { disturbance: Disturbance::Halves, ..Cell::BASE }, 1.015, 1);
}

#[test]
fn a_provider_that_never_tells_is_used_in_full() {
    // Refusals tell that it is no number in flight, and measure the rate; more is tried twice.
    check(Cell { headers: Headers::Never, ..Cell::BASE }, 1.09, 8);
}

#[test]
fn servers_of_other_kinds_go_at_the_ceiling() {
    let peculiar = [Server::NoReset, Server::EpochResets, Server::DailyToo, Server::Thousands];
    for server in peculiar {
        check(Cell { server, ..Cell::BASE }, 1.01, 0);
    }
}

#[test]
fn a_client_that_leaves_one_request_in_sixty_unused_misses_the_goal() {
    prepare();
    let cell = Cell { workload: Workload::RequestBound, ..Cell::BASE };
    let outcome = run_with(&cell, SHARE, |client, _| client.requests_per_minute(118)).unwrap();
    assert_eq!(Goal::of(&cell).missed(&outcome), ["ratio"], "{}", outcome.ratio());
}

#[test]
fn a_client_that_asks_again_for_what_was_answered_misses_the_goal() {
    prepare();
    let outcome = run_with(&Cell::BASE, SHARE, |client, transport| {
        client.transport(Arc::new(Forgetful { transport, sent: AtomicU64::new(0) }))
    });
    let outcome = outcome.unwrap();
    assert_eq!((outcome.twice, outcome.answered), (1, outcome.requests));
    let missed = Goal::of(&Cell::BASE).missed(&outcome);
    assert!(missed.contains(&"twice") && missed.contains(&"books"), "{missed:?}");
}

/// Loses the tenth answer.
struct Forgetful {
    transport: Arc<dyn Transport>,
    sent: AtomicU64,
}

impl Transport for Forgetful {
    fn send(&self, request: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, Error>> {
        let uri = request.uri().clone();
        let answer = self.transport.send(request);
        let is_lost = self.sent.fetch_add(1, Ordering::Relaxed) == 9;
        async move {
            let answer = answer.await?;
            if is_lost {
                answer.into_body().collect().await?;
                return Err(Error::new(Stage::Response, &uri, "lost on the way"));
            }
            Ok(answer)
        }
        .boxed()
    }
}
