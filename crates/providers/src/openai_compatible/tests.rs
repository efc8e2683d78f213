//! What other servers' answers mean.

use limiter_core::{Dimension, Nanos};

use super::*;
use crate::test_support::{RECEIVED, observe};

/// Dimension, window, limit, remaining, reset.
type Said = (Dimension, Option<Nanos>, Option<u64>, Option<u64>, Option<Nanos>);

#[track_caller]
fn check(lines: &[(&str, &str)], expected: &[Said]) {
    let observation = observe(&OpenAiCompatible::new(), 200, lines);
    let found: Vec<_> = observation
        .readings()
        .iter()
        .map(|reading| (reading.dimension, reading.window, reading.limit, reading.remaining, reading.reset))
        .collect();
    assert_eq!(found, expected, "{lines:?}");
}

#[test]
fn families_like_openais_are_read_without_a_window() {
    check(
        &[
            ("x-ratelimit-limit-requests", "1000"),
            ("x-ratelimit-remaining-requests", "999"),
            ("x-ratelimit-limit-tokens", "6000"),
            ("x-ratelimit-reset-tokens", "1m2.5s"),
        ],
        &[
            (Dimension::Requests, None, Some(1_000), Some(999), None),
            (Dimension::Tokens, None, Some(6_000), None, Some(Nanos::from_millis(62_500))),
        ],
    );
}

#[test]
fn a_window_in_the_name_is_read() {
    check(
        &[
            ("x-ratelimit-limit-requests-day", "100"),
            ("x-ratelimit-limit-requests-minute", "5"),
            ("x-ratelimit-limit-tokens-minute", "30000"),
            ("x-ratelimit-limit-req-10-second", "7"),
            ("x-ratelimit-remaining-tokens-month", "12"),
        ],
        &[
            (Dimension::Requests, Some(Nanos::DAY), Some(100), None, None),
            (Dimension::Requests, Some(Nanos::MINUTE), Some(5), None, None),
            (Dimension::Tokens, Some(Nanos::MINUTE), Some(30_000), None, None),
            (Dimension::Requests, Some(Nanos::from_secs(10)), Some(7), None, None),
            (Dimension::Tokens, Some(Nanos::from_secs(2_592_000)), None, Some(12), None),
        ],
    );
}

#[test]
fn a_window_in_a_header_of_its_own_is_read() {
    check(
        &[("x-ratelimit-limit-requests", "9000"), ("x-ratelimit-renewalperiod-requests", "10")],
        &[(Dimension::Requests, Some(Nanos::from_secs(10)), Some(9_000), None, None)],
    );
}

#[test]
fn nameless_and_standard_fields_are_requests() {
    let reset = (RECEIVED.as_nanos() / 1_000_000_000 + 30).to_string();
    check(
        &[("x-ratelimit-limit", "40"), ("x-ratelimit-remaining", "39"), ("x-ratelimit-reset", reset.as_str())],
        &[(Dimension::Requests, None, Some(40), Some(39), Some(Nanos::from_secs(30)))],
    );
    check(
        &[("ratelimit-limit", "600"), ("ratelimit-remaining", "590"), ("ratelimit-reset", "12")],
        &[(Dimension::Requests, None, Some(600), Some(590), Some(Nanos::from_secs(12)))],
    );
    check(
        &[("ratelimit-limit", "100, 100;w=60, 10000;w=86400"), ("ratelimit-remaining", "50")],
        &[(Dimension::Requests, Some(Nanos::MINUTE), Some(100), Some(50), None)],
    );
}

#[test]
fn what_nobody_meters_is_ignored() {
    check(
        &[
            ("x-ratelimit-over-limit", "no"),
            ("x-ratelimit-limit-audio-seconds-minute", "1200"),
            ("x-ratelimit-key", "deployment"),
            ("x-ratelimit-abusepenalty-active", "False"),
            ("ratelimit-policy", "burst"),
            ("x-ratelimit-", "1"),
            ("x-ratelimit-limit-", "1"),
            ("content-length", "7"),
        ],
        &[(Dimension::Requests, None, Some(1), None, None)],
    );
}

#[test]
fn it_is_configured_by_its_user() {
    let provider = OpenAiCompatible::new().with_name("ours").with_base_url("http://h/v1").with_key_variable("OUR_KEY");
    assert_eq!(
        (provider.name(), provider.base_url(), provider.key_variable()),
        ("ours", "http://h/v1", Some("OUR_KEY"))
    );
    assert_eq!(OpenAiCompatible::new().key_variable(), None);
}
