//! Cohere's chat, version 2.
//!
//! Sources: <https://docs.cohere.com/reference/chat>, <https://docs.cohere.com/docs/reasoning>. A stream states its usage
//! unasked.

use serde_json::{Value, json};

use super::body::{Body, only_one_answer};
use super::media::{no_images_of_tools, no_such_files};
use super::openai::write_tool_loosely;
use super::{
    ChatPayload, ChatRequest, Content, Message, Part, PayloadError, ResponseFormat, Role, Tool, ToolCall, ToolChoice,
};

/// Where the chat is. Its version is not the one of the other paths.
const ENDPOINT: &str = "/v2/chat";

pub(crate) fn payload(request: &ChatRequest) -> Result<ChatPayload, PayloadError> {
    request.check()?;
    only_one_answer(request)?;
    let mut body = Body::default();
    body.put("model", request.model.as_str());
    body.put("messages", request.messages.iter().map(write_message).collect::<Result<Vec<_>, _>>()?);
    body.put_some("max_tokens", request.max_tokens);
    body.put_some("temperature", request.temperature);
    body.put_some("p", request.top_p);
    body.put_some("k", request.top_k);
    body.put_some("frequency_penalty", request.frequency_penalty);
    body.put_some("presence_penalty", request.presence_penalty);
    body.put_some("seed", request.seed);
    body.put_list("stop_sequences", request.stop.clone());
    write_tools(request, &mut body)?;
    match &request.response_format {
        None => {}
        Some(ResponseFormat::Text) => body.put("response_format", json!({"type": "text"})),
        Some(ResponseFormat::JsonObject) => body.put("response_format", json!({"type": "json_object"})),
        Some(ResponseFormat::JsonSchema(schema)) => {
            body.put("response_format", json!({"type": "json_object", "json_schema": schema.schema}));
        }
    }
    if let Some(reasoning) = request.asked_reasoning() {
        let mut thinking = Body::default();
        thinking.put("type", if reasoning.is_off() { "disabled" } else { "enabled" });
        thinking.put_some("token_budget", reasoning.budget_tokens.filter(|tokens| *tokens > 0));
        body.put("thinking", thinking.into_value());
    }
    body.leave_out(&[("user", request.user.is_some()), ("parallel_tool_calls", request.offered_parallel().is_some())]);
    // The field is required.
    body.put("stream", request.is_stream());
    Ok(body.finish(ENDPOINT, request))
}

/// Tools and which of them to call. There is no way to name one, so one that must be called is the only one offered.
fn write_tools(request: &ChatRequest, body: &mut Body) -> Result<(), PayloadError> {
    let is_offered = |tool: &&Tool| match request.offered_choice() {
        Some(ToolChoice::Named(name)) => tool.name == *name,
        _ => true,
    };
    let offered: Vec<&Tool> = request.tools.iter().filter(is_offered).collect();
    // Strictness is one switch for all.
    body.put_some("strict_tools", offered.iter().any(|tool| tool.strict == Some(true)).then_some(true));
    let tools: Vec<Value> = offered.into_iter().map(write_tool_loosely).collect();
    match request.offered_choice() {
        // Its default.
        None | Some(ToolChoice::Auto) => {}
        Some(ToolChoice::None) => body.put("tool_choice", "NONE"),
        Some(ToolChoice::Named(_)) if tools.is_empty() => {
            return Err(PayloadError::unusable("tool_choice", "no tool has this name"));
        }
        Some(ToolChoice::Required | ToolChoice::Named(_)) => body.put("tool_choice", "REQUIRED"),
    }
    body.put_list("tools", tools);
    Ok(())
}

fn write_message(message: &Message) -> Result<Value, PayloadError> {
    let mut members = Body::default();
    members.put("role", if message.role.is_system() { "system" } else { message.role.name() });
    if message.role == Role::Tool {
        if message.content.has_media() {
            return Err(no_images_of_tools());
        }
        members.put("tool_call_id", message.answered_call()?);
    }
    if !message.tool_calls.is_empty() {
        members.put("tool_calls", message.tool_calls.iter().map(write_call).collect::<Vec<_>>());
        // What a turn says beside its calls is the plan for them.
        let plan = message.content.text();
        members.put_some("tool_plan", (!plan.is_empty()).then_some(plan));
    } else {
        members.put(
            "content",
            match &message.content {
                Content::Text(text) => json!(text),
                content => Value::Array(content.map_parts(part)?),
            },
        );
    }
    let Value::Object(mut members) = members.into_value() else { return Ok(Value::Null) };
    members.extend(message.extra.clone());
    Ok(Value::Object(members))
}

fn part(part: &Part) -> Result<Value, PayloadError> {
    Ok(match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image(image) => json!({"type": "image_url", "image_url": {"url": image.url()}}),
        Part::File(_) => return Err(no_such_files()),
        Part::Raw(raw) => raw.clone(),
    })
}

fn write_call(call: &ToolCall) -> Value {
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

#[cfg(test)]
mod tests;
