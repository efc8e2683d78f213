//! Anthropic's messages.
//!
//! The tokenizer is not public, so the words are counted in the encoding that was asked for. That tools cost a prompt of
//! their own is from <https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#pricing>; how much, and what
//! surrounds everything else, was fitted to what recorded requests were charged.

use serde_json::Value;

use super::tally::Tally;
use crate::model::base_name;

/// Around a prompt.
const PROMPT: u64 = 4;
/// Around each message.
const MESSAGE: u64 = 3;
/// What extended thinking adds when it is switched on.
const THINKING: u64 = 28;
/// What tools cost more where a model of the fourth generation or later thinks.
const THINKING_WITH_TOOLS: u64 = 148;
/// Around the schema that the answer must follow, and hundredths of the tokens of its JSON that it costs.
const SCHEMA: u64 = 70;
const SCHEMA_SCALE: u64 = 240;
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
    tally.scaled(text_scale(model), |tally| {
        payload.get("system").into_iter().for_each(|system| tally.content(system));
        let messages = payload.get("messages");
        match messages.and_then(Value::as_array) {
            Some(messages) => messages.iter().for_each(|each| message(each, tally)),
            None => messages.into_iter().for_each(|content| tally.content(content)),
        }
    });
    if thinks(payload) {
        tally.add(THINKING);
    }
    tally.definitions(|tally| definitions(payload, model, tally));
}

/// The schema of the answer, and the tools.
fn definitions(payload: &Value, model: &str, tally: &mut Tally) {
    let format = ["output_format", "output_config"].iter().find_map(|key| payload.get(*key));
    if let Some(schema) =
        format.map(|format| format.get("format").unwrap_or(format)).and_then(|format| format.get("schema"))
    {
        tally.add(SCHEMA);
        tally.scaled(SCHEMA_SCALE, |tally| tally.json(schema));
    }
    let tools = payload.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !tools.is_empty() {
        let forced = payload.get("tool_choice").and_then(|choice| choice.get("type"));
        let prompt = ToolPrompt::of(model);
        let is_forced = forced.is_some_and(|kind| kind == "any" || kind == "tool");
        tally.add(if is_forced { prompt.must } else { prompt.may });
        if prompt.thinks && thinks(payload) {
            tally.add(THINKING_WITH_TOOLS);
        }
        tally.scaled(prompt.scale, |tally| tools.iter().for_each(|each| tool(each, tally)));
    }
}

/// Hundredths of what the encoding counts that a text costs: fitted to recorded requests to Claude Sonnet 5. The models
/// beside it are of the same time and taken to have its tokenizer.
fn text_scale(model: &str) -> u64 {
    let model = base_name(model);
    let finer = ["opus-4-7", "opus-4-8", "opus-5", "sonnet-5", "haiku-5"];
    if finer.iter().any(|part| model.contains(part)) { 130 } else { 100 }
}

fn thinks(payload: &Value) -> bool {
    payload.get("thinking").and_then(|thinking| thinking.get("type")).is_some_and(|kind| kind == "enabled")
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
    let calls = calls.count() as u64;
    tally.add(CALL.saturating_mul(calls));
    tally.shape_mut().calls += calls;
}

fn tool(tool: &Value, tally: &mut Tally) {
    tally.add(TOOL);
    tally.field(tool, "name");
    tally.field(tool, "description");
    tool.get("input_schema").into_iter().for_each(|schema| tally.json(schema));
}

/// The system prompt that makes a model use tools, and how its tools are cut.
#[derive(Clone, Copy)]
struct ToolPrompt {
    /// Tokens when the model may choose.
    may: u64,
    /// Tokens under a tool choice of `any` or `tool`.
    must: u64,
    /// Hundredths of the tokens of a tool's JSON.
    scale: u64,
    /// Whether thinking adds to it.
    thinks: bool,
}

impl ToolPrompt {
    const THIRD: Self = Self { may: 311, must: 322, scale: 122, thinks: false };
    const FOURTH: Self = Self { thinks: true, ..Self::THIRD };
    const LATE_FOURTH: Self = Self { may: 492, must: 588, scale: 128, thinks: true };
    const FIFTH: Self = Self { may: 357, must: 480, scale: 148, thinks: true };

    fn of(model: &str) -> Self {
        /// Models by a part of their names, the more special ones first.
        const MODELS: [(&str, ToolPrompt); 15] = [
            ("3-opus", ToolPrompt { may: 530, must: 304, ..ToolPrompt::THIRD }),
            ("3-sonnet", ToolPrompt { may: 159, must: 235, ..ToolPrompt::THIRD }),
            ("3-haiku", ToolPrompt { may: 261, must: 362, ..ToolPrompt::THIRD }),
            ("3-5-haiku", ToolPrompt { may: 261, must: 362, ..ToolPrompt::THIRD }),
            ("3-5-sonnet-20240620", ToolPrompt { may: 289, must: 283, ..ToolPrompt::THIRD }),
            ("3-", ToolPrompt::THIRD),
            ("haiku-4-5", ToolPrompt::LATE_FOURTH),
            ("sonnet-4-5", ToolPrompt::LATE_FOURTH),
            ("opus-4-5", ToolPrompt::LATE_FOURTH),
            ("sonnet-4-6", ToolPrompt::LATE_FOURTH),
            ("opus-4-6", ToolPrompt::LATE_FOURTH),
            ("sonnet-4", ToolPrompt::FOURTH),
            ("opus-4-1", ToolPrompt::FOURTH),
            ("opus-4-0", ToolPrompt::FOURTH),
            ("opus-4-20250514", ToolPrompt::FOURTH),
        ];
        let model = base_name(model);
        MODELS.iter().find(|(part, _)| model.contains(part)).map_or(Self::FIFTH, |&(_, prompt)| prompt)
    }
}
