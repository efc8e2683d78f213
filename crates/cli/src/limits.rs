//! `chat-limiter limits`: what a provider says about the limits and the credit of an account when it is asked.

mod ask;
mod line;
mod models;

use std::fmt::Display;
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use chat_limiter::providers::Registry;
use chat_limiter::providers::discovery::{anthropic, openai, openrouter};
use chat_limiter::{Builder, ChatLimiter, RetryPolicy};
use clap::Args;

use crate::say;
use ask::{ask, ask_all, is_refusal_of_key};
use line::{Line, of_credits, of_key, of_scope};

#[derive(Debug, Args)]
pub(crate) struct LimitsArguments {
    /// openai, anthropic, or openrouter: no other provider tells limits when it is asked. With --models any that has a
    /// list of them
    #[arg(long, value_name = "NAME")]
    provider: String,
    /// The environment variable that holds the key [default: OPENAI_ADMIN_KEY, ANTHROPIC_ADMIN_KEY, OPENROUTER_API_KEY]
    ///
    /// OpenAI and Anthropic answer to the admin keys of an organization only. OpenRouter takes any key, and tells the
    /// credit of the account to a management key.
    #[arg(long, value_name = "VAR")]
    api_key_env: Option<String>,
    /// Where the provider's interface is, in place of its own address
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// List the provider's models in place of limits: name, context window, largest answer, and the prices of a million
    /// tokens of input and output in US dollars, as far as it tells them
    ///
    /// The key is the ordinary one, such as that in OPENAI_API_KEY.
    #[arg(long)]
    models: bool,
}

/// A provider that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Account {
    OpenAi,
    Anthropic,
    OpenRouter,
}

impl Account {
    fn of(provider: &str) -> Option<Self> {
        Some(match provider {
            "openai" => Self::OpenAi,
            "anthropic" => Self::Anthropic,
            "openrouter" => Self::OpenRouter,
            _ => return None,
        })
    }

    /// Where the key is kept by convention.
    const fn key_variable(self) -> &'static str {
        match self {
            Self::OpenAi => "OPENAI_ADMIN_KEY",
            Self::Anthropic => "ANTHROPIC_ADMIN_KEY",
            Self::OpenRouter => "OPENROUTER_API_KEY",
        }
    }

    async fn lines(self, client: &ChatLimiter) -> anyhow::Result<Vec<Line>> {
        match self {
            Self::OpenAi => of_projects(client).await,
            Self::Anthropic => {
                let scopes = ask_all(client, anthropic::rate_limits_request, anthropic::parse_rate_limits).await?;
                Ok(scopes.iter().flat_map(|scope| of_scope("organization", scope)).collect())
            }
            Self::OpenRouter => of_openrouter(client).await,
        }
    }
}

/// The largest answer that is read: a list of a hundred models takes a tenth of it.
const LARGEST_ANSWER: usize = 4 << 20;

/// A line for each limit (whose it is, what it is on, how much, and of what), or for each model.
pub(crate) async fn limits(arguments: LimitsArguments) -> anyhow::Result<ExitCode> {
    let provider = Registry::standard().by_name(&arguments.provider)?;
    if arguments.models {
        let client = client(models::builder(&provider)?, &arguments, arguments.api_key_env.as_deref())?;
        return print(&models::lines(&client, provider.name()).await?, "models");
    }
    let Some(account) = Account::of(provider.name()) else {
        bail!(
            "{} cannot be asked for its limits; openai, anthropic and openrouter can. run finds limits in the answers",
            provider.name()
        );
    };
    let variable = arguments.api_key_env.as_deref().unwrap_or_else(|| account.key_variable());
    let client = client(Builder::for_provider(provider), &arguments, Some(variable))?;
    let lines = account.lines(&client).await.map_err(|error| explain(error, account, variable))?;
    print(&lines, "limits")
}

/// A client with the key in `variable`, or where the provider's is by convention.
fn client(mut builder: Builder, arguments: &LimitsArguments, variable: Option<&str>) -> anyhow::Result<ChatLimiter> {
    // Somebody waits at a terminal.
    let mut retry = RetryPolicy::default();
    (retry.max_attempts, retry.max_failures, retry.longest_wait) = (3, 3, Duration::from_secs(60));
    if let Some(variable) = variable {
        builder = builder.api_key_variable(variable);
    }
    if let Some(url) = &arguments.base_url {
        builder = builder.base_url(url);
    }
    Ok(builder.retry(retry).answer_limit(LARGEST_ANSWER).build()?)
}

fn print(lines: &[impl Display], what: &str) -> anyhow::Result<ExitCode> {
    if lines.is_empty() {
        say(&format!("the answer tells no {what}"));
    }
    let mut out = BufWriter::new(std::io::stdout());
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Which key would have been taken, where one was refused.
fn explain(error: anyhow::Error, account: Account, variable: &str) -> anyhow::Error {
    if account == Account::OpenRouter || !is_refusal_of_key(&error) {
        return error;
    }
    error.context(format!("the key in {variable} was refused; limits are told to admin keys only"))
}

/// The limits of each active project.
async fn of_projects(client: &ChatLimiter) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for project in ask_all(client, openai::projects_request, openai::parse_projects).await? {
        let request = |after: Option<&str>| openai::rate_limits_request(&project, after);
        let scopes = ask_all(client, request, openai::parse_rate_limits).await;
        let scopes = scopes.with_context(|| format!("the limits of the project {project:?}"))?;
        lines.extend(scopes.iter().flat_map(|scope| of_scope(&project, scope)));
    }
    Ok(lines)
}

/// The key's own, and the account's where the key may see it.
async fn of_openrouter(client: &ChatLimiter) -> anyhow::Result<Vec<Line>> {
    let status = ask(client, openrouter::key_request(), openrouter::parse_key).await?;
    let mut lines = of_key(&status);
    match ask(client, openrouter::credits_request(), openrouter::parse_credits).await {
        Ok(credits) => lines.extend(of_credits(&credits)),
        Err(error) if is_refusal_of_key(&error) => say("the credit of the account is told to a management key only"),
        Err(error) => return Err(error),
    }
    Ok(lines)
}
