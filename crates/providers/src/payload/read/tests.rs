//! Bodies read, written again, and made ready for another provider.

use serde_json::json;

use super::*;
use crate::payload::fixtures::conversation;
use crate::payload::{ChatDialect, Effort, Form, Reasoning, ToolChoice};

fn written(form: Form, request: &ChatRequest) -> Value {
    form.payload(request, &ChatDialect::COMPATIBLE).unwrap().body
}

#[test]
fn a_chat_completion_is_read_and_written_again() {
    let body = json!({"model": "m", "temperature": 0.0, "max_tokens": 0, "seed": 7, "n": 1, "stop": ["END"],
        "stream": true, "stream_options": {"include_usage": true}, "tool_choice": "required", "reasoning_effort": "low",
        "parallel_tool_calls": false, "logit_bias": {"1": 2}, "response_format": {"type": "json_schema",
            "json_schema": {"name": "r", "schema": {"type": "object"}, "strict": true}},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
            {"type": "web_search"}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "name": "Ann", "content": [{"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": "https://h/a.png", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                {"type": "file", "file": {"file_id": "file-1"}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{ \"a\" : 1 }"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "2", "cache_control": {"type": "ephemeral"}}]});
    let request = ChatRequest::from_openai(&body).unwrap();
    assert_eq!(request.reasoning, Some(Reasoning::effort(Effort::Low)));
    assert_eq!(request.tool_choice, Some(ToolChoice::Required));
    assert_eq!(request.extra.keys().collect::<Vec<_>>(), ["logit_bias"]);
    assert_eq!(written(Form::OpenAiChat, &request), body);
}

#[test]
fn anthropics_messages_are_read_and_written_again() {
    let body = json!({"model": "claude-haiku-4-5", "max_tokens": 4_000, "system": "Be brief.", "stop_sequences": ["END"],
        "thinking": {"type": "enabled", "budget_tokens": 1_024}, "metadata": {"user_id": "u"}, "service_tier": "auto",
        "tools": [{"name": "f", "input_schema": {"type": "object"}}, {"type": "web_search_20250305", "name": "web_search"}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "a", "signature": "s"},
                {"type": "text", "text": "b"},
                {"type": "thinking", "thinking": "c", "signature": "t"},
                {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
                {"type": "text", "text": "d"},
                {"type": "tool_use", "id": "2", "name": "f", "input": {}, "cache_control": {"type": "ephemeral"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": "x", "is_error": true},
                {"type": "tool_result", "tool_use_id": "2", "content": [{"type": "text", "text": "y"}]},
                {"type": "image", "source": {"type": "url", "url": "https://h/a.png"}},
                {"type": "document", "title": "t", "source":
                    {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}},
                {"type": "text", "text": "z", "cache_control": {"type": "ephemeral"}}]}]});
    let request = ChatRequest::from_anthropic(&body).unwrap();
    assert_eq!(request.reasoning, Some(Reasoning::budget(1_024)));
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(written(Form::Anthropic, &request), body);
}

#[test]
fn a_request_for_anthropic_can_be_sent_to_openai_and_the_caller_is_told_what_was_taken_out() {
    let body = json!({"model": "claude-haiku-4-5", "max_tokens": 9, "system": "Be brief.", "service_tier": "auto",
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": "So"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "1", "name": "f", "input": {}, "caller": {"type": "direct"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": "2", "cache_control": {"type": "ephemeral"}}]}]});
    let (request, taken) = ChatRequest::from_anthropic(&body).unwrap().for_another_provider().unwrap();
    assert_eq!(taken, ["cache_control", "caller", "service_tier"]);
    let expected = json!({"model": "claude-haiku-4-5", "max_tokens": 9,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "assistant", "content": "So"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "2"}]});
    assert_eq!(written(Form::OpenAiChat, &request), expected);
}

#[test]
fn a_result_that_names_no_call_answers_the_first_that_is_open() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let body = json!({"model": "m", "messages": [
        {"role": "assistant", "content": "", "tool_calls": [call("1"), call("2"), call("3")]},
        {"role": "tool", "tool_call_id": "2", "content": "b"},
        {"role": "tool", "content": "a"},
        {"role": "tool", "content": "c"},
        {"role": "tool", "content": "nobody asked"}]});
    let request = ChatRequest::from_openai(&body).unwrap();
    let ids: Vec<Option<&str>> = request.messages.iter().map(|message| message.tool_call_id.as_deref()).collect();
    assert_eq!(ids, [None, Some("2"), Some("1"), Some("3"), None]);
}

