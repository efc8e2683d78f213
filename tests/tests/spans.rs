//! What is written of requests to whoever listens: spans with OpenTelemetry's attributes, and events.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use chat_limiter::{ChatLimiter, Request};
use chat_limiter_tests::{Face, Reply, Scripted, wire};
use futures::StreamExt;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

const KEY: &str = "sk-proj-Vq7fTz0dM3kLwX9bYcR2hN5sJ8aE1gUp";
/// In the prompt of every request, and in what providers answer.
const PROMPT: &str = "whatanobodymayread";

type Fields = BTreeMap<String, String>;

/// A span that has ended, and what happened in it.
#[derive(Clone, Debug, Default)]
struct Seen {
    fields: Fields,
    events: Vec<Fields>,
}

/// Keeps spans of the client, and everything that anybody wrote.
#[derive(Clone, Default)]
struct Listener {
    ended: Arc<Mutex<Vec<Seen>>>,
    all: Arc<Mutex<String>>,
}

struct Visitor<'a>(&'a mut Fields);

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Listener {
    fn listen(&self) -> DefaultGuard {
        tracing::subscriber::set_default(tracing_subscriber::registry().with(self.clone()))
    }

    /// The spans that have ended since the last call.
    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.ended.lock().unwrap())
    }

    fn note(&self, fields: &Fields) {
        write!(self.all.lock().unwrap(), "{fields:?}").unwrap();
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listener {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() == "chat_limiter" {
            let mut seen = Seen::default();
            attributes.record(&mut Visitor(&mut seen.fields));
            self.note(&seen.fields);
            context.span(id).unwrap().extensions_mut().insert(seen);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(seen) = context.span(id).unwrap().extensions_mut().get_mut::<Seen>() {
            record.record(&mut Visitor(&mut seen.fields));
            self.note(&seen.fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Visitor(&mut fields));
        self.note(&fields);
        if event.metadata().target().starts_with("chat_limiter")
            && let Some(span) = context.event_span(event)
            && let Some(seen) = span.extensions_mut().get_mut::<Seen>()
        {
            seen.events.push(fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some(seen) = context.span(&id).unwrap().extensions_mut().remove::<Seen>() {
            self.ended.lock().unwrap().push(seen);
        }
    }
}

fn client(server: &Scripted, face: Face) -> ChatLimiter {
    server.client(face).api_key(KEY).build().unwrap()
}

fn question(face: Face) -> Request {
    let messages = json!([{"role": "user", "content": PROMPT}]);
    let body = json!({"model": face.model(), "max_tokens": 50, "messages": messages});
    Request::post(face.path(), body.to_string())
}

fn answer() -> Reply {
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 7, "input_tokens": 5, "output_tokens": 7});
    Reply::json(200, &[], &json!({"id": "chatcmpl-1", "model": "the-model-itself", "choices": [], "usage": usage}))
}

#[track_caller]
fn check(fields: &Fields, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(fields.get(*name).map(String::as_str), Some(*value), "{name} in {fields:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_a_span_with_the_attributes_of_opentelemetry() {
    let names = [(Face::OpenAi, "openai"), (Face::Anthropic, "anthropic"), (Face::OpenRouter, "openrouter")];
    for (face, name) in names {
        let listener = Listener::default();
        let _guard = listener.listen();
        client(&Scripted::new(|_| answer()), face).request(question(face)).await.unwrap();
        let [span] = listener.take().try_into().unwrap();
        check(
            &span.fields,
            &[
                ("otel.name", &format!("chat {}", face.model())),
                ("otel.kind", "client"),
                ("gen_ai.operation.name", "chat"),
                ("gen_ai.provider.name", name),
                ("gen_ai.request.model", face.model()),
                ("gen_ai.request.max_tokens", "50"),
                ("gen_ai.response.id", "chatcmpl-1"),
                ("gen_ai.response.model", "the-model-itself"),
                ("gen_ai.usage.input_tokens", "5"),
                ("gen_ai.usage.output_tokens", "7"),
                ("server.address", "provider.invalid"),
                ("server.port", "80"),
                ("http.response.status_code", "200"),
                ("chat_limiter.attempts", "1"),
            ],
        );
        assert!(!span.fields.contains_key("error.type"), "{span:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_and_waits_are_events_in_the_span_of_their_request() {
    let listener = Listener::default();
    let _guard = listener.listen();
    let refusal = Reply::error(429, &[("retry-after", "7")], "rate_limit_exceeded", PROMPT);
    let server = Scripted::in_turn(vec![refusal, Reply::error(503, &[], "overloaded", PROMPT), answer()]);
    client(&server, Face::OpenAi).request(question(Face::OpenAi)).await.unwrap();
    let [span] = listener.take().try_into().unwrap();
    check(&span.fields, &[("chat_limiter.attempts", "3"), ("chat_limiter.rate_limited_attempts", "1")]);
    let messages: Vec<_> = span.events.iter().map(|event| event["message"].as_str()).collect();
    assert_eq!(messages, ["failed", "trying again", "failed", "trying again", "answered"]);
    check(&span.events[0], &[("attempt", "1"), ("code", "rate_limited"), ("status", "429"), ("retry_after", "7.0")]);
    check(&span.events[2], &[("attempt", "2"), ("code", "overloaded"), ("status", "503")]);
    assert!(span.events[2]["waited"].parse::<f64>().unwrap() >= 7.0, "{span:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_says_why_in_its_span() {
    let listener = Listener::default();
    let _guard = listener.listen();
    let server = Scripted::new(|_| Reply::error(400, &[], "invalid_request_error", PROMPT));
    let error = client(&server, Face::OpenAi).request(question(Face::OpenAi)).await.unwrap_err();
    let [span] = listener.take().try_into().unwrap();
    check(&span.fields, &[("error.type", error.code()), ("otel.status_code", "ERROR")]);
    check(&span.fields, &[("http.response.status_code", "400")]);
}

/// A stream of two events and its end, or without it.
fn streaming(is_whole: bool) -> Scripted {
    let first = json!({"id": "chatcmpl-2", "model": "the-model-itself", "choices": [{"delta": {"content": PROMPT}}]});
    let last = json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}});
    let mut text = format!("data: {first}\n\ndata: {last}\n\n");
    if is_whole {
        text.push_str("data: [DONE]\n\n");
    } else {
        text.push_str("data: {\"error\":{\"message\":\"broken\",\"type\":\"server_error\"}}\n\n");
    }
    Scripted::new(move |_| Reply::text(200, &[("content-type", "text/event-stream")], text.clone()))
}

#[tokio::test(start_paused = true)]
async fn the_span_of_a_stream_lasts_until_it_has_ended() {
    let listener = Listener::default();
    let _guard = listener.listen();
    for is_whole in [true, false] {
        let client = client(&streaming(is_whole), Face::OpenAi);
        let mut stream = client.stream(question(Face::OpenAi)).await.unwrap();
        let mut failed = None;
        while let Some(event) = stream.next().await {
            failed = event.err();
        }
        assert!(listener.take().is_empty());
        drop(stream);
        let [span] = listener.take().try_into().unwrap();
        check(&span.fields, &[("gen_ai.request.stream", "true"), ("gen_ai.response.id", "chatcmpl-2")]);
        check(&span.fields, &[("gen_ai.usage.input_tokens", "5"), ("gen_ai.usage.output_tokens", "7")]);
        assert_eq!(failed.is_none(), is_whole);
        assert_eq!(span.fields.get("error.type").map(String::as_str), failed.as_ref().map(chat_limiter::Error::code));
    }
}

#[tokio::test(start_paused = true)]
async fn neither_keys_nor_prompts_nor_answers_are_written() {
    let listener = Listener::default();
    let _guard = listener.listen();
    let says = format!("{KEY} and {PROMPT}");
    let servers = vec![
        Scripted::new(|_| answer()),
        Scripted::new(|_| Reply::json(200, &[], &json!({"id": KEY, "choices": [{"message": {"content": PROMPT}}]}))),
        Scripted::new({
            let says = says.clone();
            move |_| Reply::error(400, &[], "invalid_request_error", &says)
        }),
        Scripted::new({
            let says = says.clone();
            move |n| if n < 2 { Reply::error(503, &[], "overloaded", &says) } else { answer() }
        }),
        Scripted::new(move |_| Reply::text(200, &[("content-type", "text/html")], says.clone())),
        streaming(true),
    ];
    for server in servers {
        let client = client(&server, Face::OpenAi);
        let _ = client.request(question(Face::OpenAi)).await;
        if let Ok(stream) = client.stream(question(Face::OpenAi)).await {
            let _: Vec<_> = stream.collect().await;
        }
    }
    let unreachable = wire::dialing(|| Err(std::io::ErrorKind::ConnectionRefused.into()));
    let mut policy = chat_limiter::RetryPolicy::default();
    policy.max_attempts = 2;
    let client = Face::OpenAi.client(unreachable).api_key(KEY).retry(policy).build().unwrap();
    let _ = client.request(question(Face::OpenAi)).await;
    let all = listener.all.lock().unwrap();
    assert!(all.contains("gen_ai.request.model"));
    for secret in [KEY, &KEY[8..], PROMPT] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}
