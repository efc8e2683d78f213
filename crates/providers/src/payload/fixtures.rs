//! One request with something of everything, for the tests of the forms.

use serde_json::json;

use super::{
    ChatDialect, ChatRequest, Content, Effort, Form, Image, JsonSchema, Message, Part, PayloadError, Reasoning,
    ResponseFormat, Thought, Tool, ToolCall, ToolChoice,
};

pub(super) fn hello(model: &str) -> ChatRequest {
    ChatRequest::new(model, vec![Message::system("Be brief."), Message::user("Hi")])
}

/// A conversation in which the model has called two tools, and both have answered.
pub(super) fn conversation(model: &str) -> ChatRequest {
    let question = vec![Part::text("Where is it warm?"), Part::Image(Image::from_base64("image/png", "AAAA"))];
    let calls = vec![
        ToolCall::new("call_1", "weather", &json!({"city": "Rome"})),
        ToolCall { signature: Some("sig-call".to_owned()), ..ToolCall::new("call_2", "clock", &json!({})) },
    ];
    let mut asked = Message::assistant("").with_tool_calls(calls);
    asked.thoughts = vec![Thought::signed("Ask both.", "sig-thought")];
    let mut failed = Message::tool("call_2", "no clock");
    failed.is_error = true;
    let mut request = ChatRequest::new(
        model,
        vec![
            Message::system("Be brief."),
            Message::user(Content::from(question)),
            asked,
            Message::tool("call_1", r#"{"celsius":21}"#),
            failed,
            Message::user("Go on."),
        ],
    );
    request.tools = vec![Tool::new("weather", "The weather in a city.", parameters())];
    request.tool_choice = Some(ToolChoice::Auto);
    request
}

pub(super) fn parameters() -> serde_json::Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

pub(super) fn schema() -> serde_json::Value {
    json!({"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]})
}

/// Every field at its smallest value.
pub(super) fn zeros(model: &str) -> ChatRequest {
    ChatRequest {
        max_tokens: Some(0),
        temperature: Some(0.0),
        top_p: Some(0.0),
        top_k: Some(0),
        frequency_penalty: Some(0.0),
        presence_penalty: Some(0.0),
        seed: Some(0),
        parallel_tool_calls: Some(false),
        stream: Some(false),
        ..hello(model)
    }
}

pub(super) fn thinking(model: &str, reasoning: Reasoning, max_tokens: Option<u64>) -> ChatRequest {
    ChatRequest { reasoning: Some(reasoning), max_tokens, ..hello(model) }
}

pub(super) fn effort(model: &str, effort: Effort) -> ChatRequest {
    thinking(model, Reasoning::effort(effort), Some(10_000))
}

pub(super) fn with_schema(model: &str) -> ChatRequest {
    ChatRequest {
        response_format: Some(ResponseFormat::JsonSchema(JsonSchema::new("reply", schema()))),
        ..hello(model)
    }
}

pub(super) fn body(form: Form, request: &ChatRequest) -> serde_json::Value {
    form.payload(request, &ChatDialect::COMPATIBLE).unwrap().body
}

pub(super) fn error(form: Form, request: &ChatRequest) -> String {
    form.payload(request, &ChatDialect::COMPATIBLE).map_err(|error: PayloadError| error.to_string()).unwrap_err()
}
