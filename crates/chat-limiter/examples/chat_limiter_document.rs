//! The examples of the Python chat-limiter's document, in Rust.
//!
//! ```text
//! cargo run --package chat-limiter --example chat_limiter_document                       # no key, no network
//! cargo run --package chat-limiter --example chat_limiter_document -- --provider real    # keys in the environment
//! ```
#![cfg_attr(not(test), expect(clippy::print_stdout, reason = "an example speaks to the person who runs it"))]
#![cfg_attr(not(test), expect(clippy::indexing_slicing, reason = "what is not there in a JSON value is null"))]

#[path = "support/target.rs"]
mod target;

use std::error::Error;
use std::time::Duration;

use chat_limiter::batch_processor::{
    BatchConfig, BatchItem, BatchProcessor, BatchResults, ItemError, Processed, process_chat_batch,
};
use chat_limiter::transport::Timeouts;
use chat_limiter::{ChatLimiter, CurrentLimits, ProviderConfig, Request, blocking};
use http::Method;
use serde_json::{Value, json};
pub(crate) use target::Target;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let target = Target::from_arguments()?;
    // Before there is an async runtime: what blocks has no place in one.
    println!("sync: {}", synchronous_usage(&target)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        println!("basic: {}", basic_usage(&target).await?);
        let results = batch_processing(&target).await?;
        println!("batch: {:?}", results.stats());
        println!("configured: {:?}", provider_configuration(&target).await?);
        println!("own client: {}", custom_client(&target).await?);
        println!("error: {}", error_handling(&target).await);
        println!("limits: {:?}", monitoring(&target).await?);
        println!("own logic: {:?}", custom_logic(&target).await?.stats());
        Ok(())
    })
}

/// "Basic Usage".
pub(crate) async fn basic_usage(target: &Target) -> Outcome<String> {
    let limiter = target.client("openai").build()?;
    let body = json!({"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hello!"}]});
    let response = limiter.request(Request::json(Method::POST, "/chat/completions", &body)).await?;
    let result = response.json()?;
    Ok(result["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned())
}

/// "Synchronous Usage".
pub(crate) fn synchronous_usage(target: &Target) -> Outcome<String> {
    let limiter = blocking::Builder::from(target.client("anthropic")).build()?;
    let messages = json!([{"role": "user", "content": "Hello Claude!"}]);
    let body = json!({"model": "claude-3-sonnet-20240229", "max_tokens": 100, "messages": messages});
    let response = limiter.request(Request::json(Method::POST, "/messages", &body))?;
    let result = response.json()?;
    Ok(result["content"][0]["text"].as_str().unwrap_or_default().to_owned())
}

/// "Batch Processing".
pub(crate) async fn batch_processing(target: &Target) -> Outcome<BatchResults<Value, Value>> {
    let requests = (0..10)
        .map(|i| json!({"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": format!("Question {i}")}]}));
    let limiter = target.client("openai").build()?;
    let config = BatchConfig {
        max_concurrent_requests: 5,
        max_retries_per_item: 3,
        group_by_model: true,
        ..BatchConfig::default()
    };
    let results = process_chat_batch(&limiter, requests, &config).await?;
    let (successful, failed) = (results.successful_results().count(), results.failed_results().count());
    println!("Successful: {successful}, Failed: {failed}");
    Ok(results)
}

/// "Provider Configuration" and "Batch Configuration".
pub(crate) async fn provider_configuration(target: &Target) -> Outcome<(Option<u64>, Option<u64>)> {
    let config = ProviderConfig {
        provider: Some("openai".to_owned()),
        base_url: Some("https://api.openai.com/v1".to_owned()),
        default_request_limit: Some(100),
        default_token_limit: Some(50_000),
        max_retries: Some(5),
        base_backoff: Some(2.0),
        request_buffer_ratio: 0.8, // use 80 % of the limits
        ..ProviderConfig::default()
    };
    let limiter = target.answered(config.builder()?).build()?;
    let batch = BatchConfig {
        max_concurrent_requests: 10,         // at once, for each model
        max_workers: 4,                      // threads, where code blocks
        max_retries_per_item: 3,             // retries of a failed item
        retry_delay: Duration::from_secs(1), // the first delay
        stop_on_first_error: false,          // go on after failures
        group_by_model: true,                // places of its own for each model
        adaptive_batch_size: true,           // fewer at once after refusals
        ..BatchConfig::default()
    };
    let question = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]});
    let before = limits_of(&limiter)?.request_limit;
    process_chat_batch(&limiter, [question], &batch).await?;
    // The provider has said by now what the limit is.
    Ok((before, limits_of(&limiter)?.request_limit))
}

/// "Custom HTTP Clients".
pub(crate) async fn custom_client(target: &Target) -> Outcome<usize> {
    let timeouts = Timeouts { first_byte: Duration::from_secs(60), ..Timeouts::default() };
    let limiter = target.client("openai").timeouts(timeouts).header("Custom-Header", "value").build()?;
    let response = limiter.request(Request::get("/models")).await?;
    Ok(response.json()?["data"].as_array().map_or(0, Vec::len))
}

/// "Error Handling".
pub(crate) async fn error_handling(target: &Target) -> &'static str {
    let Ok(limiter) = target.client("openai").build() else { return "configuration" };
    let data = json!({"model": "gpt-4o-mini", "messages": "not a list"});
    match limiter.request(Request::json(Method::POST, "/chat/completions", &data)).await {
        Ok(_) => "none",
        Err(error) if error.is_rate_limited() => {
            println!("Request failed after retries: {error}");
            "retry"
        }
        Err(error) if error.status().is_some() => {
            println!("HTTP error: {:?}", error.status());
            "status"
        }
        Err(error) => {
            println!("Request error: {error}");
            "request"
        }
    }
}

/// "Monitoring and Metrics".
pub(crate) async fn monitoring(target: &Target) -> Outcome<(CurrentLimits, CurrentLimits)> {
    let limiter = target.client("openai").build()?;
    let data = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]});
    limiter.request(Request::json(Method::POST, "/chat/completions", &data)).await?;
    let limits = limits_of(&limiter)?;
    println!("Requests used: {}/{:?}", limits.requests_used, limits.request_limit);
    println!("Tokens used: {}/{:?}", limits.tokens_used, limits.token_limit);
    limiter.reset_usage_tracking();
    Ok((limits, limits_of(&limiter)?))
}

fn limits_of(limiter: &ChatLimiter) -> Outcome<CurrentLimits> {
    Ok(limiter.current_limits().into_iter().next().ok_or("there is always one set of limits")?)
}

/// "Batch Processing with Custom Logic".
struct CustomBatchProcessor {
    limiter: ChatLimiter,
}

impl BatchProcessor for CustomBatchProcessor {
    type Data = Value;
    type Output = Value;

    async fn process_item(&self, item: &BatchItem<Value>) -> Result<Processed<Value>, ItemError> {
        // Any endpoint of the provider.
        let answer = self.limiter.request(Request::json(Method::POST, "/embeddings", &item.data)).await?;
        let embedding = answer.json()?["data"][0]["embedding"].clone();
        Ok(Processed::from_answer(&answer, embedding))
    }
}

pub(crate) async fn custom_logic(target: &Target) -> Outcome<BatchResults<Value, Value>> {
    let processor = CustomBatchProcessor { limiter: target.client("openai").build()? };
    let data =
        ["a bucket", "a token", "a window"].map(|text| json!({"model": "text-embedding-3-small", "input": text}));
    Ok(processor.process_batch(data, &BatchConfig::default()).await?)
}
