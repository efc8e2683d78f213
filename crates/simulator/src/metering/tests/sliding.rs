//! Sliding windows.

use super::*;

fn sliding(per_minute: u64, fill: f64) -> Meter {
    let config = Config::default().with_metering(Metering::SlidingWindow).with_start_fill(fill);
    // A time that is no full minute: nothing is aligned.
    Meter::new(&config, per_minute, START)
}

const START: Duration = Duration::new(1_000_000_019, 7);

#[test]
fn each_amount_comes_back_one_window_after_it_was_taken() {
    let mut meter = sliding(10, 1.0);
    meter.take(4);
    meter.advance(START + 20 * SECOND);
    meter.take(6);
    assert_eq!((meter.remaining(), meter.wait(1), meter.wait(4)), (0, Some(40 * SECOND), Some(40 * SECOND)));
    assert_eq!((meter.wait(5), meter.until_full()), (Some(60 * SECOND), 60 * SECOND));
    meter.advance(START + MINUTE - NANOSECOND);
    assert_eq!((meter.remaining(), meter.wait(4)), (0, Some(NANOSECOND)));
    meter.advance(START + MINUTE);
    assert_eq!((meter.remaining(), meter.wait(4), meter.until_full()), (4, Some(Duration::ZERO), 20 * SECOND));
    meter.advance(START + 80 * SECOND);
    assert_eq!((meter.remaining(), meter.until_full(), meter.wait(11)), (10, Duration::ZERO, None));
}

#[test]
fn what_is_missing_at_the_start_comes_back_evenly() {
    let mut meter = sliding(600, 0.5);
    assert_eq!((meter.remaining(), meter.used(), meter.until_full()), (300, 300, MINUTE));
    assert_eq!((meter.wait(301), meter.wait(306)), (Some(SECOND), Some(2 * SECOND)));
    for second in 1..=60 {
        meter.advance(START + second * SECOND);
        assert_eq!(meter.remaining(), 300 + 5 * u64::from(second));
    }
    assert_eq!(sliding(600, 0.0).remaining(), 0);
    assert_eq!(sliding(600, 1.0).until_full(), Duration::ZERO);
}

#[test]
fn a_correction_changes_what_comes_back_and_not_when() {
    let mut meter = sliding(100, 1.0);
    meter.take(80);
    meter.advance(START + SECOND);
    meter.take(10);
    meter.correct(START + 2 * SECOND, START, 80, 30);
    assert_eq!((meter.remaining(), meter.wait(90)), (60, Some(58 * SECOND)));
    // What is due on top is taken when that is known.
    meter.correct(START + 3 * SECOND, START, 30, 100);
    assert_eq!((meter.remaining(), meter.used(), meter.wait(0)), (0, 110, Some(57 * SECOND)));
    meter.correct(START + MINUTE, START, 30, 0);
    assert_eq!((meter.remaining(), meter.until_full()), (20, 3 * SECOND));
    meter.correct(START + 2 * MINUTE, START, 30, 0);
    assert_eq!(meter.remaining(), 100);
}

#[test]
fn what_was_given_back_whole_leaves_no_trace() {
    let mut meter = sliding(100, 1.0);
    meter.take(80);
    meter.take(0);
    meter.correct(START, START, 80, 0);
    assert_eq!((meter.remaining(), meter.until_full()), (100, Duration::ZERO));
}
