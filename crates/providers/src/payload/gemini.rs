//! Google's contents: the Gemini API and Vertex AI.
//!
//! Sources: <https://ai.google.dev/api/generate-content>, <https://ai.google.dev/gemini-api/docs/thinking>,
//! <https://ai.google.dev/gemini-api/docs/openai> (what an effort means in tokens). A stream states its usage unasked.

use serde_json::{Map, Value, json};

use super::body::{Body, path_segment};
use super::turns::{self, Turn};
use super::{
    Attachment, ChatPayload, ChatRequest, Content, Effort, Image, ImageSource, Message, Part, PayloadError, Reasoning,
    ResponseFormat, Role, Tool, ToolCall, ToolChoice,
};

/// The body, for `/models/MODEL:generateContent`. The model is part of the path, and so is whether the answer is a
/// stream. `request.extra` joins the top level of the body.
pub(crate) fn payload(request: &ChatRequest) -> Result<ChatPayload, PayloadError> {
    request.check()?;
    let mut body = Body::default();
    let system = request.system_texts();
    if !system.is_empty() {
        let parts: Vec<Value> = system.iter().map(|text| json!({"text": text})).collect();
        body.put("systemInstruction", json!({"parts": parts}));
    }
    let turns = turns::of(request)?;
    body.put("contents", turns.iter().map(|turn| write_turn(turn, request)).collect::<Result<Vec<_>, _>>()?);
    write_tools(request, &mut body);
    if let Some(choice) = request.offered_choice() {
        body.put("toolConfig", json!({"functionCallingConfig": write_choice(choice)}));
    }
    body.put_object("generationConfig", generation_config(request));
    body.leave_out(&[("user", request.user.is_some()), ("parallel_tool_calls", request.offered_parallel().is_some())]);
    let model = request.model.trim().trim_start_matches("models/");
    let method = if request.is_stream() { "streamGenerateContent?alt=sse" } else { "generateContent" };
    Ok(body.finish(format!("/models/{}:{method}", path_segment(model)), request))
}

fn generation_config(request: &ChatRequest) -> Body {
    let mut config = Body::default();
    config.put_some("maxOutputTokens", request.max_tokens);
    config.put_some("temperature", request.temperature);
    config.put_some("topP", request.top_p);
    config.put_some("topK", request.top_k);
    config.put_some("frequencyPenalty", request.frequency_penalty);
    config.put_some("presencePenalty", request.presence_penalty);
    config.put_some("seed", request.seed);
    config.put_some("candidateCount", request.n);
    config.put_list("stopSequences", request.stop.clone());
    match &request.response_format {
        None => {}
        Some(ResponseFormat::Text) => config.put("responseMimeType", "text/plain"),
        Some(ResponseFormat::JsonObject) => config.put("responseMimeType", "application/json"),
        Some(ResponseFormat::JsonSchema(schema)) => {
            config.put("responseMimeType", "application/json");
            config.put("responseJsonSchema", schema.schema.clone());
        }
    }
    if let Some(reasoning) = request.asked_reasoning() {
        config.put("thinkingConfig", think(&reasoning, &request.model));
    }
    config
}

/// Models up to 2.5 take a number, later ones a word. What a word is in tokens says Google's page on OpenAI's interface.
fn think(reasoning: &Reasoning, model: &str) -> Value {
    let takes_a_number = ["gemini-1", "gemini-2"].iter().any(|family| model.contains(family));
    match (reasoning.budget_tokens, reasoning.effort) {
        (Some(tokens), _) => json!({"thinkingBudget": tokens}),
        (None, Some(effort)) if takes_a_number => {
            let tokens = match effort {
                Effort::None => 0,
                Effort::Minimal | Effort::Low => 1_024,
                Effort::Medium => 8_192,
                _ => 24_576,
            };
            json!({"thinkingBudget": tokens})
        }
        (None, effort) => {
            // These models cannot be kept from thinking, and know nothing above `high`.
            let effort = effort.unwrap_or(Effort::High).clamp(Effort::Minimal, Effort::High);
            json!({"thinkingLevel": effort.name()})
        }
    }
}

