//! Requests in the form of Anthropic's messages.

use super::super::fixtures::{self, body, conversation, error, hello, parameters, schema};
use super::super::{ChatDialect, Form, Reasoning};
use super::*;

const FORM: Form = Form::Anthropic;

#[test]
fn system_messages_become_the_system_field() {
    let request = ChatRequest::new(
        "claude-haiku-4-5",
        vec![Message::system("Be brief."), Message::user("Hi"), Message::new(Role::Developer, "Be kind.")],
    );
    let expected = json!({"model": "claude-haiku-4-5", "max_tokens": DEFAULT_MAX_TOKENS,
        "system": "Be brief.\n\nBe kind.", "messages": [{"role": "user", "content": "Hi"}]});
    assert_eq!(body(FORM, &request), expected);
}

#[test]
fn the_other_fields_take_their_names() {
    let request = ChatRequest {
        max_tokens: Some(7),
        temperature: Some(0.0),
        top_k: Some(0),
        stop: vec!["END".to_owned()],
        user: Some("u1".to_owned()),
        stream: Some(true),
        ..ChatRequest::new("claude-3-haiku", vec![Message::user("Hi"), Message::assistant("So")])
    };
    let expected = json!({"model": "claude-3-haiku", "max_tokens": 7, "temperature": 0.0, "top_k": 0,
        "stop_sequences": ["END"], "metadata": {"user_id": "u1"}, "stream": true,
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "So"}]});
    assert_eq!(body(FORM, &request), expected);
}

#[test]
fn tools_are_used_and_their_results_are_the_persons() {
    let expected = json!({"model": "claude-haiku-4-5", "max_tokens": DEFAULT_MAX_TOKENS, "system": "Be brief.",
        "tools": [{"name": "weather", "description": "The weather in a city.", "input_schema": parameters()}],
        "tool_choice": {"type": "auto"},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Where is it warm?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Ask both.", "signature": "sig-thought"},
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}},
                {"type": "tool_use", "id": "call_2", "name": "clock", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "{\"celsius\":21}"},
                {"type": "tool_result", "tool_use_id": "call_2", "content": "no clock", "is_error": true},
                {"type": "text", "text": "Go on."}]}]});
    assert_eq!(body(FORM, &conversation("claude-haiku-4-5")), expected);
}

#[test]
fn a_choice_says_whether_several_may_be_called() {
    let choice = |choice: Option<ToolChoice>, parallel: Option<bool>| {
        let tools = vec![Tool::new("f", "", json!({}))];
        let request = ChatRequest { tools, tool_choice: choice, parallel_tool_calls: parallel, ..hello("claude-x") };
        body(FORM, &request).get("tool_choice").cloned()
    };
    assert_eq!(choice(None, None), None);
    assert_eq!(choice(None, Some(false)), Some(json!({"type": "auto", "disable_parallel_tool_use": true})));
    assert_eq!(
        choice(Some(ToolChoice::Required), Some(true)),
        Some(json!({"type": "any", "disable_parallel_tool_use": false}))
    );
    assert_eq!(choice(Some(ToolChoice::Named("f".to_owned())), None), Some(json!({"type": "tool", "name": "f"})));
    assert_eq!(choice(Some(ToolChoice::None), Some(false)), Some(json!({"type": "none"})));
}

#[test]
fn images_are_sent_by_address_or_inline() {
    let image = |url: &str| {
        let request = ChatRequest::new("claude-x", vec![Message::user(vec![Part::image_url(url)])]);
        FORM.payload(&request, &ChatDialect::COMPATIBLE)
            .map(|sent| sent.body["messages"][0]["content"][0]["source"].clone())
    };
    assert_eq!(image("https://h/a.png"), Ok(json!({"type": "url", "url": "https://h/a.png"})));
    let inline = json!({"type": "base64", "media_type": "image/png", "data": "AAAA"});
    assert_eq!(image("data:image/png;base64,AAAA"), Ok(inline));
    assert!(image("data:image/png,AAAA").is_err());
}

