//! What goes in and what comes out.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::{Entry, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use limiter_core::Priority;
use providers::Usage;
use serde_json::Value;

use crate::Error;
use crate::history::History;
use crate::mask::is_secret;
use crate::retry::RetryPolicy;

/// A request to the provider. The body goes out as it is, byte for byte.
///
/// Credentials in its headers, which are `authorization` and its like and what is marked as sensitive, are masked in
/// answers and errors as the client's own are. Its `Debug` shows neither them nor the query nor the body.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, with the version or without: `/v1/chat/completions` and `/chat/completions` are the same.
    pub path: String,
    /// Headers beside the client's own.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How urgent it is among those that wait for the same limits.
    pub priority: Priority,
    /// What is tried again of it, and when; as the client has it where there is nothing.
    pub retry: Option<RetryPolicy>,
    /// How long it may take in all, from when it is handed to the client: see [`with_deadline`](Self::with_deadline).
    pub deadline: Option<Duration>,
}

impl Request {
    /// A POST of a JSON body.
    #[must_use]
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            headers: HeaderMap::new(),
            body: body.into(),
            priority: Priority::NORMAL,
            retry: None,
            deadline: None,
        }
    }

    /// A request with a JSON body, by any method.
    #[must_use]
    pub fn json(method: Method, path: impl Into<String>, json: &Value) -> Self {
        Self { method, ..Self::post(path, json.to_string()) }
    }

    /// A GET.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            priority: Priority::NORMAL,
            retry: None,
            deadline: None,
        }
    }

    /// Gives a POST a key in `header`, by which the provider knows it again where it is sent more than once. A key of the
    /// caller's own, here or in `common`, stays.
    pub(crate) fn identify(&mut self, header: Option<HeaderName>, common: &HeaderMap) {
        let Some(header) = header.filter(|_| self.method == Method::POST) else { return };
        if !common.contains_key(&header)
            && let Entry::Vacant(entry) = self.headers.entry(header)
        {
            // Keys that nobody else has, drawn apart from the jitter, which stays as it is seeded. Nothing secret depends on them.
            let random = RandomState::new();
            let mut key = [0; 45];
            let written =
                write!(key.as_mut_slice(), "chat-limiter-{:016x}{:016x}", random.hash_one(0), random.hash_one(1));
            if let (Ok(()), Ok(key)) = (written, HeaderValue::from_bytes(&key)) {
                entry.insert(key);
            }
        }
    }

    /// The same request with a retry policy of its own. The budget of retries stays the client's, and so does how long a
    /// request waits in the queue at most.
    #[must_use]
    pub const fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// The same request with a bound on all the time that it takes: its waits, its attempts, and the answer to its end, that of
    /// a stream included. It fails with [`Error::is_timeout`] then, and what was in flight of it is given up; what the
    /// provider did for it may be charged.
    #[must_use]
    pub const fn with_deadline(mut self, within: Duration) -> Self {
        self.deadline = Some(within);
        self
    }

    /// The same request with another priority. A higher one is a head start of ten seconds for each level.
    #[must_use]
    pub const fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut headers = self.headers.clone();
        for (name, value) in &mut headers {
            if is_secret(name, value) {
                *value = HeaderValue::from_static("***");
            }
        }
        let path = match self.path.split_once('?') {
            // Google takes keys there.
            Some((path, _)) => format!("{path}?***"),
            None => self.path.clone(),
        };
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &path)
            .field("headers", &headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("priority", &self.priority)
            .field("retry", &self.retry)
            .field("deadline", &self.deadline)
            .finish()
    }
}

/// A provider's answer: a success, whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status, 2xx.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The tokens it took, where the answer says so.
    pub usage: Option<Usage>,
    /// How often the request was sent.
    pub attempts: u32,
    /// How many of the attempts were refused for the rate.
    pub rate_limited_attempts: u32,
    /// Every attempt: when it was sent, how long it waited, and what became of it.
    pub history: History,
}

impl Answer {
    /// The provider's identifier of the answer, where it gave one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// Where the body is not JSON (a stream of events, say).
    pub fn json(&self) -> Result<Value, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::request(format!("the answer is not JSON: {error}")))
    }
}

/// The identifier that a provider gives a response: OpenAI in `x-request-id`, Anthropic in `request-id`.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    ["x-request-id", "request-id"].iter().find_map(|name| headers.get(*name)?.to_str().ok())
}
