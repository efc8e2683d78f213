//! Faults strike as configured, look as they should, and repeat with their seed.

use super::*;
use crate::{Faults, Statistics};

async fn one(faults: Faults, path: &str, stream: bool) -> (Result<Answer, hyper::Error>, Statistics) {
    let simulator = simulator(config().with_faults(faults));
    let mut body = message(10, 100);
    body["stream"] = json!(stream);
    let answer = Client::new(&simulator).await.try_post(path, &body).await;
    (answer, simulator.statistics())
}

#[tokio::test(start_paused = true)]
async fn server_errors_and_overload_look_as_each_face_has_them() {
    async fn check(faults: Faults, path: &str, status: u16, pointer: &str, expected: Value) {
        let answer = one(faults, path, false).await.0.unwrap();
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json().pointer(pointer), Some(&expected), "{}", answer.text());
    }
    let error = Faults { server_error_rate: 1.0, ..Faults::default() };
    let overloaded = Faults { overloaded_rate: 1.0, ..Faults::default() };
    check(error, CHAT, 500, "/error/type", json!("server_error")).await;
    check(error, MESSAGES, 500, "/error/type", json!("api_error")).await;
    check(error, OPENROUTER_CHAT, 500, "/error/code", json!(500)).await;
    check(overloaded, CHAT, 503, "/error/type", json!("server_error")).await;
    check(overloaded, MESSAGES, 529, "/error/type", json!("overloaded_error")).await;
    check(overloaded, OPENROUTER_CHAT, 503, "/error/metadata/error_type", json!("provider_overloaded")).await;
}

#[tokio::test(start_paused = true)]
async fn a_reset_drops_the_connection_and_is_charged() {
    let (answer, statistics) = one(Faults { reset_rate: 1.0, ..Faults::default() }, CHAT, false).await;
    assert!(answer.is_err());
    assert_eq!((statistics.faults.resets, statistics.charged.requests, statistics.answered), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn garbage_is_a_success_that_cannot_be_read() {
    let (answer, statistics) = one(Faults { garbage_rate: 1.0, ..Faults::default() }, CHAT, false).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    assert_eq!(statistics.faults.garbage, 1);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_request_is_never_answered_and_ends_with_its_client() {
    let simulator = simulator(config().with_faults(Faults { hang_rate: 1.0, ..Faults::default() }));
    let mut client = Client::new(&simulator).await;
    let waited = tokio::time::timeout(Duration::from_secs(86_400), client.post(CHAT, &chat(10))).await;
    assert!(waited.is_err());
    assert_eq!(simulator.statistics().faults.hangs, 0);
    drop(client);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(simulator.statistics().faults.hangs, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_breaks_off_in_the_middle_and_a_whole_answer_does_not() {
    let faults = Faults { stream_break_rate: 1.0, ..Faults::default() };
    for path in [CHAT, MESSAGES, OPENROUTER_CHAT] {
        let (answer, statistics) = one(faults, path, true).await;
        assert!(answer.is_err(), "{path}");
        assert_eq!(statistics.faults.stream_breaks, 1);
        let (answer, statistics) = one(faults, path, false).await;
        assert_eq!(answer.unwrap().status, 200);
        assert_eq!(statistics.faults.total(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_strikes_the_same_requests() {
    async fn run(seed: u64) -> (Vec<u16>, Statistics) {
        let faults = Faults { server_error_rate: 0.2, overloaded_rate: 0.2, reset_rate: 0.1, ..Faults::default() };
        let simulator = simulator(config().with_faults(faults).with_seed(seed));
        let mut seen = Vec::new();
        for _ in 0..100 {
            let answer = Client::new(&simulator).await.try_post(CHAT, &chat(10)).await;
            seen.push(answer.map_or(0, |answer| answer.status.as_u16()));
        }
        (seen, simulator.statistics())
    }
    let (seen, statistics) = run(1).await;
    assert_eq!((seen.clone(), statistics), run(1).await);
    assert_ne!(seen, run(2).await.0);
    assert_eq!(statistics.requests, statistics.answered + statistics.faults.total());
    assert!((30..70).contains(&statistics.faults.total()), "{statistics:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_is_counted_and_settled() {
    let config = config().with_charge(crate::Charge::Produced).with_latency(Duration::from_secs(10));
    let simulator = simulator(config);
    let mut client = Client::new(&simulator).await;
    let waited = tokio::time::timeout(Duration::from_secs(1), client.post(CHAT, &message(10, 500))).await;
    assert!(waited.is_err());
    drop(client);
    tokio::time::advance(Duration::from_secs(1)).await;
    let statistics = simulator.statistics();
    assert_eq!((statistics.abandoned, statistics.answered, statistics.charged.tokens), (1, 0, 10));
}
