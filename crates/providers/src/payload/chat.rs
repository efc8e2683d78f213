//! The request that is converted, and what converting it gives.

use serde_json::{Map, Value};
use thiserror::Error;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Instructions from the developer. Providers that take them elsewhere get them there.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name that every interface uses: `system`, `user`, `assistant`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// What is said.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Text and images, in order.
    Parts(Vec<Part>),
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Part {
    /// Plain text.
    Text(String),
    /// An image by its address: `https://...`, or `data:image/png;base64,...`.
    Image(String),
}

impl Content {
    /// The texts in it, joined by line breaks.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parts(parts) => {
                let texts: Vec<&str> = parts.iter().filter_map(Part::as_text).collect();
                texts.join("\n")
            }
        }
    }
}

impl Part {
    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Image(_) => None,
        }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Content,
}

impl Message {
    /// A message of any role.
    #[must_use]
    pub fn new(role: Role, content: impl Into<Content>) -> Self {
        Self { role, content: content.into() }
    }

    /// Instructions from the developer.
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
}

/// A chat request before it takes any provider's form. Fields left out are left to the provider's default; zero and
/// `false` are values and are sent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChatRequest {
    /// The model, as the provider names it. Required.
    pub model: String,
    /// The conversation. At least one message is required.
    pub messages: Vec<Message>,
    /// The most tokens that may be produced.
    pub max_tokens: Option<u64>,
    /// How freely tokens are chosen: 0 is the most predictable.
    pub temperature: Option<f64>,
    /// The share of the likeliest tokens to choose from, 0 to 1.
    pub top_p: Option<f64>,
    /// Texts at which production stops.
    pub stop: Vec<String>,
    /// Whether the answer comes as a stream. Where the provider must be asked for the usage of a stream, it is.
    pub stream: Option<bool>,
    /// Further fields in the provider's own form. They win over the fields above.
    pub extra: Map<String, Value>,
}

impl ChatRequest {
    /// A request with nothing but what is required.
    #[must_use]
    pub fn new(model: impl Into<String>, messages: Vec<Message>) -> Self {
        Self { model: model.into(), messages, ..Self::default() }
    }

    /// Refuses what no provider accepts.
    pub(crate) fn check(&self) -> Result<(), PayloadError> {
        if self.model.trim().is_empty() {
            return Err(PayloadError::Missing { field: "model" });
        }
        if self.messages.is_empty() {
            return Err(PayloadError::Missing { field: "messages" });
        }
        for (field, number) in [("temperature", self.temperature), ("top_p", self.top_p)] {
            if number.is_some_and(|number| !number.is_finite()) {
                return Err(PayloadError::Unusable { field, reason: "not a finite number" });
            }
        }
        Ok(())
    }

    /// The body with the further fields put over it.
    pub(crate) fn complete(&self, mut body: Map<String, Value>) -> Value {
        body.extend(self.extra.clone());
        Value::Object(body)
    }
}

/// A body and the path it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatPayload {
    /// The path, as a batch file states it: `/v1/chat/completions`.
    pub endpoint: &'static str,
    /// The body.
    pub body: Value,
}

/// Why a request cannot be put into a provider's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// A required field is missing or empty.
    #[error("`{field}` is required")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field's value cannot be sent to this provider.
    #[error("`{field}` cannot be used: {reason}")]
    Unusable {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}
