//! OpenAI's responses.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/create>. A stream of it states its usage unasked.

use serde_json::{Value, json};

use super::body::{Body, only_one_answer};
use super::media::no_such_files;
use super::openai::has_fixed_temperature;
use super::{
    ChatPayload, ChatRequest, Effort, ImageSource, Message, Part, PayloadError, ResponseFormat, Role, Tool, ToolCall,
    ToolChoice,
};

/// Where responses are.
const ENDPOINT: &str = "/v1/responses";

pub(crate) fn payload(request: &ChatRequest) -> Result<ChatPayload, PayloadError> {
    request.check()?;
    only_one_answer(request)?;
    if !request.stop.is_empty() {
        return Err(PayloadError::unusable("stop", "the responses interface has no stop sequences"));
    }
    let mut body = Body::default();
    body.put("model", request.model.as_str());
    let mut input = Vec::new();
    for message in &request.messages {
        write_message(message, &mut input)?;
    }
    body.put("input", input);
    body.put_some("max_output_tokens", request.max_tokens);
    // Models that think refuse any other than their own, here as well.
    let is_fixed = has_fixed_temperature(&request.model, request.asked_reasoning());
    let taken = |number: Option<f64>| number.filter(|number| !is_fixed || *number == 1.0);
    body.put_some("temperature", taken(request.temperature));
    body.put_some("top_p", taken(request.top_p));
    body.leave_out(&[
        ("temperature", request.temperature != taken(request.temperature)),
        ("top_p", request.top_p != taken(request.top_p)),
        ("top_k", request.top_k.is_some()),
        ("frequency_penalty", request.frequency_penalty.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
        ("seed", request.seed.is_some()),
    ]);
    body.put_list("tools", request.tools.iter().map(write_tool).collect());
    body.put_some("tool_choice", request.offered_choice().map(write_choice));
    body.put_some("parallel_tool_calls", request.offered_parallel());
    if let Some(format) = &request.response_format {
        body.put("text", json!({"format": write_format(format)}));
    }
    if let Some(reasoning) = request.asked_reasoning() {
        body.put("reasoning", json!({"effort": reasoning.word(request.max_tokens).map(Effort::name)}));
    }
    body.put_some("user", request.user.as_deref());
    body.put_some("stream", request.stream);
    Ok(body.finish(ENDPOINT, request))
}

/// A message, and the calls in it, which are items of their own here.
fn write_message(message: &Message, input: &mut Vec<Value>) -> Result<(), PayloadError> {
    if message.role == Role::Tool {
        let output = match &message.content {
            super::Content::Text(text) => json!(text),
            content => Value::Array(content.map_parts(|one| part(one, Role::User))?),
        };
        input.push(json!({"type": "function_call_output", "call_id": message.answered_call()?, "output": output}));
        return Ok(());
    }
    if !message.content.is_empty() || message.tool_calls.is_empty() {
        let content = match &message.content {
            super::Content::Text(text) => json!(text),
            content => Value::Array(content.map_parts(|one| part(one, message.role))?),
        };
        let mut item = serde_json::Map::from_iter([
            ("role".to_owned(), json!(message.role.name())),
            ("content".to_owned(), content),
        ]);
        item.extend(message.extra.clone());
        input.push(Value::Object(item));
    }
    input.extend(message.tool_calls.iter().map(write_call));
    Ok(())
}

fn part(part: &Part, role: Role) -> Result<Value, PayloadError> {
    Ok(match part {
        Part::Text(text) if role == Role::Assistant => json!({"type": "output_text", "text": text}),
        Part::Text(text) => json!({"type": "input_text", "text": text}),
        Part::Image(image) => {
            let detail = image.detail.as_deref().unwrap_or("auto");
            json!({"type": "input_image", "image_url": image.url(), "detail": detail})
        }
        Part::File(file) if file.sound_format().is_some() => return Err(no_such_files()),
        Part::File(file) => match &file.source {
            ImageSource::Url(url) => json!({"type": "input_file", "file_url": url}),
            ImageSource::Base64 { media_type, data } => {
                let data = format!("data:{media_type};base64,{data}");
                json!({"type": "input_file", "filename": file.name(), "file_data": data})
            }
        },
        Part::Raw(raw) => raw.clone(),
    })
}

fn write_call(call: &ToolCall) -> Value {
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments})
}

/// A function stands flat here. `strict` is on unless it is said to be off, so it is always said.
fn write_tool(tool: &Tool) -> Value {
    if let Some(raw) = &tool.raw {
        return raw.clone();
    }
    let mut function = Body::default();
    function.put("type", "function");
    function.put("name", tool.name.as_str());
    function.put_some("description", tool.description.as_deref());
    function.put("parameters", tool.schema());
    function.put("strict", tool.strict.unwrap_or(false));
    function.into_value()
}

fn write_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => json!({"type": "function", "name": name}),
    }
}

fn write_format(format: &ResponseFormat) -> Value {
    match format {
        ResponseFormat::Text => json!({"type": "text"}),
        ResponseFormat::JsonObject => json!({"type": "json_object"}),
        ResponseFormat::JsonSchema(schema) => {
            let mut flat = Body::default();
            flat.put("type", "json_schema");
            flat.put("name", schema.name.as_str());
            flat.put_some("description", schema.description.as_deref());
            flat.put("schema", schema.schema.clone());
            flat.put_some("strict", schema.strict);
            flat.into_value()
        }
    }
}

#[cfg(test)]
mod tests;
