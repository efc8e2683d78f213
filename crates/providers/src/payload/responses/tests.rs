//! Requests in the form of OpenAI's responses.

use super::super::fixtures::{self, body, conversation, error, hello, parameters, schema};
use super::super::{ChatDialect, Form};
use super::*;

const FORM: Form = Form::OpenAiResponses;

#[test]
fn calls_and_results_are_items_of_their_own() {
    let expected = json!({"model": "gpt-5", "tool_choice": "auto",
        "tools": [{"type": "function", "name": "weather", "description": "The weather in a city.",
            "parameters": parameters(), "strict": false}],
        "input": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "Where is it warm?"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}]},
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{\"city\":\"Rome\"}"},
            {"type": "function_call", "call_id": "call_2", "name": "clock", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "{\"celsius\":21}"},
            {"type": "function_call_output", "call_id": "call_2", "output": "no clock"},
            {"role": "user", "content": "Go on."}]});
    assert_eq!(body(FORM, &conversation("gpt-5")), expected);
}

#[test]
fn the_model_speaks_in_output_texts() {
    let said = Message::assistant(vec![Part::text("So")]);
    let request = ChatRequest::new("gpt-5", vec![Message::user("Hi"), said]);
    assert_eq!(body(FORM, &request)["input"][1]["content"], json!([{"type": "output_text", "text": "So"}]));
}

#[test]
fn bound_thinking_and_shape_have_their_names() {
    let request = ChatRequest { stream: Some(true), ..fixtures::effort("gpt-5", Effort::Low) };
    let sent = body(FORM, &request);
    assert_eq!((&sent["max_output_tokens"], &sent["reasoning"]), (&json!(10_000), &json!({"effort": "low"})));
    assert_eq!((&sent["stream"], sent.get("stream_options")), (&json!(true), None));
    let format = json!({"type": "json_schema", "name": "reply", "schema": schema(), "strict": true});
    assert_eq!(body(FORM, &fixtures::with_schema("gpt-5"))["text"], json!({"format": format}));
    let choice = Some(ToolChoice::Named("f".to_owned()));
    let named = ChatRequest { tool_choice: choice, ..conversation("gpt-5") };
    assert_eq!(body(FORM, &named)["tool_choice"], json!({"type": "function", "name": "f"}));
}

#[test]
fn what_has_no_place_is_told() {
    let sent = FORM.payload(&fixtures::zeros("gpt-4o"), &ChatDialect::OPENAI).unwrap();
    assert_eq!(sent.left_out, ["top_k", "frequency_penalty", "presence_penalty", "seed"]);
    assert_eq!((&sent.body["temperature"], &sent.body["top_p"]), (&json!(0.0), &json!(0.0)));
    let thinks = FORM.payload(&fixtures::zeros("o3-mini"), &ChatDialect::OPENAI).unwrap();
    assert_eq!(thinks.left_out, ["temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed"]);
    assert_eq!((thinks.body.get("temperature"), thinks.body.get("top_p")), (None, None));
    let stopped = ChatRequest { stop: vec!["END".to_owned()], ..hello("gpt-5") };
    assert_eq!(error(FORM, &stopped), "`stop` cannot be used: the responses interface has no stop sequences");
    let twice = ChatRequest { n: Some(2), ..hello("gpt-5") };
    assert_eq!(error(FORM, &twice), "`n` cannot be used: this provider gives one answer at a time");
}
