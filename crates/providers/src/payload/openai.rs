//! OpenAI's chat completions, in the dialect of each server that speaks them.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/create>.

use serde_json::{Map, Value, json};

use super::body::{Body, only_one_answer};
use super::chat_dialect::{Bound, ChatDialect, Thinking};
use super::media::{no_images_of_tools, no_such_files};
use super::{
    Attachment, ChatPayload, ChatRequest, Content, Effort, ImageSource, Message, Part, PayloadError, Reasoning,
    ResponseFormat, Role, Tool, ToolCall, ToolChoice,
};

/// Where chat completions are.
const ENDPOINT: &str = "/v1/chat/completions";

pub(crate) fn payload(request: &ChatRequest, dialect: &ChatDialect) -> Result<ChatPayload, PayloadError> {
    request.check()?;
    let mut body = Body::default();
    body.put("model", request.model.as_str());
    let messages = request.messages.iter().map(|message| write_message(message, dialect));
    body.put("messages", messages.collect::<Result<Vec<_>, _>>()?);
    body.put_some(bound_name(dialect.bound, &request.model), request.max_tokens);
    sampling(request, dialect, &mut body);
    body.put_list("stop", request.stop.clone());
    body.put_some(dialect.seed, request.seed);
    if !dialect.several_answers {
        only_one_answer(request)?;
    }
    body.put_some("n", request.n);
    body.put_list("tools", request.tools.iter().map(write_tool).collect());
    body.put_some("tool_choice", request.offered_choice().map(|choice| write_choice(choice, dialect)));
    body.put_some("parallel_tool_calls", request.offered_parallel());
    body.put_some("response_format", response_format(request, dialect)?);
    if let Some(reasoning) = request.asked_reasoning() {
        think(&reasoning, request, dialect, &mut body);
    }
    body.put_some("user", request.user.as_deref().filter(|_| dialect.user));
    let has_names = request.messages.iter().any(|message| message.name.is_some());
    body.leave_out(&[
        ("user", request.user.is_some() && !dialect.user),
        ("messages.name", has_names && !dialect.names),
    ]);
    body.put_some("stream", request.stream);
    if request.is_stream() && dialect.asks_stream_usage {
        // Without it a stream does not say what it took.
        body.put("stream_options", json!({"include_usage": true}));
    }
    if dialect.asks_cost {
        body.put("usage", json!({"include": true}));
    }
    Ok(body.finish(ENDPOINT, request))
}

/// Temperature and the like. OpenAI's reasoning models refuse any other than their own, so there they are left out; see
/// <https://platform.openai.com/docs/guides/latest-model>.
fn sampling(request: &ChatRequest, dialect: &ChatDialect, body: &mut Body) {
    let is_fixed = dialect.fixed_temperature && has_fixed_temperature(&request.model, request.asked_reasoning());
    let numbers = [
        ("temperature", request.temperature, 1.0),
        ("top_p", request.top_p, 1.0),
        ("frequency_penalty", request.frequency_penalty, 0.0),
        ("presence_penalty", request.presence_penalty, 0.0),
    ];
    for (name, number, own) in numbers {
        let is_taken = dialect.penalties || !name.ends_with("_penalty");
        let sent = number.filter(|number| is_taken && (!is_fixed || *number == own));
        body.put_some(name, sent);
        body.leave_out(&[(name, number != sent)]);
    }
    if dialect.top_k {
        body.put_some("top_k", request.top_k);
    } else {
        body.leave_out(&[("top_k", request.top_k.is_some())]);
    }
}

fn write_message(message: &Message, dialect: &ChatDialect) -> Result<Value, PayloadError> {
    let mut members = Body::default();
    members.put("role", if message.role == Role::Developer { system_name(dialect) } else { message.role.name() });
    // A turn that only calls tools says nothing, and some servers refuse an empty text for it.
    let is_silent = !message.tool_calls.is_empty() && message.content.is_empty();
    members.put("content", if is_silent { Value::Null } else { content(&message.content)? });
    members.put_some("name", message.name.as_deref().filter(|_| dialect.names));
    if message.role == Role::Tool {
        if message.content.has_media() && !dialect.images_of_tools {
            return Err(no_images_of_tools());
        }
        members.put("tool_call_id", tool_id(message.answered_call()?, dialect));
    }
    members.put_list("tool_calls", message.tool_calls.iter().map(|call| write_call(call, dialect)).collect());
    if let Some(name) = dialect.thoughts {
        let thoughts: Vec<&str> = message
            .thoughts
            .iter()
            .filter(|thought| !thought.is_redacted)
            .map(|thought| thought.text.as_str())
            .collect();
        members.put_some(name, (!thoughts.is_empty()).then(|| thoughts.join("\n")));
    }
    let Value::Object(mut members) = members.into_value() else { return Ok(Value::Null) };
    members.extend(message.extra.clone());
    Ok(Value::Object(members))
}

/// Only OpenAI knows developers.
fn system_name(dialect: &ChatDialect) -> &'static str {
    if *dialect == ChatDialect::OPENAI { "developer" } else { "system" }
}

fn content(content: &Content) -> Result<Value, PayloadError> {
    match content {
        Content::Text(text) => Ok(json!(text)),
        Content::Parts(_) => content.map_parts(part).map(Value::Array),
    }
}

fn part(part: &Part) -> Result<Value, PayloadError> {
    Ok(match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image(image) => {
            let mut url = Map::from_iter([("url".to_owned(), json!(image.url()))]);
            url.extend(image.detail.iter().map(|detail| ("detail".to_owned(), json!(detail))));
            json!({"type": "image_url", "image_url": url})
        }
        Part::File(file) => write_file(file)?,
        Part::Raw(raw) => raw.clone(),
    })
}

