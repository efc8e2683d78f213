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
//! [`Batch`] runs a whole file of requests. The layers underneath stand on their own and are re-exported:
//! [`limiter_core`] (the arithmetic, without clock and I/O), [`providers`] (what providers say and want),
//! [`tokenizer`] and [`transport`].

mod batch;
#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod client;
mod clock;
mod error;
mod exchange;
mod mask;
mod request;
mod retry;
mod scope;
mod scopes;
#[cfg(feature = "tower")]
pub mod tower;

pub use limiter_core;
pub use providers;
pub use tokenizer;
pub use transport;

pub use batch::{
    Batch, BatchError, BatchItem, InvalidLine, LimitSummary, ModelSummary, Progress, ProgressSnapshot, Summary, Watcher,
};
pub use builder::Builder;
pub use client::{ChatLimiter, ScopeState};
pub use error::Error;
pub use limiter_core::Priority;
pub use providers::payload::{ChatRequest, Message};
pub use request::{Answer, Request};
pub use retry::RetryPolicy;

/// The examples of the guides, compiled and run as documentation tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/LIBRARY.md")]
    struct Library;
}
