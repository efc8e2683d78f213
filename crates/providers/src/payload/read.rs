//! Bodies read back into requests, so that a file of requests for one provider can be sent to another.
//!
//! Nothing is lost: what a request has no field for stays in `extra`, [`Part::Raw`] and [`Tool::raw`], and written in the
//! form that it was read from it is the same body again, up to how numbers and lists of one are written.
//! [`ChatRequest::for_another_provider`] makes it ready for other forms.

mod anthropic;
mod openai;

use serde_json::{Map, Value};

use super::{ChatRequest, Content, Message, Part, PayloadError, Role, Tool};

impl ChatRequest {
    /// Reads the body of a chat completion: OpenAI's and that of the servers which speak like it.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] where the model or the messages are missing, or a message has no role that is known.
    pub fn from_openai(body: &Value) -> Result<Self, PayloadError> {
        openai::read(body)
    }

    /// Reads the body of Anthropic's messages.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] where the model or the messages are missing, or a message has no role that is known.
    pub fn from_anthropic(body: &Value) -> Result<Self, PayloadError> {
        anthropic::read(body)
    }

    /// The request without what only the provider understands that it was written for, and the names of what was taken
    /// out: marks for caches, and fields that merely shade the answer.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] where a part or a tool has no meaning elsewhere: without it the answer would be another.
    pub fn for_another_provider(mut self) -> Result<(Self, Vec<String>), PayloadError> {
        let mut taken: Vec<String> = self.extra.keys().cloned().collect();
        self.extra = Map::new();
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
}

/// One message without foreign members. A block of Anthropic's that was kept for its marks may be a message of its own.
fn common_message(mut message: Message, taken: &mut Vec<String>) -> Result<Vec<Message>, PayloadError> {
    taken.extend(message.extra.keys().cloned());
    message.extra = Map::new();
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

/// The members of an object, taken out one by one. What nobody takes is left over.
pub(super) struct Members(Map<String, Value>);

impl Members {
    /// All but the member `apart`, which may be large and is read where it is.
    pub(super) fn of<'a>(object: &'a Value, apart: &str) -> Result<(Self, Option<&'a Value>), PayloadError> {
        let Value::Object(members) = object else { return Err(PayloadError::missing("model")) };
        let others = members.iter().filter(|(name, _)| *name != apart);
        let others = others.map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok((Self(others), members.get(apart)))
    }

    /// Takes a member if it can be read. Null is nothing.
    pub(super) fn take<T>(&mut self, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.0.get(name)?;
        if value.is_null() {
            self.0.remove(name);
            return None;
        }
        let read = read(value)?;
        self.0.remove(name);
        Some(read)
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn left_over(self) -> Map<String, Value> {
        self.0
    }
}

/// A list of texts, or one text.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Whether an object has these members and no others.
pub(super) fn has_only(value: &Value, names: &[&str]) -> bool {
    value.as_object().is_some_and(|members| members.keys().all(|name| names.contains(&name.as_str())))
}

/// A list whose every item can be read; an item that cannot is the tool as it stands.
pub(super) fn tools(value: &Value, read: impl Fn(&Value) -> Tool) -> Option<Vec<Tool>> {
    Some(value.as_array()?.iter().map(read).collect())
}

#[cfg(test)]
mod tests;
