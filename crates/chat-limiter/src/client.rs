//! The client.

mod acquire;
mod addresses;
mod ask;
mod change;
mod credit;
mod detect;
mod live;
mod models;
mod shutdown;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use limiter_core::{Amounts, Cost, Dimension, RetryBudget};
use providers::payload::ChatRequest;
use providers::{Provider, RequestSize};
use serde::de::IgnoredAny;
use serde_json::Value;
use tokenizer::{Encoding, RequestKind, Shape};
use tokio::sync::{OnceCell, watch};
use transport::{Timeouts, Transport};

use crate::Error;
use crate::builder::Builder;
use crate::chat_completion::chat_request;
use crate::clock::Clock;
use crate::exchange::Prepared;
use crate::gate::Gate;
use crate::learned::Learning;
use crate::mask::Mask;
use crate::observe::RequestSpan;
use crate::request::{Answer, Request};
use crate::retry::RetryPolicy;
use crate::scopes::Scopes;
use crate::slots::Slots;

use acquire::closed;
pub(crate) use addresses::Addresses;

#[cfg(feature = "blocking")]
pub(crate) use detect::{nobody_lists, not_listed};
pub use live::{CurrentLimits, ScopeState, Subscription};
pub(crate) use models::ModelCache;

/// A client of one LLM provider that stays within its limits without being told them.
///
/// Cheap to clone; clones share everything: limits, queue, connections.
///
/// Requests wait in line until the provider's limits have room for them, go out, and are tried again where that is
/// worth it. Dropping a future that [`request`](Self::request) or [`chat`](Self::chat) returned, at any point, gives
/// back what it held.
#[derive(Clone)]
pub struct ChatLimiter {
    pub(crate) shared: Arc<Shared>,
}

/// What all clones share.
pub(crate) struct Shared {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) base_url: String,
    pub(crate) addresses: Addresses,
    /// Sent with every request: the credential, among others.
    pub(crate) headers: HeaderMap,
    pub(crate) mask: Arc<Mask>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Clock,
    pub(crate) scopes: Arc<Scopes>,
    /// Requests in flight, over all scopes.
    pub(crate) slots: Slots,
    /// Requests that have begun and not ended.
    pub(crate) gate: Arc<Gate>,
    /// Why requests fail, where the provider said that all credit is spent.
    pub(crate) credit: Mutex<Option<Arc<str>>>,
    pub(crate) models: ModelCache,
    /// The project that requests are counted for, where it was named.
    pub(crate) project: Option<String>,
    /// Whether the client was closed.
    pub(crate) closed: watch::Sender<bool>,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Mutex<RetryBudget>,
    pub(crate) timeouts: Timeouts,
    /// Whether the wait for the first byte grows with what may be produced.
    pub(crate) scale_first_byte: bool,
    /// The largest answer read, in bytes.
    pub(crate) answer_limit: usize,
    /// What answers have taught of prompts and answers.
    pub(crate) learning: Learning,
    /// Whether tokens were counted before, so that the encoding is loaded.
    pub(crate) counted: OnceCell<()>,
}

/// Larger bodies have their tokens counted on a blocking thread, in bytes: about a millisecond's work.
const COUNT_INLINE: usize = 16 * 1024;

