//! Requests in the form of Bedrock's Converse.

use super::super::fixtures::{self, body, conversation, error, hello, parameters};
use super::super::{ChatDialect, Form};
use super::*;

const FORM: Form = Form::Bedrock;

#[test]
fn the_model_and_the_stream_are_in_the_path() {
    let path = |model: &str, stream: Option<bool>| {
        let request = ChatRequest { stream, ..hello(model) };
        FORM.payload(&request, &ChatDialect::COMPATIBLE).unwrap().endpoint.into_owned()
    };
    assert_eq!(path("amazon.nova-lite-v1:0", None), "/model/amazon.nova-lite-v1:0/converse");
    assert_eq!(
        path("arn:aws:bedrock:us-east-1::p/x", Some(true)),
        "/model/arn:aws:bedrock:us-east-1::p%2Fx/converse-stream"
    );
}

#[test]
fn calls_and_results_are_blocks_of_turns() {
    let expected = json!({
        "system": [{"text": "Be brief."}],
        "toolConfig": {"toolChoice": {"auto": {}}, "tools": [{"toolSpec": {"name": "weather",
            "description": "The weather in a city.", "inputSchema": {"json": parameters()}}}]},
        "messages": [
            {"role": "user", "content": [{"text": "Where is it warm?"},
                {"image": {"format": "png", "source": {"bytes": "AAAA"}}}]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "Ask both.", "signature": "sig-thought"}}},
                {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Rome"}}},
                {"toolUse": {"toolUseId": "call_2", "name": "clock", "input": {}}}]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "call_1", "content": [{"json": {"celsius": 21}}]}},
                {"toolResult": {"toolUseId": "call_2", "content": [{"text": "no clock"}], "status": "error"}},
                {"text": "Go on."}]}]});
    assert_eq!(body(FORM, &conversation("anthropic.claude-3-haiku-20240307-v1:0")), expected);
}

#[test]
fn zero_is_a_value_and_what_has_no_place_is_told() {
    let sent = FORM.payload(&fixtures::zeros("amazon.nova-lite-v1:0"), &ChatDialect::COMPATIBLE).unwrap();
    assert_eq!(sent.body["inferenceConfig"], json!({"maxTokens": 0, "temperature": 0.0, "topP": 0.0}));
    let expected = ["top_k", "frequency_penalty", "presence_penalty", "seed"];
    assert_eq!(sent.left_out, expected);
}

#[test]
fn each_family_of_models_thinks_in_its_makers_words() {
    let fields =
        |model: &str, effort| body(FORM, &fixtures::effort(model, effort))["additionalModelRequestFields"].clone();
    let budget = json!({"thinking": {"type": "enabled", "budget_tokens": 2_000}});
    assert_eq!(fields("us.anthropic.claude-haiku-4-5-20251001-v1:0", Effort::Low), budget);
    let adaptive = json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}});
    assert_eq!(fields("us.anthropic.claude-opus-4-6-v1", Effort::High), adaptive);
    let nova = json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}});
    assert_eq!(fields("us.amazon.nova-2-lite-v1:0", Effort::Low), nova);
    assert_eq!(fields("openai.gpt-oss-120b-1:0", Effort::Low), json!({"reasoning_effort": "low"}));
}

#[test]
fn a_claude_that_thinks_keeps_its_temperature() {
    let sent = |model: &str, effort: Option<Effort>, number: f64| {
        let reasoning = effort.map(Reasoning::effort);
        let request = ChatRequest {
            temperature: Some(number),
            top_p: Some(0.96),
            reasoning,
            max_tokens: Some(9_000),
            ..hello(model)
        };
        let payload = FORM.payload(&request, &ChatDialect::COMPATIBLE).unwrap();
        (payload.body["inferenceConfig"].clone(), payload.left_out)
    };
    let old = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
    assert_eq!(sent(old, None, 0.2), (json!({"maxTokens": 9_000, "temperature": 0.2, "topP": 0.96}), vec![]));
    let (config, left_out) = sent(old, Some(Effort::Low), 0.2);
    assert_eq!((config, left_out.len()), (json!({"maxTokens": 9_000, "topP": 0.96}), 1));
    assert_eq!(sent(old, Some(Effort::Low), 1.0).1.len(), 0);
    assert_eq!(sent("anthropic.claude-opus-4-7-v1:0", None, 0.2).0, json!({"maxTokens": 9_000}));
    assert_eq!(sent("amazon.nova-2-lite-v1:0", Some(Effort::Low), 0.2).0["temperature"], 0.2);
}

#[test]
fn the_shape_of_the_answer_is_the_text_of_a_schema() {
    let sent = body(FORM, &fixtures::with_schema("anthropic.claude-x"));
    let named = &sent["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
    assert_eq!(named["name"], "reply");
    assert_eq!(serde_json::from_str::<Value>(named["schema"].as_str().unwrap()).unwrap(), fixtures::schema());
}

#[test]
fn tools_that_must_not_be_called_are_not_offered() {
    let mut request = conversation("amazon.nova-lite-v1:0");
    request.tool_choice = Some(ToolChoice::None);
    assert_eq!(body(FORM, &request).get("toolConfig"), None);
    request.tool_choice = Some(ToolChoice::Named("weather".to_owned()));
    assert_eq!(body(FORM, &request)["toolConfig"]["toolChoice"], json!({"tool": {"name": "weather"}}));
}

#[test]
fn an_image_must_be_sent_in_full_and_in_a_known_format() {
    let check = |url: &str, expected: &str| {
        let request = ChatRequest::new("amazon.nova", vec![Message::user(vec![Part::image_url(url)])]);
        assert_eq!(error(FORM, &request), expected);
    };
    check("https://h/a.png", "`messages` cannot be used: this provider takes images in full, not by their address");
    check("data:image/tiff;base64,AAAA", "`messages` cannot be used: Bedrock takes images as PNG, JPEG, GIF or WebP");
}
