//! The key shows up in nothing that a program can print or write.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::error::Error as _;
use std::sync::Arc;

use chat_limiter::transport::Transport;
use chat_limiter::{Batch, ChatLimiter, Error, Request, RetryPolicy};
use chat_limiter_tests::{Face, Reply, Scripted, wire};
use serde_json::json;
use simulator::{Config, Simulator};

/// In the form of OpenAI's keys.
const KEY: &str = "sk-proj-Vq7fTz0dM3kLwX9bYcR2hN5sJ8aE1gUp";
/// A credential in a header of the user's own.
const TOKEN: &str = "gateway-token-4d1c9a77e2b0";

fn client(transport: Arc<dyn Transport>, face: Face) -> ChatLimiter {
    let mut policy = RetryPolicy::default();
    policy.max_attempts = 2;
    let builder = face.client(transport).api_key(KEY).header("x-gateway", TOKEN).retry(policy);
    shows_no_secret("the builder", &format!("{builder:?} {builder:#?}"));
    let client = builder.build().unwrap();
    shows_no_secret("the client", &format!("{client:?} {client:#?} {:?}", client.limits()));
    client
}

#[track_caller]
fn shows_no_secret(what: &str, text: &str) {
    for secret in [KEY, TOKEN, &KEY[8..], &TOKEN[8..]] {
        assert!(!text.contains(secret), "{what}: {text}");
    }
}

/// Every form of an error and of what caused it.
fn forms(error: &Error) -> String {
    let mut forms = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        forms.push_str(&format!(" {error} {error:?} {error:#?}"));
        cause = error.source();
    }
    forms
}

fn scripted(reply: Reply) -> Arc<dyn Transport> {
    Scripted::new(move |_| reply.clone()).transport()
}

/// A chat completion that quotes a header of the request.
fn success() -> serde_json::Value {
    json!({"id": "1", "choices": [{"message": {"content": format!("You sent {TOKEN}.")}}]})
}

/// Servers that quote the key in what they answer.
fn quoting() -> Vec<(&'static str, Arc<dyn Transport>)> {
    let echo = format!("Incorrect API key provided: {KEY}. You can find your API key at the usual place.");
    let html = [("content-type", "text/html")];
    let json = [("content-type", "application/json")];
    vec![
        ("a refusal that quotes the key", scripted(Reply::error(401, &[], "invalid_api_key", &echo))),
        ("a failure that quotes the key", scripted(Reply::error(500, &[], "api_error", &echo))),
        ("a page that quotes the key", scripted(Reply::text(403, &html, echo.clone()))),
        ("a broken success that quotes the key", scripted(Reply::text(200, &json, echo))),
        ("a refusal that quotes the key in its identifier", scripted(Reply::text(400, &[("request-id", KEY)], "{}"))),
    ]
}

/// Servers that fail in other ways whose descriptions might show what was sent.
fn failing() -> Vec<(&'static str, Arc<dyn Transport>)> {
    let refused = Simulator::new(Config::default().with_api_key("another key")).unwrap();
    vec![
        ("a wrong key", wire::to(&refused)),
        ("a reset", scripted(Reply::Reset)),
        ("nobody there", wire::dialing(|| Err(std::io::ErrorKind::ConnectionRefused.into()))),
    ]
}

#[tokio::test(start_paused = true)]
async fn the_key_is_in_no_error() {
    for face in Face::ALL {
        for (name, transport) in failing().into_iter().chain(quoting()) {
            let client = client(transport, face);
            let error = client.request(face.question(face.model(), 20, 50)).await.expect_err(name);
            shows_no_secret(&format!("{face:?}, {name}"), &forms(&error));
        }
    }
}

/// A batch with a request and a line that is none, both of which fail, shows no secret in what it writes.
async fn check_batch(name: &str, transport: Arc<dyn Transport>) {
    let body = json!({"model": "gpt-4o-mini", "max_tokens": 5, "messages": [{"role": "user", "content": "Hello."}]});
    let line = json!({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body});
    let input = format!("{line}\n{{\"broken\n");
    let client = client(transport, Face::OpenAi);
    let mut output = Vec::new();
    let batch = Batch::new(client.clone(), "requests.jsonl");
    let summary = batch.run(input.as_bytes(), &mut output, std::future::pending(), &()).await.unwrap();
    assert_eq!((summary.requests, summary.failed), (2, 2), "{name}");
    shows_no_secret(name, &String::from_utf8(output).unwrap());
    shows_no_secret(name, &format!("{summary:?} {}", serde_json::to_string(&summary).unwrap()));
    shows_no_secret(name, &format!("{client:?} {:?}", client.limits()));
}

#[tokio::test(start_paused = true)]
async fn the_key_is_in_no_result_and_no_summary() {
    for (name, transport) in failing() {
        check_batch(name, transport).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_key_is_in_no_result_of_a_server_that_quotes_it() {
    for (name, transport) in quoting() {
        check_batch(name, transport).await;
    }
}

#[test]
fn a_client_that_cannot_be_built_does_not_show_what_it_was_given() {
    let broken = [
        ChatLimiter::builder("openai").api_key(format!("{KEY}\n{KEY}")),
        ChatLimiter::builder("openai").api_key(KEY).base_url("not a url"),
        ChatLimiter::builder("openai").api_key(KEY).header("x-gateway", format!("{TOKEN}\n{TOKEN}")),
        ChatLimiter::builder("nobody").api_key(KEY),
    ];
    for builder in broken {
        let shown = format!("{builder:?}");
        let error = builder.build().unwrap_err();
        assert!(error.is_configuration());
        shows_no_secret(&shown, &forms(&error));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_does_not_show_the_key() {
    let client = client(Scripted::in_turn(Vec::new()).transport(), Face::OpenAi);
    for path in ["", " ", "http://elsewhere.invalid/v1/chat/completions", "/\u{7f}", "//evil"] {
        if let Err(error) = client.request(Request::post(path, "{}")).await {
            shows_no_secret(path, &forms(&error));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_that_quotes_credentials_is_passed_on_without_them() {
    let answer = Reply::json(200, &[("x-request-id", KEY)], &success());
    let client = client(scripted(answer), Face::OpenAi);
    let answer = client.request(Face::OpenAi.question(Face::OpenAi.model(), 10, 10)).await.unwrap();
    shows_no_secret("the answer", &format!("{answer:?} {:?}", answer.request_id()));
    assert!(answer.json().is_ok());
}
