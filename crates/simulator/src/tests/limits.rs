//! Limits are kept to the nanosecond, hints are true, a refusal costs nothing.

use std::time::Duration;

use tokio::time::advance;

use super::*;
use crate::{Charge, Metering};

#[tokio::test(start_paused = true)]
async fn a_request_limit_refills_one_at_a_time_to_the_nanosecond() {
    let simulator = simulator(config().with_requests_per_minute(60));
    let mut client = Client::new(&simulator).await;
    for _ in 0..60 {
        assert_eq!(client.post(CHAT, &chat(10)).await.status, 200);
    }
    advance(Duration::from_nanos(999_999_999)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.status, 429);
    advance(Duration::from_nanos(1)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.status, 200);
    assert_eq!(client.post(CHAT, &chat(10)).await.status, 429);
    let statistics = simulator.statistics();
    assert_eq!((statistics.requests, statistics.answered, statistics.rate_limited), (63, 61, 2));
}

#[tokio::test(start_paused = true)]
async fn the_hint_is_the_first_millisecond_at_which_the_request_fits() {
    let config = config().with_tokens_per_minute(30_000).with_charge(Charge::PromptOnly);
    let mut client = Client::new(&simulator(config)).await;
    assert_eq!(client.post(CHAT, &chat(14_567)).await.status, 200);
    let refused = client.post(CHAT, &chat(24_754)).await;
    assert_eq!(refused.status, 429);
    let message = "Rate limit reached for gpt-4o in organization org-simulated on tokens per min (TPM): Limit 30000, \
                   Used 14567, Requested 24754. Please try again in 18.642s. Visit \
                   https://platform.openai.com/account/rate-limits to learn more.";
    let expected = json!({"message": message, "type": "tokens", "param": null, "code": "rate_limit_exceeded"});
    assert_eq!(refused.json()["error"], expected);
    assert_eq!((refused.header("retry-after-ms"), refused.header("retry-after")), ("18642", "19"));
    advance(Duration::from_millis(18_641)).await;
    let refused = client.post(CHAT, &chat(24_754)).await;
    assert!(refused.text().contains("Please try again in 1ms."), "{}", refused.text());
    advance(Duration::from_millis(1)).await;
    assert_eq!(client.post(CHAT, &chat(24_754)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_is_charged_in_no_dimension() {
    let config = config().with_requests_per_minute(10).with_tokens_per_minute(1_000).with_charge(Charge::PromptOnly);
    let mut client = Client::new(&simulator(config)).await;
    client.post(CHAT, &chat(600)).await;
    let refused = client.post(CHAT, &chat(600)).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-ratelimit-remaining-requests"), "9");
    assert_eq!(refused.header("x-ratelimit-remaining-tokens"), "400");
    let small = client.post(CHAT, &chat(400)).await;
    assert_eq!(small.header("x-ratelimit-remaining-requests"), "8");
    assert_eq!(small.header("x-ratelimit-remaining-tokens"), "0");
}

#[tokio::test(start_paused = true)]
async fn a_request_larger_than_the_limit_is_refused_for_good() {
    let simulator = simulator(config().with_tokens_per_minute(1_000));
    let mut client = Client::new(&simulator).await;
    let refused = client.post(CHAT, &chat(1_001)).await;
    assert_eq!(refused.status, 429);
    let text = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Request too large for gpt-4o in organization"), "{text}");
    assert!(text.contains("Limit 1000, Requested 1001."), "{text}");
    assert!(!refused.has("retry-after"));
    assert_eq!(simulator.statistics().refused_other, 1);

    let refused = client.post(MESSAGES, &chat(801)).await;
    assert_eq!((refused.status.as_u16(), refused.header("x-should-retry")), (429, "false"));
    let refused = client.post(OPENROUTER_CHAT, &chat(1_001)).await;
    assert_eq!(refused.status, 402);
    assert_eq!(refused.json()["error"]["message"], "Prompt tokens limit exceeded: 1001 > 1000.");
}

#[tokio::test(start_paused = true)]
async fn a_fixed_window_gives_all_back_at_the_full_minute() {
    let config = config().with_requests_per_minute(2).with_metering(Metering::FixedWindow);
    let mut client = Client::new(&simulator(config)).await;
    advance(Duration::from_millis(10_250)).await;
    client.post(CHAT, &chat(10)).await;
    client.post(CHAT, &chat(10)).await;
    let refused = client.post(CHAT, &chat(10)).await;
    assert!(refused.text().contains("Please try again in 49.75s."), "{}", refused.text());
    advance(Duration::from_millis(49_750) - Duration::from_nanos(1)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.status, 429);
    advance(Duration::from_nanos(1)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.header("x-ratelimit-remaining-requests"), "1");
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_traffic_admit_the_burst_and_the_rate_and_no_more() {
    let simulator = simulator(config().with_requests_per_minute(120).with_tokens_per_minute(u64::MAX));
    for path in [CHAT, MESSAGES, OPENROUTER_CHAT] {
        let mut client = Client::new(&simulator).await;
        let mut admitted = 0;
        for _ in 0..600 * 4 {
            admitted += u64::from(client.post(path, &chat(10)).await.status == 200);
            advance(Duration::from_millis(250)).await;
        }
        // The last request is sent at 599.75 s: 120 at the start and two for each full second since.
        assert_eq!(admitted, 120 + 2 * 599 + 1, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_produced_is_charged_when_the_answer_ends() {
    let config = config().with_charge(Charge::Produced).with_tokens_per_minute(1_000).with_output_tokens(30, 30);
    let simulator = simulator(config.with_latency(Duration::from_millis(50)));
    let mut client = Client::new(&simulator).await;
    let answer = client.post(CHAT, &message(100, 500)).await;
    assert_eq!(answer.header("x-ratelimit-remaining-tokens"), "400");
    assert_eq!(simulator.statistics().charged.tokens, 130);
    // 400 left, 470 given back and 50 ms of refill: 870.8, of which the next one takes 600.
    let answer = client.post(CHAT, &message(100, 500)).await;
    assert_eq!(answer.header("x-ratelimit-remaining-tokens"), "270");
}

#[tokio::test(start_paused = true)]
async fn anthropic_output_counts_when_it_has_been_produced_and_may_leave_a_debt() {
    let config = config().with_output_tokens_per_minute(60).with_output_tokens(90, 90);
    let mut client = Client::new(&simulator(config)).await;
    assert_eq!(client.post(MESSAGES, &message(10, 4_000)).await.status, 200);
    let refused = client.post(MESSAGES, &message(10, 4_000)).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "30"));
    advance(Duration::from_secs(29)).await;
    assert_eq!(client.post(MESSAGES, &message(10, 4_000)).await.header("retry-after"), "1");
    advance(Duration::from_secs(1)).await;
    assert_eq!(client.post(MESSAGES, &message(10, 4_000)).await.status, 200);
}
