//! The blocking client.

use std::sync::Arc;

use providers::payload::ChatRequest;

use super::runtime::Runtime;
use super::{AnswerStream, Builder};
use crate::client::{nobody_lists, not_listed};
use crate::{Error, Request};

/// A client of one LLM provider that stays within its limits, for threads that may block.
///
/// Cheap to clone; clones share everything: limits, queue, connections, and the one thread that runs these. Each call
/// blocks the thread that makes it until the limits have had room and the answer is there.
///
/// Every call fails inside an async runtime: see [the module](super).
#[derive(Clone, Debug)]
pub struct ChatLimiter {
    // Before the runtime, so that whatever it drops finds its runtime running.
    limiter: crate::ChatLimiter,
    runtime: Arc<Runtime>,
}

impl ChatLimiter {
    /// A client of the provider with this name: `openai`, `anthropic`, `openrouter`, `openai-compatible`.
    #[must_use]
    pub fn builder(provider: &str) -> Builder {
        crate::ChatLimiter::builder(provider).into()
    }

    /// As [`from_url`](crate::ChatLimiter::from_url).
    #[must_use]
    pub fn from_url(url: &str) -> Builder {
        crate::ChatLimiter::from_url(url).into()
    }

    /// As [`for_model`](crate::ChatLimiter::for_model).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn for_model(model: &str) -> Result<Builder, Error> {
        crate::ChatLimiter::for_model(model).map(Builder::from)
    }

    /// As [`detect_provider`](crate::ChatLimiter::detect_provider): blocks until it is done.
    ///
    /// # Errors
    ///
    /// As there; also inside an async runtime, and where no thread can be started.
    pub fn detect_provider(model: &str) -> Result<Self, Error> {
        let runtime = Runtime::start()?;
        let limiter = runtime.block_on(crate::ChatLimiter::detect_provider(model))??;
        Ok(Self::new(limiter, runtime))
    }

    /// As [`find_model`](crate::ChatLimiter::find_model), but that the clients are asked one after the other, each on its own
    /// thread.
    ///
    /// # Errors
    ///
    /// As there; also inside an async runtime.
    pub fn find_model<'a>(model: &str, clients: &'a [Self]) -> Result<&'a Self, Error> {
        let mut asked = Vec::new();
        for client in clients {
            match not_listed(client.as_async(), client.has_model(model)) {
                Some(why) => asked.push(why),
                None => return Ok(client),
            }
        }
        Err(nobody_lists(model, &asked))
    }

    pub(super) fn new(limiter: crate::ChatLimiter, runtime: Runtime) -> Self {
        Self { limiter, runtime: Arc::new(runtime) }
    }

    /// The async client that shares everything with this one: for what is built on it
    /// ([`IModel`](crate::service::IModel), [`BaseService`](crate::service::BaseService)), with
    /// [`block_on`](Self::block_on). Its futures need the thread of this client, which ends with the last blocking clone.
    #[must_use]
    pub const fn as_async(&self) -> &crate::ChatLimiter {
        &self.limiter
    }

    /// Runs a future on this thread to its end. What it waits for happens on the client's own.
    ///
    /// ```no_run
    /// use chat_limiter::blocking::ChatLimiter;
    ///
    /// # fn main() -> Result<(), chat_limiter::Error> {
    /// let limiter = ChatLimiter::builder("openai").build()?;
    /// let mut subscription = limiter.as_async().subscribe();
    /// limiter.block_on(subscription.changed())??;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Inside an async runtime.
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        self.runtime.block_on(future)
    }

    /// Sends a request whose answer comes as a stream, and returns it when its first event has come.
    ///
    /// # Errors
    ///
    /// As [`stream`](crate::ChatLimiter::stream); also inside an async runtime.
    pub fn stream(&self, request: Request) -> Result<AnswerStream, Error> {
        let stream = self.block_on(self.limiter.stream(request))??;
        Ok(AnswerStream::new(stream, self.clone()))
    }

    /// Sends messages to a model, in the provider's own form, and asks for the answer as a stream that states its usage.
    ///
    /// # Errors
    ///
    /// As [`chat_with`](Self::chat_with).
    pub fn chat_stream(&self, request: &ChatRequest) -> Result<AnswerStream, Error> {
        let stream = self.block_on(self.limiter.chat_stream(request))??;
        Ok(AnswerStream::new(stream, self.clone()))
    }

    #[cfg(test)]
    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}
