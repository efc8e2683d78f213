//! The interface of lionagi's API reference, in Rust: a model by provider and task, and a service of one's own.
//!
//! ```text
//! cargo run --package chat-limiter --example lionagi_imodel                       # no key, no network
//! cargo run --package chat-limiter --example lionagi_imodel -- --provider real    # the key is in OPENAI_API_KEY
//! ```
#![cfg_attr(not(test), expect(clippy::print_stdout, reason = "an example speaks to the person who runs it"))]
#![cfg_attr(not(test), expect(clippy::indexing_slicing, reason = "what is not there in a JSON value is null"))]

#[path = "support/target.rs"]
mod target;

use std::error::Error;
use std::sync::Arc;

use chat_limiter::RateLimitError;
use chat_limiter::providers::{OpenAiCompatible, Provider};
use chat_limiter::service::{IModel, RateLimiter, Service, SimpleRateLimiter, TiktokenCalculator, register_service};
use serde_json::{Value, json};
pub(crate) use target::Target;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let target = Target::from_arguments()?;
    println!("{}", model(&target).await?["choices"][0]["message"]["content"]);
    println!("{}", custom_service(&target).await?["choices"][0]["message"]["content"]);
    println!("{:?}", limits_and_tokens());
    Ok(())
}

/// `iModel`: ask a model of a provider.
pub(crate) async fn model(target: &Target) -> Result<Value, Box<dyn Error>> {
    let client = target.client("openai").tokens_per_minute(100_000).requests_per_minute(1_000).build()?;
    let model = IModel::builder("openai").task("chat").model("gpt-4o-mini").limiter(client).build()?;
    println!("{} can be asked for {}", model.limiter().provider().name(), model.list_tasks().join(", "));
    let answer = model.invoke(json!({"messages": [{"role": "user", "content": "What is a bucket?"}]})).await?;
    Ok(answer.json()?)
}

/// `@register_service class CustomService(Service)`.
#[derive(Debug)]
struct CustomService;

impl Service for CustomService {
    fn provider(self: Arc<Self>) -> Arc<dyn Provider> {
        Arc::new(OpenAiCompatible::new().with_name("custom_service").with_base_url("http://127.0.0.1:8000/v1"))
    }

    fn list_tasks(&self) -> Vec<String> {
        vec!["chat".to_owned(), "completion".to_owned()]
    }
}

pub(crate) async fn custom_service(target: &Target) -> Result<Value, Box<dyn Error>> {
    register_service("custom_service", CustomService)?;
    let client = target.client("openai-compatible").build()?;
    let model = IModel::builder("custom_service").model("llama-3.1-8b").limiter(client).build()?;
    let answer = model.invoke(json!({"messages": [{"role": "user", "content": "What is a bucket?"}]})).await?;
    Ok(answer.json()?)
}

/// `RateLimiter.check_availability`, `TiktokenCalculator`, `RateLimitError`.
pub(crate) fn limits_and_tokens() -> Result<(), RateLimitError> {
    let limiter = SimpleRateLimiter::per_minute(Some(1_000), Some(10));
    let calculator = TiktokenCalculator::new("o200k_base");
    let (text, output) = ("What is a bucket?", 2_000);
    let tokens = calculator.calculate(text) as u64;
    println!("{text:?} is {:?}", calculator.tokenize_text(text));
    match limiter.check_availability(tokens, output) {
        true => Ok(()),
        false => Err(RateLimitError::new("the answer is larger than a minute's tokens", tokens, output)),
    }
}
