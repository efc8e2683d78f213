//! Ollama's own chat.
//!
//! Source: <https://github.com/ollama/ollama/blob/main/docs/api.md>. Its OpenAI interface is
//! [`Form::OpenAiChat`](super::Form::OpenAiChat). A stream states its usage unasked.

use serde_json::{Map, Value, json};

use super::body::{Body, only_one_answer};
use super::media::no_such_files;
use super::openai::write_tool_loosely;
use super::turns;
use super::{ChatPayload, ChatRequest, Content, Effort, Message, Part, PayloadError, ResponseFormat, Role, ToolChoice};

/// Where the chat is.
const ENDPOINT: &str = "/api/chat";

pub(crate) fn payload(request: &ChatRequest) -> Result<ChatPayload, PayloadError> {
    request.check()?;
    only_one_answer(request)?;
    let mut body = Body::default();
    body.put("model", request.model.as_str());
    body.put(
        "messages",
        request.messages.iter().map(|message| write_message(message, request)).collect::<Result<Vec<_>, _>>()?,
    );
    let mut options = Body::default();
    options.put_some("num_predict", request.max_tokens);
    options.put_some("temperature", request.temperature);
    options.put_some("top_p", request.top_p);
    options.put_some("top_k", request.top_k);
    options.put_some("frequency_penalty", request.frequency_penalty);
    options.put_some("presence_penalty", request.presence_penalty);
    options.put_some("seed", request.seed);
    options.put_list("stop", request.stop.clone());
    body.put_object("options", options);
    match request.offered_choice() {
        // To call none, none are offered: there is no word for it.
        Some(ToolChoice::None) => {}
        None | Some(ToolChoice::Auto) => {
            body.put_list("tools", request.tools.iter().map(write_tool_loosely).collect());
        }
        Some(ToolChoice::Required | ToolChoice::Named(_)) => {
            return Err(PayloadError::unusable("tool_choice", "Ollama cannot be told to call a tool"));
        }
    }
    match &request.response_format {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => body.put("format", "json"),
        Some(ResponseFormat::JsonSchema(schema)) => body.put("format", schema.schema.clone()),
    }
    if let Some(reasoning) = request.asked_reasoning() {
        body.put(
            "think",
            match reasoning.word(request.max_tokens) {
                _ if reasoning.is_off() => json!(false),
                // Only some models know words, and they know these three.
                Some(effort) if request.model.contains("gpt-oss") => {
                    json!(effort.clamp(Effort::Low, Effort::High).name())
                }
                _ => json!(true),
            },
        );
    }
    body.leave_out(&[("user", request.user.is_some()), ("parallel_tool_calls", request.offered_parallel().is_some())]);
    // Left out it would be a stream.
    body.put("stream", request.is_stream());
    Ok(body.finish(ENDPOINT, request))
}

fn write_message(message: &Message, request: &ChatRequest) -> Result<Value, PayloadError> {
    let mut members = Body::default();
    members.put("role", if message.role.is_system() { "system" } else { message.role.name() });
    members.put("content", message.content.text());
    if let Content::Parts(parts) = &message.content {
        let mut images = Vec::new();
        for part in parts {
            match part {
                Part::Text(_) => {}
                Part::Image(image) => images.push(json!(image.inline()?.1)),
                Part::File(_) => return Err(no_such_files()),
                Part::Raw(raw) if raw.get("text").is_some() => {}
                Part::Raw(_) => {
                    return Err(PayloadError::unusable("messages", "Ollama takes texts and images only"));
                }
            }
        }
        members.put_list("images", images);
    }
    if message.role == Role::Tool {
        members.put("tool_name", turns::tool_name(request, message)?);
    }
    let mut calls = Vec::new();
    for call in &message.tool_calls {
        calls.push(json!({"function": {"name": call.name, "arguments": call.object()?}}));
    }
    members.put_list("tool_calls", calls);
    let thoughts: Vec<&str> = message.thoughts.iter().map(|thought| thought.text.as_str()).collect();
    members.put_some("thinking", (!thoughts.is_empty()).then(|| thoughts.join("\n")));
    let mut members: Map<String, Value> = match members.into_value() {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    members.extend(message.extra.clone());
    Ok(Value::Object(members))
}

#[cfg(test)]
mod tests;
