//! Anthropic's messages.
//!
//! Source: <https://platform.claude.com/docs/en/api/messages>.

use serde_json::{Map, Value, json};

use super::{ChatRequest, Content, Message, Part, PayloadError, Role};

/// The bound on produced tokens where the request sets none: Anthropic requires one, and every model accepts this one.
pub const DEFAULT_MAX_TOKENS: u64 = 4_096;

/// The body. All system messages, wherever they stand, are joined by a blank line into the `system` field, because a
/// message cannot have that role.
pub(crate) fn body(request: &ChatRequest) -> Result<Value, PayloadError> {
    request.check()?;
    let (system, spoken): (Vec<&Message>, Vec<&Message>) =
        request.messages.iter().partition(|message| message.role == Role::System);
    if spoken.is_empty() {
        return Err(PayloadError::Unusable { field: "messages", reason: "at least one must be other than `system`" });
    }
    let system: Vec<String> =
        system.iter().map(|message| message.content.text()).filter(|text| !text.is_empty()).collect();
    let messages =
        spoken.iter().map(|message| Ok(json!({"role": message.role.name(), "content": content(&message.content)?})));
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(request.model));
    body.insert("max_tokens".to_owned(), json!(request.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS)));
    body.insert("messages".to_owned(), Value::Array(messages.collect::<Result<_, _>>()?));
    let optional = [
        ("system", (!system.is_empty()).then(|| json!(system.join("\n\n")))),
        ("temperature", request.temperature.map(Value::from)),
        ("top_p", request.top_p.map(Value::from)),
        ("stop_sequences", (!request.stop.is_empty()).then(|| json!(request.stop))),
        ("stream", request.stream.map(Value::from)),
    ];
    body.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(request.complete(body))
}

fn content(content: &Content) -> Result<Value, PayloadError> {
    Ok(match content {
        Content::Text(text) => json!(text),
        Content::Parts(parts) => Value::Array(parts.iter().map(part).collect::<Result<_, _>>()?),
    })
}

fn part(part: &Part) -> Result<Value, PayloadError> {
    let url = match part {
        Part::Text(text) => return Ok(json!({"type": "text", "text": text})),
        Part::Image(url) => url,
    };
    let source = match url.strip_prefix("data:") {
        None => json!({"type": "url", "url": url}),
        Some(inline) => {
            let (media_type, data) = inline.split_once(";base64,").ok_or(PayloadError::Unusable {
                field: "messages",
                reason: "an inline image must be of the form `data:TYPE;base64,DATA`",
            })?;
            json!({"type": "base64", "media_type": media_type, "data": data})
        }
    };
    Ok(json!({"type": "image", "source": source}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_messages_become_the_system_field() {
        let request = ChatRequest::new(
            "claude-haiku-4-5",
            vec![Message::system("Be brief."), Message::user("Hi"), Message::system("Be kind.")],
        );
        let expected = json!({"model": "claude-haiku-4-5", "max_tokens": DEFAULT_MAX_TOKENS, "system": "Be brief.\n\nBe kind.",
            "messages": [{"role": "user", "content": "Hi"}]});
        assert_eq!(body(&request), Ok(expected));
    }

    #[test]
    fn the_other_fields_take_their_names() {
        let request = ChatRequest {
            max_tokens: Some(7),
            temperature: Some(0.0),
            stop: vec!["END".to_owned()],
            stream: Some(true),
            ..ChatRequest::new("claude-x", vec![Message::user("Hi"), Message::assistant("So")])
        };
        let expected = json!({"model": "claude-x", "max_tokens": 7, "temperature": 0.0, "stop_sequences": ["END"],
            "stream": true,
            "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "So"}]});
        assert_eq!(body(&request), Ok(expected));
    }

    #[test]
    fn images_are_sent_by_address_or_inline() {
        let image = |url: &str| {
            let request =
                ChatRequest::new("claude-x", vec![Message::user(Content::Parts(vec![Part::Image(url.to_owned())]))]);
            body(&request).map(|body| body["messages"][0]["content"][0]["source"].clone())
        };
        assert_eq!(image("https://h/a.png"), Ok(json!({"type": "url", "url": "https://h/a.png"})));
        let inline = json!({"type": "base64", "media_type": "image/png", "data": "AAAA"});
        assert_eq!(image("data:image/png;base64,AAAA"), Ok(inline));
        assert!(image("data:image/png,AAAA").is_err());
    }

    #[test]
    fn what_is_missing_is_named() {
        let check = |request: ChatRequest, expected: &str| {
            assert_eq!(body(&request).unwrap_err().to_string(), expected);
        };
        check(ChatRequest::default(), "`model` is required");
        check(ChatRequest::new("claude-x", vec![]), "`messages` is required");
        let only_system = ChatRequest::new("claude-x", vec![Message::system("Be brief.")]);
        check(only_system, "`messages` cannot be used: at least one must be other than `system`");
    }
}
