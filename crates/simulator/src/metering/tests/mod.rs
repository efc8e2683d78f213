//! Every kind of metering, to the nanosecond.

mod counter;
mod disturbances;
mod slices;
mod sliding;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const NANOSECOND: Duration = Duration::from_nanos(1);

fn bucket(per_minute: u64) -> Meter {
    Meter::new(&Config::default(), per_minute, Duration::ZERO)
}

fn window(per_minute: u64, now: Duration) -> Meter {
    Meter::new(&Config::default().with_metering(Metering::FixedWindow), per_minute, now)
}

#[test]
fn a_bucket_refills_to_the_nanosecond_it_says() {
    #[track_caller]
    fn check(per_minute: u64, taken: u64, amount: u64, expected: Duration) {
        let mut meter = bucket(per_minute);
        meter.take(taken);
        assert_eq!(meter.wait(amount), Some(expected));
        if !expected.is_zero() {
            meter.advance(expected - NANOSECOND);
            assert_eq!(meter.wait(amount), Some(NANOSECOND));
            meter.advance(expected);
            assert_eq!(meter.wait(amount), Some(Duration::ZERO));
        }
    }
    check(60, 60, 1, Duration::from_secs(1));
    check(60, 59, 1, Duration::ZERO);
    check(30_000, 14_567, 24_754, Duration::from_millis(18_642));
    check(7, 7, 1, Duration::from_nanos(8_571_428_572));
    check(1_000_000, 1_000_000, 1, Duration::from_micros(60));
    check(u64::MAX, u64::MAX, 1, NANOSECOND);
}

#[test]
fn a_hundred_thousand_small_refills_lose_nothing() {
    let mut meter = bucket(7);
    meter.take(7);
    for step in 1..=100_000_u64 {
        meter.advance(Duration::from_nanos(step * 85_714));
    }
    assert_eq!(meter.wait(1), Some(Duration::from_nanos(28_572)));
}

#[test]
fn a_shallow_bucket_holds_what_its_depth_refills_and_at_least_one() {
    let depth = Duration::from_secs(6);
    let meter = |per_minute| Meter::new(&Config::default().with_bucket_depth(depth), per_minute, Duration::ZERO);
    assert_eq!((meter(60_000).remaining(), meter(60_000).wait(6_001)), (6_000, None));
    assert_eq!((meter(5).remaining(), meter(5).wait(1)), (1, Some(Duration::ZERO)));
}

#[test]
fn a_bucket_starts_as_full_as_asked() {
    let remaining = |fill| Meter::new(&Config::default().with_start_fill(fill), 3_000, Duration::ZERO).remaining();
    assert_eq!([remaining(0.0), remaining(0.5), remaining(1.0)], [0, 1_500, 3_000]);
}

#[test]
fn a_fixed_window_gives_all_back_at_the_full_minute() {
    let start = Duration::from_secs(1_000_000_019);
    let mut meter = window(10, start);
    meter.take(10);
    let turn = Duration::from_secs(1_000_000_020);
    assert_eq!(meter.wait(1), Some(turn - start));
    meter.advance(turn - NANOSECOND);
    assert_eq!((meter.remaining(), meter.wait(10)), (0, Some(NANOSECOND)));
    meter.advance(turn);
    assert_eq!((meter.remaining(), meter.until_full()), (10, Duration::ZERO));
}

#[test]
fn a_correction_gives_back_and_takes_more() {
    let mut meter = bucket(60);
    meter.take(50);
    meter.correct(Duration::ZERO, Duration::ZERO, 50, 20);
    assert_eq!(meter.remaining(), 40);
    meter.correct(Duration::ZERO, Duration::ZERO, 0, 50);
    assert_eq!((meter.remaining(), meter.used()), (0, 70));
    assert_eq!(meter.wait(0), Some(Duration::from_secs(10)));
}

#[test]
fn a_turned_window_gives_nothing_back_but_takes_what_is_due() {
    let mut meter = window(10, Duration::ZERO);
    meter.take(10);
    meter.correct(MINUTE, Duration::ZERO, 10, 2);
    assert_eq!(meter.remaining(), 10);
    meter.correct(MINUTE, Duration::ZERO, 2, 5);
    assert_eq!(meter.remaining(), 7);
}

#[test]
fn time_that_goes_backwards_changes_nothing() {
    let mut meter = bucket(60);
    meter.take(60);
    meter.advance(MINUTE / 2);
    meter.advance(Duration::ZERO);
    assert_eq!(meter.remaining(), 30);
}

#[test]
fn every_wait_is_exact_whatever_was_taken_before() {
    let meterings = [Metering::TokenBucket, Metering::FixedWindow, Metering::SlidingWindow, Metering::Slices];
    for metering in meterings.into_iter().chain([Metering::SlidingCounter]) {
        for seed in 0..50 {
            let mut random = crate::random::Random::keyed(&[seed]);
            let per_minute = 1 + random.below(2_000);
            let depth = Duration::from_millis(200 + random.below(90_000));
            let config = Config::default().with_metering(metering).with_bucket_depth(depth).with_start_fill(0.3);
            let mut now = Duration::from_nanos(random.below(u64::from(u32::MAX)));
            let mut meter = Meter::new(&config, per_minute, now);
            for _ in 0..100 {
                let amount = 1 + random.below(meter.capacity());
                let wait = meter.wait(amount).unwrap();
                if !wait.is_zero() {
                    meter.advance(now + wait - NANOSECOND);
                    assert_eq!(meter.wait(amount), Some(NANOSECOND), "{metering:?}, seed {seed}");
                }
                now += wait;
                meter.advance(now);
                assert_eq!(meter.wait(amount), Some(Duration::ZERO), "{metering:?}, seed {seed}");
                meter.take(amount);
                if random.below(4) == 0 {
                    meter.correct(now, now, amount, random.below(2 * amount));
                }
                now += Duration::from_millis(random.below(3_000));
                meter.advance(now);
            }
            // Slices tell of their bucket first, and of the second when that is full.
            for _ in 0..2 {
                now += meter.until_full();
                meter.advance(now);
            }
            assert_eq!(meter.until_full(), Duration::ZERO, "{metering:?}, seed {seed}");
        }
    }
}
