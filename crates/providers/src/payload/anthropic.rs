//! Anthropic's messages.
//!
//! Sources: <https://platform.claude.com/docs/en/api/messages>,
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>,
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>. A stream states its usage unasked.

use serde_json::{Map, Value, json};

use super::body::{Body, only_one_answer};
use super::options::LEAST_BUDGET;
use super::turns::{self, Turn};
use super::{
    ChatPayload, ChatRequest, Content, Effort, ImageSource, Message, Part, PayloadError, ResponseFormat, Role, Thought,
    Tool, ToolCall, ToolChoice, media,
};

/// The bound on produced tokens where the request sets none: Anthropic requires one, and every model accepts this one.
pub const DEFAULT_MAX_TOKENS: u64 = 4_096;

/// Models that think whatever they are told: <https://platform.claude.com/docs/en/models/overview>.
const ALWAYS_THINK: [&str; 3] = ["claude-fable", "claude-mythos", "claude-opus-5-5"];

/// Models that do not think unless they are told to, and refuse to be told not to.
const THINK_WHEN_TOLD: [&str; 2] = ["claude-opus-4-7", "claude-opus-4-8"];

/// Where messages are.
const ENDPOINT: &str = "/v1/messages";

/// The body. All system messages, wherever they stand, are joined by a blank line into the `system` field, because a
/// message cannot have that role.
pub(crate) fn payload(request: &ChatRequest) -> Result<ChatPayload, PayloadError> {
    request.check()?;
    only_one_answer(request)?;
    let mut body = Body::default();
    body.put("model", request.model.as_str());
    let turns = turns::of(request)?;
    let messages = turns.iter().map(write_turn).collect::<Result<Vec<_>, _>>()?;
    body.put("messages", messages);
    body.put_some("system", write_system(request)?);
    // A model that thinks takes no temperature but its own, and the newest never do.
    let is_new = has_fixed_temperature(&request.model);
    let is_fixed = think(request, &mut body)? || is_new;
    let temperature = request.temperature.filter(|number| !is_fixed || *number == 1.0);
    let least_top_p = if is_new { 1.0 } else { 0.95 };
    let top_p = request.top_p.filter(|number| !is_fixed || *number >= least_top_p);
    let top_k = request.top_k.filter(|_| !is_fixed);
    body.put_some("temperature", temperature);
    body.put_some("top_p", top_p);
    body.put_some("top_k", top_k);
    body.leave_out(&[
        ("temperature", request.temperature != temperature),
        ("top_p", request.top_p != top_p),
        ("top_k", request.top_k != top_k),
        ("frequency_penalty", request.frequency_penalty.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
        ("seed", request.seed.is_some()),
    ]);
    body.put_list("stop_sequences", request.stop.clone());
    body.put_list("tools", request.tools.iter().map(write_tool).collect());
    body.put_some("tool_choice", write_choice(request));
    body.put_some("metadata", request.user.as_ref().map(|user| json!({"user_id": user})));
    body.put_some("stream", request.stream);
    Ok(body.finish(ENDPOINT, request))
}

/// The instructions: one text, or blocks where any of them has parts.
fn write_system(request: &ChatRequest) -> Result<Option<Value>, PayloadError> {
    let messages: Vec<&Message> = request.messages.iter().filter(|message| message.role.is_system()).collect();
    if messages.iter().all(|message| matches!(message.content, Content::Text(_))) {
        let texts = request.system_texts();
        return Ok((!texts.is_empty()).then(|| json!(texts.join("\n\n"))));
    }
    let mut blocks = Vec::new();
    for message in messages {
        blocks.extend(message.content.map_said_parts(part)?);
    }
    Ok((!blocks.is_empty()).then_some(Value::Array(blocks)))
}

/// Bound, thinking and the shape of the answer. Says whether the model thinks.
fn think(request: &ChatRequest, body: &mut Body) -> Result<bool, PayloadError> {
    let mut config = Body::default();
    config.put_some("format", write_format(request)?);
    let mut bound = request.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS);
    let thinks = match request.asked_reasoning() {
        None => false,
        Some(reasoning) if reasoning.is_off() => {
            if ALWAYS_THINK.iter().any(|model| request.model.contains(model)) {
                // They cannot be kept from it, only from much of it.
                config.put("effort", Effort::Low.name());
            } else if !THINK_WHEN_TOLD.iter().any(|model| request.model.contains(model)) {
                body.put("thinking", json!({"type": "disabled"}));
            }
            false
        }
        // The newer models decide themselves how long to think; a word tells them how much they should. Those of 4.6 still
        // take a number.
        Some(reasoning)
            if decides_itself(&request.model)
                && (reasoning.budget_tokens.is_none() || has_fixed_temperature(&request.model)) =>
        {
            body.put("thinking", json!({"type": "adaptive"}));
            let word = reasoning.word(request.max_tokens).map(|effort| effort.max(Effort::Low));
            config.put_some("effort", word.map(Effort::name));
            true
        }
        Some(reasoning) => {
            let budget = reasoning.tokens(request.max_tokens).unwrap_or(LEAST_BUDGET).max(LEAST_BUDGET);
            if request.max_tokens.is_none() {
                bound = budget.saturating_add(DEFAULT_MAX_TOKENS);
            } else if bound <= budget {
                return Err(PayloadError::unusable(
                    "max_tokens",
                    "must be larger than the tokens for thinking, at least 1024",
                ));
            }
            body.put("thinking", json!({"type": "enabled", "budget_tokens": budget}));
            true
        }
    };
    body.put("max_tokens", bound);
    body.put_object("output_config", config);
    Ok(thinks)
}