#[test]
fn thinking_is_a_number_for_the_older_models_and_a_word_for_the_newer() {
    let check = |model: &str, reasoning: Reasoning, thinking: Value, config: Option<Value>| {
        let sent = body(FORM, &fixtures::thinking(model, reasoning, Some(10_000)));
        assert_eq!((&sent["thinking"], sent.get("output_config").cloned()), (&thinking, config), "{model}");
    };
    let tokens = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
    check("claude-sonnet-4-5-20250929", Reasoning::effort(Effort::High), tokens(8_000), None);
    check("claude-opus-4-20250514", Reasoning::budget(1), tokens(1_024), None);
    check("claude-3-7-sonnet-20250219", Reasoning::budget(2_000), tokens(2_000), None);
    let word = |word: &str| Some(json!({"effort": word}));
    let adaptive = json!({"type": "adaptive"});
    check("claude-opus-4-6", Reasoning::effort(Effort::Max), adaptive.clone(), word("max"));
    check("claude-sonnet-4-6", Reasoning::budget(5_000), tokens(5_000), None);
    check("claude-sonnet-5", Reasoning::budget(5_000), adaptive.clone(), word("medium"));
    check("claude-opus-5", Reasoning::effort(Effort::Minimal), adaptive, word("low"));
    check("claude-sonnet-4-5", Reasoning::effort(Effort::None), json!({"type": "disabled"}), None);
    check("claude-opus-4-7", Reasoning::effort(Effort::None), Value::Null, None);
    check("claude-opus-5-5", Reasoning::budget(0), Value::Null, word("low"));
}

#[test]
fn the_bound_has_room_for_the_thoughts() {
    let request = fixtures::thinking("claude-sonnet-4-5", Reasoning::budget(2_000), None);
    assert_eq!(body(FORM, &request)["max_tokens"], 2_000 + DEFAULT_MAX_TOKENS);
    let request = fixtures::thinking("claude-sonnet-4-5", Reasoning::budget(2_000), Some(2_000));
    let expected = "`max_tokens` cannot be used: must be larger than the tokens for thinking, at least 1024";
    assert_eq!(error(FORM, &request), expected);
}

#[test]
fn a_model_that_thinks_is_not_sent_a_temperature_and_the_caller_is_told() {
    let left_out = |model: &str, reasoning: Option<Reasoning>| {
        let request = ChatRequest { temperature: Some(0.5), seed: Some(0), reasoning, ..hello(model) };
        FORM.payload(&request, &ChatDialect::COMPATIBLE).unwrap().left_out
    };
    assert_eq!(left_out("claude-sonnet-4-5", None), ["seed"]);
    assert_eq!(left_out("claude-sonnet-4-5", Some(Reasoning::budget(2_000))), ["temperature", "seed"]);
    assert_eq!(left_out("claude-opus-4-7", None), ["temperature", "seed"]);
    assert_eq!(left_out("claude-opus-4-6", None), ["seed"]);
    let own = ChatRequest { temperature: Some(1.0), ..hello("claude-opus-4-7") };
    assert_eq!(body(FORM, &own)["temperature"], 1.0);
}

#[test]
fn the_shape_of_the_answer_is_a_schema_or_an_error() {
    let config = json!({"format": {"type": "json_schema", "schema": schema()}});
    assert_eq!(body(FORM, &fixtures::with_schema("claude-opus-4-6"))["output_config"], config);
    let request = ChatRequest { response_format: Some(ResponseFormat::JsonObject), ..hello("claude-x") };
    let expected = "`response_format` cannot be used: Anthropic has no JSON mode without a schema";
    assert_eq!(error(FORM, &request), expected);
}

#[test]
fn ids_of_other_providers_are_made_fit_and_still_agree() {
    let call = Message::assistant("").with_tool_calls(vec![ToolCall::new("functions.f:0", "f", &json!({}))]);
    let request = ChatRequest::new("claude-x", vec![Message::user("Hi"), call, Message::tool("functions.f:0", "1")]);
    let sent = body(FORM, &request);
    assert_eq!(sent["messages"][1]["content"][0]["id"], "functions_f_0");
    assert_eq!(sent["messages"][2]["content"][0]["tool_use_id"], "functions_f_0");
}

#[test]
fn what_is_missing_is_named() {
    let check = |request: ChatRequest, expected: &str| assert_eq!(error(FORM, &request), expected);
    check(ChatRequest::default(), "`model` is required");
    check(ChatRequest::new("claude-x", vec![]), "`messages` is required");
    let only_system = ChatRequest::new("claude-x", vec![Message::system("Be brief.")]);
    check(only_system, "`messages` cannot be used: at least one must be other than `system`");
    let mut call = ToolCall::new("1", "f", &json!({}));
    call.arguments = "{".to_owned();
    let broken = ChatRequest::new("claude-x", vec![Message::assistant("").with_tool_calls(vec![call])]);
    check(broken, "`tool_calls` cannot be used: `arguments` must be the text of a JSON object");
}
