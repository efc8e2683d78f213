//! OpenAI's responses.
//!
//! The input is items instead of messages and the instructions are a system message; they are framed as chat messages
//! are (<https://platform.openai.com/docs/api-reference/responses/create>). What the server adds by itself (an earlier
//! response, a stored conversation, the definitions of its own tools) is not in the body and not counted.

use std::collections::HashMap;

use serde_json::Value;

use super::chat::{call, chosen};
use super::framing::Framing;
use super::schema;
use super::tally::Tally;
use super::typescript::{Function, namespace};

/// What a result costs on top of a message and the name of its function.
const RESULT: u64 = 2;
/// What it costs to demand that some function be called.
const REQUIRED: u64 = 9;
/// Around the schema that the answer must follow.
const SCHEMA: u64 = 7;

/// An item that the server has and the request only names, as it does calls of functions before their results: about as
/// much as a short call. Fitted.
const REFERENCE: u64 = 16;
/// The definition of the server's own tool for patches. Recorded requests are charged so much for it.
const APPLY_PATCH: u64 = 614;

pub(super) fn count(payload: &Value, model: &str, tally: &mut Tally) {
    let framing = Framing::of(model);
    tally.add(framing.answer);
    if let Some(instructions) = payload.get("instructions").filter(|instructions| !instructions.is_null()) {
        tally.add(framing.message);
        tally.text("system");
        tally.content(instructions);
    }
    match payload.get("input") {
        Some(Value::Array(items)) => {
            let called = called_names(items, tally);
            items.iter().for_each(|each| item(each, framing, &called, tally));
        }
        Some(text) => {
            tally.add(framing.message);
            tally.text("user");
            tally.content(text);
        }
        None => {}
    }
    tally.definitions(|tally| {
        tools(payload, framing, tally);
        if let Some(format) = payload.get("text").and_then(|text| text.get("format")) {
            schema::count(format, SCHEMA, tally);
        }
    });
}

/// What the names of the functions cost that the items call, by the identifiers of the calls. Counted once for each call,
/// as any number of results may go by the name of one.
fn called_names<'a>(items: &'a [Value], tally: &Tally) -> HashMap<&'a str, u64> {
    let calls = items.iter().filter_map(|item| Some((item.get("call_id")?.as_str()?, item.get("name")?.as_str()?)));
    calls.map(|(id, name)| (id, tally.tokens_of(name))).collect()
}

fn item(item: &Value, framing: Framing, called: &HashMap<&str, u64>, tally: &mut Tally) {
    match item.get("type").and_then(Value::as_str) {
        Some("function_call" | "custom_tool_call") => {
            tally.add(framing.message);
            call(item, framing, tally);
        }
        Some("function_call_output" | "custom_tool_call_output") => {
            tally.add(framing.message.saturating_add(RESULT));
            let name = item.get("call_id").and_then(Value::as_str).and_then(|call| called.get(call));
            name.into_iter().for_each(|name| tally.add(*name));
            item.get("output").into_iter().for_each(|output| tally.content(output));
        }
        // Reasoning comes back encrypted, and is not charged again.
        Some("reasoning") => {}
        Some("item_reference") => tally.add(REFERENCE),
        _ if is_empty_answer(item) => {}
        _ if item.get("role").is_some() => {
            tally.add(framing.message);
            tally.field(item, "role");
            item.get("content").into_iter().for_each(|content| tally.content(content));
            if item.get("role").is_some_and(|role| role == "assistant") {
                tally.add(framing.channel);
            }
        }
        _ => tally.content(item),
    }
}

/// An earlier answer of the model's without content is not told it.
fn is_empty_answer(item: &Value) -> bool {
    item.get("role").is_some_and(|role| role == "assistant")
        && item.get("content").and_then(Value::as_array).is_some_and(Vec::is_empty)
}

/// A function is described by the tool's own fields: a definition nested under `function`, as chat completions have
/// it, is not read by this API, and not charged.
fn tools(payload: &Value, framing: Framing, tally: &mut Tally) {
    let listed = payload.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if listed.iter().any(|tool| tool.get("type").is_some_and(|kind| kind == "apply_patch")) {
        tally.add(APPLY_PATCH);
    }
    let (functions, custom): (Vec<_>, Vec<_>) = listed
        .iter()
        .filter(|tool| tool.get("name").is_some())
        .partition(|tool| tool.get("type").is_none_or(|kind| kind == "function"));
    if !functions.is_empty() {
        tally.add(framing.response_tools);
        tally.text(&namespace(functions.into_iter().map(Function::of)));
    }
    custom.into_iter().for_each(|tool| tally.json(tool));
    if let Some(choice) = payload.get("tool_choice") {
        if framing.told_choice {
            chosen(choice, tally);
        }
        if choice == "required" {
            tally.add(REQUIRED);
        }
    }
}
