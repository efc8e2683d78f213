//! No provider panics on anything that a server can send.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use limiter_core::Limit;
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
        "date|retry-after|retry-after-ms|x-should-retry|ratelimit|ratelimit-policy|x-amzn-errortype|x-ratelimit-type",
        "x-trial-endpoint-call-(limit|remaining)|x-tokenlimit-(limit|remaining)(-dynamic)?|x-?ratelimitbysize-[a-z-]{0,12}",
        "anthropic-ratelimit-unified-(status|reset)|x-codex-(primary|secondary)-(used-percent|reset-at)",
        "x-ratelimit-[a-z-]{0,12}",
    ]
}

fn header_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[0-9]{1,25}(\\.[0-9]{0,12})?(ms|s|m|h)?".prop_map(String::into_bytes),
        "[0-9:TZ.smh-]{0,30}".prop_map(String::into_bytes),
        "(\"[a-z]{0,3}\"|limit|remaining|reset|;(r|q|w|t|qu|pk)|=|,|[0-9]{1,20}|\"|\\\\|:| ){0,20}"
            .prop_map(String::into_bytes),
        "rejected|100|Tokens|Requests|ThrottlingException:x".prop_map(String::into_bytes),
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
        "type.googleapis.com/google.rpc.(QuotaFailure|RetryInfo|ErrorInfo)|(Generate|Requests|InputTokens|PerDay|PerMinute){0,4}"
            .prop_map(Value::from),
        "Quota exceeded for metric: [a-z_]{0,9}(, limit: [0-9]{0,22})?|(retry in |resets in )?[0-9.]{0,9}(s|ms|h)?".prop_map(Value::from),
    ];
    let names = "error|message|code|type|status|detail|metadata|headers|raw|usage|choices|response|prompt_tokens|input_tokens|\
                 cache_read_input_tokens|finish_reason|details|@type|violations|quotaId|quotaValue|retryDelay|usageMetadata|\
                 promptTokenCount|candidatesTokenCount|thoughtsTokenCount|totalTokenCount|tokens|billed_units|meta|delta|cost|\
                 inputTokens|cacheReadInputTokens|eval_count|retry_after|resets_in_seconds|x-ratelimit-limit|messages|input|model|max_tokens";
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
        for reading in observation.readings() {
            assert!(reading.says_something());
            assert!(reading.limit.zip(reading.remaining).is_none_or(|(limit, remaining)| remaining <= limit));
            assert!(reading.reset.is_none_or(|reset| reset <= Limit::MAX_WINDOW));
            let _ = provider.window_of(reading);
        }
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            let _ = provider.explain_header(name.as_str(), &value);
        }
        let failure = provider.classify(status, headers, body, received);
        assert!(failure.message.len() <= providers::Failure::MESSAGE_LIMIT);
        assert!(failure.is_retryable() || failure.retry_after.is_none());
        assert!(failure.excess().is_none_or(|excess| excess > 0));
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
    fn no_stream_makes_its_follower_panic(
        events in prop::collection::vec((json_text(), "(event: (error|message_start|message-end)\r?\n)?"), 0..6),
        rest in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut bytes = Vec::new();
        for (data, name) in events {
            bytes.extend_from_slice(format!("{name}data: {data}\n\n").as_bytes());
        }
        bytes.extend(rest);
        let follow = |length: usize| {
            let mut stream = StreamUsage::new();
            let ended = bytes.chunks(length.max(1)).try_for_each(|piece| stream.push(piece));
            let ended = ended.and_then(|()| stream.finish());
            (ended.is_ok(), stream.usage(), stream.failure().cloned(), stream.is_complete())
        };
        prop_assert_eq!(follow(bytes.len()), follow(1));
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
