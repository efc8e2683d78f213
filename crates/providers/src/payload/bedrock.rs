//! Amazon Bedrock's Converse: one form for all the models it hosts.
//!
//! Sources: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>,
//! <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>. Requests must be signed, which is
//! the caller's task. A stream states its usage unasked.

use serde_json::{Map, Value, json};

use super::anthropic::{decides_itself, has_fixed_temperature, tool_id};
use super::body::{Body, only_one_answer, path_segment};
use super::media::no_such_files;
use super::options::LEAST_BUDGET;
use super::turns::{self, Turn};
use super::{
    Attachment, ChatPayload, ChatRequest, Content, Effort, Image, ImageSource, Message, Part, PayloadError, Reasoning,
    ResponseFormat, Role, Thought, Tool, ToolCall, ToolChoice,
};

/// The body, for `/model/MODEL/converse`. The model is part of the path, and so is whether the answer is a stream.
pub(crate) fn payload(request: &ChatRequest) -> Result<ChatPayload, PayloadError> {
    request.check()?;
    only_one_answer(request)?;
    let mut body = Body::default();
    let system: Vec<Value> = request.system_texts().iter().map(|text| json!({"text": text})).collect();
    body.put_list("system", system);
    body.put("messages", turns::of(request)?.iter().map(write_turn).collect::<Result<Vec<_>, _>>()?);
    let mut config = Body::default();
    config.put_some("maxTokens", request.max_tokens);
    let (temperature, top_p) = sampling(request);
    config.put_some("temperature", temperature);
    config.put_some("topP", top_p);
    config.put_list("stopSequences", request.stop.clone());
    body.put_object("inferenceConfig", config);
    body.put_some("toolConfig", write_tools(request));
    match &request.response_format {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => {
            return Err(PayloadError::unusable("response_format", "Bedrock has no JSON mode without a schema"));
        }
        Some(ResponseFormat::JsonSchema(schema)) => {
            // The schema is text here.
            let named = json!({"name": schema.name, "schema": schema.schema.to_string()});
            body.put(
                "outputConfig",
                json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": named}}}),
            );
        }
    }
    if let Some(reasoning) = request.asked_reasoning() {
        body.put_object("additionalModelRequestFields", think(&reasoning, request)?);
    }
    body.leave_out(&[
        ("temperature", request.temperature != temperature),
        ("top_p", request.top_p != top_p),
        ("top_k", request.top_k.is_some()),
        ("frequency_penalty", request.frequency_penalty.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
        ("seed", request.seed.is_some()),
        ("user", request.user.is_some()),
        ("parallel_tool_calls", request.offered_parallel().is_some()),
    ]);
    let method = if request.is_stream() { "converse-stream" } else { "converse" };
    Ok(body.finish(format!("/model/{}/{method}", path_segment(&request.model)), request))
}

/// Temperature and `top_p` as the model takes them: Anthropic's refuse others than their own while they think, and the
/// newest always.
fn sampling(request: &ChatRequest) -> (Option<f64>, Option<f64>) {
    let is_anthropics = request.model.contains("anthropic.");
    let thinks = request.asked_reasoning().is_some_and(|reasoning| !reasoning.is_off());
    let is_new = has_fixed_temperature(&request.model);
    if !is_anthropics || !(thinks || is_new) {
        return (request.temperature, request.top_p);
    }
    let least_top_p = if is_new { 1.0 } else { 0.95 };
    (request.temperature.filter(|number| *number == 1.0), request.top_p.filter(|number| *number >= least_top_p))
}

/// Thinking has no field of its own: each family of models takes its maker's.
fn think(reasoning: &Reasoning, request: &ChatRequest) -> Result<Body, PayloadError> {
    let mut fields = Body::default();
    if request.model.contains("anthropic.") {
        if reasoning.is_off() {
            fields.put("thinking", json!({"type": "disabled"}));
            return Ok(fields);
        }
        if decides_itself(&request.model) {
            fields.put("thinking", json!({"type": "adaptive"}));
            let word = reasoning.word(request.max_tokens).map(|effort| effort.max(Effort::Low));
            fields.put_some("output_config", word.map(|effort| json!({"effort": effort.name()})));
            return Ok(fields);
        }
        let budget = reasoning.tokens(request.max_tokens).unwrap_or(LEAST_BUDGET).max(LEAST_BUDGET);
        if request.max_tokens.is_some_and(|bound| bound <= budget) {
            return Err(PayloadError::unusable(
                "max_tokens",
                "must be larger than the tokens for thinking, at least 1024",
            ));
        }
        fields.put("thinking", json!({"type": "enabled", "budget_tokens": budget}));
    } else if request.model.contains("amazon.nova") {
        let effort = reasoning.word(request.max_tokens).unwrap_or(Effort::Medium).clamp(Effort::Low, Effort::High);
        fields.put(
            "reasoningConfig",
            if reasoning.is_off() {
                json!({"type": "disabled"})
            } else {
                json!({"type": "enabled", "maxReasoningEffort": effort.name()})
            },
        );
    } else {
        fields.put_some("reasoning_effort", reasoning.word(request.max_tokens).map(Effort::name));
    }
    Ok(fields)
}

fn write_turn(turn: &Turn<'_>) -> Result<Value, PayloadError> {
    let mut blocks = Vec::new();
    for message in &turn.messages {
        blocks.extend(message.thoughts.iter().filter_map(write_thought));
        if message.role == Role::Tool {
            blocks.push(write_result(message)?);
            continue;
        }
        blocks.extend(message.content.map_said_parts(part)?);
        for call in &message.tool_calls {
            blocks.push(write_call(call)?);
        }
    }
    Ok(turn.written(if turn.is_model { "assistant" } else { "user" }, "content", blocks))
}

fn part(part: &Part) -> Result<Value, PayloadError> {
    Ok(match part {
        Part::Text(text) => json!({"text": text}),
        Part::Image(image) => write_image(image)?,
        Part::File(file) => write_document(file)?,
        Part::Raw(raw) => raw.clone(),
    })
}

fn write_image(image: &Image) -> Result<Value, PayloadError> {
    let (media_type, data) = image.inline()?;
    let format = match media_type {
        "image/png" => "png",
        "image/jpeg" | "image/jpg" => "jpeg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        _ => return Err(PayloadError::unusable("messages", "Bedrock takes images as PNG, JPEG, GIF or WebP")),
    };
    Ok(json!({"image": {"format": format, "source": {"bytes": data}}}))
}

/// Names may hold letters, digits, and few signs.
fn write_document(file: &Attachment) -> Result<Value, PayloadError> {
    let ImageSource::Base64 { media_type, data } = &file.source else { return Err(no_such_files()) };
    let format = match media_type.as_str() {
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        "text/markdown" => "md",
        "text/html" => "html",
        "text/csv" => "csv",
        _ => return Err(no_such_files()),
    };
    let is_fit = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '(' | ')' | '[' | ']');
    let name: String = file.name().chars().map(|c| if is_fit(&c) { c } else { '-' }).collect();
    Ok(json!({"document": {"format": format, "name": name, "source": {"bytes": data}}}))
}