#[test]
fn instructions_in_blocks_are_kept_and_go_elsewhere() {
    let system = json!([{"type": "text", "text": "Be brief."},
        {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]);
    let body = json!({"model": "claude-haiku-4-5", "max_tokens": 9, "system": system,
        "messages": [{"role": "user", "content": "Hi"}]});
    let request = ChatRequest::from_anthropic(&body).unwrap();
    assert_eq!(written(Form::Anthropic, &request), body);
    let (request, taken) = request.for_another_provider().unwrap();
    assert_eq!(taken, ["cache_control"]);
    assert_eq!(written(Form::Gemini, &request)["systemInstruction"]["parts"][0]["text"], "Be brief.\nBe kind.");
}

#[test]
fn what_anthropic_says_in_fields_of_its_own_is_said_elsewhere() {
    let schema = json!({"type": "object"});
    let body = json!({"model": "claude-opus-4-6", "max_tokens": 9, "thinking": {"type": "adaptive"}, "output_config":
        {"effort": "medium", "format": {"type": "json_schema", "schema": schema}},
        "messages": [{"role": "user", "content": "Hi"}]});
    let request = ChatRequest::from_anthropic(&body).unwrap();
    assert_eq!(written(Form::Anthropic, &request), body);
    let (request, _) = request.for_another_provider().unwrap();
    let sent = written(Form::OpenAiChat, &request);
    assert_eq!(
        (&sent["reasoning_effort"], &sent["response_format"]["json_schema"]["schema"]),
        (&json!("medium"), &schema)
    );
}

#[test]
fn a_field_without_which_the_answer_would_be_another_is_refused_elsewhere() {
    let with = |name: &str, value: Value| {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
        body[name] = value;
        let request = ChatRequest::from_openai(&body).unwrap().for_another_provider();
        request.map(|(_, taken)| taken).map_err(|error| error.to_string())
    };
    let expected = "`functions` cannot be used: it has no meaning for another provider";
    assert_eq!(with("functions", json!([{"name": "f"}])), Err(expected.to_owned()));
    assert_eq!(with("logprobs", json!(false)), Ok(vec!["logprobs".to_owned()]));
    assert_eq!(with("modalities", json!(["text"])), Ok(vec!["modalities".to_owned()]));
    assert!(with("modalities", json!(["text", "audio"])).is_err());
    assert_eq!(with("store", json!(true)), Ok(vec!["store".to_owned()]));
}

#[test]
fn a_choice_of_tools_is_never_lost_on_the_way_to_another_provider() {
    let read = |choice: Value| {
        let tool = json!({"type": "function", "function": {"name": "f"}});
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": [tool],
            "tool_choice": choice});
        let request = ChatRequest::from_openai(&body).unwrap().for_another_provider();
        request.map(|(request, _)| request.tool_choice).map_err(|error| error.to_string())
    };
    assert_eq!(read(json!({"type": "tool", "name": "f"})), Ok(Some(ToolChoice::Named("f".to_owned()))));
    assert_eq!(read(json!({"type": "any"})), Ok(Some(ToolChoice::Required)));
    let some = json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]});
    assert_eq!(read(some), Err("`tool_choice` cannot be used: it has no meaning for another provider".to_owned()));
}

#[test]
fn what_has_no_meaning_elsewhere_is_refused_there() {
    let file =
        json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]});
    let error = ChatRequest::from_openai(&file).unwrap().for_another_provider().unwrap_err();
    assert_eq!(error.to_string(), "`messages` cannot be used: a part of one is the provider's own");
    let search =
        json!({"model": "m", "tools": [{"type": "web_search"}], "messages": [{"role": "user", "content": "Hi"}]});
    let error = ChatRequest::from_openai(&search).unwrap().for_another_provider().unwrap_err();
    assert_eq!(error.to_string(), "`tools` cannot be used: one of them is the provider's own");
}

#[test]
fn what_is_missing_is_named() {
    let check = |body: Value, expected: &str| {
        assert_eq!(ChatRequest::from_openai(&body).unwrap_err().to_string(), expected);
        assert_eq!(ChatRequest::from_anthropic(&body).unwrap_err().to_string(), expected);
    };
    check(json!([]), "`model` is required");
    check(json!({"messages": []}), "`model` is required");
    check(json!({"model": "m"}), "`messages` is required");
    check(json!({"model": "m", "messages": [3]}), "`messages` cannot be used: each must be an object");
    let roleless = json!({"model": "m", "messages": [{"role": "king", "content": "Hi"}]});
    check(roleless, "`messages` cannot be used: each must have a role that is known");
}

#[test]
fn a_conversation_goes_through_both_forms_and_comes_back() {
    let request = conversation("claude-haiku-4-5");
    let by_anthropic = ChatRequest::from_anthropic(&written(Form::Anthropic, &request)).unwrap();
    let by_openai = ChatRequest::from_openai(&written(Form::OpenAiChat, &by_anthropic)).unwrap();
    let mut expected = written(Form::OpenAiChat, &request);
    // It was in one turn with the results, which is a list.
    expected["messages"][5]["content"] = json!([{"type": "text", "text": "Go on."}]);
    assert_eq!(written(Form::OpenAiChat, &by_openai)["messages"], expected["messages"]);
}
