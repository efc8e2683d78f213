//! The body of Anthropic's messages, read.

use serde_json::Value;

use super::{Members, has_only, texts, tools};
use crate::payload::{
    Attachment, ChatRequest, Content, Effort, Image, JsonSchema, Message, Part, PayloadError, Reasoning,
    ResponseFormat, Role, Thought, Tool, ToolCall, ToolChoice,
};

pub(super) fn read(body: &Value) -> Result<ChatRequest, PayloadError> {
    let (mut members, turns) = Members::of(body, "messages")?;
    let model = members.text("model").ok_or_else(|| PayloadError::missing("model"))?;
    let turns = turns.and_then(Value::as_array).ok_or_else(|| PayloadError::missing("messages"))?;
    let mut messages = Vec::new();
    let system = members.take("system", |system| match system {
        Value::String(text) => Some(Content::Text(text.clone())),
        Value::Array(blocks) => Some(Content::Parts(blocks.iter().map(read_part).collect())),
        _ => None,
    });
    messages.extend(system.map(Message::system));
    for turn in turns {
        read_turn(turn, &mut messages)?;
    }
    let mut request = ChatRequest::new(model, messages);
    request.max_tokens = members.take("max_tokens", Value::as_u64);
    request.temperature = members.take("temperature", Value::as_f64);
    request.top_p = members.take("top_p", Value::as_f64);
    request.top_k = members.take("top_k", Value::as_u64);
    request.stop = members.take("stop_sequences", texts).unwrap_or_default();
    request.tools = members.take("tools", |value| tools(value, read_tool)).unwrap_or_default();
    if let Some((choice, parallel)) = members.take("tool_choice", read_choice) {
        request.tool_choice = Some(choice);
        request.parallel_tool_calls = parallel;
    }
    request.user = members.take("metadata", |metadata| {
        has_only(metadata, &["user_id"]).then(|| metadata.get("user_id")?.as_str().map(str::to_owned))?
    });
    request.stream = members.take("stream", Value::as_bool);
    request.reasoning = members.take("thinking", read_thinking);
    request.response_format = members.take("output_config", read_format);
    request.extra = members.left_over();
    Ok(request)
}

fn read_turn(turn: &Value, messages: &mut Vec<Message>) -> Result<(), PayloadError> {
    let (mut members, content) =
        Members::of(turn, "content").map_err(|_| PayloadError::unusable("messages", "each must be an object"))?;
    let role = members.take("role", |role| match role.as_str()? {
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        "system" => Some(Role::System),
        _ => None,
    });
    let role = role.ok_or_else(|| PayloadError::unusable("messages", "each must have a role that is known"))?;
    let mut read = match content {
        Some(Value::String(text)) => vec![Message::new(role, text.as_str())],
        Some(Value::Array(blocks)) => read_blocks(role, blocks),
        _ => return Err(PayloadError::missing("messages.content")),
    };
    if let Some(first) = read.first_mut() {
        first.extra = members.left_over();
    }
    messages.append(&mut read);
    Ok(())
}

/// The blocks of one turn as messages: results of tools are messages of their own, and a block that would change places
/// (thoughts are written first, then what is said, then calls) begins a further one. Always at least one.
pub(super) fn read_blocks(role: Role, blocks: &[Value]) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    let new = || Message::new(role, Content::Parts(Vec::new()));
    for block in blocks {
        if let Some(result) = read_result(block).filter(|_| role == Role::User) {
            messages.push(result);
            continue;
        }
        if messages.last().is_none_or(|last| last.role == Role::Tool) {
            messages.push(new());
        }
        let Some(last) = messages.last() else { continue };
        let says = !last.content.is_empty();
        let calls = !last.tool_calls.is_empty();
        let thought = read_thought(block).filter(|_| role == Role::Assistant);
        let call = read_call(block).filter(|_| role == Role::Assistant);
        let is_out_of_place = (thought.is_some() && (says || calls)) || (thought.is_none() && call.is_none() && calls);
        if is_out_of_place {
            messages.push(new());
        }
        let Some(last) = messages.last_mut() else { continue };
        if let Some(thought) = thought {
            last.thoughts.push(thought);
        } else if let Some(call) = call {
            last.tool_calls.push(call);
        } else if let Content::Parts(parts) = &mut last.content {
            parts.push(read_part(block));
        }
    }
    if messages.is_empty() {
        messages.push(new());
    }
    messages
}