/// Models since Opus 4.6 and Sonnet 4.6 think as long as they see fit (`adaptive`), and the newest take nothing else;
/// those before take a number of tokens only. A model that is not known is a newer one.
pub(crate) fn decides_itself(model: &str) -> bool {
    const BEFORE: [&str; 10] =
        ["2", "instant", "3", "opus-4-0", "opus-4-1", "opus-4-2", "opus-4-5", "sonnet-4-0", "sonnet-4-2", "sonnet-4-5"];
    let Some((_, name)) = model.split_once("claude-") else { return true };
    let is_of_4_0 = ["opus-4", "sonnet-4"]
        .iter()
        .any(|family| name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', ':'])));
    !is_of_4_0 && !name.starts_with("haiku-4") && !BEFORE.iter().any(|front| name.starts_with(front))
}

/// The models after 4.6 refuse a temperature: <https://platform.claude.com/docs/en/about-claude/models/migration-guide>.
pub(crate) fn has_fixed_temperature(model: &str) -> bool {
    decides_itself(model) && model.contains("claude-") && !model.contains("-4-6")
}

fn write_turn(turn: &Turn<'_>) -> Result<Value, PayloadError> {
    let role = if turn.is_model { "assistant" } else { "user" };
    let content = match turn.messages.as_slice() {
        [only] if is_plain(only) => json!(only.content.text()),
        messages => Value::Array(write_blocks(messages)?),
    };
    let mut message = Map::from_iter([("role".to_owned(), json!(role)), ("content".to_owned(), content)]);
    for part in &turn.messages {
        message.extend(part.extra.clone());
    }
    Ok(Value::Object(message))
}

/// Whether it is text and nothing else.
fn is_plain(message: &Message) -> bool {
    matches!(message.content, Content::Text(_))
        && message.role != Role::Tool
        && message.tool_calls.is_empty()
        && message.thoughts.is_empty()
}

fn write_blocks(messages: &[&Message]) -> Result<Vec<Value>, PayloadError> {
    let mut blocks = Vec::new();
    // The results of tools stand before anything else that the person says.
    for message in messages.iter().filter(|message| message.role == Role::Tool) {
        blocks.push(write_result(message)?);
    }
    for message in messages.iter().filter(|message| message.role != Role::Tool) {
        blocks.extend(message.thoughts.iter().filter_map(write_thought));
        blocks.extend(message.content.map_said_parts(part)?);
        for call in &message.tool_calls {
            blocks.push(write_call(call)?);
        }
    }
    Ok(blocks)
}

fn part(part: &Part) -> Result<Value, PayloadError> {
    Ok(match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Raw(raw) => raw.clone(),
        Part::Image(image) => json!({"type": "image", "source": write_source(&image.source)?}),
        Part::File(file) => {
            if matches!(&file.source, ImageSource::Base64 { media_type, .. } if media_type != "application/pdf") {
                return Err(media::no_such_files());
            }
            let mut document = Body::default();
            document.put("type", "document");
            document.put("source", write_source(&file.source)?);
            document.put_some("title", file.name.as_deref());
            document.into_value()
        }
    })
}

