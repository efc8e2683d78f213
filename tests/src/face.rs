//! The APIs that the simulator speaks, as a client sees them.

use std::sync::Arc;

use chat_limiter::transport::Transport;
use chat_limiter::{Builder, ChatLimiter, Request};
use serde_json::{Value, json};

/// An API of the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
    /// OpenRouter's.
    OpenRouter,
    /// OpenAI's, of a server of which nothing else is known.
    Compatible,
}

/// Text with about four characters a token, as English has.
const TEXT: &str = "Every morning the harbour fills with boats that come back before the rain, and we count them. ";

impl Face {
    /// Those of a provider.
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::OpenRouter];

    /// The provider's name.
    #[must_use]
    pub const fn provider(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::OpenRouter => "openrouter",
            Self::Compatible => "openai-compatible",
        }
    }

    /// A model of that provider.
    #[must_use]
    pub const fn model(self) -> &'static str {
        match self {
            Self::OpenAi | Self::Compatible => "gpt-4o-mini",
            Self::Anthropic => "claude-haiku-4-5",
            Self::OpenRouter => "deepseek/deepseek-r1-0528:free",
        }
    }

    /// Where chat requests go.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Anthropic => "/v1/messages",
            Self::OpenAi | Self::OpenRouter | Self::Compatible => "/v1/chat/completions",
        }
    }

    /// A client of this API over `transport`, with a key that nobody asks for.
    #[must_use]
    pub fn client(self, transport: Arc<dyn Transport>) -> Builder {
        let base_url = match self {
            Self::OpenRouter => "http://provider.invalid/api/v1",
            Self::OpenAi | Self::Anthropic | Self::Compatible => "http://provider.invalid/v1",
        };
        ChatLimiter::builder(self.provider()).base_url(base_url).api_key("no-key-needed").transport(transport)
    }

    /// A chat request of `prompt` tokens (three at least), as the simulator counts them: a quarter of the characters, one
    /// for the message and one for the whole. It may produce `most_output` tokens.
    #[must_use]
    pub fn question(self, model: &str, prompt: usize, most_output: u64) -> Request {
        let body = json!({"model": model, "max_tokens": most_output, "messages": messages(prompt)});
        Request::post(self.path(), body.to_string())
    }

    /// The same, without a word on how much may be produced.
    #[must_use]
    pub fn open_question(self, model: &str, prompt: usize) -> Request {
        Request::post(self.path(), json!({"model": model, "messages": messages(prompt)}).to_string())
    }
}

fn messages(prompt: usize) -> [Value; 1] {
    let text: String = TEXT.chars().cycle().take(prompt.saturating_sub(2) * 4).collect();
    [json!({"role": "user", "content": text})]
}
