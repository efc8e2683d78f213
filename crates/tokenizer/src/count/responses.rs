//! OpenAI's responses.
//!
//! The input is items instead of messages and the instructions are a system message; they are framed as chat messages
//! are (<https://platform.openai.com/docs/api-reference/responses/create>). What the server adds by itself (an earlier
//! response, a stored conversation, the definitions of its own tools) is not in the body and not counted.

use serde_json::Value;

use super::chat::{call, chosen, schema};
use super::framing::Framing;
use super::tally::Tally;
use super::typescript::{Function, namespace};

/// Around the namespace of functions.
const TOOLS: u64 = 3;
/// The same for a model that reasons.
const TOOLS_OF_REASONING: u64 = 9;

pub(super) fn count(payload: &Value, model: &str, tally: &mut Tally) {
    let framing = Framing::of(model);
    tally.add(framing.answer);
    if let Some(instructions) = payload.get("instructions").filter(|instructions| !instructions.is_null()) {
        tally.add(framing.message);
        tally.text("system");
        tally.content(instructions);
    }
    match payload.get("input") {
        Some(Value::Array(items)) => items.iter().for_each(|each| item(each, framing, tally)),
        Some(text) => {
            tally.add(framing.message);
            tally.text("user");
            tally.content(text);
        }
        None => {}
    }
    tools(payload, framing, tally);
    if let Some(format) = payload.get("text").and_then(|text| text.get("format")) {
        schema(format, tally);
    }
}

fn item(item: &Value, framing: Framing, tally: &mut Tally) {
    match item.get("type").and_then(Value::as_str) {
        Some("function_call" | "custom_tool_call") => {
            tally.add(framing.message);
            call(item, tally);
        }
        Some("function_call_output" | "custom_tool_call_output") => {
            tally.add(framing.message);
            item.get("output").into_iter().for_each(|output| tally.content(output));
        }
        // Reasoning comes back encrypted, and is not charged again.
        Some("reasoning" | "item_reference") => {}
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

/// A function is described by the tool's own fields: a definition nested under `function`, as chat completions have
/// it, is not read by this API, and not charged.
fn tools(payload: &Value, framing: Framing, tally: &mut Tally) {
    let listed = payload.get("tools").and_then(Value::as_array).into_iter().flatten();
    let (functions, custom): (Vec<_>, Vec<_>) = listed
        .filter(|tool| tool.get("name").is_some())
        .partition(|tool| tool.get("type").is_none_or(|kind| kind == "function"));
    if !functions.is_empty() {
        tally.add(if framing.reasons { TOOLS_OF_REASONING } else { TOOLS });
        tally.text(&namespace(functions.into_iter().map(Function::of)));
    }
    custom.into_iter().for_each(|tool| tally.json(tool));
    payload.get("tool_choice").into_iter().for_each(|choice| chosen(choice, tally));
}