impl ChatLimiter {
    /// A client of the provider with this name: `openai`, `anthropic`, `openrouter`, `openai-compatible`.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), chat_limiter::Error> {
    /// use chat_limiter::{ChatLimiter, Message};
    ///
    /// let limiter = ChatLimiter::builder("openai").build()?; // the key is in OPENAI_API_KEY
    /// let answer = limiter.chat("gpt-4o-mini", vec![Message::user("Hello!")]).await?;
    /// println!("{}", answer.json()?["choices"][0]["message"]["content"]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn builder(provider: &str) -> Builder {
        Builder::new(provider)
    }

    /// Sends a request when the limits allow, again where that is worth it, and returns the answer.
    ///
    /// Poll the future or drop it: one that stands at the front of the queue and is never polled holds up those behind.
    ///
    /// # Errors
    ///
    /// [`Error`] when it cannot be sent like this, was refused for good, or failed in every attempt. A body whose content
    /// type is JSON, as it is where none is given, and that is not JSON, is not sent ([`Error::is_invalid`]). Outside a Tokio
    /// runtime everything is [`Error::is_configuration`].
    pub async fn request(&self, request: Request) -> Result<Answer, Error> {
        let prepared = self.shared.prepare(request).await?;
        prepared.span.watch(self.shared.exchange(&prepared)).await
    }

    /// What `model` shares its limits with, as far as the provider's documentation tells.
    #[must_use]
    pub fn model_group(&self, model: &str) -> Arc<str> {
        Arc::from(&*self.shared.provider.model_group(model))
    }

    /// Seconds and nanoseconds on the runtime's clock since the client was built.
    pub(crate) fn now(&self) -> limiter_core::Nanos {
        self.shared.clock.now()
    }

    /// Sends messages to a model, in the provider's own form. The answer is the provider's, unchanged.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub async fn chat(
        &self,
        model: impl Into<String>,
        messages: Vec<providers::payload::Message>,
    ) -> Result<Answer, Error> {
        self.chat_with(&ChatRequest::new(model, messages)).await
    }

    /// As [`chat`](Self::chat), with all that a chat request can say.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request); also where the request cannot be expressed in the provider's form.
    pub async fn chat_with(&self, request: &ChatRequest) -> Result<Answer, Error> {
        self.request(chat_request(self, request)?).await
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.shared.provider
    }
}

impl Shared {
    /// Finds out where a request goes, which limits it draws on, and how large it is.
    pub(crate) async fn prepare(&self, mut request: Request) -> Result<Prepared, Error> {
        needs_runtime()?;
        let asked_at = self.clock.now();
        let inside = self.gate.enter().ok_or_else(closed)?;
        let uri = self.addresses.at(&self.base_url, &request.path).map_err(Error::request)?;
        request.identify(self.provider.idempotency_header(), &self.headers);
        let Measured { model, size, kind } = if request.body.is_empty() {
            Measured::NO_JSON
        } else {
            request.headers.entry(CONTENT_TYPE).or_insert(http::HeaderValue::from_static("application/json"));
            match self.measure(&request).await? {
                Ok(measured) => measured,
                Err(why) if is_json(&request.headers, &self.headers) => {
                    return Err(Error::request(format!("the body is not JSON: {why}")));
                }
                Err(_) => Measured::NO_JSON,
            }
        };
        let model = model.as_deref();
        self.check_credit(model.unwrap_or_default())?;
        let group = self.provider.model_group(model.unwrap_or_default());
        let span = RequestSpan::new(self.provider.name(), &uri, model, &size);
        let mask = self.mask.with(&request.headers).map_or_else(|| Arc::clone(&self.mask), Arc::new);
        Ok(Prepared { uri, group: Arc::from(&*group), size, kind, span, request, mask, asked_at, inside: Some(inside) })
    }

