//! The IETF's fields, in all their versions.

use super::*;
use crate::test_support::header_map;

/// Dimension, window in seconds, limit, remaining, reset in seconds.
type Said = (Dimension, Option<u64>, Option<u64>, Option<u64>, Option<u64>);

#[track_caller]
fn check(lines: &[(&str, &str)], expected: &[Said]) {
    let seconds = |span: Option<Nanos>| span.map(|span| span.get() / 1_000_000_000);
    let found: Vec<Said> = read(&header_map(lines))
        .map(|it| (it.dimension, seconds(it.window), it.limit, it.remaining, seconds(it.reset)))
        .collect();
    assert_eq!(found, expected, "{lines:?}");
}

#[test]
fn a_policy_and_what_is_left_of_it_are_one_reading() {
    check(
        &[
            ("ratelimit-policy", r#""burst";q=100;w=60,"daily";q=1000;w=86400"#),
            ("ratelimit", r#""burst";r=50;t=30, "daily";r=999"#),
        ],
        &[
            (Dimension::Requests, Some(60), Some(100), Some(50), Some(30)),
            (Dimension::Requests, Some(86_400), Some(1_000), Some(999), None),
        ],
    );
}

#[test]
fn lists_may_span_lines_and_hold_unknown_parameters() {
    check(
        &[
            ("ratelimit-policy", r#""a";q=10;w=1;comment="x, y; z""#),
            ("ratelimit-policy", r#""b";q=20;w=60;pk=:cHsdsRa894==:"#),
            ("ratelimit", r#""b";r=7;pk=:cHsdsRa894==:;t=5"#),
            ("ratelimit", r#""a";r=1"#),
        ],
        &[
            (Dimension::Requests, Some(1), Some(10), Some(1), None),
            (Dimension::Requests, Some(60), Some(20), Some(7), Some(5)),
        ],
    );
}

#[test]
fn the_unit_tells_what_is_counted() {
    check(
        &[(
            "ratelimit-policy",
            r#""a";q=5;qu="concurrent-requests", "b";q=9;qu="content-bytes";w=1, "c";q=7;qu="tokens";w=60, "input-tokens";q=3;w=60"#,
        )],
        &[
            (Dimension::Concurrent, None, Some(5), None, None),
            (Dimension::Tokens, Some(60), Some(7), None, None),
            (Dimension::InputTokens, Some(60), Some(3), None, None),
        ],
    );
}

#[test]
fn what_is_left_without_a_policy_is_still_read() {
    check(&[("ratelimit", r#""default";r=0;t=12"#)], &[(Dimension::Requests, None, None, Some(0), Some(12))]);
    check(
        &[("ratelimit-policy", r#""a";q=5;pk=:x:"#), ("ratelimit", r#""a";r=2;pk=:y:"#)],
        &[(Dimension::Requests, None, Some(5), None, None), (Dimension::Requests, None, None, Some(2), None)],
    );
}

#[test]
fn the_older_forms_are_read() {
    check(
        &[("ratelimit", "limit=100, remaining=50, reset=50"), ("ratelimit-policy", "10;w=1, 100;w=60")],
        &[(Dimension::Requests, Some(60), Some(100), Some(50), Some(50))],
    );
    assert_eq!(window_of(&header_map(&[("ratelimit-policy", "10;w=1, 100;w=60")]), 100), Some(Nanos::MINUTE));
}

#[test]
fn what_is_no_list_says_nothing() {
    for value in ["", ",", ";;", "\"", "\"a\";q=", "\"a\";q=-1", "burst", "a;q=1e3", "\"a\\\";q=1", "=", "limit=x"] {
        check(&[("ratelimit-policy", value), ("ratelimit", value)], &[]);
    }
}

#[test]
fn a_list_without_end_is_not_read_to_its_end() {
    let policies = "\"a\";q=1,".repeat(10_000);
    assert!(read(&header_map(&[("ratelimit-policy", &policies)])).count() <= MOST);
}
