//! A provider's endpoints behind one client, each with limits of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use providers::payload::Schema;
use providers::{Task, tasks};
use serde_json::Value;

use super::{Endpoint, StatusTracker};
use crate::chat_completion::chat_post;
use crate::{Answer, Builder, ChatLimiter, Error, Request};

/// A service of a provider: endpoints with limits and schemas, and a [`StatusTracker`] that counts the calls.
///
/// All endpoints share one client, so what the provider says about limits holds for all of them; the limits set here are
/// ceilings on top. An endpoint is used after [`init_endpoint`](Self::init_endpoint).
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_limiter::service::BaseService;
/// use serde_json::json;
///
/// let service = BaseService::openai("sk-...")?;
/// service.init_endpoint("chat/completions")?;
/// let payload = service.payload("chat/completions", json!([{"role": "user", "content": "Hi"}]), json!({}))?;
/// let answer = service.call_api(&payload, "chat/completions", "post").await?;
/// println!("{}, {:?}", answer.json()?, service.status_tracker().snapshot());
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[doc(alias = "OpenAIService")]
#[doc(alias = "OpenRouterService")]
pub struct BaseService {
    limiter: ChatLimiter,
    schema: BTreeMap<String, Schema>,
    chat: Endpoint,
    status_tracker: StatusTracker,
    endpoints: Mutex<BTreeMap<String, Arc<Endpoint>>>,
}

/// Which endpoints to make ready.
#[derive(Clone, Debug)]
pub enum EndpointSelection {
    /// Every one that the service has a schema for.
    All,
    /// These, by name.
    Named(Vec<String>),
    /// This one, with its own limits.
    Given(Box<Endpoint>),
}

impl From<&str> for EndpointSelection {
    fn from(name: &str) -> Self {
        Self::Named(vec![name.to_owned()])
    }
}

impl<const N: usize> From<[&str; N]> for EndpointSelection {
    fn from(names: [&str; N]) -> Self {
        Self::Named(names.into_iter().map(str::to_owned).collect())
    }
}

impl From<Vec<String>> for EndpointSelection {
    fn from(names: Vec<String>) -> Self {
        Self::Named(names)
    }
}

impl From<Endpoint> for EndpointSelection {
    fn from(endpoint: Endpoint) -> Self {
        Self::Given(Box::new(endpoint))
    }
}

/// The names that the specified services give their endpoints.
const SPECIFIED: [(&str, Task); 6] = [
    ("chat/completions", Task::Chat),
    ("finetune", Task::FineTuning),
    ("audio_speech", Task::Speech),
    ("audio_transcriptions", Task::Transcription),
    ("audio_translations", Task::Translation),
    ("embeddings", Task::Embeddings),
];

impl BaseService {
    /// The service behind a client. Its endpoints are those of the specified services that the provider has, with their
    /// schemas.
    #[must_use]
    pub fn new(limiter: ChatLimiter) -> Self {
        let tasks = limiter.provider().endpoints();
        let schema = SPECIFIED.iter().filter(|(_, task)| tasks.iter().any(|endpoint| endpoint.task == *task));
        let schema = schema.filter_map(|(name, task)| Some(((*name).to_owned(), Schema::specified(*task)?))).collect();
        Self {
            limiter,
            schema,
            chat: Endpoint::default(),
            status_tracker: StatusTracker::new(),
            endpoints: Mutex::default(),
        }
    }

    /// OpenAI's service with this key.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`].
    pub fn openai(api_key: impl Into<String>) -> Result<Self, Error> {
        Ok(Self::new(Builder::new("openai").api_key(api_key).build()?))
    }

    /// OpenRouter's service with this key.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`].
    pub fn openrouter(api_key: impl Into<String>) -> Result<Self, Error> {
        Ok(Self::new(Builder::new("openrouter").api_key(api_key).build()?))
    }

    /// The same with a schema for the endpoint `name`, which need not have been there before.
    #[must_use]
    pub fn with_schema(mut self, name: impl Into<String>, schema: Schema) -> Self {
        self.schema.insert(name.into(), schema);
        self
    }

    /// The same with limits for its chat completions: so many requests and tokens in an interval. 1,000 requests and 100,000
    /// tokens in 60 seconds by default.
    #[must_use]
    pub fn with_limits(mut self, max_requests: u64, max_tokens: u64, interval: Duration) -> Self {
        let chat = Endpoint::default().with_max_requests(max_requests).with_max_tokens(max_tokens);
        self.chat = chat.with_interval(interval);
        self
    }

    /// The client that sends.
    #[must_use]
    pub const fn limiter(&self) -> &ChatLimiter {
        &self.limiter
    }

    /// The schemas of the payloads, by endpoint.
    #[must_use]
    pub const fn schema(&self) -> &BTreeMap<String, Schema> {
        &self.schema
    }

    /// What became of the calls.
    #[must_use]
    pub const fn status_tracker(&self) -> &StatusTracker {
        &self.status_tracker
    }

    /// The endpoints that are ready, by name.
    #[must_use]
    pub fn endpoints(&self) -> BTreeMap<String, Arc<Endpoint>> {
        self.lock().clone()
    }

    /// The names of the endpoints that can be made ready.
    pub fn available_endpoints(&self) -> impl Iterator<Item = &str> {
        self.schema.keys().map(String::as_str)
    }

