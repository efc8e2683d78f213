//! OpenAI's chat completions.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/create>.

use serde_json::{Map, Value, json};

use super::{ChatRequest, Content, Part, PayloadError};

/// The body for OpenAI itself.
pub(crate) fn body(request: &ChatRequest) -> Result<Value, PayloadError> {
    let limit_name = if is_reasoning_model(&request.model) { "max_completion_tokens" } else { "max_tokens" };
    build(request, limit_name)
}

/// The body for a server of which only the interface is known: all of them take `max_tokens`.
pub(crate) fn body_for_any_server(request: &ChatRequest) -> Result<Value, PayloadError> {
    build(request, "max_tokens")
}

fn build(request: &ChatRequest, limit_name: &str) -> Result<Value, PayloadError> {
    request.check()?;
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(request.model));
    let messages = request.messages.iter();
    let messages: Vec<Value> =
        messages.map(|message| json!({"role": message.role.name(), "content": content(&message.content)})).collect();
    body.insert("messages".to_owned(), Value::Array(messages));
    let optional = [
        (limit_name, request.max_tokens.map(Value::from)),
        ("temperature", request.temperature.map(Value::from)),
        ("top_p", request.top_p.map(Value::from)),
        ("stop", (!request.stop.is_empty()).then(|| json!(request.stop))),
        ("stream", request.stream.map(Value::from)),
        // Without it a stream does not say what it took.
        ("stream_options", (request.stream == Some(true)).then(|| json!({"include_usage": true}))),
    ];
    body.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(request.complete(body))
}

fn content(content: &Content) -> Value {
    match content {
        Content::Text(text) => json!(text),
        Content::Parts(parts) => parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => json!({"type": "text", "text": text}),
                Part::Image(url) => json!({"type": "image_url", "image_url": {"url": url}}),
            })
            .collect(),
    }
}

/// The models that refuse `max_tokens`: their bound counts reasoning as well, and has a name of its own.
fn is_reasoning_model(model: &str) -> bool {
    let base = model.strip_prefix("ft:").unwrap_or(model);
    ["o1", "o3", "o4", "gpt-5"].iter().any(|family| {
        base.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', ':']))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;

    fn request() -> ChatRequest {
        ChatRequest::new("gpt-4o-mini", vec![Message::system("Be brief."), Message::user("Hi")])
    }

    #[test]
    fn only_what_was_said_is_sent() {
        let messages = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]);
        assert_eq!(body(&request()), Ok(json!({"model": "gpt-4o-mini", "messages": messages})));
    }

    #[test]
    fn zero_and_false_are_values() {
        let request = ChatRequest { temperature: Some(0.0), max_tokens: Some(0), stream: Some(false), ..request() };
        let body = body(&request).unwrap();
        assert_eq!(
            (&body["temperature"], &body["max_tokens"], &body["stream"]),
            (&json!(0.0), &json!(0), &json!(false))
        );
        assert_eq!(body.get("stream_options"), None);
    }

    #[test]
    fn the_bound_of_a_reasoning_model_has_its_own_name() {
        let check = |model: &str, name: &str| {
            let request = ChatRequest { model: model.to_owned(), max_tokens: Some(9), ..request() };
            assert_eq!(body(&request).unwrap()[name], 9, "{model}");
        };
        check("gpt-4o", "max_tokens");
        check("gpt-4.1", "max_tokens");
        check("o1", "max_completion_tokens");
        check("o3-mini", "max_completion_tokens");
        check("o4-mini-2025-04-16", "max_completion_tokens");
        check("gpt-5.1", "max_completion_tokens");
        check("gpt-50", "max_tokens");
    }

    #[test]
    fn a_stream_is_asked_for_its_usage() {
        let request = ChatRequest { stream: Some(true), ..request() };
        assert_eq!(body(&request).unwrap()["stream_options"], json!({"include_usage": true}));
    }

    #[test]
    fn images_are_sent_by_their_address() {
        let parts = vec![Part::Text("What is it?".to_owned()), Part::Image("https://h/a.png".to_owned())];
        let request = ChatRequest::new("gpt-4o", vec![Message::user(Content::Parts(parts))]);
        let expected = json!([{"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": "https://h/a.png"}}]);
        assert_eq!(body(&request).unwrap()["messages"][0]["content"], expected);
    }

    #[test]
    fn further_fields_win() {
        let mut request = ChatRequest { temperature: Some(1.0), ..request() };
        request.extra.insert("temperature".to_owned(), json!(0.5));
        request.extra.insert("seed".to_owned(), json!(7));
        let body = body(&request).unwrap();
        assert_eq!((&body["temperature"], &body["seed"]), (&json!(0.5), &json!(7)));
    }

    #[test]
    fn what_is_missing_is_named() {
        let check = |request: ChatRequest, expected: &str| {
            assert_eq!(body(&request).unwrap_err().to_string(), expected);
        };
        check(ChatRequest::new(" ", vec![Message::user("Hi")]), "`model` is required");
        check(ChatRequest::new("gpt-4o", vec![]), "`messages` is required");
        check(
            ChatRequest { temperature: Some(f64::NAN), ..request() },
            "`temperature` cannot be used: not a finite number",
        );
    }
}
