//! The blocking client.

use std::sync::Arc;

use providers::Provider;
use providers::payload::{ChatRequest, Message};

use super::Builder;
use super::runtime::Runtime;
use crate::{Answer, Error, Request, ScopeState};

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

    pub(super) fn new(limiter: crate::ChatLimiter, runtime: Runtime) -> Self {
        Self { limiter, runtime: Arc::new(runtime) }
    }

    /// Sends a request when the limits allow, again where that is worth it, and returns the answer.
    ///
    /// # Errors
    ///
    /// As [`request`](crate::ChatLimiter::request); also inside an async runtime.
    pub fn request(&self, request: Request) -> Result<Answer, Error> {
        self.block_on(self.limiter.request(request))?
    }

    /// Sends messages to a model, in the provider's own form. The answer is the provider's, unchanged.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub fn chat(&self, model: impl Into<String>, messages: Vec<Message>) -> Result<Answer, Error> {
        self.block_on(self.limiter.chat(model, messages))?
    }

    /// As [`chat`](Self::chat), with all that a chat request can say.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request); also where the request cannot be expressed in the provider's form.
    pub fn chat_with(&self, request: &ChatRequest) -> Result<Answer, Error> {
        self.block_on(self.limiter.chat_with(request))?
    }

    /// The limits known now, what is left of them, and who waits, for each set of models that share limits.
    #[must_use]
    pub fn limits(&self) -> Vec<ScopeState> {
        self.limiter.limits()
    }

    /// What `model` shares its limits with, as far as the provider's documentation tells.
    #[must_use]
    pub fn model_group(&self, model: &str) -> Arc<str> {
        self.limiter.model_group(model)
    }

    /// Sends nothing any more: calls that wait, on whichever thread, fail ([`Error::is_closed`]), those in flight go on to
    /// their end and are not tried again.
    pub fn close(&self) {
        self.limiter.close();
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &Arc<dyn Provider> {
        self.limiter.provider()
    }

    /// The async client that shares everything with this one. Its futures need the thread of this client, which ends with
    /// the last blocking clone.
    pub(super) const fn inner(&self) -> &crate::ChatLimiter {
        &self.limiter
    }

    pub(super) fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        self.runtime.block_on(future)
    }

    #[cfg(test)]
    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}
