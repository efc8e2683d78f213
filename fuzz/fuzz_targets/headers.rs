//! Limit headers of any name and value: lines of `name: value`, the first byte the provider, the next two the status.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use libfuzzer_sys::fuzz_target;
use providers::{Registry, UnixTime};

fuzz_target!(|bytes: &[u8]| {
    let [which, first, second, lines @ ..] = bytes else { return };
    let registry = Registry::standard();
    let names: Vec<&str> = registry.names().collect();
    let Ok(provider) = registry.by_name(names[usize::from(*which) % names.len()]) else { return };
    let Ok(status) = StatusCode::from_u16(100 + u16::from_be_bytes([*first, *second]) % 900) else { return };
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(100) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]));
        if let (Ok(name), Ok(value)) = (name, value) {
            if let Ok(text) = value.to_str() {
                let _ = provider.explain_header(name.as_str(), text);
            }
            headers.append(name, value);
        }
    }
    let received = UnixTime::from_secs(1_800_000_000);
    let observation = provider.observe(status, &headers, received);
    for reading in observation.readings() {
        assert!(reading.says_something());
        if let (Some(limit), Some(remaining)) = (reading.limit, reading.remaining) {
            assert!(remaining <= limit);
        }
        let _ = provider.window_of(reading);
    }
    let _ = provider.classify(status, &headers, b"{}", received);
});
