//! The client for programs without async code: the same surface, where a call returns when the answer is there.
//!
//! ```no_run
//! use chat_limiter::Message;
//! use chat_limiter::blocking::ChatLimiter;
//!
//! fn main() -> Result<(), chat_limiter::Error> {
//!     let limiter = ChatLimiter::builder("openai").build()?; // the key is in OPENAI_API_KEY
//!     let answer = limiter.chat("gpt-4o-mini", vec![Message::user("What is a token?")])?;
//!     println!("{}", answer.json()?["choices"][0]["message"]["content"]);
//!     Ok(())
//! }
//! ```
//!
//! Clones share everything and may be used from as many threads as there is work for; each call blocks its own thread:
//!
//! ```no_run
//! # use chat_limiter::{Error, Message, blocking::ChatLimiter};
//! # fn example(limiter: &ChatLimiter, questions: &[&str]) {
//! std::thread::scope(|threads| {
//!     for question in questions {
//!         threads.spawn(move || limiter.chat("gpt-4o-mini", vec![Message::user(*question)]));
//!     }
//! });
//! # }
//! ```
//!
//! One thread runs the connections and timers of a client; it begins with the client and ends with its last clone. What a
//! call does besides runs on the thread that calls, so a caller that panics gives back what it held as one that drops a
//! future does.
//!
//! # Inside an async runtime
//!
//! A call that blocks there would stall every task of its thread, so building a client and every call fail with an
//! [`Error`](crate::Error) that says so; nothing panics, and a client may be dropped there. This holds for the threads of
//! `tokio::task::spawn_blocking`, too, which cannot be told from the others: they have the async
//! [`ChatLimiter`](crate::ChatLimiter) at hand.

mod batch;
mod builder;
mod chat;
mod client;
mod forward;
mod runtime;
mod stream;

pub use batch::{Batch, Stopper};
pub use builder::Builder;
pub use client::ChatLimiter;
pub use stream::AnswerStream;

#[cfg(test)]
mod tests;
