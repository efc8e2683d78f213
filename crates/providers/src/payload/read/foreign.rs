//! A request made ready for another provider than the one that it was written for.

use serde_json::{Map, Value, json};

use super::{anthropic, openai};
use crate::payload::{
    ChatRequest, Content, Effort, JsonSchema, Message, Part, PayloadError, Reasoning, ResponseFormat, Role,
};

/// Fields without which the answer would be another, and which have no meaning elsewhere.
const OF_REQUESTS: [&str; 14] = [
    "audio",
    "container",
    "documents",
    "function_call",
    "functions",
    "logprobs",
    "mcp_servers",
    "modalities",
    "plugins",
    "response_format",
    "system",
    "tool_choice",
    "tools",
    "web_search_options",
];

/// The same of a message.
const OF_MESSAGES: [&str; 4] = ["audio", "function_call", "images", "tool_calls"];

impl ChatRequest {
    /// The request without what only the provider understands that it was written for, and the names of what was taken
    /// out: marks for caches, and fields that merely shade the answer.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] where a field, a part or a tool has no meaning elsewhere: without it the answer would be another.
    pub fn for_another_provider(mut self) -> Result<(Self, Vec<String>), PayloadError> {
        self.translate_anthropic();
        refuse(&self.extra, &OF_REQUESTS)?;
        let mut taken: Vec<String> = std::mem::take(&mut self.extra).into_iter().map(|(name, _)| name).collect();
        let mut messages = Vec::with_capacity(self.messages.len());
        for message in self.messages {
            messages.extend(common_message(message, &mut taken)?);
        }
        self.messages = messages;
        for tool in &mut self.tools {
            if let Some(raw) = tool.raw.take() {
                let bare = without_marks(&raw, &mut taken);
                *tool = openai::read_tool(&bare);
                if tool.raw.is_some() {
                    *tool = anthropic::read_tool(&bare);
                }
                if tool.raw.is_some() {
                    return Err(PayloadError::unusable("tools", "one of them is the provider's own"));
                }
            }
        }
        taken.sort_unstable();
        taken.dedup();
        Ok((self, taken))
    }

    /// What Anthropic says in fields of its own and others say, too: how the newer models think, the shape of the answer,
    /// and which tool to call.
    fn translate_anthropic(&mut self) {
        let at = |extra: &Map<String, Value>, name: &str, pointer: &str| {
            extra.get(name).and_then(|value| value.pointer(pointer)).cloned()
        };
        let word = at(&self.extra, "output_config", "/effort").and_then(|word| Effort::parse(word.as_str()?));
        let thinking = at(&self.extra, "thinking", "/type");
        // Some write Anthropic's choice into OpenAI's form.
        if self.tool_choice.is_none()
            && let Some((choice, parallel)) = self.extra.get("tool_choice").and_then(anthropic::read_choice)
        {
            self.extra.remove("tool_choice");
            self.tool_choice = Some(choice);
            self.parallel_tool_calls = self.parallel_tool_calls.or(parallel);
        }
        if self.reasoning.is_none() {
            let budget = at(&self.extra, "thinking", "/budget_tokens").and_then(|tokens| tokens.as_u64());
            self.reasoning = match thinking.as_ref().and_then(Value::as_str) {
                Some("adaptive") => Some(Reasoning::effort(word.unwrap_or(Effort::High))),
                Some("enabled") => budget.map(Reasoning::budget),
                _ => word.map(Reasoning::effort),
            };
        }
        let named = at(&self.extra, "output_config", "/format").or_else(|| self.extra.get("output_format").cloned());
        if let Some(format) = named
            && self.response_format.is_none()
            && format.get("type") == Some(&json!("json_schema"))
            && let Some(schema) = format.get("schema")
        {
            let schema = JsonSchema { strict: None, ..JsonSchema::new("answer", schema.clone()) };
            self.response_format = Some(ResponseFormat::JsonSchema(schema));
        }
    }
}

/// An error that names the first of these fields that says something.
fn refuse(extra: &Map<String, Value>, fields: &[&'static str]) -> Result<(), PayloadError> {
    let says_something = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty() && *value != json!(["text"]),
        _ => true,
    };
    match fields.iter().find(|field| extra.get(**field).is_some_and(says_something)) {
        Some(field) => Err(PayloadError::unusable(*field, "it has no meaning for another provider")),
        None => Ok(()),
    }
}

/// One message without foreign members. A block of Anthropic's that was kept for its marks may be a message of its own.
fn common_message(mut message: Message, taken: &mut Vec<String>) -> Result<Vec<Message>, PayloadError> {
    refuse(&message.extra, &OF_MESSAGES)?;
    taken.extend(std::mem::take(&mut message.extra).into_iter().map(|(name, _)| name));
    let parts = match std::mem::take(&mut message.content) {
        Content::Parts(parts) => parts,
        text => return Ok(vec![Message { content: text, ..message }]),
    };
    let side = if message.role == Role::Assistant { Role::Assistant } else { Role::User };
    let mut kept = Vec::with_capacity(parts.len());
    let mut results = Vec::new();
    for part in parts {
        let Part::Raw(raw) = part else {
            kept.push(part);
            continue;
        };
        let bare = without_marks(&raw, taken);
        let read = openai::read_part(&bare);
        if !matches!(read, Part::Raw(_)) {
            kept.push(read);
            continue;
        }
        for block in anthropic::read_blocks(side, &[bare]) {
            if block.role == Role::Tool {
                results.extend(common_message(block, taken)?);
                continue;
            }
            message.tool_calls.extend(block.tool_calls);
            message.thoughts.extend(block.thoughts);
            let Content::Parts(inner) = block.content else { continue };
            if inner.iter().any(|part| matches!(part, Part::Raw(_))) {
                return Err(PayloadError::unusable("messages", "a part of one is the provider's own"));
            }
            kept.extend(inner);
        }
    }
    message.content = Content::Parts(kept);
    let says_nothing = message.content.is_empty() && message.tool_calls.is_empty() && message.thoughts.is_empty();
    if !says_nothing || results.is_empty() {
        results.push(message);
    }
    Ok(results)
}

/// A value without the members that only mark it: for caches, citations, and who called.
fn without_marks(value: &Value, taken: &mut Vec<String>) -> Value {
    const MARKS: [&str; 3] = ["cache_control", "citations", "caller"];
    let mut bare = value.clone();
    if let Value::Object(members) = &mut bare {
        for mark in MARKS {
            if members.remove(mark).is_some() {
                taken.push(mark.to_owned());
            }
        }
    }
    bare
}
