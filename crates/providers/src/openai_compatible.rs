//! Any server that speaks OpenAI's interface: vLLM, llama.cpp, Ollama, gateways, and providers without a file here.
//!
//! Nothing is known about such a server, so every common family of limit headers is read: OpenAI's, the plain
//! `x-ratelimit-limit`, and the `ratelimit-*` fields of <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>
//! (the three separate fields of its earlier versions). No window is assumed that a header does not name.

use crate::Provider;

/// A server that speaks OpenAI's interface and of which nothing else is known.
#[derive(Clone, Debug)]
pub struct OpenAiCompatible {
    name: String,
    base_url: String,
    key_variable: Option<String>,
}

impl OpenAiCompatible {
    /// A server on this machine that needs no key: `http://127.0.0.1:8000/v1`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            name: "openai-compatible".to_owned(),
            base_url: "http://127.0.0.1:8000/v1".to_owned(),
            key_variable: None,
        }
    }

    /// The same under another name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same at another address. It is checked when it is used, by [`join_url`](crate::join_url).
    #[must_use]
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// The same with a key that is kept in this environment variable.
    #[must_use]
    pub fn with_key_variable(mut self, variable: impl Into<String>) -> Self {
        self.key_variable = Some(variable.into());
        self
    }
}

impl Default for OpenAiCompatible {
    fn default() -> Self {
        Self::new()
    }
}

impl Provider for OpenAiCompatible {
    fn name(&self) -> &str {
        &self.name
    }

    fn base_url(&self) -> &str {
        &self.base_url
    }

    fn key_variable(&self) -> Option<&str> {
        self.key_variable.as_deref()
    }
}

#[cfg(test)]
mod tests;
