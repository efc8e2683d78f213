//! What LLM providers say and want: limit headers, errors, usage, streams, payloads and addresses.
//!
//! This crate does no I/O, reads no clock and no environment variable, and never panics on what a server sent. Bytes,
//! headers and an instant go in; readings, failures and counts come out. Each provider is one file and one line in the
//! [`Registry`]; programs add their own by implementing [`Provider`].
//!
//! ```
//! use http::{HeaderMap, StatusCode};
//! use providers::{Registry, UnixTime};
//!
//! let provider = Registry::standard().by_name("openai")?;
//! let mut headers = HeaderMap::new();
//! headers.insert("x-ratelimit-limit-tokens", "30000".parse()?);
//! headers.insert("x-ratelimit-remaining-tokens", "29000".parse()?);
//! headers.insert("x-ratelimit-reset-tokens", "2s".parse()?);
//!
//! let observation = provider.observe(StatusCode::OK, &headers, UnixTime::from_secs(1_800_000_000));
//! assert_eq!(observation.readings()[0].remaining, Some(29_000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod classify;
mod dialect;
pub mod discovery;
pub mod duration;
mod error_body;
mod error_kind;
mod failure;
mod google_rpc;
mod headers;
mod message;
pub mod models;
mod names;
pub mod payload;
mod provider;
mod redact;
mod registry;
mod retry_hint;
mod size;
pub mod sse;
mod stream_text;
mod stream_usage;
pub mod tasks;
#[cfg(test)]
mod test_support;
mod unix_time;
mod url;
mod usage;
mod window;
mod words;

// The providers, a file each.
mod anthropic;
mod azure;
mod bedrock;
mod cerebras;
mod cohere;
mod deepseek;
mod fireworks;
mod gemini;
mod groq;
mod huggingface;
mod local;
mod mistral;
mod openai;
mod openai_compatible;
mod openrouter;
mod perplexity;
mod sambanova;
mod together;
mod xai;

pub use anthropic::Anthropic;
pub use azure::{Azure, GitHubModels};
pub use bedrock::Bedrock;
pub use cerebras::Cerebras;
pub use cohere::Cohere;
pub use deepseek::DeepSeek;
pub use dialect::Dialect;
pub use error_kind::ErrorKind;
pub use failure::Failure;
pub use fireworks::Fireworks;
pub use gemini::{Gemini, Vertex};
pub use groq::Groq;
pub use headers::HeaderUse;
pub use huggingface::HuggingFace;
pub use local::{Ollama, VLlm};
pub use mistral::Mistral;
pub use models::{Billing, ModelFacts, ModelTable};
pub use openai::OpenAi;
pub use openai_compatible::OpenAiCompatible;
pub use openrouter::OpenRouter;
pub use perplexity::Perplexity;
pub use provider::{InvalidKey, Provider, RequestSize};
pub use registry::{Registry, UnknownProvider};
pub use sambanova::SambaNova;
pub use stream_text::{produced_bytes, stream_text};
pub use stream_usage::StreamUsage;
pub use tasks::Task;
pub use together::Together;
pub use unix_time::UnixTime;
pub use url::{InvalidUrl, join_url};
pub use usage::Usage;
pub use xai::XAi;
