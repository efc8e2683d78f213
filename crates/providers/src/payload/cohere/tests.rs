//! Requests in the form of Cohere's chat.

use super::super::fixtures::{self, body, conversation, error, hello, parameters, schema};
use super::super::{ChatDialect, Effort, Form, Reasoning};
use super::*;

const FORM: Form = Form::Cohere;

#[test]
fn tools_their_calls_and_their_results_are_sent() {
    let mut request = conversation("command-a-03-2025");
    request.messages[2].content = "I will ask both.".into();
    let expected = json!({"model": "command-a-03-2025", "stream": false,
        "tools": [{"type": "function", "function": {"name": "weather", "description": "The weather in a city.",
            "parameters": parameters()}}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Where is it warm?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            {"role": "assistant", "tool_plan": "I will ask both.", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}},
                {"id": "call_2", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "{\"celsius\":21}"},
            {"role": "tool", "tool_call_id": "call_2", "content": "no clock"},
            {"role": "user", "content": "Go on."}]});
    assert_eq!(body(FORM, &request), expected);
}

#[test]
fn zero_is_a_value_and_the_fields_take_their_names() {
    let request = ChatRequest { stop: vec!["END".to_owned()], ..fixtures::zeros("command-a-03-2025") };
    let sent = FORM.payload(&request, &ChatDialect::COMPATIBLE).unwrap();
    let expected = json!({"model": "command-a-03-2025", "max_tokens": 0, "temperature": 0.0, "p": 0.0, "k": 0,
        "frequency_penalty": 0.0, "presence_penalty": 0.0, "seed": 0, "stop_sequences": ["END"], "stream": false,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]});
    assert_eq!((sent.endpoint.as_ref(), sent.body), ("/v2/chat", expected));
    assert!(sent.left_out.is_empty());
}

#[test]
fn thinking_and_shape_have_their_names() {
    let thinking =
        |reasoning| body(FORM, &fixtures::thinking("command-a-reasoning-08-2025", reasoning, None))["thinking"].clone();
    assert_eq!(thinking(Reasoning::budget(500)), json!({"type": "enabled", "token_budget": 500}));
    assert_eq!(thinking(Reasoning::effort(Effort::High)), json!({"type": "enabled"}));
    assert_eq!(thinking(Reasoning::budget(0)), json!({"type": "disabled"}));
    let format = json!({"type": "json_object", "json_schema": schema()});
    assert_eq!(body(FORM, &fixtures::with_schema("command-a-03-2025"))["response_format"], format);
}

#[test]
fn a_tool_that_must_be_called_is_the_only_one_offered() {
    let tools = vec![Tool::new("f", "", json!({})), Tool::new("g", "", json!({}))];
    let request =
        |choice| ChatRequest { tools: tools.clone(), tool_choice: Some(choice), ..hello("command-a-03-2025") };
    assert_eq!(body(FORM, &request(ToolChoice::Required))["tool_choice"], "REQUIRED");
    assert_eq!(body(FORM, &request(ToolChoice::None))["tool_choice"], "NONE");
    let sent = body(FORM, &request(ToolChoice::Named("g".to_owned())));
    assert_eq!((&sent["tool_choice"], sent["tools"].as_array().map(Vec::len)), (&json!("REQUIRED"), Some(1)));
    assert_eq!(sent["tools"][0]["function"]["name"], "g");
    let expected = "`tool_choice` cannot be used: no tool has this name";
    assert_eq!(error(FORM, &request(ToolChoice::Named("h".to_owned()))), expected);
}

#[test]
fn strictness_is_one_switch_for_all_tools() {
    let mut strict = Tool::new("f", "", json!({}));
    strict.strict = Some(true);
    let request = ChatRequest { tools: vec![strict, Tool::new("g", "", json!({}))], ..hello("command-a-03-2025") };
    let sent = body(FORM, &request);
    assert_eq!((&sent["strict_tools"], sent["tools"][0]["function"].get("strict")), (&json!(true), None));
}
