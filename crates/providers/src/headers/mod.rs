//! From response headers to readings: what all providers' families of limit headers share.
//!
//! A provider's module says what a header's name means ([`Meaning`]); this one reads the values and survives what real
//! servers and proxies put there: repeated headers (the first that parses counts), `-1` for "not tracked", amounts near
//! 2^63 for "no limit", more remaining than the limit, and placeholders.

mod explain;
mod ietf;
mod ignored;
mod meaning;

use http::{HeaderMap, StatusCode};
use limiter_core::{Dimension, Limit, Nanos, Observation, Reading};

use crate::UnixTime;
use crate::classify::{exhausted, plausible, span_of};
use crate::dialect::Dialect;
use crate::duration::{Reset, parse_seconds};
use crate::retry_hint::{retry_after, server_time};

pub use explain::HeaderUse;
pub(crate) use explain::explain;
pub(crate) use meaning::{Field, MONTH, Meaning, anthropic, common};

/// Reads every header that the dialect knows, and the hint how long to hold back.
pub(crate) fn observe(dialect: &Dialect, status: StatusCode, headers: &HeaderMap, received: UnixTime) -> Observation {
    let now = server_time(headers).unwrap_or(received);
    let mut readings = Readings::new(now);
    let mut has_lists = false;
    for (name, value) in headers {
        let name = name.as_str();
        if let Some(meaning) = (dialect.meaning_of)(name) {
            if let Ok(value) = value.to_str() {
                readings.read(meaning, value);
            }
        } else {
            has_lists |= name == ietf::LIMIT || name == ietf::POLICY;
        }
    }
    if has_lists {
        readings.read_lists(headers);
    }
    let mut observation = (dialect.complete)(readings.finish(status));
    let window = exhausted(&observation, None).and_then(span_of);
    observation.retry_after = retry_after(status, headers, received).map(|span| plausible(span, window));
    observation
}

/// Leaves the combined tokens out where Anthropic's headers state input and output too: they are only the sum of the two,
/// no limit (in all of 1,817 recorded answers).
pub(crate) fn without_combined(all: Observation) -> Observation {
    let of = |dimension| all.readings().iter().find(|reading| reading.dimension == dimension);
    let limit = |dimension| of(dimension).and_then(|reading| reading.limit);
    let sum = limit(Dimension::InputTokens)
        .zip(limit(Dimension::OutputTokens))
        .map(|(input, output)| input.saturating_add(output));
    let parts_are_stated = of(Dimension::InputTokens).is_some() || of(Dimension::OutputTokens).is_some();
    let is_sum = parts_are_stated && (sum.is_none() || sum == limit(Dimension::Tokens));
    if !is_sum || of(Dimension::Tokens).is_none() {
        return all;
    }
    let mut kept = Observation::new();
    kept.retry_after = all.retry_after;
    let parts = all.readings().iter().filter(|reading| reading.dimension != Dimension::Tokens);
    parts.for_each(|reading| kept.push(*reading));
    kept
}

/// The number that a provider's module gave a family, and the window in its name.
type Family = (u8, Option<Nanos>);

/// Collects the headers of one response into one reading a family.
pub(crate) struct Readings {
    now: UnixTime,
    /// What tells a family from others, and what it states.
    slots: [Option<(Family, Reading)>; Observation::CAPACITY],
}

impl Readings {
    pub(crate) const fn new(now: UnixTime) -> Self {
        Self { now, slots: [None; Observation::CAPACITY] }
    }

    /// Takes in one header. A value that does not parse, and one for which a value was read before, changes nothing.
    pub(crate) fn read(&mut self, meaning: Meaning, value: &str) {
        let family = (meaning.family, meaning.window);
        let same_family = |slot: &&mut Option<(Family, Reading)>| slot.is_none_or(|(known, _)| known == family);
        let Some(slot) = self.slots.iter_mut().find(same_family) else { return };
        let fresh = Reading { window: meaning.window, ..Reading::of(meaning.dimension) };
        let (_, reading) = slot.get_or_insert((family, fresh));
        match meaning.field {
            Field::Limit => {
                if reading.limit.is_none()
                    && let Some((limit, window)) = parse_limit(value)
                {
                    reading.limit = Some(limit);
                    reading.window = reading.window.or(window);
                }
            }
            Field::Remaining => reading.remaining = reading.remaining.or_else(|| pieces(value, parse_amount)),
            Field::Reset => {
                reading.reset = reading.reset.or_else(|| pieces(value, Reset::parse).map(|reset| reset.from(self.now)));
            }
            Field::Window => {
                reading.window = reading.window.or_else(|| parse_seconds(value).filter(|window| *window > Nanos::ZERO));
            }
        }
    }

