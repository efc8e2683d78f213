//! One chat request, in the form that each provider wants.

pub(crate) mod anthropic;
mod chat;
pub(crate) mod openai;
pub(crate) mod openrouter;

pub use anthropic::DEFAULT_MAX_TOKENS as ANTHROPIC_DEFAULT_MAX_TOKENS;
pub use chat::{ChatPayload, ChatRequest, Content, Message, Part, PayloadError, Role};
