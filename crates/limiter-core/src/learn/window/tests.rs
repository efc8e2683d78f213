//! Servers that serve so many at once, and others that count how many come.

use alloc::vec::Vec;

use super::*;

/// A client that always has work, and a window that says how many of it are in flight.
struct Client {
    window: FlightWindow,
    /// What is in flight: the number, and how many were when it went.
    flight: Vec<(u64, u64)>,
    latest: u64,
}

impl Client {
    const fn new() -> Self {
        Self { window: FlightWindow::new(), flight: Vec::new(), latest: 0 }
    }

    /// As many go as may; returns how many are in flight.
    fn fill(&mut self) -> u64 {
        while (self.flight.len() as u64) < self.window.allowed(None, Nanos::MAX) {
            self.latest += 1;
            let beside = self.flight.len() as u64 + 1;
            self.window.admitted(beside, Nanos::ZERO);
            self.flight.push((self.latest, beside));
        }
        self.flight.len() as u64
    }

    /// The oldest one is answered well.
    fn answer(&mut self) {
        let in_flight = self.flight.len() as u64;
        let (number, beside) = self.flight.remove(0);
        self.window.answered(number, beside, in_flight);
    }

    /// The latest one is refused.
    fn refuse(&mut self) -> Cause {
        let (number, beside) = self.flight.pop().unwrap();
        self.window.refused(number, beside, self.latest, false)
    }

    /// Works until `answers` were given, against a server that serves `most` at once. Returns how many were refused.
    fn work(&mut self, answers: u64, most: u64) -> u64 {
        let mut refused = 0;
        for _ in 0..answers {
            while self.fill() > most {
                refused += 1;
                assert_eq!(self.refuse(), Cause::Crowd, "with {most} at once");
            }
            self.answer();
        }
        refused
    }
}

#[test]
fn twice_as_many_go_each_round_trip_while_nothing_is_refused() {
    let mut client = Client::new();
    for expected in [4, 8, 16, 32] {
        assert_eq!(client.fill(), expected);
        for _ in 0..expected {
            client.answer();
            client.fill();
        }
    }
    // What is not used says nothing.
    for number in 100..200 {
        client.window.answered(number, 1, 1);
    }
    assert_eq!(client.fill(), 64);
}

#[test]
fn half_as_many_go_after_a_refusal_that_is_told_and_one_more_each_round_trip() {
    let mut client = Client::new();
    for _ in 0..16 {
        client.fill();
        client.answer();
    }
    assert_eq!(client.fill(), 20);
    client.window.halve(1, 20);
    client.window.halve(20, 20);
    (0..11).for_each(|_| client.answer());
    assert_eq!(client.fill(), 11);
    for expected in [12, 13] {
        for _ in 0..expected {
            client.answer();
            client.fill();
        }
        assert_eq!(client.fill(), expected);
    }
}

#[test]
fn those_that_are_spaced_are_not_held_back_by_their_number_before_one_was_refused() {
    let mut window = FlightWindow::new();
    assert_eq!((window.allowed(None, Nanos::MAX), window.allowed(Some(64), Nanos::MAX)), (4, 64));
    assert_eq!(window.refused(20, 20, 40, false), Cause::Crowd);
    assert_eq!((window.allowed(None, Nanos::MAX), window.allowed(Some(64), Nanos::MAX)), (19, 19));
}

#[test]
fn the_number_that_a_server_serves_at_once_is_found_and_kept_and_more_is_tried_ever_less_often() {
    for most in [1, 2, 5, 50, 500] {
        let mut client = Client::new();
        let refused = client.work(4 * most, most);
        assert!((1..=3).contains(&refused), "{most}: {refused} refused until it was found");
        assert_eq!(client.window.allowed(None, Nanos::MAX), most);
        // Of 100, 200, 400 ... that go at the ceiling one is refused.
        let refused = client.work(6_000, most);
        assert!((3..=6).contains(&refused), "{most}: {refused} of 6,000 refused");
    }
}