    /// Takes in the fields of the IETF.
    fn read_lists(&mut self, headers: &HeaderMap) {
        for (_, reading) in self.slots.iter_mut().flatten() {
            let is_nameless = reading.dimension == Dimension::Requests && reading.window.is_none();
            if let (true, Some(limit)) = (is_nameless, reading.limit) {
                reading.window = ietf::window_of(headers, limit);
            }
        }
        let free = self.slots.iter_mut().filter(|slot| slot.is_none());
        free.zip(ietf::read(headers)).for_each(|(slot, reading)| *slot = Some(((u8::MAX, None), reading)));
    }

    /// The readings that make sense, at most one a dimension and window: the lower limit where two apply.
    pub(crate) fn finish(&self, status: StatusCode) -> Observation {
        let mut kept: [Option<Reading>; Observation::CAPACITY] = [None; Observation::CAPACITY];
        for reading in self.slots.iter().flatten().filter_map(|(_, reading)| sensible(*reading, status)) {
            let key = (reading.dimension, reading.window);
            let same_or_free =
                |slot: &&mut Option<Reading>| slot.is_none_or(|kept| (kept.dimension, kept.window) == key);
            if let Some(slot) = kept.iter_mut().find(same_or_free)
                && slot.is_none_or(|kept| reading.limit.unwrap_or(u64::MAX) < kept.limit.unwrap_or(u64::MAX))
            {
                *slot = Some(reading);
            }
        }
        let mut observation = Observation::new();
        kept.into_iter().flatten().for_each(|reading| observation.push(reading));
        observation
    }
}

/// The reading without what cannot be meant; `None` where nothing is left of it.
fn sensible(mut reading: Reading, status: StatusCode) -> Option<Reading> {
    if reading.limit.is_some_and(|limit| limit > Limit::MAX_AMOUNT) {
        // "No limit", written as a number near 2^63.
        return None;
    }
    if status.is_success() && reading.limit == Some(0) {
        // A success is proof that the limit is not zero: a placeholder.
        return None;
    }
    if status.is_success() && reading.limit.is_none() && reading.remaining.is_none() {
        // The reset of a limit that is not tracked.
        return None;
    }
    // A date that nobody waits for is a placeholder.
    reading.reset = reading.reset.filter(|reset| *reset <= Limit::MAX_WINDOW);
    reading.remaining = match (reading.remaining, reading.limit) {
        // Some providers let a bucket overfill. The limiter plans with what is promised, not with what was given on top.
        (Some(remaining), Some(limit)) => Some(remaining.min(limit)),
        (remaining, None) => remaining.filter(|remaining| *remaining <= Limit::MAX_AMOUNT),
        (None, Some(_)) => None,
    };
    reading.says_something().then_some(reading)
}

/// A limit: an amount, or an amount and the list of policies behind it that the IETF's earlier drafts allow, such as
/// `100, 100;w=60, 10000;w=86400`. The window is that of the policy with the same amount.
fn parse_limit(text: &str) -> Option<(u64, Option<Nanos>)> {
    let limit = pieces(text, parse_amount)?;
    let mut policies = text.split(',').filter_map(|policy| {
        let (amount, parameters) = policy.split_once(';')?;
        let seconds = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            matches!(name.trim_ascii(), "w" | "window").then(|| parse_seconds(value)).flatten()
        });
        (parse_amount(amount)? == limit).then_some(seconds).flatten()
    });
    Some((limit, policies.next()))
}

/// The value, or the first piece of it that parses: a proxy may have joined the lines of a repeated header by a comma
/// and a blank. A comma alone stands in numbers (`1,000`) and says nothing about which.
fn pieces<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    parse(text).or_else(|| text.split(", ").find_map(parse))
}