fn write_source(source: &ImageSource) -> Result<Value, PayloadError> {
    match source {
        ImageSource::Url(url) if url.starts_with("data:") => Err(media::not_base64()),
        ImageSource::Url(url) => Ok(json!({"type": "url", "url": url})),
        ImageSource::Base64 { media_type, data } => {
            Ok(json!({"type": "base64", "media_type": media_type, "data": data}))
        }
    }
}

fn write_result(message: &Message) -> Result<Value, PayloadError> {
    let mut block = Body::default();
    block.put("type", "tool_result");
    block.put("tool_use_id", tool_id(message.answered_call()?));
    block.put(
        "content",
        match &message.content {
            Content::Text(text) => json!(text),
            content => Value::Array(content.map_said_parts(part)?),
        },
    );
    block.put_some("is_error", message.is_error.then_some(true));
    Ok(block.into_value())
}

/// A thought without its signature is refused, so it stays here.
fn write_thought(thought: &Thought) -> Option<Value> {
    if thought.is_redacted {
        return Some(json!({"type": "redacted_thinking", "data": thought.text}));
    }
    let signature = thought.signature.as_ref()?;
    Some(json!({"type": "thinking", "thinking": thought.text, "signature": signature}))
}

fn write_call(call: &ToolCall) -> Result<Value, PayloadError> {
    Ok(json!({"type": "tool_use", "id": tool_id(&call.id), "name": call.name, "input": call.object()?}))
}

/// Ids consist of letters, digits, `_` and `-`; those of other providers may hold more.
pub(crate) fn tool_id(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect()
}

fn write_tool(tool: &Tool) -> Value {
    if let Some(raw) = &tool.raw {
        return raw.clone();
    }
    let mut function = Body::default();
    function.put("name", tool.name.as_str());
    function.put_some("description", tool.description.as_deref());
    function.put("input_schema", tool.schema());
    function.put_some("strict", tool.strict);
    function.into_value()
}

fn write_choice(request: &ChatRequest) -> Option<Value> {
    let mut choice = Body::default();
    match request.offered_choice() {
        Some(ToolChoice::Auto) => choice.put("type", "auto"),
        Some(ToolChoice::None) => return Some(json!({"type": "none"})),
        Some(ToolChoice::Required) => choice.put("type", "any"),
        Some(ToolChoice::Named(name)) => {
            choice.put("type", "tool");
            choice.put("name", name.as_str());
        }
        // Several calls at once are only spoken of where something is chosen.
        None if request.offered_parallel().is_none() => return None,
        None => choice.put("type", "auto"),
    }
    choice.put_some("disable_parallel_tool_use", request.offered_parallel().map(|may| !may));
    Some(choice.into_value())
}

fn write_format(request: &ChatRequest) -> Result<Option<Value>, PayloadError> {
    match &request.response_format {
        None | Some(ResponseFormat::Text) => Ok(None),
        Some(ResponseFormat::JsonObject) => {
            Err(PayloadError::unusable("response_format", "Anthropic has no JSON mode without a schema"))
        }
        Some(ResponseFormat::JsonSchema(schema)) => Ok(Some(json!({"type": "json_schema", "schema": schema.schema}))),
    }
}

#[cfg(test)]
mod tests;
