//! Servers that do what no large provider documents.

use tokio::time::advance;

use super::*;
use crate::{Charge, HeaderPolicy, HiddenLimit, ReadAt, Resets};

fn is_bare(answer: &Answer) -> bool {
    let hints = |name: &str| name.contains("ratelimit") || name.contains("retry");
    !answer.headers.keys().any(|name| hints(name.as_str())) && !answer.text().contains("try again in")
}

#[tokio::test(start_paused = true)]
async fn more_in_flight_than_the_hidden_limit_are_refused_without_a_word() {
    let config = config().with_latency(Duration::from_secs(1));
    let simulator = simulator(config.with_hidden_limits(vec![HiddenLimit::InFlight { most: 2 }]));
    let mut clients = [Client::new(&simulator).await, Client::new(&simulator).await, Client::new(&simulator).await];
    let [one, two, three] = &mut clients;
    let body = chat(10);
    let first = async { tokio::join!(one.post(CHAT, &body), two.post(CHAT, &body)) };
    let late = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        three.post(CHAT, &body).await
    };
    let ((one, two), refused) = tokio::join!(first, late);
    assert_eq!([one.status, two.status, refused.status].map(|status| status.as_u16()), [200, 200, 429]);
    assert!(one.has("x-ratelimit-limit-requests") && is_bare(&refused), "{:?}", refused.headers);
    assert_eq!(three.post(CHAT, &chat(10)).await.status, 200);
    assert_eq!((simulator.statistics().rate_limited, simulator.statistics().charged.requests), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn seconds_that_are_enforced_behind_a_minute_s_headers_are_not_told() {
    let config = config().with_requests_per_minute(120).with_hidden_limits(vec![HiddenLimit::EachSecond]);
    let mut client = Client::new(&simulator(config)).await;
    for remaining in ["119", "118"] {
        assert_eq!(client.post(CHAT, &chat(10)).await.header("x-ratelimit-remaining-requests"), remaining);
    }
    let refused = client.post(CHAT, &chat(10)).await;
    assert!(refused.status == 429 && is_bare(&refused), "{:?}", refused.headers);
    advance(Duration::from_secs(1)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.header("x-ratelimit-remaining-requests"), "119");
}

#[tokio::test(start_paused = true)]
async fn a_limit_may_be_told_without_its_reset() {
    let mut client = Client::new(&simulator(config().with_resets(Resets::Never).with_requests_per_minute(1))).await;
    for status in [200, 429] {
        let answer = client.post(CHAT, &chat(10)).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-ratelimit-remaining-requests")), (status, "0"));
        assert!(!answer.has("x-ratelimit-reset-requests"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_read_when_the_answer_is_written_has_come_back_and_is_settled() {
    let config = config().with_requests_per_minute(60).with_tokens_per_minute(60_000).with_charge(Charge::Produced);
    let config = config.with_output_tokens(30, 30).with_latency(Duration::from_secs(1));
    let remaining = async |read_at| {
        let mut client = Client::new(&simulator(config.clone().with_levels_read_at(read_at))).await;
        client.post(CHAT, &message(2_000, 500)).await;
        let answer = client.post(CHAT, &message(2_000, 500)).await;
        ["requests", "tokens"].map(|what| answer.header(&format!("x-ratelimit-remaining-{what}")).to_owned())
    };
    // Each second gives 1 request and 1,000 tokens; the first request is 2,030 tokens in the end.
    assert_eq!(remaining(ReadAt::Admission).await, ["59", "56470"]);
    assert_eq!(remaining(ReadAt::Answer).await, ["60", "57940"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_may_say_when_to_come_again_and_nothing_else() {
    for path in [CHAT, MESSAGES, OPENROUTER_CHAT] {
        let config = config().with_requests_per_minute(3).with_headers(HeaderPolicy::RetryAfter);
        let mut client = Client::new(&simulator(config)).await;
        for _ in 0..3 {
            assert!(is_bare(&client.post(path, &chat(10)).await));
        }
        let mut refused = client.post(path, &chat(10)).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "20"), "{path}");
        refused.headers.remove("retry-after");
        refused.headers.remove("x-should-retry");
        assert!(is_bare(&refused), "{:?} {}", refused.headers, refused.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_may_be_bare_where_successes_tell() {
    let config = config().with_requests_per_minute(1).with_headers(HeaderPolicy::OnSuccess);
    let mut client = Client::new(&simulator(config)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.header("x-ratelimit-limit-requests"), "1");
    let refused = client.post(CHAT, &chat(10)).await;
    assert!(refused.status == 429 && is_bare(&refused));
}
