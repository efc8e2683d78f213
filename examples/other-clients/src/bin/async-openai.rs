//! async-openai within the limits: its requests pass through the tower layer, and it knows nothing of that.
//!
//! ```text
//! cargo run --bin async-openai
//! ```

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::types::chat::{ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequestArgs};
use chat_limiter::ChatLimiter;
use chat_limiter::tower::{BoxError, RateLimitLayer};
use futures::future::try_join_all;
use tower::{Layer, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let address = other_clients::provider().await?;
    // It sends nothing here: it keeps the limits, those it is told and those that it finds in the answers.
    let limiter = ChatLimiter::builder("openai").base_url(&address).api_key("it sends nothing").build()?;

    let limited = RateLimitLayer::new(limiter.clone()).layer(other_clients::service(reqwest::Client::new()));
    let service = tower::service_fn(move |factory: HttpRequestFactory| {
        let limited = limited.clone();
        async move {
            let request: http::Request<reqwest::Body> = factory.build().await?.try_into().map_err(OpenAIError::Reqwest)?;
            let response = limited.oneshot(request).await?;
            Ok::<_, OpenAIError>(reqwest::Response::from(response.map(reqwest::Body::wrap)))
        }
    });
    let config = OpenAIConfig::new().with_api_base(address).with_api_key("the simulator asks for none");
    let client = Client::with_config(config).with_http_service(service);

    let questions = (0..70).map(|number| {
        let client = &client;
        async move {
            let message = ChatCompletionRequestUserMessageArgs::default().content(format!("What is {number}?")).build()?;
            let request = CreateChatCompletionRequestArgs::default()
                .model("gpt-4o-mini")
                .max_tokens(20_u32)
                .messages([message.into()])
                .build()?;
            client.chat().create(request).await
        }
    });
    let answers = try_join_all(questions).await?;
    let usage = limiter.usage();
    println!("{} answers, {} tokens, {} refused", answers.len(), usage.tokens, usage.rate_limited);
    Ok(())
}
