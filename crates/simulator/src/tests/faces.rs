//! Every face answers as its provider does.

use tokio::time::advance;

use super::*;
use crate::Charge;

#[tokio::test(start_paused = true)]
async fn openai_tells_what_remains_and_when_it_is_full() {
    let config = config().with_tokens_per_minute(250_000).with_charge(Charge::PromptOnly);
    let mut client = Client::new(&simulator(config.with_latency(Duration::from_millis(548)))).await;
    let answer = client.post(CHAT, &chat(13)).await;
    for (name, expected) in [
        ("x-ratelimit-limit-requests", "3000"),
        ("x-ratelimit-remaining-requests", "2999"),
        ("x-ratelimit-reset-requests", "20ms"),
        ("x-ratelimit-limit-tokens", "250000"),
        ("x-ratelimit-remaining-tokens", "249987"),
        ("x-ratelimit-reset-tokens", "3ms"),
        ("openai-processing-ms", "548"),
        ("openai-version", "2020-10-01"),
        ("content-type", "application/json"),
        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ] {
        assert_eq!(answer.header(name), expected, "{name}");
    }
    assert!(answer.header("x-request-id").starts_with("req_"));
}

#[tokio::test(start_paused = true)]
async fn a_chat_reports_the_usage_it_was_charged() {
    let simulator = simulator(config());
    let mut client = Client::new(&simulator).await;
    let answer = client.post(CHAT, &message(40, 7)).await.json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], "gpt-4o");
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["choices"][0]["message"]["content"].as_str().unwrap().split(' ').count(), 7);
    let usage = &answer["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(40), &json!(7)));
    assert_eq!(usage["total_tokens"], 47);
    let statistics = simulator.statistics();
    assert_eq!((statistics.input_tokens, statistics.output_tokens), (40, 7));
}

#[tokio::test(start_paused = true)]
async fn several_choices_are_several_answers() {
    let mut client = Client::new(&simulator(config())).await;
    let mut body = message(10, 20);
    body["n"] = json!(3);
    let answer = client.post(CHAT, &body).await.json();
    assert_eq!(answer["choices"].as_array().unwrap().len(), 3);
    assert_ne!(answer["choices"][0]["message"], answer["choices"][1]["message"]);
    assert!(answer["usage"]["completion_tokens"].as_u64().unwrap() > 40);
}

#[tokio::test(start_paused = true)]
async fn the_same_request_gets_the_same_answer_under_the_same_seed() {
    async fn content(seed: u64) -> Value {
        let mut client = Client::new(&simulator(config().with_seed(seed))).await;
        client.post(CHAT, &message(10, 200)).await.json()["choices"].take()
    }
    assert_eq!(content(1).await, content(1).await);
    assert_ne!(content(1).await, content(2).await);
}

