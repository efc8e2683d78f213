//! Chat completions: OpenAI's, and those of everybody who speaks the same.
//!
//! Messages, functions and schemas are framed as [`Framing`] says.

use std::collections::HashMap;

use serde_json::Value;

use super::framing::Framing;
use super::schema;
use super::tally::Tally;
use super::typescript::{Function, namespace};

/// What is saved when there is a system message that tools or schema can stand in.
const SYSTEM_MESSAGE: u64 = 4;
/// Around the name of the function that must be called.
const CHOICE: u64 = 6;
/// Around several calls of one answer, and around each of them: they are written as one call of
/// `multi_tool_use.parallel`. Fitted to what recorded requests were charged.
const PARALLEL: u64 = 8;
const PARALLEL_CALL: u64 = 6;

pub(super) fn count(payload: &Value, model: &str, tally: &mut Tally) {
    let framing = Framing::of(model);
    tally.add(framing.answer);
    match payload.get("messages") {
        Some(Value::Array(messages)) => {
            let called = called_names(messages, tally);
            messages.iter().for_each(|each| message(each, framing, &called, tally));
        }
        other => other.into_iter().for_each(|content| tally.content(content)),
    }
    let extended = tally.definitions(|tally| tools(payload, framing, tally) | answer_schema(payload, framing, tally));
    if extended && framing.joins_system && has_system_message(payload) {
        tally.subtract(SYSTEM_MESSAGE);
    }
}

/// What the names of the functions cost that the messages call, by the identifiers of the calls. Counted once for each
/// call, as any number of results may go by the name of one.
fn called_names<'a>(messages: &'a [Value], tally: &Tally) -> HashMap<&'a str, u64> {
    let lists = messages.iter().filter_map(|message| message.get("tool_calls")?.as_array());
    lists
        .flatten()
        .filter_map(|call| Some((call.get("id")?.as_str()?, call.get("function")?.get("name")?.as_str()?)))
        .map(|(id, name)| (id, tally.tokens_of(name)))
        .collect()
}

fn message(message: &Value, framing: Framing, called: &HashMap<&str, u64>, tally: &mut Tally) {
    let Some(fields) = message.as_object() else {
        return tally.content(message);
    };
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    tally.add(framing.message);
    tally.field(message, "role");
    // The result of a call goes by the name of its function, whether the message says it or not.
    let named = text("name").map(|name| tally.tokens_of(name));
    if let Some(name) = named.or_else(|| called.get(text("tool_call_id")?).copied()) {
        tally.add(name);
        if framing.name_replaces_role { tally.subtract(1) } else { tally.add(1) }
    }
    for key in ["content", "refusal", "reasoning_content", "reasoning"] {
        fields.get(key).into_iter().for_each(|content| tally.content(content));
    }
    if text("role") == Some("assistant") {
        tally.add(framing.channel);
    }
    let calls = fields.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if calls.len() > 1 {
        tally.add(PARALLEL.saturating_add(PARALLEL_CALL.saturating_mul(calls.len() as u64)));
    }
    for call in calls.iter().map(|call| call.get("function").unwrap_or(call)).chain(fields.get("function_call")) {
        self::call(call, framing, tally);
    }
}

/// A function that was called, with its arguments as compact JSON, however the message writes them.
pub(super) fn call(call: &Value, framing: Framing, tally: &mut Tally) {
    tally.add(framing.call);
    tally.shape_mut().calls += 1;
    tally.field(call, "name");
    for arguments in ["arguments", "input"].iter().filter_map(|key| call.get(*key)) {
        match arguments {
            Value::String(text) => match serde_json::from_str(text) {
                Ok(parsed) => tally.json(&parsed),
                Err(_) => tally.text(text),
            },
            Value::Null => {}
            value => tally.json(value),
        }
    }
}

/// Adds the tools, and answers whether there are functions among them.
fn tools(payload: &Value, framing: Framing, tally: &mut Tally) -> bool {
    let listed = |key: &str| payload.get(key).and_then(Value::as_array).into_iter().flatten();
    let (functions, others): (Vec<_>, Vec<_>) = listed("tools")
        .map(|tool| tool.get("function").unwrap_or(tool))
        .chain(listed("functions"))
        .partition(|definition| definition.get("name").is_some());
    let any = !functions.is_empty();
    if any {
        tally.add(framing.chat_tools);
        if framing.typescript {
            tally.text(&namespace(functions.into_iter().map(Function::of)));
        } else {
            functions.into_iter().for_each(|function| tally.json(function));
        }
    }
    others.into_iter().for_each(|tool| tally.json(tool));
    let choice = payload.get("tool_choice").or_else(|| payload.get("function_call"));
    choice.filter(|_| framing.told_choice).into_iter().for_each(|choice| chosen(choice, tally));
    any
}

/// The function that must be called, named by the request.
pub(super) fn chosen(choice: &Value, tally: &mut Tally) {
    if choice.is_object() {
        tally.add(CHOICE);
        tally.field(choice.get("function").unwrap_or(choice), "name");
    }
}

/// Adds the schema that the answer must follow, and answers whether there is one.
fn answer_schema(payload: &Value, framing: Framing, tally: &mut Tally) -> bool {
    let format = payload.get("response_format").and_then(|format| format.get("json_schema"));
    format.into_iter().for_each(|format| schema::count(format, framing.chat_schema, tally));
    format.is_some()
}

fn has_system_message(payload: &Value) -> bool {
    payload.get("messages").and_then(Value::as_array).is_some_and(|messages| {
        messages.iter().any(|message| message.get("role").is_some_and(|role| role == "system" || role == "developer"))
    })
}
