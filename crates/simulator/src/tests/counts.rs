//! How the provider counts: prompts, what is cached of them, and its calendar.

use tokio::time::advance;

use super::*;
use crate::Charge;
use crate::clock::Clock;

#[tokio::test(start_paused = true)]
async fn what_is_cached_is_told_by_every_face_as_its_provider_does() {
    let mut client = Client::new(&simulator(config().with_cached_share(0.3))).await;
    // 3.3 of 11 tokens.
    for (path, body, input, cached, pointer) in [
        (CHAT, message(11, 5), "/prompt_tokens", 11, "/prompt_tokens_details/cached_tokens"),
        (OPENROUTER_CHAT, message(11, 5), "/prompt_tokens", 11, "/prompt_tokens_details/cached_tokens"),
        (MESSAGES, message(11, 5), "/input_tokens", 8, "/cache_read_input_tokens"),
        (
            "/v1/responses",
            json!({"model": "m", "input": "x".repeat(36)}),
            "/input_tokens",
            11,
            "/input_tokens_details/cached_tokens",
        ),
    ] {
        let usage = client.post(path, &body).await.json()["usage"].take();
        let told = (usage.pointer(input), usage.pointer(pointer));
        assert_eq!(told, (Some(&json!(cached)), Some(&json!(3))), "{path}: {usage}");
    }
    let mut body = message(11, 5);
    body["stream"] = json!(true);
    let events = client.post(MESSAGES, &body).await.events();
    let usage = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap();
    for usage in [&usage("message_start")["message"]["usage"], &usage("message_delta")["usage"]] {
        assert_eq!((&usage["input_tokens"], &usage["cache_read_input_tokens"]), (&json!(8), &json!(3)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_cached_is_free_where_the_charge_says_so_and_there_alone() {
    for (charge, tokens, input_tokens) in [(Charge::CachedInputFree, 50, 50), (Charge::PromptOnly, 100, 100)] {
        let simulator = simulator(config().with_cached_share(0.5).with_charge(charge));
        let mut client = Client::new(&simulator).await;
        let answer = client.post(CHAT, &message(100, 500)).await;
        let remaining = (1_000_000 - tokens).to_string();
        assert_eq!(answer.header("x-ratelimit-remaining-tokens"), remaining, "{charge:?}");
        client.post(MESSAGES, &message(100, 500)).await;
        let charged = simulator.statistics().charged;
        assert_eq!((charged.tokens, charged.input_tokens), (tokens, input_tokens), "{charge:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_counts_otherwise_charges_and_reports_its_own_count() {
    let simulator = simulator(config().with_prompt_factor(1.1).with_charge(Charge::PromptOnly));
    let mut client = Client::new(&simulator).await;
    for (tokens, counted) in [(10, 11), (11, 13)] {
        let before = simulator.statistics().charged.tokens;
        let answer = client.post(CHAT, &chat(tokens)).await.json();
        assert_eq!(answer["usage"]["prompt_tokens"], counted);
        assert_eq!(simulator.statistics().charged.tokens - before, counted);
    }
    let count = client.post("/v1/messages/count_tokens", &chat(10)).await;
    assert_eq!(count.json(), json!({"input_tokens": 11}));
}

#[tokio::test(start_paused = true)]
async fn a_calendar_that_is_off_shows_everywhere_and_moves_no_limit() {
    let config = config().with_clock_error(-90).with_requests_per_minute(60);
    let simulator = simulator(config.with_metering(crate::Metering::FixedWindow));
    let mut client = Client::new(&simulator).await;
    advance(Duration::from_secs(10)).await;
    let answer = client.post(CHAT, &chat(10)).await;
    assert_eq!(answer.header("date"), "Wed, 31 Dec 2025 23:58:40 GMT");
    assert_eq!(answer.header("x-ratelimit-reset-requests"), "50s");
    assert_eq!(answer.header("openai-processing-ms"), "0");
    assert_eq!(answer.json()["created"], START - 80);
    let answer = client.post(MESSAGES, &chat(10)).await;
    assert_eq!(answer.header("anthropic-ratelimit-requests-reset"), "2025-12-31T23:59:30Z");
    for _ in 0..60 {
        client.post(OPENROUTER_CHAT, &chat(10)).await;
    }
    let refused = client.post(OPENROUTER_CHAT, &chat(10)).await;
    assert_eq!(refused.header("x-ratelimit-reset"), ((START - 30) * 1_000).to_string());
    advance(Duration::from_secs(50)).await;
    assert_eq!(client.post(OPENROUTER_CHAT, &chat(10)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_last_request_that_was_let_in_is_known() {
    let simulator = simulator(config().with_requests_per_minute(1));
    let mut client = Client::new(&simulator).await;
    assert_eq!(simulator.statistics().last_admitted, Duration::ZERO);
    advance(Duration::from_millis(1_500)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.status, 200);
    advance(Duration::from_secs(1)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.status, 429);
    assert_eq!(simulator.statistics().last_admitted, Duration::from_millis(1_500));
}

#[tokio::test(start_paused = true)]
async fn a_tail_makes_some_requests_much_slower_than_most() {
    let config = config().with_latency(Duration::from_secs(1)).with_latency_tail(true);
    let mut client = Client::new(&simulator(config)).await;
    let mut taken = Vec::new();
    for _ in 0..200 {
        let clock = Clock::new(None, 0);
        client.post(CHAT, &chat(10)).await;
        taken.push(clock.elapsed().as_secs());
    }
    taken.sort_unstable();
    assert_eq!((taken[0], taken[100]), (1, 1));
    assert!((10..=30).contains(&taken[198]), "{taken:?}");
}
