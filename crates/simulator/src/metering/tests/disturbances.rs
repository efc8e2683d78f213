//! What happens to a limit by the clock, under every kind of metering.

use super::*;
use crate::Disturbance;

const KINDS: [Metering; 4] = [Metering::TokenBucket, Metering::FixedWindow, Metering::SlidingWindow, Metering::Slices];

/// A full minute.
const START: Duration = Duration::from_secs(6_000);

fn disturbed(metering: Metering, per_minute: u64, disturbances: &[Disturbance]) -> Meter {
    let config = Config::default().with_metering(metering).with_disturbances(disturbances.to_vec());
    Meter::new(&config, per_minute, START)
}

fn other_client(from: u64, until: u64, share: f64) -> Disturbance {
    Disturbance::OtherClient { from: Duration::from_secs(from), until: Duration::from_secs(until), share }
}

fn factor(at: u64, factor: f64) -> Disturbance {
    Disturbance::LimitFactor { at: Duration::from_secs(at), factor }
}

/// Takes one as often as it can for `seconds` from the start, looking every hundredth of a second.
fn admitted(meter: &mut Meter, seconds: u32) -> u64 {
    let mut admitted = 0;
    for step in 0..seconds * 100 {
        meter.advance(START + SECOND / 100 * step);
        while meter.wait(1) == Some(Duration::ZERO) {
            meter.take(1);
            admitted += 1;
        }
    }
    admitted
}

#[test]
fn somebody_else_takes_its_share_of_an_empty_limit_evenly() {
    for metering in [Metering::TokenBucket, Metering::FixedWindow, Metering::SlidingWindow] {
        let mut meter = disturbed(metering, 6_000, &[other_client(0, 600, 0.25)]);
        for second in 0..30 {
            meter.advance(START + second * SECOND);
            if metering != Metering::TokenBucket {
                assert_eq!(meter.remaining(), 6_000 - 25 * u64::from(second), "{metering:?}");
            }
        }
    }
    // A bucket refills what is taken within a second: 2.5 a step.
    let mut meter = disturbed(Metering::TokenBucket, 6_000, &[other_client(0, 600, 0.25)]);
    meter.take(6_000);
    meter.advance(START + 10 * SECOND);
    assert_eq!(meter.remaining(), 750);
}

#[test]
fn somebody_else_leaves_what_is_not_its_share_to_others() {
    // Ten windows; a bucket has in addition what it had saved up. A second slice is touched before it can be taken whole.
    for (metering, expected) in [
        (Metering::TokenBucket, 600 + 4_500..=600 + 4_501),
        (Metering::FixedWindow, 6_000..=6_000),
        (Metering::Slices, 4_400..=6_000),
    ] {
        let mut meter = disturbed(metering, 600, &[other_client(0, 600, 0.25)]);
        let admitted = admitted(&mut meter, 600);
        assert!(expected.contains(&admitted), "{metering:?}: {admitted}");
    }
}

#[test]
fn somebody_else_never_leaves_a_debt_and_gives_way_in_the_end() {
    for metering in KINDS {
        let mut meter = disturbed(metering, 600, &[other_client(10, 200, 1.0)]);
        meter.advance(START + 9 * SECOND);
        while meter.wait(1) == Some(Duration::ZERO) {
            meter.take(1);
        }
        for second in 10..200 {
            meter.advance(START + second * SECOND);
            assert!(meter.used() <= 600, "{metering:?} at {second}");
        }
        meter.advance(START + 300 * SECOND);
        assert_eq!(meter.until_full(), Duration::ZERO, "{metering:?}");
    }
}

#[test]
fn a_second_begins_untouched_in_spite_of_somebody_else() {
    let mut meter = disturbed(Metering::Slices, 600, &[other_client(0, 600, 0.5)]);
    meter.advance(START + 5 * SECOND - NANOSECOND);
    assert_eq!((meter.remaining(), meter.wait(20)), (5, Some(NANOSECOND)));
    meter.advance(START + 5 * SECOND);
    assert_eq!((meter.remaining(), meter.wait(20)), (10, Some(Duration::ZERO)));
}

