//! Refusals in the words of many providers, as their documentation and their users quote them: what kind each is, and how
//! long it asks to wait. They stand in `refusals.jsonl`, one a line.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use limiter_core::Nanos;
use providers::{OpenAiCompatible, Provider, Registry, UnixTime};
use serde_json::Value;

#[test]
fn every_refusal_is_told_apart_by_its_words() {
    let registry = Registry::standard();
    let any = OpenAiCompatible::new();
    let mut count = 0;
    for line in include_str!("refusals.jsonl").lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap();
        let known = registry.by_name(text("provider"));
        let provider: &dyn Provider = known.as_deref().unwrap_or(&any);
        let mut headers = HeaderMap::new();
        for (name, value) in row["headers"].as_object().into_iter().flatten() {
            let value = HeaderValue::try_from(value.as_str().unwrap()).unwrap();
            headers.append(HeaderName::try_from(name.as_str()).unwrap(), value);
        }
        let status = StatusCode::from_u16(row["status"].as_u64().unwrap().try_into().unwrap()).unwrap();
        let body = row["body"].as_str().map_or_else(|| row["body"].to_string(), str::to_owned);
        let failure = provider.classify(status, &headers, body.as_bytes(), UnixTime::from_secs(1_800_000_000));
        assert_eq!(failure.kind.name(), text("kind"), "{line}");
        if let Some(millis) = row["wait_millis"].as_u64() {
            assert_eq!(failure.retry_after, Some(Nanos::from_millis(millis)), "{line}");
        }
        count += 1;
    }
    assert!(count > 90, "{count}");
}
