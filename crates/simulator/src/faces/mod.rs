//! The faces of the simulator: the APIs it speaks, told apart by path.
//!
//! A face turns what happened into what its provider would send: paths, bodies, headers, texts. It decides nothing.

mod anthropic;
mod openai;
mod openrouter;
mod problem;

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;

pub(crate) use problem::{Limited, Problem};

use crate::quota::Reading;
use crate::random::Random;
use crate::telling::Telling;
use crate::text::Answer;
use crate::work::Work;

/// An API that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Face {
    OpenAi,
    Anthropic,
    OpenRouter,
}

/// What an endpoint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Chat,
    Responses,
    Messages,
    Completions,
    Embeddings,
    CountTokens,
    Models,
    Key,
}

impl Operation {
    /// The endpoint at `path`.
    pub(crate) fn at(path: &str) -> Option<(Face, Self)> {
        Some(match path {
            "/v1/chat/completions" => (Face::OpenAi, Self::Chat),
            "/v1/responses" => (Face::OpenAi, Self::Responses),
            "/v1/completions" => (Face::OpenAi, Self::Completions),
            "/v1/embeddings" => (Face::OpenAi, Self::Embeddings),
            "/v1/models" => (Face::OpenAi, Self::Models),
            "/v1/messages" => (Face::Anthropic, Self::Messages),
            "/v1/messages/count_tokens" => (Face::Anthropic, Self::CountTokens),
            "/api/v1/chat/completions" => (Face::OpenRouter, Self::Chat),
            "/api/v1/embeddings" => (Face::OpenRouter, Self::Embeddings),
            "/api/v1/models" => (Face::OpenRouter, Self::Models),
            "/api/v1/key" | "/api/v1/auth/key" => (Face::OpenRouter, Self::Key),
            _ => return None,
        })
    }

    /// The method the endpoint is asked with.
    pub(crate) const fn method(self) -> Method {
        match self {
            Self::Models | Self::Key => Method::GET,
            _ => Method::POST,
        }
    }
}

impl Face {
    /// The face to answer with where no endpoint is at `path`.
    pub(crate) fn nearest(head: &Parts) -> Self {
        let path = head.uri.path();
        if path.starts_with("/api/") {
            Self::OpenRouter
        } else if path.starts_with("/v1/messages") || head.headers.contains_key("anthropic-version") {
            Self::Anthropic
        } else {
            Self::OpenAi
        }
    }

    /// The key that was sent, if one was.
    pub(crate) fn sent_key(self, headers: &HeaderMap) -> Option<&str> {
        let bearer = || {
            let (scheme, key) = headers.get("authorization")?.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        };
        match self {
            Self::Anthropic => headers.get("x-api-key").and_then(|key| key.to_str().ok()).or_else(bearer),
            Self::OpenAi | Self::OpenRouter => bearer(),
        }
    }

    /// The headers that tell `readings`, taken at `at`, on an answer that is no refusal.
    pub(crate) fn limit_headers(self, readings: &[Reading], at: Duration, telling: Telling) -> HeaderMap {
        match self {
            Self::OpenAi => openai::limit_headers(readings, at, telling),
            Self::Anthropic => anthropic::limit_headers(readings, at),
            Self::OpenRouter => HeaderMap::new(),
        }
    }

    /// The headers every answer of this face carries.
    pub(crate) fn common_headers(self, exchange: &Exchange, processing: Duration) -> HeaderMap {
        match self {
            Self::OpenAi => openai::common_headers(exchange, processing),
            Self::Anthropic => anthropic::common_headers(exchange),
            Self::OpenRouter => openrouter::common_headers(exchange),
        }
    }

    /// What this face answers when something is wrong.
    pub(crate) fn refuse(self, problem: &Problem, exchange: &Exchange) -> Reply {
        match self {
            Self::OpenAi => openai::refuse(problem, exchange),
            Self::Anthropic => anthropic::refuse(problem, exchange),
            Self::OpenRouter => openrouter::refuse(problem, exchange),
        }
    }

    /// The body of a whole answer to `operation`.
    pub(crate) fn answer(self, operation: Operation, work: &Work, answers: &[Answer], exchange: &Exchange) -> Value {
        match (self, operation) {
            (Self::Anthropic, Operation::CountTokens) => anthropic::count(work),
            (Self::Anthropic, _) => anthropic::message(work, answers, exchange),
            (Self::OpenRouter, Operation::Models) => openrouter::models(),
            (Self::OpenRouter, Operation::Key) => openrouter::key(),
            (Self::OpenRouter, Operation::Embeddings) => openrouter::embeddings(work, exchange),
            (Self::OpenRouter, _) => openrouter::chat(work, answers, exchange),
            (Self::OpenAi, Operation::Models) => openai::models(),
            (Self::OpenAi, Operation::Embeddings) => openai::embeddings(work, exchange),
            (Self::OpenAi, Operation::Responses) => openai::response(work, answers, exchange),
            (Self::OpenAi, Operation::Completions) => openai::completion(work, answers, exchange),
            (Self::OpenAi, _) => openai::chat(work, answers, exchange),
        }
    }

