//! Bodies read back into requests, so that a file of requests for one provider can be sent to another.
//!
//! Nothing is lost: what a request has no field for stays in `extra`, [`Part::Raw`] and [`Tool::raw`], and written in the
//! form that it was read from it is the same body again, up to how numbers and lists of one are written.
//! [`ChatRequest::for_another_provider`] makes it ready for other forms.

mod anthropic;
mod foreign;
mod openai;

use serde_json::{Map, Value};

use super::{ChatRequest, PayloadError, Tool};

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
