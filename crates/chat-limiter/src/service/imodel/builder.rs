//! Settings of a model.

use std::fmt;
use std::sync::Arc;

use providers::OpenAiCompatible;
use serde_json::{Map, Value};
use transport::Transport;

use super::{IModel, task};
use crate::mask::host_of;
use crate::service::{Service, find_service};
use crate::{Builder, ChatLimiter, Error};

/// A service, or the name of one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ServiceRef {
    /// A service by its name.
    Named(String),
    /// A service.
    Given(Arc<dyn Service>),
}

impl From<&str> for ServiceRef {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl From<String> for ServiceRef {
    fn from(name: String) -> Self {
        Self::Named(name)
    }
}

impl From<Arc<dyn Service>> for ServiceRef {
    fn from(service: Arc<dyn Service>) -> Self {
        Self::Given(service)
    }
}

impl From<OpenAiCompatible> for ServiceRef {
    fn from(server: OpenAiCompatible) -> Self {
        Self::Given(Arc::new(server))
    }
}

/// Settings of an [`IModel`].
pub struct IModelBuilder {
    service: ServiceRef,
    limiter: Option<ChatLimiter>,
    task: String,
    pub(super) model: Option<String>,
    pub(super) key: Key,
    base_url: Option<String>,
    pub(super) interval_tokens: Option<u64>,
    pub(super) interval_requests: Option<u64>,
    transport: Option<Arc<dyn Transport>>,
    config: Map<String, Value>,
}

/// Where the key is.
pub(super) enum Key {
    Standard,
    Value(String),
    Variable(String),
}

impl IModelBuilder {
    pub(super) fn new(service: ServiceRef) -> Self {
        Self {
            service,
            limiter: None,
            task: "chat".to_owned(),
            model: None,
            key: Key::Standard,
            base_url: None,
            interval_tokens: None,
            interval_requests: None,
            transport: None,
            config: Map::new(),
        }
    }

    /// What to ask for, in any spelling, in full or in part. `chat` by default.
    #[must_use]
    pub fn task(mut self, task: impl Into<String>) -> Self {
        self.task = task.into();
        self
    }

    /// The model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// The key, or the name of an environment variable that holds it. A text in the form of such a name whose variable is
    /// set is taken for the name.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        let key = key.into();
        let is_name = !key.is_empty() && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        self.key = if is_name && std::env::var_os(&key).is_some() { Key::Variable(key) } else { Key::Value(key) };
        self
    }

    /// The name of the environment variable that holds the key.
    #[must_use]
    pub fn api_key_schema(mut self, variable: impl Into<String>) -> Self {
        self.key = Key::Variable(variable.into());
        self
    }

    /// A ceiling on tokens per minute.
    #[must_use]
    pub const fn interval_tokens(mut self, tokens: u64) -> Self {
        self.interval_tokens = Some(tokens);
        self
    }

    /// A ceiling on requests per minute.
    #[must_use]
    pub const fn interval_requests(mut self, requests: u64) -> Self {
        self.interval_requests = Some(requests);
        self
    }

    /// Where the service is, in place of its own address.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// A transport of your own.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// A field of every request, unless a request has another value for it.
    #[must_use]
    pub fn config(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.config.insert(field.into(), value.into());
        self
    }

    /// A client to share with others, in place of one of its own: its key, address and limits hold, and to set others here is
    /// an error. One key should have one client, because two count only their own requests.
    #[must_use]
    pub fn limiter(mut self, limiter: ChatLimiter) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// The model.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`], and an [`Error`] with [`is_configuration`](Error::is_configuration) where the service is not
    /// known or the task means none or several of its tasks: it lists them; also where a shared client is given settings.
    pub fn build(self) -> Result<IModel, Error> {
        let service = match self.service {
            ServiceRef::Named(name) => find_service(&name).map_err(Error::configuration)?,
            ServiceRef::Given(service) => service,
        };
        let tasks = service.list_tasks();
        let endpoints = Arc::clone(&service).provider().endpoints();
        let endpoint = task::find(&endpoints, &tasks, &self.task).map_err(Error::configuration)?;
        let is_configured = self.base_url.is_some()
            || self.transport.is_some()
            || self.interval_tokens.or(self.interval_requests).is_some()
            || !matches!(self.key, Key::Standard);
        let limiter = match self.limiter {
            Some(_) if is_configured => {
                let why = "a client that is shared has its own key, address and limits: set them there";
                return Err(Error::configuration(why));
            }
            Some(limiter) => limiter,
            None => {
                let mut builder: Builder = service.builder();
                builder = match self.key {
                    Key::Standard => builder,
                    Key::Value(key) => builder.api_key(key),
                    Key::Variable(name) => builder.api_key_variable(name),
                };
                if let Some(url) = self.base_url {
                    builder = builder.base_url(url);
                }
                if let Some(tokens) = self.interval_tokens {
                    builder = builder.tokens_per_minute(tokens);
                }
                if let Some(requests) = self.interval_requests {
                    builder = builder.requests_per_minute(requests);
                }
                if let Some(transport) = self.transport {
                    builder = builder.transport(transport);
                }
                builder.build()?
            }
        };
        Ok(IModel { limiter, endpoint, tasks, model: self.model, config: self.config })
    }
}

impl fmt::Debug for IModelBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IModelBuilder")
            .field("service", &self.service)
            .field("task", &self.task)
            .field("model", &self.model)
            .field("base_url", &self.base_url.as_deref().map(host_of))
            .finish_non_exhaustive()
    }
}