    /// Makes endpoints ready: one by its name, several, all ([`EndpointSelection::All`]), or one with limits of its own. Those
    /// that are ready already stay as they are.
    ///
    /// # Errors
    ///
    /// An [`Error`] with [`is_configuration`](Error::is_configuration) that lists what there is, and then none is made ready.
    pub fn init_endpoint(&self, which: impl Into<EndpointSelection>) -> Result<(), Error> {
        let wanted = match which.into() {
            EndpointSelection::All => self.available_endpoints().map(|name| self.endpoint(name)).collect(),
            EndpointSelection::Given(endpoint) => vec![*endpoint],
            EndpointSelection::Named(names) => {
                if let Some(unknown) = names.iter().find(|name| !self.schema.contains_key(*name)) {
                    return Err(self.unavailable(unknown));
                }
                names.iter().map(|name| self.endpoint(name)).collect()
            }
        };
        let mut endpoints = self.lock();
        for endpoint in wanted {
            let ready = endpoints.entry(endpoint.endpoint().to_owned()).or_insert_with(|| Arc::new(endpoint));
            ready.init_rate_limiter();
        }
        Ok(())
    }

    /// The payload for an endpoint by its schema: `input` (the messages, the text, ...), the fields of `config`, and the
    /// defaults.
    ///
    /// # Errors
    ///
    /// An [`Error`] that names the endpoint without a schema, or the field that is missing or unusable.
    pub fn payload(&self, endpoint: &str, input: Value, config: Value) -> Result<Value, Error> {
        let schema = self.schema.get(endpoint).ok_or_else(|| self.unavailable(endpoint))?;
        let mut fields = self.lock().get(endpoint).map(|ready| ready.config().clone()).unwrap_or_default();
        match config {
            Value::Object(config) => fields.extend(config),
            Value::Null => {}
            _ => return Err(Error::request("the configuration of a payload must be an object")),
        }
        schema.payload(input, &fields).map_err(Error::request)
    }

    /// Sends a payload to an endpoint, in turn with the others there, and counts what becomes of it.
    ///
    /// `endpoint` is the name or the path (with a slash in front) it was made ready by, `method` one of HTTP's in any case of
    /// letters. A chat completion is put into the form of the provider.
    ///
    /// # Errors
    ///
    /// As [`ChatLimiter::request`]; also where the endpoint was not made ready, where the method is none, and where the
    /// payload is larger than the endpoint's limit.
    pub async fn call_api(&self, payload: &Value, endpoint: &str, method: &str) -> Result<Answer, Error> {
        let Some(ready) = self.lock().get(endpoint).cloned() else {
            let ready: Vec<String> = self.lock().keys().cloned().collect();
            let ready = if ready.is_empty() { "none is".to_owned() } else { format!("ready are {}", ready.join(", ")) };
            let name: String = endpoint.chars().take(100).collect();
            return Err(Error::configuration(format!("the endpoint `{name}` has not been initialized; {ready}")));
        };
        let request = self.to_send(payload, endpoint, method)?;
        let task = self.status_tracker.start();
        let result = ready.init_rate_limiter().call_api(&self.limiter, request).await;
        task.end_with(&result);
        result
    }

    fn to_send(&self, payload: &Value, endpoint: &str, method: &str) -> Result<Request, Error> {
        let parsed = Method::from_bytes(method.trim().to_ascii_uppercase().as_bytes());
        const METHODS: [Method; 7] =
            [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];
        let Some(method) = parsed.ok().filter(|method| METHODS.contains(method)) else {
            let names = METHODS.map(|method| method.to_string()).join(", ");
            let method: String = method.chars().filter(|c| !c.is_control()).take(20).collect();
            return Err(Error::request(format!("`{method}` is no method; there are {names}")));
        };
        let tasks = self.limiter.provider().endpoints();
        let task = SPECIFIED.iter().find(|(name, _)| *name == endpoint).map(|(_, task)| *task);
        let task = tasks.iter().find(|candidate| task == Some(candidate.task));
        let task = task.or_else(|| tasks::find(&tasks, endpoint).ok());
        if method == Method::POST && task.is_some_and(|task| task.task == Task::Chat) && !is_path(endpoint) {
            return chat_post(&self.limiter, payload);
        }
        let model = payload.get("model").and_then(Value::as_str).unwrap_or_default();
        let path = task.map_or_else(|| endpoint.to_owned(), |task| task.path_for(model).into_owned());
        let body = if payload.is_null() { String::new() } else { payload.to_string() };
        Ok(Request { method, ..Request::post(path, body) })
    }

    fn endpoint(&self, name: &str) -> Endpoint {
        if name == self.chat.endpoint() { self.chat.clone() } else { Endpoint::new(name) }
    }

    fn unavailable(&self, name: &str) -> Error {
        let name: String = name.chars().take(100).collect();
        let (service, known) = (self.limiter.provider().name(), self.available_endpoints().collect::<Vec<_>>());
        Error::configuration(format!(
            "the endpoint `{name}` is not available for {service}; there are {}",
            known.join(", ")
        ))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Endpoint>>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an endpoint is taken as it is written.
fn is_path(endpoint: &str) -> bool {
    endpoint.starts_with('/')
}

#[cfg(test)]
mod tests;
