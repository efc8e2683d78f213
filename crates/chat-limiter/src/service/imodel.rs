//! A model by the names of its provider and its task.

mod builder;
mod task;
#[cfg(test)]
mod tests;

use std::fmt;

use http::header::{CONTENT_TYPE, HeaderValue};
use limiter_core::{Dimension, State};
use providers::payload::{ChatRequest, FilePart, Form, PayloadPackage, Schema};
use providers::tasks::{BodyKind, Endpoint};
use providers::{Billing, ModelTable, Task, Usage};
use serde_json::{Map, Value};
use tokenizer::TiktokenCalculator;

pub use builder::{IModelBuilder, ServiceRef};

use crate::chat_completion::chat_post;
use crate::{Answer, AnswerStream, ChatLimiter, Error, Request};

/// A model of a service, to be asked for one task.
///
/// ```no_run
/// # async fn example() -> Result<(), chat_limiter::Error> {
/// use chat_limiter::service::IModel;
/// use serde_json::json;
///
/// let model = IModel::new("openai", "chat", Some("gpt-4o-mini"), None, None, Some(100_000), Some(500))?;
/// let answer = model.invoke(json!({"messages": [{"role": "user", "content": "Hello!"}]})).await?;
/// println!("{}", answer.json()?["choices"][0]["message"]["content"]);
/// # Ok(()) }
/// ```
///
/// Each one that is built has a client of its own. Those that use one key share the limits of it when they share the
/// client: see [`IModelBuilder::limiter`].
#[derive(Clone)]
#[doc(alias = "iModel")]
pub struct IModel {
    limiter: ChatLimiter,
    endpoint: Endpoint,
    tasks: Vec<String>,
    model: Option<String>,
    config: Map<String, Value>,
}

impl IModel {
    /// A model of `provider` (the name of a service, or a service) for `task` (such as `chat`, in any spelling, in full or in
    /// part).
    ///
    /// `api_key` is the key or the name of an environment variable that holds it, `api_key_schema` such a name; without both,
    /// the provider's own variable holds it. `interval_tokens` and `interval_requests` are ceilings per minute.
    ///
    /// # Errors
    ///
    /// As [`IModelBuilder::build`].
    pub fn new(
        provider: impl Into<ServiceRef>,
        task: &str,
        model: Option<&str>,
        api_key: Option<&str>,
        api_key_schema: Option<&str>,
        interval_tokens: Option<u64>,
        interval_requests: Option<u64>,
    ) -> Result<Self, Error> {
        let mut builder = Self::builder(provider).task(task);
        builder.model = model.map(str::to_owned);
        if let Some(variable) = api_key_schema {
            builder = builder.api_key_schema(variable);
        }
        if let Some(key) = api_key {
            builder = builder.api_key(key);
        }
        (builder.interval_tokens, builder.interval_requests) = (interval_tokens, interval_requests);
        builder.build()
    }

    /// Settings of a model of `provider`: the name of a service, or a service.
    #[must_use]
    pub fn builder(provider: impl Into<ServiceRef>) -> IModelBuilder {
        IModelBuilder::new(provider.into())
    }

    /// Sends a request with these fields, over those that the model was built with, and returns the answer.
    ///
    /// Where the provider takes chat requests in another form than OpenAI's, both forms are understood.
    ///
    /// # Errors
    ///
    /// As [`ChatLimiter::request`]; also where a field is missing (it is named), or names another model.
    pub async fn invoke(&self, fields: impl Into<Value>) -> Result<Answer, Error> {
        let request = self.request(fields.into())?;
        self.limiter.request(request).await
    }

    /// The same, with the answer as a stream that ends with its usage where the provider states it.
    ///
    /// # Errors
    ///
    /// As [`invoke`](Self::invoke), and [`ChatLimiter::stream`].
    pub async fn stream(&self, fields: impl Into<Value>) -> Result<AnswerStream, Error> {
        let mut fields = self.fields(fields.into())?;
        if self.endpoint.task == Task::Chat {
            let request = ChatRequest::from_openai(&self.payload(fields)?).map_err(|error| self.unusable(error))?;
            return self.limiter.chat_stream(&request).await;
        }
        fields.insert("stream".to_owned(), true.into());
        self.limiter.stream(self.request(fields.into())?).await
    }

    /// The same for a task that sends a file: a transcription, a translation of speech.
    ///
    /// # Errors
    ///
    /// As [`invoke`](Self::invoke); also where the task sends no file.
    pub async fn invoke_file(&self, file: FilePart, fields: impl Into<Value>) -> Result<Answer, Error> {
        let task = self.endpoint.task;
        let schema = Schema::of(task).filter(|_| self.endpoint.body == BodyKind::Multipart);
        let schema = schema.ok_or_else(|| Error::request(format!("{task} does not send a file with fields")))?;
        let fields = self.fields(fields.into())?;
        let form = PayloadPackage::transcription(file, &fields, &schema).map_err(|error| self.unusable(error))?;
        let (encoded, path) = (form.encode(), self.endpoint.path_for(self.model().unwrap_or_default()));
        let mut request = Request::post(path, encoded.body);
        let kind = HeaderValue::try_from(encoded.content_type).map_err(Error::request)?;
        request.headers.insert(CONTENT_TYPE, kind);
        self.limiter.request(request).await
    }

