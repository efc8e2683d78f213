//! No provider panics on anything that a server can send.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;
use providers::{Provider, Registry, StreamUsage, UnixTime, join_url};
use serde_json::Value;

fn every_provider() -> Vec<Arc<dyn Provider>> {
    let registry = Registry::standard();
    registry.names().filter_map(|name| registry.by_name(name).ok()).collect()
}

fn header_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "(x-ratelimit|ratelimit|anthropic-ratelimit)-(limit|remaining|reset|renewalperiod)(-(requests|tokens|day|images))?",
        "anthropic-ratelimit-(requests|tokens|input-tokens|output-tokens)-(limit|remaining|reset)",
        "date|retry-after|retry-after-ms|x-should-retry",
        "x-ratelimit-[a-z-]{0,12}",
    ]
}

fn header_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[0-9]{1,25}(\\.[0-9]{0,12})?(ms|s|m|h)?".prop_map(String::into_bytes),
        "[0-9:TZ.smh-]{0,30}".prop_map(String::into_bytes),
        "Sun, [0-9]{2} Nov [0-9]{4} 25:04:50 GMT".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(Limit|Used|Requested|try again in|sk-|>|per day| |[0-9]{1,22}|s|,|é){0,8}".prop_map(Value::from),
        "rate_limit_error|tokens|429|error|insufficient_quota".prop_map(Value::from),
    ];
    let names = "error|message|code|type|status|detail|metadata|headers|raw|usage|choices|response|prompt_tokens|input_tokens|\
                 cache_read_input_tokens|finish_reason|x-ratelimit-limit|messages|input|model|max_tokens";
    let value = leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    value.prop_map(|value| value.to_string())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![json_text().prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..200)]
}

fn read_everything(status: u16, headers: &HeaderMap, body: &[u8], received: UnixTime) {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    for provider in every_provider() {
        let observation = provider.observe(status, headers, received);
        assert!(status.is_client_error() || status.is_server_error() || observation.retry_after.is_none());
        let failure = provider.classify(status, headers, body, received);
        assert!(failure.message.len() <= providers::Failure::MESSAGE_LIMIT);
        assert!(failure.is_retryable() || failure.retry_after.is_none());
        let _ = provider.usage(body);
        let _ = provider.failure_in_success(body);
        if let Ok(value) = serde_json::from_slice::<Value>(body) {
            let _ = provider.cost(provider.endpoint_of(&value), &value);
        }
    }
    let mut stream = StreamUsage::new();
    let lines = [b"data: ", body, b"\n\n"].concat();
    for chunk in lines.chunks(7) {
        assert!(stream.push(chunk).is_ok());
    }
    assert!(stream.finish().is_ok());
    let _ = stream.usage();
}

proptest! {
    #[test]
    fn no_response_makes_a_provider_panic(
        status in 100_u16..1000,
        lines in prop::collection::vec((header_name(), header_value()), 0..16),
        body in body(),
        received in any::<u64>(),
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(&value)) {
                headers.append(name, value);
            }
        }
        read_everything(status, &headers, &body, UnixTime::from_nanos(received));
    }

    #[test]
    fn no_model_name_makes_a_provider_panic(model in "(ft:|gpt-|claude-opus-4|-|/|:free|[0-9]{1,9}|é|.){0,6}") {
        let registry = Registry::standard();
        let _ = registry.detect_from_model(&model);
        let _ = registry.detect_from_url(&model);
        for provider in every_provider() {
            let group = provider.model_group(&model);
            let again = provider.model_group(&group).into_owned();
            prop_assert!(again.len() <= group.len());
        }
    }

    #[test]
    fn no_address_leads_to_another_host(path in "(https?://|//|/|\\\\|@|:|\\?|#|evil\\.example|h|v1|%2f|é| |\\.){0,10}") {
        if let Ok(url) = join_url("https://h/v1", &path) {
            prop_assert_eq!(url.host(), Some("h"));
            prop_assert_eq!(url.scheme_str(), Some("https"));
        }
    }
}
