//! Hand-computed examples: ten a second, 600 a minute, from the first second of a minute on where nothing else is said.

use super::*;
use crate::ceiling::axes::Metering;

fn supply(refill: impl Into<Refill>) -> Supply {
    Supply { refill: refill.into(), per_second: 10.0, depth: 60.0, fill: 1.0, epoch: 600, events: Events::default() }
}

fn disturbed(refill: impl Into<Refill>, events: Events) -> Supply {
    Supply { events, ..supply(refill) }
}

#[track_caller]
fn check(supply: Supply, amount: f64, expected: f64) {
    let time = Ideal::new(supply).time(amount);
    // A step, and what is lost in adding.
    assert!((time - expected).abs() <= 0.0021, "{time} and not {expected}");
}

#[test]
fn a_bucket_gives_its_level_at_once_and_the_rest_at_its_rate() {
    let bucket = supply(Metering::TokenBucket);
    check(bucket, 600.0, 0.0);
    check(bucket, 1_600.0, 100.0);
    check(Supply { fill: 0.5, ..bucket }, 1_600.0, 130.0);
    check(Supply { fill: 0.0, ..bucket }, 1_600.0, 160.0);
    check(Supply { depth: 6.0, ..bucket }, 1_660.0, 160.0);
}

#[test]
fn a_window_gives_everything_at_its_turns() {
    // Of the first minute 20 seconds have passed: it turns after 40, 100 and 160.
    let window = Supply { epoch: 620, ..supply(Metering::FixedWindow) };
    check(window, 600.0, 0.0);
    check(window, 601.0, 40.0);
    check(window, 1_800.0, 100.0);
    check(window, 1_801.0, 160.0);
    check(Supply { fill: 0.5, ..window }, 1_500.0, 100.0);
    // 620 is two seconds into a window of six.
    check(Supply { depth: 6.0, ..window }, 61.0, 4.0);
    check(Supply { depth: 6.0, ..window }, 181.0, 16.0);
}

#[test]
fn a_sliding_window_gives_back_what_was_taken_a_window_before() {
    let window = supply(Metering::SlidingWindow);
    check(window, 600.0, 0.0);
    check(window, 601.0, 60.0);
    check(window, 1_801.0, 180.0);
    // What is missing comes back evenly: ten a second, and so on.
    check(Supply { fill: 0.0, ..window }, 1_500.0, 150.0);
    // 300 at once, five a second for a minute, and then the same again.
    check(Supply { fill: 0.5, ..window }, 450.0, 30.0);
    check(Supply { fill: 0.5, ..window }, 900.0, 60.0);
    check(Supply { fill: 0.5, ..window }, 1_050.0, 90.0);
}

#[test]
fn counters_give_back_what_was_taken_in_the_window_before_evenly() {
    // 600 at once; in the next minute ten a second, and so in each that follows.
    let counter = supply(Refill::Counter);
    check(counter, 600.0, 0.0);
    check(counter, 601.0, 60.1);
    check(counter, 1_100.0, 110.0);
    check(counter, 1_800.0, 180.0);
    // All of it was taken in the minute before.
    check(Supply { fill: 0.0, ..counter }, 300.0, 30.0);
    check(Supply { fill: 0.0, ..counter }, 900.0, 90.0);
    // Half a minute in, nobody has taken anything: 600, and 30 s later the next minute begins.
    check(Supply { epoch: 630, ..counter }, 900.0, 60.0);
}

#[test]
fn slices_give_a_second_s_worth_at_the_beginning_of_each() {
    let slices = supply(Metering::Slices);
    check(slices, 10.0, 0.0);
    check(slices, 11.0, 1.0);
    check(slices, 1_600.0, 159.0);
    // An empty bucket has nothing to let out but what comes in.
    check(Supply { fill: 0.0, ..slices }, 1_600.0, 160.0);
}

#[test]
fn a_limit_that_changes_gives_at_its_new_rate() {
    let doubles = Events { change: Some((90.0, 2.0)), ..Events::default() };
    let halves = Events { change: Some((90.0, 0.5)), ..Events::default() };
    check(disturbed(Metering::TokenBucket, doubles), 600.0 + 900.0 + 1_000.0, 140.0);
    check(disturbed(Metering::TokenBucket, halves), 600.0 + 900.0 + 250.0, 140.0);
    check(disturbed(Metering::Slices, doubles), 900.0 + 1_000.0, 139.0);
    // 600 each at 0 and 60; room for 600 more at once, and then twice as much at each turn.
    check(disturbed(Metering::FixedWindow, doubles), 1_800.0, 90.0);
    check(disturbed(Metering::FixedWindow, doubles), 3_000.0, 120.0);
    check(disturbed(Metering::SlidingWindow, doubles), 1_800.0, 90.0);
    // At 120 what was taken at 60 comes back, at 150 what was taken at 90.
    check(disturbed(Metering::SlidingWindow, doubles), 2_400.0, 120.0);
    check(disturbed(Metering::SlidingWindow, doubles), 3_000.0, 150.0);
    check(disturbed(Metering::SlidingWindow, halves), 1_500.0, 120.0);
}