#[tokio::test(start_paused = true)]
async fn openai_speaks_responses_completions_embeddings_and_models() {
    let mut client = Client::new(&simulator(config())).await;
    let asked = json!({"model": "gpt-5", "input": "1234", "max_output_tokens": 5});
    let response = client.post("/v1/responses", &asked).await.json();
    assert_eq!((&response["object"], &response["status"]), (&json!("response"), &json!("incomplete")));
    assert_eq!(response["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!((&response["usage"]["input_tokens"], &response["usage"]["output_tokens"]), (&json!(3), &json!(5)));
    assert_eq!(response["output"][0]["content"][0]["type"], "output_text");

    let completion = client.post("/v1/completions", &json!({"model": "m", "prompt": "1234", "max_tokens": 5})).await;
    assert_eq!(completion.json()["choices"][0]["finish_reason"], "length");

    let embedding = json!({"model": "m", "input": ["1234", "12345"], "dimensions": 4});
    let embedding = client.post("/v1/embeddings", &embedding).await.json();
    assert_eq!(embedding["data"][1]["embedding"].as_array().unwrap().len(), 4);
    assert_eq!(embedding["usage"], json!({"prompt_tokens": 3, "total_tokens": 3}));
    let encoded = json!({"model": "m", "input": [1, 2, 3], "dimensions": 3, "encoding_format": "base64"});
    let encoded = client.post("/v1/embeddings", &encoded).await.json();
    assert_eq!(encoded["data"][0]["embedding"].as_str().unwrap().len(), 16);

    assert_eq!(client.get("/v1/models").await.json()["object"], "list");
}

#[tokio::test(start_paused = true)]
async fn anthropic_meters_input_and_output_apart() {
    let mut client = Client::new(&simulator(config().with_charge(Charge::PromptPlusMaxTokens))).await;
    advance(Duration::from_millis(300)).await;
    let answer = client.post(MESSAGES, &message(13_400, 1_024)).await;
    for (name, expected) in [
        ("anthropic-ratelimit-requests-limit", "3000"),
        ("anthropic-ratelimit-requests-remaining", "2999"),
        ("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:00Z"),
        ("anthropic-ratelimit-input-tokens-limit", "800000"),
        ("anthropic-ratelimit-input-tokens-remaining", "787000"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-01-01T00:00:01Z"),
        ("anthropic-ratelimit-output-tokens-limit", "200000"),
        ("anthropic-ratelimit-output-tokens-remaining", "199000"),
        ("anthropic-ratelimit-tokens-limit", "1000000"),
        ("anthropic-ratelimit-tokens-remaining", "986000"),
        ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:01Z"),
    ] {
        assert_eq!(answer.header(name), expected, "{name}");
    }
    assert!(answer.header("request-id").starts_with("req_"));
    assert!(!answer.has("retry-after") && !answer.has("x-should-retry"));
    let answer = answer.json();
    assert_eq!((&answer["type"], &answer["role"]), (&json!("message"), &json!("assistant")));
    assert_eq!(answer["usage"]["input_tokens"], 13_400);
    assert_eq!(answer["stop_reason"], "end_turn");
}

#[tokio::test(start_paused = true)]
async fn an_anthropic_refusal_names_the_limit_and_the_seconds_to_wait() {
    let mut client = Client::new(&simulator(config().with_input_tokens_per_minute(40_000))).await;
    client.post(MESSAGES, &message(40_000, 10)).await;
    let refused = client.post(MESSAGES, &message(10_001, 10)).await;
    assert_eq!((refused.header("retry-after"), refused.header("x-should-retry")), ("16", "true"));
    assert_eq!(refused.header("anthropic-ratelimit-input-tokens-remaining"), "0");
    let body = refused.json();
    assert_eq!(body["error"]["type"], "rate_limit_error");
    assert_eq!(body["request_id"], refused.header("request-id"));
    let text = body["error"]["message"].as_str().unwrap();
    assert!(text.contains(" of 40,000 input tokens per minute."), "{text}");
    advance(Duration::from_secs(15)).await;
    assert_eq!(client.post(MESSAGES, &message(10_001, 10)).await.header("retry-after"), "1");
    advance(Duration::from_secs(1)).await;
    assert_eq!(client.post(MESSAGES, &message(10_001, 10)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn counting_tokens_costs_nothing() {
    let simulator = simulator(config());
    let mut client = Client::new(&simulator).await;
    let count = client.post("/v1/messages/count_tokens", &chat(40)).await;
    assert_eq!(count.json(), json!({"input_tokens": 40}));
    assert_eq!(simulator.statistics().charged.requests, 0);
}

#[tokio::test(start_paused = true)]
async fn openrouter_tells_its_limit_on_a_refusal_with_the_time_at_which_to_return() {
    let mut client = Client::new(&simulator(config().with_requests_per_minute(20))).await;
    let mut body = chat(10);
    body["model"] = json!("some/model:free");
    for _ in 0..20 {
        assert_eq!(client.post(OPENROUTER_CHAT, &body).await.status, 200);
    }
    let refused = client.post(OPENROUTER_CHAT, &body).await;
    let reset = ((START + 3) * 1_000).to_string();
    assert_eq!(refused.header("x-ratelimit-reset"), reset);
    let headers = json!({"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset});
    let error = &refused.json()["error"];
    assert_eq!(error["code"], 429);
    assert_eq!(error["message"], "Rate limit exceeded: free-models-per-min. ");
    assert_eq!(error["metadata"], json!({"headers": headers, "provider_name": null}));
    advance(Duration::from_secs(3) - Duration::from_nanos(1)).await;
    assert_eq!(client.post(OPENROUTER_CHAT, &body).await.status, 429);
    advance(Duration::from_nanos(1)).await;
    assert_eq!(client.post(OPENROUTER_CHAT, &body).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn openrouter_passes_a_token_limit_on_as_an_upstream_refusal() {
    let mut client = Client::new(&simulator(config().with_tokens_per_minute(600))).await;
    let answer = client.post(OPENROUTER_CHAT, &chat(600)).await.json();
    assert!(answer["id"].as_str().unwrap().starts_with("gen-"));
    assert!(answer["usage"]["cost"].as_f64().unwrap() > 0.0);
    let refused = client.post(OPENROUTER_CHAT, &chat(15)).await;
    assert_eq!(refused.header("retry-after"), "2");
    assert!(!refused.has("x-ratelimit-limit"));
    assert_eq!(refused.json()["error"]["message"], "Provider returned error");
}

#[tokio::test(start_paused = true)]
async fn openrouter_speaks_embeddings_models_and_key() {
    let mut client = Client::new(&simulator(config())).await;
    let embedding = client.post("/api/v1/embeddings", &json!({"model": "m", "input": "1234", "dimensions": 2})).await;
    assert_eq!(embedding.json()["data"][0]["embedding"].as_array().unwrap().len(), 2);
    assert!(client.get("/api/v1/models").await.json()["data"][0]["pricing"]["prompt"].is_string());
    assert_eq!(client.get("/api/v1/key").await.json()["data"]["rate_limit"]["requests"], -1);
}
