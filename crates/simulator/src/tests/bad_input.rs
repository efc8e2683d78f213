//! Bad input gets the face's own error, and costs nothing.

use super::*;

const OPENAI: [&str; 2] = ["error", "message"];

async fn check(request: Request<Full<Bytes>>, status: u16, path: &[&str], expected: &str) {
    let simulator = simulator(config().with_api_key("sk-right"));
    let answer = Client::new(&simulator).await.send(request).await.unwrap();
    let json = answer.json();
    let found = path.iter().fold(&json, |value, name| &value[*name]);
    let found = found.as_str().unwrap_or_else(|| panic!("no {path:?} in {json}"));
    assert_eq!((answer.status.as_u16(), found.contains(expected)), (status, true), "{json}");
    let statistics = simulator.statistics();
    assert_eq!((statistics.refused_other, statistics.charged.requests), (1, 0));
}

fn with_key(method: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let mut request = request(method, path, body);
    let headers = request.headers_mut();
    headers.insert("authorization", "Bearer sk-right".parse().unwrap());
    headers.insert("x-api-key", "sk-right".parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn a_missing_or_wrong_key_is_refused_and_never_repeated() {
    check(request("POST", CHAT, "{}"), 401, &OPENAI, "You didn't provide an API key.").await;
    check(request("POST", MESSAGES, "{}"), 401, &OPENAI, "x-api-key header is required").await;
    check(request("POST", OPENROUTER_CHAT, "{}"), 401, &OPENAI, "Missing Authentication header").await;
    let wrong = |path| {
        let mut request = request("POST", path, "{}");
        request.headers_mut().insert("authorization", "Bearer sk-wrong".parse().unwrap());
        request
    };
    check(wrong(CHAT), 401, &["error", "code"], "invalid_api_key").await;
    check(wrong(CHAT), 401, &OPENAI, "provided: ********.").await;
    check(wrong(MESSAGES), 401, &OPENAI, "invalid x-api-key").await;
    check(wrong(OPENROUTER_CHAT), 401, &OPENAI, "User not found.").await;
}

#[tokio::test(start_paused = true)]
async fn the_right_key_is_let_in() {
    let mut client = Client::new(&simulator(config().with_api_key("sk-right"))).await;
    for path in [CHAT, MESSAGES, OPENROUTER_CHAT] {
        let answer = client.send(with_key("POST", path, chat(10).to_string())).await.unwrap();
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_paths_and_methods_are_named() {
    check(with_key("POST", "/v1/nothing", ""), 404, &OPENAI, "Invalid URL (POST /v1/nothing)").await;
    check(with_key("GET", "/v1/messages/nothing", ""), 404, &["error", "type"], "not_found_error").await;
    check(with_key("GET", "/api/v1/nothing", ""), 404, &OPENAI, "Not Found").await;
    check(with_key("GET", CHAT, ""), 405, &OPENAI, "Not allowed to GET on /v1/chat/completions.").await;
    check(with_key("PUT", MESSAGES, ""), 405, &OPENAI, "Method Not Allowed").await;
    check(with_key("POST", "/api/v1/key", ""), 405, &OPENAI, "Method Not Allowed").await;
}

#[tokio::test(start_paused = true)]
async fn malformed_bodies_are_explained() {
    let deep = "[".repeat(100_000);
    for body in ["", "{", "\u{0}", "{\"model\": \"m\",}", deep.as_str()] {
        let request = |path| with_key("POST", path, body.to_owned());
        check(request(CHAT), 400, &OPENAI, "We could not parse the JSON body").await;
        check(request(MESSAGES), 400, &["error", "type"], "invalid_request_error").await;
        check(request(OPENROUTER_CHAT), 400, &OPENAI, "Invalid JSON").await;
    }
    let request = |path, body: Value| with_key("POST", path, body.to_string());
    check(request(CHAT, json!(null)), 400, &OPENAI, "you must provide a model parameter").await;
    check(request(CHAT, json!({"model": "m"})), 400, &["error", "param"], "messages").await;
    check(request(CHAT, json!({"model": 5})), 400, &["error", "code"], "invalid_type").await;
    check(request("/v1/responses", json!({"model": "m"})), 400, &OPENAI, "Missing required parameter: 'input'.").await;
    check(request(MESSAGES, json!({"model": "m"})), 400, &OPENAI, "messages: Field required").await;
    check(request(MESSAGES, json!({"model": "m", "messages": [{}]})), 400, &OPENAI, "max_tokens: Field required").await;
    check(request(OPENROUTER_CHAT, json!({})), 400, &OPENAI, "No models provided").await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_is_not_read_to_its_end() {
    let body = Bytes::from(vec![b' '; 32 * 1024 * 1024 + 1]);
    check(with_key("POST", MESSAGES, body.clone()), 413, &["error", "type"], "request_too_large").await;
    check(with_key("POST", CHAT, body), 413, &["error", "code"], "request_too_large").await;
}

#[tokio::test(start_paused = true)]
async fn absurd_numbers_are_charged_without_overflow() {
    let mut client = Client::new(&simulator(config().with_charge(crate::Charge::PromptPlusMaxTokens))).await;
    let mut body = message(10, u64::MAX);
    body["n"] = json!(128);
    let refused = client.post(CHAT, &body).await;
    assert!(refused.text().contains("Request too large"), "{}", refused.text());
}
