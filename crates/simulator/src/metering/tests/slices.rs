//! Slices of a second.

use super::*;

fn slices(per_minute: u64, depth: Duration, fill: f64) -> Meter {
    let config = Config::default().with_metering(Metering::Slices).with_bucket_depth(depth).with_start_fill(fill);
    Meter::new(&config, per_minute, START)
}

/// A quarter into a second.
const START: Duration = Duration::new(100, 250_000_000);
const REST: Duration = Duration::from_millis(750);

/// A meter for 10 a second.
fn ten_a_second() -> Meter {
    slices(600, MINUTE, 1.0)
}

#[test]
fn a_second_gives_its_worth_and_no_more() {
    let mut meter = ten_a_second();
    assert_eq!((meter.capacity(), meter.remaining()), (600, 10));
    meter.take(4);
    assert_eq!((meter.remaining(), meter.wait(6), meter.wait(7)), (6, Some(Duration::ZERO), Some(REST)));
    meter.take(6);
    assert_eq!((meter.remaining(), meter.wait(1)), (0, Some(REST)));
    meter.advance(START + REST - NANOSECOND);
    assert_eq!((meter.remaining(), meter.wait(1)), (0, Some(NANOSECOND)));
    meter.advance(START + REST);
    assert_eq!(meter.remaining(), 10);
    // Seconds that were not used are not saved up.
    meter.advance(START + MINUTE);
    assert_eq!(meter.remaining(), 10);
}

#[test]
fn a_larger_request_begins_with_an_untouched_second_and_the_next_ones_pay() {
    let mut meter = ten_a_second();
    meter.take(1);
    assert_eq!(meter.wait(35), Some(REST));
    meter.advance(START + REST);
    assert_eq!(meter.wait(35), Some(Duration::ZERO));
    meter.take(35);
    assert_eq!((meter.remaining(), meter.wait(1), meter.wait(5)), (0, Some(3 * SECOND), Some(3 * SECOND)));
    assert_eq!((meter.wait(6), meter.wait(35)), (Some(4 * SECOND), Some(4 * SECOND)));
    meter.advance(START + REST + 3 * SECOND);
    assert_eq!((meter.remaining(), meter.wait(35)), (5, Some(SECOND)));
    meter.advance(START + REST + 4 * SECOND);
    assert_eq!((meter.remaining(), meter.wait(35)), (10, Some(Duration::ZERO)));
    assert_eq!(meter.wait(601), None);
}

#[test]
fn the_bucket_bounds_what_seconds_give() {
    let mut meter = slices(600, MINUTE, 0.0);
    assert_eq!((meter.remaining(), meter.wait(5), meter.wait(20)), (0, Some(SECOND / 2), Some(2 * SECOND)));
    meter.advance(START + SECOND / 2);
    assert_eq!((meter.remaining(), meter.wait(5)), (5, Some(Duration::ZERO)));
    meter.take(5);
    // The bucket has refilled half a second later, the second's worth is back a quarter later.
    assert_eq!((meter.wait(5), meter.wait(6)), (Some(SECOND / 2), Some(SECOND / 10 * 6)));
}

#[test]
fn it_is_full_when_the_bucket_is_and_then_when_the_second_is() {
    let mut meter = slices(600, SECOND, 1.0);
    meter.take(1);
    assert_eq!(meter.until_full(), SECOND / 10);
    meter.advance(START + SECOND / 10);
    assert_eq!((meter.remaining(), meter.until_full()), (9, Duration::from_millis(650)));
    meter.advance(START + REST);
    assert_eq!((meter.remaining(), meter.until_full()), (10, Duration::ZERO));
}

#[test]
fn a_small_limit_gives_one_at_a_time() {
    let mut meter = slices(6, MINUTE, 1.0);
    assert_eq!(meter.remaining(), 1);
    meter.take(1);
    assert_eq!(meter.wait(1), Some(REST));
    for second in 0..5 {
        meter.advance(START + REST + second * SECOND);
        meter.take(1);
    }
    // The bucket is all but empty, so the rate counts from here on.
    assert_eq!(meter.wait(1), Some(Duration::from_millis(5_250)));
}

#[test]
fn a_correction_gives_back_to_its_own_second_and_to_those_that_pay_for_it() {
    let mut meter = ten_a_second();
    meter.take(8);
    meter.correct(START, START, 8, 3);
    assert_eq!(meter.remaining(), 7);
    meter.advance(START + REST);
    meter.take(4);
    meter.correct(START + REST, START, 3, 0);
    assert_eq!(meter.remaining(), 6);
    meter.advance(START + REST + SECOND);
    meter.take(40);
    // Thirty are owed, ten of which the next second has paid.
    meter.correct(START + REST + 2 * SECOND, START + REST + SECOND, 40, 25);
    assert_eq!((meter.remaining(), meter.wait(5)), (0, Some(SECOND)));
    meter.correct(START + REST + 2 * SECOND, START, 0, 10);
    assert_eq!(meter.wait(5), Some(2 * SECOND));
}
