//! The formats in which providers write spans and instants.
//!
//! One provider may mix several: Go durations (`6m0s`, `8.639999999s`, `120ms`), bare seconds (`5`, `24482.894107818604`),
//! RFC 3339 and HTTP dates, and seconds, milliseconds or less since 1970. Magnitude tells these numbers apart: nobody waits
//! for thirty years. Reading is strict (anything else is `None`) and saturates, so no text can make it panic.

use limiter_core::Nanos;

use crate::UnixTime;

/// When a limit is full again, as a provider wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// A span from the response on.
    Span(Nanos),
    /// An instant on the provider's clock.
    At(UnixTime),
}

/// From here on a bare number is seconds since 1970 (this one is in 2001).
const EPOCH_SECONDS: u64 = 1_000_000_000;
/// From here on a bare number is milliseconds since 1970 (this one is in 2001).
const EPOCH_MILLIS: u64 = 1_000_000_000_000;
/// The same for microseconds and nanoseconds.
const EPOCH_MICROS: u64 = 1_000_000_000_000_000;
const EPOCH_NANOS: u64 = 1_000_000_000_000_000_000;

impl Reset {
    /// Reads any of the formats; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        // A date begins with four digits and a dash, as no number and no span does.
        if text.as_bytes().get(4) == Some(&b'-') {
            return parse_rfc3339(text).map(Self::At);
        }
        if let Some(number) = Decimal::parse(text) {
            return Some(match number.whole {
                EPOCH_NANOS.. => Self::At(UnixTime::from_nanos(number.times(1))),
                EPOCH_MICROS.. => Self::At(UnixTime::from_nanos(number.times(1_000))),
                EPOCH_MILLIS.. => Self::At(UnixTime::from_nanos(number.times(1_000_000))),
                EPOCH_SECONDS.. => Self::At(UnixTime::from_nanos(number.times(1_000_000_000))),
                _ => Self::Span(Nanos::new(number.times(1_000_000_000))),
            });
        }
        if let Some(span) = parse_go_duration(text) {
            return Some(Self::Span(span));
        }
        parse_http_date(text).map(Self::At)
    }

    /// The span from `now` (on the provider's clock) until the reset; zero where it has passed.
    #[must_use]
    pub fn from(self, now: UnixTime) -> Nanos {
        match self {
            Self::Span(span) => span,
            Self::At(at) => at.since(now),
        }
    }
}

/// Reads a span as Go prints it: one or more numbers with a unit each, such as `1m26.4s`, `120ms`, `2h24m3.5s`, `4h17m`.
///
/// Units are `ns`, `us`, `µs`, `ms`, `s`, `m`, `h` and, beyond Go, `d`. A bare `0` is Go's too; signs are refused.
#[must_use]
pub fn parse_go_duration(text: &str) -> Option<Nanos> {
    if text == "0" {
        return Some(Nanos::ZERO);
    }
    if text.is_empty() {
        return None;
    }
    let mut rest = text;
    let mut total = Nanos::ZERO;
    while !rest.is_empty() {
        let number_ends = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_ends);
        let unit_ends = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_ends);
        total = total.saturating_add(Nanos::new(Decimal::parse(number)?.times(nanos_of_unit(unit)?)));
        rest = next;
    }
    Some(total)
}

/// Reads seconds, whole or with a fraction: `5`, `24482.894107818604`.
#[must_use]
pub fn parse_seconds(text: &str) -> Option<Nanos> {
    Decimal::parse(text.trim_ascii()).map(|seconds| Nanos::new(seconds.times(1_000_000_000)))
}

/// Reads milliseconds, whole or with a fraction.
#[must_use]
pub fn parse_millis(text: &str) -> Option<Nanos> {
    Decimal::parse(text.trim_ascii()).map(|millis| Nanos::new(millis.times(1_000_000)))
}

/// Reads the date of an HTTP header, in any of the three forms of RFC 9110.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<UnixTime> {
    httpdate::parse_http_date(text.trim_ascii()).ok().map(UnixTime::from)
}

fn nanos_of_unit(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    })
}

fn parse_rfc3339(text: &str) -> Option<UnixTime> {
    if text.len() > 64 {
        return None;
    }
    if let Some(seconds) = plain_date(text) {
        return Some(UnixTime::from_secs(seconds));
    }
    let instant: jiff::Timestamp = text.parse().ok()?;
    Some(UnixTime::from_nanos(u64::try_from(instant.as_nanosecond().max(0)).unwrap_or(u64::MAX)))
}

/// Seconds since 1970 of `2025-11-02T17:04:53Z`, the form that Anthropic writes four times an answer: reading it by hand
/// takes a tenth of the time. `None` for every other form, and for what is no date.
fn plain_date(text: &str) -> Option<u64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'Z'] =
        *text.as_bytes().first_chunk::<20>()?
    else {
        return None;
    };
    if text.len() != 20 {
        return None;
    }
    let two = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| u64::from(tens - b'0') * 10 + u64::from(ones - b'0'))
    };
    let (year, month, day) = (two(y1, y2)? * 100 + two(y3, y4)?, two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + u64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1970 || !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Years from March on, so that a leap day is the last of its year: 153 days are five months, 146,097 are 400 years.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1;
    const DAYS_TO_1970: u64 = 719_468;
    Some((days - DAYS_TO_1970) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// A number of decimal digits with at most one point: no sign, no exponent.
#[derive(Clone, Copy)]
struct Decimal {
    whole: u64,
    /// The first nine digits behind the point: billionths. What lies beyond is less than any span's resolution.
    billionths: u64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let point = bytes.iter().position(|byte| *byte == b'.');
        let (whole, fraction) = bytes.split_at(point.unwrap_or(bytes.len()));
        let fraction = fraction.get(1..).unwrap_or_default();
        let are_digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
        if whole.is_empty() || point.is_some() && fraction.is_empty() || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        let whole = whole.iter().fold(0_u64, |sum, byte| sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')));
        let mut billionths = 0;
        let mut unit = 100_000_000;
        for byte in fraction.iter().take(9) {
            billionths += u64::from(byte - b'0') * unit;
            unit /= 10;
        }
        Some(Self { whole, billionths })
    }

    /// `self` x `unit` nanoseconds, saturating.
    fn times(self, unit: u64) -> u64 {
        let billionths = u128::from(self.whole) * 1_000_000_000 + u128::from(self.billionths);
        u64::try_from(billionths.saturating_mul(u128::from(unit)) / 1_000_000_000).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
