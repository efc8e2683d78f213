//! Anthropic's messages.
//!
//! The tokenizer is not public, so the words are counted in the encoding that was asked for. What surrounds them is
//! from <https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#pricing>, or fitted to recorded requests
//! where nothing is published.

use serde_json::Value;

use super::tally::Tally;
use crate::model::base_name;

/// Around a prompt.
const PROMPT: u64 = 4;
/// Around each message.
const MESSAGE: u64 = 3;
/// What extended thinking adds when it is switched on.
const THINKING: u64 = 28;
/// Around the schema that the answer must follow.
const SCHEMA: u64 = 100;
/// Around each tool's definition.
const TOOL: u64 = 20;
/// Around each call of a tool and each result.
const CALL: u64 = 30;

/// Whether a body with `messages` is one of Anthropic's.
pub(super) fn is_messages(payload: &Value, model: &str) -> bool {
    let has = |key: &str| payload.get(key).is_some_and(|value| !value.is_null());
    let own_setting = ["system", "anthropic_version", "stop_sequences"].into_iter().any(has);
    let own_tool = payload
        .get("tools")
        .and_then(Value::as_array)
        .is_some_and(|tools| tools.iter().any(|tool| tool.get("input_schema").is_some()));
    // Behind a router a Claude has its maker's name in front and is spoken to as everybody else.
    own_setting || own_tool || (model.starts_with("claude") && has("max_tokens"))
}

pub(super) fn count(payload: &Value, model: &str, tally: &mut Tally) {
    tally.add(PROMPT);
    payload.get("system").into_iter().for_each(|system| tally.content(system));
    let messages = payload.get("messages");
    match messages.and_then(Value::as_array) {
        Some(messages) => messages.iter().for_each(|each| message(each, tally)),
        None => messages.into_iter().for_each(|content| tally.content(content)),
    }
    if payload.get("thinking").and_then(|thinking| thinking.get("type")).is_some_and(|kind| kind == "enabled") {
        tally.add(THINKING);
    }
    let format = ["output_format", "output_config"].iter().find_map(|key| payload.get(*key));
    if let Some(schema) =
        format.map(|format| format.get("format").unwrap_or(format)).and_then(|format| format.get("schema"))
    {
        tally.add(SCHEMA);
        tally.json(schema);
    }
    let tools = payload.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !tools.is_empty() {
        let forced = payload.get("tool_choice").and_then(|choice| choice.get("type"));
        tally.add(tool_prompt(model, forced.is_some_and(|kind| kind == "any" || kind == "tool")));
        tools.iter().for_each(|each| tool(each, tally));
    }
}

fn message(message: &Value, tally: &mut Tally) {
    tally.add(MESSAGE);
    let Some(content) = message.get("content") else {
        return tally.content(message);
    };
    tally.content(content);
    let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let calls = parts
        .iter()
        .filter(|part| matches!(part.get("type").and_then(Value::as_str), Some("tool_use" | "tool_result")));
    tally.add(CALL.saturating_mul(calls.count() as u64));
}

fn tool(tool: &Value, tally: &mut Tally) {
    tally.add(TOOL);
    tally.field(tool, "name");
    tally.field(tool, "description");
    tool.get("input_schema").into_iter().for_each(|schema| tally.json(schema));
}

/// The system prompt that makes a model use tools, from the page's table. `forced` is a tool choice of `any` or `tool`.
fn tool_prompt(model: &str, forced: bool) -> u64 {
    /// Models by a part of their names: tokens when it may choose, and when it must.
    const MODELS: [(&str, u64, u64); 4] = [
        ("claude-3-opus", 530, 281),
        ("claude-3-sonnet", 159, 235),
        ("claude-3-haiku", 264, 340),
        ("claude-3-5-haiku", 264, 340),
    ];
    let model = base_name(model);
    let row = MODELS.iter().find(|(name, ..)| model.contains(name));
    let (may, must) = row.map_or((346, 313), |&(_, may, must)| (may, must));
    if forced { must } else { may }
}
