//! Servers that do not do their job: each request fails with the reason after its tries, and the run ends.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::Value;

use crate::support::{Directory, Gate, KEY, Reply, Request, Server, chat_limiter, requests};

/// Runs three requests against `origin`, all of which fail. Returns the errors' texts and how many tries were made.
#[track_caller]
fn fail(origin: &str, more: &str) -> (Vec<String>, u64) {
    let directory = Directory::with_requests(requests(3));
    let arguments =
        format!("run requests.jsonl -o results.jsonl --summary s.json --provider openai --base-url {origin}/v1 {more}");
    let outcome = chat_limiter(directory.path()).args(&arguments).env("OPENAI_API_KEY", KEY).run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(outcome.stdout, "");
    for text in [&outcome.stderr, &directory.read("results.jsonl"), &directory.read("s.json")] {
        assert!(!text.contains(KEY), "the key is in {text}");
    }
    let summary: Value = serde_json::from_str(&directory.read("s.json")).unwrap();
    assert_eq!((&summary["requests"], &summary["failed"]), (&3.into(), &3.into()), "{summary}");
    let results = directory.results();
    assert!(results.by_id().keys().eq(["r-1", "r-2", "r-3"]));
    let messages = results.0.iter().map(|line| line["error"]["message"].as_str().unwrap().to_owned()).collect();
    (messages, summary["attempts"].as_u64().unwrap())
}

#[track_caller]
fn check(origin: &str, more: &str, words: &[&str], attempts: u64) {
    check_within(origin, more, words, attempts..=attempts);
}

/// The same, where how many are sent depends on how fast the first answer comes.
fn check_within(origin: &str, more: &str, words: &[&str], attempts: std::ops::RangeInclusive<u64>) {
    let (messages, made) = fail(origin, more);
    for message in &messages {
        for word in words {
            assert!(message.contains(word), "{word:?} is not in {message:?}");
        }
    }
    assert!(attempts.contains(&made), "{made}: {messages:?}");
}

#[test]
fn one_that_is_not_there() {
    // The port was free a moment ago.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    check(&format!("http://{address}"), "--max-attempts 2", &["connect"], 6);
}

#[test]
fn one_that_resets_every_connection() {
    // Closing with data unread makes the system send a reset.
    let server = Server::speaking(|stream, _| drop(stream.peek(&mut [0])));
    let (messages, _) = fail(&server.origin(), "--max-attempts 2");
    assert!(messages.iter().all(|message| !message.is_empty()));
}

#[test]
fn one_that_answers_garbage() {
    for garbage in ["\x00\x01\x02\x03garbage\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", "220 mail.example ESMTP\r\n"] {
        let server = Server::speaking(move |stream, note| {
            use std::io::Write;
            if let Some(request) = Request::read(&mut std::io::BufReader::new(&stream)) {
                note(&request);
                let _ = (&stream).write_all(garbage.as_bytes());
            }
        });
        check(&server.origin(), "--max-attempts 2", &["after 2 attempts"], 6);
    }
}

#[test]
fn one_that_answers_with_a_web_page() {
    let page = "<!doctype html><title>Sign in</title>";
    let server = Server::answering(move |_| Reply::new(200, page).header("content-type", "text/html"));
    check(&server.origin(), "--max-attempts 2", &["not JSON"], 6);
}

#[test]
fn one_that_breaks_off_its_answers() {
    let server = Server::speaking(|stream, _| {
        use std::io::Write;
        if Request::read(&mut std::io::BufReader::new(&stream)).is_some() {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"id\":";
            let _ = (&stream).write_all(head.as_bytes());
        }
    });
    let (messages, _) = fail(&server.origin(), "--max-attempts 2");
    assert!(messages.iter().all(|message| !message.is_empty()));
}

#[test]
fn one_that_never_answers() {
    let server = Server::answering(|_| {
        Gate::default().pass();
        Reply::new(200, "")
    });
    check(&server.origin(), "--timeout 1 --max-attempts 2", &["1s", "after 2 attempts"], 6);
}

#[test]
fn one_that_refuses_the_key_and_repeats_it() {
    let server = Server::answering(|request| {
        let key = request.headers["authorization"].trim_start_matches("Bearer ").to_owned();
        let message = format!("Incorrect API key provided: {key}. You can find yours on the website.");
        let body = serde_json::json!({ "error": { "message": message, "code": "invalid_api_key" } });
        Reply::new(401, body.to_string()).header("x-request-id", key)
    });
    let (messages, attempts) = fail(&server.origin(), "");
    assert!(messages.iter().all(|message| message.contains("Incorrect API key")), "{messages:?}");
    assert!(attempts <= 3, "a refused key is not tried again");
}

#[test]
fn one_that_does_not_know_the_path() {
    let server = Server::answering(|_| Reply::new(404, "404 page not found").header("content-type", "text/plain"));
    check(&server.origin(), "", &["404", "page not found"], 3);
}

#[test]
fn one_that_always_says_later() {
    let body = r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#;
    let server = Server::answering(move |_| Reply::new(429, body).header("retry-after", "1"));
    check(&server.origin(), "--max-attempts 3", &["429", "Rate limit reached", "after 3 attempts"], 9);
}

#[test]
fn one_that_has_no_credit_left() {
    let body = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let server = Server::answering(move |_| Reply::new(429, body));
    check_within(&server.origin(), "", &["exceeded your current quota"], 1..=3);
}

#[test]
fn one_that_is_always_broken() {
    let server = Server::answering(|_| Reply::new(500, r#"{"error":{"message":"The server had an error"}}"#));
    check(&server.origin(), "--max-attempts 3", &["500", "The server had an error", "after 3 attempts"], 9);
}

#[test]
fn one_that_sends_to_another_host() {
    let elsewhere = Server::answering(|_| Reply::new(200, crate::support::completion()));
    let location = format!("{}/v1/chat/completions", elsewhere.origin());
    let server = Server::answering(move |_| Reply::new(307, "").header("location", location.clone()));
    check(&server.origin(), "", &["307"], 3);
    assert!(elsewhere.seen().is_empty(), "the key went to another host");
}
