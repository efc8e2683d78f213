//! The body of a chat completion, read.

use serde_json::Value;

use super::{Members, has_only, texts, tools};
use crate::payload::{
    Attachment, ChatRequest, Content, Effort, Image, ImageSource, JsonSchema, Message, Part, PayloadError, Reasoning,
    ResponseFormat, Role, Tool, ToolCall, ToolChoice,
};

pub(super) fn read(body: &Value) -> Result<ChatRequest, PayloadError> {
    let (mut members, messages) = Members::of(body, "messages")?;
    let model = members.text("model").ok_or_else(|| PayloadError::missing("model"))?;
    let messages = messages.and_then(Value::as_array).ok_or_else(|| PayloadError::missing("messages"))?;
    let mut messages = messages.iter().map(read_message).collect::<Result<Vec<_>, _>>()?;
    name_calls(&mut messages);
    let mut request = ChatRequest::new(model, messages);
    request.max_tokens =
        members.take("max_completion_tokens", Value::as_u64).or_else(|| members.take("max_tokens", Value::as_u64));
    request.temperature = members.take("temperature", Value::as_f64);
    request.top_p = members.take("top_p", Value::as_f64);
    request.top_k = members.take("top_k", Value::as_u64);
    request.frequency_penalty = members.take("frequency_penalty", Value::as_f64);
    request.presence_penalty = members.take("presence_penalty", Value::as_f64);
    request.stop = members.take("stop", texts).unwrap_or_default();
    request.seed = members.take("seed", Value::as_i64).or_else(|| members.take("random_seed", Value::as_i64));
    request.n = members.take("n", Value::as_u64);
    request.tools = members.take("tools", |value| tools(value, read_tool)).unwrap_or_default();
    request.tool_choice = members.take("tool_choice", read_choice);
    request.parallel_tool_calls = members.take("parallel_tool_calls", Value::as_bool);
    request.response_format = members.take("response_format", read_format);
    request.reasoning =
        members.take("reasoning_effort", read_effort).or_else(|| members.take("reasoning", read_reasoning));
    request.user = members.text("user");
    request.stream = members.take("stream", Value::as_bool);
    // It is asked for again when the request is written.
    let is_usual = |value: &Value| {
        value.as_object()?.iter().all(|(name, on)| name == "include_usage" && *on == true).then_some(())
    };
    if request.is_stream() {
        members.take("stream_options", is_usual);
    }
    request.extra = members.left_over();
    Ok(request)
}

fn read_message(value: &Value) -> Result<Message, PayloadError> {
    let (mut members, content) =
        Members::of(value, "content").map_err(|_| PayloadError::unusable("messages", "each must be an object"))?;
    let role = members.take("role", |role| match role.as_str()? {
        "system" => Some(Role::System),
        "developer" => Some(Role::Developer),
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        "tool" => Some(Role::Tool),
        _ => None,
    });
    let role = role.ok_or_else(|| PayloadError::unusable("messages", "each must have a role that is known"))?;
    let content = match content {
        None | Some(Value::Null) => Content::default(),
        Some(content) => read_content(content)
            .ok_or_else(|| PayloadError::unusable("messages", "`content` must be a text or a list of parts"))?,
    };
    let mut message = Message::new(role, content);
    message.name = members.text("name");
    message.tool_call_id = members.text("tool_call_id");
    message.tool_calls = members
        .take("tool_calls", |calls| calls.as_array()?.iter().map(read_call).collect::<Option<Vec<_>>>())
        .unwrap_or_default();
    message.extra = members.left_over();
    Ok(message)
}

/// A result that does not say which call it answers (some servers take such) answers the first that has no answer yet.
fn name_calls(messages: &mut [Message]) {
    let mut open: Vec<String> = Vec::new();
    for message in messages {
        match (message.role, &message.tool_call_id) {
            (Role::Tool, Some(id)) => open.retain(|open| open != id),
            (Role::Tool, None) if !open.is_empty() => message.tool_call_id = Some(open.remove(0)),
            (Role::Tool, None) => {}
            _ => open = message.tool_calls.iter().map(|call| call.id.clone()).collect(),
        }
    }
}

fn read_content(value: &Value) -> Option<Content> {
    match value {
        Value::String(text) => Some(Content::Text(text.clone())),
        Value::Array(parts) => Some(Content::Parts(parts.iter().map(read_part).collect())),
        _ => None,
    }
}

