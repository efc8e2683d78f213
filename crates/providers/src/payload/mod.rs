//! Requests in the form that each provider wants.
//!
//! A [`ChatRequest`] is written once and takes any [`Form`]; `docs/PAYLOADS.md` has the table of what becomes of each
//! field.
//!
//! ```
//! use providers::Registry;
//! use providers::payload::{ChatRequest, Effort, Message, Reasoning, Tool};
//! use serde_json::json;
//!
//! let mut request = ChatRequest::new("claude-sonnet-4-5", vec![Message::system("Be brief."), Message::user("Is it warm?")]);
//! request.tools = vec![Tool::new("weather", "The weather here.", json!({"type": "object"}))];
//! request.reasoning = Some(Reasoning::effort(Effort::Low));
//! request.max_tokens = Some(10_000);
//! request.seed = Some(7);
//!
//! let payload = Registry::standard().by_name("anthropic")?.chat_payload(&request)?;
//! assert_eq!(payload.endpoint, "/v1/messages");
//! assert_eq!(payload.body["system"], "Be brief.");
//! assert_eq!(payload.body["thinking"], json!({"type": "enabled", "budget_tokens": 2_000}));
//! assert_eq!(payload.left_out, ["seed"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
mod media;
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
pub use content::{Content, Part};
pub use error::PayloadError;
pub use form::Form;
pub use form_data::{EncodedForm, FilePart, FormData};
pub use media::{Attachment, Image, ImageSource};
pub use message::{Message, Role, Thought, ToolCall};
pub use options::{Effort, JsonSchema, Reasoning, ResponseFormat};
pub use package::PayloadPackage;
pub use schema::Schema;
pub use tool::{Tool, ToolChoice};
