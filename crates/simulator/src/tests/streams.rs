//! Streams carry the face's events, the usage where it belongs, at the pace of the model.

use super::*;

async fn stream(path: &str, body: Value) -> Answer {
    let mut body = body;
    body["stream"] = json!(true);
    let answer = Client::new(&simulator(config())).await.post(path, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("content-type").starts_with("text/event-stream"));
    answer
}

/// The text of all events, put together from what `pointer` points to.
fn text(events: &[Value], pointer: &str) -> String {
    events.iter().filter_map(|event| event.pointer(pointer)?.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_chat_stream_ends_with_its_usage_where_it_was_asked_for() {
    let mut body = message(10, 5);
    let plain = stream(CHAT, body.clone()).await;
    assert!(plain.events().iter().all(|event| event.get("usage").is_none()));
    assert!(plain.text().ends_with("data: [DONE]\n\n"));
    assert_eq!(text(&plain.events(), "/choices/0/delta/content").split(' ').count(), 5);

    body["stream_options"] = json!({"include_usage": true});
    let events = stream(CHAT, body).await.events();
    let (last, others) = events.split_last().unwrap();
    assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json!([]), &json!(15)));
    assert!(others.iter().all(|event| event["usage"].is_null()));
    assert_eq!(others.last().unwrap()["choices"][0]["finish_reason"], "length");
}

#[tokio::test(start_paused = true)]
async fn a_streamed_text_is_the_one_of_the_whole_answer() {
    let mut client = Client::new(&simulator(config())).await;
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": false});
    let whole = client.post(CHAT, &body).await.json();
    assert!(whole["choices"][0]["message"]["content"].as_str().unwrap().ends_with('.'));
    let body = json!({"model": "m", "prompt": "hi", "max_tokens": 9, "stream": true});
    let streamed = client.post("/v1/completions", &body).await;
    assert_eq!(text(&streamed.events(), "/choices/0/text").split(' ').count(), 9);
    assert!(streamed.text().ends_with("data: [DONE]\n\n"));
}

#[tokio::test(start_paused = true)]
async fn a_responses_stream_numbers_its_events_and_ends_with_the_response() {
    let answer = stream("/v1/responses", json!({"model": "m", "input": "hi", "max_output_tokens": 4})).await;
    let events = answer.events();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds[..4],
        ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"]
    );
    assert_eq!(kinds.iter().filter(|kind| **kind == "response.output_text.delta").count(), 4);
    assert_eq!(kinds.last(), Some(&"response.incomplete"));
    assert_eq!(events.last().unwrap()["response"]["usage"]["output_tokens"], 4);
    assert!(answer.text().starts_with("event: response.created\ndata: {"));
    assert!(!answer.text().contains("[DONE]"));
}

#[tokio::test(start_paused = true)]
async fn an_anthropic_stream_tells_input_first_and_output_last() {
    let answer = stream(MESSAGES, message(10, 5)).await;
    let events = answer.events();
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[..3], ["message_start", "content_block_start", "ping"]);
    assert_eq!(kinds[8..], ["content_block_stop", "message_delta", "message_stop"]);
    assert_eq!(events[0]["message"]["usage"]["input_tokens"], 10);
    assert_eq!(events[9]["usage"]["output_tokens"], 5);
    assert_eq!(events[9]["delta"]["stop_reason"], "max_tokens");
    assert!(answer.text().starts_with("event: message_start\ndata: {"));
}

#[tokio::test(start_paused = true)]
async fn an_openrouter_stream_starts_with_a_comment_and_ends_with_usage_unasked() {
    let answer = stream(OPENROUTER_CHAT, message(10, 5)).await;
    assert!(answer.text().starts_with(": OPENROUTER PROCESSING\n\n"));
    let events = answer.events();
    let last = events.last().unwrap();
    assert_eq!((&last["usage"]["total_tokens"], &last["choices"][0]["finish_reason"]), (&json!(15), &json!("length")));
}

#[tokio::test(start_paused = true)]
async fn tokens_come_at_the_pace_of_the_model() {
    let config = config().with_latency(Duration::from_millis(500)).with_output_tokens(20, 20);
    let simulator = simulator(config.with_latency_per_output_token(Duration::from_millis(10)));
    let mut client = Client::new(&simulator).await;
    for stream in [true, false] {
        let start = simulator.account.clock.now();
        let body = json!({"model": "m", "messages": [{"content": "hi"}], "stream": stream});
        assert_eq!(client.post(CHAT, &body).await.status, 200);
        assert_eq!(simulator.account.clock.now() - start, Duration::from_millis(700), "stream: {stream}");
    }
    assert_eq!(simulator.statistics().output_tokens, 40);
}
