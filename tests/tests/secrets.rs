//! The key shows up in nothing that a program can print or write.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::error::Error as _;
use std::sync::Arc;

use chat_limiter::transport::Transport;
use chat_limiter::{AnswerStream, Batch, ChatLimiter, Error, History, Request, RetryPolicy};
use chat_limiter_tests::{Face, Log, Part, Reply, Scripted, wire};
use futures::StreamExt;
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

/// Every form of the attempts of a request.
fn forms_of_history(history: &History) -> String {
    assert!(!history.is_empty());
    format!("{history:?} {history:#?} {}", serde_json::to_string(history).unwrap())
}

/// Every form of an error and of what caused it, and of what it knows of the last answer.
fn forms(error: &Error) -> String {
    let mut forms = format!("{error} {error:?} {error:#?} {:?} {:?}", error.headers(), error.request_id());
    forms.push_str(&format!(" {:?} {:?} {:?}", error.body(), error.rate_limit(), error.history()));
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
async fn the_key_is_in_no_error_no_history_and_no_log() {
    for face in Face::ALL {
        for (name, transport) in failing().into_iter().chain(quoting()) {
            let name = format!("{face:?}, {name}");
            let log = Log::listen();
            let client = client(transport, face);
            let question = || face.question(face.model(), 20, 50);
            for error in [client.request(question()).await.err(), client.stream(question()).await.err()] {
                let error = error.expect(&name);
                shows_no_secret(&name, &forms(&error));
                shows_no_secret(&name, &forms_of_history(error.history()));
                // What is tried again is logged.
                assert!(error.attempts() == 1 || log.text().contains("trying again"), "{name}: {}", log.text());
            }
            shows_no_secret(&name, &log.text());
        }
    }
}

/// Everything that a stream shows, until it ends.
async fn shown(mut stream: AnswerStream) -> String {
    let mut shown = format!("{stream:?} {stream:#?} {:?} {:?}", stream.headers(), stream.request_id());
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => shown.push_str(&format!("{event:?} {} {:?}", event.name, event.text())),
            Err(error) => shown.push_str(&forms(&error)),
        }
    }
    format!("{shown} {stream:?} {}", forms_of_history(stream.history()))
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_quotes_credentials_is_passed_on_without_them_wherever_it_is_cut() {
    let echo = format!("You sent {KEY} and {TOKEN}.");
    let endings = [
        Part::end(5, 5),
        Part::Break,
        Part::event(&json!({"error": {"code": 400, "type": "invalid_request_error", "message": echo}})),
    ];
    for ending in endings {
        let event = json!({"choices": [{"delta": {"content": echo}}]});
        let text = format!(": {TOKEN}\n\nevent: {KEY}\ndata: {event}\n\ndata: {event}\n\n");
        for cut in [1, 5, 7, 19, 60, 10_000] {
            let mut parts: Vec<Part> =
                text.as_bytes().chunks(cut).map(|chunk| Part::Send(bytes::Bytes::copy_from_slice(chunk))).collect();
            // What breaks off at once is not sent at all.
            parts.extend([Part::Wait(std::time::Duration::from_millis(1)), ending.clone()]);
            let log = Log::listen();
            let client = client(scripted(Reply::stream(parts).with("x-request-id", KEY)), Face::OpenAi);
            let question = || Face::OpenAi.question(Face::OpenAi.model(), 10, 10);
            let events = shown(client.stream(question()).await.unwrap()).await;
            assert!(events.contains("You sent ***") && events.contains("***."), "cut at {cut}: {events}");
            shows_no_secret("the events", &events);
            let mut bytes = client.stream(question()).await.unwrap().into_bytes();
            let mut passed = Vec::new();
            while let Some(chunk) = bytes.next().await {
                match chunk {
                    Ok(chunk) => passed.extend_from_slice(&chunk),
                    Err(error) => shows_no_secret("the error", &forms(&error)),
                }
            }
            let passed = String::from_utf8(passed).unwrap();
            assert!(passed.starts_with(": ***") && passed.len() >= text.len(), "cut at {cut}: {passed}");
            shows_no_secret("the bytes", &passed);
            shows_no_secret("the log", &log.text());
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
    for path in [" ", "http://elsewhere.invalid/v1/chat/completions", "/\u{7f}", "/a b", "ftp://evil"] {
        let error = client.request(Request::post(path, "{}")).await.expect_err(path);
        assert!(error.is_invalid(), "{path:?}: {error}");
        shows_no_secret(path, &forms(&error));
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_that_quotes_credentials_is_passed_on_without_them() {
    let answer = Reply::json(200, &[("x-request-id", KEY)], &success());
    let client = client(scripted(answer), Face::OpenAi);
    let answer = client.request(Face::OpenAi.question(Face::OpenAi.model(), 10, 10)).await.unwrap();
    shows_no_secret("the answer", &format!("{answer:?} {:?}", answer.request_id()));
    shows_no_secret("the history", &forms_of_history(&answer.history));
    assert!(answer.json().is_ok());
}

/// Credentials of one request, each in a header of its own, whole or in parts.
fn own_credentials() -> (http::HeaderMap, [&'static str; 6]) {
    let mut headers = http::HeaderMap::new();
    let secrets =
        ["own/key+of/one", "crumbs-of-a-visit", "part-one-of-two", "part-two-of-two", "ZnJpZW5kOmVudGVy", "marked-one"];
    headers.insert("x-api-key", secrets[0].parse().unwrap());
    headers.insert("cookie", format!("visit={}; theme=dark", secrets[1]).parse().unwrap());
    headers.insert("authorization", format!("Bearer {} {}", secrets[2], secrets[3]).parse().unwrap());
    headers.insert("proxy-authorization", format!("Basic {}==", secrets[4]).parse().unwrap());
    let mut marked: http::HeaderValue = secrets[5].parse().unwrap();
    marked.set_sensitive(true);
    headers.insert("x-anything", marked);
    (headers, secrets)
}

#[tokio::test(start_paused = true)]
async fn credentials_of_one_request_are_masked_however_json_writes_them() {
    let (headers, secrets) = own_credentials();
    let plain = secrets.join(" and ");
    let numbered: String = plain.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    for echo in [plain.clone(), plain.replace('/', "\\/"), numbered] {
        for status in [400, 401, 500] {
            let body = format!(r#"{{"error":{{"message":"You sent {echo}.","type":"odd","code":"odd"}}}}"#);
            let json = [("content-type", "application/json"), ("x-request-id", "own/key+of/one")];
            let client = client(scripted(Reply::text(status, &json, body)), Face::OpenAi);
            let log = Log::listen();
            let question = || Request { headers: headers.clone(), ..Face::OpenAi.question(Face::OpenAi.model(), 5, 5) };
            for error in [client.request(question()).await.err(), client.stream(question()).await.err()] {
                let error = error.unwrap();
                let body: serde_json::Value = serde_json::from_slice(error.body().unwrap()).unwrap();
                let shown = format!("{} {} {body} {}", forms(&error), forms_of_history(error.history()), log.text());
                assert!(error.to_string().contains("You sent ***"), "{error}");
                for secret in secrets {
                    assert!(!shown.contains(secret), "{secret} in {shown}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_of_one_request_are_masked_in_its_stream() {
    let (headers, secrets) = own_credentials();
    let echo = json!({"choices": [{"delta": {"content": secrets.join(" ")}}]}).to_string().replace('/', "\\/");
    let text = format!("data: {echo}\n\n");
    for cut in [1, 3, 10_000] {
        let parts = text.as_bytes().chunks(cut).map(|chunk| Part::Send(bytes::Bytes::copy_from_slice(chunk)));
        let parts: Vec<Part> = parts.chain([Part::end(5, 5)]).collect();
        let client = client(scripted(Reply::stream(parts)), Face::OpenAi);
        let question = Request { headers: headers.clone(), ..Face::OpenAi.question(Face::OpenAi.model(), 5, 5) };
        let events = shown(client.stream(question).await.unwrap()).await;
        assert!(events.contains("***"), "{events}");
        for secret in secrets {
            assert!(!events.contains(secret) && !events.contains(&secret.replace('/', "\\/")), "{secret} in {events}");
        }
    }
}

#[test]
fn a_request_is_shown_without_its_credentials_its_query_and_its_body() {
    let (headers, secrets) = own_credentials();
    let request =
        Request { headers, ..Request::post(format!("/v1/models?key={KEY}"), format!("{{\"a\":\"{TOKEN}\"}}")) };
    let shown = format!("{request:?} {request:#?}");
    shows_no_secret("the request", &shown);
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("/v1/models") && shown.contains("cookie"), "{shown}");
}

#[test]
fn a_key_where_something_else_belongs_is_not_repeated() {
    let addresses = [
        format!("https://h.example/v1?key={KEY}"),
        format!("http://u:{KEY}@h.example/v1"),
        format!("https://h.example/{KEY} x"),
    ];
    for url in &addresses {
        let builder = ChatLimiter::builder("openai").api_key(KEY).base_url(url);
        shows_no_secret("the builder", &format!("{builder:?}"));
        assert!(format!("{builder:?}").contains("h.example"));
        let model = chat_limiter::service::IModel::builder("openai").model("m").api_key(KEY).base_url(url);
        shows_no_secret("the model's builder", &format!("{model:?}"));
    }
    for url in &addresses[..2] {
        let error = ChatLimiter::builder("openai").api_key(KEY).base_url(url).build().unwrap_err();
        shows_no_secret("the error of the address", &forms(&error));
        let error = ChatLimiter::from_url(url).build().unwrap_err();
        shows_no_secret("the error of what an address means", &forms(&error));
    }
    let google = "AIzaSyD4e8f7g6h5i4j3k2l1m0n9o8p7q6r5s4t";
    for name in [KEY, google, "sk_live_0123456789abcdef", "a-key", ""] {
        let error = ChatLimiter::builder("openai").api_key_variable(name).build().unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains("no name"), "{error}");
        assert!(name.is_empty() || !forms(&error).contains(name), "{error}");
        let model = chat_limiter::service::IModel::builder("openai").model("m").api_key_schema(name);
        let error = model.build().unwrap_err();
        assert!(name.is_empty() || !forms(&error).contains(name), "{error}");
    }
    let missing = ChatLimiter::builder("openai").api_key_variable("NO_SUCH_KEY_IS_SET").build().unwrap_err();
    assert!(missing.to_string().contains("NO_SUCH_KEY_IS_SET"));
    let swapped = ChatLimiter::builder("openai").api_key(KEY).header(format!("Authorization: Bearer {KEY}"), "x");
    shows_no_secret("the error of a header's name", &forms(&swapped.build().unwrap_err()));
}
