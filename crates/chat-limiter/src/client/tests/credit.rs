//! Limits and credit that the provider tells when it is asked.

use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;

use super::*;
use crate::Request;

/// An account of OpenRouter's with so many dollars left of the key, whose management answers to no ordinary key.
fn router(dollars: &Arc<AtomicI64>) -> Scripted {
    let dollars = Arc::clone(dollars);
    Scripted::new(move |request| match request.uri().path() {
        "/api/v1/key" => {
            let free = json!({"used": 1, "limit": 50, "remaining": 49});
            (
                200,
                json!({"data": {"limit_remaining": dollars.load(Ordering::SeqCst), "free_model_daily_requests": free}}),
            )
        }
        "/api/v1/credits" => (403, json!({"error": {"message": "Only management keys can see this", "code": 403}})),
        _ => (200, json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})),
    })
}

#[tokio::test(start_paused = true)]
async fn without_credit_requests_fail_at_once_until_it_is_asked_again() {
    let dollars = Arc::new(AtomicI64::new(0));
    let server = router(&dollars);
    let limiter = server.client("openrouter").build().unwrap();
    assert!(limiter.discover_limits().await.unwrap().is_exhausted());
    let chat = |model: &str| Request::post("/chat/completions", json!({"model": model, "messages": []}).to_string());
    let error = limiter.request(chat("a/b")).await.unwrap_err();
    assert!(error.is_quota_exhausted() && error.code() == "quota_exhausted", "{error:?}");
    assert!(limiter.acquire("a/b", tokens(1)).await.unwrap_err().is_quota_exhausted());
    assert!(limiter.try_acquire("a/b", tokens(1)).unwrap_err().is_quota_exhausted());
    assert_eq!(server.asked(), ["/api/v1/key", "/api/v1/credits"], "nothing else was sent");
    assert!(limiter.request(chat("a/b:free")).await.is_ok(), "what costs nothing needs no credit");
    dollars.store(5, Ordering::SeqCst);
    limiter.discover_limits().await.unwrap();
    assert!(limiter.request(chat("a/b")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn free_models_keep_to_the_limits_that_were_told_before_their_first_answer() {
    let server = router(&Arc::new(AtomicI64::new(5)));
    let limiter = server.client("openrouter").build().unwrap();
    limiter.discover_limits().await.unwrap();
    let (mut at_once, mut other) = (0, 0);
    for _ in 0..100 {
        // Answered at once, so the number in flight is no bound.
        let Some(permit) = limiter.try_acquire("a/b:free", tokens(1)).unwrap() else { break };
        permit.settle_as_reserved();
        at_once += 1;
    }
    for _ in 0..100 {
        let Some(permit) = limiter.try_acquire("a/b", tokens(1)).unwrap() else { break };
        permit.settle_as_reserved();
        other += 1;
    }
    assert_eq!(at_once, 20, "twenty a minute for all free models");
    let limits = limiter.current_limits();
    let free = limits.iter().find(|limits| limits.models == [":free"]).unwrap();
    assert_eq!((free.request_limit, free.requests_used), (Some(20), 20));
    assert!(other > 0 && limits.iter().all(|it| it.models == [":free"] || it.request_limit.is_none()));
}

/// An organization with these projects, each with one limit on `gpt-4o` and its dated name.
fn organization(projects: &'static [&'static str]) -> Scripted {
    Scripted::new(move |request| {
        if request.headers().get("authorization").is_none_or(|key| key != "Bearer admin-key-of-the-owner") {
            return (401, json!({"error": {"message": "not an admin key", "type": "invalid_request_error"}}));
        }
        let limit = |model: &str| json!({"model": model, "max_requests_per_1_minute": 3});
        match request.uri().path() {
            "/v1/organization/projects" => {
                let projects: Vec<Value> = projects.iter().map(|id| json!({"id": id})).collect();
                (200, json!({"data": projects}))
            }
            _ => (200, json!({"data": [limit("gpt-4o"), limit("gpt-4o-2024-08-06")]})),
        }
    })
}

async fn admitted(limiter: &ChatLimiter, model: &str) -> u32 {
    let mut count = 0;
    while let Some(permit) = limiter.try_acquire(model, tokens(1)).unwrap() {
        permit.settle_as_reserved();
        count += 1;
        assert!(count < 1_000);
    }
    count
}

#[tokio::test(start_paused = true)]
async fn an_admin_key_tells_the_limits_of_models_used_already_and_not_yet() {
    let limiter = organization(&["p"]).client("openai").build().unwrap();
    answered(&limiter, "gpt-4o", tokens(1)).await;
    let account = limiter.discover_limits_with_key("admin-key-of-the-owner").await.unwrap();
    assert_eq!((account.scopes.len(), account.projects.len()), (2, 1));
    assert_eq!(admitted(&limiter, "gpt-4o-2024-08-06").await, 3);
    assert_eq!(admitted(&limiter, "gpt-4o").await, 0, "both names draw on one limit");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_refused_changes_nothing() {
    let server = organization(&["p"]);
    let limiter = server.client("openai").build().unwrap();
    let error = limiter.discover_limits().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert!(!format!("{error} {error:?}").contains("0123456789"));
    let error = limiter.discover_limits_with_key("two words").await.unwrap_err();
    assert!(error.is_configuration() && !error.to_string().contains("words"), "{error}");
    answered(&limiter, "gpt-4o", tokens(1)).await;
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_admin_key_that_a_server_repeats_is_in_no_error() {
    let server = Scripted::new(|request| {
        let key = request.headers()["authorization"].to_str().unwrap().to_owned();
        (403, json!({"error": {"message": format!("{key} may not do this")}}))
    });
    let limiter = server.client("openai").build().unwrap();
    let error = limiter.discover_limits_with_key("owner-4711-secret").await.unwrap_err();
    let body = String::from_utf8_lossy(error.body().unwrap()).into_owned();
    assert!(!format!("{error} {error:?} {body}").contains("4711"), "{error} {body}");
    assert!(!format!("{limiter:?}").contains("0123456789"));
}

#[tokio::test(start_paused = true)]
async fn limits_of_several_projects_are_told_and_those_of_the_named_one_kept_to() {
    let server = organization(&["p", "q"]);
    let limiter = server.client("openai").build().unwrap();
    let account = limiter.discover_limits_with_key("admin-key-of-the-owner").await.unwrap();
    assert_eq!(account.projects, ["p", "q"]);
    assert!(limiter.current_limits().iter().all(|limits| limits.request_limit.is_none()));
    let limiter = server.client("openai").project("q").build().unwrap();
    limiter.discover_limits_with_key("admin-key-of-the-owner").await.unwrap();
    assert_eq!(admitted(&limiter, "gpt-4o").await, 3);
    assert_eq!(server.asked().last().map(String::as_str), Some("/v1/organization/projects/q/rate_limits"));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_tells_nothing_says_so() {
    let limiter = builder().build().unwrap();
    assert!(limiter.discover_limits().await.unwrap_err().to_string().contains("openai-compatible"));
}
