//! Successes of every form are what they claim to be, are sent once, and count for what they can have taken.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::time::Duration;

use bytes::Bytes;
use chat_limiter::{Request, RetryPolicy};
use chat_limiter_tests::{Face, Part, Reply, Scripted, in_flight};
use futures::StreamExt;
use http::Method;
use serde_json::{Value, json};

fn question() -> Request {
    Face::OpenAi.question(Face::OpenAi.model(), 20, 50)
}

fn by(method: Method, path: &str, body: &'static str) -> Request {
    Request { method, ..Request::post(path, body) }
}

/// A success with a body of this type.
fn of_type(content_type: &str, body: &'static [u8]) -> Reply {
    let reply = Reply::text(200, &[], Bytes::from_static(body));
    if content_type.is_empty() { reply } else { reply.with("content-type", content_type) }
}

/// Requests, and successes that are not one JSON value.
fn in_other_forms() -> Vec<(Request, Reply, &'static [u8])> {
    let json = "application/json";
    let file = || Request::get("/v1/files/f/content");
    vec![
        (question(), of_type("text/plain; charset=utf-8", b"hello world"), b"hello world"),
        (file(), of_type("text/plain", b"hello world"), b"hello world"),
        (file(), of_type("application/x-jsonl", b"{\"a\":1}\n{\"a\":2}\n"), b"{\"a\":1}\n{\"a\":2}\n"),
        (file(), of_type("text/html", b"<html></html>"), b"<html></html>"),
        (file(), of_type(json, b"{\"a\":1}\n{\"a\":2}\n"), b"{\"a\":1}\n{\"a\":2}\n"),
        (file(), of_type("", b"\x00\x01\x02"), b"\x00\x01\x02"),
        (question(), of_type("", b"\x00\x01\x02"), b"\x00\x01\x02"),
        (question(), of_type(json, b""), b""),
        (question(), of_type("", b""), b""),
        (by(Method::HEAD, "/v1/models", ""), of_type(json, b"{}"), b""),
        (by(Method::DELETE, "/v1/files/f", ""), Reply::text(204, &[], ""), b""),
        (
            Request::post("/v1/audio/transcriptions", "{\"response_format\":\"text\"}"),
            of_type("text/html", b"hello"),
            b"hello",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_success_that_is_not_json_is_a_success_and_is_sent_once() {
    for (request, reply, body) in in_other_forms() {
        let name = format!("{} {} {reply:?}", request.method, request.path);
        let server = Scripted::new(move |_| reply.clone());
        let client = server.client(Face::OpenAi).build().unwrap();
        let answer = client.request(request.clone()).await.expect(&name);
        assert_eq!((&answer.body[..], answer.attempts), (body, 1), "{name}");
        let mut stream = client.stream(request).await.expect(&name);
        let mut streamed = Vec::new();
        while let Some(event) = stream.next().await {
            streamed.extend_from_slice(&event.expect(&name).data);
        }
        assert_eq!((&streamed[..], stream.attempts()), (body, 1), "{name}");
        assert_eq!((server.arrivals().len(), in_flight(&client)), (2, 0), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_claims_to_be_json_or_is_a_page_in_place_of_it_is_no_answer() {
    for (content_type, body) in [("application/json", "{\"id\":"), ("text/html", "<html></html>")] {
        let server = Scripted::new(move |_| of_type(content_type, body.as_bytes()));
        let client = server.client(Face::OpenAi).build().unwrap();
        let asked = client.request(question()).await.expect_err(content_type);
        let streamed = client.stream(question()).await.expect_err(content_type);
        assert_eq!((asked.code(), asked.attempts()), ("invalid_answer", 2), "{content_type}");
        assert_eq!((streamed.code(), streamed.attempts()), ("invalid_answer", 2), "{content_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn text_that_is_downloaded_again_and_again_holds_up_nobody() {
    let server = Scripted::reading(|_, body| match body.is_empty() {
        true => of_type("text/plain", b"hello world"),
        false => Reply::success(),
    });
    // A limit that is never reached, so that requests are not spaced as they are where no limit is known at all.
    let client = server.client(Face::OpenAi).requests_per_minute(1_000_000).build().unwrap();
    for _ in 0..30 {
        client.request(Request::get("/v1/files/f/content")).await.unwrap();
    }
    let asked_at = server.now();
    assert_eq!(client.request(question()).await.unwrap().attempts, 1);
    assert_eq!(server.now(), asked_at);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_after_a_success_is_asked_for_twice_and_after_a_failure_as_often_as_any() {
    let broken = [Part::Send(Bytes::from_static(b"{\"id\":")), Part::Wait(Duration::from_millis(1)), Part::Break];
    for (status, most, attempts) in [(200, 2, 2), (200, 1, 1), (200, 5, 5), (500, 2, 6)] {
        let mut head = http::Response::new(broken.to_vec());
        *head.status_mut() = http::StatusCode::from_u16(status).unwrap();
        let reply = Reply::Stream(head).with("content-type", "application/json");
        let mut policy = RetryPolicy::default();
        policy.max_unanswered = most;
        policy.max_failures = 6;
        let client = Scripted::new(move |_| reply.clone()).client(Face::OpenAi).retry(policy).build().unwrap();
        let asked = client.request(question()).await.unwrap_err();
        assert_eq!((asked.code(), asked.attempts()), ("connection", attempts), "{status}, {most}: {asked}");
        let streamed = client.stream(question()).await.unwrap_err();
        assert_eq!(streamed.attempts(), attempts, "{status}, {most}: {streamed}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_became_of_a_job_is_no_failure_of_who_asks() {
    let error = json!({"code": "server_error", "message": "The model failed to generate a response."});
    let job = json!({"id": "1", "status": "failed", "error": error});
    let server = Scripted::new(move |_| Reply::json(200, &[], &job));
    let client = server.client(Face::OpenAi).build().unwrap();
    for request in [
        Request::get("/v1/fine_tuning/jobs/1"),
        Request::get("/v1/batches/1"),
        Request::get("/v1/responses/1"),
        Request::post("/v1/fine_tuning/jobs/1/cancel", ""),
    ] {
        let path = request.path.clone();
        let answer = client.request(request).await.expect(&path);
        assert_eq!((answer.attempts, answer.json().unwrap()["status"].clone()), (1, json!("failed")), "{path}");
    }
    let error = client.request(question()).await.unwrap_err();
    assert!(error.attempts() > 1 && error.to_string().contains("failed to generate"), "{error}");
}

/// Tokens of input and output that are counted where this usage is stated.
async fn counted(usage: Value) -> (u64, u64) {
    let body = json!({"id": "1", "choices": [], "usage": usage});
    let server = Scripted::new(move |_| Reply::json(200, &[], &body));
    let client = server.client(Face::OpenAi).tokens_per_minute(1_000).build().unwrap();
    client.request(question()).await.unwrap();
    let totals = client.usage();
    assert_eq!(totals.tokens, totals.input_tokens + totals.output_tokens);
    (totals.input_tokens, totals.output_tokens)
}

#[tokio::test(start_paused = true)]
async fn a_total_below_its_parts_loses_no_output() {
    for total in [0, 9, 12, 15] {
        let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": total});
        assert_eq!(counted(usage).await, (10, 5), "{total}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_usage_beyond_everything_is_believed_up_to_what_a_request_can_take() {
    let most = |name: &str| json!({name: u64::MAX});
    assert_eq!(counted(most("total_tokens")).await, (2 << 20, 0));
    assert_eq!(counted(most("completion_tokens")).await, (0, 2 << 20));
    let all = json!({"prompt_tokens": u64::MAX, "completion_tokens": u64::MAX, "total_tokens": u64::MAX});
    assert_eq!(counted(all).await, (2 << 20, 0));
}
