//! Requests in the form of Ollama's chat.

use super::super::fixtures::{self, body, conversation, error, hello, parameters, schema};
use super::super::{ChatDialect, Form};
use super::*;

const FORM: Form = Form::Ollama;

#[test]
fn tools_their_calls_and_their_results_are_sent() {
    let expected = json!({"model": "qwen3", "stream": false,
        "tools": [{"type": "function", "function": {"name": "weather", "description": "The weather in a city.",
            "parameters": parameters()}}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Where is it warm?", "images": ["AAAA"]},
            {"role": "assistant", "content": "", "thinking": "Ask both.", "tool_calls": [
                {"function": {"name": "weather", "arguments": {"city": "Rome"}}},
                {"function": {"name": "clock", "arguments": {}}}]},
            {"role": "tool", "tool_name": "weather", "content": "{\"celsius\":21}"},
            {"role": "tool", "tool_name": "clock", "content": "no clock"},
            {"role": "user", "content": "Go on."}]});
    assert_eq!(body(FORM, &conversation("qwen3")), expected);
}

#[test]
fn zero_is_a_value_and_a_whole_answer_is_asked_for() {
    let request = ChatRequest { stop: vec!["END".to_owned()], ..fixtures::zeros("qwen3") };
    let sent = FORM.payload(&request, &ChatDialect::COMPATIBLE).unwrap();
    let options = json!({"num_predict": 0, "temperature": 0.0, "top_p": 0.0, "top_k": 0, "frequency_penalty": 0.0,
        "presence_penalty": 0.0, "seed": 0, "stop": ["END"]});
    assert_eq!((&sent.body["options"], &sent.body["stream"]), (&options, &json!(false)));
    assert_eq!((sent.endpoint.as_ref(), sent.left_out), ("/api/chat", vec![]));
    assert_eq!(body(FORM, &hello("qwen3"))["stream"], json!(false));
}

#[test]
fn thinking_is_a_switch_and_for_one_family_a_word() {
    let think = |model: &str, effort| body(FORM, &fixtures::effort(model, effort))["think"].clone();
    assert_eq!(think("qwen3", Effort::High), json!(true));
    assert_eq!(think("qwen3", Effort::None), json!(false));
    assert_eq!(think("gpt-oss:20b", Effort::Max), json!("high"));
}

#[test]
fn the_shape_of_the_answer_is_a_schema() {
    assert_eq!(body(FORM, &fixtures::with_schema("qwen3"))["format"], schema());
    let json_mode = ChatRequest { response_format: Some(ResponseFormat::JsonObject), ..hello("qwen3") };
    assert_eq!(body(FORM, &json_mode)["format"], "json");
}

#[test]
fn what_cannot_be_expressed_is_refused() {
    let must = ChatRequest { tool_choice: Some(ToolChoice::Required), ..conversation("qwen3") };
    assert_eq!(error(FORM, &must), "`tool_choice` cannot be used: Ollama cannot be told to call a tool");
    let image = ChatRequest::new("qwen3", vec![Message::user(vec![Part::image_url("https://h/a.png")])]);
    let expected = "`messages` cannot be used: this provider takes images in full, not by their address";
    assert_eq!(error(FORM, &image), expected);
}