/// An amount: decimal digits, of which a fraction is cut off. One beyond 64 bits saturates, anything else (`-1`, a
/// placeholder) is not an amount.
pub(crate) fn parse_amount(text: &str) -> Option<u64> {
    let bytes = text.trim_ascii().as_bytes();
    let mut sum = 0_u64;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => sum = sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')),
            b'.' if at > 0 => {
                let fraction = bytes.get(at + 1..).unwrap_or_default();
                return (!fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit)).then_some(sum);
            }
            _ => return None,
        }
    }
    (!bytes.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::header_map;

    /// One family, `x-{field}`, of requests a minute.
    fn requests(status: u16, lines: &[(&str, &str)]) -> Option<Reading> {
        let meaning_of = |name: &str| {
            let field = Field::parse(name.strip_prefix("x-")?)?;
            Some(Meaning { field, family: 0, dimension: Dimension::Requests, window: Some(Nanos::MINUTE) })
        };
        let dialect = Dialect { meaning_of, ..Dialect::COMMON };
        let status = StatusCode::from_u16(status).unwrap();
        let observation = observe(&dialect, status, &header_map(lines), UnixTime::from_secs(1_700_000_000));
        observation.readings().first().copied()
    }

    fn reading(limit: Option<u64>, remaining: Option<u64>, reset: Option<Nanos>) -> Option<Reading> {
        Some(Reading { window: Some(Nanos::MINUTE), limit, remaining, reset, ..Reading::of(Dimension::Requests) })
    }

    #[test]
    fn the_headers_of_a_family_make_one_reading() {
        let lines = [("x-limit", "100"), ("x-remaining", "99"), ("x-reset", "600ms")];
        assert_eq!(requests(200, &lines), reading(Some(100), Some(99), Some(Nanos::from_millis(600))));
    }

    #[test]
    fn of_a_repeated_header_the_first_that_parses_counts() {
        let lines =
            [("x-limit", "garbage"), ("x-limit", "100"), ("x-limit", "7"), ("x-reset", "0s"), ("x-reset", "zzz")];
        assert_eq!(requests(200, &lines), reading(Some(100), None, Some(Nanos::ZERO)));
    }

    #[test]
    fn what_is_not_tracked_says_nothing() {
        for lines in [
            [("x-limit", "-1"), ("x-remaining", "-1"), ("x-reset", "0")],
            [("x-limit", "9223372036854767616"), ("x-remaining", "9223372036854767615"), ("x-reset", "1")],
            [("x-limit", "99999999999999999999999"), ("x-remaining", "3"), ("x-reset", "1")],
            [("x-limit", "0"), ("x-remaining", "0"), ("x-reset", "0")],
            [("x-limit", "Sanitized"), ("x-remaining", "False"), ("x-reset", "never")],
        ] {
            assert_eq!(requests(200, &lines), None, "{lines:?}");
        }
    }

    #[test]
    fn a_limit_may_be_followed_by_its_policies() {
        let check = |text: &str, expected| assert_eq!(parse_limit(text), expected, "{text}");
        check("100", Some((100, None)));
        check("100, 100;w=60, 10000;w=86400", Some((100, Some(Nanos::MINUTE))));
        check("10, 100;w=60;burst=5, 10;comment=x; window=1", Some((10, Some(Nanos::SECOND))));
        check("100, 50;w=60", Some((100, None)));
        check("1,000", None);
        check("100, -1;w=60", Some((100, None)));
        check("100, 100", Some((100, None)));
        check("garbage, 100", Some((100, None)));
        check("150000.000000", Some((150_000, None)));
        check(",", None);
    }

    #[test]
    fn a_refusal_by_a_limit_of_zero_is_believed() {
        assert_eq!(requests(429, &[("x-limit", "0")]), reading(Some(0), None, None));
    }

    #[test]
    fn more_remaining_than_the_limit_is_a_full_bucket() {
        assert_eq!(requests(200, &[("x-limit", "30"), ("x-remaining", "59")]), reading(Some(30), Some(30), None));
    }

    #[test]
    fn a_dated_reset_is_measured_on_the_servers_clock() {
        let lines = [("date", "Sun, 02 Nov 2025 17:04:50 GMT"), ("x-limit", "9"), ("x-reset", "2025-11-02T17:04:53Z")];
        assert_eq!(requests(200, &lines), reading(Some(9), None, Some(Nanos::from_secs(3))));
        let lines = [("date", "Sanitized"), ("x-limit", "9"), ("x-reset", "1700000007")];
        assert_eq!(requests(200, &lines), reading(Some(9), None, Some(Nanos::from_secs(7))));
    }

    #[test]
    fn of_two_limits_for_one_thing_the_lower_counts() {
        let meaning_of = |name: &str| {
            let (field, family) = name.strip_prefix("x-")?.split_once('-')?;
            let family = u8::from(family == "project");
            Some(Meaning { field: Field::parse(field)?, family, dimension: Dimension::Tokens, window: None })
        };
        let lines = [("x-limit-all", "500"), ("x-remaining-project", "9"), ("x-limit-project", "10")];
        let dialect = Dialect { meaning_of, ..Dialect::COMMON };
        let observation = observe(&dialect, StatusCode::OK, &header_map(&lines), UnixTime::default());
        let expected = Reading { limit: Some(10), remaining: Some(9), ..Reading::of(Dimension::Tokens) };
        assert_eq!(observation.readings(), [expected]);
    }
}
