//! Chat completions: OpenAI's, and those of everybody who speaks the same.
//!
//! Messages follow the cookbook's rule (see [`Framing`]). How functions and schemas are charged is not published; the
//! constants here were fitted to what OpenAI billed for recorded requests.

use serde_json::Value;

use super::framing::Framing;
use super::tally::Tally;
use super::typescript::{Function, namespace};

/// Around the namespace of functions when it stands in a system message of its own.
const TOOLS: u64 = 9;
/// What is saved when there is a system message that it can stand in.
const TOOLS_IN_SYSTEM_MESSAGE: u64 = 4;
/// Around the name and arguments of a call.
const CALL: u64 = 3;
/// Around the name of the function that must be called.
const CHOICE: u64 = 4;
/// Around the schema that the answer must follow.
const SCHEMA: u64 = 9;

pub(super) fn count(payload: &Value, model: &str, tally: &mut Tally) {
    let framing = Framing::of(model);
    tally.add(framing.answer);
    let messages = payload.get("messages");
    match messages.and_then(Value::as_array) {
        Some(messages) => messages.iter().for_each(|each| message(each, framing, tally)),
        None => messages.into_iter().for_each(|content| tally.content(content)),
    }
    tools(payload, has_system_message(messages), tally);
    if let Some(format) = payload.get("response_format") {
        schema(format.get("json_schema").unwrap_or(&Value::Null), tally);
    }
}

fn message(message: &Value, framing: Framing, tally: &mut Tally) {
    let Some(fields) = message.as_object() else {
        return tally.content(message);
    };
    tally.add(framing.message);
    tally.field(message, "role");
    if tally.field(message, "name") {
        if framing.name_replaces_role { tally.subtract(1) } else { tally.add(1) }
    }
    for key in ["content", "refusal", "reasoning_content", "reasoning"] {
        fields.get(key).into_iter().for_each(|content| tally.content(content));
    }
    if fields.get("role").is_some_and(|role| role == "assistant") {
        tally.add(framing.channel);
    }
    let calls = fields.get("tool_calls").and_then(Value::as_array).into_iter().flatten();
    for call in calls.map(|call| call.get("function").unwrap_or(call)).chain(fields.get("function_call")) {
        self::call(call, tally);
    }
}

/// A function that was called, with its arguments as the JSON text the model wrote.
pub(super) fn call(call: &Value, tally: &mut Tally) {
    tally.add(CALL);
    tally.field(call, "name");
    for key in ["arguments", "input"] {
        match call.get(key) {
            Some(Value::String(text)) => tally.text(text),
            Some(Value::Null) | None => {}
            Some(arguments) => tally.json(arguments),
        }
    }
}

fn tools(payload: &Value, has_system_message: bool, tally: &mut Tally) {
    let listed = |key: &str| payload.get(key).and_then(Value::as_array).into_iter().flatten();
    let (functions, others): (Vec<_>, Vec<_>) = listed("tools")
        .map(|tool| tool.get("function").unwrap_or(tool))
        .chain(listed("functions"))
        .partition(|definition| definition.get("name").is_some());
    if !functions.is_empty() {
        tally.add(TOOLS);
        tally.text(&namespace(functions.into_iter().map(Function::of)));
        if has_system_message {
            tally.subtract(TOOLS_IN_SYSTEM_MESSAGE);
        }
    }
    others.into_iter().for_each(|tool| tally.json(tool));
    let choice = payload.get("tool_choice").or_else(|| payload.get("function_call"));
    choice.into_iter().for_each(|choice| chosen(choice, tally));
}

/// The function that must be called, named by the request.
pub(super) fn chosen(choice: &Value, tally: &mut Tally) {
    if choice.is_object() {
        tally.add(CHOICE);
        tally.field(choice.get("function").unwrap_or(choice), "name");
    }
}

/// The schema that the answer must follow: an object with `name`, `description` and `schema`.
pub(super) fn schema(format: &Value, tally: &mut Tally) {
    if let Some(schema) = format.get("schema") {
        tally.add(SCHEMA);
        tally.field(format, "name");
        tally.field(format, "description");
        tally.json(schema);
    }
}

fn has_system_message(messages: Option<&Value>) -> bool {
    messages.and_then(Value::as_array).is_some_and(|messages| {
        messages.iter().any(|message| message.get("role").is_some_and(|role| role == "system" || role == "developer"))
    })
}
