//! A client for a model: by its name, or by asking the providers for their lists.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use providers::discovery::KeyKind;
use providers::{Provider, Registry};
use transport::Timeouts;

use super::ChatLimiter;
use crate::Error;
use crate::builder::{Builder, has_key};

/// Who answers a question about models does so in this time, or is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

impl ChatLimiter {
    /// A client of the provider that this address is known to be, there.
    ///
    /// ```
    /// use chat_limiter::ChatLimiter;
    ///
    /// let limiter = ChatLimiter::from_url("https://openrouter.ai/api/v1").api_key("sk-or-...").build()?;
    /// assert_eq!(limiter.provider().name(), "openrouter");
    /// let error = ChatLimiter::from_url("https://llm.example/v1").build().unwrap_err();
    /// assert!(error.to_string().contains("known"));
    /// # Ok::<(), chat_limiter::Error>(())
    /// ```
    #[must_use]
    pub fn from_url(url: &str) -> Builder {
        Builder::from_url(url)
    }

    /// A client of the provider that has this model, as its name tells: `gpt-4o`, `claude-sonnet-4-5`,
    /// `mistral-large-latest`. With a prefix, `openai/gpt-4o`, it is that provider where its key is in the environment, and
    /// else the router that writes models like this.
    ///
    /// ```
    /// use chat_limiter::ChatLimiter;
    ///
    /// let limiter = ChatLimiter::for_model("claude-sonnet-4-5")?.api_key("sk-ant-...").build()?;
    /// assert_eq!(limiter.provider().name(), "anthropic");
    /// # Ok::<(), chat_limiter::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`], with the providers that are known, where the name does not tell;
    /// [`detect_provider`](Self::detect_provider) asks them then. That the key is missing, [`build`](Builder::build) says.
    pub fn for_model(model: &str) -> Result<Builder, Error> {
        Builder::for_model(model)
    }

    /// A client for this model: as [`for_model`](Self::for_model), and where the name does not tell, of the first provider
    /// that lists it, of those whose keys are in the environment, those on this machine left out, and of the routers that
    /// list their models to everybody.
    ///
    /// Each call asks anew. Keep the clients, and ask them with [`ChatLimiter::find_model`], to ask once an hour.
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`] where nobody lists it, with who was asked, and what went wrong.
    pub async fn detect_provider(model: &str) -> Result<ChatLimiter, Error> {
        if let Ok(builder) = Self::for_model(model) {
            return builder.build();
        }
        let registry = Registry::standard();
        let asked = registry.iter().filter(|provider| may_be_asked(provider.as_ref()));
        let (mut clients, mut unusable) = (Vec::new(), Vec::new());
        for provider in asked {
            match quick(provider).build() {
                Ok(client) => clients.push(client),
                Err(error) => unusable.push(format!("{} ({error})", provider.name())),
            }
        }
        let found = find(model, &clients, unusable).await?;
        // With patience for answers, and the key that a list does not need.
        Builder::for_provider(Arc::clone(found.provider())).build()
    }

    /// The first of these clients whose provider lists `model`. All are asked at once.
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`] where none does, with who was asked, and what went wrong.
    pub async fn find_model<'a>(model: &str, clients: &'a [ChatLimiter]) -> Result<&'a ChatLimiter, Error> {
        find(model, clients, Vec::new()).await
    }
}

/// The first client whose provider lists `model`. `asked` is who could not be asked, and why.
async fn find<'a>(model: &str, clients: &'a [ChatLimiter], mut asked: Vec<String>) -> Result<&'a ChatLimiter, Error> {
    let answers = join_all(clients.iter().map(|client| client.has_model(model))).await;
    for (client, answer) in clients.iter().zip(answers) {
        match not_listed(client, answer) {
            Some(why) => asked.push(why),
            None => return Ok(client),
        }
    }
    Err(nobody_lists(model, &asked))
}

/// Who does not list a model, and why; `None` of one that does.
pub(crate) fn not_listed(client: &ChatLimiter, answer: Result<bool, Error>) -> Option<String> {
    let name = client.provider().name();
    match answer {
        Ok(true) => None,
        Ok(false) => Some(name.to_owned()),
        Err(error) => Some(format!("{name} ({error})")),
    }
}

/// That none of those who were asked lists a model.
pub(crate) fn nobody_lists(model: &str, asked: &[String]) -> Error {
    let asked = if asked.is_empty() { "nobody".to_owned() } else { asked.join(", ") };
    let model: String = model.chars().take(100).collect();
    Error::configuration(format!("no provider lists the model {model:?}; asked: {asked}"))
}

/// Whether somebody else's list tells anything, and may be seen.
fn may_be_asked(provider: &dyn Provider) -> bool {
    let Some(question) = provider.model_list(None) else { return false };
    has_key(provider) || question.key == KeyKind::None && provider.key_variable().is_some()
}

/// A client that asks for a list: without a key where none is needed.
fn quick(provider: &Arc<dyn Provider>) -> Builder {
    let timeouts = Timeouts { connect: PATIENCE, first_byte: PATIENCE, idle: PATIENCE };
    let builder = Builder::for_provider(Arc::clone(provider)).timeouts(timeouts);
    if has_key(provider.as_ref()) { builder } else { builder.without_key() }
}