/// A part that is text or an image and nothing more; any other as it stands.
pub(super) fn read_part(part: &Value) -> Part {
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "text"
        && has_only(part, &["type", "text"])
        && let Some(text) = part.get("text").and_then(Value::as_str)
    {
        return Part::text(text);
    }
    if kind == "image_url"
        && has_only(part, &["type", "image_url"])
        && let Some(image) = part.get("image_url").and_then(read_image)
    {
        return Part::Image(image);
    }
    read_file(kind, part).map_or_else(|| Part::Raw(part.clone()), Part::File)
}

/// A file or sound in full.
fn read_file(kind: &str, part: &Value) -> Option<Attachment> {
    has_only(part, &["type", kind]).then_some(())?;
    let inner = part.get(kind)?;
    let member = |name: &str| inner.get(name).and_then(Value::as_str);
    match kind {
        "input_audio" if has_only(inner, &["data", "format"]) => {
            Some(Attachment::from_base64(format!("audio/{}", member("format")?), member("data")?))
        }
        "file" if has_only(inner, &["filename", "file_data"]) => {
            let file = Attachment::from_url(member("file_data")?).with_name(member("filename")?);
            matches!(file.source, ImageSource::Base64 { .. }).then_some(file)
        }
        _ => None,
    }
}

fn read_image(value: &Value) -> Option<Image> {
    if !has_only(value, &["url", "detail"]) {
        return None;
    }
    let image = Image::from_url(value.get("url")?.as_str()?);
    match value.get("detail") {
        None => Some(image),
        Some(detail) => Some(image.with_detail(detail.as_str()?)),
    }
}

/// A call of a function. What else a server wrote beside it (its place in the list) has no meaning in a request.
fn read_call(call: &Value) -> Option<ToolCall> {
    let function = call.get("function")?;
    Some(ToolCall {
        id: call.get("id")?.as_str()?.to_owned(),
        name: function.get("name")?.as_str()?.to_owned(),
        arguments: function.get("arguments")?.as_str()?.to_owned(),
        signature: None,
    })
}

pub(super) fn read_tool(tool: &Value) -> Tool {
    let read = || {
        let function = tool.get("function")?;
        let is_plain = tool.get("type")? == "function"
            && has_only(tool, &["type", "function"])
            && has_only(function, &["name", "description", "parameters", "strict"]);
        is_plain.then_some(())?;
        let text = |name: &str| match function.get(name) {
            None => Some(None),
            Some(value) => value.as_str().map(|text| Some(text.to_owned())),
        };
        let strict = match function.get("strict") {
            None => None,
            Some(value) => Some(value.as_bool()?),
        };
        let parameters = function.get("parameters").cloned().filter(|schema| !schema.is_null());
        Some(Tool { name: text("name")??, description: text("description")?, parameters, strict, raw: None })
    };
    read().unwrap_or_else(|| Tool::raw(tool.clone()))
}

fn read_choice(choice: &Value) -> Option<ToolChoice> {
    match choice.as_str() {
        Some("auto") => Some(ToolChoice::Auto),
        Some("none") => Some(ToolChoice::None),
        Some("required" | "any") => Some(ToolChoice::Required),
        Some(_) => None,
        None => choice.pointer("/function/name")?.as_str().map(|name| ToolChoice::Named(name.to_owned())),
    }
}

fn read_format(format: &Value) -> Option<ResponseFormat> {
    match format.get("type")?.as_str()? {
        "text" => Some(ResponseFormat::Text),
        "json_object" => Some(ResponseFormat::JsonObject).filter(|_| has_only(format, &["type"])),
        "json_schema" => {
            let named = format.get("json_schema")?;
            has_only(named, &["name", "description", "schema", "strict"]).then_some(())?;
            Some(ResponseFormat::JsonSchema(JsonSchema {
                name: named.get("name")?.as_str()?.to_owned(),
                description: named.get("description").and_then(Value::as_str).map(str::to_owned),
                schema: named.get("schema")?.clone(),
                strict: named.get("strict").and_then(Value::as_bool),
            }))
        }
        _ => None,
    }
}

fn read_effort(word: &Value) -> Option<Reasoning> {
    Effort::parse(word.as_str()?).map(Reasoning::effort)
}

/// OpenRouter's object, where it holds nothing more than one of the two.
fn read_reasoning(value: &Value) -> Option<Reasoning> {
    has_only(value, &["effort", "max_tokens"]).then_some(())?;
    match (value.get("effort"), value.get("max_tokens")) {
        (Some(word), None) => read_effort(word),
        (None, Some(tokens)) => tokens.as_u64().map(Reasoning::budget),
        _ => None,
    }
}