fn write_turn(turn: &Turn<'_>, request: &ChatRequest) -> Result<Value, PayloadError> {
    let mut parts = Vec::new();
    for message in &turn.messages {
        for thought in message.thoughts.iter().filter(|thought| !thought.is_redacted) {
            let mut part = Body::default();
            part.put("text", thought.text.as_str());
            part.put("thought", true);
            part.put_some("thoughtSignature", thought.signature.as_deref());
            parts.push(part.into_value());
        }
        if message.role == Role::Tool {
            parts.push(write_result(message, request)?);
            parts.extend(images(message)?);
            continue;
        }
        if !message.content.is_empty() || message.tool_calls.is_empty() {
            parts.extend(message.content.map_parts(part)?);
        }
        for call in &message.tool_calls {
            parts.push(write_call(call)?);
        }
    }
    Ok(turn.written(if turn.is_model { "model" } else { "user" }, "parts", parts))
}

fn part(part: &Part) -> Result<Value, PayloadError> {
    match part {
        Part::Text(text) => Ok(json!({"text": text})),
        Part::Raw(raw) => Ok(raw.clone()),
        Part::Image(Image { source, .. }) | Part::File(Attachment { source, .. }) => write_source(source),
    }
}

fn write_source(source: &ImageSource) -> Result<Value, PayloadError> {
    match source {
        ImageSource::Base64 { media_type, data } => Ok(json!({"inlineData": {"mimeType": media_type, "data": data}})),
        ImageSource::Url(url) if url.starts_with("data:") => Err(super::media::not_base64()),
        ImageSource::Url(url) => {
            let mut file = Map::from_iter([("fileUri".to_owned(), json!(url))]);
            // Vertex wants to know what it is; the end of the address tells for all kinds that models read.
            file.extend(media_type_of(url).map(|media_type| ("mimeType".to_owned(), json!(media_type))));
            Ok(json!({"fileData": file}))
        }
    }
}

fn media_type_of(url: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str); 10] = [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("webp", "image/webp"),
        ("heic", "image/heic"),
        ("gif", "image/gif"),
        ("pdf", "application/pdf"),
        ("mp3", "audio/mp3"),
        ("wav", "audio/wav"),
        ("mp4", "video/mp4"),
    ];
    let path = url.split(['?', '#']).next()?;
    let (_, end) = path.rsplit_once('.')?;
    KINDS.into_iter().find(|(name, _)| end.eq_ignore_ascii_case(name)).map(|(_, media_type)| media_type)
}

/// The answer of a tool is an object here; any other is put into one.
fn write_result(message: &Message, request: &ChatRequest) -> Result<Value, PayloadError> {
    let name = turns::tool_name(request, message)?;
    let text = message.content.text();
    let member = if message.is_error { "error" } else { "result" };
    let response = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(object)) if !message.is_error => Value::Object(object),
        _ => json!({member: text}),
    };
    let mut result = Body::default();
    result.put_some("id", message.tool_call_id.as_deref().filter(|id| !id.is_empty()));
    result.put("name", name);
    result.put("response", response);
    Ok(json!({"functionResponse": result.into_value()}))
}

/// The images and files of a tool's answer, which stand beside it: its object has no place for them.
fn images(message: &Message) -> Result<Vec<Value>, PayloadError> {
    match &message.content {
        Content::Text(_) => Ok(Vec::new()),
        Content::Parts(parts) => {
            parts.iter().filter(|part| matches!(part, Part::Image(_) | Part::File(_))).map(part).collect()
        }
    }
}

fn write_call(call: &ToolCall) -> Result<Value, PayloadError> {
    let mut function = Body::default();
    function.put_some("id", (!call.id.is_empty()).then_some(call.id.as_str()));
    function.put("name", call.name.as_str());
    function.put("args", call.object()?);
    let mut part = Body::default();
    part.put("functionCall", function.into_value());
    part.put_some("thoughtSignature", call.signature.as_deref());
    Ok(part.into_value())
}

/// All functions stand in one tool; those in Google's own form are tools beside it.
fn write_tools(request: &ChatRequest, body: &mut Body) {
    let functions: Vec<Value> = request.tools.iter().filter(|tool| tool.raw.is_none()).map(write_tool).collect();
    let mut tools: Vec<Value> = request.tools.iter().filter_map(|tool| tool.raw.clone()).collect();
    if !functions.is_empty() {
        tools.insert(0, json!({"functionDeclarations": functions}));
    }
    body.put_list("tools", tools);
}

fn write_tool(tool: &Tool) -> Value {
    let mut function = Body::default();
    function.put("name", tool.name.as_str());
    function.put_some("description", tool.description.as_deref());
    function.put_some("parametersJsonSchema", tool.parameters.clone());
    function.into_value()
}

fn write_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!({"mode": "AUTO"}),
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Named(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
    }
}

#[cfg(test)]
mod tests;
