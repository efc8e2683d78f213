//! The client for the provider that was asked for.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use chat_limiter::providers::{Provider, Registry};
use chat_limiter::transport::{HyperTransport, Timeouts, from_fn};
use chat_limiter::{Builder, ChatLimiter, RetryPolicy};
use simulator::{Config, Simulator};

use crate::args::RunArguments;

/// The name of the embedded provider.
pub(crate) const SIMULATED: &str = "simulated";

/// The client. `first_line` decides which face of the embedded provider is spoken to.
pub(crate) fn client(arguments: &RunArguments, first_line: &str, concurrency: usize) -> anyhow::Result<ChatLimiter> {
    let builder = match (arguments.provider.as_deref(), &arguments.base_url) {
        (Some(SIMULATED), Some(_)) => bail!("--base-url does not go with --provider {SIMULATED}"),
        (Some(SIMULATED) | None, None) => {
            if arguments.api_key_env.is_some() {
                bail!("--api-key-env does not go with --provider {SIMULATED}, which needs no key");
            }
            simulated(first_line)?
        }
        (Some(name), None) => Builder::for_provider(named(name)?),
        (Some(name), Some(url)) => Builder::for_provider(named(name)?).base_url(url),
        (None, Some(url)) => {
            let detected = Registry::standard().detect_from_url(url);
            detected.map_or_else(|| ChatLimiter::builder("openai-compatible"), Builder::for_provider).base_url(url)
        }
    };
    let mut retry = RetryPolicy::default();
    retry.max_attempts = arguments.max_attempts;
    let mut builder = builder.concurrency(concurrency).retry(retry);
    if let Some(variable) = &arguments.api_key_env {
        builder = builder.api_key_variable(variable);
    }
    if let Some(amount) = arguments.requests_per_minute {
        builder = builder.requests_per_minute(amount);
    }
    if let Some(amount) = arguments.tokens_per_minute {
        builder = builder.tokens_per_minute(amount);
    }
    if let Some(seconds) = arguments.timeout {
        let span = Duration::from_secs(seconds);
        let default = Timeouts::default();
        builder = builder.timeouts(Timeouts { first_byte: span, idle: span.max(default.idle), ..default });
    }
    Ok(builder.build()?)
}

/// A provider by its name; the message of a wrong name lists all of them.
fn named(name: &str) -> anyhow::Result<Arc<dyn Provider>> {
    match Registry::standard().by_name(name) {
        Ok(provider) => Ok(provider),
        Err(error) => bail!("{error}, {SIMULATED}"),
    }
}

/// The embedded provider, spoken to over an in-process connection.
fn simulated(first_line: &str) -> anyhow::Result<Builder> {
    let simulator = Simulator::new(Config::default())?;
    let connector = from_fn(move |_| {
        let simulator = simulator.clone();
        async move { Ok::<_, std::io::Error>(simulator.connect()) }
    });
    let is_anthropic = ["\"params\"", "/v1/messages\"", "\"claude-"].iter().any(|mark| first_line.contains(mark));
    let name = if is_anthropic { "anthropic" } else { "openai" };
    let transport = HyperTransport::with_connector(connector, Timeouts::default());
    Ok(ChatLimiter::builder(name)
        .base_url("http://simulated.invalid/v1")
        .api_key("simulated")
        .transport(Arc::new(transport)))
}
