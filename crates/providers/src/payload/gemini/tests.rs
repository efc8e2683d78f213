//! Requests in the form of Google's contents.

use super::super::fixtures::{self, body, conversation, error, hello, parameters, schema};
use super::super::{ChatDialect, Form};
use super::*;

const FORM: Form = Form::Gemini;

#[test]
fn the_model_and_the_stream_are_in_the_path() {
    let path = |model: &str, stream: Option<bool>| {
        let request = ChatRequest { stream, ..hello(model) };
        FORM.payload(&request, &ChatDialect::COMPATIBLE).unwrap().endpoint.into_owned()
    };
    assert_eq!(path("gemini-2.5-flash", None), "/models/gemini-2.5-flash:generateContent");
    assert_eq!(path("models/gemini-2.5-flash", Some(true)), "/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
    assert_eq!(path("a/../b?c", None), "/models/a%2F..%2Fb%3Fc:generateContent");
}

#[test]
fn calls_and_results_are_parts_of_turns() {
    let expected = json!({
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [{"functionDeclarations": [{"name": "weather", "description": "The weather in a city.",
            "parametersJsonSchema": parameters()}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        "contents": [
            {"role": "user", "parts": [{"text": "Where is it warm?"},
                {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
            {"role": "model", "parts": [
                {"text": "Ask both.", "thought": true, "thoughtSignature": "sig-thought"},
                {"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Rome"}}},
                {"functionCall": {"id": "call_2", "name": "clock", "args": {}}, "thoughtSignature": "sig-call"}]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "call_1", "name": "weather", "response": {"celsius": 21}}},
                {"functionResponse": {"id": "call_2", "name": "clock", "response": {"error": "no clock"}}},
                {"text": "Go on."}]}]});
    assert_eq!(body(FORM, &conversation("gemini-2.5-flash")), expected);
}

#[test]
fn zero_is_a_value_and_the_fields_take_their_names() {
    let mut request = fixtures::zeros("gemini-2.5-flash");
    request.n = Some(1);
    request.stop = vec!["END".to_owned()];
    let expected = json!({"maxOutputTokens": 0, "temperature": 0.0, "topP": 0.0, "topK": 0, "frequencyPenalty": 0.0,
        "presencePenalty": 0.0, "seed": 0, "candidateCount": 1, "stopSequences": ["END"]});
    let sent = FORM.payload(&request, &ChatDialect::COMPATIBLE).unwrap();
    assert_eq!(sent.body["generationConfig"], expected);
    assert!(sent.left_out.is_empty());
}

#[test]
fn thinking_is_a_number_up_to_two_and_a_word_after() {
    let check = |request: ChatRequest, expected: Value| {
        assert_eq!(body(FORM, &request)["generationConfig"]["thinkingConfig"], expected);
    };
    check(fixtures::effort("gemini-2.5-pro", Effort::Medium), json!({"thinkingBudget": 8_192}));
    check(fixtures::effort("gemini-2.5-flash", Effort::None), json!({"thinkingBudget": 0}));
    check(fixtures::effort("gemini-3-pro-preview", Effort::Max), json!({"thinkingLevel": "high"}));
    check(fixtures::effort("gemini-3-flash-preview", Effort::None), json!({"thinkingLevel": "minimal"}));
    check(fixtures::thinking("gemini-3-pro", Reasoning::budget(9), None), json!({"thinkingBudget": 9}));
}

#[test]
fn the_shape_of_the_answer_is_a_schema() {
    let expected = json!({"responseMimeType": "application/json", "responseJsonSchema": schema()});
    assert_eq!(body(FORM, &fixtures::with_schema("gemini-2.5-pro"))["generationConfig"], expected);
}

#[test]
fn an_image_at_an_address_is_a_file_of_its_kind() {
    let file = |url: &str| {
        let request = ChatRequest::new("gemini-2.5-pro", vec![Message::user(vec![Part::image_url(url)])]);
        body(FORM, &request)["contents"][0]["parts"][0]["fileData"].clone()
    };
    assert_eq!(file("gs://b/a.JPG?x=1"), json!({"fileUri": "gs://b/a.JPG?x=1", "mimeType": "image/jpeg"}));
    assert_eq!(file("https://h/a"), json!({"fileUri": "https://h/a"}));
}

#[test]
fn a_result_whose_tool_is_unknown_is_refused() {
    let request = ChatRequest::new("gemini-2.5-pro", vec![Message::user("Hi"), Message::tool("call_9", "1")]);
    let expected =
        "`tool_call_id` cannot be used: no call in the conversation has this id, so the tool's name is unknown";
    assert_eq!(error(FORM, &request), expected);
}

#[test]
fn the_images_of_a_result_stand_beside_it() {
    let mut request = conversation("gemini-2.5-pro");
    let image = Part::Image(super::super::Image::from_base64("image/png", "BBBB"));
    request.messages[3].content = vec![Part::text("Here."), image].into();
    let parts = &body(FORM, &request)["contents"][2]["parts"];
    assert_eq!(parts[0]["functionResponse"]["response"], json!({"result": "Here."}));
    assert_eq!(parts[1], json!({"inlineData": {"mimeType": "image/png", "data": "BBBB"}}));
}

#[test]
fn tools_of_googles_own_stand_beside_the_functions() {
    let tools = vec![Tool::raw(json!({"googleSearch": {}})), Tool::new("f", "", json!({"type": "object"}))];
    let request = ChatRequest { tools, ..hello("gemini-2.5-pro") };
    let sent = body(FORM, &request);
    assert_eq!(sent["tools"][0]["functionDeclarations"][0]["name"], "f");
    assert_eq!(sent["tools"][1], json!({"googleSearch": {}}));
}
