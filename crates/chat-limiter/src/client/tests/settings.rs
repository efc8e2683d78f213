//! What the builder sends and what it refuses.

use serde_json::json;
use transport::{HyperTransport, Proxies};

use super::*;
use crate::Request;

#[tokio::test(start_paused = true)]
async fn notes_go_with_every_request_and_are_not_masked_in_answers() {
    let server = Scripted::new(|_| (200, json!({"text": "the application of project-of-mine"})));
    let limiter = server
        .client("openai")
        .organization("org-of-mine")
        .project("first")
        .project("project-of-mine")
        .application("https://app.example", "an application")
        .header("x-gateway", "gateway-secret")
        .build()
        .unwrap();
    let answer = limiter.request(Request::get("/models")).await.unwrap();
    assert_eq!(answer.json().unwrap()["text"], "the application of project-of-mine");
    let sent = server.heads.lock().unwrap()[0].clone();
    for (name, value) in [
        ("openai-organization", "org-of-mine"),
        ("openai-project", "project-of-mine"),
        ("http-referer", "https://app.example"),
        ("x-title", "an application"),
        ("x-gateway", "gateway-secret"),
        ("authorization", "Bearer sk-0123456789"),
    ] {
        assert_eq!(sent[name], value);
    }
    assert!(!format!("{sent:?}").contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_key_sends_none() {
    let server = Scripted::new(|_| (200, json!({})));
    let limiter = server.client("openai").without_key().build().unwrap();
    limiter.request(Request::get("/models")).await.unwrap();
    assert!(!server.heads.lock().unwrap()[0].contains_key("authorization"));
}

#[test]
fn what_is_wrong_is_named_before_anything_is_sent() {
    let check = |builder: Builder, expected: &str| {
        let error = builder.build().unwrap_err();
        assert!(error.is_configuration(), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
    };
    let openai = || ChatLimiter::builder("openai").api_key("sk-hunter2hunter2");
    check(ChatLimiter::builder("opnai"), "known are openai, anthropic");
    check(openai().base_url("https://me:hunter2@api.openai.com"), "password");
    check(openai().base_url("api.openai.com"), "api.openai.com");
    check(openai().header("x hunter2", "z"), "name is invalid");
    check(openai().header("x-secret", "hunter2\n"), "x-secret");
    check(openai().project("two\nlines"), "openai-project");
    check(openai().application("https://a", "t\0"), "x-title");
    check(openai().proxy("ftp://me:hunter2@proxy"), "proxy");
    check(openai().root_certificates("no certificate"), "BEGIN CERTIFICATE");
    check(openai().root_certificates_file("/there/is/no/such/file"), "/there/is/no/such/file");
    check(openai().concurrency(0), "at least 1");
    check(openai().request_buffer_ratio(1.1), "buffer ratio");
    let own = Arc::new(Scripted::new(|_| (200, Value::Null)));
    check(openai().transport(own).proxies(Proxies::none()), "transport of your own");
    for provider in ["azure", "vertex"] {
        check(ChatLimiter::builder(provider).api_key("sk-hunter2hunter2"), "base_url");
    }
    check(ChatLimiter::from_url("https://llm.example/v1"), "llm.example");
}

#[test]
fn only_who_has_no_address_of_his_own_has_to_be_given_one() {
    for provider in providers::Registry::standard().names() {
        let is_built = ChatLimiter::builder(provider).api_key("sk-hunter2hunter2").build().is_ok();
        assert_eq!(is_built, !["azure", "vertex"].contains(&provider), "{provider}");
        let builder = ChatLimiter::builder(provider).api_key("sk-hunter2hunter2").base_url("http://mine.invalid/v1");
        assert!(builder.build().is_ok(), "{provider}");
    }
}

#[test]
fn connections_may_have_settings_and_need_no_certificates_without_tls() {
    for connections in [HyperTransport::builder().http1_only(), HyperTransport::builder().http2_prior_knowledge()] {
        let builder = builder().connections(connections).proxies(Proxies::none());
        assert!(builder.build().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_should_be_json_and_is_not_is_not_sent_and_its_place_is_named() {
    let server = Scripted::new(|_| (200, json!({})));
    let limiter = server.client("openai").build().unwrap();
    let with = |kind: &'static str, body: &'static [u8]| {
        let mut request = Request::post("/chat/completions", body);
        if !kind.is_empty() {
            request.headers.insert("content-type", kind.parse().unwrap());
        }
        request
    };
    let large = Vec::leak([b"{\n".as_slice(), &[b' '; 100_000], b"]"].concat());
    for (kind, body, place) in [
        ("", b"{\"a\": 1,\n}".as_slice(), "line 2 column 1"),
        ("application/json; charset=UTF-8", b"nonsense", "line 1 column 2"),
        ("application/vnd.api+json", b"{} {}", "line 1 column 4"),
        ("Application/JSON", b"{\"a", "line 1 column 3"),
        ("", large, "line 2 column 100001"),
    ] {
        let error = limiter.request(with(kind, body)).await.unwrap_err();
        assert!(error.is_invalid() && error.attempts() == 0 && error.to_string().contains(place), "{error}");
    }
    assert!(server.heads.lock().unwrap().is_empty());
    let deep: &'static [u8] = Vec::leak([vec![b'['; 1_000], vec![b']'; 1_000]].concat());
    let others =
        [("text/plain", b"nonsense".as_slice()), ("application/x-ndjson", b"{}\n{}"), ("", deep), ("", b"1e999")];
    for (kind, body) in others {
        limiter.request(with(kind, body)).await.unwrap();
    }
    let mut packed = with("application/json", b"\x1f\x8b");
    packed.headers.insert("content-encoding", "gzip".parse().unwrap());
    limiter.request(packed).await.unwrap();
    assert_eq!(server.heads.lock().unwrap().len(), 5);
}

#[test]
fn outside_a_runtime_a_call_is_an_error_that_says_so() {
    let server = Scripted::new(|_| (200, json!({})));
    let limiter = server.client("openai").build().unwrap();
    // None of them waits for anything.
    let errors = async {
        [
            limiter.request(Request::post("/chat/completions", "{}")).await.unwrap_err(),
            limiter.stream(Request::post("/chat/completions", "{}")).await.unwrap_err(),
            limiter.acquire("gpt-4o", limiter_core::Cost::of_request(1, 1)).await.unwrap_err(),
            limiter.models().await.unwrap_err(),
        ]
    };
    let errors = futures::FutureExt::now_or_never(errors).unwrap();
    for error in errors {
        assert!(error.is_configuration() && error.to_string().contains("runtime"), "{error}");
    }
}