    /// What a request with a body is to be measured by. A body that is not JSON (a file to transcribe) has nothing but what
    /// is wrong with it as JSON.
    async fn measure(&self, request: &Request) -> Result<Result<Measured, serde_json::Error>, Error> {
        // Few are measured on a blocking thread, and only for those the request is copied.
        let elsewhere = || {
            let (body, path, provider) = (request.body.clone(), request.path.clone(), Arc::clone(&self.provider));
            tokio::task::spawn_blocking(move || match serde_json::from_slice(&body) {
                Ok(value) => Ok(Measured::of(provider.as_ref(), &path, &value)),
                Err(error) => Measured::unread(&body, error),
            })
        };
        // The first count loads the encoding; the others wait for that in the order they came.
        let load = || async { elsewhere().await.map(|_| ()) };
        let counted = self.counted.get_or_try_init(load).await;
        let measured = match counted {
            Ok(()) if request.body.len() <= COUNT_INLINE => match serde_json::from_slice(&request.body) {
                // This model may be the first of another encoding.
                Ok(value) if !is_encoding_loaded(&value) => elsewhere().await,
                Ok(value) => Ok(Ok(Measured::of(self.provider.as_ref(), &request.path, &value))),
                Err(error) => Ok(Measured::unread(&request.body, error)),
            },
            Ok(()) => elsewhere().await,
            Err(error) => Err(error),
        };
        measured.map_err(|error| Error::request(format!("its tokens could not be counted: {error}")))
    }

    /// What a request is reserved for.
    pub(crate) fn cost(&self, group: &Arc<str>, size: &RequestSize, kind: RequestKind) -> Cost {
        let images = Amounts::ZERO.with(Dimension::Images, size.images);
        // What was counted is certain; what the limit counts may be more until the request is through.
        let (input, output) = self.learning.expected(group, size, kind);
        let certain = *Cost::of_request(size.input_tokens, 0).expected();
        Cost::estimate(certain, *Cost::of_request(input, output).expected()).with_certain(&images)
    }

    pub(crate) fn budget(&self) -> MutexGuard<'_, RetryBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Timers and connections are the runtime's: without one they panic.
pub(crate) fn needs_runtime() -> Result<(), Error> {
    let why = "no Tokio runtime runs this: call it inside of one, or use chat_limiter::blocking::ChatLimiter";
    tokio::runtime::Handle::try_current().map(|_| ()).map_err(|_| Error::configuration(why))
}

/// What the body of a request says.
#[derive(Debug)]
struct Measured {
    model: Option<String>,
    size: RequestSize,
    kind: RequestKind,
}

impl Measured {
    /// What is not JSON takes no tokens that can be counted.
    const NO_JSON: Self = Self {
        model: None,
        size: RequestSize {
            input_tokens: 0,
            metered_input_tokens: 0,
            max_output_tokens: Some(0),
            images: 0,
            shape: Shape { definitions: 0, media: 0, messages: 0, tools: 0, calls: 0 },
        },
        kind: RequestKind::NONE,
    };

    /// A body that cannot be read: not JSON, or JSON that is nested deeper, or has larger numbers, than is read here.
    fn unread(body: &[u8], error: serde_json::Error) -> Result<Self, serde_json::Error> {
        serde_json::from_slice::<IgnoredAny>(body).map_or(Err(error), |_| Ok(Self::NO_JSON))
    }

    fn of(provider: &dyn Provider, path: &str, body: &Value) -> Self {
        let model = model_of(body).map(str::to_owned);
        let size = provider.cost(path, body);
        Self { model, size, kind: RequestKind::of(body, size.shape.calls > 0) }
    }
}

/// Whether the body of a request with these headers, and `common` ones, is JSON that can be read as it is.
fn is_json(headers: &HeaderMap, common: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (essence, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let (essence, parameters) = (essence.trim().to_ascii_lowercase(), parameters.to_ascii_lowercase());
    let is_encoded = headers.contains_key(CONTENT_ENCODING) || common.contains_key(CONTENT_ENCODING);
    let is_text = !parameters.contains("charset") || parameters.contains("utf-8");
    (essence == "application/json" || essence.ends_with("+json")) && is_text && !is_encoded
}

fn model_of(body: &Value) -> Option<&str> {
    body.get("model").and_then(Value::as_str)
}

fn is_encoding_loaded(body: &Value) -> bool {
    Encoding::for_model_or_default(model_of(body).unwrap_or_default()).is_loaded()
}

impl fmt::Debug for ChatLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatLimiter")
            .field("provider", &self.shared.provider.name())
            .field("base_url", &self.shared.base_url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
