//! What other servers' answers mean.

use limiter_core::{Dimension, Nanos};

use super::*;
use crate::test_support::{RECEIVED, classify, observe};

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
fn a_reset_of_a_named_family_may_be_a_date() {
    let now = RECEIVED.as_nanos() / 1_000_000_000;
    let expected = (Dimension::Tokens, None, Some(1_000), Some(900), Some(Nanos::from_secs(45)));
    for reset in [(now + 45).to_string(), format!("{}000", now + 45), format!("{}000000", now + 45)] {
        let lines = [
            ("x-ratelimit-limit-tokens", "1000"),
            ("x-ratelimit-remaining-tokens", "900"),
            ("x-ratelimit-reset-tokens", reset.as_str()),
        ];
        check(&lines, &[expected]);
    }
    // Against the server's own clock, which is a day behind.
    let dated = [
        ("date", "Thu, 14 Jan 2027 08:00:00 GMT"),
        ("x-ratelimit-limit-requests", "100"),
        ("x-ratelimit-reset-requests", "1799913645"),
    ];
    check(&dated, &[(Dimension::Requests, None, Some(100), None, Some(Nanos::from_secs(45)))]);
}

#[test]
fn a_date_that_nobody_waits_for_is_left_out() {
    for reset in ["9999999999", "99999999999999999999", "2099-01-01T00:00:00Z"] {
        let lines = [("x-ratelimit-limit-requests", "100"), ("x-ratelimit-reset-requests", reset)];
        check(&lines, &[(Dimension::Requests, None, Some(100), None, None)]);
    }
}

#[test]
fn a_refusal_waits_for_the_turn_of_a_date_and_for_one_request_of_a_span() {
    let wait = |reset: &str| {
        let lines = [
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", reset),
        ];
        classify(&OpenAiCompatible::new(), 429, &lines, "{}").retry_after
    };
    assert_eq!(wait("1800000030"), Some(Nanos::from_secs(30)));
    assert_eq!(wait("1800000030000"), Some(Nanos::from_secs(30)));
    assert_eq!(wait("30"), Some(Nanos::from_secs(30)));
    assert_eq!(wait("30s"), Some(Nanos::from_millis(500)), "a sixtieth of a bucket");
}

#[test]
fn anthropics_headers_are_read_where_others_pass_them_on() {
    check(
        &[
            ("anthropic-ratelimit-input-tokens-limit", "30000"),
            ("anthropic-ratelimit-input-tokens-remaining", "29000"),
            ("anthropic-ratelimit-output-tokens-limit", "8000"),
            ("anthropic-ratelimit-tokens-limit", "38000"),
        ],
        &[
            (Dimension::InputTokens, Some(Nanos::MINUTE), Some(30_000), Some(29_000), None),
            (Dimension::OutputTokens, Some(Nanos::MINUTE), Some(8_000), None, None),
        ],
    );
}

#[test]
fn the_fields_of_the_ietf_are_read() {
    check(
        &[("ratelimit-policy", r#""burst";q=100;w=60,"daily";q=1000;w=86400"#), ("ratelimit", r#""burst";r=40;t=20"#)],
        &[
            (Dimension::Requests, Some(Nanos::MINUTE), Some(100), Some(40), Some(Nanos::from_secs(20))),
            (Dimension::Requests, Some(Nanos::DAY), Some(1_000), None, None),
        ],
    );
    check(
        &[("ratelimit-limit", "100"), ("ratelimit-remaining", "50"), ("ratelimit-policy", "10;w=1, 100;w=60")],
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
