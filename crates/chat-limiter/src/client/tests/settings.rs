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
    check(openai().header("x y", "z"), "x y");
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
