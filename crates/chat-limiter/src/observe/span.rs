//! The span of a request: one for all of its attempts and waits, until its answer is whole or has failed.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{StatusCode, Uri};
use pin_project::pin_project;
use providers::{RequestSize, Usage};
use serde::Deserialize;
use tracing::field::Empty;
use tracing::instrument::Instrumented;
use tracing::{Instrument, Span};

use super::semantics;
use crate::Error;
use crate::request::Answer;
use crate::stream::AnswerStream;

/// Longer names of models, and identifiers of answers, are cut here, in bytes.
const LONGEST_NAME: usize = 200;

/// The span of a request, with the attributes that OpenTelemetry has for calls of models. `otel.name` and `otel.kind` are
/// what `tracing-opentelemetry` makes the name and kind of a span from.
///
/// Clones are the same span; it ends with the last of them.
#[derive(Clone, Debug)]
pub(crate) struct RequestSpan(Span);

impl RequestSpan {
    pub(crate) fn new(provider: &str, uri: &Uri, model: Option<&str>, size: &RequestSize) -> Self {
        let span = tracing::info_span!(
            target: "chat_limiter",
            "request",
            otel.name = Empty,
            otel.kind = "client",
            otel.status_code = Empty,
            gen_ai.operation.name = Empty,
            gen_ai.provider.name = semantics::provider(provider),
            gen_ai.request.model = Empty,
            gen_ai.request.max_tokens = size.max_output_tokens,
            gen_ai.request.stream = Empty,
            gen_ai.response.id = Empty,
            gen_ai.response.model = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.usage.cache_creation.input_tokens = Empty,
            gen_ai.usage.reasoning.output_tokens = Empty,
            server.address = uri.host(),
            server.port = uri.port_u16().or_else(|| default_port(uri)),
            http.response.status_code = Empty,
            "error.type" = Empty,
            chat_limiter.attempts = Empty,
            chat_limiter.rate_limited_attempts = Empty,
        );
        if !span.is_disabled() {
            let operation = semantics::operation(uri.path());
            span.record("gen_ai.operation.name", operation);
            match model.map(cut) {
                Some(model) => {
                    span.record("gen_ai.request.model", model);
                    span.record("otel.name", format!("{operation} {model}"));
                }
                None => {
                    span.record("otel.name", operation);
                }
            }
        }
        Self(span)
    }

    /// Runs what sends the request inside the span, and writes what came of it there.
    pub(crate) fn watch<F>(&self, future: F) -> Watched<F> {
        Watched { future: future.instrument(self.0.clone()) }
    }

    fn ended_in<T: Outcome>(&self, outcome: &Result<T, Error>) {
        match outcome {
            _ if self.0.is_disabled() => {}
            Ok(answer) => answer.write(self),
            Err(error) => {
                self.attempts(error.attempts(), error.rate_limited_attempts());
                if let Some(status) = error.status() {
                    self.status(status);
                }
                self.failed(error.code());
            }
        }
    }

    /// What went wrong, as [`Error::code`] has it.
    pub(crate) fn failed(&self, code: &'static str) {
        self.0.record("error.type", code);
        self.0.record("otel.status_code", "ERROR");
    }

    /// What the answer says it took.
    pub(crate) fn used(&self, usage: Option<Usage>) {
        let Some(usage) = usage.filter(|_| !self.0.is_disabled()) else { return };
        self.0.record("gen_ai.usage.input_tokens", usage.input);
        self.0.record("gen_ai.usage.output_tokens", usage.output);
        for (name, tokens) in [
            ("gen_ai.usage.cache_read.input_tokens", usage.cached_input),
            ("gen_ai.usage.cache_creation.input_tokens", usage.cache_written),
            ("gen_ai.usage.reasoning.output_tokens", usage.reasoning),
        ] {
            if tokens > 0 {
                self.0.record(name, tokens);
            }
        }
    }

    /// The identifier and model that an answer, or the first event of one, states.
    pub(crate) fn named(&self, json: &[u8]) {
        if self.0.is_disabled() {
            return;
        }
        let Ok(named) = serde_json::from_slice::<Named>(json) else { return };
        let Named { id, model, inside } = named;
        let (inner_id, inner_model) = inside.map(|inside| (inside.id, inside.model)).unwrap_or_default();
        if let Some(id) = id.or(inner_id) {
            self.0.record("gen_ai.response.id", cut(&id));
        }
        if let Some(model) = model.or(inner_model) {
            self.0.record("gen_ai.response.model", cut(&model));
        }
    }

    fn status(&self, status: StatusCode) {
        self.0.record("http.response.status_code", status.as_u16());
    }

    fn attempts(&self, attempts: u32, rate_limited: u32) {
        self.0.record("chat_limiter.attempts", attempts);
        self.0.record("chat_limiter.rate_limited_attempts", rate_limited);
    }
}

/// A future inside a span. An async block would keep room for the future twice.
#[pin_project]
pub(crate) struct Watched<F> {
    #[pin]
    future: Instrumented<F>,
}

impl<F: Future<Output = Result<T, Error>>, T: Outcome> Future for Watched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let outcome = ready!(this.future.as_mut().poll(context));
        RequestSpan(this.future.span().clone()).ended_in(&outcome);
        Poll::Ready(outcome)
    }
}

/// What a request ends in that did not fail.
pub(crate) trait Outcome {
    /// Writes it to the span.
    fn write(&self, span: &RequestSpan);
}

impl Outcome for Answer {
    fn write(&self, span: &RequestSpan) {
        span.status(self.status);
        span.attempts(self.attempts, self.rate_limited_attempts);
        span.used(self.usage);
        span.named(&self.body);
    }
}

impl Outcome for AnswerStream {
    /// The rest is written when it ends.
    fn write(&self, span: &RequestSpan) {
        span.status(self.status());
        span.attempts(self.attempts(), self.rate_limited_attempts());
        span.0.record("gen_ai.request.stream", true);
    }
}

/// What an answer is called, at its top or one level below, as in the first events of some streams.
#[derive(Deserialize)]
struct Named {
    #[serde(alias = "responseId")]
    id: Option<String>,
    #[serde(alias = "modelVersion")]
    model: Option<String>,
    #[serde(alias = "message", alias = "response")]
    inside: Option<Inside>,
}

#[derive(Deserialize)]
struct Inside {
    id: Option<String>,
    model: Option<String>,
}

fn default_port(uri: &Uri) -> Option<u16> {
    match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=LONGEST_NAME.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}
