//! The three forms, of made-up outcomes.

use super::*;
use crate::ceiling::axes::{Disturbance, Fill, Headers, Metering, Server};
use crate::ceiling::cell::Cell;

fn outcome(cell: Cell, makespan: f64) -> Outcome {
    Outcome {
        cell,
        requests: 100,
        minimum: 100.0,
        makespan,
        later_ratio: makespan / 100.0,
        refused: 0,
        attempts: 100,
        unlucky: 0,
        answered: 100,
        twice: 0,
        overdue: 0.0,
        books_agree: true,
        full_speed_after: Some(3.0),
        failure: None,
    }
}

fn outcomes() -> Vec<Outcome> {
    let pair = |metering| Cell { metering, headers: Headers::OnRefusal, ..Cell::BASE };
    let large = Cell { server: Server::Large, fill: Fill::Empty, ..Cell::BASE };
    vec![
        outcome(large, 100.0),
        outcome(Cell::BASE, 100.0),
        outcome(Cell { fill: Fill::Empty, ..Cell::BASE }, 102.0),
        outcome(Cell { server: Server::NoReset, ..Cell::BASE }, 100.0),
        outcome(pair(Metering::SlidingWindow), 104.0),
        outcome(pair(Metering::FixedWindow), 106.0),
    ]
}

#[test]
fn pairs_that_meet_their_goal_have_no_line_unless_all_are_asked_for() {
    let printed = |all| {
        let mut lines = Lines::new(all);
        let names: Vec<String> = outcomes().iter().filter_map(|outcome| lines.of(outcome)).collect();
        (names.len(), lines.rest().is_some())
    };
    assert_eq!((printed(false), printed(true)), ((5, true), (6, false)));
    let mut lines = Lines::new(false);
    let missed = outcome(Cell { disturbance: Disturbance::Halves, ..outcomes()[5].cell }, 200.0);
    let printed = (0..1_000).filter_map(|_| lines.of(&missed)).count();
    // With heading and summary that is fewer than 300.
    assert_eq!((printed, lines.left_out), (MOST_LINES, 1_000 - MOST_LINES));
    assert!(MOST_LINES + summary(&outcomes()).lines().count() < 280);
}

#[test]
fn a_document_has_a_table_for_each_kind_of_cell() {
    let text = markdown(&outcomes(), false);
    assert!(text.contains("| told on every answer | 1 of 2 | 0 of 0 |\n"), "{text}");
    assert!(
        text.contains("| told on refusals | 0 of 0 | 1 of 2 |\n| foreign | 2 of 2 | 0 of 0 |\n| all | 4 of 6 | |"),
        "{text}"
    );
    assert!(
        text.contains("| empty | 100 | 100.0 | 102.0 | 1.020 | 0 | 0 | ratio <= 1.01, 429s <= 1 | NOT MET: ratio |"),
        "{text}"
    );
    assert!(text.contains("### Servers of other kinds") && text.contains("| foreign: no-reset | 100 |"), "{text}");
    assert!(
        text.contains("### Two deviations that miss a goal") && !text.contains("| sliding-window · on-refusal |"),
        "{text}"
    );
    assert!(markdown(&outcomes(), true).contains("| sliding-window · on-refusal |"));
    assert!(text.ends_with("| foreign: large · empty | 3 s |"), "{text}");
}

#[test]
fn the_array_says_of_each_goal_whether_it_was_met() {
    let all = json(&outcomes());
    let of = |name: &str| all.as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap()["met"].clone();
    assert_eq!(of("base: time"), true);
    assert_eq!(of("empty: time"), false);
    assert_eq!(of("empty: refusals"), true);
}

#[test]
fn a_run_that_was_faster_than_its_minimum_or_paid_twice_meets_no_goal() {
    assert_eq!(verdict(&outcome(Cell::BASE, 90.0)), "NOT MET: bound");
    assert_eq!(verdict(&Outcome { twice: 1, ..outcome(Cell::BASE, 100.0) }), "NOT MET: twice");
}
