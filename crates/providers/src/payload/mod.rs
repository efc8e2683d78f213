//! Requests in the form that each provider wants.
//!
//! A [`ChatRequest`] is written once and takes any [`Form`]; `docs/PAYLOADS.md` has the table of what becomes of each
//! field.

mod anthropic;
mod anthropic_hosted;
mod bedrock;
mod body;
mod chat;
mod chat_dialect;
mod cohere;
mod content;
mod error;
#[cfg(test)]
mod fixtures;
mod form;
mod form_data;
mod gemini;
mod message;
mod ollama;
mod openai;
mod options;
mod package;
mod read;
mod responses;
mod schema;
mod schemas;
mod tool;
mod turns;

pub use anthropic::DEFAULT_MAX_TOKENS as ANTHROPIC_DEFAULT_MAX_TOKENS;
pub(crate) use body::path_segment;
pub use chat::{ChatPayload, ChatRequest};
pub use chat_dialect::{Bound, ChatDialect, Thinking};
pub use content::{Content, Image, ImageSource, Part};
pub use error::PayloadError;
pub use form::Form;
pub use form_data::{EncodedForm, FilePart, FormData};
pub use message::{Message, Role, Thought, ToolCall};
pub use options::{Effort, JsonSchema, Reasoning, ResponseFormat};
pub use package::PayloadPackage;
pub use schema::Schema;
pub use tool::{Tool, ToolChoice};
