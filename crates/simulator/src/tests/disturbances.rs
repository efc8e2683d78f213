//! What changes while the provider runs, by the clock.

use tokio::time::advance;

use super::*;
use crate::clock::Clock;
use crate::{Disturbance, Metering, Sharing};

const SECOND: Duration = Duration::from_secs(1);

fn disturbed(disturbance: Disturbance) -> Config {
    config().with_disturbances(vec![disturbance])
}

#[tokio::test(start_paused = true)]
async fn a_failing_provider_answers_overloaded_at_once_and_charges() {
    let failing = Disturbance::Failing { from: SECOND, until: 2 * SECOND };
    for (path, status) in [(CHAT, 503), (MESSAGES, 529), (OPENROUTER_CHAT, 503)] {
        let simulator = simulator(disturbed(failing).with_latency(SECOND / 100));
        let mut client = Client::new(&simulator).await;
        assert_eq!(client.post(path, &chat(10)).await.status, 200);
        advance(Duration::from_millis(990)).await;
        let clock = Clock::new(None, 0);
        assert_eq!(client.post(path, &chat(10)).await.status, status);
        assert_eq!(clock.elapsed(), Duration::ZERO);
        advance(SECOND).await;
        assert_eq!(client.post(path, &chat(10)).await.status, 200);
        let statistics = simulator.statistics();
        assert_eq!((statistics.faults.overloaded, statistics.charged.requests), (1, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_has_stopped_drops_every_connection_and_charges_nothing() {
    let simulator = simulator(disturbed(Disturbance::Stopped { from: SECOND, until: 2 * SECOND }));
    let mut client = Client::new(&simulator).await;
    assert_eq!(client.post(CHAT, &chat(10)).await.status, 200);
    advance(SECOND).await;
    assert!(client.try_post(CHAT, &chat(10)).await.is_err());
    assert!(client.try_post(CHAT, &chat(10)).await.is_err(), "the connection is gone");
    assert!(Client::new(&simulator).await.send(request("GET", "/v1/models", "")).await.is_err());
    advance(SECOND).await;
    assert_eq!(Client::new(&simulator).await.post(CHAT, &chat(10)).await.status, 200);
    let statistics = simulator.statistics();
    assert_eq!((statistics.requests, statistics.answered, statistics.faults.stopped), (4, 2, 2));
    assert_eq!((statistics.faults.total(), statistics.charged.requests), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_changed_limit_is_told_and_kept_in_every_scope() {
    let changed = Disturbance::LimitFactor { at: 10 * SECOND, factor: 0.5 };
    let simulator = simulator(disturbed(changed).with_requests_per_minute(60).with_sharing(Sharing::PerModel));
    let mut client = Client::new(&simulator).await;
    let limit = |answer: &Answer| answer.header("x-ratelimit-limit-requests").to_owned();
    assert_eq!(limit(&client.post(CHAT, &chat(10)).await), "60");
    advance(10 * SECOND).await;
    let known = client.post(CHAT, &chat(10)).await;
    let mut body = chat(10);
    body["model"] = json!("first-asked-for-now");
    let new = client.post(CHAT, &body).await;
    for answer in [known, new] {
        assert_eq!((limit(&answer).as_str(), answer.header("x-ratelimit-remaining-requests")), ("30", "29"));
        assert_eq!(answer.header("x-ratelimit-limit-tokens"), "500000");
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_else_is_seen_in_what_remains() {
    let other = Disturbance::OtherClient { from: Duration::ZERO, until: 60 * SECOND, share: 0.5 };
    let config = disturbed(other).with_requests_per_minute(600).with_metering(Metering::SlidingWindow);
    let simulator = simulator(config);
    let mut client = Client::new(&simulator).await;
    advance(20 * SECOND).await;
    let answer = client.post(CHAT, &chat(10)).await;
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), "499");
    // Of 10 a second half for 20 s, and of the 1,000,000 tokens a minute. It is counted without anybody asking again.
    let by_others = || simulator.statistics().taken_by_others;
    assert_eq!((by_others().requests, by_others().tokens), (100, 166_666));
    advance(10 * SECOND).await;
    assert_eq!(by_others().requests, 150);
}

#[tokio::test(start_paused = true)]
async fn a_disturbed_run_repeats() {
    async fn run() -> crate::Statistics {
        let other = Disturbance::OtherClient { from: SECOND, until: 30 * SECOND, share: 0.7 };
        let change = Disturbance::LimitFactor { at: 15 * SECOND, factor: 0.5 };
        let config = config().with_disturbances(vec![other, change]).with_requests_per_minute(120);
        let simulator = simulator(config.with_start_fill(0.1).with_latency(SECOND / 10).with_latency_tail(true));
        let mut client = Client::new(&simulator).await;
        for _ in 0..100 {
            client.post(CHAT, &chat(10)).await;
            advance(SECOND / 8).await;
        }
        simulator.statistics()
    }
    let statistics = run().await;
    assert_eq!(statistics, run().await);
    assert!(statistics.rate_limited > 0 && statistics.answered > 0, "{statistics:?}");
}
