//! What goes into a batch, and what a processor makes of it.

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};

use crate::{Answer, Request};

/// An item of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchItem<D> {
    /// What it holds.
    pub data: D,
    /// Its name; `item_` and its place, from 0, where none was given.
    pub id: Option<String>,
    /// The method of its request.
    pub method: Method,
    /// The path of its request.
    pub url: String,
    /// The body of its request, where it has one.
    pub json_data: Option<Value>,
    /// Anything else that belongs to it.
    pub metadata: Map<String, Value>,
    /// How often it was sent before.
    pub attempt_count: u32,
    /// What went wrong the last time.
    pub last_error: Option<String>,
}

impl<D> BatchItem<D> {
    /// An item that holds `data`, for a POST to `/chat/completions`.
    #[must_use]
    pub fn new(data: D) -> Self {
        Self {
            data,
            id: None,
            method: Method::POST,
            url: "/chat/completions".to_owned(),
            json_data: None,
            metadata: Map::new(),
            attempt_count: 0,
            last_error: None,
        }
    }

    /// The same with a name.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The same with a request.
    #[must_use]
    pub fn with_request(mut self, method: Method, url: impl Into<String>, json_data: Value) -> Self {
        (self.method, self.url, self.json_data) = (method, url.into(), Some(json_data));
        self
    }

    /// Its request: method, path and body.
    #[must_use]
    pub fn request(&self) -> Request {
        let body = self.json_data.as_ref().map(Value::to_string).unwrap_or_default();
        Request { method: self.method.clone(), ..Request::post(self.url.clone(), body) }
    }
}

impl<D> From<D> for BatchItem<D> {
    fn from(data: D) -> Self {
        Self::new(data)
    }
}

/// An item for each of `data`, with the method, the path and the body that `request` makes of it.
pub fn create_batch_items<D>(
    data: impl IntoIterator<Item = D>,
    request: impl Fn(&D) -> (Method, String, Value),
) -> Vec<BatchItem<D>> {
    let item = |data| {
        let (method, url, json_data) = request(&data);
        BatchItem::new(data).with_request(method, url, json_data)
    };
    data.into_iter().map(item).collect()
}

/// What a processor made of an item.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Processed<T> {
    /// The result.
    pub value: T,
    /// The status of the answer, where there was one.
    pub status_code: Option<StatusCode>,
    /// Its headers.
    pub response_headers: HeaderMap,
    /// How often the item was sent.
    pub attempts: u32,
    /// How often of these it was refused for the rate.
    pub rate_limited_attempts: u32,
}

impl<T> Processed<T> {
    /// A result that comes from no answer.
    #[must_use]
    pub fn new(value: T) -> Self {
        let headers = HeaderMap::new();
        Self { value, status_code: None, response_headers: headers, attempts: 1, rate_limited_attempts: 0 }
    }

    /// A result that was read from an answer.
    #[must_use]
    pub fn from_answer(answer: &Answer, value: T) -> Self {
        Self {
            value,
            status_code: Some(answer.status),
            response_headers: answer.headers.clone(),
            attempts: answer.attempts,
            rate_limited_attempts: answer.rate_limited_attempts,
        }
    }
}