    /// The events of a streamed answer to `operation`.
    pub(crate) fn events(self, operation: Operation, work: &Work, answers: &[Answer], exchange: &Exchange) -> Events {
        match (self, operation) {
            (Self::Anthropic, _) => anthropic::events(work, answers, exchange),
            (Self::OpenRouter, _) => openrouter::events(work, answers, exchange),
            (Self::OpenAi, Operation::Responses) => openai::response_events(work, answers, exchange),
            (Self::OpenAi, Operation::Completions) => openai::completion_events(work, answers, exchange),
            (Self::OpenAi, _) => openai::chat_events(work, answers, exchange),
        }
    }
}

/// What a face needs to know of one request to write its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// The seed of the run.
    pub(crate) seed: u64,
    /// Which request it is, in the order of arrival.
    pub(crate) number: u64,
    /// The hash of its body.
    pub(crate) prompt: u64,
    /// When it arrived, by the provider's calendar: the span since the Unix epoch.
    pub(crate) arrived: Duration,
}

impl Exchange {
    /// When the answer was created, in seconds since the Unix epoch.
    pub(crate) const fn created(&self) -> u64 {
        self.arrived.as_secs()
    }

    /// An id that no other request of the run has: `prefix` and `length` letters and digits.
    pub(crate) fn id(&self, prefix: &str, length: usize) -> String {
        const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        self.id_of(prefix, length, ALPHABET)
    }

    /// As [`id`](Self::id), of hexadecimal digits.
    pub(crate) fn hex_id(&self, prefix: &str, length: usize) -> String {
        self.id_of(prefix, length, b"0123456789abcdef")
    }

    fn id_of(&self, prefix: &str, length: usize, alphabet: &[u8]) -> String {
        let mut random = Random::keyed(&[self.seed, self.number]);
        let mut digit = || alphabet.get(random.below(alphabet.len() as u64) as usize).copied().map_or('0', char::from);
        prefix.chars().chain((0..length).map(|_| digit())).collect()
    }
}

/// An answer that is ready to send.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, body: Value) -> Self {
        Self { status, headers: HeaderMap::new(), body }
    }
}

/// One server-sent event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) data: Bytes,
    /// How many output tokens it carries.
    pub(crate) tokens: u64,
}

/// The events of a stream, made as they are sent.
pub(crate) type Events = Box<dyn Iterator<Item = Event> + Send>;

impl Event {
    /// An event of `data` alone.
    fn data(data: impl std::fmt::Display) -> Self {
        Self { data: Bytes::from(format!("data: {data}\n\n")), tokens: 0 }
    }

    /// A named event: its name is the `type` of `data`, as OpenAI's responses and Anthropic write them.
    fn named(data: &Value) -> Self {
        let name = data.get("type").and_then(Value::as_str).unwrap_or("message");
        Self { data: Bytes::from(format!("event: {name}\ndata: {data}\n\n")), tokens: 0 }
    }

    /// The same event, carrying one output token.
    const fn token(mut self) -> Self {
        self.tokens = 1;
        self
    }
}

/// Sets a header; a value that cannot be sent is left out.
fn put(headers: &mut HeaderMap, name: &'static str, value: impl ToString) {
    if let Ok(value) = HeaderValue::try_from(value.to_string()) {
        headers.insert(name, value);
    }
}

/// All output tokens of `answers`.
fn output_tokens(answers: &[Answer]) -> u64 {
    answers.iter().map(|answer| answer.tokens).sum()
}

/// `span` in whole seconds, rounded up.
fn seconds_up(span: Duration) -> u64 {
    span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0))
}

/// `span` in whole milliseconds, rounded up.
fn milliseconds_up(span: Duration) -> u64 {
    u64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_in_a_run_and_repeat_with_its_seed() {
        let exchange = |seed, number| Exchange { seed, number, prompt: 0, arrived: Duration::ZERO };
        assert_eq!(exchange(1, 1).id("req_", 24), exchange(1, 1).id("req_", 24));
        assert_ne!(exchange(1, 1).id("req_", 24), exchange(1, 2).id("req_", 24));
        assert_eq!(exchange(1, 1).hex_id("req_", 32).len(), 36);
    }

    #[test]
    fn spans_are_rounded_up() {
        assert_eq!((seconds_up(Duration::from_secs(2)), seconds_up(Duration::new(2, 1))), (2, 3));
        assert_eq!((milliseconds_up(Duration::from_millis(2)), milliseconds_up(Duration::new(0, 2_000_001))), (2, 3));
    }
}
