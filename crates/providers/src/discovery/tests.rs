//! Requests about the account, and answers in every form.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::models::{ModelTable, Price};
use crate::payload::Form;
use crate::{Billing, Usage};

fn bytes(value: Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[test]
fn openrouter_says_what_is_left_of_a_key() {
    let request = openrouter::key_request();
    assert_eq!((request.path.as_str(), request.key), ("/v1/key", KeyKind::Ordinary));
    let body = bytes(json!({"data": {"label": "sk-or-v1-aaa...bbb", "limit": 100, "limit_remaining": 74.5,
        "limit_reset": "monthly", "usage": 25.5, "usage_daily": 0, "is_free_tier": false, "expires_at": null,
        "free_model_daily_requests": {"used": 12, "limit": 50, "remaining": 38},
        "rate_limit": {"requests": -1, "interval": "10s", "note": "out of use"}}}));
    let status = openrouter::parse_key(&body).unwrap();
    assert_eq!((status.limit, status.limit_remaining), (Some(100.0), Some(74.5)));
    assert_eq!((status.usage_daily, status.is_free_tier, status.rate_limit), (Some(0.0), Some(false), None));
    assert_eq!(status.free_requests.map(|free| (free.used, free.limit, free.remaining)), Some((12, 50, 38)));
    let [free] = &status.limits()[..] else { panic!("one scope") };
    assert_eq!(free.scope, ":free");
    let expected = [Limit::per_minute(Dimension::Requests, 20), Limit::per_day(Dimension::Requests, 50)];
    assert_eq!(free.limits, expected);
    assert!(!status.is_exhausted());
}

#[test]
fn an_older_key_of_openrouter_has_a_rate() {
    let body =
        json!({"data": {"limit": 5, "limit_remaining": -0.01, "rate_limit": {"requests": 50, "interval": "10s"}}});
    let status = openrouter::parse_key(&bytes(body)).unwrap();
    assert!(status.is_exhausted());
    let [own] = &status.limits()[..] else { panic!("one scope") };
    assert_eq!(own.limits, [Limit::new(Dimension::Requests, 50, Nanos::from_secs(10))]);
}

#[test]
fn openrouter_says_what_credit_is_left() {
    assert_eq!(openrouter::credits_request().key, KeyKind::Admin);
    let credits = openrouter::parse_credits(&bytes(json!({"data": {"total_credits": 100.5, "total_usage": "25.75"}})));
    assert_eq!(credits.map(|credits| credits.remaining()), Ok(74.75));
    let missing = openrouter::parse_credits(&bytes(json!({"data": {"total_credits": 1}})));
    assert_eq!(missing, Err(DiscoveryError::Missing("total_usage")));
}

#[test]
fn openai_says_the_limits_of_a_project_page_by_page() {
    let request = openai::rate_limits_request("proj/1", Some("rl-a b"));
    assert_eq!(request.path, "/v1/organization/projects/proj%2F1/rate_limits?limit=100&after=rl-a%20b");
    assert_eq!((request.key, request.method), (KeyKind::Admin, Method::GET));
    let body = json!({"object": "list", "has_more": true, "last_id": "rl-2", "data": [
        {"object": "project.rate_limit", "id": "rl-1", "model": "gpt-4o", "max_requests_per_1_minute": 500,
            "max_tokens_per_1_minute": 30_000, "max_requests_per_1_day": 10_000, "batch_1_day_max_input_tokens": 90_000},
        {"id": "rl-2", "model": "o1", "max_requests_per_1_minute": 0, "max_tokens_per_1_minute": 0},
        {"id": "rl-3"}]});
    let page = openai::parse_rate_limits(&bytes(body)).unwrap();
    assert_eq!(page.next.as_deref(), Some("rl-2"));
    let [gpt, o1] = &page.items[..] else { panic!("two models") };
    let expected = [
        Limit::per_minute(Dimension::Requests, 500),
        Limit::per_minute(Dimension::Tokens, 30_000),
        Limit::per_day(Dimension::Requests, 10_000),
    ];
    assert_eq!((&gpt.limits[..], &gpt.models[..]), (&expected[..], &["gpt-4o".to_owned()][..]));
    assert_eq!(gpt.other, [("batch_1_day_max_input_tokens".to_owned(), 90_000)]);
    assert_eq!((o1.limits.len(), &o1.without_quota[..]), (0, &[Dimension::Requests, Dimension::Tokens][..]));
}

#[test]
fn the_last_page_has_no_next() {
    let body = json!({"data": [{"id": "proj_1", "status": "active"}, {"id": "proj_2", "status": "archived"}],
        "has_more": false, "last_id": "proj_2"});
    let page = openai::parse_projects(&bytes(body)).unwrap();
    assert_eq!((page.items, page.next), (vec!["proj_1".to_owned()], None));
}

#[test]
fn anthropic_says_the_limits_of_a_group_of_models() {
    let request = anthropic::workspace_rate_limits_request("wrkspc_1", Some("p 2"));
    assert_eq!(request.path, "/v1/organizations/workspaces/wrkspc_1/rate_limits?page=p%202");
    assert_eq!(request.headers["anthropic-version"], "2023-06-01");
    let body = json!({"next_page": null, "data": [
        {"type": "rate_limit", "group_type": "model_group", "models": ["claude-opus-4-6", "claude-opus-4-5"], "limits": [
            {"type": "requests_per_minute", "value": 4_000}, {"type": "input_tokens_per_minute_cache_aware", "value": 2_000_000},
            {"type": "output_tokens_per_minute", "value": 400_000}, {"type": "fast_otpm", "value": 7},
            {"type": "tokens_per_day", "value": null}]},
        {"type": "rate_limit", "group": {"type": "batch"}, "models": null, "limits": [
            {"type": "enqueued_batch_requests", "value": 500_000}]}]});
    let page = anthropic::parse_rate_limits(&bytes(body)).unwrap();
    let [opus, batch] = &page.items[..] else { panic!("two groups") };
    assert_eq!((opus.scope.as_str(), opus.models.len(), page.next), ("claude-opus-4-6", 2, None));
    let expected = [
        Limit::per_minute(Dimension::Requests, 4_000),
        Limit::per_minute(Dimension::InputTokens, 2_000_000),
        Limit::per_minute(Dimension::OutputTokens, 400_000),
    ];
    assert_eq!((&opus.limits[..], &opus.other[..]), (&expected[..], &[("fast_otpm".to_owned(), 7)][..]));
    assert_eq!((batch.scope.as_str(), batch.limits.len(), batch.other.len()), ("batch", 0, 1));
}

#[test]
fn of_two_limits_on_the_same_the_smaller_counts() {
    let mut limits = ScopeLimits::default();
    for amount in [500, 300, 400] {
        limits.add(Dimension::InputTokens, Nanos::MINUTE, amount);
    }
    assert_eq!(limits.limits, [Limit::per_minute(Dimension::InputTokens, 300)]);
}

#[test]
fn models_are_asked_for_where_each_provider_has_them() {
    let path = |provider, page| model_list(provider, page).map(|request| request.path);
    assert_eq!(path("openai", None).as_deref(), Some("/v1/models"));
    assert_eq!(path("anthropic", Some("claude-x")).as_deref(), Some("/v1/models?limit=1000&after_id=claude-x"));
    let native = |form, page| native_model_list(form, page).map(|request| request.path);
    assert_eq!(native(Form::Gemini, Some("a/b=")).as_deref(), Some("/models?pageSize=1000&pageToken=a%2Fb%3D"));
    assert_eq!(native(Form::Ollama, None).as_deref(), Some("/api/tags"));
    assert_eq!(native(Form::Anthropic, None), None);
    assert_eq!(path("perplexity", None), None);
    assert_eq!(model_list("openrouter", None).unwrap().key, KeyKind::None);
}

#[test]
fn models_are_read_in_the_form_of_every_provider() {
    let check = |provider: &str, body: Value, expected: (&str, Option<u64>, Option<u64>)| {
        let page = parse_model_list(provider, &bytes(body)).unwrap();
        let [facts] = &page.items[..] else { panic!("{provider}: one model") };
        assert_eq!((facts.name.as_str(), facts.context, facts.max_output), expected, "{provider}");
    };
    check("openai", json!({"data": [{"id": "gpt-4o", "object": "model", "owned_by": "x"}]}), ("gpt-4o", None, None));
    let claude = json!({"data": [{"id": "claude-x", "display_name": "X", "max_input_tokens": 200_000, "max_tokens": 64_000}],
        "has_more": false});
    check("anthropic", claude, ("claude-x", Some(200_000), Some(64_000)));
    let router =
        json!({"data": [{"id": "a/b", "context_length": 1_000, "top_provider": {"max_completion_tokens": 100}}]});
    check("openrouter", router, ("a/b", Some(1_000), Some(100)));
    let gemini = json!({"models": [{"name": "models/gemini-2.5-pro", "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536}]});
    check("gemini", gemini, ("gemini-2.5-pro", Some(1_048_576), Some(65_536)));
    let groq = json!({"data": [{"id": "l", "active": true, "context_window": 131_072, "max_completion_tokens": 32_768},
        {"id": "gone", "active": false}]});
    check("groq", groq, ("l", Some(131_072), Some(32_768)));
    check("mistral", json!({"data": [{"id": "m", "max_context_length": 32_768}]}), ("m", Some(32_768), None));
    check(
        "cohere",
        json!({"models": [{"name": "command-a", "context_length": 256_000}]}),
        ("command-a", Some(256_000), None),
    );
    check("together", json!([{"id": "t", "context_length": 8_192}]), ("t", Some(8_192), None));
    check("ollama", json!({"models": [{"name": "llama3:8b", "model": "llama3:8b"}]}), ("llama3:8b", None, None));
    check("vllm", json!({"data": [{"id": "v", "max_model_len": 4_096}]}), ("v", Some(4_096), None));
    check("bedrock", json!({"modelSummaries": [{"modelId": "amazon.nova"}]}), ("amazon.nova", None, None));
}

#[test]
fn prices_are_brought_to_dollars_per_million() {
    let check = |entry: Value, expected: Option<(f64, f64, Option<f64>)>| {
        let page = parse_model_list("p", &bytes(json!([entry]))).unwrap();
        let price = page.items[0].price.map(|price: Price| (price.input, price.output, price.cached_input));
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let is_equal = match (price, expected) {
            (Some(a), Some(b)) => {
                near(a.0, b.0)
                    && near(a.1, b.1)
                    && a.2.zip(b.2).is_none_or(|(a, b)| near(a, b))
                    && a.2.is_some() == b.2.is_some()
            }
            (a, b) => a.is_none() && b.is_none(),
        };
        assert!(is_equal, "{price:?} {expected:?}");
    };
    check(
        json!({"id": "a", "pricing": {"prompt": "0.0000025", "completion": "0.00001", "input_cache_read": "0.00000125"}}),
        Some((2.5, 10.0, Some(1.25))),
    );
    check(json!({"id": "a", "pricing": {"prompt": "0", "completion": "0"}}), Some((0.0, 0.0, None)));
    check(json!({"id": "a", "pricing": {"prompt": "-1", "completion": "-1"}}), None);
    check(json!({"id": "a", "pricing": {"hourly": 0, "input": 0.88, "output": 0.9}}), Some((0.88, 0.9, None)));
    let grok = json!({"id": "a", "prompt_text_token_price": 20_000, "completion_text_token_price": 100_000, "cached_prompt_text_token_price": 5_000});
    check(grok, Some((2.0, 10.0, Some(0.5))));
    check(json!({"id": "a"}), None);
}

#[test]
fn a_list_of_models_lies_over_the_facts_of_this_crate() {
    let mut table = ModelTable::standard().clone();
    let body = json!({"data": [{"id": "new/model", "pricing": {"prompt": "0.000001", "completion": "0.000002"}}]});
    for facts in parse_model_list("openrouter", &bytes(body)).unwrap().items {
        table.insert(facts).unwrap();
    }
    let usage = Usage { input: 1_000_000, ..Usage::default() };
    let cost = table.cost("openrouter", "new/model", &usage, Billing::Standard).unwrap();
    assert!((cost - 1.0).abs() < 1e-9);
}

#[test]
fn an_answer_of_another_shape_is_an_error_and_no_empty_list() {
    let error = bytes(json!({"error": {"message": "no"}}));
    assert_eq!(openrouter::parse_key(&error), Err(DiscoveryError::Missing("data")));
    assert_eq!(openai::parse_rate_limits(&error), Err(DiscoveryError::Missing("data")));
    assert_eq!(anthropic::parse_rate_limits(&error), Err(DiscoveryError::Missing("data")));
    assert_eq!(parse_model_list("openai", &error), Err(DiscoveryError::Missing("data")));
    assert_eq!(openrouter::parse_key(b"<html>"), Err(DiscoveryError::NotJson));
}

proptest! {
    #[test]
    fn no_answer_makes_a_reader_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (openrouter::parse_key(&body), openrouter::parse_credits(&body), openai::parse_projects(&body));
        let _ = (openai::parse_rate_limits(&body), anthropic::parse_rate_limits(&body), parse_model_list("x", &body));
    }

    #[test]
    fn no_number_makes_a_reader_panic(number in prop_oneof![any::<f64>().prop_map(|f| json!(f)), any::<i64>().prop_map(|i| json!(i)),
        any::<u64>().prop_map(|u| json!(u)), "[0-9e.+-]{0,25}".prop_map(|text| json!(text)), Just(json!(null)), Just(json!([]))]) {
        let key = json!({"data": {"limit": number, "limit_remaining": number, "rate_limit": {"requests": number, "interval": number},
            "free_model_daily_requests": {"limit": number, "used": number}}});
        let _ = openrouter::parse_key(&bytes(key)).unwrap().limits();
        let limits = json!({"data": [{"model": "m", "max_requests_per_1_minute": number, "max_tokens_per_1_minute": number}]});
        let _ = openai::parse_rate_limits(&bytes(limits)).unwrap();
        let models = json!([{"id": "m", "context_length": number, "pricing": {"prompt": number, "completion": number}}]);
        for facts in parse_model_list("p", &bytes(models)).unwrap().items {
            prop_assert!(ModelTable::empty().insert(facts).is_ok());
        }
    }
}