fn kind(block: &Value) -> &str {
    block.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn read_part(block: &Value) -> Part {
    let read = || match kind(block) {
        "text" if has_only(block, &["type", "text"]) => {
            // An empty text would not be written again.
            let text = block.get("text")?.as_str().filter(|text| !text.is_empty())?;
            Some(Part::text(text))
        }
        "image" if has_only(block, &["type", "source"]) => {
            let source = block.get("source")?;
            let member = |name: &str| source.get(name).and_then(Value::as_str);
            match member("type")? {
                "url" if has_only(source, &["type", "url"]) => {
                    member("url").filter(|url| !url.starts_with("data:")).map(Part::image_url)
                }
                "base64" if has_only(source, &["type", "media_type", "data"]) => {
                    Some(Part::Image(Image::from_base64(member("media_type")?, member("data")?)))
                }
                _ => None,
            }
        }
        "document" if has_only(block, &["type", "source", "title"]) => {
            let source = block.get("source")?;
            let member = |name: &str| source.get(name).and_then(Value::as_str);
            let file = match member("type")? {
                "url" if has_only(source, &["type", "url"]) => {
                    member("url").filter(|url| !url.starts_with("data:")).map(Attachment::from_url)?
                }
                "base64" if has_only(source, &["type", "media_type", "data"]) => {
                    let media_type = member("media_type").filter(|media_type| *media_type == "application/pdf")?;
                    Attachment::from_base64(media_type, member("data")?)
                }
                _ => return None,
            };
            Some(Part::File(match block.get("title") {
                None => file,
                Some(title) => file.with_name(title.as_str()?),
            }))
        }
        _ => None,
    };
    read().unwrap_or_else(|| Part::Raw(block.clone()))
}

fn read_result(block: &Value) -> Option<Message> {
    if kind(block) != "tool_result" || !has_only(block, &["type", "tool_use_id", "content", "is_error"]) {
        return None;
    }
    let content = match block.get("content")? {
        Value::String(text) => Content::Text(text.clone()),
        Value::Array(parts) => Content::Parts(parts.iter().map(read_part).collect()),
        _ => return None,
    };
    let mut message = Message::tool(block.get("tool_use_id")?.as_str()?, content);
    message.is_error = match block.get("is_error") {
        None => false,
        Some(value) => value.as_bool()?,
    };
    Some(message)
}

fn read_call(block: &Value) -> Option<ToolCall> {
    if kind(block) != "tool_use" || !has_only(block, &["type", "id", "name", "input"]) {
        return None;
    }
    let input = block.get("input").filter(|input| input.is_object())?;
    Some(ToolCall::new(block.get("id")?.as_str()?, block.get("name")?.as_str()?, input))
}

fn read_thought(block: &Value) -> Option<Thought> {
    match kind(block) {
        "thinking" if has_only(block, &["type", "thinking", "signature"]) => {
            Some(Thought::signed(block.get("thinking")?.as_str()?, block.get("signature")?.as_str()?))
        }
        "redacted_thinking" if has_only(block, &["type", "data"]) => {
            let text = block.get("data")?.as_str()?.to_owned();
            Some(Thought { text, signature: None, is_redacted: true })
        }
        _ => None,
    }
}

pub(super) fn read_tool(tool: &Value) -> Tool {
    let read = || {
        has_only(tool, &["name", "description", "input_schema", "strict"]).then_some(())?;
        let description = match tool.get("description") {
            None => None,
            Some(value) => Some(value.as_str()?.to_owned()),
        };
        let strict = match tool.get("strict") {
            None => None,
            Some(value) => Some(value.as_bool()?),
        };
        let name = tool.get("name")?.as_str()?.to_owned();
        Some(Tool { name, description, parameters: Some(tool.get("input_schema")?.clone()), strict, raw: None })
    };
    read().unwrap_or_else(|| Tool::raw(tool.clone()))
}

pub(super) fn read_choice(choice: &Value) -> Option<(ToolChoice, Option<bool>)> {
    has_only(choice, &["type", "name", "disable_parallel_tool_use"]).then_some(())?;
    let parallel = match choice.get("disable_parallel_tool_use") {
        None => None,
        Some(value) => Some(!value.as_bool()?),
    };
    let read = match choice.get("type")?.as_str()? {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" if parallel.is_none() => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.get("name")?.as_str()?.to_owned()),
        _ => return None,
    };
    Some((read, parallel))
}

/// A budget; the word of the models that decide themselves stands in `output_config` and stays there.
fn read_thinking(thinking: &Value) -> Option<Reasoning> {
    has_only(thinking, &["type", "budget_tokens"]).then_some(())?;
    match thinking.get("type")?.as_str()? {
        "enabled" => thinking.get("budget_tokens")?.as_u64().map(Reasoning::budget),
        "disabled" => Some(Reasoning::effort(Effort::None)),
        _ => None,
    }
}

/// A schema without a name gets one: other forms require it.
fn read_format(config: &Value) -> Option<ResponseFormat> {
    has_only(config, &["format"]).then_some(())?;
    let format = config.get("format")?;
    has_only(format, &["type", "schema"]).then_some(())?;
    let schema = format.get("schema").filter(|_| format.get("type").is_some_and(|kind| kind == "json_schema"))?;
    Some(ResponseFormat::JsonSchema(JsonSchema { strict: None, ..JsonSchema::new("answer", schema.clone()) }))
}
