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

mod anthropic;
mod classify;
pub mod discovery;
pub mod duration;
mod error_body;
mod error_kind;
mod failure;
mod headers;
mod message;
pub mod models;
mod openai;
mod openai_compatible;
mod openrouter;
pub mod payload;
mod provider;
mod redact;
mod registry;
mod retry_hint;
mod size;
pub mod sse;
mod stream_usage;
pub mod tasks;
#[cfg(test)]
mod test_support;
mod unix_time;
mod url;
mod usage;

pub use anthropic::Anthropic;
pub use error_kind::ErrorKind;
pub use failure::Failure;
pub use models::{Billing, ModelFacts, ModelTable};
pub use openai::OpenAi;
pub use openai_compatible::OpenAiCompatible;
pub use openrouter::OpenRouter;
pub use provider::{InvalidKey, Provider, RequestSize};
pub use registry::{Registry, UnknownProvider};
pub use stream_usage::StreamUsage;
pub use tasks::Task;
pub use unix_time::UnixTime;
pub use url::{InvalidUrl, join_url};
pub use usage::Usage;