fn write_thought(thought: &Thought) -> Option<Value> {
    if thought.is_redacted {
        return Some(json!({"reasoningContent": {"redactedContent": thought.text}}));
    }
    let signature = thought.signature.as_ref()?;
    Some(json!({"reasoningContent": {"reasoningText": {"text": thought.text, "signature": signature}}}))
}

fn write_result(message: &Message) -> Result<Value, PayloadError> {
    let content = match &message.content {
        Content::Text(text) => match serde_json::from_str::<Map<String, Value>>(text) {
            Ok(object) => vec![json!({"json": object})],
            Err(_) => vec![json!({"text": text})],
        },
        content => content.map_said_parts(part)?,
    };
    let mut result = Body::default();
    result.put("toolUseId", tool_id(message.answered_call()?));
    result.put("content", content);
    result.put_some("status", message.is_error.then_some("error"));
    Ok(json!({"toolResult": result.into_value()}))
}

fn write_call(call: &ToolCall) -> Result<Value, PayloadError> {
    Ok(json!({"toolUse": {"toolUseId": tool_id(&call.id), "name": call.name, "input": call.object()?}}))
}

/// Tools and which of them to call. To call none, none are offered: there is no word for it.
fn write_tools(request: &ChatRequest) -> Option<Value> {
    if request.tools.is_empty() || request.tool_choice == Some(ToolChoice::None) {
        return None;
    }
    let mut config = Body::default();
    config.put_list("tools", request.tools.iter().map(write_tool).collect());
    config.put_some(
        "toolChoice",
        match request.offered_choice() {
            None | Some(ToolChoice::None) => None,
            Some(ToolChoice::Auto) => Some(json!({"auto": {}})),
            Some(ToolChoice::Required) => Some(json!({"any": {}})),
            Some(ToolChoice::Named(name)) => Some(json!({"tool": {"name": name}})),
        },
    );
    Some(config.into_value())
}

fn write_tool(tool: &Tool) -> Value {
    if let Some(raw) = &tool.raw {
        return raw.clone();
    }
    let mut function = Body::default();
    function.put("name", tool.name.as_str());
    function.put_some("description", tool.description.as_deref());
    function.put("inputSchema", json!({"json": tool.schema()}));
    json!({"toolSpec": function.into_value()})
}

#[cfg(test)]
mod tests;
