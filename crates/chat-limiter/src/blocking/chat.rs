//! Batches of chat requests.

use providers::payload::ChatRequest;
use serde_json::Value;

use super::ChatLimiter;
use crate::batch_processor::{self, BatchConfig, BatchItem, BatchResults};
use crate::{ChatCompletionResponse, Error};

impl ChatLimiter {
    /// Sends chat requests, as JSON bodies, and returns the answers in their order.
    ///
    /// # Errors
    ///
    /// As [`process_chat_batch`](batch_processor::process_chat_batch); also inside an async runtime.
    #[doc(alias = "process_chat_batch_sync")]
    pub fn process_chat_batch<I>(&self, requests: I, config: &BatchConfig) -> Result<BatchResults<Value, Value>, Error>
    where
        I: IntoIterator<Item: Into<BatchItem<Value>>>,
    {
        self.block_on(batch_processor::process_chat_batch(self.as_async(), requests, config))?
    }

    /// Sends [`ChatRequest`]s and returns the answers in their order.
    ///
    /// # Errors
    ///
    /// As [`process_chat_completion_batch`](batch_processor::process_chat_completion_batch); also inside an async runtime.
    #[doc(alias = "process_chat_completion_batch_sync")]
    pub fn process_chat_completion_batch<I>(
        &self,
        requests: I,
        config: &BatchConfig,
    ) -> Result<BatchResults<ChatRequest, ChatCompletionResponse>, Error>
    where
        I: IntoIterator<Item: Into<BatchItem<ChatRequest>>>,
    {
        self.block_on(batch_processor::process_chat_completion_batch(self.as_async(), requests, config))?
    }
}

#[cfg(test)]
mod tests {
    use providers::payload::Message;
    use serde_json::json;
    use simulator::{Config, Simulator};

    use super::*;
    use crate::test_support::client_of;

    #[test]
    fn a_thread_gets_texts_and_batches_in_order() {
        let simulator = Simulator::new(Config::default()).unwrap();
        let limiter = super::super::Builder::from(client_of(&simulator, "anthropic")).build().unwrap();
        assert!(!limiter.simple_chat("claude-haiku-4-5", "Hi").unwrap().is_empty());
        let body = |i| {
            let messages = json!([{"role": "user", "content": format!("Question {i}")}]);
            json!({"model": "claude-haiku-4-5", "max_tokens": 9, "messages": messages})
        };
        let results = limiter.process_chat_batch((0..5).map(body), &BatchConfig::default()).unwrap();
        assert_eq!(results.successful_results().count(), 5);
        assert!(results.iter().enumerate().all(|(index, result)| result.item.data == body(index)));
        let request = ChatRequest::new("claude-haiku-4-5", vec![Message::user("Hi")]);
        let results = limiter.process_chat_completion_batch([request.clone()], &BatchConfig::default()).unwrap();
        assert!(!results[0].result.as_ref().unwrap().text().is_empty());
        assert!(!limiter.chat_completion(&request).unwrap().text().is_empty());
    }

    #[tokio::test]
    async fn inside_an_async_runtime_it_is_refused() {
        let simulator = Simulator::new(Config::default()).unwrap();
        let limiter = std::thread::spawn(move || super::super::Builder::from(client_of(&simulator, "openai")).build());
        let limiter = limiter.join().unwrap().unwrap();
        assert!(limiter.simple_chat("gpt-4o-mini", "Hi").unwrap_err().to_string().contains("async runtime"));
        let batch = limiter.process_chat_batch(Vec::<Value>::new(), &BatchConfig::default());
        assert!(batch.unwrap_err().to_string().contains("async runtime"));
    }
}
