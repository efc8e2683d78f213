//! Many items in memory, processed with a bounded number at once: results in the order of the items, whatever fails.
//!
//! The batch processor of the chat-limiter document. For files see [`Batch`](crate::Batch), whose memory does not grow
//! with the number of lines.
//!
//! ```no_run
//! # async fn example() -> Result<(), chat_limiter::Error> {
//! use chat_limiter::ChatLimiter;
//! use chat_limiter::batch_processor::{BatchConfig, process_chat_batch};
//! use serde_json::json;
//!
//! let limiter = ChatLimiter::builder("openai").build()?;
//! let requests = (0..10).map(|i| {
//!     json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": format!("Question {i}")}]})
//! });
//! let config = BatchConfig { max_concurrent_requests: 5, max_retries_per_item: 3, ..BatchConfig::default() };
//! let results = process_chat_batch(&limiter, requests, &config).await?;
//! println!("{} of {} succeeded", results.successful_results().count(), results.len());
//! # Ok(()) }
//! ```

mod books;
mod chat;
mod config;
mod error;
mod item;
mod result;
mod run;
#[cfg(feature = "blocking")]
mod sync;
#[cfg(test)]
mod tests;
mod window;

use std::future::Future;

pub use chat::{ChatBatchProcessor, process_chat_batch, process_chat_completion_batch};
pub use config::{BatchConfig, BatchProgress, ShowProgress};
pub use error::ItemError;
pub use item::{BatchItem, Processed, create_batch_items};
pub use result::{BatchResult, BatchResults, BatchStats};
#[cfg(feature = "blocking")]
pub use sync::SyncBatchProcessor;

use crate::Error;

/// What is done with each item of a batch.
///
/// ```no_run
/// use chat_limiter::batch_processor::{BatchConfig, BatchItem, BatchProcessor, ItemError, Processed};
/// use chat_limiter::{ChatLimiter, Request};
/// use serde_json::{Value, json};
///
/// struct Custom(ChatLimiter);
///
/// impl BatchProcessor for Custom {
///     type Data = Value;
///     type Output = Value;
///
///     async fn process_item(&self, item: &BatchItem<Value>) -> Result<Processed<Value>, ItemError> {
///         let answer = self.0.request(Request::post("/custom/endpoint", item.data.to_string())).await?;
///         let value = answer.json()?;
///         Ok(Processed::from_answer(&answer, value))
///     }
/// }
///
/// # async fn example(limiter: ChatLimiter) -> Result<(), chat_limiter::Error> {
/// let results = Custom(limiter).process_batch([json!({"n": 1}), json!({"n": 2})], &BatchConfig::default()).await?;
/// # Ok(()) }
/// ```
pub trait BatchProcessor: Sync {
    /// What an item holds.
    type Data: Send + Sync;
    /// What becomes of it.
    type Output: Send;

    /// Processes one item, once. It is called again where its error is [worth another try](ItemError::is_retryable), which
    /// that of a request is not: the client has tried it again.
    fn process_item(
        &self,
        item: &BatchItem<Self::Data>,
    ) -> impl Future<Output = Result<Processed<Self::Output>, ItemError>> + Send;

    /// The model that an item is for: what `group_by_model` looks at. That of its `json_data`, unless overridden.
    fn model_of(&self, item: &BatchItem<Self::Data>) -> Option<String> {
        Some(item.json_data.as_ref()?.get("model")?.as_str()?.to_owned())
    }

    /// The provider that an item is for: what `group_by_provider` looks at. None, unless overridden.
    fn provider_of(&self, item: &BatchItem<Self::Data>) -> Option<String> {
        let _ = item;
        None
    }

    /// Processes items, as many at once as `config` says, and returns a result for each in the order in which they came.
    ///
    /// Dropping the future stops everything and loses the results.
    ///
    /// # Errors
    ///
    /// An [`Error`] with [`is_configuration`](Error::is_configuration) that names the setting which makes no sense. What
    /// goes wrong with an item stands in its result.
    fn process_batch<I>(
        &self,
        items: I,
        config: &BatchConfig,
    ) -> impl Future<Output = Result<BatchResults<Self::Data, Self::Output>, Error>> + Send
    where
        I: IntoIterator<Item: Into<BatchItem<Self::Data>>>,
        Self: Sized,
    {
        let items = items.into_iter().map(Into::into).collect();
        async move {
            config.check()?;
            Ok(run::run(self, items, config).await)
        }
    }
}
