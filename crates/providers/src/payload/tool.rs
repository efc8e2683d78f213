//! The tools that a model may call.

use serde_json::{Value, json};

use super::PayloadError;

/// A function that the model may call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The JSON schema of its arguments: an object.
    pub parameters: Option<Value>,
    /// Whether the arguments must follow the schema exactly.
    pub strict: Option<bool>,
    /// A tool in the provider's own form (web search, code execution), sent in place of the rest.
    pub raw: Option<Value>,
}

impl Tool {
    /// A function with the schema of its arguments.
    #[must_use]
    pub fn new(name: impl Into<String>, description: impl Into<String>, parameters: Value) -> Self {
        Self {
            name: name.into(),
            description: Some(description.into()),
            parameters: Some(parameters),
            strict: None,
            raw: None,
        }
    }

    /// A tool in the provider's own form, which is sent as it is.
    #[must_use]
    pub fn raw(tool: Value) -> Self {
        Self { name: String::new(), description: None, parameters: None, strict: None, raw: Some(tool) }
    }

    /// The schema of its arguments; one without any takes an empty object.
    pub(crate) fn schema(&self) -> Value {
        self.parameters.clone().unwrap_or_else(|| json!({"type": "object", "properties": {}}))
    }

    pub(crate) fn check(&self) -> Result<(), PayloadError> {
        if self.raw.is_none() && self.name.trim().is_empty() {
            return Err(PayloadError::missing("tools.name"));
        }
        Ok(())
    }
}

/// Which tools the model calls.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolChoice {
    /// Whichever it likes, or none.
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Named(String),
}
