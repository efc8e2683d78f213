//! Refusals by chance, and refusals that are none.

use alloc::vec::Vec;

use super::*;

/// A server that is sent one request after the other, and refuses the last of so many.
struct Sent {
    chance: Chance,
    number: u64,
    /// Whether rates were lowered for a test, and how it ended.
    tests: Vec<Tested>,
}

impl Sent {
    fn new() -> Self {
        Self { chance: Chance::new(), number: 0, tests: Vec::new() }
    }

    fn pass(&mut self, count: u64) {
        for _ in 0..count {
            self.number += 1;
            self.tests.extend(self.chance.answered(self.number, false));
        }
    }

    /// One is refused after so many were let through.
    fn refuse(&mut self, after: u64) -> Verdict {
        self.pass(after);
        self.number += 1;
        let (verdict, tested) = self.chance.refused(self.number, true, false);
        self.tests.extend(tested);
        if verdict == Verdict::Doubted {
            self.chance.begin(self.number);
        }
        verdict
    }

    /// One in 33 is refused, until a test says so.
    fn unlucky() -> Self {
        let mut sent = Self::new();
        while sent.tests.is_empty() {
            sent.refuse(32);
            assert!(sent.number < 400, "{:?}", sent.chance);
        }
        assert_eq!(sent.tests, [Tested::Chance]);
        sent
    }
}

#[test]
fn refusals_that_go_on_while_going_slower_are_chance_and_as_many_say_nothing() {
    let mut sent = Sent::unlucky();
    assert!((0..100).all(|_| sent.refuse(32) == Verdict::Chance));
    // Far more than that say something.
    let verdicts: Vec<_> = (0..12).map(|_| sent.refuse(4)).collect();
    assert!(verdicts.contains(&Verdict::Doubted), "{verdicts:?}");
}

#[test]
fn a_rate_that_was_met_is_told_by_a_test_without_refusals() {
    let mut sent = Sent::new();
    let verdicts: Vec<_> = (0..3).map(|_| sent.refuse(20)).collect();
    assert_eq!(verdicts, [Verdict::Met, Verdict::Met, Verdict::Doubted]);
    sent.pass(150);
    assert_eq!(sent.tests, [Tested::Met]);
    // The next test needs twice as many doubts.
    let verdicts: Vec<_> = (0..6).map(|_| sent.refuse(20)).collect();
    assert_eq!(verdicts.iter().position(|it| *it == Verdict::Doubted), Some(5));
}

#[test]
fn one_after_the_other_is_no_chance() {
    let mut sent = Sent::unlucky();
    assert_eq!(sent.refuse(32), Verdict::Chance);
    assert_eq!([sent.refuse(0), sent.refuse(0)], [Verdict::Met; 2]);
}

#[test]
fn what_is_larger_than_others_and_refused_is_not_refused_by_chance() {
    let mut sent = Sent::new();
    for _ in 0..20 {
        sent.pass(20);
        sent.number += 1;
        assert_eq!(sent.chance.refused(sent.number, true, true), (Verdict::Met, None));
    }
}

#[test]
fn what_comes_no_more_is_forgotten() {
    let mut sent = Sent::unlucky();
    sent.pass(PATIENCE + 1);
    assert!(sent.chance.is_due());
    sent.chance.begin(sent.number);
    sent.pass(200);
    assert_eq!(sent.tests, [Tested::Chance, Tested::Met]);
    assert_eq!(sent.refuse(1), Verdict::Met);
}

#[test]
fn refusals_that_are_too_many_for_chance_end_the_test() {
    let mut sent = Sent::new();
    (0..3).for_each(|_| {
        sent.refuse(20);
    });
    let verdicts: Vec<_> = (0..3).map(|_| sent.refuse(1)).collect();
    assert_eq!((verdicts[2], &sent.tests[..]), (Verdict::Met, &[Tested::Met][..]));
}
