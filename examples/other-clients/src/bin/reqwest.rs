//! reqwest within the limits, without a layer: a permit before each request, and what became of it afterwards.
//!
//! ```text
//! cargo run --bin reqwest
//! ```

use chat_limiter::tower::BoxError;
use chat_limiter::{ChatLimiter, Permit};
use futures::future::try_join_all;
use serde_json::json;

const PATH: &str = "/chat/completions";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let address = other_clients::provider().await?;
    let limiter = ChatLimiter::builder("openai").base_url(&address).api_key("it sends nothing").build()?;
    let client = reqwest::Client::new();
    let asked = (0..70).map(|number| ask(&limiter, &client, format!("{address}{PATH}"), number));
    let answers = try_join_all(asked).await?;
    let usage = limiter.usage();
    println!("{} answers, {} tokens, {} refused", answers.len(), usage.tokens, usage.rate_limited);
    Ok(())
}

/// Asks until there is an answer, or no hope of one.
async fn ask(limiter: &ChatLimiter, client: &reqwest::Client, url: String, number: u32) -> Result<Vec<u8>, BoxError> {
    let model = "gpt-4o-mini";
    let messages = [json!({"role": "user", "content": format!("What is {number}?")})];
    let body = json!({"model": model, "max_tokens": 20, "messages": messages});
    let cost = limiter.cost(PATH, &body);
    let mut permit = limiter.acquire(model, cost).await?;
    loop {
        match client.post(&url).json(&body).send().await {
            Ok(response) => match read(limiter, permit, response).await? {
                Ok(answer) => return Ok(answer),
                Err(message) => eprintln!("{message}; once more"),
            },
            Err(error) => {
                permit.failed(!error.is_connect(), &error.to_string());
                return Err(error.into());
            }
        }
        // In front of those that have not been sent yet.
        permit = limiter.acquire_again(model, cost).await?;
    }
}

/// Reads a response and tells the limits of it. A refusal is an error where it is final, and its message where it is not.
async fn read(
    limiter: &ChatLimiter,
    mut permit: Permit,
    response: reqwest::Response,
) -> Result<Result<Vec<u8>, String>, BoxError> {
    let (status, headers) = (response.status(), response.headers().clone());
    permit.observe(status, &headers);
    let body = match response.bytes().await {
        Ok(body) => body,
        Err(error) => {
            permit.failed(true, &error.to_string());
            return Err(error.into());
        }
    };
    if status.is_success() {
        match limiter.provider().usage(&body) {
            Some(usage) => permit.settle(&usage),
            None => permit.settle_as_reserved(),
        }
        return Ok(Ok(body.to_vec()));
    }
    let failure = permit.refused(status, &headers, &body);
    match failure.is_retryable() {
        true => Ok(Err(failure.message)),
        false => Err(failure.message.into()),
    }
}
