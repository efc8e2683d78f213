//! Batches of chat requests.

use providers::payload::ChatRequest;
use serde_json::Value;

use super::{BatchConfig, BatchItem, BatchProcessor, BatchResults, ItemError, Processed};
use crate::chat_completion::{ChatCompletionResponse, chat_post, chat_request};
use crate::{ChatLimiter, Error, Request, RetryPolicy};

/// Sends chat requests.
#[derive(Clone, Debug)]
pub struct ChatBatchProcessor {
    limiter: ChatLimiter,
    retry: Option<RetryPolicy>,
}

impl ChatBatchProcessor {
    /// A processor that sends with `limiter`.
    #[must_use]
    pub const fn new(limiter: ChatLimiter) -> Self {
        Self { limiter, retry: None }
    }
}

impl BatchProcessor for ChatBatchProcessor {
    type Data = Value;
    type Output = Value;

    async fn process_item(&self, item: &BatchItem<Value>) -> Result<Processed<Value>, ItemError> {
        let request = chat_post(&self.limiter, &item.data)?;
        let answer = self.limiter.request(Request { retry: self.retry, ..request }).await?;
        let value = answer.json()?;
        Ok(Processed::from_answer(&answer, value))
    }

    fn model_of(&self, item: &BatchItem<Value>) -> Option<String> {
        Some(item.data.get("model")?.as_str()?.to_owned())
    }

    fn provider_of(&self, _: &BatchItem<Value>) -> Option<String> {
        Some(self.limiter.provider().name().to_owned())
    }
}

/// Sends chat requests, as JSON bodies, and returns the answers in their order.
///
/// Bodies in OpenAI's form are understood by every provider, and those in the provider's own.
///
/// # Errors
///
/// As [`BatchProcessor::process_batch`].
#[doc(alias = "process_chat_batch_sync")]
pub async fn process_chat_batch<I>(
    limiter: &ChatLimiter,
    requests: I,
    config: &BatchConfig,
) -> Result<BatchResults<Value, Value>, Error>
where
    I: IntoIterator<Item: Into<BatchItem<Value>>>,
{
    let processor = ChatBatchProcessor { limiter: limiter.clone(), retry: Some(retry_policy(limiter, config)) };
    processor.process_batch(requests, config).await
}

/// The client's policy with the retries of the batch, where these are fewer: there is one who tries again, and that is the
/// client.
fn retry_policy(limiter: &ChatLimiter, config: &BatchConfig) -> RetryPolicy {
    let mut policy = limiter.shared.retry;
    policy.max_failures = policy.max_failures.min(config.max_retries_per_item.saturating_add(1));
    policy.max_unanswered = policy.max_unanswered.min(policy.max_failures);
    policy.backoff = config.backoff();
    policy
}

/// Sends [`ChatRequest`]s.
struct CompletionProcessor {
    limiter: ChatLimiter,
    retry: RetryPolicy,
}

impl BatchProcessor for CompletionProcessor {
    type Data = ChatRequest;
    type Output = ChatCompletionResponse;

    async fn process_item(
        &self,
        item: &BatchItem<ChatRequest>,
    ) -> Result<Processed<ChatCompletionResponse>, ItemError> {
        let request = chat_request(&self.limiter, &item.data)?.with_retry(self.retry);
        let response = ChatCompletionResponse::of(self.limiter.request(request).await?)?;
        let answer = response.answer.clone();
        Ok(Processed::from_answer(&answer, response))
    }

    fn model_of(&self, item: &BatchItem<ChatRequest>) -> Option<String> {
        Some(item.data.model.clone())
    }

    fn provider_of(&self, _: &BatchItem<ChatRequest>) -> Option<String> {
        Some(self.limiter.provider().name().to_owned())
    }
}

/// Sends [`ChatRequest`]s and returns the answers in their order.
///
/// # Errors
///
/// As [`BatchProcessor::process_batch`].
#[doc(alias = "ChatCompletionBatchProcessor")]
pub async fn process_chat_completion_batch<I>(
    limiter: &ChatLimiter,
    requests: I,
    config: &BatchConfig,
) -> Result<BatchResults<ChatRequest, ChatCompletionResponse>, Error>
where
    I: IntoIterator<Item: Into<BatchItem<ChatRequest>>>,
{
    let processor = CompletionProcessor { limiter: limiter.clone(), retry: retry_policy(limiter, config) };
    processor.process_batch(requests, config).await
}
