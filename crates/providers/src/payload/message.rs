//! One turn of a conversation.

use serde_json::{Map, Value};

use super::{Content, PayloadError};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Instructions to the model. Providers that take them elsewhere get them there.
    System,
    /// The same under OpenAI's newer name; other providers get it as [`Role::System`].
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool that the model called.
    Tool,
}

impl Role {
    /// The name that OpenAI's interface uses: `system`, `developer`, `user`, `assistant`, `tool`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }

    /// Whether it is instructions, under either name.
    #[must_use]
    pub const fn is_system(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, or what a tool answered.
    pub content: Content,
    /// Who exactly speaks; for [`Role::Tool`] the name of the tool.
    pub name: Option<String>,
    /// The tools that the model called in this turn.
    pub tool_calls: Vec<ToolCall>,
    /// The call that this is the result of. Required for [`Role::Tool`].
    pub tool_call_id: Option<String>,
    /// Whether the tool failed. Providers without a place for it are sent the text alone.
    pub is_error: bool,
    /// What the model thought in this turn. Providers that sign it want it back unchanged.
    pub thoughts: Vec<Thought>,
    /// Further members of the message in the provider's own form. They win over those above.
    pub extra: Map<String, Value>,
}

/// A tool that the model called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolCall {
    /// By which the result refers to it.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// Its arguments: the text of a JSON object, as the model wrote it.
    pub arguments: String,
    /// What Gemini signs a call with and wants back.
    pub signature: Option<String>,
}

/// A piece of the model's reasoning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thought {
    /// What it says; for a redacted one, the provider's opaque data.
    pub text: String,
    /// What the provider signed it with.
    pub signature: Option<String>,
    /// Whether the provider hides what it says.
    pub is_redacted: bool,
}

impl ToolCall {
    /// A call with these arguments.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>, arguments: &Value) -> Self {
        Self { id: id.into(), name: name.into(), arguments: arguments.to_string(), signature: None }
    }

    /// The arguments as an object, for providers that do not take them as text. No text at all means none.
    pub(crate) fn object(&self) -> Result<Value, PayloadError> {
        if self.arguments.trim().is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        serde_json::from_str::<Map<String, Value>>(&self.arguments)
            .map(Value::Object)
            .map_err(|_| PayloadError::unusable("tool_calls", "`arguments` must be the text of a JSON object"))
    }
}

impl Thought {
    /// A thought with the provider's signature.
    #[must_use]
    pub fn signed(text: impl Into<String>, signature: impl Into<String>) -> Self {
        Self { text: text.into(), signature: Some(signature.into()), is_redacted: false }
    }
}

impl Message {
    /// A message of any role.
    #[must_use]
    pub fn new(role: Role, content: impl Into<Content>) -> Self {
        Self {
            role,
            content: content.into(),
            name: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
            is_error: false,
            thoughts: Vec::new(),
            extra: Map::new(),
        }
    }

    /// Instructions to the model.
    #[must_use]
    pub fn system(content: impl Into<Content>) -> Self {
        Self::new(Role::System, content)
    }

    /// What the person says.
    #[must_use]
    pub fn user(content: impl Into<Content>) -> Self {
        Self::new(Role::User, content)
    }

    /// What the model said.
    #[must_use]
    pub fn assistant(content: impl Into<Content>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// What a tool answered to the call `id`.
    #[must_use]
    pub fn tool(id: impl Into<String>, content: impl Into<Content>) -> Self {
        Self { tool_call_id: Some(id.into()), ..Self::new(Role::Tool, content) }
    }

    /// The same with the tools that the model called.
    #[must_use]
    pub fn with_tool_calls(mut self, calls: Vec<ToolCall>) -> Self {
        self.tool_calls = calls;
        self
    }

    /// The call that a tool's message answers.
    pub(crate) fn answered_call(&self) -> Result<&str, PayloadError> {
        self.tool_call_id.as_deref().filter(|id| !id.is_empty()).ok_or_else(|| PayloadError::missing("tool_call_id"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_arguments_of_a_call_are_an_object_or_an_error() {
        let call =
            |arguments: &str| ToolCall { arguments: arguments.to_owned(), ..ToolCall::new("1", "f", &json!({})) };
        assert_eq!(call(r#"{"a":0}"#).object(), Ok(json!({"a": 0})));
        assert_eq!(call(" ").object(), Ok(json!({})));
        for text in ["[1]", "{", "null", "3"] {
            assert!(call(text).object().is_err(), "{text}");
        }
    }

    #[test]
    fn a_result_without_its_call_is_refused() {
        let check = |message: Message| message.answered_call().map(str::to_owned).map_err(|error| error.to_string());
        assert_eq!(check(Message::tool("call_1", "42")), Ok("call_1".to_owned()));
        assert_eq!(check(Message::tool("", "42")), Err("`tool_call_id` is required".to_owned()));
        assert_eq!(check(Message::new(Role::Tool, "42")), Err("`tool_call_id` is required".to_owned()));
    }
}