#[test]
fn somebody_else_leaves_the_rest() {
    let other = Events { other: Some((Span { from: 120.0, until: 3_600.0 }, 0.5)), ..Events::default() };
    check(disturbed(Metering::TokenBucket, other), 600.0 + 1_200.0 + 500.0, 220.0);
    check(disturbed(Metering::Slices, other), 1_200.0 + 500.0, 219.0);
    // 600 each at 0 and 60, 300 at each turn from then on.
    check(disturbed(Metering::FixedWindow, other), 1_800.0, 180.0);
    // 600 each at 0, 60 and 120, and 300 at 180.
    check(disturbed(Metering::SlidingWindow, other), 2_100.0, 180.0);
    check(disturbed(Metering::SlidingWindow, other), 2_101.0, 240.0);
}

#[test]
fn what_somebody_else_did_not_take_is_there() {
    let other = Events { other: Some((Span { from: 0.0, until: 3_600.0 }, 0.5)), ..Events::default() };
    let time =
        |metering, counted: Vec<f64>, amount| Ideal::new(disturbed(metering, other)).beside(counted).time(amount);
    // Nothing in 200 s of five a second that were planned: everything is as if it was alone.
    let nothing = || vec![0.0; 201];
    assert!((time(Metering::TokenBucket, nothing(), 1_600.0) - 100.0).abs() < 0.01);
    assert!((time(Metering::FixedWindow, nothing(), 1_800.0) - 120.0).abs() < 0.01);
    assert!((time(Metering::SlidingWindow, nothing(), 1_800.0) - 120.0).abs() < 0.01);
    // 100 in the first second of the second minute: a window, sliding or not, has 500 left for it.
    let counted: Vec<f64> = (0..201).map(|second| if second > 60 { 100.0 } else { 0.0 }).collect();
    assert!((time(Metering::FixedWindow, counted.clone(), 1_101.0) - 120.0).abs() < 0.01);
    assert!((time(Metering::TokenBucket, counted, 1_600.0) - 110.0).abs() < 0.01);
}

#[test]
fn a_closed_door_loses_what_does_not_fit_into_the_bucket() {
    let closed = Events { closed: Some(Span { from: 90.0, until: 150.0 }), ..Events::default() };
    // A minute fits exactly; of six seconds 54 are lost.
    check(disturbed(Metering::TokenBucket, closed), 2_600.0, 200.0);
    check(Supply { depth: 6.0, ..disturbed(Metering::TokenBucket, closed) }, 60.0 + 900.0 + 60.0 + 500.0, 200.0);
    check(disturbed(Metering::Slices, closed), 900.0 + 500.0, 199.0);
    // The turn at 120 comes late, that at 180 as always.
    check(disturbed(Metering::FixedWindow, closed), 1_800.0, 150.0);
    check(disturbed(Metering::FixedWindow, closed), 1_801.0, 180.0);
    check(disturbed(Metering::SlidingWindow, closed), 1_801.0, 210.0);
}

#[test]
fn what_was_admitted_in_the_beginning_is_taken_for_granted() {
    // 100 within a minute, and so a full bucket after it.
    let held = Held { until: 60.0, amount: 100.0 };
    assert!((Ideal::new(supply(Metering::TokenBucket)).held(held).time(1_200.0) - 110.0).abs() < 0.01);
}

#[test]
fn what_is_taken_by_a_time_and_the_time_of_an_amount_agree() {
    for metering in Metering::ALL {
        let taken = Ideal::new(supply(*metering)).taken_by(150.0);
        let times = Ideal::new(supply(*metering)).times([taken, taken + 0.1]);
        assert!(times[0] <= 150.0 && times[1] > 150.0, "{metering:?} {times:?}");
    }
}

#[test]
fn what_is_cheaper_for_a_while_is_bought_faster() {
    // Half the price from 60 to 90 s: 600 + 600 at first, 2 x 300, and then ten a second again.
    let prices = Events { prices: &[(60.0, 0.5), (90.0, 1.0)], ..Events::default() };
    let bucket = disturbed(Metering::TokenBucket, prices);
    check(bucket, 600.0 + 600.0, 60.0);
    check(bucket, 600.0 + 600.0 + 600.0, 90.0);
    check(bucket, 600.0 + 600.0 + 600.0 + 100.0, 100.0);
    // 600 at once, and 600 more as they come back at 60, for twice as many.
    check(disturbed(Metering::SlidingWindow, prices), 1_800.0, 60.0);
}

#[test]
fn what_never_comes_takes_for_ever() {
    let nothing = Supply { per_second: 0.0, ..supply(Metering::TokenBucket) };
    assert!(Ideal::new(nothing).time(1.0).is_infinite());
}