    /// The request that [`invoke`](Self::invoke) sends.
    ///
    /// # Errors
    ///
    /// Where a field is missing, or names another model.
    #[doc(alias = "parse_to_data_model")]
    pub fn request(&self, fields: Value) -> Result<Request, Error> {
        let fields = self.fields(fields)?;
        let model = fields.get("model").and_then(Value::as_str).unwrap_or_default();
        let path = self.endpoint.path_for(model);
        match self.endpoint.body {
            BodyKind::Empty => return Ok(Request::get(path)),
            BodyKind::Json => {}
            _ => return Err(Error::request(format!("{} sends a file: use invoke_file", self.endpoint.task))),
        }
        let payload = self.payload(fields)?;
        if self.endpoint.task == Task::Chat && self.limiter.provider().chat_form() != Form::OpenAiChat {
            return chat_post(&self.limiter, &payload);
        }
        Ok(Request::post(path, payload.to_string()))
    }

    /// The body of a request, as far as the task has a schema with all that it asks for.
    fn payload(&self, mut fields: Map<String, Value>) -> Result<Value, Error> {
        let Some(schema) = Schema::of(self.endpoint.task) else { return Ok(Value::Object(fields)) };
        let input = fields.remove(schema.input()).unwrap_or_default();
        schema.payload(input, &fields).map_err(|error| self.unusable(error))
    }

    /// The names of what the service can be asked to do.
    #[must_use]
    pub fn list_tasks(&self) -> &[String] {
        &self.tasks
    }

    /// What it is asked to do.
    #[must_use]
    pub const fn task(&self) -> Task {
        self.endpoint.task
    }

    /// The model, where one was named.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The client that sends.
    #[must_use]
    pub const fn limiter(&self) -> &ChatLimiter {
        &self.limiter
    }

    /// Whether a request with so many tokens of prompt and answer would go out now, as far as the limits are known. Takes
    /// nothing.
    #[must_use]
    pub fn check_availability(&self, request_token_len: u64, estimated_output_len: u64) -> bool {
        let group = self.limiter.model_group(self.model().unwrap_or_default());
        let scopes = self.limiter.limits();
        let scope = scopes.iter().find(|scope| scope.models.contains(&group)).or(scopes.first());
        scope.is_none_or(|scope| has_room(&scope.state, request_token_len, estimated_output_len))
    }

    /// What a text as the prompt and so many tokens of answer cost, in US dollars: at once, or in the provider's batch
    /// service. `None` where the price is not known.
    #[must_use]
    pub fn estimate_text_price(&self, input_text: &str, with_batch: bool, output_tokens: u64) -> Option<f64> {
        let model = self.model()?;
        let mut usage = Usage::default();
        usage.input = TiktokenCalculator::new(model).calculate(input_text) as u64;
        usage.output = output_tokens;
        let billing = if with_batch { Billing::Batch } else { Billing::Standard };
        ModelTable::standard().cost(self.limiter.provider().name(), model, &usage, billing)
    }

    /// The fields of a request: those given over those configured, and the model.
    fn fields(&self, given: Value) -> Result<Map<String, Value>, Error> {
        let mut fields = self.config.clone();
        match given {
            Value::Object(given) => fields.extend(given),
            Value::Null => {}
            _ => return Err(Error::request("the fields of a request must be an object")),
        }
        match (&self.model, fields.get("model")) {
            (Some(ours), Some(Value::String(theirs))) if ours != theirs => {
                let theirs: String = theirs.chars().filter(|c| !c.is_control()).take(100).collect();
                Err(Error::request(format!("models are inconsistent: this is `{ours}`, the request names `{theirs}`")))
            }
            (Some(ours), _) if self.endpoint.body != BodyKind::Empty => {
                fields.insert("model".to_owned(), ours.as_str().into());
                Ok(fields)
            }
            _ => Ok(fields),
        }
    }

    fn unusable(&self, error: impl fmt::Display) -> Error {
        Error::request(format!("{}: {error}", self.endpoint.task))
    }
}

/// Whether every limit has room for a request, and nobody is before it.
fn has_room(state: &State, input: u64, output: u64) -> bool {
    let fits = state.limits.iter().all(|known| {
        let needed = match known.limit.dimension() {
            Dimension::InputTokens => input,
            Dimension::OutputTokens => output,
            Dimension::Tokens => input.saturating_add(output),
            Dimension::Requests | Dimension::Concurrent => 1,
            _ => 0,
        };
        known.level >= i64::try_from(needed).unwrap_or(i64::MAX)
    });
    fits && state.waiting == 0 && state.paused_until.is_none()
}

impl fmt::Debug for IModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IModel")
            .field("limiter", &self.limiter)
            .field("task", &self.endpoint.task)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