fn write_file(file: &Attachment) -> Result<Value, PayloadError> {
    let ImageSource::Base64 { media_type, data } = &file.source else { return Err(no_such_files()) };
    if let Some(format) = file.sound_format() {
        return Ok(json!({"type": "input_audio", "input_audio": {"data": data, "format": format}}));
    }
    let data = format!("data:{media_type};base64,{data}");
    Ok(json!({"type": "file", "file": {"filename": file.name(), "file_data": data}}))
}

fn write_call(call: &ToolCall, dialect: &ChatDialect) -> Value {
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    json!({"id": tool_id(&call.id, dialect), "type": "function",
        "function": {"name": call.name, "arguments": arguments}})
}

/// The id as this server takes it. Mistral's are nine letters and digits; others become some that depend on the id alone,
/// so that a call and its result still agree.
fn tool_id(id: &str, dialect: &ChatDialect) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let fits = id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !dialect.short_tool_ids || fits {
        return id.to_owned();
    }
    // FNV-1a: no secret is kept here, ids only have to stay apart.
    let mut hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut short = String::with_capacity(9);
    for _ in 0..9 {
        let letter = LETTERS.get(usize::try_from(hash % 62).unwrap_or_default()).copied().unwrap_or(b'0');
        short.push(char::from(letter));
        hash /= 62;
    }
    short
}

pub(crate) fn write_tool(tool: &Tool) -> Value {
    write_function(tool, tool.strict)
}

/// The same for servers that do not know strict tools.
pub(crate) fn write_tool_loosely(tool: &Tool) -> Value {
    write_function(tool, None)
}

fn write_function(tool: &Tool, strict: Option<bool>) -> Value {
    if let Some(raw) = &tool.raw {
        return raw.clone();
    }
    let mut function = Body::default();
    function.put("name", tool.name.as_str());
    function.put_some("description", tool.description.as_deref());
    function.put_some("parameters", tool.parameters.clone());
    function.put_some("strict", strict);
    json!({"type": "function", "function": function.into_value()})
}

fn write_choice(choice: &ToolChoice, dialect: &ChatDialect) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!(dialect.must_call),
        ToolChoice::Named(name) => json!({"type": "function", "function": {"name": name}}),
    }
}

fn response_format(request: &ChatRequest, dialect: &ChatDialect) -> Result<Option<Value>, PayloadError> {
    Ok(match &request.response_format {
        None => None,
        Some(ResponseFormat::Text) => Some(json!({"type": "text"})),
        Some(ResponseFormat::JsonObject) => Some(json!({"type": "json_object"})),
        Some(ResponseFormat::JsonSchema(_)) if !dialect.json_schema => {
            return Err(PayloadError::unusable("response_format", "this provider takes no JSON schema"));
        }
        Some(ResponseFormat::JsonSchema(schema)) => {
            let mut named = Body::default();
            named.put("name", schema.name.as_str());
            named.put_some("description", schema.description.as_deref());
            named.put("schema", schema.schema.clone());
            named.put_some("strict", schema.strict);
            Some(json!({"type": "json_schema", "json_schema": named.into_value()}))
        }
    })
}

fn think(reasoning: &Reasoning, request: &ChatRequest, dialect: &ChatDialect, body: &mut Body) {
    let word = reasoning.word(request.max_tokens).map(Effort::name);
    match dialect.thinking {
        Thinking::Effort => body.put_some("reasoning_effort", word),
        Thinking::Object => match reasoning.budget_tokens {
            Some(0) => body.put("reasoning", json!({"enabled": false})),
            Some(tokens) => body.put("reasoning", json!({"max_tokens": tokens})),
            None => body.put("reasoning", json!({"effort": word})),
        },
        Thinking::Switch if reasoning.is_off() => body.put("thinking", json!({"type": "disabled"})),
        Thinking::Switch => {
            body.put("thinking", json!({"type": "enabled"}));
            body.put_some("reasoning_effort", word);
        }
    }
}

fn bound_name(bound: Bound, model: &str) -> &'static str {
    match bound {
        Bound::MaxTokens => "max_tokens",
        Bound::MaxCompletionTokens => "max_completion_tokens",
        Bound::ByModel if is_reasoning_model(model) => "max_completion_tokens",
        Bound::ByModel => "max_tokens",
    }
}

/// The models that refuse `max_tokens`: their bound counts reasoning as well, and has a name of its own.
fn is_reasoning_model(model: &str) -> bool {
    let base = own_name(model);
    ["o1", "o3", "o4", "gpt-5"].iter().any(|family| is_of_family(base, family))
        // Whatever follows: the newer name has been the rule since.
        || base.strip_prefix("gpt-").and_then(|rest| rest.chars().next()).is_some_and(|c| ('6'..='9').contains(&c))
}

/// The models that take no other temperature than their own: those that think. From 5.1 to 5.4 those of GPT-5 do not unless
/// they are told to; the chat models never do.
pub(crate) fn has_fixed_temperature(model: &str, reasoning: Option<Reasoning>) -> bool {
    let base = own_name(model);
    if base.contains("-chat") || !is_reasoning_model(base) {
        return false;
    }
    let may_not_think = base.starts_with("gpt-5.") || base.starts_with("gpt-6");
    let thinks_untold = !["gpt-5.1", "gpt-5.2", "gpt-5.3", "gpt-5.4"].iter().any(|family| is_of_family(base, family));
    reasoning.map_or(thinks_untold, |reasoning| !(may_not_think && reasoning.is_off()))
}

fn own_name(model: &str) -> &str {
    let model = model.strip_prefix("ft:").unwrap_or(model);
    model.strip_prefix("openai/").unwrap_or(model)
}

fn is_of_family(base: &str, family: &str) -> bool {
    base.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', ':']))
}

#[cfg(test)]
mod tests;
