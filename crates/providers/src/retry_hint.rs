//! What headers say about sending a request again: whether, and how long to wait.

use http::header::{self, HeaderMap};
use http::{HeaderValue, StatusCode};
use limiter_core::{Limit, Nanos};

use crate::UnixTime;
use crate::duration::{Reset, parse_http_date, parse_millis};

/// The instant at which the server wrote the response, by its own `Date` header.
pub(crate) fn server_time(headers: &HeaderMap) -> Option<UnixTime> {
    first(headers, header::DATE.as_str(), parse_http_date)
}

/// How long the server asks callers to hold back: `retry-after-ms`, else `retry-after` (seconds, whole or with a
/// fraction, or a date; against the standard also a span with units, or seconds since 1970).
///
/// So many milliseconds that no limit has such a window are an instant in the wrong header, and none.
///
/// Only on 408, 409, 425, 429 and 5xx: on a success it is advice about the window, which Anthropic and Together send.
pub(crate) fn retry_after(status: StatusCode, headers: &HeaderMap, received: UnixTime) -> Option<Nanos> {
    if !may_be_retried(status) {
        return None;
    }
    let millis = first(headers, "retry-after-ms", |text| parse_millis(text).filter(|span| *span <= Limit::MAX_WINDOW));
    // Azure sends `retry-after-ms: 0` beside `retry-after: 1`.
    millis.filter(|span| *span > Nanos::ZERO).or_else(|| {
        let now = server_time(headers).unwrap_or(received);
        let seconds =
            first(headers, header::RETRY_AFTER.as_str(), |text| Reset::parse(text).map(|reset| reset.from(now)));
        seconds.or(millis)
    })
}

/// What the server says about sending the request again: `x-should-retry`, which the official clients obey first.
pub(crate) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    first(headers, "x-should-retry", |text| match text.trim_ascii() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    })
}

/// Whether a response of this status may succeed when it is sent again.
pub(crate) fn may_be_retried(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 409 | 425 | 429) || status.is_server_error()
}

/// The first value of `name` that `parse` understands.
fn first<T>(headers: &HeaderMap, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    headers.get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok()).find_map(parse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::header_map;

    #[test]
    fn holding_back_is_asked_for_in_three_formats_and_only_by_refusals() {
        let check = |status: u16, lines: &[(&str, &str)], expected: Option<u64>| {
            let status = StatusCode::from_u16(status).unwrap();
            let hint = retry_after(status, &header_map(lines), UnixTime::from_secs(1_762_103_090));
            assert_eq!(hint, expected.map(Nanos::from_millis), "{status} {lines:?}");
        };
        check(429, &[("retry-after", "16")], Some(16_000));
        check(503, &[("retry-after", "0.5")], Some(500));
        check(429, &[("retry-after", "1"), ("retry-after-ms", "250")], Some(250));
        check(429, &[("retry-after", "1"), ("retry-after-ms", "soon")], Some(1_000));
        check(429, &[("retry-after", "1"), ("retry-after-ms", "0")], Some(1_000));
        check(429, &[("retry-after-ms", "0")], Some(0));
        check(529, &[("retry-after", "Sun, 02 Nov 2025 17:05:00 GMT")], Some(10_000));
        check(429, &[("retry-after", "Sun, 02 Nov 2025 17:00:00 GMT")], Some(0));
        check(429, &[("retry-after", "-3")], None);
        check(429, &[("retry-after", "1762103100")], Some(10_000));
        check(429, &[("retry-after", "2025-11-02T17:05:00Z")], Some(10_000));
        check(429, &[("retry-after", "1m30s")], Some(90_000));
        check(429, &[("retry-after-ms", "1762103100000"), ("retry-after", "9")], Some(9_000));
        check(200, &[("retry-after", "16")], None);
        check(400, &[("retry-after", "16")], None);
    }
}
