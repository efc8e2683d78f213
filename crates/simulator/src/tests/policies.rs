//! Who shares limits, and who is told them.

use super::*;
use crate::{HeaderPolicy, Sharing};

fn for_model(model: &str) -> Value {
    let mut body = chat(10);
    body["model"] = json!(model);
    body
}

#[tokio::test(start_paused = true)]
async fn models_share_one_limit_or_have_their_own() {
    async fn check(sharing: Sharing, expected: [u16; 3]) {
        let mut client = Client::new(&simulator(config().with_requests_per_minute(1).with_sharing(sharing))).await;
        for (model, expected) in ["a", "b", "a"].into_iter().zip(expected) {
            assert_eq!(client.post(CHAT, &for_model(model)).await.status, expected, "{sharing:?} {model}");
        }
    }
    check(Sharing::Account, [200, 429, 429]).await;
    check(Sharing::PerModel, [200, 200, 429]).await;
}

#[tokio::test(start_paused = true)]
async fn each_face_is_an_account_of_its_own() {
    let mut client = Client::new(&simulator(config().with_requests_per_minute(1))).await;
    for path in [CHAT, MESSAGES, OPENROUTER_CHAT] {
        assert_eq!(client.post(path, &chat(10)).await.status, 200);
        assert_eq!(client.post(path, &chat(10)).await.status, 429);
    }
}

#[tokio::test(start_paused = true)]
async fn limits_are_told_as_the_policy_says() {
    async fn check(policy: HeaderPolicy, path: &str, on_success: bool, on_refusal: bool) {
        let mut client = Client::new(&simulator(config().with_requests_per_minute(1).with_headers(policy))).await;
        let tells = |answer: &Answer| answer.headers.keys().any(|name| name.as_str().contains("ratelimit"));
        let (success, refusal) = (client.post(path, &chat(10)).await, client.post(path, &chat(10)).await);
        assert_eq!((success.status.as_u16(), refusal.status.as_u16()), (200, 429));
        assert_eq!((tells(&success), tells(&refusal)), (on_success, on_refusal), "{policy:?} {path}");
        if policy == HeaderPolicy::Never {
            assert!(!refusal.has("retry-after") && !refusal.has("retry-after-ms"));
            assert!(!refusal.text().contains("try again in"), "{}", refusal.text());
        }
    }
    check(HeaderPolicy::Always, CHAT, true, true).await;
    check(HeaderPolicy::Always, MESSAGES, true, true).await;
    check(HeaderPolicy::Always, OPENROUTER_CHAT, false, true).await;
    check(HeaderPolicy::OnRefusal, CHAT, false, true).await;
    check(HeaderPolicy::OnRefusal, MESSAGES, false, true).await;
    for path in [CHAT, MESSAGES, OPENROUTER_CHAT] {
        check(HeaderPolicy::Never, path, false, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn buckets_start_as_full_as_asked() {
    let mut client = Client::new(&simulator(config().with_requests_per_minute(10).with_start_fill(0.5))).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.header("x-ratelimit-remaining-requests"), "4");
}
