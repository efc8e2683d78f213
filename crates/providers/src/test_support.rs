//! What the tests of several modules need.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use limiter_core::{Dimension, Nanos, Observation, Reading};

use crate::{Failure, Provider, UnixTime};

/// The instant at which every response of a test arrives: 2027-01-15T08:00:00Z.
pub(crate) const RECEIVED: UnixTime = UnixTime::from_secs(1_800_000_000);

/// A header map of these lines.
pub(crate) fn header_map(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
    }
    headers
}

/// What the provider reads in a response of this status with these headers.
pub(crate) fn observe(provider: &dyn Provider, status: u16, lines: &[(&str, &str)]) -> Observation {
    provider.observe(StatusCode::from_u16(status).unwrap(), &header_map(lines), RECEIVED)
}

/// What the provider makes of a failed response.
pub(crate) fn classify(provider: &dyn Provider, status: u16, lines: &[(&str, &str)], body: &str) -> Failure {
    provider.classify(StatusCode::from_u16(status).unwrap(), &header_map(lines), body.as_bytes(), RECEIVED)
}

/// A reading of a known limit.
pub(crate) fn reading(
    dimension: Dimension,
    window: Option<Nanos>,
    limit: u64,
    remaining: u64,
    reset_millis: u64,
) -> Reading {
    Reading {
        window,
        limit: Some(limit),
        remaining: Some(remaining),
        reset: Some(Nanos::from_millis(reset_millis)),
        ..Reading::of(dimension)
    }
}
