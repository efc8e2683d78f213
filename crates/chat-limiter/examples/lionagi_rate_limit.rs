//! The usage example of lionagi's `rate_limit` document, in Rust.
//!
//! ```text
//! cargo run --package chat-limiter --example lionagi_rate_limit                       # no key, no network
//! cargo run --package chat-limiter --example lionagi_rate_limit -- --provider real    # the key is in OPENAI_API_KEY
//! ```
#![cfg_attr(not(test), expect(clippy::print_stdout, reason = "an example speaks to the person who runs it"))]
#![cfg_attr(not(test), expect(clippy::indexing_slicing, reason = "what is not there in a JSON value is null"))]

#[path = "support/target.rs"]
mod target;

use std::error::Error;
use std::time::Duration;

use chat_limiter::service::{
    BaseService, Endpoint, PayloadPackage, RateLimiter, SimpleRateLimiter, StatusSnapshot, StatusTracker,
};
use serde_json::{Value, json};
pub(crate) use target::Target;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (answer, counts) = run(&Target::from_arguments()?).await?;
    println!("{}", answer["choices"][0]["message"]["content"]);
    println!("{counts:?}");
    Ok(())
}

pub(crate) async fn run(target: &Target) -> Result<(Value, StatusSnapshot), Box<dyn Error>> {
    // Create a status tracker
    let tracker = StatusTracker::new();

    // Create a rate limiter
    let rate_limiter = SimpleRateLimiter::create(100, 1_000, Duration::from_secs(60));
    let task = tracker.start();
    match rate_limiter.request_permission(250)? {
        true => task.succeed(),
        false => drop(task),
    }
    println!(
        "{} tokens are left of {:?}",
        rate_limiter.available_token_capacity().unwrap_or(0),
        rate_limiter.max_tokens()
    );

    // Create an endpoint
    let endpoint = Endpoint::new("chat/completions").with_rate_limiter(|requests, tokens, interval| {
        std::sync::Arc::new(SimpleRateLimiter::create(requests, tokens, interval))
    });
    endpoint.init_rate_limiter();

    // Create a service
    let service = BaseService::new(target.client("openai").build()?);
    service.init_endpoint(endpoint)?;

    // Make an API call
    let schema = service.schema().get("chat/completions").ok_or("chat completions have a schema")?;
    let messages = json!([{"role": "user", "content": "What is a bucket?"}]);
    let config = serde_json::Map::from_iter([("model".to_owned(), json!("gpt-4o-mini"))]);
    let payload = PayloadPackage::chat_completion(messages, &config, schema)?;
    let response = service.call_api(&payload, "chat/completions", "post").await?;

    println!("the example's own tracker: {:?}", tracker.snapshot());
    Ok((response.json()?, service.status_tracker().snapshot()))
}
