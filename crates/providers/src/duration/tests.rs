//! Every format of spans and instants.

use proptest::prelude::*;

use super::*;

fn check(text: &str, expected: Option<Reset>) {
    assert_eq!(Reset::parse(text), expected, "{text:?}");
}

fn span(text: &str, nanos: u64) {
    check(text, Some(Reset::Span(Nanos::new(nanos))));
}

fn at(text: &str, millis: u64) {
    check(text, Some(Reset::At(UnixTime::from_millis(millis))));
}

#[test]
fn go_durations_are_spans() {
    span("6ms", 6_000_000);
    span("0s", 0);
    span("17.212s", 17_212_000_000);
    span("8.639999999s", 8_639_999_999);
    span("1m26.4s", 86_400_000_000);
    span("6m0s", 360_000_000_000);
    span("2h24m3.5s", 8_643_500_000_000);
    span("4h17m", 15_420_000_000_000);
    span("250µs", 250_000);
    span("1d2h", 93_600_000_000_000);
}

#[test]
fn small_bare_numbers_are_seconds() {
    span("5", 5_000_000_000);
    span("0", 0);
    span(" 60 ", 60_000_000_000);
    span("24482.894107818604", 24_482_894_107_818);
}

#[test]
fn large_bare_numbers_are_dates() {
    at("1694403260", 1_694_403_260_000);
    at("1694403260.25", 1_694_403_260_250);
    at("1759845420000", 1_759_845_420_000);
    at("1759845420000000", 1_759_845_420_000);
    at("1759845420000000000", 1_759_845_420_000);
}

#[test]
fn rfc3339_is_a_date() {
    at("2025-11-02T17:04:53Z", 1_762_103_093_000);
    at("2025-11-02T18:04:53.5+01:00", 1_762_103_093_500);
    at("1960-01-01T00:00:00Z", 0);
    at("Sun, 02 Nov 2025 17:04:53 GMT", 1_762_103_093_000);
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "",
        " ",
        "-1",
        "-5s",
        "+5",
        "1e9",
        ".5",
        "5.",
        "1.2.3",
        "s",
        "5x",
        "5 s",
        "1m 5s",
        "NaN",
        "inf",
        "False",
        "Sanitized",
        "2025-11-02",
        "2025-13-02T17:04:53Z",
        "0x10",
        "5,5",
        "٣s",
        "1ss",
        "5\u{0}",
    ] {
        check(text, None);
    }
}

#[test]
fn numbers_beyond_all_bounds_saturate() {
    check("99999999999999999999999999", Some(Reset::At(UnixTime::from_nanos(u64::MAX))));
    check("99999999999999999999h", Some(Reset::Span(Nanos::MAX)));
}

#[test]
fn a_reset_in_the_past_is_now() {
    let reset = Reset::At(UnixTime::from_secs(100));
    assert_eq!(reset.from(UnixTime::from_secs(103)), Nanos::ZERO);
    assert_eq!(reset.from(UnixTime::from_secs(97)), Nanos::from_secs(3));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,40}") {
        let _ = Reset::parse(&text);
    }

    #[test]
    fn what_looks_like_a_span_does_not_panic(text in "[0-9.hmsnuµd:TZ+-]{0,30}") {
        let _ = Reset::parse(&text);
    }

    #[test]
    fn a_date_by_hand_is_the_date_of_the_full_parser(seconds in 0_i64..253_402_300_800) {
        let instant = jiff::Timestamp::from_second(seconds).unwrap();
        prop_assert_eq!(plain_date(&instant.to_string()), Some(seconds.unsigned_abs()));
    }

    #[test]
    fn what_is_a_date_by_hand_is_one_to_the_full_parser(text in "(19|20)[0-9]{2}-[0-3][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z") {
        let full = text.parse::<jiff::Timestamp>().ok().filter(|it| it.as_second() >= 0);
        if let Some(seconds) = plain_date(&text) {
            prop_assert_eq!(full.map(|it| it.as_second().unsigned_abs()), Some(seconds));
        }
    }

    #[test]
    fn whole_milliseconds_are_exact(millis in 0_u64..1_000_000_000) {
        prop_assert_eq!(Reset::parse(&format!("{millis}ms")), Some(Reset::Span(Nanos::from_millis(millis))));
    }
}
