//! Two counters in place of a log.

use super::*;

fn counter(per_minute: u64, config: Config) -> Meter {
    Meter::new(&config.with_metering(Metering::SlidingCounter), per_minute, Duration::ZERO)
}

#[test]
fn what_was_taken_in_the_window_before_counts_by_the_share_that_is_still_covered() {
    let mut meter = counter(60, Config::default());
    meter.take(60);
    // The whole window is still covered at the turn; a second later a sixtieth less.
    assert_eq!(meter.wait(1), Some(MINUTE + SECOND));
    meter.advance(MINUTE + 15 * SECOND);
    assert_eq!(meter.remaining(), 15);
    meter.take(15);
    assert_eq!((meter.wait(1), meter.until_full()), (Some(SECOND), 105 * SECOND));
    // 15 of the window before and 45 that may be taken.
    meter.advance(2 * MINUTE);
    assert_eq!(meter.remaining(), 45);
    meter.advance(4 * MINUTE);
    assert_eq!(meter.remaining(), 60);
}

#[test]
fn what_is_missing_at_the_start_was_taken_before_and_what_is_given_back_was_taken_where_it_was() {
    let mut meter = counter(60, Config::default().with_start_fill(0.5));
    assert_eq!(meter.remaining(), 30);
    meter.advance(MINUTE / 2);
    assert_eq!(meter.remaining(), 45);
    meter.take(20);
    meter.correct(MINUTE + MINUTE / 2, MINUTE / 2, 20, 10);
    assert_eq!(meter.remaining(), 55);
    meter.correct(3 * MINUTE, MINUTE / 2, 10, 0);
    assert_eq!(meter.remaining(), 60);
}

#[test]
fn no_limit_is_too_large() {
    let mut meter = counter(u64::MAX, Config::default());
    meter.take(u64::MAX);
    assert!(meter.wait(1).is_some_and(|wait| wait > MINUTE && wait < 2 * MINUTE));
    meter.advance(MINUTE + MINUTE / 2);
    assert!(meter.remaining() > u64::MAX / 2 - 2, "{}", meter.remaining());
}
