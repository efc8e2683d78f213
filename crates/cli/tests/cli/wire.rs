//! What a provider gets to see.

use crate::support::{Directory, KEY, Reply, Request, Server, chat_limiter, completion};

/// A body with spaces, an order and numbers that a parser would not write like this.
const BODY: &str = r#"{"model": "m-1",  "temperature": 1.50, "max_tokens":7, "messages": [ {"role":"user","content":"Gr\u00fc\u00dfe \ud83d\ude00 ü"} ], "a":1e2 }"#;

/// The requests that one line makes.
#[track_caller]
fn sent(server: &Server, line: &str, provider: &str, path: &str, more: &str) -> Vec<Request> {
    let directory = Directory::with_requests(line);
    let arguments = format!(
        "run requests.jsonl -o results.jsonl --provider {provider} --base-url {}{path} {more}",
        server.origin()
    );
    let run = chat_limiter(directory.path()).args(&arguments);
    let outcome = run.env("OPENAI_API_KEY", KEY).env("ANTHROPIC_API_KEY", KEY).env("MINE", "the-other-key").run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    server.seen()
}

fn openai_line() -> String {
    format!(r#"{{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{BODY}}}"#)
}

#[test]
fn openai_gets_the_body_byte_for_byte() {
    let server = Server::answering(|_| Reply::new(200, completion()));
    for (index, path) in ["/v1", "/v1/", "", "/"].into_iter().enumerate() {
        let request = sent(&server, &openai_line(), "openai", path, "").remove(index);
        assert_eq!(request.line, "POST /v1/chat/completions HTTP/1.1", "{path:?}");
        assert_eq!(format!("http://{}", request.headers["host"]), server.origin());
        assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
        assert_eq!(request.headers["content-type"], "application/json");
        assert!(request.headers["user-agent"].starts_with("chat-limiter/"));
        assert!(!request.headers.contains_key("x-api-key"));
        assert_eq!(request.body, BODY);
    }
}

#[test]
fn a_bare_body_goes_to_the_providers_chat() {
    let server = Server::answering(|_| Reply::new(200, completion()));
    let requests = sent(&server, BODY, "openai", "/v1", "");
    assert_eq!((requests[0].line.as_str(), requests[0].body.as_str()), ("POST /v1/chat/completions HTTP/1.1", BODY));
}

#[test]
fn anthropic_gets_its_own_headers() {
    let answer = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m-1","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":9,"output_tokens":3}}"#;
    let server = Server::answering(move |_| Reply::new(200, answer));
    let line = format!(r#"{{"custom_id":"a","params":{BODY}}}"#);
    for (index, path) in ["/v1", "/v1/", "", "/"].into_iter().enumerate() {
        let request = sent(&server, &line, "anthropic", path, "").remove(index);
        assert_eq!(request.line, "POST /v1/messages HTTP/1.1", "{path:?}");
        assert_eq!(request.headers["x-api-key"], KEY);
        assert_eq!(request.headers["anthropic-version"], "2023-06-01");
        assert_eq!(request.headers["content-type"], "application/json");
        assert!(!request.headers.contains_key("authorization"));
        assert_eq!(request.body, BODY);
    }
}

#[test]
fn a_key_comes_from_the_variable_that_was_named() {
    let server = Server::answering(|_| Reply::new(200, completion()));
    for (index, provider) in ["openai", "openai-compatible", "OpenAI"].into_iter().enumerate() {
        let request = sent(&server, &openai_line(), provider, "/v1", "--api-key-env MINE").remove(index);
        assert_eq!(request.headers["authorization"], "Bearer the-other-key", "{provider}");
    }
}

#[test]
fn a_server_that_needs_no_key_gets_none() {
    let server = Server::answering(|_| Reply::new(200, completion()));
    let request = sent(&server, &openai_line(), "openai-compatible", "/v1", "").remove(0);
    assert!(!request.headers.contains_key("authorization"), "{request:?}");

    let directory = Directory::with_requests(openai_line());
    let arguments = format!("run requests.jsonl --base-url {}/v1", server.origin());
    let outcome = chat_limiter(directory.path()).args(&arguments).env("OPENAI_API_KEY", KEY).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(!server.seen()[1].headers.contains_key("authorization"));
}
