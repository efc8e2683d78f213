//! Drives LLM traffic at the ceiling of the quota and not past it, without being told the limits.
//!
//! Providers limit requests and tokens per minute and per day. This client reads the limits from what the provider
//! answers, reserves what a request will take before sending it, settles with what it really took, queues what does
//! not fit yet, and tries again what is worth it:
//!
//! ```no_run
//! use chat_limiter::{ChatLimiter, Message};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let limiter = ChatLimiter::builder("openai").build()?; // the key is in OPENAI_API_KEY
//!     let questions = ["What is a token?", "What is a bucket?"];
//!     let answers = questions.map(|question| limiter.chat("gpt-4o-mini", vec![Message::user(question)]));
//!     for answer in futures::future::join_all(answers).await {
//!         println!("{}", answer?.json()?["choices"][0]["message"]["content"]);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [`Batch`] runs a whole file of requests, [`batch_processor`] one in memory; [`service`] has models and services by
//! name. The layers underneath stand on their own and are re-exported:
//! [`limiter_core`] (the arithmetic, without clock and I/O), [`providers`] (what providers say and want),
//! [`tokenizer`] and [`transport`].

mod batch;
pub mod batch_processor;
#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod chat_completion;
mod client;
mod clock;
mod error;
mod exchange;
mod gate;
mod history;
mod learned;
mod mask;
mod observe;
mod permit;
mod provider_config;
mod request;
mod retry;
mod scope;
mod scopes;
pub mod service;
mod slots;
mod stream;
#[cfg(test)]
mod test_support;
#[cfg(feature = "tower")]
pub mod tower;
mod usage;

pub use limiter_core;
pub use providers;
pub use tokenizer;
pub use transport;

pub use batch::{
    Batch, BatchError, BatchItem, InvalidLine, LimitSummary, ModelSummary, Progress, ProgressSnapshot, Summary, Watcher,
};
pub use builder::Builder;
pub use chat_completion::{ChatCompletionResponse, Choice};
pub use client::{ChatLimiter, CurrentLimits, ScopeState, Subscription};
pub use error::{Error, RateLimitError};
pub use history::{Attempt, History};
pub use learned::Learned;
pub use limiter_core::{Cost, Priority};
pub use permit::Permit;
pub use provider_config::ProviderConfig;
pub use providers::payload::{ChatRequest, Message};
pub use request::{Answer, Request};
pub use retry::RetryPolicy;
pub use stream::{AnswerBytes, AnswerStream, Event};
pub use usage::UsageTotals;

/// The names of what is counted through the crate `metrics`, each with the labels `provider` and `model_group`.
#[cfg(feature = "metrics")]
pub mod metrics {
    pub use crate::observe::names::*;
}

/// The examples of the guides, compiled and run as documentation tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/LIBRARY.md")]
    struct Library;
    #[doc = include_str!("../../../docs/LIVE.md")]
    struct Live;
}
