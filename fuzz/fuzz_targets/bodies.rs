//! Bodies of any bytes: the first byte the provider, the next two the status.
#![no_main]

use http::{HeaderMap, StatusCode};
use libfuzzer_sys::fuzz_target;
use providers::{Failure, Registry, UnixTime};

fuzz_target!(|bytes: &[u8]| {
    let [which, first, second, body @ ..] = bytes else { return };
    let registry = Registry::standard();
    let names: Vec<&str> = registry.names().collect();
    let Ok(provider) = registry.by_name(names[usize::from(*which) % names.len()]) else { return };
    let Ok(status) = StatusCode::from_u16(100 + u16::from_be_bytes([*first, *second]) % 900) else { return };
    let failure = provider.classify(status, &HeaderMap::new(), body, UnixTime::from_secs(1_800_000_000));
    assert!(failure.message.len() <= Failure::MESSAGE_LIMIT);
    assert!(failure.is_retryable() || failure.retry_after.is_none());
    let _ = failure.excess();
    let _ = provider.failure_in_success(body);
    if let Some(usage) = provider.usage(body) {
        assert!(usage.cost.is_none_or(|cost| !cost.is_nan()));
    }
});
