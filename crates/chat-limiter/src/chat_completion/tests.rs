//! Answers in every form, and the simulated provider's.

use serde_json::json;
use simulator::{Config, Faults, Simulator};

use super::*;
use crate::test_support::{client_of, simulated};

#[track_caller]
fn check(answer: Value, expected: &[(&str, Option<&str>)]) {
    let choices = read::choices(&answer);
    let found: Vec<_> =
        choices.iter().map(|choice| (choice.content.as_str(), choice.finish_reason.as_deref())).collect();
    assert_eq!(found, expected, "{answer}");
    assert!(choices.iter().enumerate().all(|(index, choice)| choice.index == index));
}

#[test]
fn the_text_is_found_in_the_answer_of_every_form() {
    let stop = Some("stop");
    check(
        json!({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}, {"message": {"content": "b"}}]}),
        &[("a", stop), ("b", None)],
    );
    check(json!({"choices": [{"message": {"content": [{"type": "text", "text": "a"}]}}]}), &[("a", None)]);
    check(json!({"choices": [{"text": "a", "finish_reason": "stop"}]}), &[("a", stop)]);
    check(
        json!({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"},
            {"type": "text", "text": "b"}], "stop_reason": "end_turn"}),
        &[("ab", Some("end_turn"))],
    );
    check(
        json!({"status": "completed", "output": [{"type": "reasoning", "summary": []},
            {"type": "message", "content": [{"type": "output_text", "text": "a"}]}]}),
        &[("a", Some("completed"))],
    );
    check(
        json!({"candidates": [{"finishReason": "STOP",
            "content": {"parts": [{"thought": true, "text": "hm"}, {"text": "a"}, {"text": "b"}]}}]}),
        &[("ab", Some("STOP"))],
    );
    check(
        json!({"output": {"message": {"content": [{"text": "a"}]}}, "stopReason": "end_turn"}),
        &[("a", Some("end_turn"))],
    );
    check(
        json!({"message": {"content": [{"type": "text", "text": "a"}]}, "finish_reason": "COMPLETE"}),
        &[("a", Some("COMPLETE"))],
    );
    check(json!({"message": {"content": "a"}, "done_reason": "stop"}), &[("a", stop)]);
}

#[test]
fn what_is_no_answer_has_no_choices_and_a_call_of_a_tool_has_no_text() {
    for answer in [json!(null), json!([]), json!({}), json!({"message": "no"}), json!({"choices": 3}), json!("text")] {
        check(answer, &[]);
    }
    check(json!({"choices": [null, {"message": {"content": null, "tool_calls": [{}]}}]}), &[("", None), ("", None)]);
}

#[tokio::test(start_paused = true)]
async fn one_question_gets_one_text_from_every_provider() {
    let simulator = Simulator::new(Config::default()).unwrap();
    for (provider, model) in
        [("openai", "gpt-4o-mini"), ("anthropic", "claude-haiku-4-5"), ("openrouter", "openai/gpt-4o")]
    {
        let limiter = client_of(&simulator, provider).build().unwrap();
        assert!(!limiter.simple_chat(model, "What is a bucket?").await.unwrap().is_empty(), "{provider}");
        let request = ChatRequest::new(model, vec![Message::system("Be brief."), Message::user("Hi")]);
        let response = limiter.chat_completion(&request).await.unwrap();
        assert!(response.usage.unwrap().output > 0 && response.id.is_some());
        assert_eq!(response.model.as_deref(), Some(model));
        assert!(!response.text().is_empty() && response.choices[0].finish_reason.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_an_error_and_not_an_empty_text() {
    let (_, limiter) = simulated(Config::default().with_api_key("another"));
    let error = limiter.simple_chat("gpt-4o-mini", "Hi").await.unwrap_err();
    assert_eq!(error.status(), Some(http::StatusCode::UNAUTHORIZED));
    let faults = Faults { server_error_rate: 1.0, ..Faults::default() };
    let simulator = Simulator::new(Config::default().with_faults(faults)).unwrap();
    let policy = crate::RetryPolicy { max_failures: 2, ..crate::RetryPolicy::default() };
    let limiter = client_of(&simulator, "openai").retry(policy).build().unwrap();
    let request = ChatRequest::new("gpt-4o-mini", vec![Message::user("Hi")]);
    assert!(limiter.chat_completion(&request).await.unwrap_err().status().unwrap().is_server_error());
}
