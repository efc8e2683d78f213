//! The client for the provider that was asked for.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use chat_limiter::providers::{OpenAiCompatible, Registry};
use chat_limiter::transport::{HyperTransport, Timeouts, from_fn};
use chat_limiter::{Builder, ChatLimiter, Learned, RetryPolicy};
use simulator::{Config, Simulator};

use crate::args::RunArguments;
use crate::form::Form;

/// The name of the embedded provider.
const SIMULATED: &str = "simulated";

/// Whether the embedded provider answers because no other was asked for.
pub(crate) const fn is_default(arguments: &RunArguments) -> bool {
    arguments.provider.is_none() && arguments.base_url.is_none()
}

/// How much may overtake a line of the file: the window that most limits are stated for.
const OVERTAKEN: Duration = Duration::from_secs(60);

/// The client. `form` decides which face of the embedded provider is spoken to.
pub(crate) fn client(
    arguments: &RunArguments,
    form: Option<Form>,
    concurrency: usize,
    learned: Learned,
) -> anyhow::Result<ChatLimiter> {
    let is_simulated = arguments.provider.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(SIMULATED));
    let builder = if is_simulated || is_default(arguments) {
        for (flag, is_given) in
            [("--base-url", arguments.base_url.is_some()), ("--api-key-env", arguments.api_key_env.is_some())]
        {
            if is_given {
                bail!("{flag} does not go with the embedded provider; name another one with --provider");
            }
        }
        simulated(form.unwrap_or(Form::OpenAi))?
    } else {
        real(arguments)?
    };
    let mut retry = RetryPolicy::default();
    if let Some(attempts) = arguments.max_attempts {
        (retry.max_attempts, retry.max_failures) = (attempts, attempts);
    }
    // The answers of a file may come in any order.
    let mut builder = builder.concurrency(concurrency).retry(retry).look_ahead(OVERTAKEN).learned(learned);
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

/// A provider that is spoken to over the network, by its name or its address.
fn real(arguments: &RunArguments) -> anyhow::Result<Builder> {
    let registry = Registry::standard();
    let provider = match (&arguments.provider, &arguments.base_url) {
        (Some(name), _) => match registry.by_name(name) {
            Ok(provider) => provider,
            // It lists the others.
            Err(error) => bail!("{error}, {SIMULATED}"),
        },
        (None, url) => {
            let detected = url.as_deref().and_then(|url| registry.detect_from_url(url));
            detected.unwrap_or_else(|| Arc::new(OpenAiCompatible::new()))
        }
    };
    let builder = Builder::for_provider(provider);
    Ok(match &arguments.base_url {
        Some(url) => builder.base_url(url),
        None => builder,
    })
}

/// The embedded provider, spoken to over an in-process connection.
fn simulated(form: Form) -> anyhow::Result<Builder> {
    let simulator = Simulator::new(Config::default())?;
    let connector = from_fn(move |_| {
        let simulator = simulator.clone();
        async move { Ok::<_, std::io::Error>(simulator.connect()) }
    });
    let name = match form {
        Form::OpenAi => "openai",
        Form::Anthropic => "anthropic",
    };
    let transport = HyperTransport::with_connector(connector, Timeouts::default());
    Ok(ChatLimiter::builder(name)
        .base_url("http://simulated.invalid/v1")
        .api_key("simulated")
        .transport(Arc::new(transport)))
}
