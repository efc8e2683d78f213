//! A body while it is put together.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{ChatPayload, ChatRequest, PayloadError};

/// The members of a body, and what found no place in it.
#[derive(Debug, Default)]
pub(crate) struct Body {
    members: Map<String, Value>,
    left_out: Vec<&'static str>,
}

impl Body {
    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.members.insert(name.to_owned(), value.into());
    }

    /// Zero, `false` and empty texts are values.
    pub(crate) fn put_some<T: Into<Value>>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// Lists are left out where they are empty: an empty list of tools or stops is refused by some providers.
    pub(crate) fn put_list<T: Into<Value>>(&mut self, name: &str, list: Vec<T>) {
        if !list.is_empty() {
            self.put(name, Value::Array(list.into_iter().map(Into::into).collect()));
        }
    }

    /// An object is left out where it has no members.
    pub(crate) fn put_object(&mut self, name: &str, inner: Self) {
        self.left_out.extend(inner.left_out);
        if !inner.members.is_empty() {
            self.put(name, Value::Object(inner.members));
        }
    }

    /// Notes the names of those fields that say something and have no place in this form.
    pub(crate) fn leave_out(&mut self, fields: &[(&'static str, bool)]) {
        self.left_out.extend(fields.iter().filter(|(_, is_said)| *is_said).map(|(name, _)| *name));
    }

    /// The finished body: the request's further fields stand over what was put, and fill the place of what was left out.
    pub(crate) fn finish(mut self, endpoint: impl Into<Cow<'static, str>>, request: &ChatRequest) -> ChatPayload {
        self.members.extend(request.extra.clone());
        self.left_out.retain(|name| !self.members.contains_key(*name));
        ChatPayload { endpoint: endpoint.into(), body: Value::Object(self.members), left_out: self.left_out }
    }

    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.members)
    }
}

/// The error for more than one answer, where a provider gives one at a time.
pub(crate) fn only_one_answer(request: &ChatRequest) -> Result<(), PayloadError> {
    match request.n {
        None | Some(1) => Ok(()),
        Some(_) => Err(PayloadError::unusable("n", "this provider gives one answer at a time")),
    }
}

/// A segment of a path with everything escaped that would end it: model names may hold slashes and colons. Dots alone
/// would mean another place, so they are escaped as well.
pub(crate) fn path_segment(text: &str) -> String {
    let text = text.trim();
    let is_dots = text.bytes().all(|byte| byte == b'.');
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'@' | b':');
        if is_plain || (byte == b'.' && !is_dots) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_cannot_leave_its_place_in_a_path() {
        assert_eq!(path_segment("gemini-2.5-flash"), "gemini-2.5-flash");
        assert_eq!(path_segment("claude-sonnet-4-5@20250929"), "claude-sonnet-4-5@20250929");
        assert_eq!(path_segment("../a?b#c d"), "..%2Fa%3Fb%23c%20d");
        assert_eq!(path_segment(".."), "%2E%2E");
        assert_eq!(path_segment("arn:aws:bedrock:x:1:p/q"), "arn:aws:bedrock:x:1:p%2Fq");
    }

    #[test]
    fn what_the_caller_adds_fills_the_place_of_what_was_left_out() {
        let mut request = ChatRequest::default();
        request.extra.insert("seed".to_owned(), 1.into());
        let mut body = Body::default();
        body.leave_out(&[("seed", true), ("top_k", true), ("user", false)]);
        let payload = body.finish("/x", &request);
        assert_eq!(payload.left_out, ["top_k"]);
        assert_eq!(payload.body, serde_json::json!({"seed": 1}));
    }
}