#[test]
fn what_others_took_does_not_depend_on_who_looked_when() {
    for metering in KINDS {
        let disturbances = [other_client(1, 50, 0.3), other_client(20, 70, 0.5), factor(31, 0.5), factor(55, 3.0)];
        let mut watched = disturbed(metering, 777, &disturbances);
        let mut ignored = disturbed(metering, 777, &disturbances);
        for step in 0..6_400 {
            watched.advance(START + Duration::from_micros(12_345 * step));
        }
        ignored.advance(START + Duration::from_micros(12_345 * 6_399));
        assert_eq!(format!("{watched:?}"), format!("{ignored:?}"));
    }
}

#[test]
fn a_limit_that_grows_has_more_room_and_nothing_more_to_give_at_once() {
    #[track_caller]
    fn check(metering: Metering, before: u64, after: u64, later: u64) {
        let mut meter = disturbed(metering, 600, &[factor(10, 2.0)]);
        meter.advance(START + 10 * SECOND - NANOSECOND);
        meter.take(meter.remaining());
        assert_eq!((meter.per_minute(), meter.used()), (600, 600), "{metering:?}");
        meter.advance(START + 10 * SECOND);
        assert_eq!((meter.per_minute(), meter.remaining()), (1_200, before), "{metering:?}");
        meter.advance(START + 11 * SECOND);
        assert_eq!(meter.remaining(), after, "{metering:?}");
        meter.advance(START + 130 * SECOND);
        assert_eq!(meter.remaining(), later, "{metering:?}");
    }
    check(Metering::TokenBucket, 0, 20, 1_200);
    check(Metering::FixedWindow, 600, 600, 1_200);
    check(Metering::SlidingWindow, 600, 600, 1_200);
}

#[test]
fn a_slice_grows_with_its_limit_and_not_within_a_second() {
    let mut meter = disturbed(Metering::Slices, 600, &[factor(10, 2.0)]);
    meter.advance(START + 10 * SECOND);
    assert_eq!((meter.per_minute(), meter.remaining()), (1_200, 10));
    meter.advance(START + 11 * SECOND);
    assert_eq!(meter.remaining(), 20);
}

#[test]
fn a_limit_that_shrinks_keeps_what_was_taken() {
    #[track_caller]
    fn check(metering: Metering, taken: u64, remaining: u64, used: u64, wait: Duration) {
        let mut meter = disturbed(metering, 600, &[factor(10, 0.5)]);
        meter.advance(START + 10 * SECOND - NANOSECOND);
        meter.take(taken);
        meter.advance(START + 10 * SECOND);
        assert_eq!((meter.per_minute(), meter.capacity()), (300, 300), "{metering:?}");
        assert_eq!((meter.remaining(), meter.used(), meter.wait(1)), (remaining, used, Some(wait)), "{metering:?}");
    }
    let window = 60 * SECOND - NANOSECOND;
    check(Metering::TokenBucket, 100, 300, 0, Duration::ZERO);
    check(Metering::TokenBucket, 500, 100, 200, Duration::ZERO);
    check(Metering::FixedWindow, 100, 200, 100, Duration::ZERO);
    check(Metering::FixedWindow, 400, 0, 400, 50 * SECOND);
    check(Metering::SlidingWindow, 100, 200, 100, Duration::ZERO);
    check(Metering::SlidingWindow, 400, 0, 400, window);
    check(Metering::Slices, 0, 5, 295, Duration::ZERO);
}

#[test]
fn a_change_before_the_start_is_the_limit_from_the_start() {
    let meter = disturbed(Metering::TokenBucket, 600, &[factor(0, 0.5), factor(0, 1.5)]);
    assert_eq!((meter.per_minute(), meter.remaining()), (900, 900));
}