#[test]
fn a_number_that_was_raised_is_followed() {
    let mut client = Client::new();
    client.work(1_000, 5);
    let refused = client.work(4_000, 200);
    assert!(client.window.allowed(None, Nanos::MAX) >= 180, "{:?}", client.window);
    assert!(refused <= 40, "{refused} refused");
}

#[test]
fn a_number_that_was_lowered_is_followed_once() {
    let mut client = Client::new();
    client.work(120, 20);
    assert_eq!(client.window.allowed(None, Nanos::MAX), 20);
    // Fifteen are in flight, as the server sees it, and one more is refused.
    client.fill();
    (0..5).for_each(|_| client.answer());
    client.latest += 1;
    client.flight.push((client.latest, 16));
    assert_eq!(client.refuse(), Cause::Crowd);
    assert_eq!(client.window.allowed(None, Nanos::MAX), 15);
    client.work(50, 15);
    assert_eq!(client.fill(), 15);
    client.answer();
    client.fill();
    assert_eq!(client.refuse(), Cause::Rate, "it is no ceiling if it moves again");
}

#[test]
fn one_that_is_refused_alone_or_with_fewer_than_went_well_is_refused_for_the_rate() {
    let mut window = FlightWindow::new();
    assert_eq!(window.refused(1, 1, 1, false), Cause::Rate);
    let mut window = FlightWindow::new();
    window.answered(1, 20, 20);
    assert_eq!(window.refused(30, 20, 30, false), Cause::Rate);
    // From then on their number holds nothing back.
    (31..40).for_each(|number| window.answered(number, 20, 20));
    assert_eq!(window.allowed(None, Nanos::MAX), 30);
}

#[test]
fn a_ceiling_that_does_not_hold_at_once_is_none() {
    let mut client = Client::new();
    client.fill();
    assert_eq!(client.refuse(), Cause::Crowd);
    assert_eq!(client.refuse(), Cause::Crowd, "it was in flight with the first one");
    client.answer();
    client.fill();
    assert_eq!(client.refuse(), Cause::Rate);
}

#[test]
fn where_a_rate_is_known_it_is_that_which_refuses_below_the_ceiling() {
    let mut client = Client::new();
    client.work(80, 10);
    client.fill();
    client.answer();
    client.fill();
    let (number, beside) = client.flight.pop().unwrap();
    assert_eq!(client.window.refused(number, beside, client.latest, true), Cause::Rate);
    assert_eq!(client.window.allowed(None, Nanos::MAX), 10, "and the ceiling stays");
}

#[test]
fn refusals_that_come_when_as_many_are_in_flight_again_and_again_speak_for_their_number_after_all() {
    let mut window = FlightWindow::new();
    window.refused(1, 1, 1, false);
    for (number, beside, cause) in
        [(2, 20, Cause::Rate), (3, 21, Cause::Rate), (4, 20, Cause::Rate), (5, 20, Cause::Crowd)]
    {
        assert_eq!(window.refused(number, beside, number, true), cause, "{number}");
    }
    assert_eq!(window.allowed(None, Nanos::MAX), 19);
    // One after the other is nothing of the kind.
    let mut window = FlightWindow::new();
    for number in 1..100 {
        assert_ne!(window.refused(number, 1, number, true), Cause::Crowd);
    }
}

#[test]
fn absurd_numbers_do_no_harm() {
    let ends = [0, 1, 2, 100, u64::MAX / 2, u64::MAX];
    let mut window = FlightWindow::new();
    for round in 0..10_000_usize {
        let pick = |step: usize| ends[(round * step + round / ends.len()) % ends.len()];
        match round % 4 {
            0 => window.admitted(pick(1), Nanos::new(pick(2))),
            1 => window.answered(pick(1), pick(2), pick(3)),
            _ => {
                window.refused(pick(3), pick(1), pick(2), round % 8 > 4);
            }
        }
        assert!(window.allowed(None, Nanos::MAX) > 0);
    }
}
