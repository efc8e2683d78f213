//! Servers that do what no large provider documents.

use tokio::time::advance;

use super::*;
use crate::{Charge, Counting, Disturbance, HeaderPolicy, HiddenLimit, Metering, ReadAt, RefusalCost, Resets};

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
async fn one_request_in_so_many_is_refused_though_much_is_left() {
    let config =
        config().with_requests_per_minute(100_000).with_hidden_limits(vec![HiddenLimit::AtRandom { one_in: 20 }]);
    let simulator = simulator(config);
    let mut client = Client::new(&simulator).await;
    for _ in 0..1_000 {
        let answer = client.post(CHAT, &chat(10)).await;
        assert!(answer.status == 200 || answer.status == 429 && is_bare(&answer), "{:?}", answer.headers);
    }
    let refused = simulator.statistics().rate_limited;
    assert!((30..70).contains(&refused), "{refused}");
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
async fn a_reset_may_be_that_of_the_oldest_part_or_always_a_minute() {
    for (resets, told) in
        [(Resets::Span, ["1m0s", "1m0s"]), (Resets::Oldest, ["1m0s", "40s"]), (Resets::Minute, ["1m0s", "1m0s"])]
    {
        let config = config().with_metering(Metering::SlidingWindow).with_requests_per_minute(60).with_resets(resets);
        let mut client = Client::new(&simulator(config)).await;
        for told in told {
            assert_eq!(client.post(CHAT, &chat(10)).await.header("x-ratelimit-reset-requests"), told, "{resets:?}");
            advance(Duration::from_secs(20)).await;
        }
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

#[tokio::test(start_paused = true)]
async fn a_hidden_limit_on_requests_says_when_to_come_again_and_binds_before_the_one_that_is_told() {
    let hidden = HiddenLimit::Requests { per_minute: 2 };
    let mut client = Client::new(&simulator(config().with_hidden_limits(vec![hidden]))).await;
    for remaining in ["2999", "2998"] {
        assert_eq!(client.post(CHAT, &chat(10)).await.header("x-ratelimit-remaining-requests"), remaining);
    }
    let mut refused = client.post(CHAT, &chat(10)).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "30"));
    refused.headers.remove("retry-after");
    assert!(is_bare(&refused), "{:?}", refused.headers);
    advance(Duration::from_secs(30)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.header("x-ratelimit-remaining-requests"), "2999");
}

#[tokio::test(start_paused = true)]
async fn resets_may_be_moments_of_the_provider_s_calendar() {
    let config = config().with_requests_per_minute(60).with_resets(Resets::EpochSeconds).with_clock_error(100);
    let mut client = Client::new(&simulator(config)).await;
    advance(Duration::from_millis(1_500)).await;
    let answer = client.post(CHAT, &chat(10)).await;
    // A request comes back in a second: at 2.5 s, rounded up.
    assert_eq!(answer.header("x-ratelimit-reset-requests"), (START + 103).to_string());
}

#[tokio::test(start_paused = true)]
async fn a_limit_for_the_day_is_told_beside_the_minute_s_and_kept_until_midnight() {
    let simulator = simulator(config().with_requests_per_day(2));
    let mut client = Client::new(&simulator).await;
    advance(Duration::from_secs(86_400 - 60)).await;
    let answer = client.post(CHAT, &chat(10)).await;
    let told = ["limit", "remaining", "reset"].map(|what| answer.header(&format!("x-ratelimit-{what}-requests-day")));
    assert_eq!(told, ["2", "1", "1m0s"]);
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), "2999");
    client.post(CHAT, &chat(10)).await;
    let refused = client.post(CHAT, &chat(10)).await;
    assert!(refused.text().contains("requests per day (RPD): Limit 2, Used 2, Requested 1."), "{}", refused.text());
    assert_eq!(refused.header("retry-after"), "60");
    // Another face has no such limit.
    assert_eq!(client.post(MESSAGES, &chat(10)).await.status, 200);
    advance(Duration::from_secs(60)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn remaining_tokens_may_be_rounded() {
    let config = config().with_tokens_per_minute(10_400).with_rounding(1_000).with_charge(Charge::PromptOnly);
    let mut client = Client::new(&simulator(config)).await;
    let mut remaining = Vec::new();
    for tokens in [3, 898, 8_999] {
        let answer = client.post(CHAT, &chat(tokens)).await;
        remaining.push(answer.header("x-ratelimit-remaining-tokens").to_owned());
        assert_eq!(answer.header("x-ratelimit-remaining-requests").len(), 4);
    }
    // 10,397, 9,499 and 500.
    assert_eq!(remaining, ["10000", "9000", "1000"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_bound_its_output_is_charged_what_is_configured() {
    let config = config().with_charge(Charge::PromptPlusMaxTokens).with_unbounded_output(1_024);
    let simulator = simulator(config);
    let mut body = chat(10);
    body.as_object_mut().unwrap().remove("max_tokens");
    assert_eq!(Client::new(&simulator).await.post(CHAT, &body).await.status, 200);
    assert_eq!(simulator.statistics().charged.tokens, 1_034);
}

#[tokio::test(start_paused = true)]
async fn the_rule_of_charging_may_change_for_those_that_come_later() {
    let change = |seconds, charge| Disturbance::ChargeChange { at: Duration::from_secs(seconds), charge };
    // Not in the order of their times.
    let changes = vec![change(20, Charge::PromptPlusMaxTokens), change(10, Charge::PromptOnly)];
    let config = config().with_charge(Charge::Produced).with_output_tokens(5, 5).with_disturbances(changes);
    let simulator = simulator(config.with_latency(Duration::from_secs(1)));
    let mut client = Client::new(&simulator).await;
    let mut charged = async |wait: u64| {
        advance(Duration::from_secs(wait)).await;
        client.post(CHAT, &message(100, 50)).await;
        simulator.statistics().charged.tokens
    };
    // The second is let in at 9 s and ends at 10.
    assert_eq!([charged(0).await, charged(8).await], [105, 210]);
    assert_eq!([charged(0).await, charged(10).await], [310, 460]);
}

#[tokio::test(start_paused = true)]
async fn what_is_counted_at_the_end_lets_in_more_than_there_is_and_leaves_a_debt() {
    let config = config().with_requests_per_minute(1).with_counting(Counting::AtEnd);
    let simulator = simulator(config.with_latency(Duration::from_secs(1)));
    let (mut one, mut other) = (Client::new(&simulator).await, Client::new(&simulator).await);
    let body = chat(10);
    let (first, second) = tokio::join!(one.post(CHAT, &body), other.post(CHAT, &body));
    assert_eq!([first.status, second.status].map(|status| status.as_u16()), [200, 200]);
    let refused = one.post(CHAT, &body).await;
    // Two were taken of one: it takes two minutes until one is there.
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "120"));
    assert_eq!(simulator.statistics().charged.requests, 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_may_cost_a_request() {
    let config = config().with_requests_per_minute(60).with_refusal_cost(RefusalCost::Request);
    let mut client = Client::new(&simulator(config)).await;
    for _ in 0..60 {
        assert_eq!(client.post(CHAT, &chat(10)).await.status, 200);
    }
    for wait in ["1", "2", "3"] {
        assert_eq!(client.post(CHAT, &chat(10)).await.header("retry-after"), wait);
    }
    advance(Duration::from_secs(4)).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.header("x-ratelimit-remaining-requests"), "0");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_may_always_say_the_same() {
    let config = config().with_requests_per_minute(1).with_retry_after(Duration::from_secs(7));
    let mut client = Client::new(&simulator(config)).await;
    client.post(CHAT, &chat(10)).await;
    for _ in 0..2 {
        assert_eq!(client.post(CHAT, &chat(10)).await.header("retry-after"), "7");
        advance(Duration::from_secs(10)).await;
    }
}
